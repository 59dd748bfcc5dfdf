#include "base/source.h"

#include <limits.h>
#include <string.h>
#include "base/vec.h"

Source *source_from_text(Arena *arena, const char *name, const char *text, size_t length) {
    VEC(size_t) starts = {0};
    vec_push(arena, &starts, 0);
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\n' && starts.count < INT_MAX)
            vec_push(arena, &starts, i + 1);
    Source *source = arena_one(arena, Source);
    source->name = arena_copy_text(arena, name, strlen(name));
    source->text = arena_copy_text(arena, text, length);
    source->length = length;
    source->line_starts = starts.at;
    source->line_count = (int)starts.count;
    return source;
}

/* The last line that starts at or before the place. */
const char *source_file_name(const Source *source) {
    const char *slash = source->is_prelude ? NULL : strrchr(source->name, '/');
    return slash ? slash + 1 : source->name;
}

int place_line(Place place) {
    if (!place.source)
        return 0;
    int low = 0, high = place.source->line_count;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (place.source->line_starts[middle] <= place.start)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

int place_column(Place place) {
    if (!place.source)
        return 0;
    size_t column = place.start - place.source->line_starts[place_line(place) - 1] + 1;
    return column > INT_MAX ? INT_MAX : (int)column;
}

Place place_join(Place first, Place last) {
    if (!first.source)
        return last;
    if (last.source != first.source)
        return first;
    return (Place){first.source, first.start < last.start ? first.start : last.start,
                   first.end > last.end ? first.end : last.end};
}
