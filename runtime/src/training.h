/* training.h: a training that is under way. training_setup.c makes it, train.c runs it, training_save.c writes its files. */
#ifndef NNRT_SRC_TRAINING_H
#define NNRT_SRC_TRAINING_H

#include <stdbool.h>
#include "history.h"
#include "nnrt.h"
#include "progress.h"

/* What a checkpoint must bring back, besides parameters and state, to continue bit for bit. */
typedef struct nnrt_position {
    int64_t epoch;         /* epochs completed */
    int64_t epoch_step;    /* steps done in the next one; all of them, when only its evaluation is missing */
    double epoch_loss;     /* sum over the samples of these steps */
    int64_t epoch_samples; /* their number */
    double best_loss;      /* INFINITY before the first */
    int64_t best_epoch;    /* 0 before the first */
} nnrt_position;

/* A moment, by nnrt_clock(), and how many samples this process had trained on by then. */
typedef struct nnrt_mark {
    double time;
    int64_t samples;
} nnrt_mark;

typedef struct nnrt_training {
    const nnrt_model *model;
    const nnrt_recipe *recipe;
    const nnrt_train_options *options;

    int batch;
    int64_t epochs, steps_per_epoch;
    uint64_t seed;

    nnrt_datasets datasets;
    nnrt_batches *batches, *validation; /* validation NULL: none */

    void *params, *state, *workspace;
    void *best_params; /* NULL: not wanted */
    double *sums, *metrics;

    nnrt_position position;
    nnrt_history history;

    bool unsaved;                    /* the checkpoint is older than the training */
    bool best_unsaved;               /* best_params are not in their file yet */
    int64_t saved_epoch;             /* of the last good checkpoint; -1: none was written */
    double save_seconds, save_ended; /* how long the last save took, when it ended */

    nnrt_progress progress;
    double line_printed;   /* when an epoch was last told to the log, by nnrt_clock() */
    double epoch_began;    /* by nnrt_clock() */
    int64_t timed_samples; /* since then */
    int64_t samples;       /* trained on by this process */
    nnrt_mark marks[2];    /* the speed that is shown is the one since marks[0]; marks[1] replaces it in time */
} nnrt_training;

/* Loads data, makes or loads parameters and state. Close it in any case. */
int nnrt_training_open(nnrt_training *training, nnrt_error *error);
void nnrt_training_close(nnrt_training *training);

/* Writes the files that were asked for: the checkpoint if `whole`, and the best parameters, the history and the plot. All are
 * tried; the error is of the first that failed. */
int nnrt_training_save(nnrt_training *training, bool whole, nnrt_error *error);

/* Whether saving now would take less than two percent of the time. */
bool nnrt_training_save_is_cheap(const nnrt_training *training);

/* Brings back what nnrt_training_save() wrote into the metadata: seed, batch and epochs first, as the data depend on them;
 * the rest, with parameters and state, when the data are known. */
int nnrt_training_resume_plan(nnrt_training *training, nnrt_checkpoint *checkpoint, nnrt_error *error);
int nnrt_training_resume(nnrt_training *training, nnrt_checkpoint *checkpoint, nnrt_error *error);

/* Prints to the log, if there is one. */
void nnrt_training_log(nnrt_training *training, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
