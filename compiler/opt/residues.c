/* Sums that are 0 but where an axis leaves a certain remainder are computed there alone, which is what the adjoint of a strided
 * window of size 1 comes to:
 *
 *     y[i, c] = sum(o) select(i mod 2 == 0, g[i div 2, o] * w[o, c], 0)
 *
 *     s[j, c] = sum(o) g[j, o] * w[o, c];    y[i, c] = select(i mod 2 == 0, s[i div 2, c], 0)
 *
 * The sum is a contraction of plain tensors then, with so many times less to do; its readers see through the map. */
#include "ir/affine.h"
#include "ir/graph_check.h"
#include "opt/opt.h"
#include "opt/term.h"

/* The places of an axis where index mod modulus == value; modulus 0: all. */
typedef struct Residue {
    int64_t modulus, value;
} Residue;

static int64_t places_of(const Node *node, int slot, Residue residue) {
    return (node->shape[slot].size - residue.value + residue.modulus - 1) / residue.modulus;
}

/* The condition is one on the remainder of an output axis of fixed size; of the places where it holds, index div modulus is a number of its own,
 * and everywhere else it is one of these too. Returns the axis; -1: it is something else. */
static int residue_of(const Node *node, const Scalar *condition, Residue *residue) {
    const Scalar *left = scalar_is_op(condition, OP_EQ) ? condition->op.arg[0] : NULL;
    Affine affine;
    if (!left || !scalar_is_op(left, OP_MOD) || left->op.arg[1]->kind != SCALAR_INT ||
        condition->op.arg[1]->kind != SCALAR_INT || !affine_of(left->op.arg[0], &affine))
        return -1;
    const int slot = affine.count == 1 ? affine.terms[0].slot : -1;
    if (slot < 0 || slot >= node->rank || affine_has_digits(&affine) || affine.per_n != 0 ||
        affine.terms[0].coefficient != 1 || node->shape[slot].per_sample != 0)
        return -1;
    const int64_t modulus = left->op.arg[1]->integer, size = node->shape[slot].size;
    const int64_t value = (condition->op.arg[1]->integer - affine.offset) % modulus;
    *residue = (Residue){modulus, value < 0 ? value + modulus : value};
    return residue->value < size && places_of(node, slot, *residue) == (size - 1) / modulus + 1 ? slot : -1;
}

/* Takes the conditions out of the term. The number of axes that they speak of. */
static int take_residues(const Node *node, Term *term, Residue *residues) {
    int count = 0;
    for (int i = term->condition_count - 1; i >= 0; i--) {
        Residue residue;
        const int slot = residue_of(node, term->conditions[i], &residue);
        if (slot < 0 || residues[slot].modulus > 0)
            continue;
        residues[slot] = residue;
        term_remove_condition(term, i);
        count++;
    }
    return count;
}

/* The sum at those places. */
static const Node *sum_at(Graph *g, const Node *node, const Term *term, const Residue *residues) {
    ScalarPool *pool = g->pool;
    Extent shape[MAX_AXES];
    const Scalar *map[MAX_AXES] = {NULL};
    for (int slot = 0; slot < node->rank; slot++) {
        const Residue r = residues[slot];
        shape[slot] = node->shape[slot];
        if (r.modulus == 0)
            continue;
        shape[slot].size = places_of(node, slot, r);
        const Scalar *first =
            scalar_op2(pool, OP_MUL, scalar_int(pool, r.modulus), scalar_index(pool, slot, shape[slot]));
        map[slot] = scalar_op2(pool, OP_ADD, first, scalar_int(pool, r.value));
    }
    Origin origin = node->origin;
    if (origin.name)
        origin.name = arena_printf(g->arena, "nonzero %s", origin.name);
    const Scalar *body = scalar_substitute(pool, term_scalar(pool, term), map, node->rank);
    return graph_expr(g, node->rank, shape, REDUCE_SUM, node->expr.reduced, node->expr.extents, body, origin);
}

/* Its values there, and 0 elsewhere. */
static const Node *spread(Graph *g, const Node *node, const Node *sum, const Residue *residues) {
    ScalarPool *pool = g->pool;
    const Scalar *at[MAX_AXES], *there = scalar_bool(pool, true);
    for (int slot = 0; slot < node->rank; slot++) {
        const Residue r = residues[slot];
        const Scalar *index = node_slot(g, node, slot), *modulus = scalar_int(pool, r.modulus);
        at[slot] = index;
        if (r.modulus == 0)
            continue;
        const Scalar *rest = scalar_op2(pool, OP_MOD, index, modulus);
        there = scalar_op2(pool, OP_AND, there, scalar_op2(pool, OP_EQ, rest, scalar_int(pool, r.value)));
        at[slot] = scalar_op2(pool, OP_FLOORDIV, index, modulus);
    }
    const Scalar *body = scalar_select(pool, there, scalar_load(pool, sum, at), scalar_real(pool, 0));
    return graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, body, node->origin);
}

static const Node *narrow(void *context, Graph *g, const Node *node) {
    (void)context;
    if (node->kind != NODE_EXPR || node->type != TYPE_REAL || node->expr.reduce != REDUCE_SUM)
        return node;
    Term term = term_of(node->expr.body);
    Residue residues[MAX_AXES] = {{0}};
    if (take_residues(node, &term, residues) == 0)
        return node;
    const Node *sum = sum_at(g, node, &term, residues);
    return sum->kind != NODE_EXPR || node_loads_proved(g, sum) ? spread(g, node, sum, residues) : node;
}

int opt_residues(Graph *g) {
    return graph_rebuild(g, narrow, NULL);
}
