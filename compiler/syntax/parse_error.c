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

static const char *describe_token(Arena *arena, const Token *token) {
    switch (token->kind) {
    case TOKEN_END: return "the end of the file";
    case TOKEN_NEWLINE: return "the end of the line";
    case TOKEN_NAME: return arena_printf(arena, "the name `%s`", token_text(arena, token));
    case TOKEN_NUMBER: return arena_printf(arena, "the number %s", token_text(arena, token));
    case TOKEN_TEXT: return arena_printf(arena, "the text %s", token_text(arena, token));
    default: return arena_printf(arena, "`%s`", token_text(arena, token));
    }
}

/* ---- what was expected ---- */

static bool expects(const Expected *expected, ExpectedKind kind) {
    for (int i = 0; i < expected->count; i++) {
        if (expected->at[i].kind == kind) {
            return true;
        }
    }
    return false;
}

static bool expects_text(const Expected *expected, const char *text) {
    for (int i = 0; i < expected->count; i++) {
        if (strcmp(expected->at[i].text, text) == 0) {
            return true;
        }
    }
    return false;
}

/* The alternatives of a message. */
typedef struct Choices {
    const char *at[EXPECTED_LIMIT];
    int count;
} Choices;

static void choices_add(Choices *choices, const char *text) {
    choices->at[choices->count++] = text;
}

static void choices_add_kind(Choices *choices, const Expected *expected, ExpectedKind kind) {
    for (int i = 0; i < expected->count; i++) {
        if (expected->at[i].kind == kind) {
            choices_add(choices, expected->at[i].text);
        }
    }
}

/* The few things that say what is wanted: where an operator could go on with an expression, the message names what could end
 * it instead. */
static Choices choose(const Expected *expected) {
    static const struct {
        ExpectedKind kind;
        const char *text;
    } groups[] = {
        {EXPECTED_DECLARATION, "a declaration"},
        {EXPECTED_STATEMENT, "a statement"},
        {EXPECTED_SETTING, "a setting of the training"},
        {EXPECTED_EXPRESSION, "an expression"},
    };
    Choices choices = {.count = 0};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0] && choices.count == 0; i++) {
        if (expects(expected, groups[i].kind)) {
            choices_add(&choices, groups[i].text);
        }
    }
    bool has_group = choices.count > 0;
    choices_add_kind(&choices, expected, EXPECTED_DELIMITER);
    if (choices.count == 0) {
        choices_add_kind(&choices, expected, EXPECTED_NAME);
        choices_add_kind(&choices, expected, EXPECTED_ASSIGNMENT);
    }
    if (choices.count == 0 || (!has_group && !expects(expected, EXPECTED_DELIMITER))) {
        choices_add_kind(&choices, expected, EXPECTED_OTHER);
    }
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
    if (token->kind != TOKEN_NAME) {
        return NULL;
    }
    const char *text = token_text(arena, token);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(text, table[i].word) == 0) {
            return table[i].repair;
        }
    }
    return NULL;
}

static bool is_comparison(int kind) {
    return kind == TOKEN_EQ || kind == TOKEN_NE || kind == TOKEN_LT || kind == TOKEN_LE || kind == TOKEN_GT ||
           kind == TOKEN_GE;
}

/* The repair of a known mistake, or NULL. */
static const char *find_repair(Arena *arena, const Layout *layout, const Expected *expected) {
    const Token *found = &layout->last, *before = &layout->before;
    const char *repair = foreign_word_repair(arena, found);
    if (!repair) {
        repair = foreign_word_repair(arena, before);
    }
    if (repair) {
        return repair;
    }
    bool expects_name = expects(expected, EXPECTED_NAME);
    switch (found->kind) {
    case TOKEN_EQ: return expects_text(expected, "`=`") ? "a name is given to a value with one `=`" : NULL;
    case TOKEN_EQUALS:
        return expects_text(expected, "`==`") ? "a comparison is written `==`"
               : expects(expected, EXPECTED_EXPRESSION) && layout->line_first.kind == TOKEN_NAME &&
                       expects(expected, EXPECTED_ASSIGNMENT)
                   ? "a setting has no `=`: `epochs 5`"
                   : NULL;
    case TOKEN_COLON: return expects_text(expected, "`{`") ? "a block stands between `{` and `}`" : NULL;
    case TOKEN_SEMICOLON:
        return expects_text(expected, "the end of the line") ? "a statement ends at the end of its line, without `;`"
                                                             : NULL;
    case TOKEN_UPDATE: return "less than a negative value is written `a < -b`";
    default: break;
    }
    if (is_comparison(found->kind) && !expects_text(expected, "`==`") && expects_text(expected, "`and`")) {
        return "comparisons are joined by `and`: `a < b and b < c`";
    }
    if (expects_name && is_reserved(found) && found->place.start != before->place.start) {
        return arena_printf(arena, "`%s` is a word of the language and cannot be a name", token_text(arena, found));
    }
    return NULL;
}

/* ---- the interface ---- */

/* Notes on what is far from the error: a bracket that was opened on an earlier line, a line that was joined to this one. */
static void report_context(Diag *diag, Arena *arena, const Layout *layout) {
    const Token *bracket = layout_open_bracket(layout);
    int line = place_line(layout->last.place);
    if (bracket && bracket->kind != TOKEN_LBRACE && place_line(bracket->place) < line) {
        diag_note(diag, bracket->place, "%s is not closed yet",
                  bracket->kind == TOKEN_LPAREN ? "this `(`" : "this `[`");
    } else if (layout->joined.place.source && layout->joined.place.start >= layout->line_first.place.start &&
               place_line(layout->joined.place) < line) {
        diag_note(diag, layout->joined.place, "the statement goes on behind this `%s`",
                  token_text(arena, &layout->joined));
    }
}

void parse_report(AstBuild *b, const Layout *layout, const Expected *expected) {
    if (layout->last.kind == TOKEN_BAD) {
        return;
    }
    Choices choices = choose(expected);
    diag_error(b->diag, layout->last.place, "expected %s, but found %s", choices_text(b->arena, &choices),
               describe_token(b->arena, &layout->last));
    report_context(b->diag, b->arena, layout);
    const char *repair = find_repair(b->arena, layout, expected);
    if (repair) {
        diag_help(b->diag, "%s", repair);
    }
}

void parse_report_depth(Diag *diag, Place place) {
    diag_error(diag, place, "this is nested too deeply");
    diag_help(diag, "give a part of it a name, on a line of its own");
}
