#include "ir/scalar_walk.h"

enum { FIRST_ROOM = 32 };

ScalarWalk *scalar_walk_new(Arena *arena) {
    ScalarWalk *walk = arena_one(arena, ScalarWalk);
    walk->arena = arena;
    walk->room = FIRST_ROOM;
    walk->at = arena_array(arena, const Scalar *, walk->room);
    walk->results = arena_array(arena, const Scalar *, walk->room);
    walk->capacity = 2 * FIRST_ROOM;
    walk->entries = arena_array(arena, WalkEntry, walk->capacity);
    walk->stack_room = FIRST_ROOM;
    walk->stack = arena_array(arena, WalkFrame, walk->stack_room);
    return walk;
}

int scalar_child_count(const Scalar *s) {
    if (s->kind == SCALAR_LOAD)
        return s->load.rank;
    return s->kind == SCALAR_OP ? op_info(s->op.op)->arity : 0;
}

const Scalar *scalar_child(const Scalar *s, int i) {
    return s->kind == SCALAR_LOAD ? s->load.at[i] : s->op.arg[i];
}

static WalkEntry *walk_find(const ScalarWalk *walk, const Scalar *s) {
    size_t mask = walk->capacity - 1;
    size_t slot = (size_t)(s->id * UINT64_C(0x9E3779B97F4A7C15) >> 32) & mask;
    while (walk->entries[slot].stamp == walk->stamp && walk->entries[slot].scalar != s)
        slot = (slot + 1) & mask;
    return &walk->entries[slot];
}

/* The position of an element that is still on the stack. */
static const size_t OPEN = SIZE_MAX;

static void walk_grow(ScalarWalk *walk) {
    const WalkEntry *old = walk->entries;
    size_t old_capacity = walk->capacity;
    walk->capacity *= 2;
    walk->entries = arena_array(walk->arena, WalkEntry, walk->capacity);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].stamp == walk->stamp)
            *walk_find(walk, old[i].scalar) = old[i];
}

static void walk_push(ScalarWalk *walk, const Scalar *s) {
    WalkEntry *entry = walk_find(walk, s);
    if (entry->stamp == walk->stamp)
        return;
    *entry = (WalkEntry){.scalar = s, .position = OPEN, .stamp = walk->stamp};
    if (2 * (walk->count + walk->depth + 1) >= walk->capacity)
        walk_grow(walk);
    if (walk->depth == walk->stack_room) {
        walk->stack = arena_grow(walk->arena, walk->stack, walk->depth, 2 * walk->stack_room, sizeof *walk->stack);
        walk->stack_room *= 2;
    }
    walk->stack[walk->depth++] = (WalkFrame){.scalar = s};
}

static void walk_close(ScalarWalk *walk, const Scalar *s) {
    if (walk->count == walk->room) {
        walk->at = arena_grow(walk->arena, walk->at, walk->count, 2 * walk->room, sizeof *walk->at);
        walk->results = arena_array(walk->arena, const Scalar *, 2 * walk->room);
        walk->room *= 2;
    }
    walk_find(walk, s)->position = walk->count;
    walk->at[walk->count++] = s;
}

void scalar_walk(ScalarWalk *walk, const Scalar *root, WalkEnter *enter, const void *context) {
    walk->stamp++;
    walk->count = 0;
    walk->depth = 0;
    walk_push(walk, root);
    while (walk->depth > 0) {
        WalkFrame *frame = &walk->stack[walk->depth - 1];
        const Scalar *s = frame->scalar;
        if (frame->next < scalar_child_count(s) && (!enter || enter(context, s))) {
            walk_push(walk, scalar_child(s, frame->next++));
            continue;
        }
        walk->depth--;
        walk_close(walk, s);
    }
}

size_t scalar_walk_position(const ScalarWalk *walk, const Scalar *s) {
    return walk_find(walk, s)->position;
}

int64_t scalar_walk_tree_size(const ScalarWalk *walk) {
    enum { LIMIT = 1000000 };
    int64_t *sizes = arena_array(walk->arena, int64_t, walk->count);
    for (size_t i = 0; i < walk->count; i++) {
        sizes[i] = 1;
        for (int j = 0; j < scalar_child_count(walk->at[i]); j++)
            sizes[i] += sizes[scalar_walk_position(walk, scalar_child(walk->at[i], j))];
        sizes[i] = sizes[i] > LIMIT ? LIMIT : sizes[i];
    }
    return sizes[walk->count - 1];
}
