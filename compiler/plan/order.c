#include "plan/planner.h"

#include <string.h>

/* The edges of the groups as a matrix of bits: before[g * count + f]: f has to come before g. */
typedef struct Edges {
    size_t count;
    bool *before;
} Edges;

static void add_edge(Edges *edges, int first, int then) {
    if (first != then)
        edges->before[(size_t)then * edges->count + (size_t)first] = true;
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

static Edges find_edges(const Planner *p) {
    Edges edges = {.count = p->groups.count};
    edges.before = arena_array(p->arena, bool, edges.count *edges.count);
    for (size_t i = 0; i < p->items.count; i++) {
        const Item *item = &p->items.at[i];
        for (size_t o = 0; o < item->operands.count; o++)
            add_edge(&edges, p->items.at[item->operands.at[o]].group, item->group);
        add_write_edges(p, &edges, item);
    }
    return edges;
}

static bool is_ready(const Planner *p, const Edges *edges, const bool *done, size_t group) {
    if (done[group] || p->groups.at[group].stages.count == 0)
        return false;
    for (size_t i = 0; i < edges->count; i++)
        if (edges->before[group * edges->count + i] && !done[i])
            return false;
    return true;
}

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
static bool try_order(const Planner *p, ItemList *order, bool *done) {
    Edges edges = find_edges(p);
    size_t left = 0;
    for (size_t g = 0; g < edges.count; g++)
        left += p->groups.at[g].stages.count > 0;
    while (left > 0) {
        size_t g = 0;
        while (g < edges.count && !is_ready(p, &edges, done, g))
            g++;
        if (g == edges.count)
            return false;
        done[g] = true;
        left--;
        vec_push(p->arena, order, (int)g);
    }
    return true;
}

ItemList planner_order(Planner *p) {
    for (;;) {
        ItemList order = {0};
        bool *done = arena_array(p->arena, bool, p->groups.count);
        if (try_order(p, &order, done))
            return order;
        int stuck = find_stuck_write(p, done);
        if (stuck >= 0)
            planner_demote(p, stuck);
        else
            join_stuck_copies(p, done);
    }
}
