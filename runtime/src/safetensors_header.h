/* safetensors_header.h: the JSON header of a safetensors file, checked. */
#ifndef NNRT_SRC_SAFETENSORS_HEADER_H
#define NNRT_SRC_SAFETENSORS_HEADER_H

#include "safetensors.h"

struct cJSON;

typedef struct nnrt_header {
    struct cJSON *json; /* owns all texts */
    const struct cJSON *metadata;
    nnrt_stored *tensors; /* in the order of the names */
    size_t count;
} nnrt_header;

/* Parses `length` bytes of header in front of `data_bytes` of data. Everything the file says is checked: the JSON, names (no
 * two equal), number types, shapes, and offsets (each tensor's size is its shape's; together they cover the data). */
int nnrt_header_parse(nnrt_header *header, const char *name, const char *text, size_t length, uint64_t data_bytes,
                      nnrt_error *error);

const char *nnrt_header_value(const nnrt_header *header, const char *key);
void nnrt_header_free(nnrt_header *header);

#endif
