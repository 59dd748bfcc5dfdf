/* fourier.h: a pass over the graph, before the plan: correlations with long windows are multiplied in the basis of the discrete Fourier transform, where a
 * sum over a window is one product for each frequency, where the cost model expects that to pay.
 *
 * Requires: contractions of plain loads (opt_operands), their guards not yet taken away (opt_pad). Sums are rounded differently: in float, the
 * largest error is a few units in the last place of the largest result. What is infinite or no number in an image reaches all
 * results of that image. Returns the number of changes.
 */
#ifndef NNC_PLAN_FOURIER_H
#define NNC_PLAN_FOURIER_H

#include "ir/graph.h"
#include "plan/target.h"

int plan_fourier(Graph *g, const Target *target);

#endif
