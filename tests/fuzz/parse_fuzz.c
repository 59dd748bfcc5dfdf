/* parse_fuzz.c: any bytes are read or refused with a message; what is read, printed and read again is the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "syntax/ast_print.h"
#include "syntax/parse.h"
#include "support/ast_structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition, const char *what, const Text *printed) {
    if (!condition) {
        fprintf(stderr, "%s:\n%s\n", what, printed ? text_get(printed) : "");
        abort();
    }
}

static Text *structure_of(Arena *arena, const AstFile *file) {
    Text *out = text_new(arena);
    structure_file(file, out);
    return out;
}

static void check_round_trip(Arena *arena, const AstFile *file, FILE *messages) {
    Diag diag = {.out = messages};
    Text *printed = text_new(arena);
    ast_print(file, printed);
    Source *source = source_from_text(arena, "printed.nn", text_get(printed), text_length(printed));
    const AstFile *again = parse_source(arena, source, &diag);
    require(diag.errors == 0, "what was printed is not accepted", printed);
    const char *before = text_get(structure_of(arena, file)), *after = text_get(structure_of(arena, again));
    require(strcmp(before, after) == 0, "what was printed means something else", printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena *arena = arena_new((ArenaFailure){0});
    char *message = NULL;
    size_t length = 0;
    FILE *messages = open_memstream(&message, &length);
    if (!messages)
        abort();
    Diag diag = {.out = messages};
    Source *source = source_from_text(arena, "fuzz.nn", (const char *)data, size);
    const AstFile *file = parse_source(arena, source, &diag);
    if (diag.errors == 0)
        check_round_trip(arena, file, messages);
    fclose(messages);
    require((diag.errors > 0) == (length > 0), "errors without a message, or a message without errors", NULL);
    free(message);
    arena_free(arena);
    return 0;
}
