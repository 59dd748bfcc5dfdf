/* generate: prints a valid program of the language, chosen at random from a seed.
 *
 *     generate SEED > model.nn
 *
 * The program has an input (features, a sequence, or an image), at times a second one of indices, a chain of layers and equations whose shapes are
 * tracked here, a loss, at times with derivatives in it, and an optimizer. All functions are kept inside their domains, and values moderate, so that the
 * interpreter and compiled code must agree closely. Piecewise functions are allowed: in double precision both sides take the same branch.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Generator {
    uint64_t state;
    int rank; /* axes of the current value, without the batch axis: 1 (features), 2 (time, features), 3 (channels, height, width) */
    int shape[3];
    int names;        /* values v0, v1, ... made so far */
    int words, vocab; /* of the input `w: index[batch, words](vocab)`; 0: there is none */
    bool large;       /* few statements, but sizes for which loops are tiled and operands packed */
    bool wide;        /* of these, an image that begins with convolutions of many channels, in small windows */
} Generator;

static uint64_t next_bits(Generator *g) { /* splitmix64: Steele, Lea, Flood, 2014 */
    uint64_t z = (g->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int pick(Generator *g, int low, int high) { /* both ends included */
    return low + (int)(next_bits(g) % (uint64_t)(high - low + 1));
}

static bool chance(Generator *g, int percent) {
    return pick(g, 1, 100) <= percent;
}

static const char *choose(Generator *g, const char *const *list, int count) {
    return list[pick(g, 0, count - 1)];
}

#define CHOOSE(g, list) choose((g), (list), (int)(sizeof(list) / sizeof *(list)))

/* ---- statements: each reads the last value v<k> and makes v<k+1> ---- */

static void activation(Generator *g) {
    static const char *const forms[] = {"tanh(v%d)",
                                        "sigmoid(v%d)",
                                        "log1pexp(v%d)",
                                        "relu(v%d)",
                                        "leaky_relu(v%d, slope = 0.1)",
                                        "sin(v%d)",
                                        "elu(v%d)",
                                        "selu(v%d)",
                                        "gelu(v%d)",
                                        "softplus(v%d)",
                                        "swish(v%d)",
                                        "swish(v%d, beta = 1.5)",
                                        "v%d * sigmoid(0.5 * v%d)",
                                        "if v%d > 0 then v%d else 0.2 * sin(v%d)",
                                        "abs(v%d) / (1 + abs(v%d))",
                                        "log1p(v%d^2) - erf(v%d)",
                                        "sqrt(1 + v%d * v%d)",
                                        "min(max(v%d, -1), 1.5)",
                                        "exp(-v%d^2)",
                                        "cos(2 * v%d) + expm1(0.1 * tanh(v%d))",
                                        "pow(1.5 + sin(v%d), 0.7)",
                                        "2^(-abs(v%d))",
                                        "0.5 * stop_gradient(v%d) + sin(v%d)",
                                        "if v%d > 0.5 or v%d < -0.5 then tanh(v%d) else v%d^3"};
    const char *form = CHOOSE(g, forms);
    int k = g->names - 1;
    printf("  v%d = ", g->names++);
    for (const char *c = form; *c; c++) {
        if (c[0] == '%' && c[1] == 'd') {
            printf("%d", k);
            c++;
        } else {
            putchar(*c);
        }
    }
    putchar('\n');
}

static int last(const Generator *g) {
    return g->shape[g->rank - 1];
}

static void flatten(Generator *g) {
    if (g->rank == 1)
        return;
    printf("  v%d = flatten(v%d)\n", g->names, g->names - 1);
    g->names++;
    g->shape[0] *= g->shape[1] * (g->rank == 3 ? g->shape[2] : 1);
    g->rank = 1;
}

static void dense(Generator *g) {
    static const char *const settings[] = {"",
                                           "",
                                           "",
                                           ", bias = false",
                                           ", weight_init = lecun_normal",
                                           ", weight_init = xavier_uniform, bias_init = constant(value = 0.1)"};
    int units = g->large ? pick(g, 30, 150) : pick(g, 1, 20);
    if (g->rank == 3 || chance(g, 30))
        flatten(g);
    printf("  v%d = v%d |> dense(%d%s)\n", g->names, g->names - 1, units, CHOOSE(g, settings));
    g->names++;
    g->shape[g->rank - 1] = units;
}

static int convolved(int size, int kernel, int stride, int pad, int dilation) {
    return (size + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
}

static int divisor(Generator *g, int number) {
    int d = pick(g, 1, number);
    while (number % d != 0)
        d--;
    return d;
}

/* Windows that differ along the two axes, one of every three. */
static void convolution(Generator *g) {
    int kernel[2], stride[2], dilation[2], pad[2], size[2];
    bool square = chance(g, 66);
    for (int i = 0; i < 2; i++) {
        bool same = i == 1 && square;
        kernel[i] = same ? kernel[0] : pick(g, 1, 4);
        stride[i] = same ? stride[0] : pick(g, 1, 3);
        dilation[i] = same ? dilation[0] : pick(g, 1, 2);
        pad[i] = same ? pad[0] : pick(g, 0, 2);
        size[i] = convolved(g->shape[1 + i], kernel[i], stride[i], pad[i], dilation[i]);
        if (dilation[i] * (kernel[i] - 1) >= g->shape[1 + i] + 2 * pad[i])
            return;
    }
    int groups = chance(g, 40) ? divisor(g, g->shape[0]) : 1;
    int channels = groups * pick(g, 1, groups > 2 ? 2 : g->large ? 20 : 5);
    printf("  v%d = v%d |> conv2d(%d, kernel = ", g->names, g->names - 1, channels);
    if (square) {
        printf("%d, stride = %d, pad = %d, dilation = %d", kernel[0], stride[0], pad[0], dilation[0]);
    } else {
        printf("[%d, %d], stride = [%d, %d], pad = [%d, %d], dilation = [%d, %d]", kernel[0], kernel[1], stride[0],
               stride[1], pad[0], pad[1], dilation[0], dilation[1]);
    }
    printf(", groups = %d)\n", groups);
    g->names++;
    g->shape[0] = channels;
    g->shape[1] = size[0];
    g->shape[2] = size[1];
}

/* Two or three convolutions with so many channels that their windows of 3x3 are multiplied in another basis; at times two read the same image. */
static void wide_convolutions(Generator *g) {
    static const char *const between[] = {" |> relu", " |> tanh", ""};
    int count = pick(g, 2, 3);
    for (int i = 0; i < count; i++) {
        int k = g->names - 1, channels = pick(g, 6, 10) * 4;
        bool added = i > 0 && chance(g, 40);
        channels = added ? g->shape[0] : channels;
        printf("  v%d = %s(v%d |> conv2d(%d, kernel = 3, pad = 1, bias = %s)%s)\n", g->names++, added ? "0.5 * " : "",
               k, channels, chance(g, 50) ? "true" : "false", CHOOSE(g, between));
        if (added) {
            printf("  v%d = v%d + v%d\n", g->names, g->names - 1, k);
            g->names++;
        }
        g->shape[0] = channels;
    }
}

static void pooling(Generator *g) {
    if (chance(g, 15)) {
        printf("  v%d = %s(v%d)\n", g->names, chance(g, 50) ? "global_avg_pool2d" : "global_max_pool2d", g->names - 1);
        g->names++;
        g->rank = 1;
        return;
    }
    int kernel = pick(g, 1, 3), stride = pick(g, 1, 3), pad = chance(g, 30) ? kernel / 2 : 0;
    int height = convolved(g->shape[1], kernel, stride, pad, 1), width = convolved(g->shape[2], kernel, stride, pad, 1);
    if (kernel > g->shape[1] + 2 * pad || kernel > g->shape[2] + 2 * pad)
        return;
    printf("  v%d = v%d |> %s(%d, stride = %d, pad = %d)\n", g->names, g->names - 1,
           chance(g, 50) ? "max_pool2d" : "avg_pool2d", kernel, stride, pad);
    g->names++;
    g->shape[1] = height;
    g->shape[2] = width;
}

/* An equation over the last axis: a shift with a border, a reversal, a running window. */
static void window(Generator *g) {
    int size = last(g), k = g->names - 1;
    switch (pick(g, 0, 5)) {
    case 0:
        printf("  v%d[..., i in 0..%d] = v%d[..., i] - 0.5 * v%d[..., i + %d; outside = %s]\n", g->names, size, k, k,
               pick(g, -2, 2), chance(g, 50) ? "0" : "0.25");
        break;
    case 1: printf("  v%d[..., i in 0..%d] = v%d[..., %d - i]\n", g->names, size, k, size - 1); break;
    case 2:
        printf("  v%d[..., i in 0..%d] = 0.3 * sum(j in 0..3) v%d[..., i + j - 1; outside = 0] * (j + 1)\n", g->names,
               size, k);
        break;
    case 3:
        printf("  v%d[..., i in 0..%d] = 0.2 * sum(j in 0..%d) (if j <= i then v%d[..., j] else 0)\n", g->names, size,
               size, k);
        break;
    case 4:
        printf("  v%d[..., i in 0..%d] = prod(j in 0..2) (0.5 + v%d[..., div(i, 2) + j; outside = 1])\n", g->names,
               size, k);
        break;
    default:
        printf("  v%d[..., i in 0..%d] = %s(j in 0..2) v%d[..., 2 * i + j; outside = %s]\n", g->names, (size + 1) / 2,
               chance(g, 50) ? "max" : "min", k, chance(g, 50) ? "-1" : "1");
        g->shape[g->rank - 1] = (size + 1) / 2;
        break;
    }
    g->names++;
}

/* Statistics over the last axis: normalisation, softmax; or over the samples. */
static void rows(Generator *g) {
    int k = g->names - 1;
    if (chance(g, 40)) {
        printf("  v%d = %s(v%d)\n", g->names++, chance(g, 50) ? "softmax" : "log_softmax", k);
        return;
    }
    if (g->rank == 1 && chance(g, 40)) {
        printf("  m%d[i] = mean(b) v%d[b, i]\n  s%d[i] = mean(b) (v%d[b, i] - m%d[i])^2\n", k, k, k, k, k);
        printf("  v%d[b, i] = (v%d[b, i] - m%d[i]) / sqrt(s%d[i] + 0.1)\n", g->names++, k, k, k);
        return;
    }
    if (chance(g, 25)) {
        printf("  m%d[...] = argmax(i) v%d[..., i]\n", k, k);
        printf("  v%d[..., i] = v%d[..., i] - 0.3 * v%d[..., m%d[...]]\n", g->names++, k, k, k);
        return;
    }
    printf("  m%d[...] = mean(i) v%d[..., i]\n", k, k);
    printf("  s%d[...] = mean(i) (v%d[..., i] - m%d[...])^2\n", k, k, k);
    printf("  v%d[..., i] = (v%d[..., i] - m%d[...]) / sqrt(s%d[...] + 0.1)\n", g->names++, k, k, k);
}

/* Parameters used by themselves: a factor for each feature, one matrix used both ways, one layer in several places. */
static void shared(Generator *g) {
    int k = g->names - 1, size = last(g);
    switch (pick(g, 0, 3)) {
    case 0:
        printf("  param p%d: real[%d] = uniform(low = 0.5, high = 1.5)\n  v%d = swish(v%d, beta = p%d) * p%d\n", k,
               size, g->names, k, k, k);
        g->names++;
        break;
    case 1:
        printf("  param p%d: real[%d, %d] = normal(std = 0.3)\n", k, size, size);
        printf("  v%d[..., i] = tanh(sum(j) p%d[i, j] * v%d[..., j])\n", g->names, k, k);
        printf("  v%d[..., i] = v%d[..., i] - sum(j) p%d[j, i] * v%d[..., j]\n", g->names + 1, k, k, g->names);
        g->names += 2;
        break;
    case 2:
        printf("  shared_%d = dense(%d)\n  v%d = tanh(shared_%d(v%d)) + v%d\n", k, size, g->names, k, k, k);
        printf("  v%d = shared_%d(v%d) * 0.5\n", g->names + 1, k, g->names);
        g->names += 2;
        break;
    default:
        printf("  h%d = v%d\n  for i in 0..%d { h%d = h%d + 0.3 * (h%d |> dense(%d) |> tanh) }\n  v%d = h%d\n", k, k,
               pick(g, 1, 3), k, k, k, size, g->names, k);
        g->names++;
        break;
    }
}

static void combination(Generator *g) {
    int k = g->names - 1;
    if (chance(g, 40) && last(g) <= 12) {
        printf("  v%d = concat(v%d, tanh(2 * v%d), axis = -1)\n", g->names++, k, k);
        g->shape[g->rank - 1] *= 2;
    } else if (chance(g, 60)) {
        shared(g);
    } else {
        printf("  v%d = v%d |> dropout(0.%d)\n", g->names++, k, pick(g, 1, 6));
    }
}

/* Data as indices: rows of a table, elements of the value, a factor for each word. */
static void gather(Generator *g) {
    static const char *const axes[] = {"i", "t, i", "c, t, i"};
    int k = g->names - 1, size = last(g);
    if (g->words == 0)
        return;
    printf("  param e%d: real[%d, %d] = normal(std = 0.5)\n", k, g->vocab, size);
    if (g->rank == 2 && chance(g, 50)) {
        printf("  v%d = concat(v%d, rows_of(w, e%d), axis = 1)\n", g->names, k, k);
        g->shape[0] += g->words;
    } else if (g->rank == 1 && g->vocab <= size && chance(g, 50)) {
        printf("  v%d[b, l in 0..%d] = v%d[b, w[b, l]] * e%d[w[b, %d], l %% %d]\n", g->names, g->words, k, k,
               g->words - 1, size);
        g->shape[0] = g->words;
    } else {
        printf("  v%d[b, %s] = v%d[b, %s] + e%d[w[b, %d], i]\n", g->names, axes[g->rank - 1], k, axes[g->rank - 1], k,
               pick(g, 0, g->words - 1));
    }
    g->names++;
}

/* What sequences have: attention, a recurrence written out, the mean over time. */
static void sequence(Generator *g) {
    int k = g->names - 1, time = g->shape[0], units = pick(g, 1, 9);
    switch (pick(g, 0, time <= 4 ? 2 : 1)) {
    case 0:
        printf("  q%d = v%d |> dense(%d)\n  k%d = v%d |> dense(%d)\n", k, k, units, k, k, units);
        printf("  a%d[b, i, j] = (sum(d) q%d[b, i, d] * k%d[b, j, d]) / sqrt(%d)\n", k, k, k, units);
        if (chance(g, 50))
            printf("  a%d[b, i, j] = if j <= i then a%d[b, i, j] else -30\n", k, k);
        printf("  p%d = softmax(a%d)\n  v%d[b, i, d] = sum(j) p%d[b, i, j] * v%d[b, j, d]\n", k, k, g->names, k, k);
        break;
    case 1:
        printf("  v%d[b, d] = mean(s) v%d[b, s, d]\n", g->names, k);
        g->rank = 1;
        g->shape[0] = g->shape[1];
        break;
    default:
        printf("  cell_%d = dense(%d)\n  h%d[b in 0..batch, u in 0..%d] = 0.0\n", k, units, k, units);
        printf("  for s in 0..%d {\n    x%d[b, d] = v%d[b, s, d]\n", time, k, k);
        printf("    h%d = tanh(cell_%d(concat(x%d, h%d, axis = 1)))\n  }\n  v%d = h%d\n", k, k, k, k, g->names, k);
        g->rank = 1;
        g->shape[0] = units;
        break;
    }
    g->names++;
}

static void transpose(Generator *g) {
    int k = g->names - 1;
    if (g->rank == 3) {
        printf("  v%d[b, j, c, i] = v%d[b, c, i, j]\n", g->names++, k);
        int height = g->shape[1], channels = g->shape[0];
        g->shape[0] = g->shape[2];
        g->shape[1] = channels;
        g->shape[2] = height;
    } else if (g->rank == 2) {
        int time = g->shape[0];
        printf("  v%d[b, d, s] = v%d[b, s, d]\n", g->names++, k);
        g->shape[0] = g->shape[1];
        g->shape[1] = time;
    } else if (g->shape[0] % 2 == 0 && chance(g, 50)) {
        printf("  v%d = reshape(v%d, [batch, %d, 2])\n", g->names++, k, g->shape[0] / 2);
        g->rank = 2;
        g->shape[0] /= 2;
        g->shape[1] = 2;
    } else if (g->shape[0] % 2 == 0) {
        printf("  v%d = reshape(v%d, [batch, 2, %d])\n", g->names++, k, g->shape[0] / 2);
        printf("  v%d[b, i, j] = v%d[b, j, i]\n", g->names, g->names - 1);
        printf("  v%d = flatten(v%d)\n", g->names + 1, g->names);
        g->names += 2;
    }
}

static void step(Generator *g) {
    int what = pick(g, 0, 99);
    if (what < 22)
        activation(g);
    else if (what < 42)
        if (g->rank == 3 && chance(g, 85))
            convolution(g);
        else
            dense(g);
    else if (what < 54 && g->rank == 3)
        pooling(g);
    else if (what < 54 && g->rank == 2)
        sequence(g);
    else if (what < 66)
        window(g);
    else if (what < 76)
        rows(g);
    else if (what < 86)
        combination(g);
    else if (what < 93)
        gather(g);
    else
        transpose(g);
}

/* ---- the ends of the program ---- */

static void finish_class(Generator *g, int classes) {
    static const char *const losses[] = {
        "cross_entropy(logits, t)", "cross_entropy(logits, t) + 0.01 * mean(grad(logits, x)^2)",
        "cross_entropy_one_hot(logits, 0.9 * one_hot(t) + 0.1 * softmax(logits))",
        "mean(log(1 + exp(-picked))) + 0.1 * kl_divergence(log_softmax(logits), one_hot(t))"};
    printf("  logits = v%d |> dense(%d)\n  picked[b] = logits[b, t[b]]\n  best[b] = argmax(c) logits[b, c]\n",
           g->names - 1, classes);
    printf("  output p = softmax(logits)\n  output best\n  loss %s\n  metric accuracy(logits, t)\n", CHOOSE(g, losses));
}

static void finish_real(Generator *g, int outputs, bool derivatives) {
    static const char *const losses[] = {"mse(y, t)",
                                         "l1(y, t)",
                                         "huber(y, t)",
                                         "binary_cross_entropy_with_logits(y, 0.5 + 0.4 * t)",
                                         "binary_cross_entropy(0.05 + 0.9 * sigmoid(y), 0.5 + 0.4 * t)",
                                         "gaussian_nll(y, t, exp(0.1 * y) + 0.1)"};
    static const char *const deeper[] = {
        "mse(y, t) + 0.01 * mean(grad(y, x)^2)", "mse(y, t) + 0.01 * mean(grad(grad(y, x), x)^2)",
        "mse(y, t) + 0.01 * mean(jvp(grad(y, x), x, sin(x))^2)", "mse(y, t) + 0.1 * mean(jvp(jvp(y, x, cos(x)), x, x))",
        "mse(y, t + 0.1 * jvp(y, x, t_like))"};
    const char *loss = derivatives ? CHOOSE(g, deeper) : CHOOSE(g, losses);
    printf("  output y = v%d |> dense(%d)\n  t_like = 0.5 * cos(x)\n", g->names - 1, outputs);
    if (derivatives && chance(g, 50))
        printf("  output slope = grad(y, x)\n  output along = jvp(y, x, t_like)\n");
    printf("  loss %s\n  metric mean_absolute_error(y, t)\n", loss);
}

/* eps is large: where a gradient is 0 but for rounding, Adam and its kin would make an update of the noise. */
static void training(Generator *g) {
    static const char *const optimizers[] = {"sgd()",
                                             "sgd(momentum = 0.9)",
                                             "sgd(momentum = 0.8, nesterov = true, weight_decay = 0.01)",
                                             "rmsprop(eps = 1e-3)",
                                             "rmsprop(eps = 0.01, momentum = 0.5, weight_decay = 0.01)",
                                             "adagrad(eps = 1e-3)",
                                             "adagrad(eps = 0.1, lr_decay = 0.1, initial_accumulator_value = 0.1)",
                                             "adam(eps = 1e-3)",
                                             "adam(eps = 0.01, beta1 = 0.5, weight_decay = 0.01)",
                                             "adamw(eps = 1e-3, weight_decay = 0.1)",
                                             "averaged()",
                                             "averaged(keep = 0.5, limit = 0.05)"};
    static const char *const rates[] = {"0.01",
                                        "cosine(from = 0.02, to = 0.001, warmup = 1)",
                                        "step(from = 0.01, every = 1, factor = 0.5)",
                                        "one_cycle(peak = 0.02)",
                                        "exponential(from = 0.01, factor = 0.9)",
                                        "falling(from = 0.02)"};
    printf("}\n\ntrain random {\n  optimizer %s\n  rate      %s\n}\n", CHOOSE(g, optimizers), CHOOSE(g, rates));
}

static const char declarations[] =
    "fn rows_of(w: index[..., T](V), e: real[V, D]) {\n  r[..., t, d] = e[w[..., t], d]\n  return r\n}\n\n"
    "optimizer averaged(p, g; keep = 0.9, limit = 1) {\n  state m: real like p = zeros\n  state count: real like p = "
    "ones\n"
    "  m <- keep * m + (1 - keep) * g\n  count <- count + 1\n"
    "  p <- p - rate * min(max(m, -limit), limit) / sqrt(count)\n}\n\n"
    "schedule falling(step, steps; from) = from * (1 - step / steps)^2\n\n";

/* The kind of the first input, and its shape. */
static void begin(Generator *g) {
    g->large = chance(g, 12);
    g->rank = pick(g, 1, 100) <= 45 ? 3 : chance(g, 40) ? 2 : 1;
    g->wide = g->large && g->rank == 3 && chance(g, 60);
    int batch = g->wide ? pick(g, 16, 64) : g->large ? pick(g, 10, 40) : pick(g, 1, 9);
    printf("dim batch %s %d\n\n%smodel random {\n", chance(g, 80) ? "<=" : "=", batch, declarations);
    switch (g->rank) {
    case 1:
        g->shape[0] = g->large ? pick(g, 20, 160) : pick(g, 1, 24);
        printf("  input  x: real[batch, %d]\n", g->shape[0]);
        break;
    case 2:
        g->shape[0] = pick(g, 1, 7);
        g->shape[1] = g->large ? pick(g, 16, 70) : pick(g, 1, 12);
        printf("  input  x: real[batch, %d, %d]\n", g->shape[0], g->shape[1]);
        break;
    default:
        g->shape[0] = pick(g, 1, g->large ? 9 : 4);
        g->shape[1] = g->wide ? 2 * pick(g, 1, 3) : pick(g, 3, 13);
        g->shape[2] = g->wide ? 2 * pick(g, 2, 4) : pick(g, 3, 19);
        printf("  input  x: real[batch, %d, %d, %d]\n", g->shape[0], g->shape[1], g->shape[2]);
    }
    if (chance(g, 40)) {
        g->words = pick(g, 1, 5);
        g->vocab = pick(g, 1, 9);
        printf("  input  w: index[batch, %d](%d)\n", g->words, g->vocab);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: generate SEED\n");
        return 2;
    }
    Generator g = {.state = strtoull(argv[1], NULL, 10) * 7919 + 3, .names = 1};
    printf("# seed %s\n", argv[1]);
    begin(&g);
    bool classes = chance(&g, 45), derivatives = chance(&g, 35);
    int outputs = pick(&g, 1, 11), steps = g.large || (derivatives && !classes) ? pick(&g, 1, 3) : pick(&g, 2, 7);
    printf(classes ? "  target t: class[batch](%d)\n" : "  target t: real[batch, %d]\n", outputs);
    printf("  v0 = 0.8 * x\n");
    if (g.wide)
        wide_convolutions(&g);
    for (int i = 0; i < steps; i++)
        step(&g);
    flatten(&g);
    if (classes)
        finish_class(&g, outputs);
    else
        finish_real(&g, outputs, derivatives);
    training(&g);
    return 0;
}
