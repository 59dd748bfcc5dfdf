/* rules.h: what forward and reverse mode share: the weight of one term of a reduction, and nodes that both build. */
#ifndef NNC_DIFF_RULES_H
#define NNC_DIFF_RULES_H

#include "ir/graph.h"

/* Whether derivatives pass through the node: a real tensor expression. Leaves end a path; integers, conditions and DETACH carry none. */
bool node_is_differentiable(const Node *node);

/* node[at...]; the value itself where all elements are the same (zeros, 1/n), so that constants fold. */
const Scalar *node_value_at(Graph *g, const Node *node, const Scalar *const *at);

/* node[i0, i1, ...] for the output axes of `node`. */
const Scalar *node_value(Graph *g, const Node *node);

/* A term t(i, r) of y's body counts in dy[i] with factor w(i, r): this gives w * t, over y's slots.
 *     none, sum   t
 *     max, min    select(r is the position of the first extreme, t, 0)
 *     prod        t * product of the other factors */
const Scalar *rule_weight(Graph *g, const Node *y, const Scalar *term);

/* "gradient of dense_1.W": a name that is derived from another node's. */
const char *derived_name(Graph *g, const char *what, const Node *node);

#endif
