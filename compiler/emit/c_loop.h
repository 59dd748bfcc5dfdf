/* c_loop.h: kernels as C functions.
 *
 * Entry points compute much that is the same. A kernel whose function would be the same as one that was written before,
 * but for the name, is not written again: its callers call that one.
 */
#ifndef NNC_EMIT_C_LOOP_H
#define NNC_EMIT_C_LOOP_H

#include "base/map.h"
#include "emit/c_expr.h"
#include "emit/c_write.h"

typedef struct CLoops {
    CExprs exprs;
    CWriter *writer;
    CWriter *aside; /* of kernels that may have been written already; used again and again */
    bool openmp;
    TextMap *functions; /* by their text without the name: their names */
    PointerMap *names;  /* of kernels: what to call */
} CLoops;

/* The function of a kernel, under a comment that holds its equations, unless there is one. */
void c_kernel(CLoops *c, const Kernel *kernel);

#endif
