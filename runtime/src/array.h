/* array.h: what the readers share: sizes of elements, the text of a shape, the body of a binary file. */
#ifndef NNRT_SRC_ARRAY_H
#define NNRT_SRC_ARRAY_H

#include <stdbool.h>
#include "nnrt.h"
#include "stream.h"

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "nnrt reads and writes little-endian files by copying: it supports little-endian machines only"
#endif

size_t nnrt_element_size(nnrt_element element);

/* The number of elements of a shape; false if it is negative or overflows. */
bool nnrt_shape_elements(int rank, const int64_t *shape, size_t *elements);

/* The number of parameters of a model, elements of all tensors. */
size_t nnrt_count_parameters(const nnrt_model *model);

/* "[60000, 28, 28]", and "[]" for rank 0. */
typedef struct nnrt_shape_text {
    char text[256];
} nnrt_shape_text;
nnrt_shape_text nnrt_shape_print(int rank, const int64_t *shape);

/* Reads the data of `array`, whose element, rank and shape were taken from the file's header, and makes sure that the file
 * ends there. The claimed size is compared with what the file can hold before memory is allocated. */
int nnrt_array_read_data(nnrt_array *array, nnrt_stream *stream, nnrt_error *error);

/* The readers, from a stream. */
int nnrt_idx_parse(nnrt_stream *stream, nnrt_array *array, nnrt_error *error);
int nnrt_npy_parse(nnrt_stream *stream, nnrt_array *array, nnrt_error *error);
int nnrt_csv_parse(nnrt_stream *stream, const char *const *columns, int column_count, nnrt_array *array,
                   nnrt_error *error);

#endif
