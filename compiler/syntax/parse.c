#include "syntax/parse.h"

#include "syntax/ast_build.h"
#include "syntax/layout.h"
#include "syntax/nn_parser.h"
#include "syntax/scan.h"

AstFile *parse_source(Arena *arena, const Source *source, Diag *diag) {
    AstFile *file = arena_one(arena, AstFile);
    file->source = source;
    if (scan_check_encoding(source, diag)) {
        AstBuild build = {.arena = arena, .diag = diag, .file = file};
        Layout layout;
        layout_init(&layout, arena, source, diag);
        grammar_parse(&build, &layout);
    }
    return file;
}
