/* prelude.h: the embedded prelude as one file: the declarations of all its .nn files together, each with its own source. */
#ifndef NNC_SYNTAX_PRELUDE_H
#define NNC_SYNTAX_PRELUDE_H

#include "base/diag.h"
#include "syntax/ast.h"

AstFile *prelude_parse(Arena *arena, Diag *diag);

#endif
