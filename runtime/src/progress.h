/* progress.h: the line of a running epoch on a terminal, and how numbers are shown.
 *
 *     epoch 3/10 [=========>          ]  45%  loss 0.2345  12345 samples/s  0:12 left
 */
#ifndef NNRT_SRC_PROGRESS_H
#define NNRT_SRC_PROGRESS_H

#include <stdint.h>
#include "nnrt.h"

/* Seconds on a clock that only runs forward. */
double nnrt_clock(void);

/* A loss or metric with about four digits: "0.2912", "1.250e-07". */
typedef struct nnrt_number {
    char text[32];
} nnrt_number;
nnrt_number nnrt_number_print(double value);

typedef struct nnrt_progress {
    FILE *terminal; /* NULL: nothing is drawn */
    double drawn;   /* when, by nnrt_clock() */
    int visible;    /* a line stands on the terminal */
} nnrt_progress;

/* What the line shows. */
typedef struct nnrt_moment {
    int64_t epoch, epochs;     /* from 1 */
    int64_t step, steps;       /* done and planned in this epoch */
    double loss;               /* mean so far */
    double samples_per_second; /* 0: not known yet */
    double seconds_left;       /* of the training */
} nnrt_moment;

/* Draws the line, but not more often than some ten times a second. */
void nnrt_progress_draw(nnrt_progress *progress, const nnrt_moment *moment);

/* Takes the line away, before something else is printed. */
void nnrt_progress_clear(nnrt_progress *progress);

#endif
