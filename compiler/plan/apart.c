/* apart.c: kernels whose shared loops read more again than they keep near.
 *
 *     for (b ..)  { u[n] = sum(k) W[n, k] * h[b, k];  h2[b, n] = tanh(u[n]); .. }          for (b, n ..) u[b, n] = sum(k) W[n, k] * h[b, k]
 *                                                                                          for (b, n ..) h2[b, n] = tanh(u[b, n])
 *
 * What is made in an iteration is near when it is read; but a matrix that the nearest cache does not hold comes from the second one again in every
 * iteration, for each product: in a recurrence, for each step. A kernel of its own reads it once for all rows of a tile. Stages that read nothing
 * again stay together where they are neighbours. Kernels whose lanes are samples read it once for all lanes, and stay; to choose these, what stages
 * share had to be known.
 */
#include "ir/scalar_walk.h"
#include "plan/stage.h"

/* ---- what the shared loops read again ---- */

typedef struct Streams {
    const Planner *p;
    Arena *scratch;
    uint64_t shared; /* the slots of the shared loops */
    VEC(const Node *) seen;
    double lines; /* in one iteration */
} Streams;

static double bytes_of(const Planner *p, const Node *node) {
    return (double)node_elements(node) * (double)planner_real_bytes(p);
}

static void add_stream(void *context, const Scalar *load) {
    Streams *s = context;
    const Node *tensor = load->load.tensor;
    for (int d = 0; d < load->load.rank; d++)
        if (load->load.at[d]->slots & s->shared)
            return;
    for (size_t i = 0; i < s->seen.count; i++)
        if (s->seen.at[i] == tensor)
            return;
    vec_push(s->scratch, &s->seen, tensor);
    double bytes = bytes_of(s->p, tensor);
    s->lines += bytes > (double)s->p->target->l1_bytes / 2 ? bytes / CACHE_LINE : 0;
}

/* Cycles that loops wait for lines of the second cache, though they fetch ahead. */
static double stream_cycles(const Planner *p, Arena *scratch, const ItemList *stage, int shared) {
    const double shown = 1;
    Streams streams = {.p = p, .scratch = scratch, .shared = (UINT64_C(1) << shared) - 1};
    for (size_t i = 0; i < stage->count; i++) {
        const PlanNode *value = &p->items.at[stage->at[i]].value;
        if (!value->copy)
            scalar_each_load(scratch, value->node->expr.body, add_stream, &streams);
    }
    const Node *lead = p->items.at[stage->at[0]].value.node;
    for (int d = 0; d < shared; d++)
        streams.lines *= (double)lead->shape[d].size;
    return shown * streams.lines;
}

/* ---- what stages give each other ---- */

static bool in_stage(const ItemList *stage, int item) {
    size_t i = 0;
    while (i < stage->count && stage->at[i] != item)
        i++;
    return i < stage->count;
}

/* Which part of an item's value its own kernel reads in other stages. */
static double given_part(const Planner *p, const ItemList *stage, const Item *item) {
    double part = 0, elements = (double)node_elements(item->value.node);
    for (size_t r = 0; r < item->readers.count; r++) {
        const Item *reader = &p->items.at[item->readers.at[r]];
        if (reader->group != item->group || in_stage(stage, reader->index))
            continue;
        const Node *node = reader->value.node;
        double reads = node->expr.reduce == REDUCE_NONE ? (double)node_elements(node) / elements : 1;
        part = reads > part ? reads : part;
    }
    return part < 1 ? part : 1;
}

/* Values of all samples go through the caches from one kernel to others, and inputs come once for each. */
static double travel_cycles(const Planner *p, const ItemList *stage) {
    double cycles = 0;
    for (size_t i = 0; i < stage->count; i++) {
        const Item *item = &p->items.at[stage->at[i]];
        cycles += given_part(p, stage, item) * planner_reload_cycles(p, item->value.node);
        for (size_t l = 0; l < item->leaves.count; l++)
            if (item->leaves.at[l]->kind == NODE_INPUT)
                cycles += planner_reload_cycles(p, item->leaves.at[l]);
    }
    return cycles;
}

/* ---- the choice ---- */

/* What changes has to be faster by more than the model errs. */
static const double CLEARLY = 0.9;

/* Cycles of a stage: in the kernel of its group, waiting there for what it reads again, and in a kernel of its own. */
typedef struct StageCost {
    double together, streams, apart;
} StageCost;

static StageCost *stage_costs(const Planner *p, Arena *scratch, const Group *group) {
    const double own_kernel = 200;
    StageCost *costs = arena_array(scratch, StageCost, group->stages.count);
    for (size_t s = 0; s < group->stages.count; s++) {
        const ItemList *stage = &group->stages.at[s];
        costs[s] = (StageCost){.together = schedule_cycles(p, stage, group->shared, false),
                               .streams = stream_cycles(p, scratch, stage, group->shared),
                               .apart = schedule_cycles(p, stage, 0, false) + travel_cycles(p, stage) + own_kernel};
    }
    return costs;
}

static StageCost sum_costs(const StageCost *costs, size_t first, size_t end) {
    StageCost sum = {0};
    for (size_t s = first; s < end; s++) {
        sum.together += costs[s].together;
        sum.streams += costs[s].streams;
        sum.apart += costs[s].apart;
    }
    return sum;
}

static bool pays(const StageCost *costs, size_t count) {
    const StageCost sum = sum_costs(costs, 0, count);
    return sum.streams > 0 && sum.apart < CLEARLY * (sum.together + sum.streams);
}

/* Where those end that stay together with stage `first`: neighbours that read nothing again, and give each other much. */
static size_t end_of_run(const StageCost *costs, size_t first, size_t count) {
    size_t end = first + 1;
    while (costs[first].streams <= 0 && end < count && costs[end].streams <= 0)
        end++;
    const StageCost sum = sum_costs(costs, first, end);
    return sum.together < CLEARLY * sum.apart ? end : first + 1;
}

/* The stages from `first` to `end` of the group `whole`, as a group of its own. */
static void add_run(Planner *p, const Group *whole, size_t first, size_t end) {
    Group run = {.shared = end > first + 1 ? whole->shared : 0};
    for (size_t s = first; s < end; s++) {
        vec_push(p->arena, &run.stages, whole->stages.at[s]);
        for (size_t i = 0; i < whole->stages.at[s].count; i++)
            p->items.at[whole->stages.at[s].at[i]].group = (int)p->groups.count;
    }
    vec_push(p->arena, &p->groups, run);
}

static void take_apart(Planner *p, size_t which, const StageCost *costs) {
    const Group whole = p->groups.at[which];
    for (size_t s = 0; s < whole.stages.count;) {
        size_t end = end_of_run(costs, s, whole.stages.count);
        add_run(p, &whole, s, end);
        s = end;
    }
    p->groups.at[which].stages.count = 0;
}

void planner_take_apart(Planner *p) {
    Arena *scratch = arena_new((ArenaFailure){0});
    for (size_t g = 0, count = p->groups.count; g < count; g++) {
        const Group *group = &p->groups.at[g];
        if (group->stages.count < 2 || group->samples || group->lead.width > 0)
            continue;
        const StageCost *costs = stage_costs(p, scratch, group);
        if (pays(costs, group->stages.count))
            take_apart(p, g, costs);
    }
    arena_free(scratch);
}
