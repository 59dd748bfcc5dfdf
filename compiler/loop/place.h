/* place.h: gives every workspace buffer its offset.
 *
 * Liveness is counted in kernels of the entry. A buffer's bytes are reused after its last reader; a map whose last-read operand has the same
 * size and is read at the same index only is written in place. loop_check (after it) proves that no two live ranges overlap.
 */
#ifndef NNC_LOOP_PLACE_H
#define NNC_LOOP_PLACE_H

#include "loop/loop.h"

void place_buffers(LoopProgram *program);

/* The byte behind a workspace buffer and its slack. */
size_t buffer_end(const Graph *g, const Buffer *buffer);

#endif
