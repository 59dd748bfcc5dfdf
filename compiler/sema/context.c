#include "sema/context.h"

#include <ctype.h>
#include <string.h>

/* ---- places ---- */

/* Appends the character, with runs of white space as one blank. */
static void add_collapsed(Text *text, char c, bool *blank) {
    if (isspace((unsigned char)c)) {
        *blank = text_length(text) > 0;
        return;
    }
    if (*blank) {
        text_add(text, " ");
        *blank = false;
    }
    text_add_bytes(text, &c, 1);
}

const char *place_text(Arena *arena, Place place) {
    Text *text = text_new(arena);
    if (place.source == NULL)
        return "";
    bool blank = false, comment = false, quoted = false;
    for (size_t i = place.start; i < place.end && i < place.source->length; i++) {
        char c = place.source->text[i];
        if (c == '"' && !comment)
            quoted = !quoted;
        comment = c != '\n' && (comment || (c == '#' && !quoted));
        if (!comment)
            add_collapsed(text, c, &blank);
    }
    return text_get(text);
}

const char *place_snippet(Arena *arena, Place place) {
    enum { LONGEST = 60 };
    const char *text = place_text(arena, place);
    if (strlen(text) <= LONGEST)
        return text;
    size_t length = LONGEST - 4;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--; /* do not cut a character of UTF-8 */
    return arena_printf(arena, "%.*s ...", (int)length, text);
}

Place sema_user_place(const Sema *s, Place place) {
    for (const Frame *f = s->frame; f != NULL && place.source && place.source->is_prelude; f = f->caller)
        place = f->call;
    return place;
}

/* ---- messages ---- */

/* False when the same was said at the same place before. */
static bool first_time(Sema *s, Place place, const char *message) {
    const char *key = arena_printf(s->arena, "%p %zu %s", (const void *)place.source, place.start, message);
    s->muted = text_map_get(s->reported, key) != NULL;
    if (!s->muted)
        text_map_put(s->reported, key, s);
    return !s->muted;
}

/* Which function of the prelude was at work when the fault showed. */
static void note_prelude(Sema *s, Place place) {
    if (place.source == NULL || !place.source->is_prelude || s->frame->function == NULL)
        return;
    const AstDecl *decl = s->frame->function->decl;
    diag_note(s->diag, place, "it shows in `%s` of the prelude, in `%s`", decl->name.text,
              place_snippet(s->arena, place));
}

bool sema_error(Sema *s, Place place, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *message = arena_vprintf(s->arena, format, args);
    va_end(args);
    Place shown = sema_user_place(s, place);
    if (!first_time(s, shown, message))
        return false;
    diag_error(s->diag, shown, "%s", message);
    note_prelude(s, place);
    return true;
}

void sema_warning(Sema *s, Place place, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *message = arena_vprintf(s->arena, format, args);
    va_end(args);
    Place shown = sema_user_place(s, place);
    if (first_time(s, shown, message))
        diag_warning(s->diag, shown, "%s", message);
}

void sema_note(Sema *s, Place place, const char *format, ...) {
    if (s->muted)
        return;
    va_list args;
    va_start(args, format);
    const char *message = arena_vprintf(s->arena, format, args);
    va_end(args);
    diag_note(s->diag, place, "%s", message);
}

void sema_help(Sema *s, const char *format, ...) {
    if (s->muted)
        return;
    va_list args;
    va_start(args, format);
    const char *message = arena_vprintf(s->arena, format, args);
    va_end(args);
    diag_help(s->diag, "%s", message);
}

void sema_note_origin(Sema *s, Value value) {
    if (value.name != NULL && value.place.source != NULL && !value.place.source->is_prelude)
        sema_note(s, value.place, "`%s` comes from `%s`", value.name, place_snippet(s->arena, value.place));
}

bool sema_help_closest(Sema *s, const char *word, const NameList *candidates) {
    const char *closest = text_closest(word, candidates->at, candidates->count);
    if (closest != NULL)
        sema_help(s, "did you mean `%s`?", closest);
    return closest != NULL;
}

void sema_stop(Sema *s, Place place, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *message = arena_vprintf(s->arena, format, args);
    va_end(args);
    if (!s->stopped)
        sema_error(s, place, "%s", message);
    s->stopped = true;
}

/* ---- frames ---- */

/* What calls itself: of the innermost callers, the first that is open a second time. Without one, the function called last. */
static const Function *repeated_function(const Frame *innermost) {
    for (const Frame *frame = innermost; frame; frame = frame->caller) {
        for (const Frame *outer = frame->caller; outer; outer = outer->caller)
            if (frame->function && outer->function == frame->function)
                return frame->function;
    }
    return innermost->function;
}

static void report_depth(Sema *s, const Frame *innermost, Place call) {
    const Function *function = repeated_function(innermost);
    sema_stop(s, call, "calls nest deeper than %d: does `%s` call itself?", LIMIT_FRAMES,
              function ? function->decl->name.text : "the model");
    sema_help(s, "a function or layer cannot call itself; repeat with `for`");
}

Frame *frame_push(Sema *s, const Function *function, const Globals *globals, Place call) {
    Frame *frame = arena_one(s->arena, Frame);
    frame->caller = s->frame;
    frame->function = function;
    frame->decl = function ? function->decl : NULL;
    frame->globals = globals;
    frame->call = call;
    frame->locals = text_map_new(s->arena);
    frame->prefer = function ? decl_space(function->decl->kind) : SPACE_EXPRESSION;
    frame->label = s->frame ? s->frame->label : "";
    frame->naming = s->frame ? s->frame->naming : NULL;
    frame->suffix = "";
    s->frame = frame;
    s->frames++;
    if (s->frames > LIMIT_FRAMES)
        report_depth(s, frame, call);
    return frame;
}

void frame_pop(Sema *s) {
    s->frame = s->frame->caller;
    s->frames--;
}

Value *frame_find(const Frame *frame, const char *name) {
    return text_map_get(frame->locals, name);
}

void frame_bind(Sema *s, AstName name, Value value) {
    Value *kept = arena_one(s->arena, Value);
    *kept = value;
    if (kept->name == NULL) {
        kept->name = name.text;
        kept->place = name.place;
    }
    text_map_put(s->frame->locals, name.text, kept);
}

const char *frame_node_name(Sema *s, const char *name) {
    const Frame *frame = s->frame;
    if (frame->label[0] == '\0')
        return arena_printf(s->arena, "%s%s", name, frame->suffix);
    return arena_printf(s->arena, "%s.%s%s", frame->label, name, frame->suffix);
}

const char *frame_expression_name(Sema *s, Place place, const char *fallback) {
    const AstStmt *stmt = s->frame->stmt;
    bool is_whole = stmt != NULL && stmt->value != NULL && stmt->name.text != NULL &&
                    stmt->value->place.source == place.source && stmt->value->place.start == place.start &&
                    stmt->value->place.end == place.end;
    return frame_node_name(s, is_whole ? stmt->name.text : fallback);
}

bool sema_enter(Sema *s, Place place) {
    if (s->depth >= LIMIT_DEPTH) {
        sema_stop(s, place, "expressions and calls nest deeper than %d levels", LIMIT_DEPTH);
        return false;
    }
    s->depth++;
    return !s->stopped || (s->depth--, false);
}

void sema_leave(Sema *s) {
    s->depth--;
}

const char *sema_describe(Sema *s, Value value) {
    return value_describe(s->arena, s->graph, value);
}
