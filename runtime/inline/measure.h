/* measure.h: how long the parts of kernels take: only in the programs that `nnc --tune` builds for itself (pieces: see simd.h).
 *
 * A step calls kernels, which say with nn_mark() what part comes next. Steps are repeated for the given time; of each part the first quartile
 * of its times is printed, which other programs on the machine disturb least.
 */
#ifndef NN_MEASURE_H
#define NN_MEASURE_H

#include "simd.h"

/* nn: begin measure */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NN_MOST_STEPS = 1000 };

static struct {
    double since;
    int part, step, marks;
    int by_processor; /* time of the processor: what others take does not count, but it costs more to ask for */
    float *spent; /* [part][NN_MOST_STEPS], nanoseconds */
} nn_clock;

NN_FUNCTION double nn_now(void) {
    struct timespec t;
    if (nn_clock.by_processor)
        return 1e9 * (double)clock() / CLOCKS_PER_SEC;
    (void)timespec_get(&t, TIME_UTC);
    return 1e9 * (double)(t.tv_sec % 1000000) + (double)t.tv_nsec;
}

/* What follows is this part, until the next mark; 0: of none. */
NN_FUNCTION void nn_mark(int part) {
    double now = nn_now();
    nn_clock.spent[nn_clock.part * NN_MOST_STEPS + nn_clock.step] += (float)(now - nn_clock.since);
    nn_clock.part = part;
    nn_clock.since = now;
    nn_clock.marks++;
}

NN_FUNCTION int nn_compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

NN_FUNCTION void nn_one_step(int parts, void (*restore)(void), void (*step)(void)) {
    restore();
    for (int part = 0; part <= parts; part++)
        nn_clock.spent[part * NN_MOST_STEPS + nn_clock.step] = 0;
    nn_clock.since = nn_now();
    step();
    nn_mark(0);
}

/* A first step fills the caches, and tells whether the parts are long enough for the clock of the processor. */
NN_FUNCTION int nn_repeat(int parts, double seconds, void (*restore)(void), void (*step)(void)) {
    const double long_part = 20000;
    clock_t ticks = clock(), allowed = (clock_t)(seconds * CLOCKS_PER_SEC);
    double start = nn_now();
    nn_one_step(parts, restore, step);
    nn_clock.by_processor = nn_now() - start > long_part * nn_clock.marks;
    while (nn_clock.step < NN_MOST_STEPS && (nn_clock.step < 2 || clock() - ticks < allowed)) {
        nn_one_step(parts, restore, step);
        nn_clock.step++;
    }
    return nn_clock.step;
}

/* Prints nanoseconds: a line with the number of each part. Returns an exit status. */
NN_FUNCTION int nn_measure(int parts, double seconds, void (*restore)(void), void (*step)(void)) {
    nn_clock.spent = calloc((size_t)(parts + 1) * NN_MOST_STEPS, sizeof *nn_clock.spent);
    if (!nn_clock.spent)
        return 1;
    int steps = nn_repeat(parts, seconds, restore, step);
    for (int part = 1; part <= parts; part++) {
        float *spent = &nn_clock.spent[part * NN_MOST_STEPS];
        qsort(spent, (size_t)steps, sizeof *spent, nn_compare);
        printf("%d %.0f\n", part, (double)spent[steps / 4]);
    }
    free(nn_clock.spent);
    return 0;
}
/* nn: end */

#endif
