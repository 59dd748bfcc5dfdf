/* cost.h: what a node costs: for --report and for the plan's decisions.
 *
 * Operations: those of the body (scalar_flops) for every point of the loops, and one for each element that a reduction combines, so that a
 * multiply-add of a contraction counts 2. Dynamic axes count at their largest. Values saturate at INT64_MAX.
 * Memory: every tensor that is read counts once for each distinct element that the loops can reach, at most its size; the result counts once.
 */
#ifndef NNC_IR_COST_H
#define NNC_IR_COST_H

#include "ir/graph.h"

int64_t node_points(const Node *node); /* iterations of all loops */
int64_t node_flops(const Node *node);  /* 0 for what is not an expression */
int64_t node_bytes_read(const Graph *g, const Node *node);
int64_t node_bytes_written(const Graph *g, const Node *node);
int64_t type_bytes(const Graph *g, Type type); /* of one element in the generated C */

/* Sums over all nodes that the entry needs. */
int64_t entry_flops(Graph *g, const Entry *entry);
int64_t entry_bytes(Graph *g, const Entry *entry);

#endif
