#include "plan/cost.h"

/* ---- the register tile ---- */

typedef struct TileSearch {
    const StageCost *cost;
    Tile best;
    double cycles;
} TileSearch;

static void try_tile(TileSearch *search, Tile tile) {
    double cycles = cost_of_tile(search->cost, tile);
    /* A later choice has to be clearly better: ties go to the simpler one. */
    if (cycles < 0.98 * search->cycles) {
        search->best = tile;
        search->cycles = cycles;
    }
}

static bool is_output(const StageCost *cost, int slot) {
    return slot >= cost->shared && !stage_is_reduction_slot(cost->stage, slot) &&
           cost->stage->slots[slot].extent.size > 1;
}

static void try_rows(TileSearch *search, Tile tile) {
    static const int rows[] = {2, 3, 4, 5, 6, 8, 10, 12};
    try_tile(search, tile);
    /* From the inside: of equal choices, rows that are close in memory win. */
    for (int slot = search->cost->stage->slot_count - 1; slot >= search->cost->shared; slot--) {
        if (!is_output(search->cost, slot) || slot == tile.column_slot || !cost_is_reused(search->cost, slot))
            continue;
        int64_t size = search->cost->stage->slots[slot].extent.size;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0] && rows[i] <= size; i++) {
            tile.tile_slot = slot;
            tile.rows = rows[i];
            if (rows[i] * tile.columns <= search->cost->planner->target->vector_registers)
                try_tile(search, tile);
        }
    }
}

/* Several columns use loads again, or hide the latency of accumulation. */
static void try_columns(TileSearch *search, Tile tile, int slot) {
    int most = cost_is_reused(search->cost, slot) || cost_is_long(search->cost) ? 4 : 1;
    tile.column_slot = slot;
    for (int columns = 1; columns <= most; columns++) {
        tile.columns = columns;
        try_rows(search, tile);
    }
}

/* Tiles pay where loads are used again, which only reductions do. */
static void try_lanes(TileSearch *search, int vector_slot) {
    const StageCost *cost = search->cost;
    Tile tile = {vector_slot, -1, 1, -1, 1};
    bool output = vector_slot >= cost->shared && !stage_is_reduction_slot(cost->stage, vector_slot);
    if (output)
        tile.column_slot = vector_slot;
    if (cost->stage->reduce == REDUCE_NONE) {
        try_tile(search, tile);
        return;
    }
    if (output) {
        try_columns(search, tile, vector_slot);
        return;
    }
    try_rows(search, tile);
    for (int slot = cost->shared; slot < cost->stage->slot_count; slot++)
        if (is_output(cost, slot))
            try_columns(search, tile, slot);
}

static Tile choose_tile(const StageCost *cost) {
    TileSearch search = {.cost = cost, .cycles = 1e300};
    for (int slot = cost->stage->slot_count - 1; slot >= 0; slot--)
        if (cost->lanes >> slot & 1)
            try_lanes(&search, slot);
    if (!cost->stage->samples)
        try_lanes(&search, -1);
    return search.best;
}

/* ---- the order of the loops ---- */

/* Some load is interleaved along the slot. */
static bool is_sample_slot(const StageCost *cost, int slot) {
    for (size_t i = 0; i < cost->loads.count; i++)
        if (cost->loads.at[i].interleaved && cost->loads.at[i].step[slot] == 1)
            return true;
    return false;
}

static int add_slots(const StageCost *cost, bool reductions, int vector_slot, int *order, int loops) {
    const PlanStage *stage = cost->stage;
    int first = loops;
    for (int slot = cost->shared; slot < stage->slot_count; slot++) {
        bool lanes = slot == vector_slot && reductions;
        if (stage->slots[slot].extent.size > 1 && stage_is_reduction_slot(stage, slot) == reductions && !lanes)
            order[loops++] = slot;
    }
    if (!reductions || vector_slot < 0 || !stage_is_reduction_slot(stage, vector_slot))
        return loops;
    /* Lanes that are neighbours in memory are the innermost loop; samples are far apart. */
    int at = loops;
    for (; at > first && is_sample_slot(cost, vector_slot); at--)
        order[at] = order[at - 1];
    order[at] = vector_slot;
    return loops + 1;
}

static void keep_better(const StageCost *cost, Tile tile, StageSchedule *s, double *cycles, const int *order) {
    double found = cost_of_order(cost, tile, order, s->loops);
    if (found >= 0.95 * *cycles)
        return;
    *cycles = found;
    for (int i = 0; i < s->loops; i++)
        s->order[i] = order[i];
}

static void move_inside(int *order, int outputs, int at) {
    int slot = order[at];
    for (; at + 1 < outputs; at++)
        order[at] = order[at + 1];
    order[outputs - 1] = slot;
}

/* Tries all orders of the loops order[first .. outputs-1]. */
static void try_orders(const StageCost *cost, Tile tile, StageSchedule *s, double *cycles, int *order, int first,
                       int outputs) {
    if (first + 1 >= outputs) {
        keep_better(cost, tile, s, cycles, order);
        return;
    }
    for (int i = first; i < outputs; i++) {
        try_orders(cost, tile, s, cycles, order, first + 1, outputs);
        move_inside(order, outputs, first); /* after all turns, the order is the old one */
    }
}

/* The model's order of the output axes, unless another is clearly kinder to the caches. Gives the cycles of its misses. */
static double choose_order(const StageCost *cost, Tile tile, StageSchedule *s) {
    enum { MOST_TRIED = 4 };
    int outputs = add_slots(cost, false, tile.vector_slot, s->order, 0);
    s->loops = add_slots(cost, true, tile.vector_slot, s->order, outputs);
    if (cost->stage->reduce == REDUCE_NONE)
        return 0;
    double cycles = cost_of_order(cost, tile, s->order, s->loops);
    int order[MAX_STAGE_SLOTS];
    for (int i = 0; i < s->loops; i++)
        order[i] = s->order[i];
    int first = outputs > MOST_TRIED ? outputs - MOST_TRIED : 0;
    try_orders(cost, tile, s, &cycles, order, first, outputs);
    return cycles;
}

/* ---- */

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

void schedule_stage(const Planner *p, PlanStage *stage, int shared) {
    stage_reshape(p, stage, shared);
    stage_find_ranges(p, stage, shared);
    StageCost cost = cost_gather(p, stage, shared);
    stage->cycles = 1e30;
    if (stage->samples && !cost.lanes)
        return; /* impossible */
    Tile tile = choose_tile(&cost);
    StageSchedule *s = &stage->schedule;
    *s = (StageSchedule){.form = form_of(&cost), .parallel_slot = -1};
    s->vector_slot = tile.vector_slot;
    s->tile_slot = tile.tile_slot;
    s->tile_rows = tile.rows;
    s->column_slot = tile.column_slot;
    s->columns = tile.columns;
    stage->misses = choose_order(&cost, tile, s);
    stage->cycles = cost_of_tile(&cost, tile);
}
