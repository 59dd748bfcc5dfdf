/* loop_eval.h: the interpreter of loop programs, for tests: what the generated C will do, in double, with any number of lanes.
 *
 * Iterations that threads share are run one after the other, each in the slice of its thread.
 *
 * It is strict: an access outside its buffer, a read of memory that nothing has written (also: that something else has
 * overwritten since), a part access without lanes, and a variable without a value are compiler bugs (diag_bug).
 */
#ifndef NNC_LOOP_LOOP_EVAL_H
#define NNC_LOOP_LOOP_EVAL_H

#include "loop/loop.h"

typedef struct LoopRun {
    int lanes; /* 1 .. MOST_LANES */
    int64_t n;
    uint64_t seed;
    int64_t step, steps;
    /* Values of inputs, parameters and states at the start, in C order for `n`. */
    const double *(*leaf)(void *context, const Node *leaf);
    void *context;
} LoopRun;

typedef struct LoopResult LoopResult;

/* Runs all kernels of an entry in order. */
LoopResult *loop_run(Arena *arena, const LoopProgram *program, EntryKind kind, const LoopRun *run);
/* What a buffer that is not of the workspace holds at the end. NULL: the entry has no such buffer. */
const double *loop_result(const LoopResult *result, BufferSpace space, int ordinal);

#endif
