/* rows.c: which stages share loops over their leading axes: softmax and its loss, normalisation, the layers of one sample. What is made
 * in one iteration is read in the same one, from the nearest cache, or from a row buffer that is small.
 */
#include "ir/scalar_walk.h"
#include "plan/lanes.h"
#include "plan/stage.h"

/* Of the first stages of a group, inside so many shared loops. */
typedef struct SharedCycles {
    size_t stages;
    double cycles;
} SharedCycles;

/* What is known of a group: it grows with the group, so that no question is answered from the beginning again. */
typedef struct RowGroup {
    SharedCycles cycles[MAX_AXES + 1]; /* by the number of shared axes */
    VEC(const Node *) inputs;          /* the model's, once for each read */
    size_t items;
} RowGroup;

typedef struct Rows {
    Planner *p;
    RowGroup *groups; /* as those of the planner */
    int **axes;       /* that its loads of an operand allow to share: by item, as its operands */
} Rows;

/* ---- leading axes that are the same ---- */

static int64_t row_elements(const Node *node, int axes) {
    int64_t elements = 1;
    for (int d = axes; d < node->rank; d++)
        elements *= node->shape[d].size;
    return elements;
}

/* For finding how many leading axes all loads of an operand agree in. */
typedef struct AxesOfLoads {
    const Planner *p;
    ScalarWalk *walk;
    size_t *place; /* by item, of the operands: which one it is */
    int *axes;     /* by operand */
} AxesOfLoads;

static bool is_own_axis(const Scalar *load, int d) {
    const Scalar *at = load->load.at[d];
    return load->load.tensor->shape[d].size == 1 || (at->kind == SCALAR_INDEX && at->index.slot == d);
}

static void limit_axes(const AxesOfLoads *of, const Scalar *load) {
    const Node *tensor = load->load.tensor;
    int item = planner_item_of(of->p, tensor);
    if (item < 0)
        return;
    const Node *written = of->p->items.at[item].value.node;
    int *axes = &of->axes[of->place[item]], agree = 0;
    while (agree < *axes && agree < tensor->rank && same_extent(tensor->shape[agree], written->shape[agree]) &&
           is_own_axis(load, agree))
        agree++;
    /* A view has the same rows as its source as long as they are of equal length. */
    while (agree > 0 && row_elements(tensor, agree) != row_elements(written, agree))
        agree--;
    *axes = agree;
}

static int common_axes(const Node *a, const Node *b, int most) {
    int axes = 0;
    while (axes < most && axes < a->rank && axes < b->rank && same_extent(a->shape[axes], b->shape[axes]))
        axes++;
    return axes;
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

typedef void ReadVisitor(void *context, const Rows *rows, const Item *reader, size_t operand);

/* All that the item reads of the group. */
static void visit_operands(const Rows *rows, const Item *item, int group, ReadVisitor *visit, void *context) {
    for (size_t o = 0; o < item->operands.count; o++)
        if (rows->p->items.at[item->operands.at[o]].group == group)
            visit(context, rows, item, o);
}

/* All that the group reads of the item. */
static void visit_readers(const Rows *rows, const Item *item, int group, ReadVisitor *visit, void *context) {
    for (size_t r = 0; r < item->readers.count; r++) {
        const Item *reader = &rows->p->items.at[item->readers.at[r]];
        size_t o = 0;
        while (reader->operands.at[o] != item->index)
            o++;
        if (reader->group == group)
            visit(context, rows, reader, o);
    }
}

/* All that `then` reads of `first`, from the side of the smaller one: many groups are tried beside one that has grown large. */
static void each_read(const Rows *rows, int first, int then, ReadVisitor *visit, void *context) {
    bool from_readers = rows->groups[then].items <= rows->groups[first].items;
    const Group *walked = &rows->p->groups.at[from_readers ? then : first];
    for (size_t s = 0; s < walked->stages.count; s++)
        for (size_t i = 0; i < walked->stages.at[s].count; i++) {
            const Item *item = &rows->p->items.at[walked->stages.at[s].at[i]];
            if (from_readers)
                visit_operands(rows, item, first, visit, context);
            else
                visit_readers(rows, item, then, visit, context);
        }
}

static void limit_by_read(void *context, const Rows *rows, const Item *reader, size_t operand) {
    int *axes = context, allowed = rows->axes[reader->index][operand];
    *axes = allowed < *axes ? allowed : *axes;
}

/* How many leading axes the stages of two groups can share, `then` after `first`: all nodes of a group agree in what it shares inside, so one of
 * each tells about all pairs. */
static int shared_by_groups(const Rows *rows, int first, int then) {
    const Planner *p = rows->p;
    const Group *a = &p->groups.at[first], *b = &p->groups.at[then];
    int of_a = shared_inside(p, a), of_b = shared_inside(p, b);
    int axes = common_axes(first_item(p, a)->value.node, first_item(p, b)->value.node, of_a < of_b ? of_a : of_b);
    if (axes > 0)
        each_read(rows, first, then, limit_by_read, &axes);
    return axes;
}

/* ---- what it is worth ---- */

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

double planner_reload_cycles(const Planner *p, const Node *node) {
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

static void add_reload(void *context, const Rows *rows, const Item *reader, size_t operand) {
    double *cycles = context;
    *cycles += planner_reload_cycles(rows->p, rows->p->items.at[reader->operands.at[operand]].value.node);
}

/* What `first` makes for the other, or reads too, need not travel again. */
static double saved_cycles(const Rows *rows, int first, int then) {
    double cycles = 0;
    each_read(rows, first, then, add_reload, &cycles);
    const RowGroup *group = &rows->groups[then];
    for (size_t i = 0; i < group->inputs.count; i++)
        if (reads_input(&rows->groups[first], group->inputs.at[i]))
            cycles += planner_reload_cycles(rows->p, group->inputs.at[i]);
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
    rows->groups[first].items += rows->groups[then].items;
    for (size_t i = 0; i < rows->groups[then].inputs.count; i++)
        vec_push(p->arena, &rows->groups[first].inputs, rows->groups[then].inputs.at[i]);
}

/* The steps of a recurrence, written out for each of its samples, become calls (plan.c); hundreds of small sums over other axes would stay lines. */
static bool is_long(const Rows *rows, int first, int then) {
    enum { MANY_STAGES = 32 };
    const Planner *p = rows->p;
    const Group *a = &p->groups.at[first], *b = &p->groups.at[then];
    const Node *lead = p->items.at[a->stages.at[0].at[0]].value.node;
    return a->stages.count + b->stages.count > MANY_STAGES && !same_extent(lead->shape[0], p->graph->batch);
}

static void try_share(const Rows *rows, int first, int then) {
    if (first == then)
        return;
    int shared = shared_by_groups(rows, first, then);
    if (shared > 0 && !is_long(rows, first, then) && !planner_path_through_others(rows->p, first, then) &&
        pays(rows, first, then, shared)) {
        planner_join_paths(rows->p, first, then);
        join_groups(rows, first, then, shared);
    }
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

/* All operands at once: an item may read hundreds. */
static void find_axes(AxesOfLoads *of, const Item *item) {
    for (size_t o = 0; o < item->operands.count; o++) {
        of->axes[o] = MAX_AXES;
        of->place[item->operands.at[o]] = o;
    }
    if (item->value.copy)
        return;
    scalar_walk(of->walk, item->value.node->expr.body, NULL, NULL);
    for (size_t i = 0; i < of->walk->count; i++)
        if (of->walk->at[i]->kind == SCALAR_LOAD)
            limit_axes(of, of->walk->at[i]);
}

static Rows new_rows(Planner *p, Arena *arena) {
    Rows rows = {p, arena_array(arena, RowGroup, p->groups.count), arena_array(arena, int *, p->items.count)};
    AxesOfLoads of = {p, scalar_walk_new(arena), arena_array(arena, size_t, p->items.count), NULL};
    for (size_t i = 0; i < p->items.count; i++) {
        const Item *item = &p->items.at[i];
        RowGroup *group = &rows.groups[item->group];
        group->items++;
        of.axes = rows.axes[i] = arena_array(arena, int, item->operands.count);
        find_axes(&of, item);
        for (size_t l = 0; l < item->leaves.count; l++)
            if (item->leaves.at[l]->kind == NODE_INPUT)
                vec_push(p->arena, &group->inputs, item->leaves.at[l]);
    }
    return rows;
}

/* A value that is made again for the backward pass, larger than what it is made of, is not to be made early and kept. */
void planner_share_rows(Planner *p) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Rows rows = new_rows(p, scratch);
    share_with_operands(&rows, false);
    share_with_operands(&rows, true);
    arena_free(scratch);
}
