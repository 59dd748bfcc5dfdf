/* Axes of size 1. A map takes the values of a reduction where they are made if both have the same axes; a layer with one output has an axis of size 1, and
 * its sum has none:
 *
 *     s[b] = sum(k) W[0, k] * x[b, k];  y[b, n] = s[b] + c[0]   ->   s[b, n] = sum(k) W[0, k] * x[b, k];  y[b, n] = s[b, 0] + c[0]
 */
#include "opt/opt.h"

typedef struct Units {
    Graph *g;
    NodeList order;
    const Node **like;  /* by node id: the map whose axes the reduction takes; NULL: it keeps its own */
    const bool *fixed;  /* by node id: its axes are the user's */
    PointerMap *shaped; /* a reduction with its old axes, which nobody reads, to the same with new ones */
    size_t next;        /* in `order` */
} Units;

/* ---- who takes whose axes ---- */

/* Are the axes of the reduction those of the map but for axes of size 1, and does the map read it at its own place? `slots`: by the reduction's axis. */
static bool is_alike(const Node *map, const Node *reduction, const Scalar *load) {
    int axis = 0;
    for (int d = 0; d < reduction->rank; d++) {
        if (reduction->shape[d].size == 1)
            continue;
        while (axis < map->rank && map->shape[axis].size == 1)
            axis++;
        const Scalar *at = load->load.at[d];
        if (axis == map->rank || !same_extent(map->shape[axis], reduction->shape[d]) || at->kind != SCALAR_INDEX ||
            at->index.slot != axis)
            return false;
        axis++;
    }
    while (axis < map->rank && map->shape[axis].size == 1)
        axis++;
    return axis == map->rank;
}

typedef struct Reader {
    Units *units;
    const Node *map;
} Reader;

static void take_axes(void *context, const Scalar *load) {
    const Reader *reader = context;
    Units *u = reader->units;
    const Node *tensor = load->load.tensor;
    bool is_free = tensor->kind == NODE_EXPR && tensor->expr.reduce != REDUCE_NONE && !u->fixed[tensor->id];
    bool fits = is_free && reader->map->rank + tensor->expr.reduced <= MAX_AXES;
    if (fits && !u->like[tensor->id] && is_alike(reader->map, tensor, load))
        u->like[tensor->id] = reader->map;
}

static void find_readers(Units *u, Arena *scratch) {
    bool *fixed = arena_array(scratch, bool, u->g->node_count);
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        for (size_t i = 0; i < u->g->entries[kind].outputs.count; i++)
            fixed[u->g->entries[kind].outputs.at[i].value->id] = true;
    u->fixed = fixed;
    u->like = arena_array(scratch, const Node *, u->g->node_count);
    for (size_t i = 0; i < u->order.count; i++) {
        Reader reader = {u, u->order.at[i]};
        if (reader.map->kind == NODE_EXPR && reader.map->expr.reduce == REDUCE_NONE)
            scalar_each_load(scratch, reader.map->expr.body, take_axes, &reader);
    }
}

/* ---- new axes ---- */

/* The indices of a tensor's long axes, with 0 for those of size 1 of another that is alike. */
static void spread(ScalarPool *pool, const Node *from, const Node *to, const Scalar *const *at, const Scalar **result) {
    int axis = 0;
    for (int d = 0; d < to->rank; d++) {
        result[d] = scalar_int(pool, 0);
        if (to->shape[d].size == 1)
            continue;
        while (from->shape[axis].size == 1)
            axis++;
        result[d] = at[axis++];
    }
}

static const Scalar *shaped_load(void *context, const Scalar *load, const Scalar *const *at) {
    const Units *u = context;
    const Node *shaped = pointer_map_get(u->shaped, load->load.tensor);
    if (!shaped)
        return NULL;
    const Scalar *indices[MAX_AXES];
    spread(u->g->pool, load->load.tensor, shaped, at, indices);
    return scalar_load(u->g->pool, shaped, indices);
}

static const Node *with_axes_of(Graph *g, const Node *reduction, const Node *map) {
    const Scalar *own[MAX_AXES], *slots[MAX_AXES];
    Origin origin = reduction->origin;
    for (int d = 0; d < map->rank; d++) {
        own[d] = scalar_index(g->pool, d, map->shape[d]);
        origin.axes[d] = map->origin.axes[d];
    }
    spread(g->pool, map, reduction, own, slots);
    for (int i = 0; i < reduction->expr.reduced; i++) {
        slots[reduction->rank + i] = scalar_index(g->pool, map->rank + i, reduction->expr.extents[i]);
        origin.axes[map->rank + i] = reduction->origin.axes[reduction->rank + i];
    }
    const Scalar *body =
        scalar_substitute(g->pool, reduction->expr.body, slots, reduction->rank + reduction->expr.reduced);
    return graph_expr(g, map->rank, map->shape, reduction->expr.reduce, reduction->expr.reduced,
                      reduction->expr.extents, body, origin);
}

/* What gets new axes is replaced by a map that gives it the old ones, which its readers, one by one, read through. */
static const Node *rewrite_node(void *context, Graph *g, const Node *node) {
    Units *u = context;
    const Node *like = u->like[u->order.at[u->next++]->id];
    if (node->kind != NODE_EXPR)
        return node;
    ScalarRewrite rewrite = {.load = shaped_load, .context = u};
    node = graph_with_body(g, node, scalar_rewrite(g->pool, node->expr.body, rewrite));
    if (!like || node_same_shape(node, like))
        return node;
    const Node *shaped = with_axes_of(g, node, like);
    const Scalar *own[MAX_AXES], *at[MAX_AXES];
    for (int d = 0; d < node->rank; d++)
        own[d] = scalar_index(g->pool, d, node->shape[d]);
    spread(g->pool, node, shaped, own, at);
    const Node *back =
        graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, scalar_load(g->pool, shaped, at), node->origin);
    pointer_map_put(u->shaped, back, (void *)(uintptr_t)shaped);
    return back;
}

int opt_units(Graph *g) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Units u = {.g = g, .order = graph_order(g, scratch, NULL), .shaped = pointer_map_new(scratch)};
    find_readers(&u, scratch);
    int changes = graph_rebuild(g, rewrite_node, &u);
    arena_free(scratch);
    return changes;
}
