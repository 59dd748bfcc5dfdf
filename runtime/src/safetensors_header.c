#include "safetensors_header.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "error.h"
#include "memory.h"

/* The largest integer that JSON's numbers hold exactly. */
static const double largest_integer = 9007199254740992.0;

static const char metadata_key[] = "__metadata__";

/* --- JSON --- */

static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static int parse_json(nnrt_header *header, const char *name, const char *text, size_t length, nnrt_error *error) {
    const char *end = text;
    if (memchr(text, '\0', length) == NULL)
        header->json = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    while (header->json != NULL && end < text + length && is_space(*end))
        end++;
    if (header->json == NULL || end != text + length)
        return nnrt_fail(error, "%s: the header is not correct JSON near byte %zu", name, (size_t)(end - text));
    if (!cJSON_IsObject(header->json))
        return nnrt_fail(error, "%s: the header is not a JSON object", name);
    return NNRT_OK;
}

static bool read_integer(const cJSON *item, int64_t *value) {
    if (!cJSON_IsNumber(item))
        return false;
    double number = item->valuedouble;
    if (!(number >= 0.0 && number <= largest_integer) || number != floor(number))
        return false;
    *value = (int64_t)number;
    return true;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No two children of an object may have the same name. */
static int check_duplicates(const cJSON *object, const char *name, nnrt_error *error) {
    const size_t count = (size_t)cJSON_GetArraySize(object);
    const char **keys = nnrt_allocate(count, sizeof *keys);
    if (keys == NULL)
        return nnrt_fail_memory(error, name, count * sizeof *keys);
    size_t filled = 0;
    for (const cJSON *child = object->child; child != NULL; child = child->next)
        keys[filled++] = child->string;
    qsort(keys, count, sizeof *keys, compare_texts);
    int status = NNRT_OK;
    for (size_t i = 1; status == NNRT_OK && i < count; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            status = nnrt_fail(error, "%s: the header has \"%s\" twice", name, keys[i]);
    free(keys);
    return status;
}

/* --- One tensor --- */

static bool find_dtype(const char *text, nnrt_dtype *dtype) {
    for (int i = 0; i < NNRT_DTYPE_COUNT; i++) {
        if (strcmp(nnrt_dtype_name((nnrt_dtype)i), text) == 0) {
            *dtype = (nnrt_dtype)i;
            return true;
        }
    }
    return false;
}

static bool read_shape(nnrt_stored *tensor, const cJSON *shape) {
    tensor->rank = 0;
    for (const cJSON *size = shape->child; size != NULL; size = size->next) {
        if (tensor->rank == NNRT_MAX_RANK || !read_integer(size, &tensor->shape[tensor->rank]))
            return false;
        tensor->rank++;
    }
    return true;
}

static bool read_offsets(nnrt_stored *tensor, const cJSON *offsets) {
    int64_t begin = 0, end = 0;
    const cJSON *first = offsets->child;
    if (first == NULL || first->next == NULL || first->next->next != NULL || !read_integer(first, &begin) ||
        !read_integer(first->next, &end))
        return false;
    tensor->begin = (uint64_t)begin;
    tensor->end = (uint64_t)end;
    return true;
}

/* The three entries of a tensor, each once; false if the description has another form. */
static bool find_entries(const cJSON *item, const cJSON **dtype, const cJSON **shape, const cJSON **offsets) {
    int entries = 0;
    for (const cJSON *child = item->child; child != NULL; child = child->next, entries++)
        if (strcmp(child->string, "dtype") == 0 && cJSON_IsString(child))
            *dtype = child;
        else if (strcmp(child->string, "shape") == 0 && cJSON_IsArray(child))
            *shape = child;
        else if (strcmp(child->string, "data_offsets") == 0 && cJSON_IsArray(child))
            *offsets = child;
    return entries == 3 && *dtype != NULL && *shape != NULL && *offsets != NULL;
}

/* The size that the shape says, the size that the offsets say, and the size of the file must agree. */
static int check_extent(const nnrt_stored *tensor, const char *name, uint64_t data_bytes, nnrt_error *error) {
    size_t elements = 0, bytes = 0;
    if (!nnrt_shape_elements(tensor->rank, tensor->shape, &elements) ||
        !nnrt_multiply(elements, nnrt_dtype_size(tensor->dtype), &bytes)) {
        return nnrt_fail(error, "%s: tensor \"%s\" has shape %s, larger than any memory", name, tensor->name,
                         nnrt_shape_print(tensor->rank, tensor->shape).text);
    }
    if (tensor->begin > tensor->end || tensor->end > data_bytes) {
        return nnrt_fail(error,
                         "%s: tensor \"%s\" has data_offsets [%" PRIu64 ", %" PRIu64 "], outside of the file's %" PRIu64
                         " bytes of data; is the file complete?",
                         name, tensor->name, tensor->begin, tensor->end, data_bytes);
    }
    if (tensor->end - tensor->begin != bytes) {
        return nnrt_fail(error,
                         "%s: tensor \"%s\" of type %s and shape %s takes %zu bytes, but its "
                         "data_offsets hold %" PRIu64,
                         name, tensor->name, nnrt_dtype_name(tensor->dtype),
                         nnrt_shape_print(tensor->rank, tensor->shape).text, bytes, tensor->end - tensor->begin);
    }
    return NNRT_OK;
}

static int read_tensor(nnrt_stored *tensor, const cJSON *item, const char *name, uint64_t data_bytes,
                       nnrt_error *error) {
    const cJSON *dtype = NULL, *shape = NULL, *offsets = NULL;
    tensor->name = item->string;
    if (!cJSON_IsObject(item) || !find_entries(item, &dtype, &shape, &offsets)) {
        return nnrt_fail(error, "%s: tensor \"%s\" should be described by dtype, shape and data_offsets", name,
                         tensor->name);
    }
    if (!find_dtype(dtype->valuestring, &tensor->dtype)) {
        return nnrt_fail(error, "%s: tensor \"%s\" has the unknown type \"%.20s\"", name, tensor->name,
                         dtype->valuestring);
    }
    if (!read_shape(tensor, shape)) {
        return nnrt_fail(error, "%s: tensor \"%s\": the shape should be at most %d whole numbers from 0", name,
                         tensor->name, NNRT_MAX_RANK);
    }
    if (!read_offsets(tensor, offsets))
        return nnrt_fail(error, "%s: tensor \"%s\": data_offsets should be two whole numbers", name, tensor->name);
    return check_extent(tensor, name, data_bytes, error);
}

/* --- All tensors --- */

static int compare_offsets(const void *a, const void *b) {
    const nnrt_stored *left = a, *right = b;
    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    return left->end < right->end ? -1 : left->end > right->end;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const nnrt_stored *)a)->name, ((const nnrt_stored *)b)->name);
}

/* The tensors must cover the data without gaps and overlaps. Leaves them in the order of the names. */
static int check_cover(nnrt_header *header, const char *name, uint64_t data_bytes, nnrt_error *error) {
    uint64_t covered = 0;
    qsort(header->tensors, header->count, sizeof *header->tensors, compare_offsets);
    for (size_t i = 0; i < header->count; i++) {
        const nnrt_stored *tensor = &header->tensors[i];
        if (tensor->begin != covered) {
            return nnrt_fail(
                error, "%s: tensor \"%s\" begins at byte %" PRIu64 " of the data, but the one before ends at %" PRIu64,
                name, tensor->name, tensor->begin, covered);
        }
        covered = tensor->end;
    }
    if (covered != data_bytes) {
        return nnrt_fail(error, "%s: the tensors take %" PRIu64 " bytes, but the file has %" PRIu64 " bytes of data",
                         name, covered, data_bytes);
    }
    qsort(header->tensors, header->count, sizeof *header->tensors, compare_names);
    return NNRT_OK;
}

static int read_metadata(nnrt_header *header, const cJSON *item, const char *name, nnrt_error *error) {
    bool texts = cJSON_IsObject(item);
    for (const cJSON *child = item->child; texts && child != NULL; child = child->next)
        texts = cJSON_IsString(child);
    if (!texts)
        return nnrt_fail(error, "%s: __metadata__ should be an object of texts", name);
    header->metadata = item;
    return check_duplicates(item, name, error);
}

static int read_tensors(nnrt_header *header, const char *name, uint64_t data_bytes, nnrt_error *error) {
    size_t children = (size_t)cJSON_GetArraySize(header->json);
    header->tensors = nnrt_allocate(children, sizeof *header->tensors);
    if (header->tensors == NULL)
        return nnrt_fail_memory(error, name, children * sizeof *header->tensors);
    for (const cJSON *item = header->json->child; item != NULL; item = item->next) {
        int status = strcmp(item->string, metadata_key) == 0
                         ? read_metadata(header, item, name, error)
                         : read_tensor(&header->tensors[header->count++], item, name, data_bytes, error);
        if (status != NNRT_OK)
            return NNRT_FAILED;
    }
    return check_cover(header, name, data_bytes, error);
}

int nnrt_header_parse(nnrt_header *header, const char *name, const char *text, size_t length, uint64_t data_bytes,
                      nnrt_error *error) {
    *header = (nnrt_header){0};
    if (parse_json(header, name, text, length, error) != NNRT_OK ||
        check_duplicates(header->json, name, error) != NNRT_OK ||
        read_tensors(header, name, data_bytes, error) != NNRT_OK) {
        nnrt_header_free(header);
        return NNRT_FAILED;
    }
    return NNRT_OK;
}

const char *nnrt_header_value(const nnrt_header *header, const char *key) {
    const cJSON *child = header->metadata == NULL ? NULL : header->metadata->child;
    while (child != NULL && strcmp(child->string, key) != 0)
        child = child->next;
    return child == NULL ? NULL : child->valuestring;
}

void nnrt_header_free(nnrt_header *header) {
    cJSON_Delete(header->json);
    free(header->tensors);
    *header = (nnrt_header){0};
}
