#include "ir/scalar_walk.h"
#include "loop/loop_make.h"
#include "loop/lower_internal.h"
#include "plan/lanes.h"

/* ---- counting users ---- */

typedef struct UseCount {
    int users;
    bool exact;
} UseCount;

static void count_user(Lowering *l, const Scalar *s) {
    UseCount *count = pointer_map_get(l->uses, s);
    if (count) {
        count->users++;
        return;
    }
    count = arena_one(lower_arena(l), UseCount);
    count->users = 1;
    pointer_map_put(l->uses, s, count);
    if (scalar_is_op(s, OP_FLOOR))
        vec_push(lower_arena(l), &l->floors, s);
    if (s->kind == SCALAR_LOAD)
        for (int d = 0; d < s->load.rank; d++)
            count_user(l, s->load.at[d]);
    if (s->kind == SCALAR_OP)
        for (int i = 0; i < 3 && s->op.arg[i]; i++)
            count_user(l, s->op.arg[i]);
}

/* Where a value is rounded down, the last bit of a quotient is worth a whole unit. */
static void mark_exact(Lowering *l, const PlanStage *stage, const Scalar *s) {
    UseCount *count = pointer_map_get(l->uses, s);
    if (!count || count->exact)
        return;
    count->exact = true;
    for (int i = 0; s->kind == SCALAR_OP && i < 3 && s->op.arg[i]; i++)
        mark_exact(l, stage, s->op.arg[i]);
    const PlanNode *own = s->kind == SCALAR_LOAD ? stage_own(stage, s->load.tensor) : NULL;
    if (own)
        mark_exact(l, stage, own->body);
}

void lower_count(Lowering *l, const PlanStage *stage) {
    l->uses = pointer_map_new(lower_arena(l));
    for (size_t i = 0; i < stage->nodes.count; i++)
        count_user(l, stage->nodes.at[i].body);
    for (size_t i = 0; i < l->floors.count; i++)
        mark_exact(l, stage, l->floors.at[i]);
}

bool lower_is_exact(const Lowering *l, const Scalar *s) {
    const UseCount *count = pointer_map_get(l->uses, s);
    return count && count->exact;
}

bool lower_is_shared(const Lowering *l, const Scalar *s) {
    const UseCount *count = pointer_map_get(l->uses, s);
    return count && count->users > 1;
}

/* ---- what is known already ---- */

const LoopExpr *lower_known(const Lowering *l, const Scalar *s) {
    const Scope *next = NULL;
    for (const Scope *scope = l->kernel->scope; scope; scope = next) {
        next = scope->apart ? NULL : scope->parent;
        const LoopVar *var = pointer_map_get(scope->known, s);
        if (var && var->rank)
            return expr_element(lower_arena(l), var, l->column ? l->column : l->row, NULL);
        if (var)
            return expr_var(lower_arena(l), var);
    }
    return NULL;
}

static bool is_local(const void *context, const Scalar *load) {
    const Lowering *l = context;
    return pointer_map_get(l->kernel->local_of, load->load.tensor) != NULL;
}

Scope *lower_home(const Lowering *l, const Scalar *s) {
    Scope *home = l->kernel->scope;
    while (home->parent && !home->apart && !home->conditional && (s->slots & ~home->parent->slots) == 0 &&
           !(home == l->stage && scalar_any_load(lower_arena(l), s, is_local, l)))
        home = home->parent;
    return home;
}

/* ---- integers ---- */

const LoopExpr *lower_first_of_column(const Lowering *l) {
    Arena *arena = lower_arena(l);
    return expr_mul(arena, expr_lanes(arena), l->column);
}

const LoopExpr *lower_index(Lowering *l, int slot) {
    Arena *arena = lower_arena(l);
    const LoopExpr *value = l->index[slot];
    if (slot == l->tile_slot && l->row)
        return expr_add(arena, value, l->row);
    if (slot == l->column_slot && l->column)
        return expr_add(arena, value, slot == l->vector_slot ? lower_first_of_column(l) : l->column);
    return value;
}

/* The scalar integer in lane 0, also where `s` varies over the lanes. */
const LoopExpr *lower_first_lane(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    if (!lower_depends(s, l->vector_slot))
        return lower(l, s);
    if (s->kind == SCALAR_INDEX)
        return lower_index(l, s->index.slot);
    const LoopExpr *a = lower_first_lane(l, s->op.arg[0]);
    if (s->op.op == OP_NEG)
        return expr_sub(arena, expr_int(arena, 0), a);
    const LoopExpr *b = lower_first_lane(l, s->op.arg[1]);
    if (s->op.op == OP_ADD)
        return expr_add(arena, a, b);
    return s->op.op == OP_SUB ? expr_sub(arena, a, b) : expr_mul(arena, a, b);
}

const LoopExpr *lower_vector(Arena *arena, const LoopExpr *value) {
    if (value->vector)
        return value;
    if (value->kind == LOOP_INT)
        value = expr_real(arena, (double)value->integer);
    else if (value->type == TYPE_INT)
        value = expr_op(arena, OP_TO_REAL, TYPE_REAL, value, NULL, NULL);
    return expr_splat(arena, value);
}

static const LoopExpr *lower_lane_index(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    const LoopExpr *base = lower_vector(arena, lower_index(l, s->index.slot));
    return expr_op(arena, OP_ADD, TYPE_REAL, base, expr_iota(arena), NULL);
}

/* ---- operations ---- */

static const LoopExpr *lower_within(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    const LoopExpr *value = lower(l, s->op.arg[0]);
    const LoopExpr *low = expr_int(arena, 0), *high = expr_extent(arena, s->op.extent);
    Range range = scalar_range(s->op.arg[0]);
    if (value->vector) {
        low = lower_vector(arena, low);
        high = lower_vector(arena, high);
    }
    const LoopExpr *above = expr_op(arena, OP_GE, TYPE_BOOL, value, low, NULL);
    const LoopExpr *below = expr_op(arena, OP_LT, TYPE_BOOL, value, high, NULL);
    if (range.low >= 0)
        return below;
    if (range.high < s->op.extent.size && s->op.extent.per_sample == 0)
        return above;
    return expr_op(arena, OP_AND, TYPE_BOOL, above, below, NULL);
}

static const LoopExpr *lower_to_real(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    const LoopExpr *value = lower_arg(l, s, s->op.arg[0]);
    if (!value->vector)
        return expr_op(arena, OP_TO_REAL, TYPE_REAL, value, NULL, NULL);
    return lower_storable(arena, value);
}

static const LoopExpr *lower_random(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    const LoopExpr *stream = lower(l, s->op.arg[0]);
    const LoopExpr *counter = lower_first_lane(l, s->op.arg[1]);
    LoopExpr *e = arena_one(arena, LoopExpr);
    *e = *expr_op(arena, OP_RANDOM, TYPE_REAL, stream, counter, NULL);
    e->vector = lower_depends(s, l->vector_slot);
    return e;
}

/* An argument of `user`; what is conditional in scalar code stays where it is. */
static const LoopExpr *lower_operand(Lowering *l, const Scalar *user, int i) {
    bool outer = l->guarded;
    l->guarded = outer || op_is_conditional(user->op.op, i);
    const LoopExpr *value = lower_arg(l, user, user->op.arg[i]);
    l->guarded = outer;
    return value;
}

/* In a branch nothing that reads what may not be read outside becomes a variable, so what has several users is written once for each. */
static bool repeats_much(const Lowering *l, const Scalar *s) {
    enum { MUCH = 256 };
    if (!has_unsafe_load(lower_arena(l), l->kernel->pool, s))
        return false;
    ScalarWalk *walk = scalar_walk_new(lower_arena(l));
    scalar_walk(walk, s, NULL, NULL);
    return scalar_walk_tree_size(walk) > MUCH;
}

static LoopBody assign_branch(Lowering *l, const LoopVar *var, const Scalar *branch) {
    KernelBuilder *k = l->kernel;
    scope_open(k)->conditional = true;
    const LoopExpr *value = lower(l, branch);
    kernel_add(k, stmt_assign(k->arena, expr_var(k->arena, var), var->vector ? lower_vector(k->arena, value) : value));
    return scope_close(k);
}

/* As a statement: its branches have variables of their own. */
static const LoopExpr *lower_statement(Lowering *l, const Scalar *s, const LoopExpr *test) {
    KernelBuilder *k = l->kernel;
    Scope *inner = k->scope, *home = lower_home(l, s);
    bool vector = lower_depends(s->op.arg[1], l->vector_slot) || lower_depends(s->op.arg[2], l->vector_slot);
    k->scope = home;
    LoopVar *var = kernel_var(k, home, lower_wish(s), s->type, vector);
    kernel_add(k, stmt_declare(k->arena, var, NULL, true));
    LoopStmt *branch = stmt_if(k->arena, test, assign_branch(l, var, s->op.arg[1]));
    branch->branch.otherwise = assign_branch(l, var, s->op.arg[2]);
    kernel_add(k, branch);
    k->scope = inner;
    pointer_map_put(home->known, s, var);
    return expr_var(k->arena, var);
}

static const LoopExpr *lower_select(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    const LoopExpr *test = lower_arg(l, s, s->op.arg[0]);
    if (test->kind == LOOP_BOOL)
        return lower_arg(l, s, s->op.arg[test->integer ? 1 : 2]);
    if (!test->vector && !l->guarded && s->type == TYPE_REAL && repeats_much(l, s))
        return lower_statement(l, s, test);
    const LoopExpr *then = lower_operand(l, s, 1);
    const LoopExpr *otherwise = lower_operand(l, s, 2);
    Type type = s->type;
    if (test->vector || then->vector || otherwise->vector) {
        then = lower_vector(arena, then);
        otherwise = lower_vector(arena, otherwise);
        type = then->type;
    }
    return expr_op(arena, OP_SELECT, type, test, then, otherwise);
}

/* Sums with a product that nobody else uses are fused; every loop over the same data rounds in the same way. */
static const LoopExpr *fuse_sum(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    if (a->kind == LOOP_OP && a->op.op == OP_MUL)
        return expr_fma(arena, a->op.arg[0], a->op.arg[1], b);
    if (b->kind == LOOP_OP && b->op.op == OP_MUL)
        return expr_fma(arena, b->op.arg[0], b->op.arg[1], a);
    return NULL;
}

static const LoopExpr *lower_plain_op(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    const LoopExpr *arg[3] = {NULL, NULL, NULL};
    bool vector = false;
    for (int i = 0; i < 3 && s->op.arg[i]; i++) {
        arg[i] = lower_operand(l, s, i);
        vector = vector || arg[i]->vector;
    }
    const LoopExpr *fused = s->op.op == OP_ADD && s->type == TYPE_REAL ? fuse_sum(arena, arg[0], arg[1]) : NULL;
    if (fused)
        return fused;
    for (int i = 0; i < 3 && vector && arg[i]; i++)
        arg[i] = lower_vector(arena, arg[i]);
    return expr_op(arena, s->op.op, vector && s->type == TYPE_INT ? TYPE_REAL : s->type, arg[0], arg[1], arg[2]);
}

static const LoopExpr *lower_integer_op(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    const LoopExpr *a = lower_arg(l, s, s->op.arg[0]);
    const LoopExpr *b = s->op.arg[1] ? lower_arg(l, s, s->op.arg[1]) : NULL;
    switch (s->op.op) {
    case OP_ADD: return expr_add(arena, a, b);
    case OP_SUB: return expr_sub(arena, a, b);
    case OP_MUL: return expr_mul(arena, a, b);
    default: break;
    }
    LoopExpr *e = arena_one(arena, LoopExpr);
    *e = *expr_op(arena, s->op.op, TYPE_INT, a, b, NULL);
    e->op.natural = (s->op.op == OP_FLOORDIV || s->op.op == OP_MOD) && scalar_range(s->op.arg[0]).low >= 0;
    return e;
}

static const LoopExpr *lower_and(Lowering *l, const Scalar *s) {
    const LoopExpr *a = lower_arg(l, s, s->op.arg[0]);
    if (a->kind == LOOP_BOOL && !a->integer)
        return a;
    const LoopExpr *b = a->kind == LOOP_BOOL ? lower_arg(l, s, s->op.arg[1]) : lower_operand(l, s, 1);
    if (a->kind == LOOP_BOOL || (b->kind == LOOP_BOOL && !b->integer))
        return b;
    if (b->kind == LOOP_BOOL)
        return a;
    bool vector = a->vector || b->vector;
    return expr_op(lower_arena(l), OP_AND, TYPE_BOOL, vector ? lower_vector(lower_arena(l), a) : a,
                   vector ? lower_vector(lower_arena(l), b) : b, NULL);
}

static const LoopExpr *lower_op(Lowering *l, const Scalar *s) {
    switch (s->op.op) {
    case OP_AND: return lower_and(l, s);
    case OP_WITHIN: return lower_within(l, s);
    case OP_TO_REAL: return lower_to_real(l, s);
    case OP_RANDOM: return lower_random(l, s);
    case OP_SELECT: return lower_select(l, s);
    default: break;
    }
    if (s->type == TYPE_INT && !lower_depends(s, l->vector_slot))
        return lower_integer_op(l, s);
    if (lower_has_inverse(l, s))
        return lower_quotient(l, s);
    return lower_plain_op(l, s);
}

const LoopExpr *lower_fresh(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    switch (s->kind) {
    case SCALAR_REAL: return expr_real(arena, s->real);
    case SCALAR_INT: return expr_int(arena, s->integer);
    case SCALAR_BOOL: return expr_bool(arena, s->integer != 0);
    case SCALAR_INDEX: return lower_depends(s, l->vector_slot) ? lower_lane_index(l, s) : lower_index(l, s->index.slot);
    case SCALAR_RUNTIME: return expr_runtime(arena, s->runtime);
    case SCALAR_LOAD: return lower_load(l, s);
    case SCALAR_OP: break;
    }
    return lower_op(l, s);
}

/* ---- variables ---- */

/* A choice between integers, or a multiple of one: a place that few loops change. Left to itself, GCC writes the loops inside once for each. */
static bool is_choice(const Scalar *s) {
    if (s->kind != SCALAR_OP || s->type != TYPE_INT)
        return false;
    return s->op.op == OP_SELECT || (s->op.op == OP_MUL && (is_choice(s->op.arg[0]) || is_choice(s->op.arg[1])));
}

bool lower_is_work(const Scalar *s) {
    return s->kind == SCALAR_LOAD || (s->kind == SCALAR_OP && (s->type == TYPE_REAL || s->has_load)) || is_choice(s);
}

bool lower_is_register(const Lowering *l, const Scalar *s) {
    if (s->kind != SCALAR_LOAD)
        return false;
    const LocalValue *local = pointer_map_get(l->kernel->local_of, s->load.tensor);
    return local && local->value;
}

const char *lower_wish(const Scalar *s) {
    return s->kind == SCALAR_LOAD ? node_short_name(s->load.tensor) : s->type == TYPE_INT ? "at" : "t";
}

/* Changes with fewer loops than its user: computing it once serves several of them. */
static bool outlives(const Lowering *l, const Scalar *s, const Scalar *user) {
    const Scope *home = lower_home(l, s);
    return home != (user ? lower_home(l, user) : l->kernel->scope);
}

static const LoopExpr *lower_bound(Lowering *l, const Scalar *s) {
    Scope *home = lower_home(l, s);
    const LoopExpr *value = lower_fresh(l, s);
    if (value->kind == LOOP_VAR || value->kind == LOOP_REAL)
        return value;
    value = kernel_declare(l->kernel, home, lower_wish(s), expr_once(lower_arena(l), value));
    pointer_map_put(home->known, s, (void *)(uintptr_t)value->var);
    return value;
}

const LoopExpr *lower_arg(Lowering *l, const Scalar *user, const Scalar *arg) {
    const LoopExpr *known = l->truths ? pointer_map_get(l->truths, arg) : NULL;
    known = known ? known : lower_known(l, arg);
    if (known)
        return known;
    bool bind = lower_is_work(arg) && !lower_is_register(l, arg) && (lower_is_shared(l, arg) || outlives(l, arg, user));
    if (is_choice(arg)) /* as a whole, and although the sum around it does not change more often */
        bind = !(user && is_choice(user)) && outlives(l, arg, NULL);
    if (bind && l->guarded && has_unsafe_load(lower_arena(l), l->kernel->pool, arg))
        bind = false;
    return bind ? lower_bound(l, arg) : lower_fresh(l, arg);
}

const LoopExpr *lower(Lowering *l, const Scalar *s) {
    return lower_arg(l, NULL, s);
}

const LoopExpr *lower_storable(Arena *arena, const LoopExpr *value) {
    if (value->type != TYPE_BOOL)
        return value;
    const LoopExpr *one = value->vector ? expr_splat(arena, expr_real(arena, 1)) : expr_int(arena, 1);
    const LoopExpr *zero = value->vector ? expr_splat(arena, expr_real(arena, 0)) : expr_int(arena, 0);
    return expr_op(arena, OP_SELECT, value->vector ? TYPE_REAL : TYPE_INT, value, one, zero);
}
