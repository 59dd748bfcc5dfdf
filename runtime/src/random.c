#include "random.h"

#include <math.h>

static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static const uint64_t golden_ratio = 0x9e3779b97f4a7c15u;

nnrt_random nnrt_random_new(uint64_t seed, uint64_t purpose) {
    return (nnrt_random){mix(mix(seed + golden_ratio) ^ mix(purpose * golden_ratio + 1))};
}

uint64_t nnrt_random_bits(nnrt_random *random) {
    random->counter += golden_ratio;
    return mix(random->counter);
}

uint64_t nnrt_random_below(nnrt_random *random, uint64_t bound) {
    /* Numbers under this are drawn again: what remains is a multiple of the bound. */
    uint64_t unfair = (UINT64_MAX - bound + 1) % bound;
    uint64_t bits = nnrt_random_bits(random);
    while (bits < unfair)
        bits = nnrt_random_bits(random);
    return bits % bound;
}

double nnrt_random_unit(nnrt_random *random) {
    return (double)(nnrt_random_bits(random) >> 11) * 0x1p-53;
}

double nnrt_random_normal(nnrt_random *random) {
    /* Box and Muller; 1 - u is never 0. */
    const double two_pi = 6.283185307179586;
    double radius = sqrt(-2.0 * log(1.0 - nnrt_random_unit(random)));
    return radius * cos(two_pi * nnrt_random_unit(random));
}

uint64_t nnrt_random_hash(const char *name) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash;
}

void nnrt_random_shuffle(nnrt_random *random, int64_t *numbers, int64_t count) {
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = (int64_t)nnrt_random_below(random, (uint64_t)i + 1);
        int64_t number = numbers[i];
        numbers[i] = numbers[j];
        numbers[j] = number;
    }
}
