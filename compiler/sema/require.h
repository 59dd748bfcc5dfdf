/* require.h: the statements `require test, "message", "help"` and `warn test, "message", "help"`: what the language's own code reports. */
#ifndef NNC_SEMA_REQUIRE_H
#define NNC_SEMA_REQUIRE_H

#include "sema/context.h"

/* A false test is an error at the call of the function that holds the statement (at the statement itself in a model). In the texts,
 * {name} stands for the value of that name. Nothing after it in the body is run. */
void exec_require(Sema *s, const AstStmt *stmt);
/* Says that the test holds, and goes on. */
void exec_warn(Sema *s, const AstStmt *stmt);

#endif
