/* c_expr.h: loop expressions as C, with as few brackets as keep the tree.
 *
 * Sums and products of reals keep their order; those of integers are associative and are written flat. Values of int32_t
 * memory are widened before arithmetic.
 */
#ifndef NNC_EMIT_C_EXPR_H
#define NNC_EMIT_C_EXPR_H

#include "emit/c_inline.h"
#include "loop/loop.h"

typedef struct CExprs {
    Arena *arena;
    InlineSet *used; /* receives the inline functions */
    bool real_is_double;
} CExprs;

const char *c_expr(const CExprs *c, const LoopExpr *e);
/* "place = value;" of a LOOP_SET. */
const char *c_assignment(const CExprs *c, const LoopStmt *s);
/* `a op b`, where the operator is that of `op`: for the conditions of statements. */
const char *c_compare(const CExprs *c, const LoopExpr *a, Op op, const LoopExpr *b);
/* The statement that stores, without indentation: "y[i] = x;" or "nn_store(&y[i], x);". */
const char *c_store(const CExprs *c, const LoopAddress *to, const LoopExpr *value);

#endif
