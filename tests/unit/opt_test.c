/* The passes of opt on small graphs: the text before, the text after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "diff/differentiate.h"
#include "ir/graph_check.h"
#include "ir/graph_print.h"
#include "ir/graph_read.h"
#include "opt/opt.h"

typedef int Pass(Graph *g);

static const char LEAVES[] = "model m (batch <= 64)\n"
                             "input x: real[batch, 10]\n"
                             "input y: real[batch, 10]\n"
                             "input v: real[10]\n"
                             "input s: real\n"
                             "input image: real[batch, 8, 28]\n"
                             "target label: int[batch] below 10\n"
                             "param W: real[5, 10]\n"
                             "param K: real[4, 8, 5]\n";

/* A map that is dear to compute, with two readers. */
static const char TWO_READERS[] = "  %1: real[b: batch, k: 10] = tanh(x[b, k])\n"
                                  "  %2: real[b: batch, k: 10] = %1[b, k] * %1[b, k]\n"
                                  "  %3: real[b: batch] = sum(k: 10) %1[b, k]\n"
                                  "  result q = %2\n"
                                  "  result r = %3\n";

/* What the passes make of the `predict` entry with these lines. */
static const char *run_passes(Arena *arena, const char *lines, Pass *const *passes) {
    const char *message = NULL;
    const char *text = arena_printf(arena, "%spredict:\n%s", LEAVES, lines);
    Graph *g = graph_read(arena, text, &message);
    if (!g)
        fail_msg("%s", message);
    for (int i = 0; passes[i]; i++) {
        passes[i](g);
        graph_check(g, "test", true);
    }
    Text *printed = text_new(arena);
    graph_print(g, printed);
    return strstr(text_get(printed), "predict:\n") + strlen("predict:\n");
}

static void check_passes(Pass *const *passes, const char *before, const char *after) {
    Arena *arena = arena_new((ArenaFailure){0});
    assert_string_equal(run_passes(arena, before, passes), after);
    arena_free(arena);
}

static void simplifies(const char *before, const char *after) {
    check_passes((Pass *const[]){opt_simplify, NULL}, before, after);
}

static void inlines(const char *before, const char *after) {
    check_passes((Pass *const[]){opt_inline, NULL}, before, after);
}

/* ---- simplify ---- */

static void factors_leave_a_sum(void **state) {
    (void)state;
    simplifies("  %1: real[b: batch] = sum(k: 10) s * x[b, k] * v[k] / real(batch)\n"
               "  result r = %1\n",
               "  %1: real[b: batch] = sum(k: 10) x[b, k] * v[k]\n"
               "  %2: real[b: batch] = s / real(batch) * %1[b]\n"
               "  result r = %2\n");
}

static void a_guard_keeps_what_it_protects(void **state) {
    (void)state;
    simplifies("  %1: real[i: 12] = sum(k: 10) select(within(i - 1, 10), s * v[i - 1] * v[k], 0.0)\n"
               "  result r = %1\n",
               "  %1: real[i: 12] = sum(k: 10) select(within(i - 1, 10), v[i - 1] * v[k], 0.0)\n"
               "  %2: real[i: 12] = s * %1[i]\n"
               "  result r = %2\n");
}

static void a_point_is_no_sum(void **state) {
    (void)state;
    simplifies("  %1: real[b: batch] = sum(c: 10) select(c == label[b], x[b, c], 0.0)\n"
               "  result r = %1\n",
               "  %1: real[b: batch] = x[b, label[b]]\n"
               "  result r = %1\n");
    simplifies("  %1: real[i: 12] = sum(k: 10) select(k + 1 == i, v[k], 0.0)\n"
               "  result r = %1\n",
               "  %1: real[i: 12] = select(within(i - 1, 10), v[i - 1], 0.0)\n"
               "  result r = %1\n");
    /* The last row of what was put together, as the gradient of a step of a recurrence reads it. */
    simplifies("  %1: real[n: 5] = sum(k: 10) select(within(k, 9), 0.0, select(within(k - 9, 1), W[n, k], 0.0))\n"
               "  result r = %1\n",
               "  %1: real[n: 5] = W[n, 9]\n"
               "  result r = %1\n");
}

static void a_point_leaves_the_other_terms(void **state) {
    (void)state;
    simplifies("  %1: real[b: batch] = sum(c: 10) (x[b, c] - select(c == label[b], s, 0.0))\n"
               "  result r = %1\n",
               "  %1: real[b: batch] = sum(c: 10) x[b, c]\n"
               "  %2: real[b: batch] = %1[b] - s\n"
               "  result r = %2\n");
}

static void a_choice_at_a_point_is_no_sum(void **state) {
    (void)state;
    simplifies("  %1: real[b: batch] = sum(c: 10) select(c == label[b], s, 0.25) * x[b, c]\n"
               "  result r = %1\n",
               "  %1: real[b: batch] = sum(c: 10) x[b, c]\n"
               "  %2: real[b: batch] = (s - 0.25) * x[b, label[b]] + 0.25 * %1[b]\n"
               "  result r = %2\n");
}

/* A sum over what is 0 but at one point, in another equation; and one from which a factor of the other equation leaves. */
static void sums_see_through_maps(void **state) {
    (void)state;
    simplifies("  %1: real[b: batch, c: 10] = select(c == label[b], s / real(batch), 0.0)\n"
               "  %2: real[b: batch, n: 5] = sum(c: 10) %1[b, c] * W[n, c]\n"
               "  result r = %2\n",
               "  %1: real[b: batch, n: 5] = s * W[n, label[b]] / real(batch)\n"
               "  result r = %1\n");
    simplifies("  %1: int[k: 10] = select(k == 3, 1, 0)\n"
               "  %2: real[n: 5] = sum(k: 10) W[n, k] * real(%1[k])\n"
               "  result r = %2\n",
               "  %1: real[n: 5] = W[n, 3]\n"
               "  result r = %1\n");
    simplifies("  %1: real[b: batch, c: 10] = x[b, c] / real(batch)\n"
               "  %2: real[b: batch] = sum(c: 10) %1[b, c]\n"
               "  result q = %1\n"
               "  result r = %2\n",
               "  %1: real[b: batch, c: 10] = x[b, c] / real(batch)\n"
               "  %2: real[b: batch] = sum(c: 10) x[b, c]\n"
               "  %3: real[b: batch] = %2[b] / real(batch)\n"
               "  result q = %1\n"
               "  result r = %3\n");
}

/* The sum would read one tensor more, or its product would lose its operand. */
static void sums_that_gain_nothing_read_maps(void **state) {
    (void)state;
    const char *mask = "  %1: real[b: batch, c: 10] = select(x[b, c] > 0.0, y[b, c] / real(batch), 0.0)\n"
                       "  %2: real[b: batch] = sum(c: 10) %1[b, c]\n"
                       "  result q = %1\n"
                       "  result r = %2\n";
    simplifies(mask, mask);
    const char *product = "  %1: real[b: batch, c: 10] = x[b, c] / real(batch)\n"
                          "  %2: real[b: batch, n: 5] = sum(c: 10) %1[b, c] * W[n, c]\n"
                          "  result r = %2\n";
    simplifies(product, product);
}

static void maps_see_through_maps_that_nobody_else_reads(void **state) {
    (void)state;
    simplifies("  %1: real[b: batch, c: 10] = select(c == label[b], -s, 0.0)\n"
               "  %2: real[b: batch] = s / y[b, 0]\n"
               "  %3: real[b: batch, c: 10] = %1[b, c] + %2[b] * exp(x[b, c])\n"
               "  result r = %3\n",
               "  %1: real[b: batch, c: 10] = (exp(x[b, c]) / y[b, 0] - select(c == label[b], 1.0, 0.0)) * s\n"
               "  result r = %1\n");
    const char *two_readers = "  %1: real[b: batch, c: 10] = s * x[b, c]\n"
                              "  %2: real[b: batch, c: 10] = %1[b, c] + s * y[b, c]\n"
                              "  result q = %1\n"
                              "  result r = %2\n";
    simplifies(two_readers, two_readers);
}

static void absent_axes_are_counted(void **state) {
    (void)state;
    simplifies("  %1: real[k: 10] = sum(b: batch, j: 3) v[k]\n"
               "  result r = %1\n",
               "  %1: real[k: 10] = 3.0 * (real(batch) * v[k])\n"
               "  result r = %1\n");
    simplifies("  %1: real[k: 10] = max(b: batch, j: 3) v[k] * real(j)\n"
               "  result r = %1\n",
               "  %1: real[k: 10] = max(j: 3) v[k] * real(j)\n"
               "  result r = %1\n");
}

static void independent_factors_have_their_own_sums(void **state) {
    (void)state;
    simplifies("  %1: real = sum(k: 10, l: 10) exp(v[k]) * sin(v[l])\n"
               "  result r = %1\n",
               "  %1: real = sum(k: 10) exp(v[k])\n"
               "  %2: real = sum(l: 10) sin(v[l])\n"
               "  %3: real = %1 * %2\n"
               "  result r = %3\n");
}

static void common_factors_are_taken_out(void **state) {
    (void)state;
    simplifies("  %1: real[b: batch, c: 10] = s * exp(x[b, c]) - select(c == label[b], s, 0.0)\n"
               "  result r = %1\n",
               "  %1: real[b: batch, c: 10] = (exp(x[b, c]) - select(c == label[b], 1.0, 0.0)) * s\n"
               "  result r = %1\n");
}

/* ---- softmax and cross-entropy: the gradient is (p - onehot) / n ---- */

static void cross_entropy_of_softmax(void **state) {
    (void)state;
    check_passes((Pass *const[]){differentiate, opt_simplify, opt_operands, opt_inline, opt_pad, NULL},
                 "  %1: real[b: batch] = max(k: 10) x[b, k]\n"
                 "  %2: real[b: batch] = detach(%1)\n"
                 "  %3: real[b: batch] = sum(k: 10) exp(x[b, k] - %2[b])\n"
                 "  %4: real[b: batch, c: 10] = x[b, c] - %2[b] - log(%3[b])\n"
                 "  %5: real[b: batch] = sum(c: 10) select(c == label[b], %4[b, c], 0.0)\n"
                 "  %6: real = sum(b: batch) -%5[b]\n"
                 "  %7 loss: real = %6 / real(batch)\n"
                 "  %8: real[batch, 10] = grad(%7, x)\n"
                 "  result g = %8\n",
                 "  %1: real[b: batch] = max(k: 10) x[b, k]\n"
                 "  %2: real[b: batch] = sum(k: 10) exp(x[b, k] - %1[b])\n"
                 "  %3 gradient of x: real[b: batch, c: 10] = (exp(x[b, c] - %1[b]) / %2[b] - select(c == label[b], "
                 "1.0, 0.0)) / real(batch)\n"
                 "  result g = %3\n");
}

static void what_several_sums_share_is_summed_once(void **state) {
    (void)state;
    simplifies("  %1: real[i: 10, c: 8] = sum(b: batch, k: 28) x[b, i] * image[b, c, k]\n"
               "  result r = %1\n",
               "  %1: real[b: batch, c: 8] = sum(k: 28) image[b, c, k]\n"
               "  %2: real[i: 10, c: 8] = sum(b: batch) x[b, i] * %1[b, c]\n"
               "  result r = %2\n");
}

/* ---- repetition ---- */

static void what_is_the_same_along_an_axis_is_computed_once(void **state) {
    (void)state;
    simplifies("  %1: real[b: batch, i: 5] = max(k: 10) x[b, k] * v[k]\n"
               "  result r = %1\n",
               "  %1: real[b: batch] = max(k: 10) x[b, k] * v[k]\n"
               "  %2: real[b: batch, i: 5] = %1[b]\n"
               "  result r = %2\n");
    simplifies("  %1: real[b: batch, k: 10, j: 5] = 2.0 * x[b, k]\n"
               "  %2: real[b: batch, i: 5, j: 5] = sum(k: 10) %1[b, k, j] * W[i, k]\n"
               "  result r = %2\n",
               "  %1: real[b: batch, i: 5] = sum(k: 10) x[b, k] * W[i, k]\n"
               "  %2: real[b: batch, i: 5] = 2.0 * %1[b, i]\n"
               "  %3: real[b: batch, i: 5, j: 5] = %2[b, i]\n"
               "  result r = %3\n");
}

/* ---- logarithms ---- */

static int logarithms_and_derivatives(Graph *g) {
    return opt_logarithms(g) + differentiate(g);
}

static void takes_logarithms(const char *before, const char *after) {
    check_passes((Pass *const[]){logarithms_and_derivatives, NULL}, before, after);
}

static void logarithms_see_through_maps(void **state) {
    (void)state;
    takes_logarithms("  %1: real[b: batch] = sum(k: 10) exp(x[b, k])\n"
                     "  %2: real[b: batch, c: 10] = exp(x[b, c]) / %1[b]\n"
                     "  %3: real[b: batch, c: 10] = y[b, c] * log(%2[b, c])\n"
                     "  result r = %3\n",
                     "  %1: real[b: batch] = sum(k: 10) exp(x[b, k])\n"
                     "  %2: real[b: batch, c: 10] = y[b, c] * (x[b, c] - log(%1[b]))\n"
                     "  result r = %2\n");
    takes_logarithms("  %1: real[k: 10] = sigmoid(v[k])\n"
                     "  %2: real[k: 10] = log(1.0 - %1[k])\n"
                     "  result q = %1\n"
                     "  result r = %2\n",
                     "  %1: real[k: 10] = sigmoid(v[k])\n"
                     "  %2: real[k: 10] = -log1pexp(v[k])\n"
                     "  result q = %1\n"
                     "  result r = %2\n");
}

/* Seen through, the logarithm would not depend on %1, and the gradient would be 0. */
static void logarithms_keep_what_derivatives_are_taken_of(void **state) {
    (void)state;
    takes_logarithms("  %1: real[k: 10] = exp(v[k])\n"
                     "  %2: real[k: 10] = log(%1[k])\n"
                     "  %3: real[10] = grad(%2, %1)\n"
                     "  result r = %3\n",
                     "  %1: real[k: 10] = exp(v[k])\n"
                     "  %2: real[k: 10] = 1.0 / %1[k]\n"
                     "  result r = %2\n");
}

/* ---- extremes ---- */

static void takes_extremes(const char *before, const char *after) {
    check_passes((Pass *const[]){opt_extremes, NULL}, before, after);
}

static void pooling_comes_before_activation(void **state) {
    (void)state;
    takes_extremes("  %1: real[b: batch, k: 10] = tanh(v[k] + x[b, k])\n"
                   "  %2: real[b: batch, i: 5] = max(u: 2) %1[b, 2 * i + u]\n"
                   "  result r = %2\n",
                   "  %1: real[b: batch, i: 5] = max(u: 2) v[2 * i + u] + x[b, 2 * i + u]\n"
                   "  %2: real[b: batch, i: 5] = tanh(%1[b, i])\n"
                   "  result r = %2\n");
    takes_extremes(
        "  %1: real[b: batch, c: 8, k: 28] = 2.0 * image[b, c, k] + v[c]\n"
        "  %2: real[b: batch, c: 8, k: 28] = select(%1[b, c, k] > 0.0, %1[b, c, k], 0.0)\n"
        "  %3: real[b: batch, c: 8, i: 14] = max(u: 2) %2[b, c, 2 * i + u]\n"
        "  result r = %3\n",
        "  %1: real[b: batch, c: 8, i: 14] = max(u: 2) image[b, c, 2 * i + u]\n"
        "  %2: real[b: batch, c: 8, i: 14] = select(2.0 * %1[b, c, i] + v[c] > 0.0, 2.0 * %1[b, c, i] + v[c], 0.0)\n"
        "  result r = %2\n");
}

static void activations_that_others_read_stay(void **state) {
    (void)state;
    static const char two_readers[] = "  %1: real[b: batch, k: 10] = tanh(x[b, k])\n"
                                      "  %2: real[b: batch, i: 5] = max(u: 2) %1[b, 2 * i + u]\n"
                                      "  result q = %1\n"
                                      "  result r = %2\n";
    takes_extremes(two_readers, two_readers);
}

/* ---- residues ---- */

static void narrows(const char *before, const char *after) {
    check_passes((Pass *const[]){opt_residues, NULL}, before, after);
}

/* The adjoint of a window of size 1 with stride 3: the last places are 0 as well. */
static void sums_are_computed_where_they_are_not_0(void **state) {
    (void)state;
    narrows("  %1: real[b: batch, i: 26] = sum(c: 8) select(i mod 3 == 0, image[b, c, i div 3] * v[c], 0.0)\n"
            "  result r = %1\n",
            "  %1: real[b: batch, i: 9] = sum(c: 8) image[b, c, i] * v[c]\n"
            "  %2: real[b: batch, i: 26] = select(i mod 3 == 0, %1[b, i div 3], 0.0)\n"
            "  result r = %2\n");
}

/* Along two axes, from another place on, beside a condition that stays. */
static void remainders_of_several_axes(void **state) {
    (void)state;
    narrows("  %1: real[i: 20, j: 10] = sum(k: 8) select((i + 1) mod 2 == 0 && j mod 5 == 2 && k < j, v[k] * v[j div "
            "5] * v[i div 2], 0.0)\n"
            "  result r = %1\n",
            "  %1: real[i: 10, j: 2] = sum(k: 8) select(5 * j >= k - 1, v[k] * v[j] * v[i], 0.0)\n"
            "  %2: real[i: 20, j: 10] = select(i mod 2 == 1 && j mod 5 == 2, %1[i div 2, j div 5], 0.0)\n"
            "  result r = %2\n");
}

/* What div gives elsewhere would be no place of the sum; the number of samples is not known; a map has nothing to sum. */
static void other_remainders_stay(void **state) {
    (void)state;
    static const char *const same[] = {
        "  %1: real[i: 9] = sum(k: 10) select(i mod 4 == 2, v[k] * v[i], 0.0)\n  result r = %1\n",
        "  %1: real[b: batch] = sum(k: 10) select(b mod 2 == 0, x[b, k], 0.0)\n  result r = %1\n",
        "  %1: real[i: 10] = select(i mod 2 == 0, tanh(v[i]), 0.0)\n  result r = %1\n",
        "  %1: real[i: 10] = sum(k: 10) select(i mod 2 == 0, v[k], v[i])\n  result r = %1\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        narrows(same[i], same[i]);
}

/* ---- inline ---- */

static void maps_go_into_their_only_reader(void **state) {
    (void)state;
    inlines("  %1: real[b: batch, k: 10] = x[b, k] + v[k]\n"
            "  %2: real[b: batch, k: 10] = tanh(%1[b, k])\n"
            "  %3: real[b: batch] = sum(k: 10) %2[b, k]\n"
            "  result r = %3\n",
            "  %1: real[b: batch] = sum(k: 10) tanh(x[b, k] + v[k])\n"
            "  result r = %1\n");
}

static void dear_maps_with_two_readers_are_stored(void **state) {
    (void)state;
    inlines(TWO_READERS, TWO_READERS);
}

static void cheap_maps_with_two_readers_are_computed_twice(void **state) {
    (void)state;
    inlines("  %1: real[b: batch, k: 10] = 2.0 * x[b, k]\n"
            "  %2: real[b: batch, k: 10] = exp(%1[b, k])\n"
            "  %3: real[b: batch] = max(k: 10) %1[b, k]\n"
            "  result q = %2\n"
            "  result r = %3\n",
            "  %1: real[b: batch, k: 10] = exp(2.0 * x[b, k])\n"
            "  %2: real[b: batch] = max(k: 10) 2.0 * x[b, k]\n"
            "  result q = %1\n"
            "  result r = %2\n");
}

/* The contraction needs the map stored, so the other reader reads it too. */
static void operands_of_contractions_stay_plain(void **state) {
    (void)state;
    const char *before = "  %1: real[b: batch, k: 10] = max(x[b, k], 0.0)\n"
                         "  %2: real[b: batch, n: 5] = sum(k: 10) W[n, k] * %1[b, k]\n"
                         "  %3: real[b: batch, k: 10] = %1[b, k] + y[b, k]\n"
                         "  result q = %2\n"
                         "  result r = %3\n";
    inlines(before, before);
}

static void movements_go_into_contractions_while_indices_stay_affine(void **state) {
    (void)state;
    inlines("  %1: real[k: 10, b: batch] = x[b, k]\n"
            "  %2: real[b: batch, n: 5] = sum(k: 10) W[n, k] * %1[k, b]\n"
            "  result r = %2\n",
            "  %1: real[b: batch, n: 5] = sum(k: 10) W[n, k] * x[b, k]\n"
            "  result r = %1\n");
    const char *flatten = "  %1: real[b: batch, k: 224] = image[b, k div 28, k mod 28]\n"
                          "  %2: real[b: batch, n: 5] = sum(k: 224) W[n, k div 28] * %1[b, k]\n"
                          "  result r = %2\n";
    inlines(flatten, flatten);
}

/* What moves elements goes first: the window reads the map itself, so it is stored, and the sum reads it too. */
static void movements_hide_no_reader(void **state) {
    (void)state;
    inlines("  %1: real[b: batch, k: 10] = max(x[b, k], 0.0)\n"
            "  %2: real[k: 10, b: batch] = %1[b, k]\n"
            "  %3: real[b: batch, n: 5] = sum(k: 10) W[n, k] * %2[k, b]\n"
            "  %4: real[b: batch] = sum(k: 10) %1[b, k]\n"
            "  result q = %3\n"
            "  result r = %4\n",
            "  %1: real[b: batch, k: 10] = max(x[b, k], 0.0)\n"
            "  %2: real[b: batch, n: 5] = sum(k: 10) W[n, k] * %1[b, k]\n"
            "  %3: real[b: batch] = sum(k: 10) %1[b, k]\n"
            "  result q = %2\n"
            "  result r = %3\n");
}

static void entries_decide_for_themselves(void **state) {
    (void)state;
    inlines("  %1: real[b: batch, k: 10] = tanh(x[b, k])\n"
            "  %2: real[b: batch] = sum(k: 10) %1[b, k]\n"
            "  result r = %2\n"
            "loss:\n"
            "  %3: real[b: batch] = sum(k: 10) %1[b, k] * %1[b, k]\n"
            "  %4: real[b: batch] = max(k: 10) %1[b, k]\n"
            "  result q = %2\n"
            "  result s = %3\n"
            "  result t = %4\n",
            "  %1: real[b: batch] = sum(k: 10) tanh(x[b, k])\n"
            "  result r = %1\n"
            "loss:\n"
            "  %2: real[b: batch, k: 10] = tanh(x[b, k])\n"
            "  %3: real[b: batch] = sum(k: 10) %2[b, k]\n"
            "  %4: real[b: batch] = sum(k: 10) %2[b, k] * %2[b, k]\n"
            "  %5: real[b: batch] = max(k: 10) %2[b, k]\n"
            "  result q = %3\n"
            "  result s = %4\n"
            "  result t = %5\n");
}

/* ---- signs ---- */

static void results_tell_signs(void **state) {
    (void)state;
    check_passes((Pass *const[]){opt_signs, NULL},
                 "  %1: real[b: batch, n: 10] = 2.0 * x[b, n]\n"
                 "  %2: real[b: batch, n: 10] = select(%1[b, n] > 0.0, %1[b, n], 0.1 * %1[b, n])\n"
                 "  %3: real[b: batch, n: 9] = select(%1[b, n + 1] > 0.0, y[b, n], 0.0)\n"
                 "  result r = %2\n"
                 "  result s = %3\n",
                 "  %1: real[b: batch, n: 10] = 2.0 * x[b, n]\n"
                 "  %2: real[b: batch, n: 10] = select(%1[b, n] > 0.0, %1[b, n], 0.1 * %1[b, n])\n"
                 "  %3: real[b: batch, n: 9] = select(%2[b, n + 1] > 0.0, y[b, n], 0.0)\n"
                 "  result r = %2\n"
                 "  result s = %3\n");
}

/* What rises below 0 has another sign there; a clipped value at another place is no rectifier. */
static void other_choices_tell_nothing(void **state) {
    (void)state;
    const char *before = "  %1: real[b: batch, n: 10] = 2.0 * x[b, n]\n"
                         "  %2: real[b: batch, n: 10] = select(%1[b, n] > 0.0, %1[b, n], -0.1 * %1[b, n])\n"
                         "  %3: real[b: batch, n: 10] = select(%1[b, 9 - n] > 0.0, %1[b, 9 - n], 0.0)\n"
                         "  %4: real[b: batch, n: 10] = select(%1[b, n] > 0.0, y[b, n], 0.0)\n"
                         "  result r = %2\n"
                         "  result s = %3\n"
                         "  result t = %4\n";
    check_passes((Pass *const[]){opt_signs, NULL}, before, before);
}

/* ---- units ---- */

/* All its readers follow; of two maps, the first gives its axes. */
static void sums_take_axes_of_size_1(void **state) {
    (void)state;
    check_passes((Pass *const[]){opt_units, NULL},
                 "  %1: real[b: batch] = sum(k: 10) x[b, k] * v[k]\n"
                 "  %2: real[1, b: batch, 1] = %1[b] + s\n"
                 "  %3: real[b: batch, 1] = 2.0 * %1[b]\n"
                 "  %4: real = sum(b: batch) %1[b]\n"
                 "  result r = %2\n"
                 "  result s = %3\n"
                 "  result t = %4\n",
                 "  %1: real[1, b: batch, 1] = sum(k: 10) x[b, k] * v[k]\n"
                 "  %2: real[1, b: batch, 1] = %1[0, b, 0] + s\n"
                 "  %3: real[b: batch, 1] = 2.0 * %1[0, b, 0]\n"
                 "  %4: real = sum(b: batch) %1[0, b, 0]\n"
                 "  result r = %2\n"
                 "  result s = %3\n"
                 "  result t = %4\n");
}

/* A map that turns axes or reads elsewhere, and a sum that the user sees. */
static void other_sums_keep_their_axes(void **state) {
    (void)state;
    const char *before = "  %1: real[b: batch] = sum(k: 10) x[b, k] * v[k]\n"
                         "  %2: real[n: 10, m: 10] = sum(b: batch) x[b, n] * y[b, m]\n"
                         "  %3: real[1, m: 10, n: 10] = %2[n, m] + s\n"
                         "  %4: real[n: 10] = sum(b: batch) x[b, n]\n"
                         "  %5: real[n: 10, 1] = %4[9 - n] + s\n"
                         "  %6: real[b: batch, 1] = %1[b] + s\n"
                         "  result r = %1\n"
                         "  result s = %3\n"
                         "  result t = %5\n"
                         "  result u = %6\n";
    check_passes((Pass *const[]){opt_units, NULL}, before, before);
}

/* ---- decays ---- */

static void exponentials_below_their_largest_decay(void **state) {
    (void)state;
    check_passes((Pass *const[]){opt_decays, NULL},
                 "  %1: real[b: batch] = max(k: 10) x[b, k] * y[b, k]\n"
                 "  %2: real[b: batch, n: 10] = exp(x[b, n] * y[b, n] - %1[b])\n"
                 "  %3: real[b: batch, n: 10] = exp(min(x[b, n], 0.0)) + exp(-(x[b, n] * x[b, n]))\n"
                 "  result r = %2\n"
                 "  result s = %3\n",
                 "  %1: real[b: batch] = max(k: 10) x[b, k] * y[b, k]\n"
                 "  %2: real[b: batch, n: 10] = decay(x[b, n] * y[b, n] - %1[b])\n"
                 "  %3: real[b: batch, n: 10] = decay(min(x[b, n], 0.0)) + decay(-(x[b, n] * x[b, n]))\n"
                 "  result r = %2\n"
                 "  result s = %3\n");
}

/* The largest of another row, of fewer elements, of something else; a sum. */
static void other_exponentials_may_grow(void **state) {
    (void)state;
    const char *before = "  %1: real[b: batch] = max(k: 9) x[b, k]\n"
                         "  %2: real[b: batch, n: 10] = exp(x[b, n] - %1[b])\n"
                         "  %3: real[b: batch] = max(k: 10) x[b, k]\n"
                         "  %4: real[b: batch, n: 10] = exp(y[b, n] - %3[b])\n"
                         "  %5: real[b: batch] = sum(k: 10) x[b, k]\n"
                         "  %6: real[b: batch, n: 10] = exp(x[b, n] - %5[b])\n"
                         "  %7: real[b: batch, n: 10] = exp(%3[b] - x[b, n])\n"
                         "  result r = %2\n"
                         "  result s = %4\n"
                         "  result t = %6\n"
                         "  result u = %7\n";
    check_passes((Pass *const[]){opt_decays, NULL}, before, before);
}

/* ---- operands ---- */

static void operands_are_computed_once(void **state) {
    (void)state;
    check_passes((Pass *const[]){opt_operands, opt_inline, NULL},
                 "  %1: real[b: batch, n: 5] = sum(k: 10) W[n, k] * tanh(x[b, k]) * y[b, k]\n"
                 "  result r = %1\n",
                 "  %1: real[b: batch, k: 10] = tanh(x[b, k]) * y[b, k]\n"
                 "  %2: real[b: batch, n: 5] = sum(k: 10) W[n, k] * %1[b, k]\n"
                 "  result r = %2\n");
}

static void shifted_operands_are_computed_where_they_stand(void **state) {
    (void)state;
    check_passes((Pass *const[]){opt_operands, NULL},
                 "  %1: real[b: batch, o: 4, i: 24] = sum(c: 8, u: 5) K[o, c, u] * tanh(image[b, c, i + u])\n"
                 "  result r = %1\n",
                 "  %1: real[b: batch, c: 8, 28] = tanh(image[b, c, i2])\n"
                 "  %2: real[b: batch, o: 4, i: 24] = sum(c: 8, u: 5) K[o, c, u] * %1[b, c, i + u]\n"
                 "  result r = %2\n");
}

static void sums_of_products_are_several_sums(void **state) {
    (void)state;
    check_passes((Pass *const[]){opt_operands, NULL},
                 "  %1: real[b: batch, n: 5] = sum(k: 10) (W[n, k] * x[b, k] - W[n, k] * y[b, k] * y[b, k])\n"
                 "  result r = %1\n",
                 "  %1: real[b: batch, n: 5] = sum(k: 10) W[n, k] * x[b, k]\n"
                 "  %2: real[b: batch, k: 10] = y[b, k] * y[b, k]\n"
                 "  %3: real[b: batch, n: 5] = sum(k: 10) W[n, k] * %2[b, k]\n"
                 "  %4: real[b: batch, n: 5] = %1[b, n] - %3[b, n]\n"
                 "  result r = %4\n");
}

static void what_is_read_once_stays(void **state) {
    (void)state;
    const char *before = "  %1: real[b: batch] = sum(k: 10) exp(x[b, k]) * y[b, k]\n"
                         "  result r = %1\n";
    check_passes((Pass *const[]){opt_operands, NULL}, before, before);
}

/* ---- freeze, prepare ---- */

/* All that is printed from the first entry on. */
static void prepares(const char *before, const char *after) {
    Arena *arena = arena_new((ArenaFailure){0});
    const char *message = NULL;
    Graph *g = graph_read(arena, arena_printf(arena, "%spredict:\n%s", LEAVES, before), &message);
    if (!g)
        fail_msg("%s", message);
    opt_freeze(g);
    graph_check(g, "freeze", true);
    opt_prepare(g);
    graph_check(g, "prepare", true);
    Text *printed = text_new(arena);
    graph_print(g, printed);
    assert_string_equal(strstr(text_get(printed), "prepare:\n"), after);
    arena_free(arena);
}

static void what_predictions_have_in_common_is_prepared(void **state) {
    (void)state;
    /* An equation of parameters alone, what is made of it, and a parameter as it is. */
    prepares("  %1: real[n: 5] = sum(k: 10) W[n, k] * W[n, k]\n"
             "  %2: real[n: 5] = sqrt(%1[n])\n"
             "  %3: real[b: batch, n: 5] = sum(k: 10) W[n, k] * x[b, k]\n"
             "  %4: real[b: batch, n: 5] = %3[b, n] / %2[n]\n"
             "  result q = %4\n",
             "prepare:\n"
             "  %4: real[n: 5] = sum(k: 10) W[n, k] * W[n, k]\n"
             "  %5: real[n: 5] = sqrt(%4[n])\n"
             "  prepared %2 = W\n"
             "  prepared %3 = %5\n"
             "predict:\n"
             "  %6: real[b: batch, n: 5] = sum(k: 10) %2[n, k] * x[b, k]\n"
             "  %7: real[b: batch, n: 5] = %6[b, n] / %3[n]\n"
             "  result q = %7\n");
}

static void parts_of_bodies_are_prepared(void **state) {
    (void)state;
    /* The largest part without data; not one that is larger than what it is made of; not what depends on the call. */
    prepares("  %1: real[b: batch, k: 10] = x[b, k] * exp(W[0, k] + W[1, k])\n"
             "  %2: real[b: batch, n: 5, m: 5, k: 10] = x[b, 0] * (W[n, 0] * W[m, k])\n"
             "  %3: real[b: batch, k: 10] = x[b, k] * (W[0, k] + random(1, 10 * b + k))\n"
             "  result q = %1\n"
             "  result r = %2\n"
             "  result t = %3\n",
             "prepare:\n"
             "  %4 part of a value: real[k: 10] = exp(W[0, k] + W[1, k])\n"
             "  prepared %2 = %4\n"
             "  prepared %3 = W\n"
             "predict:\n"
             "  %5: real[b: batch, k: 10] = x[b, k] * %2[k]\n"
             "  %6: real[b: batch, n: 5, m: 5, k: 10] = x[b, 0] * (%3[n, 0] * %3[m, k])\n"
             "  %7: real[b: batch, k: 10] = x[b, k] * (%3[0, k] + random(1, 10 * b + k))\n"
             "  result q = %5\n"
             "  result r = %6\n"
             "  result t = %7\n");
}

static void constants_that_are_work_are_prepared(void **state) {
    (void)state;
    prepares("  %1: real[i: 10, j: 10] = exp(-0.1 * real((i - j) * (i - j)))\n"
             "  %2: real[n: 5, j: 10] = sum(i: 10) W[n, i] * %1[i, j]\n"
             "  %3: real[b: batch, n: 5] = sum(j: 10) %2[n, j] * x[b, j]\n"
             "  result q = %3\n",
             "prepare:\n"
             "  %4: real[i: 10, j: 10] = exp(-0.1 * real((i - j) * (i - j)))\n"
             "  %5: real[n: 5, j: 10] = sum(i: 10) W[n, i] * %4[i, j]\n"
             "  prepared %3 = %5\n"
             "predict:\n"
             "  %6: real[b: batch, n: 5] = sum(j: 10) %3[n, j] * x[b, j]\n"
             "  result q = %6\n");
}

/* ---- recompute ---- */

static int recompute_within(Graph *g, int64_t budget) {
    int changes = 0;
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        changes += opt_recompute(g, &g->entries[kind], budget);
    return changes;
}

static int recompute_all(Graph *g) {
    return recompute_within(g, 0);
}

static int recompute_within_4_kilobytes(Graph *g) {
    return recompute_within(g, 4096);
}

static void a_budget_recomputes_what_is_stored(void **state) {
    (void)state;
    check_passes((Pass *const[]){recompute_all, NULL}, TWO_READERS,
                 "  %1: real[b: batch, k: 10] = tanh(x[b, k]) * tanh(x[b, k])\n"
                 "  %2: real[b: batch] = sum(k: 10) tanh(x[b, k])\n"
                 "  result q = %1\n"
                 "  result r = %2\n");
}

static void a_budget_that_is_kept_changes_nothing(void **state) {
    (void)state;
    check_passes((Pass *const[]){recompute_within_4_kilobytes, NULL}, TWO_READERS, TWO_READERS);
}

/* ---- pad ---- */

static void guarded_windows_read_a_padded_copy(void **state) {
    (void)state;
    check_passes((Pass *const[]){opt_pad, opt_inline, NULL},
                 "  %1: real[b: batch, o: 4, i: 28] = sum(c: 8, u: 5) select(within(i + u - 2, 28), K[o, c, u] * "
                 "image[b, c, i + u - 2], 0.0)\n"
                 "  result r = %1\n",
                 "  %1 padded image: real[batch, 8, 32] = select(within(i2 - 2, 28), image[i0, i1, i2 - 2], 0.0)\n"
                 "  %2: real[b: batch, o: 4, i: 28] = sum(c: 8, u: 5) K[o, c, u] * %1[b, c, i + u]\n"
                 "  result r = %2\n");
}

static void extremes_read_what_the_guard_gives(void **state) {
    (void)state;
    check_passes((Pass *const[]){opt_pad, NULL},
                 "  %1: real[b: batch, c: 8, i: 28] = max(u: 5) select(within(i + u - 2, 28), image[b, c, i + u - 2], "
                 "-1e+30)\n"
                 "  result r = %1\n",
                 "  %1 padded image: real[batch, 8, 32] = select(within(i2 - 2, 28), image[i0, i1, i2 - 2], -1e+30)\n"
                 "  %2: real[b: batch, c: 8, i: 28] = max(u: 5) %1[b, c, i + u]\n"
                 "  result r = %2\n");
}

static void small_windows_keep_their_guard(void **state) {
    (void)state;
    const char *before = "  %1: real[b: batch, c: 8, i: 28] = max(u: 3) select(within(i + u - 1, 28), image[b, c, i + "
                         "u - 1], -1e+30)\n"
                         "  result r = %1\n";
    check_passes((Pass *const[]){opt_pad, NULL}, before, before);
}

/* The backward pass of a convolution with stride 2: both operands are padded. */
static void strided_operands_are_padded(void **state) {
    (void)state;
    check_passes(
        (Pass *const[]){opt_pad, NULL},
        "  %1: real[b: batch, c: 8, h: 56] = sum(o: 4, q: 3) select(within(2 * q + h mod 2, 5) && within(h div "
        "2 - q, 28), K[o, c, 2 * q + h mod 2] * image[b, o, h div 2 - q], 0.0)\n"
        "  result r = %1\n",
        "  %1 padded K: real[4, 8, 6] = select(within(i2, 5), K[i0, i1, i2], 0.0)\n"
        "  %2 padded image: real[batch, 8, 30] = select(within(i2 - 2, 28), image[i0, i1, i2 - 2], 0.0)\n"
        "  %3: real[b: batch, c: 8, h: 56] = sum(o: 4, q: 3) %1[o, c, h mod 2 + 2 * q] * %2[b, o, h div 2 - q "
        "+ 2]\n"
        "  result r = %3\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_leave_a_sum),
        cmocka_unit_test(sums_are_computed_where_they_are_not_0),
        cmocka_unit_test(remainders_of_several_axes),
        cmocka_unit_test(other_remainders_stay),
        cmocka_unit_test(a_guard_keeps_what_it_protects),
        cmocka_unit_test(a_point_is_no_sum),
        cmocka_unit_test(a_point_leaves_the_other_terms),
        cmocka_unit_test(a_choice_at_a_point_is_no_sum),
        cmocka_unit_test(sums_see_through_maps),
        cmocka_unit_test(sums_that_gain_nothing_read_maps),
        cmocka_unit_test(maps_see_through_maps_that_nobody_else_reads),
        cmocka_unit_test(absent_axes_are_counted),
        cmocka_unit_test(independent_factors_have_their_own_sums),
        cmocka_unit_test(common_factors_are_taken_out),
        cmocka_unit_test(cross_entropy_of_softmax),
        cmocka_unit_test(what_several_sums_share_is_summed_once),
        cmocka_unit_test(what_is_the_same_along_an_axis_is_computed_once),
        cmocka_unit_test(logarithms_see_through_maps),
        cmocka_unit_test(logarithms_keep_what_derivatives_are_taken_of),
        cmocka_unit_test(pooling_comes_before_activation),
        cmocka_unit_test(activations_that_others_read_stay),
        cmocka_unit_test(maps_go_into_their_only_reader),
        cmocka_unit_test(dear_maps_with_two_readers_are_stored),
        cmocka_unit_test(cheap_maps_with_two_readers_are_computed_twice),
        cmocka_unit_test(operands_of_contractions_stay_plain),
        cmocka_unit_test(movements_go_into_contractions_while_indices_stay_affine),
        cmocka_unit_test(movements_hide_no_reader),
        cmocka_unit_test(entries_decide_for_themselves),
        cmocka_unit_test(results_tell_signs),
        cmocka_unit_test(sums_take_axes_of_size_1),
        cmocka_unit_test(other_sums_keep_their_axes),
        cmocka_unit_test(other_choices_tell_nothing),
        cmocka_unit_test(exponentials_below_their_largest_decay),
        cmocka_unit_test(other_exponentials_may_grow),
        cmocka_unit_test(operands_are_computed_once),
        cmocka_unit_test(shifted_operands_are_computed_where_they_stand),
        cmocka_unit_test(sums_of_products_are_several_sums),
        cmocka_unit_test(what_is_read_once_stays),
        cmocka_unit_test(what_predictions_have_in_common_is_prepared),
        cmocka_unit_test(parts_of_bodies_are_prepared),
        cmocka_unit_test(constants_that_are_work_are_prepared),
        cmocka_unit_test(a_budget_recomputes_what_is_stored),
        cmocka_unit_test(a_budget_that_is_kept_changes_nothing),
        cmocka_unit_test(guarded_windows_read_a_padded_copy),
        cmocka_unit_test(extremes_read_what_the_guard_gives),
        cmocka_unit_test(small_windows_keep_their_guard),
        cmocka_unit_test(strided_operands_are_padded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
