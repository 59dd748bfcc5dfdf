/* help.h: what the tables of options and commands say to people: the help page and the manual page. */
#ifndef NNC_DRIVER_HELP_H
#define NNC_DRIVER_HELP_H

#include "base/text.h"

void help_print(Arena *arena, Text *out);
void manual_print(Arena *arena, Text *out); /* roff, for man(1) */

#endif
