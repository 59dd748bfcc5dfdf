/* Simplification keeps the value: random expressions are built twice, with the simplifying constructors and with those that intern an operation as it
 * stands, and both are evaluated by the plain tree evaluator of this file for many values of their variables. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "ir/graph.h"
#include "ir/scalar_internal.h"

/* ---- evaluation ---- */

enum { SLOTS = 4, TENSORS = 3 };

/* Slot 3 is dynamic. */
static const Extent EXTENTS[SLOTS] = {{6, 0}, {4, 0}, {35, 0}, {5, 1}};

typedef struct World {
    Arena *arena;
    Graph *graph;
    const Node *tensors[TENSORS]; /* real[35] each */
    const Node *label;            /* int[6], below 7 */
    double values[TENSORS][35];
    int64_t labels[6];
    int64_t index[SLOTS], n;
    double largest; /* magnitude of an intermediate value of the last evaluation */
    bool defined;   /* the last evaluation met no NaN, infinity or division by almost zero */
} World;

/* Rules are exact for real numbers; what differs by less is a rounding error. */
static const double ROUNDING = 1e-7;

static double eval(World *w, const Scalar *s);

static double note(World *w, double value) {
    w->defined = w->defined && isfinite(value) && fabs(value) < 1e6;
    w->largest = fmax(w->largest, fabs(value));
    return value;
}

/* -1, 0, 1, where almost equal is equal. */
static int order(double a, double b) {
    return fabs(a - b) < ROUNDING * (1 + fabs(a)) ? 0 : (a > b) - (a < b);
}

static bool holds(Op op, int order) {
    switch (op) {
    case OP_EQ: return order == 0;
    case OP_NE: return order != 0;
    case OP_LT: return order < 0;
    case OP_LE: return order <= 0;
    case OP_GT: return order > 0;
    default: return order >= 0;
    }
}

static double eval_binary(World *w, const Scalar *s) {
    double a = eval(w, s->op.arg[0]);
    if (s->op.op == OP_AND || s->op.op == OP_OR)
        return (a != 0) == (s->op.op == OP_OR) ? a : eval(w, s->op.arg[1]);
    double b = eval(w, s->op.arg[1]);
    if (op_info(s->op.op)->kind == OP_KIND_COMPARE)
        return holds(s->op.op, order(a, b));
    w->defined = w->defined && !(s->op.op == OP_DIV && fabs(b) < 1e-3);
    w->defined = w->defined && !(s->op.op == OP_POW && a < 1e-3);
    return op_fold(s->op.op, a, b);
}

static double eval_unary(World *w, const Scalar *s) {
    double a = eval(w, s->op.arg[0]);
    switch (s->op.op) {
    case OP_WITHIN: {
        Extent e = s->op.extent;
        return a >= 0 && a < (double)(e.per_sample ? e.per_sample * w->n : e.size);
    }
    case OP_FLOOR: /* constants were rounded already when the rules folded them */
        w->defined = w->defined && (a == round(a) || fabs(a - round(a)) > ROUNDING);
        return floor(a + ROUNDING);
    case OP_SIGN: return order(a, 0);
    case OP_LOG:
    case OP_SQRT: w->defined = w->defined && a > 1e-3; break;
    case OP_LOG1P: w->defined = w->defined && a > -0.999; break;
    default: break;
    }
    return op_fold(s->op.op, a, 0);
}

static double eval_load(World *w, const Scalar *s) {
    double at = eval(w, s->load.at[0]);
    assert_true(at >= 0 && at < (double)s->load.tensor->shape[0].size);
    if (s->load.tensor == w->label)
        return (double)w->labels[(int)at];
    for (int i = 0; i < TENSORS; i++)
        if (s->load.tensor == w->tensors[i])
            return w->values[i][(int)at];
    fail();
    return 0;
}

static double eval(World *w, const Scalar *s) {
    switch (s->kind) {
    case SCALAR_REAL: return s->real;
    case SCALAR_INT:
    case SCALAR_BOOL: return (double)s->integer;
    case SCALAR_INDEX: return (double)w->index[s->index.slot];
    case SCALAR_RUNTIME: return (double)w->n;
    case SCALAR_LOAD: return eval_load(w, s);
    case SCALAR_OP: break;
    }
    if (s->op.op == OP_SELECT)
        return note(w, eval(w, s->op.arg[eval(w, s->op.arg[0]) != 0 ? 1 : 2]));
    return note(w, op_info(s->op.op)->arity == 1 ? eval_unary(w, s) : eval_binary(w, s));
}

/* ---- random expressions ---- */

typedef struct Random {
    uint64_t state;
} Random;

static int64_t pick(Random *r, int64_t count) {
    r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)(r->state >> 33) % count;
}

/* The same expression, as it is and simplified. */
typedef struct Pair {
    const Scalar *raw, *simple;
} Pair;

static Pair same(const Scalar *s) {
    return (Pair){s, s};
}

static Pair op1(World *w, Op op, Pair a) {
    ScalarPool *pool = w->graph->pool;
    return (Pair){scalar_raw1(pool, op, a.raw), scalar_op1(pool, op, a.simple)};
}

static Pair op2(World *w, Op op, Pair a, Pair b) {
    ScalarPool *pool = w->graph->pool;
    return (Pair){scalar_raw2(pool, op, a.raw, b.raw), scalar_op2(pool, op, a.simple, b.simple)};
}

static Pair choose(World *w, Pair test, Pair then, Pair otherwise) {
    ScalarPool *pool = w->graph->pool;
    const Scalar *args[] = {test.raw, then.raw, otherwise.raw};
    return (Pair){scalar_raw(pool, OP_SELECT, args, (Extent){0}),
                  scalar_select(pool, test.simple, then.simple, otherwise.simple)};
}

static Pair within(World *w, Pair index, Extent extent) {
    ScalarPool *pool = w->graph->pool;
    return (Pair){scalar_raw(pool, OP_WITHIN, &index.raw, extent), scalar_within(pool, index.simple, extent)};
}

static Pair load(World *w, const Node *tensor, Pair at) {
    ScalarPool *pool = w->graph->pool;
    return (Pair){scalar_load(pool, tensor, &at.raw), scalar_load(pool, tensor, &at.simple)};
}

static Pair integer(World *w, int64_t value) {
    return same(scalar_int(w->graph->pool, value));
}

static Pair random_bool(World *w, Random *r, int depth);

static Pair random_index(World *w, Random *r) {
    int slot = (int)pick(r, SLOTS);
    return same(scalar_index(w->graph->pool, slot, EXTENTS[slot]));
}

static Pair random_int(World *w, Random *r, int depth) {
    static const Op sums[] = {OP_ADD, OP_SUB, OP_MIN, OP_MAX};
    static const int64_t divisors[] = {1, 2, 3, 4, 5, 6, 7, 12, 35};
    if (depth == 0) {
        switch (pick(r, 8)) {
        case 0:
        case 1: return integer(w, pick(r, 15) - 5);
        case 2: return same(scalar_runtime(w->graph->pool, RUNTIME_N));
        case 3: return load(w, w->label, same(scalar_index(w->graph->pool, 0, EXTENTS[0])));
        default: return random_index(w, r);
        }
    }
    Pair a = random_int(w, r, depth - 1);
    switch (pick(r, 9)) {
    case 0: return op1(w, OP_NEG, a);
    case 1: return op2(w, OP_MUL, integer(w, pick(r, 12) - 3), a);
    case 2: return op2(w, OP_MUL, a, random_int(w, r, 0));
    case 3: return op2(w, OP_FLOORDIV, a, integer(w, divisors[pick(r, 9)]));
    case 4: return op2(w, OP_MOD, a, integer(w, divisors[pick(r, 9)]));
    case 5: return choose(w, random_bool(w, r, depth - 1), a, random_int(w, r, depth - 1));
    default: return op2(w, sums[pick(r, 4)], a, random_int(w, r, depth - 1));
    }
}

static Pair random_real(World *w, Random *r, int depth);

static Op random_compare(Random *r) {
    static const Op compares[] = {OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE};
    return compares[pick(r, 6)];
}

static Pair random_bool(World *w, Random *r, int depth) {
    static const Extent extents[] = {{5, 0}, {5, 1}, {10, 2}, {28, 0}};
    if (depth == 0)
        return within(w, random_int(w, r, 1), extents[pick(r, 4)]);
    switch (pick(r, 8)) {
    case 0: return op1(w, OP_NOT, random_bool(w, r, depth - 1));
    case 1: return op2(w, OP_AND, random_bool(w, r, depth - 1), random_bool(w, r, depth - 1));
    case 2: return op2(w, OP_OR, random_bool(w, r, depth - 1), random_bool(w, r, depth - 1));
    case 3: return op2(w, random_compare(r), random_real(w, r, depth - 1), random_real(w, r, 1));
    case 4: return within(w, random_int(w, r, depth - 1), extents[pick(r, 4)]);
    case 5: return choose(w, random_bool(w, r, depth - 1), random_bool(w, r, depth - 1), random_bool(w, r, 0));
    default: return op2(w, random_compare(r), random_int(w, r, depth - 1), random_int(w, r, depth - 1));
    }
}

/* A tensor's element; guarded, where the index may leave it. */
static Pair random_load(World *w, Random *r) {
    const Node *tensor = w->tensors[pick(r, TENSORS)];
    if (pick(r, 3) != 0)
        return load(w, tensor, same(scalar_index(w->graph->pool, 2, EXTENTS[2])));
    Pair at = random_int(w, r, 2);
    return choose(w, within(w, at, EXTENTS[2]), load(w, tensor, at),
                  same(scalar_real(w->graph->pool, (double)pick(r, 2))));
}

static Pair random_leaf(World *w, Random *r) {
    static const double constants[] = {0, 1, -1, 2, 0.5, 3, -0.25, 7};
    switch (pick(r, 5)) {
    case 0: return same(scalar_real(w->graph->pool, constants[pick(r, 8)]));
    case 1: {
        Pair i = random_index(w, r);
        return (Pair){scalar_raw1(w->graph->pool, OP_TO_REAL, i.raw), scalar_to_real(w->graph->pool, i.simple)};
    }
    default: return random_load(w, r);
    }
}

static Pair random_real(World *w, Random *r, int depth) {
    static const Op functions[] = {OP_NEG, OP_NEG, OP_EXP,   OP_LOG,  OP_SQRT,  OP_TANH,  OP_ABS, OP_SIGMOID,
                                   OP_SIN, OP_COS, OP_FLOOR, OP_SIGN, OP_EXPM1, OP_LOG1P, OP_ERF, OP_LOG1PEXP};
    static const double powers[] = {0, 1, 2, 3, 4, 0.5, -0.5, -1, -2, 1.7};
    if (depth == 0)
        return random_leaf(w, r);
    Pair a = random_real(w, r, depth - 1);
    Pair b = pick(r, 4) == 0 ? a : random_real(w, r, (int)pick(r, depth));
    switch (pick(r, 16)) {
    case 0:
    case 1:
    case 2: return op1(w, functions[pick(r, 16)], a);
    case 3: return op2(w, OP_POW, a, same(scalar_real(w->graph->pool, powers[pick(r, 10)])));
    case 4: return op2(w, pick(r, 2) ? OP_MIN : OP_MAX, a, b);
    case 5:
    case 6: return choose(w, random_bool(w, r, 1), a, pick(r, 2) ? b : random_leaf(w, r));
    case 7:
    case 8: return op2(w, OP_ADD, a, b);
    case 9:
    case 10: return op2(w, OP_SUB, a, b);
    case 11:
    case 12: return op2(w, OP_DIV, a, b);
    default: return op2(w, OP_MUL, a, b);
    }
}

/* Formulas of few kinds of operations on few operands, so that the rules for products, quotients and exponentials find their patterns. */
static Pair random_formula(World *w, Random *r, int depth) {
    static const double constants[] = {2, 0.5, 3, -1, 1, -0.75};
    if (depth == 0) {
        const Node *tensor = w->tensors[pick(r, 2)];
        return pick(r, 5) == 0 ? same(scalar_real(w->graph->pool, constants[pick(r, 6)]))
                               : load(w, tensor, same(scalar_index(w->graph->pool, 2, EXTENTS[2])));
    }
    static const Op functions[] = {OP_NEG, OP_EXP, OP_LOG, OP_LOG, OP_SQRT, OP_SIGMOID};
    Pair a = random_formula(w, r, depth - 1);
    switch (pick(r, 10)) {
    case 0:
    case 1:
    case 2: return op1(w, functions[pick(r, 6)], a);
    case 3: return op2(w, OP_ADD, a, same(scalar_real(w->graph->pool, constants[pick(r, 6)])));
    case 4: return op2(w, pick(r, 2) ? OP_ADD : OP_SUB, a, random_formula(w, r, depth - 1));
    case 5:
    case 6: return op2(w, OP_MUL, a, random_formula(w, r, (int)pick(r, depth)));
    case 7: return op2(w, OP_MUL, random_formula(w, r, (int)pick(r, depth)), a);
    case 8: return op2(w, OP_DIV, a, random_formula(w, r, (int)pick(r, depth)));
    default: return op2(w, OP_DIV, random_formula(w, r, (int)pick(r, depth)), a);
    }
}

/* ---- the property ---- */

static void world_randomise(World *w, Random *r) {
    w->n = 1 + pick(r, 5);
    for (int i = 0; i < SLOTS; i++)
        w->index[i] = pick(r, EXTENTS[i].per_sample ? w->n : EXTENTS[i].size);
    for (int i = 0; i < TENSORS * 35; i++)
        w->values[i / 35][i % 35] = (double)(pick(r, 4000) - 1000) / 1013.0;
    for (int i = 0; i < 6; i++)
        w->labels[i] = pick(r, 7);
}

static void check_pair(World *w, Random *r, Pair pair, double tolerance) {
    for (int trial = 0; trial < 20; trial++) {
        world_randomise(w, r);
        w->largest = 1;
        w->defined = true;
        double raw = eval(w, pair.raw), largest = w->largest;
        if (!w->defined)
            continue;
        double simple = eval(w, pair.simple);
        if (!w->defined) /* members of && and || change places */
            continue;
        if (!(fabs(raw - simple) <= tolerance * largest)) {
            Text *text = text_new(w->arena);
            scalar_print(pair.raw, NULL, text);
            text_add(text, "\n  became  ");
            scalar_print(pair.simple, NULL, text);
            text_printf(text, "\n  values  %.17g  %.17g", raw, simple);
            fail_msg("%s", text_get(text));
        }
        if (pair.simple->type == TYPE_INT) {
            Range range = scalar_range(pair.simple);
            assert_true((double)range.low <= simple && simple <= (double)range.high);
        }
    }
}

static World *world_new(void) {
    Arena *arena = arena_new((ArenaFailure){0});
    World *w = arena_one(arena, World);
    w->arena = arena;
    w->graph = graph_new(arena, "test");
    static const char *const names[TENSORS] = {"x", "y", "z"};
    for (int i = 0; i < TENSORS; i++)
        w->tensors[i] = graph_param(w->graph, 1, &EXTENTS[2], (Origin){.name = names[i]});
    w->label = graph_input(w->graph, TYPE_INT, 1, &EXTENTS[0], true, 7, (Origin){.name = "label"});
    return w;
}

typedef Pair Generator(World *w, Random *r, int depth);

static void check_many(Generator *generate, int depth, int count, double tolerance) {
    Random r = {20};
    for (int round = 0; round < 20; round++) {
        World *w = world_new();
        for (int i = 0; i < count / 20; i++)
            check_pair(w, &r, generate(w, &r, 1 + (int)pick(&r, depth)), tolerance);
        arena_free(w->arena);
    }
}

static void integers_keep_their_value(void **state) {
    (void)state;
    check_many(random_int, 5, 10000, 0);
}

static void bools_keep_their_value(void **state) {
    (void)state;
    check_many(random_bool, 4, 10000, 0);
}

static void reals_keep_their_value(void **state) {
    (void)state;
    check_many(random_real, 5, 10000, 1e-6);
}

static void formulas_keep_their_value(void **state) {
    (void)state;
    check_many(random_formula, 5, 20000, 1e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_keep_their_value),
        cmocka_unit_test(bools_keep_their_value),
        cmocka_unit_test(reals_keep_their_value),
        cmocka_unit_test(formulas_keep_their_value),
    };
    return cmocka_run_group_tests_name("simplify", tests, NULL, NULL);
}
