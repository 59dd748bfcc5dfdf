/* forward.h: forward mode. A Forward pushes one direction (wrt, tangent) through the graph; tangents of nodes are made on demand and kept. */
#ifndef NNC_DIFF_FORWARD_H
#define NNC_DIFF_FORWARD_H

#include "ir/graph.h"

typedef struct Forward Forward;

/* `wrt` and `tangent` have the same shape and hold no placeholders; the Forward lives in `scratch`. */
Forward *forward_new(Graph *g, Arena *scratch, const Node *wrt, const Node *tangent);

/* The derivative of `of` along the direction, of of's shape; zeros when `of` does not depend on wrt. */
const Node *forward_derivative(Forward *forward, const Node *of);

#endif
