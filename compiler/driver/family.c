#include "driver/family.h"

#include "driver/artifacts.h"

/* Everything is made again for each of them, from the text on: passes may keep what they like in a graph. */
static bool run_member(Compilation *family, const Target *target, const char *path, Compilation *member) {
    Arena *arena = family->arena;
    Options *options = arena_one(arena, Options);
    *options = *family->options;
    options->target = target;
    *member = (Compilation){.arena = arena, .options = options, .diag = family->diag, .variant = target};
    member->source_name = artifact_file(path);
    member->header_name = family->header_name;
    return pipeline_run(member, text_new(arena));
}

bool family_run(Compilation *family, const char *output) {
    Arena *arena = family->arena;
    const Options *options = family->options;
    Compilation members[MOST_TARGETS];
    const LoopProgram *programs[MOST_TARGETS];
    const EmitFamily all = {.programs = programs, .targets = options->targets.at, .count = options->targets.count};
    for (size_t i = 0; i < all.count; i++) {
        const char *path = artifact_variant(arena, output, all.targets[i]);
        if (!run_member(family, all.targets[i], path, &members[i]))
            return false;
        programs[i] = members[i].program;
        vec_push(arena, &family->variants, ((Variant){path, members[i].source}));
        diag_repeat(family->diag);
    }
    family->tuning_path = members[0].tuning_path;
    family->weights = members[0].weights;
    EmitOptions emit = pipeline_emit_options(&members[0]);
    emit.variant = NULL;
    family->source = text_new(arena);
    family->header = text_new(arena);
    emit_choice(&all, &emit, family->source);
    emit_header(&all, &emit, family->header);
    return true;
}
