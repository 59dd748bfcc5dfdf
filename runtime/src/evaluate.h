/* evaluate.h: evaluation with memory that is already there. */
#ifndef NNRT_SRC_EVALUATE_H
#define NNRT_SRC_EVALUATE_H

#include "nnrt.h"

/* The mean loss and metrics over one pass of `batches`. `sums` and `metrics` have metric_count doubles. Ends with
 * NNRT_INTERRUPTED when a signal comes. */
int nnrt_evaluate_batches(const nnrt_model *model, const void *params, nnrt_batches *batches, void *workspace,
                          nnrt_figures *figures, double *sums, double *metrics);

/* What to do with the rest that fills no batch, when an average is taken. */
nnrt_rest nnrt_rest_of(const nnrt_model *model);

/* Whether the model can take batches of this size. */
int nnrt_check_batch(const nnrt_model *model, int batch, nnrt_error *error);

/* Whether the part has at least one batch; `label` is its name in the message. */
int nnrt_check_samples(const nnrt_model *model, const nnrt_part *part, const char *label, int batch, nnrt_error *error);

#endif
