#include "opt/opt.h"
#include "opt/summation.h"
#include "opt/term.h"

/* ---- common factors of a body that is a sum ---- */

static int find_factor(const Term *term, Factor factor) {
    for (int i = 0; i < term->count; i++) {
        if (term->factors[i].value == factor.value && term->factors[i].divides == factor.divides) {
            return i;
        }
    }
    return -1;
}

static bool all_have(const Sum *sum, Factor factor) {
    for (int i = 0; i < sum->count; i++) {
        if (find_factor(&sum->terms[i], factor) < 0) {
            return false;
        }
    }
    return true;
}

/* Whether a factor of every term may be evaluated always: it is in a term without a guard, or needs none. */
static bool may_leave(ScalarPool *pool, const Sum *sum, const Scalar *factor) {
    for (int i = 0; i < sum->count; i++) {
        if (sum->terms[i].condition_count == 0) {
            return true;
        }
    }
    return loads_are_inside(pool, factor);
}

/* a * x + select(c, a * y, 0.0)  ->  a * (x + select(c, y, 0.0)) */
static const Scalar *factor_sum(ScalarPool *pool, const Scalar *body) {
    Sum sum;
    sum_of(body, &sum);
    Term common = {.constant = 1.0};
    for (int i = sum.count > 1 ? sum.terms[0].count - 1 : -1; i >= 0 && common.count + 1 < TERM_MAX_FACTORS; i--) {
        Factor factor = sum.terms[0].factors[i];
        if (!all_have(&sum, factor) || !may_leave(pool, &sum, factor.value)) {
            continue;
        }
        common.factors[common.count++] = factor;
        for (int k = 0; k < sum.count; k++) {
            term_remove_factor(&sum.terms[k], find_factor(&sum.terms[k], factor));
        }
    }
    if (common.count == 0) {
        return body;
    }
    Term rest = {.constant = 1.0, .count = 1, .factors = {{.value = sum_scalar(pool, &sum)}}};
    for (int i = 0; i < common.count; i++) {
        rest.factors[rest.count++] = common.factors[i];
    }
    return term_product(pool, &rest);
}

/* ---- reductions ---- */

/* max(k, l) f(k)  ->  max(k) f(k) */
static const Node *drop_absent_axes(Graph *g, const Node *node) {
    Extent extents[MAX_AXES];
    const Scalar *map[MAX_AXES] = {NULL};
    Origin origin = node->origin;
    int count = 0;
    for (int i = 0; i < node->expr.reduced; i++) {
        int slot = node->rank + i;
        if (node->expr.body->slots >> slot & 1) {
            map[slot] = scalar_index(g->pool, node->rank + count, node->expr.extents[i]);
            origin.axes[node->rank + count] = node->origin.axes[slot];
            extents[count++] = node->expr.extents[i];
        }
    }
    if (count == node->expr.reduced) {
        return node;
    }
    const Scalar *body = scalar_substitute(g->pool, node->expr.body, map, MAX_AXES);
    return graph_expr(g, node->rank, node->shape, node->expr.reduce, count, extents, body, origin);
}

static const Node *simplify_summation(Graph *g, const Node *node) {
    const Scalar *value = summation_simplified(g, node);
    return value ? graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, value, node->origin) : node;
}

static const Node *simplify_node(void *context, Graph *g, const Node *node) {
    (void)context;
    if (node->kind != NODE_EXPR) {
        return node;
    }
    if (node->type == TYPE_REAL) {
        const Scalar *body = factor_sum(g->pool, node->expr.body);
        node = body == node->expr.body ? node
                                       : graph_expr(g, node->rank, node->shape, node->expr.reduce, node->expr.reduced,
                                                    node->expr.extents, body, node->origin);
    }
    switch (node->kind == NODE_EXPR ? node->expr.reduce : REDUCE_NONE) {
    case REDUCE_SUM: return simplify_summation(g, node);
    case REDUCE_MAX:
    case REDUCE_MIN: return drop_absent_axes(g, node);
    case REDUCE_NONE:
    case REDUCE_PROD:
    case REDUCE_ARGMAX:
    case REDUCE_ARGMIN: break;
    }
    return node;
}

/* A rule may make room for another one, in the nodes that it leaves. */
int opt_simplify(Graph *g) {
    enum { MOST_ROUNDS = 8 };
    int changes = 0, last = 1;
    for (int round = 0; last > 0 && round < MOST_ROUNDS; round++) {
        last = graph_rebuild(g, simplify_node, NULL);
        changes += last;
    }
    return changes;
}
