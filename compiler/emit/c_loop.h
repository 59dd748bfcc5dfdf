/* c_loop.h: kernels as C functions. */
#ifndef NNC_EMIT_C_LOOP_H
#define NNC_EMIT_C_LOOP_H

#include "emit/c_expr.h"
#include "emit/c_write.h"

typedef struct CLoops {
    CExprs exprs;
    CWriter *writer;
    bool openmp;
} CLoops;

/* The function of a kernel, under a comment that holds its equations. */
void c_kernel(CLoops *c, const Kernel *kernel);

#endif
