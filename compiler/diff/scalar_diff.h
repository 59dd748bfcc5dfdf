/* scalar_diff.h: derivatives of bodies, one scalar at a time.
 *
 * The rules stand in ir/ops.def beside the operations (columns da and db); this module walks the expression. Derivatives keep the shape
 * of the body: a select differentiates its branches under the same condition, so a load never loses the guard it had.
 *
 *     body   select(within(i - 1, 8), tanh(x[i - 1]), 0.0)
 *     d/dx   select(within(i - 1, 8), 1.0 - tanh(x[i - 1])^2, 0.0)      or, with the result at hand, ... 1.0 - y[i]^2
 */
#ifndef NNC_DIFF_SCALAR_DIFF_H
#define NNC_DIFF_SCALAR_DIFF_H

#include "ir/scalar.h"

typedef struct Tangent {
    ScalarPool *pool;
    Arena *scratch;
    /* The tangent of a real load: 1 and 0 give a partial derivative, the tangent's own load a directional one. */
    const Scalar *(*load)(void *context, const Scalar *load);
    void *context;
    /* The value of the whole body, at hand as a load; NULL: none. Rules that mention the result (tanh' = 1 - y * y) then need not
     * compute it again. */
    const Scalar *result;
} Tangent;

/* The tangent of `body`: sum over its real loads of d body / d load * load(load). */
const Scalar *scalar_tangent(const Tangent *tangent, const Scalar *body);

/* d body / d load, with the result at hand as in Tangent. */
const Scalar *scalar_partial(ScalarPool *pool, Arena *scratch, const Scalar *body, const Scalar *load,
                             const Scalar *result);

#endif
