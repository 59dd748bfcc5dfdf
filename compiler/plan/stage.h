/* stage.h: a stage's index variables and bodies, and how they are split. */
#ifndef NNC_PLAN_STAGE_H
#define NNC_PLAN_STAGE_H

#include "plan/planner.h"

/* A stage of these items, with the slots of its nodes, not scheduled yet. */
PlanStage stage_make(const Planner *p, const ItemList *items);

/* Splits a slot; `factor` divides its extent (of one sample, when it is dynamic). Gives the slot of the inner part. */
int stage_split(const Planner *p, PlanStage *stage, int slot, int64_t factor);

/* Chooses the loops of a stage: splits and schedule. Gives the cycles that the cost model expects. */
double schedule_stage(const Planner *p, PlanStage *stage, int shared);

#endif
