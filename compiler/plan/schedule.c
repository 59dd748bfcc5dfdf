#include "plan/planner.h"

static int64_t slot_size(const Node *node, int slot) {
    return slot < node->rank ? node->shape[slot].size : node->expr.extents[slot - node->rank].size;
}

StageSchedule schedule_stage(const Planner *p, const Group *group, const ItemList *stage) {
    const Item *first = &p->items.at[stage->at[0]];
    const Node *node = first->value.node;
    StageSchedule s = {.form = FORM_MAP, .vector_slot = -1, .tile_slot = -1, .column_slot = -1, .parallel_slot = -1};
    s.columns = s.tile_rows = 1;
    int slots = node->rank;
    if (!first->value.copy && node->expr.reduce != REDUCE_NONE) {
        s.form = FORM_REDUCTION;
        slots += node->expr.reduced;
    }
    for (int slot = group->shared; slot < slots; slot++)
        if (slot_size(node, slot) > 1)
            s.order[s.loops++] = slot;
    return s;
}
