/* winograd.h: a pass over the graph, before the plan: windows of 3x3 are multiplied in another basis, with 16 products for every four results
 * instead of 36, where the cost model expects that to pay.
 *
 * Requires: contractions of plain loads (opt_operands), padded (opt_pad). Sums are rounded differently. In float, on normally distributed images of
 * 16x16 with 32 and with 128 channels, the root mean square error is 0.6 to 0.8 times that of the plain sum for convolutions, whose sums are a ninth
 * as long, and 0.8 to 1.6 times for gradients; the largest error 0.3 to 0.5 and 0.7 to 1.8 times. What is infinite or no number in an image
 * reaches all four results of a tile. Returns the number of changes.
 */
#ifndef NNC_PLAN_WINOGRAD_H
#define NNC_PLAN_WINOGRAD_H

#include "ir/graph.h"
#include "plan/target.h"

int plan_winograd(Graph *g, const Target *target);

#endif
