/* overlap.c: where the last tile of an axis begins earlier, rather than be a smaller one.
 *
 *     rows 0 .. 63 in tiles of 6:  0, 6, ..., 54 and a tile of 4 from 60        ->        0, 6, ..., 54, 58
 *
 * A smaller tile is a second version of the sum, which somebody has to read and to compile: a third of such a kernel. In its place, the tile at the end
 * computes some rows again, which have the same values. That takes hardly longer, as a smaller tile hides less of the latency: it is done as far as all
 * of it together is not felt in the entry. Not where the rows that come again would read what they have written, nor along the loop that threads share.
 */
#include <math.h>

#include "plan/planner.h"

/* Cycles that the whole tile takes longer than the smaller one. That takes as long as one whose sums just hide the latency. */
static double longer_cycles(const Planner *p, const PlanStage *stage) {
    const StageSchedule *s = &stage->schedule;
    const int64_t size = stage->slots[s->tile_slot].extent.size, rest = size % s->tile_rows;
    const int64_t hiding = 2 * p->target->latency / s->columns, least = rest > hiding ? rest : hiding;
    return stage->cycles * (double)(s->tile_rows - least) / (double)size;
}

static bool has_rest(const PlanStage *stage) {
    const StageSchedule *s = &stage->schedule;
    const Extent extent = stage->slots[s->tile_slot].extent;
    return extent.per_sample == 0 && extent.size > s->tile_rows && extent.size % s->tile_rows > 0;
}

/* The slots of an element of the output. */
static uint64_t output_slots(const PlanStage *stage) {
    uint64_t slots = 0;
    for (int slot = 0; slot < stage->slot_count; slot++)
        if (!stage_is_reduction_slot(stage, slot) && stage->slots[slot].extent.size > 1)
            slots |= UINT64_C(1) << slot;
    return slots;
}

static uint64_t reduction_slots(const PlanStage *stage) {
    uint64_t slots = 0;
    for (int slot = 0; slot < stage->slot_count; slot++)
        slots |= stage_is_reduction_slot(stage, slot) ? UINT64_C(1) << slot : 0;
    return slots;
}

/* A load of the element's own: what the stage writes may stand there. */
static bool is_own(const void *context, const Scalar *load) {
    const PlanStage *stage = context;
    const uint64_t own = output_slots(stage), others = reduction_slots(stage);
    return (load->slots & own) == own && !(load->slots & others) && !stage_makes(stage, load->load.tensor);
}

static bool may_repeat(const Planner *p, const PlanStage *stage) {
    for (size_t i = 0; i < stage->nodes.count; i++)
        if (scalar_any_load(p->arena, stage->nodes.at[i].body, is_own, stage))
            return false;
    return true;
}

/* Returns how many cycles longer the stage takes. */
static double overlap(const Planner *p, PlanStage *stage, double most) {
    StageSchedule *s = &stage->schedule;
    const bool tiled = stage->reduce != REDUCE_NONE && stage->scatters.count == 0 && s->tile_rows > 1 && s->columns > 1;
    s->overlaps = tiled && s->block == 0 && s->tile_slot != s->parallel_slot && !stage_range(stage, s->tile_slot) &&
                  has_rest(stage) && may_repeat(p, stage) && longer_cycles(p, stage) <= most;
    return s->overlaps ? longer_cycles(p, stage) : 0;
}

void plan_overlaps(const Planner *p, PlanEntry *entry) {
    static const double unfelt = 0.004, least = 0.001; /* of the entry's cycles: all together, one */
    double cycles = 0, longer = p->target->blocks ? INFINITY : 0;
    for (size_t k = 0; k < entry->kernels.count; k++)
        cycles += entry->kernels.at[k].cycles;
    for (double most = least * cycles; longer > unfelt * cycles; most /= 2) {
        longer = 0;
        for (size_t k = 0; k < entry->kernels.count; k++)
            for (size_t i = 0; i < entry->kernels.at[k].stages.count; i++)
                longer += overlap(p, &entry->kernels.at[k].stages.at[i], most);
    }
}
