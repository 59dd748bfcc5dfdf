/* check.h: a count of failures for the tests of the inline headers, which are compiled with many compilers and flags and so
 * need nothing but the C library. */
#ifndef NNC_TESTS_INLINE_CHECK_H
#define NNC_TESTS_INLINE_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct Check {
    int failures;
} Check;

#define CHECK(check, condition, ...)                                                                                   \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (check)->failures++;                                                                                       \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                                                     \
            printf(__VA_ARGS__);                                                                                       \
            printf("\n");                                                                                              \
        }                                                                                                              \
    } while (0)

/* The same bits, or both NaN. */
static inline bool same_bits(const void *a, const void *b, size_t size) {
    return memcmp(a, b, size) == 0;
}

#endif
