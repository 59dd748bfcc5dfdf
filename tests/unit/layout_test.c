/* Images inside the network get their channels last: the same values, bit for bit, and only where that pays. */
#include "support/plan_fixture.h"
#include "plan/layout.h"

enum { WIDE = 32, NARROW = 12 };

static const Extent batch = {16, 1}, channels = {WIDE, 0}, side = {NARROW, 0}, half = {NARROW / 2, 0}, taps = {2, 0};

/* Images of a vector of samples are large for it. */
static const Target small =
    TEST_TARGET(.vector_bytes = 64, .vector_registers = 32, .latency = 4, .l1_bytes = 16 << 10, .l2_bytes = 32 << 10);

static const Node *node_named(Fixture *f, const char *name) {
    NodeList nodes = graph_order(f->g, f->arena, NULL);
    for (size_t i = 0; i < nodes.count; i++)
        if (nodes.at[i]->origin.name && strcmp(nodes.at[i]->origin.name, name) == 0)
            return nodes.at[i];
    fail_msg("no node is called %s", name);
    return NULL;
}

static bool is_last(Fixture *f, const char *name) {
    const Node *node = node_named(f, name);
    assert_true(node->rank == 4);
    return node->shape[3].size == WIDE && node->shape[1].size != WIDE;
}

/* Runs the pass. Every sum keeps its order, so the values keep their bits. */
static int run(Fixture *f) {
    enum { MOST = 4 };
    const Node *before[MOST];
    size_t count = f->g->entries[ENTRY_PREDICT].outputs.count;
    assert_true(count <= MOST);
    for (size_t i = 0; i < count; i++)
        before[i] = output_of(f, i);
    int changes = plan_layout(f->g, &small);
    graph_check(f->g, "test", true);
    for (size_t i = 0; i < count; i++) {
        assert_true(node_same_shape(before[i], output_of(f, i)));
        assert_memory_equal(values_of(f, before[i], f->g->batch.size), values_of(f, output_of(f, i), f->g->batch.size),
                            (size_t)node_elements(before[i]) * sizeof(double));
    }
    return changes;
}

static void check_program(Fixture *f) {
    LoopProgram *program = compile(f, &small).program;
    compare_batches(f, program, ENTRY_PREDICT, 4);
    compare_batches(f, program, ENTRY_PREDICT, 16);
    arena_free(f->arena);
}

/* ---- a network: one value for each channel at the end ---- */

/* y[b, o, i, j] = sum(c) k[o, c] * x[b, c, i, j]: channels from channels. */
static const Node *mixed(Fixture *f, const Node *x, const char *name) {
    Extent B = x->shape[0], C = x->shape[1], I = x->shape[2], J = x->shape[3];
    const Node *k = param(f, "mix", SHAPE(channels, C));
    const Scalar *b = at(f, 0, B), *o = at(f, 1, channels), *i = at(f, 2, I), *j = at(f, 3, J), *c = at(f, 4, C);
    return graph_expr(f->g, SHAPE(B, channels, I, J), REDUCE_SUM, 1, &C,
                      op2(f, OP_MUL, LOAD(f, k, o, c), LOAD(f, x, b, c, i, j)), named(name));
}

/* The first image inside, of three colours. */
static const Node *image(Fixture *f, const char *name) {
    return mixed(f, input(f, "x", SHAPE(f->g->batch, size(3), side, side)), name);
}

static const Node *squared(Fixture *f, const Node *x, const char *name) {
    return graph_map2(f->g, OP_MUL, x, x, named(name));
}

/* w[b, c, i, j] = sum(u, v) k[c, u, v] * a[b, c, 2 * i + u, 2 * j + v]: a stride, for which lanes along j would be far apart. */
static const Node *depthwise(Fixture *f, const Node *a, const char *name) {
    Extent B = a->shape[0], C = a->shape[1];
    const Node *k = param(f, "k", SHAPE(C, taps, taps));
    const Scalar *b = at(f, 0, B), *c = at(f, 1, C), *i = at(f, 2, half), *j = at(f, 3, half);
    const Scalar *u = at(f, 4, taps), *v = at(f, 5, taps);
    const Scalar *read = LOAD(f, a, b, c, op2(f, OP_ADD, times(f, i, 2), u), op2(f, OP_ADD, times(f, j, 2), v));
    return graph_expr(f->g, SHAPE(B, C, half, half), REDUCE_SUM, 2, (Extent[]){taps, taps},
                      op2(f, OP_MUL, LOAD(f, k, c, u, v), read), named(name));
}

/* m[b, c] = max(i, j) w[b, c, i, j] */
static const Node *largest(Fixture *f, const Node *w) {
    const Scalar *read = LOAD(f, w, at(f, 0, w->shape[0]), at(f, 1, w->shape[1]), at(f, 2, half), at(f, 3, half));
    return graph_expr(f->g, SHAPE(w->shape[0], w->shape[1]), REDUCE_MAX, 2, (Extent[]){half, half}, read, named("m"));
}

static void test_group(void **state) {
    (void)state;
    const Extent batches[] = {batch, size(16), size(1), size(WIDE)}; /* the last: as many samples as channels */
    for (size_t k = 0; k < sizeof batches / sizeof *batches; k++) {
        Fixture f = new_fixture(batches[k]);
        give(&f, largest(&f, depthwise(&f, image(&f, "a"), "w")));
        assert_true(run(&f) > 0);
        assert_true(is_last(&f, "a"));
        assert_true(is_last(&f, "w"));
        assert_int_equal(node_named(&f, "turned k")->shape[2].size, WIDE);
        check_program(&f);
    }
}

/* An image that is an output keeps its order; what it is made of moves. */
static void test_output_inside(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    const Node *w = depthwise(&f, image(&f, "a"), "w");
    const Node *y = squared(&f, w, "y");
    give(&f, y);
    give(&f, largest(&f, w));
    give(&f, largest(&f, y));
    assert_true(run(&f) > 0);
    assert_true(is_last(&f, "a") && is_last(&f, "w"));
    assert_false(is_last(&f, "y"));
    check_program(&f);
}

/* Several readers, one of them twice, and a sum of two images. */
static void test_shared(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    const Node *a = image(&f, "a");
    const Node *w = depthwise(&f, a, "w"), *z = depthwise(&f, a, "z");
    give(&f, largest(&f, graph_map2(f.g, OP_ADD, w, z, named("both"))));
    give(&f, largest(&f, z));
    assert_true(run(&f) > 0);
    assert_true(is_last(&f, "a") && is_last(&f, "w") && is_last(&f, "z") && is_last(&f, "both"));
    check_program(&f);
}

static void test_mixing(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    give(&f, largest(&f, squared(&f, mixed(&f, depthwise(&f, image(&f, "a"), "w"), "y"), "s")));
    assert_true(run(&f) > 0);
    assert_true(is_last(&f, "y"));
    check_program(&f);
}

/* The image is a map of an input whose channels are last: when it moves, it is that input. */
static void test_turned_input(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    const Node *x = input(&f, "x", SHAPE(batch, side, side, channels));
    const Scalar *b = at(&f, 0, batch), *c = at(&f, 1, channels), *i = at(&f, 2, side), *j = at(&f, 3, side);
    const Node *a =
        graph_expr(f.g, SHAPE(batch, channels, side, side), REDUCE_NONE, 0, NULL, LOAD(&f, x, b, i, j, c), named("a"));
    give(&f, largest(&f, depthwise(&f, a, "w")));
    run(&f);
    assert_true(is_last(&f, "w"));
    assert_ptr_equal(node_named(&f, "w")->operands[1], x);
    check_program(&f);
}

/* ---- what stays ---- */

/* Only maps: lanes find all that they need where it is. */
static void test_maps(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    give(&f, squared(&f, squared(&f, input(&f, "x", SHAPE(batch, channels, side, side)), "a"), "y"));
    assert_int_equal(run(&f), 0);
    assert_false(is_last(&f, "a"));
    arena_free(f.arena);
}

/* A flattened image is the image's memory: neither moves. */
static void test_views(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    const Node *w = depthwise(&f, image(&f, "a"), "w");
    int64_t rest = half.size * half.size;
    Extent flat = size(WIDE * rest);
    const Scalar *b = at(&f, 0, batch), *k = at(&f, 1, flat);
    const Scalar *c = op2(&f, OP_FLOORDIV, k, scalar_int(f.g->pool, rest));
    const Scalar *i =
        op2(&f, OP_MOD, op2(&f, OP_FLOORDIV, k, scalar_int(f.g->pool, half.size)), scalar_int(f.g->pool, half.size));
    const Scalar *j = op2(&f, OP_MOD, k, scalar_int(f.g->pool, half.size));
    const Node *v = graph_expr(f.g, SHAPE(batch, flat), REDUCE_NONE, 0, NULL, LOAD(&f, w, b, c, i, j), named("flat"));
    give(&f, dense(&f, v, param(&f, "D", SHAPE(size(7), flat))));
    run(&f);
    assert_false(is_last(&f, "w"));
    check_program(&f);
}

/* Where the images of a vector of samples stay in the caches, lanes are better made of samples. */
static void test_samples(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    give(&f, largest(&f, depthwise(&f, image(&f, "a"), "w")));
    assert_int_equal(plan_layout(f.g, target_by_name("avx512")), 0);
    assert_true(plan_layout(f.g, &small) > 0);
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group),  cmocka_unit_test(test_output_inside), cmocka_unit_test(test_shared),
        cmocka_unit_test(test_mixing), cmocka_unit_test(test_turned_input),  cmocka_unit_test(test_maps),
        cmocka_unit_test(test_views),  cmocka_unit_test(test_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
