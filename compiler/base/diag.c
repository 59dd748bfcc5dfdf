#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"

typedef enum Severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE, SEVERITY_HELP } Severity;

static const struct {
    const char *word, *colour;
} severities[] = {
    [SEVERITY_ERROR] = {"error", "\033[1;31m"},
    [SEVERITY_WARNING] = {"warning", "\033[1;35m"},
    [SEVERITY_NOTE] = {"note", "\033[1;36m"},
    [SEVERITY_HELP] = {"help", "\033[1;32m"},
};

static void print_severity(const Diag *diag, Severity severity) {
    if (diag->colour)
        fprintf(diag->out, "%s%s:\033[0m ", severities[severity].colour, severities[severity].word);
    else
        fprintf(diag->out, "%s: ", severities[severity].word);
}

/* The bytes of the character at `at`: one, if they are not UTF-8. */
static size_t character_length(const char *at, const char *end) {
    uint32_t code;
    size_t bytes = utf8_decode(at, (size_t)(end - at), &code);
    return bytes > 0 ? bytes : 1;
}

/* The character at `at` as it may reach a terminal: a control character becomes a space, except for the tab; a byte that is
 * not UTF-8 becomes a question mark. */
static void print_character(FILE *out, const char *at, const char *end) {
    uint32_t code = 0;
    size_t bytes = utf8_decode(at, (size_t)(end - at), &code);
    if (bytes == 0)
        putc('?', out);
    else if ((code < 0x20 && code != '\t') || (code >= 0x7F && code < 0xA0))
        putc(' ', out);
    else
        fwrite(at, 1, bytes, out);
}

/* A text of one line, such as a file name: what would move the cursor of a terminal is written as an escape. */
static void print_text(FILE *out, const char *text) {
    const char *end = text + strlen(text);
    for (size_t bytes = 0; text < end; text += bytes) {
        uint32_t code = 0;
        bytes = utf8_decode(text, (size_t)(end - text), &code);
        if (bytes == 0) {
            code = (unsigned char)*text;
            bytes = 1;
            fprintf(out, "\\x%02x", (unsigned)code);
        } else if ((code < 0x20 && code != '\t') || (code >= 0x7F && code < 0xA0)) {
            fprintf(out, "\\x%02x", (unsigned)code);
        } else {
            fwrite(text, 1, bytes, out);
        }
    }
}

/* The message, through print_text(); without memory for it, as it is. */
static void print_formatted(FILE *out, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text) {
        vsnprintf(text, (size_t)length + 1, format, args);
        print_text(out, text);
        free(text);
    } else {
        vfprintf(out, format, args);
    }
}

static void print_place(FILE *out, Place place) {
    print_text(out, place.source->name);
    fprintf(out, ":%d:%d", place_line(place), place_column(place));
}

/* The end of the place's first line, without "\r\n". */
static const char *line_end(const Source *source, const char *line) {
    const char *text_end = source->text + source->length;
    const char *end = memchr(line, '\n', (size_t)(text_end - line));
    if (!end)
        end = text_end;
    return end > line && end[-1] == '\r' ? end - 1 : end;
}

/* `^` and `~` under start..end of the line, after the white space that brings them there: tabs are copied, so that they
 * align. */
static void print_underline(FILE *out, const char *line, const char *stop, const char *start, const char *end) {
    for (const char *at = line; at < start; at += character_length(at, stop))
        putc(*at == '\t' ? '\t' : ' ', out);
    putc('^', out);
    const char *at = start < stop ? start + character_length(start, stop) : stop;
    for (; at < end; at += character_length(at, stop))
        putc('~', out);
    putc('\n', out);
}

/* Long lines are shown around the caret. */
enum { SNIPPET_LIMIT = 200, SNIPPET_BEFORE = 60, SNIPPET_BEHIND = 100 };

static size_t count_characters(const char *from, const char *to) {
    size_t count = 0;
    for (; from < to; from += character_length(from, to))
        count++;
    return count;
}

static const char *skip_characters(const char *from, const char *end, size_t count) {
    for (; count > 0 && from < end; count--)
        from += character_length(from, end);
    return from;
}

static void print_snippet(FILE *out, Place place) {
    const Source *source = place.source;
    int number = place_line(place);
    const char *line = source->text + source->line_starts[number - 1], *start = line;
    const char *end = line_end(source, line), *stop = end;
    const char *from = source->text + place.start, *to = source->text + place.end;
    if (count_characters(line, end) > SNIPPET_LIMIT) {
        size_t before = count_characters(line, from < end ? from : end);
        start = skip_characters(line, end, before > SNIPPET_BEFORE ? before - SNIPPET_BEFORE : 0);
        stop = skip_characters(start, end, SNIPPET_BEFORE + SNIPPET_BEHIND);
    }
    const char *cut = start > line ? "..." : "";
    fprintf(out, "%5d | %s", number, cut);
    for (const char *at = start; at < stop; at += character_length(at, end))
        print_character(out, at, end);
    fprintf(out, "%s\n      | %*s", stop < end ? "..." : "", (int)strlen(cut), "");
    print_underline(out, start, stop, from < stop ? from : stop, to < stop ? to : stop);
}

static void print_message(Diag *diag, Severity severity, Place place, const char *format, va_list args) {
    if (place.source) {
        print_place(diag->out, place);
        fputs(": ", diag->out);
    } else {
        fputs("nnc: ", diag->out);
    }
    print_severity(diag, severity);
    print_formatted(diag->out, format, args);
    putc('\n', diag->out);
    if (place.source)
        print_snippet(diag->out, place);
}

/* Counts a message and decides whether it is shown; the first one that is not gets a closing line instead. */
static bool diag_admits(Diag *diag, int *count, const char *plural) {
    bool was_muted = diag->errors > DIAG_LIMIT;
    ++*count;
    diag->muted = was_muted || *count > DIAG_LIMIT;
    if (!was_muted && *count == DIAG_LIMIT + 1)
        fprintf(diag->out, "nnc: more than %d %s: the others are not shown\n", DIAG_LIMIT, plural);
    return !diag->muted;
}

void diag_repeat(Diag *diag) {
    diag->errors_only = true;
    diag->muted = true;
}

void diag_error(Diag *diag, Place place, const char *format, ...) {
    if (diag_admits(diag, &diag->errors, "errors")) {
        va_list args;
        va_start(args, format);
        print_message(diag, SEVERITY_ERROR, place, format, args);
        va_end(args);
    }
}

void diag_warning(Diag *diag, Place place, const char *format, ...) {
    if (diag->errors_only) {
        diag->muted = true;
    } else if (diag_admits(diag, &diag->warnings, "warnings")) {
        va_list args;
        va_start(args, format);
        print_message(diag, SEVERITY_WARNING, place, format, args);
        va_end(args);
    }
}

static void print_remark(const Diag *diag, Severity severity, const char *format, va_list args) {
    print_severity(diag, severity);
    print_formatted(diag->out, format, args);
}

void diag_note(Diag *diag, Place place, const char *format, ...) {
    if (diag->muted)
        return;
    va_list args;
    va_start(args, format);
    print_remark(diag, SEVERITY_NOTE, format, args);
    va_end(args);
    if (place.source) {
        fputs(" (", diag->out);
        print_place(diag->out, place);
        putc(')', diag->out);
    }
    putc('\n', diag->out);
}

void diag_help(Diag *diag, const char *format, ...) {
    if (diag->muted)
        return;
    va_list args;
    va_start(args, format);
    print_remark(diag, SEVERITY_HELP, format, args);
    va_end(args);
    putc('\n', diag->out);
}

bool diag_is_full(const Diag *diag) {
    return diag->errors >= DIAG_LIMIT;
}

void diag_bug(const char *stage, Place place, const char *format, ...) {
    fprintf(stderr, "nnc: this is a bug of the compiler, in the stage `%s`: ", stage);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    putc('\n', stderr);
    if (place.source) {
        fprintf(stderr, "%s:%d:%d: the stage was working on this\n", place.source->name, place_line(place),
                place_column(place));
        print_snippet(stderr, place);
    }
    fputs("note: the model may well be right; please report this with the model\n", stderr);
    exit(EXIT_COMPILER_BUG);
}
