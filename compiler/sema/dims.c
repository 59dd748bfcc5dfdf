#include "sema/dims.h"

#include <inttypes.h>
#include <string.h>
#include "sema/expr.h"

static DimOverride *find_override(const Sema *s, const char *name) {
    for (size_t i = 0; i < s->options->dim_count; i++)
        if (strcmp(s->options->dims[i].name, name) == 0)
            return &s->options->dims[i];
    return NULL;
}

/* The last of several overrides of a name counts; all of them are used. */
static bool take_override(Sema *s, const char *name, int64_t *size) {
    bool found = find_override(s, name) != NULL;
    for (size_t i = 0; found && i < s->options->dim_count; i++) {
        if (strcmp(s->options->dims[i].name, name) == 0) {
            s->options->dims[i].used = true;
            *size = s->options->dims[i].value;
        }
    }
    return found;
}

static Value dynamic_dim(Sema *s, const AstDecl *decl, int64_t size) {
    if (s->graph->batch_name != NULL) {
        sema_error(s, decl->place, "a second dynamic dimension: only one may be declared with `<=`");
        sema_note(s, (Place){0}, "the first is `%s`", s->graph->batch_name);
        return value_poison();
    }
    s->graph->batch_name = decl->name.text;
    return value_extent((Extent){size, 1});
}

static Value dim_value(Sema *s, const AstDecl *decl) {
    int64_t size = 0;
    Place place = decl->value->place;
    bool is_user = !decl->place.source->is_prelude;
    bool overridden = is_user && take_override(s, decl->name.text, &size);
    if (!eval_integer(s, decl->value, "the value of a dimension, an integer,", overridden ? &(int64_t){0} : &size))
        return value_poison();
    if (size < (decl->at_most ? 1 : 0)) {
        sema_error(s, place, "the dimension `%s` cannot be %" PRId64, decl->name.text, size);
        return value_poison();
    }
    if (size > LIMIT_ELEMENTS) {
        sema_error(s, place, "the dimension `%s` is larger than 2^40", decl->name.text);
        return value_poison();
    }
    return decl->at_most ? dynamic_dim(s, decl, size) : value_integer(size);
}

static Value const_value(Sema *s, const AstDecl *decl) {
    Value value = eval(s, decl->value);
    if (value.kind == VALUE_TENSOR || value.kind == VALUE_INSTANCE) {
        sema_error(s, decl->value->place, "a constant is known at compile time, but `%s` is %s",
                   place_snippet(s->arena, decl->value->place), sema_describe(s, value));
        return value_poison();
    }
    return value;
}

Value declared_value(Sema *s, Global *global, Place place) {
    const AstDecl *decl = global->function.decl;
    if (global->state == GLOBAL_BUSY) {
        sema_error(s, place, "`%s` depends on itself", decl->name.text);
        return value_poison();
    }
    if (global->state == GLOBAL_UNKNOWN) {
        global->state = GLOBAL_BUSY;
        Frame *frame = frame_push(s, NULL, global->function.home, decl->place);
        frame->label = "";
        global->value = decl->kind == AST_DIM ? dim_value(s, decl) : const_value(s, decl);
        global->value.name = decl->name.text;
        global->value.place = decl->place;
        frame_pop(s);
        global->state = GLOBAL_READY;
    }
    return global->value;
}

static void report_unused_override(Sema *s, const AstFile *file, const DimOverride *override) {
    NameList names = {0};
    Text *list = text_new(s->arena);
    for (size_t i = 0; i < file->count; i++) {
        if (file->decls[i]->kind == AST_DIM) {
            vec_push(s->arena, &names, file->decls[i]->name.text);
            text_printf(list, "%s`%s`", names.count > 1 ? ", " : "", file->decls[i]->name.text);
        }
    }
    sema_error(s, (Place){0}, "-D %s=%" PRId64 ": the model has no dimension `%s`", override->name, override->value,
               override->name);
    if (sema_help_closest(s, override->name, &names))
        return;
    if (names.count > 0)
        sema_help(s, "its dimensions are %s", text_get(list));
    else
        sema_help(s, "declare one: `dim %s = %" PRId64 "`", override->name, override->value);
}

void dims_evaluate(Sema *s, const AstFile *file) {
    for (size_t i = 0; i < file->count; i++) {
        const AstDecl *decl = file->decls[i];
        if (decl->kind == AST_DIM || decl->kind == AST_CONST) {
            Global *global = globals_find(s->globals, SPACE_EXPRESSION, decl->name.text);
            declared_value(s, global, decl->place);
        }
    }
    for (size_t i = 0; i < s->options->dim_count; i++)
        if (!s->options->dims[i].used)
            report_unused_override(s, file, &s->options->dims[i]);
}
