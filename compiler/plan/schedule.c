#include "plan/search.h"

typedef struct BestTile {
    const StageCost *cost;
    Tile tile;
    double cycles;
} BestTile;

static void keep_better(void *context, Tile tile) {
    BestTile *best = context;
    double cycles = cost_of_tile(best->cost, tile);
    /* A later choice has to be clearly better: ties go to the simpler one. */
    if (cycles < 0.98 * best->cycles) {
        best->tile = tile;
        best->cycles = cycles;
    }
}

static Tile choose_tile(const StageCost *cost) {
    BestTile best = {.cost = cost, .cycles = 1e300};
    search_tiles(cost, keep_better, &best);
    return best.tile;
}

static bool is_contraction(const StageCost *cost) {
    const PlanStage *stage = cost->stage;
    if (stage->reduce != REDUCE_SUM || !scalar_is_op(stage->nodes.at[0].body, OP_MUL))
        return false;
    uint64_t all = 0;
    for (int slot = 0; slot < stage->slot_count; slot++)
        if (!stage_is_reduction_slot(stage, slot) && stage->slots[slot].extent.size > 1)
            all |= UINT64_C(1) << slot;
    const Scalar *a = stage->nodes.at[0].body->op.arg[0], *b = stage->nodes.at[0].body->op.arg[1];
    return a->has_load && b->has_load && (a->slots & all) != all && (b->slots & all) != all;
}

static FormKind form_of(const StageCost *cost) {
    if (cost->stage->reduce == REDUCE_NONE)
        return FORM_MAP;
    return is_contraction(cost) ? FORM_CONTRACTION : FORM_REDUCTION;
}

void schedule_set(PlanStage *stage, const StageCost *cost, Tile tile, const int *order, int loops) {
    StageSchedule *s = &stage->schedule;
    s->vector_slot = tile.vector_slot;
    s->tile_slot = tile.tile_slot;
    s->tile_rows = tile.rows;
    s->column_slot = tile.column_slot;
    s->columns = tile.columns;
    s->sums_in_lanes = cost_sums_in_lanes(cost, tile);
    s->loops = loops;
    for (int i = 0; i < loops; i++)
        s->order[i] = order[i];
}

void schedule_stage(const Planner *p, PlanStage *stage, int shared) {
    stage_reshape(p, stage, shared);
    stage_find_ranges(p, stage, shared);
    StageCost cost = cost_gather(p, stage, shared);
    stage->cycles = 1e30;
    if (stage->samples && !cost.lanes)
        return; /* impossible */
    Tile tile = choose_tile(&cost);
    int order[MAX_STAGE_SLOTS];
    int loops = search_best_order(&cost, tile, order, &stage->misses);
    stage->schedule = (StageSchedule){.form = form_of(&cost), .parallel_slot = -1};
    schedule_set(stage, &cost, tile, order, loops);
    stage->cycles = cost_of_tile(&cost, tile);
}
