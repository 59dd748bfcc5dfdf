/* turns.c: functions of several vectors at a time.
 *
 * An exponential is a chain of operations, each of which waits for the one before. Some processors (`turns` of the target) do not look far enough
 * ahead to begin those of the next vectors meanwhile. There, loops over lanes that compute such a function take several vectors in a step, and the
 * function takes them all: its operations take turns.
 */
#include "ir/scalar_walk.h"
#include "plan/stage.h"

/* Differs between lanes; not in the branches of a choice, which may not be computed. */
static bool is_inside(const void *context, const Scalar *s) {
    const int *slot = context;
    return s->kind == SCALAR_OP && (s->slots >> *slot & 1) && s->op.op != OP_SELECT;
}

static bool computes_function(const Planner *p, const PlanStage *stage) {
    const int slot = stage->schedule.vector_slot;
    ScalarWalk *walk = scalar_walk_new(p->arena);
    for (size_t n = 0; slot >= 0 && n < stage->nodes.count; n++) {
        scalar_walk(walk, stage->nodes.at[n].body, is_inside, &slot);
        for (size_t i = 0; i < walk->count; i++)
            if (is_inside(&slot, walk->at[i]) && op_info(walk->at[i]->op.op)->c_tile)
                return true;
    }
    return false;
}

/* The innermost loop runs over lanes, in whole steps of so many vectors, whatever vectors the C is compiled for. */
static bool walks_vectors(const Planner *p, const PlanStage *stage, int shared) {
    const StageSchedule *s = &stage->schedule;
    return s->vector_slot >= shared && s->loops > 0 && s->order[s->loops - 1] == s->vector_slot &&
           s->tile_rows * s->columns == 1 && stage_has_whole_steps(p, stage, s->vector_slot, p->target->turns);
}

void plan_turns(const Planner *p, PlanStage *stage, int shared) {
    if (p->target->turns == 1 || stage->samples || !computes_function(p, stage))
        return;
    if (stage->reduce != REDUCE_NONE) {
        stage->turns = stage->scatters.count == 0; /* where it has several accumulators side by side */
    } else if (walks_vectors(p, stage, shared)) {
        stage->turns = true;
        stage->schedule.column_slot = stage->schedule.vector_slot;
        stage->schedule.columns = p->target->turns;
    }
}
