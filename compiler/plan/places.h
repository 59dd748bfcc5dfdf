/* places.h: a pass over the graph, before the plan: products with a one-hot factor become sums whose terms choose their place, where that is less work.
 *
 *     d[n, c] = sum(b) dy[b, n] * hot[b, c]         hot[b, c] = select(c == token[b], 1, 0)
 *
 *     d[n, c] = sum(b) select(c == token[b], dy[b, n], 0)
 *
 * The product reads all of `hot`, nearly all of which is zeros; of the other form the loops can run over the terms (scatter.c). A contraction that is
 * small enough is the faster way. Returns the number of changes.
 */
#ifndef NNC_PLAN_PLACES_H
#define NNC_PLAN_PLACES_H

#include "ir/graph.h"
#include "plan/target.h"

int plan_places(Graph *g, const Target *target);

#endif
