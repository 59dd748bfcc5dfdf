/* series.h: buffers that repetitions use in the same role: the hidden states of a recurrence, one for each step.
 *
 * Where an entry computes the same again and again, or a kernel calls the same stages again and again, the buffers that stand at one place of these
 * are a series. They may stand at equal distances in memory (place.h), so that loops can go over them. What is found is a wish: nothing depends on
 * it but how short the C is.
 */
#ifndef NNC_LOOP_SERIES_H
#define NNC_LOOP_SERIES_H

#include "loop/loop.h"

/* Sets the series of the entry. Rows of kernels that repetitions use become scratch memory: there they take each other's place. */
void series_find(Arena *arena, LoopEntry *entry);

#endif
