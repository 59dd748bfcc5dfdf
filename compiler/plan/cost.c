#include "plan/cost.h"

/* ---- register tiles ---- */

/* The load stands inside the reduction loops; others leave them. */
static bool moves_in_reduction(const StageCost *cost, const StageLoad *load) {
    for (int slot = cost->shared; slot < cost->stage->slot_count; slot++)
        if (stage_is_reduction_slot(cost->stage, slot) && (load->slots >> slot & 1))
            return true;
    return false;
}

bool cost_is_long(const StageCost *cost) {
    enum { LONG = 16 };
    int64_t steps = 1;
    for (int slot = cost->shared; slot < cost->stage->slot_count; slot++)
        if (stage_is_reduction_slot(cost->stage, slot) && steps < LONG)
            steps *= cost->stage->slots[slot].extent.size;
    return steps >= LONG;
}

bool cost_is_reused(const StageCost *cost, int slot) {
    for (size_t i = 0; i < cost->loads.count; i++)
        if (moves_in_reduction(cost, &cost->loads.at[i]) && !(cost->loads.at[i].slots >> slot & 1))
            return true;
    return false;
}

static bool depends(uint64_t slots, int slot) {
    return slot >= 0 && (slots >> slot & 1) != 0;
}

/* Of what an access touches, along the slots from `first` on. */
static double access_bytes(const StageCost *cost, const StageLoad *access, int first) {
    double bytes = (double)planner_real_bytes(cost->planner);
    for (int slot = first; slot < cost->stage->slot_count; slot++)
        if (depends(access->slots, slot))
            bytes *= (double)cost->stage->slots[slot].extent.size;
    return bytes;
}

bool cost_shares_rows(const StageCost *cost, int slot, int vector_slot) {
    const Target *target = cost->planner->target;
    double moving = 0, shared = 0;
    if (target->vector_bytes < CACHE_LINE)
        return false; /* lines of several rows would be half written at a time, and stores past the caches want whole ones */
    for (size_t i = 0; i < cost->accesses.count; i++) {
        const StageLoad *access = &cost->accesses.at[i];
        if (depends(access->slots, slot))
            moving += access_bytes(cost, access, 0);
        else if (depends(access->slots, vector_slot) && access->step[vector_slot] == 1)
            shared += access_bytes(cost, access, slot);
    }
    return moving > (double)target->far_bytes && shared >= (double)target->l1_bytes / 4;
}

static bool is_piece(const StageCost *cost, const StageLoad *load, int slot, int vector_slot) {
    const PlanStage *stage = cost->stage;
    int64_t size = stage->slots[vector_slot].extent.size;
    bool jumps = false;
    for (int other = slot + 1; other < vector_slot; other++)
        jumps = jumps || load->step[other] > size;
    return jumps && !load->is_store && !load->interleaved && load->step[vector_slot] == 1 && load->step[slot] == size &&
           size * planner_real_bytes(cost->planner) <= 2 * CACHE_LINE;
}

bool cost_reads_pieces(const StageCost *cost, int slot, int vector_slot) {
    const Target *target = cost->planner->target;
    for (size_t i = 0; i < cost->accesses.count && target->blocks; i++)
        if (access_bytes(cost, &cost->accesses.at[i], 0) > (double)target->l2_bytes &&
            is_piece(cost, &cost->accesses.at[i], slot, vector_slot))
            return true;
    return false;
}

static int64_t slot_size(const StageCost *cost, int slot) {
    return cost->stage->slots[slot].extent.size;
}

static int64_t vectors_of(const StageCost *cost, int slot) {
    int lanes = cost_lanes(cost);
    return (slot_size(cost, slot) + lanes - 1) / lanes;
}

/* Of the vectors along the slot, those that are parts. */
static double share_of_parts(const StageCost *cost, int slot) {
    return slot_size(cost, slot) % cost_lanes(cost) == 0 ? 0 : 1.0 / (double)vectors_of(cost, slot);
}

/* Two plain ones go at a time; every second element takes two and a shuffle; lanes that are further apart are put together one by one, or taken
 * apart, which nothing waits for, unless each is on a page of its own: their lines take each other's places in the caches. */
double cost_of_access(const StageCost *cost, const StageLoad *load, int vector_slot) {
    enum { PAGE = 4096 };
    if (!depends(load->slots, vector_slot))
        return 0.5;
    if (load->step[vector_slot] == 1)
        return 0.5 + cost->planner->target->part * share_of_parts(cost, vector_slot);
    if (load->step[vector_slot] == 2)
        return 2;
    bool far = load->step[vector_slot] * planner_real_bytes(cost->planner) >= PAGE;
    return (!load->is_store ? 1.5 : far ? 4.0 : 1.0) * cost_lanes(cost);
}

/* Rows are neighbours in memory, and lanes are not: whole vectors along the rows are loaded or stored, and turned in registers. */
static bool is_turned(const StageLoad *access, int row_slot, int vector_slot) {
    return depends(access->slots, vector_slot) && depends(access->slots, row_slot) && row_slot != vector_slot &&
           !access->interleaved && access->load->type == TYPE_REAL && access->step[row_slot] == 1 &&
           access->step[vector_slot] != 1 && access->step[vector_slot] != 0;
}

bool cost_turns(const StageCost *cost, int row_slot, int vector_slot) {
    for (size_t i = 0; i < cost->accesses.count; i++)
        if (is_turned(&cost->accesses.at[i], row_slot, vector_slot))
            return true;
    return false;
}

/* Cycles of one vector of a turned tile: squares of as many vectors as there are lanes are turned, in a round of shuffles for each bit of the
 * number of a lane. */
static double turned_cycles(const StageCost *cost, int rows) {
    int lanes = cost_lanes(cost), squares = (rows + lanes - 1) / lanes;
    double vector = 0.5;
    for (int distance = 1; distance < lanes; distance *= 2)
        vector += 0.5;
    return squares * lanes * vector / rows;
}

static int accesses_of_tile(const StageLoad *access, Tile tile) {
    int rows = depends(access->slots, tile.tile_slot) ? tile.rows : 1;
    int columns = depends(access->slots, tile.column_slot) ? tile.columns : 1;
    return rows * columns;
}

/* One number for all lanes, for one accumulator: the operation takes it from memory itself, where the target can. */
static bool is_operand(const StageCost *cost, const StageLoad *load, Tile tile) {
    return cost->planner->target->broadcasts && tile.vector_slot >= 0 && tile.rows > 1 &&
           !depends(load->slots, tile.vector_slot) && accesses_of_tile(load, tile) == tile.rows * tile.columns;
}

/* Cache lines of a whole vector. */
static double vector_lines(const StageCost *cost) {
    return (double)cost->planner->target->vector_bytes / CACHE_LINE;
}

/* Every element of the result has numbers of its own there, which no tile reads again. */
static bool is_read_once(const StageCost *cost, const StageLoad *load) {
    for (int slot = cost->shared; slot < cost->stage->slot_count; slot++)
        if (!stage_is_reduction_slot(cost->stage, slot) && slot_size(cost, slot) > 1 && !depends(load->slots, slot))
            return false;
    double bytes = access_bytes(cost, load, 0),
           all = (double)(node_elements(load->load->load.tensor) * planner_real_bytes(cost->planner));
    return bytes > (double)cost->planner->target->l1_bytes && bytes <= all;
}

/* Where lanes are of the result, the vectors of a step are new ones, and most come from the second-level cache, which gives a
 * line in the time of 2.5 operations. In sums across lanes the rows of the tile stay in the nearest, unless nobody reads them again; so do a few
 * samples. */
static double load_cycles(const StageCost *cost, const StageLoad *load, Tile tile) {
    const double line = 1.25;
    double cycles = cost_of_access(cost, load, tile.vector_slot), fetched = line * vector_lines(cost);
    bool passes = tile.column_slot == tile.vector_slot || is_read_once(cost, load);
    bool is_new = passes && depends(load->slots, tile.vector_slot) && !cost->stage->samples;
    return is_new && cycles < fetched ? fetched : cycles;
}

static double sum_loads(const StageCost *cost, Tile tile) {
    double cycles = 0;
    for (size_t i = 0; i < cost->loads.count; i++) {
        const StageLoad *load = &cost->loads.at[i];
        if (moves_in_reduction(cost, load) && !is_operand(cost, load, tile))
            cycles += accesses_of_tile(load, tile) * load_cycles(cost, load, tile);
    }
    return cycles;
}

/* What a step issues besides: the loop's own instructions, and loads, unless operations have their operands in memory. */
static double loop_cycles(const StageCost *cost, Tile tile) {
    for (size_t i = 0; i < cost->loads.count; i++)
        if (moves_in_reduction(cost, &cost->loads.at[i]) && is_operand(cost, &cost->loads.at[i], tile))
            return 0.2;
    return 0.5;
}

static int registers_needed(const StageCost *cost, Tile tile) {
    int columns = 0;
    for (size_t i = 0; i < cost->loads.count; i++)
        if (depends(cost->loads.at[i].slots, tile.column_slot))
            columns = tile.columns;
    return tile.rows * tile.columns + columns + 1;
}

bool cost_fills_registers(const StageCost *cost, Tile tile) {
    enum { FREE = 4 };
    return registers_needed(cost, tile) + FREE > cost->planner->target->vector_registers;
}

/* What a step of all accumulators issues. */
static double issue_cycles(const StageCost *cost, Tile tile) {
    double loads = sum_loads(cost, tile);
    double flops = 0.5 * tile.rows * tile.columns * cost->step_flops;
    return loads > flops ? loads : flops;
}

/* One step of all accumulators of the tile. Each waits for its last step; a short reduction overlaps with the next tile's. */
static double step_cycles(const StageCost *cost, Tile tile) {
    const int latency = cost->planner->target->latency;
    double cycles = issue_cycles(cost, tile);
    if (cost_is_long(cost) && cycles < latency)
        cycles = latency;
    if (registers_needed(cost, tile) > cost->planner->target->vector_registers)
        cycles *= 3;
    return cycles + loop_cycles(cost, tile);
}

static bool is_partial(const StageCost *cost, Tile tile) {
    return tile.vector_slot >= 0 && stage_is_reduction_slot(cost->stage, tile.vector_slot);
}

bool cost_sums_in_lanes(const StageCost *cost, Tile tile) {
    return is_partial(cost, tile) && tile.rows > 1 && depends(cost->sum_lanes, tile.tile_slot);
}

/* After the reduction, where rows have become lanes, the tile has vectors of rows. */
static Tile tile_of_results(const StageCost *cost, Tile tile) {
    if (cost_sums_in_lanes(cost, tile))
        tile.rows = (tile.rows + cost_lanes(cost) - 1) / cost_lanes(cost);
    return tile;
}

/* What follows the reduction, for one element or one vector of them. */
static double element_cycles(const StageCost *cost, Tile tile) {
    double cycles = 0.5 * cost->element_flops;
    for (size_t i = 0; i < cost->accesses.count; i++) {
        const StageLoad *access = &cost->accesses.at[i];
        bool rows = tile.rows > 1 && (tile.columns == 1 || tile.column_slot < 0);
        bool turned = rows && is_turned(access, tile.tile_slot, tile.vector_slot);
        cycles += turned ? turned_cycles(cost, tile.rows) : cost_of_access(cost, access, tile.vector_slot);
    }
    return cycles;
}

static int64_t tile_width(const StageCost *cost, Tile tile, int slot) {
    int64_t width = 1;
    if (slot == tile.tile_slot)
        width = tile.rows;
    if (slot == tile.column_slot)
        width = tile.columns * (slot == tile.vector_slot ? cost_lanes(cost) : 1);
    int64_t size = slot_size(cost, slot);
    return width < size ? width : size;
}

static double steps_along(const StageCost *cost, Tile tile, int slot) {
    const StageClip *clip = stage_clip(cost->stage, slot);
    if (slot == tile.vector_slot)
        return (double)vectors_of(cost, slot);
    return clip ? clip_steps(cost->stage, clip, tile_width(cost, tile, clip->other)) : (double)slot_size(cost, slot);
}

/* Steps of the reduction for one tile. */
static double reduction_steps(const StageCost *cost, Tile tile) {
    double steps = 1;
    for (int slot = cost->shared; slot < cost->stage->slot_count; slot++)
        if (stage_is_reduction_slot(cost->stage, slot))
            steps *= steps_along(cost, tile, slot);
    return steps;
}

/* How often the innermost loop of the reduction begins for one tile, but for the first time. */
static double reduction_starts(const StageCost *cost, Tile tile) {
    double starts = 1, inner = 1;
    for (int slot = cost->shared; slot < cost->stage->slot_count; slot++) {
        double steps = stage_is_reduction_slot(cost->stage, slot) ? steps_along(cost, tile, slot) : 1;
        if (steps > 1) {
            starts *= inner;
            inner = steps;
        }
    }
    return starts - 1;
}

/* Putting the lanes of partial results together, and what follows the reduction. */
static double results_cycles(const StageCost *cost, Tile tile) {
    enum { ALONE = 6, TOGETHER = 2 };
    int count = tile.rows * tile.columns;
    if (!is_partial(cost, tile))
        return count * element_cycles(cost, tile);
    Tile vectors = tile_of_results(cost, tile);
    vectors.vector_slot = cost_sums_in_lanes(cost, tile) ? tile.tile_slot : -1;
    if (vectors.vector_slot < 0)
        return count * (ALONE + element_cycles(cost, vectors));
    return count * TOGETHER + vectors.rows * vectors.columns * element_cycles(cost, vectors);
}

/* What a tile costs besides its operations. Rows of a map that are turned are there for that: what each of them costs is what it costs alone. */
static double beginning_cycles(const StageCost *cost, Tile tile) {
    enum { TILE_OVERHEAD = 6 };
    bool apart = cost->stage->reduce == REDUCE_NONE && cost_turns(cost, tile.tile_slot, tile.vector_slot);
    return TILE_OVERHEAD * (apart ? tile.rows : 1);
}

static double tile_cycles(const StageCost *cost, Tile tile) {
    enum { LOOP_OVERHEAD = 4 };
    double cycles = beginning_cycles(cost, tile) + results_cycles(cost, tile);
    if (cost->stage->reduce != REDUCE_NONE)
        cycles += reduction_steps(cost, tile) * step_cycles(cost, tile) + LOOP_OVERHEAD * reduction_starts(cost, tile);
    return cycles;
}

static double divide_up(int64_t size, int width) {
    return (double)((size + width - 1) / width);
}

/* All tiles along the columns, for a given number of rows. What remains of vectors is a whole tile that stores a part. */
static double columns_cycles(const StageCost *cost, Tile tile) {
    if (tile.column_slot < 0)
        return tile_cycles(cost, tile);
    if (tile.column_slot == tile.vector_slot)
        return divide_up(vectors_of(cost, tile.column_slot), tile.columns) * tile_cycles(cost, tile);
    int64_t size = slot_size(cost, tile.column_slot);
    double cycles = (double)(size / tile.columns) * tile_cycles(cost, tile);
    Tile rest = tile;
    rest.columns = (int)(size % tile.columns);
    return rest.columns > 0 ? cycles + tile_cycles(cost, rest) : cycles;
}

static double rows_cycles(const StageCost *cost, Tile tile) {
    if (tile.tile_slot < 0)
        return columns_cycles(cost, tile);
    int64_t size = slot_size(cost, tile.tile_slot);
    double cycles = (double)(size / tile.rows) * columns_cycles(cost, tile);
    Tile rest = tile;
    rest.rows = (int)(size % tile.rows);
    return rest.rows > 0 ? cycles + columns_cycles(cost, rest) : cycles;
}

/* A remainder is code of its own: it has to be worth it. */
static int remainders(const StageCost *cost, Tile tile) {
    int count = tile.tile_slot >= 0 && slot_size(cost, tile.tile_slot) % tile.rows != 0;
    if (tile.column_slot >= 0 && tile.column_slot != tile.vector_slot)
        count += slot_size(cost, tile.column_slot) % tile.columns != 0;
    return count;
}

double cost_of_tile(const StageCost *cost, Tile tile) {
    double cycles = rows_cycles(cost, tile) * (1 + 0.03 * remainders(cost, tile));
    for (int slot = 0; slot < cost->stage->slot_count; slot++)
        if (!stage_is_reduction_slot(cost->stage, slot) && slot != tile.tile_slot && slot != tile.column_slot)
            cycles *= (double)(slot == tile.vector_slot ? vectors_of(cost, slot) : slot_size(cost, slot));
    return cycles;
}

double cost_of_beginnings(const StageCost *cost, Tile tile) {
    double cycles = beginning_cycles(cost, tile);
    for (int slot = 0; slot < cost->stage->slot_count; slot++) {
        int width = slot == tile.tile_slot ? tile.rows : slot == tile.column_slot ? tile.columns : 1;
        if (!stage_is_reduction_slot(cost->stage, slot))
            cycles *= divide_up(slot == tile.vector_slot ? vectors_of(cost, slot) : slot_size(cost, slot), width);
    }
    return cycles;
}

/* ---- memory behind the reduction ---- */

static double tensor_bytes(const StageCost *cost, const StageLoad *access) {
    double bytes = (double)planner_real_bytes(cost->planner);
    for (int slot = 0; slot < cost->stage->slot_count; slot++)
        if (depends(access->slots, slot))
            bytes *= (double)slot_size(cost, slot);
    return bytes;
}

/* What the stage stores and its maps read is far more than the second-level cache holds; that of a few samples stays near. */
static bool is_far(const StageCost *cost) {
    double bytes = 0;
    for (size_t i = 0; i < cost->accesses.count; i++)
        bytes += tensor_bytes(cost, &cost->accesses.at[i]);
    return !cost->stage->samples && bytes > 2 * (double)cost->planner->target->l2_bytes;
}

/* Neighbouring columns are read two by two: caches fetch lines in pairs. */
static int pairs_of_tile(const StageLoad *access, Tile tile) {
    Tile pairs = tile;
    if (tile.column_slot == tile.vector_slot)
        pairs.columns = (tile.columns + 1) / 2;
    return accesses_of_tile(access, pairs);
}

/* Stores wait for their lines in a queue: some stay there while the next tile computes, the tile waits for the others. What maps
 * read it waits for at once. */
static double waiting_cycles(const StageCost *cost, Tile tile) {
    enum { HIDDEN = 8, STORE = 10, PAIR = 5 };
    double stores = 0, pairs = 0;
    tile = tile_of_results(cost, tile);
    for (size_t i = 0; i < cost->accesses.count; i++) {
        const StageLoad *access = &cost->accesses.at[i];
        if (tensor_bytes(cost, access) < (double)cost->planner->target->l1_bytes)
            continue;
        if (access->is_store)
            stores += accesses_of_tile(access, tile) * vector_lines(cost);
        else
            pairs += pairs_of_tile(access, tile) * vector_lines(cost);
    }
    return PAIR * pairs + (stores > HIDDEN ? STORE * (stores - HIDDEN) : 0);
}

static double each_tile(const StageCost *cost, Tile tile, double cycles) {
    for (int slot = 0; slot < cost->stage->slot_count; slot++)
        if (!stage_is_reduction_slot(cost->stage, slot))
            cycles *= divide_up(slot_size(cost, slot), (int)tile_width(cost, tile, slot));
    return cycles;
}

double cost_of_waiting(const StageCost *cost, Tile tile) {
    bool waits = cost->stage->reduce != REDUCE_NONE && is_far(cost);
    return waits ? each_tile(cost, tile, waiting_cycles(cost, tile)) : 0;
}

double cost_of_delays(const StageCost *cost, Tile tile) {
    const double share = 0.75;
    const Target *target = cost->planner->target;
    if (cost->stage->reduce == REDUCE_NONE || target->margin == 0 || !cost_is_long(cost))
        return 0;
    double issued = issue_cycles(cost, tile), wanted = target->latency + target->margin;
    return issued < wanted ? each_tile(cost, tile, share * (wanted - issued) * reduction_steps(cost, tile)) : 0;
}

/* ---- caches ---- */

/* Bytes of a load that the loops order[depth..] touch, with whole cache lines where neighbours are touched neither there nor in the next step of the loop
 * around them. */
static double footprint(const StageCost *cost, Tile tile, const StageLoad *load, const int *order, int depth,
                        int loops) {
    bool dense = load->interleaved && cost->stage->samples;
    double elements = dense ? cost_lanes(cost) : 1;
    for (int i = 0; i < loops; i++) {
        int slot = order[i];
        if (!depends(load->slots, slot))
            continue;
        int64_t width = i >= depth ? slot_size(cost, slot) : tile_width(cost, tile, slot);
        elements *= (double)width;
        dense = dense || (load->step[slot] == 1 && (width > 1 || i + 1 == depth));
    }
    return elements * (double)(dense ? planner_real_bytes(cost->planner) : CACHE_LINE);
}

static double trips(const StageCost *cost, Tile tile, int slot) {
    int64_t width = tile_width(cost, tile, slot);
    return (double)((slot_size(cost, slot) + width - 1) / width);
}

/* How far in the loops all that is touched fits. */
static int fitting_depth(const StageCost *cost, Tile tile, const int *order, int loops, double bytes) {
    int depth = loops;
    while (depth > 0) {
        double total = 0;
        for (size_t i = 0; i < cost->loads.count; i++)
            total += footprint(cost, tile, &cost->loads.at[i], order, depth - 1, loops);
        if (total > bytes)
            break;
        depth--;
    }
    return depth;
}

static double missed_lines(const StageCost *cost, Tile tile, const int *order, int loops, double bytes) {
    int depth = fitting_depth(cost, tile, order, loops, bytes);
    double lines = 0;
    for (size_t i = 0; i < cost->loads.count; i++) {
        const StageLoad *load = &cost->loads.at[i];
        int outer = depth;
        while (outer > 0 && !depends(load->slots, order[outer - 1]))
            outer--;
        double fetched = footprint(cost, tile, load, order, depth, loops) / CACHE_LINE;
        for (int d = 0; d < outer; d++)
            fetched *= trips(cost, tile, order[d]);
        lines += fetched;
    }
    return lines;
}

double cost_of_order(const StageCost *cost, Tile tile, const int *order, int loops) {
    const Target *target = cost->planner->target;
    double from_l2 = missed_lines(cost, tile, order, loops, 0.75 * (double)target->l1_bytes);
    double from_memory = missed_lines(cost, tile, order, loops, 0.75 * (double)target->l2_bytes);
    return 2.5 * from_l2 + 10 * from_memory;
}
