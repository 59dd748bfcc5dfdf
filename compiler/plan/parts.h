/* parts.h: a pass over the graph, before the plan: large sums over samples, and over axes of each sample, are made in two steps, where that moves
 * less memory.
 *
 * The order in which such a sum is added up changes, once for all. Returns the number of changes.
 */
#ifndef NNC_PLAN_PARTS_H
#define NNC_PLAN_PARTS_H

#include "ir/graph.h"
#include "plan/target.h"

int plan_parts(Graph *g, const Target *target);

#endif
