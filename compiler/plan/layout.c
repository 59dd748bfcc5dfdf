/* layout.c: channels last.
 *
 *     y[b, o, i, j] = sum(c) w[o, c] * x[b, c, i, j]             y'[b, i, j, o] = sum(c) w[o, c] * x'[b, i, j, c]
 *
 * The axes of a tensor are the passes' to choose, since all that reads it is known. The first axis of an image after the samples (channels, by the language's convention)
 * moves behind the others, where lanes find it, for all tensors at once that hand each other their channels: a map between two orders would cost what
 * the order gains.
 */
#include "plan/layout.h"

#include "ir/cost.h"
#include "plan/estimate.h"
#include "plan/lanes.h"

typedef struct Layout {
    Graph *g;
    const Target *target;
    Arena *scratch;
    NodeList nodes;
    PointerMap *there;  /* the nodes, to themselves */
    int *group_of;      /* by node id: tensors that move together are a chain to one that is its own; -1: stays */
    NodeList *touched;  /* by the id of a group: what its tensors are made and read by, in order */
    PointerMap *cycles; /* of equations that were weighed, doubles */
    PointerMap *moved;  /* a tensor to the same with its channels last */
    const bool *chosen; /* by position in `nodes` */
    size_t next;
} Layout;

/* ---- which tensors can move, and which move together ---- */

static void pin(Layout *l, const Node *node) {
    l->group_of[node->id] = -1;
}

/* The first axis after the samples, with others behind it; -1: there is none. */
static int channels_of(const Graph *g, const Node *node) {
    int axis = 0;
    while (axis < node->rank && (node->shape[axis].size == 1 || (axis == 0 && same_extent(node->shape[0], g->batch))))
        axis++;
    return axis < node->rank - 1 && node->shape[axis].per_sample == 0 ? axis : -1;
}

/* Outputs are the user's, and views are another tensor's memory. */
static void pin_others(Layout *l) {
    for (size_t k = 0; k < ENTRY_COUNT; k++)
        for (size_t i = 0; i < l->g->entries[k].outputs.count; i++)
            pin(l, l->g->entries[k].outputs.at[i].value);
    for (size_t i = 0; i < l->nodes.count; i++) {
        const Node *node = l->nodes.at[i], *source = view_source(l->g, node);
        if (!source)
            continue;
        pin(l, node);
        pin(l, source);
    }
}

static int leader(const Layout *l, int id) {
    while (id >= 0 && l->group_of[id] != id)
        id = l->group_of[id];
    return id;
}

typedef struct Reader {
    Layout *layout;
    const Node *node;
} Reader;

/* The reader's channels are the tensor's. */
static void join_reader(void *context, const Scalar *load) {
    const Reader *reader = context;
    Layout *l = reader->layout;
    int of = leader(l, (int)reader->node->id), with = leader(l, (int)load->load.tensor->id);
    if (of < 0 || with < 0)
        return;
    const Scalar *at = load->load.at[channels_of(l->g, load->load.tensor)];
    if (at->kind == SCALAR_INDEX && at->index.slot == channels_of(l->g, reader->node))
        l->group_of[with] = of;
}

static void find_groups(Layout *l) {
    l->group_of = arena_array(l->scratch, int, l->g->node_count);
    for (size_t i = 0; i < l->nodes.count; i++) {
        const Node *node = l->nodes.at[i];
        bool can_move = node->kind == NODE_EXPR && channels_of(l->g, node) >= 0;
        l->group_of[node->id] = can_move ? (int)node->id : -1;
    }
    pin_others(l);
    for (size_t i = 0; i < l->nodes.count; i++) {
        Reader reader = {l, l->nodes.at[i]};
        if (l->group_of[reader.node->id] >= 0)
            scalar_each_load(l->scratch, reader.node->expr.body, join_reader, &reader);
    }
}

/* ---- moving ---- */

static const Scalar *moved_load(void *context, const Scalar *load, const Scalar *const *at) {
    const Layout *l = context;
    const Node *moved = pointer_map_get(l->moved, load->load.tensor);
    if (!moved)
        return NULL;
    const Scalar *order[MAX_AXES];
    int rank = 0, channels = channels_of(l->g, load->load.tensor);
    for (int d = 0; d < moved->rank; d++)
        if (d != channels)
            order[rank++] = at[d];
    order[rank] = at[channels];
    return scalar_load(l->g->pool, moved, order);
}

/* The node, reading what has moved. */
static const Node *with_moved_loads(Layout *l, const Node *node) {
    if (node->kind != NODE_EXPR)
        return node;
    const Scalar *body = scalar_rewrite(l->g->pool, node->expr.body, (ScalarRewrite){.load = moved_load, .context = l});
    return graph_with_body(l->g, node, body);
}

/* ---- parameters that are read along channels ---- */

typedef struct Turning {
    Layout *layout;
    int channels; /* the reader's slot */
} Turning;

/* A parameter from a copy in which the axis along the reader's channels is the last: lanes would have to gather it otherwise. */
static const Scalar *turned_load(void *context, const Scalar *load, const Scalar *const *at) {
    const Turning *turning = context;
    Graph *g = turning->layout->g;
    const Node *tensor = load->load.tensor;
    int along = 0, rank = 0;
    while (along < tensor->rank && !(at[along]->kind == SCALAR_INDEX && at[along]->index.slot == turning->channels))
        along++;
    if ((tensor->kind != NODE_PARAM && !tensor->is_prepared) || along >= tensor->rank - 1)
        return NULL;
    Extent shape[MAX_AXES];
    const Scalar *from[MAX_AXES], *order[MAX_AXES];
    Origin origin = {.place = tensor->origin.place};
    origin.name = arena_printf(g->arena, "turned %s", tensor->origin.name);
    for (int last = 0; last < 2; last++)
        for (int d = 0; d < tensor->rank; d++) {
            if ((d == along) != (last == 1))
                continue;
            shape[rank] = tensor->shape[d];
            origin.axes[rank] = tensor->origin.axes[d];
            from[d] = scalar_index(g->pool, rank, shape[rank]);
            order[rank++] = at[d];
        }
    const Node *turned = graph_expr(g, rank, shape, REDUCE_NONE, 0, NULL, scalar_load(g->pool, tensor, from), origin);
    return scalar_load(g->pool, turned, order);
}

/* The node with its channels last. */
static const Node *moved_node(Layout *l, const Node *node) {
    const Scalar *map[MAX_AXES] = {NULL};
    Extent shape[MAX_AXES];
    Origin origin = node->origin;
    int last = node->rank - 1, channels = channels_of(l->g, node);
    for (int d = 0; d < node->rank; d++) {
        int to = d < channels ? d : d == channels ? last : d - 1;
        shape[to] = node->shape[d];
        origin.axes[to] = node->origin.axes[d];
        map[d] = scalar_index(l->g->pool, to, node->shape[d]);
    }
    Turning turning = {l, last};
    const Scalar *body = scalar_substitute(l->g->pool, node->expr.body, map, node->rank);
    body = scalar_rewrite(l->g->pool, body, (ScalarRewrite){.load = turned_load, .context = &turning});
    return graph_expr(l->g, node->rank, shape, node->expr.reduce, node->expr.reduced, node->expr.extents, body, origin);
}

/* ---- what it is worth ---- */

typedef struct Costs {
    double before, after;
} Costs;

static double cycles_of(Layout *l, const Node *node) {
    double *known = pointer_map_get(l->cycles, node);
    if (!known) {
        known = arena_one(l->scratch, double);
        *known = estimate_cycles(l->g, l->target, node);
        pointer_map_put(l->cycles, node, known);
    }
    return *known;
}

static double steps_of(const Node *node) {
    double steps = (double)node_elements(node);
    for (int r = 0; r < node->expr.reduced; r++)
        steps *= (double)node->expr.extents[r].size;
    return steps;
}

static void touch(Layout *l, int group, const Node *node) {
    NodeList *list = group >= 0 ? &l->touched[group] : NULL;
    if (list && (list->count == 0 || list->at[list->count - 1] != node))
        vec_push(l->scratch, list, node);
}

static void find_touched(Layout *l) {
    l->touched = arena_array(l->scratch, NodeList, l->g->node_count);
    for (size_t i = 0; i < l->nodes.count; i++) {
        const Node *node = l->nodes.at[i];
        touch(l, leader(l, l->group_of[node->id]), node);
        for (int o = 0; o < node->operand_count; o++)
            touch(l, leader(l, l->group_of[node->operands[o]->id]), node);
    }
}

static double most_steps(const NodeList *touched) {
    double most = 0;
    for (size_t i = 0; i < touched->count; i++)
        if (steps_of(touched->at[i]) > most)
            most = steps_of(touched->at[i]);
    return most;
}

/* What the node becomes is no work where it is there anyway: what another became, or what was a copy of it in the order that is now the same. */
static double cycles_after(Layout *l, PointerMap *made, const Node *node, const Node *after) {
    bool is_there = after != node && (pointer_map_get(l->there, after) || pointer_map_get(made, after));
    pointer_map_put(made, after, (void *)(uintptr_t)after);
    return is_there ? 0 : cycles_of(l, after);
}

/* All that the group's tensors are made and read by, but for what is too little to count. */
static Costs weigh_group(Layout *l, int group) {
    enum { LITTLE = 100 };
    Costs costs = {0, 0};
    const NodeList *touched = &l->touched[group];
    double least = most_steps(touched) / LITTLE;
    l->moved = pointer_map_new(l->scratch);
    PointerMap *made = pointer_map_new(l->scratch);
    for (size_t i = 0; i < touched->count; i++) {
        const Node *node = touched->at[i];
        bool moves = leader(l, l->group_of[node->id]) == group;
        const Node *after = with_moved_loads(l, node);
        if (moves) {
            after = moved_node(l, after);
            pointer_map_put(l->moved, node, (void *)(uintptr_t)after);
        }
        if (steps_of(node) < least)
            continue;
        costs.before += cycles_of(l, node);
        costs.after += cycles_after(l, made, node, after);
    }
    return costs;
}

/* Where the images of a vector of samples stay near, lanes that are samples are better than any order of axes (samples.c). */
static bool suits_samples(const Layout *l) {
    enum { PASSES = 4 }; /* the images that are needed at a time are a part of them all */
    const Extent batch = l->g->batch;
    int lanes = l->target->vector_bytes / (int)type_bytes(l->g, TYPE_REAL);
    double bytes = 0;
    for (size_t i = 0; i < l->nodes.count; i++) {
        const Node *node = l->nodes.at[i];
        if (l->group_of[node->id] >= 0 && same_extent(node->shape[0], batch))
            bytes += (double)node_elements(node) / (double)batch.size * l->target->vector_bytes;
    }
    return batch.size >= lanes && bytes < PASSES * (double)l->target->l2_bytes;
}

static bool *choose_groups(Layout *l) {
    const double clearly = 0.9;
    find_touched(l);
    bool *pays = arena_array(l->scratch, bool, l->g->node_count),
         *chosen = arena_array(l->scratch, bool, l->nodes.count);
    for (size_t i = 0; i < l->nodes.count; i++) {
        int id = (int)l->nodes.at[i]->id;
        if (l->group_of[id] != id)
            continue;
        Costs costs = weigh_group(l, id);
        pays[id] = costs.after < clearly * costs.before;
    }
    for (size_t i = 0; i < l->nodes.count; i++) {
        int group = leader(l, l->group_of[l->nodes.at[i]->id]);
        chosen[i] = group >= 0 && pays[group];
    }
    return chosen;
}

/* What moves is replaced by a map that puts it back, which its readers, one by one, read through. */
static const Node *rewrite_node(void *context, Graph *g, const Node *node) {
    Layout *l = context;
    const Node *result = with_moved_loads(l, node);
    if (!l->chosen[l->next++])
        return result;
    const Node *moved = moved_node(l, result);
    const Scalar *at[MAX_AXES];
    int rank = 0, channels = channels_of(g, node);
    for (int d = 0; d < node->rank; d++)
        if (d != channels)
            at[rank++] = node_slot(g, node, d);
    at[rank] = node_slot(g, node, channels);
    const Node *back =
        graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, scalar_load(g->pool, moved, at), node->origin);
    pointer_map_put(l->moved, back, (void *)(uintptr_t)moved);
    return back;
}

int plan_layout(Graph *g, const Target *target) {
    Layout l = {.g = g, .target = target, .scratch = arena_new((ArenaFailure){0})};
    l.nodes = graph_order(g, l.scratch, NULL);
    l.there = pointer_map_new(l.scratch);
    for (size_t i = 0; i < l.nodes.count; i++)
        pointer_map_put(l.there, l.nodes.at[i], (void *)(uintptr_t)l.nodes.at[i]);
    l.cycles = pointer_map_new(l.scratch);
    find_groups(&l);
    int changes = 0;
    if (!suits_samples(&l)) {
        l.chosen = choose_groups(&l);
        l.moved = pointer_map_new(l.scratch);
        changes = graph_rebuild(g, rewrite_node, &l);
    }
    arena_free(l.scratch);
    return changes;
}
