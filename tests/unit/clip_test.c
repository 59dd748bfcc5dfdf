/* Sums over what was padded with zeros: their loops leave the zeros out. */
#include "support/plan_fixture.h"

static size_t clips_of(const Plan *plan, EntryKind kind) {
    size_t count = 0;
    const PlanEntry *entry = &plan->entries[kind];
    for (size_t k = 0; k < entry->kernels.count; k++)
        for (size_t s = 0; s < entry->kernels.at[k].stages.count; s++)
            count += entry->kernels.at[k].stages.at[s].clips.count;
    return count;
}

/* Two axes with `border` zeros on each side, of which the second one is further inside. */
static const Node *padded(Fixture *f, const Node *x, int64_t border) {
    ScalarPool *pool = f->g->pool;
    Extent B = x->shape[0], C = x->shape[1], N = x->shape[2], M = x->shape[3];
    Extent P = size(N.size + 2 * border), Q = size(M.size + 2 * border + 1);
    const Scalar *i = add_int(f, at(f, 2, P), -border), *j = add_int(f, at(f, 3, Q), -border - 1);
    const Scalar *inside = op2(f, OP_AND, scalar_within(pool, i, N), scalar_within(pool, j, M));
    const Scalar *body = scalar_select(pool, inside, LOAD(f, x, at(f, 0, B), at(f, 1, C), i, j), scalar_real(pool, 0));
    return graph_expr(f->g, SHAPE(B, C, P, Q), REDUCE_NONE, 0, NULL, body, named("padded x"));
}

/* The sum over windows of the padded image, and its adjoint for the weights. */
static void check_windows(Extent batch, int64_t image, int64_t kernel, int64_t border, bool has_clips) {
    Fixture f = new_fixture(batch);
    const Node *x = input(&f, "x", SHAPE(batch, size(3), size(image), size(image + 1)));
    const Node *K = param(&f, "K", SHAPE(size(6), size(3), size(kernel), size(kernel)));
    const Node *p = padded(&f, x, border);
    const Node *y = convolve(&f, p, K);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    add_output(&f, ENTRY_GRADIENT, OUTPUT_GRADIENT, K, convolve_weights(&f, p, y, K));
    for (size_t t = 0; t < target_count(); t++) {
        const Plan *plan = compile(&f, target_at(t)).plan;
        assert_int_equal(clips_of(plan, ENTRY_PREDICT) > 0, has_clips);
        assert_int_equal(clips_of(plan, ENTRY_GRADIENT) > 0, has_clips);
    }
    check(&f);
}

static void test_windows(void **state) {
    (void)state;
    check_windows(size(2), 6, 5, 4, true);
    check_windows((Extent){5, 1}, 5, 4, 3, true);
    check_windows(size(1), 11, 6, 4, true);
    check_windows(size(1), 20, 3, 1, false); /* little would be left out */
}

/* More zeros than a window is long: nothing is left of some sums. */
static void test_empty_windows(void **state) {
    (void)state;
    check_windows(size(2), 4, 3, 9, true);
}

/* y[b, o, i] = sum(c, u) w[c, o, u] * p[b, c, pace * i - u + far]: windows that are read backwards, and strides. */
static void check_line(int64_t pace, int64_t kernel, int64_t border, bool backwards) {
    Fixture f = new_fixture(size(3));
    ScalarPool *pool = f.g->pool;
    Extent B = size(3), C = size(4), O = size(8), N = size(12), P = size(12 + 2 * border), U = size(kernel);
    Extent I = size((P.size - kernel) / pace + 1);
    const Node *x = input(&f, "x", SHAPE(B, C, N));
    const Node *w = param(&f, "w", SHAPE(C, O, U));
    const Scalar *at_x = add_int(&f, at(&f, 2, P), -border);
    const Scalar *inside = scalar_select(pool, scalar_within(pool, at_x, N),
                                         LOAD(&f, x, at(&f, 0, B), at(&f, 1, C), at_x), scalar_real(pool, 0));
    const Node *p = graph_expr(f.g, SHAPE(B, C, P), REDUCE_NONE, 0, NULL, inside, named("padded x"));
    const Scalar *i = times(&f, at(&f, 2, I), pace), *u = at(&f, 4, U);
    const Scalar *place = backwards ? op2(&f, OP_SUB, add_int(&f, i, kernel - 1), u) : op2(&f, OP_ADD, i, u);
    const Scalar *body =
        op2(&f, OP_MUL, LOAD(&f, w, at(&f, 3, C), at(&f, 1, O), u), LOAD(&f, p, at(&f, 0, B), at(&f, 3, C), place));
    const Node *y = graph_expr(f.g, SHAPE(B, O, I), REDUCE_SUM, 2, (Extent[]){C, U}, body, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    assert_true(clips_of(compile(&f, target_by_name("avx2")).plan, ENTRY_PREDICT) > 0);
    check(&f);
}

static void test_lines(void **state) {
    (void)state;
    for (int64_t pace = 1; pace <= 3; pace++) {
        check_line(pace, 7, 6, true);
        check_line(pace, 7, 6, false);
        check_line(pace, 8, 11, true);
    }
}

/* What is padded with another number is no zero, and a sum of sums has terms beside it. */
static void test_other_sums(void **state) {
    (void)state;
    Fixture f = new_fixture(size(3));
    ScalarPool *pool = f.g->pool;
    Extent O = size(8), N = size(6), P = size(14), U = size(5), I = size(10);
    const Node *x = input(&f, "x", SHAPE(N));
    const Node *w = param(&f, "w", SHAPE(O, U));
    const Scalar *at_x = add_int(&f, at(&f, 0, P), -4), *inside = scalar_within(pool, at_x, N);
    for (int other = 0; other < 2; other++) {
        const Scalar *fill = scalar_real(pool, other ? 0.5 : 0), *read = LOAD(&f, x, at_x);
        const Node *p =
            graph_expr(f.g, SHAPE(P), REDUCE_NONE, 0, NULL, scalar_select(pool, inside, read, fill), named("p"));
        const Scalar *a = LOAD(&f, w, at(&f, 0, O), at(&f, 2, U));
        const Scalar *b = LOAD(&f, p, op2(&f, OP_ADD, at(&f, 1, I), at(&f, 2, U)));
        const Scalar *body = op2(&f, other ? OP_MUL : OP_ADD, a, b);
        add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL,
                   graph_expr(f.g, SHAPE(O, I), REDUCE_SUM, 1, &U, body, named("y")));
    }
    assert_int_equal(clips_of(compile(&f, target_by_name("avx2")).plan, ENTRY_PREDICT), 0);
    check(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_empty_windows),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_other_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
