#include "emit/c_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 100, INDENT = 4 };

CWriter c_writer(Arena *arena, Text *out, const char *file) {
    return (CWriter){.arena = arena, .out = out, .line = 1, .file = file};
}

/* ---- physical lines ---- */

static void direct(CWriter *w) {
    if (!w->file)
        return;
    if (w->origin && w->origin->source && !w->origin->source->is_prelude) {
        const char *name = c_string(w->arena, w->origin->source->name);
        text_printf(w->out, "#line %d %s\n", place_line(*w->origin), name);
        w->line++;
        w->redirected = true;
    } else if (w->redirected) {
        text_printf(w->out, "#line %d %s\n", w->line + 1, c_string(w->arena, w->file));
        w->line++;
        w->redirected = false;
    }
}

static void put_line(CWriter *w, int indent, const char *text, size_t length) {
    direct(w);
    if (length > 0)
        text_printf(w->out, "%*s", indent, "");
    text_add_bytes(w->out, text, length);
    text_add(w->out, "\n");
    w->line++;
}

/* ---- breaking ---- */

static bool is_operator_end(const char *text, size_t blank) {
    return blank > 0 && strchr(",;+-*/%<>=&|", text[blank - 1]) != NULL;
}

/* A line may end at this blank: after a comma or an infix operator, before ? and :. */
static bool may_break(const char *text, size_t blank) {
    return is_operator_end(text, blank) || text[blank + 1] == '?' || text[blank + 1] == ':';
}

/* The cheapest break so that the line has at most `room` characters: few open brackets, far to the right. 0: none. */
static size_t find_break(const char *text, size_t room) {
    size_t best = 0, depth = 0, best_cost = SIZE_MAX;
    bool quoted = false;
    for (size_t i = 0; text[i] && i <= room; i++) {
        if (text[i] == '\\' && quoted && text[i + 1]) {
            i++;
            continue;
        }
        quoted ^= text[i] == '"';
        if (quoted)
            continue;
        depth += strchr("([{", text[i]) != NULL;
        depth -= depth > 0 && strchr(")]}", text[i]) != NULL;
        size_t cost = depth * 16 + (room - i);
        if (text[i] == ' ' && may_break(text, i) && cost <= best_cost) {
            best = i;
            best_cost = cost;
        }
    }
    return best;
}

static void put_code(CWriter *w, const char *text) {
    int indent = w->depth * INDENT;
    for (bool first = true;; first = false) {
        size_t length = strlen(text), room = indent < WIDTH / 2 ? (size_t)(WIDTH - indent) : WIDTH / 2;
        size_t end = length > room ? find_break(text, room) : 0;
        put_line(w, indent, text, end ? end : length);
        if (!end)
            return;
        text += end + 1;
        if (first)
            indent += INDENT;
    }
}

void c_line(CWriter *w, const char *format, ...) {
    va_list args;
    va_start(args, format);
    put_code(w, arena_vprintf(w->arena, format, args));
    va_end(args);
}

void c_open(CWriter *w, const char *format, ...) {
    va_list args;
    va_start(args, format);
    put_code(w, arena_vprintf(w->arena, format, args));
    va_end(args);
    w->depth++;
}

void c_close(CWriter *w, const char *tail) {
    w->depth--;
    c_line(w, "}%s", tail);
}

void c_verbatim(CWriter *w, const char *text) {
    while (*text) {
        size_t length = strcspn(text, "\n");
        put_line(w, 0, text, length);
        text += length + (text[length] == '\n');
    }
}

/* ---- comments ---- */

/* What would end the comment, or open another, is taken apart; control characters become blanks. */
static char *comment_text(Arena *arena, const char *text) {
    Text *safe = text_new(arena);
    for (; *text; text++) {
        char c = (unsigned char)*text < ' ' ? ' ' : *text;
        text_add_bytes(safe, &c, 1);
        if ((c == '*' && text[1] == '/') || (c == '/' && text[1] == '*'))
            text_add(safe, " ");
    }
    return arena_copy_text(arena, text_get(safe), text_length(safe));
}

static size_t comment_break(const char *text, size_t room) {
    if (strlen(text) <= room)
        return strlen(text);
    for (size_t i = room; i > room / 2; i--)
        if (text[i] == ' ')
            return i;
    size_t length = room; /* no blank: keeps a UTF-8 character whole */
    while (length > 1 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

void c_comment(CWriter *w, const char *const *lines, size_t count) {
    const char *head = "/* ";
    for (size_t i = 0; i < count; i++) {
        const char *rest = comment_text(w->arena, lines[i]);
        do {
            size_t length = comment_break(rest, (size_t)(WIDTH - 6 - w->depth * INDENT));
            const char *next = rest + length + (rest[length] == ' ');
            bool last = i + 1 == count && *next == '\0';
            const char *line = arena_printf(w->arena, "%s%.*s%s", head, (int)length, rest, last ? " */" : "");
            put_line(w, w->depth * INDENT, line, strlen(line));
            head = " * ";
            rest = next;
        } while (*rest);
    }
}

/* ---- literals ---- */

const char *c_string(Arena *arena, const char *text) {
    Text *out = text_new(arena);
    text_add(out, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\' || (c == '?' && text[1] == '?')) /* ?? could be a trigraph */
            text_printf(out, "\\%c", c);
        else if (c < ' ' || c == 127)
            text_printf(out, "\\%03o", c);
        else
            text_add_bytes(out, text, 1);
    }
    text_add(out, "\"");
    return text_get(out);
}
