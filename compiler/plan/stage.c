#include "plan/stage.h"

const char *stage_axis_name(Arena *arena, const Node *node, int slot) {
    const char *name = node->kind == NODE_EXPR ? node->origin.axes[slot] : NULL;
    bool reduction = slot >= node->rank;
    return name ? name : arena_printf(arena, "%c%d", reduction ? 'r' : 'i', reduction ? slot - node->rank : slot);
}

static void add_slot(const Planner *p, PlanStage *stage, const Node *node, Extent extent, bool reduction) {
    int slot = stage->slot_count++;
    const char *name = stage_axis_name(p->arena, node, slot);
    stage->slots[slot] = (StageSlot){.extent = extent, .reduction = reduction, .name = name};
    stage->index[slot] = scalar_index(p->graph->pool, slot, extent);
}

static PlanNode stage_value(const Planner *p, const Item *item) {
    PlanNode value = item->value;
    value.body = value.copy ? node_load_identity(p->graph, value.node) : value.node->expr.body;
    return value;
}

PlanStage stage_make(const Planner *p, const ItemList *items) {
    const Item *first = &p->items.at[items->at[0]];
    const Node *node = first->value.node;
    PlanStage stage = {.rank = node->rank, .reduce = first->value.copy ? REDUCE_NONE : node->expr.reduce};
    for (int axis = 0; axis < node->rank; axis++)
        add_slot(p, &stage, node, node->shape[axis], false);
    for (int r = 0; stage.reduce != REDUCE_NONE && r < node->expr.reduced; r++)
        add_slot(p, &stage, node, node->expr.extents[r], true);
    stage.node_slots = stage.slot_count;
    for (size_t i = 0; i < items->count; i++)
        vec_push(p->arena, &stage.nodes, stage_value(p, &p->items.at[items->at[i]]));
    return stage;
}

static void substitute(const Planner *p, PlanStage *stage, const Scalar *const *map) {
    ScalarPool *pool = p->graph->pool;
    for (int i = 0; i < stage->node_slots; i++)
        stage->index[i] = scalar_substitute(pool, stage->index[i], map, MAX_STAGE_SLOTS);
    for (size_t i = 0; i < stage->nodes.count; i++)
        stage->nodes.at[i].body = scalar_substitute(pool, stage->nodes.at[i].body, map, MAX_STAGE_SLOTS);
}

int stage_split(const Planner *p, PlanStage *stage, int slot, int64_t factor) {
    ScalarPool *pool = p->graph->pool;
    int inner = stage->slot_count++;
    StageSlot *outer = &stage->slots[slot];
    stage->slots[inner] = *outer;
    stage->slots[inner].extent = (Extent){factor, 0};
    outer->name = arena_printf(p->arena, "%s_block", outer->name);
    outer->extent.size /= factor;
    outer->extent.per_sample /= factor;
    const Scalar *map[MAX_STAGE_SLOTS] = {NULL};
    const Scalar *base = scalar_op2(pool, OP_MUL, scalar_index(pool, slot, outer->extent), scalar_int(pool, factor));
    map[slot] = scalar_op2(pool, OP_ADD, base, scalar_index(pool, inner, stage->slots[inner].extent));
    substitute(p, stage, map);
    return inner;
}

void stage_restrict(const Planner *p, PlanStage *stage, int slot, int64_t first, int64_t count) {
    ScalarPool *pool = p->graph->pool;
    const Scalar *map[MAX_STAGE_SLOTS] = {NULL};
    stage->slots[slot].extent = (Extent){count, 0};
    map[slot] = scalar_op2(pool, OP_ADD, scalar_index(pool, slot, stage->slots[slot].extent), scalar_int(pool, first));
    substitute(p, stage, map);
}

static void exchange(const Planner *p, PlanStage *stage, int a, int b) {
    const StageSlot kept = stage->slots[a];
    stage->slots[a] = stage->slots[b];
    stage->slots[b] = kept;
    const Scalar *map[MAX_STAGE_SLOTS] = {NULL};
    map[a] = scalar_index(p->graph->pool, b, stage->slots[b].extent);
    map[b] = scalar_index(p->graph->pool, a, stage->slots[a].extent);
    substitute(p, stage, map);
}

void stage_lead(const Planner *p, PlanStage *stage, Lead lead) {
    stage_split(p, stage, lead.slot, lead.width);
    if (lead.slot != 0)
        exchange(p, stage, 0, lead.slot);
}

PlanStage stage_copy(const Planner *p, const PlanStage *stage) {
    PlanStage copy = *stage;
    copy.nodes.at = arena_grow(p->arena, stage->nodes.at, stage->nodes.count, stage->nodes.count, sizeof(PlanNode));
    copy.nodes.capacity = stage->nodes.count;
    copy.ranges.at =
        arena_grow(p->arena, stage->ranges.at, stage->ranges.count, stage->ranges.count, sizeof(StageRange));
    copy.ranges.capacity = stage->ranges.count;
    copy.clips.at = arena_grow(p->arena, stage->clips.at, stage->clips.count, stage->clips.count, sizeof(StageClip));
    copy.clips.capacity = stage->clips.count;
    copy.scatters.at =
        arena_grow(p->arena, stage->scatters.at, stage->scatters.count, stage->scatters.count, sizeof(StageScatter));
    copy.scatters.capacity = stage->scatters.count;
    copy.parts.at = arena_array(p->arena, PlanStage, stage->parts.count);
    copy.parts.capacity = stage->parts.count;
    for (size_t i = 0; i < stage->parts.count; i++)
        copy.parts.at[i] = stage_copy(p, &stage->parts.at[i]);
    return copy;
}

bool stage_has_whole_steps(const Planner *p, const PlanStage *stage, int slot, int vectors) {
    const Extent extent = stage->slots[slot].extent;
    const int64_t unit = extent.per_sample > 0 ? extent.per_sample : extent.size; /* it is a multiple of that */
    const int64_t widest = CACHE_LINE / planner_real_bytes(p);
    return unit % (vectors * widest) == 0 && !stage_range(stage, slot);
}

void stage_merge(const Planner *p, PlanStage *stage, int outer, int inner) {
    ScalarPool *pool = p->graph->pool;
    StageSlot *merged = &stage->slots[outer];
    int64_t size = stage->slots[inner].extent.size;
    merged->name = arena_printf(p->arena, "%s%s", merged->name, stage->slots[inner].name);
    merged->extent.size *= size;
    merged->extent.per_sample *= size;
    const Scalar *map[MAX_STAGE_SLOTS] = {NULL};
    const Scalar *index = scalar_index(pool, outer, merged->extent), *divisor = scalar_int(pool, size);
    map[outer] = scalar_op2(pool, OP_FLOORDIV, index, divisor);
    map[inner] = scalar_op2(pool, OP_MOD, index, divisor);
    stage->slots[inner].extent = (Extent){1, 0};
    substitute(p, stage, map);
}
