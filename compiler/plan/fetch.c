/* fetch.c: which stage asks for the memory that a later stage of its kernel writes.
 *
 * A store waits for its cache line. In a kernel that takes row after row, the stage with the most to compute comes before the one that writes,
 * and asks for the lines of the same row: they travel while it computes. Only what lies beyond the near caches is worth it.
 */
#include "plan/planner.h"

enum { LEAST_ROW = 256, MOST_ROW_BYTES = 16 << 10 }; /* elements; bytes that stay near until they are written */

static int64_t row_elements(const PlanKernel *kernel, const Node *node) {
    int64_t elements = 1;
    for (int d = kernel->shared; d < node->rank; d++)
        elements *= node->shape[d].size;
    return elements;
}

static bool is_far(const Planner *p, const PlanKernel *kernel, const PlanNode *value) {
    int64_t bytes = planner_real_bytes(p), row = row_elements(kernel, value->node);
    return value->home == HOME_MEMORY && !value->interleaved && value->node->type == TYPE_REAL && row >= LEAST_ROW &&
           row * bytes <= MOST_ROW_BYTES && node_elements(value->node) * bytes > (int64_t)p->target->l2_bytes;
}

/* The stage is one loop, over as many lanes as a row has. */
static bool walks_row(const PlanStage *stage, int64_t row) {
    const StageSchedule *s = &stage->schedule;
    return s->loops == 1 && s->order[0] == s->vector_slot && stage->slots[s->vector_slot].extent.size == row;
}

/* The first value of the stage that is far away. */
static const PlanNode *find_far(const Planner *p, const PlanKernel *kernel, const PlanStage *stage) {
    for (size_t i = 0; i < stage->nodes.count; i++)
        if (is_far(p, kernel, &stage->nodes.at[i]))
            return &stage->nodes.at[i];
    return NULL;
}

static void fetch_early(const Planner *p, PlanKernel *kernel, size_t writer) {
    const PlanNode *value = find_far(p, kernel, &kernel->stages.at[writer]);
    PlanStage *best = NULL;
    for (size_t s = 0; value && s < writer; s++) {
        PlanStage *stage = &kernel->stages.at[s];
        bool suits = !stage->fetch && walks_row(stage, row_elements(kernel, value->node));
        if (suits && (!best || stage->cycles > best->cycles))
            best = stage;
    }
    if (best)
        best->fetch = value;
}

void plan_fetches(const Planner *p, PlanKernel *kernel) {
    for (size_t s = 1; s < kernel->stages.count && !kernel->samples; s++)
        fetch_early(p, kernel, s);
}
