/* Maps that come from memory. The caches of these targets are so small that small tensors are larger. */
#include "support/plan_fixture.h"

static Target with_small_caches(const char *name) {
    Target target = *target_by_name(name);
    target.l1_bytes = 256;
    target.l2_bytes = 512;
    target.far_bytes = 1024;
    return target;
}

/* y[b, c, j] = s[c, j] * x[b, c, j] + t[b, j], and z = y * s, computed beside it. */
static Fixture new_chain(Extent batch, Extent C, Extent J) {
    Fixture f = new_fixture(batch);
    const Node *x = input(&f, "x", SHAPE(batch, C, J));
    const Node *t = input(&f, "t", SHAPE(batch, J));
    const Node *s = param(&f, "s", SHAPE(C, J));
    const Scalar *b = at(&f, 0, batch), *c = at(&f, 1, C), *j = at(&f, 2, J);
    const Scalar *product = op2(&f, OP_MUL, LOAD(&f, s, c, j), LOAD(&f, x, b, c, j));
    const Node *y = graph_expr(f.g, SHAPE(batch, C, J), REDUCE_NONE, 0, NULL,
                               op2(&f, OP_ADD, product, LOAD(&f, t, b, j)), named("y"));
    const Node *z = graph_expr(f.g, SHAPE(batch, C, J), REDUCE_NONE, 0, NULL,
                               op2(&f, OP_MUL, LOAD(&f, y, b, c, j), LOAD(&f, s, c, j)), named("z"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, z);
    return f;
}

static size_t streams(const LoopBody *body) {
    size_t count = 0;
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *s = body->at[i];
        count += s->kind == LOOP_STORE && s->store.to.streams;
        if (s->kind == LOOP_FOR)
            count += streams(&s->loop.body);
    }
    return count;
}

static Kernel *only_kernel(const LoopProgram *program) {
    assert_int_equal(program->entries[ENTRY_PREDICT].kernels.count, 1);
    return program->entries[ENTRY_PREDICT].kernels.at[0];
}

static const StageSchedule *only_schedule(const Plan *plan) {
    const PlanEntry *entry = &plan->entries[ENTRY_PREDICT];
    assert_int_equal(entry->kernels.count, 1);
    return &entry->kernels.at[0].stages.at[0].schedule;
}

/* Rows that read the same operands go together, several streams at once, where a vector is a line of memory, several lines of each where they fit; what
 * remains, and every number of lanes, gives the same values. */
static void test_rows_share_operands(void **state) {
    (void)state;
    const Extent batches[] = {{9, 1}, {8, 1}, {3, 1}};
    for (size_t i = 0; i < 2 * (sizeof batches / sizeof *batches); i++)
        for (size_t t = 0; t < target_count(); t++) {
            const bool wide = i % 2 == 1;
            const Extent samples = batches[i / 2];
            Fixture f = new_chain(samples, size(5), size(wide ? 128 : 37));
            Target target = with_small_caches(target_at(t)->name);
            Compiled compiled = compile(&f, &target);
            const StageSchedule *schedule = only_schedule(compiled.plan);
            assert_int_equal(schedule->tile_rows, target.vector_bytes < CACHE_LINE ? 1 : 4);
            if (schedule->tile_rows > 1)
                assert_int_equal(schedule->tile_slot, samples.size < 4 ? 1 : schedule->tile_slot);
            assert_int_equal(schedule->columns, wide && schedule->tile_rows > 1 ? 4 : 1);
            compare_all(&f, compiled.program);
            check_choices(&f, &target, true);
            arena_free(f.arena);
        }
}

/* Results that nobody reads here are stored past the caches; a fence makes them visible. */
static void test_streams(void **state) {
    (void)state;
    Fixture f = new_chain((Extent){9, 1}, size(5), size(37));
    Target target = with_small_caches("avx2");
    Compiled compiled = compile(&f, &target);
    const PlanStage *stage = &compiled.plan->entries[ENTRY_PREDICT].kernels.at[0].stages.at[0];
    for (size_t i = 0; i < stage->nodes.count; i++)
        assert_int_equal(stage->nodes.at[i].streams, strcmp(stage->nodes.at[i].node->origin.name, "z") == 0);
    Kernel *kernel = only_kernel(compiled.program);
    assert_true(streams(&kernel->body) > 0);
    assert_false(is_refused(compiled.program));
    assert_int_equal(kernel->body.at[kernel->body.count - 1]->kind, LOOP_FENCE);
    kernel->body.count--;
    assert_true(is_refused(compiled.program));
    arena_free(f.arena);
}

/* A map that computes much waits for nothing. */
static void test_work_hides_stores(void **state) {
    (void)state;
    Fixture f = new_fixture(size(1));
    Extent N = size(3000);
    const Node *x = input(&f, "x", SHAPE(N));
    const Scalar *load = LOAD(&f, x, at(&f, 0, N));
    const Scalar *much = op2(&f, OP_MUL, scalar_op1(f.g->pool, OP_EXP, load), scalar_op1(f.g->pool, OP_SIN, load));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
               graph_expr(f.g, SHAPE(N), REDUCE_NONE, 0, NULL, much, named("y")));
    Target target = with_small_caches("avx512");
    assert_int_equal(streams(&only_kernel(compile(&f, &target).program)->body), 0);
    arena_free(f.arena);
}

/* A map that computes much asks for what it reads and writes ahead, where the target wants that; not for what the caches keep. Where vectors take
 * turns, whole lines are stored at once, past the caches, and need not be asked for. */
static void test_map_asks_ahead(void **state) {
    (void)state;
    for (int turns = 0; turns < 2; turns++) {
        Fixture f = new_fixture(size(1));
        Extent M = size(5), N = size(turns ? 3072 : 3000);
        const Node *x = input(&f, "x", SHAPE(M, N)), *w = input(&f, "w", SHAPE(N));
        const Scalar *i = at(&f, 0, M), *j = at(&f, 1, N);
        const Scalar *body = scalar_op1(f.g->pool, OP_SIGMOID, op2(&f, OP_MUL, LOAD(&f, x, i, j), LOAD(&f, w, j)));
        const Node *y = graph_expr(f.g, SHAPE(M, N), REDUCE_NONE, 0, NULL, body, named("y"));
        add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
        for (size_t t = 0; t < target_count(); t++) {
            Target target = with_small_caches(target_at(t)->name);
            target.far_bytes = 32 << 10;
            Compiled compiled = compile(&f, &target);
            const PlanStage *stage = &compiled.plan->entries[ENTRY_PREDICT].kernels.at[0].stages.at[0];
            const bool shares =
                stage->schedule.tile_rows > 1; /* vectors that are lines go together, and hide latency so */
            assert_int_equal(stage->turns, turns && target.turns > 1 && !shares);
            assert_int_equal(stage->nodes.at[0].streams, turns && (target.ahead > 0 || shares));
            assert_int_equal(stage->fetches.count, target.ahead > 0 ? 2 - turns : 0);
            if (target.ahead > 0) {
                assert_ptr_equal(stage->fetches.at[0].node, x);
                assert_null(stage->fetches.at[0].value);
            }
            if (stage->fetches.count == 2) {
                assert_ptr_equal(stage->fetches.at[1].value, &stage->nodes.at[0]);
                assert_int_equal(stage->fetches.at[1].ahead, target.ahead / 4);
            }
            compare_all(&f, compiled.program);
        }
        arena_free(f.arena);
    }
}

/* p[b, i] = exp(x[b, i - 1]), 0 outside; y[b, i] = p[b, i] / sum(k) p[b, k]. The stage that asks for the lines of y has edges, element by element. */
static void test_fetch_at_edges(void **state) {
    (void)state;
    Extent B = {6, 1}, N = size(300), M = size(302);
    Fixture f = new_fixture(B);
    ScalarPool *pool = f.g->pool;
    const Node *x = input(&f, "x", SHAPE(B, N));
    const Scalar *b = at(&f, 0, B), *i = at(&f, 1, M), *inside = add_int(&f, i, -1);
    const Scalar *body = scalar_select(pool, scalar_within(pool, inside, N),
                                       scalar_op1(pool, OP_EXP, LOAD(&f, x, b, inside)), scalar_real(pool, 0));
    const Node *p = graph_expr(f.g, SHAPE(B, M), REDUCE_NONE, 0, NULL, body, named("p"));
    const Node *s = graph_expr(f.g, SHAPE(B), REDUCE_SUM, 1, &M, LOAD(&f, p, b, i), named("s"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
               graph_expr(f.g, SHAPE(B, M), REDUCE_NONE, 0, NULL, op2(&f, OP_DIV, LOAD(&f, p, b, i), LOAD(&f, s, b)),
                          named("y")));
    for (size_t t = 0; t < target_count(); t++) {
        Target target = with_small_caches(target_at(t)->name);
        Compiled compiled = compile(&f, &target);
        const PlanKernel *kernel = &compiled.plan->entries[ENTRY_PREDICT].kernels.at[0];
        assert_int_equal(kernel->stages.count, 3);
        assert_int_equal(kernel->stages.at[0].fetches.count, 1); /* the rows of x are shorter */
        assert_ptr_equal(kernel->stages.at[0].fetches.at[0].value, &kernel->stages.at[2].nodes.at[0]);
        assert_int_equal(kernel->stages.at[0].ranges.count, 1);
        compare_all(&f, compiled.program);
    }
    arena_free(f.arena);
}

static int asks(const PlanStage *stage, const Node *node, bool writes) {
    int count = 0;
    for (size_t i = 0; i < stage->early.count; i++)
        count += stage->early.at[i].node == node && (stage->early.at[i].value != NULL) == writes;
    return count;
}

/* g[i, j] = sum(k) a[i, k] b[k, j], and z = g + r; or w = w - g. A tile asks for the lines of its results, and for what these read besides, before
 * its sums, where the target wants that; what is written in place, once. */
static void test_tile_asks_early(void **state) {
    (void)state;
    Extent M = size(14), N = size(48), K = size(9);
    for (int updates = 0; updates < 2; updates++) {
        Fixture f = new_fixture(size(1));
        const Node *a = input(&f, "a", SHAPE(M, K)), *b = input(&f, "b", SHAPE(K, N));
        const Node *r = param(&f, "r", SHAPE(M, N));
        const Scalar *i = at(&f, 0, M), *j = at(&f, 1, N), *k = at(&f, 2, K);
        const Node *g = graph_expr(f.g, SHAPE(M, N), REDUCE_SUM, 1, &K,
                                   op2(&f, OP_MUL, LOAD(&f, a, i, k), LOAD(&f, b, k, j)), named("g"));
        const Node *z =
            graph_expr(f.g, SHAPE(M, N), REDUCE_NONE, 0, NULL,
                       op2(&f, updates ? OP_SUB : OP_ADD, LOAD(&f, r, i, j), LOAD(&f, g, i, j)), named("z"));
        EntryKind kind = updates ? ENTRY_TRAIN_STEP : ENTRY_PREDICT;
        add_output(&f, kind, updates ? OUTPUT_UPDATE : OUTPUT_RESULT, updates ? r : NULL, z);
        for (size_t t = 0; t < target_count(); t++) {
            Target target = with_small_caches(target_at(t)->name);
            Compiled compiled = compile(&f, &target);
            const PlanStage *stage = &compiled.plan->entries[kind].kernels.at[0].stages.at[0];
            int width = stage->schedule.columns * target.vector_bytes;
            int lines =
                (width + CACHE_LINE - 1) / CACHE_LINE + (width >= CACHE_LINE); /* those of callers begin anywhere */
            assert_int_equal(stage->nodes.count, 2);
            assert_int_equal(asks(stage, z, true), target.early ? lines : 0);
            assert_int_equal(asks(stage, r, false), target.early && !updates ? lines : 0);
            assert_int_equal(stage->early.count, target.early ? (2 - updates) * lines : 0);
            compare_all(&f, compiled.program);
        }
        arena_free(f.arena);
    }
}

/* What the caches hold is taken row by row, and stays there. */
static void test_near_rows(void **state) {
    (void)state;
    Fixture f = new_chain((Extent){9, 1}, size(5), size(37));
    Compiled compiled = compile(&f, target_by_name("avx512"));
    assert_int_equal(only_schedule(compiled.plan)->tile_rows, 1);
    assert_int_equal(streams(&only_kernel(compiled.program)->body), 0);
    check(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_share_operands), cmocka_unit_test(test_streams),
        cmocka_unit_test(test_work_hides_stores),   cmocka_unit_test(test_fetch_at_edges),
        cmocka_unit_test(test_near_rows),           cmocka_unit_test(test_map_asks_ahead),
        cmocka_unit_test(test_tile_asks_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
