/* c_row.h: the part of a buffer that a kernel works on, where another kernel calls it in a loop.
 *
 *     f(x, y, b):  y[4096 * b + 64 * i] = x[512 * b + i]        ->        f(x, y):  y[64 * i] = x[i]
 *     f(x, y, b)                                                          f(x + 512 * b, y + 4096 * b)
 *
 * What all accesses to a buffer add of the caller's variables is a part of its pointer, at the call. So the text is shorter, and a kernel that takes
 * a row of a buffer equals one that takes all of another (c_share.h).
 */
#ifndef NNC_EMIT_C_ROW_H
#define NNC_EMIT_C_ROW_H

#include "emit/c_loop.h"

typedef struct CRows {
    PointerMap *from;    /* of buffers: where the kernel's part begins; none: with the buffer */
    PointerMap *offsets; /* of addresses in such parts: what remains of their offsets */
    PointerMap *spent;   /* the caller's variables that nothing else needs */
} CRows;

const CRows *c_rows(const CLoops *c, const Kernel *kernel);

#endif
