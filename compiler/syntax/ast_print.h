/* ast_print.h: the AST as text, for --dump=ast and for tests: canonical source that parses back to the same AST. */
#ifndef NNC_SYNTAX_AST_PRINT_H
#define NNC_SYNTAX_AST_PRINT_H

#include "base/text.h"
#include "syntax/ast.h"

void ast_print(const AstFile *file, Text *out);
/* One expression on one line, as a user would write it: for messages. */
void ast_print_expr(const AstExpr *expr, Text *out);
/* The operator's sign or word. */
const char *ast_binary_text(AstBinary op);
/* `k`, `k in a..b` or `...`. */
void ast_print_index_var(const AstIndexVar *var, Text *out);
/* `real[batch, K]`, `class[batch](10)`, `real like p`. */
void ast_print_type(const AstType *type, Text *out);

#endif
