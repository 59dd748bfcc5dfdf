/* The largest of increasing functions is the function of the largest: pooling comes before the activation, which is then computed for one element of
 * each window, and whose derivative asks for no more.
 *
 *     y[i] = max(u) tanh(b[c] + x[i, u])          m[i] = max(u) x[i, u]
 *                                                 y[i] = tanh(b[c] + m[i])
 *
 * Where rounding makes several values of the function equal, the derivative goes to the largest argument instead of to the first. */
#include "opt/opt.h"
#include "opt/through.h"

typedef struct Extremes {
    Graph *g;
    Readers readers;
} Extremes;

static bool is_increasing(Op op) {
    switch (op) {
    case OP_EXP:
    case OP_EXPM1:
    case OP_LOG:
    case OP_LOG1P:
    case OP_LOG1PEXP:
    case OP_SQRT:
    case OP_TANH:
    case OP_SIGMOID:
    case OP_ERF: return true;
    default: return false;
    }
}

static bool is_positive(const Scalar *s) {
    return s->kind == SCALAR_REAL && s->real > 0;
}

/* The argument x of select(x > 0, x, 0) or select(x > 0, x, slope * x); NULL: it is neither. */
static const Scalar *rectified(const Scalar *s) {
    const Scalar *test = s->op.arg[0], *x = s->op.arg[1], *below = s->op.arg[2];
    bool tests_sign = scalar_is_op(test, OP_GT) && test->op.arg[0] == x && scalar_is_real(test->op.arg[1], 0);
    bool leaks = scalar_is_op(below, OP_MUL) && ((is_positive(below->op.arg[0]) && below->op.arg[1] == x) ||
                                                 (is_positive(below->op.arg[1]) && below->op.arg[0] == x));
    return tests_sign && (scalar_is_real(below, 0) || leaks) ? x : NULL;
}

/* The argument in which `s` increases, where all else in it is the same for every element that is compared; NULL: there is none. `varying` are the
 * slots that differ between them. */
static const Scalar *argument_of(const Scalar *s, uint64_t varying) {
    if (s->kind != SCALAR_OP)
        return NULL;
    const Scalar *a = s->op.arg[0], *b = s->op.arg[1];
    switch (s->op.op) {
    case OP_SELECT: return rectified(s);
    case OP_ADD: return b->slots & varying ? (a->slots & varying ? NULL : b) : a;
    case OP_SUB: return b->slots & varying ? NULL : a;
    case OP_MUL: return is_positive(a) ? b : is_positive(b) ? a : NULL;
    case OP_DIV: return is_positive(b) ? a : NULL;
    default: return is_increasing(s->op.op) ? a : NULL;
    }
}

/* The element of a map that nobody else reads as that map computes it. */
static const Scalar *see_through(const Extremes *e, const Scalar *s) {
    const Node *map = s->kind == SCALAR_LOAD ? s->load.tensor : NULL;
    bool is_own = map && map->kind == NODE_EXPR && map->expr.reduce == REDUCE_NONE && map->id < e->readers.count &&
                  e->readers.at[map->id] == 1;
    return is_own ? scalar_substitute(e->g->pool, map->expr.body, s->load.at, map->rank) : NULL;
}

/* From the body inwards: functions, the outermost first, and what they are applied to. */
typedef struct Chain {
    int count;
    const Scalar *function[16];
    const Scalar *argument;
} Chain;

static Chain take_apart(const Extremes *e, const Scalar *body, uint64_t varying) {
    Chain chain = {.argument = body};
    while (chain.count < (int)(sizeof chain.function / sizeof *chain.function)) {
        const Scalar *seen = see_through(e, chain.argument), *s = seen ? seen : chain.argument;
        const Scalar *argument = argument_of(s, varying);
        if (!argument)
            break;
        chain.function[chain.count++] = s;
        chain.argument = argument;
    }
    return chain;
}

/* The function of another argument. */
static const Scalar *apply(ScalarPool *pool, const Scalar *function, const Scalar *old, const Scalar *argument) {
    const Scalar *args[3] = {NULL, NULL, NULL};
    if (function->op.op == OP_SELECT) {
        const Scalar *below = function->op.arg[2], *zero = scalar_real(pool, 0);
        const Scalar *leak = scalar_is_op(below, OP_MUL) ? apply(pool, below, old, argument) : below;
        return scalar_select(pool, scalar_op2(pool, OP_GT, argument, zero), argument, leak);
    }
    for (int i = 0; i < op_info(function->op.op)->arity; i++)
        args[i] = function->op.arg[i] == old ? argument : function->op.arg[i];
    return scalar_with_args(pool, function, args);
}

static uint64_t reduction_slots(const Node *node) {
    uint64_t slots = 0;
    for (int r = 0; r < node->expr.reduced; r++)
        slots |= UINT64_C(1) << (node->rank + r);
    return slots;
}

static const Node *rewrite_node(void *context, Graph *g, const Node *node) {
    const Extremes *e = context;
    if (node->kind != NODE_EXPR || (node->expr.reduce != REDUCE_MAX && node->expr.reduce != REDUCE_MIN))
        return node;
    Chain chain = take_apart(e, node->expr.body, reduction_slots(node));
    if (chain.count == 0 || chain.argument->type != TYPE_REAL)
        return node;
    Origin origin = node->origin;
    if (origin.name)
        origin.name = arena_printf(g->arena, "argument of %s", origin.name);
    const Node *extreme = graph_expr(g, node->rank, node->shape, node->expr.reduce, node->expr.reduced,
                                     node->expr.extents, chain.argument, origin);
    const Scalar *value = node_load_identity(g, extreme);
    for (int i = chain.count - 1; i >= 0; i--)
        value = apply(g->pool, chain.function[i], argument_of(chain.function[i], reduction_slots(node)), value);
    return graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, value, node->origin);
}

/* What a round has changed is counted anew in the next one. */
int opt_extremes(Graph *g) {
    enum { MOST_ROUNDS = 16 };
    Arena *scratch = arena_new((ArenaFailure){0});
    int changes = 0, last = 1;
    for (int round = 0; last > 0 && round < MOST_ROUNDS; round++) {
        Extremes e = {.g = g, .readers = readers_count(g, scratch)};
        last = graph_rebuild(g, rewrite_node, &e);
        changes += last;
    }
    arena_free(scratch);
    return changes;
}
