/* graph_eval.h: the reference interpreter: slow, obvious, in double. Tests compare everything with it.
 *
 * Values are arrays of double in C order with the node's full shape for the actual n. Deterministic; random() gives the bits of the generated C
 * (Philox4x32-10, see random.h), rounded as float when graph->real_is_double is false.
 */
#ifndef NNC_IR_GRAPH_EVAL_H
#define NNC_IR_GRAPH_EVAL_H

#include "ir/graph.h"

typedef struct Evaluation Evaluation;
Evaluation *evaluation_new(Arena *arena, Graph *g, int64_t n, uint64_t seed, int64_t step, int64_t steps);
void evaluation_bind(Evaluation *e, const Node *leaf, const double *values); /* INPUT, PARAM, STATE */
const double *evaluation_value(Evaluation *e, const Node *node);             /* computed on demand, memoised */
int64_t evaluation_count(const Evaluation *e, const Node *node);             /* elements for this n */

#endif
