/* Windows of 3x3 are multiplied in another basis: the same values but for rounding, only in this form, and only where that pays. */
#include "support/plan_fixture.h"
#include "plan/winograd.h"

enum { SIDE = 4, TAPS = 3 };

/* So many that it pays for any target; the tests compute a few of them. */
static const Extent samples = {64, 1}, channels = {48, 0}, filters = {32, 0}, side = {SIDE, 0}, taps = {TAPS, 0};

static const Target *target(void) {
    return target_by_name("avx512");
}

/* ---- running the pass ---- */

static int count_named(Fixture *f, const char *part) {
    NodeList nodes = graph_order(f->g, f->arena, NULL);
    int count = 0;
    for (size_t i = 0; i < nodes.count; i++) {
        const char *name = nodes.at[i]->origin.name;
        count += name && strstr(name, part);
    }
    return count;
}

/* All outputs are given and rewritten, and keep their values; a second run finds nothing. */
static void check_rewritten(Fixture *f) {
    size_t count = f->g->entries[ENTRY_PREDICT].outputs.count;
    const Node *before[4] = {NULL};
    assert_true(count <= 4);
    for (size_t i = 0; i < count; i++)
        before[i] = output_of(f, i);
    assert_true(plan_winograd(f->g, target()) >= (int)count);
    graph_check(f->g, "test", true);
    assert_int_equal(count_named(f, "products of "), count);
    for (size_t i = 0; i < count; i++) {
        assert_true(node_same_shape(before[i], output_of(f, i)));
        same_values(f, before[i], output_of(f, i));
    }
    assert_int_equal(plan_winograd(f->g, target()), 0);
    LoopProgram *program = compile(f, target()).program;
    compare_entry(f, program, ENTRY_PREDICT, 4, samples_to_run(f));
    compare_entry(f, program, ENTRY_PREDICT, 16, samples_to_run(f));
    arena_free(f->arena);
}

static void check_stays(Fixture *f) {
    graph_check(f->g, "test", true);
    assert_int_equal(plan_winograd(f->g, target()), 0);
    arena_free(f->arena);
}

/* ---- sums over windows ---- */

/* i + u, or i - u + 2 */
static const Scalar *seen(Fixture *f, const Scalar *place, const Scalar *tap, bool reversed) {
    return reversed ? add_int(f, op2(f, OP_SUB, place, tap), TAPS - 1) : op2(f, OP_ADD, place, tap);
}

static Extent seen_side(Extent places) {
    return size(places.size + TAPS - 1);
}

/* y[b, o, i, j] = sum(c, u, v) k[o, c, u, v] * x[b, c, i + u, j + v], and as an adjoint, reversed, of k[c, o, u, v] */
static const Node *convolution(Fixture *f, const Node *x, const Node *k, const bool reversed[2]) {
    bool adjoint = reversed[0] || reversed[1];
    Extent B = x->shape[0], O = k->shape[adjoint ? 1 : 0], C = k->shape[adjoint ? 0 : 1];
    Extent I = size(x->shape[2].size - TAPS + 1), J = size(x->shape[3].size - TAPS + 1);
    const Scalar *b = at(f, 0, B), *o = at(f, 1, O), *i = at(f, 2, I), *j = at(f, 3, J);
    const Scalar *c = at(f, 4, C), *u = at(f, 5, taps), *v = at(f, 6, taps);
    const Scalar *weight = adjoint ? LOAD(f, k, c, o, u, v) : LOAD(f, k, o, c, u, v);
    const Scalar *value = LOAD(f, x, b, c, seen(f, i, u, reversed[0]), seen(f, j, v, reversed[1]));
    return graph_expr(f->g, SHAPE(B, O, I, J), REDUCE_SUM, 3, (Extent[]){C, taps, taps}, op2(f, OP_MUL, weight, value),
                      named("y"));
}

static Fixture new_convolution(Extent B, Extent C, Extent O, Extent I, Extent J, const bool reversed[2]) {
    bool adjoint = reversed[0] || reversed[1];
    Fixture f = new_fixture(B);
    const Node *x = input(&f, "x", SHAPE(B, C, seen_side(I), seen_side(J)));
    const Node *k = adjoint ? param(&f, "k", SHAPE(C, O, taps, taps)) : param(&f, "k", SHAPE(O, C, taps, taps));
    give(&f, convolution(&f, x, k, reversed));
    return f;
}

static const bool forward[2] = {false, false};

static void test_convolution(void **state) {
    (void)state;
    const bool directions[][2] = {{false, false}, {true, true}, {false, true}};
    for (size_t i = 0; i < sizeof directions / sizeof *directions; i++) {
        Fixture f = new_convolution(samples, channels, filters, side, side, directions[i]);
        check_rewritten(&f);
    }
    Fixture fixed = new_convolution(size(8), channels, filters, size(6), size(8), forward);
    check_rewritten(&fixed);
}

/* As many samples as rows and columns, and as many channels as filters. */
static void test_one_sample(void **state) {
    (void)state;
    Fixture f = new_convolution(size(1), size(64), size(64), size(24), size(24), forward);
    check_rewritten(&f);
}

static void test_equal_sizes(void **state) {
    (void)state;
    Fixture f = new_convolution(size(8), channels, channels, size(8), size(8), forward);
    check_rewritten(&f);
}

/* y[o, i, j] = sum(c, u, v) k[o, c, u, v] * x[c, i + u, j + v]: nothing is a sample. */
static void test_no_samples(void **state) {
    (void)state;
    Fixture f = new_fixture(size(0));
    Extent C = size(64), O = size(64), I = size(24);
    const Node *x = param(&f, "x", SHAPE(C, seen_side(I), seen_side(I)));
    const Node *k = param(&f, "k", SHAPE(O, C, taps, taps));
    const Scalar *o = at(&f, 0, O), *i = at(&f, 1, I), *j = at(&f, 2, I);
    const Scalar *c = at(&f, 3, C), *u = at(&f, 4, taps), *v = at(&f, 5, taps);
    const Scalar *value = LOAD(&f, x, c, seen(&f, i, u, false), seen(&f, j, v, false));
    const Scalar *body = op2(&f, OP_MUL, LOAD(&f, k, o, c, u, v), value);
    give(&f, graph_expr(f.g, SHAPE(O, I, I), REDUCE_SUM, 3, (Extent[]){C, taps, taps}, body, named("y")));
    check_rewritten(&f);
}

/* Channels last already, and the kernel in order: nothing is copied. */
static void test_ordered(void **state) {
    (void)state;
    Fixture f = new_fixture(samples);
    const Node *x = input(&f, "x", SHAPE(samples, seen_side(side), seen_side(side), channels));
    const Node *k = param(&f, "k", SHAPE(taps, taps, channels, filters));
    const Scalar *b = at(&f, 0, samples), *i = at(&f, 1, side), *j = at(&f, 2, side), *o = at(&f, 3, filters);
    const Scalar *u = at(&f, 4, taps), *v = at(&f, 5, taps), *c = at(&f, 6, channels);
    const Scalar *value = LOAD(&f, x, b, seen(&f, i, u, false), seen(&f, j, v, false), c);
    const Scalar *body = op2(&f, OP_MUL, value, LOAD(&f, k, u, v, c, o));
    give(&f, graph_expr(f.g, SHAPE(samples, side, side, filters), REDUCE_SUM, 3, (Extent[]){taps, taps, channels}, body,
                        named("y")));
    assert_true(plan_winograd(f.g, target()) > 0);
    assert_int_equal(count_named(&f, "ordered"), 0);
    arena_free(f.arena);
}

/* ---- gradients of kernels ---- */

/* d[o, c, u, v] = sum(b, i, j) y[b, o, i, j] * x[b, c, i + u, j + v] */
static const Node *gradient(Fixture *f, const Node *x, const Node *y, const bool reversed[2]) {
    Extent O = y->shape[1], C = x->shape[1], B = x->shape[0], I = y->shape[2], J = y->shape[3];
    const Scalar *o = at(f, 0, O), *c = at(f, 1, C), *u = at(f, 2, taps), *v = at(f, 3, taps);
    const Scalar *b = at(f, 4, B), *i = at(f, 5, I), *j = at(f, 6, J);
    const Scalar *value = LOAD(f, x, b, c, seen(f, i, u, reversed[0]), seen(f, j, v, reversed[1]));
    return graph_expr(f->g, SHAPE(O, C, taps, taps), REDUCE_SUM, 3, (Extent[]){B, I, J},
                      op2(f, OP_MUL, LOAD(f, y, b, o, i, j), value), named("d"));
}

static Fixture new_gradient(Extent B, Extent I, Extent J, const bool reversed[2]) {
    Fixture f = new_fixture(B);
    const Node *x = input(&f, "x", SHAPE(B, channels, seen_side(I), seen_side(J)));
    const Node *y = input(&f, "y", SHAPE(B, filters, I, J));
    give(&f, gradient(&f, x, y, reversed));
    return f;
}

static void test_gradient(void **state) {
    (void)state;
    const bool directions[][2] = {{false, false}, {false, true}};
    for (size_t i = 0; i < sizeof directions / sizeof *directions; i++) {
        Fixture f = new_gradient(samples, side, size(6), directions[i]);
        check_rewritten(&f);
    }
}

/* ---- several of them ---- */

/* An image that two convolutions read is transformed once; the first result is an output that is read again. */
static void test_shared_image(void **state) {
    (void)state;
    Fixture f = new_fixture(samples);
    const Node *x = input(&f, "x", SHAPE(samples, channels, seen_side(side), seen_side(side)));
    const Node *k = param(&f, "k", SHAPE(filters, channels, taps, taps));
    const Node *l = param(&f, "l", SHAPE(filters, channels, taps, taps));
    const Node *first = convolution(&f, x, k, forward);
    give(&f, first);
    give(&f, convolution(&f, x, l, forward));
    give(&f, gradient(&f, x, first, forward));
    const Node *before[] = {output_of(&f, 0), output_of(&f, 1), output_of(&f, 2)};
    assert_true(plan_winograd(f.g, target()) >= 3);
    graph_check(f.g, "test", true);
    assert_int_equal(count_named(&f, "products of "), 3);
    assert_int_equal(count_named(&f, "transformed x"), 2); /* one for both, one for the gradient */
    for (size_t i = 0; i < 3; i++)
        same_values(&f, before[i], output_of(&f, i));
    arena_free(f.arena);
}

/* ---- what stays ---- */

static void test_sizes(void **state) {
    (void)state;
    Fixture f = new_convolution(samples, channels, filters, size(7), side, forward);
    check_stays(&f);
    f = new_convolution(samples, channels, filters, side, size(9), forward);
    check_stays(&f);
    f = new_convolution(samples, size(1), filters, side, side, forward); /* one channel is no sum */
    check_stays(&f);
    f = new_convolution(samples, size(2), size(2), side, side, forward); /* does not pay */
    check_stays(&f);
    f = new_fixture(samples);
    const Node *x = input(&f, "x", SHAPE(samples, channels, size(12), size(12)));
    give(&f, convolve(&f, x, param(&f, "k", SHAPE(filters, channels, size(5), size(5)))));
    check_stays(&f);
}

/* The factors of y[b, o, i, j] = sum(c, u, v) ..., and its variables. */
typedef struct Variables {
    const Scalar *b, *o, *i, *j, *c, *u, *v;
} Variables;

static Variables variables(Fixture *f, Extent B) {
    return (Variables){at(f, 0, B),        at(f, 1, filters), at(f, 2, side), at(f, 3, side),
                       at(f, 4, channels), at(f, 5, taps),    at(f, 6, taps)};
}

static void check_body_stays(Fixture *f, const Scalar *a, const Scalar *b) {
    give(f, graph_expr(f->g, SHAPE(f->g->batch, filters, side, side), REDUCE_SUM, 3, (Extent[]){channels, taps, taps},
                       op2(f, OP_MUL, a, b), named("y")));
    check_stays(f);
}

static const Node *kernel_of(Fixture *f) {
    return param(f, "k", SHAPE(filters, channels, taps, taps));
}

static void test_strides(void **state) {
    (void)state;
    Fixture f = new_fixture(samples);
    Variables s = variables(&f, samples);
    const Node *x = input(&f, "x", SHAPE(samples, channels, size(20), size(20)));
    const Scalar *weight = LOAD(&f, kernel_of(&f), s.o, s.c, s.u, s.v);
    const Scalar *row = op2(&f, OP_ADD, times(&f, s.i, 2), s.u), *column = op2(&f, OP_ADD, times(&f, s.j, 2), s.v);
    check_body_stays(&f, weight, LOAD(&f, x, s.b, s.c, row, column));
    f = new_fixture(samples);
    s = variables(&f, samples);
    x = input(&f, "x", SHAPE(samples, channels, size(12), size(12)));
    row = op2(&f, OP_ADD, s.i, times(&f, s.u, 2));
    column = op2(&f, OP_ADD, s.j, times(&f, s.v, 2));
    check_body_stays(&f, LOAD(&f, kernel_of(&f), s.o, s.c, s.u, s.v), LOAD(&f, x, s.b, s.c, row, column));
}

/* Each channel by itself: y[b, c, i, j] = sum(u, v) k[c, u, v] * x[b, c, i + u, j + v] */
static void test_depthwise(void **state) {
    (void)state;
    Fixture f = new_fixture(samples);
    const Node *x = input(&f, "x", SHAPE(samples, filters, seen_side(side), seen_side(side)));
    const Node *k = param(&f, "k", SHAPE(filters, taps, taps));
    const Scalar *b = at(&f, 0, samples), *o = at(&f, 1, filters), *i = at(&f, 2, side), *j = at(&f, 3, side);
    const Scalar *u = at(&f, 4, taps), *v = at(&f, 5, taps);
    const Scalar *value = LOAD(&f, x, b, o, op2(&f, OP_ADD, i, u), op2(&f, OP_ADD, j, v));
    give(&f, graph_expr(f.g, SHAPE(samples, filters, side, side), REDUCE_SUM, 2, (Extent[]){taps, taps},
                        op2(&f, OP_MUL, LOAD(&f, k, o, u, v), value), named("y")));
    check_stays(&f);
}

/* Variables that are read twice, and a window that is the samples'. */
static void test_diagonals(void **state) {
    (void)state;
    for (int form = 0; form < 6; form++) {
        Extent B = form == 5 ? (Extent){TAPS, 1} : samples, wide = seen_side(side);
        Fixture f = new_fixture(B);
        Variables s = variables(&f, B);
        const Scalar *row = op2(&f, OP_ADD, s.i, s.u), *column = op2(&f, OP_ADD, s.j, s.v);
        const Node *x = input(&f, "x", SHAPE(B, channels, wide, wide));
        const Scalar *weight = LOAD(&f, kernel_of(&f), s.o, s.c, s.u, s.v), *value = LOAD(&f, x, s.b, s.c, row, column);
        switch (form) {
        case 0: weight = LOAD(&f, param(&f, "d", SHAPE(filters, filters, channels)), s.o, s.o, s.c); break;
        case 1:
            weight = LOAD(&f, param(&f, "d", SHAPE(filters, channels, side, side, taps, taps)), s.o, s.c, s.i, s.i, s.u,
                          s.v);
            break;
        case 2: value = LOAD(&f, x, s.b, s.c, row, op2(&f, OP_ADD, s.j, s.u)); break;
        case 3: value = LOAD(&f, x, s.b, s.c, row, op2(&f, OP_ADD, s.i, s.v)); break;
        case 4:
            value = LOAD(&f, input(&f, "z", SHAPE(B, channels, taps, wide, wide)), s.b, s.c, s.u, row, column);
            break;
        default:
            value = LOAD(&f, x, s.b, s.c, op2(&f, OP_ADD, s.i, s.b), column);
            weight = LOAD(&f, param(&f, "d", SHAPE(filters, channels, taps)), s.o, s.c, s.v);
            break;
        }
        check_body_stays(&f, weight, value);
    }
}

/* The largest of products, and a sum of one factor. */
static void test_other_bodies(void **state) {
    (void)state;
    Fixture f = new_fixture(samples);
    Variables s = variables(&f, samples);
    const Node *x = input(&f, "x", SHAPE(samples, channels, seen_side(side), seen_side(side)));
    const Scalar *value = LOAD(&f, x, s.b, s.c, op2(&f, OP_ADD, s.i, s.u), op2(&f, OP_ADD, s.j, s.v));
    const Scalar *weight = LOAD(&f, kernel_of(&f), s.o, s.c, s.u, s.v);
    give(&f, graph_expr(f.g, SHAPE(samples, filters, side, side), REDUCE_MAX, 3, (Extent[]){channels, taps, taps},
                        op2(&f, OP_MUL, weight, value), named("most")));
    check_stays(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolution),  cmocka_unit_test(test_one_sample), cmocka_unit_test(test_equal_sizes),
        cmocka_unit_test(test_no_samples),   cmocka_unit_test(test_ordered),    cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_shared_image), cmocka_unit_test(test_sizes),      cmocka_unit_test(test_strides),
        cmocka_unit_test(test_depthwise),    cmocka_unit_test(test_diagonals),  cmocka_unit_test(test_other_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
