/* names.h: C identifiers. */
#ifndef NNC_LOOP_NAMES_H
#define NNC_LOOP_NAMES_H

#include "base/arena.h"

/* A set of names; taking one that is in use, here or in an outer set, gives it a number. */
typedef struct Names Names;
Names *names_new(Arena *arena, const Names *outer);
/* A C identifier near to `wish` ("conv2d_1.y" gives conv2d_1_y) that is new, and neither a keyword nor reserved. */
const char *names_take(Names *names, const char *wish);
/* The same, for a place inside `innermost`, where its names and those of the sets outside of it are in use; the name belongs to `home`, which
 * is one of these. */
const char *names_take_inside(Names *home, const Names *innermost, const char *wish);

#endif
