#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "checkpoint.h"
#include "error.h"
#include "evaluate.h"
#include "file.h"
#include "memory.h"
#include "safetensors.h"

void nnrt_training_log(nnrt_training *training, const char *format, ...) {
    FILE *log = training->options->log;
    nnrt_progress_clear(&training->progress);
    if (log == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(log, format, arguments);
    va_end(arguments);
    fflush(log);
}

/* --- Plan --- */

/* The files have different names and can be written: better known now than after hours. */
static int check_files(const nnrt_train_options *options, nnrt_error *error) {
    const char *const paths[] = {options->save, options->best, options->history, options->plot};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        for (size_t k = 0; k < i; k++)
            if (paths[i] != NULL && paths[k] != NULL && strcmp(paths[i], paths[k]) == 0)
                return nnrt_fail(error, "%s would be written twice; give each file its own name", paths[i]);
        if (paths[i] != NULL && nnrt_file_probe(paths[i], error) != NNRT_OK)
            return NNRT_FAILED;
    }
    return NNRT_OK;
}

static int make_plan(nnrt_training *training, nnrt_error *error) {
    const nnrt_train_options *options = training->options;
    if (training->model->train_step == NULL)
        return nnrt_fail(error, "%s cannot be trained: it was compiled for prediction only", training->model->name);
    training->batch = options->batch != 0 ? options->batch : training->model->batch;
    training->epochs = options->epochs != 0 ? options->epochs : training->recipe->epochs;
    training->seed = options->seed != NULL ? *options->seed : training->recipe->seed;
    if (training->epochs < 1)
        return nnrt_fail(error, "%" PRId64 " epochs are nothing to train; at least 1 is needed", training->epochs);
    if (options->load != NULL && options->resume != NULL) {
        return nnrt_fail(error, "a training starts from parameters (load) or continues another "
                                "one (resume), not both");
    }
    if (nnrt_check_batch(training->model, training->batch, error) != NNRT_OK)
        return NNRT_FAILED;
    return check_files(options, error);
}

/* --- Data --- */

static int open_batches(nnrt_training *training, nnrt_error *error) {
    const nnrt_part *parts = training->datasets.parts;
    const nnrt_batch_plan plan = {.batch = training->batch,
                                  .rest = nnrt_rest_of(training->model),
                                  .shuffle = training->recipe->shuffle,
                                  .seed = training->seed};
    nnrt_batch_plan in_order = plan;
    in_order.shuffle = 0;
    if (nnrt_check_samples(training->model, &parts[NNRT_TRAIN], "training", plan.batch, error) != NNRT_OK ||
        nnrt_batches_open(&training->batches, &parts[NNRT_TRAIN], &plan, error) != NNRT_OK)
        return NNRT_FAILED;
    training->steps_per_epoch = nnrt_batches_count(training->batches);
    if (parts[NNRT_VALIDATE].data == NULL)
        return NNRT_OK;
    return nnrt_check_samples(training->model, &parts[NNRT_VALIDATE], "validation", plan.batch, error) == NNRT_OK
               ? nnrt_batches_open(&training->validation, &parts[NNRT_VALIDATE], &in_order, error)
               : NNRT_FAILED;
}

static int load_data(nnrt_training *training, nnrt_error *error) {
    static const int wanted[NNRT_PARTS] = {[NNRT_TRAIN] = 1, [NNRT_VALIDATE] = 1};
    if (training->recipe->train.source_count == 0)
        return nnrt_fail(error, "%s has no training data: its train block names none", training->model->name);
    if (nnrt_datasets_load(&training->datasets, training->model, training->recipe, training->seed,
                           training->options->folder, wanted, NNRT_INPUTS_AND_TARGETS, error) != NNRT_OK)
        return NNRT_FAILED;
    return open_batches(training, error);
}

/* --- Memory --- */

static int make_memory(nnrt_training *training, nnrt_error *error) {
    const nnrt_model *model = training->model;
    const size_t metrics = (size_t)model->metric_count;
    training->params = nnrt_allocate(model->params_bytes, 1);
    training->state = nnrt_allocate(model->state_bytes, 1);
    training->workspace = nnrt_allocate(model->workspace_bytes, 1);
    training->sums = nnrt_allocate(metrics, sizeof *training->sums);
    training->metrics = nnrt_allocate(metrics, sizeof *training->metrics);
    training->best_params = training->options->best == NULL ? NULL : nnrt_allocate(model->params_bytes, 1);
    if (training->params == NULL || training->state == NULL || training->workspace == NULL || training->sums == NULL ||
        training->metrics == NULL || (training->options->best != NULL && training->best_params == NULL)) {
        return nnrt_fail(error,
                         "out of memory: the parameters take %zu bytes, the state %zu, the "
                         "workspace %zu",
                         model->params_bytes, model->state_bytes, model->workspace_bytes);
    }
    training->history = nnrt_history_new(model, training->validation != NULL);
    return NNRT_OK;
}

static int load_params(nnrt_training *training, nnrt_error *error) {
    nnrt_checkpoint *checkpoint = NULL;
    nnrt_error note;
    if (nnrt_checkpoint_open(&checkpoint, training->options->load, error) != NNRT_OK)
        return NNRT_FAILED;
    int status = nnrt_checkpoint_params(checkpoint, training->model, training->params, &note, error);
    if (status == NNRT_OK && note.text[0] != '\0')
        nnrt_training_log(training, "note: %s\n", note.text);
    nnrt_checkpoint_close(checkpoint);
    return status;
}

static int begin_anew(nnrt_training *training, nnrt_error *error) {
    const nnrt_model *model = training->model;
    model->init(training->params, training->seed);
    model->state_init(training->state, training->seed, training->epochs * training->steps_per_epoch);
    training->position.best_loss = INFINITY;
    training->unsaved = true;
    return training->options->load == NULL ? NNRT_OK : load_params(training, error);
}

/* --- Opening and closing --- */

/* `checkpoint` NULL: a new training. */
static int open_from(nnrt_training *training, nnrt_checkpoint *checkpoint, nnrt_error *error) {
    if (checkpoint != NULL && nnrt_training_resume_plan(training, checkpoint, error) != NNRT_OK)
        return NNRT_FAILED;
    if (load_data(training, error) != NNRT_OK || make_memory(training, error) != NNRT_OK)
        return NNRT_FAILED;
    return checkpoint == NULL ? begin_anew(training, error) : nnrt_training_resume(training, checkpoint, error);
}

int nnrt_training_open(nnrt_training *training, nnrt_error *error) {
    nnrt_checkpoint *checkpoint = NULL;
    const char *resume = training->options->resume;
    training->progress.terminal = training->options->terminal;
    training->saved_epoch = -1;
    if (make_plan(training, error) != NNRT_OK ||
        (resume != NULL && nnrt_checkpoint_open(&checkpoint, resume, error) != NNRT_OK))
        return NNRT_FAILED;
    int status = open_from(training, checkpoint, error);
    nnrt_checkpoint_close(checkpoint);
    return status;
}

void nnrt_training_close(nnrt_training *training) {
    nnrt_batches_close(training->batches);
    nnrt_batches_close(training->validation);
    nnrt_datasets_free(&training->datasets);
    nnrt_history_free(&training->history);
    free(training->params);
    free(training->state);
    free(training->workspace);
    free(training->best_params);
    free(training->sums);
    free(training->metrics);
}
