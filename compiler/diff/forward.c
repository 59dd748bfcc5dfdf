#include "diff/forward.h"

#include "diff/rules.h"
#include "diff/scalar_diff.h"

struct Forward {
    Graph *g;
    Arena *scratch;
    PointerMap *known;    /* nodes whose tangent is known */
    PointerMap *tangents; /* node -> tangent; absent when it is zero */
};

typedef VEC(const Node *) OpenNodes;

Forward *forward_new(Graph *g, Arena *scratch, const Node *wrt, const Node *tangent) {
    Forward *f = arena_one(scratch, Forward);
    *f = (Forward){.g = g, .scratch = scratch, .known = pointer_map_new(scratch), .tangents = pointer_map_new(scratch)};
    pointer_map_put(f->known, wrt, wrt);
    pointer_map_put(f->tangents, wrt, tangent);
    return f;
}

static const Scalar *tangent_of_load(void *context, const Scalar *load) {
    Forward *f = context;
    const Node *tangent = pointer_map_get(f->tangents, load->load.tensor);
    return tangent ? node_value_at(f->g, tangent, load->load.at) : scalar_real(f->g->pool, 0.0);
}

/* All operands have their tangents. NULL: zero. */
static const Node *tangent_of_node(Forward *f, const Node *y) {
    Graph *g = f->g;
    if (!node_is_differentiable(y))
        return NULL;
    Tangent rule = {.pool = g->pool, .scratch = f->scratch, .load = tangent_of_load, .context = f};
    rule.result = y->expr.reduce == REDUCE_NONE ? node_load_identity(g, y) : NULL;
    const Scalar *body = scalar_tangent(&rule, y->expr.body);
    if (scalar_is_real(body, 0.0))
        return NULL;
    body = rule_weight(g, y, body);
    Origin origin = y->origin;
    origin.name = derived_name(g, "tangent", y);
    origin.equation = NULL;
    Reduction reduce = y->expr.reduce == REDUCE_NONE ? REDUCE_NONE : REDUCE_SUM;
    return graph_expr(g, y->rank, y->shape, reduce, y->expr.reduced, y->expr.extents, body, origin);
}

typedef struct Visit {
    Forward *forward;
    OpenNodes *open;
} Visit;

static void visit_operand(void *context, const Node *operand) {
    Visit *visit = context;
    if (!pointer_map_get(visit->forward->known, operand))
        vec_push(visit->forward->scratch, visit->open, operand);
}

static void make_tangent(Forward *f, const Node *node) {
    if (pointer_map_get(f->known, node))
        return;
    const Node *tangent = tangent_of_node(f, node);
    pointer_map_put(f->known, node, node);
    if (tangent)
        pointer_map_put(f->tangents, node, tangent);
}

const Node *forward_derivative(Forward *f, const Node *of) {
    OpenNodes open = {0};
    vec_push(f->scratch, &open, of);
    while (open.count > 0) {
        const Node *node = open.at[open.count - 1];
        size_t before = open.count;
        if (node_is_differentiable(node) && !pointer_map_get(f->known, node))
            node_each_operand(f->scratch, node, visit_operand, &(Visit){.forward = f, .open = &open});
        if (open.count == before) {
            open.count--;
            make_tangent(f, node);
        }
    }
    const Node *tangent = pointer_map_get(f->tangents, of);
    if (tangent)
        return tangent;
    Origin origin = {.place = of->origin.place, .name = derived_name(f->g, "tangent", of)};
    return graph_constant(f->g, 0.0, of->rank, of->shape, origin);
}
