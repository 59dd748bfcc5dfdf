/* expr.h: the value of an expression in the current frame (and equation). Poison after a reported fault. */
#ifndef NNC_SEMA_EXPR_H
#define NNC_SEMA_EXPR_H

#include "sema/context.h"

Value eval(Sema *s, const AstExpr *e);

/* Has the name a meaning in the current frame and equation? */
bool name_is_known(Sema *s, const char *name);

/* Says that there is no such name, and gives it poison as value so that it is said once. True: there was help. */
bool report_unknown_name(Sema *s, const AstExpr *name);
/* The same for a name `at` that is an index of e, and so was to be an index variable. */
void report_unknown_index(Sema *s, const AstExpr *e, const AstExpr *at);

/* Compile-time values that a place of the language demands; false: another kind, reported with `what` ("a size"). */
bool eval_integer(Sema *s, const AstExpr *e, const char *what, int64_t *out);
bool eval_number(Sema *s, const AstExpr *e, const char *what, double *out);
bool eval_bool(Sema *s, const AstExpr *e, const char *what, bool *out);
const char *eval_text(Sema *s, const AstExpr *e, const char *what); /* NULL */
/* A size of an axis: positive; it may be the dynamic dimension. */
bool eval_size(Sema *s, const AstExpr *e, Extent *out);

/* The value of a global: dimensions and constants are evaluated on demand. */
Value global_value(Sema *s, Global *global, Place place);

#endif
