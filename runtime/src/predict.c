/* The command predict. */
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "data.h"
#include "error.h"
#include "evaluate.h"
#include "memory.h"
#include "sink.h"
#include "stream.h"
#include "text.h"

/* --- Where the inputs come from --- */

/* What --input gives. */
typedef struct Given {
    nnrt_source *sources;
    char **names; /* of the fields, copied from NAME=FILE */
    nnrt_data *data;
} Given;

static const nnrt_field *find_input(const nnrt_model *model, const char *name) {
    for (int i = 0; i < model->input_count; i++)
        if (strcmp(model->inputs[i].name, name) == 0)
            return &model->inputs[i];
    return NULL;
}

static int fail_no_input(const nnrt_model *model, const char *name, nnrt_error *error) {
    nnrt_text list = {0};
    for (int i = 0; i < model->input_count; i++)
        nnrt_text_printf(&list, "%s%s", i == 0 ? "" : ", ", model->inputs[i].name);
    nnrt_fail(error, "--input %s: %s has no such input; it has %s", name, model->name,
              list.bytes == NULL ? "none" : list.bytes);
    nnrt_text_free(&list);
    return NNRT_FAILED;
}

/* The kind of a file, by how it begins. */
static int recognise_kind(const char *path, nnrt_source_kind *kind, nnrt_error *error) {
    nnrt_stream *stream = NULL;
    char start[6] = "";
    size_t got = 0;
    if (nnrt_stream_open(&stream, path, error) != NNRT_OK)
        return NNRT_FAILED;
    int status = nnrt_stream_read(stream, start, sizeof start, &got, error);
    nnrt_stream_close(stream);
    if (got == sizeof start && memcmp(start, "\x93NUMPY", sizeof start) == 0)
        *kind = NNRT_SOURCE_NPY;
    else if (got >= 2 && start[0] == '\0' && start[1] == '\0')
        *kind = NNRT_SOURCE_IDX;
    else
        *kind = NNRT_SOURCE_CSV;
    return status;
}

/* New data are scaled as those that the network was trained with, and a CSV file's columns have the same names. */
static void inherit_source(nnrt_source *source, const nnrt_recipe *recipe) {
    for (int i = 0; recipe != NULL && i < recipe->train.source_count; i++) {
        const nnrt_source *trained = &recipe->train.sources[i];
        if (strcmp(trained->field, source->field) == 0) {
            source->scale = trained->scale;
            source->shift = trained->shift;
            source->columns = trained->columns;
            source->column_count = trained->column_count;
        }
    }
}

/* NAME=FILE number i. */
static int parse_input(const nnrt_job *job, int i, Given *given, nnrt_error *error) {
    const char *text = job->line->inputs[i];
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return nnrt_fail(error, "--input %s: write it as NAME=FILE", text);
    given->names[i] = strndup(text, (size_t)(equals - text));
    if (given->names[i] == NULL)
        return nnrt_fail_memory(error, text, strlen(text));
    if (find_input(job->model, given->names[i]) == NULL)
        return fail_no_input(job->model, given->names[i], error);
    nnrt_source *source = &given->sources[i];
    *source = (nnrt_source){.field = given->names[i], .path = equals + 1};
    inherit_source(source, job->recipe);
    return recognise_kind(source->path, &source->kind, error);
}

/* A prediction wants every input; those that are not given are named at once. */
static int check_all_given(const nnrt_model *model, const Given *given, int count, nnrt_error *error) {
    nnrt_text list = {0};
    for (int i = 0; i < model->input_count; i++) {
        bool found = false;
        for (int k = 0; k < count; k++)
            found = found || strcmp(given->names[k], model->inputs[i].name) == 0;
        if (!found)
            nnrt_text_printf(&list, " --input %s=FILE", model->inputs[i].name);
    }
    if (list.bytes != NULL)
        nnrt_fail(error, "not every input of %s is given: add%s", model->name, list.bytes);
    int status = list.bytes == NULL ? NNRT_OK : NNRT_FAILED;
    nnrt_text_free(&list);
    return status;
}

static int load_given(const nnrt_job *job, Given *given, nnrt_error *error) {
    const int count = job->line->input_count;
    given->sources = nnrt_allocate((size_t)count, sizeof *given->sources);
    given->names = nnrt_allocate((size_t)count, sizeof *given->names);
    if (given->sources == NULL || given->names == NULL)
        return nnrt_fail_memory(error, "--input", (size_t)count * sizeof *given->sources);
    for (int i = 0; i < count; i++)
        if (parse_input(job, i, given, error) != NNRT_OK)
            return NNRT_FAILED;
    if (check_all_given(job->model, given, count, error) != NNRT_OK)
        return NNRT_FAILED;
    const nnrt_split split = {given->sources, count};
    return nnrt_data_load(&given->data, job->model, &split, "--input", NULL, NNRT_INPUTS, error);
}

static void free_given(const nnrt_job *job, Given *given) {
    for (int i = 0; given->names != NULL && i < job->line->input_count; i++)
        free(given->names[i]);
    free(given->names);
    free(given->sources);
    nnrt_data_free(given->data);
}

/* --- The command --- */

static int write_predictions(const nnrt_job *job, const void *params, nnrt_batches *batches, const nnrt_sink *sink,
                             nnrt_error *error) {
    void *workspace = nnrt_allocate(job->model->workspace_bytes, 1);
    if (workspace == NULL)
        return nnrt_fail_memory(error, "the workspace", job->model->workspace_bytes);
    nnrt_batches_start(batches, 0, 0);
    for (const nnrt_batch *batch; (batch = nnrt_batches_next(batches)) != NULL;) {
        int n = job->model->dynamic ? batch->n : job->model->batch;
        job->model->predict(params, batch->inputs, sink->outputs, n, workspace);
        nnrt_sink_write(sink, batch->n);
    }
    free(workspace);
    return NNRT_OK;
}

static int predict_part(const nnrt_job *job, const void *params, const nnrt_part *part, nnrt_error *error) {
    nnrt_batch_plan plan = {.rest = job->model->dynamic ? NNRT_REST_SHORT : NNRT_REST_FILL};
    nnrt_batches *batches = NULL;
    nnrt_sink sink;
    if (nnrt_options_integer(job->line, NNRT_OPTION_BATCH, job->model->batch, &plan.batch, error) != NNRT_OK ||
        nnrt_check_batch(job->model, plan.batch, error) != NNRT_OK ||
        nnrt_batches_open(&batches, part, &plan, error) != NNRT_OK)
        return NNRT_FAILED;
    int status =
        nnrt_sink_open(&sink, job->model, job->line->values[NNRT_OPTION_OUTPUT], job->out, part->rows.count, error);
    if (status == NNRT_OK)
        status = write_predictions(job, params, batches, &sink, error);
    status = nnrt_sink_close(&sink, status, error);
    nnrt_batches_close(batches);
    return status;
}

static int predict_given(const nnrt_job *job, const void *params, nnrt_error *error) {
    Given given = {0};
    int status = load_given(job, &given, error);
    if (status == NNRT_OK) {
        const nnrt_part part = {.data = given.data, .rows = {.count = nnrt_data_samples(given.data)}};
        status = predict_part(job, params, &part, error);
    }
    free_given(job, &given);
    return status;
}

static int predict_recipe(const nnrt_job *job, const void *params, uint64_t seed, nnrt_error *error) {
    nnrt_part_name part = nnrt_job_choose_part(job);
    nnrt_datasets datasets;
    int wanted[NNRT_PARTS] = {0};
    if (part == NNRT_PARTS)
        return nnrt_fail(error, "%s has no data of its own: give --input NAME=FILE for every input", job->model->name);
    wanted[part] = 1;
    if (nnrt_datasets_load(&datasets, job->model, job->recipe, seed, job->line->values[NNRT_OPTION_DATA], wanted,
                           NNRT_INPUTS, error) != NNRT_OK)
        return NNRT_FAILED;
    int status = predict_part(job, params, &datasets.parts[part], error);
    nnrt_datasets_free(&datasets);
    return status;
}

int nnrt_command_predict(const nnrt_job *job, nnrt_error *error) {
    void *params = NULL;
    uint64_t seed = job->recipe == NULL ? 0 : job->recipe->seed;
    if (nnrt_job_load_params(job, &params, &seed, error) != NNRT_OK)
        return NNRT_FAILED;
    int status =
        job->line->input_count > 0 ? predict_given(job, params, error) : predict_recipe(job, params, seed, error);
    free(params);
    return status;
}
