/* loop_walk.h: visits every statement, expression and address of a loop tree, in the order of the text. */
#ifndef NNC_LOOP_LOOP_WALK_H
#define NNC_LOOP_LOOP_WALK_H

#include "loop/loop.h"

typedef struct LoopVisitor {
    void (*expr)(void *context, const LoopExpr *e); /* each occurrence, users before arguments */
    void (*address)(void *context, const LoopAddress *address, bool is_store);
    void (*stmt)(void *context, const LoopStmt *s); /* before what is inside; a call's body is inside it */
    void *context;
} LoopVisitor; /* functions may be NULL */

void loop_walk_stmt(const LoopStmt *s, const LoopVisitor *visitor);
void loop_walk_body(const LoopBody *body, const LoopVisitor *visitor);
void loop_walk_expr(const LoopExpr *e, const LoopVisitor *visitor);

#endif
