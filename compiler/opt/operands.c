/* Contractions become sums of products of two plain loads, which is what the blocked kernels multiply.
 *
 *     y[b, n] = sum(k) w[n, k] * tanh(x[b, k]) * m[b, k]          t[b, k] = tanh(x[b, k]) * m[b, k]
 *                                                                 y[b, n] = sum(k) w[n, k] * t[b, k]
 *     y[i, j] = sum(k) (a[i, k] * b[k, j] + c[i, k] * d[k, j])    two sums and their sum
 *
 * What an operand computes would otherwise be computed once for each of its repetitions. Nothing is done for a factor that every iteration reads anew. */
#include "ir/graph_check.h"
#include "opt/body.h"
#include "opt/opt.h"
#include "opt/term.h"

enum { MOST_GROUPS = TERM_MAX_FACTORS };

/* Factors with the same variables, or variables that another one of the group has too. */
typedef struct Group {
    uint64_t slots;
    Term product;
} Group;

typedef struct Groups {
    int count;
    Group at[MOST_GROUPS];
} Groups;

static int slot_count(uint64_t slots) {
    int count = 0;
    for (; slots; slots &= slots - 1)
        count++;
    return count;
}

/* Widest first, so that narrower factors find the group they fit in. */
static void sort_by_width(Term *term) {
    for (int i = 1; i < term->count; i++) {
        Factor factor = term->factors[i];
        int k = i;
        for (; k > 0 && slot_count(term->factors[k - 1].value->slots) < slot_count(factor.value->slots); k--)
            term->factors[k] = term->factors[k - 1];
        term->factors[k] = factor;
    }
}

static void add_to_groups(Groups *groups, Factor factor) {
    for (int i = 0; i < groups->count; i++) {
        Group *group = &groups->at[i];
        if ((factor.value->slots & ~group->slots) == 0) {
            group->product.factors[group->product.count++] = factor;
            return;
        }
    }
    groups->at[groups->count++] =
        (Group){.slots = factor.value->slots, .product = {.constant = 1.0, .count = 1, .factors = {factor}}};
}

static bool is_plain_load(const Term *product) {
    return product->count == 1 && !product->factors[0].divides && product->factors[0].value->kind == SCALAR_LOAD;
}

static double points_of(const Node *node, uint64_t slots) {
    double points = 1;
    for (int slot = 0; slot < node->rank + node->expr.reduced; slot++)
        points *= slots >> slot & 1 ? (double)node_slot_extent(node, slot).size : 1.0;
    return points;
}

/* ---- one operand as a node of its own ---- */

typedef struct Indices { /* of the loads in a product */
    const Scalar *first; /* a load */
    bool alike;          /* all loads have the same indices and shape */
} Indices;

static void compare_indices(void *context, const Scalar *load) {
    Indices *indices = context;
    if (!indices->first) {
        indices->first = load;
        return;
    }
    indices->alike = indices->alike && node_same_shape(indices->first->load.tensor, load->load.tensor);
    for (int a = 0; indices->alike && a < load->load.rank; a++)
        indices->alike = load->load.at[a] == indices->first->load.at[a];
}

/* The letters of the tensor, or those with which the load walks along it. */
static Origin operand_origin(const Node *node, const Scalar *load) {
    Origin origin = {.place = node->origin.place, .name = node->origin.name};
    for (int a = 0; a < load->load.rank; a++) {
        const Scalar *at = load->load.at[a];
        const char *letter = load->load.tensor->origin.axes[a];
        origin.axes[a] = letter || at->kind != SCALAR_INDEX ? letter : node->origin.axes[at->index.slot];
    }
    return origin;
}

static const Scalar *load_at_identity(void *context, const Scalar *load, const Scalar *const *at) {
    (void)at;
    return node_load_identity(context, load->load.tensor);
}

static const Scalar *load_as_one(void *context, const Scalar *load, const Scalar *const *at) {
    (void)load;
    (void)at;
    return scalar_real(((Graph *)context)->pool, 1.0);
}

/* All loads walk together, f(x[e], y[e]): the operand is f(x[j], y[j]) over the whole shape, read at e. NULL: they do not, or an index variable stands outside
 * of the loads. */
static const Scalar *operand_of_tensors(Graph *g, const Node *node, const Scalar *value) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Indices indices = {.alike = true};
    scalar_each_load(scratch, value, compare_indices, &indices);
    arena_free(scratch);
    if (!indices.alike || scalar_rewrite(g->pool, value, (ScalarRewrite){.load = load_as_one, .context = g})->slots)
        return NULL;
    const Node *tensor = indices.first->load.tensor;
    const Scalar *body = scalar_rewrite(g->pool, value, (ScalarRewrite){.load = load_at_identity, .context = g});
    const Node *operand =
        graph_expr(g, tensor->rank, tensor->shape, REDUCE_NONE, 0, NULL, body, operand_origin(node, indices.first));
    return scalar_load(g->pool, operand, indices.first->load.at);
}

/* Otherwise the operand has the axes of the loops that it stands in. */
static const Scalar *operand_of_loops(Graph *g, const Node *node, const Scalar *value) {
    const Scalar *map[MAX_AXES] = {NULL}, *at[MAX_AXES];
    Extent shape[MAX_AXES];
    Origin origin = {.place = node->origin.place, .name = node->origin.name};
    int rank = 0;
    for (int slot = 0; slot < node->rank + node->expr.reduced; slot++) {
        if (value->slots >> slot & 1) {
            shape[rank] = node_slot_extent(node, slot);
            origin.axes[rank] = node->origin.axes[slot];
            map[slot] = scalar_index(g->pool, rank, shape[rank]);
            at[rank++] = node_slot(g, node, slot);
        }
    }
    const Scalar *body = scalar_substitute(g->pool, value, map, MAX_AXES);
    const Node *operand = graph_expr(g, rank, shape, REDUCE_NONE, 0, NULL, body, origin);
    return operand->kind != NODE_EXPR || node_loads_proved(g, operand) ? scalar_load(g->pool, operand, at) : NULL;
}

/* ---- the contraction ---- */

static void largest_tensor(void *context, const Scalar *load) {
    double *largest = context, elements = node_iterations(load->load.tensor);
    *largest = elements > *largest ? elements : *largest;
}

/* The group's product under the conditions that speak of its variables alone. */
static const Scalar *group_value(ScalarPool *pool, const Group *group, const Term *whole) {
    Term guarded = group->product;
    for (int i = 0; i < whole->condition_count; i++)
        if ((whole->conditions[i]->slots & ~group->slots) == 0)
            guarded.conditions[guarded.condition_count++] = whole->conditions[i];
    return term_scalar(pool, &guarded);
}

/* A load that stands for the group; NULL when the group stays as it is. */
static const Scalar *operand_for(Graph *g, const Node *node, const Group *group, const Term *whole) {
    enum { LARGEST_GROWTH = 4 };
    const Scalar *product = term_product(g->pool, &group->product);
    double points = points_of(node, group->slots);
    if (is_plain_load(&group->product) || !product->has_load || node_iterations(node) < 2 * points)
        return NULL;
    const Scalar *operand = operand_of_tensors(g, node, product);
    if (operand)
        return operand;
    double largest = 0;
    Arena *scratch = arena_new((ArenaFailure){0});
    scalar_each_load(scratch, product, largest_tensor, &largest);
    arena_free(scratch);
    return points <= LARGEST_GROWTH * largest ? operand_of_loops(g, node, group_value(g->pool, group, whole)) : NULL;
}

static Groups groups_of(const Term *term) {
    Groups groups = {0};
    Term sorted = *term;
    sort_by_width(&sorted);
    for (int i = 0; i < sorted.count; i++)
        add_to_groups(&groups, sorted.factors[i]);
    return groups;
}

/* A contraction multiplies at least two tensors that walk along different variables. */
static bool is_contraction(const Groups *groups) {
    int loading = 0;
    for (int i = 0; i < groups->count; i++) {
        bool loads = false;
        for (int k = 0; k < groups->at[i].product.count; k++)
            loads = loads || groups->at[i].product.factors[k].value->has_load;
        loading += loads;
    }
    return loading >= 2;
}

static Group *group_with(Groups *groups, Factor factor) {
    for (int i = 0; i < groups->count; i++) {
        const Term *product = &groups->at[i].product;
        for (int k = 0; k < product->count; k++)
            if (product->factors[k].value == factor.value && product->factors[k].divides == factor.divides)
                return &groups->at[i];
    }
    return NULL;
}

/* The same sum over bare operands, each where its first factor stood; NULL: it is one already, or no contraction. */
static const Scalar *bare_product(Graph *g, const Node *node) {
    Term term = term_of(node->expr.body);
    Groups groups = groups_of(&term);
    const Scalar *operands[MOST_GROUPS] = {NULL};
    bool used[MOST_GROUPS] = {false}, changed = false;
    for (int i = 0; i < groups.count && is_contraction(&groups); i++) {
        operands[i] = operand_for(g, node, &groups.at[i], &term);
        changed = changed || operands[i];
    }
    Term bare = term;
    bare.count = 0;
    for (int i = 0; i < term.count; i++) {
        int group = (int)(group_with(&groups, term.factors[i]) - groups.at);
        if (!operands[group])
            bare.factors[bare.count++] = term.factors[i];
        else if (!used[group])
            bare.factors[bare.count++] = (Factor){.value = operands[group]};
        used[group] = true;
    }
    return changed ? term_scalar(g->pool, &bare) : NULL;
}

static bool is_repeating_product(const Node *node, const Term *term) {
    Groups groups = groups_of(term);
    return is_contraction(&groups) && node_iterations(node) >= 2 * points_of(node, groups.at[0].slots);
}

/* A sum of several terms with a contraction among them, as a map over one sum for each term; NULL: it is none. */
static const Node *split_terms(Graph *g, const Node *node) {
    Sum sum;
    sum_of(node->expr.body, &sum);
    bool any = false;
    for (int i = 0; i < sum.count && sum.count > 1; i++)
        any = any || is_repeating_product(node, &sum.terms[i]);
    if (!any)
        return NULL;
    const Scalar *all = scalar_real(g->pool, 0.0);
    for (int i = 0; i < sum.count; i++) {
        const Scalar *constant = scalar_real(g->pool, sum.terms[i].constant);
        sum.terms[i].constant = 1.0;
        const Node *part = graph_with_body(g, node, term_scalar(g->pool, &sum.terms[i]));
        if (!node_loads_proved(g, part))
            return NULL;
        const Scalar *value = scalar_op2(g->pool, OP_MUL, constant, node_load_identity(g, part));
        all = scalar_op2(g->pool, OP_ADD, all, value);
    }
    return graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, all, node->origin);
}

static const Node *bare_operands(void *context, Graph *g, const Node *node) {
    (void)context;
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_SUM || node->type != TYPE_REAL)
        return node;
    const Node *split = split_terms(g, node);
    if (split)
        return split;
    const Scalar *body = bare_product(g, node);
    const Node *bare = body ? graph_with_body(g, node, body) : node;
    return bare->kind != NODE_EXPR || node_loads_proved(g, bare) ? bare : node;
}

/* The sums that a sum falls apart into are looked at in the next round. */
int opt_operands(Graph *g) {
    enum { MOST_ROUNDS = 3 };
    int changes = 0, last = 1;
    for (int round = 0; last > 0 && round < MOST_ROUNDS; round++) {
        last = graph_rebuild(g, bare_operands, NULL);
        changes += last;
    }
    return changes;
}
