/* paths.c: what has to be computed between two groups. They cannot become one kernel when there is anything; that is asked for every pair that
 * is considered, so the groups are kept in an order in which each stands before those that have to come later: only what stands between the two
 * is looked at.
 */
#include "plan/planner.h"

typedef struct Paths {
    int *
        place; /* by group, in the order; NULL: some wait for each other, there is none (order.c demotes an item later) */
    int *at;   /* the order: groups by place */
    unsigned *seen;   /* by group: the last search that came by */
    unsigned search;  /* the number of this one */
    VEC(int) waiting; /* groups that it came to and has not looked at */
} Paths;

/* ---- what has to come later ---- */

/* Of the leaves that are overwritten, the first item that does it. */
static PointerMap *find_writers(const Planner *p) {
    PointerMap *writers = pointer_map_new(p->arena);
    for (size_t i = 0; i < p->items.count; i++) {
        const Node *leaf = item_overwrites(&p->items.at[i]);
        if (leaf && !pointer_map_get(writers, leaf))
            pointer_map_put(writers, leaf, &p->items.at[i]);
    }
    return writers;
}

/* Readers of a value, and the writer of a parameter that an item reads. */
static void find_followers(Planner *p) {
    const PointerMap *writers = find_writers(p);
    for (size_t i = 0; i < p->items.count; i++) {
        Item *item = &p->items.at[i];
        for (size_t r = 0; r < item->readers.count; r++)
            vec_push(p->arena, &item->followers, item->readers.at[r]);
        for (size_t l = 0; l < item->leaves.count; l++) {
            const Item *writer = pointer_map_get(writers, item->leaves.at[l]);
            if (writer)
                vec_push(p->arena, &item->followers, writer->index);
        }
    }
}

/* ---- the order ---- */

/* The items, each before its followers; false: there is no such order. */
static bool order_items(const Planner *p, int *order) {
    int *before = arena_array(p->arena, int, p->items.count);
    size_t count = 0;
    for (size_t i = 0; i < p->items.count; i++)
        for (size_t f = 0; f < p->items.at[i].followers.count; f++)
            before[p->items.at[i].followers.at[f]] += p->items.at[i].followers.at[f] != (int)i;
    for (size_t i = 0; i < p->items.count; i++)
        if (before[i] == 0)
            order[count++] = (int)i;
    for (size_t k = 0; k < count; k++) {
        const Item *item = &p->items.at[order[k]];
        for (size_t f = 0; f < item->followers.count; f++)
            if (item->followers.at[f] != item->index && --before[item->followers.at[f]] == 0)
                order[count++] = item->followers.at[f];
    }
    return count == p->items.count;
}

void planner_find_paths(Planner *p) {
    Paths *paths = p->paths = arena_one(p->arena, Paths);
    find_followers(p);
    paths->seen = arena_array(p->arena, unsigned, p->groups.count);
    paths->at = arena_array(p->arena, int, p->items.count);
    if (!order_items(p, paths->at))
        return;
    paths->place = arena_array(p->arena, int, p->groups.count);
    for (size_t k = 0; k < p->items.count; k++) {
        paths->at[k] = p->items.at[paths->at[k]].group;
        paths->place[paths->at[k]] = (int)k;
    }
}

/* ---- searching ---- */

static bool stands_before(const Paths *paths, int group, int other) {
    return !paths->place || paths->place[group] < paths->place[other];
}

static void come_to(const Planner *p, int group) {
    p->paths->seen[group] = p->paths->search;
    vec_push(p->arena, &p->paths->waiting, group);
}

/* `to` comes after the item, which does not belong to `from`. Others that come after it and stand before `to` are to be looked at. */
static bool item_leads(const Planner *p, const Item *item, int from, int to) {
    const Paths *paths = p->paths;
    for (size_t i = 0; i < item->followers.count; i++) {
        int next = p->items.at[item->followers.at[i]].group;
        if (next == to && item->group != from)
            return true;
        if (next != to && paths->seen[next] != paths->search && stands_before(paths, next, to))
            come_to(p, next);
    }
    return false;
}

static bool group_leads(const Planner *p, int group, int from, int to) {
    const Group *g = &p->groups.at[group];
    for (size_t s = 0; s < g->stages.count; s++)
        for (size_t i = 0; i < g->stages.at[s].count; i++)
            if (item_leads(p, &p->items.at[g->stages.at[s].at[i]], from, to))
                return true;
    return false;
}

/* Of those that were added behind the first `count`, the one that stands last is the next: from there it is not far, if there is a path. */
static void look_far_first(const Paths *paths, size_t count) {
    int *waiting = paths->waiting.at;
    for (size_t i = count, top = paths->waiting.count; i + 1 < top; i++)
        if (stands_before(paths, waiting[top - 1], waiting[i])) {
            int kept = waiting[i];
            waiting[i] = waiting[top - 1];
            waiting[top - 1] = kept;
        }
}

bool planner_path_through_others(const Planner *p, int from, int to) {
    Paths *paths = p->paths;
    if (!stands_before(paths, from, to))
        return false;
    paths->search++;
    paths->waiting.count = 0;
    come_to(p, from);
    while (paths->waiting.count > 0) {
        size_t left = --paths->waiting.count;
        if (group_leads(p, paths->waiting.at[left], from, to))
            return true;
        look_far_first(paths, left);
    }
    return false;
}

/* ---- joining ---- */

/* Of those from the first one's place to the second's: what does not come after the first one, then both, then what does. */
void planner_join_paths(const Planner *p, int to, int from) {
    Paths *paths = p->paths;
    if (!paths->place)
        return;
    bool in_order = stands_before(paths, to, from);
    int first = in_order ? to : from, second = in_order ? from : to;
    int start = paths->place[first], end = paths->place[second], next = start;
    planner_path_through_others(p, first, second);
    Arena *scratch = arena_new((ArenaFailure){0});
    VEC(int) later = {0};
    vec_push(scratch, &later, first);
    vec_push(scratch, &later, second);
    for (int k = start; k <= end; k++) {
        int group = paths->at[k];
        if (group == first || group == second)
            continue;
        if (paths->seen[group] == paths->search)
            vec_push(scratch, &later, group);
        else
            paths->at[next++] = group;
    }
    for (size_t k = 0; k < later.count; k++)
        paths->at[next++] = later.at[k];
    for (int k = start; k <= end; k++)
        paths->place[paths->at[k]] = k;
    arena_free(scratch);
}
