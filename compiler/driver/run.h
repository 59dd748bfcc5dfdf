/* run.h: nnc train, eval, predict and info: builds the generated program, once, and becomes it.
 *
 * Built programs are kept in $XDG_CACHE_HOME/nnc, or ~/.cache/nnc, in a folder named by a hash of all that they were made
 * from: the generated C, the C compiler, the run-time library, the version of nnc.
 */
#ifndef NNC_DRIVER_RUN_H
#define NNC_DRIVER_RUN_H

#include "driver/pipeline.h"

/* Returns only on failure, which was reported: the process becomes the program. */
void run_program(const Compilation *compilation);

#endif
