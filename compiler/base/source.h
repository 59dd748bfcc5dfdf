/* source.h: the text of the files that are compiled, and places in them.
 *
 * A Place is a half-open range of bytes of a Source; derived objects (graph nodes, loops) carry the place of the
 * source construct that they come from, so that every message and every `#line` can point at the `.nn` line.
 */
#ifndef NNC_BASE_SOURCE_H
#define NNC_BASE_SOURCE_H

#include <stdbool.h>
#include "base/arena.h"

typedef struct Source {
    const char *name; /* as the user gave it; "<prelude>" for the prelude */
    const char *text; /* NUL-terminated; the NUL is not part of the text */
    size_t length;
    const size_t *line_starts; /* offset of each line's first byte */
    int line_count;
    bool is_prelude;
} Source;

typedef struct Place {
    const Source *source; /* NULL: no place */
    size_t start, end;    /* byte offsets */
} Place;

#define NO_PLACE ((Place){0})

/* Copies text into the arena and finds its lines. */
Source *source_from_text(Arena *arena, const char *name, const char *text, size_t length);
const char *source_file_name(const Source *source); /* without its folder: what goes into outputs */
int place_line(Place place);                        /* from 1; 0 without a source */
int place_column(Place place);                      /* from 1, in bytes */
Place place_join(Place first, Place last);

#endif
