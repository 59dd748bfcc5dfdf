/* stmt.h: statements, one after the other, in the current frame. */
#ifndef NNC_SEMA_STMT_H
#define NNC_SEMA_STMT_H

#include "sema/context.h"

/* Runs until the end, a `return`, or a limit of the evaluation. */
void exec_block(Sema *s, const AstBlock *block);

/* Gives a computed value a name: a tensor becomes a node of that name, an instance gets its path. */
Value name_value(Sema *s, AstName name, Place place, Value value);

#endif
