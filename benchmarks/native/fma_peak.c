/* The most floating-point operations per second: fused multiply-adds on registers alone, as many independent chains as hide
 * their latency. Prints GFLOP/s in single precision, the best of several runs; with OpenMP, of all threads together. */
#include <stdio.h>
#include <time.h>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
enum { LANES = BYTES / 4, CHAINS = 12, STEPS = 20000000, RUNS = 100 };
typedef float Vector __attribute__((vector_size(BYTES)));

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Not inlined and not constant, so that nothing is computed by the compiler. */
__attribute__((noinline)) static float chains(float start) {
    Vector sums[CHAINS];
    Vector factor = start - (Vector){0};
    Vector term = factor;
    for (int chain = 0; chain < CHAINS; chain++)
        sums[chain] = factor * (float)chain;
    for (int step = 0; step < STEPS / CHAINS; step++) {
#pragma GCC unroll 12
        for (int chain = 0; chain < CHAINS; chain++)
            sums[chain] = sums[chain] * factor + term;
    }
    float total = 0;
    for (int chain = 0; chain < CHAINS; chain++)
        total += sums[chain][0];
    return total;
}

int main(int count, char **arguments) {
    (void)arguments;
    volatile float start = 0.5f / (float)count;
    volatile float sink = 0;
    double best = 0;
    for (int run = 0; run < RUNS; run++) {
        int threads = 0;
        float total = 0;
        double begin = seconds_now();
#pragma omp parallel reduction(+ : threads, total)
        {
            total += chains(start);
            threads++;
        }
        double rate = (double)threads * 2.0 * LANES * (STEPS / CHAINS * CHAINS) / (seconds_now() - begin) * 1e-9;
        sink = total;
        best = rate > best ? rate : best;
    }
    (void)sink;
    printf("%.6g\n", best);
    return 0;
}
