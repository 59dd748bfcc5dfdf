/* graph_print.h: the graph as text, for --dump and for tests. graph_read.h reads it back.
 *
 *     model lenet (batch <= 64)
 *     input  image: real[batch, 1, 28, 28]
 *     param  dense_1.W: real[10, 84]
 *     train_step:
 *       %12 dense_1.y: real[b: batch, n: 10] = sum(k: 84) dense_1.W[n, k] * %9[b, k]
 *       update dense_1.W = %31
 */
#ifndef NNC_IR_GRAPH_PRINT_H
#define NNC_IR_GRAPH_PRINT_H

#include "ir/graph.h"

void graph_print(Graph *g, Text *out);
/* One node on one line: "y[b, n] = sum(k) W[n, k] * x[b, k]" with the model's letters: the comment above a generated kernel. */
void node_print_equation(const Node *node, Text *out);
/* "real[batch, 10]": batch_name for the dynamic axis. */
const char *shape_text(Arena *arena, Type type, int rank, const Extent *shape, const char *batch_name);

#endif
