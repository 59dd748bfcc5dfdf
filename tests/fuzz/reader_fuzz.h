/* reader_fuzz.h: what the fuzz targets of the run-time library's readers share. */
#ifndef READER_FUZZ_H
#define READER_FUZZ_H

#include <stdlib.h>
#include "array.h"
#include "stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL when the bytes begin like a gzip file that cannot be read. */
static inline nnrt_stream *fuzz_open(const uint8_t *data, size_t size) {
    nnrt_stream *stream = NULL;
    nnrt_error error = {{0}};
    if (nnrt_stream_open_memory(&stream, "fuzz", data, size, &error) != NNRT_OK && error.text[0] == '\0')
        abort();
    return stream;
}

/* A reader either fails with a message and without data, or its array is as large as it says. */
static inline void fuzz_check(int status, nnrt_array *array, const nnrt_error *error) {
    size_t elements = 0, sum = 0;
    if (status != NNRT_OK) {
        if (error->text[0] == '\0' || array->data != NULL)
            abort();
        return;
    }
    if (!nnrt_shape_elements(array->rank, array->shape, &elements))
        abort();
    const unsigned char *bytes = array->data;
    const size_t count = elements * nnrt_element_size(array->element);
    for (size_t i = 0; i < count; i++)
        sum += bytes[i];
    if (sum > 255 * count) /* never; but now the sum is needed */
        abort();
    nnrt_array_free(array);
}

#endif
