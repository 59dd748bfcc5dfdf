/* error.h: how the library reports a failure. */
#ifndef NNRT_SRC_ERROR_H
#define NNRT_SRC_ERROR_H

#include "nnrt.h"

/* Writes the sentence to `error` (may be NULL) and returns NNRT_FAILED, so that a function can `return nnrt_fail(...)`.
 * Control characters, which names from a file may hold, become '?'. */
int nnrt_fail(nnrt_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "out of memory: WHAT needs N bytes" */
int nnrt_fail_memory(nnrt_error *error, const char *what, size_t bytes);

/* Prints text that comes from a file: control characters become '?', so that no file can command the terminal. */
void nnrt_print_clean(FILE *out, const char *text);

/* The same sentence writer for notes, which are not failures. */
void nnrt_note(nnrt_error *note, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
