/* Every real operation of ops.def, with arguments from its domain: one test for each row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "check.h"

enum { LENGTH = 7 };

typedef struct Interval {
    double low, high;
} Interval;

/* Away from kinks and poles: floor and friends are constant here, 0 and 1 are not touched. */
static Interval interval_of(OpDomain domain) {
    switch (domain) {
    case DOMAIN_POSITIVE:
    case DOMAIN_NONNEGATIVE: return (Interval){0.3, 3};
    case DOMAIN_NONZERO: return (Interval){-2, -0.3};
    case DOMAIN_UNIT: return (Interval){0.1, 0.9};
    case DOMAIN_REALS: break;
    }
    return (Interval){0.1, 0.9};
}

/* f(x[i] * 1.3, y[i]) * x[i]: the chain and the product rule are in it, and the second derivative does not vanish. */
static void derivative_of_op(void **state) {
    const OpInfo *info = *state;
    Op op;
    assert_true(op_by_spelling(info->spelling, &op));
    Check *c = check_new(1);
    Graph *g = check_graph(c);
    const Extent shape = {.size = LENGTH};
    const Scalar *i = scalar_index(g->pool, 0, shape), *arguments[2];
    Interval interval = interval_of(info->domain);
    for (int k = 0; k < info->arity; k++) {
        const Node *leaf = check_leaf(c, 1, &shape, interval.low, interval.high);
        arguments[k] = scalar_load(g->pool, leaf, &i);
    }
    const Scalar *x = scalar_op2(g->pool, OP_MUL, scalar_real(g->pool, 1.1), arguments[0]);
    const Scalar *f = info->arity == 1 ? scalar_op1(g->pool, op, x) : scalar_op2(g->pool, op, x, arguments[1]);
    f = scalar_op2(g->pool, OP_MUL, f, arguments[0]);
    check_gradients(c, info->name, graph_expr(g, 1, &shape, REDUCE_NONE, 0, NULL, f, (Origin){0}));
    check_free(c);
}

/* The same as the body of a map of its own, so that the result is at hand. */
static void derivative_through_result(void **state) {
    const OpInfo *info = *state;
    Op op;
    assert_true(op_by_spelling(info->spelling, &op));
    Check *c = check_new(1);
    Graph *g = check_graph(c);
    const Extent shape = {.size = LENGTH};
    Interval interval = interval_of(info->domain);
    const Node *x = check_leaf(c, 1, &shape, interval.low, interval.high);
    const Node *y = info->arity == 2 ? check_leaf(c, 1, &shape, interval.low, interval.high) : NULL;
    const Node *f = y ? graph_map2(g, op, x, y, (Origin){0}) : graph_map1(g, op, x, (Origin){0});
    check_gradients(c, info->name, graph_map2(g, OP_MUL, f, f, (Origin){0}));
    check_free(c);
}

static bool is_real_op(const OpInfo *info) {
    return info->kind == OP_KIND_FUNCTION || info->kind == OP_KIND_ARITH;
}

int main(void) {
    struct CMUnitTest tests[2 * OP_COUNT];
    size_t count = 0;
    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info((Op)op);
        if (is_real_op(info)) {
            tests[count++] = (struct CMUnitTest){info->name, derivative_of_op, NULL, NULL, (void *)(uintptr_t)info};
            tests[count++] =
                (struct CMUnitTest){info->name, derivative_through_result, NULL, NULL, (void *)(uintptr_t)info};
        }
    }
    return _cmocka_run_group_tests("operations", tests, count, NULL, NULL);
}
