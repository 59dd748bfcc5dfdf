#include "ir/graph_check.h"
#include "opt/body.h"
#include "opt/opt.h"
#include "opt/summation.h"
#include "opt/term.h"
#include "opt/through.h"

/* ---- common factors of a body that is a sum ---- */

static int find_factor(const Term *term, Factor factor) {
    for (int i = 0; i < term->count; i++)
        if (term->factors[i].value == factor.value && term->factors[i].divides == factor.divides)
            return i;
    return -1;
}

static bool all_have(const Sum *sum, Factor factor) {
    for (int i = 0; i < sum->count; i++)
        if (find_factor(&sum->terms[i], factor) < 0)
            return false;
    return true;
}

/* Whether a factor of every term may be evaluated always: it is in a term without a guard, or needs none. */
static bool may_leave(ScalarPool *pool, const Sum *sum, const Scalar *factor) {
    for (int i = 0; i < sum->count; i++)
        if (sum->terms[i].condition_count == 0)
            return true;
    return loads_are_inside(pool, factor);
}

/* a * x + select(c, a * y, 0.0)  ->  a * (x + select(c, y, 0.0)), for a sum of several terms. */
static const Scalar *factor_terms(ScalarPool *pool, const Scalar *body) {
    Sum sum;
    sum_of(body, &sum);
    Term common = {.constant = 1.0};
    for (int i = sum.count > 1 ? sum.terms[0].count - 1 : -1; i >= 0 && common.count + 1 < TERM_MAX_FACTORS; i--) {
        Factor factor = sum.terms[0].factors[i];
        if (!all_have(&sum, factor) || !may_leave(pool, &sum, factor.value))
            continue;
        common.factors[common.count++] = factor;
        for (int k = 0; k < sum.count; k++)
            term_remove_factor(&sum.terms[k], find_factor(&sum.terms[k], factor));
    }
    if (common.count == 0)
        return body;
    Term rest = {.constant = 1.0, .count = 1, .factors = {{.value = sum_scalar(pool, &sum)}}};
    for (int i = 0; i < common.count; i++)
        rest.factors[rest.count++] = common.factors[i];
    return term_product(pool, &rest);
}

/* The same for a body that is a sum, and for the sums among its factors. */
static const Scalar *factor_sum(ScalarPool *pool, const Scalar *body) {
    Term term = term_of(body);
    bool changed = false;
    for (int i = 0; i < term.count; i++) {
        const Scalar *value = factor_terms(pool, term.factors[i].value);
        changed = changed || value != term.factors[i].value;
        term.factors[i].value = value;
    }
    return changed ? term_scalar(pool, &term) : body;
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
    if (count == node->expr.reduced)
        return node;
    const Scalar *body = scalar_substitute(g->pool, node->expr.body, map, MAX_AXES);
    return graph_expr(g, node->rank, node->shape, node->expr.reduce, count, extents, body, origin);
}

/* ---- repetition ---- */

static bool is_absent(const Node *node, int axis) {
    return node->shape[axis].size > 1 && !(node->expr.body->slots >> axis & 1);
}

/* A reduction that is the same along an axis is computed once, and repeated by a map that its readers see through:
 * y[b, i] = sum(k) f(b, k)  ->  once[b] = sum(k) f(b, k);  y[b, i] = once[b] */
static const Node *repeat_along_absent_axes(Graph *g, const Node *node) {
    Extent shape[MAX_AXES];
    const Scalar *map[MAX_AXES] = {NULL}, *at[MAX_AXES];
    Origin origin = node->origin;
    int rank = 0;
    for (int slot = 0; slot < node->rank + node->expr.reduced; slot++) {
        bool output = slot < node->rank;
        if (output && is_absent(node, slot))
            continue;
        int to = output ? rank++ : rank + slot - node->rank;
        map[slot] = scalar_index(g->pool, to, node_slot_extent(node, slot));
        origin.axes[to] = node->origin.axes[slot];
        if (output) {
            shape[to] = node->shape[slot];
            at[to] = node_slot(g, node, slot);
        }
    }
    if (rank == node->rank)
        return node;
    const Scalar *body = scalar_substitute(g->pool, node->expr.body, map, MAX_AXES);
    const Node *once =
        graph_expr(g, rank, shape, node->expr.reduce, node->expr.reduced, node->expr.extents, body, origin);
    return graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, scalar_load(g->pool, once, at), node->origin);
}

/* A sum of integers stays as it is: the terms of the rules are real. */
static const Node *simplify_summation(Graph *g, const Node *node) {
    const Scalar *value = node->type == TYPE_REAL ? summation_simplified(g, node) : NULL;
    return value ? graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, value, node->origin) : node;
}

/* ---- maps seen through ---- */

typedef struct Simplifier {
    ScalarWalk *walk;
    Readers readers;
} Simplifier;

/* Whether the sum has fewer elements than what it reads, so that a factor is better applied to the sum. */
static bool sum_shrinks(const Node *sum) {
    for (int i = 0; i < sum->operand_count; i++)
        if (node_elements(sum) < node_elements(sum->operands[i]))
            return true;
    return false;
}

static bool loses_axis(const Node *node, const Scalar *body) {
    for (int axis = 0; axis < node->rank; axis++)
        if ((node->expr.body->slots & ~body->slots) >> axis & 1)
            return true;
    return false;
}

/* Whether a sum gets smaller: it loses a loop, or what is left of it reads and computes no more than it does without seeing through. One of products
 * takes its operands as they are. */
static bool sum_gains(Graph *g, ScalarWalk *walk, const Node *sum, const Scalar *body) {
    SumForecast forecast = summation_forecast(g, walk, sum, body);
    if (forecast.axes < sum->expr.reduced || loses_axis(sum, body))
        return true;
    BodySize size = body_size(walk, sum->expr.body);
    return forecast.changed && sum_shrinks(sum) && !body_is_product(body) && forecast.loads <= size.loads &&
           forecast.work <= size.work;
}

/* Whether a map has less to do than it and those that it reads, or a common factor. */
static bool map_gains(Graph *g, ScalarWalk *walk, const Through *through) {
    return factor_sum(g->pool, through->body) != through->body || body_size(walk, through->body).work < through->work;
}

/* A load that is in range by the guards of its own map may need a harder proof in the reader; where there is none, the reader stays as it is. */
static const Node *see_through(const Simplifier *s, Graph *g, const Node *node) {
    const bool is_sum = node->expr.reduce == REDUCE_SUM;
    if (node->expr.reduce != REDUCE_NONE && !is_sum)
        return node;
    Through through = body_through_maps(g, s->walk, node, is_sum ? NULL : &s->readers);
    if (!through.body || !(is_sum ? sum_gains(g, s->walk, node, through.body) : map_gains(g, s->walk, &through)))
        return node;
    const Node *result = graph_with_body(g, node, factor_sum(g->pool, through.body));
    return result->kind != NODE_EXPR || node_loads_proved(g, result) ? result : node;
}

static const Node *simplify_node(void *context, Graph *g, const Node *node) {
    if (node->kind == NODE_EXPR && node->type == TYPE_REAL)
        node = graph_with_body(g, node, factor_sum(g->pool, node->expr.body));
    if (node->kind == NODE_EXPR && node->type == TYPE_REAL)
        node = see_through(context, g, node);
    if (node->kind == NODE_EXPR && node->expr.reduce != REDUCE_NONE)
        node = repeat_along_absent_axes(g, node);
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
    Arena *scratch = arena_new((ArenaFailure){0});
    Simplifier s = {.walk = scalar_walk_new(scratch)};
    int changes = 0, last = 1;
    for (int round = 0; last > 0 && round < MOST_ROUNDS; round++) {
        s.readers = readers_count(g, scratch);
        last = graph_rebuild(g, simplify_node, &s);
        changes += last;
    }
    arena_free(scratch);
    return changes;
}
