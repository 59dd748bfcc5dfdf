/* names.h: C identifiers. */
#ifndef NNC_LOOP_NAMES_H
#define NNC_LOOP_NAMES_H

#include "base/arena.h"

/* A set of names; taking one that is in use, here or in an outer set, gives it a number. */
typedef struct Names Names;
Names *names_new(Arena *arena, Names *outer);
/* A C identifier near to `wish` ("conv2d_1.y" gives conv2d_1_y) that is new, and neither a keyword nor reserved. */
const char *names_take(Names *names, const char *wish);
/* The same, for a declaration in `home` that stands before everything else there: sets inside of it, of which `innermost` is the one that is
 * open, do not use the name either. */
const char *names_take_before(Names *home, const Names *innermost, const char *wish);

#endif
