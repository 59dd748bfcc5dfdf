/* c_entry.h: the entry points: their signatures, and the functions that call the kernels. */
#ifndef NNC_EMIT_C_ENTRY_H
#define NNC_EMIT_C_ENTRY_H

#include "base/map.h"
#include "emit/c_inline.h"
#include "emit/c_names.h"
#include "emit/c_write.h"

/* "void lenet_init(lenet_params *p, uint64_t seed)", without a semicolon. */
const char *c_signature(Arena *arena, const CNames *names, EntryKind kind);

/* The function's definition. `functions` holds the name of the function of each kernel. */
void c_entry(CWriter *w, const CNames *names, const LoopEntry *entry, const PointerMap *functions, InlineSet *used,
             bool openmp);

#endif
