#include <math.h>

#include "plan/block.h"
#include "plan/search.h"

typedef struct BestTile {
    Tile tile;
    double cycles;
} BestTile;

typedef struct TileChoice {
    const StageCost *cost;
    BestTile near;  /* if nothing waits for memory: by this, stages are compared */
    BestTile whole; /* the tile that is taken */
} TileChoice;

/* A later choice has to be clearly better: ties go to the simpler one. */
static void keep_better(BestTile *best, Tile tile, double cycles) {
    if (cycles < 0.98 * best->cycles)
        *best = (BestTile){tile, cycles};
}

static void consider(void *context, Tile tile) {
    TileChoice *choice = context;
    double cycles = cost_of_tile(choice->cost, tile);
    keep_better(&choice->near, tile, cycles);
    keep_better(&choice->whole, tile, cycles + cost_of_waiting(choice->cost, tile));
}

static bool has_slots_of(Tile a, Tile b) {
    return a.vector_slot == b.vector_slot && a.tile_slot == b.tile_slot && a.column_slot == b.column_slot;
}

typedef struct SizeChoice {
    const StageCost *cost;
    Tile like;
    BestTile best;
} SizeChoice;

static void consider_size(void *context, Tile tile) {
    SizeChoice *choice = context;
    if (has_slots_of(tile, choice->like))
        keep_better(&choice->best, tile, search_cycles(choice->cost, tile));
}

/* Do sizes of tiles differ in more than what they compute? */
static bool sizes_matter(const StageCost *cost, Tile tile) {
    if (cost->stage->samples || cost->stage->reduce == REDUCE_NONE)
        return false;
    return cost->planner->target->overlaps ? cost_is_long(cost) : cost_of_delays(cost, tile) > 0;
}

/* Of tiles with the same axes, one with accumulators to spare, or with lines that come while it computes, as the caches mind. */
static Tile choose_sizes(const StageCost *cost, Tile tile) {
    if (!sizes_matter(cost, tile))
        return tile;
    SizeChoice choice = {cost, tile, {tile, search_cycles(cost, tile)}};
    search_tiles(cost, consider_size, &choice);
    return choice.best.tile;
}

static TileChoice choose_tile(const StageCost *cost) {
    TileChoice choice = {.cost = cost, .near.cycles = 1e300, .whole.cycles = 1e300};
    search_tiles(cost, consider, &choice);
    choice.whole.tile = choose_sizes(cost, choice.whole.tile);
    return choice;
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
    s->rolled = cost->stage->reduce != REDUCE_NONE && cost_fills_registers(cost, tile);
    s->loops = loops;
    for (int i = 0; i < loops; i++)
        s->order[i] = order[i];
    s->block = block_rows(cost);
}

static void schedule_whole(const Planner *p, PlanStage *stage, int shared) {
    stage_reshape(p, stage, shared);
    stage_find_ranges(p, stage, shared);
    stage_find_clips(p, stage);
    StageCost cost = cost_gather(p, stage, shared);
    stage->cycles = 1e30;
    if (stage->samples && !cost.lanes)
        return; /* impossible */
    TileChoice choice = choose_tile(&cost);
    Tile tile = choice.whole.tile;
    int order[MAX_STAGE_SLOTS];
    int loops = search_best_order(&cost, tile, order, &stage->misses);
    stage->schedule = (StageSchedule){.form = form_of(&cost), .parallel_slot = -1};
    schedule_set(stage, &cost, tile, order, loops);
    stage->cycles = choice.near.cycles;
    stage->hidden = stage->reduce == REDUCE_NONE ? cost_of_beginnings(&cost, tile) : 0;
    stage_scatter(p, stage, shared);
}

/* Until it is known that they take `most` cycles or more. */
static void schedule_parts(const Planner *p, PlanStage *stage, int shared, double most) {
    stage->cycles = stage->hidden = stage->misses = 0;
    for (size_t i = 0; i < stage->parts.count && stage->cycles < most; i++) {
        PlanStage *part = &stage->parts.at[i];
        if (stage_split_runs(p, part, shared, 2))
            schedule_parts(p, part, shared, most - stage->cycles);
        else
            schedule_whole(p, part, shared);
        stage->cycles += part->cycles;
        stage->hidden += part->hidden;
        stage->misses += part->misses;
        if (i == 0 || part->schedule.vector_slot < 0)
            stage->schedule = part->schedule;
    }
}

/* Many runs are always parts; a few, which no ranges tell apart, where their loops are clearly better than those over all: they are written out
 * for each. */
void schedule_stage(const Planner *p, PlanStage *stage, int shared) {
    enum { MANY = 6 };
    const double clearly = 0.5;
    if (stage_split_runs(p, stage, shared, MANY)) {
        schedule_parts(p, stage, shared, INFINITY);
        return;
    }
    PlanStage parts = stage_copy(p, stage);
    schedule_whole(p, stage, shared);
    if (stage->ranges.count > 0 || !stage_split_runs(p, &parts, shared, 2))
        return;
    schedule_parts(p, &parts, shared, clearly * stage->cycles);
    if (parts.cycles < clearly * stage->cycles)
        *stage = parts;
}
