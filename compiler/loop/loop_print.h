/* loop_print.h: the loop program as text, for --dump=loops and --dump=memory and for tests. */
#ifndef NNC_LOOP_LOOP_PRINT_H
#define NNC_LOOP_LOOP_PRINT_H

#include "loop/loop.h"

void loop_print(const LoopProgram *program, Text *out);
/* One line per workspace buffer: offset, bytes, first and last kernel, name. */
void loop_print_memory(const LoopProgram *program, Text *out);

#endif
