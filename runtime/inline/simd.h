/* simd.h: vectors of real numbers, for the C that nnc writes.
 *
 * The widest vector of the machine that the C compiler aims at, through the vector types of GCC and
 * Clang; any other C11 compiler, and NN_SCALAR, get plain C where a vector is one number. Code
 * written with these functions is the same text in all cases. The functions whose name ends in 1
 * take single numbers and give the bits of a lane, so that a result never depends on where a vector
 * loop ends.
 *
 * Define before the header: NN_DOUBLE, 0 (float) or 1 (double).
 *
 * These headers are ordinary C and are tested as such. nnc copies out of them what a network uses,
 * by pieces. In simd.h, access.h, vmath.h and philox.h, in this order, a piece is
 *
 *     [slash-star] nn: begin NAME: needs OTHER PIECES [star-slash]
 *     ...
 *     [slash-star] nn: end [star-slash]
 *
 * The pieces that it needs stand before it; ": needs" is left out when it needs none but "base",
 * which everything needs. Lines between "#if NN_DOUBLE", "#else" and "#endif" are for one
 * precision, and only the right ones are copied; nothing else tests NN_DOUBLE, and no other #if
 * stands there.
 * Text outside the pieces is not copied.
 */
#ifndef NN_SIMD_H
#define NN_SIMD_H

/* nn: begin base */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* <immintrin.h> takes compilers 0.1 to 0.3 s, its parts 0.01 to 0.03. With AVX2 and AVX-512 few of their functions are used: they are made here
 * of what they are made of there, where the compiler has that (NN_BUILTINS). With AVX-512, all that GCC has take a mask (NN_MASKS). */
#if NN_DOUBLE
#define NN_AVX(op) __builtin_ia32_##op##pd256
#define NN_HAS_AVX(op) __has_builtin(__builtin_ia32_##op##pd256)
#define NN_AVX_MASK nn_words
#define NN_AVX512(op, size) __builtin_ia32_##op##pd##size
#define NN_HAS_AVX512(op, size) __has_builtin(__builtin_ia32_##op##pd##size)
#else
#define NN_AVX(op) __builtin_ia32_##op##ps256
#define NN_HAS_AVX(op) __has_builtin(__builtin_ia32_##op##ps256)
#define NN_AVX_MASK nn_ints32
#define NN_AVX512(op, size) __builtin_ia32_##op##ps##size
#define NN_HAS_AVX512(op, size) __has_builtin(__builtin_ia32_##op##ps##size)
#endif
#if defined(NN_SCALAR) || !defined(__has_builtin)
#elif defined(__AVX512F__)
#if NN_HAS_AVX512(vfmadd, 512_mask) && NN_HAS_AVX512(cmp, 512_mask) &&                             \
    NN_HAS_AVX512(rndscale, _mask) && NN_HAS_AVX512(scalef, 512_mask) &&                           \
    NN_HAS_AVX512(loadu, 512_mask) && NN_HAS_AVX512(storeu, 512_mask)
#if NN_HAS_AVX512(min, 512) && NN_HAS_AVX512(max, 512) && NN_HAS_AVX512(sqrt, 512) &&              \
    NN_HAS_AVX512(select, _512) && __has_builtin(__builtin_ia32_pmuludq512) &&                     \
    __has_builtin(__builtin_ia32_pshufd512)
#define NN_BUILTINS 1
#elif NN_HAS_AVX512(min, 512_mask) && NN_HAS_AVX512(max, 512_mask) &&                              \
    NN_HAS_AVX512(sqrt, 512_mask) && NN_HAS_AVX512(blendm, _512_mask) &&                           \
    __has_builtin(__builtin_ia32_pmuludq512_mask) && __has_builtin(__builtin_ia32_pshufd512_mask)
#define NN_BUILTINS 1
#define NN_MASKS 1
#endif
#endif
#elif defined(__AVX2__) && defined(__FMA__)
#if NN_HAS_AVX(vfmadd) && NN_HAS_AVX(min) && NN_HAS_AVX(max) && NN_HAS_AVX(sqrt) &&                \
    NN_HAS_AVX(round) && NN_HAS_AVX(blendv) && NN_HAS_AVX(movmsk) && NN_HAS_AVX(maskload) &&       \
    NN_HAS_AVX(vextractf128_) && __has_builtin(__builtin_ia32_pmuludq256) &&                       \
    __has_builtin(__builtin_ia32_pshufd256)
#define NN_BUILTINS 1
#endif
#endif

#if defined(NN_BUILTINS)
#define nn_x86_loadu(p) (*(const nn_unaligned *)(p))
#define nn_x86_storeu(p, v) (*(nn_unaligned *)(p) = (v))
#define nn_x86_cvtepi32(v) __builtin_convertvector((nn_ints32)(v), nn_vec)
#if defined(__clang__)
#define nn_x86_stream(p, v) __builtin_nontemporal_store(v, (nn_vec *)(p))
#elif defined(__AVX512F__)
#define nn_x86_stream NN_AVX512(movnt, 512)
#else
#define nn_x86_stream NN_AVX(movnt)
#endif
#if defined(__AVX512F__) /* 4: rounding as ever */
#define NN_ALL ((nn_mask)-1)
#define nn_x86_fmadd(a, b, c) NN_AVX512(vfmadd, 512_mask)(a, b, c, NN_ALL, 4)
#define nn_x86_floor(v) NN_AVX512(rndscale, _mask)(v, 1, v, NN_ALL, 4)
#define nn_x86_scalef(a, b) NN_AVX512(scalef, 512_mask)(a, b, a, NN_ALL, 4)
#define nn_x86_cmp_mask(a, b, code) NN_AVX512(cmp, 512_mask)(a, b, code, NN_ALL, 4)
#define nn_x86_maskz_loadu(mask, p) NN_AVX512(loadu, 512_mask)(p, (nn_vec){0}, mask)
#define nn_x86_mask_storeu(p, mask, v) NN_AVX512(storeu, 512_mask)(p, v, mask)
#else
#define nn_x86_maskload(p, mask) NN_AVX(maskload)((const nn_vec *)(p), (NN_AVX_MASK)(mask))
#define nn_x86_fmadd NN_AVX(vfmadd)
#define nn_x86_min NN_AVX(min)
#define nn_x86_max NN_AVX(max)
#define nn_x86_sqrt NN_AVX(sqrt)
#define nn_x86_floor(v) NN_AVX(round)(v, 1)
#define nn_x86_blendv NN_AVX(blendv)
#define nn_x86_movemask NN_AVX(movmsk)
#define nn_x86_extractf128 NN_AVX(vextractf128_)
#define nn_x86_mul_epu32(a, b) (nn_words) __builtin_ia32_pmuludq256((nn_ints32)(a), (nn_ints32)(b))
#define nn_x86_shuffle_epi32(v, order) (nn_words) __builtin_ia32_pshufd256((nn_ints32)(v), order)
#endif
#if defined(NN_MASKS)
#define nn_x86_min(a, b) NN_AVX512(min, 512_mask)(a, b, a, NN_ALL, 4)
#define nn_x86_max(a, b) NN_AVX512(max, 512_mask)(a, b, a, NN_ALL, 4)
#define nn_x86_sqrt(v) NN_AVX512(sqrt, 512_mask)(v, v, NN_ALL, 4)
#define nn_x86_mask_blend(mask, a, b) NN_AVX512(blendm, _512_mask)(a, b, mask)
#define nn_x86_mul_epu32(a, b)                                                                     \
    (nn_words) __builtin_ia32_pmuludq512_mask((nn_ints32)(a), (nn_ints32)(b), a, -1)
#define nn_x86_shuffle_epi32(v, order)                                                             \
    (nn_words) __builtin_ia32_pshufd512_mask((nn_ints32)(v), order, (nn_ints32)(v), -1)
#elif defined(__AVX512F__)
#define nn_x86_min(a, b) NN_AVX512(min, 512)(a, b, 4)
#define nn_x86_max(a, b) NN_AVX512(max, 512)(a, b, 4)
#define nn_x86_sqrt(v) NN_AVX512(sqrt, 512)(v, 4)
#define nn_x86_mask_blend(mask, a, b) NN_AVX512(select, _512)(mask, b, a)
#define nn_x86_mul_epu32(a, b) (nn_words) __builtin_ia32_pmuludq512((nn_ints32)(a), (nn_ints32)(b))
#define nn_x86_shuffle_epi32(v, order) (nn_words) __builtin_ia32_pshufd512((nn_ints32)(v), order)
#endif
#elif !defined(NN_SCALAR) && defined(__GNUC__) && defined(__AVX__)
#include <immintrin.h>
#elif !defined(NN_SCALAR) && defined(__GNUC__) && defined(__SSE4_1__)
#include <smmintrin.h>
#elif !defined(NN_SCALAR) && defined(__GNUC__) && defined(__SSE2__)
#include <emmintrin.h>
#elif !defined(NN_SCALAR) && defined(__GNUC__) && defined(__aarch64__)
#include <arm_neon.h>
#elif !defined(NN_SCALAR)
#define NN_SCALAR 1
#endif

/* Some of the masks that GCC's builtins take have a sign, others none. */
#if defined(NN_MASKS)
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

/* Multiplications and additions are fused where nn_fma is written and nowhere else: all loops
 * round alike. (Behind the intrinsics: GCC notes it for each function that follows, and there are thousands of them.) */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && !defined(__STRICT_ANSI__)
#pragma GCC optimize("fp-contract=off")
/* Registers that are wider than numbers: what is assigned is rounded all the same, as C wants. */
#if __FLT_EVAL_METHOD__ == 2
#pragma GCC optimize("excess-precision=standard")
#endif
#endif

/* The loops are vector code already. GCC's own vectoriser finds little to add, and version 12 makes wrong code of sums that walk
 * backwards through memory (x[-j]) at -O3. What predictive commoning keeps for the next steps of a convolution takes the registers
 * of its tile. What it infers of the lengths of loops from the arrays
 * that they index takes a tenth of its time and finds nothing here; strides that are arguments are never 1, so loops need no version
 * for that. */
#if !defined(NN_SCALAR) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-vectorize", "no-predictive-commoning",                               \
                     "no-aggressive-loop-optimizations")
#if __GNUC__ >= 9
#pragma GCC optimize("no-version-loops-for-strides")
#endif
#endif

/* NN_BYTES: the size of a vector. NN_X86(op), NN_ARM(op): the machine's intrinsic of that name, NN_X86_WORDS(op) for integers.
 * NN_LIBM(op): the function of <math.h>. */
#if defined(NN_SCALAR)
#define NN_BYTES sizeof(nn_real)
#elif defined(__AVX512F__)
#define NN_BYTES 64
#define NN_X86_PREFIX _mm512_
#elif defined(__AVX__)
#define NN_BYTES 32
#define NN_X86_PREFIX _mm256_
#else
#define NN_BYTES 16
#define NN_X86_PREFIX _mm_
#endif
#define NN_PASTE(a, b, c) a##b##c
#define NN_PASTE_VALUES(a, b, c) NN_PASTE(a, b, c)
#if defined(NN_BUILTINS)
#define NN_X86(op) nn_x86_##op
#define NN_X86_WORDS(op) nn_x86_##op
#define NN_X86_COMPARE nn_x86_cmp_mask
#else
#define NN_X86(op) NN_PASTE_VALUES(NN_X86_PREFIX, op, NN_X86_SUFFIX)
#define NN_X86_WORDS(op) NN_PASTE_VALUES(NN_X86_PREFIX, op, )
#define NN_X86_COMPARE NN_PASTE_VALUES(NN_X86_PREFIX, cmp, NN_X86_SUFFIX_MASK)
#endif

#if NN_DOUBLE
typedef double nn_real;
typedef uint64_t nn_word; /* the bits of an nn_real */
typedef int64_t nn_truth;
#define NN_X86_SUFFIX _pd
#define NN_X86_SUFFIX_MASK _pd_mask
#define NN_ARM(op) v##op##q_f64
#define NN_LIBM(op) op
#define NN_ROUNDER 0x1p52 /* 1 / epsilon: from here on all numbers are whole */
#define NN_LANES (NN_BYTES / 8)
#else
typedef float nn_real;
typedef uint32_t nn_word; /* the bits of an nn_real */
typedef int32_t nn_truth;
#define NN_X86_SUFFIX _ps
#define NN_X86_SUFFIX_MASK _ps_mask
#define NN_ARM(op) v##op##q_f32
#define NN_LIBM(op) op##f
#define NN_ROUNDER 0x1p23f /* 1 / epsilon: from here on all numbers are whole */
#define NN_LANES (NN_BYTES / 4)
#endif

/* NN_FUSED: whether a fused multiply-add is one instruction. */
#if defined(NN_SCALAR)
#if defined(FP_FAST_FMA) && defined(FP_FAST_FMAF)
#define NN_FUSED 1
#endif
#elif defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
#define NN_FUSED 1
#endif
#ifndef NN_FUSED
#define NN_FUSED 0
#endif

/* nn_vec: NN_LANES numbers, for + - * / and the functions below. nn_bits: the same as bits.
 * nn_mask: a truth value for each lane. */
#if defined(NN_SCALAR)
#undef NN_LANES
#define NN_LANES 1
typedef nn_real nn_vec;
typedef nn_word nn_bits;
typedef nn_truth nn_mask;
#else
typedef nn_real nn_vec __attribute__((vector_size(NN_BYTES)));
typedef nn_word nn_bits __attribute__((vector_size(NN_BYTES)));
typedef nn_real nn_unaligned __attribute__((vector_size(NN_BYTES), aligned(1), may_alias));
typedef long long nn_words
    __attribute__((vector_size(NN_BYTES))); /* integers, as intrinsics take them */
typedef int nn_ints32 __attribute__((vector_size(NN_BYTES)));
#if defined(__AVX512F__) && NN_LANES == 16
typedef uint16_t nn_mask;
#elif defined(__AVX512F__)
typedef uint8_t nn_mask;
#else
typedef nn_truth nn_mask __attribute__((vector_size(NN_BYTES)));
#endif
#endif

/* NN_INLINE: a few instructions, always part of its caller. NN_FUNCTION: as the compiler likes. NN_NOINLINE: never part of its caller,
 * nor made again for each caller's sizes (which only GCC does): that would take long to compile and be no faster. */
#if defined(__clang__)
#define NN_NOINLINE __attribute__((noinline, unused))
#elif defined(__GNUC__)
#define NN_NOINLINE __attribute__((noinline, noclone, unused))
#else
#define NN_NOINLINE
#endif
#if defined(__GNUC__)
#define NN_INLINE static inline __attribute__((always_inline, unused))
#define NN_FUNCTION static inline __attribute__((unused))
#else
#define NN_INLINE static inline
#define NN_FUNCTION static inline
#endif

/* NN_UNROLL before a small loop of constant length: write it out. */
#if defined(__clang__)
#define NN_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define NN_UNROLL _Pragma("GCC unroll 64")
#else
#define NN_UNROLL
#endif
/* nn: end */

/* nn: begin rolled */
/* NN_ROLLED before a loop: do not write it out. Clang makes eight steps of one where a processor's tables say that it may, which takes three times
 * as long to compile and gains nothing. */
#if defined(__clang__)
#define NN_ROLLED _Pragma("clang loop unroll(disable)")
#elif defined(__GNUC__)
#define NN_ROLLED _Pragma("GCC unroll 1")
#else
#define NN_ROLLED
#endif
/* nn: end */

/* nn: begin parallel */
/* With OpenMP. NN_PARALLEL: the block runs on several threads; NN_PARALLEL_OF: on no more than so many. In it, NN_SHARED: they share the
 * iterations of the loop, in equal parts; NN_SINGLE: one of them runs the statement; none waits for the others but at NN_WAIT. NN_THREAD is the
 * number of the thread, from 0. */
#if defined(_OPENMP)
#include <omp.h>
#define NN_PRAGMA(text) _Pragma(#text)
#define NN_PARALLEL NN_PRAGMA(omp parallel)
#define NN_PARALLEL_IF(test) NN_PRAGMA(omp parallel if (test))
#define NN_PARALLEL_OF(most, test)                                                                 \
    NN_PRAGMA(omp parallel if (test)                                                               \
                  num_threads(omp_get_max_threads() < most ? omp_get_max_threads() : most))
#define NN_SHARED NN_PRAGMA(omp for schedule(static) nowait)
#define NN_SINGLE NN_PRAGMA(omp single nowait)
#define NN_WAIT NN_PRAGMA(omp barrier)
#define NN_THREAD ((int64_t)omp_get_thread_num())
#else
#define NN_PARALLEL
#define NN_PARALLEL_IF(test)
#define NN_PARALLEL_OF(most, test)
#define NN_SHARED
#define NN_SINGLE
#define NN_WAIT
#define NN_THREAD INT64_C(0)
#endif
/* nn: end */

/* nn: begin load */
NN_INLINE nn_vec nn_load(const nn_real *p) {
#if !defined(NN_SCALAR) && defined(__SSE2__)
    return NN_X86(loadu)(p);
#else
    nn_vec v;
    memcpy(&v, p, sizeof v);
    return v;
#endif
}
/* nn: end */

/* nn: begin load_once: needs load */
/* A load whose result several operations use. GCC would let each of them read memory again, where loops of multiply-adds wait for
 * their loads. */
NN_INLINE nn_vec nn_load_once(const nn_real *p) {
    nn_vec v = nn_load(p);
#if !defined(NN_SCALAR) && defined(__GNUC__) && !defined(__clang__) && defined(__SSE2__)
    __asm__("" : "+v"(v));
#endif
    return v;
}
/* nn: end */

/* nn: begin store */
NN_INLINE void nn_store(nn_real *p, nn_vec v) {
#if !defined(NN_SCALAR) && defined(__SSE2__)
    NN_X86(storeu)(p, v);
#else
    memcpy(p, &v, sizeof v);
#endif
}
/* nn: end */

/* nn: begin splat */
/* x in every lane. */
NN_INLINE nn_vec nn_splat(nn_real x) {
#if defined(NN_SCALAR)
    return x;
#else
    return x - (nn_vec){0};
#endif
}
/* nn: end */

/* nn: begin first */
/* Lane 0. */
NN_INLINE nn_real nn_first(nn_vec v) {
#if defined(NN_SCALAR)
    return v;
#else
    return v[0];
#endif
}
/* nn: end */

/* nn: begin iota: needs load */
/* 0, 1, 2, ... */
NN_INLINE nn_vec nn_iota(void) {
    static const nn_real lanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return nn_load(lanes);
}
/* nn: end */

/* nn: begin fma */
/* a*b + c, rounded once where the machine can. */
NN_INLINE nn_vec nn_fma(nn_vec a, nn_vec b, nn_vec c) {
#if !NN_FUSED
    return a * b + c;
#elif defined(NN_SCALAR)
    return NN_LIBM(fma)(a, b, c);
#elif defined(__aarch64__)
    return NN_ARM(fma)(c, a, b);
#else
    return NN_X86(fmadd)(a, b, c);
#endif
}
/* nn: end */

/* nn: begin fma1 */
NN_INLINE nn_real nn_fma1(nn_real a, nn_real b, nn_real c) {
#if NN_FUSED
    return NN_LIBM(fma)(a, b, c);
#else
    return a * b + c;
#endif
}
/* nn: end */

/* nn: begin compare */
/* Comparisons with NaN are false, except !=. `code` is the number of `op` in AVX-512 (`_CMP_LT_OQ` ...). */
#if defined(NN_SCALAR)
#define NN_COMPARE(a, op, b, code) (-(nn_mask)((a)op(b)))
#elif defined(__AVX512F__)
#define NN_COMPARE(a, op, b, code) NN_X86_COMPARE(a, b, code)
#else
#define NN_COMPARE(a, op, b, code) ((nn_mask)((a)op(b)))
#endif
/* nn: end */

/* nn: begin lt: needs compare */
NN_INLINE nn_mask nn_lt(nn_vec a, nn_vec b) {
    return NN_COMPARE(a, <, b, 0x11);
}
/* nn: end */

/* nn: begin le: needs compare */
NN_INLINE nn_mask nn_le(nn_vec a, nn_vec b) {
    return NN_COMPARE(a, <=, b, 0x12);
}
/* nn: end */

/* nn: begin gt: needs compare */
NN_INLINE nn_mask nn_gt(nn_vec a, nn_vec b) {
    return NN_COMPARE(a, >, b, 0x1E);
}
/* nn: end */

/* nn: begin ge: needs compare */
NN_INLINE nn_mask nn_ge(nn_vec a, nn_vec b) {
    return NN_COMPARE(a, >=, b, 0x1D);
}
/* nn: end */

/* nn: begin eq: needs compare */
NN_INLINE nn_mask nn_eq(nn_vec a, nn_vec b) {
    return NN_COMPARE(a, ==, b, 0x00);
}
/* nn: end */

/* nn: begin ne: needs compare */
NN_INLINE nn_mask nn_ne(nn_vec a, nn_vec b) {
    return NN_COMPARE(a, !=, b, 0x04);
}
/* nn: end */

/* nn: begin and */
NN_INLINE nn_mask nn_and(nn_mask a, nn_mask b) {
    return (nn_mask)(a & b);
}
/* nn: end */

/* nn: begin or */
NN_INLINE nn_mask nn_or(nn_mask a, nn_mask b) {
    return (nn_mask)(a | b);
}
/* nn: end */

/* nn: begin not */
NN_INLINE nn_mask nn_not(nn_mask a) {
    return (nn_mask)~a;
}
/* nn: end */

/* nn: begin any */
/* Whether the mask is true in a lane. */
NN_INLINE int nn_any(nn_mask a) {
#if defined(NN_SCALAR) || defined(__AVX512F__)
    return a != 0;
#elif defined(NN_X86_PREFIX) && defined(__SSE2__)
    return NN_X86(movemask)((nn_vec)a) != 0;
#else
    nn_truth any = 0;
    for (int i = 0; i < NN_LANES; i++)
        any |= a[i];
    return any != 0;
#endif
}
/* nn: end */

/* nn: begin select */
/* In each lane: mask ? a : b. (SSE2 by its intrinsics: gcc 12 -O1 fails on the operators when they
 * stand in a loop over doubles.) */
NN_INLINE nn_vec nn_select(nn_mask mask, nn_vec a, nn_vec b) {
#if defined(NN_SCALAR)
    return mask ? a : b;
#elif defined(__AVX512F__)
    return NN_X86(mask_blend)(mask, b, a);
#elif defined(__SSE4_1__)
    return NN_X86(blendv)(b, a, (nn_vec)mask);
#elif defined(__SSE2__)
    return NN_X86(or)(NN_X86(and)((nn_vec)mask, a), NN_X86(andnot)((nn_vec)mask, b));
#else
    return (nn_vec)((mask & (nn_mask)a) | (~mask & (nn_mask)b));
#endif
}
/* nn: end */

/* nn: begin min: needs lt select */
/* a < b ? a : b. So when one is NaN the result is b. */
NN_INLINE nn_vec nn_min(nn_vec a, nn_vec b) {
#if !defined(NN_SCALAR) && defined(__SSE2__)
    return NN_X86(min)(a, b);
#else
    return nn_select(nn_lt(a, b), a, b);
#endif
}
/* nn: end */

/* nn: begin max: needs gt select */
/* a > b ? a : b. So when one is NaN the result is b. */
NN_INLINE nn_vec nn_max(nn_vec a, nn_vec b) {
#if !defined(NN_SCALAR) && defined(__SSE2__)
    return NN_X86(max)(a, b);
#else
    return nn_select(nn_gt(a, b), a, b);
#endif
}
/* nn: end */

/* nn: begin min1 */
NN_INLINE nn_real nn_min1(nn_real a, nn_real b) {
    return a < b ? a : b;
}
/* nn: end */

/* nn: begin max1 */
NN_INLINE nn_real nn_max1(nn_real a, nn_real b) {
    return a > b ? a : b;
}
/* nn: end */

/* nn: begin bits */
NN_INLINE nn_bits nn_to_bits(nn_vec v) {
    nn_bits bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

NN_INLINE nn_vec nn_from_bits(nn_bits bits) {
    nn_vec v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
/* nn: end */

/* nn: begin abs: needs bits */
NN_INLINE nn_vec nn_abs(nn_vec a) {
    return nn_from_bits(nn_to_bits(a) & ((nn_word)-1 >> 1));
}
/* nn: end */

/* nn: begin abs1 */
NN_INLINE nn_real nn_abs1(nn_real a) {
    return NN_LIBM(fabs)(a);
}
/* nn: end */

/* nn: begin sqrt */
NN_INLINE nn_vec nn_sqrt(nn_vec a) {
#if defined(NN_SCALAR)
    return NN_LIBM(sqrt)(a);
#elif defined(__SSE2__)
    return NN_X86(sqrt)(a);
#else
    return NN_ARM(sqrt)(a);
#endif
}
/* nn: end */

/* nn: begin sqrt1: needs sqrt splat first */
NN_INLINE nn_real nn_sqrt1(nn_real a) {
    return nn_first(nn_sqrt(nn_splat(a)));
}
/* nn: end */

/* nn: begin floor: needs bits splat abs lt gt select */
/* The largest whole number that is not above a. */
NN_INLINE nn_vec nn_floor(nn_vec a) {
#if defined(NN_SCALAR)
    return NN_LIBM(floor)(a);
#elif defined(__SSE4_1__)
    return NN_X86(floor)(a);
#elif defined(__aarch64__)
    return NN_ARM(rndm)(a);
#else
    /* Adding and subtracting 1/epsilon rounds to the nearest; larger numbers are whole already. */
    const nn_vec whole = nn_splat(NN_ROUNDER);
    nn_vec size = nn_abs(a), nearest = size + whole - whole;
    nn_bits sign = nn_to_bits(a) ^ nn_to_bits(size);
    nearest = nn_from_bits(nn_to_bits(nearest) | sign);
    nn_vec below = nearest - nn_select(nn_gt(nearest, a), nn_splat(1), nn_splat(0));
    return nn_select(nn_lt(size, whole), below, a);
#endif
}
/* nn: end */

/* nn: begin floor1: needs floor first */
NN_INLINE nn_real nn_floor1(nn_real a) {
    return nn_first(nn_floor(nn_splat(a)));
}
/* nn: end */

/* nn: begin sign: needs splat gt lt select */
/* -1, 0 or 1; 0 for NaN. */
NN_INLINE nn_vec nn_sign(nn_vec a) {
    nn_vec zero = nn_splat(0);
    nn_vec up = nn_select(nn_gt(a, zero), nn_splat(1), zero);
    return nn_select(nn_lt(a, zero), nn_splat(-1), up);
}
/* nn: end */

/* nn: begin sign1 */
NN_INLINE nn_real nn_sign1(nn_real a) {
    return (nn_real)((a > 0) - (a < 0));
}
/* nn: end */

/* nn: begin to_real: needs splat select */
/* 1 in the lanes of the mask, 0 in the others. */
NN_INLINE nn_vec nn_to_real(nn_mask a) {
    return nn_select(a, nn_splat(1), nn_splat(0));
}
/* nn: end */

/* nn: begin to_real1 */
NN_INLINE nn_real nn_to_real1(int64_t a) {
    return (nn_real)a;
}
/* nn: end */

/* nn: begin to_index: needs floor splat ge lt select */
/* a rounded down; below 0 it is 0, from n on n - 1, and for NaN 0. */
NN_INLINE nn_vec nn_to_index(nn_vec a, nn_vec n) {
    nn_vec one = nn_splat(1);
    nn_vec below = nn_select(nn_lt(a, n), nn_floor(a), n - one);
    return nn_select(nn_ge(a, one), below, nn_splat(0));
}
/* nn: end */

/* nn: begin to_index1 */
NN_INLINE int64_t nn_to_index1(nn_real a, int64_t n) {
    if (!(a >= 1))
        return 0;
    return a < (nn_real)n ? (int64_t)a : n - 1;
}
/* nn: end */

/* nn: begin first_lanes: needs iota splat lt */
/* A mask: lane < count. */
NN_INLINE nn_mask nn_first_lanes(int64_t count) {
    return nn_lt(nn_iota(), nn_splat((nn_real)count));
}
/* nn: end */

/* nn: begin splat_mask: needs splat ne */
/* The truth value a in every lane. */
NN_INLINE nn_mask nn_splat_mask(int a) {
    return nn_ne(nn_splat((nn_real)a), nn_splat(0));
}
/* nn: end */

/* nn: begin min_int */
NN_INLINE int64_t nn_min_int(int64_t a, int64_t b) {
    return a < b ? a : b;
}
/* nn: end */

/* nn: begin max_int */
NN_INLINE int64_t nn_max_int(int64_t a, int64_t b) {
    return a > b ? a : b;
}
/* nn: end */

/* nn: begin floordiv */
/* a / b rounded down, for b > 0. */
NN_INLINE int64_t nn_floordiv(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}
/* nn: end */

/* nn: begin mod */
/* The rest of that division, in 0 ... b - 1. */
NN_INLINE int64_t nn_mod(int64_t a, int64_t b) {
    int64_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}
/* nn: end */

/* nn: begin lanes */
/* NN_SHUFFLE(a, b, f, x): in lane i, lane f(i, x) of a and b, counted through both. */
#if !defined(NN_SCALAR)
#if NN_LANES == 16
#define NN_OF_LANES(f, x)                                                                          \
    f(0, x), f(1, x), f(2, x), f(3, x), f(4, x), f(5, x), f(6, x), f(7, x), f(8, x), f(9, x),      \
        f(10, x), f(11, x), f(12, x), f(13, x), f(14, x), f(15, x)
#elif NN_LANES == 8
#define NN_OF_LANES(f, x) f(0, x), f(1, x), f(2, x), f(3, x), f(4, x), f(5, x), f(6, x), f(7, x)
#elif NN_LANES == 4
#define NN_OF_LANES(f, x) f(0, x), f(1, x), f(2, x), f(3, x)
#else
#define NN_OF_LANES(f, x) f(0, x), f(1, x)
#endif
#if defined(__clang__)
#define NN_SHUFFLE(a, b, f, x) __builtin_shufflevector(a, b, NN_OF_LANES(f, x))
#else
#define NN_SHUFFLE(a, b, f, x) __builtin_shuffle(a, b, (nn_bits){NN_OF_LANES(f, x)})
#endif
#endif
/* nn: end */

/* nn: begin fold: needs lanes */
/* Reduces the lanes of v by f, in the order of a tree that the number of lanes fixes: lane i meets
 * lane i + NN_LANES/2, then i + NN_LANES/4, and so on. All lanes hold the result. */
#define NN_PARTNER(i, distance) ((i) ^ (distance))
#define NN_MEET(v, f, distance) (v = f(v, NN_SHUFFLE(v, v, NN_PARTNER, distance)))
#if defined(NN_SCALAR)
#define NN_FOLD(v, f) (v)
#elif NN_LANES == 16
#define NN_FOLD(v, f) (NN_MEET(v, f, 8), NN_MEET(v, f, 4), NN_MEET(v, f, 2), NN_MEET(v, f, 1))
#elif NN_LANES == 8
#define NN_FOLD(v, f) (NN_MEET(v, f, 4), NN_MEET(v, f, 2), NN_MEET(v, f, 1))
#elif NN_LANES == 4
#define NN_FOLD(v, f) (NN_MEET(v, f, 2), NN_MEET(v, f, 1))
#else
#define NN_FOLD(v, f) NN_MEET(v, f, 1)
#endif
/* nn: end */

/* nn: begin hsum: needs fold first */
/* The sum of the lanes. */
NN_INLINE nn_vec nn_add(nn_vec a, nn_vec b) {
    return a + b;
}
NN_INLINE nn_real nn_hsum(nn_vec v) {
    return nn_first(NN_FOLD(v, nn_add));
}
/* nn: end */

/* nn: begin hsums: needs lanes */
/* In lane i the sum of the lanes of v[i * stride], with the bits of nn_hsum, for the first `count`
 * lanes; the others hold anything. Two vectors become one, whose lanes are sums of both, and so on:
 * so many additions as there are vectors, instead of a tree for each of them. */
NN_INLINE nn_vec nn_hsums(const nn_vec *v, int64_t stride, int64_t count) {
#if defined(NN_SCALAR)
    (void)stride;
    (void)count;
    return *v;
#else
    nn_vec sums[NN_LANES];
    int64_t left = count < NN_LANES ? count : NN_LANES;
    NN_UNROLL
    for (int64_t i = 0; i < NN_LANES; i++)
        sums[i] = v[i < left ? i * stride : 0];
#define NN_OWN(i, distance) ((i) & (distance) ? NN_LANES + (i) : (i))
#define NN_OTHER(i, distance) (NN_OWN(i, distance) ^ (distance))
#define NN_HALVE(distance)                                                                         \
    NN_UNROLL                                                                                      \
    for (int64_t i = 0; i < 2 * distance; i += 2) {                                                \
        if (i < left) {                                                                            \
            nn_vec a = sums[i], b = sums[i + 1 < left ? i + 1 : i];                                \
            sums[i / 2] =                                                                          \
                NN_SHUFFLE(a, b, NN_OWN, distance) + NN_SHUFFLE(a, b, NN_OTHER, distance);         \
        }                                                                                          \
    }                                                                                              \
    left = (left + 1) / 2
#if NN_LANES == 16
    NN_HALVE(8);
#endif
#if NN_LANES >= 8
    NN_HALVE(4);
#endif
#if NN_LANES >= 4
    NN_HALVE(2);
#endif
    NN_HALVE(1);
/* The first to meet, neighbours, stand furthest apart. */
#define NN_REVERSED(i, lanes)                                                                      \
    (((i)&1) * (lanes) / 2 + ((i) >> 1 & 1) * (lanes) / 4 + ((i) >> 2 & 1) * (lanes) / 8 +         \
     ((i) >> 3 & 1) * (lanes) / 16)
    return NN_SHUFFLE(sums[0], sums[0], NN_REVERSED, NN_LANES);
#endif
}
/* nn: end */

/* nn: begin hprod: needs fold first */
/* The product of the lanes. */
NN_INLINE nn_vec nn_multiply(nn_vec a, nn_vec b) {
    return a * b;
}
NN_INLINE nn_real nn_hprod(nn_vec v) {
    return nn_first(NN_FOLD(v, nn_multiply));
}
/* nn: end */

/* nn: begin hmin: needs fold first min */
/* The least lane. A lane that is NaN may be passed over. */
NN_INLINE nn_real nn_hmin(nn_vec v) {
    return nn_first(NN_FOLD(v, nn_min));
}
/* nn: end */

/* nn: begin hmax: needs fold first max */
/* The greatest lane. A lane that is NaN may be passed over. */
NN_INLINE nn_real nn_hmax(nn_vec v) {
    return nn_first(NN_FOLD(v, nn_max));
}
/* nn: end */

#endif
