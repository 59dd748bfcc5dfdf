#include "array.h"

#include <inttypes.h>
#include <stdlib.h>
#include "error.h"
#include "memory.h"

size_t nnrt_element_size(nnrt_element element) {
#define ELEMENT_SIZE(NAME, ctype) [NNRT_ELEMENT_##NAME] = sizeof(ctype),
    static const size_t sizes[] = {NNRT_ELEMENTS(ELEMENT_SIZE)};
#undef ELEMENT_SIZE
    return sizes[element];
}

bool nnrt_shape_elements(int rank, const int64_t *shape, size_t *elements) {
    *elements = 1;
    for (int axis = 0; axis < rank; axis++)
        if (shape[axis] < 0 || (uint64_t)shape[axis] > SIZE_MAX ||
            !nnrt_multiply(*elements, (size_t)shape[axis], elements))
            return false;
    return true;
}

size_t nnrt_count_parameters(const nnrt_model *model) {
    size_t all = 0;
    for (int i = 0; i < model->param_count; i++) {
        size_t elements = 0;
        nnrt_shape_elements(model->params[i].rank, model->params[i].shape, &elements);
        all += elements;
    }
    return all;
}

nnrt_shape_text nnrt_shape_print(int rank, const int64_t *shape) {
    nnrt_shape_text result = {"["};
    size_t at = 1;
    for (int axis = 0; axis < rank; axis++) {
        int length =
            snprintf(result.text + at, sizeof result.text - at, "%s%" PRId64, axis == 0 ? "" : ", ", shape[axis]);
        at += (size_t)length;
    }
    snprintf(result.text + at, sizeof result.text - at, "]");
    return result;
}

void nnrt_array_free(nnrt_array *array) {
    if (array != NULL) {
        free(array->data);
        *array = (nnrt_array){0};
    }
}

/* Compares the header's claim of `bytes` with what the file can hold. */
static int check_claim(const nnrt_array *array, size_t bytes, const nnrt_stream *stream, nnrt_error *error) {
    uint64_t left = nnrt_stream_left(stream);
    if (left >= bytes && (left == bytes || !nnrt_stream_is_exact(stream)))
        return NNRT_OK;
    return nnrt_fail(error,
                     "%s: the header says shape %s, which takes %zu bytes, but %s%" PRIu64
                     " follow; the file is damaged or incomplete",
                     nnrt_stream_name(stream), nnrt_shape_print(array->rank, array->shape).text, bytes,
                     nnrt_stream_is_exact(stream) ? "" : "at most ", left);
}

/* After the data: one more byte must not come. Reading it also lets gzip check its sum. */
static int check_end(nnrt_stream *stream, nnrt_error *error) {
    char extra;
    size_t got = 0;
    if (nnrt_stream_read(stream, &extra, 1, &got, error) != NNRT_OK)
        return NNRT_FAILED;
    if (got > 0) {
        return nnrt_fail(error, "%s: holds more data than its header says; the file is damaged",
                         nnrt_stream_name(stream));
    }
    return NNRT_OK;
}

static int fill_data(nnrt_array *array, size_t bytes, nnrt_stream *stream, nnrt_error *error) {
    size_t got = 0;
    if (nnrt_stream_read(stream, array->data, bytes, &got, error) != NNRT_OK)
        return NNRT_FAILED;
    if (got < bytes) {
        return nnrt_fail(error, "%s: ends after %zu of the %zu bytes of data that its header says",
                         nnrt_stream_name(stream), got, bytes);
    }
    return check_end(stream, error);
}

int nnrt_array_read_data(nnrt_array *array, nnrt_stream *stream, nnrt_error *error) {
    size_t elements = 0, bytes = 0;
    if (!nnrt_shape_elements(array->rank, array->shape, &elements) ||
        !nnrt_multiply(elements, nnrt_element_size(array->element), &bytes)) {
        return nnrt_fail(error, "%s: shape %s in the header is larger than any memory", nnrt_stream_name(stream),
                         nnrt_shape_print(array->rank, array->shape).text);
    }
    if (check_claim(array, bytes, stream, error) != NNRT_OK)
        return NNRT_FAILED;
    array->data = nnrt_allocate(bytes, 1);
    if (array->data == NULL)
        return nnrt_fail_memory(error, nnrt_stream_name(stream), bytes);
    if (fill_data(array, bytes, stream, error) != NNRT_OK) {
        nnrt_array_free(array);
        return NNRT_FAILED;
    }
    return NNRT_OK;
}
