/* Errors of vmath.h in units in the last place, against the C library in higher precision; special values as in C; the same
 * bits from the scalar functions and from every lane.
 *
 *     vmath_test            a sample of the floats or doubles
 *     vmath_test --few      a smaller sample, for emulators
 *     vmath_test --every    in float, every float, for the functions of one argument (an hour)
 */
#include <float.h>
#include <stdlib.h>

#include "check.h"
#include "vmath.h"

#if NN_DOUBLE
typedef long double Wide;
#define WIDE(f) f##l
#define BOUND(in_float, in_double) in_double
#else
typedef double Wide;
#define WIDE(f) f
#define BOUND(in_float, in_double) in_float
#endif

typedef struct Function {
    const char *name;
    void (*vector)(const nn_real *x, nn_real *y); /* one vector */
    nn_real (*scalar)(nn_real x);
    Wide (*reference)(Wide x);
    double bound; /* the one stated in vmath.h */
} Function;

static Wide wide_sigmoid(Wide x) {
    return x < 0 ? WIDE(exp)(x) / (1 + WIDE(exp)(x)) : 1 / (1 + WIDE(exp)(-x));
}

/* nn_decay is for arguments that are not positive, or hardly. */
static Wide wide_decay_below(Wide x) {
    return WIDE(exp)(x > 0.5 ? (Wide)0.5 : x);
}

static nn_vec nn_decay_below(nn_vec x) {
    return nn_decay(nn_min(nn_splat(0.5f), x));
}

static nn_real nn_decay_below1(nn_real x) {
    return nn_decay1(nn_min1(0.5f, x));
}

static Wide wide_log1pexp(Wide x) {
    return (x > 0 ? x : 0) + WIDE(log1p)(WIDE(exp)(-WIDE(fabs)(x)));
}

#define APPLY(name)                                                                                                    \
    static void apply_##name(const nn_real *x, nn_real *y) {                                                           \
        nn_store(y, nn_##name(nn_load(x)));                                                                            \
    }                                                                                                                  \
    static nn_real apply_##name##1(nn_real x) {                                                                        \
        return nn_##name##1(x);                                                                                        \
    }
APPLY(exp)
APPLY(decay_below)
APPLY(expm1)
APPLY(log)
APPLY(log1p)
APPLY(log1pexp)
APPLY(tanh)
APPLY(sigmoid)
APPLY(erf)
APPLY(sin)
APPLY(cos)

#define ROW(name, reference, in_float, in_double)                                                                      \
    { #name, apply_##name, apply_##name##1, reference, BOUND(in_float, in_double) }
static const Function functions[] = {
    ROW(exp, WIDE(exp), 1.1, 1.0),
    ROW(expm1, WIDE(expm1), 1.7, 1.9),
    ROW(log, WIDE(log), 0.9, 0.9),
    ROW(log1p, WIDE(log1p), 0.9, 0.9),
    ROW(tanh, WIDE(tanh), 2.7, 2.4),
    ROW(sigmoid, wide_sigmoid, NN_FUSED ? 2.0 : 2.1, 2.1),
    ROW(erf, WIDE(erf), 1.4, 1.3),
    ROW(sin, WIDE(sin), 1.0, 0.9),
    ROW(cos, WIDE(cos), 0.9, 0.9),
    ROW(log1pexp, wide_log1pexp, 1.6, 1.6),
    ROW(decay_below, wide_decay_below, 1.1, 1.0),
};
static const double pow_bound = BOUND(1.3, 1.3);
enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

/* 1 / ulp of the exact result. */
static Wide places(Wide exact) {
#if NN_DOUBLE
    int exponent;
    (void)frexpl(exact, &exponent);
    return ldexpl(1, DBL_MANT_DIG - (exponent < DBL_MIN_EXP ? DBL_MIN_EXP : exponent));
#else
    uint64_t bits, least = 1023 + FLT_MIN_EXP - 1; /* by hand: the long test calls it 4e10 times */
    memcpy(&bits, &exact, sizeof bits);
    uint64_t exponent = bits << 1 >> 53;
    bits = (2 * 1023 + FLT_MANT_DIG - 1 - (exponent < least ? least : exponent)) << 52;
    memcpy(&exact, &bits, sizeof bits);
    return exact;
#endif
}

/* Overflow may come a few units early or late. */
static bool is_near_overflow(Wide exact) {
    Wide ratio = WIDE(fabs)(exact) / BOUND(FLT_MAX, DBL_MAX);
    return ratio > 1 - 4 * BOUND(FLT_EPSILON, DBL_EPSILON) && ratio < 1 + 4 * BOUND(FLT_EPSILON, DBL_EPSILON);
}

/* The distance from the exact result in units in the last place of the exact result; huge for a wrong special value. */
static double error_in_ulps(nn_real got, Wide exact) {
    nn_real rounded = (nn_real)exact;
    if (rounded - rounded == 0 && got - got == 0)
        return (double)(WIDE(fabs)((Wide)got - exact) * places(exact));
    return (exact != exact && got != got) || rounded == got || is_near_overflow(exact) ? 0 : 1e9;
}

typedef struct Worst {
    double error;
    nn_real at, other;
} Worst;

static void note(Worst *worst, double error, nn_real at, nn_real other) {
    if (error > worst->error) {
        worst->error = error;
        worst->at = at;
        worst->other = other;
    }
}

static bool same_number(nn_real a, nn_real b) {
    return (a != a && b != b) || same_bits(&a, &b, sizeof a);
}

/* All lanes against the reference, one of them against the scalar function: another one each time. */
static void try_vector(Check *check, const Function *f, const nn_real *x, Worst *worst, uint64_t time) {
    nn_real y[NN_LANES];
    f->vector(x, y);
    for (int i = 0; i < NN_LANES; i++)
        note(worst, error_in_ulps(y[i], f->reference((Wide)x[i])), x[i], 0);
    uint64_t lane = (time + time / NN_LANES) % NN_LANES;
    nn_real alone = f->scalar(x[lane]);
    CHECK(check, same_number(y[lane], alone), "%s(%a): lane %a, alone %a", f->name, (double)x[lane], (double)y[lane],
          (double)alone);
}

static nn_real from_word(nn_word word) {
    nn_real x;
    memcpy(&x, &word, sizeof x);
    return x;
}

static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

static nn_real next_between(uint64_t *state, double low, double high) {
    return (nn_real)(low + (high - low) * ((double)(next_random(state) >> 11) * 0x1p-53));
}

/* Bit patterns at equal distances; with stride 1 all floats. */
static void sweep_patterns(Check *check, const Function *f, uint64_t stride, Worst *worst) {
    uint64_t end = BOUND(UINT64_C(1) << 32, UINT64_MAX - NN_LANES * stride);
    for (uint64_t word = 0; word < end; word += NN_LANES * stride) {
        nn_real x[NN_LANES];
        for (uint64_t i = 0; i < NN_LANES; i++)
            x[i] = from_word((nn_word)(word + i * stride));
        try_vector(check, f, x, worst, word / (NN_LANES * stride));
    }
}

/* Numbers of the sizes that networks have, and the ends of the functions' ranges. */
static void sweep_ranges(Check *check, const Function *f, int count, Worst *worst) {
    static const double ends[][2] = {{-1e-3, 1e-3}, {-1, 1},  {-4, 4},     {-20, 20},  {-110, 110},  {-750, 750},
                                     {-1e5, 1e5},   {0.5, 2}, {-2e6, 2e6}, {0.9, 1.1}, {-0.9, -0.4}, {1.4, 1.5}};
    uint64_t state = 1;
    for (size_t range = 0; range < sizeof ends / sizeof *ends; range++)
        for (int n = 0; n < count; n += NN_LANES) {
            nn_real x[NN_LANES];
            for (int i = 0; i < NN_LANES; i++)
                x[i] = next_between(&state, ends[range][0], ends[range][1]);
            try_vector(check, f, x, worst, (uint64_t)n / NN_LANES);
        }
}

static const nn_real special[] = {0,
                                  -0.0f,
                                  1,
                                  -1,
                                  0.5f,
                                  -0.5f,
                                  2,
                                  -2,
                                  3,
                                  -3,
                                  0x1p-149f,
                                  -0x1p-149f,
                                  NN_SMALLEST_NORMAL,
                                  0x1p24f,
                                  0x1p24f + 2,
                                  -0x1p24f - 2,
                                  1e30f,
                                  -1e30f,
                                  1e-30f,
                                  88.7f,
                                  -87.4f,
                                  -103.9f,
                                  0.9999999f,
                                  1.0000001f,
                                  INFINITY,
                                  -INFINITY,
                                  NAN};
enum { SPECIAL_COUNT = sizeof special / sizeof *special };

/* Where the exact result is a zero or infinite, also its sign. */
static void check_special(Check *check, const char *name, nn_real got, Wide exact, nn_real x, nn_real y) {
    nn_real rounded = (nn_real)exact;
    if (rounded == 0 || rounded - rounded != 0)
        CHECK(check, same_number(got, rounded), "%s(%g, %g): %g instead of %g", name, (double)x, (double)y, (double)got,
              (double)rounded);
}

static void sweep_special(Check *check, const Function *f, Worst *worst) {
    for (int n = 0; n < SPECIAL_COUNT; n++) {
        nn_real x[NN_LANES];
        for (int i = 0; i < NN_LANES; i++)
            x[i] = special[(n + i) % SPECIAL_COUNT];
        try_vector(check, f, x, worst, (uint64_t)n);
        check_special(check, f->name, f->scalar(x[0]), f->reference((Wide)x[0]), x[0], 0);
    }
}

static void try_pow(Check *check, const nn_real *x, const nn_real *y, Worst *worst) {
    nn_real z[NN_LANES];
    nn_store(z, nn_pow(nn_load(x), nn_load(y)));
    for (int i = 0; i < NN_LANES; i++) {
        note(worst, error_in_ulps(z[i], WIDE(pow)((Wide)x[i], (Wide)y[i])), x[i], y[i]);
        nn_real alone = nn_pow1(x[i], y[i]);
        CHECK(check, same_number(z[i], alone), "pow(%a, %a): lane %a, alone %a", (double)x[i], (double)y[i],
              (double)z[i], (double)alone);
    }
}

/* Bases of all sizes, with exponents that keep the result in range; whole exponents; bases near 1. */
static void sweep_pow(Check *check, int count, Worst *worst) {
    uint64_t state = 2;
    double top = BOUND(90.0, 720.0);
    for (int n = 0; n < count; n += NN_LANES) {
        nn_real x[NN_LANES], y[NN_LANES];
        for (int i = 0; i < NN_LANES; i++) {
            uint64_t choice = next_random(&state) % 4;
            nn_real any = from_word((nn_word)next_random(&state));
            x[i] = choice == 0   ? next_between(&state, -10, 10)
                   : choice == 1 ? next_between(&state, 0.9, 1.1)
                                 : BOUND(fabsf(any), fabs(any));
            double log_x = log(fabs((double)x[i]));
            y[i] = next_between(&state, -top, top) / (nn_real)log_x;
            if (choice == 0)
                y[i] = nn_floor1(y[i]);
        }
        try_pow(check, x, y, worst);
    }
}

static void sweep_pow_special(Check *check, Worst *worst) {
    for (int a = 0; a < SPECIAL_COUNT; a++)
        for (int b = 0; b < SPECIAL_COUNT; b++) {
            nn_real x[NN_LANES], y[NN_LANES];
            for (int i = 0; i < NN_LANES; i++) {
                x[i] = special[a];
                y[i] = special[(b + i) % SPECIAL_COUNT];
            }
            try_pow(check, x, y, worst);
            check_special(check, "pow", nn_pow1(x[0], y[0]), WIDE(pow)((Wide)x[0], (Wide)y[0]), x[0], y[0]);
        }
}

static void report(Check *check, const char *name, Worst worst, double bound) {
    printf("%-8s %6.3f ulp at %.9g, %.9g\n", name, worst.error, (double)worst.at, (double)worst.other);
    CHECK(check, worst.error <= bound, "%s: the stated bound is %g", name, bound);
}

int main(int argc, char **argv) {
    bool every = argc > 1 && strcmp(argv[1], "--every") == 0;
    bool few = argc > 1 && strcmp(argv[1], "--few") == 0;
    int random = every ? 1000000 : few ? 1000 : 20000;
    Check check = {0};
    printf("%d lanes of %d bytes%s\n", NN_LANES, (int)sizeof(nn_real), NN_FUSED ? ", fused multiply-add" : "");
    for (int i = 0; i < FUNCTION_COUNT; i++) {
        Worst worst = {0};
        uint64_t sample = BOUND(4099, UINT64_C(0x7fffffffffff)) * (few ? 32 : 1);
        sweep_patterns(&check, &functions[i], every && !NN_DOUBLE ? 1 : sample, &worst);
        sweep_ranges(&check, &functions[i], random, &worst);
        sweep_special(&check, &functions[i], &worst);
        report(&check, functions[i].name, worst, functions[i].bound);
    }
    Worst worst = {0};
    sweep_pow(&check, 25 * random, &worst);
    sweep_pow_special(&check, &worst);
    report(&check, "pow", worst, pow_bound);
    return check.failures != 0;
}
