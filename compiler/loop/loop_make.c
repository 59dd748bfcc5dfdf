#include "loop/loop_make.h"

#include <math.h>

static LoopExpr *expr_new(Arena *arena, LoopExprKind kind, Type type, bool vector) {
    LoopExpr *e = arena_one(arena, LoopExpr);
    e->kind = kind;
    e->type = type;
    e->vector = vector;
    return e;
}

const LoopExpr *expr_real(Arena *arena, double value) {
    LoopExpr *e = expr_new(arena, LOOP_REAL, TYPE_REAL, false);
    e->real = value;
    return e;
}

const LoopExpr *expr_int(Arena *arena, int64_t value) {
    LoopExpr *e = expr_new(arena, LOOP_INT, TYPE_INT, false);
    e->integer = value;
    return e;
}

const LoopExpr *expr_bool(Arena *arena, bool value) {
    LoopExpr *e = expr_new(arena, LOOP_BOOL, TYPE_BOOL, false);
    e->integer = value;
    return e;
}

const LoopExpr *expr_lanes(Arena *arena) {
    return expr_new(arena, LOOP_LANES, TYPE_INT, false);
}

const LoopExpr *expr_var(Arena *arena, const LoopVar *var) {
    LoopExpr *e = expr_new(arena, LOOP_VAR, var->type, var->vector);
    e->var = var;
    return e;
}

const LoopExpr *expr_element(Arena *arena, const LoopVar *tile, const LoopExpr *first, const LoopExpr *second) {
    LoopExpr *e = expr_new(arena, LOOP_ELEMENT, tile->type, tile->vector);
    e->element.tile = tile;
    e->element.at[0] = first;
    e->element.at[1] = second;
    return e;
}

const LoopExpr *expr_sums(Arena *arena, const LoopVar *tile, const LoopExpr *row, const LoopExpr *column) {
    LoopExpr *e = expr_new(arena, LOOP_SUMS, TYPE_REAL, true);
    e->element.tile = tile;
    e->element.at[0] = row;
    e->element.at[1] = column;
    return e;
}

const LoopExpr *expr_runtime(Arena *arena, Runtime which) {
    LoopExpr *e = expr_new(arena, LOOP_RUNTIME, TYPE_INT, false);
    e->runtime = which;
    return e;
}

const LoopExpr *expr_load(Arena *arena, LoopAddress address, bool vector) {
    Type type = address.buffer ? address.buffer->type : address.array->type;
    LoopExpr *e = expr_new(arena, LOOP_LOAD, vector ? TYPE_REAL : type, vector);
    e->load = address;
    return e;
}

const LoopExpr *expr_once(Arena *arena, const LoopExpr *value) {
    if (value->kind != LOOP_LOAD || value->load.access != ACCESS_CONTIGUOUS)
        return value;
    LoopExpr *e = expr_new(arena, LOOP_LOAD, TYPE_REAL, true);
    e->load = value->load;
    e->load.once = (value->load.buffer ? value->load.buffer->type : value->load.array->type) == TYPE_REAL;
    return e;
}

const LoopExpr *expr_op(Arena *arena, Op op, Type type, const LoopExpr *a, const LoopExpr *b, const LoopExpr *c) {
    bool vector = a->vector || (b && b->vector) || (c && c->vector);
    LoopExpr *e = expr_new(arena, LOOP_OP, type, vector);
    e->op.op = op;
    e->op.arg[0] = a;
    e->op.arg[1] = b;
    e->op.arg[2] = c;
    return e;
}

const LoopExpr *expr_fma(Arena *arena, const LoopExpr *a, const LoopExpr *b, const LoopExpr *c) {
    bool vector = a->vector || b->vector || c->vector;
    LoopExpr *e = expr_new(arena, LOOP_FMA, TYPE_REAL, vector);
    e->op.arg[0] = vector ? expr_splat(arena, a) : a;
    e->op.arg[1] = vector ? expr_splat(arena, b) : b;
    e->op.arg[2] = vector ? expr_splat(arena, c) : c;
    return e;
}

const LoopExpr *expr_splat(Arena *arena, const LoopExpr *value) {
    if (value->vector)
        return value;
    LoopExpr *e = expr_new(arena, LOOP_SPLAT, value->type, true);
    e->unary.value = value;
    return e;
}

const LoopExpr *expr_iota(Arena *arena) {
    return expr_new(arena, LOOP_IOTA, TYPE_REAL, true);
}

const LoopExpr *expr_first(Arena *arena, const LoopExpr *count) {
    LoopExpr *e = expr_new(arena, LOOP_FIRST, TYPE_BOOL, true);
    e->unary.value = count;
    return e;
}

const LoopExpr *expr_horizontal(Arena *arena, Reduction reduce, const LoopExpr *value) {
    LoopExpr *e = expr_new(arena, LOOP_HORIZONTAL, TYPE_REAL, false);
    e->unary.value = value;
    e->unary.reduce = reduce;
    return e;
}

bool expr_is_int(const LoopExpr *e, int64_t value) {
    return e->kind == LOOP_INT && e->integer == value;
}

const LoopExpr *expr_add(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    if (a->kind == LOOP_INT && b->kind == LOOP_INT)
        return expr_int(arena, a->integer + b->integer);
    if (expr_is_int(a, 0))
        return b;
    if (expr_is_int(b, 0))
        return a;
    if (b->kind == LOOP_INT && b->integer < 0)
        return expr_sub(arena, a, expr_int(arena, -b->integer));
    return expr_op(arena, OP_ADD, TYPE_INT, a, b, NULL);
}

bool expr_same(const LoopExpr *a, const LoopExpr *b) {
    if (a == b)
        return true;
    if (a->kind != b->kind || a->type != TYPE_INT || b->type != TYPE_INT)
        return false;
    switch (a->kind) {
    case LOOP_INT: return a->integer == b->integer;
    case LOOP_RUNTIME: return a->runtime == b->runtime;
    case LOOP_VAR: return a->var == b->var;
    case LOOP_LANES: return true;
    case LOOP_OP:
        return a->op.op == b->op.op && a->op.arg[1] && b->op.arg[1] && !a->op.arg[2] &&
               expr_same(a->op.arg[0], b->op.arg[0]) && expr_same(a->op.arg[1], b->op.arg[1]);
    default: return false;
    }
}

/* What is subtracted from `a` to give `b`; NULL: `b` is no such difference. */
static const LoopExpr *shortfall(const LoopExpr *a, const LoopExpr *b) {
    bool is_less = b->kind == LOOP_OP && b->op.op == OP_SUB && b->type == TYPE_INT && expr_same(a, b->op.arg[0]);
    return is_less ? b->op.arg[1] : NULL;
}

const LoopExpr *expr_sub(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    if (a->kind == LOOP_INT && b->kind == LOOP_INT)
        return expr_int(arena, a->integer - b->integer);
    if (expr_is_int(b, 0))
        return a;
    const LoopExpr *rest = shortfall(a, b); /* n - (n - n % NN_LANES) */
    return rest ? rest : expr_op(arena, OP_SUB, TYPE_INT, a, b, NULL);
}

const LoopExpr *expr_less(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    const LoopExpr *rest = shortfall(b, a); /* n - n % NN_LANES < n */
    if (rest)
        return expr_op(arena, OP_GT, TYPE_BOOL, rest, expr_int(arena, 0), NULL);
    return expr_op(arena, OP_LT, TYPE_BOOL, a, b, NULL);
}

const LoopExpr *expr_mul(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    if (a->kind == LOOP_INT && b->kind == LOOP_INT)
        return expr_int(arena, a->integer * b->integer);
    if (expr_is_int(a, 0) || expr_is_int(b, 1))
        return a;
    if (expr_is_int(b, 0) || expr_is_int(a, 1))
        return b;
    return expr_op(arena, OP_MUL, TYPE_INT, a, b, NULL);
}

const LoopExpr *expr_min(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    if (a->kind == LOOP_INT && b->kind == LOOP_INT)
        return expr_int(arena, a->integer < b->integer ? a->integer : b->integer);
    return expr_op(arena, OP_MIN, TYPE_INT, a, b, NULL);
}

const LoopExpr *expr_max(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    if (a->kind == LOOP_INT && b->kind == LOOP_INT)
        return expr_int(arena, a->integer > b->integer ? a->integer : b->integer);
    return expr_op(arena, OP_MAX, TYPE_INT, a, b, NULL);
}

const LoopExpr *expr_scale(Arena *arena, const LoopExpr *a, int64_t factor) {
    return expr_mul(arena, a, expr_int(arena, factor));
}

const LoopExpr *expr_extent(Arena *arena, Extent extent) {
    if (extent.per_sample == 0)
        return expr_int(arena, extent.size);
    return expr_scale(arena, expr_runtime(arena, RUNTIME_N), extent.per_sample);
}

const LoopExpr *expr_identity(Arena *arena, Reduction reduce, Type type) {
    bool real = type == TYPE_REAL;
    switch (reduce) {
    case REDUCE_PROD: return real ? expr_real(arena, 1.0) : expr_int(arena, 1);
    case REDUCE_MAX:
    case REDUCE_ARGMAX: return real ? expr_real(arena, -INFINITY) : expr_int(arena, INT32_MIN);
    case REDUCE_MIN:
    case REDUCE_ARGMIN: return real ? expr_real(arena, INFINITY) : expr_int(arena, INT32_MAX);
    case REDUCE_NONE:
    case REDUCE_SUM: break;
    }
    return real ? expr_real(arena, 0.0) : expr_int(arena, 0);
}

const LoopExpr *expr_combine(Arena *arena, Reduction reduce, const LoopExpr *a, const LoopExpr *b) {
    static const Op ops[] = {
        [REDUCE_SUM] = OP_ADD, [REDUCE_PROD] = OP_MUL, [REDUCE_MAX] = OP_MAX, [REDUCE_MIN] = OP_MIN};
    return expr_op(arena, ops[reduce], a->type, a, b, NULL);
}

static LoopStmt *stmt_new(Arena *arena, LoopStmtKind kind) {
    LoopStmt *s = arena_one(arena, LoopStmt);
    s->kind = kind;
    return s;
}

/* Of a loop whose length is not known, many. */
static int64_t constant_rounds(const LoopStmt *loop) {
    const LoopExpr *from = loop->loop.from, *to = loop->loop.to, *step = loop->loop.step;
    bool known = from->kind == LOOP_INT && to->kind == LOOP_INT && step->kind == LOOP_INT;
    return known ? (to->integer - from->integer + step->integer - 1) / step->integer : INT64_MAX;
}

static bool has_loops(const LoopBody *body) {
    bool has = false;
    for (size_t i = 0; i < body->count && !has; i++) {
        const LoopStmt *s = body->at[i];
        if (s->kind == LOOP_FOR)
            has = !loop_is_written_out(s) || has_loops(&s->loop.body);
        else if (s->kind == LOOP_IF)
            has = has_loops(&s->branch.then) || has_loops(&s->branch.otherwise);
        else
            has = s->kind == LOOP_CALL;
    }
    return has;
}

static bool is_short(const LoopStmt *loop) {
    enum { FEW = 4 };
    return constant_rounds(loop) <= FEW && !loop_is_outer(loop);
}

bool loop_is_written_out(const LoopStmt *loop) {
    return loop->loop.mode == LOOP_UNROLLED || (loop->loop.mode == LOOP_SERIAL && is_short(loop));
}

bool loop_is_outer(const LoopStmt *loop) {
    return has_loops(&loop->loop.body);
}

LoopStmt *stmt_for(Arena *arena, const LoopVar *var, const LoopExpr *from, const LoopExpr *to, const LoopExpr *step,
                   LoopBody body) {
    LoopStmt *s = stmt_new(arena, LOOP_FOR);
    s->loop.var = var;
    s->loop.from = from;
    s->loop.to = to;
    s->loop.step = step;
    s->loop.body = body;
    if (constant_rounds(s) > 1 && !is_short(s))
        s->loop.mode = LOOP_ROLLED;
    return s;
}

LoopStmt *stmt_unrolled(Arena *arena, const LoopVar *var, int count, const LoopExpr *step, LoopBody body) {
    LoopStmt *s = stmt_for(arena, var, expr_int(arena, 0), expr_int(arena, count), step, body);
    s->loop.mode = LOOP_UNROLLED;
    return s;
}

LoopStmt *stmt_if(Arena *arena, const LoopExpr *test, LoopBody then) {
    LoopStmt *s = stmt_new(arena, LOOP_IF);
    s->branch.test = test;
    s->branch.then = then;
    return s;
}

LoopStmt *stmt_declare(Arena *arena, const LoopVar *var, const LoopExpr *init, bool is_mutable) {
    LoopStmt *s = stmt_new(arena, LOOP_DECLARE);
    s->declare.var = var;
    s->declare.init = init;
    s->declare.mutable = is_mutable;
    return s;
}

LoopStmt *stmt_assign(Arena *arena, const LoopExpr *place, const LoopExpr *value) {
    LoopStmt *s = stmt_new(arena, LOOP_SET);
    bool element = place->kind == LOOP_ELEMENT;
    s->set.var = element ? place->element.tile : place->var;
    for (int i = 0; element && i < s->set.var->rank; i++)
        s->set.at[i] = place->element.at[i];
    s->set.value = value;
    return s;
}

LoopStmt *stmt_store(Arena *arena, LoopAddress to, const LoopExpr *value) {
    LoopStmt *s = stmt_new(arena, LOOP_STORE);
    s->store.to = to;
    s->store.value = value;
    return s;
}

LoopStmt *stmt_turn(Arena *arena, const LoopVar *tile, LoopAddress at, bool stores) {
    LoopStmt *s = stmt_new(arena, LOOP_TURN);
    s->turn.tile = tile;
    s->turn.at = at;
    s->turn.stores = stores;
    return s;
}

LoopStmt *stmt_apply(Arena *arena, Op op, const LoopVar *tile) {
    LoopStmt *s = stmt_new(arena, LOOP_APPLY);
    s->apply.op = op;
    s->apply.tile = tile;
    return s;
}

LoopStmt *stmt_call(Arena *arena, Kernel *kernel) {
    LoopStmt *s = stmt_new(arena, LOOP_CALL);
    s->call = kernel;
    return s;
}

LoopStmt *stmt_fetch(Arena *arena, LoopAddress at, int64_t ahead, bool writes) {
    LoopStmt *s = stmt_new(arena, LOOP_FETCH);
    s->fetch.at = at;
    s->fetch.ahead = ahead;
    s->fetch.writes = writes;
    return s;
}

LoopStmt *stmt_fence(Arena *arena) {
    return stmt_new(arena, LOOP_FENCE);
}

LoopStmt *stmt_mark(Arena *arena, int mark) {
    LoopStmt *s = stmt_new(arena, LOOP_MARK);
    s->mark = mark;
    return s;
}
