/* tune.h: what was measured decides the loops of a stage, and what can be measured is found. */
#ifndef NNC_PLAN_TUNE_H
#define NNC_PLAN_TUNE_H

#include "plan/stage.h"
#include "plan/tuning.h"

/* The stage's name in tuning files. */
const char *stage_key(const Planner *p, const PlanStage *stage, int shared);

/* After the stage was scheduled for good: follows the planner's tuning, and adds the stage to its survey. What the cost model expects stays:
 * which stages share a kernel does not depend on what was measured. */
void stage_tune(const Planner *p, PlanStage *stage, int shared);

#endif
