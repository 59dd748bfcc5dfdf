/* Sums over long windows become products of spectra: the same values but for rounding, only in this form, and only where that pays. */
#include "support/plan_fixture.h"
#include "plan/fourier.h"

enum { TAPS = 21, PAD = 10, SIDE = 36, OUTPUTS_MAX = 4 };

static const Extent taps = {TAPS, 0}, side = {SIDE, 0}, channels = {2, 0}, filters = {2, 0}, samples = {2, 0};

static const Target *target(void) {
    return target_by_name("avx512");
}

/* ---- running the pass ---- */

static int count_named(Fixture *f, const char *name) {
    NodeList nodes = graph_order(f->g, f->arena, NULL);
    int count = 0;
    for (size_t i = 0; i < nodes.count; i++)
        count += nodes.at[i]->origin.name && strcmp(nodes.at[i]->origin.name, name) == 0;
    return count;
}

/* All outputs are given and rewritten, and keep their values; a second run finds nothing. */
static void rewrite(Fixture *f) {
    size_t count = f->g->entries[ENTRY_PREDICT].outputs.count;
    const Node *before[OUTPUTS_MAX] = {NULL};
    assert_true(count <= OUTPUTS_MAX);
    for (size_t i = 0; i < count; i++)
        before[i] = output_of(f, i);
    graph_check(f->g, "test", true);
    assert_true(plan_fourier(f->g, target()) >= (int)count);
    graph_check(f->g, "test", true);
    for (size_t i = 0; i < count; i++) {
        assert_true(node_same_shape(before[i], output_of(f, i)));
        assert_ptr_not_equal(before[i], output_of(f, i));
        same_values(f, before[i], output_of(f, i));
    }
    assert_int_equal(plan_fourier(f->g, target()), 0);
}

static void check_rewritten(Fixture *f) {
    rewrite(f);
    arena_free(f->arena);
}

static void check_stays(Fixture *f) {
    graph_check(f->g, "test", true);
    assert_int_equal(plan_fourier(f->g, target()), 0);
    arena_free(f->arena);
}

/* ---- sums over windows ---- */

/* a + b + start or a - b + start */
static const Scalar *shifted(Fixture *f, const Scalar *a, const Scalar *b, bool minus, int64_t start) {
    return add_int(f, op2(f, minus ? OP_SUB : OP_ADD, a, b), start);
}

static const Scalar *within(Fixture *f, const Scalar *index, Extent extent) {
    return scalar_within(f->g->pool, index, extent);
}

/* value * weight where the two indices are inside, 0 elsewhere */
static const Scalar *guarded(Fixture *f, const Scalar *inside, const Scalar *value, const Scalar *weight) {
    return scalar_select(f->g->pool, inside, op2(f, OP_MUL, weight, value), scalar_real(f->g->pool, 0));
}

/* y[b, o, i, j] = sum(c, u, v) k[o, c, u, v] * x[b, c, i + u - PAD, j + v - PAD], or, minus, x[b, c, i - u + PAD, j - v + PAD] */
static const Node *convolution(Fixture *f, const Node *x, const Node *k, const bool minus[2]) {
    Extent B = x->shape[0], C = x->shape[1], I = x->shape[2], J = x->shape[3], O = k->shape[0];
    const Scalar *b = at(f, 0, B), *o = at(f, 1, O), *i = at(f, 2, I), *j = at(f, 3, J);
    const Scalar *c = at(f, 4, C), *u = at(f, 5, taps), *v = at(f, 6, taps);
    const Scalar *row = shifted(f, i, u, minus[0], minus[0] ? PAD : -PAD);
    const Scalar *column = shifted(f, j, v, minus[1], minus[1] ? PAD : -PAD);
    const Scalar *inside = op2(f, OP_AND, within(f, row, I), within(f, column, J));
    const Scalar *body = guarded(f, inside, LOAD(f, x, b, c, row, column), LOAD(f, k, o, c, u, v));
    return graph_expr(f->g, SHAPE(B, O, I, J), REDUCE_SUM, 3, (Extent[]){C, taps, taps}, body, named("y"));
}

/* d[o, c, u, v] = sum(b, i, j) y[b, o, i, j] * x[b, c, u + i - PAD, v + j - PAD], or, minus, x[b, c, i - u + PAD, j - v + PAD] */
static const Node *gradient(Fixture *f, const Node *x, const Node *y, bool minus) {
    Extent O = y->shape[1], C = x->shape[1], B = x->shape[0], I = y->shape[2], J = y->shape[3];
    const Scalar *o = at(f, 0, O), *c = at(f, 1, C), *u = at(f, 2, taps), *v = at(f, 3, taps);
    const Scalar *b = at(f, 4, B), *i = at(f, 5, I), *j = at(f, 6, J);
    const Scalar *row = shifted(f, i, u, minus, minus ? PAD : -PAD);
    const Scalar *column = shifted(f, j, v, minus, minus ? PAD : -PAD);
    const Scalar *inside = op2(f, OP_AND, within(f, row, I), within(f, column, J));
    const Scalar *body = guarded(f, inside, LOAD(f, x, b, c, row, column), LOAD(f, y, b, o, i, j));
    return graph_expr(f->g, SHAPE(O, C, taps, taps), REDUCE_SUM, 3, (Extent[]){B, I, J}, body, named("d"));
}

static const bool forward[2] = {false, false}, adjoint[2] = {true, true};

static const Node *image(Fixture *f, const char *name, Extent B, Extent C, Extent I, Extent J) {
    return input(f, name, SHAPE(B, C, I, J));
}

static const Node *kernel(Fixture *f) {
    return param(f, "k", SHAPE(filters, channels, taps, taps));
}

/* Even and odd circles, samples known and not. */
static void test_convolution(void **state) {
    (void)state;
    const Extent sides[] = {side, {SIDE + 1, 0}}, batches[] = {samples, {16, 1}};
    for (int i = 0; i < 2; i++) {
        Fixture f = new_fixture(batches[i]);
        const Node *x = image(&f, "x", batches[i], channels, sides[i], sides[1 - i]), *k = kernel(&f);
        give(&f, convolution(&f, x, k, i == 0 ? forward : adjoint));
        rewrite(&f);
        LoopProgram *program = compile(&f, target()).program;
        compare_entry(&f, program, ENTRY_PREDICT, 16, samples_to_run(&f));
        arena_free(f.arena);
    }
}

static void test_gradient(void **state) {
    (void)state;
    for (int minus = 0; minus < 2; minus++) {
        Fixture f = new_fixture(samples);
        const Node *x = image(&f, "x", samples, channels, side, side),
                   *y = image(&f, "g", samples, filters, side, side);
        give(&f, gradient(&f, x, y, minus == 1));
        check_rewritten(&f);
    }
}

/* Without padding, every index is inside, and nothing is guarded. */
static void test_inside(void **state) {
    (void)state;
    Fixture f = new_fixture(samples);
    Extent C = channels, window = size(33), places = size(34), wide = size(66);
    const Node *x = image(&f, "x", samples, C, wide, wide), *k = param(&f, "k", SHAPE(filters, C, window, window));
    const Scalar *b = at(&f, 0, samples), *o = at(&f, 1, filters), *i = at(&f, 2, places), *j = at(&f, 3, places);
    const Scalar *c = at(&f, 4, C), *u = at(&f, 5, window), *v = at(&f, 6, window);
    const Scalar *value = LOAD(&f, x, b, c, op2(&f, OP_ADD, i, u), op2(&f, OP_ADD, j, v));
    give(&f, graph_expr(f.g, SHAPE(samples, filters, places, places), REDUCE_SUM, 3, (Extent[]){C, window, window},
                        op2(&f, OP_MUL, value, LOAD(&f, k, o, c, u, v)), named("y")));
    check_rewritten(&f);
}

/* Padding on one side alone, where indices come round to the other end. */
static void test_one_side(void **state) {
    (void)state;
    for (int start = 0; start >= 1 - TAPS; start -= TAPS - 1) {
        Fixture f = new_fixture(samples);
        const Node *x = image(&f, "x", samples, channels, side, side), *k = kernel(&f);
        const Scalar *b = at(&f, 0, samples), *o = at(&f, 1, filters), *i = at(&f, 2, side), *j = at(&f, 3, side);
        const Scalar *c = at(&f, 4, channels), *u = at(&f, 5, taps), *v = at(&f, 6, taps);
        const Scalar *row = shifted(&f, i, u, false, start), *column = shifted(&f, j, v, false, start);
        const Scalar *inside = op2(&f, OP_AND, within(&f, row, side), within(&f, column, side));
        const Scalar *body = guarded(&f, inside, LOAD(&f, x, b, c, row, column), LOAD(&f, k, o, c, u, v));
        give(&f, graph_expr(f.g, SHAPE(samples, filters, side, side), REDUCE_SUM, 3, (Extent[]){channels, taps, taps},
                            body, named("y")));
        check_rewritten(&f);
    }
}

/* Each channel by itself. */
static void test_depthwise(void **state) {
    (void)state;
    Fixture f = new_fixture(samples);
    Extent C = size(2), window = size(31), places = size(40);
    const Node *x = image(&f, "x", samples, C, places, places), *k = param(&f, "k", SHAPE(C, window, window));
    const Scalar *b = at(&f, 0, samples), *c = at(&f, 1, C), *i = at(&f, 2, places), *j = at(&f, 3, places);
    const Scalar *u = at(&f, 4, window), *v = at(&f, 5, window);
    const Scalar *row = shifted(&f, i, u, false, -15), *column = shifted(&f, j, v, false, -15);
    const Scalar *inside = op2(&f, OP_AND, within(&f, row, places), within(&f, column, places));
    const Scalar *body = guarded(&f, inside, LOAD(&f, x, b, c, row, column), LOAD(&f, k, c, u, v));
    give(&f, graph_expr(f.g, SHAPE(samples, C, places, places), REDUCE_SUM, 2, (Extent[]){window, window}, body,
                        named("y")));
    check_rewritten(&f);
}

/* What several sums want is transformed once. */
static void test_shared_spectra(void **state) {
    (void)state;
    Fixture f = new_fixture(samples);
    const Node *x = image(&f, "x", samples, channels, side, side), *k = kernel(&f);
    const Node *g = image(&f, "g", samples, filters, side, side);
    give(&f, convolution(&f, x, k, forward));
    give(&f, gradient(&f, x, g, false));
    const Scalar *b = at(&f, 0, samples), *c = at(&f, 1, channels), *i = at(&f, 2, side), *j = at(&f, 3, side);
    const Scalar *o = at(&f, 4, filters), *u = at(&f, 5, taps), *v = at(&f, 6, taps);
    const Scalar *row = shifted(&f, i, u, true, PAD), *column = shifted(&f, j, v, true, PAD);
    const Scalar *inside = op2(&f, OP_AND, within(&f, row, side), within(&f, column, side));
    const Scalar *body = guarded(&f, inside, LOAD(&f, g, b, o, row, column), LOAD(&f, k, o, c, u, v));
    give(&f, graph_expr(f.g, SHAPE(samples, channels, side, side), REDUCE_SUM, 3, (Extent[]){filters, taps, taps}, body,
                        named("gradient of x")));
    assert_true(plan_fourier(f.g, target()) >= 3);
    assert_int_equal(count_named(&f, "spectrum of x"), 1);
    assert_int_equal(count_named(&f, "spectrum of k"), 1);
    assert_int_equal(count_named(&f, "spectrum of g"), 1);
    assert_int_equal(count_named(&f, "cosines"), 1);
    arena_free(f.arena);
}

/* ---- what stays ---- */

/* A window of few taps, and one that goes one way in one direction and another in the other. */
static void test_small_and_mixed(void **state) {
    (void)state;
    Fixture f = new_fixture(samples);
    const Node *x = image(&f, "x", samples, channels, side, side);
    give(&f, convolve(&f, x, param(&f, "k", SHAPE(filters, channels, size(5), size(5)))));
    check_stays(&f);
    f = new_fixture(samples);
    x = image(&f, "x", samples, channels, side, side);
    give(&f, convolution(&f, x, kernel(&f), (const bool[]){false, true}));
    check_stays(&f);
}

/* Steps of two, a guard that speaks of something else, and one outside of which there is no 0. */
static void test_other_forms(void **state) {
    (void)state;
    for (int form = 0; form < 4; form++) {
        Fixture f = new_fixture(samples);
        Extent wide = form == 0 ? size(2 * SIDE) : side;
        const Node *x = image(&f, "x", samples, channels, wide, wide), *k = kernel(&f);
        const Scalar *b = at(&f, 0, samples), *o = at(&f, 1, filters), *i = at(&f, 2, side), *j = at(&f, 3, side);
        const Scalar *c = at(&f, 4, channels), *u = at(&f, 5, taps), *v = at(&f, 6, taps);
        const Scalar *row = shifted(&f, form == 0 ? times(&f, i, 2) : i, u, false, -PAD);
        const Scalar *column = shifted(&f, j, form == 1 ? times(&f, v, 2) : v, false, -PAD);
        const Scalar *inside = op2(&f, OP_AND, within(&f, row, wide), within(&f, column, wide));
        if (form == 2)
            inside = op2(&f, OP_AND, inside, op2(&f, OP_LT, u, v));
        const Scalar *product = op2(&f, OP_MUL, LOAD(&f, x, b, c, row, column), LOAD(&f, k, o, c, u, v));
        const Scalar *outside = scalar_real(f.g->pool, form == 3 ? 1 : 0);
        give(&f, graph_expr(f.g, SHAPE(samples, filters, side, side), REDUCE_SUM, 3, (Extent[]){channels, taps, taps},
                            scalar_select(f.g->pool, inside, product, outside), named("y")));
        check_stays(&f);
    }
}

/* Spectra have more axes than images: y[..., i, j] = sum(u, v) k[u, v] * x[..., i + u - PAD, j + v - PAD] with as many as there can be. */
static void test_many_axes(void **state) {
    (void)state;
    enum { RANK = MAX_AXES - 2 };
    Fixture f = new_fixture(size(0));
    Extent shape[RANK];
    const Scalar *from[RANK];
    for (int a = 0; a < RANK; a++) {
        shape[a] = a < RANK - 2 ? size(2) : side;
        from[a] = at(&f, a, shape[a]);
    }
    const Scalar *u = at(&f, RANK, taps), *v = at(&f, RANK + 1, taps);
    const Scalar *row = from[RANK - 2] = shifted(&f, from[RANK - 2], u, false, -PAD);
    const Scalar *column = from[RANK - 1] = shifted(&f, from[RANK - 1], v, false, -PAD);
    const Scalar *inside = op2(&f, OP_AND, within(&f, row, side), within(&f, column, side));
    const Scalar *value = scalar_load(f.g->pool, param(&f, "x", RANK, shape), from);
    const Scalar *weight = LOAD(&f, param(&f, "k", SHAPE(taps, taps)), u, v);
    give(&f, graph_expr(f.g, RANK, shape, REDUCE_SUM, 2, (Extent[]){taps, taps}, guarded(&f, inside, value, weight),
                        named("y")));
    check_stays(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolution),     cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_inside),          cmocka_unit_test(test_one_side),
        cmocka_unit_test(test_depthwise),       cmocka_unit_test(test_shared_spectra),
        cmocka_unit_test(test_small_and_mixed), cmocka_unit_test(test_other_forms),
        cmocka_unit_test(test_many_axes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
