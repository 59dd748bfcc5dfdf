/* scan.h: raw tokens, and the messages for what the language does not have.
 *
 * The scanner is made by Flex from grammar/nn.l. Its tokens are a kind (TOKEN_..., see grammar/nn.y) and a place; every
 * newline is a token. The functions below the scanner are for the actions of nn.l: each reports a fault and returns the
 * kind of token that was meant, or TOKEN_BAD, which the parser skips in silence.
 */
#ifndef NNC_SYNTAX_SCAN_H
#define NNC_SYNTAX_SCAN_H

#include "base/diag.h"

typedef struct Scan {
    Arena *arena;
    const Source *source;
    Diag *diag;
    size_t offset; /* of the next byte that is not scanned */
    bool quiet;    /* while the parser recovers: faults may be consequences of the first one, and are not reported */
    void *flex;    /* the state of the generated scanner, in the arena */
} Scan;

/* False, with a message, when the text is not UTF-8 or holds a NUL: it cannot be scanned then. */
bool scan_check_encoding(const Source *source, Diag *diag);

/* Where the program begins: behind a byte-order mark, if there is one. */
size_t scan_begin(const Source *source);

Scan *scan_start(Arena *arena, const Source *source, Diag *diag);
/* The next raw token; TOKEN_END at the end, again and again. */
int scan_next(Scan *scan, Place *place);

/* ---- for nn.l ---- */

int scan_bad_number(Scan *scan, Place place);       /* 12abc, 5., .5 */
int scan_text(Scan *scan, Place place);             /* a text: it must not hold control characters */
int scan_open_text(Scan *scan, Place place);        /* a text without its closing quote */
int scan_single_quotes(Scan *scan, Place place);    /* 'a text' */
int scan_foreign(Scan *scan, Place place);          /* a sign of another language */
int scan_stray(Scan *scan, Place place);            /* any other character */
void scan_foreign_comment(Scan *scan, Place place); /* of two slashes, or of a slash and a star */

#endif
