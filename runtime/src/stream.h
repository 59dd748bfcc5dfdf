/* stream.h: bytes in order, from a file or from memory, decompressed when they begin as gzip does.
 *
 * A truncated or damaged gzip file, bytes after its end, and a file that cannot be read are errors with the file's name.
 */
#ifndef NNRT_SRC_STREAM_H
#define NNRT_SRC_STREAM_H

#include <stdint.h>
#include "nnrt.h"

typedef struct nnrt_stream nnrt_stream;

int nnrt_stream_open(nnrt_stream **stream, const char *path, nnrt_error *error);

/* Reads from `bytes`, which stay the caller's; `name` stands for the file's name in messages. */
int nnrt_stream_open_memory(nnrt_stream **stream, const char *name, const void *bytes, size_t count, nnrt_error *error);

const char *nnrt_stream_name(const nnrt_stream *stream);

/* Reads up to `count` bytes; *got is smaller only at the end. */
int nnrt_stream_read(nnrt_stream *stream, void *to, size_t count, size_t *got, nnrt_error *error);

/* The number of bytes that can still come: exact for plain data (nnrt_stream_is_exact), an upper bound for gzip. Memory is
 * allocated only after a header's claim was compared with it. */
uint64_t nnrt_stream_left(const nnrt_stream *stream);
int nnrt_stream_is_exact(const nnrt_stream *stream);
void nnrt_stream_close(nnrt_stream *stream);

#endif
