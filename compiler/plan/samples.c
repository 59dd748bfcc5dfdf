/* samples.c: which kernels compute a sample in each lane, and which values are interleaved for them.
 *
 * Where a kernel's stages share the loop over the samples, that loop can run over lanes: every stage is vector code then, whether its own axes
 * are long or short, strided or not. What such kernels, and sums over samples, read of each other is interleaved; the rest of the world finds
 * the rows of the language's order.
 */
#include "plan/stage.h"

/* ---- kernels ---- */

static double cycles_of(const Planner *p, const Group *group, bool samples) {
    double cycles = 0;
    for (size_t s = 0; s < group->stages.count; s++)
        cycles += schedule_cycles(p, &group->stages.at[s], group->shared, samples);
    return cycles;
}

static const Node *lead_of(const Planner *p, const Group *group) {
    return p->items.at[group->stages.at[0].at[0]].value.node;
}

/* Some other stage reads it. */
static bool is_read_elsewhere(const Item *item, const ItemList *stage) {
    for (size_t r = 0; r < item->readers.count; r++) {
        size_t i = 0;
        while (i < stage->count && stage->at[i] != item->readers.at[r])
            i++;
        if (i == stage->count)
            return true;
    }
    return item->readers.count == 0;
}

/* Bytes of all values in memory for the samples of one vector. */
static double block_bytes(const Planner *p, const Group *group) {
    double bytes = 0;
    for (size_t s = 0; s < group->stages.count; s++)
        for (size_t i = 0; i < group->stages.at[s].count; i++) {
            const Item *item = &p->items.at[group->stages.at[s].at[i]];
            const Node *node = item->value.node;
            if (is_read_elsewhere(item, &group->stages.at[s]))
                bytes += (double)node_elements(node) / (double)node->shape[0].size * p->target->vector_bytes;
        }
    return bytes;
}

/* The values of one vector's samples have to stay in the caches between the stages. */
static double reload_cycles(const Planner *p, const Group *group) {
    enum { MISS = 12, PASSES = 2 };
    double bytes = block_bytes(p, group);
    if (bytes < (double)p->target->l2_bytes)
        return 0;
    return PASSES * MISS * bytes / CACHE_LINE * ((double)lead_of(p, group)->shape[0].size / planner_lanes(p));
}

static bool is_possible(const Planner *p, const Group *group) {
    if (group->shared == 0 || group->stages.count == 0)
        return false;
    const Extent lead = lead_of(p, group)->shape[0];
    return lead.size >= planner_lanes(p) && (lead.per_sample == 1 || lead.per_sample == 0);
}

/* ---- layout ---- */

typedef struct ReadCheck {
    const Planner *p;
    const Item *reader;
    bool *unsuited; /* by item: some load of its value gains nothing from lanes of samples */
} ReadCheck;

static bool same_rows(const Node *a, const Node *b) {
    return a->rank > 0 && same_extent(a->shape[0], b->shape[0]);
}

/* A sum over samples and more: its lanes can be samples, and are added up once. */
static bool sums_samples(const Item *reader, const Scalar *sample) {
    const Node *node = reader->value.node;
    int slot = sample->kind == SCALAR_INDEX ? sample->index.slot : -1;
    double steps = 1;
    for (int r = 0; r < node->expr.reduced; r++)
        steps *= (double)node->expr.extents[r].size;
    return slot >= node->rank && steps >= 16.0 * (double)node->expr.extents[slot - node->rank].size &&
           (node->expr.reduce == REDUCE_SUM || node->expr.reduce == REDUCE_MAX || node->expr.reduce == REDUCE_MIN);
}

static void note_load(void *context, const Scalar *load) {
    const ReadCheck *check = context;
    const Planner *p = check->p;
    const Node *value = planner_storage(p, load->load.tensor);
    const int item = planner_item_of(p, value);
    if (item < 0)
        return;
    const Scalar *sample = load->load.rank > 0 ? load->load.at[0] : NULL;
    bool at_samples = sample && same_rows(load->load.tensor, value) && sample->kind == SCALAR_INDEX;
    bool in_lanes = at_samples && p->groups.at[check->reader->group].samples && sample->index.slot == 0;
    if (!at_samples || !(in_lanes || sums_samples(check->reader, sample)))
        check->unsuited[item] = true;
}

/* Every body is read once: what puts a series together has as many operands as the series has steps. */
static bool *find_unsuited(const Planner *p) {
    bool *unsuited = arena_array(p->arena, bool, p->items.count + 1);
    Arena *scratch = arena_new((ArenaFailure){0});
    for (size_t i = 0; i < p->items.count; i++) {
        const Item *reader = &p->items.at[i];
        ReadCheck check = {p, reader, unsuited};
        for (size_t k = 0; reader->value.copy && k < reader->operands.count; k++)
            unsuited[reader->operands.at[k]] = true;
        if (!reader->value.copy)
            scalar_each_load(scratch, reader->value.node->expr.body, note_load, &check);
    }
    arena_free(scratch);
    return unsuited;
}

/* The reader's lanes can really be the samples. */
static bool is_schedulable(const Planner *p, const Item *reader) {
    const Group *group = &p->groups.at[reader->group];
    if (group->samples)
        return true;
    for (size_t s = 0; s < group->stages.count; s++)
        if (stage_schedule(p, &group->stages.at[s], group->shared, false).schedule.vector_slot < 0)
            return false;
    return true;
}

static bool readers_schedulable(const Planner *p, const Item *item) {
    for (size_t r = 0; r < item->readers.count; r++)
        if (!is_schedulable(p, &p->items.at[item->readers.at[r]]))
            return false;
    return true;
}

/* A term that chooses its place is a row of one sample. */
static bool readers_scatter(const Planner *p, const Item *item) {
    for (size_t r = 0; r < item->readers.count; r++) {
        const Group *group = &p->groups.at[p->items.at[item->readers.at[r]].group];
        if (group->stages.count == 1 &&
            stage_schedule(p, &group->stages.at[0], group->shared, group->samples).scatters.count > 0)
            return true;
    }
    return false;
}

static void choose_layout(Planner *p, const Item *item) {
    const Node *node = item->value.node;
    if (!p->groups.at[item->group].samples || item->value.copy || item->value.output || item->readers.count == 0 ||
        readers_scatter(p, item))
        return;
    pointer_map_put(p->interleaved, node, (void *)(uintptr_t)node);
    if (!readers_schedulable(p, item))
        pointer_map_put(p->interleaved, node, NULL);
}

static void choose_layouts(Planner *p) {
    const bool *unsuited = find_unsuited(p);
    p->interleaved = pointer_map_new(p->arena);
    for (size_t i = 0; i < p->items.count; i++)
        if (!unsuited[i])
            choose_layout(p, &p->items.at[i]);
}

/* ---- the choice ---- */

/* Compared with lanes along the stages' own axes, and rows in the language's order. */
static bool pays(Planner *p, const Group *group) {
    const double clearly = 0.9;
    double in_lanes = cycles_of(p, group, true) + reload_cycles(p, group);
    PointerMap *interleaved = p->interleaved;
    p->interleaved = pointer_map_new(p->arena);
    double otherwise = cycles_of(p, group, false);
    p->interleaved = interleaved;
    return in_lanes < clearly * otherwise;
}

static bool give_up_one(Planner *p) {
    for (size_t g = 0; g < p->groups.count; g++) {
        Group *group = &p->groups.at[g];
        if (group->samples && !pays(p, group)) {
            group->samples = false;
            return true;
        }
    }
    return false;
}

/* Kernels gain from each other's layout: at first all that can have samples in their lanes do; those that lose by it give up. */
void planner_choose_samples(Planner *p) {
    for (size_t g = 0; g < p->groups.count; g++)
        p->groups.at[g].samples = is_possible(p, &p->groups.at[g]);
    do
        choose_layouts(p);
    while (give_up_one(p));
}
