#include <math.h>

#include "loop/loop_make.h"
#include "loop/lower_internal.h"
#include "plan/lanes.h"

/* 1 / d as two factors. Where |d| is extreme, 1 / d is no number of full precision, or none at all, though x / d may be one: so
 * `scale` is the power of 2 that brings d near 1, and (x * scale) * reciprocal overflows and vanishes just where x / d does. */
typedef struct Inverse {
    const LoopExpr *scale; /* NULL: 1 */
    const LoopExpr *reciprocal;
} Inverse;

/* Divisors between 1 / extreme and extreme need no scale. */
static double extreme(const Lowering *l) {
    return l->kernel->entry->graph->real_is_double ? 0x1p512 : 0x1p64;
}

static bool is_moderate(const Lowering *l, const Scalar *divisor) {
    if (divisor->kind == SCALAR_REAL)
        return fabs(divisor->real) >= 1 / extreme(l) && fabs(divisor->real) <= extreme(l);
    return scalar_is_op(divisor, OP_TO_REAL) && scalar_range(divisor->op.arg[0]).low >= 1;
}

bool lower_has_inverse(const Lowering *l, const Scalar *s) {
    const Scalar *divisor = s->op.arg[1];
    if (s->op.op != OP_DIV || s->type != TYPE_REAL || !lower_depends(s, l->long_slot) ||
        lower_depends(divisor, l->long_slot) || lower_is_exact(l, s))
        return false;
    bool constant = divisor->kind == SCALAR_REAL;
    return constant ? is_moderate(l, divisor)
                    : (divisor->slots & l->tiled) == 0 && !has_unsafe_load(lower_arena(l), l->kernel->pool, divisor);
}

static const LoopExpr *real_like(Arena *arena, const LoopExpr *other, double value) {
    const LoopExpr *real = expr_real(arena, value);
    return other->vector ? expr_splat(arena, real) : real;
}

static const LoopExpr *real_product(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    bool vector = a->vector || b->vector;
    return expr_op(arena, OP_MUL, TYPE_REAL, vector ? lower_vector(arena, a) : a, vector ? lower_vector(arena, b) : b,
                   NULL);
}

static const LoopExpr *scale_of(const Lowering *l, const LoopExpr *divisor) {
    Arena *arena = lower_arena(l);
    const double large = extreme(l), small = 1 / large;
    const LoopExpr *size = expr_op(arena, OP_ABS, TYPE_REAL, divisor, NULL, NULL);
    const LoopExpr *is_small = expr_op(arena, OP_LT, TYPE_BOOL, size, real_like(arena, divisor, small), NULL);
    const LoopExpr *is_large = expr_op(arena, OP_GT, TYPE_BOOL, size, real_like(arena, divisor, large), NULL);
    const LoopExpr *scale =
        expr_op(arena, OP_SELECT, TYPE_REAL, is_large, real_like(arena, divisor, small), real_like(arena, divisor, 1));
    return expr_op(arena, OP_SELECT, TYPE_REAL, is_small, real_like(arena, divisor, large), scale);
}

static const Inverse *find_inverse(const Lowering *l, const Scalar *divisor) {
    const Inverse *inverse = NULL;
    for (const Scope *scope = l->kernel->scope; scope && !inverse; scope = scope->parent)
        inverse = pointer_map_get(scope->inverses, divisor);
    return inverse;
}

static const Inverse *make_inverse(Lowering *l, const Scalar *quotient) {
    Arena *arena = lower_arena(l);
    const Scalar *divisor = quotient->op.arg[1];
    Scope *home = lower_home(l, divisor);
    const LoopExpr *value = lower_arg(l, quotient, divisor);
    if (value->kind != LOOP_VAR)
        value = kernel_declare(l->kernel, home, "divisor", value);
    Inverse *inverse = arena_one(arena, Inverse);
    if (!is_moderate(l, divisor)) {
        inverse->scale = kernel_declare(l->kernel, home, "scale", scale_of(l, value));
        value = real_product(arena, value, inverse->scale);
    }
    const LoopExpr *reciprocal = expr_op(arena, OP_DIV, TYPE_REAL, real_like(arena, value, 1), value, NULL);
    inverse->reciprocal = kernel_declare(l->kernel, home, "inverse", reciprocal);
    pointer_map_put(home->inverses, divisor, inverse);
    return inverse;
}

const LoopExpr *lower_quotient(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    const LoopExpr *x = lower_arg(l, s, s->op.arg[0]);
    if (s->op.arg[1]->kind == SCALAR_REAL)
        return real_product(arena, x, expr_real(arena, 1 / s->op.arg[1]->real));
    const Inverse *inverse = find_inverse(l, s->op.arg[1]);
    inverse = inverse ? inverse : make_inverse(l, s);
    if (inverse->scale)
        x = real_product(arena, x, inverse->scale);
    return real_product(arena, x, inverse->reciprocal);
}
