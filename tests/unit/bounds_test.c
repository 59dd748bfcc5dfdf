/* Bounds of tensors: what is found for equations, and that no value lies outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include "ir/bounds.h"
#include "ir/graph_eval.h"
#include "ir/graph_read.h"

static const char LEAVES[] = "model m (batch <= 8)\n"
                             "input x: real[batch, 6]\n"
                             "input t: int[batch] below 6\n"
                             "param W: real[6]\n";

typedef struct Fixture {
    Arena *arena;
    Graph *g;
    const Node *result;
} Fixture;

/* The last line names the result. */
static Fixture read_graph(const char *lines) {
    Fixture f = {.arena = arena_new((ArenaFailure){0})};
    const char *message = NULL;
    f.g = graph_read(f.arena, arena_printf(f.arena, "%spredict:\n%s", LEAVES, lines), &message);
    if (!f.g)
        fail_msg("%s", message);
    f.result = f.g->entries[ENTRY_PREDICT].outputs.at[0].value;
    return f;
}

/* Numbers of every size and both signs, small ones mostly; integers below 6. */
static const double *some_values(const Fixture *f, const Evaluation *e, const Node *leaf, uint32_t *seed) {
    int64_t count = evaluation_count(e, leaf);
    double *values = arena_array(f->arena, double, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        double u = (double)(*seed >> 8) / (1 << 24) - 0.5;
        values[i] = leaf->type == TYPE_INT ? floor((u + 0.5) * 6) : *seed % 5 == 0 ? 40 * u : 4 * u;
    }
    return values;
}

static void values_are_inside(const Fixture *f, Bounds bounds) {
    uint32_t seed = 1;
    for (int64_t n = 1; n <= 8; n += 7) {
        Evaluation *e = evaluation_new(f->arena, f->g, n, 1, 0, 1);
        for (size_t i = 0; i < f->g->inputs.count; i++)
            evaluation_bind(e, f->g->inputs.at[i], some_values(f, e, f->g->inputs.at[i], &seed));
        for (size_t i = 0; i < f->g->params.count; i++)
            evaluation_bind(e, f->g->params.at[i], some_values(f, e, f->g->params.at[i], &seed));
        const double *values = evaluation_value(e, f->result);
        for (int64_t i = 0; i < evaluation_count(e, f->result); i++)
            if (values[i] < bounds.low - 1e-6 || values[i] > bounds.high + 1e-6)
                fail_msg("%g lies outside of %g..%g", values[i], bounds.low, bounds.high);
    }
}

static void has_bounds(const char *lines, double low, double high) {
    Fixture f = read_graph(lines);
    Bounds bounds = bounds_of_node(bounds_table_new(f.arena), f.result);
    if (fabs(bounds.low - low) > 1e-12 || fabs(bounds.high - high) > 1e-12)
        if (bounds.low != low || bounds.high != high)
            fail_msg("%s has the bounds %g..%g, not %g..%g", lines, bounds.low, bounds.high, low, high);
    values_are_inside(&f, bounds);
    arena_free(f.arena);
}

/* Of an expression of x[b, k], W[k] and t[b]. */
static void expression_has_bounds(const char *body, double low, double high) {
    Arena *arena = arena_new((ArenaFailure){0});
    has_bounds(arena_printf(arena, "  %%1: real[b: batch, k: 6] = %s\n  result r = %%1\n", body), low, high);
    arena_free(arena);
}

/* ---- expressions ---- */

static void leaves_can_be_anything(void **state) {
    (void)state;
    expression_has_bounds("x[b, k] + W[k]", -INFINITY, INFINITY);
    expression_has_bounds("x[b, k] - 2.0 * x[b, 0]", -INFINITY, INFINITY);
    expression_has_bounds("x[b, k] / W[k]", -INFINITY, INFINITY);
    expression_has_bounds("real(t[b])", 0, 5);
    expression_has_bounds("real(k) - 2.0", -2, 3);
    expression_has_bounds("random(3, k)", 0, 1);
}

static void functions_have_ranges(void **state) {
    (void)state;
    expression_has_bounds("sigmoid(x[b, k])", 0, 1);
    expression_has_bounds("tanh(W[k])", -1, 1);
    expression_has_bounds("0.5 * tanh(x[b, k]) + 0.5", 0, 1);
    expression_has_bounds("erf(x[b, k]) * 3.0", -3, 3);
    expression_has_bounds("sin(x[b, k]) - cos(W[k])", -2, 2);
    expression_has_bounds("exp(x[b, k])", 0, INFINITY);
    expression_has_bounds("expm1(x[b, k])", -1, INFINITY);
    expression_has_bounds("log1pexp(x[b, k])", 0, INFINITY);
    expression_has_bounds("log(sigmoid(x[b, k]))", -INFINITY, 0);
    expression_has_bounds("sqrt(abs(x[b, k]))", 0, INFINITY);
    expression_has_bounds("1.0 / (1.0 + exp(x[b, k]))", 0, 1);
    expression_has_bounds("1.0 - sigmoid(x[b, k])", 0, 1);
    expression_has_bounds("floor(4.0 * sigmoid(x[b, k]))", 0, 4);
    expression_has_bounds("sign(x[b, k])", -1, 1);
    expression_has_bounds("-abs(x[b, k])", -INFINITY, 0);
}

static void products_and_powers_have_signs(void **state) {
    (void)state;
    expression_has_bounds("x[b, k] * x[b, k]", 0, INFINITY);
    expression_has_bounds("tanh(x[b, k]) * tanh(x[b, k])", 0, 1);
    expression_has_bounds("tanh(x[b, k]) * tanh(W[k])", -1, 1);
    expression_has_bounds("pow(exp(x[b, k]), W[k])", 0, INFINITY);
    expression_has_bounds("sigmoid(x[b, k]) / 2.0", 0, 0.5);
    expression_has_bounds("-1.0 / (2.0 + sigmoid(x[b, k]))", -0.5, -1.0 / 3);
    expression_has_bounds("sigmoid(x[b, k]) / tanh(W[k])", -INFINITY, INFINITY);
}

static void conditions_bound_their_branches(void **state) {
    (void)state;
    expression_has_bounds("select(x[b, k] > 0.0, x[b, k], 0.0)", 0, INFINITY);
    expression_has_bounds("select(x[b, k] < 1.0, x[b, k], 1.0)", -INFINITY, 1);
    expression_has_bounds("select(x[b, k] >= 0.0, 0.0, x[b, k])", -INFINITY, 0);
    expression_has_bounds("select(0.0 < x[b, k], min(x[b, k], 6.0), 0.0)", -INFINITY, 6);
    expression_has_bounds("min(max(x[b, k], 0.0), 6.0)", 0, 6);
    expression_has_bounds("select(t[b] == k, 1.0, 0.0)", 0, 1);
    expression_has_bounds("select(x[b, k] > W[k], sigmoid(x[b, k]), 2.0)", 0, 2);
}

/* ---- reductions ---- */

static void reductions_count_their_terms(void **state) {
    (void)state;
    has_bounds("  %1: real[b: batch] = sum(k: 6) sigmoid(x[b, k])\n  result r = %1\n", 0, 6);
    has_bounds("  %1: real[k: 6] = sum(b: batch) -1.0 - sigmoid(x[b, k])\n  result r = %1\n", -16, -1);
    has_bounds("  %1: real[b: batch] = sum(k: 6) sigmoid(x[b, k])\n"
               "  %2: real[b: batch] = %1[b] / 6.0\n  result r = %2\n",
               0, 1);
    has_bounds("  %1: real[b: batch] = max(k: 6) tanh(x[b, k])\n  result r = %1\n", -1, 1);
    has_bounds("  %1: real[b: batch] = prod(k: 6) sigmoid(x[b, k])\n  result r = %1\n", 0, 1);
    has_bounds("  %1: real[b: batch] = prod(k: 6) exp(x[b, k])\n  result r = %1\n", 0, INFINITY);
    has_bounds("  %1: int[b: batch] = argmax(k: 6) x[b, k]\n"
               "  %2: real[b: batch] = real(%1[b])\n  result r = %2\n",
               0, 5);
}

#define SOFTMAX(NUMERATOR)                                                                                             \
    "  %1: real[b: batch, k: 6] = exp(x[b, k])\n"                                                                      \
    "  %2: real[b: batch] = sum(k: 6) %1[b, k]\n"                                                                      \
    "  %3: real[b: batch, k: 6] = " NUMERATOR " / %2[b]\n"                                                             \
    "  result r = %3\n"

static void a_term_is_a_part_of_its_sum(void **state) {
    (void)state;
    has_bounds(SOFTMAX("%1[b, k]"), 0, 1);
    has_bounds(SOFTMAX("%1[b, 5 - k]"), 0, 1);
    has_bounds(SOFTMAX("%1[b, 2]"), 0, 1);
    has_bounds(SOFTMAX("%1[b, t[b]]"), 0, 1);
    has_bounds(SOFTMAX("exp(W[k])"), 0, INFINITY);
    has_bounds(SOFTMAX("(2.0 * %1[b, k])"), 0, 2);
    has_bounds(SOFTMAX("(1.0 + %1[b, k])"), 0, INFINITY);
    /* Another row, and another part of the row. */
    has_bounds("  %1: real[b: batch, k: 6] = exp(x[b, k])\n"
               "  %2: real[b: batch] = sum(k: 6) %1[b, k]\n"
               "  %3: real[b: batch, k: 6] = %1[0, k] / %2[b]\n  result r = %3\n",
               0, INFINITY);
    has_bounds("  %1: real[b: batch, k: 6] = exp(x[b, k])\n"
               "  %2: real[b: batch] = sum(k: 5) %1[b, k]\n"
               "  %3: real[b: batch, k: 6] = %1[b, k] / %2[b]\n  result r = %3\n",
               0, INFINITY);
    /* Terms with signs. */
    has_bounds("  %2: real[b: batch] = sum(k: 6) x[b, k]\n"
               "  %3: real[b: batch, k: 6] = x[b, k] / %2[b]\n  result r = %3\n",
               -INFINITY, INFINITY);
    /* The terms are written in the sum. */
    has_bounds("  %2: real[b: batch] = sum(k: 6) x[b, k] * x[b, k]\n"
               "  %3: real[b: batch, k: 6] = x[b, k] * x[b, k] / %2[b]\n  result r = %3\n",
               0, 1);
}

static void nothing_exceeds_the_largest(void **state) {
    (void)state;
    has_bounds("  %1: real[b: batch] = max(k: 6) x[b, k]\n"
               "  %2: real[b: batch, k: 6] = x[b, k] - %1[b]\n  result r = %2\n",
               -INFINITY, 0);
    has_bounds("  %1: real[b: batch] = max(k: 6) x[b, k]\n  %2: real[b: batch] = detach(%1)\n"
               "  %3: real[b: batch, k: 6] = exp(x[b, k] - %2[b])\n  result r = %3\n",
               0, 1);
    has_bounds("  %1: real[b: batch] = min(k: 6) x[b, k]\n"
               "  %2: real[b: batch, k: 6] = x[b, k] - %1[b]\n  result r = %2\n",
               0, INFINITY);
    has_bounds("  %1: real[b: batch] = max(k: 6) W[k] * x[b, k]\n"
               "  %2: real[b: batch, k: 6] = x[b, k] - %1[b]\n  result r = %2\n",
               -INFINITY, INFINITY);
}

/* ---- depth ---- */

/* A chain of many equations, and of many operations in one. */
static void depth_is_no_limit(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    Text *lines = text_new(arena);
    text_add(lines, "  %1: real[b: batch, k: 6] = sigmoid(x[b, k])\n");
    for (int i = 2; i <= 3000; i++)
        text_printf(lines, "  %%%d: real[b: batch, k: 6] = 0.5 * %%%d[b, 5 - k] + 0.5 * %%%d[b, k]\n", i, i - 1, i - 1);
    text_add(lines, "  result r = %3000\n");
    Fixture f = read_graph(text_get(lines));
    assert_true(bounds_lie_within(bounds_of_node(bounds_table_new(f.arena), f.result), 0, 1));
    arena_free(f.arena);
    arena_free(arena);
}

static void rounding_of_ends_is_forgiven(void **state) {
    (void)state;
    assert_true(bounds_lie_within((Bounds){0, 49 * (1.0 / 49)}, 0, 1));
    assert_true(bounds_lie_within((Bounds){-1e-14, 1 + 1e-14}, 0, 1));
    assert_false(bounds_lie_within((Bounds){0, 1.0001}, 0, 1));
    assert_false(bounds_lie_within((Bounds){-INFINITY, 1}, 0, 1));
    assert_true(bounds_lie_within((Bounds){-INFINITY, 0}, -INFINITY, 1));
    assert_false(bounds_lie_within((Bounds){-INFINITY, 2}, -INFINITY, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_can_be_anything),         cmocka_unit_test(functions_have_ranges),
        cmocka_unit_test(products_and_powers_have_signs), cmocka_unit_test(conditions_bound_their_branches),
        cmocka_unit_test(reductions_count_their_terms),   cmocka_unit_test(a_term_is_a_part_of_its_sum),
        cmocka_unit_test(nothing_exceeds_the_largest),    cmocka_unit_test(depth_is_no_limit),
        cmocka_unit_test(rounding_of_ends_is_forgiven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
