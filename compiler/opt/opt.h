/* opt.h: graph to graph, same meaning, less work. Every pass returns the number of changes; the driver runs graph_check after each.
 *
 * simplify   rules that need more than one node or the reduction:
 *              factors that do not depend on the reduction variables leave a sum:   sum(k) a[i] * f(i, k)  ->  a[i] * sum(k) f(i, k)  (two nodes)
 *              one-point rule:  sum(k) select(k == e, f(k), 0)  ->  f(e) (within-guarded when not provable; a class input is within its classes)
 *              a sum of a body free of a reduction variable   ->  extent * body
 *              a reshape (a map whose load's linear offset is the identity) is recognised by its offset, not its name
 *              algebra across a load of a cheap map when it cancels (softmax cross-entropy comes out as (p - onehot) / n)
 *            keeps: every entry's values up to rounding.
 * inline     producers into consumers where recomputation is cheaper than memory: a map is substituted into its users when
 *            flops(body) * reads per element stays below the traffic it saves (fuse_cost.h says how much); never into a contraction's repeated operand unless free.
 * pad        a guarded load of a contraction or window (select(within(...), X[...], 0 or -inf)) reads a padded copy of X instead, when X is read
 *            often: inner loops are then free of conditions.
 * pack       an operand of a contraction that would be read with a stride in the vector loop is read from a rearranged copy.
 */
#ifndef NNC_OPT_OPT_H
#define NNC_OPT_OPT_H

#include "ir/graph.h"

int opt_simplify(Graph *g);
int opt_inline(Graph *g);

#endif
