/* reverse.h: reverse mode. A Reverse is one sweep back from the sum of a node's elements; adjoints are made on demand and kept, so that the gradients
 * with respect to all parameters share everything that they have in common. */
#ifndef NNC_DIFF_REVERSE_H
#define NNC_DIFF_REVERSE_H

#include "ir/graph.h"

typedef struct Reverse Reverse;

/* `of` holds no placeholders; the Reverse lives in `scratch`. */
Reverse *reverse_new(Graph *g, Arena *scratch, const Node *of);

/* The gradient of the sum over `of` with respect to `wrt`, of wrt's shape; zeros when `of` does not depend on it. */
const Node *reverse_gradient(Reverse *reverse, const Node *wrt);

#endif
