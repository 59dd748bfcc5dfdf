/* Graphs such as networks are made of, written in the notation itself: what layers, losses and their backward passes look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "check.h"

/* ---- notation: body scalars of one node after the other ---- */

typedef struct Bench {
    Check *check;
    Graph *g;
    Extent batch;
} Bench;

static Bench bench_new(void) {
    Bench b = {.check = check_new(3)};
    b.g = check_graph(b.check);
    b.batch = b.g->batch;
    return b;
}

static Extent fixed(int64_t size) {
    return (Extent){.size = size};
}

static const Scalar *number(Bench *b, int64_t value) {
    return scalar_int(b->g->pool, value);
}

static const Scalar *real(Bench *b, double value) {
    return scalar_real(b->g->pool, value);
}

static const Scalar *index_at(Bench *b, int slot, Extent extent) {
    return scalar_index(b->g->pool, slot, extent);
}

static const Scalar *op2(Bench *b, Op op, const Scalar *x, const Scalar *y) {
    return scalar_op2(b->g->pool, op, x, y);
}

static const Scalar *add(Bench *b, const Scalar *x, const Scalar *y) {
    return op2(b, OP_ADD, x, y);
}

static const Scalar *subtract(Bench *b, const Scalar *x, const Scalar *y) {
    return op2(b, OP_SUB, x, y);
}

static const Scalar *multiply(Bench *b, const Scalar *x, const Scalar *y) {
    return op2(b, OP_MUL, x, y);
}

#define LOAD(b, tensor, ...) scalar_load((b)->g->pool, (tensor), (const Scalar *[]){__VA_ARGS__})
#define SHAPE(...) ((const Extent[]){__VA_ARGS__})

/* tensor[at] where at lies inside on axis `axis`; `outside` elsewhere. */
static const Scalar *guarded(Bench *b, const Node *tensor, int axis, const Scalar *const *at, const Scalar *outside) {
    const Scalar *inside = scalar_within(b->g->pool, at[axis], tensor->shape[axis]);
    return scalar_select(b->g->pool, inside, scalar_load(b->g->pool, tensor, at), outside);
}

static const Node *reduce(Bench *b, Reduction how, int rank, const Extent *shape, int reduced, const Extent *extents,
                          const Scalar *body) {
    return graph_expr(b->g, rank, shape, how, reduced, extents, body, (Origin){0});
}

static const Node *map(Bench *b, int rank, const Extent *shape, const Scalar *body) {
    return reduce(b, REDUCE_NONE, rank, shape, 0, NULL, body);
}

static const Node *map1(Bench *b, Op op, const Node *x) {
    return graph_map1(b->g, op, x, (Origin){0});
}

static const Node *square(Bench *b, const Node *x) {
    return graph_map2(b->g, OP_MUL, x, x, (Origin){0});
}

static void finish(Bench *b, const char *label, const Node *e) {
    check_gradients(b->check, label, e);
    check_free(b->check);
}

/* ---- layers ---- */

static const Node *dense(Bench *b, const Node *x, int64_t outputs) {
    Extent k = x->shape[1], n = fixed(outputs);
    const Node *w = check_leaf(b->check, 2, SHAPE(n, k), -1, 1);
    const Node *bias = check_leaf(b->check, 1, SHAPE(n), -1, 1);
    const Scalar *ib = index_at(b, 0, b->batch), *in = index_at(b, 1, n), *ik = index_at(b, 2, k);
    const Scalar *body = multiply(b, LOAD(b, w, in, ik), LOAD(b, x, ib, ik));
    const Node *t = reduce(b, REDUCE_SUM, 2, SHAPE(b->batch, n), 1, &k, body);
    return map(b, 2, SHAPE(b->batch, n), add(b, LOAD(b, t, ib, in), LOAD(b, bias, in)));
}

static void dense_tanh_dense(void **state) {
    (void)state;
    Bench b = bench_new();
    const Node *x = check_leaf(b.check, 2, SHAPE(b.batch, fixed(4)), -1, 1);
    finish(&b, "dense", square(&b, dense(&b, map1(&b, OP_TANH, dense(&b, x, 5)), 2)));
}

typedef struct Convolution {
    int64_t size, kernel, stride, pad, dilation;
} Convolution;

static void convolution_of(Convolution v) {
    Bench b = bench_new();
    const Extent size = fixed(v.size), kernel = fixed(v.kernel), in = fixed(2), out = fixed(3);
    const Extent o = fixed((v.size + 2 * v.pad - v.dilation * (v.kernel - 1) - 1) / v.stride + 1);
    const Node *x = check_leaf(b.check, 3, SHAPE(b.batch, in, size), -1, 1);
    const Node *w = check_leaf(b.check, 3, SHAPE(out, in, kernel), -1, 1);
    const Scalar *i = index_at(&b, 2, o), *c = index_at(&b, 3, in), *u = index_at(&b, 4, kernel);
    const Scalar *h = add(&b, multiply(&b, number(&b, v.stride), i), multiply(&b, number(&b, v.dilation), u));
    h = subtract(&b, h, number(&b, v.pad));
    const Scalar *read = guarded(&b, x, 2, (const Scalar *[]){index_at(&b, 0, b.batch), c, h}, real(&b, 0));
    const Scalar *body = multiply(&b, LOAD(&b, w, index_at(&b, 1, out), c, u), read);
    const Node *y = reduce(&b, REDUCE_SUM, 3, SHAPE(b.batch, out, o), 2, SHAPE(in, kernel), body);
    finish(&b, "convolution", square(&b, map1(&b, OP_TANH, y)));
}

static void convolutions(void **state) {
    (void)state;
    static const Convolution variants[] = {
        {5, 3, 1, 0, 1}, {5, 3, 1, 1, 1}, {6, 3, 2, 1, 1}, {7, 2, 2, 0, 1}, {7, 2, 3, 0, 1},
        {7, 3, 1, 2, 2}, {8, 3, 2, 2, 2}, {8, 3, 2, 1, 3}, {5, 1, 1, 0, 1}, {6, 5, 2, 2, 1},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        convolution_of(variants[i]);
}

/* y[g, m, i] = sum(c, u) w[2 * g + m, c, u] * x[2 * g + c, i + u], then t[o] = y[o div 2, o mod 2]. */
static void grouped_convolution(void **state) {
    (void)state;
    Bench b = bench_new();
    const Extent two = fixed(2), four = fixed(4), size = fixed(5), o = fixed(3), kernel = fixed(3);
    const Node *x = check_leaf(b.check, 2, SHAPE(four, size), -1, 1);
    const Node *w = check_leaf(b.check, 3, SHAPE(four, two, kernel), -1, 1);
    const Scalar *g = multiply(&b, number(&b, 2), index_at(&b, 0, two)), *m = index_at(&b, 1, two);
    const Scalar *c = index_at(&b, 3, two), *u = index_at(&b, 4, kernel);
    const Scalar *read = LOAD(&b, x, add(&b, g, c), add(&b, index_at(&b, 2, o), u));
    const Scalar *body = multiply(&b, LOAD(&b, w, add(&b, g, m), c, u), read);
    const Node *y = reduce(&b, REDUCE_SUM, 3, SHAPE(two, two, o), 2, SHAPE(two, kernel), body);
    const Scalar *channel = index_at(&b, 0, four);
    const Scalar *outer = op2(&b, OP_FLOORDIV, channel, number(&b, 2));
    const Scalar *inner = op2(&b, OP_MOD, channel, number(&b, 2));
    const Node *t = map(&b, 2, SHAPE(four, o), LOAD(&b, y, outer, inner, index_at(&b, 1, o)));
    finish(&b, "groups", square(&b, t));
}

static void pool_of(Reduction how, int64_t kernel_size, int64_t stride, int64_t pad) {
    Bench b = bench_new();
    const Extent size = fixed(6), kernel = fixed(kernel_size), o = fixed((6 + 2 * pad - kernel_size) / stride + 1);
    const Node *x = check_leaf(b.check, 3, SHAPE(b.batch, size, size), -1, 1);
    const Scalar *at[3] = {index_at(&b, 0, b.batch)};
    for (int a = 1; a < 3; a++) {
        const Scalar *start = multiply(&b, number(&b, stride), index_at(&b, a, o));
        at[a] = add(&b, start, subtract(&b, index_at(&b, a + 2, kernel), number(&b, pad)));
    }
    const Scalar *outside = real(&b, how == REDUCE_MAX ? -1e30 : how == REDUCE_MIN ? 1e30 : 0);
    const Scalar *inside =
        op2(&b, OP_AND, scalar_within(b.g->pool, at[1], size), scalar_within(b.g->pool, at[2], size));
    const Scalar *body = scalar_select(b.g->pool, inside, scalar_load(b.g->pool, x, at), outside);
    const Node *y = reduce(&b, how, 3, SHAPE(b.batch, o, o), 2, SHAPE(kernel, kernel), body);
    finish(&b, "pool", square(&b, y));
}

static void pools(void **state) {
    (void)state;
    pool_of(REDUCE_MAX, 2, 2, 0);
    pool_of(REDUCE_MAX, 3, 2, 1);
    pool_of(REDUCE_MIN, 3, 1, 0);
    pool_of(REDUCE_SUM, 2, 2, 0);
    pool_of(REDUCE_SUM, 3, 2, 1);
}

/* The log-softmax of rows; the maximum is subtracted and carries no derivative. */
static const Node *log_softmax(Bench *b, const Node *x) {
    const Extent classes = x->shape[1];
    const Scalar *row = index_at(b, 0, b->batch), *k = index_at(b, 1, classes);
    const Node *top = reduce(b, REDUCE_MAX, 1, &b->batch, 1, &classes, LOAD(b, x, row, k));
    const Node *m = graph_detach(b->g, top, (Origin){0});
    const Scalar *shifted = subtract(b, LOAD(b, x, row, k), LOAD(b, m, row));
    const Node *total = reduce(b, REDUCE_SUM, 1, &b->batch, 1, &classes, scalar_op1(b->g->pool, OP_EXP, shifted));
    const Scalar *log_total = scalar_op1(b->g->pool, OP_LOG, LOAD(b, total, row));
    return map(b, 2, x->shape, subtract(b, shifted, log_total));
}

static const Node *cross_entropy(Bench *b, const Node *logits, const Node *label) {
    const Extent classes = logits->shape[1];
    const Scalar *row = index_at(b, 0, b->batch), *c = index_at(b, 1, classes);
    const Node *p = log_softmax(b, logits);
    const Scalar *hit = op2(b, OP_EQ, c, LOAD(b, label, row));
    const Scalar *picked = scalar_select(b->g->pool, hit, LOAD(b, p, row, c), real(b, 0));
    const Node *t = reduce(b, REDUCE_SUM, 1, &b->batch, 1, &classes, picked);
    const Node *l = map1(b, OP_NEG, t);
    const Node *sum = reduce(b, REDUCE_SUM, 0, NULL, 1, &b->batch, LOAD(b, l, index_at(b, 0, b->batch)));
    const Scalar *n = scalar_to_real(b->g->pool, scalar_extent(b->g->pool, b->batch));
    return map(b, 0, NULL, op2(b, OP_DIV, node_load_identity(b->g, sum), n));
}

static void softmax_and_cross_entropy(void **state) {
    (void)state;
    Bench b = bench_new();
    const Node *x = check_leaf(b.check, 2, SHAPE(b.batch, fixed(4)), -1, 1);
    const Node *label = check_classes(b.check, 1, SHAPE(b.batch), 4);
    finish(&b, "cross entropy", cross_entropy(&b, x, label));

    b = bench_new();
    x = check_leaf(b.check, 2, SHAPE(b.batch, fixed(4)), -1, 1);
    finish(&b, "softmax", square(&b, map1(&b, OP_EXP, log_softmax(&b, x))));
}

/* (x - mean) / sqrt(variance + eps) over rows */
static void layer_norm(void **state) {
    (void)state;
    Bench b = bench_new();
    const Extent width = fixed(5);
    const Node *x = check_leaf(b.check, 2, SHAPE(b.batch, width), -1, 1);
    const Scalar *row = index_at(&b, 0, b.batch), *k = index_at(&b, 1, width), *five = real(&b, 5);
    const Node *total = reduce(&b, REDUCE_SUM, 1, &b.batch, 1, &width, LOAD(&b, x, row, k));
    const Node *mean = map(&b, 1, &b.batch, op2(&b, OP_DIV, LOAD(&b, total, row), five));
    const Scalar *centred = subtract(&b, LOAD(&b, x, row, k), LOAD(&b, mean, row));
    const Node *squares = reduce(&b, REDUCE_SUM, 1, &b.batch, 1, &width, multiply(&b, centred, centred));
    const Scalar *variance = add(&b, op2(&b, OP_DIV, LOAD(&b, squares, row), five), real(&b, 0.1));
    const Scalar *y = op2(&b, OP_DIV, centred, scalar_op1(b.g->pool, OP_SQRT, variance));
    finish(&b, "layer norm", square(&b, map(&b, 2, x->shape, multiply(&b, y, y))));
}

/* ---- movements ---- */

static void concatenation_and_slice(void **state) {
    (void)state;
    Bench b = bench_new();
    const Node *x = check_leaf(b.check, 2, SHAPE(b.batch, fixed(3)), -1, 1);
    const Node *y = check_leaf(b.check, 2, SHAPE(b.batch, fixed(4)), -1, 1);
    const Extent seven = fixed(7), five = fixed(5);
    const Scalar *row = index_at(&b, 0, b.batch), *j = index_at(&b, 1, seven);
    const Scalar *left = op2(&b, OP_LT, j, number(&b, 3));
    const Scalar *second = LOAD(&b, y, row, subtract(&b, j, number(&b, 3)));
    const Node *both = map(&b, 2, SHAPE(b.batch, seven), scalar_select(b.g->pool, left, LOAD(&b, x, row, j), second));
    const Scalar *shifted = add(&b, index_at(&b, 1, five), number(&b, 1));
    const Node *slice = map(&b, 2, SHAPE(b.batch, five), LOAD(&b, both, row, shifted));
    finish(&b, "concat", square(&b, map1(&b, OP_TANH, slice)));
}

static void reshape_and_transpose(void **state) {
    (void)state;
    Bench b = bench_new();
    const Extent flat = fixed(12), six = fixed(6), two = fixed(2);
    const Node *x = check_leaf(b.check, 3, SHAPE(b.batch, fixed(3), fixed(4)), -1, 1);
    const Scalar *row = index_at(&b, 0, b.batch), *k = index_at(&b, 1, flat), *four = number(&b, 4);
    const Node *y =
        map(&b, 2, SHAPE(b.batch, flat), LOAD(&b, x, row, op2(&b, OP_FLOORDIV, k, four), op2(&b, OP_MOD, k, four)));
    const Scalar *p = index_at(&b, 0, six), *q = index_at(&b, 1, two);
    const Scalar *position = add(&b, multiply(&b, number(&b, 2), p), q);
    const Node *z = map(&b, 3, SHAPE(six, two, b.batch), LOAD(&b, y, index_at(&b, 2, b.batch), position));
    finish(&b, "reshape", square(&b, map1(&b, OP_SIN, z)));
}

/* The sample axis itself is flattened: real[batch, 3] as real[3 * batch]. */
static void reshape_of_the_sample_axis(void **state) {
    (void)state;
    Bench b = bench_new();
    const Extent all = {.size = 3 * b.batch.size, .per_sample = 3};
    const Node *x = check_leaf(b.check, 2, SHAPE(b.batch, fixed(3)), -1, 1);
    const Scalar *i = index_at(&b, 0, all), *three = number(&b, 3);
    const Node *y = map(&b, 1, &all, LOAD(&b, x, op2(&b, OP_FLOORDIV, i, three), op2(&b, OP_MOD, i, three)));
    /* neighbours across samples: y[i] * y[i - 1] */
    const Scalar *before = subtract(&b, i, number(&b, 1));
    const Scalar *left = guarded(&b, y, 0, &before, real(&b, 0));
    const Node *z = map(&b, 1, &all, multiply(&b, scalar_op1(b.g->pool, OP_SIN, LOAD(&b, y, i)), left));
    finish(&b, "samples", z);
}

static void gather_by_data(void **state) {
    (void)state;
    Bench b = bench_new();
    const Extent words = fixed(5), width = fixed(2);
    const Node *table = check_leaf(b.check, 2, SHAPE(words, width), -1, 1);
    const Node *token = check_classes(b.check, 1, SHAPE(b.batch), 5);
    const Scalar *row = index_at(&b, 0, b.batch), *d = index_at(&b, 1, width);
    const Node *e = map(&b, 2, SHAPE(b.batch, width), LOAD(&b, table, LOAD(&b, token, row), d));
    finish(&b, "gather", square(&b, map1(&b, OP_TANH, e)));
}

static void upsampling_and_diagonal(void **state) {
    (void)state;
    Bench b = bench_new();
    const Extent three = fixed(3), six = fixed(6);
    const Node *x = check_leaf(b.check, 2, SHAPE(three, three), -1, 1);
    const Scalar *two = number(&b, 2), *i = index_at(&b, 0, six);
    const Scalar *half = op2(&b, OP_FLOORDIV, i, two);
    const Node *up = map(&b, 1, &six, multiply(&b, LOAD(&b, x, half, half), LOAD(&b, x, half, number(&b, 1))));
    finish(&b, "diagonal", square(&b, up));
}

/* ---- reductions ---- */

static void extremes_of_several_axes(void **state) {
    (void)state;
    for (int how = REDUCE_MAX; how <= REDUCE_MIN; how++) {
        Bench b = bench_new();
        const Extent width = fixed(3), four = fixed(4);
        const Node *x = check_leaf(b.check, 3, SHAPE(four, b.batch, width), -1, 1);
        const Scalar *at[] = {index_at(&b, 0, four), index_at(&b, 1, b.batch), index_at(&b, 2, width)};
        const Scalar *body = scalar_op1(b.g->pool, OP_SIN, scalar_load(b.g->pool, x, at));
        const Node *y = reduce(&b, (Reduction)how, 1, &four, 2, SHAPE(b.batch, width), body);
        finish(&b, "extreme", square(&b, y));
    }
}

static void products(void **state) {
    (void)state;
    Bench b = bench_new();
    const Extent width = fixed(3);
    const Node *x = check_leaf(b.check, 2, SHAPE(b.batch, width), 0.5, 2);
    const Scalar *row = index_at(&b, 0, b.batch), *k = index_at(&b, 1, width);
    const Node *y = reduce(&b, REDUCE_PROD, 1, &b.batch, 1, &width, LOAD(&b, x, row, k));
    finish(&b, "product", map1(&b, OP_SIN, y));

    b = bench_new();
    x = check_leaf(b.check, 2, SHAPE(b.batch, width), 0.5, 2);
    row = index_at(&b, 0, b.batch), k = index_at(&b, 1, width);
    const Scalar *zero_first =
        multiply(&b, LOAD(&b, x, row, k), subtract(&b, LOAD(&b, x, row, k), LOAD(&b, x, number(&b, 0), number(&b, 0))));
    y = reduce(&b, REDUCE_PROD, 0, NULL, 2, SHAPE(b.batch, width), zero_first);
    finish(&b, "product with a zero", y);
}

/* Independent factors, absent variables, a point in a sum: what simplification takes apart. */
static void sums_that_fall_apart(void **state) {
    (void)state;
    Bench b = bench_new();
    const Extent three = fixed(3), four = fixed(4);
    const Node *x = check_leaf(b.check, 1, &three, -1, 1), *y = check_leaf(b.check, 1, &four, -1, 1);
    const Node *label = check_classes(b.check, 1, SHAPE(b.batch), 4);
    const Scalar *row = index_at(&b, 0, b.batch), *k = index_at(&b, 1, three), *l = index_at(&b, 2, four);
    const Scalar *hit = op2(&b, OP_EQ, l, LOAD(&b, label, row));
    const Scalar *point = scalar_select(b.g->pool, hit, LOAD(&b, y, l), real(&b, 0));
    const Scalar *apart = multiply(&b, LOAD(&b, x, k), multiply(&b, LOAD(&b, y, l), LOAD(&b, y, l)));
    const Scalar *body = add(&b, add(&b, point, apart), real(&b, 0.5));
    const Node *z = reduce(&b, REDUCE_SUM, 1, &b.batch, 2, SHAPE(three, four), body);
    finish(&b, "sums", square(&b, z));
}

/* scores[b, q, k] = sum(d) q * k; softmax over k; times v: attention without its weights. */
static void attention(void **state) {
    (void)state;
    Bench b = bench_new();
    const Extent t = fixed(3), d = fixed(2);
    const Node *q = check_leaf(b.check, 2, SHAPE(t, d), -1, 1), *k = check_leaf(b.check, 2, SHAPE(t, d), -1, 1);
    const Node *v = check_leaf(b.check, 2, SHAPE(t, d), -1, 1);
    const Scalar *i = index_at(&b, 0, t), *j = index_at(&b, 1, t), *m = index_at(&b, 2, d);
    const Scalar *product = multiply(&b, LOAD(&b, q, i, m), LOAD(&b, k, j, m));
    const Node *scores = reduce(&b, REDUCE_SUM, 2, SHAPE(t, t), 1, &d, product);
    const Scalar *causal = op2(&b, OP_LE, j, i);
    const Scalar *e =
        scalar_select(b.g->pool, causal, scalar_op1(b.g->pool, OP_EXP, LOAD(&b, scores, i, j)), real(&b, 0));
    const Node *weights = map(&b, 2, SHAPE(t, t), e);
    const Node *total = reduce(&b, REDUCE_SUM, 1, &t, 1, &t, LOAD(&b, weights, i, j));
    const Scalar *p = op2(&b, OP_DIV, LOAD(&b, weights, i, index_at(&b, 2, t)), LOAD(&b, total, i));
    const Scalar *body = multiply(&b, p, LOAD(&b, v, index_at(&b, 2, t), index_at(&b, 1, d)));
    finish(&b, "attention", square(&b, reduce(&b, REDUCE_SUM, 2, SHAPE(t, d), 1, &t, body)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_tanh_dense),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(grouped_convolution),
        cmocka_unit_test(pools),
        cmocka_unit_test(softmax_and_cross_entropy),
        cmocka_unit_test(layer_norm),
        cmocka_unit_test(concatenation_and_slice),
        cmocka_unit_test(reshape_and_transpose),
        cmocka_unit_test(reshape_of_the_sample_axis),
        cmocka_unit_test(gather_by_data),
        cmocka_unit_test(upsampling_and_diagonal),
        cmocka_unit_test(extremes_of_several_axes),
        cmocka_unit_test(products),
        cmocka_unit_test(sums_that_fall_apart),
        cmocka_unit_test(attention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
