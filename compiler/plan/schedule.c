#include "plan/stage.h"

static void add_slots(PlanStage *stage, int shared, bool reductions) {
    StageSchedule *s = &stage->schedule;
    for (int slot = shared; slot < stage->slot_count; slot++)
        if (stage->slots[slot].extent.size > 1 && stage_is_reduction_slot(stage, slot) == reductions)
            s->order[s->loops++] = slot;
}

void schedule_stage(const Planner *p, PlanStage *stage, int shared) {
    (void)p;
    StageSchedule *s = &stage->schedule;
    *s = (StageSchedule){.vector_slot = -1, .tile_slot = -1, .column_slot = -1, .parallel_slot = -1};
    s->form = stage->reduce == REDUCE_NONE ? FORM_MAP : FORM_REDUCTION;
    s->columns = s->tile_rows = 1;
    add_slots(stage, shared, false);
    add_slots(stage, shared, true);
}
