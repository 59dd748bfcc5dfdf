/* c_loop.h: kernels as C functions. Which of them are one function, c_share.h says. */
#ifndef NNC_EMIT_C_LOOP_H
#define NNC_EMIT_C_LOOP_H

#include "base/map.h"
#include "emit/c_expr.h"
#include "emit/c_write.h"

/* In the order in which a kernel's function takes them. */
typedef enum CParameterKind {
    PARAMETER_READ,
    PARAMETER_WRITTEN,
    PARAMETER_SCRATCH,
    PARAMETER_VARIABLE,
    PARAMETER_N,
    PARAMETER_STEP,
    PARAMETER_STEPS,
    PARAMETER_SEED
} CParameterKind;

typedef struct CParameter {
    CParameterKind kind;
    const Buffer *buffer;           /* READ, WRITTEN */
    const LoopExpr *from;           /* the kernel's part of it begins there (c_row.h); NULL: with it */
    const KernelArgument *argument; /* VARIABLE */
} CParameter;

typedef VEC(CParameter) CParameters;

/* An integer in which the kernels of a function differ. */
typedef struct CSizeParameter {
    const char *name;
    size_t place; /* among the integers of the body; there may be others */
} CSizeParameter;

/* A function that one or several kernels are. */
typedef struct CFunction {
    const Kernel *kernel;       /* the first of them, whose names it has */
    VEC(const char *) comments; /* the equations of all */
    VEC(CSizeParameter) sizes;  /* behind the kernel's own parameters */
    const CSize *written;       /* what stands for each integer of the body */
    Names *names;               /* that it has */
} CFunction;

/* How a kernel is called: its own memory, variables and sizes, in the order of the function's parameters. */
typedef struct CCall {
    const CFunction *function;
    CParameters values;
    VEC(int64_t) sizes; /* behind them */
} CCall;

typedef struct CLoops {
    CExprs exprs;
    CWriter *writer;
    bool openmp;
    PointerMap *calls;  /* of kernels: their CCalls */
    PointerMap *rolled; /* of kernels: what c_roll.h has found in them */
    PointerMap *rows;   /* of kernels: what c_row.h has found in them */
    Names *names;       /* of the scope that is written; NULL: names do not matter */
} CLoops;

CParameters c_parameters(const CLoops *c, const Kernel *kernel);
const char *c_parameter_name(const CLoops *c, const CParameter *parameter);
/* Adds its declaration. */
void c_parameter(const CLoops *c, Text *out, const Kernel *kernel, const CParameter *parameter);

/* "name" or, in a loop over repetitions, "name + 32 * rep". */
const char *c_moved(const CLoops *c, const char *name, int64_t step);
/* "for (int64_t rep = 0; ..." */
void c_open_roll(CWriter *w, size_t repetitions);

/* All that stands between the brackets of the kernel's function. */
void c_kernel_body(CLoops *c, const Kernel *kernel);

/* The functions that the kernel and those that it calls are the first of, each under a comment that holds its equations. */
void c_kernel(CLoops *c, const Kernel *kernel);

#endif
