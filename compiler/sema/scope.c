#include "sema/scope.h"

Space decl_space(AstDeclKind kind) {
    switch (kind) {
    case AST_INIT: return SPACE_INIT;
    case AST_SCHEDULE: return SPACE_SCHEDULE;
    case AST_OPTIMIZER: return SPACE_OPTIMIZER;
    default: return SPACE_EXPRESSION;
    }
}

const char *decl_word(AstDeclKind kind) {
    static const char *const words[] = {
        [AST_DIM] = "dim",           [AST_CONST] = "const",      [AST_FN] = "fn",       [AST_LAYER] = "layer",
        [AST_LOSS_FN] = "loss",      [AST_METRIC_FN] = "metric", [AST_INIT] = "init",   [AST_OPTIMIZER] = "optimizer",
        [AST_SCHEDULE] = "schedule", [AST_MODEL] = "model",      [AST_TRAIN] = "train",
    };
    return words[kind];
}

/* Keeps the first model (or train block) of a file and reports the others. */
static void keep_only(const AstDecl **kept, const AstDecl *decl, Diag *diag) {
    const char *word = decl_word(decl->kind);
    if (*kept == NULL) {
        *kept = decl;
        return;
    }
    diag_error(diag, decl->name.place, "a second `%s`: a file holds one", word);
    diag_note(diag, (*kept)->name.place, "the first is `%s %s`", word, (*kept)->name.text);
}

static void add_decl(Arena *arena, Globals *globals, const AstDecl *decl, Diag *diag) {
    TextMap *space = globals->spaces[decl_space(decl->kind)];
    const Global *earlier = text_map_get(space, decl->name.text);
    if (earlier != NULL) {
        diag_error(diag, decl->name.place, "`%s` is declared twice", decl->name.text);
        diag_note(diag, earlier->function.decl->name.place, "the first is `%s %s`",
                  decl_word(earlier->function.decl->kind), decl->name.text);
        return;
    }
    Global *global = arena_one(arena, Global);
    global->function = (Function){decl, globals};
    text_map_put(space, decl->name.text, global);
}

Globals *globals_new(Arena *arena, const AstFile *file, const Globals *parent, Diag *diag) {
    Globals *globals = arena_one(arena, Globals);
    globals->parent = parent;
    for (int space = 0; space < SPACE_COUNT; space++)
        globals->spaces[space] = text_map_new(arena);
    for (size_t i = 0; i < file->count; i++) {
        const AstDecl *decl = file->decls[i];
        if (decl->kind == AST_MODEL)
            keep_only(&globals->model, decl, diag);
        else if (decl->kind == AST_TRAIN)
            keep_only(&globals->train, decl, diag);
        else
            add_decl(arena, globals, decl, diag);
    }
    return globals;
}

static Global *find_in_space(const Globals *globals, Space space, const char *name) {
    for (; globals != NULL; globals = globals->parent) {
        Global *global = text_map_get(globals->spaces[space], name);
        if (global != NULL)
            return global;
    }
    return NULL;
}

Global *globals_find(const Globals *globals, Space prefer, const char *name) {
    Global *global = find_in_space(globals, prefer, name);
    for (int space = 0; space < SPACE_COUNT && global == NULL; space++)
        global = find_in_space(globals, (Space)space, name);
    return global;
}

void globals_names(Arena *arena, const Globals *globals, NameList *names) {
    for (; globals != NULL; globals = globals->parent) {
        for (int space = 0; space < SPACE_COUNT; space++)
            for (size_t i = 0; i < text_map_count(globals->spaces[space]); i++)
                vec_push(arena, names, text_map_key(globals->spaces[space], i));
    }
}
