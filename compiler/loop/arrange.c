/* arrange.c: the largest blocks first, each in the tightest gap between those that live at the same time. */
#include "loop/arrange.h"

#include <stdint.h>
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

/* Behind what has been placed already; `end` is the end of it. */
static size_t arrange_rest(Arena *arena, PlacedList *placed, size_t end, const BlockList *blocks) {
    size_t count = 0;
    Ranked *ranked = arena_array(arena, Ranked, blocks->count);
    for (size_t i = 0; i < blocks->count; i++)
        if (blocks->at[i]->bytes > 0)
            ranked[count++] = (Ranked){blocks->at[i], i};
    if (count > 0)
        qsort(ranked, count, sizeof *ranked, compare_ranked);
    for (size_t i = 0; i < count; i++) {
        Block *block = ranked[i].block;
        block->offset = find_gap(placed, block);
        note_placed(arena, placed, block);
        size_t block_end = block->offset + block_round(block->bytes);
        end = block_end > end ? block_end : end;
    }
    return end;
}

size_t arrange_blocks(Arena *arena, const BlockList *blocks) {
    PlacedList placed = {0};
    return arrange_rest(arena, &placed, 0, blocks);
}

/* ---- rows ---- */

/* Where a row may begin: `blocked` counts, for each place, how many more pairs of a block and a placed one begin to stand in the way there. */
typedef struct Places {
    int32_t *blocked;
    size_t count;
} Places;

static void block_places(Places *places, const Placed *other, const Block *block, size_t distance) {
    size_t end = other->end / BLOCK_ALIGNMENT, from = other->offset / BLOCK_ALIGNMENT + 1;
    size_t reach = (distance + block_round(block->bytes)) / BLOCK_ALIGNMENT;
    distance /= BLOCK_ALIGNMENT;
    if (other->first > block->last || block->first > other->last || end <= distance)
        return;
    places->blocked[from > reach ? from - reach : 0]++;
    places->blocked[end - distance]--;
}

/* The first place for a row in which element `i` stands i distances behind it; in the opposite order, the last one does not move. */
static size_t find_place(Arena *arena, const PlacedList *placed, size_t end, const BlockRow *row, bool turned) {
    Places places = {.count = end / BLOCK_ALIGNMENT + 1};
    places.blocked = arena_array(arena, int32_t, places.count);
    for (size_t i = 0; i < row->at.count; i++) {
        const Block *block = row->at.at[i];
        size_t behind = (turned ? row->at.count - 1 - i : i) * row->distance;
        for (size_t k = 0; block && k < placed->count; k++)
            block_places(&places, &placed->at[k], block, behind);
    }
    int64_t blocked = 0;
    for (size_t i = 0; i < places.count; i++) {
        blocked += places.blocked[i];
        if (blocked == 0)
            return i * BLOCK_ALIGNMENT;
    }
    return end;
}

static size_t place_row(Arena *arena, PlacedList *placed, size_t end, const BlockRow *row) {
    Arena *scratch = arena_new((ArenaFailure){0});
    size_t plain = find_place(scratch, placed, end, row, false);
    size_t turned = find_place(scratch, placed, end, row, true);
    arena_free(scratch);
    for (size_t i = 0; i < row->at.count; i++) {
        Block *block = row->at.at[i];
        if (!block)
            continue;
        block->offset = turned < plain ? turned + (row->at.count - 1 - i) * row->distance : plain + i * row->distance;
        note_placed(arena, placed, block);
        size_t block_end = block->offset + block_round(block->bytes);
        end = block_end > end ? block_end : end;
    }
    return end;
}

size_t arrange_rows(Arena *arena, const BlockRowList *rows, const BlockList *blocks) {
    PlacedList placed = {0};
    size_t end = 0;
    for (size_t i = 0; i < rows->count; i++)
        end = place_row(arena, &placed, end, rows->at[i]);
    return arrange_rest(arena, &placed, end, blocks);
}
