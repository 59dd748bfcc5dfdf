/* The graph: sharing, order, rebuilding, costs, the interpreter, and what the verifier refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ir/cost.h"
#include "ir/graph.h"
#include "ir/graph_check.h"
#include "ir/graph_eval.h"
#define NN_DOUBLE 0
#include "philox.h"

static const Extent BATCH = {4, 1}, TEN = {10, 0}, THREE = {3, 0};

/* x: real[batch, 3], label: int[batch] below 10, W: real[10, 3]. */
typedef struct Setup {
    Arena *arena;
    Graph *g;
    const Node *x, *label, *weight;
} Setup;

static Origin named(const char *name) {
    return (Origin){.name = name};
}

static int setup(void **state) {
    static Setup s;
    s.arena = arena_new((ArenaFailure){0});
    s.g = graph_new(s.arena, "test");
    s.g->batch = BATCH;
    s.g->batch_name = "batch";
    s.x = graph_input(s.g, TYPE_REAL, 2, (Extent[]){BATCH, THREE}, false, 0, named("x"));
    s.label = graph_input(s.g, TYPE_INT, 1, &BATCH, true, 10, named("label"));
    s.weight = graph_param(s.g, 2, (Extent[]){TEN, THREE}, named("W"));
    *state = &s;
    return 0;
}

static int teardown(void **state) {
    arena_free(((Setup *)*state)->arena);
    return 0;
}

static const Scalar *slot(Setup *s, int slot_number, Extent extent) {
    return scalar_index(s->g->pool, slot_number, extent);
}

static const Scalar *load2(Setup *s, const Node *node, const Scalar *a, const Scalar *b) {
    return scalar_load(s->g->pool, node, (const Scalar *[]){a, b});
}

/* y[b, n] = sum(k) W[n, k] * x[b, k] */
static const Node *dense(Setup *s, const Node *x) {
    const Scalar *b = slot(s, 0, BATCH), *n = slot(s, 1, TEN), *k = slot(s, 2, THREE);
    const Scalar *body = scalar_op2(s->g->pool, OP_MUL, load2(s, s->weight, n, k), load2(s, x, b, k));
    return graph_expr(s->g, 2, (Extent[]){BATCH, TEN}, REDUCE_SUM, 1, &THREE, body, named("y"));
}

static void add_result(Setup *s, const Node *value) {
    Entry *entry = &s->g->entries[ENTRY_PREDICT];
    entry->present = true;
    vec_push(s->arena, &entry->outputs, ((GraphOutput){.role = OUTPUT_RESULT, .name = "y", .value = value}));
}

/* ---- building ---- */

static void equal_nodes_are_one(void **state) {
    Setup *s = *state;
    const Node *y = dense(s, s->x);
    assert_ptr_equal(dense(s, s->x), y);
    assert_ptr_equal(graph_map1(s->g, OP_TANH, y, named("a")), graph_map1(s->g, OP_TANH, y, named("b")));
    assert_int_equal(y->operand_count, 2);
    assert_ptr_equal(y->operands[0], s->weight);
    assert_ptr_not_equal(graph_param(s->g, 1, &TEN, named("b")), graph_param(s->g, 1, &TEN, named("b")));
    assert_ptr_equal(graph_detach(s->g, y, named("d")), graph_detach(s->g, y, named("d")));
}

static void identities_are_no_nodes(void **state) {
    Setup *s = *state;
    const Scalar *same = node_load_identity(s->g, s->x);
    assert_ptr_equal(graph_expr(s->g, 2, s->x->shape, REDUCE_NONE, 0, NULL, same, named("c")), s->x);
    /* The same load in another shape is a copy of a part. */
    const Node *part = graph_expr(s->g, 2, (Extent[]){BATCH, {2, 0}}, REDUCE_NONE, 0, NULL,
                                  load2(s, s->x, slot(s, 0, BATCH), slot(s, 1, (Extent){2, 0})), named("p"));
    assert_ptr_not_equal(part, s->x);
}

static void unit_reductions_disappear(void **state) {
    Setup *s = *state;
    const Scalar *b = slot(s, 0, BATCH), *k = slot(s, 2, THREE);
    const Node *sum =
        graph_expr(s->g, 1, &BATCH, REDUCE_SUM, 2, (Extent[]){{1, 0}, THREE}, load2(s, s->x, b, k), named("s"));
    assert_int_equal(sum->expr.reduced, 1);
    assert_ptr_equal(sum->expr.body, load2(s, s->x, b, slot(s, 1, THREE)));
    const Node *first = graph_expr(s->g, 1, &BATCH, REDUCE_ARGMAX, 1, (Extent[]){{1, 0}},
                                   load2(s, s->x, b, scalar_int(s->g->pool, 0)), named("a"));
    assert_int_equal(first->expr.reduce, REDUCE_NONE);
    assert_int_equal(first->type, TYPE_INT);
    assert_ptr_equal(first->expr.body, scalar_int(s->g->pool, 0));
}

static void order_is_operands_first(void **state) {
    Setup *s = *state;
    const Node *y = dense(s, s->x), *a = graph_map1(s->g, OP_EXP, y, named("a"));
    graph_map1(s->g, OP_SIN, y, named("unused"));
    add_result(s, graph_map2(s->g, OP_MUL, a, y, named("b")));
    NodeList order = graph_order(s->g, s->arena, NULL);
    assert_int_equal(order.count, 5);
    assert_ptr_equal(order.at[0], s->weight);
    assert_ptr_equal(order.at[1], s->x);
    assert_ptr_equal(order.at[2], y);
    assert_ptr_equal(order.at[3], a);
    assert_int_equal(graph_order(s->g, s->arena, &s->g->entries[ENTRY_LOSS]).count, 0);
}

static const Node *tanh_to_exp(void *context, Graph *g, const Node *node) {
    (void)context;
    if (node->kind == NODE_EXPR && scalar_is_op(node->expr.body, OP_TANH))
        return graph_map1(g, OP_EXP, node->operands[0], node->origin);
    return node;
}

static void rebuilding_replaces_users(void **state) {
    Setup *s = *state;
    const Node *deep = dense(s, s->x);
    for (int i = 0; i < 5000; i++)
        deep = graph_map1(s->g, i % 1000 == 0 ? OP_TANH : OP_SIN, deep, named("h"));
    add_result(s, deep);
    graph_set_init(s->g, s->weight, graph_constant(s->g, 0, 2, s->weight->shape, named("init")));
    vec_push(s->arena, &s->g->entries[ENTRY_INIT].outputs,
             ((GraphOutput){.role = OUTPUT_INIT, .target = s->weight, .value = s->weight->leaf.init}));
    assert_int_equal(graph_rebuild(s->g, tanh_to_exp, NULL), 5);
    NodeList order = graph_order(s->g, s->arena, &s->g->entries[ENTRY_PREDICT]);
    assert_int_equal(order.count, 5003);
    for (size_t i = 0; i < order.count; i++)
        assert_false(order.at[i]->kind == NODE_EXPR && scalar_is_op(order.at[i]->expr.body, OP_TANH));
    assert_int_equal(graph_rebuild(s->g, tanh_to_exp, NULL), 0);
    graph_check(s->g, "test", true);
}

static void costs(void **state) {
    Setup *s = *state;
    const Node *y = dense(s, s->x);
    add_result(s, graph_map1(s->g, OP_TANH, y, named("t")));
    assert_int_equal(node_points(y), 4 * 10 * 3);
    assert_int_equal(node_flops(y), 2 * 4 * 10 * 3);
    assert_int_equal(node_bytes_read(s->g, y), 4 * (10 * 3 + 4 * 3));
    assert_int_equal(node_bytes_written(s->g, y), 4 * 4 * 10);
    assert_int_equal(node_flops(s->x), 0);
    const Entry *predict = &s->g->entries[ENTRY_PREDICT];
    assert_int_equal(entry_flops(s->g, predict), 240 + 40 * op_info(OP_TANH)->flops);
    assert_int_equal(entry_bytes(s->g, predict), 168 + 160 + 160 + 160);
    s->g->real_is_double = true;
    assert_int_equal(node_bytes_written(s->g, y), 8 * 4 * 10);
}

/* ---- values ---- */

static void values_of_a_dense_layer(void **state) {
    Setup *s = *state;
    double x[6] = {1, 2, 3, -1, 0, 1}, weight[30];
    for (int i = 0; i < 30; i++)
        weight[i] = i;
    const Node *y = dense(s, s->x), *d = graph_detach(s->g, y, named("d"));
    Evaluation *e = evaluation_new(s->arena, s->g, 2, 1, 0, 1);
    evaluation_bind(e, s->x, x);
    evaluation_bind(e, s->weight, weight);
    const double *values = evaluation_value(e, d);
    assert_int_equal(evaluation_count(e, y), 20);
    for (int n = 0; n < 10; n++) {
        assert_true(values[n] == 3 * n * 6.0 + 8);
        assert_true(values[10 + n] == 2.0);
    }
}

/* Without a body's dead branch, X[i - 1] would leave the tensor. */
static void values_of_guards_and_reductions(void **state) {
    Setup *s = *state;
    ScalarPool *pool = s->g->pool;
    const Scalar *b = slot(s, 0, BATCH), *k = slot(s, 1, THREE);
    const Scalar *before = scalar_op2(pool, OP_SUB, k, scalar_int(pool, 1));
    const Scalar *guarded =
        scalar_select(pool, scalar_within(pool, before, THREE), load2(s, s->x, b, before), scalar_real(pool, 5));
    const Reduction reductions[] = {REDUCE_SUM, REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_ARGMAX, REDUCE_ARGMIN};
    const double expected[] = {5 + 1 - 2, -10, 5, -2, 0, 2};
    double x[3] = {1, -2, 100};
    Evaluation *e = evaluation_new(s->arena, s->g, 1, 1, 0, 1);
    evaluation_bind(e, s->x, x);
    for (int i = 0; i < 6; i++) {
        const Node *node = graph_expr(s->g, 1, &BATCH, reductions[i], 1, &THREE, guarded, named("r"));
        assert_true(evaluation_value(e, node)[0] == expected[i]);
    }
    const Scalar *steps = scalar_runtime(pool, RUNTIME_STEPS), *n = scalar_runtime(pool, RUNTIME_N);
    const Node *sum = graph_expr(s->g, 0, NULL, REDUCE_NONE, 0, NULL, scalar_op2(pool, OP_ADD, steps, n), named("n"));
    assert_true(evaluation_value(e, sum)[0] == 2);
}

static void random_bits_are_those_of_the_generated_c(void **state) {
    Setup *s = *state;
    ScalarPool *pool = s->g->pool;
    const Scalar *counter = scalar_op2(pool, OP_ADD, slot(s, 0, TEN), scalar_int(pool, 7));
    const Scalar *body = scalar_op2(pool, OP_RANDOM, scalar_int(pool, 3), counter);
    const Node *node = graph_expr(s->g, 1, &TEN, REDUCE_NONE, 0, NULL, body, named("u"));
    int64_t step = (INT64_C(1) << 33) + 5;
    Evaluation *e = evaluation_new(s->arena, s->g, 1, 12345678901234567u, step, 10);
    for (int i = 0; i < 10; i++)
        assert_true(evaluation_value(e, node)[i] == (double)nn_random1(12345678901234567u, step, 3, 7 + i));
    s->g->real_is_double = true;
    e = evaluation_new(s->arena, s->g, 1, 1, 0, 10);
    double sum = 0;
    for (int i = 0; i < 10; i++) {
        double value = evaluation_value(e, node)[i];
        assert_true(value >= 0 && value < 1 && value * 0x1p53 == (double)(uint64_t)(value * 0x1p53));
        sum += value;
    }
    assert_true(sum > 1 && sum < 9);
}

/* ---- the verifier ---- */

/* The verifier's verdict on the graph, in a process of its own: exit status, and the message of a refusal. */
static int checked_status(Setup *s, bool lowered, char *message, size_t room) {
    int channel[2];
    assert_int_equal(pipe(channel), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(channel[1], 2);
        graph_check(s->g, "test stage", lowered);
        _exit(0);
    }
    close(channel[1]);
    FILE *errors = fdopen(channel[0], "r");
    size_t length = fread(message, 1, room - 1, errors);
    message[length] = '\0';
    fclose(errors);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_refused(Setup *s, const Node *value, const char *reason) {
    char message[2000];
    add_result(s, value);
    assert_int_equal(checked_status(s, true, message, sizeof message), 70);
    if (!strstr(message, reason))
        fail_msg("wanted: %s, got: %s", reason, message);
    assert_non_null(strstr(message, "test stage"));
    s->g->entries[ENTRY_PREDICT].outputs.count = 0;
}

static const Node *map_of(Setup *s, const Scalar *body) {
    return graph_expr(s->g, 2, (Extent[]){BATCH, THREE}, REDUCE_NONE, 0, NULL, body, named("bad"));
}

static void wrong_types_are_refused(void **state) {
    Setup *s = *state;
    ScalarPool *pool = s->g->pool;
    const Scalar *b = slot(s, 0, BATCH), *k = slot(s, 1, THREE), *x = node_load_identity(s->g, s->x);
    assert_refused(s, map_of(s, scalar_op2(pool, OP_ADD, x, k)), "arithmetic on two types");
    assert_refused(s, map_of(s, scalar_op1(pool, OP_EXP, k)), "a function of something that is not real");
    assert_refused(s, map_of(s, scalar_op2(pool, OP_LT, x, k)), "comparison of two types");
    assert_refused(s, map_of(s, scalar_op1(pool, OP_NOT, x)), "logic on something that is not bool");
    assert_refused(s, map_of(s, scalar_op2(pool, OP_FLOORDIV, k, scalar_op2(pool, OP_ADD, b, k))),
                   "div and mod need an integer and a positive constant");
    assert_refused(s, map_of(s, scalar_select(pool, scalar_op2(pool, OP_LT, b, k), x, k)),
                   "select needs a bool and two values of one type");
    assert_refused(s, map_of(s, load2(s, s->x, b, x)), "an index that is not an integer");
    const Scalar *test = scalar_op2(pool, OP_GT, x, scalar_real(pool, 0));
    assert_refused(s, graph_expr(s->g, 1, &BATCH, REDUCE_MAX, 1, &THREE, test, named("bad")), "a reduction of bools");
}

static void wrong_axes_are_refused(void **state) {
    Setup *s = *state;
    const Scalar *b = slot(s, 0, BATCH), *k = slot(s, 1, THREE);
    assert_refused(s, map_of(s, load2(s, s->x, b, slot(s, 2, THREE))), "an index variable that is no axis");
    assert_refused(s, map_of(s, load2(s, s->x, b, slot(s, 1, (Extent){2, 0}))), "another extent than its axis");
    assert_refused(s, map_of(s, load2(s, s->x, k, b)), "a load that may leave its tensor");
    assert_refused(
        s, graph_expr(s->g, 1, (Extent[]){{0, 0}}, REDUCE_NONE, 0, NULL, scalar_real(s->g->pool, 1), named("bad")),
        "an axis without elements");
    assert_refused(s, graph_constant(s->g, 1, 1, (Extent[]){{9, 2}}, named("bad")), "does not follow the batch");
    assert_refused(s, graph_constant(s->g, 1, 2, (Extent[]){{INT64_MAX / 8, 0}, TEN}, named("bad")),
                   "a tensor too large to address");
}

static void open_loads_need_their_guard(void **state) {
    Setup *s = *state;
    ScalarPool *pool = s->g->pool;
    const Scalar *b = slot(s, 0, BATCH), *k = slot(s, 1, THREE), *zero = scalar_real(pool, 0);
    const Scalar *before = scalar_op2(pool, OP_SUB, k, scalar_int(pool, 1));
    const Scalar *open = load2(s, s->x, b, before), *inside = scalar_within(pool, before, THREE);
    char message[2000];
    assert_refused(s, map_of(s, open), "a load that may leave its tensor");
    assert_refused(s, map_of(s, scalar_select(pool, inside, zero, open)), "a load that may leave its tensor");
    add_result(s, map_of(s, scalar_select(pool, inside, open, zero)));
    /* The right side of && is evaluated where the left holds; a shared load is checked on every way to it. */
    const Scalar *positive = scalar_op2(pool, OP_AND, inside, scalar_op2(pool, OP_GT, open, zero));
    add_result(s, map_of(s, scalar_select(pool, positive, scalar_real(pool, 2), zero)));
    assert_int_equal(checked_status(s, true, message, sizeof message), 0);
    const Scalar *other = scalar_op2(pool, OP_LT, b, scalar_int(pool, 2));
    const Scalar *twice = scalar_op2(pool, OP_ADD, scalar_select(pool, inside, scalar_op1(pool, OP_EXP, open), zero),
                                     scalar_select(pool, other, scalar_op1(pool, OP_EXP, open), zero));
    assert_refused(s, map_of(s, twice), "a load that may leave its tensor");
}

static void derivatives_are_refused_after_differentiation(void **state) {
    Setup *s = *state;
    char message[2000];
    const Node *loss = graph_expr(s->g, 0, NULL, REDUCE_SUM, 2, (Extent[]){BATCH, THREE},
                                  load2(s, s->x, slot(s, 0, BATCH), slot(s, 1, THREE)), named("loss"));
    const Node *gradient = graph_grad(s->g, loss, s->x, named("gradient"));
    assert_refused(s, gradient, "a derivative after differentiation");
    add_result(s, gradient);
    assert_int_equal(checked_status(s, false, message, sizeof message), 0);
}

static void outputs_fit_their_targets(void **state) {
    Setup *s = *state;
    char message[2000];
    Entry *entry = &s->g->entries[ENTRY_TRAIN_STEP];
    vec_push(s->arena, &entry->outputs,
             ((GraphOutput){.role = OUTPUT_UPDATE, .target = s->weight, .value = dense(s, s->x)}));
    assert_int_equal(checked_status(s, true, message, sizeof message), 70);
    assert_non_null(strstr(message, "another shape than its target"));
    entry->outputs.at[0] = (GraphOutput){.role = OUTPUT_LOSS, .value = dense(s, s->x)};
    assert_int_equal(checked_status(s, true, message, sizeof message), 70);
    assert_non_null(strstr(message, "a loss or metric that is not a scalar"));
}

#define WITH_GRAPH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_GRAPH(equal_nodes_are_one),
        WITH_GRAPH(identities_are_no_nodes),
        WITH_GRAPH(unit_reductions_disappear),
        WITH_GRAPH(order_is_operands_first),
        WITH_GRAPH(rebuilding_replaces_users),
        WITH_GRAPH(costs),
        WITH_GRAPH(values_of_a_dense_layer),
        WITH_GRAPH(values_of_guards_and_reductions),
        WITH_GRAPH(random_bits_are_those_of_the_generated_c),
        WITH_GRAPH(wrong_types_are_refused),
        WITH_GRAPH(wrong_axes_are_refused),
        WITH_GRAPH(open_loads_need_their_guard),
        WITH_GRAPH(derivatives_are_refused_after_differentiation),
        WITH_GRAPH(outputs_fit_their_targets),
    };
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
