/* The graph as text: what is printed, that it reads back, and what the reader says of faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ir/graph_check.h"
#include "ir/graph_print.h"
#include "ir/graph_read.h"

static const char LENET[] =
    "model lenet (batch <= 64)\n"
    "input image: real[batch, 28, 28]\n"
    "target label: int[batch] below 10\n"
    "param conv.K: real[6, 5, 5]\n"
    "param dense_1.W: real[10, 4704]\n"
    "param scale: real\n"
    "state velocity: real[6, 5, 5] of conv.K\n"
    "init:\n"
    "  %1: real[o: 6, u: 5, v: 5] = 2.0 * random(3, 25 * o + 5 * u + v) - 1.0\n"
    "  init conv.K = %1\n"
    "state_init:\n"
    "  %2 zero: real[6, 5, 5] = 0.0\n"
    "  init velocity = %2\n"
    "predict:\n"
    "  %3 conv.y: real[b: batch, o: 6, i: 28, j: 28] = sum(u: 5, v: 5) select(within(i + u - 2, 28) && "
    "within(j + v - 2, 28), conv.K[o, u, v] * image[b, i + u - 2, j + v - 2], 0.0)\n"
    "  %4 logits: real[b: batch, n: 10] = sum(k: 4704) dense_1.W[n, k] * tanh(%3[b, k div 784, k div 28 mod "
    "28, k mod 28])\n"
    "  %5: real[b: batch] = max(c: 10) %4[b, c]\n"
    "  %6 p: real[b: batch, 10] = exp(scale * (%4[b, i1] - %5[b]))\n"
    "  result probabilities = %6\n"
    "loss:\n"
    "  %7: real = sum(b: batch) select(%6[b, label[b]] >= 0.5, -log(%6[b, label[b]]), max(1.0, 0.25 * "
    "%5[b])) / real(batch)\n"
    "  %8: int[b: batch] = argmax(c: 10) %4[b, c]\n"
    "  %9 right: real = sum(b: batch) select(label[b] == %8[b], 1.0, 0.0)\n"
    "  loss loss = %7\n"
    "  metric accuracy = %9\n"
    "train_step:\n"
    "  %10 gradient of conv.K: real[6, 5, 5] = grad(%7, conv.K)\n"
    "  %11: real[6, 5, 5] = detach(%10)\n"
    "  %12: real = jvp(%7, conv.K, %11)\n"
    "  loss loss = %12\n"
    "  update velocity = %10\n";

static Graph *read_graph(Arena *arena, const char *text) {
    const char *message = NULL;
    Graph *g = graph_read(arena, text, &message);
    if (!g)
        fail_msg("%s", message);
    return g;
}

static const char *printed(Arena *arena, Graph *g) {
    Text *text = text_new(arena);
    graph_print(g, text);
    return text_get(text);
}

static void assert_round_trip(const char *text) {
    Arena *arena = arena_new((ArenaFailure){0});
    Graph *g = read_graph(arena, text);
    graph_check(g, "test", false);
    assert_string_equal(printed(arena, g), text);
    arena_free(arena);
}

static void a_model_reads_back(void **state) {
    (void)state;
    assert_round_trip(LENET);
}

static void small_things_read_back(void **state) {
    (void)state;
    assert_round_trip("model m\n"
                      "param x: real[7]\n"
                      "predict:\n"
                      "  %1: real[i: 7] = x[i] * x[i] * x[i] + (x[i] - (x[i] / 3.0 - 1e-05)) / x[i]\n"
                      "  %2: bool[i: 7] = i == 5 || !(%1[i] > x[i]) && (i < 3 || x[i] != 1.0)\n"
                      "  %3: real[i: 7] = select(%2[i], -inf, real(7 * i - 1) * real(min(i, step)) - pow(x[i], 1.5))\n"
                      "  result y = %3\n"
                      "  result _ = x\n");
    assert_round_trip("model m (n = 8) double\n"
                      "input x: real[8]\n"
                      "gradient:\n"
                      "  %1: real = sum(i: 8) x[i] * real(steps)\n"
                      "  loss loss = %1\n");
}

/* Names that would mean something else are replaced. */
static void ambiguous_names(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    Graph *g = graph_new(arena, "m");
    Extent size = {5, 0};
    const Node *a = graph_param(g, 1, &size, (Origin){.name = "x"});
    const Node *b = graph_param(g, 1, &size, (Origin){.name = "x"});
    const Node *c = graph_param(g, 1, &size, (Origin){.name = "x"});
    graph_param(g, 0, NULL, (Origin){.name = "k"});
    const Scalar *sum = scalar_op2(g->pool, OP_ADD, node_load_identity(g, a), node_load_identity(g, b));
    sum = scalar_op2(g->pool, OP_ADD, sum, node_load_identity(g, c));
    const Node *value = graph_expr(g, 1, &size, REDUCE_NONE, 0, NULL, sum, (Origin){.name = "a: b", .axes = {"k"}});
    g->entries[ENTRY_PREDICT].present = true;
    vec_push(arena, &g->entries[ENTRY_PREDICT].outputs, ((GraphOutput){.name = "y", .value = value}));
    const char *expected = "model m\n"
                           "param %1: real[5]\n"
                           "param %2: real[5]\n"
                           "param %3: real[5]\n"
                           "param k: real\n"
                           "predict:\n"
                           "  %4: real[5] = %1[i0] + %2[i0] + %3[i0]\n"
                           "  result y = %4\n";
    assert_string_equal(printed(arena, g), expected);
    assert_string_equal(printed(arena, read_graph(arena, expected)), expected);
    arena_free(arena);
}

/* x * (x + y) sixty times over is a short text. */
static void shared_parts_are_named(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    Graph *g = graph_new(arena, "m");
    const Node *x = graph_param(g, 0, NULL, (Origin){.name = "x"});
    const Node *y = graph_param(g, 0, NULL, (Origin){.name = "y"});
    const Scalar *body = node_load_identity(g, x);
    for (int i = 0; i < 60; i++)
        body = scalar_op2(g->pool, OP_MUL, body, scalar_op2(g->pool, OP_ADD, body, node_load_identity(g, y)));
    const Node *value = graph_expr(g, 0, NULL, REDUCE_NONE, 0, NULL, body, (Origin){.name = "v"});
    g->entries[ENTRY_PREDICT].present = true;
    vec_push(arena, &g->entries[ENTRY_PREDICT].outputs, ((GraphOutput){.name = "y", .value = value}));
    const char *text = printed(arena, g);
    assert_non_null(strstr(text, "= let t1 = x * (x + y), t2 = t1 * (t1 + y), t3 = "));
    assert_non_null(strstr(text, " in t59 * (t59 + y)\n"));
    assert_string_equal(printed(arena, read_graph(arena, text)), text);
    Text *equation = text_new(arena);
    node_print_equation(value, equation);
    assert_string_equal(text_get(equation), "v = ...");
    arena_free(arena);
}

/* A sum of 20000 terms is printed in parts, and read again. */
static void deep_bodies_are_divided(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    Graph *g = graph_new(arena, "m");
    const Extent size = {20000, 0};
    const Node *x = graph_param(g, 1, &size, (Origin){.name = "x"});
    const Scalar *sum = scalar_real(g->pool, 0);
    for (int i = 0; i < 20000; i++) {
        const Scalar *at = scalar_int(g->pool, i);
        sum = scalar_op1(g->pool, OP_EXP, scalar_op2(g->pool, OP_ADD, sum, scalar_load(g->pool, x, &at)));
    }
    const Node *value = graph_expr(g, 0, NULL, REDUCE_NONE, 0, NULL, sum, (Origin){.name = "v"});
    g->entries[ENTRY_PREDICT].present = true;
    vec_push(arena, &g->entries[ENTRY_PREDICT].outputs, ((GraphOutput){.name = "y", .value = value}));
    graph_check(g, "test", true);
    const char *text = printed(arena, g);
    assert_string_equal(printed(arena, read_graph(arena, text)), text);
    arena_free(arena);
}

static void equations_and_shapes(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    Graph *g = read_graph(arena, LENET);
    NodeList order = graph_order(g, arena, &g->entries[ENTRY_PREDICT]);
    Text *text = text_new(arena);
    for (size_t i = 0; i < order.count; i++)
        if (order.at[i]->origin.name && strcmp(order.at[i]->origin.name, "logits") == 0)
            node_print_equation(order.at[i], text);
    assert_string_equal(text_get(text),
                        "logits[b, n] = sum(k) dense_1.W[n, k] * tanh(conv.y[b, k div 784, k div 28 mod 28, "
                        "k mod 28])");
    const Extent shape[] = {{64, 1}, {128, 2}, {10, 0}};
    assert_string_equal(shape_text(arena, TYPE_REAL, 3, shape, "batch"), "real[batch, 2 * batch, 10]");
    assert_string_equal(shape_text(arena, TYPE_INT, 0, NULL, NULL), "int");
    arena_free(arena);
}

static void faults_are_told(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"modell m\n", "line 1: expected `model`"},
        {"model m\nparam x real\n", "line 2: expected `:`"},
        {"model m\nparam x: real[0 5]\n", "line 2: expected `]`"},
        {"model m\nparam x: complex\n", "line 2: expected a type"},
        {"model m\nparam x: real[batch]\n", "line 2: expected a size"},
        {"model m\nfoo:\n", "line 2: expected an entry, an input, a parameter or a state"},
        {"model m\npredict:\n  %1: real = y\n", "line 3: expected a name that is known, not `y`"},
        {"model m\npredict:\n  %1: real = softmax(1)\n", "line 3: expected a function, not `softmax`"},
        {"model m\npredict:\n  %1: real = (1.0\n", "line 3: expected `)`"},
        {"model m\npredict:\n  %1: real = 1.0 2.0\n", "line 3: expected the end of the line"},
        {"model m\npredict:\n  result y = %1\n", "line 3: expected a tensor, not `%1`"},
        {"model m\npredict:\n  init y = %1\n", "line 3: expected a parameter or state, not `y`"},
        {"model m\npredict:\n  answer y = %1\n", "line 3: expected a node or an output"},
        {"model m", "line 1: expected the end of the line"},
        {"model m\npredict:\n  %1: real = let t1 = 1.0\n", "line 3: expected `in`"},
        {"model m\npredict:\n  %1: real[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] = 1.0\n", "line 3: expected fewer axes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena *arena = arena_new((ArenaFailure){0});
        const char *message = NULL;
        assert_null(graph_read(arena, cases[i][0], &message));
        assert_string_equal(message, cases[i][1]);
        arena_free(arena);
    }
}

/* No text crashes the reader: every prefix, and random changes of a character. */
static void damaged_texts(void **state) {
    (void)state;
    char text[sizeof LENET];
    const char *message;
    uint32_t random = 1;
    for (size_t i = 0; i < 3000; i++) {
        Arena *arena = arena_new((ArenaFailure){0});
        memcpy(text, LENET, sizeof LENET);
        text[i % (sizeof LENET - 1)] = '\0';
        graph_read(arena, text, &message);
        memcpy(text, LENET, sizeof LENET);
        for (int j = 0; j < 3; j++) {
            random = random * 1664525 + 1013904223;
            text[(random >> 8) % (sizeof LENET - 1)] = LENET[(random >> 16) % (sizeof LENET - 1)];
        }
        graph_read(arena, text, &message);
        arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_reads_back),      cmocka_unit_test(small_things_read_back),
        cmocka_unit_test(ambiguous_names),         cmocka_unit_test(shared_parts_are_named),
        cmocka_unit_test(deep_bodies_are_divided), cmocka_unit_test(equations_and_shapes),
        cmocka_unit_test(faults_are_told),         cmocka_unit_test(damaged_texts),
    };
    return cmocka_run_group_tests_name("graph_text", tests, NULL, NULL);
}
