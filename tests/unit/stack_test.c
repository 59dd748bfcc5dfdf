/* Equal sums over different tensors become one: the text before, the text after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "ir/graph_check.h"
#include "ir/graph_print.h"
#include "ir/graph_read.h"
#include "plan/stack.h"

static const char LEAVES[] = "model m (batch <= 64)\n"
                             "input x: real[batch, 10]\n"
                             "param W: real[5, 10]\n";

/* For a `predict` entry with these lines. */
static void stacks(const char *before, const char *after) {
    Arena *arena = arena_new((ArenaFailure){0});
    const char *message = NULL;
    Graph *g = graph_read(arena, arena_printf(arena, "%spredict:\n%s", LEAVES, before), &message);
    if (!g)
        fail_msg("%s", message);
    plan_stack(g, target_by_name("avx2"));
    graph_check(g, "test", true);
    Text *printed = text_new(arena);
    graph_print(g, printed);
    assert_string_equal(strstr(text_get(printed), "predict:\n") + strlen("predict:\n"), after);
    arena_free(arena);
}

#define FOUR_STEPS                                                                                                     \
    "  %1: real[c: 2, n: 5] = tanh(W[n, c])\n"                                                                         \
    "  %2: real[c: 2, n: 5] = tanh(W[n, c + 1])\n"                                                                     \
    "  %3: real[c: 2, n: 5] = tanh(W[n, c + 2])\n"                                                                     \
    "  %4: real[c: 2, n: 5] = tanh(W[n, c + 3])\n"                                                                     \
    "  %5: real[c: 2, k: 10] = exp(W[c, k])\n"                                                                         \
    "  %6: real[c: 2, k: 10] = exp(W[c + 1, k])\n"                                                                     \
    "  %7: real[c: 2, k: 10] = exp(W[c + 2, k])\n"                                                                     \
    "  %8: real[c: 2, k: 10] = exp(W[c + 3, k])\n"

#define FOUR_PRODUCTS(first, second, third, fourth)                                                                    \
    "  %9: real[n: 5, k: 10] = sum(c: 2) " first "[c, n] * %5[c, k]\n"                                                 \
    "  %10: real[n: 5, k: 10] = sum(c: 2) " second "[c, n] * %6[c, k]\n"                                               \
    "  %11: real[n: 5, k: 10] = sum(c: 2) " third "[c, n] * %7[c, k]\n"                                                \
    "  %12: real[n: 5, k: 10] = sum(c: 2) " fourth "[c, n] * %8[c, k]\n"                                               \
    "  %13: real[n: 5, k: 10] = %9[n, k] + %10[n, k] + %11[n, k] + %12[n, k]\n"

/* The steps, and behind them the new stacks. */
#define NEW_STACKS                                                                                                     \
    "  %1: real[c: 2, n: 5] = tanh(W[n, c])\n"                                                                         \
    "  %2: real[c: 2, n: 5] = tanh(W[n, c + 1])\n"                                                                     \
    "  %3: real[c: 2, n: 5] = tanh(W[n, c + 2])\n"                                                                     \
    "  %4: real[c: 2, n: 5] = tanh(W[n, c + 3])\n"                                                                     \
    "  %5 stacked values: real[4, c: 2, n: 5] = select(i0 == 0, %1[c, n], 0.0) + select(i0 == 1, %2[c, n],"            \
    " 0.0) + select(i0 == 2, %3[c, n], 0.0) + select(i0 == 3, %4[c, n], 0.0)\n"                                        \
    "  %6: real[c: 2, k: 10] = exp(W[c, k])\n"                                                                         \
    "  %7: real[c: 2, k: 10] = exp(W[c + 1, k])\n"                                                                     \
    "  %8: real[c: 2, k: 10] = exp(W[c + 2, k])\n"                                                                     \
    "  %9: real[c: 2, k: 10] = exp(W[c + 3, k])\n"                                                                     \
    "  %10 stacked values: real[4, c: 2, k: 10] = select(i0 == 0, %6[c, k], 0.0) + select(i0 == 1, %7[c, k],"          \
    " 0.0) + select(i0 == 2, %8[c, k], 0.0) + select(i0 == 3, %9[c, k], 0.0)\n"

#define NEW_SUM "  %11: real[n: 5, k: 10] = sum(i2: 4, c: 2) %5[i2, c, n] * %10[i2, c, k]\n"

static void sums_of_one_form_are_one_sum(void **state) {
    (void)state;
    stacks(FOUR_STEPS FOUR_PRODUCTS("%1", "%2", "%3", "%4") "  result r = %13\n",
           NEW_STACKS NEW_SUM "  result r = %11\n");
}

/* The tensors stand side by side already, though in another order, and with more of them. */
static void stacks_that_are_there_are_read(void **state) {
    (void)state;
    stacks(FOUR_STEPS FOUR_PRODUCTS(
               "%4", "%3", "%2",
               "%1") "  %14: real[c: 2, n: 5] = sqrt(W[n, c])\n"
                     "  %15: real[c: 2, s: 5, n: 5] = select(s == 0, %14[c, n], 0.0) + select(s == 1, %1[c, n], 0.0) +"
                     " select(s == 2, %2[c, n], 0.0) + select(s == 3, %3[c, n], 0.0) + select(s == 4, %4[c, n], 0.0)\n"
                     "  result r = %13\n"
                     "  result s = %15\n",
           "  %1: real[c: 2, n: 5] = sqrt(W[n, c])\n"
           "  %2: real[c: 2, n: 5] = tanh(W[n, c])\n"
           "  %3: real[c: 2, n: 5] = tanh(W[n, c + 1])\n"
           "  %4: real[c: 2, n: 5] = tanh(W[n, c + 2])\n"
           "  %5: real[c: 2, n: 5] = tanh(W[n, c + 3])\n"
           "  %6: real[c: 2, s: 5, n: 5] = select(s == 0, %1[c, n], 0.0) + select(s == 1, %2[c, n], 0.0) +"
           " select(s == 2, %3[c, n], 0.0) + select(s == 3, %4[c, n], 0.0) + select(s == 4, %5[c, n], 0.0)\n"
           "  %7: real[c: 2, k: 10] = exp(W[c + 3, k])\n"
           "  %8: real[c: 2, k: 10] = exp(W[c + 2, k])\n"
           "  %9: real[c: 2, k: 10] = exp(W[c + 1, k])\n"
           "  %10: real[c: 2, k: 10] = exp(W[c, k])\n"
           "  %11 stacked values: real[4, c: 2, k: 10] = select(i0 == 0, %7[c, k], 0.0) + select(i0 == 1, %8[c, k],"
           " 0.0) + select(i0 == 2, %9[c, k], 0.0) + select(i0 == 3, %10[c, k], 0.0)\n"
           "  %12: real[n: 5, k: 10] = sum(c: 2, s: 4) %6[c, s + 1, n] * %11[s, c, k]\n"
           "  result r = %12\n"
           "  result s = %6\n");
}

/* Beside the sums stand equations that put pieces of the tensors side by side, or as many of them as there are samples. */
static void stacks_of_less_are_not_read(void **state) {
    (void)state;
    static const char *const shapes[] = {"s: 4, c: 2, n: 3", "s: batch, c: 2, n: 5"};
    const char *layers = "select(s == 0, %1[c, n], 0.0) + select(s == 1, %2[c, n], 0.0) + "
                         "select(s == 2, %3[c, n], 0.0) + select(s == 3, %4[c, n], 0.0)";
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        Arena *arena = arena_new((ArenaFailure){0});
        const char *before = FOUR_STEPS FOUR_PRODUCTS("%1", "%2", "%3", "%4"), *after = NEW_STACKS NEW_SUM;
        stacks(arena_printf(arena, "%s  %%14: real[%s] = %s\n  result r = %%13\n  result s = %%14\n", before, shapes[i],
                            layers),
               arena_printf(arena, "%s  %%12: real[%s] = %s\n  result r = %%11\n  result s = %%12\n", after, shapes[i],
                            layers));
        arena_free(arena);
    }
}

/* They are larger than the sums. */
static void tensors_of_large_sums_are_not_moved(void **state) {
    (void)state;
    const char *before = "  %1: real[b: batch, n: 5] = tanh(x[b, n])\n"
                         "  %2: real[n: 5] = sum(b: batch) %1[b, n]\n"
                         "  %3: real[b: batch, n: 5] = tanh(x[b, n + 1])\n"
                         "  %4: real[n: 5] = sum(b: batch) %3[b, n]\n"
                         "  %5: real[b: batch, n: 5] = tanh(x[b, n + 2])\n"
                         "  %6: real[n: 5] = sum(b: batch) %5[b, n]\n"
                         "  %7: real[b: batch, n: 5] = tanh(x[b, n + 3])\n"
                         "  %8: real[n: 5] = sum(b: batch) %7[b, n]\n"
                         "  %9: real[n: 5] = %2[n] + %4[n] + %6[n] + %8[n]\n"
                         "  result r = %9\n";
    stacks(before, before);
}

/* The first of five tensors stands in no stack: it is added alone. */
static void what_is_not_in_the_stack_is_added(void **state) {
    (void)state;
    stacks("  %1: real[c: 2, n: 5] = sqrt(W[n, c])\n"
           "  %2: real[c: 2, n: 5] = tanh(W[n, c])\n"
           "  %3: real[c: 2, n: 5] = tanh(W[n, c + 1])\n"
           "  %4: real[c: 2, n: 5] = tanh(W[n, c + 2])\n"
           "  %5: real[c: 2, n: 5] = tanh(W[n, c + 3])\n"
           "  %6: real[s: 4, c: 2, n: 5] = select(s == 0, %2[c, n], 0.0) + select(s == 1, %3[c, n], 0.0) +"
           " select(s == 2, %4[c, n], 0.0) + select(s == 3, %5[c, n], 0.0)\n"
           "  %7: real[n: 5] = sum(c: 2) %1[c, n]\n"
           "  %8: real[n: 5] = sum(c: 2) %2[c, n]\n"
           "  %9: real[n: 5] = sum(c: 2) %3[c, n]\n"
           "  %10: real[n: 5] = sum(c: 2) %4[c, n]\n"
           "  %11: real[n: 5] = sum(c: 2) %5[c, n]\n"
           "  %12: real[n: 5] = %7[n] + %8[n] + %9[n] + %10[n] + %11[n]\n"
           "  result r = %12\n"
           "  result s = %6\n",
           "  %1: real[c: 2, n: 5] = tanh(W[n, c])\n"
           "  %2: real[c: 2, n: 5] = tanh(W[n, c + 1])\n"
           "  %3: real[c: 2, n: 5] = tanh(W[n, c + 2])\n"
           "  %4: real[c: 2, n: 5] = tanh(W[n, c + 3])\n"
           "  %5: real[s: 4, c: 2, n: 5] = select(s == 0, %1[c, n], 0.0) + select(s == 1, %2[c, n], 0.0) +"
           " select(s == 2, %3[c, n], 0.0) + select(s == 3, %4[c, n], 0.0)\n"
           "  %6: real[n: 5] = sum(s: 4, c: 2) %5[s, c, n]\n"
           "  %7: real[c: 2, n: 5] = sqrt(W[n, c])\n"
           "  %8: real[n: 5] = sum(c: 2) %7[c, n]\n"
           "  %9: real[n: 5] = %6[n] + %8[n]\n"
           "  result r = %9\n"
           "  result s = %5\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_one_form_are_one_sum),      cmocka_unit_test(stacks_that_are_there_are_read),
        cmocka_unit_test(stacks_of_less_are_not_read),       cmocka_unit_test(tensors_of_large_sums_are_not_moved),
        cmocka_unit_test(what_is_not_in_the_stack_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
