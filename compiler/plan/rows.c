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

/* How many leading axes the loads of `first`, which the other reads, allow. */
static int axes_of_loads(const Planner *p, const Item *first, const Item *then, int most) {
    SharedAxes shared = {p, first->value.node, most};
    Arena *scratch = arena_new((ArenaFailure){0});
    scalar_each_load(scratch, then->value.node->expr.body, limit_axes, &shared);
    arena_free(scratch);
    return shared.axes;
}

static bool stays_alone(const Item *item) {
    return item->value.copy || item_overwrites(item) != NULL || item->value.node->rank == 0;
}

static const Item *first_item(const Planner *p, const Group *group) {
    return &p->items.at[group->stages.at[0].at[0]];
}

/* How many its own stages can share: in so many all its nodes are alike. What stays alone has never been joined to another stage. */
static int shared_inside(const Planner *p, const Group *group) {
    if (group->stages.count > 1)
        return group->shared;
    const ItemList *stage = &group->stages.at[0];
    for (size_t i = 0; i < stage->count; i++)
        if (stays_alone(&p->items.at[stage->at[i]]))
            return 0;
    return MAX_AXES;
}

/* How many leading axes the stages of two groups can share, `then` after `first`: all nodes of a group agree in what it shares inside, so one of
 * each tells about all pairs. */
static int shared_by_groups(const Planner *p, int first, int then) {
    const Group *a = &p->groups.at[first], *b = &p->groups.at[then];
    int of_a = shared_inside(p, a), of_b = shared_inside(p, b);
    int axes = common_axes(first_item(p, a)->value.node, first_item(p, b)->value.node, of_a < of_b ? of_a : of_b);
    for (size_t s = 0; s < b->stages.count; s++)
        for (size_t i = 0; i < b->stages.at[s].count && axes > 0; i++) {
            const Item *reader = &p->items.at[b->stages.at[s].at[i]];
            for (size_t o = 0; o < reader->operands.count; o++) {
                const Item *operand = &p->items.at[reader->operands.at[o]];
                if (operand->group == first)
                    axes = axes_of_loads(p, operand, reader, axes);
            }
        }
    return axes;
}

/* ---- what it is worth ---- */

/* Of the first stages of a group, inside so many shared loops. */
typedef struct SharedCycles {
    size_t stages;
    double cycles;
} SharedCycles;

/* What is known of a group: it grows with the group, so that no question is answered from the beginning again. */
typedef struct RowGroup {
    SharedCycles cycles[MAX_AXES + 1]; /* by the number of shared axes */
    VEC(const Node *) inputs;          /* the model's, that it reads */
} RowGroup;

typedef struct Rows {
    Planner *p;
    RowGroup *groups; /* as those of the planner */
} Rows;

static double group_cycles(const Rows *rows, int group, int shared) {
    const Group *g = &rows->p->groups.at[group];
    SharedCycles *sum = &rows->groups[group].cycles[shared];
    for (; sum->stages < g->stages.count; sum->stages++)
        sum->cycles += schedule_cycles(rows->p, &g->stages.at[sum->stages], shared, false);
    return sum->cycles;
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

static bool reads_input(const RowGroup *group, const Node *leaf) {
    for (size_t i = 0; i < group->inputs.count; i++)
        if (group->inputs.at[i] == leaf)
            return true;
    return false;
}

static void add_input(const Rows *rows, int group, const Node *leaf) {
    RowGroup *to = &rows->groups[group];
    if (leaf->kind == NODE_INPUT && !reads_input(to, leaf))
        vec_push(rows->p->arena, &to->inputs, leaf);
}

/* What `first` makes for this item, or reads too, need not travel again. */
static double saved_by_item(const Rows *rows, int first, const Item *reader) {
    const Planner *p = rows->p;
    double cycles = 0;
    for (size_t o = 0; o < reader->operands.count; o++) {
        const Item *item = &p->items.at[reader->operands.at[o]];
        if (item->group == first)
            cycles += reload_cycles(p, item->value.node);
    }
    for (size_t l = 0; l < reader->leaves.count; l++) {
        const Node *leaf = reader->leaves.at[l];
        if (reads_input(&rows->groups[first], leaf))
            cycles += reload_cycles(p, leaf);
    }
    return cycles;
}

static double saved_cycles(const Rows *rows, int first, int then) {
    const Group *group = &rows->p->groups.at[then];
    double cycles = 0;
    for (size_t s = 0; s < group->stages.count; s++)
        for (size_t i = 0; i < group->stages.at[s].count; i++)
            cycles += saved_by_item(rows, first, &rows->p->items.at[group->stages.at[s].at[i]]);
    return cycles;
}

static bool pays(const Rows *rows, int first, int then, int shared) {
    /* What a call and the loops of a kernel of its own cost. */
    const double own_kernel = 200;
    const Group *groups = rows->p->groups.at;
    double apart = group_cycles(rows, first, groups[first].shared) + group_cycles(rows, then, groups[then].shared);
    double together = group_cycles(rows, first, shared) + group_cycles(rows, then, shared);
    return together <= apart + saved_cycles(rows, first, then) + own_kernel;
}

/* ---- joining ---- */

static void join_groups(const Rows *rows, int first, int then, int shared) {
    Planner *p = rows->p;
    Group *to = &p->groups.at[first];
    Group *from = &p->groups.at[then];
    for (size_t s = 0; s < from->stages.count; s++) {
        for (size_t i = 0; i < from->stages.at[s].count; i++)
            p->items.at[from->stages.at[s].at[i]].group = first;
        vec_push(p->arena, &to->stages, from->stages.at[s]);
    }
    from->stages.count = 0;
    to->shared = shared;
    for (size_t i = 0; i < rows->groups[then].inputs.count; i++)
        add_input(rows, first, rows->groups[then].inputs.at[i]);
}

static void try_share(const Rows *rows, int first, int then) {
    if (first == then)
        return;
    int shared = shared_by_groups(rows->p, first, then);
    if (shared > 0 && !planner_path_through_others(rows->p, first, then) && pays(rows, first, then, shared))
        join_groups(rows, first, then, shared);
}

/* What it makes is larger than the operand: it belongs to those who read it. */
static bool grows(const Planner *p, const Item *item, const Item *operand) {
    return bytes_of(p, item->value.node) > 1.5 * bytes_of(p, operand->value.node);
}

/* With all operands, or only with those that make no less than is made of them. */
static void share_with_operands(const Rows *rows, bool all) {
    const Planner *p = rows->p;
    for (size_t i = 0; i < p->items.count; i++) {
        const Item *item = &p->items.at[i];
        for (size_t o = 0; o < item->operands.count; o++) {
            const Item *operand = &p->items.at[item->operands.at[o]];
            if (all || !grows(p, item, operand))
                try_share(rows, operand->group, item->group);
        }
    }
}

/* A value that is made again for the backward pass, larger than what it is made of, is not to be made early and kept. */
void planner_share_rows(Planner *p) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Rows rows = {p, arena_array(scratch, RowGroup, p->groups.count)};
    for (size_t i = 0; i < p->items.count; i++)
        for (size_t l = 0; l < p->items.at[i].leaves.count; l++)
            add_input(&rows, p->items.at[i].group, p->items.at[i].leaves.at[l]);
    share_with_operands(&rows, false);
    share_with_operands(&rows, true);
    arena_free(scratch);
}
