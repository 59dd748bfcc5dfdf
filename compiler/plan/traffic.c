/* traffic.c: how what is written reaches a memory that is far away.
 *
 * A store waits for its cache line, which is read before it is written. In a kernel that takes row after row, the stage with the most to compute
 * comes before the one that writes, and asks for the lines of the same row: they travel while it computes. A map that hardly computes, and whose
 * result nobody reads here, stores past the caches: lines that are written whole need not be read at all.
 */
#include "plan/planner.h"

/* ---- lines that are asked for early ---- */

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

static void plan_fetches(const Planner *p, PlanKernel *kernel) {
    for (size_t s = 1; s < kernel->stages.count && !kernel->samples; s++)
        fetch_early(p, kernel, s);
}

/* ---- stores past the caches ---- */

static bool is_read_here(const Planner *p, const PlanNode *value) {
    return !value->copy && p->items.at[planner_item_of(p, value->node)].readers.count > 0;
}

static bool is_streamed(const Planner *p, const PlanNode *value) {
    double bytes = (double)node_elements(value->node) * (double)planner_real_bytes(p);
    bool is_result = value->home == HOME_MEMORY && value->output && value->output->role == OUTPUT_RESULT;
    return is_result && value->node->type == TYPE_REAL && bytes > (double)p->target->far_bytes &&
           !is_read_here(p, value);
}

/* What computes more has time to wait for its lines, and the caches to collect what it stores. */
static bool computes_little(const PlanStage *stage) {
    enum { LITTLE = 8 }; /* operations: less than an exponential */
    int64_t flops = 0;
    for (size_t i = 0; i < stage->nodes.count; i++)
        flops += scalar_flops(stage->nodes.at[i].body);
    return flops <= LITTLE;
}

static void plan_streams(const Planner *p, PlanKernel *kernel) {
    PlanStage *stage = &kernel->stages.at[0];
    if (kernel->shared > 0 || stage->reduce != REDUCE_NONE || !computes_little(stage))
        return;
    for (size_t i = 0; i < stage->nodes.count; i++)
        stage->nodes.at[i].streams = is_streamed(p, &stage->nodes.at[i]);
}

void plan_traffic(const Planner *p, PlanKernel *kernel) {
    plan_fetches(p, kernel);
    plan_streams(p, kernel);
}
