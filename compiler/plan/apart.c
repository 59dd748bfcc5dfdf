/* apart.c: kernels whose shared loops read more again than they keep near.
 *
 *     for (b ..)  { u[n] = sum(k) W[n, k] * h[b, k];  h2[b, n] = tanh(u[n]); .. }          for (b, n ..) u[b, n] = sum(k) W[n, k] * h[b, k]
 *                                                                                          for (b, n ..) h2[b, n] = tanh(u[b, n])
 *
 * What is made in an iteration is near when it is read; but a matrix that the nearest cache does not hold comes from the second one again in every
 * iteration, for each product: in a recurrence, for each step. A kernel of its own reads it once for all rows of a tile. Kernels whose lanes are
 * samples read it once for all lanes, and stay; to choose these, what stages share had to be known.
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

static bool is_given(const Planner *p, const ItemList *stage, const Item *item) {
    for (size_t r = 0; r < item->readers.count; r++) {
        int reader = item->readers.at[r];
        if (p->items.at[reader].group == item->group && !in_stage(stage, reader))
            return true;
    }
    return false;
}

/* Values of all samples go through the caches from one kernel to others, and inputs come once for each. */
static double travel_cycles(const Planner *p, const ItemList *stage) {
    double cycles = 0;
    for (size_t i = 0; i < stage->count; i++) {
        const Item *item = &p->items.at[stage->at[i]];
        if (is_given(p, stage, item))
            cycles += planner_reload_cycles(p, item->value.node);
        for (size_t l = 0; l < item->leaves.count; l++)
            if (item->leaves.at[l]->kind == NODE_INPUT)
                cycles += planner_reload_cycles(p, item->leaves.at[l]);
    }
    return cycles;
}

/* ---- the choice ---- */

static bool pays(const Planner *p, const Group *group) {
    const double clearly = 0.9, own_kernel = 200;
    double together = 0, apart = 0, streams = 0;
    Arena *scratch = arena_new((ArenaFailure){0});
    for (size_t s = 0; s < group->stages.count; s++) {
        const ItemList *stage = &group->stages.at[s];
        together += schedule_cycles(p, stage, group->shared, false);
        streams += stream_cycles(p, scratch, stage, group->shared);
        apart += schedule_cycles(p, stage, 0, false) + travel_cycles(p, stage) + own_kernel;
    }
    arena_free(scratch);
    return streams > 0 && apart < clearly * (together + streams);
}

/* Each stage but the first gets a group of its own. */
static void take_apart(Planner *p, size_t which) {
    const Group whole = p->groups.at[which];
    p->groups.at[which].stages.count = 1;
    p->groups.at[which].shared = 0;
    for (size_t s = 1; s < whole.stages.count; s++) {
        Group alone = {0};
        vec_push(p->arena, &alone.stages, whole.stages.at[s]);
        for (size_t i = 0; i < whole.stages.at[s].count; i++)
            p->items.at[whole.stages.at[s].at[i]].group = (int)p->groups.count;
        vec_push(p->arena, &p->groups, alone);
    }
}

void planner_take_apart(Planner *p) {
    for (size_t g = 0, count = p->groups.count; g < count; g++) {
        const Group *group = &p->groups.at[g];
        if (group->stages.count > 1 && !group->samples && group->lead.width == 0 && pays(p, group))
            take_apart(p, g);
    }
}
