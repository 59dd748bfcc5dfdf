/* file.h: files that appear whole or not at all.
 *
 * nnrt_file_open() makes a temporary file beside the final name; nnrt_file_commit() flushes, checks every write,
 * synchronises and renames; nnrt_file_abandon() removes the temporary file. A path that names something other than a regular
 * file (a pipe, a device) is written directly. The first failed write is remembered and reported by commit.
 */
#ifndef NNRT_SRC_FILE_H
#define NNRT_SRC_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include "nnrt.h"

typedef struct nnrt_file {
    FILE *stream;
    char *path, *temporary; /* temporary NULL: written directly */
    int failure;            /* errno of the first failed write; 0: none */
} nnrt_file;

int nnrt_file_open(nnrt_file *file, const char *path, nnrt_error *error);

/* Takes over a stream that stays open, such as the standard output. */
void nnrt_file_borrow(nnrt_file *file, FILE *stream);

void nnrt_file_write(nnrt_file *file, const void *bytes, size_t count);
void nnrt_file_printf(nnrt_file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
int nnrt_file_commit(nnrt_file *file, nnrt_error *error);
void nnrt_file_abandon(nnrt_file *file);

/* Whether a file of that name could be written, asked before hours of work depend on it. */
int nnrt_file_probe(const char *path, nnrt_error *error);

/* Writes a whole file at once. */
int nnrt_file_save(const char *path, const char *bytes, size_t count, nnrt_error *error);

#endif
