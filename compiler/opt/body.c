#include "opt/body.h"

#include "opt/term.h"

static bool is_digit(const Scalar *s) {
    return scalar_is_op(s, OP_FLOORDIV) || scalar_is_op(s, OP_MOD);
}

static void measure(BodySize *size, const Scalar *s) {
    size->loads += s->kind == SCALAR_LOAD;
    size->digits = size->digits || is_digit(s);
    if (s->kind != SCALAR_OP)
        return;
    size->random = size->random || s->op.op == OP_RANDOM;
    if (s->op.op == OP_SELECT)
        size->selects = size->selects || (s->op.arg[1]->has_load && s->op.arg[2]->has_load);
    else if (s->type == TYPE_REAL || s->op.arg[0]->type == TYPE_REAL)
        size->work += op_info(s->op.op)->flops;
}

BodySize body_size(ScalarWalk *walk, const Scalar *body) {
    BodySize size = {0};
    scalar_walk(walk, body, NULL, NULL);
    size.scalars = (int)walk->count;
    for (size_t i = 0; i < walk->count; i++)
        measure(&size, walk->at[i]);
    return size;
}

double node_iterations(const Node *node) {
    double iterations = 1;
    for (int i = 0; i < node->rank; i++)
        iterations *= (double)node->shape[i].size;
    for (int i = 0; node->kind == NODE_EXPR && i < node->expr.reduced; i++)
        iterations *= (double)node->expr.extents[i].size;
    return iterations;
}

bool body_is_product(const Scalar *body) {
    Term term = term_of(body);
    int loading = 0;
    for (int i = 0; i < term.count; i++)
        loading += term.factors[i].value->has_load;
    return loading >= 2;
}

bool node_is_contraction(const Node *node) {
    return node->kind == NODE_EXPR && node->expr.reduce == REDUCE_SUM && node->type == TYPE_REAL &&
           body_is_product(node->expr.body);
}
