/* threads.c: which loops several threads share, and whether an entry is worth more than one thread at all.
 *
 * Only loops over output axes are shared: every element is computed by one thread in the same order as ever, so the result does not
 * depend on how many there are.
 */
#include "plan/stage.h"

enum {
    THREADS = 2,                /* what has to pay */
    REGION_CYCLES = 20000,      /* to start the threads of an entry */
    WAIT_CYCLES = 8000,         /* to wait for each other, and what the caches lose */
    LEAST_KERNEL_CYCLES = 12000 /* a kernel with less is left to one thread */
};

static const double least_balance = 0.6; /* of a loop that is shared (balance) */

/* A sum that scatters has blocks of places, along the first axis that its terms choose. */
static int64_t blocks_along(const PlanStage *stage, int slot) {
    const StageSchedule *s = &stage->schedule;
    bool in_blocks = s->block > 0 && slot == s->tile_slot;
    return in_blocks ? (stage->slots[slot].extent.size + s->block - 1) / s->block : 1;
}

/* Iterations of the loop over a slot. */
static int64_t trips(const Planner *p, const PlanStage *stage, int slot) {
    const StageSchedule *s = &stage->schedule;
    int64_t width = 1;
    if (stage->scatters.count > 0)
        return blocks_along(stage, slot);
    if (slot == s->tile_slot)
        width = s->tile_rows;
    if (slot == s->column_slot)
        width = s->columns;
    if (slot == s->vector_slot)
        width *= planner_lanes(p);
    return (stage->slots[slot].extent.size + width - 1) / width;
}

/* How well so many iterations can be shared: 1 is best. */
static double balance(int64_t count) {
    int64_t most = (count + THREADS - 1) / THREADS;
    return count < THREADS ? 0 : (double)count / (double)(most * THREADS);
}

/* Iterations of a loop that all stages share. */
static int64_t shared_trips(const Planner *p, const PlanKernel *kernel, int axis) {
    int64_t size = kernel->stages.at[0].nodes.at[0].node->shape[axis].size;
    int64_t width = kernel->samples && axis == 0 ? planner_lanes(p) : 1;
    return (size + width - 1) / width;
}

/* The outermost loop that is shared well. */
static int find_slot(const Planner *p, const PlanStage *stage) {
    const StageSchedule *s = &stage->schedule;
    int best = -1;
    double best_balance = least_balance;
    for (int i = 0; i < s->loops && !stage_is_reduction_slot(stage, s->order[i]); i++) {
        double found = balance(trips(p, stage, s->order[i]));
        if (found > best_balance + 0.1) {
            best = s->order[i];
            best_balance = found;
        }
    }
    return best;
}

/* In all parts, or in none. */
static bool share_loops(const Planner *p, PlanStage *stage) {
    stage->schedule.parallel_slot = stage->parts.count > 0 ? -1 : find_slot(p, stage);
    bool shares = stage->parts.count > 0 || stage->schedule.parallel_slot >= 0;
    for (size_t i = 0; i < stage->parts.count; i++)
        shares = share_loops(p, &stage->parts.at[i]) && shares;
    return shares;
}

static void keep_loops(PlanStage *stage) {
    stage->schedule.parallel_slot = -1;
    for (size_t i = 0; i < stage->parts.count; i++)
        keep_loops(&stage->parts.at[i]);
}

/* Finds a loop for several threads, in a kernel with enough work. */
static void split_kernel(const Planner *p, PlanKernel *kernel) {
    if (kernel->cycles < LEAST_KERNEL_CYCLES)
        return;
    if (kernel->shared > 0) {
        int axis = 0;
        while (axis < kernel->shared && balance(shared_trips(p, kernel, axis)) < least_balance)
            axis++;
        kernel->parallel_slot = axis < kernel->shared ? axis : -1;
        kernel->parallel = axis < kernel->shared;
        return;
    }
    kernel->parallel = share_loops(p, &kernel->stages.at[0]);
    if (!kernel->parallel)
        keep_loops(&kernel->stages.at[0]);
}

static void join_kernel(PlanKernel *kernel) {
    kernel->parallel = false;
    kernel->parallel_slot = -1;
    for (size_t s = 0; s < kernel->stages.count; s++)
        keep_loops(&kernel->stages.at[s]);
}

void plan_threads(const Planner *p, PlanEntry *entry) {
    bool runs_once =
        p->entry->kind == ENTRY_INIT || p->entry->kind == ENTRY_STATE_INIT || p->entry->kind == ENTRY_PREPARE;
    if (runs_once || p->threads == 1)
        return;
    double shared = 0, cost = REGION_CYCLES;
    for (size_t k = 0; k < entry->kernels.count; k++) {
        PlanKernel *kernel = &entry->kernels.at[k];
        split_kernel(p, kernel);
        shared += kernel->parallel ? kernel->cycles - kernel->hidden : 0;
        cost += kernel->parallel ? WAIT_CYCLES : 0;
    }
    double gain = shared * (1 - 1.0 / THREADS);
    entry->parallel = gain > 1.5 * cost;
    entry->threads = entry->parallel ? p->threads : 1;
    /* The work grows with the batch, the cost does not. */
    entry->least_n = 1 + (int64_t)((double)p->graph->batch.size * 1.5 * cost / (gain + 1));
    for (size_t k = 0; !entry->parallel && k < entry->kernels.count; k++)
        join_kernel(&entry->kernels.at[k]);
}
