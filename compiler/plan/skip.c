/* skip.c: updates that change nothing where a condition is false.
 *
 * The gradient behind a rectifier is 0 where its unit was silent; with one sample, whole rows of weights stay as they are. A plain update of such
 * a row is no work at all: its loop runs only where the condition holds.
 */
#include "plan/lanes.h"
#include "plan/planner.h"

static uint64_t slot_bit(int slot) {
    return slot < 0 ? 0 : UINT64_C(1) << slot;
}

/* What changes while the innermost loop runs: its own slot, and those of the tile inside. */
static uint64_t inner_slots(const StageSchedule *s) {
    uint64_t slots = slot_bit(s->order[s->loops - 1]) | slot_bit(s->vector_slot);
    slots |= s->tile_rows > 1 ? slot_bit(s->tile_slot) : 0;
    return slots | (s->columns > 1 ? slot_bit(s->column_slot) : 0);
}

/* w + select(test, change, 0), or with a minus, stored to w: the test. NULL: the value is something else. */
static const Scalar *change_test(const Planner *p, const PlanStage *stage, const PlanNode *value) {
    const Scalar *body = value->body;
    bool updates = !value->copy && value->home == HOME_MEMORY && value->output && value->output->role == OUTPUT_UPDATE;
    if (!updates || (!scalar_is_op(body, OP_ADD) && !scalar_is_op(body, OP_SUB)))
        return NULL;
    const Scalar *own = scalar_load(p->graph->pool, value->output->target, stage->index);
    for (int i = 0; i < 2; i++) {
        const Scalar *choice = body->op.arg[i], *arg[2] = {body->op.arg[0], body->op.arg[1]};
        if (!scalar_is_op(choice, OP_SELECT))
            continue;
        arg[i] = choice->op.arg[2];
        if (scalar_op2(p->graph->pool, body->op.op, arg[0], arg[1]) == own)
            return choice->op.arg[0];
    }
    return NULL;
}

void plan_skips(const Planner *p, PlanStage *stage) {
    if (stage->reduce != REDUCE_NONE || stage->schedule.loops < 1)
        return;
    const Scalar *test = change_test(p, stage, &stage->nodes.at[0]);
    for (size_t i = 1; i < stage->nodes.count; i++)
        if (change_test(p, stage, &stage->nodes.at[i]) != test)
            test = NULL;
    bool settled = test && (test->slots & inner_slots(&stage->schedule)) == 0;
    if (settled && test->has_load && !has_unsafe_load(p->arena, p->graph->pool, test))
        stage->only_if = test;
}
