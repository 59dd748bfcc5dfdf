/* safetensors.h: the file format behind nnrt_checkpoint.
 *
 *     8 bytes    length of the header, little end first
 *     header     JSON: {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [6, 25], "data_offsets": [0, 600]}}
 *     data       the tensors, without gaps or overlaps
 *
 * Opening checks everything that the header says; what follows may trust it.
 */
#ifndef NNRT_SRC_SAFETENSORS_H
#define NNRT_SRC_SAFETENSORS_H

#include <stdbool.h>
#include "nnrt.h"

/* The number types of the format: name, bytes. */
#define NNRT_DTYPES(X)                                                                                                 \
    X(BOOL, 1)                                                                                                         \
    X(U8, 1)                                                                                                           \
    X(I8, 1)                                                                                                           \
    X(F8_E5M2, 1)                                                                                                      \
    X(F8_E4M3, 1)                                                                                                      \
    X(F8_E8M0, 1)                                                                                                      \
    X(I16, 2)                                                                                                          \
    X(U16, 2)                                                                                                          \
    X(F16, 2)                                                                                                          \
    X(BF16, 2)                                                                                                         \
    X(I32, 4)                                                                                                          \
    X(U32, 4)                                                                                                          \
    X(F32, 4)                                                                                                          \
    X(I64, 8)                                                                                                          \
    X(U64, 8)                                                                                                          \
    X(F64, 8)                                                                                                          \
    X(C64, 8)

#define NNRT_DTYPE_ENUMERATOR(NAME, bytes) NNRT_DTYPE_##NAME,
typedef enum nnrt_dtype { NNRT_DTYPES(NNRT_DTYPE_ENUMERATOR) NNRT_DTYPE_COUNT } nnrt_dtype;
#undef NNRT_DTYPE_ENUMERATOR

const char *nnrt_dtype_name(nnrt_dtype dtype);
size_t nnrt_dtype_size(nnrt_dtype dtype);
nnrt_dtype nnrt_dtype_of(nnrt_type type); /* how a tensor of the model is stored */

/* A tensor in a file. */
typedef struct nnrt_stored {
    const char *name;
    nnrt_dtype dtype;
    int rank;
    int64_t shape[NNRT_MAX_RANK];
    uint64_t begin, end; /* in the data */
} nnrt_stored;

/* As nnrt_checkpoint_open(), from memory that stays the caller's and outlives the checkpoint. */
int nnrt_checkpoint_open_memory(nnrt_checkpoint **checkpoint, const char *name, const void *bytes, size_t count,
                                nnrt_error *error);

const char *nnrt_checkpoint_name(const nnrt_checkpoint *checkpoint);
size_t nnrt_checkpoint_count(const nnrt_checkpoint *checkpoint);
/* Tensor number i in the order of the names. */
const nnrt_stored *nnrt_checkpoint_at(const nnrt_checkpoint *checkpoint, size_t i);
const nnrt_stored *nnrt_checkpoint_find(const nnrt_checkpoint *checkpoint, const char *name);

/* Copies a tensor's numbers as `type`: reals from F16, BF16, F32 and F64, integers from I32 and I64 as they are. */
int nnrt_checkpoint_read(nnrt_checkpoint *checkpoint, const nnrt_stored *tensor, nnrt_type type, void *to,
                         nnrt_error *error);

#endif
