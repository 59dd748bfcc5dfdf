/* layout.h: from raw tokens to the parser's tokens: which newlines count, and which bracket belongs to which.
 *
 * The parser sees TOKEN_NEWLINE behind every declaration, statement and setting, and nowhere else: not at the start of the
 * file or of a block, not twice, not inside ( ) and [ ], not behind an operator, `=`, `<-`, `,`, `then` or `else`, and not
 * before a line that starts with an operator, `then`, `else` or `{`. Before `}` and at the end of the file one is added.
 *
 * A newline behind the head of a reduction, `sum(k in 0..3)`, is reported: the body was to follow, and the parser sees it so.
 *
 * Brackets that do not match are reported here. The parser sees a TOKEN_BAD (which it skips in silence, to recover) and
 * matching brackets. A declaration that starts in the first column closes all brackets before it.
 *
 * In a `train` block, `data`, `validate` and `test` at the start of a line become TOKEN_DATA; `scale` and `shift` outside
 * brackets become TOKEN_SCALE and TOKEN_SHIFT.
 *
 * Recovery: after an error the parser drops tokens up to a TOKEN_NEWLINE (see nn.y). From layout_start_recovery() on, the
 * next one comes at the end of the statement's line as far as that can be told: blocks that open in the meantime are
 * skipped whole, and so are brackets, unless the next lines look like statements of their own.
 */
#ifndef NNC_SYNTAX_LAYOUT_H
#define NNC_SYNTAX_LAYOUT_H

#include "base/diag.h"
#include "base/vec.h"

typedef struct Scan Scan;

typedef struct Token {
    int kind; /* TOKEN_... of nn.y */
    Place place;
    Place newline;   /* the first newline between this token and the one before it; no source when there is none */
    bool has_ranges; /* a bracket: `in` stands in it, so that it is the head of a reduction */
} Token;

typedef struct Layout {
    Arena *arena;
    Diag *diag;
    Scan *scan;
    Token ahead; /* the raw token that comes next, if has_ahead; the one before it otherwise */
    bool has_ahead;
    Token last, before; /* the last two tokens that the parser got */
    Token line_first;   /* the first token of the statement */
    Token above;        /* the first token of the statement before it in the block; no source: it is the first */
    Token closed;       /* the bracket that was closed last */
    Token joined;       /* the last token behind which a newline was dropped for its own sake, as behind `=` */
    VEC(Token) open;    /* brackets that are open, outermost first */
    size_t open_braces; /* how many of them are `{` */
    bool in_train;      /* inside the braces of a train block, or between `train` and these */
    bool closing;       /* a declaration is closing the brackets before it */
    bool recovering;
    size_t recovery_braces; /* the number of open braces of the statement that was wrong */
    int recovery_column;    /* where that statement starts */
} Layout;

void layout_init(Layout *layout, Arena *arena, const Source *source, Diag *diag);
/* The next token for the parser. */
int layout_next(Layout *layout, Place *place);

/* The innermost bracket that was open before the last token, or NULL. */
const Token *layout_open_bracket(const Layout *layout);

void layout_start_recovery(Layout *layout);
void layout_recovered(Layout *layout);
/* Drops tokens up to a declaration in the first column (or the end); all brackets count as closed then. */
void layout_skip_to_declaration(Layout *layout);

#endif
