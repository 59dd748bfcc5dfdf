/* terms.h: long sums in the body of an equation, as the gradient of a parameter that is read hundreds of times: the passes that regroup them read them
 * with this. (opt/term.h takes apart what a rule looks at, and no more terms than that needs.)
 */
#ifndef NNC_PLAN_TERMS_H
#define NNC_PLAN_TERMS_H

#include "ir/graph.h"

typedef VEC(const Scalar *) ScalarList;

/* The terms of a sum, from the left, however they are nested. They live in the arena. */
ScalarList terms_of(Arena *arena, const Scalar *sum);

/* The load's indices are all slots of the node in order, but for `axis`; -1: for none. It reads the whole tensor. */
bool is_at_slots(const Scalar *load, int axis);

#endif
