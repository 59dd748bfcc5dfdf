#include "sema/instance.h"

#include <inttypes.h>
#include "sema/call.h"

/* ---- counters ---- */

static int counter_get(const TextMap *counters, const char *name) {
    const int *count = text_map_get(counters, name);
    return count ? *count : 0;
}

static void counter_set(Arena *arena, TextMap *counters, const char *name, int value) {
    int *count = arena_one(arena, int);
    *count = value;
    text_map_put(counters, name, count);
}

/* Every counter of `from`, where it is larger than in `into`. */
static void counters_raise(Arena *arena, TextMap *into, const TextMap *from) {
    for (size_t i = 0; i < text_map_count(from); i++) {
        const char *name = text_map_key(from, i);
        int value = counter_get(from, name);
        if (value > counter_get(into, name))
            counter_set(arena, into, name, value);
    }
}

static TextMap *counters_copy(Arena *arena, const TextMap *from) {
    TextMap *copy = text_map_new(arena);
    counters_raise(arena, copy, from);
    return copy;
}

static int counter_next(Arena *arena, TextMap *counters, const char *name) {
    int value = counter_get(counters, name) + 1;
    counter_set(arena, counters, name, value);
    return value;
}

/* ---- naming ---- */

Naming *naming_new(Arena *arena, const char *path) {
    Naming *naming = arena_one(arena, Naming);
    naming->path = path;
    naming->suffix = "";
    naming->counters = text_map_new(arena);
    naming->labels = text_map_new(arena);
    naming->taken = text_map_new(arena);
    return naming;
}

static const char *path_join(Arena *arena, const char *path, const char *name, const char *suffix) {
    return arena_printf(arena, "%s%s%s%s", path, path[0] ? "." : "", name, suffix);
}

const char *naming_label(Sema *s, const Frame *frame, const char *name) {
    if (frame->naming == NULL)
        return name;
    int count = counter_next(s->arena, frame->naming->labels, path_join(s->arena, frame->label, name, ""));
    return path_join(s->arena, frame->label, arena_printf(s->arena, "%s_%d", name, count), frame->suffix);
}

NamingLoop naming_loop_begin(Sema *s, Naming *naming) {
    return (NamingLoop){.naming = naming,
                        .outer_suffix = naming->suffix,
                        .start = counters_copy(s->arena, naming->counters),
                        .largest = counters_copy(s->arena, naming->counters),
                        .label_start = counters_copy(s->arena, naming->labels),
                        .label_largest = counters_copy(s->arena, naming->labels)};
}

void naming_loop_iterate(Sema *s, NamingLoop *loop, int64_t i) {
    Naming *naming = loop->naming;
    counters_raise(s->arena, loop->largest, naming->counters);
    counters_raise(s->arena, loop->label_largest, naming->labels);
    naming->counters = counters_copy(s->arena, loop->start);
    naming->labels = counters_copy(s->arena, loop->label_start);
    naming->suffix = arena_printf(s->arena, "%s.%" PRId64, loop->outer_suffix, i);
}

void naming_loop_end(Sema *s, NamingLoop *loop) {
    counters_raise(s->arena, loop->naming->counters, loop->largest);
    counters_raise(s->arena, loop->naming->labels, loop->label_largest);
    loop->naming->suffix = loop->outer_suffix;
}

/* ---- instances ---- */

Instance *instance_new(Sema *s, const Function *function, Arguments args) {
    Instance *instance = arena_one(s->arena, Instance);
    instance->function = function;
    instance->args = args;
    instance->place = args.place;
    instance->naming = s->frame->naming;
    instance->suffix = s->frame->naming ? s->frame->naming->suffix : "";
    return instance;
}

static void take_path(Sema *s, Instance *instance, const char *path, Place place) {
    instance->path = path;
    Place *taken = arena_one(s->arena, Place);
    *taken = place;
    text_map_put(instance->naming->taken, path, taken);
}

bool instance_name(Sema *s, Instance *instance, AstName name) {
    if (instance->path != NULL || instance->function->decl->kind != AST_LAYER || instance->naming == NULL)
        return true;
    const char *path = path_join(s->arena, instance->naming->path, name.text, instance->suffix);
    const Place *taken = text_map_get(instance->naming->taken, path);
    if (taken == NULL) {
        take_path(s, instance, path, name.place);
        return true;
    }
    sema_error(s, name.place, "two instances are called `%s`: their parameters would have the same names", path);
    sema_note(s, *taken, "the first one");
    sema_help(s, "give the second one another name");
    return false;
}

const char *instance_path(Sema *s, Instance *instance) {
    if (instance->path != NULL)
        return instance->path;
    const char *layer = instance->function->decl->name.text;
    if (instance->naming == NULL)
        return layer;
    const char *path;
    do {
        int number = counter_next(s->arena, instance->naming->counters, layer);
        const char *name = arena_printf(s->arena, "%s_%d", layer, number);
        path = path_join(s->arena, instance->naming->path, name, instance->suffix);
    } while (text_map_get(instance->naming->taken, path) != NULL);
    take_path(s, instance, path, instance->place);
    return path;
}

Instance *instance_stopped(Sema *s, Instance *instance) {
    instance_path(s, instance);
    Instance *stopped = arena_one(s->arena, Instance);
    *stopped = *instance;
    stopped->is_stopped = true;
    return stopped;
}
