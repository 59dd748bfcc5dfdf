#include "plan/planner.h"

#include <string.h>

/* What has to come before what, of groups. */
typedef struct Edges {
    Arena *arena;
    ItemList *after; /* by group: those that wait for it, once for each reason */
    size_t *waiting; /* by group: for how many reasons it waits for others that are not done */
} Edges;

static void add_edge(Edges *edges, int first, int then) {
    if (first == then)
        return;
    vec_push(edges->arena, &edges->after[first], then);
    edges->waiting[then]++;
}

static bool item_reads_leaf(const Item *item, const Node *leaf) {
    for (size_t i = 0; i < item->leaves.count; i++)
        if (item->leaves.at[i] == leaf)
            return true;
    return false;
}

/* An overwritten leaf is read by all its readers before. */
static void add_write_edges(const Planner *p, Edges *edges, const Item *writer) {
    const Node *target = item_overwrites(writer);
    if (!target)
        return;
    for (size_t i = 0; i < p->items.count; i++)
        if (item_reads_leaf(&p->items.at[i], target))
            add_edge(edges, p->items.at[i].group, writer->group);
}

static Edges find_edges(const Planner *p, Arena *scratch) {
    size_t count = p->groups.count;
    Edges edges = {scratch, arena_array(scratch, ItemList, count), arena_array(scratch, size_t, count)};
    for (size_t i = 0; i < p->items.count; i++) {
        const Item *item = &p->items.at[i];
        for (size_t o = 0; o < item->operands.count; o++)
            add_edge(&edges, p->items.at[item->operands.at[o]].group, item->group);
        add_write_edges(p, &edges, item);
    }
    return edges;
}

/* ---- the groups that are ready: a heap, the first one on top ---- */

static void exchange(ItemList *ready, size_t a, size_t b) {
    int kept = ready->at[a];
    ready->at[a] = ready->at[b];
    ready->at[b] = kept;
}

static void add_ready(Arena *arena, ItemList *ready, int group) {
    vec_push(arena, ready, group);
    for (size_t i = ready->count - 1; i > 0 && ready->at[i] < ready->at[(i - 1) / 2]; i = (i - 1) / 2)
        exchange(ready, i, (i - 1) / 2);
}

static int take_ready(ItemList *ready) {
    int first = ready->at[0];
    ready->at[0] = ready->at[--ready->count];
    for (size_t i = 0, least = 1; least < ready->count; i = least, least = 2 * i + 1) {
        if (least + 1 < ready->count && ready->at[least + 1] < ready->at[least])
            least++;
        if (ready->at[i] <= ready->at[least])
            break;
        exchange(ready, i, least);
    }
    return first;
}

/* ---- the order ---- */

/* Of a cycle, the first computed value that waits to be written in place; -1: only copies wait. */
static int find_stuck_write(const Planner *p, const bool *done) {
    for (size_t i = 0; i < p->items.count; i++) {
        const Item *item = &p->items.at[i];
        if (!done[item->group] && item_overwrites(item) && !item->value.copy)
            return (int)i;
    }
    return -1;
}

static bool is_stuck_copy(const Planner *p, const bool *done, const Item *item) {
    return item->value.copy && !done[item->group] && item_overwrites(item) && planner_item_of(p, item->value.node) < 0;
}

/* Parameters that take each other's values: one stage, which reads an element of each before it writes any. */
static void join_stuck_copies(Planner *p, const bool *done) {
    const Item *first = NULL;
    for (size_t i = 0; i < p->items.count; i++) {
        Item *item = &p->items.at[i];
        if (!is_stuck_copy(p, done, item))
            continue;
        if (first && node_same_shape(first->value.node, item->value.node))
            planner_join_stage(p, first->group, item->group);
        first = first ? first : item;
    }
    if (!first)
        diag_bug("plan", p->graph->place, "the kernels of %s have no order", entry_name(p->entry->kind));
}

/* Repeatedly the first group that is ready. False: some wait for each other; `done` says which do not. */
static bool try_order(const Planner *p, Arena *scratch, ItemList *order, bool *done) {
    Edges edges = find_edges(p, scratch);
    ItemList ready = {0};
    size_t left = 0;
    for (size_t g = 0; g < p->groups.count; g++) {
        if (p->groups.at[g].stages.count == 0)
            continue;
        left++;
        if (edges.waiting[g] == 0)
            add_ready(scratch, &ready, (int)g);
    }
    for (; ready.count > 0; left--) {
        int g = take_ready(&ready);
        done[g] = true;
        vec_push(p->arena, order, g);
        for (size_t i = 0; i < edges.after[g].count; i++)
            if (--edges.waiting[edges.after[g].at[i]] == 0)
                add_ready(scratch, &ready, edges.after[g].at[i]);
    }
    return left == 0;
}

ItemList planner_order(Planner *p) {
    for (;;) {
        Arena *scratch = arena_new((ArenaFailure){0});
        ItemList order = {0};
        bool *done = arena_array(p->arena, bool, p->groups.count);
        bool found = try_order(p, scratch, &order, done);
        arena_free(scratch);
        if (found)
            return order;
        int stuck = find_stuck_write(p, done);
        if (stuck >= 0)
            planner_demote(p, stuck);
        else
            join_stuck_copies(p, done);
    }
}
