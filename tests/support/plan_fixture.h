/* plan_fixture.h: what the tests of plan/ and loop/ share: small graphs, built by hand, and the comparison of their loop programs with the
 * reference interpreter.
 */
#ifndef NNC_TESTS_PLAN_FIXTURE_H
#define NNC_TESTS_PLAN_FIXTURE_H

#include <math.h>
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
#include "loop/loop_walk.h"
#include "loop/place.h"
#include "loop/waits.h"

/* ---- building graphs ---- */

typedef struct Fixture {
    Arena *arena;
    Graph *g;
} Fixture;

static inline Fixture new_fixture(Extent batch) {
    Arena *arena = arena_new((ArenaFailure){0});
    Fixture f = {arena, graph_new(arena, "test")};
    f.g->batch = batch;
    f.g->batch_name = "batch";
    for (int i = 0; i < ENTRY_COUNT; i++)
        f.g->entries[i].kind = (EntryKind)i;
    return f;
}

/* A target for tests: what matters there, and no more. */
#define TEST_TARGET(...)                                                                                               \
    { .name = "test", .far_bytes = 8 << 20, .turns = 1, .features = "", .doc = "", __VA_ARGS__ }

static inline Extent size(int64_t n) {
    return (Extent){n, 0};
}

static inline Origin named(const char *name) {
    return (Origin){.name = name};
}

#define SHAPE(...)                                                                                                     \
    ((int)(sizeof((Extent[]){__VA_ARGS__}) / sizeof(Extent))), (Extent[]) {                                            \
        __VA_ARGS__                                                                                                    \
    }

static inline const Node *param(Fixture *f, const char *name, int rank, const Extent *shape) {
    return graph_param(f->g, rank, shape, named(name));
}

static inline const Node *input(Fixture *f, const char *name, int rank, const Extent *shape) {
    return graph_input(f->g, TYPE_REAL, rank, shape, false, 0, named(name));
}

static inline const Scalar *at(Fixture *f, int slot, Extent extent) {
    return scalar_index(f->g->pool, slot, extent);
}

#define LOAD(f, node, ...) scalar_load((f)->g->pool, node, (const Scalar *[]){__VA_ARGS__})

static inline const Scalar *op2(Fixture *f, Op op, const Scalar *a, const Scalar *b) {
    return scalar_op2(f->g->pool, op, a, b);
}

static inline const Scalar *add_int(Fixture *f, const Scalar *a, int64_t b) {
    return op2(f, OP_ADD, a, scalar_int(f->g->pool, b));
}

static inline const Scalar *times(Fixture *f, const Scalar *a, int64_t b) {
    return op2(f, OP_MUL, a, scalar_int(f->g->pool, b));
}

static inline void add_output(Fixture *f, EntryKind kind, OutputRole role, const Node *target, const Node *value) {
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
static inline double *leaf_values(Leaves *leaves, const Node *leaf) {
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

static inline const double *give_leaf(void *context, const Node *leaf) {
    return leaf_values(context, leaf);
}

static inline void bind_leaves(Evaluation *e, Leaves *leaves, const Node *const *nodes, size_t count) {
    for (size_t i = 0; i < count; i++)
        evaluation_bind(e, nodes[i], leaf_values(leaves, nodes[i]));
}

/* The values of a node for n samples. */
static inline const double *values_of(Fixture *f, const Node *node, int64_t n) {
    Leaves leaves = {f->arena, pointer_map_new(f->arena)};
    Evaluation *e = evaluation_new(f->arena, f->g, n, 1, 2, 3);
    bind_leaves(e, &leaves, f->g->inputs.at, f->g->inputs.count);
    bind_leaves(e, &leaves, f->g->params.at, f->g->params.count);
    return evaluation_value(e, node);
}

/* ---- nodes that a pass rewrites ---- */

/* Outputs of PREDICT, and the one at a position. */
static inline void give(Fixture *f, const Node *node) {
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, node);
}

static inline const Node *output_of(const Fixture *f, size_t at_output) {
    return f->g->entries[ENTRY_PREDICT].outputs.at[at_output].value;
}

/* Few, where the graph leaves it open. */
static inline int64_t samples_to_run(const Fixture *f) {
    return f->g->batch.per_sample > 0 ? 2 : f->g->batch.size;
}

/* Equal but for what rounding makes of the largest values. */
static inline void same_values(Fixture *f, const Node *before, const Node *after) {
    int64_t n = samples_to_run(f), count = node_elements(before);
    if (before->rank > 0 && before->shape[0].per_sample > 0)
        count = count / before->shape[0].size * n;
    const double *expected = values_of(f, before, n), *got = values_of(f, after, n);
    double largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(expected[i] - got[i]) <= 1e-12 * largest))
            fail_msg("element %lld: %.17g instead of %.17g", (long long)i, got[i], expected[i]);
}

/* ---- whole programs ---- */

static inline BufferSpace output_space(const GraphOutput *output) {
    switch (output->role) {
    case OUTPUT_RESULT: return BUFFER_OUTPUT;
    case OUTPUT_LOSS: return BUFFER_LOSS;
    case OUTPUT_METRIC: return BUFFER_METRIC;
    case OUTPUT_GRADIENT: return BUFFER_GRADIENT;
    case OUTPUT_UPDATE:
    case OUTPUT_INIT: break;
    case OUTPUT_PREPARED: return BUFFER_PREPARED;
    }
    return output->target->kind == NODE_PARAM ? BUFFER_PARAM : BUFFER_STATE;
}

static inline int output_ordinal(const Entry *entry, size_t at_output) {
    const GraphOutput *output = &entry->outputs.at[at_output];
    if (output->target)
        return output->target->leaf.ordinal;
    int ordinal = 0;
    for (size_t i = 0; i < at_output; i++)
        ordinal += entry->outputs.at[i].role == output->role;
    return ordinal;
}

static inline void compare(const Evaluation *e, const GraphOutput *output, const double *expected, const double *got) {
    assert_non_null(got);
    for (int64_t i = 0; i < evaluation_count(e, output->value); i++) {
        double tolerance = 1e-5 * fmax(1.0, fabs(expected[i]));
        if (!(fabs(expected[i] - got[i]) <= tolerance))
            fail_msg("element %lld: %g instead of %g", (long long)i, got[i], expected[i]);
    }
}

static inline void compare_entry(Fixture *f, LoopProgram *program, EntryKind kind, int lanes, int64_t n) {
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

typedef struct Compiled {
    Plan *plan;
    LoopProgram *program;
} Compiled;

static inline void dump(Fixture *f, const Compiled *compiled) {
    Text *text = text_new(f->arena);
    plan_print(compiled->plan, f->g, text);
    loop_print(compiled->program, text);
    loop_print_memory(compiled->program, text);
    fputs(text_get(text), stdout);
}

/* Through all stages, as the driver runs them. PLAN_TEST_DUMP in the environment shows what they make. */
static inline Compiled compile_tuned(Fixture *f, const Target *target, const Tuning *tuning, Survey *survey) {
    Compiled compiled = {.plan = plan_make(f->arena, f->g, target, DEFAULT_THREADS, tuning, survey)};
    compiled.program = loop_build(f->arena, f->g, compiled.plan);
    place_buffers(compiled.program);
    place_waits(compiled.program);
    loop_check(compiled.program);
    if (getenv("PLAN_TEST_DUMP"))
        dump(f, &compiled);
    return compiled;
}

static inline Compiled compile(Fixture *f, const Target *target) {
    return compile_tuned(f, target, NULL, NULL);
}

/* One sample and all; of several vectors of them, something between. */
static inline void compare_batches(Fixture *f, LoopProgram *program, EntryKind kind, int lanes) {
    int64_t most = f->g->batch.size;
    const int64_t batches[] = {1, most * 3 / 4, most};
    if (f->g->batch.per_sample == 0) {
        compare_entry(f, program, kind, lanes, most);
        return;
    }
    for (size_t i = 0; i < 3; i++)
        if (i != 1 || most > 16)
            compare_entry(f, program, kind, lanes, batches[i]);
}

/* Every entry, for every number of lanes. */
static inline void compare_all(Fixture *f, LoopProgram *program) {
    int most_lanes = f->g->real_is_double ? 8 : 16;
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        for (int lanes = 1; lanes <= most_lanes && f->g->entries[kind].present; lanes *= 2)
            compare_batches(f, program, (EntryKind)kind, lanes);
}

/* Choice j of every stage that has so many. */
static inline Tuning *choices_of(Arena *arena, const Survey *survey, size_t j) {
    Tuning *tuning = tuning_new(arena);
    for (size_t i = 0; i < survey->stages.count; i++) {
        const SurveyStage *stage = survey->stages.at[i];
        tuning_put(tuning, stage->stage, "", &stage->choices.at[j < stage->choices.count ? j : 0]);
    }
    return tuning;
}

/* All loops that --tune may measure are followed, and give the same values. */
static inline void check_choices(Fixture *f, const Target *target, bool orders) {
    enum { MOST = 12 };
    Survey *survey = survey_new(f->arena, MOST, orders);
    compile_tuned(f, target, NULL, survey);
    size_t most = 0;
    for (size_t i = 0; i < survey->stages.count; i++)
        most = survey->stages.at[i]->choices.count > most ? survey->stages.at[i]->choices.count : most;
    for (size_t j = 0; j < most; j++) {
        Tuning *tuning = choices_of(f->arena, survey, j);
        LoopProgram *program = compile_tuned(f, target, tuning, NULL).program;
        for (size_t i = 0; i < tuning->entries.count; i++)
            assert_true(tuning->entries.at[i]->followed);
        int most_lanes = f->g->real_is_double ? 8 : 16;
        for (int kind = ENTRY_PREDICT; kind <= ENTRY_TRAIN_STEP; kind++)
            if (f->g->entries[kind].present)
                compare_entry(f, program, (EntryKind)kind, most_lanes >> j % 4, f->g->batch.size);
    }
}

/* For every target. */
static inline void check(Fixture *f) {
    graph_check(f->g, "test", true);
    check_choices(f, target_by_name("avx512"), false);
    check_choices(f, target_by_name("neon"), true);
    for (size_t t = 0; t < target_count(); t++)
        compare_all(f, compile(f, target_at(t)).program);
    arena_free(f->arena);
}

/* loop_check leaves the process when it finds a bug: it runs in a child. */
static inline bool is_refused(const LoopProgram *program) {
    enum { EXIT_OF_BUG = 70 };
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        assert_non_null(freopen("/dev/null", "w", stderr));
        loop_check(program);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EXIT_OF_BUG));
    return WEXITSTATUS(status) == EXIT_OF_BUG;
}

/* ---- common graphs ---- */

/* y[b, n] = sum(k) W[n, k] * x[b, k] */
static inline const Node *dense(Fixture *f, const Node *x, const Node *W) {
    Extent B = x->shape[0], K = x->shape[1];
    const Scalar *b = at(f, 0, B), *n = at(f, 1, W->shape[0]), *k = at(f, 2, K);
    const Scalar *body = op2(f, OP_MUL, LOAD(f, W, n, k), LOAD(f, x, b, k));
    return graph_expr(f->g, SHAPE(B, W->shape[0]), REDUCE_SUM, 1, &K, body, named("dense.y"));
}

/* Two dense layers, K to K to N, their adjoints, and plain gradient descent. */
static inline void train_dense(Fixture *f, Extent K, Extent N) {
    Extent batch = f->g->batch;
    const Node *x = input(f, "x", SHAPE(batch, K));
    const Node *t = input(f, "t", SHAPE(batch, N));
    const Node *W = param(f, "W", SHAPE(N, K));
    const Node *V = param(f, "V", SHAPE(K, K));
    const Node *h = dense(f, x, V);
    const Node *y = dense(f, h, W);
    const Node *e = graph_map2(f->g, OP_SUB, y, t, named("e"));
    const Scalar *b = at(f, 0, batch), *k = at(f, 1, K), *n = at(f, 2, N);
    const Node *dh = graph_expr(f->g, SHAPE(batch, K), REDUCE_SUM, 1, &N,
                                op2(f, OP_MUL, LOAD(f, e, b, n), LOAD(f, W, n, k)), named("dh"));
    const Scalar *i = at(f, 0, N), *j = at(f, 1, K), *s = at(f, 2, batch);
    const Node *dW = graph_expr(f->g, SHAPE(N, K), REDUCE_SUM, 1, &batch,
                                op2(f, OP_MUL, LOAD(f, e, s, i), LOAD(f, h, s, j)), named("dW"));
    const Scalar *i2 = at(f, 0, K);
    const Node *dV = graph_expr(f->g, SHAPE(K, K), REDUCE_SUM, 1, &batch,
                                op2(f, OP_MUL, LOAD(f, dh, s, i2), LOAD(f, x, s, j)), named("dV"));
    const Node *loss =
        graph_expr(f->g, 0, NULL, REDUCE_SUM, 2, (Extent[]){batch, N},
                   op2(f, OP_MUL, LOAD(f, e, at(f, 0, batch), at(f, 1, N)), LOAD(f, e, at(f, 0, batch), at(f, 1, N))),
                   named("loss"));
    const Scalar *rate = scalar_real(f->g->pool, -0.01);
    const Node *W2 = graph_expr(f->g, SHAPE(N, K), REDUCE_NONE, 0, NULL,
                                op2(f, OP_ADD, LOAD(f, W, i, j), op2(f, OP_MUL, rate, LOAD(f, dW, i, j))), named("W"));
    const Node *V2 =
        graph_expr(f->g, SHAPE(K, K), REDUCE_NONE, 0, NULL,
                   op2(f, OP_ADD, LOAD(f, V, i2, j), op2(f, OP_MUL, rate, LOAD(f, dV, i2, j))), named("V"));
    add_output(f, ENTRY_TRAIN_STEP, OUTPUT_LOSS, NULL, loss);
    add_output(f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, W, W2);
    add_output(f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, V, V2);
    add_output(f, ENTRY_GRADIENT, OUTPUT_GRADIENT, W, dW);
    add_output(f, ENTRY_GRADIENT, OUTPUT_GRADIENT, V, dV);
}

/* y[b, o, i, j] = sum(c, u, v) K[o, c, u, v] * x[b, c, i + u, j + v] */
static inline const Node *convolve(Fixture *f, const Node *x, const Node *K) {
    Extent B = x->shape[0], O = K->shape[0], C = K->shape[1], U = K->shape[2], V = K->shape[3];
    Extent I = size(x->shape[2].size - U.size + 1), J = size(x->shape[3].size - V.size + 1);
    const Scalar *b = at(f, 0, B), *o = at(f, 1, O), *i = at(f, 2, I), *j = at(f, 3, J);
    const Scalar *c = at(f, 4, C), *u = at(f, 5, U), *v = at(f, 6, V);
    const Scalar *read = LOAD(f, x, b, c, op2(f, OP_ADD, i, u), op2(f, OP_ADD, j, v));
    const Scalar *body = op2(f, OP_MUL, LOAD(f, K, o, c, u, v), read);
    return graph_expr(f->g, SHAPE(B, O, I, J), REDUCE_SUM, 3, (Extent[]){C, U, V}, body, named("conv.y"));
}

/* dK[o, c, u, v] = sum(b, i, j) dy[b, o, i, j] * x[b, c, i + u, j + v] */
static inline const Node *convolve_weights(Fixture *f, const Node *x, const Node *dy, const Node *K) {
    Extent B = x->shape[0], O = K->shape[0], C = K->shape[1], U = K->shape[2], V = K->shape[3];
    Extent I = dy->shape[2], J = dy->shape[3];
    const Scalar *o = at(f, 0, O), *c = at(f, 1, C), *u = at(f, 2, U), *v = at(f, 3, V);
    const Scalar *b = at(f, 4, B), *i = at(f, 5, I), *j = at(f, 6, J);
    const Scalar *read = LOAD(f, x, b, c, op2(f, OP_ADD, i, u), op2(f, OP_ADD, j, v));
    const Scalar *body = op2(f, OP_MUL, LOAD(f, dy, b, o, i, j), read);
    return graph_expr(f->g, SHAPE(O, C, U, V), REDUCE_SUM, 3, (Extent[]){B, I, J}, body, named("dK"));
}

#endif
