/* stage.h: a stage's index variables and bodies, and how they are split. */
#ifndef NNC_PLAN_STAGE_H
#define NNC_PLAN_STAGE_H

#include "plan/planner.h"

/* A stage of these items, with the slots of its nodes, not scheduled yet. */
PlanStage stage_make(const Planner *p, const ItemList *items);

/* How a slot of a node is called: the model's letter, or its number. */
const char *stage_axis_name(Arena *arena, const Node *node, int slot);

/* Splits a slot; `factor` divides its extent (of one sample, when it is dynamic). Gives the slot of the inner part. */
int stage_split(const Planner *p, PlanStage *stage, int slot, int64_t factor);

/* Makes blocks of a slot, and slot 0 of them. */
void stage_lead(const Planner *p, PlanStage *stage, Lead lead);

/* One loop for two neighbours: `inner`, which is not dynamic, is the faster one. */
void stage_merge(const Planner *p, PlanStage *stage, int outer, int inner);

/* Only so many values of the slot, from `first` on: they are 0, 1, ... of it then. */
void stage_restrict(const Planner *p, PlanStage *stage, int slot, int64_t first, int64_t count);

/* A stage that can be changed without changing the original. */
PlanStage stage_copy(const Planner *p, const PlanStage *stage);

/* The loop over the slot is whole steps of so many vectors, whatever vectors the C is compiled for, and runs over all of its axis. */
bool stage_has_whole_steps(const Planner *p, const PlanStage *stage, int slot, int vectors);

/* Loops that suit the accesses: neighbours are merged where memory is contiguous over both (whole tensors in one loop), and split
 * where indices are digits (a div 2, a mod 2), so that no inner loop divides. The shared axes stay. */
void stage_reshape(const Planner *p, PlanStage *stage, int shared);

/* Makes parts of a map, where conditions on one of its axes divide it into so many runs. False: none. */
bool stage_split_runs(const Planner *p, PlanStage *stage, int shared, int fewest);

/* Finds the conditions around the first node's body, a map, that hold in one run of an axis. */
void stage_find_ranges(const Planner *p, PlanStage *stage, int shared);

/* Finds the axes of the first node's sum along which much of it is 0. */
void stage_find_clips(const Planner *p, PlanStage *stage);

/* How many terms of the slot are not 0 for some element of a tile that is `width` wide along the other slot: the average over all tiles. */
double clip_steps(const PlanStage *stage, const StageClip *clip, int64_t width);

/* A sum whose terms choose their place: lets the loops run over the terms, where that is expected to take less time than its schedule. */
void stage_scatter(const Planner *p, PlanStage *stage, int shared);

/* Where its sums live: in no register. */
static inline ValueHome scatter_home(ValueHome home) {
    return home == HOME_REGISTERS ? HOME_SCRATCH : home;
}

/* Chooses the loops of a stage: splits, schedule, and the cycles that the cost model expects. */
void schedule_stage(const Planner *p, PlanStage *stage, int shared);

/* A stage of these items with its schedule, inside loops over `shared` axes; lanes are samples or not. What was asked before, in this entry or
 * another, is remembered. */
PlanStage stage_schedule(const Planner *p, const ItemList *items, int shared, bool samples);
/* The same inside a loop over blocks of one of its axes. */
PlanStage stage_schedule_led(const Planner *p, const ItemList *items, Lead lead);
/* Only the cycles that it is expected to take. */
double schedule_cycles(const Planner *p, const ItemList *items, int shared, bool samples);

#endif
