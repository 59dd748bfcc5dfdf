/* Graphs through plan, loops and placement: every schedule gives the values of the reference interpreter, whatever the number of lanes. */
#include "support/plan_fixture.h"

static const Extent batch = {6, 1};

static void test_dense_of(int64_t inputs, int64_t outputs) {
    Fixture f = new_fixture(batch);
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

static void test_dense_training(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    train_dense(&f, size(20), size(33));
    check(&f);
}

/* y[b, o, i, j] = sum(c, u, v) K[o, c, u, v] * x[b, c, s*i + u - p, s*j + v - p], zero outside */
static void test_convolution_of(int64_t s, int64_t pad, int64_t image) {
    Fixture f = new_fixture(batch);
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

static void test_weight_gradient(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    Extent C = size(3), O = size(4), U = size(3), I = size(12), J = size(10);
    const Node *x = input(&f, "x", SHAPE(batch, C, I, I));
    const Node *dy = input(&f, "dy", SHAPE(batch, O, J, J));
    const Node *K = param(&f, "K", SHAPE(O, C, U, U));
    add_output(&f, ENTRY_GRADIENT, OUTPUT_GRADIENT, K, convolve_weights(&f, x, dy, K));
    check(&f);
}

/* Max and argmax over windows, and what argmax carries back. */
static void test_pooling(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
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

/* Updates that look at other elements, at each other, and at what others overwrite. */
static void test_updates(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
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

/* W[i, j] - select(gate > 0, x[j], 0), stored to W: rows that the gate closes are left alone. A gate for each column is a matter of the lanes. */
static void test_skipped_updates(void **state) {
    (void)state;
    for (int gated = 0; gated < 2; gated++) {
        Fixture f = new_fixture(size(1));
        Extent N = size(7), K = size(37);
        const Node *W = param(&f, "W", SHAPE(N, K)), *x = input(&f, "x", SHAPE(K));
        const Node *gate = input(&f, "gate", SHAPE(gated == 0 ? N : K));
        const Scalar *i = at(&f, 0, N), *j = at(&f, 1, K), *zero = scalar_real(f.g->pool, 0);
        const Scalar *test = op2(&f, OP_GT, LOAD(&f, gate, gated == 0 ? i : j), zero);
        const Scalar *change = scalar_select(f.g->pool, test, LOAD(&f, x, j), zero);
        const Node *next = graph_expr(f.g, SHAPE(N, K), REDUCE_NONE, 0, NULL,
                                      op2(&f, OP_SUB, LOAD(&f, W, i, j), change), named("next"));
        add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, W, next);
        Compiled compiled = compile(&f, target_by_name("avx2"));
        const PlanStage *stage = &compiled.plan->entries[ENTRY_TRAIN_STEP].kernels.at[0].stages.at[0];
        assert_ptr_equal(stage->only_if, gated == 0 ? test : NULL);
        check(&f);
    }
}

static size_t applications(const LoopBody *body) {
    size_t count = 0;
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *s = body->at[i];
        count += s->kind == LOOP_APPLY;
        if (s->kind == LOOP_FOR)
            count += applications(&s->loop.body);
    }
    return count;
}

/* y[b, i] = h sigmoid(h) with h = tanh(x[b, i]), and the sum of exp(x[b, i]): functions of several vectors at a time, where the target wants that
 * and the row is so many whole vectors. */
static void test_functions_in_turns(void **state) {
    (void)state;
    static const int64_t lengths[] = {192, 96};
    for (size_t t = 0; t < 2 * target_count(); t++) {
        const Target *target = target_at(t / 2);
        Fixture f = new_fixture(batch);
        Extent B = batch, N = size(lengths[t % 2]);
        const Node *x = input(&f, "x", SHAPE(B, N));
        const Scalar *b = at(&f, 0, B), *i = at(&f, 1, N), *load = LOAD(&f, x, b, i);
        const Scalar *h = scalar_op1(f.g->pool, OP_TANH, load);
        const Node *y = graph_expr(f.g, SHAPE(B, N), REDUCE_NONE, 0, NULL,
                                   op2(&f, OP_MUL, h, scalar_op1(f.g->pool, OP_SIGMOID, h)), named("y"));
        const Node *s = graph_expr(f.g, SHAPE(B), REDUCE_SUM, 1, &N, scalar_op1(f.g->pool, OP_EXP, load), named("s"));
        add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
        add_output(&f, ENTRY_LOSS, OUTPUT_RESULT, NULL, s);
        Compiled compiled = compile(&f, target);
        const bool turns = target->turns > 1 && lengths[t % 2] % 64 == 0;
        assert_int_equal(applications(&compiled.program->entries[ENTRY_PREDICT].kernels.at[0]->body), turns ? 2 : 0);
        compare_all(&f, compiled.program);
        check(&f);
    }
}

/* E[token[b], d], a reshape, and its use in a dense layer. */
static void test_gather_and_reshape(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
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

/* ---- tiles that no extent divides ---- */

static void find_uneven(const PlanEntry *entry, bool *rows, bool *columns) {
    for (size_t k = 0; k < entry->kernels.count; k++)
        for (size_t i = 0; i < entry->kernels.at[k].stages.count; i++) {
            const PlanStage *stage = &entry->kernels.at[k].stages.at[i];
            const StageSchedule *s = &stage->schedule;
            if (s->tile_rows > 1)
                *rows = *rows || stage->slots[s->tile_slot].extent.size % s->tile_rows != 0;
            if (s->columns > 1 && s->column_slot != s->vector_slot)
                *columns = *columns || stage->slots[s->column_slot].extent.size % s->columns != 0;
        }
}

static void test_uneven_of(Extent samples, int64_t inputs, int64_t outputs, bool *rows, bool *columns) {
    Fixture f = new_fixture(samples);
    const Node *x = input(&f, "x", SHAPE(samples, size(inputs)));
    const Node *W = param(&f, "W", SHAPE(size(outputs), size(inputs)));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, dense(&f, x, W));
    for (size_t t = 0; t < target_count(); t++)
        find_uneven(&compile(&f, target_at(t)).plan->entries[ENTRY_PREDICT], rows, columns);
    check(&f);
}

/* Primes: what remains of rows, columns and vectors is computed too. */
static void test_uneven_tiles(void **state) {
    (void)state;
    bool rows = false, columns = false;
    test_uneven_of((Extent){13, 0}, 19, 37, &rows, &columns);
    test_uneven_of((Extent){13, 1}, 19, 37, &rows, &columns);
    test_uneven_of((Extent){7, 1}, 67, 11, &rows, &columns);
    test_uneven_of((Extent){11, 0}, 41, 5, &rows, &columns);
    assert_true(rows && columns);
}

/* ---- sums in lanes ---- */

static void count_sums(void *context, const LoopExpr *e) {
    *(size_t *)context += e->kind == LOOP_SUMS;
}

/* z[b, n] = c[n] + tanh(sum(k) W[n, k] * x[b, k] + c[n]); or z[n, b]. How often sums of rows are made together, for all targets. */
static size_t sums_of(int64_t inputs, int64_t outputs, bool turned, bool is_double) {
    Fixture f = new_fixture(size(3));
    Extent B = size(3), N = size(outputs), K = size(inputs);
    f.g->real_is_double = is_double;
    const Node *x = input(&f, "x", SHAPE(B, K));
    const Node *W = param(&f, "W", SHAPE(N, K)), *c = param(&f, "c", SHAPE(N));
    const Scalar *first = at(&f, 0, turned ? N : B), *second = at(&f, 1, turned ? B : N), *k = at(&f, 2, K);
    const Scalar *b = turned ? second : first, *n = turned ? first : second;
    const Node *y = graph_expr(f.g, 2, turned ? (Extent[]){N, B} : (Extent[]){B, N}, REDUCE_SUM, 1, &K,
                               op2(&f, OP_MUL, LOAD(&f, W, n, k), LOAD(&f, x, b, k)), named("y"));
    const Scalar *sum = op2(&f, OP_ADD, LOAD(&f, y, first, second), LOAD(&f, c, n));
    const Scalar *z = op2(&f, OP_ADD, LOAD(&f, c, n), scalar_op1(f.g->pool, OP_TANH, sum));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
               graph_expr(f.g, 2, y->shape, REDUCE_NONE, 0, NULL, z, named("z")));
    size_t count = 0;
    for (size_t t = 0; t < target_count(); t++) {
        const LoopEntry *entry = &compile(&f, target_at(t)).program->entries[ENTRY_PREDICT];
        for (size_t i = 0; i < entry->kernels.count; i++)
            loop_walk_body(&entry->kernels.at[i]->body, &(LoopVisitor){.expr = count_sums, .context = &count});
    }
    check(&f);
    return count;
}

/* Tiles that fill a part of a vector, one, and more; what remains of them. */
static void test_sums_in_lanes(void **state) {
    (void)state;
    static const int64_t outputs[] = {2, 3, 5, 8, 12, 13, 16, 24, 37};
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        assert_true(sums_of(96, outputs[i], false, false) > 0);
        assert_true(sums_of(67, outputs[i], false, true) > 0);
        sums_of(96, outputs[i], true, false);
    }
}

/* ---- tiles that stream through memory ---- */

/* y[n, i] = sum(k) W[n, k] * x[k, i] */
static StageSchedule schedule_of_product(int64_t columns, const Target *target) {
    Fixture f = new_fixture(batch);
    Extent N = size(64), K = size(32), I = size(columns);
    const Node *x = input(&f, "x", SHAPE(K, I)), *W = param(&f, "W", SHAPE(N, K));
    const Scalar *n = at(&f, 0, N), *i = at(&f, 1, I), *k = at(&f, 2, K);
    const Scalar *product = op2(&f, OP_MUL, LOAD(&f, W, n, k), LOAD(&f, x, k, i));
    const Node *y = graph_expr(f.g, SHAPE(N, I), REDUCE_SUM, 1, &K, product, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    StageSchedule s = compile(&f, target).plan->entries[ENTRY_PREDICT].kernels.at[0].stages.at[0].schedule;
    arena_free(f.arena);
    return s;
}

/* A tile stores no more at once than the next one hides; and where multiply-adds read their number from memory, columns save nothing. */
static void test_stores_come_in_small_bursts(void **state) {
    (void)state;
    StageSchedule far = schedule_of_product(1 << 16, target_by_name("avx512"));
    assert_int_equal(far.columns, 1);
    assert_int_equal(far.tile_rows, 8);
    StageSchedule near = schedule_of_product(1 << 10, target_by_name("avx2"));
    assert_true(near.columns > 1);
}

/* Sums that wait for their last step have others beside them, and some to spare; a tile that needs nearly all registers keeps its loop. */
static void test_accumulators_hide_latency(void **state) {
    (void)state;
    for (size_t t = 0; t < target_count(); t++) {
        const Target *target = target_at(t);
        StageSchedule s = schedule_of_product(480, target);
        int accumulators = s.tile_rows * s.columns, left = target->vector_registers - accumulators - s.columns - 1;
        assert_true(accumulators >= 2 * (target->latency + target->margin));
        assert_true(left >= 0);
        assert_int_equal(s.rolled, left < 4);
    }
    assert_true(schedule_of_product(480, target_by_name("avx2")).rolled);
    assert_false(schedule_of_product(480, target_by_name("avx512")).rolled);
}

/* y[b, n] = relu(sum(k) W[n, k] * x[b, k]), lanes along the sum. Where lines come while sums go on, rows of the tile fit into the nearest cache
 * and are reused there: eight rows and two columns would wait for as many lines as they compute. */
static void test_lines_come_while_sums_go_on(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    Extent B = size(64), N = size(128), K = size(784);
    const Node *x = input(&f, "x", SHAPE(B, K)), *W = param(&f, "W", SHAPE(N, K));
    const Scalar *b = at(&f, 0, B), *n = at(&f, 1, N), *k = at(&f, 2, K);
    const Scalar *product = op2(&f, OP_MUL, LOAD(&f, W, n, k), LOAD(&f, x, b, k));
    const Node *y = graph_expr(f.g, SHAPE(B, N), REDUCE_SUM, 1, &K, product, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    const Target *target = target_by_name("avx512");
    const PlanStage *stage = &compile(&f, target).plan->entries[ENTRY_PREDICT].kernels.at[0].stages.at[0];
    const StageSchedule *s = &stage->schedule;
    assert_int_equal(s->vector_slot, 2);
    int64_t rows = (s->tile_rows + s->columns) * K.size * (int64_t)sizeof(float);
    assert_true(rows < (int64_t)target->l1_bytes);
    assert_true(s->tile_rows * s->columns >= 8);
    arena_free(f.arena);
}

/* ---- parts of vectors ---- */

typedef struct AccessCount {
    size_t parts, clipped; /* part accesses; whole ones of which only some lanes matter */
} AccessCount;

static void count_access(void *context, const LoopAddress *address, bool is_store) {
    AccessCount *count = context;
    (void)is_store;
    count->parts += address->access == ACCESS_PART;
    count->clipped += address->access == ACCESS_CONTIGUOUS && address->count != NULL;
}

static AccessCount count_accesses(const LoopEntry *entry) {
    AccessCount count = {0};
    for (size_t k = 0; k < entry->kernels.count; k++)
        loop_walk_body(&entry->kernels.at[k]->body, &(LoopVisitor){.address = count_access, .context = &count});
    return count;
}

/* Maps, products, sums in lanes with and without a mask, positions: of rows of any length. */
static Fixture new_rows_of(int64_t length) {
    Fixture f = new_fixture(size(3));
    Extent B = size(3), K = size(length);
    const Node *x = input(&f, "x", SHAPE(B, K));
    const Node *W = param(&f, "W", SHAPE(K, size(4)));
    const Scalar *b = at(&f, 0, B), *k = at(&f, 1, K), *r = at(&f, 2, size(4));
    const Node *t = graph_map1(f.g, OP_TANH, x, named("t"));
    const Scalar *own = LOAD(&f, t, b, k);
    const Node *squares = graph_expr(f.g, SHAPE(B), REDUCE_SUM, 1, &K, op2(&f, OP_MUL, own, own), named("squares"));
    /* What a lane that does not exist would compute is more than all, and not 0. */
    const Scalar *low = op2(&f, OP_SUB, LOAD(&f, x, b, k), scalar_real(f.g->pool, 2));
    const Node *most = graph_expr(f.g, SHAPE(B), REDUCE_MAX, 1, &K, low, named("most"));
    const Node *total =
        graph_expr(f.g, SHAPE(B), REDUCE_SUM, 1, &K, scalar_op1(f.g->pool, OP_EXP, LOAD(&f, x, b, k)), named("total"));
    const Node *place = graph_expr(f.g, SHAPE(B), REDUCE_ARGMIN, 1, &K, own, named("place"));
    const Node *h = graph_expr(
        f.g, SHAPE(B, size(4)), REDUCE_SUM, 1, &K,
        op2(&f, OP_MUL, LOAD(&f, t, b, at(&f, 2, K)), LOAD(&f, W, at(&f, 2, K), at(&f, 1, size(4)))), named("h"));
    const Node *back = graph_expr(f.g, SHAPE(B, K), REDUCE_SUM, 1, &(Extent){4, 0},
                                  op2(&f, OP_MUL, LOAD(&f, h, b, r), LOAD(&f, W, k, r)), named("back"));
    const Node *results[] = {t, squares, most, total, place, back};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
        add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, results[i]);
    return f;
}

static void test_parts(void **state) {
    (void)state;
    static const int64_t lengths[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        Fixture f = new_rows_of(lengths[i]);
        check(&f);
        f = new_rows_of(lengths[i]);
        f.g->real_is_double = true;
        check(&f);
    }
}

/* Vectors that a row does not fill: part accesses where memory ends, whole ones where the workspace has slack. */
static void test_slack(void **state) {
    (void)state;
    Fixture f = new_fixture(size(5));
    Extent B = size(5), K = size(8), N = size(23);
    const Node *x = input(&f, "x", SHAPE(B, N));
    const Node *W = param(&f, "W", SHAPE(K, K));
    const Scalar *k = at(&f, 0, K), *n = at(&f, 1, N), *b = at(&f, 0, B);
    const Node *t = graph_expr(f.g, SHAPE(B, N), REDUCE_NONE, 0, NULL, scalar_op1(f.g->pool, OP_EXP, LOAD(&f, x, b, n)),
                               named("t"));
    const Scalar *product = op2(&f, OP_MUL, LOAD(&f, W, k, at(&f, 2, B)), LOAD(&f, t, at(&f, 2, B), n));
    const Node *y = graph_expr(f.g, SHAPE(K, N), REDUCE_SUM, 1, &B, product, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    const LoopEntry *entry = &compile(&f, target_by_name("avx512")).program->entries[ENTRY_PREDICT];
    AccessCount count = count_accesses(entry);
    assert_true(count.parts > 0 && count.clipped > 0);
    int64_t slack = 0;
    for (size_t i = 0; i < entry->buffers.count; i++) {
        const Buffer *buffer = entry->buffers.at[i];
        assert_true(buffer->slack == 0 || buffer->space == BUFFER_WORKSPACE);
        slack += buffer->slack;
    }
    assert_true(slack > 0);
    check(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_dense_training),
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_weight_gradient),
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_functions_in_turns),
        cmocka_unit_test(test_skipped_updates),
        cmocka_unit_test(test_gather_and_reshape),
        cmocka_unit_test(test_uneven_tiles),
        cmocka_unit_test(test_sums_in_lanes),
        cmocka_unit_test(test_stores_come_in_small_bursts),
        cmocka_unit_test(test_accumulators_hide_latency),
        cmocka_unit_test(test_lines_come_while_sums_go_on),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_slack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
