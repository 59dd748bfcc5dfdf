/* scalar_walk.h: the distinct subexpressions of a scalar, arguments before users.
 *
 * Expressions are graphs: written out as trees they can be exponentially large, so every analysis goes over this list and keeps its results in
 * an array beside it. No recursion: depth is no limit.
 *
 *     ScalarWalk *walk = scalar_walk_new(arena);
 *     scalar_walk(walk, root, NULL, NULL);
 *     for (size_t i = 0; i < walk->count; i++) result[i] = f(walk->at[i], result[scalar_walk_position(walk, child)] ...);
 *
 * Ownership: a walk lives in its arena and can be used again; a new scalar_walk() forgets the old list.
 */
#ifndef NNC_IR_SCALAR_WALK_H
#define NNC_IR_SCALAR_WALK_H

#include "ir/scalar.h"

typedef struct WalkEntry {
    const Scalar *scalar;
    size_t position;
    uint64_t stamp; /* of the walk that wrote the entry; an older one: free */
} WalkEntry;

typedef struct WalkFrame {
    const Scalar *scalar;
    int next; /* child to visit */
} WalkFrame;

typedef struct ScalarWalk ScalarWalk;
struct ScalarWalk {
    const Scalar **at; /* arguments before users, from the left; the root is the last */
    size_t count;
    const Scalar **results; /* room for one scalar beside each element of `at`, for the caller */

    Arena *arena;
    size_t room;
    WalkEntry *entries; /* open addressing by id; capacity is a power of two */
    size_t capacity;
    uint64_t stamp;
    WalkFrame *stack;
    size_t depth, stack_room;
    ScalarWalk *next_idle;
};

ScalarWalk *scalar_walk_new(Arena *arena);

/* Children of a scalar: the indices of a load, the arguments of an operation. */
int scalar_child_count(const Scalar *s);
const Scalar *scalar_child(const Scalar *s, int i);

/* `enter` says whether the children of a subexpression are wanted (NULL: always); the subexpression itself is listed in any case. */
typedef bool WalkEnter(const void *context, const Scalar *s);
void scalar_walk(ScalarWalk *walk, const Scalar *root, WalkEnter *enter, const void *context);
size_t scalar_walk_position(const ScalarWalk *walk, const Scalar *s); /* of a subexpression that is in the list */

/* How many scalars the listed root, whose children are all listed, would be as a tree; no more than a million. */
int64_t scalar_walk_tree_size(const ScalarWalk *walk);

#endif
