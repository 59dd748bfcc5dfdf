#include "not_finite.h"

#include <math.h>
#include <stdbool.h>
#include "array.h"

/* How many elements of a tensor are not finite; *first is the first of them. */
static size_t count_in_tensor(const nnrt_tensor *tensor, const void *params, size_t *first) {
    const void *base = (const char *)params + tensor->offset;
    const float *singles = base;
    const double *doubles = base;
    const bool wide = tensor->type == NNRT_REAL64;
    const size_t elements = tensor->bytes / (wide ? sizeof *doubles : sizeof *singles);
    size_t count = 0;
    if (!wide && tensor->type != NNRT_REAL32)
        return 0;
    for (size_t i = 0; i < elements; i++) {
        bool finite = wide ? isfinite(doubles[i]) : isfinite(singles[i]);
        if (!finite && count++ == 0)
            *first = i;
    }
    return count;
}

/* "W[3, 17]": an element of a tensor. */
static void print_element(nnrt_text *text, const nnrt_tensor *tensor, size_t element) {
    int64_t index[NNRT_MAX_RANK];
    for (int axis = tensor->rank - 1; axis >= 0; axis--) {
        index[axis] = (int64_t)(element % (size_t)tensor->shape[axis]);
        element /= (size_t)tensor->shape[axis];
    }
    nnrt_text_printf(text, "%s%s", tensor->name, tensor->rank == 0 ? "" : nnrt_shape_print(tensor->rank, index).text);
}

size_t nnrt_not_finite_count(const nnrt_model *model, const void *params) {
    size_t count = 0, first = 0;
    for (int i = 0; i < model->param_count; i++)
        count += count_in_tensor(&model->params[i], params, &first);
    return count;
}

void nnrt_not_finite_describe(const nnrt_model *model, const void *params, nnrt_text *text) {
    size_t bad = nnrt_not_finite_count(model, params), first = 0;
    if (bad == 0) {
        nnrt_text_printf(text, "all parameters are finite");
        return;
    }
    int i = 0;
    while (count_in_tensor(&model->params[i], params, &first) == 0)
        i++;
    nnrt_text_printf(text, "%zu of %zu parameters are not finite, the first is ", bad, nnrt_count_parameters(model));
    print_element(text, &model->params[i], first);
}
