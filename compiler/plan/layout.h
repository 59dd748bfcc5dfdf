/* layout.h: a pass over the graph, before the plan: images that stay inside are stored with their channels last, where the cost model expects that to
 * pay.
 *
 * Inputs, outputs and parameters keep the language's order. Keeps the values, and the order of every sum. Returns the number of changes.
 */
#ifndef NNC_PLAN_LAYOUT_H
#define NNC_PLAN_LAYOUT_H

#include "ir/graph.h"
#include "plan/target.h"

int plan_layout(Graph *g, const Target *target);

#endif
