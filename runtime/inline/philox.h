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
NN_FUNCTION nn_real nn_random1(uint64_t seed, int64_t step, int64_t stream, int64_t counter) {
    nn_real numbers[NN_RANDOMS];
    nn_random_block(numbers, seed, step, stream, counter / NN_RANDOMS);
    return numbers[counter % NN_RANDOMS];
}
/* nn: end */

/* nn: begin random_vector: needs random_block bits load */
#if !defined(NN_SCALAR) && (defined(__AVX2__) || (defined(__SSE2__) && !defined(__AVX__)))
#define NN_SWAP_PAIRS(v) NN_X86_WORDS(shuffle_epi32)(v, 0x4E)
#endif

#if defined(NN_SWAP_PAIRS)
/* A pair of lanes of 64 bits holds words 0 and 2, or 1 and 3, of a block, in the low 32 bits. */
typedef uint64_t nn_pairs __attribute__((vector_size(NN_BYTES)));

/* The values of the first and of the second lane of all pairs. */
NN_INLINE nn_pairs nn_pairs_of(nn_pairs first, nn_pairs second) {
    static const uint64_t lanes[8] = {UINT64_MAX, 0, UINT64_MAX, 0, UINT64_MAX, 0, UINT64_MAX, 0};
    nn_pairs is_first;
    memcpy(&is_first, lanes, sizeof is_first);
    return (first & is_first) | (second & ~is_first);
}

/* nn_philox for all blocks that a vector holds: words 0 and 1, then 2 and 3, in each pair. */
NN_INLINE nn_pairs nn_philox_vector(nn_pairs block, uint64_t step, uint64_t stream, uint64_t key) {
    const nn_pairs zero = {0};
    nn_pairs factor = nn_pairs_of(zero + 0xD2511F53, zero + 0xCD9E8D57);
    nn_pairs key_step = nn_pairs_of(zero + 0x9E3779B9, zero + 0xBB67AE85);
    nn_pairs keys = nn_pairs_of(zero + key, zero + (key >> 32));
    nn_pairs even = nn_pairs_of(block, zero + step), odd = nn_pairs_of(block >> 32, zero + stream);
    for (int round = 0; round < 10; round++) {
        nn_words product = NN_X86_WORDS(mul_epu32)((nn_words)even, (nn_words)factor);
        nn_pairs swapped = (nn_pairs)NN_SWAP_PAIRS(product);
        even = (swapped >> 32) ^ odd ^ keys;
        odd = swapped;
        keys += key_step;
    }
    return (even & 0xffffffff) | (odd << 32);
}

/* The numbers of a vector that starts with a block. */
NN_INLINE nn_vec nn_random_blocks(uint64_t seed, int64_t step, int64_t stream, int64_t block) {
    static const uint64_t lanes[8] = {0, 0, 1, 1, 2, 2, 3, 3};
    uint64_t key = seed + ((uint64_t)step >> 32 << 32);
    nn_pairs blocks;
    memcpy(&blocks, lanes, sizeof blocks);
    blocks += (uint64_t)block;
    nn_pairs words = nn_philox_vector(blocks, (uint64_t)step, (uint64_t)stream, key);
#if NN_DOUBLE
    const nn_vec whole = (nn_vec){0} + NN_ROUNDER; /* with a number below it in its last bits */
    nn_vec high = nn_from_bits(((words & 0xffffffff) >> 5) | nn_to_bits(whole)) - whole;
    nn_vec low = nn_from_bits((words >> 38) | nn_to_bits(whole)) - whole;
    return (high * 0x1p26 + low) * 0x1p-53;
#else
    return NN_X86(cvtepi32)((nn_words)((nn_bits)words >> 8)) * 0x1p-24f;
#endif
}
#endif
/* nn: end */

/* nn: begin random: needs random_vector */
/* The numbers of NN_LANES counters, the first of which is given. */
NN_FUNCTION nn_vec nn_random(uint64_t seed, int64_t step, int64_t stream, int64_t counter) {
#if defined(NN_SWAP_PAIRS)
    if (counter % NN_RANDOMS == 0)
        return nn_random_blocks(seed, step, stream, counter / NN_RANDOMS);
#endif
    /* Cleared because GCC does not see that the loop fills what is loaded. */
    nn_real numbers[NN_LANES + 2 * NN_RANDOMS] = {0};
    int64_t first = counter / NN_RANDOMS, last = (counter + NN_LANES - 1) / NN_RANDOMS;
    for (int64_t block = first; block <= last; block++)
        nn_random_block(numbers + NN_RANDOMS * (block - first), seed, step, stream, block);
    return nn_load(numbers + counter % NN_RANDOMS);
}
/* nn: end */

#endif
