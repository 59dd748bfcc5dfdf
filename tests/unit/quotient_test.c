/* Quotients by what does not change along a row: products with a reciprocal, for every divisor that there is. */
#include "support/plan_fixture.h"

static const double divisors[] = {3, -7, 0, 0x1p-1074, -3e-310, 1e-160, 0x1p-512, 1e155, -1e308, INFINITY, NAN};
static const double dividends[] = {0, -0x1p-1074, 3e-310, 1e-300, 1, -3, 1e300, -1.7e308, INFINITY, NAN};

enum { B = sizeof divisors / sizeof *divisors, N = sizeof dividends / sizeof *dividends };

typedef struct Operands {
    const Node *x, *t;
    double dividend[B * 75], divisor[B];
} Operands;

static const double *give_operand(void *context, const Node *leaf) {
    const Operands *operands = context;
    return leaf == operands->x ? operands->dividend : operands->divisor;
}

static const double *give_values(void *context, const Node *leaf) {
    (void)leaf;
    return context;
}

/* y[b, c] = x[b, c] / t[b] */
static Fixture new_quotients(int columns, Operands *operands) {
    Fixture f = new_fixture(size(B));
    f.g->real_is_double = true;
    Extent C = size(columns);
    operands->x = input(&f, "x", SHAPE(size(B), C));
    operands->t = input(&f, "t", SHAPE(size(B)));
    for (int b = 0; b < B; b++) {
        operands->divisor[b] = divisors[b];
        for (int c = 0; c < columns; c++)
            operands->dividend[b * columns + c] = dividends[c % N];
    }
    const Scalar *b = at(&f, 0, size(B)), *c = at(&f, 1, C);
    const Scalar *quotient = op2(&f, OP_DIV, LOAD(&f, operands->x, b, c), LOAD(&f, operands->t, b));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
               graph_expr(f.g, SHAPE(size(B), C), REDUCE_NONE, 0, NULL, quotient, named("y")));
    return f;
}

/* Within two units in the last place; `exact`: without an error. */
static bool is_near(double got, double expected, bool exact) {
    if (isnan(expected) || isinf(expected) || exact)
        return isnan(expected) ? isnan(got) : got == expected;
    return fabs(got - expected) <= 2 * fmax(0x1p-1074, fabs(expected) * 0x1p-53);
}

static void check_quotients(int columns, bool exact) {
    Operands operands;
    Fixture f = new_quotients(columns, &operands);
    LoopProgram *program = compile(&f, target_by_name("avx512")).program;
    for (int lanes = 1; lanes <= 8; lanes *= 2) {
        LoopRun run = {.lanes = lanes, .n = 1, .seed = 1, .leaf = give_operand, .context = &operands};
        const double *y = loop_result(loop_run(f.arena, program, ENTRY_PREDICT, &run), BUFFER_OUTPUT, 0);
        for (int i = 0; i < B * columns; i++) {
            double x = operands.dividend[i], t = divisors[i / columns];
            if (!is_near(y[i], x / t, exact))
                fail_msg("%a / %a is %a, not %a (lanes %d)", x, t, x / t, y[i], lanes);
        }
    }
    arena_free(f.arena);
}

static void test_long_rows(void **state) {
    (void)state;
    check_quotients(75, false);
}

static void test_short_rows(void **state) {
    (void)state;
    check_quotients(20, true);
}

/* A constant, the number of samples, an expression. */
static void test_other_divisors(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){20, 1});
    Extent batch = f.g->batch, C = size(75);
    const Node *x = input(&f, "x", SHAPE(batch, C));
    const Scalar *b = at(&f, 0, batch), *c = at(&f, 1, C), *load = LOAD(&f, x, b, c);
    const Scalar *bodies[] = {
        op2(&f, OP_DIV, load, scalar_real(f.g->pool, 3)),
        op2(&f, OP_DIV, load, scalar_to_real(f.g->pool, scalar_runtime(f.g->pool, RUNTIME_N))),
        op2(&f, OP_DIV, load, op2(&f, OP_ADD, scalar_real(f.g->pool, 2), LOAD(&f, x, b, scalar_int(f.g->pool, 4)))),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
                   graph_expr(f.g, SHAPE(batch, C), REDUCE_NONE, 0, NULL, bodies[i], named("y")));
    check(&f);
}

/* The whole steps in x are those of x / step, to the last bit: floor(x / step), and x - step * floor(x / step), beside x / step itself. */
static void test_rounded_down(void **state) {
    (void)state;
    enum { COUNT = 4096 };
    const double step = 49;
    Fixture f = new_fixture(size(4));
    ScalarPool *pool = f.g->pool;
    f.g->real_is_double = true;
    Extent I = size(COUNT);
    const Node *x = input(&f, "x", SHAPE(I));
    const Scalar *load = LOAD(&f, x, at(&f, 0, I)), *divisor = scalar_real(pool, step);
    const Node *quotient = graph_expr(f.g, SHAPE(I), REDUCE_NONE, 0, NULL, op2(&f, OP_DIV, load, divisor), named("q"));
    const Scalar *whole = scalar_op1(pool, OP_FLOOR, op2(&f, OP_DIV, load, divisor));
    const Scalar *rest = op2(&f, OP_SUB, load, op2(&f, OP_MUL, divisor, whole));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, quotient);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
               graph_expr(f.g, SHAPE(I), REDUCE_NONE, 0, NULL, whole, named("whole")));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
               graph_expr(f.g, SHAPE(I), REDUCE_NONE, 0, NULL, rest, named("rest")));
    const Scalar *q = LOAD(&f, quotient, at(&f, 0, I));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
               graph_expr(f.g, SHAPE(I), REDUCE_NONE, 0, NULL, scalar_op1(pool, OP_FLOOR, q), named("again")));
    double values[COUNT];
    for (int i = 0; i < COUNT; i++)
        values[i] = i;
    LoopProgram *program = compile(&f, target_by_name("avx512")).program;
    LoopRun run = {.lanes = 8, .n = 1, .seed = 1, .leaf = give_values, .context = values};
    LoopResult *result = loop_run(f.arena, program, ENTRY_PREDICT, &run);
    for (int i = 0; i < COUNT; i++) {
        assert_true(loop_result(result, BUFFER_OUTPUT, 1)[i] == i / 49);
        assert_true(loop_result(result, BUFFER_OUTPUT, 2)[i] == i % 49);
        assert_true(loop_result(result, BUFFER_OUTPUT, 3)[i] == i / 49);
    }
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_rows),
        cmocka_unit_test(test_short_rows),
        cmocka_unit_test(test_other_divisors),
        cmocka_unit_test(test_rounded_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
