#include "emit/c_near.h"

#include "loop/kernel.h"
#include "loop/loop_make.h"
#include "loop/loop_walk.h"

/* Fewer accesses are no shorter with a pointer. */
enum { LEAST_ACCESSES = 3 };

typedef struct Search {
    Arena *arena;
    const PointerMap *offsets;
    Names *names;
    CNears *nears;
    PointerMap *inner;         /* variables that have no value, or not yet a last one, where the body begins */
    const LoopStmt *statement; /* of the body, that is looked at */
    int64_t times;             /* that it is written out */
} Search;

/* ---- offsets in two parts ---- */

typedef struct Term {
    const PointerMap *inner;
    bool changes;
} Term;

static void look_at_term(void *context, const LoopExpr *e) {
    Term *term = context;
    bool changes = e->kind == LOOP_VAR ? pointer_map_get(term->inner, e->var) != NULL
                                       : e->kind == LOOP_LOAD || e->kind == LOOP_ELEMENT;
    term->changes = term->changes || changes;
}

static bool changes_inside(const Search *s, const LoopExpr *e) {
    Term term = {.inner = s->inner};
    loop_walk_expr(e, &(LoopVisitor){.expr = look_at_term, .context = &term});
    return term.changes;
}

/* Adds to the place what is the same in the whole body, and returns the rest. Places are within the buffer: nothing is subtracted. */
static const LoopExpr *without_place(const Search *s, const LoopExpr *e, int64_t times, const LoopExpr **place) {
    bool is_op = e->kind == LOOP_OP;
    if (is_op && e->op.op == OP_ADD) {
        const LoopExpr *left = without_place(s, e->op.arg[0], times, place);
        return expr_add(s->arena, left, without_place(s, e->op.arg[1], times, place));
    }
    if (is_op && e->op.op == OP_SUB) {
        const LoopExpr *right = expr_mul(s->arena, expr_int(s->arena, times), e->op.arg[1]);
        return expr_sub(s->arena, without_place(s, e->op.arg[0], times, place), right);
    }
    if (is_op && e->op.op == OP_MUL && e->op.arg[0]->kind == LOOP_INT && e->op.arg[0]->integer > 0)
        return without_place(s, e->op.arg[1], times * e->op.arg[0]->integer, place);
    const LoopExpr *term = expr_mul(s->arena, expr_int(s->arena, times), e);
    if (e->kind == LOOP_INT || changes_inside(s, e))
        return term;
    *place = expr_add(s->arena, *place, term);
    return expr_int(s->arena, 0);
}

/* ---- accesses ---- */

static CNear *find(const Search *s, const LoopAddress *address, const LoopExpr *place) {
    for (size_t i = 0; i < s->nears->pointers.count; i++) {
        CNear *near = s->nears->pointers.at[i];
        if (near->at.buffer == address->buffer && near->at.array == address->array && expr_same(near->at.offset, place))
            return near;
    }
    CNear *near = arena_one(s->arena, CNear);
    near->at = (LoopAddress){.buffer = address->buffer, .array = address->array, .offset = place};
    near->before = s->statement;
    vec_push(s->arena, &s->nears->pointers, near);
    return near;
}

static void add_access(void *context, const LoopAddress *address, bool is_store) {
    const Search *s = context;
    if (address->array && pointer_map_get(s->inner, address->array))
        return;
    const LoopExpr *offset = s->offsets ? pointer_map_get(s->offsets, address) : NULL;
    const LoopExpr *place = expr_int(s->arena, 0);
    const LoopExpr *rest = without_place(s, offset ? offset : address->offset, 1, &place);
    if (place->kind != LOOP_OP) /* x[k + NN_LANES * c] is short as it is */
        return;
    CNear *near = find(s, address, place);
    near->written = near->written || is_store;
    near->accesses += s->times;
    pointer_map_put(s->nears->of, address, near);
    pointer_map_put(s->nears->rest, address, rest);
}

static void add_body(Search *s, const LoopBody *body, bool outermost);

static void add_unrolled(Search *s, const LoopStmt *loop) {
    int64_t times = s->times;
    pointer_map_put(s->inner, loop->loop.var, loop);
    const LoopExpr *step = loop->loop.step;
    s->times = times * (step->kind == LOOP_INT ? loop->loop.to->integer / step->integer : 1);
    add_body(s, &loop->loop.body, false);
    s->times = times;
}

static void add_stmt(Search *s, const LoopStmt *statement, bool outermost) {
    switch (statement->kind) {
    case LOOP_FOR:
        if (loop_is_written_out(statement))
            add_unrolled(s, statement);
        break;
    case LOOP_IF:
        loop_walk_expr(statement->branch.test, &(LoopVisitor){.address = add_access, .context = s});
        add_body(s, &statement->branch.then, false);
        add_body(s, &statement->branch.otherwise, false);
        break;
    case LOOP_CALL: break;
    case LOOP_DECLARE:
        if (!outermost)
            pointer_map_put(s->inner, statement->declare.var, statement);
        loop_walk_stmt(statement, &(LoopVisitor){.address = add_access, .context = s});
        break;
    default: loop_walk_stmt(statement, &(LoopVisitor){.address = add_access, .context = s}); break;
    }
}

static void add_body(Search *s, const LoopBody *body, bool outermost) {
    for (size_t i = 0; i < body->count; i++) {
        s->statement = outermost ? body->at[i] : s->statement;
        add_stmt(s, body->at[i], outermost);
    }
}

/* ---- what is worth a pointer ---- */

/* "weight_here" of stage_2.conv2d_1.weight. */
static const char *name_of(const Search *s, const CNear *near) {
    const Buffer *buffer = near->at.buffer;
    const Node *node = buffer ? buffer->node : near->at.array->node;
    const char *name = node ? node_short_name(node) : buffer ? buffer->name : near->at.array->name;
    return names_take(s->names, arena_printf(s->arena, "%s_here", name));
}

static void keep_pointers(Search *s) {
    size_t kept = 0;
    for (size_t i = 0; i < s->nears->pointers.count; i++) {
        CNear *near = s->nears->pointers.at[i];
        if (near->accesses < LEAST_ACCESSES)
            continue;
        near->name = s->names ? name_of(s, near) : "";
        s->nears->pointers.at[kept++] = near;
    }
    s->nears->pointers.count = kept;
}

static void keep_addresses(const CNears *nears) {
    for (size_t i = 0; i < pointer_map_count(nears->of); i++) {
        const CNear *near = pointer_map_value(nears->of, i);
        if (near->name)
            continue;
        pointer_map_put(nears->rest, pointer_map_key(nears->of, i), NULL);
        pointer_map_put(nears->of, pointer_map_key(nears->of, i), NULL);
    }
}

/* Variables that are set again. */
static void note_set(void *context, const LoopStmt *statement) {
    if (statement->kind == LOOP_SET)
        pointer_map_put(context, statement->set.var, statement);
}

const CNears *c_nears(Arena *arena, const LoopBody *body, const PointerMap *offsets, Names *names) {
    CNears *nears = arena_one(arena, CNears);
    *nears = (CNears){.of = pointer_map_new(arena), .rest = pointer_map_new(arena)};
    Search s = {.arena = arena, .offsets = offsets, .names = names, .nears = nears, .inner = pointer_map_new(arena)};
    s.times = 1;
    loop_walk_body(body, &(LoopVisitor){.stmt = note_set, .context = s.inner});
    add_body(&s, body, true);
    keep_pointers(&s);
    keep_addresses(nears);
    return nears;
}
