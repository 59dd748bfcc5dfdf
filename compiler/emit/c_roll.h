/* c_roll.h: calls that are made again and again are a loop.
 *
 *     f(y_1, y_2, 64);
 *     f(y_2, y_3, 96);       ->    for (int64_t rep = 0; rep < 9; rep++) {
 *     ...                              f(y_1 + 512 * rep, y_2 + 512 * rep, 64 + 32 * rep);
 *     f(y_9, y_10, 320);           }
 *
 * Calls of one function follow each other, or those of several in turn, and what they take goes up by the same from one repetition to the next:
 * places in the workspace (loop/place.h puts series at equal distances), places in scratch memory, sizes. Nothing but the text is decided here:
 * the loop makes the calls that the list of kernels or statements has, in that order, with the same waits.
 *
 * A kernel whose calls are a loop takes one pointer for all buffers that the loop goes over: the first one, in memory. What stands elsewhere in the
 * kernel for another one of them is declared as a place behind it.
 */
#ifndef NNC_EMIT_C_ROLL_H
#define NNC_EMIT_C_ROLL_H

#include "emit/c_loop.h"
#include "loop/repeat.h"

/* How far the arguments of a call move from one repetition to the next: places in elements, then sizes. */
typedef VEC(int64_t) CSteps;

typedef struct CRoll {
    Repeat repeat;       /* of kernels in an entry, or of statements in a body */
    const CSteps *steps; /* by place in the period; of statements that are no call: none */
} CRoll;

typedef VEC(CRoll) CRollList;

/* What is rolled in a kernel that calls others. */
typedef struct CRolled {
    bool any;
    PointerMap *lists;     /* of bodies: their CRollList, where there is one */
    PointerMap *mentioned; /* buffers and arrays that the text has */
    PointerMap *base;      /* of a buffer that is declared as a place behind another one: that one */
    PointerMap *written;   /* bases of buffers of which one is stored to */
} CRolled;

/* The functions of all kernels that are called there are known. */
CRollList c_roll_entry(const CLoops *c, const LoopEntry *entry);
const CRolled *c_rolled(const CLoops *c, const Kernel *kernel);

/* The roll that begins there; NULL: none. */
const CRoll *c_roll_at(const CRollList *list, size_t at);

/* The buffer whose pointer the kernel's function takes for this one: often itself. */
const Buffer *c_base(const CRolled *rolled, const Buffer *buffer);
/* How many elements it stands behind the base. */
int64_t c_behind(const CLoops *c, const Buffer *base, const Buffer *buffer);

#endif
