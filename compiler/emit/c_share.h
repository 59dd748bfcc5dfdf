/* c_share.h: which kernels are one function.
 *
 * Entry points compute much that is the same, and so do layers of equal sizes. Kernels that differ in nothing but names (of memory, of
 * variables, their own) and in the order of what they take become one function, which is the first kernel's. Where that order differs, the
 * calls follow the function's.
 */
#ifndef NNC_EMIT_C_SHARE_H
#define NNC_EMIT_C_SHARE_H

#include "emit/c_loop.h"

/* Finds the function of each kernel of the program, and what inline functions they use. */
void c_share(CLoops *c, const LoopProgram *program);

#endif
