/* homes.c: which values live in memory, in a row buffer, in scratch memory, in registers. */
#include "plan/planner.h"

enum { MOST_ROW_BYTES = 4 << 10, MOST_KERNEL_BYTES = 16 << 10 };

static bool is_viewed(const Planner *p, const Node *node) {
    for (size_t i = 0; i < pointer_map_count(p->source_of); i++)
        if (pointer_map_value(p->source_of, i) == node)
            return true;
    return false;
}

static bool in_stage(const ItemList *stage, int item) {
    for (size_t i = 0; i < stage->count; i++)
        if (stage->at[i] == item)
            return true;
    return false;
}

static const ItemList *stage_of(const Planner *p, const Item *item) {
    const Group *group = &p->groups.at[item->group];
    size_t s = 0;
    while (!in_stage(&group->stages.at[s], item->index))
        s++;
    return &group->stages.at[s];
}

/* Bytes of the axes that are not shared; 0: there are none. */
static int64_t row_bytes(const Planner *p, const Item *item) {
    const Node *node = item->value.node;
    const Group *group = &p->groups.at[item->group];
    int64_t elements = 1, real_bytes = planner_real_bytes(p);
    for (int d = group->shared; d < node->rank; d++)
        elements *= node->shape[d].size;
    return elements == 1 ? 0 : elements * (group->samples ? p->target->vector_bytes : real_bytes);
}

static ValueHome find_home(const Planner *p, const Item *item, int64_t *kernel_bytes) {
    const ItemList *stage = stage_of(p, item);
    bool own_stage = true;
    if (item->value.copy || item->value.output || item->readers.count == 0 || is_viewed(p, item->value.node))
        return HOME_MEMORY;
    for (size_t r = 0; r < item->readers.count; r++) {
        if (p->items.at[item->readers.at[r]].group != item->group)
            return HOME_MEMORY;
        own_stage = own_stage && in_stage(stage, item->readers.at[r]);
    }
    int64_t bytes = row_bytes(p, item);
    bool register_row = bytes == 0 && p->groups.at[item->group].shared > 0;
    if (own_stage || register_row)
        return HOME_REGISTERS;
    if (bytes > MOST_ROW_BYTES || *kernel_bytes + bytes > MOST_KERNEL_BYTES)
        return HOME_SCRATCH;
    *kernel_bytes += bytes;
    return HOME_ROW;
}

void planner_settle_homes(Planner *p) {
    for (size_t g = 0; g < p->groups.count; g++) {
        const Group *group = &p->groups.at[g];
        int64_t bytes = 0;
        for (size_t s = 0; s < group->stages.count; s++)
            for (size_t i = 0; i < group->stages.at[s].count; i++) {
                Item *item = &p->items.at[group->stages.at[s].at[i]];
                item->value.home = find_home(p, item, &bytes);
                item->value.interleaved = pointer_map_get(p->interleaved, item->value.node) != NULL;
            }
    }
}
