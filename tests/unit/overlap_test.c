/* The last tile of rows begins earlier where that is not felt, and where no row reads what it has written. */
#include "support/plan_fixture.h"

/* y[i, j] = sum(r) a[i, r] * b[r, j] */
static const Node *product(Fixture *f, const char *name, int64_t rows, int64_t depth, int64_t columns) {
    Extent I = size(rows), R = size(depth), J = size(columns);
    const Node *a = input(f, name, SHAPE(I, R)), *b = param(f, arena_printf(f->arena, "of_%s", name), SHAPE(R, J));
    const Scalar *i = at(f, 0, I), *j = at(f, 1, J), *r = at(f, 2, R);
    const Scalar *body = op2(f, OP_MUL, LOAD(f, a, i, r), LOAD(f, b, r, j));
    return graph_expr(f->g, SHAPE(I, J), REDUCE_SUM, 1, &R, body, named("y"));
}

/* With rows that are no whole tiles. */
static const Node *small_product(Fixture *f) {
    return product(f, "small", 64, 32, 32);
}

/* One beside which the other is nothing; of whole tiles. */
static void add_large_product(Fixture *f, EntryKind kind) {
    add_output(f, kind, OUTPUT_RESULT, NULL, product(f, "large", 120, 128, 128));
}

static const StageSchedule *schedule_of(const Plan *plan, EntryKind kind, const Node *node) {
    const PlanEntry *entry = &plan->entries[kind];
    for (size_t k = 0; k < entry->kernels.count; k++) {
        const PlanStage *stage = &entry->kernels.at[k].stages.at[0];
        if (stage_makes(stage, node))
            return &stage->schedule;
    }
    fail_msg("no kernel makes the node");
    return NULL;
}

/* Whether the last tile of the product begins earlier. The values are those of the interpreter. */
static bool overlaps(Fixture *f, EntryKind kind, const Node *node, const char *target) {
    const Compiled compiled = compile(f, target_by_name(target));
    const StageSchedule *s = schedule_of(compiled.plan, kind, node);
    assert_true(s->tile_rows > 1 && s->columns > 1);
    compare_all(f, compiled.program);
    return s->overlaps;
}

static void test_overlaps(void **state) {
    (void)state;
    Fixture f = new_fixture(size(1));
    const Node *y = small_product(&f);
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    assert_false(overlaps(&f, ENTRY_PREDICT, y, "avx2")); /* it is all that there is */
    add_large_product(&f, ENTRY_PREDICT);
    assert_true(overlaps(&f, ENTRY_PREDICT, y, "avx2"));
    assert_false(overlaps(&f, ENTRY_PREDICT, y, "neon"));
    arena_free(f.arena);
}

/* x + W x: where the rows of the result take the place of what they read, the second time would read something else. */
static void test_own_rows(void **state) {
    (void)state;
    Fixture f = new_fixture(size(1));
    const Node *sum = small_product(&f), *h = param(&f, "h", SHAPE(size(64), size(32)));
    const Node *y = graph_map2(f.g, OP_ADD, h, sum, named("y"));
    add_output(&f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, h, y);
    add_large_product(&f, ENTRY_TRAIN_STEP);
    assert_false(overlaps(&f, ENTRY_TRAIN_STEP, sum, "avx2"));
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_overlaps), cmocka_unit_test(test_own_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
