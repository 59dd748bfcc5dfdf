/* search.c: register tiles pay where loads are used again, and where several accumulators hide the latency of one. */
#include "plan/search.h"

#include <math.h>

/* ---- the register tile ---- */

typedef struct TileSearch {
    const StageCost *cost;
    TileVisit *visit;
    void *context;
} TileSearch;

static void try_tile(const TileSearch *search, Tile tile) {
    search->visit(search->context, tile);
}

static bool is_output(const StageCost *cost, int slot) {
    return slot >= cost->shared && !stage_is_reduction_slot(cost->stage, slot) &&
           cost->stage->slots[slot].extent.size > 1;
}

static void try_rows(const TileSearch *search, Tile tile) {
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
static void try_columns(const TileSearch *search, Tile tile, int slot) {
    int most = cost_is_reused(search->cost, slot) || cost_is_long(search->cost) ? 4 : 1;
    tile.column_slot = slot;
    for (int columns = 1; columns <= most; columns++) {
        tile.columns = columns;
        try_rows(search, tile);
    }
}

/* Rows that come from memory share what they read in common, and several streams of memory go at once. More of them would take each other's
 * lines from the nearest cache. */
static void try_streams(const TileSearch *search, Tile tile) {
    enum { STREAMS = 4 };
    const PlanStage *stage = search->cost->stage;
    if (stage->ranges.count > 0 || stage->slots[tile.tile_slot].extent.size < STREAMS ||
        !cost_shares_rows(search->cost, tile.tile_slot, tile.vector_slot))
        return;
    tile.rows = STREAMS;
    try_tile(search, tile);
}

/* As many rows as lanes are turned at once; what is little more needs no loop. */
static void try_turned(const TileSearch *search, Tile tile) {
    const PlanStage *stage = search->cost->stage;
    if (stage_range(stage, tile.tile_slot) || !cost_turns(search->cost, tile.tile_slot, tile.vector_slot))
        return;
    int lanes = cost_lanes(search->cost);
    int64_t size = stage->slots[tile.tile_slot].extent.size;
    tile.rows = size < lanes ? (int)size : lanes;
    try_tile(search, tile);
    tile.rows = (int)size;
    if (size > lanes && size <= 2 * lanes)
        try_tile(search, tile);
}

/* Neighbouring pieces of a line or two are read together: one alone makes memory jump from row to row. */
static void try_pieces(const TileSearch *search, Tile tile) {
    enum { PIECES = 4 };
    const PlanStage *stage = search->cost->stage;
    bool whole = stage->slots[tile.tile_slot].extent.size % PIECES == 0;
    if (stage->ranges.count > 0 || !whole || !cost_reads_pieces(search->cost, tile.tile_slot, tile.vector_slot))
        return;
    tile.rows = PIECES;
    try_tile(search, tile);
}

static void try_map(const TileSearch *search, Tile tile) {
    const PlanStage *stage = search->cost->stage;
    try_tile(search, tile);
    for (int slot = stage->slot_count - 1; slot >= search->cost->shared && tile.vector_slot >= 0; slot--) {
        if (slot == tile.vector_slot || stage->slots[slot].extent.size == 1)
            continue;
        tile.tile_slot = slot;
        try_streams(search, tile);
        try_pieces(search, tile);
        try_turned(search, tile);
    }
}

/* Other tiles pay where loads are used again, which only reductions do. */
static void try_lanes(const TileSearch *search, int vector_slot) {
    const StageCost *cost = search->cost;
    Tile tile = {vector_slot, -1, 1, -1, 1};
    bool output = vector_slot >= cost->shared && !stage_is_reduction_slot(cost->stage, vector_slot);
    if (output)
        tile.column_slot = vector_slot;
    if (cost->stage->reduce == REDUCE_NONE) {
        try_map(search, tile);
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

void search_tiles(const StageCost *cost, TileVisit *visit, void *context) {
    TileSearch search = {cost, visit, context};
    for (int slot = cost->stage->slot_count - 1; slot >= 0; slot--)
        if (cost->lanes >> slot & 1)
            try_lanes(&search, slot);
    if (!cost->stage->samples)
        try_lanes(&search, -1);
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

static void move_inside(int *order, int outputs, int at) {
    int slot = order[at];
    for (; at + 1 < outputs; at++)
        order[at] = order[at + 1];
    order[outputs - 1] = slot;
}

typedef struct OrderSearch {
    OrderVisit *visit;
    void *context;
    int outputs, loops;
} OrderSearch;

/* Tries all orders of the loops order[first .. outputs-1]. */
static void try_orders(const OrderSearch *search, int *order, int first) {
    if (first + 1 >= search->outputs) {
        search->visit(search->context, order, search->loops);
        return;
    }
    for (int i = first; i < search->outputs; i++) {
        try_orders(search, order, first + 1);
        move_inside(order, search->outputs, first); /* after all turns, the order is the old one */
    }
}

void search_orders(const StageCost *cost, Tile tile, OrderVisit *visit, void *context) {
    enum { MOST_TRIED = 4 };
    int order[MAX_STAGE_SLOTS];
    OrderSearch search = {.visit = visit, .context = context};
    search.outputs = add_slots(cost, false, tile.vector_slot, order, 0);
    search.loops = add_slots(cost, true, tile.vector_slot, order, search.outputs);
    if (cost->stage->reduce == REDUCE_NONE)
        visit(context, order, search.loops);
    else
        try_orders(&search, order, search.outputs > MOST_TRIED ? search.outputs - MOST_TRIED : 0);
}

/* ---- what the cost model prefers ---- */

typedef struct BestOrder {
    const StageCost *cost;
    Tile tile;
    int *order, loops;
    double misses;
} BestOrder;

/* The model's order of the output axes, unless another is clearly kinder to the caches. */
static void keep_better(void *context, const int *order, int loops) {
    BestOrder *best = context;
    bool map = best->cost->stage->reduce == REDUCE_NONE;
    double misses = map ? 0 : cost_of_order(best->cost, best->tile, order, loops);
    if (best->loops >= 0 && misses >= 0.95 * best->misses)
        return;
    best->misses = misses;
    best->loops = loops;
    for (int i = 0; i < loops; i++)
        best->order[i] = order[i];
}

int search_best_order(const StageCost *cost, Tile tile, int *order, double *misses) {
    BestOrder best = {.cost = cost, .tile = tile, .order = order, .loops = -1};
    search_orders(cost, tile, keep_better, &best);
    *misses = best.misses;
    return best.loops;
}

double search_cycles(const StageCost *cost, Tile tile) {
    const double shown = 0.2,
                 line = 0.4; /* of the misses: what loops wait that fetch ahead, and what lines take to come */
    int order[MAX_STAGE_SLOTS];
    double misses, cycles = cost_of_tile(cost, tile) + cost_of_waiting(cost, tile) + cost_of_delays(cost, tile);
    search_best_order(cost, tile, order, &misses);
    return cost->planner->target->overlaps ? hypot(cycles, line * misses) : cycles + shown * misses;
}
