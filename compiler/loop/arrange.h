/* arrange.h: blocks of memory that live for a while, and take each other's place: where each stands.
 *
 * Time is whatever the caller counts in: kernels of an entry, statements of a kernel.
 */
#ifndef NNC_LOOP_ARRANGE_H
#define NNC_LOOP_ARRANGE_H

#include <stdbool.h>

#include "base/vec.h"

typedef struct Block {
    size_t bytes;    /* 0: it needs no place */
    int first, last; /* it lives from the one to the other, both included */
    size_t offset;   /* set by arrange_blocks: a multiple of BLOCK_ALIGNMENT */
} Block;

enum { BLOCK_ALIGNMENT = 64 };

typedef VEC(Block *) BlockList;

static inline size_t block_round(size_t bytes) {
    return (bytes + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
}

/* Blocks at equal distances: at.at[i] stands `i` distances behind the first place, or, where that fits better, in the opposite order. */
typedef struct BlockRow {
    BlockList at;    /* NULL: nobody stands there */
    size_t distance; /* in bytes, a multiple of BLOCK_ALIGNMENT */
} BlockRow;

typedef VEC(BlockRow *) BlockRowList;

/* Sets the offsets, so that no two that live at the same time share bytes. Returns the bytes of them all together. */
size_t arrange_blocks(Arena *arena, const BlockList *blocks);

/* The same, with rows, which are placed in their order; none of their blocks is in `blocks`. */
size_t arrange_rows(Arena *arena, const BlockRowList *rows, const BlockList *blocks);

#endif
