#include "evaluate.h"

#include <inttypes.h>
#include <stdlib.h>
#include "error.h"
#include "interrupt.h"
#include "memory.h"

nnrt_rest nnrt_rest_of(const nnrt_model *model) {
    return model->dynamic ? NNRT_REST_SHORT : NNRT_REST_DROP;
}

int nnrt_check_batch(const nnrt_model *model, int batch, nnrt_error *error) {
    if (batch == model->batch || (model->dynamic && batch >= 1 && batch < model->batch))
        return NNRT_OK;
    if (model->dynamic) {
        return nnrt_fail(error, "batches of %d do not fit: %s takes 1 to %d samples at a time", batch, model->name,
                         model->batch);
    }
    return nnrt_fail(error,
                     "batches of %d do not fit: %s was compiled for exactly %d samples; compile it "
                     "with -D batch=%d",
                     batch, model->name, model->batch, batch);
}

int nnrt_check_samples(const nnrt_model *model, const nnrt_part *part, const char *label, int batch,
                       nnrt_error *error) {
    if (part->rows.count >= batch || (model->dynamic && part->rows.count > 0))
        return NNRT_OK;
    return nnrt_fail(error,
                     "%s data: %" PRId64 " samples are less than one batch of %d; compile %s with "
                     "-D batch=%" PRId64,
                     label, part->rows.count, batch, model->name, part->rows.count);
}

int nnrt_evaluate_batches(const nnrt_model *model, const void *params, nnrt_batches *batches, void *workspace,
                          nnrt_figures *figures, double *sums, double *metrics) {
    double loss = 0.0;
    figures->samples = 0;
    for (int k = 0; k < model->metric_count; k++)
        sums[k] = 0.0;
    nnrt_batches_start(batches, 0, 0);
    for (const nnrt_batch *batch; (batch = nnrt_batches_next(batches)) != NULL;) {
        if (nnrt_interrupt_signal() != 0)
            return NNRT_INTERRUPTED;
        loss += batch->n * model->loss(params, batch->inputs, batch->targets, metrics, batch->n, workspace);
        for (int k = 0; k < model->metric_count; k++)
            sums[k] += batch->n * metrics[k];
        figures->samples += batch->n;
    }
    figures->loss = loss / (double)figures->samples;
    for (int k = 0; k < model->metric_count; k++)
        metrics[k] = sums[k] / (double)figures->samples;
    return NNRT_OK;
}

int nnrt_evaluate(const nnrt_model *model, const void *params, const nnrt_part *part, int batch, nnrt_figures *figures,
                  double *metrics, nnrt_error *error) {
    const nnrt_batch_plan plan = {.batch = batch == 0 ? model->batch : batch, .rest = nnrt_rest_of(model)};
    nnrt_batches *batches = NULL;
    if (model->loss == NULL)
        return nnrt_fail(error, "%s cannot be evaluated: it was compiled for prediction only", model->name);
    if (nnrt_check_batch(model, plan.batch, error) != NNRT_OK ||
        nnrt_check_samples(model, part, "evaluation", plan.batch, error) != NNRT_OK ||
        nnrt_batches_open(&batches, part, &plan, error) != NNRT_OK)
        return NNRT_FAILED;
    void *workspace = nnrt_allocate(model->workspace_bytes, 1);
    double *sums = nnrt_allocate((size_t)model->metric_count, sizeof *sums);
    int status = workspace == NULL || sums == NULL
                     ? nnrt_fail_memory(error, "the workspace", model->workspace_bytes)
                     : nnrt_evaluate_batches(model, params, batches, workspace, figures, sums, metrics);
    if (status == NNRT_OK)
        figures->left_out = part->rows.count - figures->samples;
    free(workspace);
    free(sums);
    nnrt_batches_close(batches);
    return status;
}
