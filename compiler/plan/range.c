#include "plan/lanes.h"
#include "plan/stage.h"

/* The only slot that `s` depends on; -1: none or several. */
static int only_slot(const PlanStage *stage, const Scalar *s) {
    int found = -1;
    for (int slot = 0; slot < stage->slot_count; slot++) {
        if (!(s->slots >> slot & 1))
            continue;
        if (found >= 0)
            return -1;
        found = slot;
    }
    return found;
}

static int64_t divide_up(int64_t a, int64_t b) {
    return a >= 0 ? (a + b - 1) / b : -(-a / b);
}

static bool has_range(const PlanStage *stage, int slot) {
    for (size_t i = 0; i < stage->ranges.count; i++)
        if (stage->ranges.at[i].slot == slot)
            return true;
    return false;
}

/* within(step * slot + low, extent), all of fixed size. */
static void note_range(const Planner *p, PlanStage *stage, const Scalar *test, int shared) {
    const Scalar *index = test->op.arg[0];
    int slot = only_slot(stage, index);
    int64_t step;
    if (slot < shared || has_range(stage, slot) || index->has_load || !lane_step(index, slot, &step) || step <= 0)
        return;
    int64_t size = stage->slots[slot].extent.size, low = scalar_range(index).low;
    if (stage->slots[slot].extent.per_sample || test->op.extent.per_sample || size == 1)
        return;
    StageRange range = {test, slot, divide_up(-low, step), divide_up(test->op.extent.size - low, step)};
    range.low = range.low > 0 ? range.low : 0;
    range.high = range.high < size ? range.high : size;
    if (range.low < range.high)
        vec_push(p->arena, &stage->ranges, range);
}

static void note_ranges(const Planner *p, PlanStage *stage, const Scalar *test, int shared) {
    if (scalar_is_op(test, OP_AND)) {
        note_ranges(p, stage, test->op.arg[0], shared);
        note_ranges(p, stage, test->op.arg[1], shared);
    } else if (scalar_is_op(test, OP_WITHIN)) {
        note_range(p, stage, test, shared);
    }
}

void stage_find_ranges(const Planner *p, PlanStage *stage, int shared) {
    stage->ranges.count = 0;
    if (stage->reduce != REDUCE_NONE)
        return;
    const Scalar *body = stage->nodes.at[0].body;
    if (scalar_is_op(body, OP_SELECT))
        note_ranges(p, stage, body->op.arg[0], shared);
}
