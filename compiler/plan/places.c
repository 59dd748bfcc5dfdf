#include "plan/places.h"

#include "ir/graph_check.h"
#include "plan/estimate.h"

typedef struct Places {
    const Target *target;
    PointerMap *readers; /* of maps that choose: how many nodes read them */
} Places;

static bool has_equality(const Scalar *test) {
    if (scalar_is_op(test, OP_AND))
        return has_equality(test->op.arg[0]) || has_equality(test->op.arg[1]);
    return scalar_is_op(test, OP_EQ) && test->op.arg[0]->type == TYPE_INT;
}

/* A map that is 0 but where integers are equal. */
static bool chooses(const Node *node) {
    const Scalar *body = node->kind == NODE_EXPR && node->expr.reduce == REDUCE_NONE ? node->expr.body : NULL;
    return body && scalar_is_op(body, OP_SELECT) && scalar_is_real(body->op.arg[2], 0) && has_equality(body->op.arg[0]);
}

static void count_reader(void *context, const Node *operand) {
    PointerMap *readers = context;
    size_t count = (size_t)(uintptr_t)pointer_map_get(readers, operand);
    if (chooses(operand))
        pointer_map_put(readers, operand, (void *)(uintptr_t)(count + 1));
}

static PointerMap *count_readers(Graph *g, Arena *arena) {
    PointerMap *readers = pointer_map_new(arena);
    const NodeList order = graph_order(g, arena, NULL);
    for (size_t i = 0; i < order.count; i++)
        if (order.at[i]->kind == NODE_EXPR)
            node_each_operand(arena, order.at[i], count_reader, readers);
    return readers;
}

typedef struct Replacement {
    Graph *g;
    const Node *factor;
} Replacement;

static const Scalar *replace_load(void *context, const Scalar *load, const Scalar *const *at) {
    const Replacement *r = context;
    return load->load.tensor == r->factor ? scalar_substitute(r->g->pool, r->factor->expr.body, at, r->factor->rank)
                                          : NULL;
}

/* The sum with the conditions of the factor in its own body. */
static const Node *with_conditions(Graph *g, const Node *node, const Node *factor) {
    Replacement r = {g, factor};
    const Scalar *body = scalar_rewrite(g->pool, node->expr.body, (ScalarRewrite){.load = replace_load, .context = &r});
    return graph_with_body(g, node, body);
}

/* What nobody else reads need not be made. */
static bool pays(Graph *g, const Places *p, const Node *product, const Node *factor, const Node *sum) {
    double before = estimate_cycles(g, p->target, product);
    if ((size_t)(uintptr_t)pointer_map_get(p->readers, factor) == 1)
        before += estimate_cycles(g, p->target, factor);
    return estimate_scatters(g, p->target, sum) && estimate_cycles(g, p->target, sum) < before;
}

static const Node *choose_places(void *context, Graph *g, const Node *node) {
    const Places *p = context;
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_SUM || !scalar_is_op(node->expr.body, OP_MUL))
        return node;
    for (int i = 0; i < node->operand_count; i++) {
        const Node *factor = node->operands[i];
        if (!pointer_map_get(p->readers, factor))
            continue;
        const Node *sum = with_conditions(g, node, factor);
        if (sum->kind == NODE_EXPR && node_loads_proved(g, sum) && pays(g, p, node, factor, sum))
            return sum;
    }
    return node;
}

int plan_places(Graph *g, const Target *target) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Places places = {target, count_readers(g, scratch)};
    int changes = graph_rebuild(g, choose_places, &places);
    arena_free(scratch);
    return changes;
}
