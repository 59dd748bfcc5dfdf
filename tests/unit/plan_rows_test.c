/* Stages that share rows: what a kernel makes of a row, its later stages read at once. */
#include "support/plan_fixture.h"

static const Extent batch = {6, 1};

static const Node *row_reduce(Fixture *f, Reduction reduce, const Scalar *body, Extent K, const char *name) {
    return graph_expr(f->g, SHAPE(batch), reduce, 1, &K, body, named(name));
}

/* Softmax, the mean of its cross entropy, and accuracy. */
static void test_rows_of(int64_t classes) {
    Fixture f = new_fixture(batch);
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

/* p[b, k] = exp(x[b, k] - max(k) x[b, k]) / sum(k) exp(...) */
static const Node *softmax(Fixture *f, const Node *x) {
    Extent B = x->shape[0], K = x->shape[1];
    const Scalar *b = at(f, 0, B), *k = at(f, 1, K);
    const Node *m = graph_expr(f->g, SHAPE(B), REDUCE_MAX, 1, &K, LOAD(f, x, b, k), named("m"));
    const Scalar *e = scalar_op1(f->g->pool, OP_EXP, op2(f, OP_SUB, LOAD(f, x, b, k), LOAD(f, m, b)));
    const Node *s = graph_expr(f->g, SHAPE(B), REDUCE_SUM, 1, &K, e, named("s"));
    return graph_expr(f->g, SHAPE(B, K), REDUCE_NONE, 0, NULL, op2(f, OP_DIV, e, LOAD(f, s, b)), named("p"));
}

/* How many stages ask for the next row of `read`. */
static int next_rows(const PlanKernel *kernel, const Node *read, int64_t row) {
    int count = 0;
    for (size_t s = 0; s < kernel->stages.count; s++)
        for (size_t i = 0; i < kernel->stages.at[s].fetches.count; i++) {
            const PlanFetch *fetch = &kernel->stages.at[s].fetches.at[i];
            count += !fetch->value && fetch->node == read && fetch->ahead == row;
        }
    return count;
}

static size_t fetches(const LoopBody *body) {
    size_t count = 0;
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *s = body->at[i];
        count += s->kind == LOOP_FETCH;
        if (s->kind == LOOP_FOR)
            count += fetches(&s->loop.body);
    }
    return count;
}

/* Larger than the caches: it would travel three times through three kernels, so one kernel takes row after row. While the exponentials are
 * summed, the lines of the result are on their way, and those of the next row. */
static void test_large_softmax(void **state) {
    (void)state;
    Extent B = {512, 1};
    Fixture f = new_fixture(B);
    const Node *x = input(&f, "x", SHAPE(B, size(1000)));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, softmax(&f, x));
    for (size_t t = 0; t < target_count(); t++) {
        Compiled compiled = compile(&f, target_at(t));
        const PlanEntry *entry = &compiled.plan->entries[ENTRY_PREDICT];
        assert_int_equal(entry->kernels.count, 1);
        assert_int_equal(entry->kernels.at[0].shared, 1);
        const PlanStage *stages = entry->kernels.at[0].stages.at;
        assert_int_equal(entry->kernels.at[0].stages.count, 3);
        assert_int_equal(stages[0].fetches.count, 0);
        assert_ptr_equal(stages[1].fetches.at[0].value, &stages[2].nodes.at[0]);
        assert_int_equal(next_rows(&entry->kernels.at[0], x, 1000), target_at(t)->ahead > 0 ? 1 : 0);
        assert_true(fetches(&compiled.program->entries[ENTRY_PREDICT].kernels.at[0]->body) > 0);
        assert_int_equal(compiled.program->entries[ENTRY_PREDICT].workspace, 0);
        compare_entry(&f, compiled.program, ENTRY_PREDICT, 8, 2);
    }
    arena_free(f.arena);
}

/* What the caches hold is not asked for. */
static void test_small_softmax(void **state) {
    (void)state;
    Extent B = {8, 1};
    Fixture f = new_fixture(B);
    const Node *x = input(&f, "x", SHAPE(B, size(1000)));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, softmax(&f, x));
    Compiled compiled = compile(&f, target_by_name("avx512"));
    const LoopEntry *entry = &compiled.program->entries[ENTRY_PREDICT];
    for (size_t i = 0; i < entry->kernels.count; i++)
        assert_int_equal(fetches(&entry->kernels.at[i]->body), 0);
    check(&f);
}

/* Sums along the rows and along the columns of the same values: no loop is common to both. */
static void test_columns_stay_apart(void **state) {
    (void)state;
    Fixture f = new_fixture(size(300));
    Extent B = size(300), K = size(200);
    const Node *x = input(&f, "x", SHAPE(B, K));
    const Node *rows =
        graph_expr(f.g, SHAPE(B), REDUCE_SUM, 1, &K, LOAD(&f, x, at(&f, 0, B), at(&f, 1, K)), named("rows"));
    const Node *shares = graph_expr(
        f.g, SHAPE(B, K), REDUCE_NONE, 0, NULL,
        op2(&f, OP_DIV, LOAD(&f, x, at(&f, 0, B), at(&f, 1, K)), LOAD(&f, rows, at(&f, 0, B))), named("shares"));
    const Node *columns =
        graph_expr(f.g, SHAPE(K), REDUCE_SUM, 1, &B, LOAD(&f, shares, at(&f, 1, B), at(&f, 0, K)), named("columns"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, shares);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, columns);
    Compiled compiled = compile(&f, target_by_name("generic"));
    const PlanEntry *entry = &compiled.plan->entries[ENTRY_PREDICT];
    const PlanKernel *last = &entry->kernels.at[entry->kernels.count - 1];
    assert_ptr_equal(last->stages.at[0].nodes.at[0].node, columns);
    assert_int_equal(last->stages.count, 1);
    assert_int_equal(last->shared, 0);
    compare_entry(&f, compiled.program, ENTRY_PREDICT, 8, 300);
    arena_free(f.arena);
}

/* Steps of a recurrence with three gates, tanh(u[b, n]), tanh(u[b, n + K]) .., u[b, n] = sum(k) W[n, k] * h[b, k], for W in panels. */
static Fixture recurrence(int64_t samples, int64_t width) {
    enum { STEPS = 4, GATES = 3, LANES = 8 };
    Extent B = size(samples), K = size(width), N = size(GATES * width), L = size(LANES), P = size(N.size / LANES);
    Fixture f = new_fixture(B);
    ScalarPool *pool = f.g->pool;
    const Node *W = param(&f, "W", SHAPE(N, K)), *h = input(&f, "x", SHAPE(B, K));
    const Scalar *b = at(&f, 0, B), *n = at(&f, 1, K), *of = at(&f, 1, N), *k = at(&f, 2, K);
    const Scalar *row = op2(&f, OP_ADD, times(&f, at(&f, 0, P), LANES), at(&f, 2, L));
    const Node *panels =
        graph_expr(f.g, SHAPE(P, K, L), REDUCE_NONE, 0, NULL, LOAD(&f, W, row, at(&f, 1, K)), named("panels"));
    for (int s = 0; s < STEPS; s++) {
        const Scalar *lanes = scalar_int(pool, LANES);
        const Scalar *weight = LOAD(&f, panels, op2(&f, OP_FLOORDIV, of, lanes), k, op2(&f, OP_MOD, of, lanes));
        const Node *u =
            graph_expr(f.g, SHAPE(B, N), REDUCE_SUM, 1, &K, op2(&f, OP_MUL, weight, LOAD(&f, h, b, k)), named("u"));
        const Node *gates[GATES];
        for (int gate = 0; gate < GATES; gate++) {
            const Scalar *value = scalar_op1(pool, OP_TANH, LOAD(&f, u, b, add_int(&f, n, gate * width)));
            gates[gate] = graph_expr(f.g, SHAPE(B, K), REDUCE_NONE, 0, NULL, value, named("gate"));
        }
        const Scalar *sum = op2(&f, OP_MUL, LOAD(&f, gates[0], b, n), LOAD(&f, gates[1], b, n));
        sum = op2(&f, OP_ADD, sum, LOAD(&f, gates[2], b, n));
        h = graph_expr(f.g, SHAPE(B, K), REDUCE_NONE, 0, NULL, sum, named("h"));
    }
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, h);
    return f;
}

/* A matrix that the nearest cache does not hold is not read again for each sample. */
static void test_recurrences(void **state) {
    (void)state;
    Fixture f = recurrence(32, 64);
    Compiled compiled = compile(&f, target_by_name("avx2"));
    const PlanEntry *entry = &compiled.plan->entries[ENTRY_PREDICT];
    for (size_t i = 0; i < entry->kernels.count; i++)
        assert_int_equal(entry->kernels.at[i].shared, 0);
    compare_entry(&f, compiled.program, ENTRY_PREDICT, 8, 32);
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_large_softmax),
        cmocka_unit_test(test_small_softmax), cmocka_unit_test(test_columns_stay_apart),
        cmocka_unit_test(test_recurrences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
