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

/* A part of the kernels. The time of the processor does not count what other programs take, but costs more to ask for: it is for
 * parts that are long. */
typedef struct nn_part {
    int visits, by_processor;
    float spent[NN_MOST_STEPS]; /* nanoseconds */
} nn_part;

static struct {
    double since;
    int part, step;
    nn_part *parts;
} nn_clock;

NN_FUNCTION double nn_now(int by_processor) {
    struct timespec t;
    if (by_processor)
        return 1e9 * (double)clock() / CLOCKS_PER_SEC;
    (void)timespec_get(&t, TIME_UTC);
    return 1e9 * (double)(t.tv_sec % 1000000) + (double)t.tv_nsec;
}

/* What follows is this part, until the next mark; 0: of none. */
NN_FUNCTION void nn_mark(int part) {
    nn_part *last = &nn_clock.parts[nn_clock.part], *next = &nn_clock.parts[part];
    double now = nn_now(last->by_processor);
    last->spent[nn_clock.step] += (float)(now - nn_clock.since);
    last->visits++;
    nn_clock.part = part;
    nn_clock.since = last->by_processor == next->by_processor ? now : nn_now(next->by_processor);
}

NN_FUNCTION int nn_compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

NN_FUNCTION void nn_one_step(int parts, void (*restore)(void), void (*step)(void)) {
    restore();
    for (int part = 0; part <= parts; part++)
        nn_clock.parts[part].spent[nn_clock.step] = 0;
    nn_clock.since = nn_now(nn_clock.parts[0].by_processor);
    step();
    nn_mark(0);
}

/* A first step fills the caches, and tells which parts are long. */
NN_FUNCTION int nn_repeat(int parts, double seconds, void (*restore)(void), void (*step)(void)) {
    const float long_part = 20000;
    clock_t start = clock(), allowed = (clock_t)(seconds * CLOCKS_PER_SEC);
    nn_one_step(parts, restore, step);
    for (int part = 0; part <= parts; part++) {
        nn_part *at = &nn_clock.parts[part];
        at->by_processor = at->spent[0] > long_part * (float)at->visits;
    }
    while (nn_clock.step < NN_MOST_STEPS && (nn_clock.step < 2 || clock() - start < allowed)) {
        nn_one_step(parts, restore, step);
        nn_clock.step++;
    }
    return nn_clock.step;
}

/* Prints nanoseconds: a line with the number of each part. Returns an exit status. */
NN_FUNCTION int nn_measure(int parts, double seconds, void (*restore)(void), void (*step)(void)) {
    nn_clock.parts = calloc((size_t)parts + 1, sizeof *nn_clock.parts);
    if (!nn_clock.parts)
        return 1;
    int steps = nn_repeat(parts, seconds, restore, step);
    for (int part = 1; part <= parts; part++) {
        float *spent = nn_clock.parts[part].spent;
        qsort(spent, (size_t)steps, sizeof *spent, nn_compare);
        printf("%d %.0f\n", part, (double)spent[steps / 4]);
    }
    free(nn_clock.parts);
    return 0;
}
/* nn: end */

#endif
