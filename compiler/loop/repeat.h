/* repeat.h: where a list says the same again and again: the steps of a recurrence, layers of one form.
 *
 *     a b c b c b c b c d    ->    {first 1, period 2, count 4}
 */
#ifndef NNC_LOOP_REPEAT_H
#define NNC_LOOP_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

/* `count` times the same `period` things, from the one at `first` on. */
typedef struct Repeat {
    size_t first, period, count;
} Repeat;

typedef VEC(Repeat) RepeatList;

/* Fewer repetitions than these are no help to a reader. */
enum { LEAST_REPETITIONS = 4 };

typedef struct RepeatSearch {
    size_t things;
    const uint64_t *forms; /* of each: those of equal form may repeat each other. 0: like no other */
    /* Whether repetition `turn` of the things follows from the ones before, which did; the first is turn 0. NULL: forms say everything. */
    bool (*follows)(void *context, size_t first, size_t period, size_t turn);
    void *context;
} RepeatSearch;

/* In the order of the list; they do not overlap. */
RepeatList repeats_find(Arena *arena, const RepeatSearch *search);

#endif
