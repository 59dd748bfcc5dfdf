/* loop_check.h: the verifier of finished loop programs, after placement. A violation is a compiler bug: diag_bug.
 *
 * - Every value is written before it is read, and no two workspace buffers that live at the same time share bytes; except that a
 *   buffer may take the place of one that its first kernel reads last (Kernel.aliased).
 * - Between two waits, kernels of different threads do not touch each other's memory. A kernel that all threads run stores to buffers in
 *   shared loops only, and these are not nested.
 * - In an iteration, every array of scratch memory is written before it is read, and none that live at the same time share bytes. Each thread
 *   that can have iterations has a slice of its own, and while the kernel runs nothing else stands there.
 * - Every access stays inside its buffer: by the ranges of the loop variables, for every number of lanes with the largest n, and for the
 *   widest vectors with a single sample. Accesses under a condition that depends on loop variables, and loads at indices that are data, are not decided here.
 * - What is stored at a place that data choose stands under a condition that says where that place may lie: inside the buffer, and apart from what
 *   other iterations choose of a loop that threads share.
 */
#ifndef NNC_LOOP_LOOP_CHECK_H
#define NNC_LOOP_LOOP_CHECK_H

#include "loop/loop.h"

void loop_check(const LoopProgram *program);

#endif
