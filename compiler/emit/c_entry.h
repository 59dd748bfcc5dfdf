/* c_entry.h: the entry points: their signatures, and the functions that call the kernels. */
#ifndef NNC_EMIT_C_ENTRY_H
#define NNC_EMIT_C_ENTRY_H

#include "emit/c_loop.h"
#include "emit/c_names.h"

/* "void lenet_init(lenet_params *p, uint64_t seed)", without a semicolon. */
const char *c_signature(Arena *arena, const CNames *names, EntryKind kind);
/* "void (*init)(lenet_params *p, uint64_t seed)": a member that points to such a function. */
const char *c_signature_pointer(Arena *arena, const CNames *names, EntryKind kind);
/* Of a function that calls another with the same arguments: "return lenet_avx2_loss(p, x, y, n, workspace);" for that one's name. */
const char *c_forward(Arena *arena, const CNames *names, EntryKind kind, const char *function);

/* The function's definition. */
void c_entry(const CLoops *c, const CNames *names, const LoopEntry *entry);

#endif
