/* The training loop. */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "error.h"
#include "evaluate.h"
#include "interrupt.h"
#include "not_finite.h"
#include "text.h"
#include "training.h"

/* --- Losses and parameters that are not finite --- */

/* Where the last good parameters are. */
static void describe_rescue(const nnrt_training *training, nnrt_text *text) {
    if (training->saved_epoch >= 0)
        nnrt_text_printf(text, "; %s keeps epoch %" PRId64, training->options->save, training->saved_epoch);
    else if (training->options->resume != NULL)
        nnrt_text_printf(text, "; %s is untouched", training->options->resume);
}

/* Fails with `what` ("the loss is nan at epoch 1, step 3") and what is known about the parameters. */
static int fail_not_finite(const nnrt_training *training, const char *what, nnrt_error *error) {
    nnrt_text text = {0};
    nnrt_text_printf(&text, "%s; ", what);
    nnrt_not_finite_describe(training->model, training->params, &text);
    describe_rescue(training, &text);
    nnrt_text_printf(&text, "; try a smaller learning rate, or look for extreme values in the data");
    nnrt_fail(error, "%s", text.failed ? what : text.bytes);
    nnrt_text_free(&text);
    return NNRT_FAILED;
}

static int fail_loss(const nnrt_training *training, double loss, nnrt_error *error) {
    char what[160];
    const nnrt_position *position = &training->position;
    snprintf(what, sizeof what, "the loss is %s at epoch %" PRId64 ", step %" PRId64 " of %" PRId64,
             isnan(loss) ? "nan" : "infinite", position->epoch + 1, position->epoch_step + 1,
             training->steps_per_epoch);
    return fail_not_finite(training, what, error);
}

/* --- One epoch --- */

/* Samples per second since the epoch, or its resumption, began. */
static double current_speed(const nnrt_training *training) {
    double seconds = nnrt_clock() - training->epoch_began;
    return seconds > 0.0 ? (double)training->timed_samples / seconds : 0.0;
}

/* Samples per second of the last few seconds, with all that is done between the steps: epochs may be too short to tell. */
static double recent_speed(nnrt_training *training) {
    const double window = 2.0;
    nnrt_mark *marks = training->marks;
    const nnrt_mark now = {nnrt_clock(), training->samples};
    if (now.time - marks[1].time >= window) {
        marks[0] = marks[1];
        marks[1] = now;
    }
    double seconds = now.time - marks[0].time;
    return seconds > 0.0 ? (double)(now.samples - marks[0].samples) / seconds : 0.0;
}

static void draw_progress(nnrt_training *training) {
    if (training->progress.terminal == NULL)
        return;
    const nnrt_position *position = &training->position;
    double speed = recent_speed(training);
    int64_t steps_left = (training->epochs - position->epoch) * training->steps_per_epoch - position->epoch_step;
    const nnrt_moment moment = {
        .epoch = position->epoch + 1,
        .epochs = training->epochs,
        .step = position->epoch_step,
        .steps = training->steps_per_epoch,
        .loss = position->epoch_loss / (double)position->epoch_samples,
        .samples_per_second = speed,
        .seconds_left = speed > 0.0 ? (double)(steps_left * training->batch) / speed : 0.0,
    };
    nnrt_progress_draw(&training->progress, &moment);
}

/* The steps of the epoch that are not done yet. */
static int run_steps(nnrt_training *training, nnrt_error *error) {
    const nnrt_model *model = training->model;
    nnrt_position *position = &training->position;
    training->epoch_began = nnrt_clock();
    training->timed_samples = 0;
    nnrt_batches_start(training->batches, position->epoch, position->epoch_step);
    for (const nnrt_batch *batch; (batch = nnrt_batches_next(training->batches)) != NULL;) {
        double loss = model->train_step(training->params, training->state, batch->inputs, batch->targets, batch->n,
                                        training->workspace);
        if (!isfinite(loss))
            return fail_loss(training, loss, error);
        training->unsaved = true;
        training->timed_samples += batch->n;
        training->samples += batch->n;
        position->epoch_loss += loss * batch->n;
        position->epoch_samples += batch->n;
        position->epoch_step++;
        draw_progress(training);
        if (nnrt_interrupt_signal() != 0)
            return NNRT_INTERRUPTED;
    }
    return NNRT_OK;
}

/* A training whose last update went wrong must not be saved as good. */
static int check_params(const nnrt_training *training, nnrt_error *error) {
    if (nnrt_not_finite_count(training->model, training->params) == 0)
        return NNRT_OK;
    char what[80];
    snprintf(what, sizeof what, "the parameters broke at the end of epoch %" PRId64, training->position.epoch + 1);
    return fail_not_finite(training, what, error);
}

static void print_epoch(nnrt_training *training, const double *row, double speed) {
    nnrt_text line = {0};
    nnrt_text_printf(&line, "epoch %.0f/%" PRId64 "  train loss %s", row[NNRT_HISTORY_EPOCH], training->epochs,
                     nnrt_number_print(row[NNRT_HISTORY_TRAIN]).text);
    if (training->validation != NULL)
        nnrt_text_printf(&line, "  validation loss %s", nnrt_number_print(row[NNRT_HISTORY_VALIDATION]).text);
    for (int k = 0; training->validation != NULL && k < training->model->metric_count; k++) {
        nnrt_text_printf(&line, "  %s %s", training->model->metrics[k],
                         nnrt_number_print(row[NNRT_HISTORY_METRICS + k]).text);
    }
    if (!line.failed)
        nnrt_training_log(training, "%s  %.0f samples/s\n", line.bytes, speed);
    nnrt_text_free(&line);
}

static bool has_lost_patience(const nnrt_training *training) {
    const nnrt_position *position = &training->position;
    const int patience = training->recipe->patience;
    return patience > 0 && position->epoch - position->best_epoch >= patience;
}

/* Thousands of quick epochs would flood the log. The history has them all. */
static bool is_worth_a_line(nnrt_training *training) {
    enum { FEW_EPOCHS = 100 };
    const double seconds_between_lines = 1.0;
    const bool is_last = training->position.epoch == training->epochs || has_lost_patience(training);
    double now = nnrt_clock();
    if (training->epochs > FEW_EPOCHS && !is_last && now - training->line_printed < seconds_between_lines)
        return false;
    training->line_printed = now;
    return true;
}

/* Notes the epoch's figures and moves on to the next. */
static int add_epoch(nnrt_training *training, double validation_loss, nnrt_error *error) {
    nnrt_position *position = &training->position;
    double *row = nnrt_history_add(&training->history);
    if (row == NULL)
        return nnrt_fail_memory(error, "the history", nnrt_history_width(&training->history));
    int64_t step = (position->epoch + 1) * training->steps_per_epoch;
    row[NNRT_HISTORY_EPOCH] = (double)(position->epoch + 1);
    row[NNRT_HISTORY_STEP] = (double)step;
    row[NNRT_HISTORY_TRAIN] = position->epoch_loss / (double)position->epoch_samples;
    row[NNRT_HISTORY_VALIDATION] = validation_loss;
    for (int k = 0; k < training->model->metric_count; k++)
        row[NNRT_HISTORY_METRICS + k] = training->validation == NULL ? NAN : training->metrics[k];
    position->epoch++;
    position->epoch_step = 0;
    position->epoch_loss = 0.0;
    position->epoch_samples = 0;
    return NNRT_OK;
}

static void note_best(nnrt_training *training) {
    nnrt_position *position = &training->position;
    double loss = nnrt_history_decisive(&training->history, training->history.count - 1);
    if (!(loss < position->best_loss))
        return;
    position->best_loss = loss;
    position->best_epoch = position->epoch;
    if (training->best_params != NULL) {
        memcpy(training->best_params, training->params, training->model->params_bytes);
        training->best_unsaved = true;
    }
}

/* Saving goes wrong when a disk is full: the training goes on, and only its end tells whether that was in vain. */
static void save_if_cheap(nnrt_training *training) {
    nnrt_error failure;
    if (nnrt_training_save_is_cheap(training) && nnrt_training_save(training, true, &failure) != NNRT_OK)
        nnrt_training_log(training, "warning: %s\n", failure.text);
}

static int end_epoch(nnrt_training *training, nnrt_error *error) {
    nnrt_figures figures = {.loss = NAN};
    double speed = current_speed(training);
    if (check_params(training, error) != NNRT_OK)
        return NNRT_FAILED;
    if (training->validation != NULL) {
        int status = nnrt_evaluate_batches(training->model, training->params, training->validation, training->workspace,
                                           &figures, training->sums, training->metrics);
        if (status != NNRT_OK)
            return status;
    }
    if (add_epoch(training, figures.loss, error) != NNRT_OK)
        return NNRT_FAILED;
    note_best(training);
    if (is_worth_a_line(training))
        print_epoch(training, nnrt_history_row(&training->history, training->history.count - 1), speed);
    save_if_cheap(training);
    return NNRT_OK;
}

/* --- The whole training --- */

static int run_epochs(nnrt_training *training, nnrt_error *error) {
    training->marks[0] = training->marks[1] = (nnrt_mark){nnrt_clock(), 0};
    while (training->position.epoch < training->epochs && !has_lost_patience(training)) {
        int status = run_steps(training, error);
        if (status == NNRT_OK)
            status = end_epoch(training, error);
        if (status != NNRT_OK)
            return status;
        if (nnrt_interrupt_signal() != 0 && training->position.epoch < training->epochs && !has_lost_patience(training))
            return NNRT_INTERRUPTED;
    }
    if (training->position.epoch < training->epochs) {
        nnrt_training_log(training, "stopped early: no better loss since epoch %" PRId64 "\n",
                          training->position.best_epoch);
    }
    return NNRT_OK;
}

static void print_left_out(nnrt_training *training, const nnrt_part *part, const char *label) {
    const int64_t left_out = part->rows.count % training->batch;
    if (part->data != NULL && left_out != 0 && !training->model->dynamic) {
        nnrt_training_log(training,
                          "note: %" PRId64 " of %" PRId64 " %s samples fill no batch of %d and "
                          "are left out of each pass\n",
                          left_out, part->rows.count, label, training->batch);
    }
}

static void print_start(nnrt_training *training) {
    const nnrt_part *parts = training->datasets.parts;
    nnrt_text text = {0};
    nnrt_text_printf(&text, "%s: %zu parameters; %" PRId64 " training", training->model->name,
                     nnrt_count_parameters(training->model), parts[NNRT_TRAIN].rows.count);
    if (training->validation != NULL)
        nnrt_text_printf(&text, " and %" PRId64 " validation", parts[NNRT_VALIDATE].rows.count);
    nnrt_text_printf(&text, " samples; %" PRId64 " step%s of %d an epoch", training->steps_per_epoch,
                     training->steps_per_epoch == 1 ? "" : "s", training->batch);
    if (!text.failed)
        nnrt_training_log(training, "%s\n", text.bytes);
    nnrt_text_free(&text);
    print_left_out(training, &parts[NNRT_TRAIN], "training");
    print_left_out(training, &parts[NNRT_VALIDATE], "validation");
    if (training->options->resume != NULL) {
        nnrt_training_log(training, "resumed %s at epoch %" PRId64 ", step %" PRId64 "\n", training->options->resume,
                          training->position.epoch + 1, training->position.epoch_step + 1);
    }
}

static void print_end(nnrt_training *training) {
    const nnrt_train_options *options = training->options;
    if (options->save != NULL)
        nnrt_training_log(training, "saved %s (epoch %" PRId64 ")\n", options->save, training->position.epoch);
    if (options->best != NULL && training->position.best_epoch > 0) {
        nnrt_training_log(training, "saved %s (epoch %" PRId64 ", loss %s)\n", options->best,
                          training->position.best_epoch, nnrt_number_print(training->position.best_loss).text);
    }
}

static void describe_interruption(const nnrt_training *training, nnrt_error *error) {
    const nnrt_position *position = &training->position;
    const char *save = training->options->save;
    nnrt_note(error, "interrupted in epoch %" PRId64 " after %" PRId64 " of %" PRId64 " steps%s%s", position->epoch + 1,
              position->epoch_step, training->steps_per_epoch, save == NULL ? "" : "; the training is saved in ",
              save == NULL ? "" : save);
}

/* Writes what is to be kept, whatever the end was; a failure to write matters unless there was another one before. */
static int end_training(nnrt_training *training, int status, nnrt_error *error) {
    nnrt_error unsaved;
    nnrt_progress_clear(&training->progress);
    int saved = nnrt_training_save(training, status != NNRT_FAILED, &unsaved);
    if (saved != NNRT_OK && status != NNRT_FAILED)
        return nnrt_fail(error, "%s", unsaved.text);
    if (status == NNRT_OK)
        print_end(training);
    else if (status == NNRT_INTERRUPTED)
        describe_interruption(training, error);
    return status;
}

static void write_result(const nnrt_training *training, int signal, nnrt_train_result *result) {
    const nnrt_position *position = &training->position;
    const nnrt_history *history = &training->history;
    *result = (nnrt_train_result){
        .epochs = position->epoch,
        .steps = position->epoch * training->steps_per_epoch + position->epoch_step,
        .train_loss = NAN,
        .validation_loss = NAN,
        .best_loss = position->best_epoch > 0 ? position->best_loss : NAN,
        .best_epoch = position->best_epoch,
        .signal = signal,
    };
    if (history->count > 0) {
        const double *row = nnrt_history_row(history, history->count - 1);
        result->train_loss = row[NNRT_HISTORY_TRAIN];
        result->validation_loss = row[NNRT_HISTORY_VALIDATION];
    }
}

int nnrt_train(const nnrt_model *model, const nnrt_recipe *recipe, const nnrt_train_options *options,
               nnrt_train_result *result, nnrt_error *error) {
    nnrt_training training = {.model = model, .recipe = recipe, .options = options};
    nnrt_handlers former;
    int signal = 0;
    int status = nnrt_training_open(&training, error);
    if (status == NNRT_OK) {
        print_start(&training);
        nnrt_interrupt_catch(&former);
        status = run_epochs(&training, error);
        signal = status == NNRT_INTERRUPTED ? nnrt_interrupt_signal() : 0;
        status = end_training(&training, status, error);
        nnrt_interrupt_restore(&former);
    }
    if (result != NULL)
        write_result(&training, signal, result);
    nnrt_training_close(&training);
    return status;
}
