#include "driver/weights.h"

#include <assert.h>
#include <math.h>
#include <nnrt.h>
#include "driver/artifacts.h"

static_assert((int)SHOWN_RANK == (int)NNRT_MAX_RANK, "the run-time library knows the axes that the tables show");

/* The parameters one behind the other, as the run-time library wants to know them. Returns their bytes. */
static size_t describe_params(const Graph *g, nnrt_tensor *tensors) {
    const size_t real = g->real_is_double ? sizeof(double) : sizeof(float);
    size_t offset = 0;
    for (size_t i = 0; i < g->params.count; i++) {
        const Node *param = g->params.at[i];
        tensors[i] = (nnrt_tensor){
            .name = param->origin.name,
            .type = g->real_is_double ? NNRT_REAL64 : NNRT_REAL32,
            .offset = offset,
            .bytes = (size_t)node_elements(param) * real,
        };
        tensors[i].rank = emit_shown_shape(param->shape, param->rank, tensors[i].shape);
        offset += tensors[i].bytes;
    }
    return offset;
}

/* false: reported. */
static bool read_params(const Compilation *c, const nnrt_model *model, void *params) {
    nnrt_checkpoint *checkpoint = NULL;
    nnrt_error error, note;
    int status = nnrt_checkpoint_open(&checkpoint, c->options->weights, &error);
    if (status == NNRT_OK) {
        status = nnrt_checkpoint_params(checkpoint, model, params, &note, &error);
        nnrt_checkpoint_close(checkpoint);
    }
    if (status != NNRT_OK)
        diag_error(c->diag, NO_PLACE, "%s", error.text);
    else if (note.text[0] != '\0')
        diag_note(c->diag, NO_PLACE, "%s", note.text);
    return status == NNRT_OK;
}

static bool is_nan(const nnrt_tensor *tensor, const char *params, size_t i) {
    const void *numbers = params + tensor->offset;
    return tensor->type == NNRT_REAL64 ? isnan(((const double *)numbers)[i]) : isnan(((const float *)numbers)[i]);
}

/* A network with NaN predicts NaN, which nobody wants; infinities have their uses, as in masks. false: reported. */
static bool check_numbers(const Compilation *c, const nnrt_model *model, const char *params) {
    for (int i = 0; i < model->param_count; i++) {
        const nnrt_tensor *tensor = &model->params[i];
        const size_t count = tensor->bytes / (tensor->type == NNRT_REAL64 ? sizeof(double) : sizeof(float));
        size_t nans = 0;
        for (size_t k = 0; k < count; k++)
            nans += is_nan(tensor, params, k);
        if (nans > 0) {
            diag_error(c->diag, NO_PLACE, "%s: tensor \"%s\" has NaN in %zu of %zu places", c->options->weights,
                       tensor->name, nans, count);
            diag_help(c->diag, "the training went wrong before this file was saved: choose an earlier one");
            return false;
        }
    }
    return true;
}

bool weights_load(Compilation *c) {
    const Graph *g = c->graph;
    nnrt_tensor *tensors = arena_array(c->arena, nnrt_tensor, g->params.count + 1);
    size_t bytes = describe_params(g, tensors);
    const nnrt_model model = {.name = g->name, .params = tensors, .param_count = (int)g->params.count};
    char *params = arena_alloc(c->arena, bytes + 1, 1);
    if (!read_params(c, &model, params) || !check_numbers(c, &model, params))
        return false;
    const void **values = arena_array(c->arena, const void *, g->params.count + 1);
    for (size_t i = 0; i < g->params.count; i++)
        values[i] = params + tensors[i].offset;
    EmitWeights *weights = arena_one(c->arena, EmitWeights);
    *weights = (EmitWeights){.file = artifact_file(c->options->weights), .values = values};
    c->weights = weights;
    return true;
}
