/* parse_support.h: what the tests of the parser and of the printer share. */
#ifndef NNC_TESTS_PARSE_SUPPORT_H
#define NNC_TESTS_PARSE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/diag.h"
#include "syntax/ast_print.h"
#include "syntax/parse.h"
#include "support/ast_structure.h"

typedef struct Fixture {
    Arena *arena;
    FILE *messages;
} Fixture;

static inline int setup(void **state) {
    Fixture *fixture = malloc(sizeof *fixture);
    assert_non_null(fixture);
    *fixture = (Fixture){arena_new((ArenaFailure){0}), tmpfile()};
    assert_non_null(fixture->messages);
    *state = fixture;
    return 0;
}

static inline int teardown(void **state) {
    Fixture *fixture = *state;
    arena_free(fixture->arena);
    fclose(fixture->messages);
    free(fixture);
    return 0;
}

static inline AstFile *parse_with(Fixture *fixture, const char *text, Diag *diag) {
    *diag = (Diag){.out = fixture->messages};
    return parse_source(fixture->arena, source_from_text(fixture->arena, "test.nn", text, strlen(text)), diag);
}

static inline AstFile *parse(Fixture *fixture, const char *text) {
    Diag diag;
    AstFile *file = parse_with(fixture, text, &diag);
    if (diag.errors > 0)
        fail_msg("not accepted: %s", text);
    return file;
}

static inline int count_errors(Fixture *fixture, const char *text) {
    Diag diag;
    parse_with(fixture, text, &diag);
    return diag.errors;
}

static inline const char *file_structure(Fixture *fixture, const char *text) {
    Text *out = text_new(fixture->arena);
    structure_file(parse(fixture, text), out);
    return text_get(out);
}

/* `text` as the value of a constant. */
static inline const AstExpr *parse_expr(Fixture *fixture, const char *text) {
    const AstFile *file = parse(fixture, arena_printf(fixture->arena, "const c = %s", text));
    assert_int_equal(file->count, 1);
    return file->decls[0]->value;
}

static inline const char *expr_structure(Fixture *fixture, const char *text) {
    Text *out = text_new(fixture->arena);
    structure_expr(parse_expr(fixture, text), out);
    return text_get(out);
}

static inline const char *printed(Fixture *fixture, const AstFile *file) {
    Text *out = text_new(fixture->arena);
    ast_print(file, out);
    return text_get(out);
}

/* What is printed means the same, and is printed alike again. */
static inline void assert_round_trip(Fixture *fixture, const char *text) {
    const char *once = printed(fixture, parse(fixture, text));
    assert_string_equal(file_structure(fixture, once), file_structure(fixture, text));
    assert_string_equal(printed(fixture, parse(fixture, once)), once);
}

typedef struct Pair {
    const char *text, *expected;
} Pair;

#define PAIR_COUNT(pairs) (sizeof(pairs) / sizeof(pairs)[0])

static inline void assert_expressions(Fixture *fixture, const Pair *pairs, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_string_equal(expr_structure(fixture, pairs[i].text), pairs[i].expected);
}

#endif
