/* checkpoint.h: what the training needs beyond the public functions of checkpoints. */
#ifndef NNRT_SRC_CHECKPOINT_H
#define NNRT_SRC_CHECKPOINT_H

#include <stdbool.h>
#include "nnrt.h"

#define NNRT_STATE_PREFIX "state."

/* Decimal numbers, whole text; false if it is something else, NULL, or out of range. */
bool nnrt_parse_int64(const char *text, int64_t *value);
bool nnrt_parse_uint64(const char *text, uint64_t *value);

/* A number from the metadata that every training writes; from 0. */
int nnrt_checkpoint_integer(const nnrt_checkpoint *checkpoint, const char *key, int64_t *value, nnrt_error *error);

#endif
