/* index_solve against brute force: for every element j of X, the solutions are exactly the values of the variables that reach j, each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "diff/index_solve.h"

enum { MOST_VARIABLES = 6, MOST_SLOTS = 40 };

/* ---- a small interpreter of integer scalars ---- */

typedef struct Values {
    int64_t slot[MOST_SLOTS];
    int64_t n;
} Values;

static int64_t floor_div(int64_t a, int64_t b) {
    int64_t q = a / b;
    return q * b > a ? q - 1 : q;
}

static int64_t eval(const Scalar *s, const Values *v);

static int64_t eval_op(const Scalar *s, const Values *v) {
    int64_t a = eval(s->op.arg[0], v);
    if (s->op.op == OP_WITHIN) {
        int64_t size = s->op.extent.per_sample ? s->op.extent.per_sample * v->n : s->op.extent.size;
        return a >= 0 && a < size;
    }
    if (s->op.op == OP_SELECT)
        return eval(s->op.arg[a ? 1 : 2], v);
    if (s->op.op == OP_AND)
        return a && eval(s->op.arg[1], v);
    if (s->op.op == OP_NOT)
        return !a;
    if (s->op.op == OP_NEG)
        return -a;
    int64_t b = eval(s->op.arg[1], v);
    switch (s->op.op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_FLOORDIV: return floor_div(a, b);
    case OP_MOD: return a - b * floor_div(a, b);
    case OP_MIN: return a < b ? a : b;
    case OP_MAX: return a > b ? a : b;
    case OP_EQ: return a == b;
    case OP_NE: return a != b;
    case OP_LT: return a < b;
    case OP_LE: return a <= b;
    case OP_GT: return a > b;
    case OP_GE: return a >= b;
    case OP_OR: return a || b;
    default: fail_msg("operation %s in an index", op_info(s->op.op)->name); return 0;
    }
}

/* Data in an index: the load t[i] has the value (7 * i + 3) mod 5. */
static int64_t eval(const Scalar *s, const Values *v) {
    switch (s->kind) {
    case SCALAR_INT:
    case SCALAR_BOOL: return s->integer;
    case SCALAR_INDEX: return v->slot[s->index.slot];
    case SCALAR_RUNTIME: return v->n;
    case SCALAR_LOAD: return (7 * eval(s->load.at[0], v) + 3) % 5;
    case SCALAR_OP: return eval_op(s, v);
    case SCALAR_REAL: break;
    }
    fail_msg("a real in an index");
    return 0;
}

/* ---- the comparison ---- */

static int64_t actual(Extent extent, int64_t n) {
    return extent.per_sample ? extent.per_sample * n : extent.size;
}

/* The next tuple below the actual extents, the last one fastest; false at the end. */
static bool next_tuple(int count, const Extent *extents, int64_t n, int64_t *tuple) {
    for (int i = count - 1; i >= 0; i--) {
        if (++tuple[i] < actual(extents[i], n))
            return true;
        tuple[i] = 0;
    }
    return false;
}

typedef struct Pairs { /* counts[position of v][position of j] */
    int64_t v_count, j_count;
    unsigned char *counts;
} Pairs;

static int64_t elements(int count, const Extent *extents, int64_t n) {
    int64_t product = 1;
    for (int i = 0; i < count; i++)
        product *= actual(extents[i], n);
    return product;
}

static int64_t position(int count, const Extent *extents, int64_t n, const int64_t *tuple) {
    int64_t at = 0;
    for (int i = 0; i < count; i++) {
        int64_t size = actual(extents[i], n);
        if (tuple[i] < 0 || tuple[i] >= size)
            return -1;
        at = at * size + tuple[i];
    }
    return at;
}

static Pairs pairs_new(Arena *arena, const IndexAccess *access, int64_t n) {
    Pairs pairs = {.v_count = elements(access->variables, access->extents, n),
                   .j_count = elements(access->axes, access->shape, n)};
    pairs.counts = arena_array(arena, unsigned char, (size_t)(pairs.v_count * pairs.j_count));
    return pairs;
}

static Pairs by_brute_force(Arena *arena, const IndexAccess *access, int64_t n) {
    Pairs pairs = pairs_new(arena, access, n);
    Values v = {.n = n};
    do {
        int64_t j[MAX_AXES] = {0};
        for (int a = 0; a < access->axes; a++)
            j[a] = eval(access->at[a], &v);
        int64_t at = position(access->axes, access->shape, n, j);
        if (at >= 0)
            pairs.counts[position(access->variables, access->extents, n, v.slot) * pairs.j_count + at]++;
    } while (next_tuple(access->variables, access->extents, n, v.slot));
    return pairs;
}

static Pairs by_solution(Arena *arena, const IndexAccess *access, const IndexSolution *solution, int64_t n) {
    Pairs pairs = pairs_new(arena, access, n);
    Extent extents[MOST_SLOTS];
    memcpy(extents, access->shape, (size_t)access->axes * sizeof *extents);
    memcpy(extents + access->axes, solution->extents, (size_t)solution->remaining * sizeof *extents);
    Values v = {.n = n};
    do {
        if (!eval(solution->inside, &v) || !eval(solution->deltas, &v))
            continue;
        int64_t values[MAX_AXES];
        for (int i = 0; i < access->variables; i++)
            values[i] = eval(solution->value[i], &v);
        int64_t at = position(access->variables, access->extents, n, values);
        assert_true(at >= 0);
        pairs.counts[at * pairs.j_count + position(access->axes, access->shape, n, v.slot)]++;
    } while (next_tuple(access->axes + solution->remaining, extents, n, v.slot));
    return pairs;
}

static void print_access(Arena *arena, const IndexAccess *access) {
    for (int a = 0; a < access->axes; a++) {
        Text *text = text_new(arena);
        scalar_print(access->at[a], NULL, text);
        fprintf(stderr, "axis %d of %lld: %s\n", a, (long long)access->shape[a].size, text_get(text));
    }
}

static void check_for(Arena *arena, const IndexAccess *access, const IndexSolution *solution, int64_t n) {
    Pairs expected = by_brute_force(arena, access, n);
    Pairs found = by_solution(arena, access, solution, n);
    if (memcmp(expected.counts, found.counts, (size_t)(expected.v_count * expected.j_count)) != 0) {
        print_access(arena, access);
        fail_msg("the solution differs from brute force for n = %lld", (long long)n);
    }
}

static IndexSolution solve_and_check(Arena *arena, ScalarPool *pool, const IndexAccess *access, int64_t batch) {
    IndexSolution solution = index_solve(pool, access);
    for (int64_t n = 1; n <= batch; n++)
        check_for(arena, access, &solution, n);
    return solution;
}

/* ---- building accesses ---- */

typedef struct Bench {
    Arena *arena;
    ScalarPool *pool;
    IndexAccess access;
} Bench;

static Bench bench_new(void) {
    Arena *arena = arena_new((ArenaFailure){0});
    return (Bench){.arena = arena, .pool = scalar_pool_new(arena)};
}

static const Scalar *variable(Bench *b, Extent extent) {
    int slot = b->access.variables++;
    b->access.extents[slot] = extent;
    return scalar_index(b->pool, slot, extent);
}

static const Scalar *fixed(Bench *b, int64_t size) {
    return variable(b, (Extent){.size = size});
}

static void axis(Bench *b, int64_t size, const Scalar *at) {
    b->access.shape[b->access.axes] = (Extent){.size = size};
    b->access.at[b->access.axes++] = at;
}

static const Scalar *plus(Bench *b, const Scalar *a, const Scalar *c) {
    return scalar_op2(b->pool, OP_ADD, a, c);
}

static const Scalar *times(Bench *b, int64_t factor, const Scalar *a) {
    return scalar_op2(b->pool, OP_MUL, scalar_int(b->pool, factor), a);
}

static const Scalar *number(Bench *b, int64_t value) {
    return scalar_int(b->pool, value);
}

static const Scalar *div_by(Bench *b, const Scalar *a, int64_t d) {
    return scalar_op2(b->pool, OP_FLOORDIV, a, number(b, d));
}

static const Scalar *mod_by(Bench *b, const Scalar *a, int64_t d) {
    return scalar_op2(b->pool, OP_MOD, a, number(b, d));
}

/* Solves, compares, and checks how many iterations the remaining loops have. */
static void expect(Bench *b, int64_t batch, int64_t remaining_iterations, bool without_deltas) {
    IndexSolution solution = solve_and_check(b->arena, b->pool, &b->access, batch);
    assert_int_equal(elements(solution.remaining, solution.extents, batch), remaining_iterations);
    assert_int_equal(solution.deltas == scalar_bool(b->pool, true), without_deltas);
    arena_free(b->arena);
}

/* ---- the cases that networks are made of ---- */

static void matrix_product(void **state) {
    (void)state;
    Bench b = bench_new();
    const Scalar *row = variable(&b, (Extent){.size = 4, .per_sample = 1});
    fixed(&b, 5);
    const Scalar *k = fixed(&b, 3);
    axis(&b, 4, row);
    b.access.shape[0].per_sample = 1;
    axis(&b, 3, k);
    expect(&b, 4, 5, true);
}

static void convolution_keeps_the_kernel(void **state) {
    (void)state;
    Bench b = bench_new();
    const Scalar *o = fixed(&b, 12), *u = fixed(&b, 5);
    axis(&b, 12, plus(&b, plus(&b, o, u), number(&b, -2)));
    expect(&b, 1, 5, true);
}

/* Every size, kernel, stride, padding and dilation of a small range; no iteration of
 * the loop is idle but those of the edge. */
static void strided_convolutions(void **state) {
    (void)state;
    for (int64_t code = 0; code < 3 * 4 * 3 * 3 * 3; code++) {
        int64_t stride = 1 + code % 3, kernel = 1 + code / 3 % 4, pad = code / 12 % 3, dilation = 1 + code / 36 % 3;
        int64_t size = 7 + code / 108;
        int64_t reach = size + 2 * pad - dilation * (kernel - 1) - 1;
        if (reach < 0)
            continue;
        int64_t outputs = reach / stride + 1;
        Bench b = bench_new();
        const Scalar *o = fixed(&b, outputs), *u = fixed(&b, kernel);
        axis(&b, size, plus(&b, plus(&b, times(&b, stride, o), times(&b, dilation, u)), number(&b, -pad)));
        IndexSolution solution = solve_and_check(b.arena, b.pool, &b.access, 1);
        int64_t iterations = elements(solution.remaining, solution.extents, 1);
        assert_true(iterations <= kernel);
        if (stride == 1 || dilation % stride != 0) /* here stride and dilation have no common divisor */
            assert_true(iterations <= (kernel + stride - 1) / stride);
        assert_ptr_equal(solution.deltas, scalar_bool(b.pool, true));
        arena_free(b.arena);
    }
}

static void pooling_without_overlap_has_no_loop(void **state) {
    (void)state;
    Bench b = bench_new();
    const Scalar *i = fixed(&b, 6), *u = fixed(&b, 2);
    axis(&b, 13, plus(&b, times(&b, 2, i), u));
    expect(&b, 1, 1, true);
}

static void flatten_and_back(void **state) {
    (void)state;
    Bench b = bench_new();
    const Scalar *c = fixed(&b, 3), *i = fixed(&b, 4), *j = fixed(&b, 5);
    axis(&b, 60, plus(&b, plus(&b, times(&b, 20, c), times(&b, 5, i)), j));
    expect(&b, 1, 1, true);

    b = bench_new();
    const Scalar *k = fixed(&b, 60);
    axis(&b, 3, div_by(&b, k, 20));
    axis(&b, 4, mod_by(&b, div_by(&b, k, 5), 4));
    axis(&b, 5, mod_by(&b, k, 5));
    expect(&b, 1, 1, true);
}

static void flatten_of_a_dynamic_axis(void **state) {
    (void)state;
    Bench b = bench_new();
    const Scalar *row = variable(&b, (Extent){.size = 5, .per_sample = 1}), *t = fixed(&b, 3);
    axis(&b, 15, plus(&b, times(&b, 3, row), t));
    b.access.shape[0].per_sample = 3;
    expect(&b, 5, 1, true);

    b = bench_new();
    const Scalar *flat = variable(&b, (Extent){.size = 15, .per_sample = 3});
    axis(&b, 5, div_by(&b, flat, 3));
    b.access.shape[0].per_sample = 1;
    axis(&b, 3, mod_by(&b, flat, 3));
    expect(&b, 5, 1, true);
}

static void upsampling_reads_each_output_once(void **state) {
    (void)state;
    Bench b = bench_new();
    axis(&b, 6, div_by(&b, fixed(&b, 12), 2));
    expect(&b, 1, 2, true);
}

static void reversal_slice_and_diagonal(void **state) {
    (void)state;
    Bench b = bench_new();
    axis(&b, 7, plus(&b, number(&b, 6), times(&b, -1, fixed(&b, 7))));
    expect(&b, 1, 1, true);

    b = bench_new();
    axis(&b, 20, plus(&b, number(&b, 3), times(&b, 4, fixed(&b, 4))));
    expect(&b, 1, 1, true);

    b = bench_new();
    const Scalar *i = fixed(&b, 5);
    axis(&b, 5, i);
    axis(&b, 5, i);
    expect(&b, 1, 1, false);
}

/* Two axes with one remaining variable: x[i + k, i]. The second equation is certain and must go first. */
static void entangled_axes(void **state) {
    (void)state;
    Bench b = bench_new();
    const Scalar *i = fixed(&b, 5), *k = fixed(&b, 3);
    axis(&b, 7, plus(&b, i, k));
    axis(&b, 5, i);
    expect(&b, 1, 1, true);
}

static void data_dependent_index_stays_a_delta(void **state) {
    (void)state;
    Bench b = bench_new();
    Graph *g = graph_new(b.arena, "test");
    b.pool = g->pool;
    Extent tokens = {.size = 6};
    const Node *t = graph_input(g, TYPE_INT, 1, &tokens, false, 5, (Origin){0});
    const Scalar *row = fixed(&b, 6), *d = fixed(&b, 2);
    axis(&b, 5, scalar_load(b.pool, t, &row));
    axis(&b, 2, d);
    expect(&b, 1, 6, false);
}

/* More variables than a node has room for beside j are folded into one. */
static void too_many_variables_are_folded(void **state) {
    (void)state;
    Bench b = bench_new();
    Graph *g = graph_new(b.arena, "test");
    b.pool = g->pool;
    Extent tokens = {.size = 100};
    const Node *t = graph_input(g, TYPE_INT, 1, &tokens, false, 5, (Origin){0});
    const Scalar *sum = number(&b, 0);
    for (int i = 0; i < 8; i++)
        sum = plus(&b, sum, fixed(&b, 2));
    for (int a = 0; a < 9; a++) {
        const Scalar *at = plus(&b, sum, number(&b, a));
        axis(&b, a < 2 ? 5 : 1, a < 2 ? scalar_load(b.pool, t, &at) : number(&b, 0));
    }
    IndexSolution solution = solve_and_check(b.arena, b.pool, &b.access, 1);
    assert_true(b.access.axes + solution.remaining <= MAX_AXES);
    arena_free(b.arena);
}

/* ---- random accesses ---- */

typedef struct Random {
    uint64_t state;
} Random;

static int64_t below(Random *r, int64_t limit) {
    r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((r->state >> 33) % (uint64_t)limit);
}

static const Scalar *random_variable(Bench *b, Random *r) {
    int slot = (int)below(r, b->access.variables);
    return scalar_index(b->pool, slot, b->access.extents[slot]);
}

static const Scalar *random_sum(Bench *b, Random *r) {
    const Scalar *sum = number(b, below(r, 5) - 2);
    for (int64_t terms = 1 + below(r, 3); terms > 0; terms--)
        sum = plus(b, sum, times(b, below(r, 8) - 3, random_variable(b, r)));
    return sum;
}

static const Scalar *random_index(Bench *b, Random *r) {
    switch (below(r, 6)) {
    case 0: return div_by(b, random_variable(b, r), 2 + below(r, 3));
    case 1: return mod_by(b, random_variable(b, r), 2 + below(r, 3));
    case 2: return mod_by(b, div_by(b, random_variable(b, r), 2), 2 + below(r, 2));
    case 3: return div_by(b, random_sum(b, r), 2 + below(r, 3));
    case 4: return plus(b, random_sum(b, r), mod_by(b, random_variable(b, r), 2 + below(r, 3)));
    default: return random_sum(b, r);
    }
}

static void random_accesses(void **state) {
    (void)state;
    Random r = {.state = 1};
    for (int round = 0; round < 3000; round++) {
        Bench b = bench_new();
        bool dynamic = below(&r, 3) == 0;
        int64_t batch = dynamic ? 3 : 1;
        for (int64_t count = 1 + below(&r, 4); count > 0; count--) {
            int64_t per_sample = dynamic && b.access.variables == 0 ? 1 + below(&r, 3) : 0;
            variable(&b,
                     (Extent){.size = per_sample ? per_sample * batch : 1 + below(&r, 6), .per_sample = per_sample});
        }
        for (int64_t count = 1 + below(&r, 3); count > 0; count--)
            axis(&b, 1 + below(&r, 7), random_index(&b, &r));
        solve_and_check(b.arena, b.pool, &b.access, batch);
        arena_free(b.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrix_product),
        cmocka_unit_test(convolution_keeps_the_kernel),
        cmocka_unit_test(strided_convolutions),
        cmocka_unit_test(pooling_without_overlap_has_no_loop),
        cmocka_unit_test(flatten_and_back),
        cmocka_unit_test(flatten_of_a_dynamic_axis),
        cmocka_unit_test(upsampling_reads_each_output_once),
        cmocka_unit_test(reversal_slice_and_diagonal),
        cmocka_unit_test(entangled_axes),
        cmocka_unit_test(data_dependent_index_stays_a_delta),
        cmocka_unit_test(too_many_variables_are_folded),
        cmocka_unit_test(random_accesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
