#include "syntax/scan.h"

#include <string.h>
#include "syntax/nn_parser.h"
#include "base/utf8.h"

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

static void report(const Scan *scan, Place place, const char *message, const char *repair) {
    if (!scan->quiet) {
        diag_error(scan->diag, place, "%s", message);
        if (repair)
            diag_help(scan->diag, "%s", repair);
    }
}

/* `2x` is meant to be `2 * x`, but 1e, 0x1F and 1_000 are not. */
static bool is_product(const char *letters) {
    bool has_digit = letters[strcspn(letters, "0123456789")] != '\0';
    bool is_exponent = strcmp(letters, "e") == 0 || strcmp(letters, "E") == 0;
    return letters[0] != '\0' && !has_digit && !is_exponent;
}

int scan_bad_number(Scan *scan, Place place) {
    const char *word = copy_place(scan, place);
    size_t digits = strspn(word, ".0123456789");
    const char *repair = "numbers are written `12`, `0.5`, `1e-3`";
    if (is_product(word + digits))
        repair = arena_printf(scan->arena, "a product is written `%.*s * %s`", (int)digits, word, word + digits);
    else if (word[0] == '.')
        repair = arena_printf(scan->arena, "write `0%s`", word);
    else if (word[place.end - place.start - 1] == '.')
        repair = arena_printf(scan->arena, "write `%s0`", word);
    report(scan, place, arena_printf(scan->arena, "`%s` is not a number", word), repair);
    return TOKEN_NUMBER;
}

static bool is_control(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

int scan_text(Scan *scan, Place place) {
    const Source *source = place.source;
    uint32_t code = 0;
    size_t bytes = 0;
    for (size_t at = place.start; at < place.end; at += bytes) {
        bytes = utf8_decode(source->text + at, place.end - at, &code);
        if (is_control(code) && code != '\t') {
            const char *message =
                arena_printf(scan->arena, "a control character (U+%04X) cannot stand in a text", code);
            report(scan, (Place){source, at, at + bytes}, message, NULL);
            return TOKEN_BAD;
        }
    }
    return TOKEN_TEXT;
}

int scan_open_text(Scan *scan, Place place) {
    report(scan, place, "this text has no closing `\"`", "a text ends on its line; a newline in it is written `\\n`");
    return TOKEN_BAD;
}

int scan_single_quotes(Scan *scan, Place place) {
    report(scan, place, "a text stands between `\"` and `\"`", NULL);
    return TOKEN_BAD;
}

void scan_foreign_comment(Scan *scan, Place place) {
    const char *sign = arena_copy_text(scan->arena, place.source->text + place.start, 2);
    const char *message = arena_printf(scan->arena, "`%s` does not start a comment", sign);
    report(scan, (Place){place.source, place.start, place.start + 2}, message,
           "a comment runs from `#` to the end of the line; a quotient is written `a / b`");
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
            report(scan, place, arena_printf(scan->arena, "the language has no `%s`", sign), table[i].repair);
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
    const char *message =
        is_control(code)
            ? arena_printf(scan->arena, "a control character (U+%04X) cannot stand here", code)
            : arena_printf(scan->arena, "the character `%s` (U+%04X) cannot stand here", copy_place(scan, place), code);
    const char *repair = NULL;
    if (lookalike(code))
        repair = arena_printf(scan->arena, "is %s meant?", lookalike(code));
    else if (code >= 0xA0)
        repair = "names are letters from a to z, digits and `_`; other characters stand in comments and in texts";
    report(scan, place, message, repair);
    return TOKEN_BAD;
}
