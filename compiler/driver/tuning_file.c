#include "driver/tuning_file.h"

#include <string.h>
#include <unistd.h>
#include "base/output.h"
#include "driver/artifacts.h"

const char *tuning_file_path(Arena *arena, const Options *options) {
    if (options->tuning)
        return options->tuning;
    bool from_stdin = strcmp(options->input, "-") == 0;
    return from_stdin ? NULL : arena_printf(arena, "%s.tuning", artifact_stem(arena, options->input));
}

bool tuning_file_load(Compilation *c) {
    const char *path = tuning_file_path(c->arena, c->options), *message = NULL;
    bool is_asked = c->options->tuning != NULL;
    if (c->options->no_tuning || !path || (!is_asked && access(path, F_OK) != 0))
        return true;
    size_t length = 0;
    char *text = input_read(c->arena, path, &length, &message);
    if (!text) {
        diag_error(c->diag, NO_PLACE, "%s", message);
        return false;
    }
    c->tuning = tuning_read(c->arena, source_from_text(c->arena, path, text, length), c->diag);
    c->tuning_path = path;
    return c->tuning != NULL;
}

static size_t count_followed(const Tuning *tuning) {
    size_t count = 0;
    for (size_t i = 0; i < tuning->entries.count; i++)
        count += tuning->entries.at[i]->followed;
    return count;
}

void tuning_file_remark(const Compilation *c) {
    size_t ignored = c->tuning->entries.count - count_followed(c->tuning);
    if (ignored > 0) {
        diag_note(c->diag, NO_PLACE, "of %zu in `%s`, ignored as they fit no stage of this model, size and target: %zu",
                  c->tuning->entries.count, c->tuning_path, ignored);
    }
}

bool tuning_file_is_followed(const Compilation *c) {
    return c->tuning_path && count_followed(c->tuning) > 0;
}
