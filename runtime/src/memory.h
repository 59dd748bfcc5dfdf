/* memory.h: checked sizes and aligned memory. */
#ifndef NNRT_SRC_MEMORY_H
#define NNRT_SRC_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* product = a * b; false if that overflows. */
bool nnrt_multiply(size_t a, size_t b, size_t *product);

/* Zeroed memory, aligned to 64 bytes as the generated code wants it, to be given to free(). At least one byte is allocated.
 * NULL when memory is exhausted or count * size overflows. */
void *nnrt_allocate(size_t count, size_t size);

#endif
