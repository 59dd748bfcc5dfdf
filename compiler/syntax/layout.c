#include "syntax/layout.h"

#include <string.h>
#include "syntax/nn_parser.h"
#include "syntax/scan.h"

/* ---- kinds of tokens ---- */

/* Operators with something on both sides: a statement goes on behind and before them. */
static bool is_infix(int kind) {
    switch (kind) {
    case TOKEN_PIPE:
    case TOKEN_AND:
    case TOKEN_OR:
    case TOKEN_EQ:
    case TOKEN_NE:
    case TOKEN_LT:
    case TOKEN_LE:
    case TOKEN_GT:
    case TOKEN_GE:
    case TOKEN_PLUS:
    case TOKEN_MINUS:
    case TOKEN_TIMES:
    case TOKEN_DIVIDE:
    case TOKEN_MODULO:
    case TOKEN_POWER:
    case TOKEN_THEN:
    case TOKEN_ELSE: return true;
    default: return false;
    }
}

static bool continues_behind(int kind) {
    return is_infix(kind) || kind == TOKEN_EQUALS || kind == TOKEN_UPDATE || kind == TOKEN_COMMA;
}

static bool continues_before(int kind) {
    return is_infix(kind) || kind == TOKEN_LBRACE;
}

/* Words that start a declaration and cannot start a statement. */
static bool starts_declaration(int kind) {
    switch (kind) {
    case TOKEN_DIM:
    case TOKEN_CONST:
    case TOKEN_FN:
    case TOKEN_LAYER:
    case TOKEN_INIT:
    case TOKEN_SCHEDULE:
    case TOKEN_MODEL:
    case TOKEN_TRAIN: return true;
    default: return false;
    }
}

/* Words that also start a statement or a setting. */
static bool may_start_declaration(int kind) {
    return starts_declaration(kind) || kind == TOKEN_LOSS || kind == TOKEN_METRIC || kind == TOKEN_OPTIMIZER;
}

/* Words that cannot stand in an expression: at the start of a line they show that a bracket before it is not closed. */
static bool is_no_expression(int kind) {
    switch (kind) {
    case TOKEN_PARAM:
    case TOKEN_STATE:
    case TOKEN_INPUT:
    case TOKEN_TARGET:
    case TOKEN_OUTPUT:
    case TOKEN_RETURN:
    case TOKEN_REQUIRE:
    case TOKEN_WARN:
    case TOKEN_FOR: return true;
    default: return may_start_declaration(kind);
    }
}

static bool is_opening(int kind) {
    return kind == TOKEN_LPAREN || kind == TOKEN_LBRACKET || kind == TOKEN_LBRACE;
}

/* The bracket that closes what `opening` opens. */
static int closing_of(int opening) {
    return opening == TOKEN_LPAREN ? TOKEN_RPAREN : opening == TOKEN_LBRACKET ? TOKEN_RBRACKET : TOKEN_RBRACE;
}

static const char *bracket_text(int kind) {
    switch (kind) {
    case TOKEN_LPAREN: return "(";
    case TOKEN_RPAREN: return ")";
    case TOKEN_LBRACKET: return "[";
    case TOKEN_RBRACKET: return "]";
    case TOKEN_LBRACE: return "{";
    default: return "}";
    }
}

static bool token_is_word(const Token *token, const char *word) {
    size_t length = strlen(word);
    return token->kind == TOKEN_NAME && token->place.end - token->place.start == length &&
           memcmp(token->place.source->text + token->place.start, word, length) == 0;
}

/* ---- the open brackets ---- */

static const Token *innermost(const Layout *layout) {
    return layout->open.count > 0 ? &layout->open.at[layout->open.count - 1] : NULL;
}

static bool in_round_or_square(const Layout *layout) {
    const Token *bracket = innermost(layout);
    return bracket && bracket->kind != TOKEN_LBRACE;
}

static void open_bracket(Layout *layout, Token bracket) {
    vec_push(layout->arena, &layout->open, bracket);
    layout->open_braces += bracket.kind == TOKEN_LBRACE;
}

static void forget_innermost(Layout *layout) {
    layout->open_braces -= innermost(layout)->kind == TOKEN_LBRACE;
    layout->open.count--;
}

static void forget_round_and_square(Layout *layout) {
    while (in_round_or_square(layout))
        forget_innermost(layout);
}

static void report_unclosed(Layout *layout, const Token *bracket, const char *before) {
    if (!layout->recovering) {
        diag_error(layout->diag, layout->ahead.place, "expected `%s` before %s",
                   bracket_text(closing_of(bracket->kind)), before);
        diag_note(layout->diag, bracket->place, "this `%s` is not closed", bracket_text(bracket->kind));
    }
}

/* ---- reading and giving tokens ---- */

/* The next raw token, with the newline before it. The end of the file stands directly behind the last token. */
static void read_ahead(Layout *layout) {
    Token token = {.place = layout->ahead.place};
    size_t end = token.place.end;
    while ((token.kind = scan_next(layout->scan, &token.place)) == TOKEN_NEWLINE)
        if (!token.newline.source)
            token.newline = token.place;
    if (token.kind == TOKEN_END)
        token.place.start = token.place.end = end;
    layout->ahead = token;
    layout->has_ahead = true;
}

/* The token goes to the parser. */
static int give(Layout *layout, Token token, Place *place) {
    if (layout->last.kind == TOKEN_NEWLINE || layout->last.kind == TOKEN_LBRACE) {
        layout->above = layout->last.kind == TOKEN_NEWLINE ? layout->line_first : (Token){0};
        layout->line_first = token;
    }
    layout->before = layout->last;
    layout->last = token;
    *place = token.place;
    return token.kind;
}

/* A token that is not in the text: before the next one. */
static int give_extra(Layout *layout, int kind, Place *place) {
    Place at = layout->ahead.place;
    return give(layout, (Token){.kind = kind, .place = {at.source, at.start, at.start}}, place);
}

/* The newline before the next token: on it if there is one, else empty. */
static int give_newline(Layout *layout, Place *place) {
    Place at = layout->ahead.newline;
    if (!at.source)
        return give_extra(layout, TOKEN_NEWLINE, place);
    layout->ahead.newline = (Place){0};
    return give(layout, (Token){.kind = TOKEN_NEWLINE, .place = at}, place);
}

static int give_ahead(Layout *layout, Place *place) {
    Token token = layout->ahead;
    if (is_opening(token.kind))
        open_bracket(layout, token);
    else if (token.kind == TOKEN_IN && in_round_or_square(layout))
        layout->open.at[layout->open.count - 1].has_ranges = true;
    else if (token.kind == TOKEN_TRAIN && layout->open.count == 0)
        layout->in_train = true;
    layout->has_ahead = token.kind == TOKEN_END;
    layout->closing = false;
    return give(layout, token, place);
}

/* ---- newlines ---- */

/* While the parser recovers, a `{` is part of what is dropped. */
static bool at_line_start(const Layout *layout) {
    return layout->last.kind == TOKEN_NEWLINE || (layout->last.kind == TOKEN_LBRACE && !layout->recovering);
}

/* While the parser recovers: does the next token, the first of its line, look like a statement of its own, although brackets
 * are open? Continued lines are mostly indented. */
static bool looks_like_statement(const Layout *layout) {
    int kind = layout->ahead.kind;
    return kind != TOKEN_RPAREN && kind != TOKEN_RBRACKET && !continues_before(kind) &&
           place_column(layout->ahead.place) <= layout->recovery_column;
}

/* Is the newline before the next token where the body of a reduction was to follow? */
static bool lacks_body(const Layout *layout) {
    const Token *ahead = &layout->ahead;
    return layout->last.kind == TOKEN_RPAREN && layout->closed.kind == TOKEN_LPAREN && layout->closed.has_ranges &&
           ahead->kind != TOKEN_RBRACE && !is_no_expression(ahead->kind) &&
           place_column(ahead->place) > place_column(layout->line_first.place);
}

static void report_body(const Layout *layout) {
    Place head = place_join(layout->closed.place, layout->last.place);
    diag_error(layout->diag, head, "the body of a reduction begins on the line of these brackets");
    diag_help(layout->diag, "a body on several lines stands in brackets that open on this one: `sum(k in 0..3) (`");
}

/* Does the newline before the next token end a statement? */
static bool newline_counts(Layout *layout) {
    if (!layout->ahead.newline.source || at_line_start(layout))
        return false;
    if (layout->recovering) {
        if (in_round_or_square(layout) && looks_like_statement(layout))
            forget_round_and_square(layout);
        return !in_round_or_square(layout) && layout->open_braces <= layout->recovery_braces;
    }
    if (in_round_or_square(layout) || continues_before(layout->ahead.kind))
        return false;
    if (continues_behind(layout->last.kind)) {
        layout->joined = layout->last;
        return false;
    }
    if (lacks_body(layout)) {
        report_body(layout);
        return false;
    }
    return true;
}

/* ---- brackets ---- */

/* `)` or `]`. */
static int close_bracket(Layout *layout, Place *place) {
    if (!in_round_or_square(layout)) {
        if (!layout->recovering)
            diag_error(layout->diag, layout->ahead.place, "this `%s` closes nothing", bracket_text(layout->ahead.kind));
        layout->ahead.kind = TOKEN_BAD;
        return give_ahead(layout, place);
    }
    const Token *bracket = innermost(layout);
    if (closing_of(bracket->kind) != layout->ahead.kind) {
        report_unclosed(layout, bracket, layout->ahead.kind == TOKEN_RPAREN ? "this `)`" : "this `]`");
        layout->ahead.kind = closing_of(bracket->kind);
    }
    layout->closed = *bracket;
    forget_innermost(layout);
    return give_ahead(layout, place);
}

/* An end of all ( and [ that are open, whatever comes next: one error, and the parser recovers. */
static int abandon_brackets(Layout *layout, const char *before, Place *place) {
    report_unclosed(layout, innermost(layout), before);
    forget_round_and_square(layout);
    return give_extra(layout, TOKEN_BAD, place);
}

static int close_brace(Layout *layout, Place *place) {
    if (in_round_or_square(layout))
        return abandon_brackets(layout, "this `}`", place);
    if (layout->open.count == 0) {
        if (!layout->recovering)
            diag_error(layout->diag, layout->ahead.place, "this `}` closes nothing");
        layout->ahead.kind = TOKEN_BAD;
        return give_ahead(layout, place);
    }
    if (!at_line_start(layout) && !(layout->recovering && layout->open_braces > layout->recovery_braces))
        return give_newline(layout, place);
    forget_innermost(layout);
    layout->in_train = layout->in_train && layout->open.count > 0;
    return give_ahead(layout, place);
}

/* A declaration in the first column, or the end of the file, while brackets are open: they are closed one by one. */
static int close_before_declaration(Layout *layout, Place *place) {
    const char *before = layout->ahead.kind == TOKEN_END ? "the end of the file" : "this declaration";
    if (in_round_or_square(layout)) {
        layout->closing = true;
        return abandon_brackets(layout, before, place);
    }
    while (layout->recovering && layout->open_braces > layout->recovery_braces)
        forget_innermost(layout);
    if (!at_line_start(layout))
        return give_newline(layout, place);
    if (layout->open.count == 0)
        return give_ahead(layout, place);
    if (!layout->closing)
        report_unclosed(layout, innermost(layout), before);
    forget_innermost(layout);
    layout->closing = true;
    layout->in_train = false;
    return give_extra(layout, TOKEN_RBRACE, place);
}

/* ---- the interface ---- */

void layout_init(Layout *layout, Arena *arena, const Source *source, Diag *diag) {
    Token start = {.kind = TOKEN_NEWLINE, .place = {source, 0, 0}};
    *layout = (Layout){.arena = arena,
                       .diag = diag,
                       .scan = scan_start(arena, source, diag),
                       .ahead = start,
                       .last = start,
                       .before = start,
                       .line_first = start};
}

/* Words that are reserved only in some places of a train block. */
static int contextual_kind(const Layout *layout) {
    static const char *const data_words[] = {"data", "validate", "test"};
    const Token *token = &layout->ahead;
    if (!layout->in_train || layout->open.count != 1 || token->kind != TOKEN_NAME)
        return token->kind;
    if (at_line_start(layout)) {
        for (size_t i = 0; i < sizeof data_words / sizeof data_words[0]; i++)
            if (token_is_word(token, data_words[i]))
                return TOKEN_DATA;
        return TOKEN_NAME;
    }
    return token_is_word(token, "scale") ? TOKEN_SCALE : token_is_word(token, "shift") ? TOKEN_SHIFT : TOKEN_NAME;
}

int layout_next(Layout *layout, Place *place) {
    if (!layout->has_ahead)
        read_ahead(layout);
    int kind = layout->ahead.kind;
    bool first_column = kind != TOKEN_END && place_column(layout->ahead.place) == 1;
    if (kind == TOKEN_END || (first_column && starts_declaration(kind) && (layout->open.count > 0 || layout->closing)))
        return close_before_declaration(layout, place);
    if (in_round_or_square(layout) && layout->ahead.newline.source && is_no_expression(kind))
        return abandon_brackets(layout, "this statement", place);
    if (newline_counts(layout))
        return give_newline(layout, place);
    switch (kind) {
    case TOKEN_RPAREN:
    case TOKEN_RBRACKET: return close_bracket(layout, place);
    case TOKEN_RBRACE: return close_brace(layout, place);
    case TOKEN_LBRACE:
        if (in_round_or_square(layout))
            return abandon_brackets(layout, "this `{`", place);
        break;
    default: layout->ahead.kind = contextual_kind(layout);
    }
    return give_ahead(layout, place);
}

const Token *layout_open_bracket(const Layout *layout) {
    size_t count = layout->open.count;
    if (count > 0 && layout->open.at[count - 1].place.start == layout->last.place.start)
        count--; /* the last token is that bracket */
    return count > 0 ? &layout->open.at[count - 1] : NULL;
}

void layout_start_recovery(Layout *layout) {
    layout->recovering = true;
    layout->scan->quiet = true;
    layout->recovery_braces = layout->open_braces - (layout->last.kind == TOKEN_LBRACE);
    layout->recovery_column = place_column(layout->line_first.place);
}

void layout_recovered(Layout *layout) {
    layout->recovering = false;
    layout->scan->quiet = false;
}

void layout_skip_to_declaration(Layout *layout) {
    layout->scan->quiet = true;
    layout->in_train = false;
    layout->open.count = layout->open_braces = 0;
    while (!layout->has_ahead || !(layout->ahead.kind == TOKEN_END || (may_start_declaration(layout->ahead.kind) &&
                                                                       place_column(layout->ahead.place) == 1)))
        read_ahead(layout);
    layout_recovered(layout);
}
