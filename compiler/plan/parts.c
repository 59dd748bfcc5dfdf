/* parts.c: sums over samples in parts.
 *
 *     d[o, c] = sum(b, i) y[b, o, i] * x[b, c, i]            part[b, o, c] = sum(i) y[b, o, i] * x[b, c, i]
 *                                                            d[o, c] = sum(b) part[b, o, c]
 *
 * A part can be made beside the sample's other values, while they are in the caches (rows.c), and what nobody else reads needs no memory of its own
 * for every sample (homes.c). That pays where a part is smaller than the values that it sums, and where not each of them is added once, at a place of its own (scatter.c).
 */
#include "plan/parts.h"

#include "ir/cost.h"
#include "plan/estimate.h"

enum { UNKNOWN = -1, MIXED = -2 }; /* instead of a slot */

typedef struct Parts {
    const Target *target;
    const Node *node;
    int samples; /* the slot that runs over them */
} Parts;

/* All that is read, but for parameters, are rows of samples that are summed over: parts of different samples have nothing in common. */
static void check_load(void *context, const Scalar *load) {
    Parts *p = context;
    const Node *tensor = load->load.tensor;
    if (tensor->kind == NODE_PARAM || tensor->is_prepared || p->samples == MIXED)
        return;
    const Scalar *sample = load->load.rank > 0 ? load->load.at[0] : NULL;
    int slot = sample && sample->kind == SCALAR_INDEX ? sample->index.slot : MIXED;
    if (p->samples == UNKNOWN)
        p->samples = slot;
    else if (p->samples != slot)
        p->samples = MIXED;
}

static bool find_samples(const Graph *g, Parts *p) {
    const Node *node = p->node;
    if (node->expr.reduced < 2 || node->rank + node->expr.reduced >= MAX_AXES)
        return false;
    p->samples = UNKNOWN;
    Arena *scratch = arena_new((ArenaFailure){0});
    scalar_each_load(scratch, node->expr.body, check_load, p);
    arena_free(scratch);
    return p->samples >= node->rank && same_extent(node_slot_extent(node, p->samples), g->batch);
}

static double operand_elements(const Node *node) {
    double elements = 0;
    for (int i = 0; i < node->operand_count; i++)
        if (node->operands[i]->kind == NODE_EXPR)
            elements += (double)node_elements(node->operands[i]);
    return elements;
}

static bool pays(const Graph *g, const Parts *p) {
    double operands = operand_elements(p->node);
    double parts = (double)node_elements(p->node) * (double)g->batch.size;
    return operands * (double)type_bytes(g, TYPE_REAL) > (double)p->target->l2_bytes && parts < operands;
}

/* The sum of each sample: its samples are the first output axis. */
static const Node *sum_each(Graph *g, const Parts *p) {
    const Node *node = p->node;
    const Scalar *map[MAX_AXES] = {NULL};
    Extent shape[MAX_AXES] = {g->batch}, extents[MAX_AXES];
    Origin origin = {.place = node->origin.place, .axes = {node->origin.axes[p->samples]}};
    origin.name = arena_printf(g->arena, "parts of %s", node->origin.name ? node->origin.name : "a sum");
    int next = 1;
    for (int slot = 0; slot < node->rank + node->expr.reduced; slot++) {
        Extent extent = node_slot_extent(node, slot);
        int to = slot == p->samples ? 0 : next++;
        map[slot] = scalar_index(g->pool, to, extent);
        origin.axes[to] = node->origin.axes[slot];
        if (slot < node->rank)
            shape[to] = extent;
        else if (to > 0)
            extents[to - node->rank - 1] = extent;
    }
    const Scalar *body = scalar_substitute(g->pool, node->expr.body, map, MAX_AXES);
    return graph_expr(g, node->rank + 1, shape, REDUCE_SUM, node->expr.reduced - 1, extents, body, origin);
}

static const Node *sum_parts(Graph *g, const Node *node, const Node *parts) {
    const Scalar *at[MAX_AXES] = {scalar_index(g->pool, node->rank, g->batch)};
    for (int slot = 0; slot < node->rank; slot++)
        at[slot + 1] = node_slot(g, node, slot);
    Origin origin = node->origin;
    for (int slot = node->rank; slot < MAX_AXES; slot++)
        origin.axes[slot] = NULL;
    origin.axes[node->rank] = parts->origin.axes[0];
    return graph_expr(g, node->rank, node->shape, REDUCE_SUM, 1, &g->batch, scalar_load(g->pool, parts, at), origin);
}

static const Node *split_node(void *context, Graph *g, const Node *node) {
    Parts p = {.target = context, .node = node};
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_SUM || node->type != TYPE_REAL || g->batch.size < 2)
        return node;
    return find_samples(g, &p) && pays(g, &p) && !estimate_scatters(g, context, node)
               ? sum_parts(g, node, sum_each(g, &p))
               : node;
}

int plan_parts(Graph *g, const Target *target) {
    return graph_rebuild(g, split_node, (void *)(uintptr_t)target);
}
