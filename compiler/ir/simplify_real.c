/* Rules for reals. x, y, z: any; c, d: constants. Each rule saves an operation, or moves a constant or a sign outwards, so they end.
 * Products have theirs in simplify_product.c. Constants are folded in double. Equality is that of real numbers: rounding, NaN and infinity
 * are not kept (ops.def).
 *
 * Sums: constants stand on the right
 *   x + 0 -> x          x - 0 -> x          0 - x -> -x                 x - x -> 0
 *   c + x -> x + c      x + -c -> x - c     (x + c) + d -> x + (c+d)    and the forms c - x, x - c likewise
 *   x + -y -> x - y     x - -y -> x + y     -x - y -> -(x + y)          -x + c -> c - x
 *   c*x + d*x -> (c+d)*x                    x + x -> 2*x                c*x + c*y -> c*(x + y)
 *   (x + y) - x -> y    (x - y) + y -> x    within sums of a few terms
 *   x/z + y/z -> (x + y)/z                  select(c, ..) + select(c, ..): simplify_logic.c
 *   exp(x) - 1 -> expm1(x)                  expm1(x) + 1 -> exp(x)      c^x - 1 -> expm1(log(c)*x)
 *   x*p + y*(1-p) -> y + d*p                where x - y is the constant d; sigmoid(-x) is the 1 - p of p = sigmoid(x)
 * Negation
 *   --x -> x            -(x - y) -> y - x   -(c*x) -> (-c)*x            -(x + c) -> -c - x
 *   -((x - y)/z) -> (y - x)/z
 * max, min: equal arguments; nested constants; the order of arguments is kept, because a tie gives its derivative to the first
 * Functions
 *   log(exp(x)) -> x    exp(log(x)) -> x    log(exp(x)/y) -> x - log(y) log(exp(x)*y) -> x + log(y)
 *   log(1 + exp(x)), log1p(exp(x)) -> log1pexp(x)                       log(sigmoid(x)) -> -log1pexp(-x)
 *   log(1 - sigmoid(x)), log1p(-sigmoid(x)) -> -log1pexp(x)
 *   sqrt(x*x) -> abs(x) abs(abs(x)) -> abs(x)   abs(-x) -> abs(x)       cos(-x) -> cos(x)     floor(real(i)) -> real(i)
 *   x^0 -> 1            x^1 -> x            x^2, x^3, x^4 -> products   x^0.5 -> sqrt(x)      x^-y -> 1/x^y for these
 */
#include "ir/simplify_real.h"

#include <math.h>

#include "ir/scalar_internal.h"

static bool is_real_constant(const Scalar *s) {
    return s->kind == SCALAR_REAL;
}

static const Scalar *fold2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    return scalar_real(pool, op_fold(op, a->real, b->real));
}

/* ---- negation ---- */

static const Scalar *negate(ScalarPool *pool, const Scalar *a) {
    if (is_real_constant(a))
        return scalar_real(pool, -a->real);
    if (a->kind == SCALAR_OP) {
        const Scalar *x = a->op.arg[0], *y = a->op.arg[1];
        switch (a->op.op) {
        case OP_NEG: return x;
        case OP_SUB: return scalar_op2(pool, OP_SUB, y, x);
        case OP_ADD:
            if (is_real_constant(y))
                return scalar_op2(pool, OP_SUB, scalar_real(pool, -y->real), x);
            break;
        case OP_MUL:
            if (is_real_constant(x))
                return scalar_op2(pool, OP_MUL, scalar_real(pool, -x->real), y);
            break;
        case OP_DIV:
            if (is_real_constant(x))
                return scalar_op2(pool, OP_DIV, scalar_real(pool, -x->real), y);
            if (is_real_constant(y))
                return scalar_op2(pool, OP_DIV, x, scalar_real(pool, -y->real));
            if (scalar_is_op(x, OP_SUB))
                return scalar_op2(pool, OP_DIV, negate(pool, x), y);
            break;
        default: break;
        }
    }
    const Scalar *moved = simplify_select_argument(pool, OP_NEG, a);
    return moved ? moved : scalar_raw1(pool, OP_NEG, a);
}

/* ---- sums ---- */

/* s = constant + sign * rest, for s of the forms x + c, x - c, c - x; rest is s itself otherwise. */
typedef struct Shifted {
    double constant;
    int sign;
    const Scalar *rest;
} Shifted;

static Shifted shifted_of(const Scalar *s) {
    if (scalar_is_op(s, OP_ADD) && is_real_constant(s->op.arg[1]))
        return (Shifted){s->op.arg[1]->real, 1, s->op.arg[0]};
    if (scalar_is_op(s, OP_SUB) && is_real_constant(s->op.arg[1]))
        return (Shifted){-s->op.arg[1]->real, 1, s->op.arg[0]};
    if (scalar_is_op(s, OP_SUB) && is_real_constant(s->op.arg[0]))
        return (Shifted){s->op.arg[0]->real, -1, s->op.arg[1]};
    return (Shifted){0, 1, s};
}

/* x - 1 where x is near 1 for small arguments: without the loss of digits. NULL: x is something else. */
static const Scalar *minus_one(ScalarPool *pool, const Scalar *x) {
    if (scalar_is_op(x, OP_EXP))
        return scalar_op1(pool, OP_EXPM1, x->op.arg[0]);
    if (scalar_is_op(x, OP_POW) && is_real_constant(x->op.arg[0]) && x->op.arg[0]->real > 0) {
        const Scalar *log_base = scalar_real(pool, log(x->op.arg[0]->real));
        return scalar_op1(pool, OP_EXPM1, scalar_op2(pool, OP_MUL, log_base, x->op.arg[1]));
    }
    return NULL;
}

/* x + c. The result has one constant. */
static const Scalar *add_constant(ScalarPool *pool, const Scalar *x, double constant) {
    Shifted shifted = shifted_of(x);
    double c = shifted.constant + constant;
    if (c == 1 && shifted.sign > 0 && scalar_is_op(shifted.rest, OP_EXPM1))
        return scalar_op1(pool, OP_EXP, shifted.rest->op.arg[0]);
    const Scalar *without_one = c == -shifted.sign ? minus_one(pool, shifted.rest) : NULL;
    if (without_one)
        return shifted.sign > 0 ? without_one : negate(pool, without_one);
    if (shifted.sign < 0 || scalar_is_op(shifted.rest, OP_NEG)) {
        const Scalar *rest = shifted.sign < 0 ? shifted.rest : shifted.rest->op.arg[0];
        return c == 0 ? negate(pool, rest) : scalar_raw2(pool, OP_SUB, scalar_real(pool, c), rest);
    }
    if (c == 0)
        return shifted.rest;
    const Scalar *moved = simplify_select_operand(pool, OP_ADD, shifted.rest, scalar_real(pool, c));
    if (moved)
        return moved;
    /* A negative constant is subtracted; NaN is added. */
    return c < 0 ? scalar_raw2(pool, OP_SUB, shifted.rest, scalar_real(pool, -c))
                 : scalar_raw2(pool, OP_ADD, shifted.rest, scalar_real(pool, c));
}

/* c - x */
static const Scalar *subtract_from_constant(ScalarPool *pool, double constant, const Scalar *x) {
    Shifted shifted = shifted_of(x);
    double c = constant - shifted.constant;
    const Scalar *without_one = c == 1 && shifted.sign > 0 ? minus_one(pool, shifted.rest) : NULL;
    if (without_one)
        return negate(pool, without_one);
    if (shifted.sign < 0)
        return add_constant(pool, shifted.rest, c);
    if (c == 0)
        return negate(pool, shifted.rest);
    if (scalar_is_op(shifted.rest, OP_NEG))
        return add_constant(pool, shifted.rest->op.arg[0], c);
    const Scalar *left = scalar_real(pool, c);
    const Scalar *moved = simplify_select_operand(pool, OP_SUB, left, shifted.rest);
    return moved ? moved : scalar_raw2(pool, OP_SUB, left, shifted.rest);
}

/* s = factor * base */
typedef struct Multiple {
    double factor;
    const Scalar *base;
} Multiple;

static Multiple multiple_of(const Scalar *s) {
    if (scalar_is_op(s, OP_MUL) && is_real_constant(s->op.arg[0]))
        return (Multiple){s->op.arg[0]->real, s->op.arg[1]};
    if (scalar_is_op(s, OP_NEG))
        return (Multiple){-1, s->op.arg[0]};
    return (Multiple){1, s};
}

/* How deep a term or factor is looked for in a sum or product. */
enum { CANCEL_DEPTH = 5 };

/* s - sign * term, where the term stands in the sum s with that sign; NULL where it does not. */
static const Scalar *sum_without(ScalarPool *pool, const Scalar *s, const Scalar *term, int sign, int depth) {
    if (s == term && sign > 0)
        return scalar_real(pool, 0.0);
    bool is_sum = scalar_is_op(s, OP_ADD);
    if (depth == 0 || (!is_sum && !scalar_is_op(s, OP_SUB)))
        return NULL;
    const Scalar *a = s->op.arg[0], *b = s->op.arg[1];
    const Scalar *rest = sum_without(pool, a, term, sign, depth - 1);
    if (rest)
        return scalar_op2(pool, s->op.op, rest, b);
    rest = sum_without(pool, b, term, is_sum ? sign : -sign, depth - 1);
    return rest ? scalar_op2(pool, s->op.op, a, rest) : NULL;
}

/* a + sign * b with a term that cancels; NULL without. */
static const Scalar *sum_cancelled(ScalarPool *pool, const Scalar *a, const Scalar *b, int sign) {
    const Scalar *rest = sum_without(pool, a, b, -sign, CANCEL_DEPTH);
    if (rest)
        return rest;
    rest = sum_without(pool, b, a, -sign, CANCEL_DEPTH);
    return rest && sign < 0 ? negate(pool, rest) : rest;
}

/* x/z + sign * y/z, c*x + sign * d*x, c*x + sign * c*y; NULL: the terms are not alike. */
static const Scalar *sum_alike(ScalarPool *pool, const Scalar *a, const Scalar *b, int sign) {
    Multiple left = multiple_of(a), right = multiple_of(b);
    if (left.base == right.base) {
        const Scalar *factor = scalar_real(pool, left.factor + sign * right.factor);
        return scalar_op2(pool, OP_MUL, factor, left.base);
    }
    if (fabs(left.factor) == fabs(right.factor) && fabs(left.factor) != 1) {
        Op op = left.factor == sign * right.factor ? OP_ADD : OP_SUB;
        return scalar_op2(pool, OP_MUL, scalar_real(pool, left.factor), scalar_op2(pool, op, left.base, right.base));
    }
    if (scalar_is_op(a, OP_DIV) && scalar_is_op(b, OP_DIV) && a->op.arg[1] == b->op.arg[1]) {
        const Scalar *sum = scalar_op2(pool, sign > 0 ? OP_ADD : OP_SUB, a->op.arg[0], b->op.arg[0]);
        return scalar_op2(pool, OP_DIV, sum, a->op.arg[1]);
    }
    return NULL;
}

/* ---- mixtures ---- */

/* Whether p + q = 1. */
static bool are_complements(ScalarPool *pool, const Scalar *p, const Scalar *q) {
    if (scalar_is_op(p, OP_SIGMOID) && scalar_is_op(q, OP_SIGMOID))
        return scalar_op1(pool, OP_NEG, p->op.arg[0]) == q->op.arg[0];
    return (scalar_is_op(p, OP_SUB) && scalar_is_real(p->op.arg[0], 1.0) && p->op.arg[1] == q) ||
           (scalar_is_op(q, OP_SUB) && scalar_is_real(q->op.arg[0], 1.0) && q->op.arg[1] == p);
}

/* Of two complements, the one that is written by the other. */
static bool is_opposite(const Scalar *p) {
    return scalar_is_op(p, OP_SUB) || (scalar_is_op(p, OP_SIGMOID) && scalar_is_op(p->op.arg[0], OP_NEG));
}

/* x * p + sign * y * q, for given factors; NULL: this is no mixture. */
static const Scalar *mixture_of(ScalarPool *pool, const Scalar *x, const Scalar *p, const Scalar *y, const Scalar *q,
                                int sign) {
    if (!are_complements(pool, p, q))
        return NULL;
    y = sign > 0 ? y : negate(pool, y);
    const Scalar *difference = scalar_op2(pool, OP_SUB, x, y);
    if (!is_real_constant(difference))
        return NULL;
    return is_opposite(p) ? scalar_op2(pool, OP_SUB, x, scalar_op2(pool, OP_MUL, difference, q))
                          : scalar_op2(pool, OP_ADD, y, scalar_op2(pool, OP_MUL, difference, p));
}

/* a + sign * b for products of complements with factors at a constant distance; NULL: they are something else. */
static const Scalar *sum_mixed(ScalarPool *pool, const Scalar *a, const Scalar *b, int sign) {
    if (!scalar_is_op(a, OP_MUL) || !scalar_is_op(b, OP_MUL))
        return NULL;
    const Scalar *result = NULL;
    for (int i = 0; i < 4 && !result; i++) {
        int p = i & 1, q = i >> 1;
        result = mixture_of(pool, a->op.arg[1 - p], a->op.arg[p], b->op.arg[1 - q], b->op.arg[q], sign);
    }
    return result;
}

/* a + b, a - b of two that are not constant */
static const Scalar *sum_general(ScalarPool *pool, const Scalar *a, const Scalar *b, int sign) {
    Op op = sign > 0 ? OP_ADD : OP_SUB;
    const Scalar *result = sum_alike(pool, a, b, sign);
    result = result ? result : sum_cancelled(pool, a, b, sign);
    result = result ? result : sum_mixed(pool, a, b, sign);
    result = result ? result : simplify_select_operand(pool, op, a, b);
    if (result)
        return result;
    if (scalar_is_op(b, OP_NEG))
        return scalar_op2(pool, sign > 0 ? OP_SUB : OP_ADD, a, b->op.arg[0]);
    if (scalar_is_op(a, OP_NEG)) {
        return sign > 0 ? scalar_op2(pool, OP_SUB, b, a->op.arg[0])
                        : negate(pool, scalar_op2(pool, OP_ADD, a->op.arg[0], b));
    }
    return sign > 0 ? scalar_raw_either(pool, OP_ADD, a, b) : scalar_raw2(pool, OP_SUB, a, b);
}

static const Scalar *sum_of(ScalarPool *pool, const Scalar *a, const Scalar *b, int sign) {
    if (is_real_constant(b))
        return add_constant(pool, a, sign * b->real);
    if (is_real_constant(a))
        return sign > 0 ? add_constant(pool, b, a->real) : subtract_from_constant(pool, a->real, b);
    return sum_general(pool, a, b, sign);
}

/* ---- extremes ---- */

static const Scalar *extreme_of(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    double neutral = op == OP_MAX ? -(double)INFINITY : (double)INFINITY;
    if (a == b || scalar_is_real(b, neutral))
        return a;
    if (scalar_is_real(a, neutral))
        return b;
    if (scalar_is_op(a, op) && is_real_constant(a->op.arg[1]) && is_real_constant(b))
        return scalar_op2(pool, op, a->op.arg[0], fold2(pool, op, a->op.arg[1], b));
    const Scalar *moved = simplify_select_operand(pool, op, a, b);
    return moved ? moved : scalar_raw2(pool, op, a, b);
}

/* ---- functions ---- */

static const Scalar *product(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    return scalar_op2(pool, OP_MUL, a, b);
}

/* x^exponent as products and a root; NULL: it stays a power. */
static const Scalar *small_power(ScalarPool *pool, const Scalar *x, double exponent) {
    if (exponent < 0) {
        const Scalar *below = small_power(pool, x, -exponent);
        return below ? scalar_op2(pool, OP_DIV, scalar_real(pool, 1.0), below) : NULL;
    }
    if (exponent == 0)
        return scalar_real(pool, 1.0);
    if (exponent == 0.5)
        return scalar_op1(pool, OP_SQRT, x);
    if (exponent == 1)
        return x;
    if (exponent == 2 || exponent == 3 || exponent == 4) {
        const Scalar *square = product(pool, x, x);
        return exponent == 2 ? square : product(pool, square, exponent == 3 ? x : square);
    }
    return NULL;
}

static const Scalar *power_of(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    const Scalar *result = is_real_constant(b) ? small_power(pool, a, b->real) : NULL;
    if (result)
        return result;
    return scalar_is_real(a, 1.0) ? a : scalar_raw2(pool, OP_POW, a, b);
}

/* log(1 + x), where x or 1 + x has an exponential in it; NULL: it has none. */
static const Scalar *log1p_of(ScalarPool *pool, const Scalar *x) {
    if (scalar_is_op(x, OP_EXP))
        return scalar_op1(pool, OP_LOG1PEXP, x->op.arg[0]);
    if (scalar_is_op(x, OP_NEG) && scalar_is_op(x->op.arg[0], OP_SIGMOID))
        return negate(pool, scalar_op1(pool, OP_LOG1PEXP, x->op.arg[0]->op.arg[0]));
    return NULL;
}

/* log of an exponential, or of what is made of one; NULL: there is none. */
static const Scalar *log_of(ScalarPool *pool, const Scalar *a) {
    Shifted shifted = shifted_of(a);
    if (scalar_is_op(a, OP_EXP))
        return a->op.arg[0];
    if (scalar_is_op(a, OP_SIGMOID))
        return negate(pool, scalar_op1(pool, OP_LOG1PEXP, negate(pool, a->op.arg[0])));
    if (shifted.constant == 1)
        return log1p_of(pool, shifted.sign > 0 ? shifted.rest : negate(pool, shifted.rest));
    bool is_quotient = scalar_is_op(a, OP_DIV);
    if (!is_quotient && !scalar_is_op(a, OP_MUL))
        return NULL;
    const Scalar *x = a->op.arg[0], *y = a->op.arg[1];
    if (scalar_is_op(x, OP_EXP))
        return scalar_op2(pool, is_quotient ? OP_SUB : OP_ADD, x->op.arg[0], scalar_op1(pool, OP_LOG, y));
    if (scalar_is_op(y, OP_EXP))
        return scalar_op2(pool, is_quotient ? OP_SUB : OP_ADD, scalar_op1(pool, OP_LOG, x), y->op.arg[0]);
    return NULL;
}

static const Scalar *function_of(ScalarPool *pool, Op op, const Scalar *a) {
    switch (op) {
    case OP_LOG: return log_of(pool, a);
    case OP_LOG1P: return log1p_of(pool, a);
    case OP_EXP: return scalar_is_op(a, OP_LOG) ? a->op.arg[0] : NULL;
    case OP_SQRT:
        return scalar_is_op(a, OP_MUL) && a->op.arg[0] == a->op.arg[1] ? scalar_op1(pool, OP_ABS, a->op.arg[0]) : NULL;
    case OP_ABS:
        if (scalar_is_op(a, OP_ABS))
            return a;
        return scalar_is_op(a, OP_NEG) ? scalar_op1(pool, op, a->op.arg[0]) : NULL;
    case OP_COS: return scalar_is_op(a, OP_NEG) ? scalar_op1(pool, op, a->op.arg[0]) : NULL;
    case OP_FLOOR: return scalar_is_op(a, OP_TO_REAL) || scalar_is_op(a, OP_FLOOR) ? a : NULL;
    default: return NULL;
    }
}

/* ---- dispatch ---- */

/* A constant outside the function's domain stays as it stands. */
static const Scalar *folded1(ScalarPool *pool, Op op, const Scalar *a) {
    if (!is_real_constant(a))
        return NULL;
    double value = op_fold(op, a->real, 0);
    return isfinite(value) || !isfinite(a->real) ? scalar_real(pool, value) : NULL;
}

static const Scalar *folded2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    if (!is_real_constant(a) || !is_real_constant(b))
        return NULL;
    double value = op_fold(op, a->real, b->real);
    return isfinite(value) || !isfinite(a->real) || !isfinite(b->real) ? scalar_real(pool, value) : NULL;
}

const Scalar *simplify_real1(ScalarPool *pool, Op op, const Scalar *a) {
    if (a->type != TYPE_REAL)
        return scalar_raw1(pool, op, a);
    if (op == OP_NEG)
        return negate(pool, a);
    const Scalar *result = folded1(pool, op, a);
    result = result ? result : function_of(pool, op, a);
    result = result ? result : simplify_select_argument(pool, op, a);
    return result ? result : scalar_raw1(pool, op, a);
}

const Scalar *simplify_real2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    const Scalar *folded = a->type == TYPE_REAL ? folded2(pool, op, a, b) : scalar_raw2(pool, op, a, b);
    if (folded)
        return folded;
    switch (op) {
    case OP_ADD: return sum_of(pool, a, b, 1);
    case OP_SUB: return sum_of(pool, a, b, -1);
    case OP_MUL: return simplify_product(pool, a, b);
    case OP_DIV: return simplify_quotient(pool, a, b);
    case OP_MIN:
    case OP_MAX: return extreme_of(pool, op, a, b);
    case OP_POW: return power_of(pool, a, b);
    default: return scalar_raw2(pool, op, a, b);
    }
}
