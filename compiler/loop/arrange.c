/* arrange.c: the largest blocks first, each in the tightest gap between those that live at the same time. */
#include "loop/arrange.h"

#include <stdlib.h>

/* Where a block stands, and when. */
typedef struct Placed {
    size_t offset, end;
    int first, last;
} Placed;

typedef VEC(Placed) PlacedList;

/* The smallest gap that `block` fits in, between those that live at the same time; above them all when there is none. `placed` is in the order
 * of the offsets. */
static size_t find_gap(const PlacedList *placed, const Block *block) {
    size_t from = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (size_t i = 0; i < placed->count; i++) {
        const Placed *other = &placed->at[i];
        if (other->first > block->last || block->first > other->last || other->end <= from)
            continue;
        size_t gap = other->offset > from ? other->offset - from : 0;
        if (gap >= block->bytes && gap < best_gap) {
            best = from;
            best_gap = gap;
        }
        from = other->end;
    }
    return best == SIZE_MAX ? from : best;
}

/* Into the list by offset. */
static void note_placed(Arena *arena, PlacedList *placed, const Block *block) {
    const Placed place = {block->offset, block->offset + block_round(block->bytes), block->first, block->last};
    vec_push(arena, placed, place);
    for (size_t i = placed->count - 1; i > 0 && placed->at[i - 1].offset > place.offset; i--) {
        placed->at[i] = placed->at[i - 1];
        placed->at[i - 1] = place;
    }
}

/* A block with its place in the list of all. */
typedef struct Ranked {
    Block *block;
    size_t place;
} Ranked;

/* Of equal ones, the first comes first. */
static int compare_ranked(const void *a, const void *b) {
    const Ranked *x = a, *y = b;
    if (x->block->bytes != y->block->bytes)
        return x->block->bytes > y->block->bytes ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

size_t arrange_blocks(Arena *arena, const BlockList *blocks) {
    PlacedList placed = {0};
    size_t end = 0, count = 0;
    Ranked *ranked = arena_array(arena, Ranked, blocks->count);
    for (size_t i = 0; i < blocks->count; i++)
        if (blocks->at[i]->bytes > 0)
            ranked[count++] = (Ranked){blocks->at[i], i};
    if (count > 0)
        qsort(ranked, count, sizeof *ranked, compare_ranked);
    for (size_t i = 0; i < count; i++) {
        Block *block = ranked[i].block;
        block->offset = find_gap(&placed, block);
        note_placed(arena, &placed, block);
        size_t block_end = block->offset + block_round(block->bytes);
        end = block_end > end ? block_end : end;
    }
    return end;
}
