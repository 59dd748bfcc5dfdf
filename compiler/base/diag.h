/* diag.h: the only printer of messages to the user.
 *
 *     model.nn:7:14: error: dense() wants its input's last axis to be features, but `x` is real[256]
 *         7 |   y = x |> dense(10)
 *           |            ^~~~~~~~~
 *     note: `x` comes from model.nn:4:3, `input x: real[256]`
 *     help: one feature per sample is real[256, 1]
 *
 * Underlined is the part of the place that lies on its first line; tabs are copied, so that the underline aligns.
 * A very long line is shown around the caret. Control characters are never printed: in texts they are written as escapes.
 * The user's faults are errors here; faults of the compiler itself go through diag_bug(), another path.
 * After DIAG_LIMIT errors one closing line is printed and further ones are only counted; a stage that sees
 * diag_is_full() may stop early.
 */
#ifndef NNC_BASE_DIAG_H
#define NNC_BASE_DIAG_H

#include <stdio.h>
#include "base/source.h"

enum { DIAG_LIMIT = 20, EXIT_COMPILER_BUG = 70 };

typedef struct Diag {
    FILE *out;
    bool colour;
    int errors, warnings;
    /* A printed error waits for its notes: notes and helps after a suppressed error are suppressed too. */
    bool muted;
    bool errors_only;
} Diag;

/* What follows compiles again what has been compiled: only errors can be new, and nothing else is printed. */
void diag_repeat(Diag *diag);

void diag_error(Diag *diag, Place place, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(Diag *diag, Place place, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Belongs to the last error or warning. With a place: "note: ... (file:line:col)" followed by nothing else. */
void diag_note(Diag *diag, Place place, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_help(Diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool diag_is_full(const Diag *diag);

/* A fault of the compiler: says the stage and the source place it was working on, asks for a report, and aborts the
 * compilation with exit status 70 through exit(). Never used for bad input. */
_Noreturn void diag_bug(const char *stage, Place place, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
