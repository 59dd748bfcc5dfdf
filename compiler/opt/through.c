#include "opt/through.h"

#include "opt/body.h"
#include "opt/term.h"

enum { LARGEST_SCALARS = 120, LARGEST_LOADS = 10, LARGEST_DEPTH = 6 };

static bool is_plain_op(const Scalar *s) {
    switch (s->op.op) {
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_NEG:
    case OP_SELECT:
    case OP_TO_REAL: return true;
    default: return s->type != TYPE_REAL;
    }
}

/* Digits of indices stay out of their readers: these would no longer be affine. */
static bool is_plain_map(ScalarWalk *walk, const Node *node) {
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_NONE)
        return false;
    BodySize size = body_size(walk, node->expr.body);
    bool plain = !size.digits && !size.random && size.scalars <= LARGEST_SCALARS;
    for (size_t i = 0; i < walk->count && plain; i++)
        plain = walk->at[i]->kind != SCALAR_OP || is_plain_op(walk->at[i]);
    return plain;
}

/* ---- readers ---- */

Readers readers_count(Graph *g, Arena *arena) {
    int *at = arena_array(arena, int, g->node_count);
    NodeList order = graph_order(g, arena, NULL);
    for (size_t i = 0; i < order.count; i++)
        for (int k = 0; k < order.at[i]->operand_count; k++)
            at[order.at[i]->operands[k]->id]++;
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        for (size_t i = 0; i < g->entries[kind].outputs.count; i++)
            at[g->entries[kind].outputs.at[i].value->id]++;
    return (Readers){g->node_count, at};
}

static bool has_one_reader(const Readers *readers, const Node *node) {
    return node->id < readers->count && readers->at[node->id] == 1;
}

/* ---- plain maps that are factors ---- */

/* Loads, each once. */
typedef struct Factors {
    int count;
    const Scalar *loads[LARGEST_LOADS];
} Factors;

static bool factors_have(const Factors *factors, const Scalar *load) {
    int i = 0;
    while (i < factors->count && factors->loads[i] != load)
        i++;
    return i < factors->count;
}

static void factors_add(Factors *factors, ScalarWalk *walk, const Scalar *value, const Readers *readers) {
    const Scalar *load = scalar_is_op(value, OP_TO_REAL) ? value->op.arg[0] : value;
    if (load->kind == SCALAR_LOAD && factors->count < LARGEST_LOADS && !factors_have(factors, load) &&
        (!readers || has_one_reader(readers, load->load.tensor)) && is_plain_map(walk, load->load.tensor))
        factors->loads[factors->count++] = load;
}

static Factors factors_of(ScalarWalk *walk, const Scalar *body, const Readers *readers) {
    Factors factors = {0};
    Sum sum;
    sum_of(body, &sum);
    for (int t = 0; t < sum.count; t++)
        for (int i = 0; i < sum.terms[t].count; i++)
            factors_add(&factors, walk, sum.terms[t].factors[i].value, readers);
    return factors;
}

/* ---- replacing them ---- */

typedef struct Replacing {
    Graph *g;
    const Factors *factors;
} Replacing;

static const Scalar *replace_load(void *context, const Scalar *load, const Scalar *const *at) {
    const Replacing *replacing = context;
    const Node *map = load->load.tensor;
    return factors_have(replacing->factors, load) ? scalar_substitute(replacing->g->pool, map->expr.body, at, map->rank)
                                                  : NULL;
}

static double work_of(ScalarWalk *walk, const Scalar *body) {
    return body_size(walk, body).work;
}

Through body_through_maps(Graph *g, ScalarWalk *walk, const Node *node, const Readers *readers) {
    const Scalar *body = node->expr.body;
    double work = work_of(walk, body);
    Factors factors = factors_of(walk, body, readers);
    for (int depth = 0; factors.count > 0 && depth < LARGEST_DEPTH; depth++) {
        for (int i = 0; i < factors.count; i++)
            work += work_of(walk, factors.loads[i]->load.tensor->expr.body);
        Replacing replacing = {g, &factors};
        body = scalar_rewrite(g->pool, body, (ScalarRewrite){.load = replace_load, .context = &replacing});
        BodySize size = body_size(walk, body);
        if (size.scalars > LARGEST_SCALARS || size.loads > LARGEST_LOADS)
            return (Through){NULL, 0};
        factors = factors_of(walk, body, readers);
    }
    return (Through){body == node->expr.body ? NULL : body, work};
}
