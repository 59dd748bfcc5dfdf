/* near.c: panels that are made in the loop that reads them.
 *
 *     P[p, k, l] = W[16 p + l, k]                               for (p ..)
 *     y[s, n] = sum(k) x[s, k] * P[n div 16, k, n mod 16]         for (k, l ..)     P[k, l] = W[16 p + l, k]
 *                                                                 for (s, l, k ..)  y[s, 16 p + l] += x[s, k] * P[k, l]
 *
 * A copy in panels that the second cache does not hold goes to memory and comes back. Where the contraction that reads it takes one panel after the
 * other in its outermost loop anyway, the copy joins it there: a panel is in the cache when it is read, and one of them is all the memory that the
 * copy needs (`near` of the target). With AVX2 that is 4 to 8 percent of a product of 2048; with AVX-512 it was counted, not timed: as many
 * instructions, and a copy of 16 MB less that is written and read.
 */
#include "plan/stage.h"

/* The only load of the panels that a stage has. */
typedef struct PanelSearch {
    const Node *panels;
    const Scalar *load;
    int count;
} PanelSearch;

static void note_load(void *context, const Scalar *load) {
    PanelSearch *search = context;
    if (load->load.tensor != search->panels)
        return;
    search->load = load;
    search->count++;
}

static const Scalar *only_load(const Planner *p, const Scalar *body, const Node *panels) {
    PanelSearch search = {.panels = panels};
    scalar_each_load(p->arena, body, note_load, &search);
    return search.count == 1 ? search.load : NULL;
}

static bool is_alone(const Group *group) {
    return group->stages.count == 1 && group->shared == 0 && !group->samples;
}

static bool is_copy_in_panels(const Planner *p, const Item *item) {
    const PlanNode *value = &item->value;
    const Group *group = &p->groups.at[item->group];
    if (value->copy || value->output || item->readers.count != 1 || value->node->expr.reduce != REDUCE_NONE ||
        value->node->expr.body->kind != SCALAR_LOAD || !is_alone(group) || group->stages.at[0].count != 1)
        return false;
    double bytes = (double)node_elements(value->node) * (double)planner_real_bytes(p);
    return value->node->rank > 1 && value->node->shape[0].per_sample == 0 && bytes > (double)p->target->l2_bytes &&
           bytes <= (double)p->target->l2_bytes * (double)value->node->shape[0].size;
}

static bool overwrites_source(const Planner *p, const ItemList *stage, const Item *copy) {
    for (size_t i = 0; i < stage->count; i++)
        for (size_t l = 0; l < copy->leaves.count; l++)
            if (item_overwrites(&p->items.at[stage->at[i]]) == copy->leaves.at[l])
                return true;
    return false;
}

/* The blocks of the reader's axis that the panels are: where its loads are `P[n div width, ..]`. */
static Lead find_lead(const Planner *p, const Item *reader, const Node *panels) {
    const Scalar *load = reader->value.copy ? NULL : only_load(p, reader->value.node->expr.body, panels);
    const Scalar *at = load ? load->load.at[0] : NULL;
    if (!at || !scalar_is_op(at, OP_FLOORDIV) || at->op.arg[0]->kind != SCALAR_INDEX ||
        at->op.arg[1]->kind != SCALAR_INT)
        return (Lead){0};
    const int slot = at->op.arg[0]->index.slot;
    const int64_t width = at->op.arg[1]->integer;
    const Node *node = reader->value.node;
    bool blocks = slot < node->rank && node->shape[slot].per_sample == 0 &&
                  node->shape[slot].size == width * panels->shape[0].size;
    return blocks ? (Lead){slot, width} : (Lead){0};
}

/* The outermost loop of the reader is that over the panels. */
static bool walks_panels(const Planner *p, const Group *group, const Node *panels) {
    const PlanStage stage = stage_schedule(p, &group->stages.at[0], 0, false);
    const StageSchedule *s = &stage.schedule;
    const Scalar *load = only_load(p, stage.nodes.at[0].body, panels);
    const int outermost = s->loops > 0 ? s->order[0] : -1;
    return load && outermost >= 0 && load->load.at[0]->slots == UINT64_C(1) << outermost && s->block == 0 &&
           s->vector_slot != outermost && s->tile_slot != outermost && s->column_slot != outermost;
}

static bool can_take_panels(const Planner *p, const Item *reader, const Item *copy) {
    const Group *group = &p->groups.at[reader->group];
    return reader->value.node->expr.reduce == REDUCE_SUM && is_alone(group) &&
           group->stages.at[0].at[0] == reader->index && !overwrites_source(p, &group->stages.at[0], copy) &&
           !planner_path_through_others(p, copy->group, reader->group) && walks_panels(p, group, copy->value.node);
}

static void join(Planner *p, const Item *copy, const Item *reader, Lead lead) {
    Group *to = &p->groups.at[copy->group], *from = &p->groups.at[reader->group];
    const ItemList stage = from->stages.at[0];
    for (size_t i = 0; i < stage.count; i++)
        p->items.at[stage.at[i]].group = copy->group;
    vec_push(p->arena, &to->stages, stage);
    from->stages.count = 0;
    to->shared = 1;
    to->lead = lead;
}

void planner_keep_near(Planner *p) {
    for (size_t i = 0; i < p->items.count && p->target->near; i++) {
        const Item *copy = &p->items.at[i];
        if (!is_copy_in_panels(p, copy))
            continue;
        const Item *reader = &p->items.at[copy->readers.at[0]];
        const Lead lead = find_lead(p, reader, copy->value.node);
        if (lead.width > 0 && can_take_panels(p, reader, copy)) {
            planner_join_paths(p, copy->group, reader->group);
            join(p, copy, reader, lead);
        }
    }
}
