#include "syntax/ast_print.h"
#include "support/parse_support.h"

static void printing_is_canonical(void **state) {
    static const Pair pairs[] = {
        {"((a)) + (b * c)", "a + b * c"},
        {"(a + b) * c", "(a + b) * c"},
        {"a - (b - c)", "a - (b - c)"},
        {"(a ^ b) ^ c", "(a^b)^c"},
        {"a ^ (b ^ c)", "a^b^c"},
        {"(-a) ^ b", "(-a)^b"},
        {"a ^ (-b)", "a^(-b)"},
        {"(a < b) == c", "(a < b) == c"},
        {"(if a then b else c) + 1", "(if a then b else c) + 1"},
        {"1 + if a then b else c", "1 + (if a then b else c)"},
        {"sum(k) (-x)", "sum(k) (-x)"},
        {"sum(k) ((-x) * y)", "sum(k) (-x * y)"},
        {"sum(k) ([1])", "sum(k) ([1])"},
        {"2 * (sum(k) a) * b", "2 * (sum(k) a) * b"},
        {"(sum(k) a) + b", "sum(k) a + b"},
        {"sum(k) (a + b)", "sum(k) (a + b)"},
        {"(x |> f) + 1", "(x |> f) + 1"},
        {"(if a then b else c) |> f", "(if a then b else c) |> f"},
        {"(x |> f)[i]", "(x |> f)[i]"},
        {"not (a and b)", "not (a and b)"},
        {"1.50", "1.5"},
        {"\"a\\n\\\"\\\\\"", "\"a\\n\\\"\\\\\""},
    };
    Fixture *fixture = *state;
    for (size_t i = 0; i < PAIR_COUNT(pairs); i++) {
        Text *out = text_new(fixture->arena);
        ast_print_expr(parse_expr(fixture, pairs[i].text), out);
        assert_string_equal(text_get(out), pairs[i].expected);
    }
}

/* A small generator of numbers that are the same on every machine. */
static uint32_t next_random(uint32_t *seed, uint32_t bound) {
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % bound;
}

/* A random expression with brackets around every part, so that any tree comes out. */
static void random_expr(uint32_t *seed, int depth, Text *out) {
    static const char *const leaves[] = {"x", "y", "1", "2.5", "true", "\"t\"", "f(x)", "[x, 1]", "z[i]"};
    static const char *const forms[] = {
        "(@ + @)",
        "(@ - @)",
        "(@ * @)",
        "(@ / @)",
        "(@ % @)",
        "(@ ^ @)",
        "(@ == @)",
        "(@ < @)",
        "(@ and @)",
        "(@ or @)",
        "(not @)",
        "(-@)",
        "(@ |> f)",
        "(@[@, @])",
        "(@[@; outside = @])",
        "(sum(k) (@))",
        "(max(i in @..@, j) (@))",
        "(if @ then @ else @)",
        "g(@, n = @)",
        "[@, ..., @]",
        "(@ |> h(@))",
    };
    const char *form = depth == 0 ? leaves[next_random(seed, sizeof leaves / sizeof leaves[0])]
                                  : forms[next_random(seed, sizeof forms / sizeof forms[0])];
    for (; *form; form++)
        if (*form == '@')
            random_expr(seed, (int)next_random(seed, (uint32_t)depth), out);
        else
            text_add_bytes(out, form, 1);
}

static void random_expressions_are_read_back(void **state) {
    Fixture *fixture = *state;
    for (uint32_t seed = 1; seed <= 2000; seed++) {
        uint32_t random = seed;
        Text *text = text_new(fixture->arena);
        text_add(text, "const c = ");
        random_expr(&random, 1 + (int)(seed % 6), text);
        assert_round_trip(fixture, text_get(text));
    }
}

static void files_are_read_back(void **state) {
    static const char *const texts[] = {
        "## A doc.\n##\n##  Indented.\ndim n <= 3\ndim m = 4\nconst c = 1e300\n",
        "fn f(x: real[...], n: int = 3; a, b: bool = true) { return x }\nfn g() = 1\n",
        "layer l(x) {\n param W: real[n, 2 * m] = u(low = -1)\n require n > 0, \"a\", \"b\"\n warn n > 9, \"c\"\n "
        "y[..., i, j in 0..3] = sum(k) W[i, k]\n y, h = f(y)\n return [y, h]\n}\n",
        "optimizer o(p, g; b = 1) {\n state v: real like p = zeros\n v <- v + g\n p <- p - v\n}\n",
        "model m {\n input x: real[n]\n target t: index[n](5)\n output a\n output b = 1\n loss a\n metric a\n metric q "
        "= a\n"
        " for i in 0..3 { if a { b = 1 } else if c { } else { d = 2 } }\n if x { if y { z = 1 } } else { for i in 0..1 "
        "{ } }\n}\n",
        "train m {\n data x, y = csv(\"f\") scale 1/2 shift 1 + 2\n split validate = 0.1, test = 0.1\n epochs 5\n "
        "optimizer a()\n}\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_round_trip(*state, texts[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(printing_is_canonical),
        TEST(random_expressions_are_read_back),
        TEST(files_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
