/* fuse.c: which values are computed by the same stage: a reduction with the maps that read it, maps of equal domain that read each
 * other. What only its own stage reads needs no memory.
 */
#include "plan/stage.h"

/* ---- joining stages ---- */

static const Item *item_at(const Planner *p, const ItemList *stage, size_t i) {
    return &p->items.at[stage->at[i]];
}

static const ItemList *only_stage(const Planner *p, int group) {
    const Group *g = &p->groups.at[group];
    return g->stages.count == 1 ? &g->stages.at[0] : NULL;
}

static bool is_reduction(const Item *item) {
    return !item->value.copy && item->value.node->expr.reduce != REDUCE_NONE;
}

/* `reader` reads the value of `item`, and what `item` overwrites, only where it writes itself. */
static bool reads_own_element(const Planner *p, const Item *reader, const Item *item) {
    const Node *target = item_overwrites(item);
    if (target && !item_reads_at_identity(p, reader, target))
        return false;
    return item->value.copy || item_reads_at_identity(p, reader, item->value.node);
}

static bool reads(const Item *reader, const Item *item) {
    for (size_t i = 0; i < reader->operands.count; i++)
        if (reader->operands.at[i] == item->index)
            return true;
    return false;
}

/* The items of b could stand in one stage with those of a: each looks only at its own element of the other's. */
static bool items_agree(const Planner *p, const ItemList *a, const ItemList *b) {
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++) {
            const Item *x = item_at(p, a, i), *y = item_at(p, b, j);
            if (!reads_own_element(p, x, y) || !reads_own_element(p, y, x))
                return false;
            if ((is_reduction(x) && reads(x, y)) || (is_reduction(y) && reads(y, x)))
                return false;
        }
    return true;
}

static bool may_join(const Planner *p, int to, int from) {
    const ItemList *a = only_stage(p, to), *b = only_stage(p, from);
    if (to == from || !a || !b)
        return false;
    const Item *x = item_at(p, a, 0), *y = item_at(p, b, 0);
    return node_same_shape(x->value.node, y->value.node) && !(is_reduction(x) && is_reduction(y)) &&
           items_agree(p, a, b) && !planner_path_through_others(p, to, from) &&
           !planner_path_through_others(p, from, to);
}

static void insert_sorted(const Planner *p, ItemList *stage, int item) {
    vec_push(p->arena, stage, item);
    for (size_t i = stage->count - 1; i > 0; i--) {
        const Item *before = &p->items.at[stage->at[i - 1]], *own = &p->items.at[stage->at[i]];
        if (is_reduction(before) || (!is_reduction(own) && before->index < own->index))
            return;
        stage->at[i] = before->index;
        stage->at[i - 1] = own->index;
    }
}

void planner_join_stage(Planner *p, int to, int from) {
    Group *target = &p->groups.at[to];
    const ItemList *moved = &p->groups.at[from].stages.at[0];
    for (size_t i = 0; i < moved->count; i++) {
        insert_sorted(p, &target->stages.at[0], moved->at[i]);
        p->items.at[moved->at[i]].group = to;
    }
    p->groups.at[from].stages.count = 0;
}

/* ---- what it is worth ---- */

static double stage_cycles(const Planner *p, const ItemList *items) {
    return schedule_cycles(p, items, 0, false);
}

static ItemList joined_items(const Planner *p, const ItemList *a, const ItemList *b) {
    ItemList joined = {0};
    for (size_t i = 0; i < a->count; i++)
        insert_sorted(p, &joined, a->at[i]);
    for (size_t i = 0; i < b->count; i++)
        insert_sorted(p, &joined, b->at[i]);
    return joined;
}

/* A map that cannot be computed in the lanes that suit the reduction would spoil it. */
static bool pays(const Planner *p, int to, int from) {
    const ItemList *a = only_stage(p, to), *b = only_stage(p, from);
    ItemList joined = joined_items(p, a, b);
    return stage_cycles(p, &joined) <= 1.05 * (stage_cycles(p, a) + stage_cycles(p, b));
}

static void join_with_operands(Planner *p, const Item *item, bool reductions) {
    for (size_t i = item->operands.count; i > 0; i--) {
        const Item *operand = &p->items.at[item->operands.at[i - 1]];
        if (is_reduction(operand) == reductions && may_join(p, operand->group, item->group) &&
            pays(p, operand->group, item->group)) {
            planner_join_paths(p, operand->group, item->group);
            planner_join_stage(p, operand->group, item->group);
        }
    }
}

void planner_fuse(Planner *p) {
    for (int reductions = 1; reductions >= 0; reductions--)
        for (size_t i = 0; i < p->items.count; i++)
            if (!is_reduction(&p->items.at[i]))
                join_with_operands(p, &p->items.at[i], reductions == 1);
}
