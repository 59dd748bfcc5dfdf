/* rows.c: which stages share loops over their leading axes: softmax and its loss, normalisation, the layers of one sample. What is made
 * in one iteration is read in the same one, from the nearest cache, or from a row buffer that is small.
 */
#include "plan/lanes.h"
#include "plan/stage.h"

/* ---- leading axes that are the same ---- */

static int64_t row_elements(const Node *node, int axes) {
    int64_t elements = 1;
    for (int d = axes; d < node->rank; d++)
        elements *= node->shape[d].size;
    return elements;
}

typedef struct SharedAxes {
    const Planner *p;
    const Node *written; /* by the earlier stage */
    int axes;            /* how many leading axes all loads of it agree in */
} SharedAxes;

static bool is_own_axis(const Scalar *load, int d) {
    const Scalar *at = load->load.at[d];
    return load->load.tensor->shape[d].size == 1 || (at->kind == SCALAR_INDEX && at->index.slot == d);
}

static void limit_axes(void *context, const Scalar *load) {
    SharedAxes *shared = context;
    const Node *tensor = load->load.tensor;
    if (planner_storage(shared->p, tensor) != shared->written)
        return;
    int agree = 0;
    while (agree < shared->axes && agree < tensor->rank &&
           same_extent(tensor->shape[agree], shared->written->shape[agree]) && is_own_axis(load, agree))
        agree++;
    /* A view has the same rows as its source as long as they are of equal length. */
    while (agree > 0 && row_elements(tensor, agree) != row_elements(shared->written, agree))
        agree--;
    shared->axes = agree;
}

static int common_axes(const Node *a, const Node *b, int most) {
    int axes = 0;
    while (axes < most && axes < a->rank && axes < b->rank && same_extent(a->shape[axes], b->shape[axes]))
        axes++;
    return axes;
}

static bool has_operand(const Item *reader, const Item *item) {
    for (size_t i = 0; i < reader->operands.count; i++)
        if (reader->operands.at[i] == item->index)
            return true;
    return false;
}

static int shared_by_items(const Planner *p, const Item *first, const Item *then, int most) {
    most = common_axes(first->value.node, then->value.node, most);
    if (!has_operand(then, first))
        return most;
    SharedAxes shared = {p, first->value.node, most};
    Arena *scratch = arena_new((ArenaFailure){0});
    scalar_each_load(scratch, then->value.node->expr.body, limit_axes, &shared);
    arena_free(scratch);
    return shared.axes;
}

static bool stays_alone(const Item *item) {
    return item->value.copy || item_overwrites(item) != NULL || item->value.node->rank == 0;
}

/* How many its own stages can share. */
static int shared_inside(const Group *group) {
    return group->stages.count > 1 ? group->shared : MAX_AXES;
}

/* How many leading axes the stages of two groups can share, `then` after `first`. */
static int shared_by_groups(const Planner *p, const Group *first, const Group *then) {
    int axes = shared_inside(first) < shared_inside(then) ? shared_inside(first) : shared_inside(then);
    for (size_t s = 0; s < first->stages.count; s++)
        for (size_t t = 0; t < then->stages.count; t++)
            for (size_t i = 0; i < first->stages.at[s].count; i++)
                for (size_t j = 0; j < then->stages.at[t].count; j++) {
                    const Item *a = &p->items.at[first->stages.at[s].at[i]];
                    const Item *b = &p->items.at[then->stages.at[t].at[j]];
                    axes = stays_alone(a) || stays_alone(b) ? 0 : shared_by_items(p, a, b, axes);
                }
    return axes;
}

/* ---- what it is worth ---- */

static double group_cycles(const Planner *p, const Group *group, int shared) {
    double cycles = 0;
    for (size_t s = 0; s < group->stages.count; s++)
        cycles += schedule_cycles(p, &group->stages.at[s], shared, false);
    return cycles;
}

static double bytes_of(const Planner *p, const Node *node) {
    return (double)node_elements(node) * (double)planner_real_bytes(p);
}

/* Cycles to bring a value back that has left the nearest caches by the time it is read. */
static double reload_cycles(const Planner *p, const Node *node) {
    enum { FROM_MEMORY = 16, FROM_L2 = 4 };
    double bytes = bytes_of(p, node), lines = bytes / CACHE_LINE;
    if (bytes > (double)p->target->l2_bytes / 2)
        return lines * FROM_MEMORY;
    return bytes > (double)p->target->l1_bytes / 2 ? lines * FROM_L2 : 0;
}

static bool group_reads(const Planner *p, const Group *group, const Node *leaf) {
    for (size_t s = 0; s < group->stages.count; s++)
        for (size_t i = 0; i < group->stages.at[s].count; i++) {
            const Item *item = &p->items.at[group->stages.at[s].at[i]];
            for (size_t l = 0; l < item->leaves.count; l++)
                if (item->leaves.at[l] == leaf)
                    return true;
        }
    return false;
}

/* What `first` makes for this item, or reads too, need not travel again. */
static double saved_by_item(const Planner *p, const Group *first, const Item *reader) {
    double cycles = 0;
    for (size_t o = 0; o < reader->operands.count; o++) {
        const Item *item = &p->items.at[reader->operands.at[o]];
        if (&p->groups.at[item->group] == first)
            cycles += reload_cycles(p, item->value.node);
    }
    for (size_t l = 0; l < reader->leaves.count; l++) {
        const Node *leaf = reader->leaves.at[l];
        if (leaf->kind == NODE_INPUT && group_reads(p, first, leaf))
            cycles += reload_cycles(p, leaf);
    }
    return cycles;
}

static double saved_cycles(const Planner *p, const Group *first, const Group *then) {
    double cycles = 0;
    for (size_t s = 0; s < then->stages.count; s++)
        for (size_t i = 0; i < then->stages.at[s].count; i++)
            cycles += saved_by_item(p, first, &p->items.at[then->stages.at[s].at[i]]);
    return cycles;
}

static bool pays(const Planner *p, const Group *first, const Group *then, int shared) {
    /* What a call and the loops of a kernel of its own cost. */
    const double own_kernel = 200;
    double apart = group_cycles(p, first, first->shared) + group_cycles(p, then, then->shared);
    double together = group_cycles(p, first, shared) + group_cycles(p, then, shared);
    return together <= apart + saved_cycles(p, first, then) + own_kernel;
}

/* ---- joining ---- */

static void join_groups(Planner *p, int first, int then, int shared) {
    Group *to = &p->groups.at[first];
    Group *from = &p->groups.at[then];
    for (size_t s = 0; s < from->stages.count; s++) {
        for (size_t i = 0; i < from->stages.at[s].count; i++)
            p->items.at[from->stages.at[s].at[i]].group = first;
        vec_push(p->arena, &to->stages, from->stages.at[s]);
    }
    from->stages.count = 0;
    to->shared = shared;
}

static void try_share(Planner *p, int first, int then) {
    if (first == then)
        return;
    const Group *a = &p->groups.at[first], *b = &p->groups.at[then];
    int shared = shared_by_groups(p, a, b);
    if (shared > 0 && !planner_path_through_others(p, first, then) && pays(p, a, b, shared))
        join_groups(p, first, then, shared);
}

/* What it makes is larger than the operand: it belongs to those who read it. */
static bool grows(const Planner *p, const Item *item, const Item *operand) {
    return bytes_of(p, item->value.node) > 1.5 * bytes_of(p, operand->value.node);
}

/* With all operands, or only with those that make no less than is made of them. */
static void share_with_operands(Planner *p, bool all) {
    for (size_t i = 0; i < p->items.count; i++) {
        const Item *item = &p->items.at[i];
        for (size_t o = 0; o < item->operands.count; o++) {
            const Item *operand = &p->items.at[item->operands.at[o]];
            if (all || !grows(p, item, operand))
                try_share(p, operand->group, item->group);
        }
    }
}

/* A value that is made again for the backward pass, larger than what it is made of, is not to be made early and kept. */
void planner_share_rows(Planner *p) {
    share_with_operands(p, false);
    share_with_operands(p, true);
}
