/* philox.h: random numbers that are a pure function of where they are used (pieces: see simd.h).
 *
 * Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
 * (2011): a bijection of 128-bit counters, keyed by the seed. Element `counter` of `stream` at
 * `step` is the same number in every loop order, on any number of threads, in a vector or alone.
 */
#ifndef NN_PHILOX_H
#define NN_PHILOX_H

#include "simd.h"

/* nn: begin philox */
/* Replaces the four words of the counter by random ones. */
NN_INLINE void nn_philox(uint32_t word[4], uint64_t key) {
    uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = (uint64_t)0xD2511F53 * word[0];
        uint64_t product1 = (uint64_t)0xCD9E8D57 * word[2];
        word[0] = (uint32_t)(product1 >> 32) ^ word[1] ^ key0;
        word[2] = (uint32_t)(product0 >> 32) ^ word[3] ^ key1;
        word[1] = (uint32_t)product1;
        word[3] = (uint32_t)product0;
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
}
/* nn: end */

/* nn: begin random_block: needs philox */
/* The numbers of elements NN_RANDOMS * block ... of a stream: 24 bits of a word each in float, 53
 * bits of two words in double. */
#if NN_DOUBLE
#define NN_RANDOMS 2
#else
#define NN_RANDOMS 4
#endif
NN_INLINE void nn_random_block(nn_real *numbers, uint64_t seed, int64_t step, int64_t stream,
                               int64_t block) {
    uint64_t key = seed + ((uint64_t)step >> 32 << 32);
    uint32_t word[4] = {(uint32_t)block, (uint32_t)((uint64_t)block >> 32), (uint32_t)step,
                        (uint32_t)stream};
    nn_philox(word, key);
    for (int i = 0; i < NN_RANDOMS; i++)
#if NN_DOUBLE
        numbers[i] =
            ((double)(word[2 * i] >> 5) * 0x1p26 + (double)(word[2 * i + 1] >> 6)) * 0x1p-53;
#else
        numbers[i] = (float)(word[i] >> 8) * 0x1p-24f;
#endif
}
/* nn: end */

/* nn: begin random1: needs random_block */
/* Uniform in [0, 1). counter >= 0; of the stream, the low 32 bits count. */
NN_INLINE nn_real nn_random1(uint64_t seed, int64_t step, int64_t stream, int64_t counter) {
    nn_real numbers[NN_RANDOMS];
    nn_random_block(numbers, seed, step, stream, counter / NN_RANDOMS);
    return numbers[counter % NN_RANDOMS];
}
/* nn: end */

/* nn: begin random: needs random_block load */
/* The numbers of NN_LANES counters, the first of which is given. */
NN_INLINE nn_vec nn_random(uint64_t seed, int64_t step, int64_t stream, int64_t counter) {
    nn_real numbers[NN_LANES + 2 * NN_RANDOMS];
    int64_t first = counter / NN_RANDOMS, last = (counter + NN_LANES - 1) / NN_RANDOMS;
    for (int64_t block = first; block <= last; block++)
        nn_random_block(numbers + NN_RANDOMS * (block - first), seed, step, stream, block);
    return nn_load(numbers + counter % NN_RANDOMS);
}
/* nn: end */

#endif
