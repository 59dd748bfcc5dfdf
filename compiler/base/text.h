/* text.h: text that is built piece by piece, in an arena. text_get() gives the NUL-terminated result. */
#ifndef NNC_BASE_TEXT_H
#define NNC_BASE_TEXT_H

#include "base/arena.h"

typedef struct Text Text;

Text *text_new(Arena *arena);
void text_add(Text *text, const char *piece);
void text_add_bytes(Text *text, const char *bytes, size_t count);
void text_add_int(Text *text, int64_t value);
void text_printf(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(Text *text, const char *format, va_list args);
void text_clear(Text *text); /* empty again; its memory is kept for what comes next */
const char *text_get(const Text *text);
size_t text_length(const Text *text);

/* Numbers in their shortest digits: digits.h. */
const char *text_of_double(Arena *arena, double value);
void text_add_double(Text *text, double value);
void text_add_float(Text *text, float value);

/* The candidate closest to `word` by edit distance, where small and capital letters are alike, or NULL when none is close enough to be
 * meant: for "did you mean". */
const char *text_closest(const char *word, const char *const *candidates, size_t count);

#endif
