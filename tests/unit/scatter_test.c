/* Sums whose terms choose their place: their loops run over the terms. */
#include "support/plan_fixture.h"

static const PlanStage *find_scatter(const Plan *plan, EntryKind kind) {
    const PlanEntry *entry = &plan->entries[kind];
    for (size_t k = 0; k < entry->kernels.count; k++)
        for (size_t s = 0; s < entry->kernels.at[k].stages.count; s++)
            if (entry->kernels.at[k].stages.at[s].scatters.count > 0)
                return &entry->kernels.at[k].stages.at[s];
    return NULL;
}

static const Node *token_input(Fixture *f, const char *name, int rank, const Extent *shape, int64_t classes) {
    return graph_input(f->g, TYPE_INT, rank, shape, false, classes, named(name));
}

static const Scalar *equal(Fixture *f, const Scalar *a, const Scalar *b) {
    return op2(f, OP_EQ, a, b);
}

/* `value` where the condition holds. */
static const Scalar *where(Fixture *f, const Scalar *test, const Scalar *value) {
    return scalar_select(f->g->pool, test, value, scalar_real(f->g->pool, 0));
}

/* The sum is a result; on all targets it scatters along so many axes, or not at all, and its values are right. */
static void check_sum(Fixture *f, const Node *sum, size_t axes) {
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, sum);
    for (size_t t = 0; t < target_count(); t++) {
        const PlanStage *stage = find_scatter(compile(f, target_at(t)).plan, ENTRY_PREDICT);
        assert_int_equal(stage ? stage->scatters.count : 0, axes);
    }
    check(f);
}

/* ---- tables ---- */

/* G[v, k] = sum(b, i) select(v == token[b, i], g[b, i, k], 0), with tokens below `classes`. */
static const Node *table_sum(Fixture *f, Extent B, Extent I, Extent V, Extent K, int64_t classes) {
    const Node *token = token_input(f, "token", SHAPE(B, I), classes), *g = input(f, "g", SHAPE(B, I, K));
    const Scalar *b = at(f, 2, B), *i = at(f, 3, I), *value = LOAD(f, g, b, i, at(f, 1, K));
    const Scalar *body = where(f, equal(f, at(f, 0, V), LOAD(f, token, b, i)), value);
    return graph_expr(f->g, SHAPE(V, K), REDUCE_SUM, 2, (Extent[]){B, I}, body, named("G"));
}

static void check_table(Extent B, int64_t length, int64_t rows, int64_t width, int64_t classes) {
    Fixture f = new_fixture(B);
    check_sum(&f, table_sum(&f, B, size(length), size(rows), size(width), classes), 1);
}

static void test_tables(void **state) {
    (void)state;
    check_table((Extent){24, 1}, 3, 40, 32, 40);
    check_table((Extent){24, 1}, 1, 40, 21, 40); /* the last vector is a part */
    check_table(size(7), 5, 90, 3, 90);
    check_table(size(40), 2, 500, 1, 500);
}

/* What lies on no row is left out. */
static void test_outside(void **state) {
    (void)state;
    check_table((Extent){24, 1}, 3, 40, 16, 47);
    check_table(size(9), 4, 40, 5, 200);
}

static void test_double(void **state) {
    (void)state;
    Fixture f = new_fixture(size(12));
    f.g->real_is_double = true;
    check_sum(&f, table_sum(&f, size(12), size(3), size(40), size(20), 40), 1);
}

/* Rows in blocks, which threads share; the last one is shorter. */
static void test_blocks(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){6, 1});
    const Node *sum = table_sum(&f, f.g->batch, size(1), size(5999), size(128), 5999);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, sum);
    const Compiled compiled = compile(&f, target_by_name("avx2"));
    const PlanStage *stage = find_scatter(compiled.plan, ENTRY_PREDICT);
    assert_non_null(stage);
    assert_true(stage->schedule.block > 0 && 5999 % stage->schedule.block != 0);
    assert_int_equal(stage->schedule.parallel_slot, stage->scatters.at[0].slot);
    compare_entry(&f, compiled.program, ENTRY_PREDICT, 8, 5);
    arena_free(f.arena);
}

/* ---- other places ---- */

/* H[v] = sum(b) select(v == token[b], 1, 0): how often. */
static void test_histogram(void **state) {
    (void)state;
    Fixture f = new_fixture(size(64));
    Extent B = size(64), V = size(300);
    const Node *token = token_input(&f, "token", SHAPE(B), 310);
    const Scalar *test = equal(&f, at(&f, 0, V), LOAD(&f, token, at(&f, 1, B)));
    const Scalar *body = where(&f, test, scalar_real(f.g->pool, 1));
    check_sum(&f, graph_expr(f.g, SHAPE(V), REDUCE_SUM, 1, &B, body, named("H")), 1);
}

/* G[u, k, v] = sum(b) select(u == p[b] && v == q[b], g[b, k], 0): lanes are far apart. */
static void test_two_axes(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){32, 1});
    Extent B = f.g->batch, U = size(9), V = size(12), K = size(5);
    const Node *p = token_input(&f, "p", SHAPE(B), 9), *q = token_input(&f, "q", SHAPE(B), 14);
    const Node *g = input(&f, "g", SHAPE(B, K));
    const Scalar *b = at(&f, 3, B);
    const Scalar *test =
        op2(&f, OP_AND, equal(&f, at(&f, 0, U), LOAD(&f, p, b)), equal(&f, at(&f, 2, V), LOAD(&f, q, b)));
    const Scalar *body = where(&f, test, LOAD(&f, g, b, at(&f, 1, K)));
    check_sum(&f, graph_expr(f.g, SHAPE(U, K, V), REDUCE_SUM, 1, &B, body, named("G")), 2);
}

/* X[j, k] = sum(b, o) select(token[b] - o + 3 == j, g[b, o, k], 0): pieces that begin anywhere, and end outside. */
static void test_pieces(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){24, 1});
    Extent B = f.g->batch, O = size(6), J = size(33), K = size(18);
    const Node *token = token_input(&f, "token", SHAPE(B), 40), *g = input(&f, "g", SHAPE(B, O, K));
    const Scalar *b = at(&f, 2, B), *o = at(&f, 3, O);
    const Scalar *place = add_int(&f, op2(&f, OP_SUB, LOAD(&f, token, b), o), 3);
    const Scalar *body = where(&f, equal(&f, place, at(&f, 0, J)), LOAD(&f, g, b, o, at(&f, 1, K)));
    check_sum(&f, graph_expr(f.g, SHAPE(J, K), REDUCE_SUM, 2, (Extent[]){B, O}, body, named("X")), 1);
}

/* G[h, v, k] = sum(b) select(v == token[b, h], g[b, h, k], 0): a table for each h, whose loop stands outside the choice. */
static void test_tables_side_by_side(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){24, 1});
    Extent B = f.g->batch, H = size(3), V = size(20), K = size(16);
    const Node *token = token_input(&f, "token", SHAPE(B, H), 20), *g = input(&f, "g", SHAPE(B, H, K));
    const Scalar *b = at(&f, 3, B), *h = at(&f, 0, H);
    const Scalar *test = equal(&f, at(&f, 1, V), LOAD(&f, token, b, h));
    const Scalar *body = where(&f, test, LOAD(&f, g, b, h, at(&f, 2, K)));
    check_sum(&f, graph_expr(f.g, SHAPE(H, V, K), REDUCE_SUM, 1, &B, body, named("G")), 1);
}

/* X[j, k] = sum(b) select(j == order[b], g[b, k], 0): places are samples, of which there are n. */
static void test_samples(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){40, 1});
    Extent B = f.g->batch, K = size(16);
    const Node *order = token_input(&f, "order", SHAPE(B), 40), *g = input(&f, "g", SHAPE(B, K));
    const Scalar *test = equal(&f, at(&f, 0, B), LOAD(&f, order, at(&f, 2, B)));
    const Scalar *body = where(&f, test, LOAD(&f, g, at(&f, 2, B), at(&f, 1, K)));
    check_sum(&f, graph_expr(f.g, SHAPE(B, K), REDUCE_SUM, 1, &B, body, named("X")), 1);
}

/* ---- other terms ---- */

/* G[v, k] = sum(b) select(b > 0 && v == token[b] && token[b] != 2, g[b, k] * W[v, k], 0): other conditions stay, and a term may read its row. */
static void test_other_conditions(void **state) {
    (void)state;
    Fixture f = new_fixture(size(30));
    Extent B = size(30), V = size(40), K = size(20);
    const Node *token = token_input(&f, "token", SHAPE(B), 40), *g = input(&f, "g", SHAPE(B, K));
    const Node *W = param(&f, "W", SHAPE(V, K));
    const Scalar *b = at(&f, 2, B), *t = LOAD(&f, token, b), *v = at(&f, 0, V), *k = at(&f, 1, K);
    const Scalar *later = op2(&f, OP_GT, b, scalar_int(f.g->pool, 0));
    const Scalar *other = op2(&f, OP_NE, t, scalar_int(f.g->pool, 2));
    const Scalar *test = op2(&f, OP_AND, op2(&f, OP_AND, later, equal(&f, v, t)), other);
    const Scalar *body = where(&f, test, op2(&f, OP_MUL, LOAD(&f, g, b, k), LOAD(&f, W, v, k)));
    check_sum(&f, graph_expr(f.g, SHAPE(V, K), REDUCE_SUM, 1, &B, body, named("G")), 1);
}

/* The gradient of a table, and its update with momentum: M <- 0.9 M + 0.1 G, W <- W - 0.1 M. */
static void add_training(Fixture *f, int64_t rows, int64_t width) {
    ScalarPool *pool = f->g->pool;
    Extent V = size(rows), K = size(width);
    const Node *W = param(f, "W", SHAPE(V, K)), *M = graph_state(f->g, W, SHAPE(V, K), named("M"));
    const Node *G = table_sum(f, f->g->batch, size(3), V, K, rows);
    const Scalar *kept = op2(f, OP_MUL, scalar_real(pool, 0.9), node_load_identity(f->g, M));
    const Scalar *added = op2(f, OP_MUL, scalar_real(pool, 0.1), node_load_identity(f->g, G));
    const Node *m = graph_expr(f->g, SHAPE(V, K), REDUCE_NONE, 0, NULL, op2(f, OP_ADD, kept, added), named("new M"));
    const Scalar *step = op2(f, OP_MUL, scalar_real(pool, 0.1), node_load_identity(f->g, m));
    const Scalar *body = op2(f, OP_SUB, node_load_identity(f->g, W), step);
    const Node *w = graph_expr(f->g, SHAPE(V, K), REDUCE_NONE, 0, NULL, body, named("new W"));
    add_output(f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, M, m);
    add_output(f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, W, w);
    add_output(f, ENTRY_GRADIENT, OUTPUT_GRADIENT, W, G);
}

static void check_training(const Plan *plan) {
    const PlanStage *stage = find_scatter(plan, ENTRY_TRAIN_STEP);
    assert_int_equal(stage->nodes.count, 3);
    assert_int_equal(stage->nodes.at[0].home, HOME_SCRATCH);
    assert_int_equal(find_scatter(plan, ENTRY_GRADIENT)->nodes.at[0].home, HOME_MEMORY);
}

static void test_update(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){24, 1});
    add_training(&f, 40, 40);
    check_training(compile(&f, target_by_name("avx2")).plan);
    check(&f);
}

/* Sums that need memory of their own are compared where that is short; the gradient of a user has its memory. */
static void test_little_memory(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){24, 1});
    add_training(&f, 40, 40);
    f.g->entries[ENTRY_TRAIN_STEP].spares_memory = f.g->entries[ENTRY_GRADIENT].spares_memory = true;
    const Plan *plan = compile(&f, target_by_name("avx2")).plan;
    assert_null(find_scatter(plan, ENTRY_TRAIN_STEP));
    assert_non_null(find_scatter(plan, ENTRY_GRADIENT));
    check(&f);
}

/* Terms read their row of W before the update of a block writes it. */
static void test_update_of_what_is_read(void **state) {
    (void)state;
    Fixture f = new_fixture(size(30));
    Extent B = size(30), V = size(1999), K = size(64);
    const Node *token = token_input(&f, "token", SHAPE(B), 1999), *W = param(&f, "W", SHAPE(V, K));
    const Scalar *own = LOAD(&f, W, at(&f, 0, V), at(&f, 1, K));
    const Scalar *body = where(&f, equal(&f, at(&f, 0, V), LOAD(&f, token, at(&f, 2, B))), own);
    const Node *G = graph_expr(f.g, SHAPE(V, K), REDUCE_SUM, 1, &B, body, named("G"));
    const Scalar *step = op2(&f, OP_MUL, scalar_real(f.g->pool, 0.1), node_load_identity(f.g, G));
    const Node *w = graph_expr(f.g, SHAPE(V, K), REDUCE_NONE, 0, NULL,
                               op2(&f, OP_SUB, node_load_identity(f.g, W), step), named("new W"));
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, W, w);
    const Compiled compiled = compile(&f, target_by_name("avx2"));
    const PlanStage *stage = find_scatter(compiled.plan, ENTRY_TRAIN_STEP);
    assert_int_equal(stage->nodes.count, 2);
    assert_true(stage->schedule.block > 0);
    compare_entry(&f, compiled.program, ENTRY_TRAIN_STEP, 8, 30);
    arena_free(f.arena);
}

/* Without blocks there is nothing that threads share, although the terms choose along two axes. */
static void test_two_axes_without_blocks(void **state) {
    (void)state;
    Fixture f = new_fixture(size(32));
    Extent B = size(32), I = size(300), U = size(9), V = size(12), K = size(8);
    const Node *p = token_input(&f, "p", SHAPE(B, I), 9), *q = token_input(&f, "q", SHAPE(B, I), 12);
    const Node *g = input(&f, "g", SHAPE(B, I, K));
    const Scalar *b = at(&f, 3, B), *i = at(&f, 4, I);
    const Scalar *here = equal(&f, at(&f, 0, U), LOAD(&f, p, b, i)),
                 *there = equal(&f, at(&f, 1, V), LOAD(&f, q, b, i));
    const Scalar *body = where(&f, op2(&f, OP_AND, here, there), LOAD(&f, g, b, i, at(&f, 2, K)));
    const Node *G = graph_expr(f.g, SHAPE(U, V, K), REDUCE_SUM, 2, (Extent[]){B, I}, body, named("G"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, G);
    const Compiled compiled = compile(&f, target_by_name("avx2"));
    assert_int_equal(find_scatter(compiled.plan, ENTRY_PREDICT)->scatters.count, 2);
    assert_true(compiled.plan->entries[ENTRY_PREDICT].kernels.at[0].cycles > 1e5);
    assert_false(compiled.plan->entries[ENTRY_PREDICT].parallel);
    compare_entry(&f, compiled.program, ENTRY_PREDICT, 8, 32);
    arena_free(f.arena);
}

/* The sums of a block are all that a thread needs memory for. */
static void test_update_in_blocks(void **state) {
    (void)state;
    const int64_t rows = 4999, width = 64;
    Fixture f = new_fixture((Extent){8, 1});
    add_training(&f, rows, width);
    for (int threads = 1; threads <= 4; threads += 3) {
        Plan *plan = plan_make(f.arena, f.g, target_by_name("avx2"), threads, NULL, NULL);
        LoopProgram *program = loop_build(f.arena, f.g, plan);
        place_buffers(program);
        place_waits(program);
        loop_check(program);
        check_training(plan);
        const int64_t block = find_scatter(plan, ENTRY_TRAIN_STEP)->schedule.block;
        const LoopEntry *entry = &program->entries[ENTRY_TRAIN_STEP];
        assert_int_equal(entry->kernels.count, 1);
        const Kernel *kernel = entry->kernels.at[0];
        assert_int_equal(kernel->parallel, threads > 1);
        assert_true(block > 0 && block < rows / 4);
        assert_int_equal(kernel->slice, block * width * 4);
        assert_int_equal(kernel->slices_end - kernel->slices, (int64_t)kernel->slice * threads);
        compare_entry(&f, program, ENTRY_TRAIN_STEP, 8, 7);
    }
    arena_free(f.arena);
}

/* P[v, k] = x[v, k]^2 has the shape of G, and is read where G is written: but G is cleared first. */
static void test_memory(void **state) {
    (void)state;
    Fixture f = new_fixture(size(30));
    Extent B = size(30), V = size(40), K = size(20);
    const Node *token = token_input(&f, "token", SHAPE(B), 40), *x = input(&f, "x", SHAPE(V, K));
    const Scalar *own = LOAD(&f, x, at(&f, 0, V), at(&f, 1, K));
    const Node *P = graph_expr(f.g, SHAPE(V, K), REDUCE_NONE, 0, NULL, op2(&f, OP_MUL, own, own), named("P"));
    const Scalar *term = LOAD(&f, P, at(&f, 0, V), at(&f, 1, K));
    const Scalar *body = where(&f, equal(&f, at(&f, 0, V), LOAD(&f, token, at(&f, 2, B))), term);
    const Node *G = graph_expr(f.g, SHAPE(V, K), REDUCE_SUM, 1, &B, body, named("G"));
    const Scalar *turned = LOAD(&f, G, at(&f, 1, V), at(&f, 0, K));
    check_sum(&f, graph_expr(f.g, SHAPE(K, V), REDUCE_NONE, 0, NULL, turned, named("y")), 1);
}

/* ---- what is compared as before ---- */

/* W[v, k] <- sum(b) select(v == token[b], g[b, k] * W[v, k], 0): the table may not be cleared before it is read. */
static void test_in_place(void **state) {
    (void)state;
    Fixture f = new_fixture(size(30));
    Extent B = size(30), V = size(40), K = size(20);
    const Node *token = token_input(&f, "token", SHAPE(B), 40), *g = input(&f, "g", SHAPE(B, K));
    const Node *W = param(&f, "W", SHAPE(V, K));
    const Scalar *b = at(&f, 2, B), *v = at(&f, 0, V), *k = at(&f, 1, K);
    const Scalar *value = op2(&f, OP_MUL, LOAD(&f, g, b, k), LOAD(&f, W, v, k));
    const Scalar *body = where(&f, equal(&f, v, LOAD(&f, token, b)), value);
    const Node *sum = graph_expr(f.g, SHAPE(V, K), REDUCE_SUM, 1, &B, body, named("new W"));
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, W, sum);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, sum);
    for (size_t t = 0; t < target_count(); t++) {
        const Plan *plan = compile(&f, target_at(t)).plan;
        assert_null(find_scatter(plan, ENTRY_TRAIN_STEP));
        assert_non_null(find_scatter(plan, ENTRY_PREDICT));
    }
    check(&f);
}

/* An index that may be read under a condition only; a place that chooses itself; a largest term. */
static void test_other_sums(void **state) {
    (void)state;
    for (int form = 0; form < 3; form++) {
        Fixture f = new_fixture(size(30));
        Extent B = size(30), V = size(40), K = size(20);
        const Node *token = token_input(&f, "token", SHAPE(form == 1 ? V : B), 40), *g = input(&f, "g", SHAPE(B, K));
        const Scalar *b = at(&f, 2, B), *v = at(&f, 0, V);
        const Scalar *read = form == 0 ? add_int(&f, b, -1) : form == 1 ? v : b;
        const Scalar *test = equal(&f, form == 1 ? op2(&f, OP_ADD, v, b) : v, LOAD(&f, token, read));
        if (form == 0)
            test = op2(&f, OP_AND, scalar_within(f.g->pool, read, B), test);
        const Scalar *body = where(&f, test, LOAD(&f, g, b, at(&f, 1, K)));
        Reduction reduce = form == 2 ? REDUCE_MAX : REDUCE_SUM;
        check_sum(&f, graph_expr(f.g, SHAPE(V, K), reduce, 1, &B, body, named("G")), 0);
    }
}

/* ---- the verifier ---- */

static LoopStmt *find_stmt(const LoopBody *body, LoopStmtKind kind, LoopMode mode) {
    LoopStmt *found = NULL;
    for (size_t i = 0; i < body->count && !found; i++) {
        LoopStmt *s = body->at[i];
        if (s->kind == kind && (kind != LOOP_FOR || s->loop.mode == mode))
            found = s;
        else if (s->kind == LOOP_FOR)
            found = find_stmt(&s->loop.body, kind, mode);
    }
    return found;
}

static LoopProgram *compile_table(Fixture *f, int64_t rows) {
    *f = new_fixture(size(40));
    const Node *sum = table_sum(f, size(40), size(2), size(rows), size(128), rows);
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, sum);
    LoopProgram *program = compile(f, target_by_name("avx2")).program;
    assert_false(is_refused(program));
    return program;
}

/* Without its condition, or with a wider one, a term might be stored anywhere. */
static void test_verifier_choice(void **state) {
    (void)state;
    Fixture f;
    LoopProgram *program = compile_table(&f, 50);
    Kernel *kernel = program->entries[ENTRY_PREDICT].kernels.at[0];
    LoopStmt *choice = find_stmt(&kernel->body, LOOP_IF, LOOP_SERIAL);
    assert_non_null(choice);
    const LoopExpr *test = choice->branch.test;
    LoopExpr below = *test->op.arg[1], far = *below.op.arg[1];
    choice->branch.test = test->op.arg[0];
    assert_true(is_refused(program));
    choice->branch.test = test->op.arg[1];
    assert_true(is_refused(program));
    far.integer++;
    below.op.arg[1] = &far;
    LoopExpr wider = *test;
    wider.op.arg[1] = &below;
    choice->branch.test = &wider;
    assert_true(is_refused(program));
    choice->branch.test = test;
    assert_false(is_refused(program));
    arena_free(f.arena);
}

/* Threads that add to the same rows. */
static void test_verifier_threads(void **state) {
    (void)state;
    Fixture f;
    LoopProgram *program = compile_table(&f, 5999);
    Kernel *kernel = program->entries[ENTRY_PREDICT].kernels.at[0];
    LoopStmt *blocks = find_stmt(&kernel->body, LOOP_FOR, LOOP_PARALLEL);
    assert_non_null(blocks);
    LoopExpr step = *blocks->loop.step;
    step.integer--;
    blocks->loop.step = &step;
    assert_true(is_refused(program));
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_double),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_two_axes),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_tables_side_by_side),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_other_conditions),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_update_of_what_is_read),
        cmocka_unit_test(test_two_axes_without_blocks),
        cmocka_unit_test(test_update_in_blocks),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_other_sums),
        cmocka_unit_test(test_verifier_choice),
        cmocka_unit_test(test_verifier_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
