#include "ir/cost.h"

static int64_t times(int64_t a, int64_t b) {
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

static int64_t plus(int64_t a, int64_t b) {
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

int64_t type_bytes(const Graph *g, Type type) {
    switch (type) {
    case TYPE_REAL: return g->real_is_double ? 8 : 4;
    case TYPE_INT: return 4;
    case TYPE_BOOL: return 1;
    }
    return 0;
}

int64_t node_points(const Node *node) {
    int64_t points = node_elements(node);
    for (int i = 0; node->kind == NODE_EXPR && i < node->expr.reduced; i++)
        points = times(points, node->expr.extents[i].size);
    return points;
}

int64_t node_flops(const Node *node) {
    if (node->kind != NODE_EXPR)
        return 0;
    int64_t combined = node->expr.reduce == REDUCE_NONE ? 0 : 1;
    return times(node_points(node), plus(scalar_flops(node->expr.body), combined));
}

int64_t node_bytes_written(const Graph *g, const Node *node) {
    return node->kind == NODE_EXPR ? times(node_elements(node), type_bytes(g, node->type)) : 0;
}

/* ---- reading ---- */

typedef struct Traffic {
    const Graph *graph;
    const Node *node;   /* that reads */
    const Node *tensor; /* that is read */
    int64_t elements;   /* reached by the loads seen so far */
} Traffic;

/* The points that differ in the slots which the load depends on. */
static void add_load(void *context, const Scalar *load) {
    Traffic *traffic = context;
    if (load->load.tensor != traffic->tensor)
        return;
    int64_t reached = 1;
    for (int slot = 0; slot < traffic->node->rank + traffic->node->expr.reduced; slot++)
        if (load->slots >> slot & 1)
            reached = times(reached, node_slot_extent(traffic->node, slot).size);
    traffic->elements = plus(traffic->elements, reached);
}

int64_t node_bytes_read(const Graph *g, const Node *node) {
    int64_t bytes = 0;
    if (node->kind != NODE_EXPR)
        return 0;
    Arena *scratch = arena_new((ArenaFailure){0});
    for (int i = 0; i < node->operand_count; i++) {
        Traffic traffic = {g, node, node->operands[i], 0};
        scalar_each_load(scratch, node->expr.body, add_load, &traffic);
        int64_t size = node_elements(traffic.tensor);
        int64_t elements = traffic.elements < size ? traffic.elements : size;
        bytes = plus(bytes, times(elements, type_bytes(g, traffic.tensor->type)));
    }
    arena_free(scratch);
    return bytes;
}

/* ---- entries ---- */

int64_t entry_flops(Graph *g, const Entry *entry) {
    Arena *scratch = arena_new((ArenaFailure){0});
    NodeList order = graph_order(g, scratch, entry);
    int64_t flops = 0;
    for (size_t i = 0; i < order.count; i++)
        flops = plus(flops, node_flops(order.at[i]));
    arena_free(scratch);
    return flops;
}

int64_t entry_bytes(Graph *g, const Entry *entry) {
    Arena *scratch = arena_new((ArenaFailure){0});
    NodeList order = graph_order(g, scratch, entry);
    int64_t bytes = 0;
    for (size_t i = 0; i < order.count; i++) {
        int64_t read = node_bytes_read(g, order.at[i]);
        bytes = plus(bytes, plus(read, node_bytes_written(g, order.at[i])));
    }
    arena_free(scratch);
    return bytes;
}
