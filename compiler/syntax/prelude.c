#include "syntax/prelude.h"

#include "base/embedded.h"
#include "base/vec.h"
#include "syntax/parse.h"

AstFile *prelude_parse(Arena *arena, Diag *diag) {
    VEC(AstDecl *) decls = {0};
    AstFile *prelude = arena_one(arena, AstFile);
    for (size_t i = 0; i < embedded_prelude_count; i++) {
        const EmbeddedFile *file = &embedded_prelude[i];
        const char *name = arena_printf(arena, "<prelude>/%s", file->name);
        Source *source = source_from_text(arena, name, file->text, file->length);
        source->is_prelude = true;
        const AstFile *parsed = parse_source(arena, source, diag);
        for (size_t k = 0; k < parsed->count; k++)
            vec_push(arena, &decls, parsed->decls[k]);
        prelude->source = source;
    }
    prelude->decls = decls.at;
    prelude->count = decls.count;
    return prelude;
}
