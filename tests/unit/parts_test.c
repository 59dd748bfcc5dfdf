/* Large sums over samples, and over axes of each sample, are made in parts: the same values but for the order of the sum, and only where that pays. */
#include "support/plan_fixture.h"
#include "plan/parts.h"

/* A few thousand bytes are large for it. */
static const Target tiny =
    TEST_TARGET(.vector_bytes = 64, .vector_registers = 32, .latency = 4, .l1_bytes = 1 << 10, .l2_bytes = 4 << 10);

static const Extent batch = {40, 1}, rows = {6, 0}, columns = {5, 0}, width = {50, 0};

static const Node *result_of(const Fixture *f) {
    return f->g->entries[ENTRY_PREDICT].outputs.at[0].value;
}

static void values_agree(Fixture *f, const Node *before, const Node *after, int64_t n) {
    const double *expected = values_of(f, before, n), *got = values_of(f, after, n);
    for (int64_t i = 0; i < node_elements(before); i++)
        assert_true(fabs(expected[i] - got[i]) <= 1e-12 * fmax(1, fabs(expected[i])));
}

/* The node is the only output: a sum over samples of sums of each. */
static void check_split(Fixture *f, const Node *node) {
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, node);
    assert_int_equal(plan_parts(f->g, &tiny), 1);
    graph_check(f->g, "test", true);
    const Node *sum = result_of(f);
    assert_true(node_same_shape(node, sum));
    assert_int_equal(sum->expr.reduced, 1);
    assert_int_equal(sum->operand_count, 1);
    const Node *parts = sum->operands[0];
    assert_int_equal(parts->rank, node->rank + 1);
    assert_true(same_extent(parts->shape[0], f->g->batch));
    assert_int_equal(parts->expr.reduced, node->expr.reduced - 1);
    int64_t most = f->g->batch.size, fewest = f->g->batch.per_sample > 0 ? 1 : most;
    values_agree(f, node, sum, fewest);
    values_agree(f, node, sum, most);
    assert_int_equal(plan_parts(f->g, &tiny), 0); /* once is enough */
    LoopProgram *program = compile(f, &tiny).program;
    compare_entry(f, program, ENTRY_PREDICT, 4, fewest);
    compare_entry(f, program, ENTRY_PREDICT, 4, most);
    compare_entry(f, program, ENTRY_PREDICT, 16, most);
    arena_free(f->arena);
}

static void check_stays(Fixture *f, const Node *node, const Target *target) {
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, node);
    graph_check(f->g, "test", true);
    assert_int_equal(plan_parts(f->g, target), 0);
    arena_free(f->arena);
}

/* ---- sums ---- */

/* A value that is computed: only these are taken from the caches. */
static const Node *made(Fixture *f, const char *name, Extent B, Extent R) {
    const Node *x = input(f, name, SHAPE(B, R, width));
    return graph_map2(f->g, OP_MUL, x, x, named(name));
}

/* d[r, c] = sum(b, i) y[b, r, i] * x[b, c, i] */
static const Node *gradient(Fixture *f, const Node *y, const Node *x) {
    Extent B = y->shape[0], R = y->shape[1], C = x->shape[1];
    const Scalar *r = at(f, 0, R), *c = at(f, 1, C), *b = at(f, 2, B), *i = at(f, 3, width);
    return graph_expr(f->g, SHAPE(R, C), REDUCE_SUM, 2, (Extent[]){B, width},
                      op2(f, OP_MUL, LOAD(f, y, b, r, i), LOAD(f, x, b, c, i)), named("d"));
}

static void test_gradient(void **state) {
    (void)state;
    const Extent batches[] = {batch, size(40)};
    for (size_t k = 0; k < 2; k++) {
        Fixture f = new_fixture(batches[k]);
        check_split(&f, gradient(&f, made(&f, "y", batches[k], rows), made(&f, "x", batches[k], columns)));
    }
}

/* As many samples as every other axis has elements. */
static void test_equal_sizes(void **state) {
    (void)state;
    Fixture f = new_fixture(width);
    check_split(&f, gradient(&f, made(&f, "y", width, rows), made(&f, "x", width, rows)));
}

/* s[r] = sum(i, b) k[i] * y[b, r, i]: the samples come last; a parameter has none. */
static void test_parameter(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    const Node *y = made(&f, "y", batch, rows), *k = param(&f, "k", SHAPE(width));
    const Scalar *r = at(&f, 0, rows), *i = at(&f, 1, width), *b = at(&f, 2, batch);
    check_split(&f, graph_expr(f.g, SHAPE(rows), REDUCE_SUM, 2, (Extent[]){width, batch},
                               op2(&f, OP_MUL, LOAD(&f, k, i), LOAD(&f, y, b, r, i)), named("s")));
}

/* A loss: one number. */
static void test_scalar(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    const Node *y = made(&f, "y", batch, rows);
    const Scalar *b = at(&f, 0, batch), *r = at(&f, 1, rows), *i = at(&f, 2, width);
    check_split(&f, graph_expr(f.g, 0, NULL, REDUCE_SUM, 3, (Extent[]){batch, rows, width}, LOAD(&f, y, b, r, i),
                               named("loss")));
}

/* ---- what stays ---- */

static void test_sizes(void **state) {
    (void)state;
    Fixture f = new_fixture(batch); /* small for its caches */
    check_stays(&f, gradient(&f, made(&f, "y", batch, rows), made(&f, "x", batch, columns)), target_by_name("avx512"));
    f = new_fixture(batch); /* a part is larger than what it sums */
    check_stays(&f, gradient(&f, made(&f, "y", batch, size(200)), made(&f, "x", batch, size(200))), &tiny);
    f = new_fixture(size(1)); /* one sample is one part */
    check_stays(&f, gradient(&f, made(&f, "y", size(1), size(400)), made(&f, "x", size(1), columns)), &tiny);
    f = new_fixture(batch); /* inputs are in memory */
    const Node *y = input(&f, "y", SHAPE(batch, rows, width)), *x = input(&f, "x", SHAPE(batch, columns, width));
    check_stays(&f, gradient(&f, y, x), &tiny);
}

/* Over samples only, and over all but the samples. */
static void test_other_axes(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    const Node *y = made(&f, "y", batch, rows);
    const Scalar *r = at(&f, 0, rows), *i = at(&f, 1, width), *b = at(&f, 2, batch);
    check_stays(&f, graph_expr(f.g, SHAPE(rows, width), REDUCE_SUM, 1, &batch, LOAD(&f, y, b, r, i), named("s")),
                &tiny);
    f = new_fixture(batch);
    y = made(&f, "y", batch, rows);
    b = at(&f, 0, batch);
    r = at(&f, 1, rows);
    i = at(&f, 2, width);
    check_stays(&f,
                graph_expr(f.g, SHAPE(batch), REDUCE_SUM, 2, (Extent[]){rows, width}, LOAD(&f, y, b, r, i), named("s")),
                &tiny);
}

/* A sum over pairs of samples has no parts, nor has a largest value. */
static void test_other_bodies(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    const Node *y = made(&f, "y", batch, rows), *x = made(&f, "x", batch, rows);
    const Scalar *r = at(&f, 0, rows), *a = at(&f, 1, batch), *b = at(&f, 2, batch), *i = at(&f, 3, width);
    check_stays(&f,
                graph_expr(f.g, SHAPE(rows), REDUCE_SUM, 3, (Extent[]){batch, batch, width},
                           op2(&f, OP_MUL, LOAD(&f, y, a, r, i), LOAD(&f, x, b, r, i)), named("s")),
                &tiny);
    f = new_fixture(batch);
    y = made(&f, "y", batch, rows);
    r = at(&f, 0, rows);
    b = at(&f, 1, batch);
    i = at(&f, 2, width);
    check_stays(&f,
                graph_expr(f.g, SHAPE(rows), REDUCE_MAX, 2, (Extent[]){batch, width}, LOAD(&f, y, b, r, i), named("m")),
                &tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient),     cmocka_unit_test(test_equal_sizes), cmocka_unit_test(test_parameter),
        cmocka_unit_test(test_scalar),       cmocka_unit_test(test_sizes),       cmocka_unit_test(test_other_axes),
        cmocka_unit_test(test_other_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
