/* Scalars: sharing, the rules of reals and conditions one by one, rewriting, analyses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "base/text.h"
#include "ir/graph.h"

/* Real tensors x, y, z and an integer tensor `label`, all indexed by i of 28; a guard on i, a guard on j, and a test of data. */
typedef struct Setup {
    Arena *arena;
    Graph *graph;
    ScalarPool *pool;
    const Scalar *i, *j, *x, *y, *z, *label, *guard, *other, *data;
} Setup;

static const Extent SIZE = {28, 0};

static const Scalar *element(Setup *s, const char *name) {
    return scalar_load(s->pool, graph_param(s->graph, 1, &SIZE, (Origin){.name = name}), &s->i);
}

static const Scalar *integer(Setup *s, int64_t value) {
    return scalar_int(s->pool, value);
}

static const Scalar *real(Setup *s, double value) {
    return scalar_real(s->pool, value);
}

static const Scalar *op1(Setup *s, Op op, const Scalar *a) {
    return scalar_op1(s->pool, op, a);
}

static const Scalar *op2(Setup *s, Op op, const Scalar *a, const Scalar *b) {
    return scalar_op2(s->pool, op, a, b);
}

static const Scalar *choose(Setup *s, const Scalar *test, const Scalar *then, const Scalar *otherwise) {
    return scalar_select(s->pool, test, then, otherwise);
}

static int setup(void **state) {
    static Setup s;
    s.arena = arena_new((ArenaFailure){0});
    s.graph = graph_new(s.arena, "test");
    s.pool = s.graph->pool;
    s.i = scalar_index(s.pool, 0, SIZE);
    s.j = scalar_index(s.pool, 1, SIZE);
    s.x = element(&s, "x");
    s.y = element(&s, "y");
    s.z = element(&s, "z");
    const Node *label = graph_input(s.graph, TYPE_INT, 1, &SIZE, true, 10, (Origin){.name = "label"});
    s.label = scalar_load(s.pool, label, &s.i);
    s.guard = scalar_within(s.pool, op2(&s, OP_SUB, s.i, integer(&s, 1)), SIZE);
    s.other = scalar_within(s.pool, op2(&s, OP_SUB, s.j, integer(&s, 1)), SIZE);
    s.data = op2(&s, OP_GT, s.x, real(&s, 0));
    *state = &s;
    return 0;
}

static int teardown(void **state) {
    arena_free(((Setup *)*state)->arena);
    return 0;
}

static void assert_text(Setup *s, const Scalar *scalar, const char *expected) {
    Text *text = text_new(s->arena);
    scalar_print(scalar, NULL, text);
    assert_string_equal(text_get(text), expected);
}

/* ---- sharing ---- */

static void equal_is_identical(void **state) {
    Setup *s = *state;
    assert_ptr_equal(real(s, 0.5), real(s, 0.5));
    assert_ptr_equal(real(s, -0.0), real(s, 0.0));
    assert_ptr_not_equal((const void *)real(s, 1), (const void *)integer(s, 1));
    assert_ptr_equal(scalar_index(s->pool, 0, SIZE), s->i);
    assert_ptr_not_equal(scalar_index(s->pool, 0, (Extent){28, 1}), s->i);
    assert_ptr_equal(op2(s, OP_MUL, s->x, s->y), op2(s, OP_MUL, s->y, s->x));
    assert_ptr_equal(op2(s, OP_ADD, s->x, s->y), op2(s, OP_ADD, s->y, s->x));
    assert_ptr_not_equal(op2(s, OP_MAX, s->x, s->y), op2(s, OP_MAX, s->y, s->x));
    assert_ptr_not_equal(op2(s, OP_SUB, s->x, s->y), op2(s, OP_SUB, s->y, s->x));
    assert_int_equal(s->x->slots, 1);
    assert_true(s->x->has_load && !s->i->has_load);
    assert_ptr_equal(scalar_index(s->pool, 3, (Extent){1, 1}), integer(s, 0));
}

/* ---- rules ---- */

static void rules_of_sums(void **state) {
    Setup *s = *state;
    const Scalar *x = s->x, *y = s->y, *minus_x = op1(s, OP_NEG, x), *minus_y = op1(s, OP_NEG, y);
    const Scalar *half = real(s, 0.5);
    assert_text(s, op2(s, OP_ADD, half, x), "x[i0] + 0.5");
    assert_text(s, op2(s, OP_ADD, x, real(s, -1)), "x[i0] - 1.0");
    assert_text(s, op2(s, OP_ADD, op2(s, OP_ADD, x, half), half), "x[i0] + 1.0");
    assert_text(s, op2(s, OP_SUB, half, op2(s, OP_SUB, half, x)), "x[i0]");
    assert_text(s, op2(s, OP_SUB, real(s, 0), x), "-x[i0]");
    assert_text(s, op2(s, OP_ADD, x, minus_y), "x[i0] - y[i0]");
    assert_text(s, op2(s, OP_ADD, minus_x, y), "y[i0] - x[i0]");
    assert_text(s, op2(s, OP_SUB, minus_x, y), "-(x[i0] + y[i0])");
    assert_text(s, op2(s, OP_ADD, minus_x, half), "0.5 - x[i0]");
    assert_text(s, op2(s, OP_ADD, x, x), "2.0 * x[i0]");
    assert_text(s, op2(s, OP_SUB, x, op2(s, OP_MUL, real(s, 3), x)), "-2.0 * x[i0]");
    assert_text(s, op2(s, OP_SUB, x, x), "0.0");
    assert_text(s, op2(s, OP_SUB, op2(s, OP_ADD, op2(s, OP_ADD, x, y), s->z), y), "x[i0] + z[i0]");
    assert_text(s, op2(s, OP_ADD, op2(s, OP_SUB, x, y), y), "x[i0]");
    assert_text(s, op2(s, OP_SUB, y, op2(s, OP_ADD, x, y)), "-x[i0]");
    assert_text(s, op1(s, OP_NEG, op2(s, OP_SUB, x, y)), "y[i0] - x[i0]");
    assert_text(s, op1(s, OP_NEG, minus_x), "x[i0]");
    const Scalar *a = op2(s, OP_DIV, x, s->z), *b = op2(s, OP_DIV, y, s->z);
    assert_text(s, op2(s, OP_SUB, a, b), "(x[i0] - y[i0]) / z[i0]");
}

static void rules_of_products(void **state) {
    Setup *s = *state;
    const Scalar *x = s->x, *y = s->y, *z = s->z, *xy = op2(s, OP_MUL, x, y);
    const Scalar *two = real(s, 2), *three = real(s, 3);
    assert_text(s, op2(s, OP_MUL, x, real(s, 0)), "0.0");
    assert_text(s, op2(s, OP_MUL, real(s, -1), x), "-x[i0]");
    assert_text(s, op2(s, OP_MUL, op2(s, OP_MUL, x, two), op2(s, OP_MUL, y, three)), "6.0 * (x[i0] * y[i0])");
    assert_text(s, op2(s, OP_MUL, op1(s, OP_NEG, x), y), "-(x[i0] * y[i0])");
    assert_text(s, op2(s, OP_DIV, x, two), "0.5 * x[i0]");
    assert_text(s, op2(s, OP_DIV, x, three), "x[i0] / 3.0");
    assert_text(s, op2(s, OP_MUL, three, op2(s, OP_DIV, x, three)), "x[i0]");
    assert_text(s, op2(s, OP_DIV, xy, x), "y[i0]");
    assert_text(s, op2(s, OP_DIV, x, xy), "1.0 / y[i0]");
    assert_text(s, op2(s, OP_DIV, xy, op2(s, OP_MUL, x, z)), "y[i0] / z[i0]");
    assert_text(s, op2(s, OP_MUL, x, op2(s, OP_DIV, y, x)), "y[i0]");
    assert_text(s, op2(s, OP_MUL, x, op2(s, OP_DIV, real(s, 1), y)), "x[i0] / y[i0]");
    assert_text(s, op2(s, OP_DIV, op2(s, OP_DIV, x, y), z), "x[i0] / (y[i0] * z[i0])");
    assert_text(s, op2(s, OP_DIV, x, op2(s, OP_DIV, y, z)), "x[i0] * z[i0] / y[i0]");
    const Scalar *exp_minus_x = op1(s, OP_EXP, op1(s, OP_NEG, x));
    const Scalar *logistic = op2(s, OP_DIV, two, op2(s, OP_ADD, real(s, 1), exp_minus_x));
    assert_text(s, logistic, "2.0 * sigmoid(x[i0])");
}

static void rules_of_mixtures(void **state) {
    Setup *s = *state;
    const Scalar *x = s->x, *t = s->y, *one = real(s, 1);
    const Scalar *p = op1(s, OP_SIGMOID, x), *q = op1(s, OP_SIGMOID, op1(s, OP_NEG, x));
    const Scalar *not_t = op2(s, OP_SUB, one, t), *not_p = op2(s, OP_SUB, one, p);
    assert_text(s, op2(s, OP_SUB, op2(s, OP_MUL, not_t, p), op2(s, OP_MUL, t, not_p)), "sigmoid(x[i0]) - y[i0]");
    assert_text(s, op2(s, OP_SUB, op2(s, OP_MUL, t, q), op2(s, OP_MUL, p, not_t)), "y[i0] - sigmoid(x[i0])");
    assert_text(s, op2(s, OP_ADD, op2(s, OP_MUL, t, p), op2(s, OP_MUL, t, not_p)), "y[i0]");
    assert_text(s, op2(s, OP_ADD, op2(s, OP_MUL, t, p), op2(s, OP_MUL, x, not_p)),
                "y[i0] * sigmoid(x[i0]) + x[i0] * (1.0 - sigmoid(x[i0]))");
}

static void rules_of_logistic_functions(void **state) {
    Setup *s = *state;
    const Scalar *x = s->x, *one = real(s, 1), *exp_x = op1(s, OP_EXP, x), *p = op1(s, OP_SIGMOID, x);
    assert_text(s, op1(s, OP_LOG, op2(s, OP_ADD, one, exp_x)), "log1pexp(x[i0])");
    assert_text(s, op1(s, OP_LOG1P, exp_x), "log1pexp(x[i0])");
    assert_text(s, op1(s, OP_LOG, p), "-log1pexp(-x[i0])");
    assert_text(s, op1(s, OP_LOG, op2(s, OP_SUB, one, p)), "-log1pexp(x[i0])");
    assert_text(s, op1(s, OP_LOG1P, op1(s, OP_NEG, p)), "-log1pexp(x[i0])");
    assert_text(s, op1(s, OP_LOG, op2(s, OP_ADD, one, x)), "log(x[i0] + 1.0)");
}

static void rules_of_functions(void **state) {
    Setup *s = *state;
    const Scalar *x = s->x, *y = s->y;
    assert_text(s, op1(s, OP_EXP, real(s, 0)), "1.0");
    assert_text(s, op2(s, OP_SUB, op1(s, OP_EXP, x), real(s, 1)), "expm1(x[i0])");
    assert_text(s, op2(s, OP_SUB, real(s, 1), op1(s, OP_EXP, x)), "-expm1(x[i0])");
    assert_text(s, op2(s, OP_ADD, op1(s, OP_EXPM1, x), real(s, 1)), "exp(x[i0])");
    assert_text(s, op2(s, OP_SUB, real(s, 1), op2(s, OP_POW, real(s, 2), x)), "-expm1(0.6931471805599453 * x[i0])");
    assert_text(s, op1(s, OP_LOG, real(s, 0)), "log(0.0)");
    assert_text(s, op1(s, OP_LOG, op1(s, OP_EXP, x)), "x[i0]");
    const Scalar *exp_x = op1(s, OP_EXP, x);
    assert_text(s, op1(s, OP_LOG, op2(s, OP_DIV, exp_x, y)), "x[i0] - log(y[i0])");
    assert_text(s, op1(s, OP_LOG, op2(s, OP_DIV, y, exp_x)), "log(y[i0]) - x[i0]");
    assert_text(s, op1(s, OP_LOG, op2(s, OP_MUL, y, exp_x)), "log(y[i0]) + x[i0]");
    assert_text(s, op2(s, OP_POW, x, real(s, 2)), "x[i0] * x[i0]");
    assert_text(s, op2(s, OP_POW, x, real(s, -1)), "1.0 / x[i0]");
    assert_text(s, op2(s, OP_POW, x, real(s, 0.5)), "sqrt(x[i0])");
    assert_text(s, op2(s, OP_POW, x, real(s, 2.5)), "pow(x[i0], 2.5)");
    assert_text(s, op1(s, OP_SQRT, op2(s, OP_MUL, x, x)), "abs(x[i0])");
    assert_text(s, op2(s, OP_MAX, op2(s, OP_MAX, x, real(s, 0)), real(s, 1)), "max(x[i0], 1.0)");
}

/* Whatever the number is, the index lies in 0..n-1. */
static void indices_of_reals(void **state) {
    Setup *s = *state;
    const Scalar *five = integer(s, 5), *index = scalar_op2(s->pool, OP_TO_INDEX, s->x, five);
    assert_text(s, index, "to_index(x[i0], 5)");
    assert_int_equal(index->type, TYPE_INT);
    assert_int_equal(scalar_range(index).low, 0);
    assert_int_equal(scalar_range(index).high, 4);
    assert_ptr_equal(scalar_within(s->pool, index, (Extent){5, 0}), scalar_bool(s->pool, true));
    assert_ptr_equal(scalar_op2(s->pool, OP_TO_INDEX, s->x, integer(s, 1)), integer(s, 0));
    static const double values[][2] = {{-3, 0}, {0.5, 0}, {1, 1}, {3.9, 3}, {4.9, 4}, {5, 4}, {1e300, 4}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_ptr_equal(scalar_op2(s->pool, OP_TO_INDEX, real(s, values[i][0]), five),
                         integer(s, (int64_t)values[i][1]));
    assert_ptr_equal(scalar_op2(s->pool, OP_TO_INDEX, real(s, NAN), five), integer(s, 0));
    assert_ptr_equal(scalar_op2(s->pool, OP_TO_INDEX, real(s, INFINITY), five), integer(s, 4));
    /* An integer is clamped only where it can leave. */
    const Scalar *i = scalar_to_real(s->pool, s->i);
    assert_ptr_equal(scalar_op2(s->pool, OP_TO_INDEX, i, integer(s, 28)), s->i);
    assert_text(s, scalar_op2(s->pool, OP_TO_INDEX, i, five), "min(i0, 4)");
}

static void rules_of_guards(void **state) {
    Setup *s = *state;
    const Scalar *zero = real(s, 0), *guarded = choose(s, s->guard, s->x, zero);
    assert_text(s, op2(s, OP_MUL, guarded, s->y), "select(within(i0 - 1, 28), x[i0] * y[i0], 0.0)");
    assert_text(s, op2(s, OP_DIV, guarded, s->y), "select(within(i0 - 1, 28), x[i0] / y[i0], 0.0)");
    assert_text(s, op1(s, OP_NEG, guarded), "select(within(i0 - 1, 28), -x[i0], 0.0)");
    assert_text(s, op1(s, OP_EXP, guarded), "select(within(i0 - 1, 28), exp(x[i0]), 1.0)");
    assert_text(s, op2(s, OP_ADD, guarded, choose(s, s->guard, s->y, zero)),
                "select(within(i0 - 1, 28), x[i0] + y[i0], 0.0)");
    assert_text(s, op2(s, OP_MUL, guarded, choose(s, s->other, s->y, zero)),
                "select(within(i0 - 1, 28) && within(i1 - 1, 28), x[i0] * y[i0], 0.0)");
    /* A pure guard comes above a test of data, from either side. */
    assert_text(s, choose(s, s->data, guarded, zero),
                "select(within(i0 - 1, 28), select(x[i0] > 0.0, x[i0], 0.0), 0.0)");
    assert_ptr_equal(choose(s, s->guard, choose(s, s->data, s->x, zero), zero), choose(s, s->data, guarded, zero));
    assert_text(s, choose(s, s->guard, choose(s, s->guard, s->x, s->y), s->z),
                "select(within(i0 - 1, 28), x[i0], z[i0])");
    assert_text(s, choose(s, op1(s, OP_NOT, s->guard), s->x, s->y), "select(within(i0 - 1, 28), y[i0], x[i0])");
    /* i0 is below 28, so that it leaves the first 20 on one side only. */
    assert_text(s, choose(s, scalar_within(s->pool, s->i, (Extent){.size = 20}), zero, s->x),
                "select(within(i0 - 20, 8), x[i0], 0.0)");
    const Scalar *is_class = op2(s, OP_EQ, s->label, s->j);
    assert_text(s, choose(s, is_class, zero, s->x), "select(i1 != label[i0], x[i0], 0.0)");
    assert_text(s, scalar_to_real(s->pool, is_class), "select(i1 == label[i0], 1.0, 0.0)");
}

static void rules_of_logic(void **state) {
    Setup *s = *state;
    const Scalar *a = s->guard, *b = s->other, *not_a = op1(s, OP_NOT, a);
    assert_ptr_equal(op2(s, OP_AND, op2(s, OP_AND, a, b), a), op2(s, OP_AND, b, a));
    assert_text(s, op2(s, OP_AND, op2(s, OP_AND, a, b), not_a), "false");
    assert_text(s, op2(s, OP_OR, not_a, a), "true");
    assert_ptr_equal(op1(s, OP_NOT, not_a), a);
    assert_text(s, op1(s, OP_NOT, op2(s, OP_LT, s->i, s->j)), "i0 >= i1");
    assert_text(s, op1(s, OP_NOT, s->data), "!(x[i0] > 0.0)");
    assert_text(s, op2(s, OP_LT, real(s, 0), s->x), "x[i0] > 0.0");
    assert_text(s, op2(s, OP_LT, s->label, integer(s, 10)), "true");
    assert_text(s, op2(s, OP_LT, scalar_to_real(s->pool, s->i), real(s, 2.5)), "i0 < 3");
    assert_text(s, choose(s, a, scalar_bool(s->pool, true), b), "within(i0 - 1, 28) || within(i1 - 1, 28)");
}

/* ---- rewriting ---- */

static void substitution_is_simultaneous(void **state) {
    Setup *s = *state;
    const Scalar *sum = op2(s, OP_ADD, op2(s, OP_MUL, integer(s, 3), s->i), s->j);
    const Scalar *swap[] = {s->j, s->i};
    assert_text(s, scalar_substitute(s->pool, sum, swap, 2), "i0 + 3 * i1");
    const Scalar *first[] = {integer(s, 5)};
    assert_text(s, scalar_substitute(s->pool, sum, first, 1), "i1 + 15");
    assert_ptr_equal(scalar_substitute(s->pool, s->guard, first, 1), scalar_bool(s->pool, true));
}

typedef struct Counter {
    Setup *setup;
    int calls;
} Counter;

static const Scalar *replace_x(void *context, const Scalar *load, const Scalar *const *at) {
    Counter *counter = context;
    counter->calls++;
    (void)at;
    return load == counter->setup->x ? real(counter->setup, 1) : NULL;
}

/* x -> x*x*x... sixty times over: a tree of 2^60 nodes. */
static const Scalar *deep_square(Setup *s) {
    const Scalar *square = s->x;
    for (int i = 0; i < 60; i++)
        square = op2(s, OP_MUL, square, op2(s, OP_ADD, square, s->y));
    return square;
}

static void rewriting_visits_shared_parts_once(void **state) {
    Setup *s = *state;
    Counter counter = {s, 0};
    const Scalar *deep = deep_square(s);
    const Scalar *result = scalar_rewrite(s->pool, deep, (ScalarRewrite){.load = replace_x, .context = &counter});
    assert_ptr_not_equal(result, deep);
    assert_int_equal(counter.calls, 2);
    assert_int_equal(scalar_flops(deep), 120);
}

static void collect(void *context, const Scalar *load) {
    text_printf(context, "%s ", load->load.tensor->origin.name);
}

static void loads_in_order(void **state) {
    Setup *s = *state;
    const Node *table = graph_param(s->graph, 1, (Extent[]){{10, 0}}, (Origin){.name = "table"});
    const Scalar *gathered = scalar_load(s->pool, table, &s->label);
    Text *text = text_new(s->arena);
    scalar_each_load(s->arena, op2(s, OP_MUL, op2(s, OP_ADD, s->y, gathered), s->y), collect, text);
    assert_string_equal(text_get(text), "y label table ");
}

static void flops_of_selects(void **state) {
    Setup *s = *state;
    const Scalar *cheap = op2(s, OP_MUL, s->x, s->y), *dear = op1(s, OP_EXP, s->y);
    int64_t exp_flops = op_info(OP_EXP)->flops;
    /* The test, the choice and the dearer branch. */
    assert_int_equal(scalar_flops(choose(s, s->data, cheap, dear)), 1 + 1 + exp_flops);
    assert_int_equal(scalar_flops(choose(s, s->guard, cheap, real(s, 0))), 1);
    assert_int_equal(scalar_flops(op2(s, OP_ADD, dear, op2(s, OP_MUL, dear, s->x))), exp_flops + 2);
}

/* ---- operations ---- */

static void table_of_operations(void **state) {
    (void)state;
    Op op;
    assert_true(op_by_spelling("sigmoid", &op));
    assert_int_equal(op, OP_SIGMOID);
    assert_false(op_by_spelling("softmax", &op));
    assert_int_equal(op_info(OP_SELECT)->arity, 3);
    assert_true(op_fold(OP_POW, 2, 3) == 8 && op_fold(OP_AND, 1, 0) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_is_identical, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_sums, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_products, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_mixtures, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_logistic_functions, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_functions, setup, teardown),
        cmocka_unit_test_setup_teardown(indices_of_reals, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_guards, setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_logic, setup, teardown),
        cmocka_unit_test_setup_teardown(substitution_is_simultaneous, setup, teardown),
        cmocka_unit_test_setup_teardown(rewriting_visits_shared_parts_once, setup, teardown),
        cmocka_unit_test_setup_teardown(loads_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(flops_of_selects, setup, teardown),
        cmocka_unit_test(table_of_operations),
    };
    return cmocka_run_group_tests_name("scalar", tests, NULL, NULL);
}
