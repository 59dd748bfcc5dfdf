#include "emit/c_row.h"

#include "loop/loop_make.h"
#include "loop/loop_walk.h"

typedef struct RowSearch {
    Arena *arena;
    const Kernel *kernel;
    CRows *rows;
    PointerMap *lost; /* buffers whose accesses do not agree */
    const LoopVar *var;
    int64_t uses; /* of that one */
    bool calls;   /* other kernels */
} RowSearch;

/* ---- the terms of an offset ---- */

static bool is_callers(const Kernel *kernel, const LoopVar *var) {
    for (size_t i = 0; i < kernel->arguments.count; i++)
        if (kernel->arguments.at[i].var == var)
            return var->type == TYPE_INT && !var->elements && !var->vector;
    return false;
}

/* A product of numbers and of the caller's variables, one of these at least. */
static bool is_row_term(const Kernel *kernel, const LoopExpr *e) {
    if (e->kind == LOOP_VAR)
        return is_callers(kernel, e->var);
    if (e->kind != LOOP_OP || e->op.op != OP_MUL)
        return false;
    const LoopExpr *a = e->op.arg[0], *b = e->op.arg[1];
    return (a->kind == LOOP_INT && is_row_term(kernel, b)) || (b->kind == LOOP_INT && is_row_term(kernel, a));
}

/* The offset without such terms, which are added to `*row`. */
static const LoopExpr *without_row(const RowSearch *s, const LoopExpr *e, const LoopExpr **row) {
    if (is_row_term(s->kernel, e)) {
        *row = expr_add(s->arena, *row, e);
        return expr_int(s->arena, 0);
    }
    if (e->kind != LOOP_OP || (e->op.op != OP_ADD && e->op.op != OP_SUB))
        return e;
    const LoopExpr *left = without_row(s, e->op.arg[0], row);
    if (e->op.op == OP_SUB)
        return expr_sub(s->arena, left, e->op.arg[1]);
    return expr_add(s->arena, left, without_row(s, e->op.arg[1], row));
}

/* ---- what all accesses agree on ---- */

static void note_address(void *context, const LoopAddress *address, bool is_store) {
    const RowSearch *s = context;
    (void)is_store;
    if (!address->buffer)
        return;
    const LoopExpr *row = expr_int(s->arena, 0), *from = pointer_map_get(s->rows->from, address->buffer);
    const LoopExpr *rest = without_row(s, address->offset, &row);
    if (expr_is_int(row, 0) || (from && !expr_same(from, row)))
        pointer_map_put(s->lost, address->buffer, address->buffer);
    pointer_map_put(s->rows->from, address->buffer, row);
    pointer_map_put(s->rows->offsets, address, rest);
}

static void note_call(void *context, const LoopStmt *statement) {
    RowSearch *s = context;
    s->calls = s->calls || statement->kind == LOOP_CALL;
}

/* Forgets what is known of buffers without a row. */
static void keep_rows(RowSearch *s) {
    for (size_t i = 0; i < pointer_map_count(s->lost); i++)
        pointer_map_put(s->rows->from, pointer_map_key(s->lost, i), NULL);
    for (size_t i = 0; i < pointer_map_count(s->rows->offsets); i++) {
        const LoopAddress *address = pointer_map_key(s->rows->offsets, i);
        if (pointer_map_get(s->lost, address->buffer))
            pointer_map_put(s->rows->offsets, address, NULL);
    }
}

/* ---- variables ---- */

static void count_use(void *context, const LoopExpr *e) {
    RowSearch *s = context;
    s->uses += e->kind == LOOP_VAR && e->var == s->var;
}

/* What is a part of the pointer is no use. */
static void count_less(void *context, const LoopAddress *address, bool is_store) {
    RowSearch *s = context;
    (void)is_store;
    if (!pointer_map_get(s->rows->offsets, address))
        return;
    RowSearch row = {.var = s->var};
    const LoopExpr *from = pointer_map_get(s->rows->from, address->buffer);
    loop_walk_expr(from, &(LoopVisitor){.expr = count_use, .context = &row});
    s->uses -= row.uses;
}

static void find_spent(RowSearch *s) {
    for (size_t i = 0; i < s->kernel->arguments.count; i++) {
        s->var = s->kernel->arguments.at[i].var;
        if (!is_callers(s->kernel, s->var))
            continue;
        s->uses = 0;
        loop_walk_body(&s->kernel->body, &(LoopVisitor){.expr = count_use, .address = count_less, .context = s});
        if (s->uses == 0)
            pointer_map_put(s->rows->spent, s->var, s->var);
    }
}

const CRows *c_rows(const CLoops *c, const Kernel *kernel) {
    CRows *rows = pointer_map_get(c->rows, kernel);
    if (rows)
        return rows;
    Arena *arena = c->exprs.arena;
    rows = arena_one(arena, CRows);
    *rows = (CRows){pointer_map_new(arena), pointer_map_new(arena), pointer_map_new(arena)};
    pointer_map_put(c->rows, kernel, rows);
    RowSearch s = {.arena = arena, .kernel = kernel, .rows = rows, .lost = pointer_map_new(arena)};
    loop_walk_body(&kernel->body, &(LoopVisitor){.stmt = note_call, .context = &s});
    if (s.calls || kernel->arguments.count == 0)
        return rows;
    loop_walk_body(&kernel->body, &(LoopVisitor){.address = note_address, .context = &s});
    keep_rows(&s);
    find_spent(&s);
    return rows;
}
