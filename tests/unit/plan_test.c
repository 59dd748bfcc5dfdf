/* Graphs through plan, loops and placement: every schedule gives the values of the reference interpreter, whatever the number of lanes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "ir/graph.h"
#include "ir/graph_check.h"
#include "ir/graph_eval.h"
#include "plan/plan.h"
#include "plan/tuning.h"
#include "loop/loop_build.h"
#include "loop/loop_check.h"
#include "loop/loop_eval.h"
#include "loop/loop_print.h"
#include "loop/place.h"
#include "loop/waits.h"

/* ---- building graphs ---- */

typedef struct Fixture {
    Arena *arena;
    Graph *g;
} Fixture;

static const Extent batch = {6, 1};

static Fixture new_fixture(void) {
    Arena *arena = arena_new((ArenaFailure){0});
    Fixture f = {arena, graph_new(arena, "test")};
    f.g->batch = batch;
    f.g->batch_name = "batch";
    for (int i = 0; i < ENTRY_COUNT; i++)
        f.g->entries[i].kind = (EntryKind)i;
    return f;
}

static Extent size(int64_t n) {
    return (Extent){n, 0};
}

static Origin named(const char *name) {
    return (Origin){.name = name};
}

#define SHAPE(...)                                                                                                     \
    ((int)(sizeof((Extent[]){__VA_ARGS__}) / sizeof(Extent))), (Extent[]) {                                            \
        __VA_ARGS__                                                                                                    \
    }

static const Node *param(Fixture *f, const char *name, int rank, const Extent *shape) {
    return graph_param(f->g, rank, shape, named(name));
}

static const Node *input(Fixture *f, const char *name, int rank, const Extent *shape) {
    return graph_input(f->g, TYPE_REAL, rank, shape, false, 0, named(name));
}

static const Scalar *at(Fixture *f, int slot, Extent extent) {
    return scalar_index(f->g->pool, slot, extent);
}

#define LOAD(f, node, ...) scalar_load((f)->g->pool, node, (const Scalar *[]){__VA_ARGS__})

static const Scalar *op2(Fixture *f, Op op, const Scalar *a, const Scalar *b) {
    return scalar_op2(f->g->pool, op, a, b);
}

static const Scalar *add_int(Fixture *f, const Scalar *a, int64_t b) {
    return op2(f, OP_ADD, a, scalar_int(f->g->pool, b));
}

static const Scalar *times(Fixture *f, const Scalar *a, int64_t b) {
    return op2(f, OP_MUL, a, scalar_int(f->g->pool, b));
}

static void add_output(Fixture *f, EntryKind kind, OutputRole role, const Node *target, const Node *value) {
    Entry *entry = &f->g->entries[kind];
    entry->present = true;
    GraphOutput output = {role, "out", target, value};
    vec_push(f->arena, &entry->outputs, output);
}

/* ---- comparing ---- */

typedef struct Leaves {
    Arena *arena;
    PointerMap *values;
} Leaves;

/* Small numbers that depend on the leaf and the position. */
static double *leaf_values(Leaves *leaves, const Node *leaf) {
    double *values = pointer_map_get(leaves->values, leaf);
    if (values)
        return values;
    int64_t count = node_elements(leaf);
    values = arena_array(leaves->arena, double, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        uint64_t h = hash_bytes(HASH_SEED, &(uint64_t[]){leaf->id, (uint64_t)i}, 16) >> 32;
        int64_t classes = leaf->kind == NODE_INPUT && leaf->leaf.classes ? leaf->leaf.classes : 5;
        values[i] = leaf->type == TYPE_REAL ? (double)(h % 2001) / 1000.0 - 1.0 : (double)(h % (uint64_t)classes);
    }
    pointer_map_put(leaves->values, leaf, values);
    return values;
}

static const double *give_leaf(void *context, const Node *leaf) {
    return leaf_values(context, leaf);
}

static void bind_leaves(Evaluation *e, Leaves *leaves, const Node *const *nodes, size_t count) {
    for (size_t i = 0; i < count; i++)
        evaluation_bind(e, nodes[i], leaf_values(leaves, nodes[i]));
}

static BufferSpace output_space(const GraphOutput *output) {
    switch (output->role) {
    case OUTPUT_RESULT: return BUFFER_OUTPUT;
    case OUTPUT_LOSS: return BUFFER_LOSS;
    case OUTPUT_METRIC: return BUFFER_METRIC;
    case OUTPUT_GRADIENT: return BUFFER_GRADIENT;
    case OUTPUT_UPDATE:
    case OUTPUT_INIT: break;
    }
    return output->target->kind == NODE_PARAM ? BUFFER_PARAM : BUFFER_STATE;
}

static int output_ordinal(const Entry *entry, size_t at_output) {
    const GraphOutput *output = &entry->outputs.at[at_output];
    if (output->target)
        return output->target->leaf.ordinal;
    int ordinal = 0;
    for (size_t i = 0; i < at_output; i++)
        ordinal += entry->outputs.at[i].role == output->role;
    return ordinal;
}

static void compare(const Evaluation *e, const GraphOutput *output, const double *expected, const double *got) {
    assert_non_null(got);
    for (int64_t i = 0; i < evaluation_count(e, output->value); i++) {
        double tolerance = 1e-5 * fmax(1.0, fabs(expected[i]));
        if (!(fabs(expected[i] - got[i]) <= tolerance))
            fail_msg("element %lld: %g instead of %g", (long long)i, got[i], expected[i]);
    }
}

static void compare_entry(Fixture *f, LoopProgram *program, EntryKind kind, int lanes, int64_t n) {
    Leaves leaves = {f->arena, pointer_map_new(f->arena)};
    Evaluation *e = evaluation_new(f->arena, f->g, n, 1, 2, 3);
    bind_leaves(e, &leaves, f->g->inputs.at, f->g->inputs.count);
    bind_leaves(e, &leaves, f->g->params.at, f->g->params.count);
    bind_leaves(e, &leaves, f->g->states.at, f->g->states.count);
    LoopRun run = {.lanes = lanes, .n = n, .seed = 1, .step = 2, .steps = 3, .leaf = give_leaf, .context = &leaves};
    LoopResult *result = loop_run(f->arena, program, kind, &run);
    const Entry *entry = &f->g->entries[kind];
    for (size_t i = 0; i < entry->outputs.count; i++) {
        const GraphOutput *output = &entry->outputs.at[i];
        const double *got = loop_result(result, output_space(output), output_ordinal(entry, i));
        if (output->value == output->target && !got)
            continue; /* an update that changes nothing has no code */
        compare(e, output, evaluation_value(e, output->value), got);
    }
}

static LoopProgram *compile(Fixture *f, const char *target, const Tuning *tuning, Survey *survey) {
    Plan *plan = plan_make(f->arena, f->g, target_by_name(target), tuning, survey);
    LoopProgram *program = loop_build(f->arena, f->g, plan);
    place_buffers(program);
    place_waits(program);
    loop_check(program);
    if (getenv("PLAN_TEST_DUMP")) {
        Text *text = text_new(f->arena);
        plan_print(plan, f->g, text);
        loop_print(program, text);
        loop_print_memory(program, text);
        fputs(text_get(text), stdout);
    }
    return program;
}

static Tuning *choices_of(Arena *arena, const Survey *survey, size_t j) {
    Tuning *tuning = tuning_new(arena);
    for (size_t i = 0; i < survey->stages.count; i++) {
        const SurveyStage *stage = survey->stages.at[i];
        tuning_put(tuning, stage->stage, "", &stage->choices.at[j < stage->choices.count ? j : 0]);
    }
    return tuning;
}

/* All loops that --tune may measure are followed, and give the same values. */
static void check_choices(Fixture *f, const char *target, bool orders) {
    static const int lanes[] = {4, 16, 8, 1};
    enum { MOST = 12 };
    Survey *survey = survey_new(f->arena, MOST, orders);
    compile(f, target, NULL, survey);
    size_t most = 0;
    for (size_t i = 0; i < survey->stages.count; i++)
        most = survey->stages.at[i]->choices.count > most ? survey->stages.at[i]->choices.count : most;
    for (size_t j = 0; j < most; j++) {
        Tuning *tuning = choices_of(f->arena, survey, j);
        LoopProgram *program = compile(f, target, tuning, NULL);
        for (size_t i = 0; i < tuning->entries.count; i++)
            assert_true(tuning->entries.at[i]->followed);
        for (int kind = ENTRY_PREDICT; kind <= ENTRY_TRAIN_STEP; kind++)
            if (f->g->entries[kind].present)
                compare_entry(f, program, (EntryKind)kind, lanes[j % 4], batch.size - (int64_t)(j / 4 % 2));
    }
}

static void check(Fixture *f) {
    graph_check(f->g, "test", true);
    static const int lanes[] = {1, 4, 8, 16};
    check_choices(f, "avx512", false);
    check_choices(f, "neon", true);
    for (size_t t = 0; t < target_count(); t++) {
        LoopProgram *program = compile(f, target_at(t)->name, NULL, NULL);
        for (int kind = 0; kind < ENTRY_COUNT; kind++)
            for (size_t i = 0; i < sizeof lanes / sizeof lanes[0] && f->g->entries[kind].present; i++)
                for (int64_t n = 1; n <= batch.size; n += 5)
                    compare_entry(f, program, (EntryKind)kind, lanes[i], n);
    }
    arena_free(f->arena);
}

/* ---- graphs ---- */

/* y[b, n] = sum(k) W[n, k] * x[b, k] */
static const Node *dense(Fixture *f, const Node *x, const Node *W) {
    Extent K = x->shape[1];
    const Scalar *b = at(f, 0, batch), *n = at(f, 1, W->shape[0]), *k = at(f, 2, K);
    const Scalar *body = op2(f, OP_MUL, LOAD(f, W, n, k), LOAD(f, x, b, k));
    return graph_expr(f->g, SHAPE(batch, W->shape[0]), REDUCE_SUM, 1, &K, body, named("dense.y"));
}

static void test_dense_of(int64_t inputs, int64_t outputs) {
    Fixture f = new_fixture();
    const Node *x = input(&f, "x", SHAPE(batch, size(inputs)));
    const Node *W = param(&f, "dense.W", SHAPE(size(outputs), size(inputs)));
    const Node *c = param(&f, "dense.b", SHAPE(size(outputs)));
    const Node *y = dense(&f, x, W);
    const Scalar *b = at(&f, 0, batch), *n = at(&f, 1, size(outputs));
    const Scalar *sum = op2(&f, OP_ADD, LOAD(&f, y, b, n), LOAD(&f, c, n));
    const Node *z = graph_expr(f.g, SHAPE(batch, size(outputs)), REDUCE_NONE, 0, NULL,
                               scalar_op1(f.g->pool, OP_TANH, sum), named("z"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, z);
    check(&f);
}

static void test_dense(void **state) {
    (void)state;
    test_dense_of(7, 3);
    test_dense_of(1, 1);
    test_dense_of(40, 50);
    test_dense_of(16, 64);
}

/* Both adjoints of a dense layer, and plain gradient descent. */
static void test_dense_training(void **state) {
    (void)state;
    Fixture f = new_fixture();
    Extent K = size(20), N = size(33);
    const Node *x = input(&f, "x", SHAPE(batch, K));
    const Node *t = input(&f, "t", SHAPE(batch, N));
    const Node *W = param(&f, "W", SHAPE(N, K));
    const Node *V = param(&f, "V", SHAPE(K, K));
    const Node *h = dense(&f, x, V);
    const Node *y = dense(&f, h, W);
    const Node *e = graph_map2(f.g, OP_SUB, y, t, named("e"));
    const Scalar *b = at(&f, 0, batch), *k = at(&f, 1, K), *n = at(&f, 2, N);
    const Node *dh = graph_expr(f.g, SHAPE(batch, K), REDUCE_SUM, 1, &N,
                                op2(&f, OP_MUL, LOAD(&f, e, b, n), LOAD(&f, W, n, k)), named("dh"));
    const Scalar *i = at(&f, 0, N), *j = at(&f, 1, K), *s = at(&f, 2, batch);
    const Node *dW = graph_expr(f.g, SHAPE(N, K), REDUCE_SUM, 1, &batch,
                                op2(&f, OP_MUL, LOAD(&f, e, s, i), LOAD(&f, h, s, j)), named("dW"));
    const Scalar *i2 = at(&f, 0, K);
    const Node *dV = graph_expr(f.g, SHAPE(K, K), REDUCE_SUM, 1, &batch,
                                op2(&f, OP_MUL, LOAD(&f, dh, s, i2), LOAD(&f, x, s, j)), named("dV"));
    const Node *loss = graph_expr(
        f.g, 0, NULL, REDUCE_SUM, 2, (Extent[]){batch, N},
        op2(&f, OP_MUL, LOAD(&f, e, at(&f, 0, batch), at(&f, 1, N)), LOAD(&f, e, at(&f, 0, batch), at(&f, 1, N))),
        named("loss"));
    const Scalar *rate = scalar_real(f.g->pool, -0.01);
    const Node *W2 =
        graph_expr(f.g, SHAPE(N, K), REDUCE_NONE, 0, NULL,
                   op2(&f, OP_ADD, LOAD(&f, W, i, j), op2(&f, OP_MUL, rate, LOAD(&f, dW, i, j))), named("W"));
    const Node *V2 =
        graph_expr(f.g, SHAPE(K, K), REDUCE_NONE, 0, NULL,
                   op2(&f, OP_ADD, LOAD(&f, V, i2, j), op2(&f, OP_MUL, rate, LOAD(&f, dV, i2, j))), named("V"));
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_LOSS, NULL, loss);
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, W, W2);
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, V, V2);
    add_output(&f, ENTRY_GRADIENT, OUTPUT_GRADIENT, W, dW);
    add_output(&f, ENTRY_GRADIENT, OUTPUT_GRADIENT, V, dV);
    check(&f);
}

/* y[b, o, i, j] = sum(c, u, v) K[o, c, u, v] * x[b, c, s*i + u - p, s*j + v - p], zero outside */
static void test_convolution_of(int64_t s, int64_t pad, int64_t image) {
    Fixture f = new_fixture();
    Extent C = size(3), O = size(7), U = size(3), I = size(image), J = size((image + 2 * pad - 3) / s + 1);
    const Node *x = input(&f, "x", SHAPE(batch, C, I, I));
    const Node *K = param(&f, "K", SHAPE(O, C, U, U));
    const Scalar *b = at(&f, 0, batch), *o = at(&f, 1, O), *i = at(&f, 2, J), *j = at(&f, 3, J);
    const Scalar *c = at(&f, 4, C), *u = at(&f, 5, U), *v = at(&f, 6, U);
    const Scalar *row = add_int(&f, op2(&f, OP_ADD, times(&f, i, s), u), -pad);
    const Scalar *column = add_int(&f, op2(&f, OP_ADD, times(&f, j, s), v), -pad);
    const Scalar *inside = op2(&f, OP_AND, scalar_within(f.g->pool, row, I), scalar_within(f.g->pool, column, I));
    const Scalar *product = op2(&f, OP_MUL, LOAD(&f, K, o, c, u, v), LOAD(&f, x, b, c, row, column));
    const Scalar *body = scalar_select(f.g->pool, inside, product, scalar_real(f.g->pool, 0));
    const Node *y = graph_expr(f.g, SHAPE(batch, O, J, J), REDUCE_SUM, 3, (Extent[]){C, U, U}, body, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    check(&f);
}

static void test_convolution(void **state) {
    (void)state;
    test_convolution_of(1, 0, 9);
    test_convolution_of(1, 1, 20);
    test_convolution_of(2, 1, 9);
}

/* dK[o, c, u, v] = sum(b, i, j) dy[b, o, i, j] * x[b, c, i + u, j + v] */
static void test_weight_gradient(void **state) {
    (void)state;
    Fixture f = new_fixture();
    Extent C = size(3), O = size(4), U = size(3), I = size(12), J = size(10);
    const Node *x = input(&f, "x", SHAPE(batch, C, I, I));
    const Node *dy = input(&f, "dy", SHAPE(batch, O, J, J));
    const Node *K = param(&f, "K", SHAPE(O, C, U, U));
    const Scalar *o = at(&f, 0, O), *c = at(&f, 1, C), *u = at(&f, 2, U), *v = at(&f, 3, U);
    const Scalar *b = at(&f, 4, batch), *i = at(&f, 5, J), *j = at(&f, 6, J);
    const Scalar *body =
        op2(&f, OP_MUL, LOAD(&f, dy, b, o, i, j), LOAD(&f, x, b, c, op2(&f, OP_ADD, i, u), op2(&f, OP_ADD, j, v)));
    const Node *dK = graph_expr(f.g, SHAPE(O, C, U, U), REDUCE_SUM, 3, (Extent[]){batch, J, J}, body, named("dK"));
    add_output(&f, ENTRY_GRADIENT, OUTPUT_GRADIENT, K, dK);
    check(&f);
}

/* Max and argmax over windows, and what argmax carries back. */
static void test_pooling(void **state) {
    (void)state;
    Fixture f = new_fixture();
    Extent I = size(20), J = size(10), U = size(2);
    const Node *x = input(&f, "x", SHAPE(batch, I, I));
    const Scalar *b = at(&f, 0, batch), *i = at(&f, 1, J), *j = at(&f, 2, J), *u = at(&f, 3, U), *v = at(&f, 4, U);
    const Scalar *body = LOAD(&f, x, b, op2(&f, OP_ADD, times(&f, i, 2), u), op2(&f, OP_ADD, times(&f, j, 2), v));
    const Node *y = graph_expr(f.g, SHAPE(batch, J, J), REDUCE_MAX, 2, (Extent[]){U, U}, body, named("y"));
    const Node *a = graph_expr(f.g, SHAPE(batch, J, J), REDUCE_ARGMAX, 2, (Extent[]){U, U}, body, named("a"));
    const Scalar *i2 = at(&f, 1, I), *j2 = at(&f, 2, I), *two = scalar_int(f.g->pool, 2);
    const Scalar *hi = op2(&f, OP_FLOORDIV, i2, two), *hj = op2(&f, OP_FLOORDIV, j2, two);
    const Scalar *place = op2(&f, OP_ADD, times(&f, op2(&f, OP_MOD, i2, two), 2), op2(&f, OP_MOD, j2, two));
    const Scalar *carried = scalar_select(f.g->pool, op2(&f, OP_EQ, LOAD(&f, a, b, hi, hj), place),
                                          LOAD(&f, y, b, hi, hj), scalar_real(f.g->pool, 0));
    const Node *dx = graph_expr(f.g, SHAPE(batch, I, I), REDUCE_NONE, 0, NULL, carried, named("dx"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, a);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, dx);
    check(&f);
}

static const Node *row_reduce(Fixture *f, Reduction reduce, const Scalar *body, Extent K, const char *name) {
    return graph_expr(f->g, SHAPE(batch), reduce, 1, &K, body, named(name));
}

/* Softmax, the mean of its cross entropy, and accuracy. */
static void test_rows_of(int64_t classes) {
    Fixture f = new_fixture();
    ScalarPool *pool = f.g->pool;
    Extent K = size(classes);
    const Node *x = input(&f, "x", SHAPE(batch, K));
    const Node *label = graph_input(f.g, TYPE_INT, SHAPE(batch), true, classes, named("label"));
    const Scalar *b = at(&f, 0, batch), *k = at(&f, 1, K);
    const Node *m = row_reduce(&f, REDUCE_MAX, LOAD(&f, x, b, k), K, "m");
    const Scalar *shifted = op2(&f, OP_SUB, LOAD(&f, x, b, k), LOAD(&f, m, b));
    const Node *s = row_reduce(&f, REDUCE_SUM, scalar_op1(pool, OP_EXP, shifted), K, "s");
    const Node *l = graph_expr(f.g, SHAPE(batch, K), REDUCE_NONE, 0, NULL,
                               op2(&f, OP_SUB, shifted, scalar_op1(pool, OP_LOG, LOAD(&f, s, b))), named("l"));
    const Node *p =
        graph_expr(f.g, SHAPE(batch, K), REDUCE_NONE, 0, NULL, scalar_op1(pool, OP_EXP, LOAD(&f, l, b, k)), named("p"));
    const Scalar *own = op2(&f, OP_EQ, LOAD(&f, label, b), k);
    const Node *loss = graph_expr(f.g, 0, NULL, REDUCE_SUM, 1, &batch,
                                  op2(&f, OP_DIV, LOAD(&f, l, at(&f, 0, batch), LOAD(&f, label, at(&f, 0, batch))),
                                      scalar_to_real(pool, scalar_runtime(pool, RUNTIME_N))),
                                  named("loss"));
    const Node *d = graph_expr(
        f.g, SHAPE(batch, K), REDUCE_NONE, 0, NULL,
        op2(&f, OP_SUB, LOAD(&f, p, b, k), scalar_select(pool, own, scalar_real(pool, 1), scalar_real(pool, 0))),
        named("d"));
    const Node *best = row_reduce(&f, REDUCE_ARGMAX, LOAD(&f, l, b, k), K, "best");
    const Scalar *hit = op2(&f, OP_EQ, LOAD(&f, best, at(&f, 0, batch)), LOAD(&f, label, at(&f, 0, batch)));
    const Node *hits = graph_expr(f.g, 0, NULL, REDUCE_SUM, 1, &batch, scalar_to_real(pool, hit), named("hits"));
    add_output(&f, ENTRY_LOSS, OUTPUT_LOSS, NULL, loss);
    add_output(&f, ENTRY_LOSS, OUTPUT_METRIC, NULL, hits);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, p);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, d);
    check(&f);
}

static void test_rows(void **state) {
    (void)state;
    test_rows_of(10);
    test_rows_of(40);
}

/* Updates that look at other elements, at each other, and at what others overwrite. */
static void test_updates(void **state) {
    (void)state;
    Fixture f = new_fixture();
    Extent K = size(12);
    const Node *A = param(&f, "A", SHAPE(K, K));
    const Node *B = param(&f, "B", SHAPE(K, K));
    const Node *C = param(&f, "C", SHAPE(K, K));
    const Node *D = param(&f, "D", SHAPE(K, K));
    const Scalar *i = at(&f, 0, K), *j = at(&f, 1, K);
    const Node *transposed = graph_expr(f.g, SHAPE(K, K), REDUCE_NONE, 0, NULL, LOAD(&f, A, j, i), named("t"));
    const Node *sum = graph_map2(f.g, OP_ADD, A, B, named("sum"));
    const Node *crossed = graph_expr(f.g, SHAPE(K, K), REDUCE_NONE, 0, NULL,
                                     op2(&f, OP_ADD, LOAD(&f, sum, i, j), LOAD(&f, B, j, i)), named("crossed"));
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, A, transposed);
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, B, crossed);
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, C, D);
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, D, C);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, sum);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, sum);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, A);
    check(&f);
}

/* E[token[b], d], a reshape, and its use in a dense layer. */
static void test_gather_and_reshape(void **state) {
    (void)state;
    Fixture f = new_fixture();
    Extent V = size(9), D = size(24), C = size(4), I = size(3), J = size(2), N = size(5);
    const Node *token = graph_input(f.g, TYPE_INT, SHAPE(batch), false, 9, named("token"));
    const Node *x = input(&f, "x", SHAPE(batch, C, I, J));
    const Node *E = param(&f, "E", SHAPE(V, D));
    const Node *W = param(&f, "W", SHAPE(N, D));
    const Scalar *b = at(&f, 0, batch), *d = at(&f, 1, D);
    const Scalar *six = scalar_int(f.g->pool, 6), *two = scalar_int(f.g->pool, 2), *three = scalar_int(f.g->pool, 3);
    const Scalar *c = op2(&f, OP_FLOORDIV, d, six), *j = op2(&f, OP_MOD, d, two);
    const Scalar *i = op2(&f, OP_MOD, op2(&f, OP_FLOORDIV, d, two), three);
    const Scalar *body = op2(&f, OP_ADD, LOAD(&f, E, LOAD(&f, token, b), d), LOAD(&f, x, b, c, i, j));
    const Node *h = graph_expr(f.g, SHAPE(batch, D), REDUCE_NONE, 0, NULL, body, named("h"));
    /* Channels last: digits that do not come together again. */
    const Scalar *mixed = LOAD(&f, x, b, op2(&f, OP_MOD, d, scalar_int(f.g->pool, 4)),
                               op2(&f, OP_MOD, op2(&f, OP_FLOORDIV, d, scalar_int(f.g->pool, 4)), three),
                               op2(&f, OP_FLOORDIV, d, scalar_int(f.g->pool, 12)));
    const Node *last = graph_expr(f.g, SHAPE(batch, D), REDUCE_NONE, 0, NULL, mixed, named("last"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, dense(&f, h, W));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, last);
    check(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),       cmocka_unit_test(test_dense_training),
        cmocka_unit_test(test_convolution), cmocka_unit_test(test_weight_gradient),
        cmocka_unit_test(test_pooling),     cmocka_unit_test(test_rows),
        cmocka_unit_test(test_updates),     cmocka_unit_test(test_gather_and_reshape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
