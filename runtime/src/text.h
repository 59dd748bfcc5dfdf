/* text.h: text that grows.
 *
 * A zeroed nnrt_text is empty and ready. Exhausted memory is remembered in `failed`: a writer adds all it has and asks once
 * at the end. `bytes` ends with a NUL that `length` does not count; it is NULL while nothing was added.
 */
#ifndef NNRT_SRC_TEXT_H
#define NNRT_SRC_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct nnrt_text {
    char *bytes;
    size_t length, capacity;
    bool failed;
} nnrt_text;

void nnrt_text_add(nnrt_text *text, const char *bytes, size_t count);
void nnrt_text_printf(nnrt_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void nnrt_text_free(nnrt_text *text);

/* The spelling of `words` (count of them) nearest to `word`, or NULL if none is near enough to be a slip of the hand. */
const char *nnrt_nearest_word(const char *word, const char *const *words, size_t count);

#endif
