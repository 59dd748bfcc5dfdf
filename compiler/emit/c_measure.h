/* c_measure.h: the main() of a program that measures: prediction and training step on made-up data, again and again. */
#ifndef NNC_EMIT_C_MEASURE_H
#define NNC_EMIT_C_MEASURE_H

#include "emit/c_names.h"
#include "emit/c_write.h"

void c_measure(CWriter *w, const CNames *names, const LoopProgram *program, int parts);

#endif
