/* c_main.h: the section that makes the file a program of the run-time library: the model and the recipe as tables of nnrt.h,
 * and main(). */
#ifndef NNC_EMIT_C_MAIN_H
#define NNC_EMIT_C_MAIN_H

#include "emit/c_names.h"
#include "emit/c_write.h"
#include "sema/recipe.h"

/* `recipe` may be NULL or not present: then the program can only predict. */
void c_main(CWriter *w, const CNames *names, const LoopProgram *program, const Recipe *recipe);

#endif
