/* waits.h: where the threads of an entry wait for each other: before a kernel that touches what another since the last wait has written, or
 * writes what it has touched. Kernels that have nothing to do with each other run side by side. After the buffers are placed: memory that
 * is used again counts.
 */
#ifndef NNC_LOOP_WAITS_H
#define NNC_LOOP_WAITS_H

#include "loop/loop.h"

/* Sets Kernel.waits, where an entry has several threads. */
void place_waits(LoopProgram *program);

/* One of them writes memory that the other reads or writes. */
bool kernels_conflict(const LoopProgram *program, const Kernel *a, const Kernel *b);

#endif
