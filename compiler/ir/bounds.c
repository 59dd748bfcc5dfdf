#include "ir/bounds.h"

#include <math.h>
#include "ir/scalar_walk.h"

static const Bounds ANYTHING = {-INFINITY, INFINITY};

/* What is known of a node: its elements, and the terms that its reduction takes in. */
typedef struct NodeBounds {
    Bounds elements, terms;
} NodeBounds;

struct BoundsTable {
    Arena *arena;
    PointerMap *known; /* node to NodeBounds */
    ScalarWalk *walk;
    Bounds *found; /* beside the list of the walk */
    size_t room;
    NodeList open; /* nodes whose operands are looked at first */
};

BoundsTable *bounds_table_new(Arena *arena) {
    BoundsTable *table = arena_one(arena, BoundsTable);
    table->arena = arena;
    table->known = pointer_map_new(arena);
    table->walk = scalar_walk_new(arena);
    return table;
}

/* ---- intervals ---- */

static Bounds both(Bounds a, Bounds b) {
    Bounds meet = {fmax(a.low, b.low), fmin(a.high, b.high)};
    return meet.low <= meet.high ? meet : a; /* where none is left, the element is never computed */
}

static Bounds either(Bounds a, Bounds b) {
    return (Bounds){fmin(a.low, b.low), fmax(a.high, b.high)};
}

/* An end that has no value, as infinity less infinity, is no end. */
static Bounds with_ends(double low, double high) {
    return (Bounds){isnan(low) ? -INFINITY : low, isnan(high) ? INFINITY : high};
}

static Bounds negative(Bounds a) {
    return (Bounds){-a.high, -a.low};
}

static Bounds sum_of(Bounds a, Bounds b) {
    return with_ends(a.low + b.low, a.high + b.high);
}

/* 0 times what grows without bound is 0: each of its values is a number. */
static double times(double a, double b) {
    return a == 0 || b == 0 ? 0 : a * b;
}

static Bounds product_of(Bounds a, Bounds b) {
    double ends[] = {times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)};
    Bounds result = {ends[0], ends[0]};
    for (int i = 1; i < 4; i++)
        result = either(result, (Bounds){ends[i], ends[i]});
    return result;
}

static Bounds square_of(Bounds a) {
    double largest = fmax(fabs(a.low), fabs(a.high));
    double smallest = a.low > 0 ? a.low : a.high < 0 ? a.high : 0;
    return (Bounds){smallest * smallest, largest * largest};
}

static Bounds reciprocal_of(Bounds a) {
    if (a.low > 0 || a.high < 0)
        return (Bounds){1 / a.high, 1 / a.low};
    if (a.low == 0 && a.high > 0)
        return (Bounds){1 / a.high, INFINITY};
    return a.high == 0 && a.low < 0 ? (Bounds){-INFINITY, 1 / a.low} : ANYTHING;
}

static Bounds absolute_of(Bounds a) {
    Bounds magnitude = {0, fmax(fabs(a.low), fabs(a.high))};
    return a.low > 0 ? a : a.high < 0 ? negative(a) : magnitude;
}

/* a^b: b is one number, or a is not negative. */
static Bounds power_of(Bounds a, Bounds b) {
    bool is_even = b.low == b.high && fmod(b.low, 2) == 0;
    if (a.low >= 0 && b.low == b.high && b.low > 0)
        return with_ends(pow(a.low, b.low), pow(a.high, b.low));
    return a.low >= 0 || is_even ? (Bounds){0, INFINITY} : ANYTHING;
}

/* ---- functions that only rise ---- */

static bool rises(Op op) {
    static const bool table[OP_COUNT] = {
        [OP_EXP] = true,      [OP_DECAY] = true, [OP_EXPM1] = true,   [OP_LOG] = true,     [OP_LOG1P] = true,
        [OP_LOG1PEXP] = true, [OP_SQRT] = true,  [OP_TANH] = true,    [OP_SIGMOID] = true, [OP_ERF] = true,
        [OP_SIGN] = true,     [OP_FLOOR] = true, [OP_TO_REAL] = true,
    };
    return table[op];
}

/* Below it the function has no value. */
static double start_of_domain(Op op) {
    return op == OP_LOG || op == OP_SQRT ? 0 : op == OP_LOG1P ? -1 : -INFINITY;
}

static Bounds risen(Op op, Bounds a) {
    double start = start_of_domain(op);
    return a.high < start ? ANYTHING : with_ends(op_fold(op, fmax(a.low, start), 0), op_fold(op, a.high, 0));
}

/* ---- terms of a sum ---- */

/* Is an expression what the body of a reduction is at some place? Output axes are those of a load of the reduced tensor, and reduction axes stand
 * for whatever is first found in their place. */
typedef struct Match {
    const Node *node;
    const Scalar *const *at; /* the indices of the load */
    const Scalar *terms[MAX_AXES];
    int steps; /* that are left: what is longer than this is no match */
} Match;

enum { MATCH_STEPS = 500, MATCH_DEPTH = 60 };

static bool is_index_of(const Scalar *s, Extent extent) {
    if (s->kind == SCALAR_INDEX && same_extent(s->index.extent, extent))
        return true;
    Range range = scalar_range(s);
    return extent.per_sample == 0 && range.low >= 0 && range.high < extent.size;
}

static bool match_index(Match *m, const Scalar *leaf, const Scalar *s) {
    int slot = leaf->index.slot;
    if (slot < m->node->rank)
        return m->at[slot] == s;
    const Scalar **term = &m->terms[slot - m->node->rank];
    if (*term == NULL && is_index_of(s, leaf->index.extent))
        *term = s;
    return *term == s;
}

static bool match(Match *m, const Scalar *body, const Scalar *s, int depth) {
    if (depth == MATCH_DEPTH || --m->steps < 0)
        return false;
    if (body->kind == SCALAR_INDEX)
        return match_index(m, body, s);
    if (body->slots == 0)
        return body == s;
    if (body->kind != s->kind || (body->kind == SCALAR_LOAD && body->load.tensor != s->load.tensor) ||
        (body->kind == SCALAR_OP && (body->op.op != s->op.op || !same_extent(body->op.extent, s->op.extent))))
        return false;
    for (int i = 0; i < scalar_child_count(body); i++)
        if (!match(m, scalar_child(body, i), scalar_child(s, i), depth + 1))
            return false;
    return true;
}

static const Node *behind_detach(const Node *node) {
    while (node->kind == NODE_DETACH)
        node = node->derivative.of;
    return node;
}

/* The reduction of this kind that the load reads, if `s` is one of its terms; NULL: it is not. */
static const Node *reduction_over(const Scalar *load, Reduction reduce, const Scalar *s) {
    if (load->kind != SCALAR_LOAD)
        return NULL;
    const Node *node = behind_detach(load->load.tensor);
    if (node->kind != NODE_EXPR || node->expr.reduce != reduce)
        return NULL;
    Match m = {.node = node, .at = load->load.at, .steps = MATCH_STEPS};
    return match(&m, node->expr.body, s, 0) ? node : NULL;
}

/* ---- one expression ---- */

static const Scalar *argument(const Scalar *s, int i) {
    return s->op.arg[i];
}

static Bounds found(const BoundsTable *table, const Scalar *s) {
    return table->found[scalar_walk_position(table->walk, s)];
}

static Bounds argument_bounds(const BoundsTable *table, const Scalar *s, int i) {
    return found(table, argument(s, i));
}

static Bounds difference(const BoundsTable *table, const Scalar *s) {
    const Scalar *a = argument(s, 0), *b = argument(s, 1);
    Bounds bounds = sum_of(found(table, a), negative(found(table, b)));
    if (reduction_over(b, REDUCE_MAX, a) != NULL)
        return both(bounds, (Bounds){-INFINITY, 0});
    return reduction_over(b, REDUCE_MIN, a) != NULL ? both(bounds, (Bounds){0, INFINITY}) : bounds;
}

static Bounds quotient(const BoundsTable *table, const Scalar *s) {
    const Scalar *a = argument(s, 0), *b = argument(s, 1);
    Bounds bounds = product_of(found(table, a), reciprocal_of(found(table, b)));
    const Node *sum = reduction_over(b, REDUCE_SUM, a);
    if (sum != NULL && ((const NodeBounds *)pointer_map_get(table->known, sum))->terms.low >= 0)
        return both(bounds, (Bounds){0, 1});
    return bounds;
}

/* What `x op limit` says of x. */
static Bounds compared(Op op, Bounds limit) {
    switch (op) {
    case OP_EQ: return limit;
    case OP_LT:
    case OP_LE: return (Bounds){-INFINITY, limit.high};
    case OP_GT:
    case OP_GE: return (Bounds){limit.low, INFINITY};
    default: return ANYTHING;
    }
}

/* A branch of a choice, where the test is `truth`. */
static Bounds branch(const BoundsTable *table, const Scalar *s, const Scalar *test, bool truth) {
    Bounds bounds = found(table, s);
    if (test->kind != SCALAR_OP || op_info(test->op.op)->kind != OP_KIND_COMPARE ||
        argument(test, 0)->type != TYPE_REAL)
        return bounds;
    Op op = truth ? test->op.op : op_opposite(test->op.op);
    if (argument(test, 0) == s)
        return both(bounds, compared(op, argument_bounds(table, test, 1)));
    return argument(test, 1) == s ? both(bounds, compared(op_mirrored(op), argument_bounds(table, test, 0))) : bounds;
}

static Bounds operation(const BoundsTable *table, const Scalar *s) {
    Op op = s->op.op;
    Bounds a = argument_bounds(table, s, 0), b = op_info(op)->arity > 1 ? argument_bounds(table, s, 1) : a;
    if (rises(op))
        return risen(op, a);
    switch (op) {
    case OP_ADD: return sum_of(a, b);
    case OP_SUB: return difference(table, s);
    case OP_MUL: return argument(s, 0) == argument(s, 1) ? square_of(a) : product_of(a, b);
    case OP_DIV: return quotient(table, s);
    case OP_NEG: return negative(a);
    case OP_MIN: return (Bounds){fmin(a.low, b.low), fmin(a.high, b.high)};
    case OP_MAX: return (Bounds){fmax(a.low, b.low), fmax(a.high, b.high)};
    case OP_POW: return power_of(a, b);
    case OP_ABS: return absolute_of(a);
    case OP_SIN:
    case OP_COS: return (Bounds){-1, 1};
    case OP_RANDOM: return (Bounds){0, 1};
    case OP_SELECT:
        return either(branch(table, argument(s, 1), argument(s, 0), true),
                      branch(table, argument(s, 2), argument(s, 0), false));
    default: return ANYTHING;
    }
}

static Bounds integers(const Scalar *s) {
    Range range = scalar_range(s);
    return (Bounds){range.low == INT64_MIN ? -INFINITY : (double)range.low,
                    range.high == INT64_MAX ? INFINITY : (double)range.high};
}

static Bounds one_scalar(const BoundsTable *table, const Scalar *s) {
    if (s->type == TYPE_BOOL)
        return (Bounds){0, 1};
    if (s->type == TYPE_INT)
        return integers(s);
    if (s->kind == SCALAR_REAL)
        return (Bounds){s->real, s->real};
    if (s->kind == SCALAR_LOAD)
        return ((const NodeBounds *)pointer_map_get(table->known, s->load.tensor))->elements;
    return operation(table, s);
}

/* Indices, and integers of any kind, know their ranges. */
static bool enters(const void *context, const Scalar *s) {
    (void)context;
    return s->kind == SCALAR_OP && s->type != TYPE_INT;
}

/* The tensors that it loads are known. */
static Bounds evaluate(BoundsTable *table, const Scalar *root) {
    ScalarWalk *walk = table->walk;
    scalar_walk(walk, root, enters, NULL);
    if (walk->count > table->room) {
        table->room = 2 * walk->count;
        table->found = arena_array(table->arena, Bounds, table->room);
    }
    for (size_t i = 0; i < walk->count; i++)
        table->found[i] = one_scalar(table, walk->at[i]);
    return table->found[walk->count - 1];
}

/* ---- nodes ---- */

/* n terms at most, of a dynamic axis one at least. */
static Bounds sum_over(const Node *node, Bounds terms) {
    double most = 1, fewest = 1;
    for (int i = 0; i < node->expr.reduced; i++) {
        Extent extent = node->expr.extents[i];
        most *= (double)extent.size;
        fewest *= (double)(extent.per_sample > 0 ? extent.per_sample : extent.size);
    }
    return (Bounds){times(terms.low, terms.low < 0 ? most : fewest), times(terms.high, terms.high < 0 ? fewest : most)};
}

static Bounds product_over(Bounds terms) {
    if (terms.low >= -1 && terms.high <= 1)
        return (Bounds){terms.low < 0 ? -1 : 0, 1};
    return terms.low >= 0 ? (Bounds){0, INFINITY} : ANYTHING;
}

static Bounds reduced(const Node *node, Bounds terms) {
    switch (node->expr.reduce) {
    case REDUCE_NONE:
    case REDUCE_MAX:
    case REDUCE_MIN: return terms;
    case REDUCE_SUM: return sum_over(node, terms);
    case REDUCE_PROD: return product_over(terms);
    case REDUCE_ARGMAX:
    case REDUCE_ARGMIN: break; /* an integer: its loads have a range */
    }
    return ANYTHING;
}

static NodeBounds node_bounds(BoundsTable *table, const Node *node) {
    if (node->kind == NODE_DETACH)
        return *(const NodeBounds *)pointer_map_get(table->known, node->derivative.of);
    if (node->kind != NODE_EXPR)
        return (NodeBounds){ANYTHING, ANYTHING};
    Bounds terms = evaluate(table, node->expr.body);
    return (NodeBounds){reduced(node, terms), terms};
}

static void learn(BoundsTable *table, const Node *node) {
    NodeBounds *bounds = arena_one(table->arena, NodeBounds);
    *bounds = node_bounds(table, node);
    pointer_map_put(table->known, node, bounds);
}

static void open_operand(void *context, const Node *operand) {
    BoundsTable *table = context;
    if (pointer_map_get(table->known, operand) == NULL)
        vec_push(table->arena, &table->open, operand);
}

/* Operands first, without recursion: a graph may be as deep as a recurrence is long. */
static void know(BoundsTable *table, const Node *node) {
    open_operand(table, node);
    while (table->open.count > 0) {
        const Node *next = table->open.at[table->open.count - 1];
        size_t before = table->open.count;
        node_each_operand(table->arena, next, open_operand, table);
        if (table->open.count > before)
            continue;
        table->open.count--;
        if (pointer_map_get(table->known, next) == NULL)
            learn(table, next);
    }
}

Bounds bounds_of_node(BoundsTable *table, const Node *node) {
    know(table, node);
    return ((const NodeBounds *)pointer_map_get(table->known, node))->elements;
}

static void know_tensor(void *context, const Scalar *load) {
    know(context, load->load.tensor);
}

Bounds bounds_of_scalar(BoundsTable *table, const Scalar *s) {
    scalar_each_load(table->arena, s, know_tensor, table);
    return evaluate(table, s);
}

static double slack(double end) {
    return isinf(end) ? 0 : 1e-12 * fmax(1, fabs(end));
}

bool bounds_lie_within(Bounds bounds, double low, double high) {
    return bounds.low >= low - slack(low) && bounds.high <= high + slack(high);
}
