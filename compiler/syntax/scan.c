#include "syntax/scan.h"

#include <string.h>
#include "syntax/nn_parser.h"
#include "syntax/utf8.h"

/* ---- the encoding ---- */

size_t scan_begin(const Source *source) {
    static const char mark[] = "\xEF\xBB\xBF";
    size_t length = sizeof mark - 1;
    return source->length >= length && memcmp(source->text, mark, length) == 0 ? length : 0;
}

bool scan_check_encoding(const Source *source, Diag *diag) {
    size_t at = scan_begin(source);
    while (at < source->length) {
        Place place = {source, at, at + 1};
        uint32_t code;
        size_t bytes = utf8_decode(source->text + at, source->length - at, &code);
        if (bytes == 0) {
            diag_error(diag, place, "the byte 0x%02X is not UTF-8 here", (unsigned)(unsigned char)source->text[at]);
            diag_help(diag, "save the file in the encoding UTF-8");
            return false;
        }
        if (code == 0) {
            diag_error(diag, place, "the file holds a byte 0: it is not a text in UTF-8");
            diag_help(diag, "save the file in the encoding UTF-8");
            return false;
        }
        at += bytes;
    }
    return true;
}

/* ---- messages ---- */

/* A copy of the text at the place, for a message. */
static const char *copy_place(const Scan *scan, Place place) {
    return arena_copy_text(scan->arena, place.source->text + place.start, place.end - place.start);
}

int scan_bad_number(Scan *scan, Place place) {
    const char *word = copy_place(scan, place);
    size_t digits = strspn(word, ".0123456789");
    diag_error(scan->diag, place, "`%s` is not a number", word);
    if (word[0] == '.') {
        diag_help(scan->diag, "write `0%s`", word);
    } else if (word[digits] == '\0') {
        diag_help(scan->diag, "write `%s0`", word);
    } else if (strcspn(word + digits, "0123456789") == strlen(word + digits)) {
        diag_help(scan->diag, "a product is written `%.*s * %s`", (int)digits, word, word + digits);
    } else {
        diag_help(scan->diag, "numbers are written `12`, `0.5`, `1e-3`");
    }
    return TOKEN_NUMBER;
}

int scan_open_text(Scan *scan, Place place) {
    diag_error(scan->diag, place, "this text has no closing `\"`");
    diag_help(scan->diag, "a text ends on its line; a newline in it is written `\\n`");
    return TOKEN_BAD;
}

int scan_single_quotes(Scan *scan, Place place) {
    diag_error(scan->diag, place, "a text stands between `\"` and `\"`");
    return TOKEN_BAD;
}

void scan_slash_comment(Scan *scan, Place place) {
    diag_error(scan->diag, (Place){place.source, place.start, place.start + 2}, "`//` does not start a comment");
    diag_help(scan->diag, "a comment runs from `#` to the end of the line; a quotient is written `a / b`");
}

int scan_foreign(Scan *scan, Place place) {
    static const struct {
        const char *sign;
        int meant;
        const char *repair;
    } table[] = {
#define FOREIGN(sign, meant, repair) {sign, meant, repair},
#include "syntax/foreign.def"
#undef FOREIGN
    };
    const char *sign = copy_place(scan, place);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(sign, table[i].sign) == 0) {
            diag_error(scan->diag, place, "the language has no `%s`", sign);
            diag_help(scan->diag, "%s", table[i].repair);
            return table[i].meant;
        }
    }
    diag_bug("scan", place, "the sign `%s` of nn.l is missing in foreign.def", sign);
}

/* What a character of a text processor stands for, or NULL. */
static const char *lookalike(uint32_t code) {
    switch (code) {
#define LOOKALIKE(code_point, meant)                                                                                   \
    case code_point:                                                                                                   \
        return meant;
#include "syntax/lookalikes.def"
#undef LOOKALIKE
    default: return NULL;
    }
}

int scan_stray(Scan *scan, Place place) {
    uint32_t code = 0;
    utf8_decode(place.source->text + place.start, place.end - place.start, &code);
    if (code < 0x20 || code == 0x7F) {
        diag_error(scan->diag, place, "a control character (U+%04X) cannot stand here", code);
        return TOKEN_BAD;
    }
    diag_error(scan->diag, place, "the character `%s` (U+%04X) cannot stand here", copy_place(scan, place), code);
    if (lookalike(code)) {
        diag_help(scan->diag, "is %s meant?", lookalike(code));
    } else if (code > 0x7F) {
        diag_help(scan->diag, "names are letters from a to z, digits and `_`; other characters stand in "
                              "comments and in texts");
    }
    return TOKEN_BAD;
}
