/* random.h: random numbers for the order and the synthesis of data. The same seed gives the same numbers on every machine.
 * (The network's own random numbers, such as dropout masks, are the generated code's.) */
#ifndef NNRT_SRC_RANDOM_H
#define NNRT_SRC_RANDOM_H

#include <stdint.h>

/* SplitMix64: a counter behind a mixing function. */
typedef struct nnrt_random {
    uint64_t counter;
} nnrt_random;

/* A generator whose numbers have nothing to do with those of another seed or purpose. */
nnrt_random nnrt_random_new(uint64_t seed, uint64_t purpose);
uint64_t nnrt_random_bits(nnrt_random *random);
uint64_t nnrt_random_below(nnrt_random *random, uint64_t bound); /* uniform in 0 .. bound-1; bound > 0 */
double nnrt_random_unit(nnrt_random *random);                    /* uniform in [0, 1) */
double nnrt_random_normal(nnrt_random *random);                  /* mean 0, deviation 1 */

/* A number for a name, to be mixed into a purpose. */
uint64_t nnrt_random_hash(const char *name);

/* Puts the numbers into a random order. */
void nnrt_random_shuffle(nnrt_random *random, int64_t *numbers, int64_t count);

#endif
