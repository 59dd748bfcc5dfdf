/* c_entry.h: the entry points: their signatures, and the functions that call the kernels. */
#ifndef NNC_EMIT_C_ENTRY_H
#define NNC_EMIT_C_ENTRY_H

#include "emit/c_loop.h"
#include "emit/c_names.h"

/* "void lenet_init(lenet_params *p, uint64_t seed)", without a semicolon. */
const char *c_signature(Arena *arena, const CNames *names, EntryKind kind);

/* The function's definition. */
void c_entry(const CLoops *c, const CNames *names, const LoopEntry *entry);

#endif
