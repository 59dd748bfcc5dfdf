/* Long sums are added up as their terms come: the text before, the text after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "ir/graph_check.h"
#include "ir/graph_print.h"
#include "ir/graph_read.h"
#include "plan/accumulate.h"

static const char LEAVES[] = "model m (batch <= 64)\n"
                             "input x: real[batch, 10]\n"
                             "param W: real[3]\n";

/* For a `predict` entry with these lines. */
static void accumulates(const char *before, const char *after) {
    Arena *arena = arena_new((ArenaFailure){0});
    const char *message = NULL;
    Graph *g = graph_read(arena, arena_printf(arena, "%spredict:\n%s", LEAVES, before), &message);
    if (!g)
        fail_msg("%s", message);
    plan_accumulate(g);
    graph_check(g, "test", true);
    Text *printed = text_new(arena);
    graph_print(g, printed);
    assert_string_equal(strstr(text_get(printed), "predict:\n") + strlen("predict:\n"), after);
    arena_free(arena);
}

#define SEVEN_SUMS                                                                                                     \
    "  %1: real[n: 3] = sum(b: batch) x[b, n]\n"                                                                       \
    "  %2: real[n: 3] = sum(b: batch) x[b, n + 1]\n"                                                                   \
    "  %3: real[n: 3] = sum(b: batch) x[b, n + 2]\n"                                                                   \
    "  %4: real[n: 3] = sum(b: batch) x[b, n + 3]\n"                                                                   \
    "  %5: real[n: 3] = sum(b: batch) x[b, n + 4]\n"                                                                   \
    "  %6: real[n: 3] = sum(b: batch) x[b, n + 5]\n"                                                                   \
    "  %7: real[n: 3] = sum(b: batch) x[b, n + 6]\n"

/* From the one that is computed first on; what is no sum comes last. */
static void many_terms_are_added_as_they_come(void **state) {
    (void)state;
    accumulates(SEVEN_SUMS "  %8: real[n: 3] = sum(b: batch) x[b, n + 7]\n"
                           "  %9 d: real[n: 3] = %8[n] + W[n] + %7[n] + %6[n] + %5[n] + %4[n] + %3[n] + %2[n] + %1[n]\n"
                           "  result r = %9\n",
                "  %1: real[n: 3] = sum(b: batch) x[b, n + 7]\n"
                "  %2: real[n: 3] = sum(b: batch) x[b, n + 6]\n"
                "  %3: real[n: 3] = sum(b: batch) x[b, n + 5]\n"
                "  %4: real[n: 3] = sum(b: batch) x[b, n + 4]\n"
                "  %5: real[n: 3] = sum(b: batch) x[b, n + 3]\n"
                "  %6: real[n: 3] = sum(b: batch) x[b, n + 2]\n"
                "  %7: real[n: 3] = sum(b: batch) x[b, n + 1]\n"
                "  %8: real[n: 3] = sum(b: batch) x[b, n]\n"
                "  %9 d so far: real[n: 3] = %7[n] + %8[n]\n"
                "  %10 d so far: real[n: 3] = %6[n] + %9[n]\n"
                "  %11 d so far: real[n: 3] = %5[n] + %10[n]\n"
                "  %12 d so far: real[n: 3] = %4[n] + %11[n]\n"
                "  %13 d so far: real[n: 3] = %3[n] + %12[n]\n"
                "  %14 d so far: real[n: 3] = %2[n] + %13[n]\n"
                "  %15 d: real[n: 3] = %1[n] + %14[n] + W[n]\n"
                "  result r = %15\n");
}

static void few_terms_stay(void **state) {
    (void)state;
    const char *before = SEVEN_SUMS "  %8: real[n: 3] = %1[n] + %2[n] + %3[n] + %4[n] + %5[n] + %6[n] + %7[n]\n"
                                    "  result r = %8\n";
    accumulates(before, before);
}

/* The sums are read elsewhere than at the element that is computed. */
static void other_elements_stay(void **state) {
    (void)state;
    const char *before =
        SEVEN_SUMS "  %8: real[n: 3] = sum(b: batch) x[b, n + 7]\n"
                   "  %9: real[n: 3] = %1[2 - n] + %2[n] + %3[n] + %4[n] + %5[n] + %6[n] + %7[n] + %8[n]\n"
                   "  result r = %9\n";
    accumulates(before, before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_terms_are_added_as_they_come),
        cmocka_unit_test(few_terms_stay),
        cmocka_unit_test(other_elements_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
