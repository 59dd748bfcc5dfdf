/* pack.h: a pass over the graph, before the plan: what large contractions read is copied to panels that suit the target's registers.
 *
 * Requires: contractions of plain loads (opt_operands). Keeps the values, and the order of every sum. Returns the number of changes.
 */
#ifndef NNC_PLAN_PACK_H
#define NNC_PLAN_PACK_H

#include "ir/graph.h"
#include "plan/target.h"

int plan_pack(Graph *g, const Target *target);

#endif
