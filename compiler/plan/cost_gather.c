#include "plan/cost_gather.h"

#include "plan/lanes.h"

typedef struct LoadVisit {
    StageCost *cost;
    bool reduction; /* in the body of the reduction */
} LoadVisit;

static bool is_interleaved(const StageCost *cost, const Node *tensor) {
    const Planner *p = cost->planner;
    return pointer_map_get(p->interleaved, planner_storage(p, tensor)) != NULL;
}

static StageLoad describe_load(const StageCost *cost, const Scalar *load) {
    StageLoad result = {.load = load, .slots = load->slots};
    ScalarPool *pool = cost->planner->graph->pool;
    bool interleaved = load->load.rank > 0 && is_interleaved(cost, load->load.tensor);
    const Scalar *offset = load_offset(pool, load, interleaved ? 1 : 0);
    result.interleaved = interleaved;
    for (int slot = 0; slot < cost->stage->slot_count; slot++) {
        if (!lane_step(offset, slot, &result.step[slot]))
            result.step[slot] = 0;
        if (!interleaved)
            continue;
        result.step[slot] *= cost_lanes(cost);
        if (load->load.at[0]->slots >> slot & 1)
            result.step[slot] = 1;
    }
    return result;
}

static void visit_load(void *context, const Scalar *load) {
    LoadVisit *visit = context;
    StageCost *cost = visit->cost;
    if (stage_makes(cost->stage, load->load.tensor))
        return;
    StageLoad described = describe_load(cost, load);
    if (visit->reduction)
        vec_push(cost->planner->arena, &cost->loads, described);
    else
        vec_push(cost->planner->arena, &cost->accesses, described);
}

static void gather_loads(StageCost *cost, const Scalar *body, bool reduction) {
    LoadVisit visit = {cost, reduction};
    scalar_each_load(cost->planner->arena, body, visit_load, &visit);
}

static void gather_store(StageCost *cost, const PlanNode *value) {
    if (value->home == HOME_REGISTERS)
        return;
    const Scalar *own = scalar_load(cost->planner->graph->pool, value->node, cost->stage->index);
    StageLoad described = describe_load(cost, own);
    described.is_store = true;
    vec_push(cost->planner->arena, &cost->accesses, described);
}

/* One step of a sum of products is one fused operation. */
static double reduction_flops(const PlanStage *stage) {
    const Scalar *body = stage->nodes.at[0].body;
    double flops = (double)scalar_flops(body);
    bool fused = stage->reduce == REDUCE_SUM && scalar_is_op(body, OP_MUL);
    return fused ? flops : flops + 1;
}

static bool finds_position(const PlanStage *stage) {
    return stage->reduce == REDUCE_ARGMAX || stage->reduce == REDUCE_ARGMIN;
}

/* Lanes hold reals; positions have to be exact in them. */
static bool accumulates_in_lanes(const PlanStage *stage) {
    double positions = 1;
    for (int slot = 0; slot < stage->slot_count && finds_position(stage); slot++)
        if (stage_is_reduction_slot(stage, slot))
            positions *= (double)stage->slots[slot].extent.size;
    return stage->nodes.at[0].body->type == TYPE_REAL && positions < 1 << 24;
}

typedef struct InterleavedCheck {
    const StageCost *cost;
    int slot;
} InterleavedCheck;

/* An interleaved tensor is read at other samples than this slot's. */
static bool mixes_samples(const void *context, const Scalar *load) {
    const InterleavedCheck *check = context;
    const Scalar *sample = load->load.rank > 0 ? load->load.at[0] : NULL;
    return sample && is_interleaved(check->cost, load->load.tensor) &&
           (sample->kind != SCALAR_INDEX || sample->index.slot != check->slot);
}

static bool suits_layout(const StageCost *cost, int slot) {
    const InterleavedCheck check = {cost, slot};
    for (size_t i = 0; i < cost->stage->nodes.count; i++)
        if (scalar_any_load(cost->planner->arena, cost->stage->nodes.at[i].body, mixes_samples, &check))
            return false;
    return true;
}

static bool can_be_lanes(const StageCost *cost, int slot) {
    const PlanStage *stage = cost->stage;
    const Planner *p = cost->planner;
    bool at_samples = stage->samples ? slot == 0 : slot >= cost->shared;
    if (stage->slots[slot].extent.size == 1 || !at_samples || !suits_layout(cost, slot))
        return false;
    if (stage->reduce != REDUCE_NONE && !accumulates_in_lanes(stage))
        return false;
    if (stage_is_reduction_slot(stage, slot))
        return !finds_position(stage) && lanes_possible(p->arena, p->graph, stage->nodes.at[0].body, slot, NULL);
    for (size_t i = 0; i < stage->nodes.count; i++)
        if (!lanes_possible(p->arena, p->graph, stage->nodes.at[i].body, slot, cost->settled))
            return false;
    return true;
}

/* After a sum, the slot can be the vector's: memory has its elements side by side, and the maps can be computed so. */
static bool can_be_sum_lanes(const StageCost *cost, int slot) {
    const PlanStage *stage = cost->stage;
    const Planner *p = cost->planner;
    if (stage->reduce != REDUCE_SUM || slot < cost->shared || stage_is_reduction_slot(stage, slot))
        return false;
    for (size_t i = 0; i < cost->accesses.count; i++) {
        const StageLoad *access = &cost->accesses.at[i];
        if (access->interleaved || ((access->slots >> slot & 1) && access->step[slot] != 1))
            return false;
    }
    for (size_t i = 1; i < stage->nodes.count; i++)
        if (!lanes_possible(p->arena, p->graph, stage->nodes.at[i].body, slot, cost->settled))
            return false;
    return true;
}

StageCost cost_gather(const Planner *p, const PlanStage *stage, int shared) {
    StageCost cost = {.planner = p, .stage = stage, .shared = shared};
    PointerMap *settled = pointer_map_new(p->arena);
    for (size_t i = 0; i < stage->ranges.count; i++)
        pointer_map_put(settled, stage->ranges.at[i].test, stage);
    cost.settled = settled;
    for (size_t i = 0; i < stage->nodes.count; i++) {
        const PlanNode *value = &stage->nodes.at[i];
        bool reduction = i == 0 && stage->reduce != REDUCE_NONE;
        gather_loads(&cost, value->body, reduction);
        gather_store(&cost, value);
        if (reduction)
            cost.step_flops = reduction_flops(stage);
        else
            cost.element_flops += (double)scalar_flops(value->body);
    }
    for (int slot = 0; slot < stage->slot_count; slot++)
        if (can_be_lanes(&cost, slot))
            cost.lanes |= UINT64_C(1) << slot;
    for (int slot = 0; slot < stage->slot_count; slot++)
        if (can_be_sum_lanes(&cost, slot))
            cost.sum_lanes |= UINT64_C(1) << slot;
    return cost;
}

int cost_lanes(const StageCost *cost) {
    return planner_lanes(cost->planner);
}
