/* call.h: calls of declarations, built-in functions and instances.
 *
 * A layer, an initialiser or a schedule that is called without its leading arguments (the tensor; step and steps) gives an instance:
 * the declaration with the other arguments, to be called later. Every call of one layer instance uses the same parameters.
 */
#ifndef NNC_SEMA_CALL_H
#define NNC_SEMA_CALL_H

#include "sema/arguments.h"

Value eval_call(Sema *s, const AstExpr *e);

/* Has the name of a call a meaning in the current frame? */
bool callee_is_known(Sema *s, const char *name);
void report_unknown_callee(Sema *s, AstName name);

/* Calls a value that came from evaluating a setting or an initialiser with `leading` values as its first arguments. The value must be a
 * FUNCTION or INSTANCE. */
Value call_with(Sema *s, Value callee, const Value *leading, int count, Place place);

/* Binds the arguments in the current frame, which is the callee's: types, defaults. False after a fault. */
bool bind_parameters(Sema *s, const AstDecl *decl, const Arguments *args);
/* The declaration behind a FUNCTION or INSTANCE; NULL: neither. */
const Function *callee_function(Value value);
/* All arguments of a call to `value`: the given ones, then those that the instance keeps. */
Arguments combined_arguments(Sema *s, Value value, const Arguments *given);
/* How many leading arguments of the declaration are left out in an instance. */
int leading_count(const AstDecl *decl);
/* Runs the body of the current frame's function; its value, or poison after a fault (no value is one). */
Value run_body(Sema *s, Place place);

#endif
