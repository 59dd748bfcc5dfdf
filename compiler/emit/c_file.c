/* c_file.c: the order of the generated file. */
#include "emit/c_entry.h"
#include "emit/c_family.h"
#include "emit/c_header.h"
#include "emit/c_loop.h"
#include "emit/c_main.h"
#include "emit/c_measure.h"
#include "emit/c_share.h"
#include "emit/c_weights.h"
#include "emit/emit.h"

static void write_entries(CLoops *loops, const CNames *names, const LoopProgram *program) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        const LoopEntry *entry = &program->entries[kind];
        if (!entry->present)
            continue;
        const char *title = arena_printf(program->arena, "---- %s_%s ----", names->prefix, entry_name((EntryKind)kind));
        c_comment(loops->writer, &title, 1);
        c_line(loops->writer, "%s", "");
        for (size_t i = 0; i < entry->kernels.count; i++)
            c_kernel(loops, entry->kernels.at[i]);
        c_entry(loops, names, entry);
    }
}

static void begin_file(CWriter *w, const CNames *names, const EmitOptions *options) {
    c_banner(w, names, options);
    c_verbatim(w, arena_printf(w->arena, "#include \"%s\"\n", options->header_name)); /* C knows no escapes here */
    c_line(w, "%s", "");
}

/* What describes the model, and what was asked for besides its functions. */
static void end_file(CWriter *w, const CNames *names, const LoopProgram *program, const EmitOptions *options) {
    c_comment(w, (const char *const[]){"---- tables ----"}, 1);
    c_line(w, "%s", "");
    c_tables(w, names);
    if (options->weights)
        c_weights_define(w, names, options->weights);
    if (options->parts > 0)
        c_measure(w, names, program, options->parts);
    if (options->with_main)
        c_main(w, names, program, options->recipe);
}

void emit_source(const LoopProgram *program, const EmitOptions *options, Text *out) {
    const CNames *names = c_names(program, options->variant);
    /* The inline functions stand before the kernels that use them, so the kernels are written first. */
    CWriter kernels = c_writer(program->arena, text_new(program->arena), NULL);
    CExprs exprs = {.arena = program->arena, .used = inline_set_new(program->arena)};
    exprs.real_is_double = program->graph->real_is_double;
    CLoops loops = {.exprs = exprs, .writer = &kernels, .openmp = options->openmp};
    loops.calls = pointer_map_new(program->arena);
    loops.rolled = pointer_map_new(program->arena);
    loops.rows = pointer_map_new(program->arena);
    c_share(&loops, program);
    write_entries(&loops, names, program);
    if (options->parts > 0)
        inline_use(loops.exprs.used, "measure");
    CWriter w = c_writer(program->arena, out, options->lines ? options->source_name : NULL);
    begin_file(&w, names, options);
    if (options->variant)
        c_variant_open(&w, options->variant);
    c_comment(&w, (const char *const[]){"---- vectors and mathematics, from nnc ----"}, 1);
    c_line(&w, "%s", "");
    c_verbatim(&w, inline_text(loops.exprs.used, program->graph->real_is_double));
    c_line(&w, "%s", "");
    if (options->lines) { /* again, now that it is known on which lines they stand */
        loops.writer = &w;
        write_entries(&loops, names, program);
    } else {
        c_verbatim(&w, text_get(kernels.out));
    }
    if (options->variant)
        c_variant_close(&w, names, program, options->variant);
    else
        end_file(&w, names, program, options);
}

void emit_choice(const EmitFamily *family, const EmitOptions *options, Text *out) {
    const LoopProgram *program = family->programs[0];
    const CNames *names = c_names(program, NULL);
    CWriter w = c_writer(program->arena, out, NULL);
    begin_file(&w, names, options);
    c_family_choose(&w, names, family);
    end_file(&w, names, program, options);
}

void emit_header(const EmitFamily *family, const EmitOptions *options, Text *out) {
    CWriter w = c_writer(family->programs[0]->arena, out, NULL);
    c_header(&w, family, options);
}
