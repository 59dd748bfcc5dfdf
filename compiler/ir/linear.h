/* linear.h: integer scalars as linear forms: offset + sum of coefficient * atom.
 *
 * An atom is an integer scalar that is not itself a sum or a multiple: an index, n, a load, a digit, a product of two unknowns, a select.
 * Every integer sum is kept in the normal form that linear_scalar() builds, so that equal sums are equal pointers.
 *
 * Bounds are exact for a dynamic axis: `n - 1 - i` is at least 0 when i runs over n, whatever n is.
 */
#ifndef NNC_IR_LINEAR_H
#define NNC_IR_LINEAR_H

#include "ir/scalar.h"

enum { LINEAR_MAX_TERMS = 24 };

typedef struct LinearTerm {
    const Scalar *atom;
    int64_t coefficient; /* not 0 */
} LinearTerm;

typedef struct Linear {
    int count;
    LinearTerm
        terms[LINEAR_MAX_TERMS]; /* sorted: pure atoms before data, then by the lowest slot, then by scalar_compare() */
    int64_t offset;
    int64_t batch; /* the largest n, where a dynamic axis shows it; 0: unknown */
} Linear;

/* False (the form is then undefined): too many terms, or a coefficient leaves int64. */
bool linear_of(const Scalar *s, Linear *out);
bool linear_add(Linear *form, const Scalar *s, int64_t factor); /* form += factor * s */
bool linear_add_atom(Linear *form, const Scalar *atom, int64_t factor);
bool linear_add_form(Linear *form, const Linear *other, int64_t factor);
bool linear_add_extent(Linear *form, ScalarPool *pool, Extent extent, int64_t factor);
bool linear_same(const Linear *a, const Linear *b);

/* The scalar in normal form. Digits that belong together are put together first: (x div 5)*5 + x mod 5 -> x. */
const Scalar *linear_scalar(ScalarPool *pool, const Linear *form);

/* Bounds over all values of the atoms and 1 <= n <= batch; INT64_MIN, INT64_MAX: unknown. */
int64_t linear_low(const Linear *form);
int64_t linear_high(const Linear *form);

/* Range of a scalar from the ranges of its children: what scalar_range() returns. For the pool, when it makes a scalar. */
Range range_of(const Scalar *s);

#endif
