/* c_size.h: the integers of a kernel that are others in a kernel which equals it otherwise: extents, strides, places.
 *
 * Two kernels are compared as texts in which such an integer is a "#", and what it was is noted (c_share.h). Their function takes what differs
 * as arguments, and where it stands in the text is counted. How far the rows are apart that a tile of sums adds up is no such integer: it is a part of the
 * instructions that load them, again in every step of the sum, where an argument would take a register for each row. Results are stored once.
 */
#ifndef NNC_EMIT_C_SIZE_H
#define NNC_EMIT_C_SIZE_H

#include <stdint.h>

#include "base/map.h"
#include "base/vec.h"

/* What is written for an integer: so many times an argument; without a name, the integer itself. */
typedef struct CSize {
    const char *name;
    int64_t times;
} CSize;

typedef struct CSizes {
    const CSize *written;     /* by place in the text; NULL: integers are noted */
    size_t next;              /* place */
    VEC(int64_t) values;      /* noted, by place */
    VEC(const char *) wishes; /* how an argument for them might be called */
    const char *wish;         /* for those that are written next */
    bool sums, adds;          /* a tile of sums has been declared; a loop that adds to it is open */
    PointerMap *unrolled;     /* in such loops, the variables of those over rows and columns of tiles */
} CSizes;

#endif
