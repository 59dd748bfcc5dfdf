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

static void put_line(CWriter *w, size_t indent, const char *text, size_t length) {
    direct(w);
    if (length > 0)
        text_printf(w->out, "%*s", (int)indent, "");
    text_add_bytes(w->out, text, length);
    text_add(w->out, "\n");
    w->line++;
}

/* ---- breaking ---- */

/* A line ends best after a comma, then after an infix operator or before ? and :. SIZE_MAX: it cannot end at this blank. */
static size_t break_cost(const char *text, size_t blank) {
    char before = blank > 0 ? text[blank - 1] : ' ', after = text[blank + 1];
    if (strchr(",;=", before))
        return 0;
    return strchr("+-*/%<>&|", before) || after == '?' || after == ':' ? 12 : SIZE_MAX;
}

typedef struct Break {
    size_t at;    /* the line's length; 0: there is no place to break */
    size_t next;  /* where the next one starts */
    size_t align; /* the column after the innermost bracket that is open there; 0: none is */
} Break;

enum { MAX_DEPTH = 64, MAX_ALIGNED = 60 };

/* The cheapest break so that the line has at most `room` characters: few open brackets, far to the right. */
static Break find_break(const char *text, size_t room) {
    Break best = {0, 0, 0};
    size_t best_cost = SIZE_MAX, depth = 0, open[MAX_DEPTH + 1] = {0};
    bool quoted = false;
    for (size_t i = 0; text[i] && i <= room; i++) {
        if (quoted && text[i] == '\\' && text[i + 1]) {
            i++;
            continue;
        }
        quoted ^= text[i] == '"';
        if (quoted)
            continue;
        if (strchr("([{", text[i]) && depth < MAX_DEPTH) {
            open[++depth] = i + 1;
            if (best.at == 0) /* better than no break: behind the bracket, a step to the right */
                best = (Break){i + 1, i + 1, 0};
        }
        if (strchr(")]}", text[i]) && depth > 0)
            depth--;
        size_t penalty = text[i] == ' ' ? break_cost(text, i) : SIZE_MAX;
        size_t cost = depth * 32 + (room - i) / 2;
        if (penalty == SIZE_MAX || cost + penalty > best_cost)
            continue;
        best = (Break){i, i + 1, open[depth]};
        best_cost = cost + penalty;
    }
    return best;
}

/* A line that is too long goes on below the bracket that is open where it breaks, or a step to the right. */
static void put_code(CWriter *w, const char *text) {
    size_t own = (size_t)w->depth * INDENT, indent = own;
    for (;;) {
        size_t length = strlen(text), room = indent < WIDTH / 2 ? WIDTH - indent : WIDTH / 2;
        Break end = {0, 0, 0};
        if (length > room)
            end = find_break(text, room);
        put_line(w, indent, text, end.at ? end.at : length);
        if (!end.at)
            return;
        if (end.align && indent + end.align <= MAX_ALIGNED)
            indent += end.align;
        else if (indent < own + 2 * INDENT)
            indent = own + INDENT;
        text += end.next;
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

/* What would end the comment, open another, or be a trigraph is taken apart; control characters become blanks. */
static char *comment_text(Arena *arena, const char *text) {
    Text *safe = text_new(arena);
    for (; *text; text++) {
        char c = (unsigned char)*text < ' ' ? ' ' : *text;
        text_add_bytes(safe, &c, 1);
        char next = text[1];
        if ((c == '*' && next == '/') || (c == '/' && next == '*') || (c == '?' && next == '?'))
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
            size_t length = comment_break(rest, (size_t)(WIDTH - 6) - (size_t)w->depth * INDENT);
            const char *next = rest + length + strspn(rest + length, " ");
            while (length > 0 && rest[length - 1] == ' ')
                length--;
            bool last = i + 1 == count && *next == '\0';
            const char *line = arena_printf(w->arena, "%s%.*s%s", head, (int)length, rest, last ? " */" : "");
            put_line(w, (size_t)w->depth * INDENT, line, strlen(line));
            head = " * ";
            rest = next;
        } while (*rest);
    }
}

/* ---- literals ---- */

const char *c_string(Arena *arena, const char *text) {
    Text *out = text_new(arena);
    text_add(out, "\"");
    for (unsigned char c, before = 0; (c = (unsigned char)*text) != 0; before = c, text++) {
        if (c == '"' || c == '\\' || (c == '?' && before == '?')) /* ?? could be a trigraph */
            text_printf(out, "\\%c", c);
        else if (c < ' ' || c == 127)
            text_printf(out, "\\%03o", c);
        else
            text_add_bytes(out, text, 1);
    }
    text_add(out, "\"");
    return text_get(out);
}
