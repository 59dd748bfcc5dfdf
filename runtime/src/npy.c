/* The NPY format: "\x93NUMPY", version, length of the header, and the header, a Python dictionary such as
 * {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }; then the numbers. */
#include "npy.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "error.h"
#include "text.h"

enum {
    NPY_LONGEST_HEADER = 1 << 16,
    /* The header is padded so that the numbers begin at a multiple of this. */
    NPY_ALIGNMENT = 64,
};

static const char npy_magic[] = "\x93NUMPY";

typedef struct NpyType {
    const char *descr;
    nnrt_element element;
} NpyType;

/* The first row of an element is the one that is written. */
static const NpyType npy_types[] = {
    {"|u1", NNRT_ELEMENT_U8},  {"|b1", NNRT_ELEMENT_U8},  {"|i1", NNRT_ELEMENT_I8},  {"<i2", NNRT_ELEMENT_I16},
    {"<i4", NNRT_ELEMENT_I32}, {"<i8", NNRT_ELEMENT_I64}, {"<f4", NNRT_ELEMENT_F32}, {"<f8", NNRT_ELEMENT_F64},
};
enum { NPY_TYPES = sizeof npy_types / sizeof *npy_types };

/* --- The header's text --- */

/* Where the scanner stands in the header; the text ends with a NUL. */
typedef struct NpyHeader {
    const char *at;
    char descr[16];
    bool fortran, has_descr, has_fortran, has_shape;
    int rank;
    int64_t shape[NNRT_MAX_RANK + 1];
} NpyHeader;

static bool skip_mark(NpyHeader *header, char mark) {
    while (*header->at == ' ' || *header->at == '\n')
        header->at++;
    if (*header->at != mark)
        return false;
    header->at++;
    return true;
}

/* A text in single or double quotes, without escapes. */
static bool scan_text(NpyHeader *header, char *text, size_t size) {
    char quote = '\'';
    if (!skip_mark(header, quote)) {
        quote = '"';
        if (!skip_mark(header, quote))
            return false;
    }
    const char *end = strchr(header->at, quote);
    if (end == NULL || (size_t)(end - header->at) >= size)
        return false;
    memcpy(text, header->at, (size_t)(end - header->at));
    text[end - header->at] = '\0';
    header->at = end + 1;
    return true;
}

static bool scan_bool(NpyHeader *header, bool *value) {
    *value = skip_mark(header, 'T');
    if (!*value && !skip_mark(header, 'F'))
        return false;
    const char *rest = *value ? "rue" : "alse";
    if (strncmp(header->at, rest, strlen(rest)) != 0)
        return false;
    header->at += strlen(rest);
    return true;
}

static bool scan_size(NpyHeader *header, int64_t *size) {
    while (*header->at == ' ')
        header->at++;
    if (!isdigit((unsigned char)*header->at))
        return false;
    *size = 0;
    for (; isdigit((unsigned char)*header->at); header->at++) {
        int digit = *header->at - '0';
        if (*size > (INT64_MAX - digit) / 10)
            return false;
        *size = *size * 10 + digit;
    }
    return true;
}

/* "()", "(3,)", "(3, 4)" */
static bool scan_shape(NpyHeader *header) {
    if (!skip_mark(header, '('))
        return false;
    while (!skip_mark(header, ')')) {
        if (header->rank == NNRT_MAX_RANK + 1 || !scan_size(header, &header->shape[header->rank]))
            return false;
        header->rank++;
        if (!skip_mark(header, ',') && *header->at != ')')
            return false;
    }
    return true;
}

/* Parses the value of `key`; false if it is malformed, given twice or not known. */
static bool scan_entry(NpyHeader *header, const char *key) {
    bool *seen = NULL;
    bool ok = false;
    if (strcmp(key, "descr") == 0) {
        seen = &header->has_descr;
        ok = scan_text(header, header->descr, sizeof header->descr);
    } else if (strcmp(key, "fortran_order") == 0) {
        seen = &header->has_fortran;
        ok = scan_bool(header, &header->fortran);
    } else if (strcmp(key, "shape") == 0 && !header->has_shape) {
        seen = &header->has_shape;
        ok = scan_shape(header);
    }
    if (!ok || *seen)
        return false;
    *seen = true;
    return true;
}

static bool scan_header(NpyHeader *header) {
    if (!skip_mark(header, '{'))
        return false;
    while (!skip_mark(header, '}')) {
        char key[16];
        if (!scan_text(header, key, sizeof key) || !skip_mark(header, ':') || !scan_entry(header, key) ||
            (!skip_mark(header, ',') && *header->at != '}'))
            return false;
    }
    return header->has_descr && header->has_fortran && header->has_shape;
}

/* --- Reading --- */

static int read_bytes(nnrt_stream *stream, void *to, size_t count, nnrt_error *error) {
    size_t got = 0;
    if (nnrt_stream_read(stream, to, count, &got, error) != NNRT_OK)
        return NNRT_FAILED;
    if (got < count)
        return nnrt_fail(error, "%s: ends inside the NPY header", nnrt_stream_name(stream));
    return NNRT_OK;
}

/* Everything before the dictionary; *length is the dictionary's. */
static int read_preamble(nnrt_stream *stream, size_t *length, nnrt_error *error) {
    unsigned char start[8], b[4] = {0};
    const char *name = nnrt_stream_name(stream);
    if (read_bytes(stream, start, sizeof start, error) != NNRT_OK)
        return NNRT_FAILED;
    if (memcmp(start, npy_magic, sizeof npy_magic - 1) != 0)
        return nnrt_fail(error, "%s: is not an NPY file: it does not begin with \\x93NUMPY", name);
    if (start[6] < 1 || start[6] > 3)
        return nnrt_fail(error, "%s: NPY version %d is not known; versions 1, 2 and 3 are", name, start[6]);
    if (read_bytes(stream, b, start[6] == 1 ? 2 : 4, error) != NNRT_OK)
        return NNRT_FAILED;
    *length = (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
    if (*length > NPY_LONGEST_HEADER) {
        return nnrt_fail(error, "%s: the NPY header has %zu bytes; at most %d make sense", name, *length,
                         NPY_LONGEST_HEADER);
    }
    return NNRT_OK;
}

static int read_dictionary(nnrt_stream *stream, NpyHeader *header, nnrt_error *error) {
    size_t length = 0;
    if (read_preamble(stream, &length, error) != NNRT_OK)
        return NNRT_FAILED;
    char *text = calloc(length + 1, 1);
    if (text == NULL)
        return nnrt_fail_memory(error, nnrt_stream_name(stream), length);
    int status = read_bytes(stream, text, length, error);
    header->at = text;
    if (status == NNRT_OK && !scan_header(header)) {
        status = nnrt_fail(error,
                           "%s: the NPY header is malformed: it should be {'descr': ..., "
                           "'fortran_order': ..., 'shape': ...} with at most %d axes",
                           nnrt_stream_name(stream), NNRT_MAX_RANK + 1);
    }
    header->at = NULL;
    free(text);
    return status;
}

static int find_type(const char *descr, const char *name, nnrt_element *element, nnrt_error *error) {
    for (size_t i = 0; i < NPY_TYPES; i++) {
        if (strcmp(npy_types[i].descr, descr) == 0) {
            *element = npy_types[i].element;
            return NNRT_OK;
        }
    }
    return nnrt_fail(error, "%s: numbers of type '%s' are not supported; save array.astype('<f4') or '<i4'", name,
                     descr);
}

int nnrt_npy_parse(nnrt_stream *stream, nnrt_array *array, nnrt_error *error) {
    NpyHeader header = {0};
    const char *name = nnrt_stream_name(stream);
    *array = (nnrt_array){0};
    if (read_dictionary(stream, &header, error) != NNRT_OK ||
        find_type(header.descr, name, &array->element, error) != NNRT_OK)
        return NNRT_FAILED;
    if (header.fortran && header.rank > 1)
        return nnrt_fail(error, "%s: is in Fortran order; save numpy.ascontiguousarray(array) instead", name);
    if (header.rank == 0)
        return nnrt_fail(error, "%s: holds a single number, not samples; its shape is ()", name);
    array->rank = header.rank;
    memcpy(array->shape, header.shape, sizeof header.shape);
    return nnrt_array_read_data(array, stream, error);
}

int nnrt_npy_read(const char *path, nnrt_array *array, nnrt_error *error) {
    nnrt_stream *stream = NULL;
    *array = (nnrt_array){0};
    if (nnrt_stream_open(&stream, path, error) != NNRT_OK)
        return NNRT_FAILED;
    int status = nnrt_npy_parse(stream, array, error);
    nnrt_stream_close(stream);
    return status;
}

/* --- Writing --- */

static const char *type_descr(nnrt_element element) {
    size_t i = 0;
    while (npy_types[i].element != element)
        i++;
    return npy_types[i].descr;
}

void nnrt_npy_write_header(nnrt_file *file, nnrt_element element, int rank, const int64_t *shape) {
    char text[512];
    int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", type_descr(element));
    for (int axis = 0; axis < rank; axis++) {
        length += snprintf(text + length, sizeof text - (size_t)length, "%" PRId64 ",%s", shape[axis],
                           axis + 1 < rank ? " " : "");
    }
    length += snprintf(text + length, sizeof text - (size_t)length, "), }");
    const unsigned preamble = 10; /* magic, version, length */
    unsigned used = preamble + (unsigned)length + 1;
    unsigned padding = (NPY_ALIGNMENT - used % NPY_ALIGNMENT) % NPY_ALIGNMENT;
    unsigned header = (unsigned)length + 1 + padding;
    const unsigned char rest[4] = {1, 0, (unsigned char)(header & 0xff), (unsigned char)(header >> 8)};
    nnrt_file_write(file, npy_magic, sizeof npy_magic - 1);
    nnrt_file_write(file, rest, sizeof rest);
    nnrt_file_printf(file, "%s%*s\n", text, (int)padding, "");
}
