/* Guarded loads of windows and contractions read a padded copy.
 *
 *     y[i] = sum(u) select(within(i + u - 2, 28), w[u] * x[i + u - 2], 0)
 *
 *     p[j: 32] = select(within(j - 2, 28), x[j - 2], 0)
 *     y[i] = sum(u) w[u] * p[i + u]
 *
 * A condition goes when it speaks of one index expression e of one load, along an axis of fixed size: where it fails, the copy holds the value that the guard
 * gave (0 in a product). Conditions that say something else stay. The copy pays when its elements are read often. */
#include "ir/graph_check.h"
#include "ir/linear.h"
#include "opt/body.h"
#include "opt/opt.h"
#include "opt/term.h"

enum { FEWEST_READS = 3, LARGEST_GROWTH = 4 };

typedef struct Padding {
    Graph *g;
    const Scalar *load; /* the load that is padded */
    const Scalar *fill;
    int64_t low[MAX_AXES]; /* of the index along each axis: 0 and the whole axis where it is not padded */
    Extent shape[MAX_AXES];
    double growth;        /* elements of the copy, in those of the tensor */
    const Scalar *inside; /* conditions, over the axes of the copy */
} Padding;

/* The condition over axis `a` of the copy, when it is a function of the load's index there: within(e + c, extent). NULL: it is not. */
static const Scalar *condition_on_axis(const Padding *p, const Scalar *condition, int a) {
    ScalarPool *pool = p->g->pool;
    Linear offset;
    if (!scalar_is_op(condition, OP_WITHIN) ||
        !linear_of(scalar_op2(pool, OP_SUB, condition->op.arg[0], p->load->load.at[a]), &offset) || offset.count > 0)
        return NULL;
    const Scalar *j = scalar_index(pool, a, p->shape[a]);
    const Scalar *e = scalar_op2(pool, OP_ADD, j, scalar_int(pool, p->low[a] + offset.offset));
    return scalar_within(pool, e, condition->op.extent);
}

/* The range of the load's index along every axis that can leave the tensor; false: unknown, or along a dynamic axis. */
static bool measure(Padding *p) {
    const Node *tensor = p->load->load.tensor;
    p->growth = 1;
    for (int a = 0; a < tensor->rank; a++) {
        const Scalar *at = p->load->load.at[a];
        const Extent extent = tensor->shape[a];
        const Scalar *inside = scalar_within(p->g->pool, at, extent);
        p->low[a] = 0;
        p->shape[a] = extent;
        if (inside->kind == SCALAR_BOOL)
            continue;
        Range range = scalar_range(at);
        if (extent.per_sample > 0 || range.low == INT64_MIN || range.high == INT64_MAX || at->has_load)
            return false;
        p->low[a] = range.low;
        p->shape[a].size = range.high - range.low + 1;
        p->growth *= (double)p->shape[a].size / (double)extent.size;
    }
    return true;
}

static bool pays(const Padding *p, const Node *node) {
    double elements = p->growth * node_iterations(p->load->load.tensor);
    return p->growth <= LARGEST_GROWTH && node_iterations(node) >= FEWEST_READS * elements;
}

static bool is_padded(const Padding *p, int a) {
    return p->shape[a].size != p->load->load.tensor->shape[a].size || p->low[a] != 0;
}

/* Takes the conditions that the copy can hold out of the term. False: nothing is won, or the copy's own loads are not in range. */
static bool take_conditions(Padding *p, Term *term) {
    bool any = false;
    p->inside = scalar_bool(p->g->pool, true);
    for (int i = term->condition_count - 1; i >= 0; i--) {
        for (int a = 0; a < p->load->load.rank; a++) {
            const Scalar *moved = is_padded(p, a) ? condition_on_axis(p, term->conditions[i], a) : NULL;
            if (moved) {
                p->inside = scalar_op2(p->g->pool, OP_AND, p->inside, moved);
                term_remove_condition(term, i);
                any = true;
                break;
            }
        }
    }
    return any;
}

static const Node *padded_copy(const Padding *p) {
    ScalarPool *pool = p->g->pool;
    const Node *tensor = p->load->load.tensor;
    const Scalar *at[MAX_AXES];
    for (int a = 0; a < tensor->rank; a++)
        at[a] = scalar_op2(pool, OP_ADD, scalar_index(pool, a, p->shape[a]), scalar_int(pool, p->low[a]));
    const Scalar *body = scalar_select(pool, p->inside, scalar_load(pool, tensor, at), p->fill);
    Origin origin = {.place = tensor->origin.place};
    if (tensor->origin.name)
        origin.name = arena_printf(p->g->arena, "padded %s", tensor->origin.name);
    for (int a = 0; a < tensor->rank; a++)
        origin.axes[a] = tensor->origin.axes[a];
    return graph_expr(p->g, tensor->rank, p->shape, REDUCE_NONE, 0, NULL, body, origin);
}

/* NULL: the conditions that were moved do not keep the copy's own load in range. */
static const Scalar *load_of_copy(const Padding *p) {
    const Node *copy = padded_copy(p);
    if (!node_loads_proved(p->g, copy))
        return NULL;
    const Scalar *at[MAX_AXES];
    for (int a = 0; a < p->load->load.rank; a++)
        at[a] = scalar_op2(p->g->pool, OP_SUB, p->load->load.at[a], scalar_int(p->g->pool, p->low[a]));
    return scalar_load(p->g->pool, copy, at);
}

/* ---- the reader ---- */

/* Takes the conditions that speak of the index of factor `i` out of the term, into a copy filled with `fill`. */
static bool pad_factor(Graph *g, const Node *node, Term *term, int i, const Scalar *fill) {
    const Factor *factor = &term->factors[i];
    if (factor->divides || factor->value->kind != SCALAR_LOAD)
        return false;
    Padding p = {.g = g, .load = factor->value, .fill = fill};
    Term rest = *term;
    if (!measure(&p) || !pays(&p, node) || !take_conditions(&p, &rest))
        return false;
    rest.factors[i].value = load_of_copy(&p);
    if (!rest.factors[i].value)
        return false;
    *term = rest;
    return true;
}

/* A sum reads 0 outside, in one factor at least; an extreme reads the constant that stands in the guard's other branch. */
static const Scalar *padded_body(Graph *g, const Node *node) {
    const Scalar *body = node->expr.body;
    const Scalar *fill = scalar_is_op(body, OP_SELECT) ? body->op.arg[2] : NULL;
    if (!fill || fill->kind != SCALAR_REAL || (node->expr.reduce == REDUCE_SUM) != (fill->real == 0))
        return NULL;
    Term term = term_guarded_by(body, fill->real);
    if (node->expr.reduce != REDUCE_SUM && (term.count != 1 || term.constant != 1.0))
        return NULL;
    bool changed = false;
    for (int i = 0; i < term.count; i++)
        changed = pad_factor(g, node, &term, i, fill) || changed;
    if (!changed)
        return NULL;
    return scalar_select(g->pool, term_guard(g->pool, &term), term_product(g->pool, &term), fill);
}

static const Node *pad_node(void *context, Graph *g, const Node *node) {
    (void)context;
    if (node->kind != NODE_EXPR || node->expr.reduce == REDUCE_NONE)
        return node;
    const Scalar *body = padded_body(g, node);
    if (!body)
        return node;
    const Node *padded = graph_with_body(g, node, body);
    return node_loads_proved(g, padded) ? padded : node;
}

int opt_pad(Graph *g) {
    return graph_rebuild(g, pad_node, NULL);
}
