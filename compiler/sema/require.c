#include "sema/require.h"

#include <string.h>
#include "sema/expr.h"
#include "sema/reach.h"

/* What {name} prints: numbers and texts as they are written, everything else as messages describe it. */
static const char *value_words(Sema *s, Value value) {
    switch (value.kind) {
    case VALUE_NUMBER: return number_describe(s->arena, value.number.value);
    case VALUE_TEXT: return value.text;
    case VALUE_EXTENT: return extent_describe(s->arena, s->graph, value.extent);
    case VALUE_LIST: {
        Text *text = text_new(s->arena);
        for (size_t i = 0; i < value.list.count; i++)
            text_printf(text, "%s%s", i ? ", " : "[", value_words(s, value.list.items[i]));
        text_add(text, value.list.count ? "]" : "[]");
        return text_get(text);
    }
    default: return sema_describe(s, value);
    }
}

/* Appends the value of the name in braces that starts at `at`; gives what follows it. */
static const char *add_name(Sema *s, Text *out, const char *at, Place place) {
    const char *end = strchr(at, '}');
    if (end == NULL) {
        text_add(out, at);
        return at + strlen(at);
    }
    const char *name = arena_copy_text(s->arena, at + 1, (size_t)(end - at - 1));
    AstExpr e = {.kind = AST_NAME, .place = place, .text = name};
    text_add(out, value_words(s, eval(s, &e)));
    return end + 1;
}

static const char *fill_names(Sema *s, const char *format, Place place) {
    Text *out = text_new(s->arena);
    while (*format != '\0') {
        size_t plain = strcspn(format, "{");
        text_add_bytes(out, format, plain);
        format += plain;
        if (*format == '{')
            format = add_name(s, out, format, place);
    }
    return text_get(out);
}

/* The i-th text of the statement; NULL: there is none. */
static const char *text_at(Sema *s, const AstStmt *stmt, size_t i) {
    if (i >= stmt->to->list.count)
        return NULL;
    const char *text = eval_text(s, stmt->to->list.items[i], "a text");
    return text ? fill_names(s, text, stmt->to->list.items[i]->place) : NULL;
}

/* Where the tensors among the arguments of the call come from; `test`: those alone that it speaks of (NULL: all). */
static void note_arguments(Sema *s, const Frame *frame, const AstExpr *test) {
    const AstDecl *decl = frame->function->decl;
    for (size_t i = 0; i < decl->param_count; i++) {
        const char *name = decl->params[i].name.text;
        const Value *value = test == NULL || expr_uses(test, name) ? frame_find(frame, name) : NULL;
        if (value != NULL && value->kind == VALUE_TENSOR)
            sema_note_origin(s, *value);
    }
}

/* The call that the user wrote: out of the functions of the prelude that helped it. */
static const Frame *user_frame(const Frame *frame) {
    while (frame->call.source != NULL && frame->call.source->is_prelude && frame->caller->function != NULL)
        frame = frame->caller;
    return frame;
}

static void report(Sema *s, const AstStmt *stmt) {
    const char *message = text_at(s, stmt, 0);
    const char *help = text_at(s, stmt, 1);
    if (message == NULL)
        return;
    const Frame *frame = user_frame(s->frame);
    Place place = frame->function ? frame->call : stmt->value->place;
    if (frame->function != NULL)
        message = arena_printf(s->arena, "%s() %s", frame->function->decl->name.text, message);
    if (stmt->kind == AST_WARN)
        sema_warning(s, place, "%s", message);
    else
        sema_error(s, place, "%s", message);
    if (frame->function != NULL)
        note_arguments(s, stmt->kind == AST_WARN ? s->frame : frame, stmt->kind == AST_WARN ? stmt->value : NULL);
    if (help != NULL)
        sema_help(s, "%s", help);
}

void exec_require(Sema *s, const AstStmt *stmt) {
    bool holds = true;
    if (eval_bool(s, stmt->value, "a compile-time condition", &holds) && holds)
        return;
    if (!holds)
        report(s, stmt);
    s->frame->result = value_poison();
    s->frame->returned = true;
}

void exec_warn(Sema *s, const AstStmt *stmt) {
    bool holds = false;
    if (eval_bool(s, stmt->value, "a compile-time condition", &holds) && holds)
        report(s, stmt);
}
