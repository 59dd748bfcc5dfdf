/* access.h: vectors and memory that is not one vector after the other: parts of vectors, equal
 * distances, integers (see simd.h). A store touches the memory of its lanes and no other; a load, none before its first lane or behind
 * its last.
 */
#ifndef NN_ACCESS_H
#define NN_ACCESS_H

#include "simd.h"

/* nn: begin fetch_read */
/* Asks for the cache line `ahead` numbers behind p, which will be read soon if it is one of an array. */
NN_INLINE void nn_fetch_read(const nn_real *p, size_t ahead) {
#if defined(__GNUC__)
    __builtin_prefetch((const void *)((uintptr_t)p + ahead * sizeof *p));
#else
    (void)p;
    (void)ahead;
#endif
}
/* nn: end */

/* nn: begin fetch_write */
/* The same for a line that will be written. */
NN_INLINE void nn_fetch_write(const nn_real *p, size_t ahead) {
#if defined(__GNUC__)
    __builtin_prefetch((const void *)((uintptr_t)p + ahead * sizeof *p), 1);
#else
    (void)p;
    (void)ahead;
#endif
}
/* nn: end */

/* nn: begin stream: needs store */
/* A store past the caches, where p is a multiple of the vector's size and the machine can: what is not read soon need not be fetched to
 * be written. Others see it after nn_stream_end(). */
NN_INLINE void nn_stream(nn_real *p, nn_vec v) {
#if !defined(NN_SCALAR) && defined(__SSE2__)
    if ((uintptr_t)p % sizeof v == 0) {
        NN_X86(stream)(p, v);
        return;
    }
#endif
    nn_store(p, v);
}
/* nn: end */

/* nn: begin stream_end */
NN_INLINE void nn_stream_end(void) {
#if !defined(NN_SCALAR) && defined(__SSE2__)
    __builtin_ia32_sfence();
#endif
}
/* nn: end */

/* nn: begin load_part: needs load first_lanes */
/* The first `count` lanes from p, which are all that is read; 0 in the others. */
NN_INLINE nn_vec nn_load_part(const nn_real *p, int64_t count) {
#if !defined(NN_SCALAR) && defined(__AVX512F__)
    return NN_X86(maskz_loadu)(nn_first_lanes(count), p);
#elif !defined(NN_SCALAR) && defined(__AVX__)
    if (count >= NN_LANES)
        return nn_load(p);
    return NN_X86(maskload)(p, (nn_words)nn_first_lanes(count));
#else
    if (count >= NN_LANES)
        return nn_load(p);
    nn_real lanes[NN_LANES] = {0};
    NN_UNROLL
    for (int i = 0; i < NN_LANES - 1; i++)
        if (i < count)
            lanes[i] = p[i];
    return nn_load(lanes);
#endif
}
/* nn: end */

/* nn: begin store_part: needs store first_lanes */
/* Writes the first `count` lanes and nothing else. */
NN_INLINE void nn_store_part(nn_real *p, nn_vec v, int64_t count) {
#if !defined(NN_SCALAR) && defined(__AVX512F__)
    NN_X86(mask_storeu)(p, nn_first_lanes(count), v);
#else
    if (count >= NN_LANES) {
        nn_store(p, v);
        return;
    }
#if !defined(NN_SCALAR) && defined(__AVX__)
    /* A masked store would take some processors 13 cycles. */
    if (count <= 0)
        return;
    typedef nn_real half __attribute__((vector_size(16)));
    half low = NN_X86(extractf128)(v, 0);
    if (count & NN_LANES / 2) {
        memcpy(p, &low, sizeof low);
        low = NN_X86(extractf128)(v, 1);
        p += NN_LANES / 2;
    }
    nn_real last = low[0];
#if NN_DOUBLE
#else
    if (count & 2) {
        typedef double pairs __attribute__((vector_size(16)));
        const double pair = ((pairs)low)[0];
        memcpy(p, &pair, sizeof pair);
        last = low[2];
        p += 2;
    }
#endif
    if (count & 1)
        *p = last;
#else
    nn_real lanes[NN_LANES];
    nn_store(lanes, v);
    NN_UNROLL
    for (int i = 0; i < NN_LANES - 1; i++)
        if (i < count)
            p[i] = lanes[i];
#endif
#endif
}
/* nn: end */

/* nn: begin gather: needs load lanes */
/* p[0], p[stride], p[2*stride], ... The lanes meet in registers: a vector that is loaded from where they were stored one by one waits
 * until all are in the cache. Every second number comes from two vectors, which end with the last lane. */
NN_INLINE nn_vec nn_gather(const nn_real *p, int64_t stride) {
#if defined(NN_SCALAR)
    (void)stride;
    return *p;
#else
#define NN_STRIDED(i, stride) p[(i) * (stride)]
#define NN_EVEN_OF_BOTH(i, lanes) (2 * (i) + (2 * (i) >= (lanes)))
    if (stride == 2)
        return NN_SHUFFLE(nn_load(p), nn_load(p + NN_LANES - 1), NN_EVEN_OF_BOTH, NN_LANES);
    return (nn_vec){NN_OF_LANES(NN_STRIDED, stride)};
#endif
}
/* nn: end */

/* nn: begin gather_part: needs gather load_part select first_lanes splat min_int */
/* The first `count` of those; 0 in the other lanes. */
NN_INLINE nn_vec nn_gather_part(const nn_real *p, int64_t stride, int64_t count) {
#if defined(NN_SCALAR)
    return count > 0 ? nn_gather(p, stride) : 0;
#else
    if (count >= NN_LANES)
        return nn_gather(p, stride);
    if (count <= 0)
        return nn_splat(0);
#if defined(__AVX__) /* there parts of vectors are one instruction */
#define NN_EVEN(i, x) (2 * (i))
    if (stride == 2) {
        /* Were the second load one of nothing, it would still name what lies behind the array. */
        const int64_t second = 2 * count - 1 - NN_LANES;
        const nn_vec behind = second > 0 ? nn_load_part(p + NN_LANES, second) : nn_splat(0);
        return NN_SHUFFLE(nn_load_part(p, 2 * count - 1), behind, NN_EVEN, 0);
    }
#endif
/* The other lanes read the last of the first ones, so there are no branches. */
#define NN_STRIDED_PART(i, stride) p[nn_min_int(i, count - 1) * (stride)]
    nn_vec lanes = {NN_OF_LANES(NN_STRIDED_PART, stride)};
    return nn_select(nn_first_lanes(count), lanes, nn_splat(0));
#endif
}
/* nn: end */

/* nn: begin scatter: needs store */
/* The lanes to p[0], p[stride], p[2*stride], ... */
static NN_NOINLINE void nn_scatter(nn_real *p, int64_t stride, nn_vec v) {
    nn_real lanes[NN_LANES];
    nn_store(lanes, v);
    NN_UNROLL
    for (int i = 0; i < NN_LANES; i++)
        p[i * stride] = lanes[i];
}
/* nn: end */

/* nn: begin scatter_part: needs scatter */
/* The first `count` lanes. */
static NN_NOINLINE void nn_scatter_part(nn_real *p, int64_t stride, nn_vec v, int64_t count) {
    if (count >= NN_LANES) {
        nn_scatter(p, stride, v);
        return;
    }
    nn_real lanes[NN_LANES];
    nn_store(lanes, v);
    NN_UNROLL
    for (int i = 0; i < NN_LANES - 1; i++)
        if (i < count)
            p[i * stride] = lanes[i];
}
/* nn: end */

/* nn: begin turn: needs lanes */
/* The square of NN_LANES vectors turned: in v[i] lane l what was in v[l] lane i. Each step exchanges
 * a bit of i for one of l: within 16 bytes two vectors are zipped, across them the even groups of
 * both meet, and the odd ones. Every machine has these as one instruction. */
#if !defined(NN_SCALAR)
#define NN_GROUP (NN_LANES * 16 / NN_BYTES)
#define NN_ZIPPED(i, high)                                                                         \
    ((i) / NN_GROUP * NN_GROUP + (i) % NN_GROUP / 2 + (high)*NN_GROUP / 2 + (i) % 2 * NN_LANES)
#define NN_UNZIPPED(i, odd) ((2 * ((i) / NN_GROUP) + (odd)) * NN_GROUP + (i) % NN_GROUP)
#define NN_EXCHANGE(f, distance)                                                                   \
    NN_UNROLL                                                                                      \
    for (int i = 0; i < NN_LANES / 2; i++) {                                                       \
        const int at = i / (distance)*2 * (distance) + i % (distance);                             \
        const nn_vec a = v[at], b = v[at + (distance)];                                            \
        v[at] = NN_SHUFFLE(a, b, f, 0);                                                            \
        v[at + (distance)] = NN_SHUFFLE(a, b, f, 1);                                               \
    }
#endif
NN_INLINE void nn_turn(nn_vec *v) {
#if defined(NN_SCALAR)
    (void)v;
#else
#if NN_GROUP == 4
    NN_EXCHANGE(NN_ZIPPED, 2)
#endif
    NN_EXCHANGE(NN_ZIPPED, 1)
#if NN_LANES >= 2 * NN_GROUP
    NN_EXCHANGE(NN_UNZIPPED, NN_GROUP)
#endif
#if NN_LANES >= 4 * NN_GROUP
    NN_EXCHANGE(NN_UNZIPPED, 2 * NN_GROUP)
#endif
#endif
}
/* nn: end */

/* nn: begin load_turned: needs load load_part turn */
/* t[r] = p[r], p[stride + r], p[2*stride + r], ... for so many rows, a constant: vectors along the
 * rows, turned. `count` lanes exist, at least one; the others hold anything. */
NN_INLINE void nn_load_turned(nn_vec *t, const nn_real *p, int64_t stride, int64_t rows,
                              int64_t count) {
    NN_UNROLL
    for (int64_t first = 0; first < rows; first += NN_LANES) {
        /* What remains of the rows is read with some before it. */
        const int64_t from = rows >= NN_LANES && rows - first < NN_LANES ? rows - NN_LANES : first;
        nn_vec v[NN_LANES];
        NN_UNROLL
        for (int64_t i = 0; i < NN_LANES; i++) {
            const nn_real *lane = p + (i < count ? i : count - 1) * stride + from;
            v[i] = rows < NN_LANES ? nn_load_part(lane, rows) : nn_load(lane);
        }
        nn_turn(v);
        NN_UNROLL
        for (int64_t i = 0; i < NN_LANES; i++)
            if (from + i >= first && from + i < rows)
                t[from + i] = v[i];
    }
}
/* nn: end */

/* nn: begin store_turned: needs store turn */
/* The other way: p[l*stride + r] = lane l of t[r], for the first `count` lanes. */
NN_INLINE void nn_store_turned(nn_real *p, int64_t stride, const nn_vec *t, int64_t rows,
                               int64_t count) {
    const int64_t lanes = count < NN_LANES ? count : NN_LANES;
    NN_UNROLL
    for (int64_t first = 0; first < rows; first += NN_LANES) {
        const int64_t width = rows - first < NN_LANES ? rows - first : NN_LANES;
        nn_vec v[NN_LANES];
        NN_UNROLL
        for (int64_t i = 0; i < NN_LANES; i++)
            v[i] = t[first + (i < width ? i : width - 1)];
        nn_turn(v);
        NN_UNROLL
        for (int64_t i = 0; i < NN_LANES; i++) {
            /* Where a lane begins as the one before ends, it overwrites what a whole vector of that
             * has too much; behind the last one stands what is not ours. */
            const int covered = rows == stride && i * rows + NN_LANES <= lanes * rows;
            const int whole = width == NN_LANES || (rows == width && rows % 4 != 0 && covered);
            if (i < lanes)
                memcpy(p + i * stride + first, &v[i],
                       (size_t)(whole ? NN_LANES : width) * sizeof(nn_real));
        }
    }
}
/* nn: end */

/* nn: begin ints */
/* As many integers as a vector has lanes. */
#if defined(NN_SCALAR)
typedef int32_t nn_ints;
#else
typedef int32_t nn_ints __attribute__((vector_size(NN_LANES * 4)));
#endif

/* NN_CONVERT(v, type): vectors of integers to vectors of reals, and back. */
#if defined(NN_SCALAR)
#define NN_CONVERT(v, type) ((type)(v))
#elif defined(__clang__) || __GNUC__ >= 9
#define NN_CONVERT(v, type) __builtin_convertvector(v, type)
#else
#define NN_CONVERT(v, type)                                                                        \
    __extension__({                                                                                \
        type converted;                                                                            \
        for (int i = 0; i < NN_LANES; i++)                                                         \
            converted[i] = (__typeof__(converted[0]))(v)[i];                                       \
        converted;                                                                                 \
    })
#endif
/* nn: end */

/* nn: begin load_int: needs ints */
/* NN_LANES integers, converted. */
NN_INLINE nn_vec nn_load_int(const int32_t *p) {
    nn_ints v;
    memcpy(&v, p, sizeof v);
    return NN_CONVERT(v, nn_vec);
}
/* nn: end */

/* nn: begin gather_int_part: needs load_int lanes min_int select first_lanes splat */
/* The first `count` of the integers p[0], p[stride], ..., converted; 0 in the other lanes. */
NN_INLINE nn_vec nn_gather_int_part(const int32_t *p, int64_t stride, int64_t count) {
#if defined(NN_SCALAR)
    (void)stride;
    return count > 0 ? nn_load_int(p) : 0;
#else
    if (count >= NN_LANES && stride == 1)
        return nn_load_int(p);
    if (count <= 0)
        return nn_splat(0);
#define NN_STRIDED_INT(i, stride) p[nn_min_int(i, count - 1) * (stride)]
    nn_ints lanes = {NN_OF_LANES(NN_STRIDED_INT, stride)};
    return nn_select(nn_first_lanes(count), NN_CONVERT(lanes, nn_vec), nn_splat(0));
#endif
}
/* nn: end */

/* nn: begin scatter_int_part: needs ints */
/* The first `count` lanes, whole numbers, to the integers p[0], p[stride], ... */
NN_INLINE void nn_scatter_int_part(int32_t *p, int64_t stride, nn_vec v, int64_t count) {
    nn_ints whole = NN_CONVERT(v, nn_ints);
    if (count >= NN_LANES && stride == 1) {
        memcpy(p, &whole, sizeof whole);
        return;
    }
    int32_t lanes[NN_LANES];
    memcpy(lanes, &whole, sizeof whole);
    NN_UNROLL
    for (int i = 0; i < NN_LANES; i++)
        if (i < count)
            p[i * stride] = lanes[i];
}
/* nn: end */

#endif
