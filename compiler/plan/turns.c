/* turns.c: functions of several vectors at a time.
 *
 * An exponential is a chain of operations, each of which waits for the one before. Some processors (`turns` of the target) do not look far enough
 * ahead to begin those of the next vectors meanwhile. There, loops over lanes that compute such a function take several vectors in a step, and the
 * function takes them all: its operations take turns.
 */
#include "plan/stage.h"

/* A function of tiles whose argument differs between lanes; not in the branches of a choice, which may not be computed. */
static bool has_function(const Scalar *s, int slot) {
    if (s->kind != SCALAR_OP || !(s->slots >> slot & 1) || s->op.op == OP_SELECT)
        return false;
    if (op_tile_function(s->op.op))
        return true;
    for (int i = 0; i < 3 && s->op.arg[i]; i++)
        if (has_function(s->op.arg[i], slot))
            return true;
    return false;
}

static bool computes_function(const PlanStage *stage) {
    const int slot = stage->schedule.vector_slot;
    for (size_t i = 0; slot >= 0 && i < stage->nodes.count; i++)
        if (has_function(stage->nodes.at[i].body, slot))
            return true;
    return false;
}

/* The innermost loop runs over lanes, in whole steps of so many vectors, whatever vectors the C is compiled for. */
static bool walks_vectors(const Planner *p, const PlanStage *stage, int shared) {
    const StageSchedule *s = &stage->schedule;
    const Extent extent = stage->slots[s->vector_slot].extent;
    const int64_t unit = extent.per_sample > 0 ? extent.per_sample : extent.size; /* it is a multiple of that */
    const int64_t widest = CACHE_LINE / planner_real_bytes(p);
    return s->vector_slot >= shared && s->loops > 0 && s->order[s->loops - 1] == s->vector_slot &&
           s->tile_rows * s->columns == 1 && !stage_range(stage, s->vector_slot) &&
           unit % (p->target->turns * widest) == 0;
}

void plan_turns(const Planner *p, PlanStage *stage, int shared) {
    if (p->target->turns == 1 || stage->samples || !computes_function(stage))
        return;
    if (stage->reduce != REDUCE_NONE) {
        stage->turns = true; /* where it has several accumulators side by side */
    } else if (walks_vectors(p, stage, shared)) {
        stage->turns = true;
        stage->schedule.column_slot = stage->schedule.vector_slot;
        stage->schedule.columns = p->target->turns;
    }
}
