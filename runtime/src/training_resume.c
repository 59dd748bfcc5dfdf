/* Continuing a training: the metadata of its checkpoint, none of which is trusted. */
#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "checkpoint.h"
#include "error.h"
#include "evaluate.h"
#include "safetensors.h"

/* More epochs than this are no training. */
static const int64_t most_epochs = 1000000000;

static int read_real(const nnrt_checkpoint *checkpoint, const char *key, double *value, nnrt_error *error) {
    const char *text = nnrt_checkpoint_value(checkpoint, key);
    char *end = NULL;
    *value = text == NULL ? 0.0 : strtod(text, &end);
    if (text == NULL || *text == '\0' || *end != '\0')
        return nnrt_fail(error, "%s: \"%s\" is missing or not a number", nnrt_checkpoint_name(checkpoint), key);
    return NNRT_OK;
}

/* --- Before the data are loaded --- */

static int resume_seed(nnrt_training *training, const nnrt_checkpoint *checkpoint, nnrt_error *error) {
    const uint64_t *asked = training->options->seed;
    if (!nnrt_parse_uint64(nnrt_checkpoint_value(checkpoint, "seed"), &training->seed)) {
        return nnrt_fail(error, "%s: \"seed\" is missing or not a whole number from 0",
                         nnrt_checkpoint_name(checkpoint));
    }
    if (asked != NULL && *asked != training->seed) {
        return nnrt_fail(error,
                         "%s: the training has seed %" PRIu64 ", which cannot become %" PRIu64 " when it is resumed",
                         nnrt_checkpoint_name(checkpoint), training->seed, *asked);
    }
    return NNRT_OK;
}

static int resume_batch(nnrt_training *training, const nnrt_checkpoint *checkpoint, nnrt_error *error) {
    const int asked = training->options->batch;
    int64_t batch = 0;
    if (nnrt_checkpoint_integer(checkpoint, "batch", &batch, error) != NNRT_OK)
        return NNRT_FAILED;
    const bool fits = batch >= 1 && batch <= training->model->batch;
    if (!fits || (asked != 0 && asked != batch)) {
        return nnrt_fail(error,
                         "%s: the training has batches of %" PRId64 ", which cannot become %d when "
                         "it is resumed",
                         nnrt_checkpoint_name(checkpoint), batch, training->batch);
    }
    training->batch = (int)batch;
    return nnrt_check_batch(training->model, training->batch, error);
}

static int resume_epochs(nnrt_training *training, const nnrt_checkpoint *checkpoint, nnrt_error *error) {
    int64_t done = 0, planned = 0;
    if (nnrt_checkpoint_integer(checkpoint, "epoch", &done, error) != NNRT_OK ||
        nnrt_checkpoint_integer(checkpoint, "epochs", &planned, error) != NNRT_OK)
        return NNRT_FAILED;
    if (done > planned || planned > most_epochs) {
        return nnrt_fail(error, "%s: %" PRId64 " of %" PRId64 " epochs cannot be", nnrt_checkpoint_name(checkpoint),
                         done, planned);
    }
    training->epochs = training->options->epochs != 0 ? training->options->epochs : planned;
    training->position.epoch = done;
    if (done >= training->epochs) {
        return nnrt_fail(error,
                         "%s: the training has its %" PRId64 " epochs already; --epochs N with a "
                         "larger N goes on",
                         nnrt_checkpoint_name(checkpoint), done);
    }
    return NNRT_OK;
}

int nnrt_training_resume_plan(nnrt_training *training, nnrt_checkpoint *checkpoint, nnrt_error *error) {
    const char *model = nnrt_checkpoint_value(checkpoint, "model");
    if (model != NULL && strcmp(model, training->model->name) != 0) {
        return nnrt_fail(error, "%s: is a checkpoint of the model %s, not of %s", nnrt_checkpoint_name(checkpoint),
                         model, training->model->name);
    }
    if (resume_epochs(training, checkpoint, error) != NNRT_OK || resume_seed(training, checkpoint, error) != NNRT_OK)
        return NNRT_FAILED;
    return resume_batch(training, checkpoint, error);
}

/* --- With the data --- */

/* The same training data, as far as their number tells. */
static int check_data(const nnrt_training *training, const nnrt_checkpoint *checkpoint, nnrt_error *error) {
    const int64_t now = training->datasets.parts[NNRT_TRAIN].rows.count;
    int64_t before = 0;
    if (nnrt_checkpoint_integer(checkpoint, "samples", &before, error) != NNRT_OK)
        return NNRT_FAILED;
    if (before != now) {
        return nnrt_fail(error,
                         "%s: the training had %" PRId64 " samples, but now there are %" PRId64
                         "; to train its parameters on other data, use train --load",
                         nnrt_checkpoint_name(checkpoint), before, now);
    }
    return NNRT_OK;
}

static int read_position(nnrt_training *training, const nnrt_checkpoint *checkpoint, nnrt_error *error) {
    nnrt_position *position = &training->position;
    if (nnrt_checkpoint_integer(checkpoint, "epoch_step", &position->epoch_step, error) != NNRT_OK ||
        nnrt_checkpoint_integer(checkpoint, "epoch_samples", &position->epoch_samples, error) != NNRT_OK ||
        nnrt_checkpoint_integer(checkpoint, "best_epoch", &position->best_epoch, error) != NNRT_OK ||
        read_real(checkpoint, "epoch_loss", &position->epoch_loss, error) != NNRT_OK)
        return NNRT_FAILED;
    return read_real(checkpoint, "best_loss", &position->best_loss, error);
}

/* Epochs, steps and the state's counter tell the same story. */
static int check_steps(const nnrt_training *training, const nnrt_checkpoint *checkpoint, nnrt_error *error) {
    const nnrt_position *position = &training->position;
    int64_t step = 0;
    memcpy(&step, (const char *)training->state + training->model->step_offset, sizeof step);
    if (position->epoch_step <= training->steps_per_epoch &&
        step == position->epoch * training->steps_per_epoch + position->epoch_step)
        return NNRT_OK;
    return nnrt_fail(
        error, "%s: step %" PRId64 " does not agree with %" PRId64 " epochs of %" PRId64 " steps and %" PRId64 " more",
        nnrt_checkpoint_name(checkpoint), step, position->epoch, training->steps_per_epoch, position->epoch_step);
}

static int resume_history(nnrt_training *training, const nnrt_checkpoint *checkpoint, nnrt_error *error) {
    const char *text = nnrt_checkpoint_value(checkpoint, "history");
    if (text == NULL || !nnrt_history_parse(&training->history, text)) {
        return nnrt_fail(error, "%s: the history of the training is missing, damaged, or of other metrics",
                         nnrt_checkpoint_name(checkpoint));
    }
    return NNRT_OK;
}

int nnrt_training_resume(nnrt_training *training, nnrt_checkpoint *checkpoint, nnrt_error *error) {
    const nnrt_model *model = training->model;
    if (check_data(training, checkpoint, error) != NNRT_OK || read_position(training, checkpoint, error) != NNRT_OK ||
        nnrt_checkpoint_params(checkpoint, model, training->params, NULL, error) != NNRT_OK ||
        nnrt_checkpoint_state(checkpoint, model, training->state, error) != NNRT_OK ||
        check_steps(training, checkpoint, error) != NNRT_OK || resume_history(training, checkpoint, error) != NNRT_OK)
        return NNRT_FAILED;
    const int64_t steps = training->epochs * training->steps_per_epoch;
    memcpy((char *)training->state + model->steps_offset, &steps, sizeof steps);
    training->unsaved = true;
    return NNRT_OK;
}
