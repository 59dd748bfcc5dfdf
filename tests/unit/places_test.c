/* Products with a one-hot factor become sums whose terms choose their place, where that is less work. */
#include "support/plan_fixture.h"
#include "plan/estimate.h"
#include "plan/parts.h"
#include "plan/places.h"

/* hot[b, c] = select(c == token[b], 1, 0) */
static const Node *one_hot(Fixture *f, Extent B, Extent C) {
    const Node *token = graph_input(f->g, TYPE_INT, SHAPE(B), false, C.size, named("token"));
    const Scalar *test = op2(f, OP_EQ, at(f, 1, C), LOAD(f, token, at(f, 0, B)));
    const Scalar *body = scalar_select(f->g->pool, test, scalar_real(f->g->pool, 1), scalar_real(f->g->pool, 0));
    return graph_expr(f->g, SHAPE(B, C), REDUCE_NONE, 0, NULL, body, named("hot"));
}

/* d[n, c] = sum(b) dy[b, n] * hot[b, c] */
static const Node *weight_gradient(Fixture *f, const Node *hot, Extent N) {
    const Extent B = hot->shape[0], C = hot->shape[1];
    const Node *dy = input(f, "dy", SHAPE(B, N));
    const Scalar *body = op2(f, OP_MUL, LOAD(f, dy, at(f, 2, B), at(f, 0, N)), LOAD(f, hot, at(f, 2, B), at(f, 1, C)));
    return graph_expr(f->g, SHAPE(N, C), REDUCE_SUM, 1, &hot->shape[0], body, named("d"));
}

static void check_product(int64_t classes, bool is_read, int changes) {
    Fixture f = new_fixture((Extent){24, 1});
    const Node *hot = one_hot(&f, f.g->batch, size(classes)), *d = weight_gradient(&f, hot, size(12));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, d);
    if (is_read)
        add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, hot);
    const Target *avx2 = target_by_name("avx2");
    assert_int_equal(plan_places(f.g, avx2), changes);
    assert_int_equal(plan_places(f.g, avx2), 0); /* once is enough */
    const Node *result = f.g->entries[ENTRY_PREDICT].outputs.at[0].value;
    assert_int_equal(estimate_scatters(f.g, avx2, result), changes > 0);
    check(&f);
}

static void test_products(void **state) {
    (void)state;
    check_product(700, false, 1);
    check_product(700, true, 1); /* it is made for others, but this product need not read it */
    check_product(8, false, 0);
}

/* A factor that is 0 elsewhere for another reason. */
static void test_other_factors(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){24, 1});
    const Extent B = f.g->batch, C = size(700);
    const Node *x = input(&f, "x", SHAPE(B, C));
    const Scalar *own = LOAD(&f, x, at(&f, 0, B), at(&f, 1, C)), *zero = scalar_real(f.g->pool, 0);
    const Scalar *body = scalar_select(f.g->pool, op2(&f, OP_GT, own, zero), own, zero);
    const Node *rectified = graph_expr(f.g, SHAPE(B, C), REDUCE_NONE, 0, NULL, body, named("rectified"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, weight_gradient(&f, rectified, size(12)));
    assert_int_equal(plan_places(f.g, target_by_name("avx2")), 0);
    arena_free(f.arena);
}

/* G[v, k] = sum(b, t) select(v == token[b, t], g[b, t, k], 0): the sums of the samples alone would be smaller than g, but more work. */
static void test_no_parts(void **state) {
    (void)state;
    Fixture f = new_fixture((Extent){32, 1});
    const Extent B = f.g->batch, T = size(256), V = size(60), K = size(64);
    const Node *token = graph_input(f.g, TYPE_INT, SHAPE(B, T), false, V.size, named("token"));
    const Node *x = input(&f, "x", SHAPE(B, T, K));
    const Scalar *square = op2(&f, OP_MUL, LOAD(&f, x, at(&f, 0, B), at(&f, 1, T), at(&f, 2, K)),
                               LOAD(&f, x, at(&f, 0, B), at(&f, 1, T), at(&f, 2, K)));
    const Node *g = graph_expr(f.g, SHAPE(B, T, K), REDUCE_NONE, 0, NULL, square, named("g"));
    const Scalar *b = at(&f, 2, B), *t = at(&f, 3, T);
    const Scalar *test = op2(&f, OP_EQ, at(&f, 0, V), LOAD(&f, token, b, t));
    const Scalar *body = scalar_select(f.g->pool, test, LOAD(&f, g, b, t, at(&f, 1, K)), scalar_real(f.g->pool, 0));
    const Node *G = graph_expr(f.g, SHAPE(V, K), REDUCE_SUM, 2, (Extent[]){B, T}, body, named("G"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, G);
    assert_int_equal(plan_parts(f.g, target_by_name("avx2")), 0);
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_other_factors),
        cmocka_unit_test(test_no_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
