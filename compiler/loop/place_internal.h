/* place_internal.h: what the files that place buffers share (place.h is for all others).
 *
 * place.c finds how long buffers live, which of them take each other's place, and what slices need; place_series.c puts series at equal distances.
 */
#ifndef NNC_LOOP_PLACE_INTERNAL_H
#define NNC_LOOP_PLACE_INTERNAL_H

#include "loop/arrange.h"
#include "loop/place.h"

/* One run of bytes: a buffer, or several that take each other's place, or the slices of a kernel. Time is counted in kernels. */
typedef struct MemoryBlock {
    Block block;
    VEC(Buffer *) buffers;
    Kernel *kernel; /* NULL: buffers */
} MemoryBlock;

typedef struct Placement {
    Arena *arena;
    Graph *graph;
    LoopEntry *entry;
    MemoryBlock **block_of; /* by buffer id; NULL: not in the workspace */
    VEC(MemoryBlock *) blocks;
} Placement;

/* Both take the same bytes from now on: `next` is empty. */
void place_together(Placement *p, MemoryBlock *block, MemoryBlock *next);

/* Gives the blocks their offsets; the bytes of all. Series stand at equal distances, in records or else each by itself, unless that costs a
 * sixteenth more memory, or the entry has none to spare. */
size_t place_arrange(Placement *p);

#endif
