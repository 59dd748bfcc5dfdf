/* The algebra of indices, checked for every value of small index variables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "ir/affine.h"
#include "ir/graph.h"
#include "ir/prove.h"

typedef struct Setup {
    Arena *arena;
    ScalarPool *pool;
} Setup;

static int setup(void **state) {
    static Setup s;
    s.arena = arena_new((ArenaFailure){0});
    s.pool = scalar_pool_new(s.arena);
    *state = &s;
    return 0;
}

static int teardown(void **state) {
    arena_free(((Setup *)*state)->arena);
    return 0;
}

static const Scalar *integer(Setup *s, int64_t value) {
    return scalar_int(s->pool, value);
}

static const Scalar *variable(Setup *s, int slot, int64_t size) {
    return scalar_index(s->pool, slot, (Extent){size, 0});
}

static const Scalar *add(Setup *s, const Scalar *a, const Scalar *b) {
    return scalar_op2(s->pool, OP_ADD, a, b);
}

static const Scalar *times(Setup *s, int64_t c, const Scalar *a) {
    return scalar_op2(s->pool, OP_MUL, integer(s, c), a);
}

static const Scalar *div_by(Setup *s, const Scalar *a, int64_t k) {
    return scalar_op2(s->pool, OP_FLOORDIV, a, integer(s, k));
}

static const Scalar *mod_by(Setup *s, const Scalar *a, int64_t k) {
    return scalar_op2(s->pool, OP_MOD, a, integer(s, k));
}

static void assert_text(Setup *s, const Scalar *scalar, const char *expected) {
    Text *text = text_new(s->arena);
    scalar_print(scalar, NULL, text);
    assert_string_equal(text_get(text), expected);
}

/* ---- evaluation ---- */

static int64_t floor_div(int64_t a, int64_t b) {
    int64_t q = a / b;
    return q * b > a ? q - 1 : q;
}

static int64_t eval(const Scalar *s, const int64_t *index) {
    if (s->kind == SCALAR_INT || s->kind == SCALAR_BOOL)
        return s->integer;
    if (s->kind == SCALAR_INDEX)
        return index[s->index.slot];
    assert_int_equal(s->kind, SCALAR_OP);
    int64_t a = eval(s->op.arg[0], index), b = s->op.arg[1] ? eval(s->op.arg[1], index) : 0;
    switch (s->op.op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_NEG: return -a;
    case OP_MUL: return a * b;
    case OP_FLOORDIV: return floor_div(a, b);
    case OP_MOD: return a - b * floor_div(a, b);
    case OP_LT: return a < b;
    case OP_LE: return a <= b;
    case OP_GT: return a > b;
    case OP_GE: return a >= b;
    case OP_EQ: return a == b;
    case OP_NE: return a != b;
    case OP_WITHIN: return a >= 0 && a < s->op.extent.size;
    default: fail(); return 0;
    }
}

/* ---- quotients and remainders ---- */

enum { SIZE_I = 7, SIZE_J = 6 };

typedef struct Form {
    int64_t a, b, c; /* a*i + b*j + c */
    int64_t k, m;    /* divisors */
} Form;

static int64_t form_value(const Form *f, int64_t i, int64_t j) {
    return f->a * i + f->b * j + f->c;
}

static int64_t floor_mod(int64_t a, int64_t b) {
    return a - b * floor_div(a, b);
}

static void check_form(Setup *s, const Form *f) {
    const Scalar *i = variable(s, 0, SIZE_I), *j = variable(s, 1, SIZE_J);
    const Scalar *x = add(s, add(s, times(s, f->a, i), times(s, f->b, j)), integer(s, f->c));
    const Scalar *quotient = div_by(s, x, f->k), *rest = mod_by(s, x, f->k);
    const Scalar *results[] = {
        quotient,
        rest,
        div_by(s, quotient, f->m),
        mod_by(s, quotient, f->m),
        div_by(s, rest, f->m),
        mod_by(s, rest, f->m),
        div_by(s, add(s, quotient, j), f->m),
        mod_by(s, add(s, times(s, f->m, rest), j), f->m * f->k),
        scalar_within(s->pool, quotient, (Extent){f->m, 0}),
        scalar_op2(s->pool, OP_LT, times(s, f->m, i), x),
        scalar_op2(s->pool, OP_EQ, x, times(s, f->k, j)),
    };
    assert_ptr_equal(add(s, times(s, f->k, quotient), rest), x);
    for (int64_t at_i = 0; at_i < SIZE_I; at_i++) {
        for (int64_t at_j = 0; at_j < SIZE_J; at_j++) {
            int64_t v = form_value(f, at_i, at_j);
            int64_t q = floor_div(v, f->k), r = floor_mod(v, f->k);
            const int64_t expected[] = {
                q,
                r,
                floor_div(q, f->m),
                floor_mod(q, f->m),
                floor_div(r, f->m),
                floor_mod(r, f->m),
                floor_div(q + at_j, f->m),
                floor_mod(f->m * r + at_j, f->m * f->k),
                q >= 0 && q < f->m,
                f->m * at_i < v,
                v == f->k * at_j,
            };
            for (size_t n = 0; n < sizeof results / sizeof *results; n++) {
                assert_int_equal(eval(results[n], (int64_t[]){at_i, at_j}), expected[n]);
                if (results[n]->type == TYPE_INT) {
                    assert_true(results[n]->range.low <= expected[n]);
                    assert_true(results[n]->range.high >= expected[n]);
                }
            }
        }
    }
}

static void quotients_and_remainders(void **state) {
    static const int64_t coefficients[] = {-7, -2, -1, 0, 1, 3, 6, 12};
    static const int64_t offsets[] = {-13, -1, 0, 1, 5, 6};
    static const int64_t divisors[] = {1, 2, 3, 6, 7, 12};
    Setup *s = *state;
    for (int n = 0; n < 8 * 8 * 6 * 6 * 6; n++) {
        Form form = {coefficients[n % 8], coefficients[n / 8 % 8], offsets[n / 64 % 6], divisors[n / 726 % 6],
                     divisors[n / 4356]};
        check_form(s, &form);
    }
}

static void digits_come_together(void **state) {
    Setup *s = *state;
    const Scalar *f = variable(s, 0, 125);
    const Scalar *high = div_by(s, f, 25), *middle = mod_by(s, div_by(s, f, 5), 5);
    const Scalar *low = mod_by(s, f, 5);
    const Scalar *all = add(s, add(s, times(s, 25, high), times(s, 5, middle)), low);
    assert_ptr_equal(all, f);
    assert_text(s, add(s, times(s, 5, middle), low), "i0 mod 25");
    assert_text(s, add(s, times(s, 5, high), middle), "i0 div 5");
    assert_text(s, scalar_op2(s->pool, OP_SUB, f, times(s, 25, high)), "i0 mod 25");
}

static void digits_of_digits(void **state) {
    Setup *s = *state;
    const Scalar *f = variable(s, 0, 240);
    assert_text(s, div_by(s, div_by(s, f, 4), 5), "i0 div 20");
    assert_text(s, mod_by(s, mod_by(s, f, 20), 5), "i0 mod 5");
    assert_text(s, div_by(s, mod_by(s, f, 20), 5), "i0 div 5 mod 4");
    assert_text(s, div_by(s, f, 240), "0");
    assert_text(s, mod_by(s, f, 240), "i0");
    assert_text(s, div_by(s, mod_by(s, f, 240), 120), "i0 div 120");
}

/* A reshape [6, 20] -> [120] -> [10, 12] -> [6, 20] is the identity. */
static void reshapes_cancel(void **state) {
    Setup *s = *state;
    const Scalar *i = variable(s, 0, 6), *j = variable(s, 1, 20);
    const Scalar *flat = add(s, times(s, 20, i), j);
    const Scalar *again = add(s, times(s, 12, div_by(s, flat, 12)), mod_by(s, flat, 12));
    assert_ptr_equal(again, flat);
    assert_ptr_equal(div_by(s, again, 20), i);
    assert_ptr_equal(mod_by(s, again, 20), j);
}

static void sums_have_one_form(void **state) {
    Setup *s = *state;
    const Scalar *i = variable(s, 0, 9), *j = variable(s, 1, 9);
    const Scalar *a = scalar_op2(s->pool, OP_SUB, add(s, times(s, 2, i), j), integer(s, 1));
    const Scalar *b = add(s, add(s, add(s, integer(s, -3), j), i), add(s, i, integer(s, 2)));
    assert_ptr_equal(a, b);
    assert_text(s, a, "2 * i0 + i1 - 1");
    assert_text(s, scalar_op2(s->pool, OP_SUB, j, i), "i1 - i0");
    assert_text(s, scalar_op1(s->pool, OP_NEG, i), "-i0");
}

static void overflow_is_left_alone(void **state) {
    Setup *s = *state;
    const Scalar *i = variable(s, 0, 9);
    const Scalar *huge = times(s, INT64_MAX, i);
    const Scalar *sum = add(s, huge, huge);
    assert_int_equal(sum->range.high, INT64_MAX);
    assert_true(scalar_is_op(add(s, integer(s, INT64_MAX), integer(s, 1)), OP_ADD));
    assert_true(scalar_is_op(times(s, INT64_MIN, integer(s, -1)), OP_MUL));
}

/* ---- the dynamic axis ---- */

static void dynamic_extents(void **state) {
    Setup *s = *state;
    const Extent batch = {64, 1}, pairs = {128, 2};
    const Scalar *b = scalar_index(s->pool, 0, batch), *n = scalar_runtime(s->pool, RUNTIME_N);
    const Scalar *two = variable(s, 1, 2);
    const Scalar *reversed = scalar_op2(s->pool, OP_SUB, add(s, n, integer(s, -1)), b);
    assert_text(s, scalar_within(s->pool, b, batch), "true");
    assert_text(s, scalar_within(s->pool, reversed, batch), "true");
    assert_text(s, scalar_within(s->pool, add(s, times(s, 2, b), two), pairs), "true");
    assert_text(s, scalar_within(s->pool, b, (Extent){64, 0}), "true");
    /* Not for every n. */
    assert_text(s, scalar_within(s->pool, two, batch), "within(i1, n)");
    assert_text(s, scalar_within(s->pool, b, (Extent){63, 0}), "within(i0, 63)");
    assert_text(s, scalar_op2(s->pool, OP_LT, b, n), "true");
    assert_text(s, scalar_op2(s->pool, OP_LT, integer(s, 3), n), "n >= 4");
    assert_text(s, scalar_op2(s->pool, OP_LE, integer(s, 1), n), "true");
}

/* ---- affine forms ---- */

static void affine_forms(void **state) {
    Setup *s = *state;
    const Scalar *i = variable(s, 0, 125), *j = variable(s, 1, 5);
    const Scalar *x = add(s, add(s, times(s, 3, mod_by(s, div_by(s, i, 5), 5)), times(s, -2, j)),
                          add(s, times(s, 4, scalar_runtime(s->pool, RUNTIME_N)), integer(s, 7)));
    Affine affine;
    assert_true(affine_of(x, &affine));
    assert_int_equal(affine.count, 2);
    assert_int_equal(affine.terms[0].slot, 0);
    assert_int_equal(affine.terms[0].divisor, 5);
    assert_int_equal(affine.terms[0].modulus, 5);
    assert_int_equal(affine.terms[0].coefficient, 3);
    assert_int_equal(affine_coefficient(&affine, 1), -2);
    assert_int_equal(affine_coefficient(&affine, 0), 0);
    assert_int_equal(affine.per_n, 4);
    assert_int_equal(affine.offset, 7);
    assert_true(affine_has_digits(&affine));
    assert_ptr_equal(affine_scalar(s->pool, &affine), x);
    const Scalar *product = scalar_op2(s->pool, OP_MUL, i, j);
    assert_false(affine_of(product, &affine));
    assert_false(affine_of(div_by(s, add(s, i, j), 3), &affine));
}

/* ---- proofs ---- */

static const Scalar *both(Setup *s, const Scalar *a, const Scalar *b) {
    return scalar_op2(s->pool, OP_AND, a, b);
}

static bool proved(Setup *s, const Scalar *test, const Scalar *index, int64_t size) {
    const Facts *facts = facts_assume(s->arena, s->pool, NULL, test, true);
    return prove_within(s->pool, facts, index, (Extent){size, 0});
}

static void proofs_by_guards(void **state) {
    Setup *s = *state;
    const Scalar *i = variable(s, 0, 28), *u = variable(s, 1, 5), *always = scalar_bool(s->pool, true);
    const Scalar *padded = add(s, add(s, i, u), integer(s, -2));
    const Scalar *inside = scalar_within(s->pool, padded, (Extent){28, 0});
    assert_false(proved(s, always, padded, 28));
    assert_true(proved(s, inside, padded, 28));
    assert_true(proved(s, inside, add(s, padded, integer(s, 1)), 29));
    assert_false(proved(s, inside, padded, 27));
    /* Concatenation: the second part reads at i - 20. */
    const Scalar *second = scalar_op2(s->pool, OP_GE, i, integer(s, 20));
    assert_true(proved(s, second, add(s, i, integer(s, -20)), 8));
    assert_true(proved(s, scalar_op1(s->pool, OP_NOT, second), i, 20));
}

static void proofs_of_strides(void **state) {
    Setup *s = *state;
    /* The transposed convolution of stride 2 and padding 1: X[(j + 1 - u) div 2] where the division is exact. */
    const Scalar *j = variable(s, 0, 28), *u = variable(s, 1, 3);
    const Scalar *x = scalar_op2(s->pool, OP_SUB, add(s, j, integer(s, 1)), u);
    const Scalar *exact = scalar_op2(s->pool, OP_EQ, mod_by(s, x, 2), integer(s, 0));
    const Scalar *inside = scalar_within(s->pool, x, (Extent){28, 0});
    const Scalar *quotient = div_by(s, x, 2);
    assert_true(proved(s, both(s, exact, inside), quotient, 14));
    assert_true(proved(s, scalar_within(s->pool, quotient, (Extent){14, 0}), quotient, 14));
    assert_false(proved(s, exact, quotient, 14));
    /* Two conditions together: k <= i and i < 7. */
    const Scalar *i = variable(s, 2, 10), *k = variable(s, 3, 10);
    const Scalar *below = scalar_op2(s->pool, OP_LE, k, i);
    const Scalar *small = scalar_op2(s->pool, OP_LT, i, integer(s, 7));
    assert_true(proved(s, both(s, below, small), k, 7));
    assert_false(proved(s, both(s, below, small), k, 6));
    assert_false(proved(s, below, k, 7));
    /* k <= i and i + k < 10: twice k is at most 9. */
    const Scalar *both_small = scalar_op2(s->pool, OP_LT, add(s, i, k), integer(s, 10));
    assert_true(proved(s, both(s, below, both_small), k, 5));
    assert_false(proved(s, both(s, below, both_small), k, 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(quotients_and_remainders, setup, teardown),
        cmocka_unit_test_setup_teardown(digits_come_together, setup, teardown),
        cmocka_unit_test_setup_teardown(digits_of_digits, setup, teardown),
        cmocka_unit_test_setup_teardown(reshapes_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(sums_have_one_form, setup, teardown),
        cmocka_unit_test_setup_teardown(overflow_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(dynamic_extents, setup, teardown),
        cmocka_unit_test_setup_teardown(affine_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(proofs_by_guards, setup, teardown),
        cmocka_unit_test_setup_teardown(proofs_of_strides, setup, teardown),
    };
    return cmocka_run_group_tests_name("index_algebra", tests, NULL, NULL);
}
