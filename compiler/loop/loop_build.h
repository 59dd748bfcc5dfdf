/* loop_build.h: from the plan to loops. place.h then gives the buffers their addresses.
 *
 * Ownership: the program lives in `arena`, and points into the graph. Errors: only compiler bugs (diag_bug).
 */
#ifndef NNC_LOOP_LOOP_BUILD_H
#define NNC_LOOP_LOOP_BUILD_H

#include "loop/loop.h"
#include "plan/plan.h"

LoopProgram *loop_build(Arena *arena, Graph *graph, const Plan *plan);

#endif
