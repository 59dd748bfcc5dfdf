/* through.h: maps seen through by their readers. Between two equations there is the border of a tensor, and algebra stops at it: a sum over a one-hot
 * tensor looks like any other sum. Here the loads of plain maps that stand as factors of a body's terms are replaced by the maps' own bodies;
 * `simplify` keeps the result where a rule then fires. The map stays for its other readers; without any it is gone.
 */
#ifndef NNC_OPT_THROUGH_H
#define NNC_OPT_THROUGH_H

#include "ir/graph.h"
#include "ir/scalar_walk.h"

/* How many equations and outputs read each node, by id; nodes that came later are not counted. */
typedef struct Readers {
    uint32_t count;
    const int *at;
} Readers;
Readers readers_count(Graph *g, Arena *arena);

typedef struct Through {
    const Scalar *body; /* NULL: the node reads no plain map, or too much would come together */
    double work;        /* operations of the node's body and of the maps that it reads, before algebra joined them */
} Through;

/* Plain: nothing but sums, products, quotients and guards of elements, so that computing it again costs next to nothing. With `readers`, only maps
 * that nobody else reads. */
Through body_through_maps(Graph *g, ScalarWalk *walk, const Node *node, const Readers *readers);

#endif
