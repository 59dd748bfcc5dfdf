#include "column.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "array.h"
#include "error.h"
#include "memory.h"
#include "text.h"

size_t nnrt_type_size(nnrt_type type) {
    static const size_t sizes[] = {[NNRT_REAL32] = sizeof(float),
                                   [NNRT_REAL64] = sizeof(double),
                                   [NNRT_INT32] = sizeof(int32_t),
                                   [NNRT_INT64] = sizeof(int64_t)};
    return sizes[type];
}

/* --- Conversion into a batch --- */

/* Converts elements from .. from+count-1 of the column; TO_FIELD(value) is the number in the field's type. */
#define CONVERSION_CASE(NAME, ctype)                                                                                   \
    case NNRT_ELEMENT_##NAME: {                                                                                        \
        const ctype *data = (const ctype *)column->array.data + from;                                                  \
        for (size_t i = 0; i < count; i++)                                                                             \
            to[i] = TO_FIELD(data[i]);                                                                                 \
        break;                                                                                                         \
    }

static void convert_to_real32(const nnrt_column *column, size_t from, size_t count, void *memory) {
    float *to = memory;
    const double scale = column->scale, shift = column->shift;
#define TO_FIELD(value) (float)((double)(value)*scale + shift)
    switch (column->array.element) { NNRT_ELEMENTS(CONVERSION_CASE) }
#undef TO_FIELD
}

static void convert_to_real64(const nnrt_column *column, size_t from, size_t count, void *memory) {
    double *to = memory;
    const double scale = column->scale, shift = column->shift;
#define TO_FIELD(value) ((double)(value)*scale + shift)
    switch (column->array.element) { NNRT_ELEMENTS(CONVERSION_CASE) }
#undef TO_FIELD
}

static void convert_to_int32(const nnrt_column *column, size_t from, size_t count, void *memory) {
    int32_t *to = memory;
#define TO_FIELD(value) (int32_t)(value)
    switch (column->array.element) { NNRT_ELEMENTS(CONVERSION_CASE) }
#undef TO_FIELD
}

static void convert_to_int64(const nnrt_column *column, size_t from, size_t count, void *memory) {
    int64_t *to = memory;
#define TO_FIELD(value) (int64_t)(value)
    switch (column->array.element) { NNRT_ELEMENTS(CONVERSION_CASE) }
#undef TO_FIELD
}

typedef void Conversion(const nnrt_column *column, size_t from, size_t count, void *to);

static Conversion *const conversions[] = {[NNRT_REAL32] = convert_to_real32,
                                          [NNRT_REAL64] = convert_to_real64,
                                          [NNRT_INT32] = convert_to_int32,
                                          [NNRT_INT64] = convert_to_int64};

void nnrt_column_copy(const nnrt_column *column, const int64_t *index, int64_t first, int n, void *to) {
    Conversion *convert = conversions[column->field->type];
    const size_t width = column->width;
    if (index == NULL) {
        convert(column, (size_t)first * width, (size_t)n * width, to);
        return;
    }
    const size_t bytes = width * nnrt_type_size(column->field->type);
    for (int i = 0; i < n; i++)
        convert(column, (size_t)index[i] * width, width, (char *)to + (size_t)i * bytes);
}

/* --- Checks --- */

/* The next axis from `axis` on that is not of length one, or `rank`. */
static int next_long_axis(int axis, int rank, const int64_t *shape) {
    while (axis < rank && shape[axis] == 1)
        axis++;
    return axis;
}

/* Whether two shapes differ only by axes of length one. */
static bool same_but_ones(int a_rank, const int64_t *a, int b_rank, const int64_t *b) {
    int i = next_long_axis(0, a_rank, a), j = next_long_axis(0, b_rank, b);
    while (i < a_rank && j < b_rank && a[i] == b[j]) {
        i = next_long_axis(i + 1, a_rank, a);
        j = next_long_axis(j + 1, b_rank, b);
    }
    return i == a_rank && j == b_rank;
}

static int check_shape(const nnrt_column *column, const nnrt_source *source, nnrt_error *error) {
    const nnrt_field *field = column->field;
    const nnrt_array *array = &column->array;
    if (source->kind == NNRT_SOURCE_CSV) {
        size_t columns = (size_t)array->shape[1];
        return columns == column->width ? NNRT_OK
                                        : nnrt_fail(error,
                                                    "%s: %zu columns for %s, which wants %zu numbers per sample (shape "
                                                    "%s); name as many columns",
                                                    source->path, columns, field->name, column->width,
                                                    nnrt_shape_print(field->rank, field->shape).text);
    }
    if (same_but_ones(array->rank - 1, array->shape + 1, field->rank, field->shape))
        return NNRT_OK;
    return nnrt_fail(error, "%s: its samples have shape %s, but %s wants %s", source->path,
                     nnrt_shape_print(array->rank - 1, array->shape + 1).text, field->name,
                     nnrt_shape_print(field->rank, field->shape).text);
}

/* The first element that is not a finite number of the field's type, or `count`. */
static size_t find_not_finite(const nnrt_column *column, size_t count) {
    const nnrt_array *array = &column->array;
    const double scale = column->scale, shift = column->shift;
    const double largest = column->field->type == NNRT_REAL32 ? FLT_MAX : DBL_MAX;
    size_t i = 0;
    if (array->element == NNRT_ELEMENT_F32) {
        const float *data = array->data;
        while (i < count && fabs((double)data[i] * scale + shift) <= largest)
            i++;
    } else if (array->element == NNRT_ELEMENT_F64) {
        const double *data = array->data;
        while (i < count && fabs(data[i] * scale + shift) <= largest)
            i++;
    } else {
        i = count;
    }
    return i;
}

/* An element as a double: exact but for 64-bit integers beyond 2^53, which are out of every range asked about. */
static double element_value(const nnrt_array *array, size_t i) {
    switch (array->element) {
#define ELEMENT_CASE(NAME, ctype)                                                                                      \
    case NNRT_ELEMENT_##NAME: return (double)((const ctype *)array->data)[i];
        NNRT_ELEMENTS(ELEMENT_CASE)
#undef ELEMENT_CASE
    }
    return 0.0;
}

/* A value for messages: a NaN shows no sign. */
static double shown(double value) {
    return isnan(value) ? NAN : value;
}

/* The source's name for messages. */
static const char *source_name(const nnrt_source *source) {
    return source->path == NULL ? "generated data" : source->path;
}

static int check_finite(const nnrt_column *column, const nnrt_source *source, size_t count, nnrt_error *error) {
    size_t bad = find_not_finite(column, count);
    if (bad == count)
        return NNRT_OK;
    double value = element_value(&column->array, bad);
    return nnrt_fail(error, "%s: row %zu of %" PRId64 " holds %g, which is %s; %s cannot use it", source_name(source),
                     bad / column->width + 1, column->array.shape[0], shown(value),
                     isfinite(value) ? "too large" : "not a finite number", column->field->name);
}

static int check_whole(const nnrt_column *column, const nnrt_source *source, size_t count, nnrt_error *error) {
    const nnrt_field *field = column->field;
    const double low = field->classes > 0 ? 0.0 : (double)INT32_MIN;
    const double high = field->classes > 0 ? (double)(field->classes - 1) : (double)INT32_MAX;
    for (size_t i = 0; i < count; i++) {
        double value = element_value(&column->array, i);
        if (value >= low && value <= high && value == floor(value))
            continue;
        return nnrt_fail(error,
                         "%s: row %zu of %" PRId64 " holds %.9g, but %s wants whole numbers "
                         "from %.0f to %.0f",
                         source_name(source), i / column->width + 1, column->array.shape[0], shown(value), field->name,
                         low, high);
    }
    return NNRT_OK;
}

static int check_values(const nnrt_column *column, const nnrt_source *source, nnrt_error *error) {
    const nnrt_field *field = column->field;
    size_t count = (size_t)column->array.shape[0] * column->width;
    if (count == 0)
        return nnrt_fail(error, "%s: holds no samples", source_name(source));
    bool integer = field->type == NNRT_INT32 || field->type == NNRT_INT64;
    return integer ? check_whole(column, source, count, error) : check_finite(column, source, count, error);
}

/* --- Loading --- */

static int read_file(nnrt_array *array, const nnrt_source *source, const char *path, const nnrt_field *field,
                     nnrt_error *error) {
    if (access(path, R_OK) != 0) {
        return nnrt_fail(error,
                         "%s: data of %s cannot be read: %s; --data DIR says where the data files "
                         "are",
                         path, field->name, strerror(errno));
    }
    switch (source->kind) {
    case NNRT_SOURCE_CSV: return nnrt_csv_read(path, source->columns, source->column_count, array, error);
    case NNRT_SOURCE_NPY: return nnrt_npy_read(path, array, error);
    default: return nnrt_idx_read(path, array, error);
    }
}

/* The path of a source under the folder; to be freed. */
static char *join_path(const char *folder, const char *path) {
    if (folder == NULL || *path == '/')
        return strdup(path);
    nnrt_text joined = {0};
    nnrt_text_printf(&joined, "%s/%s", folder, path);
    return joined.bytes;
}

static bool is_file(const nnrt_source *source) {
    return source->kind == NNRT_SOURCE_IDX || source->kind == NNRT_SOURCE_CSV || source->kind == NNRT_SOURCE_NPY;
}

/* Loads and checks; `source` has its final path. */
static int load_checked(nnrt_column *column, const nnrt_source *source, const char *split, nnrt_error *error) {
    if (!is_file(source))
        return nnrt_synthesize(&column->array, column->field, source, split, error);
    if (read_file(&column->array, source, source->path, column->field, error) != NNRT_OK ||
        check_shape(column, source, error) != NNRT_OK)
        return NNRT_FAILED;
    return NNRT_OK;
}

int nnrt_column_load(nnrt_column *column, const nnrt_field *field, const nnrt_source *source, const char *split,
                     const char *folder, nnrt_error *error) {
    *column =
        (nnrt_column){.field = field, .scale = source->scale == 0.0 ? 1.0 : source->scale, .shift = source->shift};
    if (!nnrt_shape_elements(field->rank, field->shape, &column->width) || column->width == 0) {
        return nnrt_fail(error, "%s has shape %s, which holds nothing", field->name,
                         nnrt_shape_print(field->rank, field->shape).text);
    }
    nnrt_source located = *source;
    char *path = is_file(source) ? join_path(folder, source->path) : NULL;
    if (is_file(source) && path == NULL)
        return nnrt_fail_memory(error, source->path, strlen(source->path));
    located.path = path;
    int status = load_checked(column, &located, split, error);
    if (status == NNRT_OK)
        status = check_values(column, &located, error);
    if (status != NNRT_OK)
        nnrt_column_free(column);
    free(path);
    return status;
}

void nnrt_column_free(nnrt_column *column) {
    nnrt_array_free(&column->array);
}
