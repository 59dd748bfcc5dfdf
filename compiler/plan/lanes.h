/* lanes.h: what becomes of a scalar expression when one index variable runs over the lanes of a vector.
 *
 * Lane l has the value `base + l` for the slot. Everything else is the same in all lanes.
 */
#ifndef NNC_PLAN_LANES_H
#define NNC_PLAN_LANES_H

#include "ir/graph.h"

/* The position of a load's element in its tensor, row-major from axis `first` on (0: in the whole tensor). */
const Scalar *load_offset(ScalarPool *pool, const Scalar *load, int first);

/* The node whose memory holds this one's values already, in the same order: a reshape of it, or its beginning. NULL: none. */
const Node *view_source(Graph *g, const Node *node);

/* How much an integer grows from lane to lane; false: not by a constant. */
bool lane_step(const Scalar *s, int slot, int64_t *step);

/* Every index stays inside its axis, whatever conditions stand around the load, for every n. */
bool load_is_safe(ScalarPool *pool, const Scalar *load);
bool has_unsafe_load(Arena *scratch, ScalarPool *pool, const Scalar *s);

/* The expression can be computed for all lanes at once: indices grow by constants, integers that differ between lanes
 * are small enough to be reals, and no load depends on a condition that differs between lanes. Conditions in `settled` (NULL: none)
 * do not differ: the loops see to it. */
bool lanes_possible(Arena *scratch, Graph *g, const Scalar *s, int slot, const PointerMap *settled);

#endif
