/* stack.h: a pass over the graph, before equations are inlined: equal sums over different tensors become one sum over a stack of these.
 *
 *     y[n] + z[n] + ..,  y[n] = sum(b) a[b, n],  z[n] = sum(b) c[b, n], ..      s[b, t, n] = a[b, n] for t = 0, c[b, n] for t = 1, ..
 *                                                                              sum(b, t) s[b, t, n]
 *
 * Requires: contractions of plain loads (opt_operands). Sums are rounded differently. Returns the number of changes.
 */
#ifndef NNC_PLAN_STACK_H
#define NNC_PLAN_STACK_H

#include "ir/graph.h"
#include "plan/target.h"

int plan_stack(Graph *g, const Target *target);

#endif
