/* c_expr.h: loop expressions as C, with as few brackets as keep the tree.
 *
 * Sums and products of reals keep their order; those of integers are associative and are written flat. Values of int32_t
 * memory are widened before arithmetic.
 */
#ifndef NNC_EMIT_C_EXPR_H
#define NNC_EMIT_C_EXPR_H

#include "base/map.h"
#include "emit/c_inline.h"
#include "emit/c_near.h"
#include "emit/c_size.h"
#include "loop/loop.h"

typedef struct CExprs {
    Arena *arena;
    InlineSet *used; /* receives the inline functions */
    bool real_is_double;
    PointerMap *numbers; /* of buffers and variables, to be written instead of their names; NULL: names are written */
    CSizes *sizes;       /* notes or replaces integers; NULL: they are written as they are */
    const PointerMap *offsets; /* of addresses whose offset is written otherwise; NULL: none */
    const CNears *nears;       /* pointers that stand for some addresses; NULL: none */
} CExprs;

static inline size_t c_real_bytes(const CExprs *c) {
    return c->real_is_double ? sizeof(double) : sizeof(float);
}

/* The same, but for integers, which are written as they are. */
static inline CExprs c_exact(const CExprs *c) {
    CExprs exact = *c;
    exact.sizes = NULL;
    return exact;
}

/* What is written for a buffer or variable of that name: with numbers, "v0" for the first one that is met, then "v1". */
const char *c_name(const CExprs *c, const void *what, const char *name);

/* The next integers are noted as candidates for an argument of about this name. */
void c_wish(const CExprs *c, const char *wish);

/* Each adds to the end of `out`. */
void c_size(const CExprs *c, Text *out, int64_t value);
void c_expr(const CExprs *c, Text *out, const LoopExpr *e);
/* "place = value;" of a LOOP_SET. */
void c_assignment(const CExprs *c, Text *out, const LoopStmt *s);
/* "&x[i]" */
void c_pointer(const CExprs *c, Text *out, const LoopAddress *address);
/* What stands behind a "<". */
void c_below(const CExprs *c, Text *out, const LoopExpr *bound);
/* The statement that stores, without indentation: "y[i] = x;" or "nn_store(&y[i], x);". */
void c_store(const CExprs *c, Text *out, const LoopAddress *to, const LoopExpr *value);
/* "nn_load_turned(tile, &x[i], 784, 8, NN_LANES);" */
void c_turn(const CExprs *c, Text *out, const LoopStmt *s);
/* "nn_exps(t, 4);" */
void c_apply(const CExprs *c, Text *out, const LoopStmt *s);
/* "nn_fetch_read(&x[i], 512);" */
void c_fetch(const CExprs *c, Text *out, const LoopStmt *s);

#endif
