/* Rules for products and quotients of reals. x, y, z, u, v: any; c, d: constants.
 *
 * Products: the constant stands on the left of the whole
 *   0*x -> 0            1*x -> x            -1*x -> -x                  x*c -> c*x
 *   c*(d*x) -> (c*d)*x  x*(c*y) -> c*(x*y)  c*(x/d) -> (c/d)*x          c*(d/x) -> (c*d)/x
 *   (-x)*y -> -(x*y)    sqrt(x)*sqrt(x) -> x
 *   x*(y/x) -> y        (x*z)*(y/x) -> z*y  x*(y/(x*z)) -> y/z          (x/u)*(y/v) -> (x*y)/(u*v)
 * Quotients
 *   0/x -> 0            x/1 -> x            x/c -> (1/c)*x where 1/c is exact
 *   (c*x)/d -> (c/d)*x  (x/c)/d -> x/(c*d)  (c*x)/y -> c*(x/y)          c/(d*x) -> (c/d)/x
 *   (-x)/y, x/(-y) -> -(x/y)                (x/y)/z -> x/(y*z)          x/(y/z) -> (x*z)/y
 *   x/x -> 1            (x*y)/x -> y        x/(x*y) -> 1/y              (x*y)/(x*z) -> y/z      x/sqrt(x) -> sqrt(x)
 *   c/(1 + exp(-x)) -> c*sigmoid(x)         c/(1 + exp(x)) -> c*sigmoid(-x)
 * and into selects: simplify_logic.c.
 */
#include "ir/simplify_real.h"

#include <math.h>

#include "ir/scalar_internal.h"

static bool is_real_constant(const Scalar *s) {
    return s->kind == SCALAR_REAL;
}

static bool is_multiple(const Scalar *s) {
    return scalar_is_op(s, OP_MUL) && is_real_constant(s->op.arg[0]);
}

static const Scalar *product(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    return scalar_op2(pool, OP_MUL, a, b);
}

static const Scalar *quotient(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    return scalar_op2(pool, OP_DIV, a, b);
}

static const Scalar *negated(ScalarPool *pool, const Scalar *a) {
    return scalar_op1(pool, OP_NEG, a);
}

/* How deep a factor is looked for in a product. */
enum { CANCEL_DEPTH = 5 };

/* s / factor, where the factor stands in the product s; NULL where it does not. */
static const Scalar *product_without(ScalarPool *pool, const Scalar *s, const Scalar *factor, int depth) {
    if (s == factor)
        return scalar_real(pool, 1.0);
    if (depth == 0 || !scalar_is_op(s, OP_MUL))
        return NULL;
    const Scalar *rest = product_without(pool, s->op.arg[0], factor, depth - 1);
    if (rest)
        return product(pool, rest, s->op.arg[1]);
    rest = product_without(pool, s->op.arg[1], factor, depth - 1);
    return rest ? product(pool, s->op.arg[0], rest) : NULL;
}

/* A factor of `below` that stands in `above` too is taken out of both. */
static bool cancel_factor(ScalarPool *pool, const Scalar **above, const Scalar **below, const Scalar *within,
                          int depth) {
    if (!is_real_constant(within)) {
        const Scalar *rest = product_without(pool, *above, within, CANCEL_DEPTH);
        if (rest) {
            *above = rest;
            *below = product_without(pool, *below, within, CANCEL_DEPTH);
            return true;
        }
    }
    if (depth == 0 || !scalar_is_op(within, OP_MUL))
        return false;
    return cancel_factor(pool, above, below, within->op.arg[0], depth - 1) ||
           cancel_factor(pool, above, below, within->op.arg[1], depth - 1);
}

/* ---- products ---- */

/* c * x for an x that is itself a multiple or a quotient with a constant; NULL: it is neither, or the constant leaves the doubles. */
static const Scalar *multiple_nested(ScalarPool *pool, double c, const Scalar *x) {
    if (x->kind != SCALAR_OP)
        return NULL;
    const Scalar *a = x->op.arg[0], *b = x->op.arg[1];
    double joined = NAN;
    if (is_multiple(x) || (scalar_is_op(x, OP_DIV) && is_real_constant(a)))
        joined = c * a->real;
    else if (scalar_is_op(x, OP_DIV) && is_real_constant(b))
        joined = c / b->real;
    else if (scalar_is_op(x, OP_NEG))
        joined = -c;
    if (!isfinite(joined))
        return NULL;
    const Scalar *constant = scalar_real(pool, joined);
    switch (x->op.op) {
    case OP_MUL: return product(pool, constant, b);
    case OP_DIV: return is_real_constant(a) ? quotient(pool, constant, b) : product(pool, constant, a);
    default: return product(pool, constant, a);
    }
}

/* constant * x */
static const Scalar *multiple(ScalarPool *pool, const Scalar *constant, const Scalar *x) {
    double c = constant->real;
    if (c == 0)
        return constant;
    if (c == 1)
        return x;
    const Scalar *result = multiple_nested(pool, c, x);
    if (!result && c == -1)
        return negated(pool, x);
    result = result ? result : simplify_select_operand(pool, OP_MUL, constant, x);
    return result ? result : scalar_raw2(pool, OP_MUL, constant, x);
}

/* a * (n/d) where something cancels or both are quotients; NULL where not. */
static const Scalar *product_with_quotient(ScalarPool *pool, const Scalar *a, const Scalar *q) {
    const Scalar *n = q->op.arg[0], *d = q->op.arg[1];
    if (is_real_constant(n))
        return product(pool, n, quotient(pool, a, d));
    const Scalar *above = a, *below = d;
    if (cancel_factor(pool, &above, &below, d, CANCEL_DEPTH))
        return quotient(pool, product(pool, above, n), below);
    if (scalar_is_op(a, OP_DIV))
        return quotient(pool, product(pool, a->op.arg[0], n), product(pool, a->op.arg[1], d));
    return NULL;
}

/* Constants and signs of the factors leave the product; NULL: there are none. */
static const Scalar *product_outwards(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    if (scalar_is_op(a, OP_NEG))
        return negated(pool, product(pool, a->op.arg[0], b));
    if (scalar_is_op(b, OP_NEG))
        return negated(pool, product(pool, a, b->op.arg[0]));
    if (is_multiple(a))
        return product(pool, a->op.arg[0], product(pool, a->op.arg[1], b));
    if (is_multiple(b))
        return product(pool, b->op.arg[0], product(pool, a, b->op.arg[1]));
    return NULL;
}

const Scalar *simplify_product(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    if (is_real_constant(a))
        return multiple(pool, a, b);
    if (is_real_constant(b))
        return multiple(pool, b, a);
    if (a == b && scalar_is_op(a, OP_SQRT))
        return a->op.arg[0];
    const Scalar *result = product_outwards(pool, a, b);
    if (!result && scalar_is_op(b, OP_DIV))
        result = product_with_quotient(pool, a, b);
    if (!result && scalar_is_op(a, OP_DIV))
        result = product_with_quotient(pool, b, a);
    result = result ? result : simplify_select_operand(pool, OP_MUL, a, b);
    return result ? result : scalar_raw_either(pool, OP_MUL, a, b);
}

/* ---- quotients ---- */

/* A power of two, so that dividing by it and multiplying by 1/c are the same. */
static bool has_exact_inverse(double c) {
    int exponent;
    return isnormal(c) && fabs(frexp(c, &exponent)) == 0.5 && isnormal(1 / c);
}

/* x / c */
static const Scalar *quotient_by_constant(ScalarPool *pool, const Scalar *x, const Scalar *constant) {
    double c = constant->real;
    if (c == 1)
        return x;
    if (c == 0)
        return scalar_raw2(pool, OP_DIV, x, constant);
    if (has_exact_inverse(c))
        return product(pool, scalar_real(pool, 1 / c), x);
    if (is_multiple(x))
        return product(pool, scalar_real(pool, x->op.arg[0]->real / c), x->op.arg[1]);
    if (scalar_is_op(x, OP_NEG))
        return quotient(pool, x->op.arg[0], scalar_real(pool, -c));
    if (scalar_is_op(x, OP_DIV) && is_real_constant(x->op.arg[0]))
        return quotient(pool, scalar_real(pool, x->op.arg[0]->real / c), x->op.arg[1]);
    if (scalar_is_op(x, OP_DIV) && is_real_constant(x->op.arg[1]))
        return quotient(pool, x->op.arg[0], scalar_real(pool, c * x->op.arg[1]->real));
    const Scalar *moved = simplify_select_operand(pool, OP_DIV, x, constant);
    return moved ? moved : scalar_raw2(pool, OP_DIV, x, constant);
}

/* c / (1 + exp(x)); NULL: it is something else. */
static const Scalar *quotient_sigmoid(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    bool matches = is_real_constant(a) && scalar_is_op(b, OP_ADD) && scalar_is_real(b->op.arg[1], 1.0) &&
                   scalar_is_op(b->op.arg[0], OP_EXP);
    if (!matches)
        return NULL;
    const Scalar *x = negated(pool, b->op.arg[0]->op.arg[0]);
    return product(pool, a, scalar_op1(pool, OP_SIGMOID, x));
}

/* Constants and signs leave the quotient; NULL: there are none. */
static const Scalar *quotient_outwards(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    if (scalar_is_op(a, OP_NEG))
        return negated(pool, quotient(pool, a->op.arg[0], b));
    if (scalar_is_op(b, OP_NEG))
        return negated(pool, quotient(pool, a, b->op.arg[0]));
    if (is_real_constant(a) && is_multiple(b)) {
        double c = a->real / b->op.arg[0]->real;
        return isfinite(c) ? quotient(pool, scalar_real(pool, c), b->op.arg[1]) : NULL;
    }
    if (is_multiple(a))
        return product(pool, a->op.arg[0], quotient(pool, a->op.arg[1], b));
    return NULL;
}

/* Quotients of quotients, and common factors; NULL: there are none. */
static const Scalar *quotient_nested(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    if (scalar_is_op(a, OP_DIV))
        return quotient(pool, a->op.arg[0], product(pool, a->op.arg[1], b));
    if (scalar_is_op(b, OP_DIV))
        return quotient(pool, product(pool, a, b->op.arg[1]), b->op.arg[0]);
    const Scalar *above = a, *below = b;
    if (cancel_factor(pool, &above, &below, b, CANCEL_DEPTH))
        return quotient(pool, above, below);
    return scalar_is_op(b, OP_SQRT) && b->op.arg[0] == a ? b : NULL;
}

const Scalar *simplify_quotient(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    if (is_real_constant(b))
        return quotient_by_constant(pool, a, b);
    if (scalar_is_zero(a))
        return a;
    const Scalar *result = quotient_sigmoid(pool, a, b);
    result = result ? result : quotient_outwards(pool, a, b);
    result = result ? result : quotient_nested(pool, a, b);
    result = result ? result : simplify_select_operand(pool, OP_DIV, a, b);
    return result ? result : scalar_raw2(pool, OP_DIV, a, b);
}
