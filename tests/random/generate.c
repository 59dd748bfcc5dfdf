/* generate: prints a valid program of the language, chosen at random from a seed.
 *
 *     generate SEED > model.nn
 *
 * The program has an input (features, or an image), a chain of layers and equations whose shapes are tracked here, a loss, and an optimizer. All functions are
 * kept inside their domains, and values moderate, so that the interpreter and compiled code must agree closely. Piecewise functions are allowed: in
 * double precision both sides take the same branch.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Generator {
    uint64_t state;
    int rank; /* axes of the current value, without the batch axis: 1 (features) or 3 (channels, height, width) */
    int shape[3];
    int names; /* values v0, v1, ... made so far */
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
                                        "cos(2 * v%d) + expm1(0.1 * tanh(v%d))"};
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

static void dense(Generator *g) {
    int units = pick(g, 1, 20);
    if (g->rank == 3) {
        printf("  v%d = flatten(v%d)\n", g->names, g->names - 1);
        g->names++;
        g->rank = 1;
    }
    printf("  v%d = v%d |> dense(%d)\n", g->names, g->names - 1, units);
    g->names++;
    g->shape[0] = units;
}

static int convolved(int size, int kernel, int stride, int pad, int dilation) {
    return (size + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
}

static void convolution(Generator *g) {
    int kernel = pick(g, 1, 4), stride = pick(g, 1, 3), dilation = pick(g, 1, 2), pad = pick(g, 0, 2);
    int groups = chance(g, 30) ? g->shape[0] : 1;
    int channels = groups * pick(g, 1, groups > 2 ? 2 : 5);
    int height = convolved(g->shape[1], kernel, stride, pad, dilation),
        width = convolved(g->shape[2], kernel, stride, pad, dilation);
    if (dilation * (kernel - 1) >= g->shape[1] + 2 * pad || dilation * (kernel - 1) >= g->shape[2] + 2 * pad) {
        return;
    }
    printf("  v%d = v%d |> conv2d(%d, kernel = %d, stride = %d, pad = %d, dilation = %d, groups = %d)\n", g->names,
           g->names - 1, channels, kernel, stride, pad, dilation, groups);
    g->names++;
    g->shape[0] = channels;
    g->shape[1] = height;
    g->shape[2] = width;
}

static void pooling(Generator *g) {
    int kernel = pick(g, 1, 3), stride = pick(g, 1, 3), pad = chance(g, 30) ? kernel / 2 : 0;
    int height = convolved(g->shape[1], kernel, stride, pad, 1), width = convolved(g->shape[2], kernel, stride, pad, 1);
    if (kernel > g->shape[1] + 2 * pad || kernel > g->shape[2] + 2 * pad) {
        return;
    }
    printf("  v%d = v%d |> %s(%d, stride = %d, pad = %d)\n", g->names, g->names - 1,
           chance(g, 50) ? "max_pool2d" : "avg_pool2d", kernel, stride, pad);
    g->names++;
    g->shape[1] = height;
    g->shape[2] = width;
}

/* An equation over the last axis: a shift with a border, a reversal, a running window. */
static void window(Generator *g) {
    int last = g->shape[g->rank - 1], k = g->names - 1;
    switch (pick(g, 0, 3)) {
    case 0:
        printf("  v%d[..., i in 0..%d] = v%d[..., i] - 0.5 * v%d[..., i + %d; outside = %s]\n", g->names, last, k, k,
               pick(g, -2, 2), chance(g, 50) ? "0" : "0.25");
        break;
    case 1: printf("  v%d[..., i in 0..%d] = v%d[..., %d - i]\n", g->names, last, k, last - 1); break;
    case 2:
        printf("  v%d[..., i in 0..%d] = 0.3 * sum(j in 0..3) v%d[..., i + j - 1; outside = 0] * (j + 1)\n", g->names,
               last, k);
        break;
    default:
        printf("  v%d[..., i in 0..%d] = max(j in 0..2) v%d[..., 2 * i + j; outside = -1]\n", g->names, (last + 1) / 2,
               k);
        g->shape[g->rank - 1] = (last + 1) / 2;
        break;
    }
    g->names++;
}

/* Statistics over the last axis: normalisation, softmax. */
static void rows(Generator *g) {
    int k = g->names - 1;
    if (chance(g, 50)) {
        printf("  v%d = %s(v%d)\n", g->names++, chance(g, 50) ? "softmax" : "log_softmax", k);
        return;
    }
    printf("  m%d[...] = mean(i) v%d[..., i]\n", k, k);
    printf("  s%d[...] = mean(i) (v%d[..., i] - m%d[...])^2\n", k, k, k);
    printf("  v%d[..., i] = (v%d[..., i] - m%d[...]) / sqrt(s%d[...] + 0.1)\n", g->names++, k, k, k);
}

static void combination(Generator *g) {
    int k = g->names - 1;
    if (chance(g, 40) && g->shape[g->rank - 1] <= 12) {
        printf("  v%d = concat(v%d, tanh(2 * v%d), axis = -1)\n", g->names++, k, k);
        g->shape[g->rank - 1] *= 2;
    } else if (g->rank == 1 && chance(g, 50)) {
        printf("  shared_%d = dense(%d)\n  v%d = tanh(shared_%d(v%d)) + v%d\n", k, g->shape[0], g->names, k, k, k);
        printf("  v%d = shared_%d(v%d) * 0.5\n", g->names + 1, k, g->names);
        g->names += 2;
    } else {
        printf("  v%d = v%d |> dropout(0.%d)\n", g->names++, k, pick(g, 1, 6));
    }
}

static void transpose(Generator *g) {
    int k = g->names - 1;
    if (g->rank == 3) {
        printf("  v%d[b, j, c, i] = v%d[b, c, i, j]\n", g->names++, k);
        int height = g->shape[1], channels = g->shape[0];
        g->shape[0] = g->shape[2];
        g->shape[1] = channels;
        g->shape[2] = height;
    } else if (g->shape[0] % 2 == 0) {
        printf("  v%d = reshape(v%d, [batch, 2, %d])\n", g->names++, k, g->shape[0] / 2);
        printf("  v%d[b, i, j] = v%d[b, j, i]\n", g->names, g->names - 1);
        printf("  v%d = flatten(v%d)\n", g->names + 1, g->names);
        g->names += 2;
    }
}

static void step(Generator *g) {
    int what = pick(g, 0, 99);
    if (what < 25) {
        activation(g);
    } else if (what < 45) {
        if (g->rank == 3 && chance(g, 85)) {
            convolution(g);
        } else {
            dense(g);
        }
    } else if (what < 58 && g->rank == 3) {
        pooling(g);
    } else if (what < 70) {
        window(g);
    } else if (what < 80) {
        rows(g);
    } else if (what < 92) {
        combination(g);
    } else {
        transpose(g);
    }
}

/* ---- the ends of the program ---- */

static void finish_class(Generator *g, int classes) {
    (void)g;
    printf("  logits = v%d |> dense(%d)\n  output p = softmax(logits)\n  loss cross_entropy(logits, t)\n  metric "
           "accuracy(logits, t)\n",
           g->names - 1, classes);
}

static void finish_real(Generator *g, int outputs) {
    static const char *const losses[] = {"mse(y, t)",
                                         "l1(y, t)",
                                         "huber(y, t)",
                                         "binary_cross_entropy_with_logits(y, 0.5 + 0.4 * t)",
                                         "mse(y, t) + 0.01 * mean(grad(y, x)^2)",
                                         "gaussian_nll(y, t, exp(0.1 * y) + 0.1)"};
    printf("  output y = v%d |> dense(%d)\n  loss %s\n  metric mean_absolute_error(y, t)\n", g->names - 1, outputs,
           CHOOSE(g, losses));
}

/* eps is large: where a gradient is 0 but for rounding, Adam and its kin would make an update of the noise. */
static void training(Generator *g) {
    static const char *const optimizers[] = {"sgd()",
                                             "sgd(momentum = 0.9)",
                                             "sgd(momentum = 0.8, nesterov = true, weight_decay = 0.01)",
                                             "rmsprop(eps = 1e-3)",
                                             "adagrad(eps = 1e-3)",
                                             "adam(eps = 1e-3)",
                                             "adamw(eps = 1e-3, weight_decay = 0.1)"};
    static const char *const rates[] = {"0.01", "cosine(from = 0.02, to = 0.001, warmup = 1)",
                                        "step(from = 0.01, every = 1, factor = 0.5)",
                                        "exponential(from = 0.01, factor = 0.9)"};
    printf("}\n\ntrain random {\n  optimizer %s\n  rate      %s\n}\n", CHOOSE(g, optimizers), CHOOSE(g, rates));
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: generate SEED\n");
        return 2;
    }
    Generator g = {.state = strtoull(argv[1], NULL, 10) * 7919 + 3, .names = 1};
    bool image = chance(&g, 55), classes = chance(&g, 50);
    int outputs = pick(&g, 1, 11);
    g.rank = image ? 3 : 1;
    g.shape[0] = image ? pick(&g, 1, 4) : pick(&g, 1, 24);
    g.shape[1] = pick(&g, 3, 13);
    g.shape[2] = pick(&g, 3, 19);
    printf("# seed %s\ndim batch %s %d\n\nmodel random {\n", argv[1], chance(&g, 80) ? "<=" : "=", pick(&g, 1, 9));
    if (image) {
        printf("  input  x: real[batch, %d, %d, %d]\n", g.shape[0], g.shape[1], g.shape[2]);
    } else {
        printf("  input  x: real[batch, %d]\n", g.shape[0]);
    }
    printf(classes ? "  target t: class[batch](%d)\n" : "  target t: real[batch, %d]\n", outputs);
    printf("  v0 = 0.8 * x\n");
    for (int i = pick(&g, 2, 9); i > 0; i--) {
        step(&g);
    }
    if (g.rank == 3) {
        printf("  v%d = flatten(v%d)\n", g.names, g.names - 1);
        g.names++;
    }
    if (classes) {
        finish_class(&g, outputs);
    } else {
        finish_real(&g, outputs);
    }
    training(&g);
    return 0;
}
