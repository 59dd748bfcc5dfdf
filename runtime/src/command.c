#include "command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "checkpoint.h"
#include "data.h"
#include "error.h"
#include "memory.h"
#include "progress.h"
#include "safetensors.h"

/* --- What commands share --- */

static int read_params(const nnrt_job *job, nnrt_checkpoint *checkpoint, void *params, uint64_t *seed,
                       nnrt_error *error) {
    nnrt_error note;
    const char *seed_text = nnrt_checkpoint_value(checkpoint, "seed");
    if (nnrt_checkpoint_params(checkpoint, job->model, params, &note, error) != NNRT_OK)
        return NNRT_FAILED;
    if (note.text[0] != '\0')
        fprintf(job->notes, "note: %s\n", note.text);
    if (seed_text != NULL && !nnrt_parse_uint64(seed_text, seed))
        return nnrt_fail(error, "%s: \"seed\" is not a whole number from 0", nnrt_checkpoint_name(checkpoint));
    return NNRT_OK;
}

int nnrt_job_load_params(const nnrt_job *job, void **params, uint64_t *seed, nnrt_error *error) {
    const char *path = job->line->values[NNRT_OPTION_LOAD];
    nnrt_checkpoint *checkpoint = NULL;
    *params = NULL;
    if (path == NULL)
        return nnrt_fail(error, "--load FILE is missing: the parameters that train saved");
    if (nnrt_checkpoint_open(&checkpoint, path, error) != NNRT_OK)
        return NNRT_FAILED;
    *params = nnrt_allocate(job->model->params_bytes, 1);
    int status = *params == NULL ? nnrt_fail_memory(error, "the parameters", job->model->params_bytes)
                                 : read_params(job, checkpoint, *params, seed, error);
    nnrt_checkpoint_close(checkpoint);
    if (status != NNRT_OK) {
        free(*params);
        *params = NULL;
    }
    return status;
}

nnrt_part_name nnrt_job_choose_part(const nnrt_job *job) {
    static const nnrt_part_name order[] = {NNRT_TEST, NNRT_VALIDATE, NNRT_TRAIN};
    for (size_t i = 0; job->recipe != NULL && i < sizeof order / sizeof *order; i++) {
        if (!nnrt_recipe_has(job->recipe, order[i]))
            continue;
        if (order[i] != NNRT_TEST)
            fprintf(job->notes, "note: there are no test data; these are the %s data\n", nnrt_part_label(order[i]));
        return order[i];
    }
    return NNRT_PARTS;
}

/* --- eval --- */

static void print_figures(const nnrt_job *job, const char *label, const nnrt_figures *figures, const double *metrics) {
    fprintf(job->out, "%s loss %s", label, nnrt_number_print(figures->loss).text);
    for (int k = 0; k < job->model->metric_count; k++)
        fprintf(job->out, "  %s %s", job->model->metrics[k], nnrt_number_print(metrics[k]).text);
    fprintf(job->out, "\n");
    if (figures->left_out > 0) {
        fprintf(job->notes, "note: %" PRId64 " of %" PRId64 " samples fill no batch of %d and were left out\n",
                figures->left_out, figures->left_out + figures->samples, job->model->batch);
    }
}

static int evaluate_part(const nnrt_job *job, nnrt_part_name part, const void *params, uint64_t seed,
                         nnrt_error *error) {
    int wanted[NNRT_PARTS] = {0}, batch = 0;
    nnrt_datasets datasets;
    nnrt_figures figures;
    wanted[part] = 1;
    if (nnrt_options_integer(job->line, NNRT_OPTION_BATCH, job->model->batch, &batch, error) != NNRT_OK ||
        nnrt_datasets_load(&datasets, job->model, job->recipe, seed, job->line->values[NNRT_OPTION_DATA], wanted,
                           NNRT_INPUTS_AND_TARGETS, error) != NNRT_OK)
        return NNRT_FAILED;
    double *metrics = nnrt_allocate((size_t)job->model->metric_count, sizeof *metrics);
    int status = metrics == NULL
                     ? nnrt_fail_memory(error, "the metrics", sizeof *metrics)
                     : nnrt_evaluate(job->model, params, &datasets.parts[part], batch, &figures, metrics, error);
    if (status == NNRT_OK)
        print_figures(job, nnrt_part_label(part), &figures, metrics);
    free(metrics);
    nnrt_datasets_free(&datasets);
    return status;
}

int nnrt_command_eval(const nnrt_job *job, nnrt_error *error) {
    void *params = NULL;
    uint64_t seed = job->recipe == NULL ? 0 : job->recipe->seed;
    if (nnrt_job_load_params(job, &params, &seed, error) != NNRT_OK)
        return NNRT_FAILED;
    nnrt_part_name part = nnrt_job_choose_part(job);
    int status = part == NNRT_PARTS
                     ? nnrt_fail(error, "%s has no data to evaluate: it has no train block", job->model->name)
                     : evaluate_part(job, part, params, seed, error);
    free(params);
    return status;
}

/* --- info --- */

static const char *type_name(nnrt_type type) {
    return nnrt_dtype_name(nnrt_dtype_of(type));
}

static void print_tensors(FILE *out, const nnrt_tensor *tensors, int count) {
    for (int i = 0; i < count; i++) {
        fprintf(out, "  %-32s %s %s\n", tensors[i].name, type_name(tensors[i].type),
                nnrt_shape_print(tensors[i].rank, tensors[i].shape).text);
    }
}

static void print_fields(FILE *out, const char *title, const nnrt_field *fields, int count) {
    if (count > 0)
        fprintf(out, "%s, for each sample:\n", title);
    for (int i = 0; i < count; i++) {
        const nnrt_field *field = &fields[i];
        fprintf(out, "  %-32s %s %s", field->name, type_name(field->type),
                nnrt_shape_print(field->rank, field->shape).text);
        if (field->classes > 0)
            fprintf(out, " from 0 to %" PRId64, field->classes - 1);
        fprintf(out, "\n");
    }
}

static void print_line(FILE *out, const char *text) {
    nnrt_print_clean(out, text);
    fputc('\n', out);
}

/* What a checkpoint holds and tells of its training. */
static int print_checkpoint(const nnrt_job *job, const char *path, nnrt_error *error) {
    static const char *const keys[] = {"model", "epoch", "epochs",     "step",     "steps",
                                       "seed",  "batch", "best_epoch", "best_loss"};
    nnrt_checkpoint *checkpoint = NULL;
    if (nnrt_checkpoint_open(&checkpoint, path, error) != NNRT_OK)
        return NNRT_FAILED;
    fprintf(job->out, "%s:\n", path);
    for (size_t i = 0; i < nnrt_checkpoint_count(checkpoint); i++) {
        const nnrt_stored *tensor = nnrt_checkpoint_at(checkpoint, i);
        fprintf(job->out, "  %s %s ", nnrt_dtype_name(tensor->dtype),
                nnrt_shape_print(tensor->rank, tensor->shape).text);
        print_line(job->out, tensor->name);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = nnrt_checkpoint_value(checkpoint, keys[i]);
        if (value != NULL) {
            fprintf(job->out, "  %s: ", keys[i]);
            print_line(job->out, value);
        }
    }
    nnrt_checkpoint_close(checkpoint);
    return NNRT_OK;
}

int nnrt_command_info(const nnrt_job *job, nnrt_error *error) {
    const nnrt_model *model = job->model;
    const char *path = job->line->values[NNRT_OPTION_LOAD];
    fprintf(job->out, "%s: %zu parameters in %d tensors\n", model->name, nnrt_count_parameters(model),
            model->param_count);
    print_tensors(job->out, model->params, model->param_count);
    print_fields(job->out, "inputs", model->inputs, model->input_count);
    print_fields(job->out, "targets", model->targets, model->target_count);
    print_fields(job->out, "outputs", model->outputs, model->output_count);
    for (int k = 0; k < model->metric_count; k++) {
        fprintf(job->out, "%s%s%s", k == 0 ? "metrics: " : ", ", model->metrics[k],
                k + 1 == model->metric_count ? "\n" : "");
    }
    fprintf(job->out, "batch: %s%d samples\n", model->dynamic ? "1 to " : "", model->batch);
    fprintf(job->out, "memory: parameters %zu, training state %zu, workspace %zu bytes\n", model->params_bytes,
            model->state_bytes, model->workspace_bytes);
    return path == NULL ? NNRT_OK : print_checkpoint(job, path, error);
}
