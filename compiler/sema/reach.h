/* reach.h: how far the body of a reduction reaches. `sum(k) a[k] - b[k]` is `(sum(k) a[k]) - b[k]`; who meant the other learns it from
 * a fault of `k`: there is no such name behind the sum, or the body alone does not tell its range. */
#ifndef NNC_SEMA_REACH_H
#define NNC_SEMA_REACH_H

#include "sema/context.h"

/* Adds note and help to a message about `name` at the place, when the statement that is being evaluated has a reduction over `name`
 * that ends before an operator, and an operand behind it that uses `name`. The place is in one of the two. True: they were printed. */
bool sema_help_reach(Sema *s, const char *name, Place place);

/* Does the name stand in the expression, other than for a variable of a reduction in it? */
bool expr_uses(const AstExpr *e, const char *name);

#endif
