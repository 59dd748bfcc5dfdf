/* arrange.c: the largest blocks first, each in the tightest gap between those that live at the same time. */
#include "loop/arrange.h"

static bool live_together(const Block *a, const Block *b) {
    return a->first <= b->last && b->first <= a->last;
}

/* The smallest gap that `block` fits in, between those that live at the same time; above them all when there is none. `placed` is in the order
 * of the offsets. */
static size_t find_gap(const BlockList *placed, const Block *block) {
    size_t from = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (size_t i = 0; i < placed->count; i++) {
        const Block *other = placed->at[i];
        size_t end = other->offset + block_round(other->bytes);
        if (!live_together(block, other) || end <= from)
            continue;
        size_t gap = other->offset > from ? other->offset - from : 0;
        if (gap >= block->bytes && gap < best_gap) {
            best = from;
            best_gap = gap;
        }
        from = end;
    }
    return best == SIZE_MAX ? from : best;
}

/* Into the list by offset. */
static void note_placed(Arena *arena, BlockList *placed, Block *block) {
    vec_push(arena, placed, block);
    block->placed = true;
    for (size_t i = placed->count - 1; i > 0 && placed->at[i - 1]->offset > block->offset; i--) {
        placed->at[i] = placed->at[i - 1];
        placed->at[i - 1] = block;
    }
}

static Block *next_block(const BlockList *blocks) {
    Block *largest = NULL;
    for (size_t i = 0; i < blocks->count; i++) {
        Block *block = blocks->at[i];
        if (block->bytes > 0 && !block->placed && (!largest || block->bytes > largest->bytes))
            largest = block;
    }
    return largest;
}

size_t arrange_blocks(Arena *arena, const BlockList *blocks) {
    BlockList placed = {0};
    size_t end = 0;
    for (Block *block = next_block(blocks); block; block = next_block(blocks)) {
        block->offset = find_gap(&placed, block);
        note_placed(arena, &placed, block);
        size_t block_end = block->offset + block_round(block->bytes);
        end = block_end > end ? block_end : end;
    }
    return end;
}
