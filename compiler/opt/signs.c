/* A rectifier's result has the sign of its argument, so whoever asks for the sign may ask the result: it is kept for the next layer, and the argument
 * need not be kept beside it.
 *
 *     y[b, n] = select(x[b, n] > 0, x[b, n], 0);   d[b, n] = select(x[b, n] > 0, e[b, n], 0)
 *     ->                                           d[b, n] = select(y[b, n] > 0, e[b, n], 0)
 */
#include "base/map.h"
#include "opt/opt.h"

typedef struct Signs {
    Graph *g;
    PointerMap *rectified; /* tensors to the nodes that have their sign */
} Signs;

static bool is_positive_test(const Scalar *s, const Scalar *of) {
    return scalar_is_op(s, OP_GT) && s->op.arg[0] == of && s->op.arg[1]->kind == SCALAR_REAL && s->op.arg[1]->real == 0;
}

/* Not above 0 where x is not: 0, or a multiple of x. */
static bool keeps_below(const Scalar *s, const Scalar *x) {
    if (s->kind == SCALAR_REAL)
        return s->real <= 0;
    bool scaled = scalar_is_op(s, OP_MUL) && (s->op.arg[0] == x || s->op.arg[1] == x);
    const Scalar *factor = scaled ? s->op.arg[s->op.arg[0] == x] : NULL;
    return factor && factor->kind == SCALAR_REAL && factor->real >= 0;
}

/* The tensor that the node rectifies, element by element; NULL: it does something else. */
static const Node *rectified_by(Graph *g, const Node *node) {
    const Scalar *body = node->kind == NODE_EXPR && node->expr.reduce == REDUCE_NONE ? node->expr.body : NULL;
    if (!body || !scalar_is_op(body, OP_SELECT) || body->op.arg[1]->kind != SCALAR_LOAD)
        return NULL;
    const Scalar *x = body->op.arg[1];
    const Node *tensor = x->load.tensor;
    bool own = node_same_shape(tensor, node) && x == scalar_load(g->pool, tensor, node_load_identity(g, node)->load.at);
    return own && is_positive_test(body->op.arg[0], x) && keeps_below(body->op.arg[2], x) ? tensor : NULL;
}

static const Scalar *sign_of_result(void *context, const Scalar *s, const Scalar *const *args) {
    const Signs *signs = context;
    const Scalar *x = args[0];
    const Node *result = x->kind == SCALAR_LOAD ? pointer_map_get(signs->rectified, x->load.tensor) : NULL;
    if (!result || !is_positive_test(s, s->op.arg[0]))
        return NULL;
    const Scalar *test[3] = {scalar_load(signs->g->pool, result, x->load.at), args[1], args[2]};
    return scalar_with_args(signs->g->pool, s, test);
}

static const Node *rewrite_node(void *context, Graph *g, const Node *node) {
    Signs *signs = context;
    if (node->kind != NODE_EXPR || rectified_by(g, node))
        return node;
    ScalarRewrite rewrite = {.op = sign_of_result, .context = signs};
    return graph_with_body(g, node, scalar_rewrite(g->pool, node->expr.body, rewrite));
}

int opt_signs(Graph *g) {
    enum { MOST_ROUNDS = 8 };
    Arena *scratch = arena_new((ArenaFailure){0});
    Signs signs = {.g = g};
    int changes = 0, last = 1;
    for (int round = 0; last > 0 && round < MOST_ROUNDS; round++) {
        signs.rectified = pointer_map_new(scratch);
        NodeList order = graph_order(g, scratch, NULL);
        for (size_t i = 0; i < order.count; i++) {
            const Node *tensor = rectified_by(g, order.at[i]);
            if (tensor)
                pointer_map_put(signs.rectified, tensor, order.at[i]);
        }
        last = graph_rebuild(g, rewrite_node, &signs);
        changes += last;
    }
    arena_free(scratch);
    return changes;
}
