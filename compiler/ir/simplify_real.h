/* simplify_real.h: the rules for products and quotients, for simplify_real.c. Reals, not both constant. */
#ifndef NNC_IR_SIMPLIFY_REAL_H
#define NNC_IR_SIMPLIFY_REAL_H

#include "ir/scalar.h"

const Scalar *simplify_product(ScalarPool *pool, const Scalar *a, const Scalar *b);
const Scalar *simplify_quotient(ScalarPool *pool, const Scalar *a, const Scalar *b);

#endif
