/* traffic.c: how what is read and written reaches a memory that is far away.
 *
 * A store waits for its cache line, which is read before it is written. In a kernel that takes row after row, the stage with the most to compute
 * comes before the one that writes, and asks for the lines of the same row: they travel while it computes. A map that hardly computes, and whose
 * result nobody reads here, stores past the caches: lines that are written whole need not be read at all.
 *
 * Some processors (`ahead` of the target) fetch what is read one after the other too late, above all behind the end of a page. There the stage with
 * the most to compute asks for the next row as well, and maps that compute ask for what they read and write a little later; with several vectors in a
 * step they fill lines at once, and store past the caches, too.
 *
 * A tile of sums asks for what its results need before the sums begin (`early`): its rows lie far apart, so nobody else can foresee them.
 */
#include "plan/cost.h"
#include "plan/lanes.h"
#include "plan/planner.h"
#include "plan/stage.h"

static bool holds_reals(const Planner *p, const Node *node) {
    const int item = planner_item_of(p, node);
    const PlanNode *value = item >= 0 ? &p->items.at[item].value : NULL;
    return node->type == TYPE_REAL && (!value || (value->home == HOME_MEMORY && !value->interleaved));
}

static bool exceeds(const Planner *p, const Node *node, size_t bytes) {
    return node_elements(node) * planner_real_bytes(p) > (int64_t)bytes;
}

/* ---- rows that are asked for early ---- */

enum { LEAST_ROW = 256, MOST_ROW_BYTES = 16 << 10 }; /* elements; bytes that stay near until they are needed */

static int64_t row_elements(const PlanKernel *kernel, const Node *node) {
    int64_t elements = 1;
    for (int d = kernel->shared; d < node->rank; d++)
        elements *= node->shape[d].size;
    return elements;
}

static bool has_far_rows(const Planner *p, const PlanKernel *kernel, const Node *node) {
    int64_t row = row_elements(kernel, node);
    return holds_reals(p, node) && row >= LEAST_ROW && row * planner_real_bytes(p) <= MOST_ROW_BYTES &&
           exceeds(p, node, p->target->l2_bytes);
}

/* The stage is one loop, over as many lanes as a row has. */
static bool walks_row(const PlanStage *stage, int64_t row) {
    const StageSchedule *s = &stage->schedule;
    return stage->parts.count == 0 && s->loops == 1 && s->order[0] == s->vector_slot &&
           stage->slots[s->vector_slot].extent.size == row;
}

/* Of the first `count` stages, the one with the most to compute that walks such a row and asks for nothing to `write` yet. NULL: none. */
static PlanStage *find_walk(PlanKernel *kernel, size_t count, int64_t row, bool writes) {
    PlanStage *best = NULL;
    for (size_t s = 0; s < count; s++) {
        PlanStage *stage = &kernel->stages.at[s];
        bool suits = walks_row(stage, row) && !(writes && stage->fetches.count > 0);
        if (suits && (!best || stage->cycles > best->cycles))
            best = stage;
    }
    return best;
}

/* The element of the node's row where the stage's loop is. */
static const Scalar *element_of_row(const Planner *p, const PlanKernel *kernel, const PlanStage *stage,
                                    const Node *node) {
    ScalarPool *pool = p->graph->pool;
    const Scalar *element = scalar_int(pool, 0);
    for (int d = 0; d < kernel->shared; d++) {
        element = scalar_op2(pool, OP_MUL, element, scalar_int(pool, node->shape[d].size));
        element = scalar_op2(pool, OP_ADD, element, scalar_index(pool, d, node->shape[d]));
    }
    const int slot = stage->schedule.vector_slot;
    const Extent row = stage->slots[slot].extent;
    element = scalar_op2(pool, OP_MUL, element, scalar_int(pool, row.size));
    return scalar_op2(pool, OP_ADD, element, scalar_index(pool, slot, row));
}

/* The first value of the stage that is written to far rows. */
static const PlanNode *find_far(const Planner *p, const PlanKernel *kernel, const PlanStage *stage) {
    for (size_t i = 0; i < stage->nodes.count; i++) {
        const PlanNode *value = &stage->nodes.at[i];
        if (value->home == HOME_MEMORY && !value->interleaved && has_far_rows(p, kernel, value->node))
            return value;
    }
    return NULL;
}

static void fetch_written(const Planner *p, PlanKernel *kernel, size_t writer) {
    const PlanNode *value = find_far(p, kernel, &kernel->stages.at[writer]);
    PlanStage *stage = value ? find_walk(kernel, writer, row_elements(kernel, value->node), true) : NULL;
    if (stage)
        vec_push(p->arena, &stage->fetches,
                 ((PlanFetch){value->node, value, element_of_row(p, kernel, stage, value->node), 0}));
}

static bool is_made_in(const PlanKernel *kernel, const Node *node) {
    for (size_t s = 0; s < kernel->stages.count; s++)
        for (size_t i = 0; i < kernel->stages.at[s].nodes.count; i++)
            if (kernel->stages.at[s].nodes.at[i].node == node)
                return true;
    return false;
}

typedef struct RowSearch {
    const Planner *planner;
    const PlanKernel *kernel;
    VEC(const Node *) found;
} RowSearch;

/* Notes whose rows are read, one in each iteration of the shared loops. */
static void note_row(void *context, const Scalar *load) {
    RowSearch *search = context;
    const Node *node = load->load.tensor;
    bool is_row = has_far_rows(search->planner, search->kernel, node) && !is_made_in(search->kernel, node);
    for (int d = 0; d < search->kernel->shared; d++)
        is_row =
            is_row && d < node->rank && load->load.at[d]->kind == SCALAR_INDEX && load->load.at[d]->index.slot == d;
    for (size_t i = 0; i < search->found.count; i++)
        is_row = is_row && search->found.at[i] != node;
    if (is_row)
        vec_push(search->planner->arena, &search->found, node);
}

static void fetch_next_rows(const Planner *p, PlanKernel *kernel) {
    RowSearch search = {p, kernel, {0}};
    for (size_t s = 0; s < kernel->stages.count; s++)
        for (size_t i = 0; i < kernel->stages.at[s].nodes.count; i++)
            scalar_each_load(p->arena, kernel->stages.at[s].nodes.at[i].body, note_row, &search);
    for (size_t i = 0; i < search.found.count; i++) {
        const Node *node = search.found.at[i];
        const int64_t row = row_elements(kernel, node);
        PlanStage *stage = find_walk(kernel, kernel->stages.count, row, false);
        if (stage)
            vec_push(p->arena, &stage->fetches, ((PlanFetch){node, NULL, element_of_row(p, kernel, stage, node), row}));
    }
}

static void plan_rows(const Planner *p, PlanKernel *kernel) {
    for (size_t s = 1; s < kernel->stages.count; s++)
        fetch_written(p, kernel, s);
    if (p->target->ahead > 0)
        fetch_next_rows(p, kernel);
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

static int64_t flops_of(const PlanStage *stage) {
    int64_t flops = 0;
    for (size_t i = 0; i < stage->nodes.count; i++)
        flops += scalar_flops(stage->nodes.at[i].body);
    return flops;
}

/* What computes more has time to wait for its lines. */
static bool computes_little(const PlanStage *stage) {
    enum { LITTLE = 8 }; /* operations: less than an exponential */
    return flops_of(stage) <= LITTLE;
}

/* Rows that share operands (cost_shares_rows) go several lines at a time, where these fit: memory gives and takes neighbours sooner than one line of
 * each row in turn. What computes more than two exponentials would be long when it is written out. */
static bool widens_rows(const Planner *p, const PlanStage *stage, int lines) {
    enum { LONG = 24 }; /* operations */
    const StageSchedule *s = &stage->schedule;
    if (s->tile_rows == 1 || s->columns > 1 || flops_of(stage) > LONG ||
        !stage_has_whole_steps(p, stage, s->vector_slot, lines))
        return false;
    const StageCost cost = cost_gather(p, stage, 0);
    return cost_shares_rows(&cost, s->tile_slot, s->vector_slot) && !cost_turns(&cost, s->tile_slot, s->vector_slot);
}

/* Stores past the caches pay where the parts of a line leave soon after each other, best several lines at a time; what waits too long for the rest of
 * its line is written in parts. Where the processor fetches well by itself, other maps that compute more are as fast through the caches. */
static bool fills_lines(const Planner *p, const PlanStage *stage) {
    enum { SOON = 12 }; /* operations: no more than those of an exponential and a little arithmetic */
    return computes_little(stage) || (p->target->ahead > 0 && (stage->turns || flops_of(stage) <= SOON));
}

static void plan_streams(const Planner *p, PlanKernel *kernel) {
    enum { LINES = 4 };
    PlanStage *stage = &kernel->stages.at[0];
    if (kernel->shared > 0 || stage->reduce != REDUCE_NONE || stage->parts.count > 0)
        return;
    const bool wide = widens_rows(p, stage, LINES);
    bool streams = false;
    for (size_t i = 0; i < stage->nodes.count && (wide || fills_lines(p, stage)); i++) {
        stage->nodes.at[i].streams = is_streamed(p, &stage->nodes.at[i]);
        streams = streams || stage->nodes.at[i].streams;
    }
    if (wide && streams) {
        stage->schedule.column_slot = stage->schedule.vector_slot;
        stage->schedule.columns = LINES;
    }
}

/* ---- what maps ask for ahead ---- */

typedef struct AheadSearch {
    const Planner *planner;
    PlanStage *stage;
} AheadSearch;

static void fetch_ahead(const Planner *p, PlanStage *stage, const Scalar *load, const PlanNode *value) {
    const Node *node = load->load.tensor;
    const Scalar *element = load_offset(p->graph->pool, load, 0);
    int64_t step;
    bool suits = holds_reals(p, node) && exceeds(p, node, p->target->far_bytes) && load_is_safe(p->graph->pool, load) &&
                 lane_step(element, stage->schedule.vector_slot, &step) && step == 1;
    if (suits)
        vec_push(p->arena, &stage->fetches,
                 ((PlanFetch){node, value, element, p->target->ahead / planner_real_bytes(p)}));
}

static void fetch_load_ahead(void *context, const Scalar *load) {
    const AheadSearch *search = context;
    fetch_ahead(search->planner, search->stage, load, NULL);
}

static void plan_ahead(const Planner *p, PlanKernel *kernel) {
    PlanStage *stage = &kernel->stages.at[0];
    const StageSchedule *s = &stage->schedule;
    bool sums = stage->reduce != REDUCE_NONE && stage->scatters.count == 0;
    if (p->target->ahead == 0 || kernel->shared > 0 || sums || stage->parts.count > 0 || computes_little(stage) ||
        s->vector_slot < 0 || s->tile_rows > 1 || (s->columns > 1 && s->column_slot != s->vector_slot))
        return;
    const size_t first = stage->scatters.count > 0; /* the maps */
    for (size_t i = first; i < stage->nodes.count; i++)
        scalar_each_load(p->arena, stage->nodes.at[i].body, fetch_load_ahead, &(AheadSearch){p, stage});
    for (size_t i = first; i < stage->nodes.count; i++) {
        const PlanNode *value = &stage->nodes.at[i];
        if (value->home == HOME_MEMORY && !value->streams)
            fetch_ahead(p, stage, scalar_load(p->graph->pool, value->node, stage->index), value);
    }
}

/* ---- what tiles ask for before their sums ---- */

typedef struct EarlySearch {
    const Planner *planner;
    PlanStage *stage;
} EarlySearch;

/* What is written in place is read, too. */
static bool is_asked_for(const PlanStage *stage, const Node *node, const Scalar *element) {
    for (size_t i = 0; i < stage->early.count; i++) {
        const PlanFetch *fetch = &stage->early.at[i];
        const GraphOutput *output = fetch->value ? fetch->value->output : NULL;
        bool same = fetch->node == node || (output && output->role == OUTPUT_UPDATE && output->target == node);
        if (same && fetch->element == element)
            return true;
    }
    return false;
}

/* Tensors of the workspace begin with a line: of whole lines, each row does, and so does each tile. */
static bool begins_lines(const Planner *p, const PlanStage *stage, const Scalar *load) {
    const Node *node = load->load.tensor;
    const int item = planner_item_of(p, node), last = node->rank - 1;
    const int64_t line = CACHE_LINE / planner_real_bytes(p);
    return item >= 0 && !p->items.at[item].value.output && node->shape[last].size % line == 0 &&
           load->load.at[last]->kind == SCALAR_INDEX && load->load.at[last]->index.slot == stage->schedule.vector_slot;
}

/* All lines from the first column to the last: where memory is not aligned, these are one more. */
static void fetch_row(const Planner *p, PlanStage *stage, PlanFetch fetch, bool aligned) {
    const int64_t line = CACHE_LINE / planner_real_bytes(p);
    const int64_t columns = (int64_t)stage->schedule.columns * planner_lanes(p);
    for (; fetch.ahead < columns; fetch.ahead += line)
        vec_push(p->arena, &stage->early, fetch);
    fetch.ahead = columns - 1;
    if (columns >= line && !aligned)
        vec_push(p->arena, &stage->early, fetch);
}

static void fetch_early(const Planner *p, PlanStage *stage, const Scalar *load, const PlanNode *value) {
    const Node *node = load->load.tensor;
    const Scalar *element = load_offset(p->graph->pool, load, 0);
    int64_t step;
    if (holds_reals(p, node) && exceeds(p, node, p->target->l2_bytes) && load_is_safe(p->graph->pool, load) &&
        lane_step(element, stage->schedule.vector_slot, &step) && step == 1 && !is_asked_for(stage, node, element))
        fetch_row(p, stage, (PlanFetch){node, value, element, 0}, begins_lines(p, stage, load));
}

static void fetch_load_early(void *context, const Scalar *load) {
    const EarlySearch *search = context;
    if (!stage_makes(search->stage, load->load.tensor))
        fetch_early(search->planner, search->stage, load, NULL);
}

static void plan_early(const Planner *p, PlanStage *stage) {
    const StageSchedule *s = &stage->schedule;
    if (!p->target->early || stage->reduce == REDUCE_NONE || stage->scatters.count > 0 || s->vector_slot < 0 ||
        stage_is_reduction_slot(stage, s->vector_slot) || (s->columns > 1 && s->column_slot != s->vector_slot))
        return;
    for (size_t i = 0; i < stage->nodes.count; i++) {
        const PlanNode *value = &stage->nodes.at[i];
        if (value->home == HOME_MEMORY)
            fetch_early(p, stage, scalar_load(p->graph->pool, value->node, stage->index), value);
    }
    for (size_t i = 1; i < stage->nodes.count; i++)
        scalar_each_load(p->arena, stage->nodes.at[i].body, fetch_load_early, &(EarlySearch){p, stage});
}

void plan_traffic(const Planner *p, PlanKernel *kernel) {
    if (kernel->samples)
        return;
    for (size_t s = 0; s < kernel->stages.count; s++)
        plan_early(p, &kernel->stages.at[s]);
    if (!kernel->led)
        plan_rows(p, kernel);
    plan_streams(p, kernel);
    plan_ahead(p, kernel);
}
