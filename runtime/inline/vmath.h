/* vmath.h: exp, log, tanh and their kin for vectors of reals, in float or in double (see simd.h).
 *
 * Polynomials without branches: every lane costs the same and does not depend on its neighbours.
 * Only sin and cos of huge arguments go to the C library, lane by lane. The functions whose name
 * ends in 1 give lane 0 of a vector full of their argument, so both give the same bits.
 *
 * NaN gives NaN; infinities, zeros, overflow and denormal results are as C has them, without errno.
 * The bounds are the largest errors found, in units in the last place: over all floats for the
 * functions of one argument, over random and special arguments in double and for pow, with and
 * without fused multiply-add; rounded up. The tests hold the functions to them.
 *
 * The polynomials are minimax fits, made by scripts/fit_polynomials.py.
 */
#ifndef NN_VMATH_H
#define NN_VMATH_H

#include "simd.h"

/* nn: begin format: needs splat */
/* The format of an nn_real: bits of the fraction, exponent of 1, and some numbers as bits. */
#if NN_DOUBLE
#define NN_FRACTION_BITS 52
#define NN_BIAS 1023
#define NN_SIGN ((nn_word)0x8000000000000000)
#define NN_SMALLEST_NORMAL 0x1p-1022
#define NN_SHIFTER 0x1.8p52 /* x + NN_SHIFTER is round(x) in the low bits, for small x */
#else
#define NN_FRACTION_BITS 23
#define NN_BIAS 127
#define NN_SIGN ((nn_word)0x80000000)
#define NN_SMALLEST_NORMAL 0x1p-126f
#define NN_SHIFTER 0x1.8p23f /* x + NN_SHIFTER is round(x) in the low bits, for small x */
#endif
#define NN_ONE ((nn_word)NN_BIAS << NN_FRACTION_BITS)
#define NN_INFINITY ((nn_real)INFINITY)
#define NN_NO_TAIL nn_splat(-0.0f) /* adding -0 changes nothing, so compilers leave it out */
/* nn: end */

/* nn: begin poly: needs fma splat */
/* The polynomial with these coefficients, the highest power first. */
#define NN_POLY(x, table) nn_poly(x, table, (int)(sizeof table / sizeof *table))

NN_INLINE nn_vec nn_poly(nn_vec x, const nn_real *coefficients, int count) {
    nn_vec sum = nn_splat(coefficients[0]);
    NN_UNROLL
    for (int i = 1; i < count; i++)
        sum = nn_fma(sum, x, nn_splat(coefficients[i]));
    return sum;
}
/* nn: end */

/* nn: begin copysign: needs format bits */
/* `size` with the sign of `of`, for a size that is not negative or has that sign already. */
NN_INLINE nn_vec nn_with_sign(nn_vec size, nn_vec of) {
    return nn_from_bits(nn_to_bits(size) | (nn_to_bits(of) & NN_SIGN));
}
/* nn: end */

/* nn: begin ln2 */
/* ln 2 in two parts; the product of the first with an exponent is exact. */
#if NN_DOUBLE
#define NN_LN2_HIGH 0.6931471804855391
#define NN_LN2_LOW 7.440617110012397e-11
#else
#define NN_LN2_HIGH 0.69314575f
#define NN_LN2_LOW 1.4286068e-06f
#endif
/* nn: end */

/* nn: begin turns: needs format bits */
/* Functions of several vectors, whose operations take turns: each is a chain that waits for itself.
 * NN_TURNS: so many at most. */
#define NN_TURNS 4
#define NN_EACH(i, count) NN_UNROLL for (int i = 0; i < (count); i++)

/* The results of a whole tile are computed here, in turns. Clang would compute each where it is used,
 * one after the other, when branches stand between. */
NN_INLINE void nn_finish(nn_vec *x, int count) {
#if !defined(NN_SCALAR) && defined(__clang__) && defined(__SSE2__)
    if (count == NN_TURNS)
        __asm__("" : "+v"(x[0]), "+v"(x[1]), "+v"(x[2]), "+v"(x[3]));
#else
    (void)x;
    (void)count;
#endif
}

/* The power of 2 whose exponent has these last bits. */
NN_INLINE nn_vec nn_power(nn_bits biased) {
    return nn_from_bits(biased << NN_FRACTION_BITS);
}
/* nn: end */

/* nn: begin exp_parts: needs turns ln2 fma splat */
/* e^x = 2^n (1 + p): gives p, |p| < 0.42. Cody and Waite's reduction x = n ln 2 + r with
 * |r| <= ln(2)/2. The tail is a correction of x far below its last place. The last bits of
 * shifted[i] are those of n[i] + bias: with NN_BIAS, nn_power(nn_to_bits(shifted[i])) is 2^n. */
#if NN_DOUBLE
/* (e^r - 1 - r) / r^2 for |r| <= ln(2)/2; relative error 2^-61.6. */
static const nn_real nn_exp_poly[] = {2.090414545598941e-09,
                                      2.5109234866618713e-08,
                                      2.755730741408408e-07,
                                      2.7557243696623598e-06,
                                      2.4801587288285987e-05,
                                      0.00019841269886591904,
                                      0.001388888888889965,
                                      0.00833333333332145,
                                      0.04166666666666665,
                                      0.16666666666666677,
                                      0.5};
#else
/* (e^r - 1 - r) / r^2 for |r| <= ln(2)/2; relative error 2^-26.1. */
static const nn_real nn_exp_poly[] = {0.0013866315f, 0.008366397f, 0.041667487f, 0.16666545f,
                                      0.49999997f};
#endif
NN_INLINE void nn_exp_parts(const nn_vec *x, int count, nn_vec tail, nn_real bias, nn_vec *p,
                            nn_vec *n, nn_vec *shifted) {
    enum { TERMS = sizeof nn_exp_poly / sizeof *nn_exp_poly };
    nn_vec shifter = nn_splat(NN_SHIFTER + bias), log2_e = nn_splat((nn_real)1.4426950408889634);
    nn_vec r[NN_TURNS], square[NN_TURNS];
    NN_EACH(i, count) shifted[i] = nn_fma(x[i], log2_e, shifter);
    NN_EACH(i, count) n[i] = shifted[i] - shifter;
    NN_EACH(i, count) r[i] = nn_fma(n[i], nn_splat(-NN_LN2_HIGH), x[i]);
    NN_EACH(i, count) r[i] = nn_fma(n[i], nn_splat(-NN_LN2_LOW), r[i]) + tail;
    NN_EACH(i, count) p[i] = nn_splat(nn_exp_poly[0]);
    NN_EACH(term, TERMS - 1)
    NN_EACH(i, count) p[i] = nn_fma(p[i], r[i], nn_splat(nn_exp_poly[term + 1]));
    NN_EACH(i, count) square[i] = r[i] * r[i];
    NN_EACH(i, count) p[i] = nn_fma(square[i], p[i], r[i]);
}
/* nn: end */

/* nn: begin exp_any: needs exp_parts min max */
/* e^(x + tail) for every x, in place. 2^n may reach beyond the range of numbers, so it is two
 * factors, and the last product alone overflows or becomes denormal. */
NN_INLINE void nn_exp_any(nn_vec *x, int count, nn_vec tail) {
#if NN_DOUBLE
    const nn_real lowest = -746, highest = 710;
#else
    const nn_real lowest = -104, highest = 89;
#endif
    nn_vec p[NN_TURNS], n[NN_TURNS], shifted[NN_TURNS];
    NN_EACH(i, count) x[i] = nn_max(nn_splat(lowest), x[i]);
    NN_EACH(i, count) x[i] = nn_min(nn_splat(highest), x[i]);
    nn_exp_parts(x, count, tail, 2 * NN_BIAS, p, n, shifted);
#if !defined(NN_SCALAR) && defined(__AVX512F__)
    NN_EACH(i, count) x[i] = NN_X86(scalef)(p[i] + nn_splat(1), n[i]);
#else
    nn_vec factor[NN_TURNS];
    NN_EACH(i, count) factor[i] = nn_power(nn_to_bits(shifted[i]) >> 1);
    NN_EACH(i, count) p[i] = nn_fma(p[i], factor[i], factor[i]);
    NN_EACH(i, count)
    x[i] = p[i] * nn_power(nn_to_bits(shifted[i]) - (nn_to_bits(shifted[i]) >> 1));
#endif
}
/* nn: end */

/* nn: begin exps: needs exp_any */
/* e^x, of `count` vectors in place. Error: float 1.1, double 1.0 ulp. */
NN_INLINE void nn_exps(nn_vec *x, int count) {
    nn_exp_any(x, count, NN_NO_TAIL);
    nn_finish(x, count);
}
/* nn: end */

/* nn: begin exp: needs exps */
NN_INLINE nn_vec nn_exp(nn_vec x) {
    nn_exps(&x, 1);
    return x;
}
/* nn: end */

/* nn: begin decays: needs exp_parts max */
/* e^x for x that are not positive (or hardly: rounding may make a little more than 0 of them), of
 * `count` vectors in place. 2^n times a power of 2 is in the range of numbers, and the last product
 * alone becomes denormal. Error: float 1.1, double 1.0 ulp. */
NN_INLINE void nn_decays(nn_vec *x, int count) {
#if NN_DOUBLE
    const nn_real lowest = -746, exponent = 512;
#else
    const nn_real lowest = -104, exponent = 64;
#endif
    nn_vec p[NN_TURNS], n[NN_TURNS], shifted[NN_TURNS];
    NN_EACH(i, count) x[i] = nn_max(nn_splat(lowest), x[i]);
    nn_exp_parts(x, count, NN_NO_TAIL, NN_BIAS + exponent, p, n, shifted);
#if !defined(NN_SCALAR) && defined(__AVX512F__)
    NN_EACH(i, count) x[i] = NN_X86(scalef)(p[i] + nn_splat(1), n[i]);
#else
#if NN_DOUBLE
    const nn_real scale = 0x1p-512;
#else
    const nn_real scale = 0x1p-64f;
#endif
    NN_EACH(i, count) n[i] = nn_power(nn_to_bits(shifted[i]));
    NN_EACH(i, count) x[i] = nn_fma(p[i], n[i], n[i]) * nn_splat(scale);
#endif
    nn_finish(x, count);
}
/* nn: end */

/* nn: begin decay: needs decays */
NN_INLINE nn_vec nn_decay(nn_vec x) {
    nn_decays(&x, 1);
    return x;
}
/* nn: end */

/* nn: begin expm1: needs exp_parts eq select min max copysign */
/* e^x - 1. Twice the half of it, which does not overflow before the result does. Error: float 1.7,
 * double 1.9 ulp. */
NN_FUNCTION nn_vec nn_expm1(nn_vec x) {
#if NN_DOUBLE
    const nn_real lowest = -40, highest = 710;
#else
    const nn_real lowest = -20, highest = 89;
#endif
    nn_vec p, n, shifted, near = nn_min(nn_splat(highest), nn_max(nn_splat(lowest), x));
    nn_exp_parts(&near, 1, NN_NO_TAIL, NN_BIAS - 1, &p, &n, &shifted);
    nn_vec half = nn_power(nn_to_bits(shifted)), y = nn_fma(half, p, half - nn_splat(0.5f));
    return nn_with_sign(nn_select(nn_eq(n, nn_splat(0)), p, y + y), x);
}
/* nn: end */

/* nn: begin tanhs: needs exp_parts abs min copysign */
/* tanh |x| = E / (E + 2) with E = e^2|x| - 1, of `count` vectors in place. Error: float 2.7, double
 * 2.4 ulp. */
NN_INLINE void nn_tanhs(nn_vec *x, int count) {
#if NN_DOUBLE
    const nn_real saturated = 20;
#else
    const nn_real saturated = 10;
#endif
    nn_vec twice[NN_TURNS], p[NN_TURNS], n[NN_TURNS], power[NN_TURNS], shifted[NN_TURNS];
    NN_EACH(i, count) twice[i] = nn_min(nn_splat(saturated), nn_abs(x[i]));
    NN_EACH(i, count) twice[i] = twice[i] + twice[i];
    nn_exp_parts(twice, count, NN_NO_TAIL, NN_BIAS, p, n, shifted);
    NN_EACH(i, count) power[i] = nn_power(nn_to_bits(shifted[i]));
    NN_EACH(i, count) p[i] = nn_fma(power[i], p[i], power[i] - nn_splat(1));
    NN_EACH(i, count) x[i] = nn_with_sign(p[i] / (p[i] + nn_splat(2)), x[i]);
    nn_finish(x, count);
}
/* nn: end */

/* nn: begin tanh: needs tanhs */
NN_INLINE nn_vec nn_tanh(nn_vec x) {
    nn_tanhs(&x, 1);
    return x;
}
/* nn: end */

/* nn: begin exp_quotient: needs turns ln2 fma splat */
/* Functions that divide anyway have e^-x as a quotient, which takes fewer operations than a number:
 * e^-x = 2^n (y - f) / (y + f), where f = (x + n ln 2) / (2 ln 2), |f| <= 1/4, and
 * y = f coth(f ln 2). The exponents of the powers of 2 have `bias`. */
#if NN_DOUBLE
/* 1 / (2 ln 2) in two parts. */
static const nn_real nn_half_log2_e[] = {0.7213475204444817, 1.0177636870465517e-17};
#else
/* 1 / (2 ln 2) in two parts. */
static const nn_real nn_half_log2_e[] = {0.7213475f, 9.629815e-09f};
#endif
#if NN_DOUBLE
/* f coth(f ln(2)) in f^2, for |f| <= 1/4, as (y + f) / (y - f); relative error 2^-60.8. */
static const nn_real nn_coth_poly[] = {7.838819680588622e-07,  -1.6269342997664294e-05,
                                       0.00033863004913985254, -0.007400547822239916,
                                       0.23104906018665325,    1.4426950408889634};
#else
/* f coth(f ln(2)) in f^2, for |f| <= 1/4, as (y + f) / (y - f); relative error 2^-29.6. */
static const nn_real nn_coth_poly[] = {-0.007383379f, 0.23104954f, 1.442695f};
#endif
NN_INLINE void nn_exp_quotient(const nn_vec *x, int count, nn_real bias, nn_vec *power, nn_vec *y,
                               nn_vec *f) {
    enum { TERMS = sizeof nn_coth_poly / sizeof *nn_coth_poly };
    nn_vec shifter = nn_splat((NN_SHIFTER + bias) / 2), slope = nn_splat(nn_half_log2_e[0]);
    NN_EACH(i, count) power[i] = nn_fma(x[i], -slope, shifter);
    NN_EACH(i, count) y[i] = power[i] - shifter; /* n / 2 */
    NN_EACH(i, count) power[i] = nn_power(nn_to_bits(power[i]));
#if NN_FUSED
    NN_EACH(i, count) f[i] = nn_fma(x[i], slope, y[i]);
    NN_EACH(i, count) f[i] = nn_fma(x[i], nn_splat(nn_half_log2_e[1]), f[i]);
#else
    NN_EACH(i, count) f[i] = nn_fma(y[i], nn_splat(2 * NN_LN2_HIGH), x[i]);
    NN_EACH(i, count) f[i] = nn_fma(y[i], nn_splat(2 * NN_LN2_LOW), f[i]) * slope;
#endif
    nn_vec z[NN_TURNS];
    NN_EACH(i, count) z[i] = f[i] * f[i];
    NN_EACH(i, count) y[i] = nn_splat(nn_coth_poly[0]);
    NN_EACH(term, TERMS - 1)
    NN_EACH(i, count) y[i] = nn_fma(y[i], z[i], nn_splat(nn_coth_poly[term + 1]));
}
/* nn: end */

/* nn: begin sigmoids: needs exp_quotient min max */
/* 1 / (1 + e^-x), both sides of the quotient times a power of 2 that keeps e^-x in the range of
 * numbers wherever the result is not 0; of `count` vectors in place. What rounding does to y + f,
 * y - f has, too, as if y were another: that changes their quotient little. Error: float 2.0 (2.1
 * without fused multiply-add), double 2.1 ulp. */
NN_INLINE void nn_sigmoids(nn_vec *x, int count) {
#if NN_DOUBLE
    const nn_real lowest = -746, saturated = 40, exponent = -64, scale = 0x1p-64;
#else
    const nn_real lowest = -104, saturated = 40, exponent = -40, scale = 0x1p-40f;
#endif
    nn_vec power[NN_TURNS], y[NN_TURNS], f[NN_TURNS];
    NN_EACH(i, count) x[i] = nn_max(nn_splat(lowest), x[i]);
    NN_EACH(i, count) x[i] = nn_min(nn_splat(saturated), x[i]);
    nn_exp_quotient(x, count, NN_BIAS + exponent, power, y, f);
    NN_EACH(i, count) y[i] = y[i] + f[i];
    NN_EACH(i, count) f[i] = y[i] - (f[i] + f[i]);
    NN_EACH(i, count) y[i] = y[i] * nn_splat(scale);
    NN_EACH(i, count) x[i] = y[i] / nn_fma(power[i], f[i], y[i]);
    nn_finish(x, count);
}
/* nn: end */

/* nn: begin sigmoid: needs sigmoids */
NN_INLINE nn_vec nn_sigmoid(nn_vec x) {
    nn_sigmoids(&x, 1);
    return x;
}
/* nn: end */

/* nn: begin log_split: needs format bits splat lt select */
/* x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), for a positive finite x: returns f. */
NN_INLINE nn_vec nn_log_split(nn_vec x, nn_vec *e) {
#if NN_DOUBLE
    const nn_real grow = 0x1p54, grown = 54, whole = 0x1p52;
    const nn_word sqrt_half = 0x3fe6a09e667f3bcd, whole_bits = 0x4330000000000000;
#else
    const nn_real grow = 0x1p25f, grown = 25, whole = 0x1p23f;
    const nn_word sqrt_half = 0x3f3504f3, whole_bits = 0x4b000000;
#endif
    nn_mask denormal = nn_lt(x, nn_splat(NN_SMALLEST_NORMAL));
    nn_bits bits = nn_to_bits(nn_select(denormal, x * nn_splat(grow), x)) + (NN_ONE - sqrt_half);
    nn_vec exponent = nn_from_bits((bits >> NN_FRACTION_BITS) + whole_bits);
    *e = exponent -
         nn_select(denormal, nn_splat(whole + NN_BIAS + grown), nn_splat(whole + NN_BIAS));
    bits = (bits & (((nn_word)1 << NN_FRACTION_BITS) - 1)) + sqrt_half;
    return nn_from_bits(bits) - nn_splat(1);
}
/* nn: end */

/* nn: begin log_any: needs log_split ln2 poly eq not */
/* log x + tail for every x: with s = f / (2 + f), log(1 + f) = 2s + s^3 P(s^2), summed in the order
 * of FreeBSD's libm, where f keeps its full weight. */
#if NN_DOUBLE
/* (log((1+s)/(1-s)) - 2s) / s^3 in s^2, for |s| <= 0.1716; relative error 2^-59.4. */
static const nn_real nn_log_poly[] = {0.1479632159803156,  0.15314016935487984, 0.18183565431716112,
                                      0.22222198557952033, 0.28571428742447225, 0.3999999999941509,
                                      0.6666666666666734};
#else
/* (log((1+s)/(1-s)) - 2s) / s^3 in s^2, for |s| <= 0.1716; relative error 2^-30.2. */
static const nn_real nn_log_poly[] = {0.29871303f, 0.3997757f, 0.66666776f};
#endif
NN_INLINE nn_vec nn_log_any(nn_vec x, nn_vec tail) {
    nn_vec e, f = nn_log_split(x, &e);
    nn_vec s = f / (nn_splat(2) + f), z = s * s, half_square = nn_splat(0.5f) * f * f;
    nn_vec rest = s * nn_fma(z, NN_POLY(z, nn_log_poly), half_square);
    nn_vec small = nn_fma(e, nn_splat(NN_LN2_LOW), tail) + rest;
    nn_vec y = nn_fma(e, nn_splat(NN_LN2_HIGH), f - (half_square - small));
    y = nn_select(nn_lt(x, nn_splat(NN_INFINITY)), y, x);
    y = nn_select(nn_eq(x, nn_splat(0)), nn_splat(-NN_INFINITY), y);
    return nn_select(nn_lt(x, nn_splat(0)), nn_splat((nn_real)NAN), y);
}
/* nn: end */

/* nn: begin log: needs log_any */
/* Natural logarithm. Error: float 0.9, double 0.9 ulp. */
NN_FUNCTION nn_vec nn_log(nn_vec x) {
    return nn_log_any(x, NN_NO_TAIL);
}
/* nn: end */

/* nn: begin log1p: needs log_any copysign */
/* log(1 + x) = log u + c/u, where c is what rounding 1 + x to u lost. Error: float 0.9, double
 * 0.9 ulp. */
NN_FUNCTION nn_vec nn_log1p(nn_vec x) {
    nn_vec one = nn_splat(1), u = one + x, back = u - one;
    nn_vec lost = (one - (u - back)) + (x - back);
    return nn_with_sign(nn_log_any(u, lost / u), x);
}
/* nn: end */

/* nn: begin log1pexp: needs log1p exp max abs */
/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), which never overflows. Error: float 1.6, double 1.6 ulp. */
NN_FUNCTION nn_vec nn_log1pexp(nn_vec x) {
    return nn_max(x, nn_splat(0)) + nn_log1p(nn_exp(-nn_abs(x)));
}
/* nn: end */

/* nn: begin erf: needs exp_parts poly abs min lt select copysign */
/* Error function: x + x P(x^2) for |x| < 1, else 1 - e^-Q(|x|). Error: float 1.4, double 1.3
 * ulp. */
#if NN_DOUBLE
/* erf(x)/x - 1 in x^2, for |x| <= 1; relative error 2^-56.3. */
static const nn_real nn_erf_poly[] = {
    6.67935837918053e-11,    -1.182752621646344e-09, 1.4785802492777023e-08,
    -1.6370534817048914e-07, 1.6463078087829528e-06, -1.4925737993766033e-05,
    0.0001205533775890972,   -0.0008548327189160369, 0.005223977629089331,
    -0.026866170645619063,   0.11283791670958741,    -0.37612638903183876,
    0.1283791670955126};
#else
/* erf(x)/x - 1 in x^2, for |x| <= 1; relative error 2^-29.4. */
static const nn_real nn_erf_poly[] = {7.8255674e-05f, -0.00080023956f, 0.00518755f, -0.026853481f,
                                      0.1128358f,     -0.37612626f,    0.12837917f};
#endif
#if NN_DOUBLE
/* -log(1 - erf(x)) in x, for 1 <= x <= 6; relative error 2^-58.8. */
static const nn_real nn_erfc_poly[] = {
    -1.0458302016564654e-12, 4.780743750465986e-11,  -1.0228276446197569e-09,
    1.3593303705712905e-08,  -1.254357469798184e-07, 8.489768211135571e-07,
    -4.319811025899996e-06,  1.6488407646531445e-05, -4.4966083339063646e-05,
    7.020795977437728e-05,   4.5104718169549255e-05, -0.0006415730778000728,
    0.0017694501884267374,   -0.0002808827090843256, -0.019077891842761447,
    0.10274712220035882,     0.6366285334707367,     1.1283773197945786,
    1.8055925601477043e-07};
#else
/* -log(1 - erf(x)) in x, for 1 <= x <= 4; relative error 2^-29.5. */
static const nn_real nn_erfc_poly[] = {-0.0001862628f, 0.002946619f, -0.021834275f, 0.10309959f,
                                       0.6381522f,     1.1270853f,   0.0003423312f};
#endif
NN_FUNCTION nn_vec nn_erf(nn_vec x) {
#if NN_DOUBLE
    const nn_real saturated = 6;
#else
    const nn_real saturated = 4;
#endif
    nn_vec size = nn_min(nn_splat(saturated), nn_abs(x)), one = nn_splat(1);
    nn_vec small = nn_fma(size, NN_POLY(size * size, nn_erf_poly), size);
    nn_vec p, n, shifted, x_large = -NN_POLY(size, nn_erfc_poly);
    nn_exp_parts(&x_large, 1, NN_NO_TAIL, NN_BIAS, &p, &n, &shifted);
    nn_vec power = nn_power(nn_to_bits(shifted)), large = one - nn_fma(p, power, power);
    return nn_with_sign(nn_select(nn_lt(size, one), small, large), x);
}
/* nn: end */

/* nn: begin sin_parts: needs format bits poly splat */
/* sin and cos of x - n pi/2, where n = round(x / (pi/2)), whose last bits are those of *quadrant.
 * pi/2 is in six parts (Cody and Waite); the products of n and all but the last are exact, for |x|
 * up to NN_SIN_LIMIT, and what is lost below the last place of the difference is kept in `tail`. */
#if NN_DOUBLE
static const nn_real nn_half_pi[] = {1.570770263671875,     2.6063062250614166e-05,
                                     6.077100506303966e-11, 2.0222662487111665e-21,
                                     8.478427660348229e-32, 2.0670321098263988e-43};
#else
static const nn_real nn_half_pi[] = {1.5703125f,    0.0004825592f,  1.2665987e-06f,
                                     9.895302e-10f, 2.5579538e-12f, 5.390303e-15f};
#endif
#if NN_DOUBLE
/* (sin(r) - r) / r^3 in r^2, for |r| <= pi/4; relative error 2^-57.9. */
static const nn_real nn_sin_poly[] = {1.5895823234190668e-10, -2.505074033810459e-08,
                                      2.7557313570409234e-06, -0.0001984126982942784,
                                      0.00833333333332189,    -0.1666666666666663};
#else
/* (sin(r) - r) / r^3 in r^2, for |r| <= pi/4; relative error 2^-27.9. */
static const nn_real nn_sin_poly[] = {-0.00019518104f, 0.008332188f, -0.16666655f};
#endif
#if NN_DOUBLE
/* (cos(r) - 1 + r^2/2) / r^4 in r^2, for |r| <= pi/4; relative error 2^-63.9. */
static const nn_real nn_cos_poly[] = {-1.1358735179834589e-11, 2.0875705201382896e-09,
                                      -2.755731421616325e-07,  2.4801587289000815e-05,
                                      -0.0013888888888873342,  0.041666666666666595};
#else
/* (cos(r) - 1 + r^2/2) / r^4 in r^2, for |r| <= pi/4; relative error 2^-33.0. */
static const nn_real nn_cos_poly[] = {2.443256e-05f, -0.0013887311f, 0.041666646f};
#endif
#if NN_DOUBLE
#define NN_SIN_LIMIT 800000
#define NN_HALF_TURN_BIT 62 /* shifts bit 1 to the sign */
#else
#define NN_SIN_LIMIT 102000
#define NN_HALF_TURN_BIT 30 /* shifts bit 1 to the sign */
#endif
NN_INLINE void nn_sin_parts(nn_vec x, nn_bits *quadrant, nn_vec *sine, nn_vec *cosine) {
    nn_vec shifter = nn_splat(NN_SHIFTER), one = nn_splat(1);
    nn_vec shifted = nn_fma(x, nn_splat((nn_real)0.6366197723675814), shifter),
           n = shifted - shifter;
    *quadrant = nn_to_bits(shifted);
    nn_vec high = nn_fma(n, nn_splat(-nn_half_pi[1]), nn_fma(n, nn_splat(-nn_half_pi[0]), x));
    nn_vec step = n * nn_splat(nn_half_pi[2]), r = high - step, tail = (high - r) - step;
    NN_UNROLL
    for (int i = 3; i < 6; i++)
        tail = nn_fma(n, nn_splat(-nn_half_pi[i]), tail);
    high = r;
    r = high + tail;
    tail = (high - r) + tail;
    nn_vec z = r * r, half = nn_splat(0.5f) * z, most = one - half;
    *sine = r + nn_fma(r * z, NN_POLY(z, nn_sin_poly), tail * most);
    *cosine = most + (((one - most) - half) + nn_fma(z * z, NN_POLY(z, nn_cos_poly), -r * tail));
}

/* One of them, by the quadrant: `sine` when it is even, else `cosine`; negative in the last two. */
NN_INLINE nn_vec nn_sin_choice(nn_bits quadrant, nn_vec sine, nn_vec cosine) {
    nn_bits odd = -(quadrant & 1);
    nn_bits value = (odd & nn_to_bits(cosine)) | (~odd & nn_to_bits(sine));
    return nn_from_bits(value ^ ((quadrant & 2) << NN_HALF_TURN_BIT));
}
/* nn: end */

/* nn: begin sin_far: needs sin_parts load store */
/* Lanes beyond NN_SIN_LIMIT: by the C library. Not inlined: it is rare. */
#if defined(__GNUC__)
__attribute__((noinline, cold))
#endif
static void
nn_sin_far(const nn_vec *x, nn_vec *y, nn_real (*function)(nn_real)) {
    nn_real from[NN_LANES], to[NN_LANES];
    nn_store(from, *x);
    nn_store(to, *y);
    for (int i = 0; i < NN_LANES; i++)
        if (!(from[i] >= -NN_SIN_LIMIT && from[i] <= NN_SIN_LIMIT))
            to[i] = function(from[i]);
    *y = nn_load(to);
}
/* nn: end */

/* nn: begin sin: needs sin_parts sin_far abs gt any */
/* Error: float 1.0, double 0.9 ulp. */
NN_FUNCTION nn_vec nn_sin(nn_vec x) {
    nn_bits quadrant;
    nn_vec sine, cosine, size = nn_abs(x);
    nn_sin_parts(size, &quadrant, &sine, &cosine);
    nn_vec y = nn_sin_choice(quadrant, sine, cosine);
    y = nn_from_bits(nn_to_bits(y) ^ (nn_to_bits(x) & NN_SIGN));
    if (nn_any(nn_gt(size, nn_splat(NN_SIN_LIMIT))))
        nn_sin_far(&x, &y, NN_LIBM(sin));
    return y;
}
/* nn: end */

/* nn: begin cos: needs sin_parts sin_far abs gt any */
/* Error: float 0.9, double 0.9 ulp. */
NN_FUNCTION nn_vec nn_cos(nn_vec x) {
    nn_bits quadrant;
    nn_vec sine, cosine, size = nn_abs(x);
    nn_sin_parts(size, &quadrant, &sine, &cosine);
    nn_vec y = nn_sin_choice(quadrant + 1, sine, cosine);
    if (nn_any(nn_gt(size, nn_splat(NN_SIN_LIMIT))))
        nn_sin_far(&x, &y, NN_LIBM(cos));
    return y;
}
/* nn: end */

/* nn: begin product: needs fma splat */
/* a*b = product + *rest, exactly: by fma, or by Dekker's and Veltkamp's splitting in halves. */
NN_INLINE nn_vec nn_product(nn_vec a, nn_vec b, nn_vec *rest) {
    nn_vec product = a * b;
#if NN_FUSED
    *rest = nn_fma(a, b, -product);
#else
#if NN_DOUBLE
    nn_vec splitter = nn_splat(0x1p27 + 1);
#else
    nn_vec splitter = nn_splat(0x1p12f + 1);
#endif
    nn_vec a_wide = splitter * a, b_wide = splitter * b;
    nn_vec a_high = a_wide - (a_wide - a), b_high = b_wide - (b_wide - b);
    nn_vec a_low = a - a_high, b_low = b - b_high;
    *rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
#endif
    return product;
}
/* nn: end */

/* nn: begin log_pair: needs product log_split ln2 poly */
/* log x = y + *rest, to about twice the precision, for a positive finite x:
 * with s = f / (2 + f), log(1 + f) = 2s + s^3 (2/3 + s^2 P(s^2)), where all but P is in pairs. */
#if NN_DOUBLE
/* (log((1+s)/(1-s)) - 2s - 2s^3/3) / s^5 in s^2, for |s| <= 0.1716; relative error 2^-66.2. */
static const nn_real nn_pow_poly[] = {0.13196606992461762, 0.13256785737894655, 0.1538675882135545,
                                      0.18181784331833267, 0.22222222520360566, 0.28571428570096963,
                                      0.4000000000000226};
#else
/* (log((1+s)/(1-s)) - 2s - 2s^3/3) / s^5 in s^2, for |s| <= 0.1716; relative error 2^-36.8. */
static const nn_real nn_pow_poly[] = {0.23419388f, 0.28547096f, 0.40000153f};
#endif
#if NN_DOUBLE
static const nn_real nn_two_thirds[] = {0.6666666666666666, 3.700743415417188e-17};
#else
static const nn_real nn_two_thirds[] = {0.6666667f, -1.9868216e-08f};
#endif
NN_INLINE nn_vec nn_log_pair(nn_vec x, nn_vec *rest) {
    nn_vec e, f = nn_log_split(x, &e), two = nn_splat(2), two_thirds = nn_splat(nn_two_thirds[0]);
    nn_vec d = two + f, d_rest = f - (d - two);
    nn_vec s = f / d, back_rest, back = nn_product(s, d, &back_rest);
    nn_vec s_rest = ((f - back) - back_rest - s * d_rest) / d;
    nn_vec z_rest, z = nn_product(s, s, &z_rest);
    z_rest = z_rest + two * s * s_rest;
    nn_vec high = z * NN_POLY(z, nn_pow_poly), t = two_thirds + high;
    nn_vec t_rest = ((two_thirds - t) + high) + nn_splat(nn_two_thirds[1]);
    nn_vec u_rest, u = nn_product(z, t, &u_rest);
    u_rest = u_rest + (z * t_rest + z_rest * t);
    nn_vec v_rest, v = nn_product(s, u, &v_rest);
    v_rest = v_rest + (s * u_rest + s_rest * u);
    nn_vec l = two * s + v, l_rest = ((two * s - l) + v) + (two * s_rest + v_rest);
    nn_vec e_log = e * nn_splat(NN_LN2_HIGH), sum = e_log + l;
    nn_vec sum_rest = ((e_log - sum) + l) + (l_rest + e * nn_splat(NN_LN2_LOW));
    nn_vec y = sum + sum_rest;
    *rest = (sum - y) + sum_rest;
    return y;
}
/* nn: end */

/* nn: begin pow_size: needs log_pair exp_any abs lt select */
/* a^b = e^(b log a) for a positive finite a. Beyond the limits the result is 0, infinite or 1. */
NN_INLINE nn_vec nn_pow_size(nn_vec a, nn_vec b) {
#if NN_DOUBLE
    const nn_real steep = 0x1p64, far = 2000;
#else
    const nn_real steep = 0x1p40f, far = 2000;
#endif
    nn_vec log_rest, log = nn_log_pair(a, &log_rest);
    b = nn_min(nn_splat(steep), nn_max(nn_splat(-steep), b));
    nn_vec tail, x = nn_product(b, log, &tail);
    tail = nn_fma(b, log_rest, tail);
    tail = nn_select(nn_lt(nn_abs(x), nn_splat(far)), tail, nn_splat(0));
    nn_exp_any(&x, 1, tail);
    return x;
}
/* nn: end */

/* nn: begin pow: needs pow_size copysign floor eq ne gt and not */
/* x^y, with all of C's special cases. Error: float 1.3, double 1.3 ulp. */
NN_FUNCTION nn_vec nn_pow(nn_vec x, nn_vec y) {
    nn_vec zero = nn_splat(0), one = nn_splat(1), infinity = nn_splat(NN_INFINITY);
    nn_vec size = nn_abs(x), half = nn_splat(0.5f) * y;
    nn_mask finite = nn_lt(size, infinity), up = nn_gt(y, zero);
    nn_vec z = nn_pow_size(size, y);
    z = nn_select(nn_eq(size, zero), nn_select(up, zero, infinity), z);
    z = nn_select(nn_eq(size, infinity), nn_select(up, infinity, zero), z);
    nn_mask whole = nn_eq(nn_floor(y), y), odd = nn_and(whole, nn_ne(nn_floor(half), half));
    z = nn_select(odd, nn_with_sign(z, x), z);
    nn_mask imaginary = nn_and(nn_and(nn_lt(x, zero), finite), nn_not(whole));
    z = nn_select(imaginary, nn_splat((nn_real)NAN), z);
    z = nn_select(nn_eq(x, x), nn_select(nn_eq(y, y), z, y), x);
    return nn_select(nn_eq(y, zero), one, nn_select(nn_eq(x, one), one, z));
}
/* nn: end */

/* nn: begin exp1: needs exp first */
NN_FUNCTION nn_real nn_exp1(nn_real x) {
    return nn_first(nn_exp(nn_splat(x)));
}
/* nn: end */

/* nn: begin decay1: needs decay first */
NN_FUNCTION nn_real nn_decay1(nn_real x) {
    return nn_first(nn_decay(nn_splat(x)));
}
/* nn: end */

/* nn: begin expm11: needs expm1 first */
NN_FUNCTION nn_real nn_expm11(nn_real x) {
    return nn_first(nn_expm1(nn_splat(x)));
}
/* nn: end */

/* nn: begin log1: needs log first */
NN_FUNCTION nn_real nn_log1(nn_real x) {
    return nn_first(nn_log(nn_splat(x)));
}
/* nn: end */

/* nn: begin log1p1: needs log1p first */
NN_FUNCTION nn_real nn_log1p1(nn_real x) {
    return nn_first(nn_log1p(nn_splat(x)));
}
/* nn: end */

/* nn: begin log1pexp1: needs log1pexp first */
NN_FUNCTION nn_real nn_log1pexp1(nn_real x) {
    return nn_first(nn_log1pexp(nn_splat(x)));
}
/* nn: end */

/* nn: begin tanh1: needs tanh first */
NN_FUNCTION nn_real nn_tanh1(nn_real x) {
    return nn_first(nn_tanh(nn_splat(x)));
}
/* nn: end */

/* nn: begin sigmoid1: needs sigmoid first */
NN_FUNCTION nn_real nn_sigmoid1(nn_real x) {
    return nn_first(nn_sigmoid(nn_splat(x)));
}
/* nn: end */

/* nn: begin erf1: needs erf first */
NN_FUNCTION nn_real nn_erf1(nn_real x) {
    return nn_first(nn_erf(nn_splat(x)));
}
/* nn: end */

/* nn: begin sin1: needs sin first */
NN_FUNCTION nn_real nn_sin1(nn_real x) {
    return nn_first(nn_sin(nn_splat(x)));
}
/* nn: end */

/* nn: begin cos1: needs cos first */
NN_FUNCTION nn_real nn_cos1(nn_real x) {
    return nn_first(nn_cos(nn_splat(x)));
}
/* nn: end */

/* nn: begin pow1: needs pow first */
NN_FUNCTION nn_real nn_pow1(nn_real x, nn_real y) {
    return nn_first(nn_pow(nn_splat(x), nn_splat(y)));
}
/* nn: end */

#endif
