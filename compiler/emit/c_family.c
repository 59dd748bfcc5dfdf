#include "emit/c_family.h"

#include <ctype.h>
#include <string.h>

#include "emit/c_entry.h"

/* ---- what a processor has ---- */

typedef VEC(const char *) FeatureList;

static FeatureList features_of(Arena *arena, const Target *target) {
    FeatureList list = {0};
    for (const char *at = target->features; *at;) {
        size_t length = strcspn(at, ",");
        vec_push(arena, &list, arena_copy_text(arena, at, length));
        at += length + (at[length] == ',');
    }
    return list;
}

/* "__SSE4_1__" for "sse4.1": what compilers define where the feature is there. */
static const char *feature_macro(Arena *arena, const char *feature) {
    char *macro = arena_printf(arena, "__%s__", feature);
    for (char *c = macro; *c; c++)
        *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
    return macro;
}

/* What follows is for one family of processors; NULL: for all. `before`: what the lines before were for. */
static void for_machine(CWriter *w, const char *machine, const char *before) {
    if (machine == before || (machine && before && strcmp(machine, before) == 0))
        return;
    if (before)
        c_verbatim(w, "#endif\n");
    if (machine)
        c_verbatim(w, arena_printf(w->arena, "#if defined(%s) && defined(__GNUC__)\n", machine));
}

/* ---- the header ---- */

static void declare_functions(CWriter *w, const CNames *names, const LoopProgram *program) {
    c_comment(
        w,
        (const char *const[]){"The functions above, made for one processor. They choose among these tables by the "
                              "processor that they run on; results differ by rounding."},
        1);
    c_open(w, "typedef struct %s_functions {", names->prefix);
    c_line(w, "const char *processor; /* its name, as in nnc's option --target */");
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        if (program->entries[kind].present)
            c_line(w, "%s;", c_signature_pointer(w->arena, names, (EntryKind)kind));
    c_close(w, arena_printf(w->arena, " %s_functions;", names->prefix));
}

void c_family_declare(CWriter *w, const CNames *names, const EmitFamily *family) {
    const char *m = names->prefix;
    declare_functions(w, names, family->programs[0]);
    const char *machine = NULL;
    for (size_t i = 0; i < family->count; i++) {
        const Target *target = family->targets[i];
        for_machine(w, target->machine, machine);
        machine = target->machine;
        c_line(w, "extern const %s_functions %s_%s; /* %s */", m, m, target->name, target->doc);
    }
    for_machine(w, NULL, machine);
    c_comment(w, (const char *const[]){"The table that this processor gets."}, 1);
    c_line(w, "const %s_functions *%s_chosen(void);", m, m);
    c_line(w, "%s", "");
}

/* ---- a file for one processor ---- */

/* GCC tells the preprocessor what its pragma brings; Clang does not, and wants to be told where it ends. */
void c_variant_open(CWriter *w, const Target *variant) {
    FeatureList features = features_of(w->arena, variant);
    for_machine(w, variant->machine, NULL);
    if (features.count == 0) {
        c_line(w, "%s", "");
        return;
    }
    c_line(w, "%s", "");
    const char *what = arena_printf(w->arena, "---- %s, whatever the options of the compiler say ----", variant->doc);
    c_comment(w, &what, 1);
    c_line(w, "%s", "");
    c_verbatim(w, arena_printf(w->arena,
                               "#if defined(__clang__)\n"
                               "#pragma clang attribute push(__attribute__((target(\"%s\"))), apply_to = function)\n",
                               variant->features));
    for (size_t i = 0; i < features.count; i++) {
        const char *macro = feature_macro(w->arena, features.at[i]);
        c_verbatim(w, arena_printf(w->arena, "#ifndef %s\n#define %s 1\n#endif\n", macro, macro));
    }
    c_verbatim(w, arena_printf(w->arena, "#else\n#pragma GCC target(\"%s\")\n#endif\n\n", variant->features));
}

void c_variant_close(CWriter *w, const CNames *names, const LoopProgram *program, const Target *variant) {
    c_comment(w, (const char *const[]){"---- the table ----"}, 1);
    c_line(w, "%s", "");
    c_open(w, "const %s_functions %s = {", names->prefix, names->functions);
    c_line(w, "%s,", c_string(w->arena, variant->name));
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        if (program->entries[kind].present)
            c_line(w, "%s_%s,", names->functions, entry_name((EntryKind)kind));
    c_close(w, ";");
    if (variant->features[0])
        c_verbatim(w, "\n#if defined(__clang__)\n#pragma clang attribute pop\n#endif\n");
    for_machine(w, NULL, variant->machine);
}

/* ---- the choice ---- */

static void write_candidate(CWriter *w, const CNames *names, const Target *target) {
    FeatureList features = features_of(w->arena, target);
    if (features.count > 0) {
        Text *test = text_new(w->arena);
        for (size_t i = 0; i < features.count; i++)
            text_printf(test, "%s__builtin_cpu_supports(\"%s\")", i > 0 ? " && " : "", features.at[i]);
        c_open(w, "if (%s) {", text_get(test));
    }
    c_line(w, "return &%s_%s;", names->prefix, target->name);
    if (features.count > 0)
        c_close(w, "");
}

void c_family_choose(CWriter *w, const CNames *names, const EmitFamily *family) {
    c_comment(w, (const char *const[]){"---- the choice ----"}, 1);
    c_line(w, "%s", "");
    c_open(w, "const %s_functions *%s_chosen(void) {", names->prefix, names->prefix);
    const char *machine = NULL;
    for (size_t i = family->count; i-- > 0;) { /* the last of the table first; the first is for all */
        for_machine(w, family->targets[i]->machine, machine);
        machine = family->targets[i]->machine;
        write_candidate(w, names, family->targets[i]);
    }
    c_close(w, "");
    c_line(w, "%s", "");
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        if (!family->programs[0]->entries[kind].present)
            continue;
        c_open(w, "%s {", c_signature(w->arena, names, (EntryKind)kind));
        const char *chosen = arena_printf(w->arena, "%s_chosen()->%s", names->prefix, entry_name((EntryKind)kind));
        c_line(w, "%s", c_forward(w->arena, names, (EntryKind)kind, chosen));
        c_close(w, "");
        c_line(w, "%s", "");
    }
}
