/* term.h: a real scalar seen as a guarded product, or as a sum of such: how the passes of this folder read bodies.
 *
 *     select(a && b, -2.0 * x * y / z, 0.0)      conditions a, b; constant -2; factors x, y; divisors z
 */
#ifndef NNC_OPT_TERM_H
#define NNC_OPT_TERM_H

#include "ir/graph.h"

enum { TERM_MAX_FACTORS = 16, TERM_MAX_CONDITIONS = 24, TERM_MAX_TERMS = 16 };

typedef struct Factor {
    const Scalar *value;
    bool divides; /* stands below the fraction line */
} Factor;

typedef struct Term {
    int condition_count;
    const Scalar *conditions[TERM_MAX_CONDITIONS];
    double constant;
    int count;
    Factor factors[TERM_MAX_FACTORS];
} Term;

Term term_of(const Scalar *s);
/* The same where the guard gives another value than 0: select(a && b, product, otherwise). */
Term term_guarded_by(const Scalar *s, double otherwise);
const Scalar *term_scalar(ScalarPool *pool, const Term *term);
/* The same without its guard. */
const Scalar *term_product(ScalarPool *pool, const Term *term);
/* All conditions as one. */
const Scalar *term_guard(ScalarPool *pool, const Term *term);

/* The slots that occur in the conditions. */
uint64_t term_condition_slots(const Term *term);

void term_remove_factor(Term *term, int i);
void term_remove_condition(Term *term, int i);

/* The terms of a sum: s = guard(conditions, sum of terms); a scalar that is no sum has one term. Signs are in the terms' constants. */
typedef struct Sum {
    int count;
    Term terms[TERM_MAX_TERMS];
} Sum;

void sum_of(const Scalar *s, Sum *out);
const Scalar *sum_scalar(ScalarPool *pool, const Sum *sum);

/* Whether every load in `s` is in range whatever guards stand around it. */
bool loads_are_inside(ScalarPool *pool, const Scalar *s);

#endif
