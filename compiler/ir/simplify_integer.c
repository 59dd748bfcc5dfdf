/* Rules for integers; sums have theirs in linear.c. x, y: any; k, a, b: positive constants; g: a divisor.
 *
 * Quotient and remainder (each rule makes the divisor or the expression smaller)
 *   (k*x + y) div k            x + y div k            (k*x + y) mod k            y mod k      [coefficients and the offset alike]
 *   x div k, x mod k           a constant quotient, where the range of x lies between two multiples of k
 *   (g*x + y) div (g*a)        x div a                (g*x + y) mod (g*a)        g*(x mod a) + y      [0 <= y < g]
 *   (x div a) div k            x div (a*k)            (y + c*(x mod a)) mod k    (y + c*x) mod k      [k divides a]
 *   (x mod a) div k            (x div k) mod (a/k)    [k divides a]
 *   select(c, x, const) div k  goes into the select; mod, * likewise
 *
 * Comparison: the difference decides by its range; otherwise it is divided by its common factor and written with the first term positive, positive
 * terms on the left, as < or >= (<= and > where that saves a +1).
 *
 * min, max: decided by ranges.
 */
#include "ir/linear.h"
#include "ir/scalar_internal.h"

static int64_t floor_quotient(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static int64_t floor_rest(int64_t a, int64_t b) {
    return a - b * floor_quotient(a, b);
}

static int64_t magnitude(int64_t a) {
    return a < 0 ? -a : a;
}

static int64_t common_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* ---- sums and products ---- */

static const Scalar *sum_of(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    Linear form;
    if (!linear_of(a, &form) || !linear_add(&form, b, op == OP_SUB ? -1 : 1))
        return scalar_raw2(pool, op, a, b);
    return linear_scalar(pool, &form);
}

static const Scalar *multiple_of(ScalarPool *pool, const Scalar *s, int64_t factor) {
    Linear form = {0};
    if (!linear_add(&form, s, factor))
        return scalar_raw2(pool, OP_MUL, scalar_int(pool, factor), s);
    return linear_scalar(pool, &form);
}

/* c * x is taken apart, so that constants leave a product. */
static int64_t take_factor(const Scalar **s) {
    if (scalar_is_op(*s, OP_MUL) && (*s)->op.arg[0]->kind == SCALAR_INT) {
        int64_t factor = (*s)->op.arg[0]->integer;
        *s = (*s)->op.arg[1];
        return factor;
    }
    if (scalar_is_op(*s, OP_NEG)) {
        *s = (*s)->op.arg[0];
        return -1;
    }
    return 1;
}

static const Scalar *product_of(ScalarPool *pool, const Scalar *a, const Scalar *b) {
    if (a->kind == SCALAR_INT)
        return multiple_of(pool, b, a->integer);
    if (b->kind == SCALAR_INT)
        return multiple_of(pool, a, b->integer);
    const Scalar *x = a, *y = b;
    int64_t factor;
    if (__builtin_mul_overflow(take_factor(&x), take_factor(&y), &factor))
        return scalar_raw_either(pool, OP_MUL, a, b);
    const Scalar *moved = simplify_select_operand(pool, OP_MUL, x, y);
    return multiple_of(pool, moved ? moved : scalar_raw_either(pool, OP_MUL, x, y), factor);
}

/* ---- quotient and remainder ---- */

/* form = k * quotient + rest, every coefficient of the rest below k in magnitude, its offset in 0 .. k-1. */
static void divide_form(const Linear *form, int64_t k, Linear *quotient, Linear *rest) {
    *quotient = *rest = (Linear){.batch = form->batch};
    for (int i = 0; i < form->count; i++) {
        LinearTerm term = form->terms[i];
        if (term.coefficient / k != 0)
            quotient->terms[quotient->count++] = (LinearTerm){term.atom, term.coefficient / k};
        if (term.coefficient % k != 0)
            rest->terms[rest->count++] = (LinearTerm){term.atom, term.coefficient % k};
    }
    quotient->offset = floor_quotient(form->offset, k);
    rest->offset = floor_rest(form->offset, k);
}

/* form = g * whole + small with 0 <= small < g: the form can then be divided by g without a trace of `small`. */
static bool split_form(const Linear *form, int64_t g, Linear *whole, Linear *small) {
    *whole = *small = (Linear){.batch = form->batch};
    for (int i = 0; i < form->count; i++) {
        LinearTerm term = form->terms[i];
        if (term.coefficient % g == 0)
            whole->terms[whole->count++] = (LinearTerm){term.atom, term.coefficient / g};
        else
            small->terms[small->count++] = term;
    }
    whole->offset = floor_quotient(form->offset, g);
    small->offset = floor_rest(form->offset, g);
    return linear_low(small) >= 0 && linear_high(small) < g;
}

/* The largest g > 1 that divides k and a coefficient, and splits the form; 0: none. */
static int64_t split_by_factor(const Linear *form, int64_t k, Linear *whole, Linear *small) {
    for (int64_t limit = INT64_MAX;;) {
        int64_t best = 1;
        for (int i = 0; i < form->count; i++) {
            int64_t g = common_divisor(magnitude(form->terms[i].coefficient), k);
            best = g > best && g < limit ? g : best;
        }
        if (best == 1)
            return 0;
        if (split_form(form, best, whole, small))
            return best;
        limit = best;
    }
}

/* Where the whole range of the form has one quotient. */
static bool constant_quotient(const Linear *form, int64_t k, int64_t *quotient) {
    int64_t low = linear_low(form), high = linear_high(form);
    if (low == INT64_MIN || high == INT64_MAX)
        return false;
    *quotient = floor_quotient(low, k);
    return *quotient == floor_quotient(high, k);
}

static const Scalar *floordiv_of(ScalarPool *pool, const Scalar *x, int64_t k);
static const Scalar *mod_of(ScalarPool *pool, const Scalar *x, int64_t k);

/* The rest of a division is one digit: (x div a + offset) div k, (x mod a) div k. NULL: it is not. */
static const Scalar *floordiv_digit(ScalarPool *pool, const Linear *rest, int64_t k) {
    if (rest->count != 1 || rest->terms[0].coefficient != 1)
        return NULL;
    const Scalar *atom = rest->terms[0].atom;
    bool is_quotient = scalar_is_op(atom, OP_FLOORDIV);
    if ((!is_quotient && !scalar_is_op(atom, OP_MOD)) || atom->op.arg[1]->kind != SCALAR_INT)
        return NULL;
    const Scalar *x = atom->op.arg[0];
    int64_t a = atom->op.arg[1]->integer, product;
    if (is_quotient) {
        Linear moved;
        if (__builtin_mul_overflow(a, k, &product) || !linear_of(x, &moved) ||
            !linear_add(&moved, scalar_int(pool, rest->offset), a))
            return NULL;
        return floordiv_of(pool, linear_scalar(pool, &moved), product);
    }
    return rest->offset == 0 && a % k == 0 ? mod_of(pool, floordiv_of(pool, x, k), a / k) : NULL;
}

/* The rest's quotient, when a rule applies to it. */
static const Scalar *floordiv_rest(ScalarPool *pool, const Linear *rest, int64_t k) {
    Linear whole, small;
    int64_t quotient;
    if (constant_quotient(rest, k, &quotient))
        return scalar_int(pool, quotient);
    int64_t g = split_by_factor(rest, k, &whole, &small);
    if (g != 0)
        return floordiv_of(pool, linear_scalar(pool, &whole), k / g);
    return floordiv_digit(pool, rest, k);
}

static const Scalar *floordiv_of(ScalarPool *pool, const Scalar *x, int64_t k) {
    const Scalar *divisor = scalar_int(pool, k);
    Linear form, quotient, rest;
    if (k == 1)
        return x;
    const Scalar *moved = simplify_select_operand(pool, OP_FLOORDIV, x, divisor);
    if (moved || !linear_of(x, &form))
        return moved ? moved : scalar_raw2(pool, OP_FLOORDIV, x, divisor);
    divide_form(&form, k, &quotient, &rest);
    const Scalar *below = floordiv_rest(pool, &rest, k);
    if (!below) {
        const Scalar *value = linear_scalar(pool, &rest);
        below = value == x || linear_same(&form, &rest) ? scalar_raw2(pool, OP_FLOORDIV, value, divisor)
                                                        : floordiv_of(pool, value, k);
    }
    return linear_add(&quotient, below, 1) ? linear_scalar(pool, &quotient)
                                           : scalar_raw2(pool, OP_FLOORDIV, x, divisor);
}

/* (y + c*(x mod a)) mod k -> (y + c*x) mod k where k divides a. False: there is none. */
static bool open_mod(Linear *rest, int64_t k) {
    for (int i = 0; i < rest->count; i++) {
        const Scalar *atom = rest->terms[i].atom;
        if (scalar_is_op(atom, OP_MOD) && atom->op.arg[1]->kind == SCALAR_INT && atom->op.arg[1]->integer % k == 0) {
            Linear opened = *rest;
            int64_t c = rest->terms[i].coefficient;
            if (linear_add_atom(&opened, atom, -c) && linear_add(&opened, atom->op.arg[0], c)) {
                *rest = opened;
                return true;
            }
        }
    }
    return false;
}

/* The rest's remainder, when a rule applies to it. */
static const Scalar *mod_rest(ScalarPool *pool, Linear *rest, int64_t k) {
    Linear whole, small;
    int64_t quotient;
    if (constant_quotient(rest, k, &quotient))
        return linear_add(rest, scalar_int(pool, k), -quotient) ? linear_scalar(pool, rest) : NULL;
    int64_t g = split_by_factor(rest, k, &whole, &small);
    if (g != 0) {
        const Scalar *digit = mod_of(pool, linear_scalar(pool, &whole), k / g);
        return linear_add(&small, digit, g) ? linear_scalar(pool, &small) : NULL;
    }
    return open_mod(rest, k) ? mod_of(pool, linear_scalar(pool, rest), k) : NULL;
}

static const Scalar *mod_of(ScalarPool *pool, const Scalar *x, int64_t k) {
    const Scalar *divisor = scalar_int(pool, k);
    Linear form, quotient, rest;
    if (k == 1)
        return scalar_int(pool, 0);
    const Scalar *moved = simplify_select_operand(pool, OP_MOD, x, divisor);
    if (moved || !linear_of(x, &form))
        return moved ? moved : scalar_raw2(pool, OP_MOD, x, divisor);
    divide_form(&form, k, &quotient, &rest);
    const Scalar *digit = mod_rest(pool, &rest, k);
    if (digit)
        return digit;
    const Scalar *value = linear_scalar(pool, &rest);
    return value == x || linear_same(&form, &rest) ? scalar_raw2(pool, OP_MOD, value, divisor) : mod_of(pool, value, k);
}

/* ---- comparison ---- */

typedef enum Verdict { VERDICT_FALSE, VERDICT_TRUE, VERDICT_OPEN } Verdict;

static Verdict verdict_below_zero(int64_t low, int64_t high) {
    if (high < 0)
        return VERDICT_TRUE;
    return low >= 0 ? VERDICT_FALSE : VERDICT_OPEN;
}

static Verdict verdict_zero(int64_t low, int64_t high) {
    if (low == 0 && high == 0)
        return VERDICT_TRUE;
    return low > 0 || high < 0 ? VERDICT_FALSE : VERDICT_OPEN;
}

static int64_t common_factor(const Linear *form) {
    int64_t g = 0;
    for (int i = 0; i < form->count; i++)
        g = common_divisor(magnitude(form->terms[i].coefficient), g);
    return g;
}

/* left - right = form; both sides without negative terms, the offset on the right. */
static const Scalar *compare_sides(ScalarPool *pool, Op op, const Linear *form) {
    Linear left = {0}, right = {.offset = -form->offset};
    for (int i = 0; i < form->count; i++) {
        LinearTerm term = form->terms[i];
        if (term.coefficient > 0)
            left.terms[left.count++] = term;
        else
            right.terms[right.count++] = (LinearTerm){term.atom, -term.coefficient};
    }
    if (right.count > 0 && right.offset == 1 && (op == OP_LT || op == OP_GE)) {
        right.offset = 0;
        op = op == OP_LT ? OP_LE : OP_GT;
    }
    return scalar_raw2(pool, op, linear_scalar(pool, &left), linear_scalar(pool, &right));
}

static bool form_negate(Linear *form, int64_t shift) {
    Linear negated = {0};
    if (!linear_add_form(&negated, form, -1) || __builtin_add_overflow(negated.offset, shift, &negated.offset))
        return false;
    *form = negated;
    return true;
}

/* form < 0, or form >= 0 when `negated`. NULL: a number leaves int64. */
static const Scalar *compare_order(ScalarPool *pool, Linear *form, bool negated) {
    Verdict verdict = verdict_below_zero(linear_low(form), linear_high(form));
    if (verdict != VERDICT_OPEN)
        return scalar_bool(pool, (verdict == VERDICT_TRUE) != negated);
    int64_t g = common_factor(form);
    for (int i = 0; i < form->count; i++)
        form->terms[i].coefficient /= g;
    form->offset = floor_quotient(form->offset, g);
    if (form->terms[0].coefficient < 0) {
        /* s < 0 is not (-s - 1 < 0). */
        negated = !negated;
        if (!form_negate(form, -1))
            return NULL;
    }
    return compare_sides(pool, negated ? OP_GE : OP_LT, form);
}

static const Scalar *compare_equal(ScalarPool *pool, Linear *form, bool negated) {
    Verdict verdict = verdict_zero(linear_low(form), linear_high(form));
    int64_t g = common_factor(form);
    if (verdict == VERDICT_OPEN && form->offset % g != 0)
        verdict = VERDICT_FALSE;
    if (verdict != VERDICT_OPEN)
        return scalar_bool(pool, (verdict == VERDICT_TRUE) != negated);
    int64_t divisor = form->terms[0].coefficient < 0 ? -g : g;
    for (int i = 0; i < form->count; i++)
        form->terms[i].coefficient /= divisor;
    form->offset /= divisor;
    return compare_sides(pool, negated ? OP_NE : OP_EQ, form);
}

/* a - b as a form for `form < 0`: also a <= b, which is a - b - 1 < 0. Greater is not less or equal. */
static bool order_form(Op op, const Scalar *a, const Scalar *b, Linear *form) {
    if (!linear_of(a, form) || !linear_add(form, b, -1))
        return false;
    bool or_equal = op == OP_LE || op == OP_GT;
    return !__builtin_sub_overflow(form->offset, or_equal ? 1 : 0, &form->offset);
}

const Scalar *simplify_integer_compare(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    const Scalar *result = simplify_select_operand(pool, op, a, b);
    if (result)
        return result;
    Linear form;
    if (op == OP_EQ || op == OP_NE) {
        if (linear_of(a, &form) && linear_add(&form, b, -1))
            result = compare_equal(pool, &form, op == OP_NE);
    } else if (order_form(op, a, b, &form)) {
        result = compare_order(pool, &form, op == OP_GE || op == OP_GT);
    }
    return result ? result : scalar_raw2(pool, op, a, b);
}

/* The extent may be dynamic: the verdict holds for every n. */
static Verdict verdict_within(ScalarPool *pool, const Linear *form, Extent extent) {
    Linear above = *form;
    if (!linear_add_extent(&above, pool, extent, -1))
        return VERDICT_OPEN;
    int64_t low = linear_low(form), high = linear_high(form);
    int64_t above_low = linear_low(&above), above_high = linear_high(&above);
    if (high < 0 || above_low >= 0)
        return VERDICT_FALSE;
    return low >= 0 && above_high < 0 ? VERDICT_TRUE : VERDICT_OPEN;
}

const Scalar *scalar_within(ScalarPool *pool, const Scalar *index, Extent extent) {
    Linear form;
    Verdict verdict = linear_of(index, &form) ? verdict_within(pool, &form, extent) : VERDICT_OPEN;
    if (verdict == VERDICT_OPEN)
        return scalar_raw(pool, OP_WITHIN, &index, extent);
    return scalar_bool(pool, verdict == VERDICT_TRUE);
}

/* ---- the rest ---- */

static const Scalar *extreme_of(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    const Scalar *a_first = simplify_integer_compare(pool, op == OP_MIN ? OP_LE : OP_GE, a, b);
    if (a_first->kind == SCALAR_BOOL)
        return a_first->integer ? a : b;
    return scalar_raw_either(pool, op, a, b);
}

const Scalar *simplify_integer1(ScalarPool *pool, Op op, const Scalar *a) {
    return op == OP_NEG ? multiple_of(pool, a, -1) : scalar_raw1(pool, op, a);
}

const Scalar *simplify_integer2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    bool divides = b->kind == SCALAR_INT && b->integer > 0;
    switch (op) {
    case OP_ADD:
    case OP_SUB: return sum_of(pool, op, a, b);
    case OP_MUL: return product_of(pool, a, b);
    case OP_MIN:
    case OP_MAX: return extreme_of(pool, op, a, b);
    case OP_FLOORDIV: return divides ? floordiv_of(pool, a, b->integer) : scalar_raw2(pool, op, a, b);
    case OP_MOD: return divides ? mod_of(pool, a, b->integer) : scalar_raw2(pool, op, a, b);
    default: return scalar_raw2(pool, op, a, b);
    }
}
