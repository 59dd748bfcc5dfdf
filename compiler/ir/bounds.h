/* bounds.h: between which numbers do the elements of a tensor lie, whatever the data and the parameters are?
 *
 * An interval for every subexpression, from what it is made of: inputs and parameters can be any number, sigmoid(x) lies in 0..1, x * x is not
 * negative. Three rules look at more than intervals:
 *
 *     e[b, c] / sum(k) e[b, k]      in 0..1, where no e is negative: softmax, whoever wrote it
 *     x[b, c] - max(k) x[b, k]      not positive; likewise, with min, not negative
 *     if x > 0 then x else 0        not negative: a branch that is compared is bounded by its condition
 *
 * Bounds are those of real numbers: elements that are NaN are nowhere, and rounding is not thought of. They are sound and not tight.
 *
 * Ownership: a table lives in its arena. It keeps what it has found, so that asking for the tensors of a graph one by one costs no more than
 * asking for the last of them. It makes no scalars and no nodes: the graph stays as it is.
 */
#ifndef NNC_IR_BOUNDS_H
#define NNC_IR_BOUNDS_H

#include "ir/graph.h"

typedef struct Bounds {
    double low, high; /* -INFINITY, INFINITY: none */
} Bounds;

typedef struct BoundsTable BoundsTable;
BoundsTable *bounds_table_new(Arena *arena);

Bounds bounds_of_node(BoundsTable *table, const Node *node);
/* Of an expression over any index variables. */
Bounds bounds_of_scalar(BoundsTable *table, const Scalar *s);

/* Does all between the bounds lie within low..high, up to what rounding does to the bounds themselves? */
bool bounds_lie_within(Bounds bounds, double low, double high);

#endif
