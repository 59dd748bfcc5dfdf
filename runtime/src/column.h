/* column.h: the data of one field, as its source gives them, and their way into a batch.
 *
 * The numbers stay as the file has them (a byte per pixel stays a byte); nnrt_column_copy() converts and scales.
 */
#ifndef NNRT_SRC_COLUMN_H
#define NNRT_SRC_COLUMN_H

#include <stdint.h>
#include "nnrt.h"

typedef struct nnrt_column {
    const nnrt_field *field;
    nnrt_array array;
    size_t width; /* elements per sample */
    double scale, shift;
} nnrt_column;

/* Reads or makes the data of `field` and checks shape and values. `split` and `folder`: see nnrt_data_load(). */
int nnrt_column_load(nnrt_column *column, const nnrt_field *field, const nnrt_source *source, const char *split,
                     const char *folder, nnrt_error *error);
void nnrt_column_free(nnrt_column *column);

/* Samples index[0 .. n-1], in the field's type, one after the other. index NULL: first .. first+n-1. */
void nnrt_column_copy(const nnrt_column *column, const int64_t *index, int64_t first, int n, void *to);

size_t nnrt_type_size(nnrt_type type);

/* GRID, UNIFORM and NORMAL. */
int nnrt_synthesize(nnrt_array *array, const nnrt_field *field, const nnrt_source *source, const char *split,
                    nnrt_error *error);

#endif
