#include "emit/c_write.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 100, INDENT = 4 };

CWriter c_writer(Arena *arena, Text *out, const char *file) {
    return (CWriter){.arena = arena, .out = out, .code = text_new(arena), .line = 1, .file = file};
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
    static const char blanks[] = "                                                                ";
    for (size_t left = length > 0 ? indent : 0, part; left > 0; left -= part) {
        part = left < sizeof blanks - 1 ? left : sizeof blanks - 1;
        text_add_bytes(w->out, blanks, part);
    }
    text_add_bytes(w->out, text, length);
    text_add_bytes(w->out, "\n", 1);
    w->line++;
}

/* ---- breaking ---- */

enum { MAX_DEPTH = 64, MAX_ALIGNED = 60 };

/* The brackets that are open at some place, and the columns where a line goes on inside of them. */
typedef struct Brackets {
    size_t depth;
    size_t column[MAX_DEPTH + 1]; /* [0]: outside of all */
} Brackets;

/* After one more character, which stands in a line with that indentation. Brackets that open far to the right do not align what follows. */
static void brackets_pass(Brackets *open, char c, size_t column, size_t indent) {
    switch (c) {
    case '(':
    case '[':
    case '{':
        if (open->depth < MAX_DEPTH)
            open->column[++open->depth] = column < MAX_ALIGNED ? column + 1 : indent + INDENT;
        break;
    case ')':
    case ']':
    case '}':
        if (open->depth > 0)
            open->depth--;
        break;
    default: break;
    }
}

/* A line ends best after a comma, then after an infix operator or before ? and :, the loosest first. SIZE_MAX: it cannot end at
 * this blank. */
static size_t break_cost(const char *text, size_t blank) {
    char after = text[blank + 1];
    switch (blank > 0 ? text[blank - 1] : ' ') {
    case ',':
    case ';':
    case '=': return 0;
    case '&':
    case '|': return 4;
    case '+':
    case '-':
    case '<':
    case '>': return 12;
    case '*':
    case '/':
    case '%': return 24;
    default: return after == '?' || after == ':' ? 8 : SIZE_MAX;
    }
}

/* The end of a string that starts at text[i]. */
static size_t string_end(const char *text, size_t i) {
    do
        i += text[i] == '\\' && text[i + 1] ? 2 : 1;
    while (text[i] && text[i] != '"');
    return i;
}

/* What is assigned gets a line of its own only if it fits there. */
static bool is_wasted(const char *text, size_t blank, const Brackets *open, size_t length) {
    return open->depth == 0 && text[blank - 1] == '=' && open->column[0] + (length - blank - 1) > WIDTH;
}

/* Where a line of at most `room` characters ends, so that the next one starts behind the blank there or, where there is none, at once:
 * few open brackets, far to the right. 0: nowhere. */
static size_t find_break(const char *text, size_t length, size_t room, size_t indent, Brackets open) {
    size_t best = 0, best_cost = SIZE_MAX;
    for (size_t i = 0; i <= room && i < length; i++) {
        if (text[i] == '"')
            i = string_end(text, i);
        if (i > room || !text[i])
            break;
        brackets_pass(&open, text[i], indent + i, indent);
        if (best == 0 && (text[i] == '(' || text[i] == '[')) /* better than no break */
            best = i + 1;
        if (text[i] != ' ' || i == 0)
            continue;
        size_t penalty = break_cost(text, i), cost = open.depth * 32 + (room - i) / 2;
        if (penalty == SIZE_MAX || is_wasted(text, i, &open, length) || cost + penalty > best_cost)
            continue;
        best = i;
        best_cost = cost + penalty;
    }
    return best;
}

/* The first blank behind `room` at which a line may end, where it can end nowhere before: one long word must not take the rest with it. 0: none. */
static size_t find_late_break(const char *text, size_t length, size_t room) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            i = string_end(text, i);
        if (i > room && i < length && text[i] == ' ' && break_cost(text, i) == 0)
            return i;
    }
    return 0;
}

/* Puts a line that ends there; gives the indentation of the next one. */
static size_t put_part(CWriter *w, const char *text, size_t end, size_t indent, Brackets *open) {
    for (size_t i = 0; i < end; i++) {
        if (text[i] == '"')
            i = string_end(text, i);
        brackets_pass(open, text[i], indent + i, indent);
    }
    if (text[end] != ' ') /* behind a bracket */
        open->column[open->depth] = indent + INDENT;
    put_line(w, indent, text, end);
    return open->column[open->depth];
}

/* A line that is too long goes on below the bracket that is open where it breaks, or a step to the right. */
static void put_code(CWriter *w) {
    const char *text = text_get(w->code);
    size_t length = text_length(w->code), indent = (size_t)w->depth * INDENT;
    Brackets open = {.depth = 0};
    open.column[0] = indent + INDENT;
    for (;;) {
        size_t room = indent < WIDTH / 2 ? WIDTH - indent : WIDTH / 2;
        size_t end = length > room ? find_break(text, length, room, indent, open) : 0;
        if (end == 0 && length > room)
            end = find_late_break(text, length, room);
        if (end == 0) {
            put_line(w, indent, text, length);
            return;
        }
        indent = put_part(w, text, end, indent, &open);
        size_t next = end + (text[end] == ' ');
        text += next;
        length -= next;
    }
}

Text *c_begin(CWriter *w) {
    text_clear(w->code);
    return w->code;
}

void c_end(CWriter *w) {
    put_code(w);
}

void c_end_open(CWriter *w) {
    put_code(w);
    w->depth++;
}

void c_line(CWriter *w, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_vprintf(c_begin(w), format, args);
    va_end(args);
    c_end(w);
}

void c_open(CWriter *w, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_vprintf(c_begin(w), format, args);
    va_end(args);
    c_end_open(w);
}

void c_close(CWriter *w, const char *tail) {
    w->depth--;
    Text *line = c_begin(w);
    text_add(line, "}");
    text_add(line, tail);
    c_end(w);
}

void c_verbatim(CWriter *w, const char *text) {
    if (!w->file) { /* nobody asks for the numbers of the lines */
        text_add(w->out, text);
        return;
    }
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

void c_real(Text *out, double value, bool is_double) {
    if (isnan(value)) {
        text_add(out, "NAN");
    } else if (isinf(value) || (!is_double && isinf((float)value))) {
        text_add(out, value < 0 ? "-INFINITY" : "INFINITY");
    } else if (is_double) {
        text_add_double(out, value);
    } else {
        text_add_float(out, (float)value);
        text_add(out, "f");
    }
}

const char *c_string(Arena *arena, const char *text) {
    Text *out = text_new(arena);
    text_add(out, "\"");
    for (unsigned char c, before = 0; (c = (unsigned char)*text) != 0; before = c, text++)
        if (c == '"' || c == '\\' || (c == '?' && before == '?')) /* ?? could be a trigraph */
            text_printf(out, "\\%c", c);
        else if (c < ' ' || c == 127)
            text_printf(out, "\\%03o", c);
        else
            text_add_bytes(out, text, 1);
    text_add(out, "\"");
    return text_get(out);
}
