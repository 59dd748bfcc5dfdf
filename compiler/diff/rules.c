#include "diff/rules.h"

bool node_is_differentiable(const Node *node) {
    return node->kind == NODE_EXPR && node->type == TYPE_REAL;
}

const Scalar *node_value_at(Graph *g, const Node *node, const Scalar *const *at) {
    if (node->kind == NODE_EXPR && node->expr.reduce == REDUCE_NONE) {
        const Scalar *body = node->expr.body;
        if (!body->has_load && body->slots == 0)
            return body;
    }
    return scalar_load(g->pool, node, at);
}

static void identity_indices(Graph *g, const Node *node, const Scalar **at) {
    for (int i = 0; i < node->rank; i++)
        at[i] = scalar_index(g->pool, i, node->shape[i]);
}

const Scalar *node_value(Graph *g, const Node *node) {
    const Scalar *at[MAX_AXES];
    identity_indices(g, node, at);
    return node_value_at(g, node, at);
}

const char *derived_name(Graph *g, const char *what, const Node *node) {
    return node->origin.name ? arena_printf(g->arena, "%s of %s", what, node->origin.name) : NULL;
}

/* ---- max and min ---- */

/* Row-major index of the reduction axes, from their slots. */
static const Scalar *linear_index(Graph *g, const Node *y) {
    const Scalar *linear = scalar_int(g->pool, 0);
    for (int k = 0; k < y->expr.reduced; k++) {
        linear = scalar_op2(g->pool, OP_MUL, linear, scalar_extent(g->pool, y->expr.extents[k]));
        linear = scalar_op2(g->pool, OP_ADD, linear, node_slot(g, y, y->rank + k));
    }
    return linear;
}

/* The position of the first extreme: a node of y's shape. */
static const Node *position_node(Graph *g, const Node *y) {
    Origin origin = y->origin;
    origin.name = derived_name(g, "position", y);
    Reduction reduce = y->expr.reduce == REDUCE_MAX ? REDUCE_ARGMAX : REDUCE_ARGMIN;
    return graph_expr(g, y->rank, y->shape, reduce, y->expr.reduced, y->expr.extents, y->expr.body, origin);
}

static const Scalar *is_chosen(Graph *g, const Node *y) {
    return scalar_op2(g->pool, OP_EQ, linear_index(g, y), node_value(g, position_node(g, y)));
}

/* ---- products ---- */

/* Digits of one linear variable at `slot` for the `count` extents; `inside` collects that a digit of a dynamic axis is below its actual size. Returns
 * the variable's extent. The stride of a dynamic axis is its largest size. */
static Extent digits_of(Graph *g, int slot, int count, const Extent *extents, const Scalar **digits,
                        const Scalar **inside) {
    Extent all = {.size = 1, .per_sample = 0};
    for (int k = 0; k < count; k++)
        all.size *= extents[k].size;
    all.per_sample = count == 1 ? extents[0].per_sample : 0;
    const Scalar *rest = scalar_index(g->pool, slot, all);
    for (int k = count - 1; k >= 0; k--) {
        const Scalar *size = scalar_int(g->pool, extents[k].size);
        digits[k] = k == 0 ? rest : scalar_op2(g->pool, OP_MOD, rest, size);
        rest = scalar_op2(g->pool, OP_FLOORDIV, rest, size);
        *inside = scalar_op2(g->pool, OP_AND, *inside, scalar_within(g->pool, digits[k], extents[k]));
    }
    return all;
}

/* The same variable from its digits. */
static const Scalar *undigits(Graph *g, int count, const Extent *extents, const Scalar *const *digits) {
    const Scalar *linear = scalar_int(g->pool, 0);
    for (int k = 0; k < count; k++) {
        linear = scalar_op2(g->pool, OP_MUL, linear, scalar_int(g->pool, extents[k].size));
        linear = scalar_op2(g->pool, OP_ADD, linear, digits[k]);
    }
    return linear;
}

/* others[i, r] = prod(q) select(q == r, 1, f(i, q)), right where factors are zero. The axes i, r and q are one linear variable each, so that there is
 * room for them whatever y's rank is. Returns the load of others at y's slots. */
static const Scalar *other_factors(Graph *g, const Node *y) {
    enum { SLOT_I, SLOT_R, SLOT_Q };
    ScalarPool *pool = g->pool;
    const Scalar *at[MAX_AXES], *unused[MAX_AXES], *slots[MAX_AXES];
    const Scalar *inside = scalar_bool(pool, true), *ignored = inside;
    Extent shape[2];
    shape[0] = digits_of(g, SLOT_I, y->rank, y->shape, at, &inside);
    shape[1] = digits_of(g, SLOT_R, y->expr.reduced, y->expr.extents, unused, &ignored);
    Extent q = digits_of(g, SLOT_Q, y->expr.reduced, y->expr.extents, at + y->rank, &inside);
    const Scalar *one = scalar_real(pool, 1.0);
    const Scalar *factor = scalar_substitute(pool, y->expr.body, at, y->rank + y->expr.reduced);
    const Scalar *same = scalar_op2(pool, OP_EQ, scalar_index(pool, SLOT_Q, q), scalar_index(pool, SLOT_R, shape[1]));
    factor = scalar_select(pool, inside, scalar_select(pool, same, one, factor), one);
    Origin origin = {.place = y->origin.place, .name = derived_name(g, "other factors", y)};
    const Node *others = graph_expr(g, 2, shape, REDUCE_PROD, 1, &q, factor, origin);
    for (int i = 0; i < y->rank + y->expr.reduced; i++)
        slots[i] = node_slot(g, y, i);
    const Scalar *position[2] = {undigits(g, y->rank, y->shape, slots),
                                 undigits(g, y->expr.reduced, y->expr.extents, slots + y->rank)};
    return node_value_at(g, others, position);
}

const Scalar *rule_weight(Graph *g, const Node *y, const Scalar *term) {
    switch (y->expr.reduce) {
    case REDUCE_MAX:
    case REDUCE_MIN: return scalar_select(g->pool, is_chosen(g, y), term, scalar_real(g->pool, 0.0));
    case REDUCE_PROD: return scalar_op2(g->pool, OP_MUL, term, other_factors(g, y));
    case REDUCE_NONE:
    case REDUCE_SUM:
    case REDUCE_ARGMAX:
    case REDUCE_ARGMIN: break;
    }
    return term;
}
