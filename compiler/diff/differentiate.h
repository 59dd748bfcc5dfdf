/* differentiate.h: expands every NODE_GRAD and NODE_JVP of the graph, innermost first, and removes NODE_DETACH.
 *
 * One rule (reverse): for y[i] = sum(r) f(X[A(i, r)], ...) with adjoint dy,
 *
 *     dX[j] = sum(i, r) [A(i, r) = j] dy[i] * (df/dX[A])(i, r)
 *
 * df/dX is scalar_partial() of the body (scalar_diff.h) with respect to that load. The Kronecker deltas are eliminated one by one by index_solve(): a delta that is linear in a
 * variable with coefficient +-1 replaces the variable (with a `within` guard unless provable), mixed-radix sums become digits and digit chains become sums
 * (reshapes), strides leave the variable that keeps the loop short. A delta that cannot be solved (data-dependent index) stays as select(A == j, ..., 0): correct
 * always, and what a scatter-add is. argmax carries max; prod goes over the other factors; n-ary sums of adjoints are plain additions.
 *
 * Forward: the tangent of y is sum(r) sum over loads df/dX * tangent(X)[A]; max and min follow their argmax.
 *
 * All gradients of the same `of` come from one sweep. The result is an ordinary graph that can be differentiated again.
 */
#ifndef NNC_DIFF_DIFFERENTIATE_H
#define NNC_DIFF_DIFFERENTIATE_H

#include "ir/graph.h"

/* Returns the number of expanded placeholders. */
int differentiate(Graph *g);

#endif
