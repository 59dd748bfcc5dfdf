/* Maps between orders of axes: memory has the rows of a tile side by side, and its lanes further apart. */
#include "support/plan_fixture.h"

static size_t turns(const LoopBody *body, bool stores) {
    size_t count = 0;
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *s = body->at[i];
        count += s->kind == LOOP_TURN && s->turn.stores == stores;
        if (s->kind == LOOP_FOR)
            count += turns(&s->loop.body, stores);
        if (s->kind == LOOP_IF)
            count += turns(&s->branch.then, stores);
    }
    return count;
}

static size_t entry_turns(const LoopProgram *program, EntryKind kind, bool stores) {
    const LoopEntry *entry = &program->entries[kind];
    size_t count = 0;
    for (size_t i = 0; i < entry->kernels.count; i++)
        count += turns(&entry->kernels.at[i]->body, stores);
    return count;
}

/* y[i, j] = x[j, i], or a function of it. */
static const Node *transposed(Fixture *f, const Node *x, Op op) {
    Extent I = x->shape[1], J = x->shape[0];
    const Scalar *load = LOAD(f, x, at(f, 1, J), at(f, 0, I));
    const Scalar *body = op == OP_MUL ? load : scalar_op1(f->g->pool, op, load);
    return graph_expr(f->g, SHAPE(I, J), REDUCE_NONE, 0, NULL, body, named("y"));
}

/* Every target turns it, whatever remains of rows and of lanes. */
static void check_transposed(Extent I, Extent J, Op op, bool is_double) {
    Fixture f = new_fixture(size(4));
    f.g->real_is_double = is_double;
    const Node *x = input(&f, "x", SHAPE(J, I));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, transposed(&f, x, op));
    for (size_t t = 0; t < target_count(); t++) {
        LoopProgram *program = compile(&f, target_at(t)).program;
        assert_true(entry_turns(program, ENTRY_PREDICT, false) + entry_turns(program, ENTRY_PREDICT, true) > 0);
    }
    check(&f);
}

static void test_transposed(void **state) {
    (void)state;
    check_transposed(size(64), size(48), OP_MUL, false);
    check_transposed(size(64), size(48), OP_TANH, true);
    check_transposed(size(37), size(51), OP_NEG, false);
    check_transposed(size(3), size(40), OP_MUL, false);
    check_transposed(size(40), size(6), OP_MUL, false);
}

/* y[b, i, j] = x[b, j, i] */
static void test_samples(void **state) {
    (void)state;
    Extent B = {5, 1}, I = size(20), J = size(24);
    Fixture f = new_fixture(B);
    const Node *x = input(&f, "x", SHAPE(B, J, I));
    const Scalar *load = LOAD(&f, x, at(&f, 0, B), at(&f, 2, J), at(&f, 1, I));
    const Node *y = graph_expr(f.g, SHAPE(B, I, J), REDUCE_NONE, 0, NULL, load, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    assert_true(entry_turns(compile(&f, target_by_name("avx2")).program, ENTRY_PREDICT, false) > 0);
    check(&f);
}

/* y[i, j] = -x[j, i - 1] inside of a border, and 0 on it. */
static void test_padded(void **state) {
    (void)state;
    Fixture f = new_fixture(size(4));
    ScalarPool *pool = f.g->pool;
    Extent I = size(34), J = size(40);
    const Node *x = input(&f, "x", SHAPE(J, size(32)));
    const Scalar *i = add_int(&f, at(&f, 0, I), -1), *load = LOAD(&f, x, at(&f, 1, J), i);
    const Scalar *body =
        scalar_select(pool, scalar_within(pool, i, size(32)), scalar_op1(pool, OP_NEG, load), scalar_real(pool, 0));
    const Node *y = graph_expr(f.g, SHAPE(I, J), REDUCE_NONE, 0, NULL, body, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    LoopProgram *program = compile(&f, target_by_name("avx2")).program;
    assert_true(entry_turns(program, ENTRY_PREDICT, true) > 0);
    check(&f);
}

/* What a branch reads that is not chosen may not exist: it is not read early. */
static void test_guarded(void **state) {
    (void)state;
    Fixture f = new_fixture(size(4));
    ScalarPool *pool = f.g->pool;
    Extent I = size(24), J = size(24), K = size(20);
    const Node *x = input(&f, "x", SHAPE(J, K));
    const Node *w = input(&f, "w", SHAPE(J, I));
    const Scalar *i = at(&f, 0, I), *j = at(&f, 1, J);
    const Scalar *inside = op2(&f, OP_AND, scalar_within(pool, add_int(&f, i, -2), K),
                               op2(&f, OP_GT, LOAD(&f, w, scalar_int(pool, 0), i), scalar_real(pool, 0)));
    const Scalar *body = scalar_select(pool, inside, LOAD(&f, x, j, add_int(&f, i, -2)), LOAD(&f, w, j, i));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
               graph_expr(f.g, SHAPE(I, J), REDUCE_NONE, 0, NULL, body, named("y")));
    check(&f);
}

/* Both ways at once, in place: W[i, j] - 0.1 * g[j, i]. */
static void test_update(void **state) {
    (void)state;
    Fixture f = new_fixture(size(4));
    Extent I = size(48), J = size(36);
    const Node *W = param(&f, "W", SHAPE(I, J));
    const Node *g = input(&f, "g", SHAPE(J, I));
    const Scalar *i = at(&f, 0, I), *j = at(&f, 1, J);
    const Scalar *step = op2(&f, OP_MUL, scalar_real(f.g->pool, -0.1), LOAD(&f, g, j, i));
    const Node *next =
        graph_expr(f.g, SHAPE(I, J), REDUCE_NONE, 0, NULL, op2(&f, OP_ADD, LOAD(&f, W, i, j), step), named("W"));
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, W, next);
    LoopProgram *program = compile(&f, target_by_name("avx2")).program;
    assert_true(entry_turns(program, ENTRY_TRAIN_STEP, false) > 0);
    check(&f);
}

/* Panels as high as a register tile: stored one behind the other. */
static void test_panels(void **state) {
    (void)state;
    for (int rows = 2; rows <= 12; rows += 2) {
        Fixture f = new_fixture(size(4));
        Extent P = size(5), K = size(40), R = size(rows);
        const Node *x = input(&f, "x", SHAPE(size(5 * rows), K));
        const Scalar *row = op2(&f, OP_ADD, times(&f, at(&f, 0, P), rows), at(&f, 2, R));
        const Node *y =
            graph_expr(f.g, SHAPE(P, K, R), REDUCE_NONE, 0, NULL, LOAD(&f, x, row, at(&f, 1, K)), named("y"));
        add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
        check(&f);
    }
}

static LoopStmt *find_turn(const LoopBody *body) {
    LoopStmt *found = NULL;
    for (size_t i = 0; i < body->count && !found; i++) {
        LoopStmt *s = body->at[i];
        if (s->kind == LOOP_TURN)
            found = s;
        else if (s->kind == LOOP_FOR)
            found = find_turn(&s->loop.body);
    }
    return found;
}

/* All rows of all lanes have to be in the buffer, and the tile has to be one of vectors. */
static void test_verifier(void **state) {
    (void)state;
    Fixture f = new_fixture(size(4));
    const Node *x = input(&f, "x", SHAPE(size(64), size(64)));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, transposed(&f, x, OP_MUL));
    LoopProgram *program = compile(&f, target_by_name("avx2")).program;
    LoopStmt *turn = find_turn(&program->entries[ENTRY_PREDICT].kernels.at[0]->body);
    assert_non_null(turn);
    assert_false(is_refused(program));
    LoopVar *tile = (LoopVar *)(uintptr_t)turn->turn.tile;
    tile->size[0]++;
    assert_true(is_refused(program));
    tile->size[0]--;
    turn->turn.at.stride++;
    assert_true(is_refused(program));
    turn->turn.at.stride--;
    tile->vector = false;
    assert_true(is_refused(program));
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transposed), cmocka_unit_test(test_samples), cmocka_unit_test(test_padded),
        cmocka_unit_test(test_guarded),    cmocka_unit_test(test_update),  cmocka_unit_test(test_panels),
        cmocka_unit_test(test_verifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
