#include "syntax/parse_error.h"

#include <string.h>
#include "base/text.h"
#include "syntax/nn_parser.h"

/* ---- what was found ---- */

static const char *token_text(Arena *arena, const Token *token) {
    return arena_copy_text(arena, token->place.source->text + token->place.start,
                           token->place.end - token->place.start);
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A word of the language: looks like a name and is none. */
static bool is_reserved(const Token *token) {
    return token->kind != TOKEN_NAME && token->place.end > token->place.start &&
           is_letter(token->place.source->text[token->place.start]);
}

/* A newline that layout.c added stands before `}` or the end of the file. */
static const char *describe_newline(const Token *token) {
    bool is_added = token->place.end == token->place.start;
    return !is_added                                           ? "the end of the line"
           : token->place.start == token->place.source->length ? "the end of the file"
                                                               : "`}`";
}

static const char *describe_token(Arena *arena, const Token *token) {
    switch (token->kind) {
    case TOKEN_END: return "the end of the file";
    case TOKEN_NEWLINE: return describe_newline(token);
    case TOKEN_NAME: return arena_printf(arena, "the name `%s`", token_text(arena, token));
    case TOKEN_NUMBER: return arena_printf(arena, "the number %s", token_text(arena, token));
    case TOKEN_TEXT: return arena_printf(arena, "the text %s", token_text(arena, token));
    default: return arena_printf(arena, "`%s`", token_text(arena, token));
    }
}

/* ---- what was expected ---- */

static bool expects(const Expected *expected, int token) {
    for (int i = 0; i < expected->count; i++)
        if (expected->at[i].kind == token)
            return true;
    return false;
}

/* Can an expression go on with an operator here? Then the message names only what could end it. */
static bool expects_operator(const Expected *expected) {
    return expects(expected, TOKEN_PLUS);
}

static bool expects_expression(const Expected *expected) {
    return expects(expected, TOKEN_NUMBER);
}

/* Brackets, commas, ends of lines: what parts things. */
static bool is_delimiter(int kind) {
    switch (kind) {
    case TOKEN_RPAREN:
    case TOKEN_RBRACKET:
    case TOKEN_LBRACE:
    case TOKEN_RBRACE:
    case TOKEN_COMMA:
    case TOKEN_RANGE:
    case TOKEN_THEN:
    case TOKEN_ELSE:
    case TOKEN_NEWLINE: return true;
    default: return false;
    }
}

/* The alternatives of a message. */
typedef struct Choices {
    const char *at[EXPECTED_LIMIT];
    int count;
} Choices;

static void choices_add(Choices *choices, const char *text) {
    choices->at[choices->count++] = text;
}

static void choices_add_tokens(Choices *choices, const Expected *expected, bool delimiters) {
    for (int i = 0; i < expected->count; i++)
        if (is_delimiter(expected->at[i].kind) == delimiters)
            choices_add(choices, expected->at[i].text);
}

/* A word for many tokens that start the same kind of thing, or NULL: one of the tokens stands for all. */
static const char *find_group(const Expected *expected) {
    static const struct {
        int token;
        const char *text;
    } groups[] = {
        {TOKEN_MODEL, "a declaration"},
        {TOKEN_RETURN, "a statement"},
        {TOKEN_DATA, "a setting of the training"},
        {TOKEN_NUMBER, "an expression"},
    };
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (expects(expected, groups[i].token))
            return groups[i].text;
    return NULL;
}

/* The few things that say what is wanted. */
static Choices choose(const Expected *expected) {
    Choices choices = {.count = 0};
    if (!expects_operator(expected)) {
        const char *group = find_group(expected);
        if (group)
            choices_add(&choices, group);
        else
            choices_add_tokens(&choices, expected, false);
    }
    choices_add_tokens(&choices, expected, true);
    return choices;
}

static const char *choices_text(Arena *arena, const Choices *choices) {
    Text *text = text_new(arena);
    for (int i = 0; i < choices->count; i++) {
        text_add(text, i == 0 ? "" : i + 1 == choices->count ? " or " : ", ");
        text_add(text, choices->at[i]);
    }
    return text_get(text);
}

/* ---- help ---- */

static const char *foreign_word_repair(Arena *arena, const Token *token) {
    static const struct {
        const char *word, *repair;
    } table[] = {
#define FOREIGN_WORD(word, repair) {#word, repair},
#include "syntax/foreign_words.def"
#undef FOREIGN_WORD
    };
    if (token->kind != TOKEN_NAME)
        return NULL;
    const char *text = token_text(arena, token);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(text, table[i].word) == 0)
            return table[i].repair;
    return NULL;
}

static bool is_comparison(int kind) {
    return kind == TOKEN_EQ || kind == TOKEN_NE || kind == TOKEN_LT || kind == TOKEN_LE || kind == TOKEN_GT ||
           kind == TOKEN_GE;
}

static bool starts_function(int kind) {
    switch (kind) {
    case TOKEN_FN:
    case TOKEN_LAYER:
    case TOKEN_LOSS:
    case TOKEN_METRIC:
    case TOKEN_INIT:
    case TOKEN_OPTIMIZER:
    case TOKEN_SCHEDULE: return true;
    default: return false;
    }
}

static const char *repair_equals(const Expected *expected) {
    return expects(expected, TOKEN_EQ)      ? "a comparison is written `==`"
           : expects(expected, TOKEN_COLON) ? "a type stands behind its name: `x: real[N, K]`"
                                            : NULL;
}

static const char *repair_comparison(const Token *found, const Expected *expected) {
    if (found->kind == TOKEN_EQ && expects(expected, TOKEN_EQUALS))
        return "a name is given to a value with one `=`";
    if (!expects(expected, TOKEN_EQ) && expects(expected, TOKEN_AND))
        return "comparisons are joined by `and`: `a < b and b < c`";
    return NULL;
}

/* By the token that was found. */
static const char *repair_found(const Token *found, const Expected *expected) {
    switch (found->kind) {
    case TOKEN_EQUALS: return repair_equals(expected);
    case TOKEN_COLON: return expects(expected, TOKEN_LBRACE) ? "a block stands between `{` and `}`" : NULL;
    case TOKEN_SEMICOLON:
        return expects(expected, TOKEN_NEWLINE) ? "a statement ends at the end of its line, without `;`" : NULL;
    case TOKEN_UPDATE:
        return expects(expected, TOKEN_EQUALS) ? "a state is changed as a whole: `y[k] = ...`, and then `m <- y`"
                                               : "less than a negative value is written `a < -b`";
    case TOKEN_IF:
        return expects(expected, TOKEN_NEWLINE) && expects(expected, TOKEN_PIPE)
                   ? "a choice is written `if c then a else b`"
                   : NULL;
    case TOKEN_LBRACE: return expects(expected, TOKEN_RANGE) ? "a range is written `0..n`" : NULL;
    case TOKEN_NUMBER:
        return expects(expected, TOKEN_ELLIPSIS) && !expects_expression(expected)
                   ? "on the left side stand index variables; a choice is written `if i == 0 then 1 else x[i]`"
                   : NULL;
    case TOKEN_NAME:
    case TOKEN_LPAREN: return expects(expected, TOKEN_COLON) ? "a type stands behind its name: `x: real[N, K]`" : NULL;
    default: return is_comparison(found->kind) ? repair_comparison(found, expected) : NULL;
    }
}

/* Something that could start an expression of its own, behind a whole one. */
static const char *repair_missing_operator(const Token *found, const Token *before, const Expected *expected) {
    if (before->kind == TOKEN_TEXT && found->kind == TOKEN_NAME && found->place.start == before->place.end)
        return "is a `\"` missing, here or before?";
    bool starts_expression = found->kind == TOKEN_NAME || found->kind == TOKEN_NUMBER || found->kind == TOKEN_LPAREN;
    if (starts_expression && expects_operator(expected) && expects(expected, TOKEN_NEWLINE))
        return "is an operator missing? A product is written `a * b`";
    return NULL;
}

static bool is_setting_word(Arena *arena, const Token *token) {
    static const char *const words[] = {"data",   "validate", "test",     "split",   "rate",
                                        "epochs", "seed",     "patience", "shuffle", "clip_norm"};
    const char *text = token->kind == TOKEN_NAME ? token_text(arena, token) : "";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return token->kind == TOKEN_OPTIMIZER || token->kind == TOKEN_DATA;
}

/* A statement or a setting that goes on as the next one. `optimizer sgd() rate 0.1` reads as a reduction of `rate` up to the number. */
static const char *repair_one_line(Arena *arena, const Layout *layout, const Expected *expected) {
    const Token *found = &layout->last, *before = &layout->before;
    if (!expects(expected, TOKEN_NEWLINE) || place_line(found->place) != place_line(before->place))
        return NULL;
    if (layout->in_train) {
        bool follows = before->place.start > layout->line_first.place.start && is_setting_word(arena, before);
        return follows || is_setting_word(arena, found) ? "each setting stands on a line of its own" : NULL;
    }
    switch (found->kind) {
    case TOKEN_INPUT:
    case TOKEN_TARGET:
    case TOKEN_OUTPUT:
    case TOKEN_PARAM:
    case TOKEN_STATE:
    case TOKEN_LOSS:
    case TOKEN_METRIC:
    case TOKEN_RETURN:
    case TOKEN_REQUIRE:
    case TOKEN_WARN: return "each statement stands on a line of its own";
    default: return NULL;
    }
}

/* x[1:], where an expression may stand; a type in square brackets is something else. */
static bool is_slice(const Layout *layout, const Expected *expected) {
    switch (layout->line_first.kind) {
    case TOKEN_PARAM:
    case TOKEN_STATE:
    case TOKEN_INPUT:
    case TOKEN_TARGET: return false;
    default:
        return layout->last.kind == TOKEN_COLON && !starts_function(layout->line_first.kind) &&
               (expects(expected, TOKEN_ELLIPSIS) || expects(expected, TOKEN_RBRACKET));
    }
}

/* By the statement in which it was found, and the token before. */
static const char *repair_statement(Arena *arena, const Layout *layout, const Expected *expected) {
    const Token *first = &layout->line_first, *before = &layout->before;
    if (expects(expected, TOKEN_UPDATE))
        return "a statement gives a name to a value: `y = ...`";
    if (before->kind == TOKEN_PIPE)
        return "behind `|>` stands a function: `x |> f` or `x |> f(a)`";
    if (expects(expected, TOKEN_PIPE) && !expects_operator(expected))
        return "brackets hold a pipe together: `(x |> f) + 1`";
    if (first->kind == TOKEN_NAME && before->kind == TOKEN_COMMA && layout->last.kind == TOKEN_LPAREN &&
        expects(expected, TOKEN_NAME) && !expects_expression(expected))
        return "several results have their names in one row: `y, h, c = ...`";
    if (is_slice(layout, expected))
        return "a part of a tensor is an equation with a range: `y[i, j in 0..2] = x[i, j]`";
    if (first->kind == TOKEN_OUTPUT && layout->last.kind == TOKEN_LBRACKET) {
        const char *name = token_text(arena, before);
        return arena_printf(arena, "an equation has a line of its own: `%s[...] = ...`, and then `output %s`", name,
                            name);
    }
    if (starts_function(first->kind) && expects(expected, TOKEN_LPAREN) && !expects_expression(expected) &&
        !expects_operator(expected)) {
        if (expects(expected, TOKEN_COMMA))
            return "between two parameters stands a comma: `f(x, n: int)`";
        return "parameters stand in brackets, even if there are none: `fn f() = ...`";
    }
    if ((first->kind == TOKEN_PARAM || first->kind == TOKEN_STATE) && expects(expected, TOKEN_EQUALS))
        return arena_printf(arena, "it begins with a value: `%s W: real[N, K] = zeros`", token_text(arena, first));
    bool lacks_message = expects(expected, TOKEN_COMMA) && layout->last.kind == TOKEN_NEWLINE;
    if (first->kind == TOKEN_REQUIRE && lacks_message)
        return "a message says what is wrong: `require n > 0, \"wants a positive n, not {n}\"`";
    if (first->kind == TOKEN_WARN && lacks_message)
        return "a message says what is odd: `warn n > 100, \"is slow with n = {n}\"`";
    if (layout->in_train && first->kind == TOKEN_DATA && before->kind == TOKEN_EQUALS)
        return "data come from a source, as in `data x = csv(\"samples.csv\", x = \"a\")`";
    bool at_setting = layout->in_train && before->place.start == first->place.start;
    if (at_setting && (layout->last.kind == TOKEN_EQUALS || layout->last.kind == TOKEN_COLON)) {
        return arena_printf(arena, "a setting is its word and its value, without `%s`",
                            token_text(arena, &layout->last));
    }
    return NULL;
}

/* A line that is indented as if it went on with the one above. */
static const char *repair_continued(const Layout *layout, const Expected *expected) {
    const Token *above = &layout->above;
    bool in_statement =
        expects(expected, TOKEN_EQUALS) || expects(expected, TOKEN_RETURN) || expects(expected, TOKEN_ELLIPSIS);
    if (!in_statement || above->place.source == NULL || above->kind == TOKEN_RBRACE ||
        place_column(layout->line_first.place) <= place_column(above->place))
        return NULL;
    return "a statement goes on inside brackets, behind an operator, or on a line that starts with one";
}

static const char *repair_reserved(Arena *arena, const Token *found, const Token *before, const Expected *expected) {
    if (found->kind == TOKEN_DIM && before->kind == TOKEN_COMMA && expects_expression(expected)) {
        return "an axis is not chosen by `dim`: softmax() goes along the last one, a sum has its index, `sum(k) "
               "x[b, k]`, and for concat() and stack() it is called `axis`";
    }
    bool same_line = place_line(found->place) == place_line(before->place);
    if (same_line && is_reserved(found) && expects(expected, TOKEN_NAME))
        return arena_printf(arena, "`%s` is a word of the language and cannot be a name", token_text(arena, found));
    return NULL;
}

/* The repair of a known mistake, or NULL. */
static const char *find_repair(Arena *arena, const Layout *layout, const Expected *expected) {
    const Token *found = &layout->last, *before = &layout->before;
    const char *repair = repair_continued(layout, expected);
    if (!repair)
        repair = repair_found(found, expected);
    if (!repair)
        repair = foreign_word_repair(arena, found);
    if (!repair)
        repair = repair_one_line(arena, layout, expected);
    if (!repair)
        repair = foreign_word_repair(arena, before);
    if (!repair)
        repair = repair_reserved(arena, found, before, expected);
    if (!repair)
        repair = repair_missing_operator(found, before, expected);
    return repair ? repair : repair_statement(arena, layout, expected);
}

/* ---- the interface ---- */

/* A note on what is far from the error: a bracket that was opened on an earlier line, a line that was joined to this one.
 * Returns whether there was one: it says enough then. */
static bool note_context(Diag *diag, Arena *arena, const Layout *layout) {
    const Token *bracket = layout_open_bracket(layout);
    const Token *joined = &layout->joined;
    int line = place_line(layout->last.place);
    if (bracket && bracket->kind != TOKEN_LBRACE && place_line(bracket->place) < line) {
        diag_note(diag, bracket->place, "this `%s` is not closed yet", token_text(arena, bracket));
        return true;
    }
    if (joined->place.source && joined->place.start >= layout->line_first.place.start &&
        place_line(joined->place) < line) {
        diag_note(diag, joined->place, "the statement goes on behind this `%s`", token_text(arena, joined));
        return true;
    }
    return false;
}

void parse_report(AstBuild *b, const Layout *layout, const Expected *expected) {
    if (layout->last.kind == TOKEN_BAD)
        return;
    Choices choices = choose(expected);
    diag_error(b->diag, layout->last.place, "expected %s, but found %s", choices_text(b->arena, &choices),
               describe_token(b->arena, &layout->last));
    const char *repair = note_context(b->diag, b->arena, layout) ? NULL : find_repair(b->arena, layout, expected);
    if (repair)
        diag_help(b->diag, "%s", repair);
}

void parse_report_depth(Diag *diag, Place place) {
    diag_error(diag, place, "this is nested too deeply");
    diag_help(diag, "give a part of it a name, on a line of its own");
}
