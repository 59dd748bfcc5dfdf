/* Exponentials of what cannot be positive: the function need not reach beyond the range of numbers on both sides.
 *
 *     largest[b] = max(k) x[b, k];  e[b, c] = exp(x[b, c] - largest[b])   ->   e[b, c] = decay(x[b, c] - largest[b])
 *
 * So are those of min(x, 0) and of -x * x. Rounding may make a little more than 0 of an argument, where x and its largest are computed in different
 * places; decay is right there, too.
 */
#include "ir/scalar_walk.h"
#include "opt/opt.h"

typedef struct Decays {
    Graph *g;
    ScalarWalk *inner, *outer;
} Decays;

/* Every value of `index` is one of the variable's. */
static bool is_covered(const Scalar *index, const Scalar *variable) {
    const Extent extent = variable->index.extent;
    if (index->kind == SCALAR_INDEX)
        return same_extent(index->index.extent, extent);
    return extent.per_sample == 0 && index->range.low >= 0 && index->range.high < extent.size;
}

/* The variables of the reduction, where `inner`, a load in its body, reads what `outer` reads; false: that does not tell them. */
static bool match_load(const Node *largest, const Scalar *inner, const Scalar *outer, const Scalar **map) {
    const int rank = largest->rank;
    for (int v = rank; v < rank + largest->expr.reduced; v++)
        map[v] = NULL;
    for (int i = 0; i < inner->load.rank; i++) {
        const Scalar *variable = inner->load.at[i];
        if (variable->kind == SCALAR_INDEX && variable->index.slot >= rank && is_covered(outer->load.at[i], variable))
            map[variable->index.slot] = outer->load.at[i];
    }
    for (int v = rank; v < rank + largest->expr.reduced; v++)
        if (!map[v])
            return false;
    return true;
}

/* Is x one of the values whose largest the load reads? */
static bool is_one_of(Decays *d, const Scalar *x, const Scalar *load) {
    const Node *largest = load->kind == SCALAR_LOAD ? load->load.tensor : NULL;
    if (!largest || largest->kind != NODE_EXPR || largest->expr.reduce != REDUCE_MAX)
        return false;
    const Scalar *map[MAX_AXES];
    for (int i = 0; i < largest->rank; i++)
        map[i] = load->load.at[i];
    scalar_walk(d->inner, largest->expr.body, NULL, NULL);
    scalar_walk(d->outer, x, NULL, NULL);
    for (size_t i = 0; i < d->inner->count; i++)
        for (size_t o = 0; o < d->outer->count; o++) {
            const Scalar *inside = d->inner->at[i], *outside = d->outer->at[o];
            if (inside->kind == SCALAR_LOAD && outside->kind == SCALAR_LOAD &&
                inside->load.tensor == outside->load.tensor && match_load(largest, inside, outside, map) &&
                scalar_substitute(d->g->pool, largest->expr.body, map, largest->rank + largest->expr.reduced) == x)
                return true;
        }
    return false;
}

static bool is_square(const Scalar *s) {
    return scalar_is_op(s, OP_MUL) && s->op.arg[0] == s->op.arg[1];
}

static bool is_at_most_0(const Scalar *s) {
    return s->kind == SCALAR_REAL && s->real <= 0;
}

static bool cannot_be_positive(Decays *d, const Scalar *s) {
    if (s->kind != SCALAR_OP)
        return false;
    const Scalar *a = s->op.arg[0], *b = s->op.arg[1];
    switch (s->op.op) {
    case OP_SUB: return is_one_of(d, a, b);
    case OP_MIN: return is_at_most_0(a) || is_at_most_0(b);
    case OP_NEG: return is_square(a) || scalar_is_op(a, OP_ABS);
    case OP_MUL: return (is_at_most_0(a) && is_square(b)) || (is_at_most_0(b) && is_square(a));
    default: return false;
    }
}

static const Scalar *as_decay(void *context, const Scalar *s, const Scalar *const *args) {
    Decays *d = context;
    bool decays = s->op.op == OP_EXP && cannot_be_positive(d, s->op.arg[0]);
    return decays ? scalar_op1(d->g->pool, OP_DECAY, args[0]) : NULL;
}

static const Node *rewrite_node(void *context, Graph *g, const Node *node) {
    if (node->kind != NODE_EXPR)
        return node;
    ScalarRewrite rewrite = {.op = as_decay, .context = context};
    return graph_with_body(g, node, scalar_rewrite(g->pool, node->expr.body, rewrite));
}

int opt_decays(Graph *g) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Decays d = {g, scalar_walk_new(scratch), scalar_walk_new(scratch)};
    int changes = graph_rebuild(g, rewrite_node, &d);
    arena_free(scratch);
    return changes;
}
