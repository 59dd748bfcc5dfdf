/* c_inline.h: the pieces of runtime/inline that the output uses. How the headers are divided is told in simd.h. */
#ifndef NNC_EMIT_C_INLINE_H
#define NNC_EMIT_C_INLINE_H

#include <stdbool.h>

#include "base/text.h"

typedef struct InlineSet InlineSet;
InlineSet *inline_set_new(Arena *arena);

/* The output uses the function nn_<name>; with all that it needs. An unknown name is a compiler bug. */
void inline_use(InlineSet *set, const char *name);
/* Likewise by the function's whole name, as in ops.def. */
void inline_use_function(InlineSet *set, const char *function);

/* The text of the pieces in use, for float or double. */
const char *inline_text(InlineSet *set, bool real_is_double);

/* All pieces there are, for tests: NULL when i is too large. */
const char *inline_piece_name(const InlineSet *set, size_t i);

#endif
