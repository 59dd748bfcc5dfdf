#include "diff/reverse.h"

#include <string.h>

#include "diff/index_solve.h"
#include "diff/rules.h"
#include "diff/scalar_diff.h"

/* Node ids are dense and operands have smaller ids than their users: arrays by id, and descending ids are an order for the sweep. */
typedef VEC(uint32_t) IdList;

struct Reverse {
    Graph *g;
    Arena *scratch;
    const Node *of;
    const Node **node;    /* by id: what `of` depends on, and it; NULL elsewhere */
    IdList *users;        /* by id: the differentiable nodes that load it, the last one first */
    bool *done;           /* by id: the adjoint is known */
    const Node **adjoint; /* by id; NULL: zero */
};

/* ---- the nodes that `of` depends on ---- */

typedef struct Visit {
    Reverse *reverse;
    const Node *user;
} Visit;

static void visit_operand(void *context, const Node *operand) {
    const Visit *visit = context;
    Reverse *r = visit->reverse;
    IdList *users = &r->users[operand->id];
    bool known = users->count > 0 && users->at[users->count - 1] == visit->user->id;
    if (!known && node_is_differentiable(visit->user))
        vec_push(r->scratch, users, visit->user->id);
    r->node[operand->id] = operand;
}

/* The last user first, whatever way leads to it: equal parts of a network, as the steps of a recurrence, get equal adjoints. */
static void collect(Reverse *r) {
    r->node[r->of->id] = r->of;
    for (uint32_t id = r->of->id + 1; id-- > 0;) {
        Visit visit = {.reverse = r, .user = r->node[id]};
        if (visit.user && visit.user->kind == NODE_EXPR)
            node_each_operand(r->scratch, visit.user, visit_operand, &visit);
    }
}

Reverse *reverse_new(Graph *g, Arena *scratch, const Node *of) {
    Reverse *r = arena_one(scratch, Reverse);
    size_t count = (size_t)of->id + 1;
    *r = (Reverse){.g = g,
                   .scratch = scratch,
                   .of = of,
                   .node = arena_array(scratch, const Node *, count),
                   .users = arena_array(scratch, IdList, count),
                   .done = arena_array(scratch, bool, count),
                   .adjoint = arena_array(scratch, const Node *, count)};
    collect(r);
    Origin origin = {.place = of->origin.place, .name = derived_name(g, "seed", of)};
    r->done[of->id] = true;
    r->adjoint[of->id] = graph_constant(g, 1.0, of->rank, of->shape, origin);
    return r;
}

/* ---- one contribution: X gets dy through one load in y's body ---- */

typedef struct Contribution {
    Reverse *reverse;
    const Node *x, *y, *dy;
    const Scalar *sum;             /* of the contributions so far, over the axes of x */
    const char *letters[MAX_AXES]; /* of these axes: x's own, or those with which the first load walks along them */
} Contribution;

static IndexAccess access_of(const Node *y, const Scalar *load) {
    const Node *x = load->load.tensor;
    IndexAccess access = {.variables = y->rank + y->expr.reduced, .axes = x->rank};
    for (int v = 0; v < access.variables; v++)
        access.extents[v] = node_slot_extent(y, v);
    for (int a = 0; a < x->rank; a++) {
        access.shape[a] = x->shape[a];
        access.at[a] = load->load.at[a];
    }
    return access;
}

static bool letter_is_taken(const Origin *origin, int count, const char *letter) {
    for (int i = 0; i < count; i++)
        if (origin->axes[i] && strcmp(origin->axes[i], letter) == 0)
            return true;
    return false;
}

static void find_letters(Contribution *c, const Scalar *load) {
    for (int a = 0; a < c->x->rank; a++) {
        const Scalar *at = load->load.at[a];
        if (!c->letters[a] && at->kind == SCALAR_INDEX)
            c->letters[a] = c->y->origin.axes[at->index.slot];
    }
}

/* Axes keep their letters where that stays unique; the others print as i0, i1 ... */
static Origin gradient_origin(const Contribution *c, Place place, const IndexSolution *solution) {
    const int rank = c->x->rank;
    Origin origin = {.place = place, .name = derived_name(c->reverse->g, "gradient", c->x)};
    for (int i = 0; i < rank + (solution ? solution->remaining : 0); i++) {
        const char *letter = i < rank ? c->letters[i] : c->y->origin.axes[solution->source[i - rank]];
        origin.axes[i] = letter && !letter_is_taken(&origin, i, letter) ? letter : NULL;
    }
    return origin;
}

static const Scalar *guarded(ScalarPool *pool, const Scalar *condition, const Scalar *value) {
    return scalar_select(pool, condition, value, scalar_real(pool, 0.0));
}

/* The result is at hand for a map. */
static const Scalar *result_of(Graph *g, const Node *y) {
    return y->expr.reduce == REDUCE_NONE ? node_load_identity(g, y) : NULL;
}

static void add_contribution(void *context, const Scalar *load) {
    Contribution *c = context;
    if (load->load.tensor != c->x)
        return;
    Graph *g = c->reverse->g;
    ScalarPool *pool = g->pool;
    const Node *y = c->y;
    const Scalar *partial = scalar_partial(pool, c->reverse->scratch, y->expr.body, load, result_of(g, y));
    const Scalar *term = scalar_op2(pool, OP_MUL, node_value(g, c->dy), partial);
    term = rule_weight(g, y, term);
    IndexAccess access = access_of(y, load);
    IndexSolution solution = index_solve(pool, &access);
    term = scalar_substitute(pool, term, solution.value, access.variables);
    term = guarded(pool, solution.inside, guarded(pool, solution.deltas, term));
    if (scalar_is_real(term, 0.0))
        return;
    find_letters(c, load);
    if (solution.remaining > 0) {
        Origin origin = gradient_origin(c, y->origin.place, &solution);
        const Node *part =
            graph_expr(g, c->x->rank, c->x->shape, REDUCE_SUM, solution.remaining, solution.extents, term, origin);
        term = node_value(g, part);
    }
    c->sum = scalar_op2(pool, OP_ADD, c->sum, term);
}

/* ---- the sweep ---- */

/* All users of x have their adjoints. */
static const Node *adjoint_of(Reverse *r, const Node *x) {
    Graph *g = r->g;
    Contribution c = {.reverse = r, .x = x, .sum = scalar_real(g->pool, 0.0)};
    memcpy(c.letters, x->origin.axes, (size_t)x->rank * sizeof *c.letters);
    const IdList *users = &r->users[x->id];
    for (size_t i = 0; i < users->count; i++) {
        c.y = r->node[users->at[i]];
        c.dy = r->adjoint[c.y->id];
        if (c.dy)
            scalar_each_load(r->scratch, c.y->expr.body, add_contribution, &c);
    }
    if (scalar_is_real(c.sum, 0.0))
        return NULL;
    Origin origin = gradient_origin(&c, x->origin.place, NULL);
    return graph_expr(g, x->rank, x->shape, REDUCE_NONE, 0, NULL, c.sum, origin);
}

/* Which nodes depend on `wrt`, by id from wrt's on. */
static bool *dependents(const Reverse *r, const Node *wrt) {
    bool *depends = arena_array(r->scratch, bool, (size_t)r->of->id + 1);
    depends[wrt->id] = true;
    for (uint32_t id = wrt->id; id <= r->of->id; id++) {
        const IdList *users = &r->users[id];
        for (size_t i = 0; depends[id] && i < users->count; i++)
            depends[users->at[i]] = true;
    }
    return depends;
}

static const Node *zeros_like(Graph *g, const Node *node) {
    Origin origin = {.place = node->origin.place, .name = derived_name(g, "gradient", node)};
    return graph_constant(g, 0.0, node->rank, node->shape, origin);
}

const Node *reverse_gradient(Reverse *r, const Node *wrt) {
    if (wrt->id > r->of->id || !r->node[wrt->id] || wrt->type != TYPE_REAL)
        return zeros_like(r->g, wrt);
    const bool *depends = dependents(r, wrt);
    for (uint32_t id = r->of->id + 1; id-- > wrt->id;) {
        if (depends[id] && !r->done[id]) {
            r->adjoint[id] = adjoint_of(r, r->node[id]);
            r->done[id] = true;
        }
    }
    const Node *adjoint = r->adjoint[wrt->id];
    return adjoint ? adjoint : zeros_like(r->g, wrt);
}
