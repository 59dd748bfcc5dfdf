/* history.h: what every epoch brought.
 *
 * Its text form is CSV: "epoch,step,train_loss,validation_loss,<metrics>", with numbers that read back to the same bits. It is
 * the history file, and the checkpoint carries it so that a resumed training continues its curves.
 */
#ifndef NNRT_SRC_HISTORY_H
#define NNRT_SRC_HISTORY_H

#include <stdbool.h>
#include "nnrt.h"
#include "text.h"

typedef struct nnrt_history {
    bool validated; /* validation losses and metrics exist */
    int metric_count;
    const char *const *metrics;
    size_t count, capacity; /* epochs */
    double *values;         /* nnrt_history_width() numbers for each epoch */
} nnrt_history;

/* The numbers of an epoch: epoch, step, train_loss, validation_loss, then the metrics. */
enum { NNRT_HISTORY_EPOCH, NNRT_HISTORY_STEP, NNRT_HISTORY_TRAIN, NNRT_HISTORY_VALIDATION, NNRT_HISTORY_METRICS };

/* An empty history; `model` gives the metrics' names. */
nnrt_history nnrt_history_new(const nnrt_model *model, bool validated);
size_t nnrt_history_width(const nnrt_history *history);
const double *nnrt_history_row(const nnrt_history *history, size_t i);

/* Room for one more epoch, to be filled in; NULL when memory is exhausted. */
double *nnrt_history_add(nnrt_history *history);

/* The loss that decides which epoch is best: of validation if there is one, else of training. */
double nnrt_history_decisive(const nnrt_history *history, size_t i);

/* Adds the CSV text; of a very long history only its last `most_bytes` or fewer, after the header. */
void nnrt_history_print(const nnrt_history *history, size_t most_bytes, nnrt_text *text);

/* Reads what nnrt_history_print() wrote for the same metrics; false if the text has another form. */
bool nnrt_history_parse(nnrt_history *history, const char *text);
void nnrt_history_free(nnrt_history *history);

/* An SVG of the losses over the epochs. `best_epoch` is marked; 0: none. */
void nnrt_plot_print(const nnrt_history *history, const char *title, int64_t best_epoch, nnrt_text *svg);

#endif
