/* prove.h: is an integer in its range, given the conditions under which it is evaluated?
 *
 * Facts are linear inequalities `form >= 0`, collected on the way from the top of a body down through its selects. A proof subtracts multiples of facts from
 * what is to be shown until the bounds of the index variables suffice. It is sound and not complete: what the passes make (padding, strides,
 * digits of reshapes, concatenation) is proved.
 *
 *     select(within(i - 1, 28), X[i - 1], 0)
 *     const Facts *inside = facts_assume(arena, pool, NULL, test, true);
 *     prove_within(pool, inside, index, extent)   ->  true
 *
 * Ownership: facts live in the arena and share their outer part; NULL is no facts.
 */
#ifndef NNC_IR_PROVE_H
#define NNC_IR_PROVE_H

#include "ir/linear.h"

typedef struct Facts Facts;
struct Facts {
    const Facts *outer;
    Linear form; /* >= 0 */
};

/* What is known when the test is `truth`, besides the outer facts. */
const Facts *facts_assume(Arena *arena, ScalarPool *pool, const Facts *outer, const Scalar *test, bool truth);

bool prove_nonnegative(const Facts *facts, const Linear *form);
/* 0 <= index < extent, for every n. */
bool prove_within(ScalarPool *pool, const Facts *facts, const Scalar *index, Extent extent);

#endif
