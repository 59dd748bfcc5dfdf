#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

bool nnrt_multiply(size_t a, size_t b, size_t *product) {
    *product = a * b;
    return a == 0 || b <= SIZE_MAX / a;
}

void *nnrt_allocate(size_t count, size_t size) {
    size_t bytes = 0;
    if (!nnrt_multiply(count, size, &bytes))
        return NULL;
    bytes = bytes == 0 ? 1 : bytes;
    void *memory = NULL;
    if (posix_memalign(&memory, ALIGNMENT, bytes) != 0)
        return NULL;
    return memset(memory, 0, bytes);
}
