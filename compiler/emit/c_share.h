/* c_share.h: which kernels are one function.
 *
 * Entry points compute much that is the same, and so do layers of equal form. Kernels that differ in nothing but names (of memory, of
 * variables, their own), the order of what they take, and sizes (c_size.h) become one function, which is the first kernel's. Where that order
 * differs, the calls follow the function's; sizes are its last arguments:
 *
 *     y[32 * i] = x[i] for i < 10, y[64 * i] = x[i] for i < 5    ->    f(x, y, 10, 32), f(x, y, 5, 64)
 */
#ifndef NNC_EMIT_C_SHARE_H
#define NNC_EMIT_C_SHARE_H

#include "emit/c_loop.h"

/* Finds the function of each kernel of the program, and what inline functions they use. */
void c_share(CLoops *c, const LoopProgram *program);

#endif
