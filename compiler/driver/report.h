/* report.h: what --report prints: the sizes that the compiler knows before the program runs.
 *
 *     model lenet, batch <= 64, real numbers of 4 bytes
 *     61706 parameters in 10 tensors, 0 numbers of optimizer state
 *
 *                      operations    as compiled    bytes moved    workspace       stored   recomputed
 *     predict            59149312       59150592        5434232      1505280            0            0
 *     ...
 *     gradient / loss: 182700802 / 59147507 = 3.09 (reverse differentiation keeps this below 5)
 */
#ifndef NNC_DRIVER_REPORT_H
#define NNC_DRIVER_REPORT_H

#include "driver/pipeline.h"

/* After the pipeline has come to its end. */
void report_print(const Compilation *compilation, Text *out);

#endif
