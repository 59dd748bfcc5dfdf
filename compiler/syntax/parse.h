/* parse.h: text to AST.
 *
 * parse_source() reports every syntax error that it finds (it recovers at newlines and closing braces) through `diag` and returns the
 * declarations that could be read; the caller stops when diag->errors is not 0. It never returns NULL.
 */
#ifndef NNC_SYNTAX_PARSE_H
#define NNC_SYNTAX_PARSE_H

#include "base/diag.h"
#include "syntax/ast.h"

AstFile *parse_source(Arena *arena, const Source *source, Diag *diag);

#endif
