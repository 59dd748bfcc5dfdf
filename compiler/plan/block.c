/* block.c: rows in blocks that a cache keeps.
 *
 *     for (k_block ..)                         for (n_from = 0; n_from < 2048; n_from += 186)
 *       for (n = 0; n < 2048; n += 6)            for (k_block ..)
 *         y[n, k] = sum(s) G[n, s] * P[k, s]       for (n = n_from; n < n_from + 186; n += 6)
 *                                                    y[n, k] = sum(s) G[n, s] * P[k, s]
 *
 * What moves along the rows is read again for every panel of the rest. Where the second cache does not hold it, a block does, and the panels come
 * once for each block instead. That pays where a panel that has come serves many tiles. Rows that just fit beside a panel stay whole.
 */
#include "plan/block.h"

static int64_t size_of(const StageCost *cost, int slot) {
    return cost->stage->slots[slot].extent.size;
}

/* Bytes of the loads that move along the rows, or of the others, in the loops from `first` on. */
static double bytes_inside(const StageCost *cost, bool along_rows, int first) {
    const StageSchedule *s = &cost->stage->schedule;
    double sum = 0;
    for (size_t i = 0; i < cost->loads.count; i++) {
        uint64_t slots = cost->loads.at[i].slots;
        double bytes = (double)planner_real_bytes(cost->planner);
        for (int d = first; d < s->loops; d++)
            bytes *= slots >> s->order[d] & 1 ? (double)size_of(cost, s->order[d]) : 1;
        sum += (slots >> s->tile_slot & 1) == along_rows ? bytes : 0;
    }
    return sum;
}

/* Where the loop over the rows stands, if those outside it read the same rows again; 0: they do not, or there are none. */
static int depth_of_rows(const StageCost *cost) {
    const StageSchedule *s = &cost->stage->schedule;
    uint64_t outer = 0;
    int depth = 0;
    while (depth < s->loops && s->order[depth] != s->tile_slot)
        outer |= UINT64_C(1) << s->order[depth++];
    for (size_t i = 0; i < cost->loads.count; i++)
        if ((cost->loads.at[i].slots >> s->tile_slot & 1) && (cost->loads.at[i].slots & outer))
            return 0;
    return depth;
}

/* Every row is an element of its own, and the loop over them is one. */
static bool can_block(const StageCost *cost) {
    const PlanStage *stage = cost->stage;
    const StageSchedule *s = &stage->schedule;
    return stage->reduce != REDUCE_NONE && cost->shared == 0 && s->tile_slot >= 0 && s->tile_rows > 1 &&
           s->tile_slot != s->vector_slot && stage->slots[s->tile_slot].extent.per_sample == 0 &&
           stage->ranges.count == 0 && stage->clips.count == 0;
}

int64_t block_rows(const StageCost *cost) {
    enum { LEAST_TILES = 16 };
    const double clearly = 2;
    const Target *target = cost->planner->target;
    const StageSchedule *s = &cost->stage->schedule;
    int depth = target->blocks && can_block(cost) ? depth_of_rows(cost) : 0;
    if (depth == 0)
        return 0;
    double whole = (double)target->l2_bytes, cache = 0.75 * whole, panel = bytes_inside(cost, false, depth);
    double rows = bytes_inside(cost, true, 0), rest = bytes_inside(cost, false, 0);
    double size = (double)size_of(cost, s->tile_slot);
    if (rows + panel <= 0.9 * whole || cache - panel < LEAST_TILES * s->tile_rows * rows / size)
        return 0;
    int64_t tiles = size_of(cost, s->tile_slot) / s->tile_rows;
    int64_t most = (int64_t)((cache - panel) * size / rows) / s->tile_rows, blocks = (tiles + most - 1) / most;
    if (rows * rest / panel + rest < clearly * (rows + (double)blocks * rest))
        return 0;
    return (tiles + blocks - 1) / blocks * s->tile_rows;
}
