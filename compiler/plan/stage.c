#include "plan/stage.h"

static void add_slot(PlanStage *stage, Graph *g, Extent extent) {
    int slot = stage->slot_count++;
    stage->slots[slot] = (StageSlot){.extent = extent, .of = slot, .factor = 1};
    stage->index[slot] = scalar_index(g->pool, slot, extent);
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
        add_slot(&stage, p->graph, node->shape[axis]);
    for (int r = 0; stage.reduce != REDUCE_NONE && r < node->expr.reduced; r++)
        add_slot(&stage, p->graph, node->expr.extents[r]);
    stage.node_slots = stage.slot_count;
    for (size_t i = 0; i < items->count; i++)
        vec_push(p->arena, &stage.nodes, stage_value(p, &p->items.at[items->at[i]]));
    return stage;
}

int stage_split(const Planner *p, PlanStage *stage, int slot, int64_t factor) {
    ScalarPool *pool = p->graph->pool;
    int inner = stage->slot_count++;
    StageSlot *outer = &stage->slots[slot];
    stage->slots[inner] = (StageSlot){.extent = {factor, 0}, .of = outer->of, .factor = outer->factor};
    outer->factor *= factor;
    outer->extent.size /= factor;
    outer->extent.per_sample /= factor;
    const Scalar *map[MAX_STAGE_SLOTS] = {NULL};
    const Scalar *base = scalar_index(pool, slot, outer->extent);
    map[slot] = scalar_op2(pool, OP_ADD, scalar_op2(pool, OP_MUL, base, scalar_int(pool, factor)),
                           scalar_index(pool, inner, stage->slots[inner].extent));
    for (int i = 0; i < stage->node_slots; i++)
        stage->index[i] = scalar_substitute(pool, stage->index[i], map, MAX_STAGE_SLOTS);
    for (size_t i = 0; i < stage->nodes.count; i++)
        stage->nodes.at[i].body = scalar_substitute(pool, stage->nodes.at[i].body, map, MAX_STAGE_SLOTS);
    return inner;
}
