/* winograd.h: a pass over the graph, before the plan: windows of 3x3 are multiplied in another basis, with 16 products for every four results
 * instead of 36, where the cost model expects that to pay.
 *
 * Requires: contractions of plain loads (opt_operands), padded (opt_pad). Sums are rounded differently: the error of a result is a small multiple
 * of that of the plain sum. Returns the number of changes.
 */
#ifndef NNC_PLAN_WINOGRAD_H
#define NNC_PLAN_WINOGRAD_H

#include "ir/graph.h"
#include "plan/target.h"

int plan_winograd(Graph *g, const Target *target);

#endif
