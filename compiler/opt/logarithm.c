/* A logarithm of small numbers has lost what their rounding lost, and its derivative divides by them; the rules for log(exp(x)) and log(sigmoid(x))
 * have neither fault. Here they apply across the border of a tensor. */
#include "base/map.h"
#include "opt/opt.h"

typedef struct Logarithms {
    Graph *g;
    PointerMap *kept; /* what derivatives are taken with respect to: who sees through it no longer depends on it */
    uint32_t nodes;   /* of the graph before this round */
} Logarithms;

static const Scalar *replace_load(void *context, const Scalar *load, const Scalar *const *at) {
    const Logarithms *l = context;
    const Node *map = load->load.tensor;
    bool is_map = map->kind == NODE_EXPR && map->expr.reduce == REDUCE_NONE;
    return is_map && !pointer_map_get(l->kept, map) ? scalar_substitute(l->g->pool, map->expr.body, at, map->rank)
                                                    : NULL;
}

/* The logarithm of `arg` where a rule takes it apart, seen through one map or through maps of maps; NULL: none does. */
static const Scalar *logarithm_through(Logarithms *l, Op op, const Scalar *arg) {
    enum { MOST_MAPS = 3 };
    for (int maps = 0; maps < MOST_MAPS; maps++) {
        arg = scalar_rewrite(l->g->pool, arg, (ScalarRewrite){.load = replace_load, .context = l});
        const Scalar *result = scalar_op1(l->g->pool, op, arg);
        if (!scalar_is_op(result, op) && !scalar_is_op(result, OP_SELECT))
            return result;
    }
    return NULL;
}

static const Scalar *rewrite_logarithm(void *context, const Scalar *s, const Scalar *const *args) {
    bool is_logarithm = s->op.op == OP_LOG || s->op.op == OP_LOG1P;
    return is_logarithm ? logarithm_through(context, s->op.op, args[0]) : NULL;
}

/* Nodes that this round has changed wait for the next one, which knows what they depend on. */
static const Node *rewrite_node(void *context, Graph *g, const Node *node) {
    const Logarithms *l = context;
    if (node->kind != NODE_EXPR || node->id >= l->nodes)
        return node;
    ScalarRewrite rewrite = {.op = rewrite_logarithm, .context = context};
    return graph_with_body(g, node, scalar_rewrite(g->pool, node->expr.body, rewrite));
}

static void find_kept(Logarithms *l, Arena *scratch) {
    l->kept = pointer_map_new(scratch);
    NodeList order = graph_order(l->g, scratch, NULL);
    for (size_t i = 0; i < order.count; i++) {
        const Node *node = order.at[i];
        if (node->kind == NODE_GRAD || node->kind == NODE_JVP)
            pointer_map_put(l->kept, node->derivative.wrt, node->derivative.wrt);
    }
}

int opt_logarithms(Graph *g) {
    enum { MOST_ROUNDS = 8 };
    Arena *scratch = arena_new((ArenaFailure){0});
    Logarithms l = {.g = g};
    int changes = 0, last = 1;
    for (int round = 0; last > 0 && round < MOST_ROUNDS; round++) {
        l.nodes = g->node_count;
        find_kept(&l, scratch);
        last = graph_rebuild(g, rewrite_node, &l);
        changes += last;
    }
    arena_free(scratch);
    return changes;
}
