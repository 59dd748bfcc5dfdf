/* Models in the language: every activation, layer and loss of the prelude, derivatives inside a loss. With paths as arguments: these
 * files instead, which is how the examples are checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/output.h"
#include "check.h"
#include "diff/differentiate.h"
#include "ir/cost.h"
#include "opt/opt.h"
#include "sema/sema.h"
#include "syntax/parse.h"
#include "syntax/prelude.h"

typedef struct Model {
    const char *name, *body;
} Model;

/* `w` makes the loss depend on a parameter. */
#define ROWS "input data: real[batch, 5]\nparam w: real = constant(value = 1.1)\nx = w * data\n"
#define IMAGE "input data: real[batch, 4, 6, 6]\nparam w: real = constant(value = 1.1)\nx = w * data\n"
#define STEPS "input data: real[batch, 3, 4]\nparam w: real = constant(value = 1.1)\nx = w * data\n"
#define SCALAR(f)                                                                                                      \
    { #f, ROWS "loss mean(x * " #f "(1.5 * x))" }
#define TARGETS ROWS "target t: real[batch, 5]\n"
#define CLASSES ROWS "target c: class[batch](5)\n"

static const Model models[] = {
    /* activations */
    SCALAR(relu),
    SCALAR(leaky_relu),
    SCALAR(elu),
    SCALAR(selu),
    SCALAR(swish),
    SCALAR(gelu),
    SCALAR(softplus),
    SCALAR(log_sigmoid),
    SCALAR(square),
    SCALAR(tan),
    SCALAR(sinh),
    SCALAR(cosh),
    {"softmax", ROWS "loss mean(x * softmax(2 * x))"},
    {"log_softmax", ROWS "loss mean(x * log_softmax(2 * x))"},
    {"learned swish", ROWS "param beta: real = constant(value = 0.7)\nloss mean(x * swish(x, beta = beta))"},
    /* layers */
    {"dense", ROWS "loss mean(square(x |> dense(4) |> tanh |> dense(3)))"},
    {"dense bare", ROWS "loss mean(square(dense(x, 3, bias = false)))"},
    {"shared dense", ROWS "a = dense(5)\nloss mean(square(a(tanh(a(x)))))"},
    {"conv2d", IMAGE "loss mean(square(tanh(conv2d(x, 3, kernel = 3))))"},
    {"conv2d padded", IMAGE "loss mean(square(conv2d(x, 2, kernel = 3, pad = 1)))"},
    {"conv2d strided", IMAGE "loss mean(square(conv2d(x, 2, kernel = 3, stride = 2, pad = 1)))"},
    {"conv2d dilated", IMAGE "loss mean(square(conv2d(x, 2, kernel = 2, dilation = 2, pad = 1)))"},
    {"conv2d strided and dilated", IMAGE "loss mean(square(conv2d(x, 2, kernel = 2, stride = 2, dilation = 3)))"},
    {"conv2d groups", IMAGE "loss mean(square(conv2d(x, 4, kernel = 3, groups = 2)))"},
    {"conv2d depthwise", IMAGE "loss mean(square(conv2d(x, 4, kernel = 3, pad = 1, groups = 4)))"},
    {"conv2d pointwise", IMAGE "loss mean(square(conv2d(x, 2, kernel = 1)))"},
    {"max_pool2d", IMAGE "loss mean(square(max_pool2d(x, 2)))"},
    {"max_pool2d overlapping", IMAGE "loss mean(square(max_pool2d(x, 3, stride = 2, pad = 1)))"},
    {"avg_pool2d", IMAGE "loss mean(square(avg_pool2d(x, 2)))"},
    {"avg_pool2d overlapping", IMAGE "loss mean(square(avg_pool2d(x, 3, stride = 2, pad = 1)))"},
    {"global_avg_pool2d", IMAGE "loss mean(square(global_avg_pool2d(x)))"},
    {"global_max_pool2d", IMAGE "loss mean(square(global_max_pool2d(x)))"},
    {"layer_norm", STEPS "loss mean(x * layer_norm(sin(x)))"},
    {"layer_norm bare", ROWS "loss mean(x * layer_norm(x, affine = false))"},
    {"rms_norm", STEPS "loss mean(x * rms_norm(x))"},
    {"group_norm", IMAGE "loss mean(x * group_norm(x, 2))"},
    {"instance_norm2d", IMAGE "loss mean(x * instance_norm2d(x, affine = true))"},
    {"conv1d", STEPS "loss mean(square(tanh(conv1d(x, 3, kernel = 2))))"},
    {"conv1d strided and dilated",
     STEPS "loss mean(square(conv1d(x, 2, kernel = 2, stride = 2, dilation = 2, pad = 1)))"},
    {"conv1d groups", IMAGE "s = reshape(x, [..., 36])\nloss mean(square(conv1d(s, 4, kernel = 3, groups = 2)))"},
    {"conv_transpose2d", IMAGE "loss mean(square(tanh(conv_transpose2d(x, 2, kernel = 3))))"},
    {"conv_transpose2d strided", IMAGE "loss mean(square(conv_transpose2d(x, 2, kernel = 4, stride = 2, pad = 1)))"},
    {"conv_transpose2d sizes", IMAGE
     "loss mean(square(conv_transpose2d(x, 2, kernel = [2, 3], stride = [3, 2], pad = 1, output_padding = [2, 1])))"},
    {"max_pool1d", STEPS "loss mean(square(max_pool1d(x, 2)))"},
    {"avg_pool1d", STEPS "loss mean(square(avg_pool1d(x, 3, stride = 2, pad = 1)))"},
    {"upsample_nearest2d", IMAGE "loss mean(square(upsample_nearest2d(sin(x), [2, 3])))"},
    {"pad2d", IMAGE "loss mean(square(pad2d(x, [1, 0], after = 2, value = 0.5) - 0.25))"},
    {"scaled_dot_product_attention", STEPS "loss mean(x * scaled_dot_product_attention(x, sin(2 * x), cos(x)))"},
    {"scaled_dot_product_attention causal",
     STEPS "loss mean(x * scaled_dot_product_attention(x, sin(2 * x), cos(x), causal = true))"},
    {"multi_head_attention", STEPS "loss mean(square(multi_head_attention(x, 2)))"},
    {"multi_head_attention causal", STEPS "loss mean(square(multi_head_attention(x, 2, causal = true, bias = false)))"},
    {"lstm", STEPS "loss mean(square(lstm(x, 3)))"},
    {"lstm bare", STEPS "loss mean(square(lstm(x, 3, bias = false)))"},
    {"lstm with states",
     STEPS "s[b, k in 0..3] = x[b, 0, k]\ny, h, c = lstm(x, 3, h0 = sin(s), c0 = s, return_state = true)\n"
           "loss mean(square(y)) + mean(h * c)"},
    {"gru", STEPS "loss mean(square(gru(x, 3)))"},
    {"gru bare", STEPS "loss mean(square(gru(x, 3, bias = false)))"},
    {"gru with a state", STEPS "s[b, k in 0..3] = x[b, 0, k]\ny, h = gru(x, 3, h0 = s, return_state = true)\n"
                               "loss mean(square(y)) + mean(h * h)"},
    {"flatten", IMAGE "loss mean(square(x |> flatten |> tanh))"},
    {"batch_norm1d", ROWS "loss mean(square(tanh(batch_norm1d(x) * x)))"},
    {"batch_norm1d of steps", STEPS "loss mean(square(tanh(batch_norm1d(x, eps = 0.1) * x)))"},
    {"batch_norm2d", IMAGE "loss mean(square(tanh(batch_norm2d(x, eps = 0.1) * x)))"},
    {"batch_norm2d plain", IMAGE "loss mean(square(tanh(batch_norm2d(x, affine = false) * x)))"},
    {"dropout", ROWS "loss mean(square(tanh(dropout(x, 0.3))))"},
    {"random_normal", ROWS "loss mean(square(tanh(x + x * random_normal(x))))"},
    {"one_hot", CLASSES "loss mean(square(x * sigmoid(x) - one_hot(c)))"},
    /* losses */
    {"mse", TARGETS "loss mse(tanh(x), t)"},
    {"l1", TARGETS "loss l1(tanh(x), t)"},
    {"huber", TARGETS "loss huber(2 * x, t, delta = 0.7)"},
    {"binary_cross_entropy", TARGETS "loss binary_cross_entropy(sigmoid(x), t)"},
    {"binary_cross_entropy_with_logits", TARGETS "loss binary_cross_entropy_with_logits(3 * x, t)"},
    {"cross_entropy", CLASSES "loss cross_entropy(3 * x, c)"},
    {"weighted cross_entropy",
     CLASSES "loss cross_entropy(3 * x, c, weight = [1, 2, 0.5, 1, 3], label_smoothing = 0.1)"},
    {"cross_entropy_one_hot", TARGETS "loss cross_entropy_one_hot(3 * x, t)"},
    {"gaussian_nll", TARGETS "loss gaussian_nll(x, t, exp(x))"},
    {"gaussian_nll full", TARGETS "loss gaussian_nll(x, t, exp(x), full = true)"},
    {"logarithm of a softmax", CLASSES "loss -mean(one_hot(c) * log(softmax(2 * x)))"},
    {"logarithms of a sigmoid", TARGETS "p = sigmoid(2 * x)\nloss -mean(t * log(p) + (1 - t) * log(1 - p))"},
    {"kl_divergence", TARGETS "loss kl_divergence(log_softmax(x), t)"},
    /* derivatives inside a loss */
    {"gradient in a loss", ROWS "y = x |> dense(4) |> tanh |> dense(1)\nloss mean(square(grad(y, x)))"},
    {"curvature in a loss", ROWS "y = x |> dense(4) |> tanh\ng = grad(square(y), x)\nloss mean(square(grad(g, x)))"},
    {"direction in a loss", ROWS "y = x |> dense(4) |> tanh\nloss mean(square(jvp(y, x, x)))"},
    {"forward over reverse", ROWS "y = x |> dense(4) |> sin\nloss mean(square(jvp(grad(y, x), x, x)))"},
    /* reductions and movements of the language */
    {"prod", ROWS "p[b] = prod(k) (1.5 + x[b, k])\nloss mean(sin(p))"},
    {"min and max", ROWS "loss mean(square(max(x) - min(x) * x))"},
    {"list and stack", ROWS "l = append([x], tanh(x))\ny = stack(l, axis = 1)\nz = concat(l)\n"
                            "loss mean(square(sin(y))) + mean(z * sin(z))"},
    {"concat and reshape",
     ROWS "y = concat(x, tanh(x), axis = -1)\nloss mean(square(y |> reshape([batch, 2, 5]) |> sin))"},
};

/* An index is data: the gradient visits every element of the table for every row, so its operations are not bounded. */
static const Model gathers[] = {
    {"embedding", CLASSES "loss mean(square(embedding(c, 5) * x))"},
    {"table",
     CLASSES "param table: real[5, 5] = normal(std = 1)\ny[b, d] = table[c[b], d] * x[b, d]\nloss mean(square(y))"},
    {"computed table", ROWS "param table: real[4, 5] = normal(std = 1)\ni = to_index(2 * x + 2, 4)\n"
                            "y[b, d] = table[i[b, d], d] * x[b, d] + real(i[b, 0])\nloss mean(square(y))"},
};

enum { MODEL_COUNT = sizeof models / sizeof *models, GATHER_COUNT = sizeof gathers / sizeof *gathers };

/* ---- from text to a checked gradient ---- */

static Graph *lower(Arena *arena, const char *name, const char *text, size_t length) {
    Diag diag = {.out = stderr};
    const AstFile *prelude = prelude_parse(arena, &diag);
    const AstFile *file = parse_source(arena, source_from_text(arena, name, text, length), &diag);
    DimOverride batch = {.name = "batch", .value = 2};
    const SemaOptions options = {.dims = &batch, .dim_count = 1, .real_is_double = true};
    Graph *g = NULL;
    Recipe *recipe = NULL;
    if (diag.errors > 0 || !sema_lower(arena, prelude, file, &options, &diag, &g, &recipe))
        fail_msg("%s does not compile", name);
    return g;
}

/* The loss as it is trained; NULL: the model has none. */
static const Node *loss_of(const Graph *g) {
    const Entry *gradient = &g->entries[ENTRY_GRADIENT];
    for (size_t i = 0; i < gradient->outputs.count; i++)
        if (gradient->outputs.at[i].role == OUTPUT_LOSS)
            return gradient->outputs.at[i].value;
    return NULL;
}

/* Baur and Strassen: the loss with the gradient for all parameters costs less than 5 times the loss. */
static void check_operations(const char *name, const char *text, size_t length) {
    Arena *arena = arena_new((ArenaFailure){0});
    Graph *g = lower(arena, name, text, length);
    if (!loss_of(g)) {
        arena_free(arena);
        return;
    }
    opt_logarithms(g);
    differentiate(g);
    opt_simplify(g);
    Entry loss = {.present = true};
    GraphOutput output = {.role = OUTPUT_LOSS, .name = "loss", .value = loss_of(g)};
    vec_push(arena, &loss.outputs, output);
    double operations = (double)entry_flops(g, &loss);
    double with_gradient = (double)entry_flops(g, &g->entries[ENTRY_GRADIENT]);
    if (with_gradient > 5 * operations)
        fail_msg("%s: the gradient takes %.2f times the operations of the loss", name, with_gradient / operations);
    arena_free(arena);
}

/* A model without a loss is checked by its first output, if that may be. */
static void check_model(const char *name, const char *text, size_t length, bool needs_loss) {
    Arena *arena = arena_new((ArenaFailure){0});
    Graph *g = lower(arena, name, text, length);
    const Node *loss = loss_of(g);
    assert_true(loss || !needs_loss);
    loss = loss ? loss : g->entries[ENTRY_PREDICT].outputs.at[0].value;
    Check *c = check_of_model(arena, g);
    check_gradients(c, name, loss);
    check_free(c);
}

static const char *text_of_model(Arena *arena, const Model *model) {
    return arena_printf(arena, "dim batch <= 2\nmodel m {\n%s\noutput same = x\n}\n", model->body);
}

static void gradients_of_gather(void **state) {
    const Model *model = *state;
    Arena *arena = arena_new((ArenaFailure){0});
    const char *text = text_of_model(arena, model);
    check_model(model->name, text, strlen(text), true);
    arena_free(arena);
}

static void gradients_of_model(void **state) {
    const Model *model = *state;
    Arena *arena = arena_new((ArenaFailure){0});
    const char *text = text_of_model(arena, model);
    check_operations(model->name, text, strlen(text));
    check_model(model->name, text, strlen(text), true);
    arena_free(arena);
}

static void gradients_of_file(void **state) {
    const char *path = *state, *message = NULL;
    Arena *arena = arena_new((ArenaFailure){0});
    size_t length = 0;
    const char *text = input_read(arena, path, &length, &message);
    if (!text)
        fail_msg("%s", message);
    check_operations(path, text, length);
    check_model(path, text, length, false);
    arena_free(arena);
}

/* ---- nothing of the prelude is left out ---- */

/* Whether the name stands in the text as a word. */
static bool occurs(const char *text, const char *name) {
    const size_t length = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + 1, name)) {
        const char *word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
        bool starts = at == text || !strchr(word, at[-1]);
        if (starts && (at[length] == 0 || !strchr(word, at[length])))
            return true;
    }
    return false;
}

/* Functions of shapes and of compile-time numbers have no derivative. */
static bool has_no_derivative(const char *name) {
    static const char *const names[] = {"fan_in_of",    "fan_out_of",      "uniform_bias",  "window_bias",
                                        "window_count", "transposed_size", "class_weights", "zero_state"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void every_declaration_is_checked(void **state) {
    (void)state;
    Arena *arena = arena_new((ArenaFailure){0});
    Diag diag = {.out = stderr};
    const AstFile *prelude = prelude_parse(arena, &diag);
    for (size_t i = 0; i < prelude->count; i++) {
        const AstDecl *decl = prelude->decls[i];
        if (decl->kind != AST_FN && decl->kind != AST_LAYER && decl->kind != AST_LOSS_FN)
            continue;
        bool found = has_no_derivative(decl->name.text);
        for (int k = 0; k < MODEL_COUNT && !found; k++)
            found = occurs(models[k].body, decl->name.text);
        for (int k = 0; k < GATHER_COUNT && !found; k++)
            found = occurs(gathers[k].body, decl->name.text);
        if (!found)
            fail_msg("no model checks the gradient of %s", decl->name.text);
    }
    arena_free(arena);
}

static void add_models(struct CMUnitTest *tests, size_t *count, const Model *list, int length,
                       CMUnitTestFunction test) {
    for (int i = 0; i < length; i++)
        tests[(*count)++] = (struct CMUnitTest){list[i].name, test, NULL, NULL, (void *)(uintptr_t)&list[i]};
}

int main(int argc, char **argv) {
    struct CMUnitTest *tests = calloc((size_t)argc + MODEL_COUNT + GATHER_COUNT, sizeof *tests);
    size_t count = 0;
    for (int i = 1; i < argc; i++)
        tests[count++] = (struct CMUnitTest){argv[i], gradients_of_file, NULL, NULL, argv[i]};
    if (count == 0) {
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_declaration_is_checked);
        add_models(tests, &count, models, MODEL_COUNT, gradients_of_model);
        add_models(tests, &count, gathers, GATHER_COUNT, gradients_of_gather);
    }
    int failures = _cmocka_run_group_tests("models", tests, count, NULL, NULL);
    free(tests);
    return failures;
}
