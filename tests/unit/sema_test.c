/* Lowering: what the graph and the recipe say that the texts of golden dumps cannot show well: random values, the training data, options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>
#include "diff/differentiate.h"
#include "ir/graph_check.h"
#include "ir/graph_eval.h"
#include "sema/sema.h"
#include "syntax/parse.h"
#include "syntax/prelude.h"

typedef struct Lowered {
    Arena *arena;
    Graph *graph;
    Recipe *recipe;
    char *messages;
    bool good;
} Lowered;

static Lowered lower_with(const char *text, SemaOptions options) {
    Lowered l = {.arena = arena_new((ArenaFailure){0})};
    size_t size = 0;
    FILE *out = open_memstream(&l.messages, &size);
    Diag diag = {.out = out};
    const AstFile *prelude = prelude_parse(l.arena, &diag);
    const AstFile *file = parse_source(l.arena, source_from_text(l.arena, "test.nn", text, strlen(text)), &diag);
    l.good = diag.errors == 0 && sema_lower(l.arena, prelude, file, &options, &diag, &l.graph, &l.recipe);
    fclose(out);
    return l;
}

static Lowered lower(const char *text) {
    Lowered l = lower_with(text, (SemaOptions){.real_is_double = true});
    if (!l.good)
        fail_msg("%s", l.messages);
    graph_check(l.graph, "sema", false);
    return l;
}

static void lowered_free(Lowered *l) {
    free(l->messages);
    arena_free(l->arena);
}

static const Node *output_of(const Graph *g, EntryKind kind, OutputRole role, const char *name) {
    const Entry *entry = &g->entries[kind];
    for (size_t i = 0; i < entry->outputs.count; i++) {
        const GraphOutput *output = &entry->outputs.at[i];
        if (output->role == role && strcmp(output->name, name) == 0)
            return output->value;
    }
    fail_msg("no output `%s`", name);
    return NULL;
}

/* ---- random values ---- */

typedef struct Moments {
    double low, high, mean, deviation;
} Moments;

static Moments moments_of(const double *values, int64_t count) {
    Moments m = {INFINITY, -INFINITY, 0.0, 0.0};
    for (int64_t i = 0; i < count; i++) {
        m.low = fmin(m.low, values[i]);
        m.high = fmax(m.high, values[i]);
        m.mean += values[i] / (double)count;
    }
    for (int64_t i = 0; i < count; i++)
        m.deviation += (values[i] - m.mean) * (values[i] - m.mean) / (double)count;
    m.deviation = sqrt(m.deviation);
    return m;
}

/* The moments of real[50, 20, 10] after this initialiser: 10000 values. */
static Moments moments_of_init(const char *init) {
    char text[512];
    snprintf(text, sizeof text,
             "model m {\n  input x: real[4, 10]\n  param w: real[50, 20, 10] = %s\n"
             "  y[b, o] = sum(c, k) w[o, c, k] * x[b, k]\n  output y\n}\n",
             init);
    Lowered l = lower(text);
    Evaluation *e = evaluation_new(l.arena, l.graph, 4, 7, 0, 1);
    const Node *node = output_of(l.graph, ENTRY_INIT, OUTPUT_INIT, "w");
    Moments m = moments_of(evaluation_value(e, node), evaluation_count(e, node));
    lowered_free(&l);
    return m;
}

static void check_uniform(const char *init, double low, double high) {
    Moments m = moments_of_init(init);
    double width = high - low;
    assert_true(m.low >= low && m.low < low + 0.01 * width);
    assert_true(m.high <= high && m.high > high - 0.01 * width);
    assert_true(fabs(m.mean - (low + high) / 2) < 0.015 * width);
    assert_true(fabs(m.deviation - width / sqrt(12)) < 0.01 * width);
}

static void check_normal(const char *init, double mean, double deviation) {
    Moments m = moments_of_init(init);
    assert_true(fabs(m.mean - mean) < 0.05 * deviation);
    assert_true(fabs(m.deviation - deviation) < 0.03 * deviation);
    assert_true(m.high > mean + 3 * deviation && m.low < mean - 3 * deviation);
    assert_true(m.high < mean + 6 * deviation && m.low > mean - 6 * deviation);
}

/* Of real[50, 20, 10]: 200 inputs of one output, 500 outputs of one input. */
static void test_initializers(void **state) {
    (void)state;
    check_uniform("uniform()", 0, 1);
    check_uniform("uniform(low = -3, high = 5)", -3, 5);
    check_uniform("xavier_uniform()", -sqrt(6.0 / 700), sqrt(6.0 / 700));
    check_uniform("xavier_uniform(gain = 2, fan_in = 1, fan_out = 5)", -2, 2);
    check_uniform("kaiming_uniform()", -sqrt(6.0 / 200), sqrt(6.0 / 200));
    check_uniform("kaiming_uniform(slope = sqrt(5))", -sqrt(1.0 / 200), sqrt(1.0 / 200));
    check_uniform("lecun_uniform()", -sqrt(3.0 / 200), sqrt(3.0 / 200));
    check_normal("normal()", 0, 1);
    check_normal("normal(mean = 5, std = 0.1)", 5, 0.1);
    check_normal("xavier_normal()", 0, sqrt(2.0 / 700));
    check_normal("kaiming_normal(fan_in = 8)", 0, 0.5);
    check_normal("lecun_normal()", 0, sqrt(1.0 / 200));
}

static void test_constant_initializers(void **state) {
    (void)state;
    static const struct {
        const char *init;
        double value;
    } constants[] = {{"zeros", 0}, {"ones", 1}, {"constant(value = -0.5)", -0.5}, {"0.25", 0.25}};
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        Moments m = moments_of_init(constants[i].init);
        assert_true(m.low == constants[i].value && m.high == constants[i].value);
    }
}

/* Every parameter has random bits of its own, the same for the same seed. */
static void test_streams_of_parameters(void **state) {
    (void)state;
    Lowered l = lower("model m {\n  input x: real[4, 3]\n  param a: real[3] = uniform()\n"
                      "  param b: real[3] = uniform()\n  output y = x * a * b\n}\n");
    Evaluation *first = evaluation_new(l.arena, l.graph, 4, 1, 0, 1);
    Evaluation *again = evaluation_new(l.arena, l.graph, 4, 1, 0, 1);
    Evaluation *other = evaluation_new(l.arena, l.graph, 4, 2, 0, 1);
    const Node *a = output_of(l.graph, ENTRY_INIT, OUTPUT_INIT, "a");
    const Node *b = output_of(l.graph, ENTRY_INIT, OUTPUT_INIT, "b");
    const double *values = evaluation_value(first, a);
    assert_true(values[0] != evaluation_value(first, b)[0]);
    assert_true(values[0] == evaluation_value(again, a)[0]);
    assert_true(values[0] != evaluation_value(other, a)[0]);
    assert_true(values[0] != values[1]);
    lowered_free(&l);
}

static const char dropout_text[] = "dim batch <= 2000\n"
                                   "model m {\n"
                                   "  input x: real[batch, 5]\n"
                                   "  param w: real[5] = ones\n"
                                   "  h = dropout(x, 0.3)\n"
                                   "  output y = w * h\n"
                                   "  loss mean(w * h)\n"
                                   "}\n"
                                   "train m {\n  optimizer sgd()\n  rate 1\n}\n";

/* The gradient of the mean of w * h with respect to w is the mean of h over the samples, divided by 5. */
static void test_dropout(void **state) {
    (void)state;
    enum { SAMPLES = 2000 };
    Lowered l = lower(dropout_text);
    differentiate(l.graph);
    double *x = arena_array(l.arena, double, 5 * SAMPLES);
    const double w[5] = {1, 1, 1, 1, 1};
    for (int i = 0; i < 5 * SAMPLES; i++)
        x[i] = 1.0;
    double gradient[2] = {0, 0};
    for (int step = 0; step < 2; step++) {
        Evaluation *e = evaluation_new(l.arena, l.graph, SAMPLES, 1, step, 2);
        evaluation_bind(e, l.graph->inputs.at[0], x);
        evaluation_bind(e, l.graph->params.at[0], w);
        const double *g = evaluation_value(e, output_of(l.graph, ENTRY_GRADIENT, OUTPUT_GRADIENT, "w"));
        for (int k = 0; k < 5; k++)
            assert_true(fabs(5 * g[k] - 1) < 0.06); /* kept ones are divided by 0.7 */
        gradient[step] = g[0];
        const double *update = evaluation_value(e, output_of(l.graph, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, "w"));
        assert_true(fabs(update[0] - (1 - g[0])) < 1e-12); /* the training step drops the same ones */
        const double *y = evaluation_value(e, output_of(l.graph, ENTRY_PREDICT, OUTPUT_RESULT, "y"));
        assert_true(y[0] == 1.0 && y[1] == 1.0 && y[2] == 1.0);
    }
    assert_true(gradient[0] != gradient[1]); /* a new mask in every step */
    lowered_free(&l);
}

/* ---- the recipe ---- */

static void test_recipe(void **state) {
    (void)state;
    Lowered l = lower("dim batch <= 4\n"
                      "model m {\n"
                      "  input x: real[batch, 2]\n  target t: class[batch](3)\n"
                      "  logits = x |> dense(3)\n  output p = softmax(logits)\n"
                      "  loss cross_entropy(logits, t)\n"
                      "}\n"
                      "train m {\n"
                      "  data x, t = csv(\"a.csv\", t = \"kind\", x = [\"u\", \"v\"]) scale 2/4 shift -1\n"
                      "  validate x = normal(1, 2, 50, 9)\n  validate t = npy(\"t.npy\")\n"
                      "  split test = 0.25\n  optimizer sgd\n  rate 0.1\n  epochs 7\n  seed 11\n"
                      "  patience 2\n  shuffle false\n"
                      "}\n");
    const Recipe *r = l.recipe;
    assert_true(r->present);
    assert_int_equal(r->data.count, 2);
    assert_string_equal(r->data.at[0].field, "x");
    assert_int_equal(r->data.at[0].kind, RECIPE_CSV);
    assert_int_equal(r->data.at[0].columns.count, 2);
    assert_string_equal(r->data.at[0].columns.at[1], "v");
    assert_string_equal(r->data.at[1].columns.at[0], "kind");
    assert_true(r->data.at[0].scale == 0.5 && r->data.at[0].shift == -1.0);
    assert_int_equal(r->validate.count, 2);
    assert_int_equal(r->validate.at[0].kind, RECIPE_NORMAL);
    assert_true(r->validate.at[0].low == 1.0 && r->validate.at[0].high == 2.0);
    assert_int_equal(r->validate.at[0].count, 50);
    assert_int_equal(r->validate.at[0].seed, 9);
    assert_string_equal(r->validate.at[1].path, "t.npy");
    assert_true(r->test_fraction == 0.25 && r->validate_fraction == 0.0);
    assert_int_equal(r->epochs, 7);
    assert_int_equal(r->seed, 11);
    assert_int_equal(r->patience, 2);
    assert_false(r->shuffle);
    lowered_free(&l);
}

static void test_recipe_defaults(void **state) {
    (void)state;
    Lowered l = lower("model m {\n  input x: real[4, 2]\n  output y = x |> dense(1)\n  loss mean(y^2)\n}\n"
                      "train m {\n  optimizer adam\n  rate 0.1\n}\n");
    assert_int_equal(l.recipe->data.count, 0);
    assert_int_equal(l.recipe->epochs, 1);
    assert_int_equal(l.recipe->seed, 0);
    assert_int_equal(l.recipe->patience, 0);
    assert_true(l.recipe->shuffle);
    lowered_free(&l);
}

/* ---- entries, inputs and options ---- */

static const char plain_text[] = "dim batch <= 8\ndim width = 3\n"
                                 "model m {\n"
                                 "  target t: real[batch, 1]\n  input x: real[batch, width]\n"
                                 "  input z: index[batch](5)\n"
                                 "  output y = x |> dense(1)\n  loss mse(y, t)\n"
                                 "}\n"
                                 "train m {\n  optimizer sgd\n  rate 0.1\n}\n";

static void test_inputs_before_targets(void **state) {
    (void)state;
    Lowered l = lower(plain_text);
    const Graph *g = l.graph;
    assert_int_equal(g->inputs.count, 3);
    assert_string_equal(g->inputs.at[0]->origin.name, "x");
    assert_string_equal(g->inputs.at[1]->origin.name, "z");
    assert_string_equal(g->inputs.at[2]->origin.name, "t");
    for (int i = 0; i < 3; i++)
        assert_int_equal(g->inputs.at[i]->leaf.ordinal, i);
    assert_int_equal(g->inputs.at[1]->leaf.classes, 5);
    assert_true(g->inputs.at[2]->leaf.is_target);
    assert_int_equal(g->batch.size, 8);
    assert_int_equal(g->batch.per_sample, 1);
    assert_string_equal(g->batch_name, "batch");
    lowered_free(&l);
}

static void test_overrides(void **state) {
    (void)state;
    DimOverride dims[] = {{"width", 5, false}, {"batch", 2, false}, {"width", 6, false}};
    Lowered l = lower_with(plain_text, (SemaOptions){.dims = dims, .dim_count = 3});
    assert_true(l.good);
    assert_int_equal(l.graph->batch.size, 2);
    assert_int_equal(l.graph->params.at[0]->shape[1].size, 6); /* the last one counts */
    assert_true(dims[0].used && dims[1].used && dims[2].used);
    lowered_free(&l);
}

static void test_no_train(void **state) {
    (void)state;
    Lowered l = lower_with(plain_text, (SemaOptions){.left_out = ENTRIES_TRAINING});
    assert_true(l.good);
    assert_true(l.graph->entries[ENTRY_PREDICT].present);
    assert_true(l.graph->entries[ENTRY_INIT].present);
    static const EntryKind absent[] = {ENTRY_LOSS, ENTRY_GRADIENT, ENTRY_TRAIN_STEP, ENTRY_STATE_INIT};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_false(l.graph->entries[absent[i]].present);
        assert_int_equal(l.graph->entries[absent[i]].outputs.count, 0);
    }
    assert_int_equal(l.graph->states.count, 0);
    lowered_free(&l);
}

static void test_without_train_block(void **state) {
    (void)state;
    Lowered l = lower("model m {\n  input x: real[4, 2]\n  output y = x |> dense(1)\n  loss mean(y^2)\n}\n");
    assert_false(l.recipe->present);
    assert_true(l.graph->entries[ENTRY_GRADIENT].present);
    assert_false(l.graph->entries[ENTRY_TRAIN_STEP].present);
    lowered_free(&l);
}

/* ---- warnings ---- */

static void check_warning(const char *text, const char *warning) {
    Lowered l = lower(text);
    if (strstr(l.messages, warning) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", warning, l.messages);
    lowered_free(&l);
}

static void test_warnings(void **state) {
    (void)state;
    check_warning("layer l(x) {\n  param a: real = 0\n  return x\n}\n"
                  "model m {\n  input x: real[4, 2]\n  output y = x |> l |> l |> l\n}\n",
                  "test.nn:2:3: warning: the parameter `l_1.a` is never used\n"
                  "    2 |   param a: real = 0\n"
                  "      |   ^~~~~~~~~~~~~~~~~\n"
                  "note: nor are 2 others declared here\n");
    check_warning("model m {\n  input x: real[4, 2]\n  y = x |> dense(1)\n  output x2 = 2 * x\n}\n",
                  "note: nor is 1 other declared here\n");
    check_warning("model m {\n  input x: real[4, 2]\n  y = x^2\n  output g = grad(y, 2 * x)\n}\n",
                  "test.nn:4:14: warning: `y` does not depend on `2 * x`: the derivative is 0 everywhere\n");
    check_warning("model m {\n  input x: real[4, 2]\n  output y = x\n  loss mean(x)\n}\n",
                  "test.nn:1:7: warning: the loss depends on no parameter: nothing is trained\n");
    check_warning("model m {\n  input x: real[4, 2]\n  input z: real[4]\n  output y = x |> dense(1)\n}\n",
                  "test.nn:3:3: warning: the input `z` is never used\n");
    check_warning(
        "model m {\n  input x: real[4, 2]\n  target t: real[4]\n  output y = x |> dense(1)\n  loss mean(y)\n}\n",
        "test.nn:3:3: warning: the target `t` is never used\n");
}

#define CLASSIFIER(LINES)                                                                                              \
    "model m {\n  input x: real[8, 5]\n  target t: class[8](4)\n  target u: real[8, 4]\n  logits = x |> dense(4)\n"    \
    "  output p = softmax(logits)\n  loss mean((p - u)^2)\n  loss cross_entropy(logits, t)\n" LINES "}\n"

static void check_silence(const char *text) {
    Lowered l = lower(text);
    assert_string_equal(l.messages, "");
    lowered_free(&l);
}

/* Probabilities where logits are wanted: place, cause and remedy, once although the model runs twice. */
static void test_probabilities_for_logits(void **state) {
    (void)state;
    Lowered l = lower(CLASSIFIER("  loss cross_entropy(p, t)\n"));
    assert_string_equal(
        l.messages,
        "test.nn:9:8: warning: cross_entropy() wants logits, any numbers, but these lie between 0 and 1, as "
        "probabilities do: it applies the softmax itself, and a second one keeps the loss from becoming small\n"
        "    9 |   loss cross_entropy(p, t)\n"
        "      |        ^~~~~~~~~~~~~~~~~~~\n"
        "note: `p` comes from `output p = softmax(logits)` (test.nn:6:3)\n"
        "help: give it what stands before the softmax; the probabilities can be an output beside it: `output "
        "p = softmax(logits)`\n");
    lowered_free(&l);
    const char *second = "test.nn:9:8: warning: binary_cross_entropy_with_logits() wants logits";
    check_warning(CLASSIFIER("  loss binary_cross_entropy_with_logits(sigmoid(logits), u)\n"), second);
    check_warning(CLASSIFIER("  loss binary_cross_entropy_with_logits(1 / (1 + exp(-logits)), u)\n"), second);
    check_warning(
        CLASSIFIER(
            "  e = exp(logits)\n  s[b] = sum(k) e[b, k]\n  q[b, k] = e[b, k] / s[b]\n  loss cross_entropy(q, t)\n"),
        "test.nn:12:8: warning: cross_entropy() wants logits");
    check_warning(CLASSIFIER("  loss cross_entropy_one_hot(p, u)\n"), "warning: cross_entropy_one_hot() wants logits");
    check_warning(CLASSIFIER("  loss kl_divergence(p, u)\n"),
                  "warning: kl_divergence() wants logarithms of probabilities");
}

static void test_logits_are_silent(void **state) {
    (void)state;
    check_silence(CLASSIFIER("  loss cross_entropy(relu(logits), t)\n"));
    check_silence(CLASSIFIER("  loss cross_entropy(tanh(logits), t)\n"));
    check_silence(CLASSIFIER("  loss cross_entropy(5 * p, t)\n"));
    check_silence(CLASSIFIER("  loss cross_entropy(p - 0.5, t)\n"));
    check_silence(CLASSIFIER("  loss cross_entropy(log_softmax(logits), t)\n"));
    check_silence(CLASSIFIER("  loss cross_entropy(log(p), t)\n"));
    check_silence(CLASSIFIER("  loss binary_cross_entropy(sigmoid(logits), u)\n"));
    check_silence(CLASSIFIER("  loss kl_divergence(log(p), u)\n"));
}

/* The model is run twice, and has its rounds each time; integers become reals where they meet them. */
static void test_limits_and_kinds(void **state) {
    (void)state;
    Lowered l = lower("dim batch <= 8\n"
                      "model m {\n"
                      "  input  x: real[batch, 2]\n"
                      "  target t: real[batch, 5]\n"
                      "  for i in 0..100000 {\n    a = i\n  }\n"
                      "  h[b in 0..batch, u in 0..3] = 0\n"
                      "  output y = concat(dense(x, 2), h, axis = 1)\n"
                      "  loss   mse(y, t)\n"
                      "}\n");
    assert_int_equal(output_of(l.graph, ENTRY_PREDICT, OUTPUT_RESULT, "y")->type, TYPE_REAL);
    lowered_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initializers),
        cmocka_unit_test(test_constant_initializers),
        cmocka_unit_test(test_streams_of_parameters),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_recipe),
        cmocka_unit_test(test_recipe_defaults),
        cmocka_unit_test(test_inputs_before_targets),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_no_train),
        cmocka_unit_test(test_without_train_block),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_probabilities_for_logits),
        cmocka_unit_test(test_logits_are_silent),
        cmocka_unit_test(test_limits_and_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
