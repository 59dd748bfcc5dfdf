/* Gradients and directional derivatives as equations: the text before, the text after. */
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

static const char LEAVES[] = "model m (batch <= 64)\n"
                             "input x: real[batch, 10]\n"
                             "input image: real[batch, 28]\n"
                             "target label: int[batch] below 10\n"
                             "param W: real[5, 10]\n"
                             "param K: real[3]\n"
                             "param s: real\n";

static void becomes(const char *before, const char *after) {
    Arena *arena = arena_new((ArenaFailure){0});
    const char *message = NULL;
    Graph *g = graph_read(arena, arena_printf(arena, "%spredict:\n%s", LEAVES, before), &message);
    if (!g)
        fail_msg("%s", message);
    differentiate(g);
    graph_check(g, "test", true);
    Text *text = text_new(arena);
    graph_print(g, text);
    assert_string_equal(strstr(text_get(text), "predict:\n") + strlen("predict:\n"), after);
    arena_free(arena);
}

static void a_product_of_matrices_gives_two(void **state) {
    (void)state;
    becomes("  %1 y: real[b: batch, n: 5] = sum(k: 10) W[n, k] * x[b, k]\n"
            "  %2: real[b: batch, n: 5] = exp(%1[b, n])\n"
            "  %3: real[5, 10] = grad(%2, W)\n"
            "  %4: real[batch, 10] = grad(%2, x)\n"
            "  result dW = %3\n"
            "  result dx = %4\n",
            "  %1 y: real[b: batch, n: 5] = sum(k: 10) W[n, k] * x[b, k]\n"
            "  %2: real[b: batch, n: 5] = exp(%1[b, n])\n"
            "  %3 gradient of W: real[n: 5, k: 10] = sum(b: batch) %2[b, n] * x[b, k]\n"
            "  %4 gradient of x: real[b: batch, k: 10] = sum(n: 5) %2[b, n] * W[n, k]\n"
            "  result dW = %3\n"
            "  result dx = %4\n");
}

static void a_convolution_gives_its_transpose(void **state) {
    (void)state;
    becomes("  %1: real[b: batch, i: 28] = sum(u: 3) select(within(i + u - 1, 28), K[u] * image[b, i + u - 1], 0.0)\n"
            "  %2: real[b: batch, i: 28] = %1[b, i] * %1[b, i]\n"
            "  %3: real[batch, 28] = grad(%2, image)\n"
            "  result d = %3\n",
            "  %1: real[b: batch, i: 28] = sum(u: 3) select(within(i + u - 1, 28), K[u] * image[b, i + u - 1], 0.0)\n"
            "  %2: real[b: batch, i: 28] = 2.0 * %1[b, i]\n"
            "  %3 gradient of image: real[b: batch, 28] = sum(u: 3) select(within(i1 - u + 1, 28), %2[b, i1 - u + 1] * "
            "K[u], 0.0)\n"
            "  result d = %3\n");
}

static void a_broadcast_is_summed_and_a_sum_is_broadcast(void **state) {
    (void)state;
    becomes("  %1: real[b: batch, k: 10] = s * x[b, k]\n"
            "  %2: real[b: batch] = sum(k: 10) %1[b, k]\n"
            "  %3: real = grad(%2, s)\n"
            "  %4: real[batch, 10] = grad(%2, %1)\n"
            "  result ds = %3\n"
            "  result d = %4\n",
            "  %1 gradient of s: real = sum(b: batch, k: 10) x[b, k]\n"
            "  %2: real[b: batch, k: 10] = 1.0\n"
            "  result ds = %1\n"
            "  result d = %2\n");
}

static void a_maximum_carries_to_its_position(void **state) {
    (void)state;
    becomes("  %1 m: real[b: batch] = max(k: 10) x[b, k]\n"
            "  %2: real[b: batch] = exp(%1[b])\n"
            "  %3: real[batch, 10] = grad(%2, x)\n"
            "  result d = %3\n",
            "  %1 position of m: int[b: batch] = argmax(k: 10) x[b, k]\n"
            "  %2 m: real[b: batch] = max(k: 10) x[b, k]\n"
            "  %3: real[b: batch] = exp(%2[b])\n"
            "  %4 gradient of x: real[b: batch, k: 10] = select(k == %1[b], %3[b], 0.0)\n"
            "  result d = %4\n");
}

static void a_gather_scatters(void **state) {
    (void)state;
    becomes("  %1: real[b: batch, n: 5] = W[n, label[b]]\n"
            "  %2: real[b: batch, n: 5] = exp(%1[b, n])\n"
            "  %3: real[5, 10] = grad(%2, W)\n"
            "  result d = %3\n",
            "  %1: real[b: batch, n: 5] = W[n, label[b]]\n"
            "  %2: real[b: batch, n: 5] = exp(%1[b, n])\n"
            "  %3 gradient of W: real[n: 5, 10] = sum(b: batch) select(i1 == label[b], %2[b, n], 0.0)\n"
            "  result d = %3\n");
}

static void nothing_reaches_is_zero(void **state) {
    (void)state;
    becomes("  %1: real[b: batch, k: 10] = x[b, k] * x[b, k]\n"
            "  %2: int[b: batch] = argmax(k: 10) x[b, k]\n"
            "  %3: real[b: batch] = real(%2[b])\n"
            "  %4: real[5, 10] = grad(%1, W)\n"
            "  %5: real[batch, 10] = grad(%3, x)\n"
            "  %6: real[b: batch, k: 10] = jvp(%1, s, s)\n"
            "  result a = %4\n"
            "  result b = %5\n"
            "  result c = %6\n",
            "  %1 gradient of W: real[5, 10] = 0.0\n"
            "  %2 gradient of x: real[batch, 10] = 0.0\n"
            "  result a = %1\n"
            "  result b = %2\n"
            "  result c = %2\n");
}

static void detached_values_are_constants(void **state) {
    (void)state;
    becomes("  %1: real[batch, 10] = detach(x)\n"
            "  %2: real[b: batch, k: 10] = x[b, k] * %1[b, k]\n"
            "  %3: real[batch, 10] = grad(%2, x)\n"
            "  %4: real[batch, 10] = jvp(%2, x, x)\n"
            "  result d = %3\n"
            "  result t = %4\n",
            "  %1: real[b: batch, k: 10] = x[b, k] * x[b, k]\n"
            "  result d = x\n"
            "  result t = %1\n");
}

static void derivatives_nest(void **state) {
    (void)state;
    becomes("  %1: real[b: batch, k: 10] = x[b, k] * x[b, k] * x[b, k]\n"
            "  %2: real[batch, 10] = grad(%1, x)\n"
            "  %3: real[batch, 10] = grad(%2, x)\n"
            "  %4: real[batch, 10] = jvp(%2, x, x)\n"
            "  result second = %3\n"
            "  result along = %4\n",
            "  %1 gradient of x: real[b: batch, k: 10] = 6.0 * x[b, k]\n"
            "  %2 tangent of gradient of x: real[b: batch, k: 10] = 6.0 * (x[b, k] * x[b, k])\n"
            "  result second = %1\n"
            "  result along = %2\n");
}

/* As in the steps of a recurrence: each value goes into the next one in two ways. */
static void equal_parts_have_equal_adjoints(void **state) {
    (void)state;
    becomes("  %1 h1: real[j: 3] = K[j] * exp(K[j])\n"
            "  %2 c1: real[j: 3] = tanh(%1[j])\n"
            "  %3 h2: real[j: 3] = %1[j] * exp(%2[j])\n"
            "  %4 c2: real[j: 3] = tanh(%3[j]) + %2[j]\n"
            "  %5 h3: real[j: 3] = %3[j] * exp(%4[j])\n"
            "  %6 c3: real[j: 3] = tanh(%5[j]) + %4[j]\n"
            "  %7 h4: real[j: 3] = %5[j] * exp(%6[j])\n"
            "  %8: real[3] = grad(%7, K)\n"
            "  result d = %8\n",
            "  %1 h1: real[j: 3] = K[j] * exp(K[j])\n"
            "  %2 c1: real[j: 3] = tanh(%1[j])\n"
            "  %3 h2: real[j: 3] = %1[j] * exp(%2[j])\n"
            "  %4 c2: real[j: 3] = tanh(%3[j]) + %2[j]\n"
            "  %5 h3: real[j: 3] = %3[j] * exp(%4[j])\n"
            "  %6 c3: real[j: 3] = tanh(%5[j]) + %4[j]\n"
            "  %7 h4: real[j: 3] = %5[j] * exp(%6[j])\n"
            "  %8 gradient of h3: real[j: 3] = exp(%6[j]) + %7[j] * (1.0 - tanh(%5[j]) * tanh(%5[j]))\n"
            "  %9 gradient of c2: real[j: 3] = %7[j] + %8[j] * (%3[j] * exp(%4[j]))\n"
            "  %10 gradient of h2: real[j: 3] = %8[j] * exp(%4[j]) + %9[j] * (1.0 - tanh(%3[j]) * tanh(%3[j]))\n"
            "  %11 gradient of c1: real[j: 3] = %9[j] + %10[j] * (%1[j] * exp(%2[j]))\n"
            "  %12 gradient of h1: real[j: 3] = %10[j] * exp(%2[j]) + %11[j] * (1.0 - %2[j] * %2[j])\n"
            "  %13 gradient of K: real[j: 3] = %12[j] * (exp(K[j]) + K[j] * exp(K[j]))\n"
            "  result d = %13\n");
}

static void the_same_gradient_is_one_node(void **state) {
    (void)state;
    becomes("  %1: real[b: batch, k: 10] = exp(x[b, k] * s)\n"
            "  %2: real[batch, 10] = grad(%1, x)\n"
            "  %3: real[b: batch, k: 10] = %2[b, k] + 1.0\n"
            "  %4: real[batch, 10] = grad(%1, x)\n"
            "  result a = %3\n"
            "  result b = %4\n",
            "  %1: real[b: batch, k: 10] = exp(x[b, k] * s)\n"
            "  %2 gradient of x: real[b: batch, k: 10] = %1[b, k] * s\n"
            "  %3: real[b: batch, k: 10] = %2[b, k] + 1.0\n"
            "  result a = %3\n"
            "  result b = %2\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_of_matrices_gives_two),
        cmocka_unit_test(a_convolution_gives_its_transpose),
        cmocka_unit_test(a_broadcast_is_summed_and_a_sum_is_broadcast),
        cmocka_unit_test(a_maximum_carries_to_its_position),
        cmocka_unit_test(a_gather_scatters),
        cmocka_unit_test(nothing_reaches_is_zero),
        cmocka_unit_test(detached_values_are_constants),
        cmocka_unit_test(derivatives_nest),
        cmocka_unit_test(equal_parts_have_equal_adjoints),
        cmocka_unit_test(the_same_gradient_is_one_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
