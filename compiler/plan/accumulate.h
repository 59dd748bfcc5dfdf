/* accumulate.h: a pass over the graph, after equations are inlined: what many equations give to one sum is added as they come.
 *
 *     d[n] = p1[n] + p2[n] + .. + p400[n]        d2[n] = p2[n] + p1[n],  d3[n] = p3[n] + d2[n], ..  d[n] = p400[n] + d399[n]
 *
 * That is the gradient of a parameter that a network reads again and again, where it is not one sum over a stack (stack.h). One number after the other
 * is kept, in place, instead of all until the end; and each term is computed as the others are, so that loops can go over them.
 * The terms are added in the order in which they are computed. Returns the number of changes.
 */
#ifndef NNC_PLAN_ACCUMULATE_H
#define NNC_PLAN_ACCUMULATE_H

#include "ir/graph.h"

int plan_accumulate(Graph *g);

#endif
