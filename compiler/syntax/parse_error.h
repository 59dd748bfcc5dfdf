/* parse_error.h: the messages for a token that the grammar does not allow. */
#ifndef NNC_SYNTAX_PARSE_ERROR_H
#define NNC_SYNTAX_PARSE_ERROR_H

#include "syntax/ast_build.h"
#include "syntax/layout.h"

typedef struct ExpectedToken {
    int kind;         /* TOKEN_... of nn.y */
    const char *text; /* as messages spell it */
} ExpectedToken;

enum { EXPECTED_LIMIT = 80 };

/* The tokens that could have stood there. */
typedef struct Expected {
    ExpectedToken at[EXPECTED_LIMIT];
    int count;
} Expected;

/* Reports the last token of the layout: "expected ..., but found ...", with help for known mistakes. A TOKEN_BAD has been
 * reported already. */
void parse_report(AstBuild *b, const Layout *layout, const Expected *expected);
/* Reports that the parser's stack is full. */
void parse_report_depth(Diag *diag, Place place);

#endif
