#include "driver/pipeline.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "base/output.h"
#include "diff/differentiate.h"
#include "driver/artifacts.h"
#include "driver/tuning_file.h"
#include "driver/weights.h"
#include "emit/emit.h"
#include "ir/cost.h"
#include "ir/graph_check.h"
#include "ir/graph_print.h"
#include "loop/loop_build.h"
#include "loop/loop_check.h"
#include "loop/loop_print.h"
#include "loop/place.h"
#include "loop/waits.h"
#include "plan/accumulate.h"
#include "plan/fourier.h"
#include "plan/layout.h"
#include "plan/pack.h"
#include "plan/parts.h"
#include "plan/places.h"
#include "plan/stack.h"
#include "plan/winograd.h"
#include "opt/inline.h"
#include "opt/opt.h"
#include "syntax/ast_print.h"
#include "syntax/parse.h"
#include "syntax/prelude.h"

/* ---- the stages ---- */

static bool run_parse(Compilation *c) {
    const char *path = c->options->input, *message = NULL;
    size_t length = 0;
    char *text = input_read(c->arena, path, &length, &message);
    if (!text) {
        diag_error(c->diag, NO_PLACE, "%s", message);
        return false;
    }
    const char *name = strcmp(path, "-") == 0 ? "<standard input>" : path;
    c->prelude = prelude_parse(c->arena, c->diag);
    c->file = parse_source(c->arena, source_from_text(c->arena, name, text, length), c->diag);
    return c->diag->errors == 0;
}

static bool run_lower(Compilation *c) {
    const Options *options = c->options;
    const SemaOptions sema = {
        .dims = options->dims.at,
        .dim_count = options->dims.count,
        .real_is_double = options->real == REAL_DOUBLE,
        .left_out = options->left_out,
        .wanted = options->wanted,
    };
    if (!sema_lower(c->arena, c->prelude, c->file, &sema, c->diag, &c->graph, &c->recipe))
        return false;
    graph_check(c->graph, "lower", false);
    return true;
}

static bool run_weights(Compilation *c) {
    return !c->options->weights || weights_load(c);
}

static bool run_logarithms(Compilation *c) {
    opt_logarithms(c->graph);
    graph_check(c->graph, "logarithms", false);
    return true;
}

static bool run_extremes(Compilation *c) {
    opt_extremes(c->graph);
    graph_check(c->graph, "extremes", false);
    return true;
}

static bool run_differentiate(Compilation *c) {
    differentiate(c->graph);
    graph_check(c->graph, "differentiate", true);
    return true;
}

static bool run_simplify(Compilation *c) {
    opt_simplify(c->graph);
    graph_check(c->graph, "simplify", true);
    return true;
}

static bool run_residues(Compilation *c) {
    opt_residues(c->graph);
    graph_check(c->graph, "residues", true);
    return true;
}

/* The last stage of a drawing. */
static bool run_draw(Compilation *c) {
    if (c->options->emit != EMIT_C) {
        c->source = text_new(c->arena);
        emit_dot(c->graph, c->source);
    }
    return true;
}

static bool run_count(Compilation *c) {
    for (int kind = 0; c->options->report && kind < ENTRY_COUNT; kind++) {
        const Entry *entry = &c->graph->entries[kind];
        c->counted[kind] = entry->present ? entry_report(c->graph, entry) : (EntryReport){0};
    }
    return true;
}

static bool run_freeze(Compilation *c) {
    if (c->options->prepare)
        opt_freeze(c->graph);
    graph_check(c->graph, "freeze", true);
    return true;
}

static bool run_signs(Compilation *c) {
    opt_signs(c->graph);
    graph_check(c->graph, "signs", true);
    return true;
}

static bool run_decays(Compilation *c) {
    opt_decays(c->graph);
    graph_check(c->graph, "decays", true);
    return true;
}

static bool run_operands(Compilation *c) {
    opt_operands(c->graph);
    graph_check(c->graph, "operands", true);
    return true;
}

static bool run_stack(Compilation *c) {
    plan_stack(c->graph, c->options->target);
    graph_check(c->graph, "stack", true);
    return true;
}

static bool run_inline(Compilation *c) {
    opt_inline(c->graph);
    graph_check(c->graph, "inline", true);
    return true;
}

static bool run_recompute(Compilation *c) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        if (c->sparing[kind] >= SPARE_VALUES) {
            int64_t budget = c->sparing[kind] == SPARE_ALL ? 0 : c->options->memory_budget;
            opt_recompute(c->graph, &c->graph->entries[kind], budget);
        }
    }
    graph_check(c->graph, "recompute", true);
    return true;
}

static bool run_accumulate(Compilation *c) {
    plan_accumulate(c->graph);
    graph_check(c->graph, "accumulate", true);
    return true;
}

static Entry entry_copy(Arena *arena, const Entry *entry) {
    Entry copy = {.kind = entry->kind, .present = entry->present};
    for (size_t i = 0; i < entry->outputs.count; i++)
        vec_push(arena, &copy.outputs, entry->outputs.at[i]);
    return copy;
}

/* A pass that spends memory to save time. Entry points that have none to spend stay as they were. */
static void run_spender(Compilation *c, int (*pass)(Graph *g, const Target *target)) {
    Entry before[ENTRY_COUNT];
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        before[kind] = entry_copy(c->arena, &c->graph->entries[kind]);
    pass(c->graph, c->options->target);
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        if (c->sparing[kind] >= SPARE_FORMS)
            entry_replace(c->graph, &c->graph->entries[kind], &before[kind]);
}

static bool run_places(Compilation *c) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        c->graph->entries[kind].spares_memory = c->sparing[kind] >= SPARE_FORMS;
    plan_places(c->graph, c->options->target);
    graph_check(c->graph, "places", true);
    return true;
}

static bool run_fourier(Compilation *c) {
    run_spender(c, plan_fourier);
    graph_check(c->graph, "fourier", true);
    return true;
}

static bool run_pad(Compilation *c) {
    opt_pad(c->graph);
    graph_check(c->graph, "pad", true);
    return true;
}

static bool run_winograd(Compilation *c) {
    run_spender(c, plan_winograd);
    graph_check(c->graph, "winograd", true);
    return true;
}

static bool run_parts(Compilation *c) {
    run_spender(c, plan_parts);
    graph_check(c->graph, "parts", true);
    return true;
}

static bool run_layout(Compilation *c) {
    plan_layout(c->graph, c->options->target);
    graph_check(c->graph, "layout", true);
    return true;
}

static bool run_pack(Compilation *c) {
    plan_pack(c->graph, c->options->target);
    graph_check(c->graph, "pack", true);
    return true;
}

static bool run_prepare(Compilation *c) {
    opt_prepare(c->graph);
    graph_check(c->graph, "prepare", true);
    return true;
}

static bool run_units(Compilation *c) {
    opt_units(c->graph);
    graph_check(c->graph, "units", true);
    return true;
}

/* A program that measures has prediction and training step only. */
static void leave_measured(Graph *graph) {
    static const EntryKind others[] = {ENTRY_INIT, ENTRY_LOSS, ENTRY_GRADIENT};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        graph->entries[others[i]].present = false;
}

static int most_threads(const Compilation *c) {
    return c->options->openmp ? c->options->threads : 1;
}

static bool run_plan(Compilation *c) {
    if (c->survey)
        leave_measured(c->graph);
    else if (!tuning_file_load(c))
        return false;
    c->plan = plan_make(c->arena, c->graph, c->options->target, most_threads(c), c->tuning, c->survey);
    if (c->tuning_path && !c->variant) /* what is for another one of several is not ignored */
        tuning_file_remark(c);
    return true;
}

static bool run_build(Compilation *c) {
    c->program = loop_build(c->arena, c->graph, c->plan);
    return true;
}

/* `least`: the workspace of the entry point that needs most, after all was spared that can be. */
static void help_budget(const Compilation *c, size_t least) {
    const char *batch = c->graph->batch_name;
    if (c->graph->batch.size <= 1) {
        diag_help(c->diag, "the smallest memory budget that fits is %zu", least);
    } else if (batch) {
        diag_help(c->diag, "the smallest memory budget that fits is %zu; a smaller `%s` than %" PRId64 " needs less",
                  least, batch, c->graph->batch.size);
    } else {
        diag_help(c->diag,
                  "the smallest memory budget that fits is %zu; fewer samples at a time than %" PRId64 " need less",
                  least, c->graph->batch.size);
    }
}

/* Reports the entry points that need more memory than the user has. */
static bool check_budget(const Compilation *c) {
    const int64_t budget = c->options->memory_budget;
    size_t least = 0;
    bool fits = true;
    for (int kind = 0; budget > 0 && kind < ENTRY_COUNT; kind++) {
        const LoopEntry *entry = &c->program->entries[kind];
        least = entry->present && entry->workspace > least ? entry->workspace : least;
        if (entry->present && entry->workspace > (uint64_t)budget) {
            diag_error(c->diag, c->graph->place, "%s needs a workspace of %zu bytes, but the memory budget is %" PRId64,
                       entry_name((EntryKind)kind), entry->workspace, budget);
            fits = false;
        }
    }
    if (!fits)
        help_budget(c, least);
    return fits;
}

static bool run_place(Compilation *c) {
    place_buffers(c->program);
    place_waits(c->program);
    loop_check(c->program);
    return check_budget(c);
}

static void add_file_option(Text *options, const char *name, const char *path) {
    text_printf(options, "%s%s=%s", text_length(options) > 0 ? " " : "", name, artifact_file(path));
}

/* The options that the banner shows; the files that have had an effect are named without their folders. */
static const char *shaping_options(const Compilation *c) {
    Text *options = text_new(c->arena);
    text_add(options, c->options->shaping);
    if (c->weights)
        add_file_option(options, "--weights", c->options->weights);
    if (tuning_file_is_followed(c))
        add_file_option(options, "--tuning", c->tuning_path);
    return text_get(options);
}

EmitOptions pipeline_emit_options(const Compilation *c) {
    return (EmitOptions){
        .version = NNC_VERSION,
        .command = shaping_options(c),
        .source_name = c->source_name,
        .header_name = c->header_name,
        .with_main = c->options->with_main,
        .lines = c->options->lines,
        .openmp = c->options->openmp && !c->survey,
        .parts = c->survey ? (int)c->survey->stages.count + 1 : 0,
        .recipe = c->recipe,
        .weights = c->weights,
        .variant = c->variant,
    };
}

/* Several processors share a header, which is made when all of them are there. */
static bool run_emit(Compilation *c) {
    const EmitOptions options = pipeline_emit_options(c);
    c->source = text_new(c->arena);
    emit_source(c->program, &options, c->source);
    if (!c->variant) {
        const LoopProgram *program = c->program;
        const EmitFamily alone = {.programs = &program, .targets = &c->options->target, .count = 1};
        c->header = text_new(c->arena);
        emit_header(&alone, &options, c->header);
    }
    return true;
}

static void dump_ast(const Compilation *c, Text *out) {
    ast_print(c->file, out);
}

static void dump_graph(const Compilation *c, Text *out) {
    graph_print(c->graph, out);
}

static void dump_plan(const Compilation *c, Text *out) {
    plan_print(c->plan, c->graph, out);
}

static void dump_loops(const Compilation *c, Text *out) {
    loop_print(c->program, out);
}

static void dump_memory(const Compilation *c, Text *out) {
    loop_print_memory(c->program, out);
}

typedef struct Stage {
    const char *name, *doc;
    bool (*run)(Compilation *c); /* false: errors were reported */
    DumpKind shown_by;           /* the --dump that prints what it made; DUMP_NONE: none but --dump=stages */
    void (*dump)(const Compilation *c, Text *out);
} Stage;

static bool run_budget(Compilation *c);

/* The pipeline. Between its passes the graph is checked: a pass that breaks it is a bug of the compiler. */
static const Stage stages[] = {
    {"parse", "text to syntax tree", run_parse, DUMP_AST, dump_ast},
    {"lower", "names, shapes, instances: syntax tree to graph", run_lower, DUMP_GRAPH, dump_graph},
    {"weights", "the parameters of a checkpoint, if that is asked for", run_weights, DUMP_NONE, NULL},
    {"logarithms", "log of an exponential in another equation", run_logarithms, DUMP_NONE, dump_graph},
    {"extremes", "pooling before activation", run_extremes, DUMP_NONE, dump_graph},
    {"differentiate", "gradients become equations", run_differentiate, DUMP_NONE, dump_graph},
    {"simplify", "algebra across equations", run_simplify, DUMP_GRAD, dump_graph},
    {"draw", "the network as a drawing, if that is asked for", run_draw, DUMP_NONE, NULL},
    {"count", "operations of each entry point, for --report", run_count, DUMP_NONE, NULL},
    {"residues", "sums that are 0 but at every n-th place", run_residues, DUMP_NONE, dump_graph},
    {"freeze", "with --prepare, prediction reads what is prepared", run_freeze, DUMP_NONE, dump_graph},
    {"signs", "rectifiers' results instead of their arguments", run_signs, DUMP_NONE, dump_graph},
    {"decays", "exponentials of what cannot be positive", run_decays, DUMP_NONE, dump_graph},
    {"operands", "contractions multiply plain tensors", run_operands, DUMP_NONE, dump_graph},
    {"stack", "equal sums over different tensors become one", run_stack, DUMP_NONE, dump_graph},
    {"inline", "equations into their readers, where that is cheaper than memory", run_inline, DUMP_NONE, dump_graph},
    {"budget", "what a memory budget asks of each entry point", run_budget, DUMP_NONE, NULL},
    {"recompute", "under a memory budget, more of the same", run_recompute, DUMP_NONE, dump_graph},
    {"accumulate", "long sums are added up as their terms come", run_accumulate, DUMP_NONE, dump_graph},
    {"fourier", "long windows in the basis of Fourier", run_fourier, DUMP_NONE, dump_graph},
    {"pad", "guarded windows read a padded copy", run_pad, DUMP_NONE, dump_graph},
    {"places", "sums over terms that choose their place", run_places, DUMP_NONE, dump_graph},
    {"winograd", "windows of 3x3 in another basis", run_winograd, DUMP_NONE, dump_graph},
    {"parts", "sums of each sample before sums of all", run_parts, DUMP_NONE, dump_graph},
    {"layout", "images with their channels last", run_layout, DUMP_NONE, dump_graph},
    {"pack", "large contractions read panels", run_pack, DUMP_NONE, dump_graph},
    {"prepare", "what is the same in all predictions leaves them", run_prepare, DUMP_NONE, dump_graph},
    {"units", "sums take axes of size 1 of their readers", run_units, DUMP_NONE, dump_graph},
    {"plan", "which equations share loops, and how these run", run_plan, DUMP_FUSED, dump_plan},
    {"build", "loops around the equations", run_build, DUMP_LOOPS, dump_loops},
    {"place", "every temporary gets its address", run_place, DUMP_MEMORY, dump_memory},
    {"emit", "loops to C", run_emit, DUMP_NONE, NULL},
};

enum { STAGE_COUNT = sizeof stages / sizeof *stages };

/* ---- what a memory budget asks for ---- */

/* Runs what follows as far as addresses, with `c->sparing`, and leaves the graph as it was. */
static void measure_workspaces(Compilation *c, size_t *workspaces) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Compilation trial = *c;
    Entry before[ENTRY_COUNT];
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        before[kind] = entry_copy(c->arena, &c->graph->entries[kind]);
    size_t stage = 0;
    while (stages[stage].run != run_recompute)
        stage++;
    for (; stages[stage].run != run_plan; stage++)
        stages[stage].run(&trial);
    Plan *plan = plan_make(scratch, c->graph, c->options->target, most_threads(c), c->tuning, NULL);
    LoopProgram *program = loop_build(scratch, c->graph, plan);
    place_buffers(program);
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        workspaces[kind] = program->entries[kind].present ? program->entries[kind].workspace : 0;
        entry_replace(c->graph, &c->graph->entries[kind], &before[kind]);
    }
    arena_free(scratch);
}

/* Each entry point spares as little as fits the budget; where nothing fits, what leaves it smallest. What a plan needs is known when it is made:
 * so plans are made, first the fastest. */
static bool run_budget(Compilation *c) {
    const uint64_t budget = (uint64_t)c->options->memory_budget;
    Sparing best[ENTRY_COUNT] = {SPARE_NOTHING};
    size_t least[ENTRY_COUNT];
    bool all_fit = budget == 0;
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        least[kind] = SIZE_MAX;
    for (Sparing sparing = SPARE_NOTHING; sparing < SPARING_COUNT && !all_fit; sparing++) {
        size_t workspaces[ENTRY_COUNT];
        for (int kind = 0; kind < ENTRY_COUNT; kind++)
            c->sparing[kind] = least[kind] > budget ? sparing : best[kind];
        measure_workspaces(c, workspaces);
        all_fit = true;
        for (int kind = 0; kind < ENTRY_COUNT; kind++) {
            if (least[kind] > budget && workspaces[kind] < least[kind]) {
                best[kind] = sparing;
                least[kind] = workspaces[kind];
            }
            all_fit = all_fit && least[kind] <= budget;
        }
    }
    memcpy(c->sparing, best, sizeof best);
    return true;
}

/* ---- running them ---- */

typedef struct Cost {
    double seconds;
    size_t bytes;
} Cost;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool run_stage(Compilation *c, const Stage *stage, Cost *cost) {
    double start = now();
    size_t used = arena_used(c->arena);
    bool ok = stage->run(c);
    *cost = (Cost){now() - start, arena_used(c->arena) - used};
    return ok;
}

static void print_costs(FILE *out, const Cost *costs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%-14s %9.2f ms %10zu bytes   %s\n", stages[i].name, 1e3 * costs[i].seconds, costs[i].bytes,
                stages[i].doc);
    }
}

static void text_end_line(Text *text) {
    size_t length = text_length(text);
    if (length > 0 && text_get(text)[length - 1] != '\n')
        text_add(text, "\n");
}

/* Returns whether the pipeline stops here. */
static bool dump_stage(const Compilation *c, const Stage *stage, Text *out) {
    DumpKind asked = c->options->dump;
    if (asked == DUMP_STAGES)
        text_printf(out, "==== %s: %s ====\n", stage->name, stage->doc);
    bool is_shown = asked != DUMP_NONE && asked == stage->shown_by;
    if (stage->dump && (asked == DUMP_STAGES || is_shown)) {
        stage->dump(c, out);
        text_end_line(out);
    }
    return is_shown;
}

bool pipeline_run(Compilation *c, Text *dump) {
    Cost costs[STAGE_COUNT] = {0};
    size_t count = 0;
    bool ok = true, is_shown = false;
    while (ok && !is_shown && !c->source && count < STAGE_COUNT) {
        const Stage *stage = &stages[count];
        ok = run_stage(c, stage, &costs[count++]);
        is_shown = ok && dump_stage(c, stage, dump);
    }
    if (c->options->time)
        print_costs(c->diag->out, costs, count);
    return ok;
}
