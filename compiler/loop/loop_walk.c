#include "loop/loop_walk.h"

static void walk_optional(const LoopExpr *e, const LoopVisitor *visitor) {
    if (e)
        loop_walk_expr(e, visitor);
}

static void walk_address(const LoopAddress *address, bool is_store, const LoopVisitor *visitor) {
    if (visitor->address)
        visitor->address(visitor->context, address, is_store);
    loop_walk_expr(address->offset, visitor);
    /* Of other accesses it only says which lanes matter, and nobody computes it. */
    if (address->access == ACCESS_PART || address->access == ACCESS_STRIDED_PART)
        walk_optional(address->count, visitor);
}

void loop_walk_expr(const LoopExpr *e, const LoopVisitor *visitor) {
    if (visitor->expr)
        visitor->expr(visitor->context, e);
    switch (e->kind) {
    case LOOP_LOAD: walk_address(&e->load, false, visitor); break;
    case LOOP_OP:
    case LOOP_FMA:
        for (int i = 0; i < 3; i++)
            walk_optional(e->op.arg[i], visitor);
        break;
    case LOOP_ELEMENT:
    case LOOP_SUMS:
        for (int i = 0; i < 2; i++)
            walk_optional(e->element.at[i], visitor);
        break;
    case LOOP_SPLAT:
    case LOOP_FIRST:
    case LOOP_HORIZONTAL: loop_walk_expr(e->unary.value, visitor); break;
    case LOOP_REAL:
    case LOOP_INT:
    case LOOP_BOOL:
    case LOOP_LANES:
    case LOOP_VAR:
    case LOOP_RUNTIME:
    case LOOP_IOTA: break;
    }
}

void loop_walk_stmt(const LoopStmt *s, const LoopVisitor *visitor) {
    if (visitor->stmt)
        visitor->stmt(visitor->context, s);
    switch (s->kind) {
    case LOOP_FOR:
        loop_walk_expr(s->loop.from, visitor);
        loop_walk_expr(s->loop.to, visitor);
        loop_walk_expr(s->loop.step, visitor);
        loop_walk_body(&s->loop.body, visitor);
        break;
    case LOOP_IF:
        loop_walk_expr(s->branch.test, visitor);
        loop_walk_body(&s->branch.then, visitor);
        loop_walk_body(&s->branch.otherwise, visitor);
        break;
    case LOOP_DECLARE: walk_optional(s->declare.init, visitor); break;
    case LOOP_SET:
        for (int i = 0; i < 2; i++)
            walk_optional(s->set.at[i], visitor);
        loop_walk_expr(s->set.value, visitor);
        break;
    case LOOP_STORE:
        walk_address(&s->store.to, true, visitor);
        loop_walk_expr(s->store.value, visitor);
        break;
    case LOOP_TURN: walk_address(&s->turn.at, s->turn.stores, visitor); break;
    case LOOP_CALL: loop_walk_body(&s->call->body, visitor); break;
    case LOOP_FETCH: walk_address(&s->fetch.at, s->fetch.writes, visitor); break;
    case LOOP_APPLY:
    case LOOP_FENCE:
    case LOOP_MARK: break;
    }
}

void loop_walk_body(const LoopBody *body, const LoopVisitor *visitor) {
    for (size_t i = 0; i < body->count; i++)
        loop_walk_stmt(body->at[i], visitor);
}
