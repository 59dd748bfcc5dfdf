/* vec.h: growable arrays in an arena.
 *
 *     VEC(const Node *) nodes = {0};
 *     vec_push(arena, &nodes, node);
 *     for (size_t i = 0; i < nodes.count; i++) use(nodes.at[i]);
 *
 * The memory belongs to the arena; an old array stays valid (and stale) after growth.
 */
#ifndef NNC_BASE_VEC_H
#define NNC_BASE_VEC_H

#include "base/arena.h"

#define VEC(T)                                                                                                         \
    struct {                                                                                                           \
        T *at;                                                                                                         \
        size_t count, capacity;                                                                                        \
    }

#define vec_push(arena, v, item)                                                                                       \
    do {                                                                                                               \
        if ((v)->count == (v)->capacity) {                                                                             \
            size_t vec_capacity_ = (v)->capacity ? 2 * (v)->capacity : 8;                                              \
            (v)->at = arena_grow((arena), (v)->at, (v)->count, vec_capacity_, sizeof *(v)->at);                        \
            (v)->capacity = vec_capacity_;                                                                             \
        }                                                                                                              \
        (v)->at[(v)->count++] = (item);                                                                                \
    } while (0)

#endif
