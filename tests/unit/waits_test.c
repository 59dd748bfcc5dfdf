/* Threads: which entries have them, which loops they share, where they wait for each other, and what the verifier refuses. */
#include "support/plan_fixture.h"
#include "plan/planner.h"

static const Extent batch = {32, 1};

static Fixture large_training(void) {
    Fixture f = new_fixture(batch);
    train_dense(&f, size(256), size(320));
    return f;
}

/* ---- what is shared ---- */

static void count_stores(void *context, const LoopAddress *address, bool is_store) {
    size_t *count = context;
    *count += is_store && address->buffer;
}

static size_t stores_in(const LoopBody *body) {
    size_t count = 0;
    loop_walk_body(body, &(LoopVisitor){.address = count_stores, .context = &count});
    return count;
}

typedef struct Sharing {
    size_t loops, stores; /* shared loops, and the stores in them */
    bool nested;
} Sharing;

static void find_sharing(const LoopBody *body, bool inside, Sharing *sharing) {
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *s = body->at[i];
        if (s->kind == LOOP_IF)
            find_sharing(&s->branch.then, inside, sharing);
        if (s->kind != LOOP_FOR)
            continue;
        bool shared = s->loop.mode == LOOP_PARALLEL;
        sharing->loops += shared;
        sharing->stores += shared ? stores_in(&s->loop.body) : 0;
        sharing->nested = sharing->nested || (shared && inside);
        find_sharing(&s->loop.body, inside || shared, sharing);
    }
}

/* All threads run such a kernel: what stood beside its shared loops would be stored by each of them. */
static void check_sharing(const LoopEntry *entry) {
    for (size_t k = 0; k < entry->kernels.count; k++) {
        const Kernel *kernel = entry->kernels.at[k];
        Sharing sharing = {0};
        find_sharing(&kernel->body, false, &sharing);
        assert_false(sharing.nested);
        assert_int_equal(sharing.loops > 0, kernel->parallel);
        assert_int_equal(sharing.stores, kernel->parallel ? stores_in(&kernel->body) : 0);
    }
}

static size_t count_parallel(const LoopEntry *entry) {
    size_t count = 0;
    for (size_t k = 0; k < entry->kernels.count; k++)
        count += entry->kernels.at[k]->parallel;
    return count;
}

static void test_large_entries(void **state) {
    (void)state;
    Fixture f = large_training();
    for (size_t t = 0; t < target_count(); t++) {
        LoopProgram *program = compile(&f, target_at(t)).program;
        for (int kind = 0; kind < ENTRY_COUNT; kind++)
            check_sharing(&program->entries[kind]);
        const LoopEntry *entry = &program->entries[ENTRY_TRAIN_STEP];
        assert_true(entry->parallel && count_parallel(entry) >= 4);
        assert_true(entry->least_n > 1 && entry->least_n < batch.size); /* a batch of one is left to one thread */
        compare_entry(&f, program, ENTRY_TRAIN_STEP, 8, batch.size);
    }
    arena_free(f.arena);
}

static void check_one_thread(const LoopEntry *entry) {
    assert_true(entry->present && !entry->parallel);
    assert_int_equal(count_parallel(entry), 0);
    check_sharing(entry);
    for (size_t k = 0; k < entry->kernels.count; k++)
        assert_false(entry->kernels.at[k]->waits);
}

static void test_small_entries(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){6, 1});
    train_dense(&f, size(20), size(33));
    LoopProgram *program = compile(&f, target_by_name("generic")).program;
    check_one_thread(&program->entries[ENTRY_TRAIN_STEP]);
    check_one_thread(&program->entries[ENTRY_GRADIENT]);
    arena_free(f.arena);
}

/* W[i, j] = exp(i * j / 1000), a million elements: initial values are made once. */
static void test_init(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    Extent K = size(1000);
    const Node *W = param(&f, "W", SHAPE(K, K));
    const Scalar *product = op2(&f, OP_MUL, at(&f, 0, K), at(&f, 1, K));
    const Scalar *real = op2(&f, OP_MUL, scalar_real(f.g->pool, 0.001), scalar_to_real(f.g->pool, product));
    const Node *start =
        graph_expr(f.g, SHAPE(K, K), REDUCE_NONE, 0, NULL, scalar_op1(f.g->pool, OP_EXP, real), named("start"));
    add_output(&f, ENTRY_INIT, OUTPUT_INIT, W, start);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, start);
    LoopProgram *program = compile(&f, target_by_name("generic")).program;
    check_one_thread(&program->entries[ENTRY_INIT]);
    assert_true(program->entries[ENTRY_PREDICT].parallel);
    arena_free(f.arena);
}

/* W[i, j] = W[i, j] - u[i] * v[j], the update of one sample: does it pay to start threads for it? */
static bool threads_for_update(int64_t rows, int64_t columns) {
    Fixture f = new_fixture(batch);
    Extent I = size(rows), J = size(columns);
    const Node *W = param(&f, "W", SHAPE(I, J)), *u = param(&f, "u", SHAPE(I)), *v = param(&f, "v", SHAPE(J));
    const Scalar *i = at(&f, 0, I), *j = at(&f, 1, J);
    const Scalar *step = op2(&f, OP_MUL, LOAD(&f, u, i), LOAD(&f, v, j));
    const Scalar *body = op2(&f, OP_SUB, LOAD(&f, W, i, j), step);
    const Node *updated = graph_expr(f.g, SHAPE(I, J), REDUCE_NONE, 0, NULL, body, named("updated"));
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, W, updated);
    bool parallel = compile(&f, target_by_name("avx2")).program->entries[ENTRY_TRAIN_STEP].parallel;
    arena_free(f.arena);
    return parallel;
}

/* A hundred thousand numbers in the second-level cache take as long as threads that wait for each other a few times. */
static void test_updates(void **state) {
    (void)state;
    assert_false(threads_for_update(128, 784));
    assert_true(threads_for_update(1024, 1024));
}

/* A kernel of a million cycles whose stage shares the loop over the samples: is that loop for several threads? */
static bool is_shared_by_threads(int64_t samples, bool in_lanes) {
    static const Target target = TEST_TARGET(.vector_bytes = 32, .vector_registers = 16, .latency = 4,
                                             .l1_bytes = 32 << 10, .l2_bytes = 512 << 10);
    Fixture f = new_fixture(size(samples));
    const Node *x = input(&f, "x", SHAPE(size(samples), size(100)));
    const Entry entry = {.kind = ENTRY_PREDICT, .present = true};
    Planner planner = {.arena = f.arena, .graph = f.g, .entry = &entry, .target = &target, .threads = 2};
    PlanKernel kernel = {.shared = 1, .samples = in_lanes, .parallel_slot = -1, .cycles = 1e6};
    PlanStage stage = {.rank = 2, .samples = in_lanes};
    vec_push(f.arena, &stage.nodes, ((PlanNode){.node = x}));
    vec_push(f.arena, &kernel.stages, stage);
    PlanEntry plan = {.present = true};
    vec_push(f.arena, &plan.kernels, kernel);
    plan_threads(&planner, &plan);
    bool shared = plan.kernels.at[0].parallel_slot == 0;
    assert_int_equal(plan.kernels.at[0].parallel, shared);
    assert_int_equal(plan.parallel, shared);
    arena_free(f.arena);
    return shared;
}

/* Where lanes are samples, threads share vectors of them: one vector is no work for two. */
static void test_threads_of_samples(void **state) {
    (void)state;
    assert_true(is_shared_by_threads(8, false));
    assert_false(is_shared_by_threads(8, true));
    assert_true(is_shared_by_threads(16, true));
    assert_true(is_shared_by_threads(64, true));
    assert_false(is_shared_by_threads(1, false));
}

/* ---- waits ---- */

static void check_independent(const LoopProgram *program, const LoopEntry *entry) {
    size_t first = 0;
    for (size_t k = 0; k < entry->kernels.count; k++) {
        first = entry->kernels.at[k]->waits ? k : first;
        for (size_t i = first; i < k; i++)
            assert_false(kernels_conflict(program, entry->kernels.at[i], entry->kernels.at[k]));
    }
}

static size_t count_waits(const LoopEntry *entry) {
    size_t count = 0;
    for (size_t k = 0; k < entry->kernels.count; k++)
        count += entry->kernels.at[k]->waits;
    return count;
}

static void test_waits(void **state) {
    (void)state;
    Fixture f = large_training();
    LoopProgram *program = compile(&f, target_by_name("avx512")).program;
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        check_independent(program, &program->entries[kind]);
        assert_true(program->entries[kind].kernels.count == 0 || !program->entries[kind].kernels.at[0]->waits);
    }
    const LoopEntry *entry = &program->entries[ENTRY_TRAIN_STEP];
    assert_true(count_waits(entry) > 0);
    assert_true(count_waits(entry) <
                entry->kernels.count - 1); /* the loss and the adjoint of h need not wait for each other */
    arena_free(f.arena);
}

/* The gradient of W reads h, and the adjoint of h, which does not depend on it, takes the place of h. */
static void test_memory_used_again(void **state) {
    (void)state;
    Fixture f = large_training();
    LoopProgram *program = compile(&f, target_by_name("avx512")).program;
    const LoopEntry *entry = &program->entries[ENTRY_GRADIENT];
    size_t found = 0;
    for (size_t k = 1; k < entry->kernels.count; k++) {
        const Kernel *before = entry->kernels.at[k - 1], *kernel = entry->kernels.at[k];
        bool reads_it = false;
        for (size_t i = 0; i < kernel->reads.count; i++)
            reads_it = reads_it || kernel->reads.at[i] == before->writes.at[0];
        found += kernel->waits && !reads_it;
    }
    assert_true(found > 0);
    arena_free(f.arena);
}

/* No wait is there without need, and none can be left out. */
static void test_missing_wait(void **state) {
    (void)state;
    Fixture f = large_training();
    LoopProgram *program = compile(&f, target_by_name("avx512")).program;
    assert_false(is_refused(program));
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        for (size_t k = 0; k < program->entries[kind].kernels.count; k++) {
            Kernel *kernel = program->entries[kind].kernels.at[k];
            if (!kernel->waits)
                continue;
            kernel->waits = false;
            assert_true(is_refused(program));
            kernel->waits = true;
        }
    arena_free(f.arena);
}

static void set_mode(const LoopBody *body, LoopMode from, LoopMode to) {
    for (size_t i = 0; i < body->count; i++) {
        LoopStmt *s = body->at[i];
        if (s->kind != LOOP_FOR)
            continue;
        s->loop.mode = s->loop.mode == from ? to : s->loop.mode;
        set_mode(&s->loop.body, from, to);
    }
}

/* Every thread would store all of it; one thread alone has nobody to share with; a shared loop in another has no meaning. */
static void test_wrong_sharing(void **state) {
    (void)state;
    Fixture f = large_training();
    LoopProgram *program = compile(&f, target_by_name("avx512")).program;
    const LoopEntry *entry = &program->entries[ENTRY_TRAIN_STEP];
    size_t k = 0;
    while (!entry->kernels.at[k]->parallel)
        k++;
    Kernel *kernel = entry->kernels.at[k];
    kernel->parallel = false;
    assert_true(is_refused(program));
    kernel->parallel = true;
    set_mode(&kernel->body, LOOP_PARALLEL, LOOP_SERIAL);
    assert_true(is_refused(program));
    set_mode(&kernel->body, LOOP_ROLLED, LOOP_SERIAL);
    set_mode(&kernel->body, LOOP_SERIAL, LOOP_PARALLEL);
    assert_true(is_refused(program));
    arena_free(f.arena);
}

/* ---- what conflicts ---- */

static Kernel *touching(Arena *arena, const Buffer *read, const Buffer *written) {
    Kernel *kernel = arena_one(arena, Kernel);
    if (read)
        vec_push(arena, &kernel->reads, read);
    if (written)
        vec_push(arena, &kernel->writes, written);
    return kernel;
}

static bool conflict(const LoopProgram *program, const Kernel *a, const Kernel *b) {
    bool found = kernels_conflict(program, a, b);
    assert_int_equal(found, kernels_conflict(program, b, a));
    return found;
}

/* Buffers that share bytes are the same memory; two readers disturb nobody. */
static void test_conflicts(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    LoopProgram program = {.arena = f.arena, .graph = f.g};
    const Buffer first = {.space = BUFFER_WORKSPACE, .type = TYPE_REAL, .elements = 16, .offset = 0};
    const Buffer next = {.space = BUFFER_WORKSPACE, .type = TYPE_REAL, .elements = 16, .offset = 64};
    const Buffer inside = {.space = BUFFER_WORKSPACE, .type = TYPE_INT, .elements = 4, .offset = 32};
    const Buffer output = {.space = BUFFER_OUTPUT, .type = TYPE_REAL, .elements = 16};
    Kernel *writes_first = touching(f.arena, NULL, &first), *reads_first = touching(f.arena, &first, &output);
    assert_true(conflict(&program, writes_first, reads_first));
    assert_true(conflict(&program, writes_first, writes_first));
    assert_false(conflict(&program, touching(f.arena, &first, NULL), touching(f.arena, &first, NULL)));
    assert_false(conflict(&program, writes_first, touching(f.arena, &next, NULL)));
    assert_true(conflict(&program, writes_first, touching(f.arena, &inside, NULL)));
    assert_false(conflict(&program, writes_first, touching(f.arena, &output, NULL)));
    assert_true(conflict(&program, reads_first, touching(f.arena, &output, NULL)));
    f.g->real_is_double = true; /* twice as long */
    assert_true(conflict(&program, writes_first, touching(f.arena, &next, NULL)));
    f.g->real_is_double = false;
    Buffer longer = first;
    longer.slack = 1; /* vectors may reach into it */
    assert_true(conflict(&program, touching(f.arena, &longer, NULL), touching(f.arena, NULL, &next)));
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_entries),
        cmocka_unit_test(test_small_entries),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_threads_of_samples),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_memory_used_again),
        cmocka_unit_test(test_missing_wait),
        cmocka_unit_test(test_wrong_sharing),
        cmocka_unit_test(test_conflicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
