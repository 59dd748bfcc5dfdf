#include "syntax/parse.h"
#include "support/parse_support.h"

/* ---- expressions ---- */

static void operators_bind_as_the_manual_says(void **state) {
    static const Pair pairs[] = {
        {"a + b * c", "(+ a (* b c))"},
        {"a - b - c", "(- (- a b) c)"},
        {"a / b * c % d", "(% (* (/ a b) c) d)"},
        {"-x^2", "(neg (^ x 2))"},
        {"x^-y * z", "(* (^ x (neg y)) z)"},
        {"x^y^z", "(^ x (^ y z))"},
        {"-a * b", "(* (neg a) b)"},
        {"--a", "(neg (neg a))"},
        {"a < b + c", "(< a (+ b c))"},
        {"not a == b", "(not (== a b))"},
        {"not a and not not b", "(and (not a) (not (not b)))"},
        {"a or b and c or d", "(or (or a (and b c)) d)"},
        {"if a or b then c + 1 else d + 2", "(if (or a b) (+ c 1) (+ d 2))"},
        {"if a then b else if c then d else e", "(if a b (if c d e))"},
        {"1 + if a then b else c * d + e", "(+ 1 (if a b (+ (* c d) e)))"},
        {"(a + b) * c", "(* (+ a b) c)"},
        {"x[i]^2", "(^ (index x i) 2)"},
        {"-f(x)[i]", "(neg (index (call f x) i))"},
    };
    assert_expressions(*state, pairs, PAIR_COUNT(pairs));
}

static void pipes_are_calls(void **state) {
    static const Pair pairs[] = {
        {"x |> f", "(call| f x)"},
        {"x |> f()", "(call| f x)"},
        {"x |> f(1, n = 2) |> g", "(call| g (call| f x 1 n=2))"},
        {"a + b |> f", "(call| f (+ a b))"},
        {"(if a then b else c) |> f", "(call| f (if a b c))"},
        {"if a then b else (c |> f)", "(if a b (call| f c))"},
        {"if a |> f then b |> g else c", "(if (call| f a) (call| g b) c)"},
        {"1 + (x |> f)", "(+ 1 (call| f x))"},
        {"f(x |> g, h = y |> i)", "(call f (call| g x) h=(call| i y))"},
    };
    assert_expressions(*state, pairs, PAIR_COUNT(pairs));
}

static void reductions_take_the_product_to_their_right(void **state) {
    static const Pair pairs[] = {
        {"sum(k) a * b + c", "(+ (reduce sum {k} (* a b)) c)"},
        {"b + sum(k) W[n, k] * x[k]", "(+ b (reduce sum {k} (* (index W n k) (index x k))))"},
        {"sum(k in 0..n - 1, j) a", "(reduce sum {k 0 (- n 1) j} a)"},
        {"sum(i) a * sum(j) b * c", "(reduce sum {i} (* a (reduce sum {j} (* b c))))"},
        {"2 * sum(k) a / b", "(* 2 (reduce sum {k} (/ a b)))"},
        {"-sum(k) a * b", "(neg (reduce sum {k} (* a b)))"},
        {"max(i) max(j) x[i, j]", "(reduce max {i} (reduce max {j} (index x i j)))"},
        {"sum(c) if c == t then 1 else 0", "(reduce sum {c} (if (== c t) 1 0))"},
        {"sum(k) (a - b)^2", "(reduce sum {k} (^ (- a b) 2))"},
        {"sum(k) a < sum(k) b", "(< (reduce sum {k} a) (reduce sum {k} b))"},
        /* `-` and `[` go on with a call */
        {"sum(k) - x", "(- (call sum k) x)"},
        {"sum(k)[i]", "(index (call sum k) i)"},
        {"sum(x) * 2", "(* (call sum x) 2)"},
    };
    assert_expressions(*state, pairs, PAIR_COUNT(pairs));
}

static void brackets_hold_lists_and_indices(void **state) {
    static const Pair pairs[] = {
        {"[]", "(list)"},
        {"[1, [2], ...]", "(list 1 (list 2) ...)"},
        {"[..., a, b,]", "(list ... a b)"},
        {"x[..., i * 2 + 1, 0]", "(index x ... (+ (* i 2) 1) 0)"},
        {"x[i - 1; outside = -1 / 0]", "(index x (- i 1) outside (/ (neg 1) 0))"},
        {"E[t[b], d]", "(index E (index t b) d)"},
        {"f()", "(call f)"},
        {"f(a, b,)", "(call f a b)"},
        {"f(a, n = b)", "(call f a n=b)"},
    };
    assert_expressions(*state, pairs, PAIR_COUNT(pairs));
}

static void numbers_keep_their_value_and_their_kind(void **state) {
    static const struct {
        const char *text;
        double value;
        bool is_integer;
    } cases[] = {
        {"0", 0, true},
        {"007", 7, true},
        {"12", 12, true},
        {"12.0", 12, false},
        {"1e3", 1000, false},
        {"1.5E-2", 0.015, false},
        {"1e+2", 100, false},
        {"9007199254740992", 9007199254740992.0, true},
        {"9007199254740994", 9007199254740994.0, false},
        {"1.7976931348623157e308", 1.7976931348623157e308, false},
        {"5e-324", 5e-324, false},
        {"0e5", 0, false},
        {"0.000e-999", 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const AstExpr *expr = parse_expr(*state, cases[i].text);
        assert_int_equal(expr->kind, AST_NUMBER);
        assert_true(expr->number.value == cases[i].value);
        assert_int_equal(expr->number.is_integer, cases[i].is_integer);
    }
}

static void ranges_are_not_numbers_with_points(void **state) {
    static const Pair pairs[] = {
        {"sum(i in 0..12) x", "(reduce sum {i 0 12} x)"},
        {"sum(i in 1.5..n) x", "(reduce sum {i 1.5 n} x)"},
        {"sum(i in a..b) x", "(reduce sum {i a b} x)"},
        {"sum(i in 0 .. 3) x", "(reduce sum {i 0 3} x)"},
    };
    assert_expressions(*state, pairs, PAIR_COUNT(pairs));
}

static void texts_are_unescaped(void **state) {
    assert_string_equal(parse_expr(*state, "\"\"")->text, "");
    assert_string_equal(parse_expr(*state, "\"a # b\"")->text, "a # b");
    assert_string_equal(parse_expr(*state, "\"a\\\"b\\\\c\\nd\"")->text, "a\"b\\c\nd");
    assert_string_equal(parse_expr(*state, "\"\xC3\xA9\xE2\x82\xAC\"")->text, "\xC3\xA9\xE2\x82\xAC");
}

/* ---- files ---- */

static void declarations_have_their_parts(void **state) {
    static const Pair pairs[] = {
        {"dim n = 3", "(dim n 3)\n"},
        {"dim n <= 2 * 3", "(dim n <= (* 2 3))\n"},
        {"const c = -1", "(const c (neg 1))\n"},
        {"fn f() = 1", "(fn f 1)\n"},
        {"fn f(x, y = 2; z, u: int = 3) = 1", "(fn f (param x) (param y 2) (named z) (named u <int> 3) 1)\n"},
        {"fn f(; z = 1) = z", "(fn f (named z 1) z)\n"},
        {"layer f(x: real[..., K], t: class[b](10)) { }",
         "(layer f (param x <real [ ... K]>) (param t <class [ b] classes 10>) do{ })\n"},
        {"optimizer o(p, g) { state v: real like p = zeros }",
         "(optimizer o (param p) (param g) do{ (state v <real like p> zeros) })\n"},
        {"loss l(x: real[]) = 0", "(loss l (param x <real []>) 0)\n"},
        {"metric m(x) = 0", "(metric m (param x) 0)\n"},
        {"init i(w) = 0", "(init i (param w) 0)\n"},
        {"schedule s(a, b) = 0", "(schedule s (param a) (param b) 0)\n"},
        {"model m { }", "(model m do{ })\n"},
        {"train m { }", "(train m)\n"},
        {"", ""},
        {"\n\n# nothing\n", ""},
    };
    for (size_t i = 0; i < PAIR_COUNT(pairs); i++)
        assert_string_equal(file_structure(*state, pairs[i].text), pairs[i].expected);
}

static const char *body_structure(Fixture *fixture, const char *statements) {
    return file_structure(fixture, arena_printf(fixture->arena, "model m {\n%s\n}\n", statements));
}

static void statements_have_their_parts(void **state) {
    static const Pair pairs[] = {
        {"y = 1", "(assign y 1)"},
        {"y[..., i, j in 0..3] = 1", "(equation y {... i j 0 3} 1)"},
        {"p <- p - 1", "(update p (- p 1))"},
        {"param W: real[N, K] = zeros", "(param W <real [ N K]> zeros)"},
        {"state v: real like p = zeros", "(state v <real like p> zeros)"},
        {"input x: real[b]", "(input x <real [ b]>)"},
        {"target t: class[b](10)", "(target t <class [ b] classes 10>)"},
        {"output y", "(output y)"},
        {"output y = 1", "(output y 1)"},
        {"loss f(y)", "(loss (call f y))"},
        {"metric f(y)", "(metric (call f y))"},
        {"metric a = f(y)", "(metric a (call f y))"},
        {"metric a", "(metric a)"},
        {"y, h, c = f(x)", "(unpack y h c (call f x))"},
        {"a, _ =\n b", "(unpack a _ b)"},
        {"return -y", "(return (neg y))"},
        {"require a > 0, \"b\"", "(require (> a 0) (list \"b\"))"},
        {"require a, \"b\",\n \"c\"", "(require a (list \"b\" \"c\"))"},
        {"warn a, \"b\", \"c\"", "(warn a (list \"b\" \"c\"))"},
        {"for i in 0..n { }", "(for i 0 n do{ })"},
        {"if a { } else if b { } else { }", "(if a do{ } else{ (if b do{ } else{ }) })"},
    };
    for (size_t i = 0; i < PAIR_COUNT(pairs); i++) {
        Fixture *fixture = *state;
        const char *expected = arena_printf(fixture->arena, "(model m do{ %s })\n", pairs[i].expected);
        assert_string_equal(body_structure(fixture, pairs[i].text), expected);
    }
}

static void train_blocks_have_their_parts(void **state) {
    const char *text = "train m {\n"
                       "  data x, t = idx(\"a\", \"b\") scale 1/255 shift -f(1)\n"
                       "  validate x = npy(\"c\") shift 1\n"
                       "  test test = npy(\"d\") scale 2\n"
                       "  split validate = 0.1, test = 0.2\n"
                       "  optimizer sgd(scale = 1)\n"
                       "  rate -x + 1\n"
                       "  shuffle true\n"
                       "}\n";
    assert_string_equal(file_structure(*state, text),
                        "(train m"
                        " (data data x t (call idx \"a\" \"b\") scale (/ 1 255) shift (neg (call f 1)))"
                        " (validate validate x (call npy \"c\") shift 1)"
                        " (test test test (call npy \"d\") scale 2)"
                        " (setting split validate=0.1 test=0.2)"
                        " (setting optimizer (call sgd scale=1))"
                        " (setting rate (+ (neg x) 1))"
                        " (setting shuffle true))\n");
}

/* `data`, `test`, `scale` ... are names elsewhere. */
static void words_of_train_blocks_are_names_elsewhere(void **state) {
    assert_string_equal(body_structure(*state, "data = scale + shift\ntest = f(validate)"),
                        "(model m do{ (assign data (+ scale shift)) (assign test (call f validate)) })\n");
}

static void documentation_stands_directly_before(void **state) {
    static const Pair pairs[] = {
        {"## one\ndim n = 3", "(dim n doc \"one\" 3)\n"},
        {"##one\n##   two  \r\n##\ndim n = 3", "(dim n doc \"one\n  two\n\" 3)\n"},
        {"# one\ndim n = 3", "(dim n 3)\n"},
        {"## one\n\ndim n = 3", "(dim n 3)\n"},
        {"## one\n# two\ndim n = 3", "(dim n 3)\n"},
        {"dim m = 1 ## one\ndim n = 3", "(dim m 1)\n(dim n 3)\n"},
        {"  ## one\n  dim n = 3", "(dim n doc \"one\" 3)\n"},
    };
    for (size_t i = 0; i < PAIR_COUNT(pairs); i++)
        assert_string_equal(file_structure(*state, pairs[i].text), pairs[i].expected);
}

/* ---- lines ---- */

static void statements_go_on_over_lines(void **state) {
    static const char *const texts[] = {
        "y = a + b",    "y = (a\n+ b)",      "y = (\n\na + # remark\n b\n)", "y =\na + b",          "y = a +\n\nb",
        "y = a\n  + b", "\n\ny = a + b\n\n", "y = a + b # remark",           "# remark\ny = a + b", "y = a\r\n + b\r\n",
        "\ty\t=\ta+b",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_string_equal(body_structure(*state, texts[i]), "(model m do{ (assign y (+ a b)) })\n");
    assert_string_equal(body_structure(*state, "y = x\n  # remark\n\n  |> f(\n1,\n2)\n |> g\nz = 1"),
                        "(model m do{ (assign y (call| g (call| f x 1 2))) (assign z 1) })\n");
    assert_string_equal(body_structure(*state, "y = if a\nthen b\nelse c"), "(model m do{ (assign y (if a b c)) })\n");
    assert_string_equal(file_structure(*state, "fn f(x,\n y)\n{\nreturn x }"),
                        "(fn f (param x) (param y) do{ (return x) })\n");
}

static void blocks_may_stand_on_one_line(void **state) {
    const char *expected = "(model m do{ (if a do{ (assign y 1) } else{ (assign y 2) }) (assign z 3) })\n";
    static const char *const texts[] = {
        "if a { y = 1 } else { y = 2 }\nz = 3",
        "if a {\n y = 1\n}\nelse {\n y = 2\n}\nz = 3",
        "if a\n{\n y = 1\n}\nelse\n{\n y = 2\n}\n\nz = 3",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_string_equal(body_structure(*state, texts[i]), expected);
}

/* ---- places ---- */

static void assert_place(const char *text, Place place, const char *expected) {
    assert_int_equal(place.end - place.start, strlen(expected));
    assert_memory_equal(text + place.start, expected, place.end - place.start);
}

static void places_cover_what_they_name(void **state) {
    const char *text = "fn f(x: real[N]) = (1 + x) * 2 |> g(3)\n";
    const AstDecl *decl = parse(*state, text)->decls[0];
    assert_place(text, decl->place, "fn f(x: real[N]) = (1 + x) * 2 |> g(3)");
    assert_place(text, decl->name.place, "f");
    assert_place(text, decl->params[0].type->place, "real[N]");
    assert_place(text, decl->value->place, "g(3)");
    const AstExpr *product = decl->value->call.args[0].value;
    assert_place(text, product->place, "(1 + x) * 2");
    assert_place(text, product->binary.left->place, "1 + x");
}

static void a_byte_order_mark_is_skipped(void **state) {
    const AstFile *file = parse(*state, "\xEF\xBB\xBF"
                                        "dim n = 3\n");
    assert_int_equal(file->decls[0]->place.start, 3);
}

/* ---- faults ---- */

static void faults_do_not_hide_later_ones(void **state) {
    const char *text = "dim = 3\n"
                       "fn f(x) = )\n"
                       "layer g(x) {\n"
                       "  y = (x\n"
                       "  return 1 +\n"
                       "}\n"
                       "model m {\n"
                       "  y x\n"
                       "  for i in 0..3 { z = * }\n"
                       "  if a { y = }\n"
                       "}\n"
                       "train m {\n"
                       "  epochs\n"
                       "  seed 1 2\n"
                       "}\n";
    assert_int_equal(count_errors(*state, text), 9);
}

static void what_is_right_is_kept_beside_faults(void **state) {
    Diag diag;
    const AstFile *file = parse_with(*state, "dim n = 3\ndim = 4\nlayer f(x) {\n  y = ]\n  return x\n}\n", &diag);
    assert_int_equal(diag.errors, 2);
    Text *out = text_new(((Fixture *)*state)->arena);
    structure_file(file, out);
    assert_string_equal(text_get(out), "(dim n 3)\n(layer f (param x) do{ (return x) })\n");
}

static void any_byte_is_read_or_refused(void **state) {
    Fixture *fixture = *state;
    for (int byte = 1; byte < 256; byte++) {
        char text[] = {(char)byte, '\0'};
        int errors = count_errors(fixture, text);
        bool is_blank = strchr(" \t\r\n\f\v#", byte) != NULL;
        assert_int_equal(errors > 0, !is_blank);
    }
}

static const char *repeat(Arena *arena, const char *head, const char *piece, int count, const char *middle,
                          const char *closing, const char *tail) {
    Text *text = text_new(arena);
    text_add(text, head);
    for (int i = 0; i < count; i++)
        text_add(text, piece);
    text_add(text, middle);
    for (int i = 0; i < count; i++)
        text_add(text, closing);
    text_add(text, tail);
    return text_get(text);
}

static void depth_is_limited(void **state) {
    static const struct {
        const char *head, *piece, *middle, *closing, *tail;
        int leaf; /* levels besides the repeated ones */
    } forms[] = {
        {"const c = ", "-", "x", "", "\n", 1},
        {"const c = ", "x + ", "x", "", "\n", 1},
        {"const c = ", "x ^ ", "x", "", "\n", 1},
        {"const c = x", "", "", " |> f", "\n", 1},
        {"const c = x", "[i]", "", "", "\n", 1},
        {"const c = ", "f(1, ", "x", ")", "\n", 1},
        {"const c = ", "[", "x", "]", "\n", 1},
        {"const c = ", "sum(k) ", "x", "", "\n", 1},
        {"const c = ", "if x then y else ", "x", "", "\n", 1},
        {"model m {\n", "for i in 0..1 {\n", "y = 1\n", "}\n", "}\n", 1},
    };
    Fixture *fixture = *state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        for (int excess = 0; excess <= 1; excess++) {
            int count = AST_DEPTH_LIMIT - forms[i].leaf + excess;
            const char *text = repeat(fixture->arena, forms[i].head, forms[i].piece, count, forms[i].middle,
                                      forms[i].closing, forms[i].tail);
            assert_int_equal(count_errors(fixture, text), excess);
            if (!excess)
                assert_round_trip(fixture, text);
        }
        const char *endless = repeat(fixture->arena, forms[i].head, forms[i].piece, 20000, forms[i].middle,
                                     forms[i].closing, forms[i].tail);
        assert_int_equal(count_errors(fixture, endless), 1);
    }
}

static void a_million_brackets_are_no_danger(void **state) {
    Fixture *fixture = *state;
    assert_int_equal(count_errors(fixture, repeat(fixture->arena, "const c = ", "(", 1000000, "x", ")", "\n")), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(operators_bind_as_the_manual_says),
        TEST(pipes_are_calls),
        TEST(reductions_take_the_product_to_their_right),
        TEST(brackets_hold_lists_and_indices),
        TEST(numbers_keep_their_value_and_their_kind),
        TEST(ranges_are_not_numbers_with_points),
        TEST(texts_are_unescaped),
        TEST(declarations_have_their_parts),
        TEST(statements_have_their_parts),
        TEST(train_blocks_have_their_parts),
        TEST(words_of_train_blocks_are_names_elsewhere),
        TEST(documentation_stands_directly_before),
        TEST(statements_go_on_over_lines),
        TEST(blocks_may_stand_on_one_line),
        TEST(places_cover_what_they_name),
        TEST(a_byte_order_mark_is_skipped),
        TEST(faults_do_not_hide_later_ones),
        TEST(what_is_right_is_kept_beside_faults),
        TEST(any_byte_is_read_or_refused),
        TEST(depth_is_limited),
        TEST(a_million_brackets_are_no_danger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
