#include "training.h"

#include <inttypes.h>
#include "error.h"
#include "file.h"

enum {
    /* The history in a checkpoint; what is older is left out of it. */
    LONGEST_HISTORY = 1 << 23,
    MOST_PAIRS = 16,
};

/* Metadata in the making: keys, and the text of the numbers. */
typedef struct Metadata {
    nnrt_pair pairs[MOST_PAIRS];
    char numbers[MOST_PAIRS][32];
    int count;
} Metadata;

static void add_text(Metadata *metadata, const char *key, const char *value) {
    metadata->pairs[metadata->count++] = (nnrt_pair){key, value};
}

static void add_integer(Metadata *metadata, const char *key, int64_t value) {
    char *text = metadata->numbers[metadata->count];
    snprintf(text, sizeof *metadata->numbers, "%" PRId64, value);
    add_text(metadata, key, text);
}

/* 17 digits bring back the same bits. */
static void add_real(Metadata *metadata, const char *key, double value) {
    char *text = metadata->numbers[metadata->count];
    snprintf(text, sizeof *metadata->numbers, "%.17g", value);
    add_text(metadata, key, text);
}

/* Which data are whose depends on the seed, when the parts are cut from the training data. */
static void add_seed(Metadata *metadata, uint64_t seed) {
    char *text = metadata->numbers[metadata->count];
    snprintf(text, sizeof *metadata->numbers, "%" PRIu64, seed);
    add_text(metadata, "seed", text);
}

static int save_checkpoint(const nnrt_training *training, nnrt_error *error) {
    const nnrt_position *position = &training->position;
    Metadata metadata = {.count = 0};
    nnrt_text history = {0};
    nnrt_history_print(&training->history, LONGEST_HISTORY, &history);
    add_integer(&metadata, "epoch", position->epoch);
    add_integer(&metadata, "epochs", training->epochs);
    add_integer(&metadata, "epoch_step", position->epoch_step);
    add_real(&metadata, "epoch_loss", position->epoch_loss);
    add_integer(&metadata, "epoch_samples", position->epoch_samples);
    add_integer(&metadata, "batch", training->batch);
    add_integer(&metadata, "samples", training->datasets.parts[NNRT_TRAIN].rows.count);
    add_real(&metadata, "best_loss", position->best_loss);
    add_integer(&metadata, "best_epoch", position->best_epoch);
    add_text(&metadata, "history", history.failed ? "" : history.bytes);
    int status = nnrt_checkpoint_save(training->options->save, training->model, training->params, training->state,
                                      metadata.pairs, metadata.count, error);
    nnrt_text_free(&history);
    return status;
}

static int save_best(const nnrt_training *training, nnrt_error *error) {
    Metadata metadata = {.count = 0};
    add_integer(&metadata, "epoch", training->position.best_epoch);
    add_real(&metadata, "best_loss", training->position.best_loss);
    add_seed(&metadata, training->seed);
    return nnrt_checkpoint_save(training->options->best, training->model, training->best_params, NULL, metadata.pairs,
                                metadata.count, error);
}

/* Writes a text that was printed, and frees it. */
static int save_text(const char *path, nnrt_text *text, nnrt_error *error) {
    int status = text->failed ? nnrt_fail_memory(error, path, text->capacity)
                              : nnrt_file_save(path, text->bytes, text->length, error);
    nnrt_text_free(text);
    return status;
}

static int save_history(const nnrt_training *training, nnrt_error *error) {
    nnrt_text text = {0};
    nnrt_history_print(&training->history, SIZE_MAX, &text);
    return save_text(training->options->history, &text, error);
}

static int save_plot(const nnrt_training *training, nnrt_error *error) {
    nnrt_text text = {0};
    nnrt_plot_print(&training->history, training->model->name, training->position.best_epoch, &text);
    return save_text(training->options->plot, &text, error);
}

bool nnrt_training_save_is_cheap(const nnrt_training *training) {
    const double others = 49.0; /* parts of the time that are not for saving, to one that is */
    return nnrt_clock() - training->save_ended >= others * training->save_seconds;
}

int nnrt_training_save(nnrt_training *training, bool whole, nnrt_error *error) {
    const nnrt_train_options *options = training->options;
    const double began = nnrt_clock();
    int failures = 0;
    nnrt_error first;
    /* Only the first failure is told; nnrt_error NULL throws the others away. */
    if (whole && options->save != NULL && training->unsaved) {
        failures += save_checkpoint(training, &first);
        training->unsaved = failures > 0;
        training->saved_epoch = failures > 0 ? training->saved_epoch : training->position.epoch;
    }
    if (options->best != NULL && training->best_unsaved) {
        int failed = save_best(training, failures == 0 ? &first : NULL);
        training->best_unsaved = failed != 0;
        failures += failed;
    }
    if (options->history != NULL)
        failures += save_history(training, failures == 0 ? &first : NULL);
    if (options->plot != NULL)
        failures += save_plot(training, failures == 0 ? &first : NULL);
    training->save_ended = nnrt_clock();
    training->save_seconds = training->save_ended - began;
    if (failures > 0 && error != NULL)
        *error = first;
    return failures == 0 ? NNRT_OK : NNRT_FAILED;
}
