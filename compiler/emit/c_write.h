/* c_write.h: lines of C: indentation, breaks of long lines, comments, #line. */
#ifndef NNC_EMIT_C_WRITE_H
#define NNC_EMIT_C_WRITE_H

#include "base/source.h"
#include "base/text.h"

typedef struct CWriter {
    Arena *arena;
    Text *out;
    Text *code;          /* of the line that is being made */
    int depth;           /* of indentation */
    int line;            /* of the next line of the file, from 1 */
    const char *file;    /* its name; NULL: no #line directives */
    const Place *origin; /* of the lines that are written now; NULL or without a source: the file itself */
    bool redirected;     /* the last #line named a model */
} CWriter;

CWriter c_writer(Arena *arena, Text *out, const char *file);

/* A line, piece by piece: its text so far is between c_begin() and c_end(), or c_end_open() if it opens a block. */
Text *c_begin(CWriter *w);
void c_end(CWriter *w);
void c_end_open(CWriter *w);

/* One line without its newline; broken where it is too long, after commas and operators. "" is an empty line. */
void c_line(CWriter *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line that opens a block (ends with "{"), and the one that closes it: "}" and `tail`. */
void c_open(CWriter *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void c_close(CWriter *w, const char *tail);
/* Whole lines, as they are. */
void c_verbatim(CWriter *w, const char *text);
/* A comment of one or more lines, each broken at blanks where it is too long. */
void c_comment(CWriter *w, const char *const *lines, size_t count);

/* A literal of the model's reals. It may be NAN or INFINITY, of <math.h>. */
void c_real(Text *out, double value, bool is_double);
/* A string literal. */
const char *c_string(Arena *arena, const char *text);

#endif
