/* graph_print.h: the graph as text, for --dump and for tests. graph_read.h reads it back.
 *
 *     model lenet (batch <= 64)
 *     input image: real[batch, 1, 28, 28]
 *     target label: int[batch] below 10
 *     param dense_1.W: real[10, 84]
 *     state momentum.dense_1.W: real[10, 84] of dense_1.W
 *     init:
 *       %1: real[n: 10, k: 84] = random(3, 84 * n + k) - 0.5
 *       init dense_1.W = %1
 *     train_step:
 *       %2 dense_1.y: real[b: batch, n: 10] = sum(k: 84) dense_1.W[n, k] * image[b, k]
 *       %3 loss: real = sum(b: batch) let t1 = exp(%2[b, 0]) in t1 * t1 / real(batch)
 *       %4: real[10, 84] = grad(%3, dense_1.W)
 *       loss loss = %3
 *       update dense_1.W = %4
 *
 * Nodes are numbered in the order in which they are printed; each is printed once, in the first entry that needs it. An index variable
 * keeps the model's letter where that is clear, and is called i<slot> otherwise. The model's line ends in "double" for reals of 64 bits.
 * Subexpressions that occur often are named by `let` when the body would be long without.
 */
#ifndef NNC_IR_GRAPH_PRINT_H
#define NNC_IR_GRAPH_PRINT_H

#include "ir/graph.h"

void graph_print(Graph *g, Text *out);
/* One node on one line: "y[b, n] = sum(k) W[n, k] * x[b, k]" with the model's letters: the comment above a generated kernel. A long body is "...". */
void node_print_equation(const Node *node, Text *out);
/* "real[batch, 10]": batch_name for the dynamic axis. */
const char *shape_text(Arena *arena, Type type, int rank, const Extent *shape, const char *batch_name);

#endif
