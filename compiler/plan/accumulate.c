#include "plan/accumulate.h"

#include <stdlib.h>

#include "plan/terms.h"

/* Fewer terms are read at once as fast. */
enum { FEWEST_TERMS = 8 };

/* The terms of a sum: loads of other sums at the node's own element, and the rest. */
typedef struct Terms {
    ScalarList sums, rest;
} Terms;

static bool is_sum(const Node *node, const Scalar *term) {
    if (term->kind != SCALAR_LOAD || term->type != TYPE_REAL)
        return false;
    const Node *tensor = term->load.tensor;
    return tensor->kind == NODE_EXPR && tensor->expr.reduce == REDUCE_SUM && node_same_shape(tensor, node) &&
           is_at_slots(term, -1);
}

static Terms sort_terms(Arena *scratch, const Node *node) {
    const ScalarList all = terms_of(scratch, node->expr.body);
    Terms terms = {0};
    for (size_t i = 0; i < all.count; i++)
        vec_push(scratch, is_sum(node, all.at[i]) ? &terms.sums : &terms.rest, all.at[i]);
    return terms;
}

/* Operands have smaller ids than what reads them. */
static int compare_times(const void *a, const void *b) {
    const Scalar *const *x = a, *const *y = b;
    uint32_t first = (*x)->load.tensor->id, then = (*y)->load.tensor->id;
    return first < then ? -1 : first > then;
}

static const Node *accumulated(void *context, Graph *g, const Node *node) {
    Arena *scratch = context;
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_NONE || node->type != TYPE_REAL ||
        !scalar_is_op(node->expr.body, OP_ADD))
        return node;
    Terms terms = sort_terms(scratch, node);
    if (terms.sums.count < FEWEST_TERMS)
        return node;
    qsort(terms.sums.at, terms.sums.count, sizeof *terms.sums.at, compare_times);
    Origin origin = node->origin;
    origin.name = node->origin.name ? arena_printf(g->arena, "%s so far", node->origin.name) : NULL;
    const Scalar *sum = terms.sums.at[0];
    for (size_t i = 1; i + 1 < terms.sums.count; i++) {
        sum = scalar_op2(g->pool, OP_ADD, terms.sums.at[i], sum);
        sum = node_load_identity(g, graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, sum, origin));
    }
    sum = scalar_op2(g->pool, OP_ADD, terms.sums.at[terms.sums.count - 1], sum);
    for (size_t i = 0; i < terms.rest.count; i++)
        sum = scalar_op2(g->pool, OP_ADD, sum, terms.rest.at[i]);
    return graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, sum, node->origin);
}

int plan_accumulate(Graph *g) {
    Arena *scratch = arena_new((ArenaFailure){0});
    int changes = graph_rebuild(g, accumulated, scratch);
    arena_free(scratch);
    return changes;
}
