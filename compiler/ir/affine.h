/* affine.h: the affine form of an integer scalar: offset + sum of coefficient * atom.
 *
 * An atom is an index leaf, or a digit of one: (index / divisor) % modulus (what a reshape makes). Anything else is not affine.
 * `n` (the run-time number of samples) may occur with a coefficient of its own.
 */
#ifndef NNC_IR_AFFINE_H
#define NNC_IR_AFFINE_H

#include "ir/scalar.h"

enum { AFFINE_MAX_TERMS = 16 };

typedef struct AffineTerm {
    int slot;
    Extent extent;   /* of the index variable */
    int64_t divisor; /* 1 for the variable itself */
    int64_t modulus; /* 0: none */
    int64_t coefficient;
} AffineTerm;

typedef struct Affine {
    int count;
    AffineTerm terms[AFFINE_MAX_TERMS]; /* sorted by slot, then divisor; no zero coefficients */
    int64_t per_n;                      /* coefficient of n */
    int64_t offset;
} Affine;

bool affine_of(const Scalar *s, Affine *out); /* false: not affine, or too many terms */
const Scalar *affine_scalar(ScalarPool *pool, const Affine *affine);
int64_t affine_coefficient(const Affine *affine, int slot); /* of the bare variable; 0 when absent */
bool affine_has_digits(const Affine *affine);

#endif
