/* Traversal and rebuilding of the graph. No recursion: a graph may be thousands of nodes deep. */
#include "ir/graph.h"

/* ---- order ---- */

typedef struct OrderFrame {
    const Node *node;
    int next; /* operand to visit */
} OrderFrame;

typedef struct Order {
    Arena *arena;
    bool *seen; /* by node id */
    VEC(OrderFrame) stack;
    NodeList list;
} Order;

static void order_push(Order *order, const Node *node) {
    if (!order->seen[node->id]) {
        order->seen[node->id] = true;
        vec_push(order->arena, &order->stack, ((OrderFrame){.node = node}));
    }
}

static void order_from(Order *order, const Node *root) {
    order_push(order, root);
    while (order->stack.count > 0) {
        OrderFrame *frame = &order->stack.at[order->stack.count - 1];
        if (frame->next < frame->node->operand_count) {
            order_push(order, frame->node->operands[frame->next++]);
        } else {
            order->stack.count--;
            vec_push(order->arena, &order->list, frame->node);
        }
    }
}

NodeList graph_order(Graph *g, Arena *scratch, const Entry *entry) {
    Order order = {.arena = scratch, .seen = arena_array(scratch, bool, g->node_count)};
    const Entry *first = entry ? entry : g->entries;
    for (size_t i = 0; i < (entry ? 1 : ENTRY_COUNT); i++)
        for (size_t j = 0; j < first[i].outputs.count; j++)
            order_from(&order, first[i].outputs.at[j].value);
    return order.list;
}

void node_each_operand(Arena *scratch, const Node *node, void (*visit)(void *context, const Node *operand),
                       void *context) {
    (void)scratch;
    for (int i = 0; i < node->operand_count; i++)
        visit(context, node->operands[i]);
}

/* ---- rebuilding ---- */

typedef struct Rebuild {
    Graph *graph;
    const Node **replacement; /* by id of the old node; NULL: not rebuilt */
} Rebuild;

static const Scalar *rebuild_load(void *context, const Scalar *load, const Scalar *const *at) {
    const Rebuild *rebuild = context;
    const Node *tensor = rebuild->replacement[load->load.tensor->id];
    return scalar_load(rebuild->graph->pool, tensor, at);
}

static bool operands_changed(const Rebuild *rebuild, const Node *node) {
    for (int i = 0; i < node->operand_count; i++)
        if (rebuild->replacement[node->operands[i]->id] != node->operands[i])
            return true;
    return false;
}

/* The node over its rebuilt operands. */
static const Node *rebuild_node(Rebuild *rebuild, const Node *node) {
    Graph *g = rebuild->graph;
    if (!operands_changed(rebuild, node))
        return node;
    if (node->kind == NODE_EXPR) {
        const Scalar *body =
            scalar_rewrite(g->pool, node->expr.body, (ScalarRewrite){.load = rebuild_load, .context = rebuild});
        return graph_with_body(g, node, body);
    }
    const Node *of = rebuild->replacement[node->derivative.of->id];
    if (node->kind == NODE_DETACH)
        return graph_detach(g, of, node->origin);
    const Node *wrt = rebuild->replacement[node->derivative.wrt->id];
    if (node->kind == NODE_GRAD)
        return graph_grad(g, of, wrt, node->origin);
    const Node *tangent = rebuild->replacement[node->derivative.tangent->id];
    return graph_jvp(g, of, wrt, tangent, node->origin);
}

static void replace_outputs(Graph *g, const Node *const *replacement) {
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        for (size_t j = 0; j < g->entries[i].outputs.count; j++) {
            GraphOutput *output = &g->entries[i].outputs.at[j];
            output->value = replacement[output->value->id];
        }
    }
}

static void replace_inits(Graph *g, const Node *const *leaves, size_t count, const Node *const *replacement) {
    for (size_t i = 0; i < count; i++) {
        const Node *init = leaves[i]->leaf.init;
        if (init && replacement[init->id])
            graph_set_init(g, leaves[i], replacement[init->id]);
    }
}

int graph_rebuild(Graph *g, NodeRewrite *rewrite, void *context) {
    Arena *scratch = arena_new((ArenaFailure){0});
    /* Sized before the rebuilding: only nodes of the old graph are looked up. */
    Rebuild rebuild = {g, arena_array(scratch, const Node *, g->node_count)};
    NodeList order = graph_order(g, scratch, NULL);
    int changes = 0;
    for (size_t i = 0; i < order.count; i++) {
        const Node *rebuilt = rebuild_node(&rebuild, order.at[i]);
        const Node *result = rewrite(context, g, rebuilt);
        rebuild.replacement[order.at[i]->id] = result;
        changes += result != rebuilt;
    }
    replace_outputs(g, rebuild.replacement);
    replace_inits(g, g->params.at, g->params.count, rebuild.replacement);
    replace_inits(g, g->states.at, g->states.count, rebuild.replacement);
    arena_free(scratch);
    return changes;
}
