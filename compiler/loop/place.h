/* place.h: gives every workspace buffer its offset, every array of scratch memory its offset in the kernel's slice, and the slices theirs.
 *
 * Liveness is counted in kernels of the entry. A buffer's bytes are reused after its last reader; a map whose last-read operand has the same
 * size and is read at the same index only is written in place. Series (series.h) stand at equal distances, or take turns. In a slice, liveness
 * is counted in statements of an iteration. loop_check (after it) proves that no two live ranges overlap.
 */
#ifndef NNC_LOOP_PLACE_H
#define NNC_LOOP_PLACE_H

#include "loop/loop.h"

void place_buffers(LoopProgram *program);

/* The byte behind a workspace buffer and its slack. */
size_t buffer_end(const Graph *g, const Buffer *buffer);

/* How many threads can have iterations of the kernel, each with a slice of its own: OpenMP gives those of a loop to the first threads when there are
 * fewer. */
int64_t kernel_slices(const LoopEntry *entry, const Kernel *kernel, int64_t lanes);
/* Of an array of scratch memory, with its slack; PER_LANE: for each lane. */
size_t array_bytes(const Graph *g, const LoopVar *array);

#endif
