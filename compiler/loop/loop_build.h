/* loop_build.h: from the plan to loops, and place.h: from loops to addresses. */
#ifndef NNC_LOOP_LOOP_BUILD_H
#define NNC_LOOP_LOOP_BUILD_H

#include "loop/loop.h"
#include "plan/plan.h"

LoopProgram *loop_build(Arena *arena, Graph *graph, const Plan *plan);

#endif
