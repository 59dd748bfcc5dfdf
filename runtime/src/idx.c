/* The IDX format: 0, 0, type, rank; then rank sizes of 32 bits, big end first; then the numbers, big end first. */
#include "array.h"
#include "error.h"

#include <stdbool.h>

typedef struct IdxType {
    unsigned char code;
    nnrt_element element;
} IdxType;

static const IdxType idx_types[] = {
    {0x08, NNRT_ELEMENT_U8},  {0x09, NNRT_ELEMENT_I8},  {0x0b, NNRT_ELEMENT_I16},
    {0x0c, NNRT_ELEMENT_I32}, {0x0d, NNRT_ELEMENT_F32}, {0x0e, NNRT_ELEMENT_F64},
};

static bool find_type(unsigned char code, nnrt_element *element) {
    for (size_t i = 0; i < sizeof idx_types / sizeof *idx_types; i++) {
        if (idx_types[i].code == code) {
            *element = idx_types[i].element;
            return true;
        }
    }
    return false;
}

static int read_header_bytes(nnrt_stream *stream, unsigned char *to, size_t count, nnrt_error *error) {
    size_t got = 0;
    if (nnrt_stream_read(stream, to, count, &got, error) != NNRT_OK)
        return NNRT_FAILED;
    if (got < count)
        return nnrt_fail(error, "%s: ends inside the IDX header", nnrt_stream_name(stream));
    return NNRT_OK;
}

static int read_magic(nnrt_stream *stream, nnrt_array *array, nnrt_error *error) {
    unsigned char magic[4];
    const char *name = nnrt_stream_name(stream);
    if (read_header_bytes(stream, magic, sizeof magic, error) != NNRT_OK)
        return NNRT_FAILED;
    if (magic[0] != 0 || magic[1] != 0) {
        return nnrt_fail(error, "%s: is not an IDX file: it begins with %02x %02x, not 00 00", name, magic[0],
                         magic[1]);
    }
    if (!find_type(magic[2], &array->element)) {
        return nnrt_fail(error,
                         "%s: IDX type 0x%02x is not known; it should be 08 (u8), 09 (i8), 0b "
                         "(i16), 0c (i32), 0d (f32) or 0e (f64)",
                         name, magic[2]);
    }
    array->rank = magic[3];
    if (array->rank < 1 || array->rank > NNRT_MAX_RANK + 1) {
        return nnrt_fail(error, "%s: the header says %d axes; 1 to %d are possible", name, array->rank,
                         NNRT_MAX_RANK + 1);
    }
    return NNRT_OK;
}

static int read_shape(nnrt_stream *stream, nnrt_array *array, nnrt_error *error) {
    for (int axis = 0; axis < array->rank; axis++) {
        unsigned char b[4];
        if (read_header_bytes(stream, b, sizeof b, error) != NNRT_OK)
            return NNRT_FAILED;
        array->shape[axis] = (int64_t)b[0] << 24 | (int64_t)b[1] << 16 | (int64_t)b[2] << 8 | (int64_t)b[3];
    }
    return NNRT_OK;
}

/* Turns every element round: IDX has the big end first. */
static void reverse_bytes(nnrt_array *array) {
    size_t elements = 0, size = nnrt_element_size(array->element);
    nnrt_shape_elements(array->rank, array->shape, &elements);
    unsigned char *element = array->data;
    for (size_t i = 0; size > 1 && i < elements; i++, element += size) {
        for (size_t low = 0, high = size - 1; low < high; low++, high--) {
            unsigned char byte = element[low];
            element[low] = element[high];
            element[high] = byte;
        }
    }
}

int nnrt_idx_parse(nnrt_stream *stream, nnrt_array *array, nnrt_error *error) {
    *array = (nnrt_array){0};
    if (read_magic(stream, array, error) != NNRT_OK || read_shape(stream, array, error) != NNRT_OK ||
        nnrt_array_read_data(array, stream, error) != NNRT_OK)
        return NNRT_FAILED;
    reverse_bytes(array);
    return NNRT_OK;
}

int nnrt_idx_read(const char *path, nnrt_array *array, nnrt_error *error) {
    nnrt_stream *stream = NULL;
    *array = (nnrt_array){0};
    if (nnrt_stream_open(&stream, path, error) != NNRT_OK)
        return NNRT_FAILED;
    int status = nnrt_idx_parse(stream, array, error);
    nnrt_stream_close(stream);
    return status;
}
