/* summation.h: sums that are smaller than they look. For opt_simplify.
 *
 *     sum(k) a[i] * f[i, k] / n            a[i] / n * sum(k) f[i, k]
 *     sum(k) select(k == e[i], f[k], 0)    select(within(e[i], K), f[e[i]], 0)
 *     sum(k) select(k == e[i], a, b)       K * b + (a - b), likewise guarded
 *     sum(k, l) f[k] * g[l]                (sum(k) f[k]) * (sum(l) g[l])
 *     sum(k, l) f[i, k] * g[j, k, l]       sum(k) f[i, k] * h[j, k];  h[j, k] = sum(l) g[j, k, l]
 *     sum(b) c                             n * c
 */
#ifndef NNC_OPT_SUMMATION_H
#define NNC_OPT_SUMMATION_H

#include "ir/graph.h"
#include "ir/scalar_walk.h"

/* The value of a REDUCE_SUM node as a scalar over its output slots: loads of smaller sums, and what needs no sum. NULL: it is as small as it gets. */
const Scalar *summation_simplified(Graph *g, const Node *sum);

/* What that would leave of the node with another body: in all of its sums. */
typedef struct SumForecast {
    ScalarWalk *walk;
    bool changed;
    int axes, loads;
    double work;
} SumForecast;
SumForecast summation_forecast(Graph *g, ScalarWalk *walk, const Node *sum, const Scalar *body);

#endif
