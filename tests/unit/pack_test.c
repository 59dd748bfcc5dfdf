/* What large contractions read is copied to panels: the same values, in whole tiles, and only where that pays. */
#include "support/plan_fixture.h"
#include "plan/pack.h"

/* Matrices of a few thousand elements are large for it. */
static const Target tiny =
    TEST_TARGET(.vector_bytes = 64, .vector_registers = 32, .latency = 4, .l1_bytes = 1 << 10, .l2_bytes = 4 << 10);

static const Node *result_of(const Fixture *f) {
    return f->g->entries[ENTRY_PREDICT].outputs.at[0].value;
}

/* The tensor that a factor of the contraction reads. */
static const Node *factor_of(const Node *node, int factor) {
    assert_true(node->kind == NODE_EXPR && scalar_is_op(node->expr.body, OP_MUL));
    const Scalar *load = node->expr.body->op.arg[factor];
    assert_true(load->kind == SCALAR_LOAD);
    return load->load.tensor;
}

static bool is_packed(const Node *tensor) {
    return tensor->kind == NODE_EXPR && strncmp(tensor->origin.name, "packed ", strlen("packed ")) == 0;
}

/* A copy: its elements, in panels of the last axis's width. */
static int64_t panel_width(const Node *copy) {
    const Scalar *load = copy->expr.body;
    assert_true(copy->expr.reduce == REDUCE_NONE && load->kind == SCALAR_LOAD);
    assert_int_equal(copy->rank, load->load.tensor->rank + 1);
    assert_int_equal(node_elements(copy), node_elements(load->load.tensor));
    return copy->shape[copy->rank - 1].size;
}

/* Runs the pass. Every sum keeps its order, so the values keep their bits. */
static int pack(Fixture *f, const Target *target) {
    const Node *before = result_of(f);
    int changes = plan_pack(f->g, target);
    graph_check(f->g, "test", true);
    const Node *after = result_of(f);
    assert_int_equal(changes > 0, before != after);
    int64_t n = f->g->batch.size;
    assert_memory_equal(values_of(f, before, n), values_of(f, after, n),
                        (size_t)node_elements(before) * sizeof(double));
    return changes;
}

static void check_program(Fixture *f, const Target *target) {
    LoopProgram *program = compile(f, target).program;
    compare_entry(f, program, ENTRY_PREDICT, 4, f->g->batch.size);
    compare_entry(f, program, ENTRY_PREDICT, 16, f->g->batch.size);
    arena_free(f->arena);
}

/* ---- products of matrices ---- */

typedef struct Product {
    Extent I, J, R;
    bool a_transposed, b_transposed; /* a is [i, r] or [r, i], b is [r, j] or [j, r] */
} Product;

static const Node *operand(Fixture *f, const char *name, Extent first, Extent second, bool transposed) {
    return transposed ? input(f, name, SHAPE(second, first)) : input(f, name, SHAPE(first, second));
}

/* y[i, j] = sum(r) a[i, r] * b[r, j] */
static Fixture new_product(Product p) {
    Fixture f = new_fixture(p.I.per_sample ? p.I : p.R);
    const Node *a = operand(&f, "a", p.I, p.R, p.a_transposed), *b = operand(&f, "b", p.R, p.J, p.b_transposed);
    const Scalar *i = at(&f, 0, p.I), *j = at(&f, 1, p.J), *r = at(&f, 2, p.R);
    const Scalar *from_a = p.a_transposed ? LOAD(&f, a, r, i) : LOAD(&f, a, i, r);
    const Scalar *from_b = p.b_transposed ? LOAD(&f, b, j, r) : LOAD(&f, b, r, j);
    const Node *y = graph_expr(f.g, SHAPE(p.I, p.J), REDUCE_SUM, 1, &p.R, op2(&f, OP_MUL, from_a, from_b), named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    return f;
}

static void check_product(Product p) {
    Fixture f = new_product(p);
    assert_true(pack(&f, &tiny) > 0);
    int64_t width[2];
    for (int factor = 0; factor < 2; factor++) {
        assert_true(is_packed(factor_of(result_of(&f), factor)));
        width[factor] = panel_width(factor_of(result_of(&f), factor));
    }
    int64_t lanes = 16, wide = width[0] > width[1] ? width[0] : width[1], high = width[0] + width[1] - wide;
    assert_int_equal(wide % lanes, 0);
    assert_int_equal(p.J.size % wide, 0);
    assert_int_equal(p.I.size % high, 0);
    assert_true(high * (wide / lanes) < tiny.vector_registers);
    assert_int_equal(plan_pack(f.g, &tiny), 0); /* once is enough */
    check_program(&f, &tiny);
}

static void test_products(void **state) {
    (void)state;
    check_product((Product){size(224), size(256), size(9), false, true});
    check_product((Product){size(224), size(256), size(9), false, false});
    check_product((Product){size(224), size(256), size(9), true, false});
}

/* The gradient of a weight, for any number of samples. */
static void test_sum_over_samples(void **state) {
    (void)state;
    check_product((Product){size(224), size(256), {9, 1}, true, false});
}

static void check_stays(Product p, const Target *target) {
    Fixture f = new_product(p);
    assert_int_equal(pack(&f, target), 0);
    arena_free(f.arena);
}

/* Rows that are no whole tiles have no panels, but lanes do; a panel is never a part. */
static void test_whole_tiles(void **state) {
    (void)state;
    Fixture f = new_product((Product){size(223), size(256), size(9), false, true});
    assert_true(pack(&f, &tiny) > 0);
    assert_int_equal(is_packed(factor_of(result_of(&f), 0)) + is_packed(factor_of(result_of(&f), 1)), 1);
    check_program(&f, &tiny);
    check_stays((Product){size(224), size(250), size(9), false, true}, &tiny);
}

/* Rows that the second cache does not hold come in blocks of whole tiles, the last of which is shorter; what remains follows. */
static void test_blocks(void **state) {
    (void)state;
    static const Target blocks =
        TEST_TARGET(.vector_bytes = 32, .vector_registers = 16, .latency = 5, .margin = 1, .part = 2,
                    .l1_bytes = 1 << 10, .l2_bytes = 8 << 10, .near = true, .blocks = true);
    Fixture f = new_product((Product){size(223), size(256), size(9), false, true});
    assert_true(pack(&f, &blocks) > 0);
    const PlanEntry *entry = &compile(&f, &blocks).plan->entries[ENTRY_PREDICT];
    const PlanStage *product = &entry->kernels.at[entry->kernels.count - 1].stages.at[0];
    assert_int_equal(product->schedule.tile_rows, 6);
    assert_int_equal(product->schedule.block, 114);
    check_program(&f, &blocks);
}

/* Panels that are made where they are read pay sooner. */
static void test_reads(void **state) {
    (void)state;
    Target near = tiny;
    near.near = near.blocks = true;
    const Product product = {size(112), size(256), size(40), false, true};
    check_stays(product, &tiny);
    Fixture f = new_product(product);
    assert_true(pack(&f, &near) > 0);
    check_program(&f, &near);
    check_stays((Product){size(96), size(256), size(40), false, true}, &near);
}

static void test_what_stays(void **state) {
    (void)state;
    check_stays((Product){{9, 1}, size(256), size(256), false, true}, &tiny); /* the samples are not known */
}

/* Small matrices whose lanes are apart: a copy pays where it is read often, and where they are not, none does. */
static void test_small_matrices(void **state) {
    (void)state;
    const Target *target = target_by_name("avx512");
    check_stays((Product){size(224), size(256), size(9), false, false}, target); /* lanes are neighbours */
    check_stays((Product){size(192), size(192), size(9), false, true}, target);  /* read less often */
    Fixture f = new_product((Product){size(224), size(256), size(9), false, true});
    assert_true(pack(&f, target) > 0);
    assert_false(is_packed(factor_of(result_of(&f), 0)));
    assert_true(is_packed(factor_of(result_of(&f), 1)));
    check_program(&f, target);
}

/* A small matrix that many equations read: one copy of it serves all. */
static void test_steps_share_panels(void **state) {
    (void)state;
    enum { STEPS = 4 };
    const Target *target = target_by_name("avx2");
    for (int64_t samples = 40; samples <= 60; samples += 20) { /* too few of them, and enough */
        Extent batch = size(samples);
        Fixture f = new_fixture(batch);
        const Node *W = param(&f, "W", SHAPE(size(64), size(32)));
        for (int s = 0; s < STEPS; s++) {
            const Node *x = input(&f, arena_printf(f.arena, "x%d", s), SHAPE(batch, size(32)));
            add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, dense(&f, x, W));
        }
        bool enough = samples * STEPS >= 200;
        assert_int_equal(pack(&f, target) > 0, enough);
        const Node *panels = factor_of(result_of(&f), 0);
        assert_int_equal(is_packed(panels), enough);
        for (size_t s = 1; s < STEPS; s++)
            assert_ptr_equal(factor_of(output_of(&f, s), 0), panels);
        check_program(&f, target);
    }
}

/* ---- convolutions ---- */

/* The weights' gradient: one operand is read in windows and stays, the other is read in panels of channels. */
static void test_weight_gradient(void **state) {
    (void)state;
    Extent batch = {2, 1}, C = size(32), O = size(32), I = size(8), J = size(6);
    Fixture f = new_fixture(batch);
    const Node *x = input(&f, "x", SHAPE(batch, C, I, I));
    const Node *dy = input(&f, "dy", SHAPE(batch, O, J, J));
    const Node *K = param(&f, "K", SHAPE(O, C, size(3), size(3)));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, convolve_weights(&f, x, dy, K));
    assert_true(pack(&f, &tiny) > 0);
    int packed = 0;
    for (int factor = 0; factor < 2; factor++) {
        const Node *tensor = factor_of(result_of(&f), factor);
        packed += is_packed(tensor);
        if (is_packed(tensor))
            assert_int_equal(panel_width(tensor) % 16, 0);
    }
    assert_int_equal(packed, 1);
    check_program(&f, &tiny);
}

/* Sums of one load, and other reductions, are none of its business. */
static void test_other_reductions(void **state) {
    (void)state;
    Fixture f = new_fixture(size(1));
    Extent I = size(256), R = size(64);
    const Node *a = input(&f, "a", SHAPE(I, R));
    const Scalar *read = LOAD(&f, a, at(&f, 0, I), at(&f, 1, R));
    const Node *most = graph_expr(f.g, SHAPE(I), REDUCE_MAX, 1, &R, op2(&f, OP_MUL, read, read), named("most"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, most);
    assert_int_equal(pack(&f, &tiny), 0);
    arena_free(f.arena);
}

/* ---- panels that are made in the loop that reads them ---- */

static Target with_small_caches(const char *name) {
    Target target = *target_by_name(name);
    target.l1_bytes = 1 << 10;
    target.l2_bytes = 4 << 10;
    return target;
}

/* One panel, or several that are pieces of the same rows, in each iteration; the values are the same. */
static void test_panels_stay_near(void **state) {
    (void)state;
    for (int turned = 0; turned < 2; turned++)
        for (size_t t = 0; t < target_count(); t++) {
            Target target = with_small_caches(target_at(t)->name);
            Fixture f = new_product((Product){size(202), size(256), size(9), false, turned});
            assert_true(pack(&f, &target) > 0);
            Compiled compiled = compile(&f, &target);
            const PlanEntry *entry = &compiled.plan->entries[ENTRY_PREDICT];
            const PlanKernel *kernel = &entry->kernels.at[entry->kernels.count - 1];
            assert_int_equal(kernel->led, target.near);
            if (target.near) {
                const PlanNode *copy = &kernel->stages.at[0].nodes.at[0];
                assert_int_equal(entry->kernels.count, 1);
                assert_int_equal(kernel->shared, 1);
                assert_int_equal(kernel->stages.count, 2);
                const int together = target.blocks && !turned ? 4 : 1;
                const int64_t panel = copy->node->shape[copy->node->rank - 1].size;
                assert_int_equal(copy->node->shape[0].size * panel * together, 256);
                assert_int_not_equal(copy->home, HOME_MEMORY);
            }
            compare_all(&f, compiled.program);
            arena_free(f.arena);
        }
}

/* w - sum(r) a[i, r] * w[r, j]: where that is the new w, all panels are made before the first element is overwritten. */
static void test_panels_of_what_changes(void **state) {
    (void)state;
    for (int updates = 0; updates < 2; updates++) {
        Fixture f = new_fixture(size(1));
        Extent N = size(208), M = size(256);
        const Node *a = input(&f, "a", SHAPE(N, N)), *w = param(&f, "w", SHAPE(N, M));
        const Scalar *i = at(&f, 0, N), *j = at(&f, 1, M), *r = at(&f, 2, N);
        const Node *g = graph_expr(f.g, SHAPE(N, M), REDUCE_SUM, 1, &N,
                                   op2(&f, OP_MUL, LOAD(&f, a, i, r), LOAD(&f, w, r, j)), named("g"));
        const Node *next = graph_expr(f.g, SHAPE(N, M), REDUCE_NONE, 0, NULL,
                                      op2(&f, OP_SUB, LOAD(&f, w, i, j), LOAD(&f, g, i, j)), named("next"));
        add_output(&f, ENTRY_TRAIN_STEP, updates ? OUTPUT_UPDATE : OUTPUT_RESULT, updates ? w : NULL, next);
        Target target = with_small_caches("avx2");
        target.l2_bytes = 64 << 10;
        assert_true(plan_pack(f.g, &target) > 0);
        Compiled compiled = compile(&f, &target);
        const PlanEntry *entry = &compiled.plan->entries[ENTRY_TRAIN_STEP];
        assert_int_equal(entry->kernels.at[entry->kernels.count - 1].led, !updates);
        compare_entry(&f, compiled.program, ENTRY_TRAIN_STEP, 8, 1);
        arena_free(f.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),         cmocka_unit_test(test_sum_over_samples),
        cmocka_unit_test(test_whole_tiles),      cmocka_unit_test(test_reads),
        cmocka_unit_test(test_what_stays),       cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_small_matrices),   cmocka_unit_test(test_steps_share_panels),
        cmocka_unit_test(test_weight_gradient),  cmocka_unit_test(test_other_reductions),
        cmocka_unit_test(test_panels_stay_near), cmocka_unit_test(test_panels_of_what_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
