/* c_near.h: pointers to where several accesses of a loop's body are near each other.
 *
 *     for r < 6: y[4096 * p + 64 * (c + r) + o] = acc[r]    ->    float *const y_here = &y[4096 * p + 64 * c + o];
 *                                                                 for r < 6: y_here[64 * r] = acc[r]
 *
 * What is written out, the loops over a tile's rows and columns, would compute each of these addresses by itself: C compilers take long to find what
 * they have in common, and GCC does not find all of it. The loop program keeps whole addresses, as with c_row.h.
 */
#ifndef NNC_EMIT_C_NEAR_H
#define NNC_EMIT_C_NEAR_H

#include "base/map.h"
#include "base/vec.h"
#include "loop/loop.h"
#include "loop/names.h"

typedef struct CNear {
    LoopAddress at;         /* of which the pointer is */
    const LoopStmt *before; /* the first statement of the body that needs it */
    const char *name;
    bool written;     /* some access is a store */
    int64_t accesses; /* by the C compiler, when loops over tiles are written out */
} CNear;

/* Of one body, but for the loops in it that stay loops. */
typedef struct CNears {
    VEC(CNear *) pointers;
    PointerMap *of;   /* of addresses: theirs */
    PointerMap *rest; /* of addresses: the offset from there */
} CNears;

/* `offsets`: what addresses have instead of their offsets; may be NULL. `names`: receives the pointers' names; NULL: they need none. */
const CNears *c_nears(Arena *arena, const LoopBody *body, const PointerMap *offsets, Names *names);

#endif
