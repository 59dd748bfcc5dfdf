/* Bandwidth of memory: sums over an array and copies of it, far larger than any cache. Prints GB/s of reading, and of copying, where
 * bytes read and bytes written both count; each the best of several runs, with OpenMP of all threads together. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

enum { COUNT = 1 << 26, RUNS = 10, LANES = 16, CHAINS = 8 }; /* 256 MiB of floats */
typedef float Vector __attribute__((vector_size(64), may_alias));

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The compiler must take the memory behind `pointer` for read and written. */
static void use(void *pointer) {
    __asm__ volatile("" : : "r"(pointer) : "memory");
}

static float read_all(const float *from) {
    Vector total = {0};
#pragma omp parallel
    {
        Vector sums[CHAINS] = {{0}};
#pragma omp for schedule(static) nowait
        for (long i = 0; i < COUNT; i += LANES * CHAINS)
            for (int chain = 0; chain < CHAINS; chain++)
                sums[chain] += *(const Vector *)(from + i + LANES * chain);
#pragma omp critical
        for (int chain = 0; chain < CHAINS; chain++)
            total += sums[chain];
    }
    return total[0];
}

static void copy_plain(float *restrict to, const float *restrict from) {
#pragma omp parallel for schedule(static)
    for (long i = 0; i < COUNT; i += LANES)
        *(Vector *)(to + i) = *(const Vector *)(from + i) * 2.0f; /* not memcpy, which chooses its own stores */
}

/* Past the caches, where the processor has such stores: lines need not be read before they are written. */
static void copy_streaming(float *restrict to, const float *restrict from) {
#if defined(__AVX512F__)
#pragma omp parallel for schedule(static)
    for (long i = 0; i < COUNT; i += 16)
        _mm512_stream_ps(to + i, _mm512_load_ps(from + i));
#elif defined(__SSE2__)
#pragma omp parallel for schedule(static)
    for (long i = 0; i < COUNT; i += 4)
        _mm_stream_ps(to + i, _mm_load_ps(from + i));
#else
    copy_plain(to, from);
#endif
}

static double faster(double best, double begin, double bytes) {
    double rate = bytes / (seconds_now() - begin) * 1e-9;
    return rate > best ? rate : best;
}

int main(void) {
    float *from = aligned_alloc(64, COUNT * sizeof *from);
    float *to = aligned_alloc(64, COUNT * sizeof *to);
    if (!from || !to)
        return 1;
#pragma omp parallel for schedule(static)
    for (long i = 0; i < COUNT; i++) {
        from[i] = 1.0f;
        to[i] = 0.0f;
    }
    volatile float sink = 0;
    double reading = 0, plain = 0, streaming = 0;
    const double bytes = (double)COUNT * sizeof *from;
    for (int run = 0; run < RUNS; run++) {
        double begin = seconds_now();
        sink = read_all(from);
        reading = faster(reading, begin, bytes);
        begin = seconds_now();
        copy_plain(to, from);
        use(to);
        plain = faster(plain, begin, 2 * bytes);
        begin = seconds_now();
        copy_streaming(to, from);
        use(to);
        streaming = faster(streaming, begin, 2 * bytes);
    }
    (void)sink;
    printf("%.6g %.6g %.6g\n", reading, plain, streaming);
    free(from);
    free(to);
    return 0;
}
