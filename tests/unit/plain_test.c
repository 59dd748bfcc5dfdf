/* A stage that nobody feels has no tile, unless one of its form is felt. */
#include "support/plan_fixture.h"

/* y[i, j] = reduce(r) a[i, r] * b[r, j] */
static const Node *product(Fixture *f, const char *name, Reduction reduce, int64_t rows, int64_t depth,
                           int64_t columns) {
    Extent I = size(rows), R = size(depth), J = size(columns);
    const Node *a = input(f, name, SHAPE(I, R)), *b = param(f, arena_printf(f->arena, "of_%s", name), SHAPE(R, J));
    const Scalar *i = at(f, 0, I), *j = at(f, 1, J), *r = at(f, 2, R);
    const Scalar *body = op2(f, OP_MUL, LOAD(f, a, i, r), LOAD(f, b, r, j));
    const Node *y = graph_expr(f->g, SHAPE(I, J), reduce, 1, &R, body, named("y"));
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    return y;
}

static const StageSchedule *schedule_of(const Plan *plan, const Node *node) {
    const PlanEntry *entry = &plan->entries[ENTRY_PREDICT];
    for (size_t k = 0; k < entry->kernels.count; k++)
        if (stage_makes(&entry->kernels.at[k].stages.at[0], node))
            return &entry->kernels.at[k].stages.at[0].schedule;
    fail_msg("no kernel makes the node");
    return NULL;
}

/* Elements or vectors that the stage of the node computes at once. The values are those of the interpreter. */
static int tile_of(Fixture *f, const Node *node, const char *target) {
    const Compiled compiled = compile(f, target_by_name(target));
    compare_all(f, compiled.program);
    const StageSchedule *s = schedule_of(compiled.plan, node);
    return s->tile_rows * s->columns;
}

static void test_unfelt(void **state) {
    (void)state;
    Fixture f = new_fixture(size(1));
    const Node *small = product(&f, "small", REDUCE_MAX, 4, 4, 32);
    assert_true(tile_of(&f, small, "avx2") > 1); /* it is all that there is */
    const Node *large = product(&f, "large", REDUCE_SUM, 192, 128, 128);
    const char *const feel_nothing[] = {"generic", "avx2", "avx512"};
    for (size_t i = 0; i < sizeof feel_nothing / sizeof feel_nothing[0]; i++) {
        assert_int_equal(tile_of(&f, small, feel_nothing[i]), 1);
        assert_true(tile_of(&f, large, feel_nothing[i]) > 1);
    }
    assert_true(tile_of(&f, small, "neon") > 1);
    arena_free(f.arena);
}

/* A small one and the large one are one function, another small one is not. */
static void test_forms(void **state) {
    (void)state;
    Fixture f = new_fixture(size(1));
    const Node *small = product(&f, "small", REDUCE_SUM, 8, 2, 16);
    const Node *other = product(&f, "other", REDUCE_MAX, 8, 2, 16);
    const Node *large = product(&f, "large", REDUCE_SUM, 136, 256, 128);
    assert_int_equal(tile_of(&f, small, "avx512"), tile_of(&f, large, "avx512"));
    assert_true(tile_of(&f, small, "avx512") > 1);
    assert_int_equal(tile_of(&f, other, "avx512"), 1);
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unfelt), cmocka_unit_test(test_forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
