#include "driver/pipeline.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "base/output.h"
#include "diff/differentiate.h"
#include "driver/artifacts.h"
#include "driver/tuning_file.h"
#include "emit/emit.h"
#include "ir/cost.h"
#include "ir/graph_check.h"
#include "ir/graph_print.h"
#include "loop/loop_build.h"
#include "loop/loop_check.h"
#include "loop/loop_print.h"
#include "loop/place.h"
#include "loop/waits.h"
#include "plan/layout.h"
#include "plan/pack.h"
#include "plan/parts.h"
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
        .no_train = options->no_train,
    };
    if (!sema_lower(c->arena, c->prelude, c->file, &sema, c->diag, &c->graph, &c->recipe)) {
        return false;
    }
    graph_check(c->graph, "lower", false);
    return true;
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

static bool run_signs(Compilation *c) {
    opt_signs(c->graph);
    graph_check(c->graph, "signs", true);
    return true;
}

static bool run_operands(Compilation *c) {
    opt_operands(c->graph);
    graph_check(c->graph, "operands", true);
    return true;
}

static bool run_inline(Compilation *c) {
    opt_inline(c->graph);
    graph_check(c->graph, "inline", true);
    return true;
}

static bool run_recompute(Compilation *c) {
    if (c->options->memory_budget > 0) {
        opt_recompute(c->graph, c->options->memory_budget);
        graph_check(c->graph, "recompute", true);
    }
    return true;
}

static bool run_pad(Compilation *c) {
    opt_pad(c->graph);
    graph_check(c->graph, "pad", true);
    return true;
}

static Entry entry_copy(Arena *arena, const Entry *entry) {
    Entry copy = {.kind = entry->kind, .present = entry->present};
    for (size_t i = 0; i < entry->outputs.count; i++) {
        vec_push(arena, &copy.outputs, entry->outputs.at[i]);
    }
    return copy;
}

/* Whatever lives at the same time, it is no more than everything. */
static bool surely_fits(Graph *g, const Entry *entry, int64_t budget) {
    Arena *scratch = arena_new((ArenaFailure){0});
    NodeList order = graph_order(g, scratch, entry);
    for (size_t i = 0; i < order.count; i++) {
        budget -= order.at[i]->kind == NODE_EXPR ? node_bytes_written(g, order.at[i]) : 0;
    }
    arena_free(scratch);
    return budget >= 0;
}

/* A pass that spends memory to save time. Entry points that may not fit a memory budget afterwards stay as they were. */
static void run_spender(Compilation *c, int (*pass)(Graph *g, const Target *target)) {
    const int64_t budget = c->options->memory_budget;
    Entry before[ENTRY_COUNT];
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        before[kind] = entry_copy(c->arena, &c->graph->entries[kind]);
    }
    pass(c->graph, c->options->target);
    for (int kind = 0; budget > 0 && kind < ENTRY_COUNT; kind++) {
        Entry *entry = &c->graph->entries[kind];
        if (!surely_fits(c->graph, entry, budget)) {
            entry_replace(c->graph, entry, &before[kind]);
        }
    }
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

/* A program that measures has prediction and training step only. */
static void leave_measured(Graph *graph) {
    static const EntryKind others[] = {ENTRY_INIT, ENTRY_LOSS, ENTRY_GRADIENT};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        graph->entries[others[i]].present = false;
    }
}

static bool run_plan(Compilation *c) {
    if (c->survey) {
        leave_measured(c->graph);
    } else if (!tuning_file_load(c)) {
        return false;
    }
    int threads = c->options->openmp ? c->options->threads : 1;
    c->plan = plan_make(c->arena, c->graph, c->options->target, threads, c->tuning, c->survey);
    if (c->tuning_path) {
        tuning_file_remark(c);
    }
    return true;
}

static bool run_build(Compilation *c) {
    c->program = loop_build(c->arena, c->graph, c->plan);
    return true;
}

/* Reports the entry points that need more memory than the user has. */
static bool check_budget(const Compilation *c) {
    const int64_t budget = c->options->memory_budget;
    bool fits = true;
    for (int kind = 0; budget > 0 && kind < ENTRY_COUNT; kind++) {
        const LoopEntry *entry = &c->program->entries[kind];
        if (entry->present && entry->workspace > (uint64_t)budget) {
            diag_error(c->diag, c->graph->place, "%s needs a workspace of %zu bytes, but the memory budget is %" PRId64,
                       entry_name((EntryKind)kind), entry->workspace, budget);
            fits = false;
        }
    }
    if (!fits && c->graph->batch.size > 1 && !c->graph->batch_name) {
        diag_help(c->diag, "fewer samples at a time need less: the first axis of the inputs is %" PRId64,
                  c->graph->batch.size);
    } else if (!fits && c->graph->batch.size > 1) {
        diag_help(c->diag, "a smaller `%s` needs less, as in -D %s=%" PRId64, c->graph->batch_name,
                  c->graph->batch_name, c->graph->batch.size / 2);
    }
    return fits;
}

static bool run_place(Compilation *c) {
    place_buffers(c->program);
    place_waits(c->program);
    loop_check(c->program);
    return check_budget(c);
}

/* The options that the banner shows; where a tuning file has had an effect, it too. */
static const char *shaping_options(const Compilation *c) {
    const char *options = c->options->shaping;
    if (!tuning_file_is_followed(c)) {
        return options;
    }
    return arena_printf(c->arena, "%s%s--tuning=%s", options, *options ? " " : "", artifact_file(c->tuning_path));
}

static bool run_emit(Compilation *c) {
    const EmitOptions options = {
        .version = NNC_VERSION,
        .command = shaping_options(c),
        .source_name = c->source_name,
        .header_name = c->header_name,
        .with_main = c->options->with_main,
        .lines = c->options->lines,
        .openmp = c->options->openmp && !c->survey,
        .parts = c->survey ? (int)c->survey->stages.count + 1 : 0,
        .recipe = c->recipe,
    };
    c->source = text_new(c->arena);
    c->header = text_new(c->arena);
    emit_source(c->program, &options, c->source);
    emit_header(c->program, &options, c->header);
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

/* The pipeline. Between its passes the graph is checked: a pass that breaks it is a bug of the compiler. */
static const Stage stages[] = {
    {"parse", "text to syntax tree", run_parse, DUMP_AST, dump_ast},
    {"lower", "names, shapes, instances: syntax tree to graph", run_lower, DUMP_GRAPH, dump_graph},
    {"logarithms", "log of an exponential in another equation", run_logarithms, DUMP_NONE, dump_graph},
    {"extremes", "pooling before activation", run_extremes, DUMP_NONE, dump_graph},
    {"differentiate", "gradients become equations", run_differentiate, DUMP_NONE, dump_graph},
    {"simplify", "algebra across equations", run_simplify, DUMP_GRAD, dump_graph},
    {"draw", "the network as a drawing, if that is asked for", run_draw, DUMP_NONE, NULL},
    {"count", "operations of each entry point, for --report", run_count, DUMP_NONE, NULL},
    {"signs", "rectifiers' results instead of their arguments", run_signs, DUMP_NONE, dump_graph},
    {"operands", "contractions multiply plain tensors", run_operands, DUMP_NONE, dump_graph},
    {"inline", "equations into their readers, where that is cheaper than memory", run_inline, DUMP_NONE, dump_graph},
    {"recompute", "under a memory budget, more of the same", run_recompute, DUMP_NONE, dump_graph},
    {"pad", "guarded windows read a padded copy", run_pad, DUMP_NONE, dump_graph},
    {"winograd", "windows of 3x3 in another basis", run_winograd, DUMP_NONE, dump_graph},
    {"parts", "sums of each sample before sums of all", run_parts, DUMP_NONE, dump_graph},
    {"layout", "images with their channels last", run_layout, DUMP_NONE, dump_graph},
    {"pack", "large contractions read panels", run_pack, DUMP_NONE, dump_graph},
    {"plan", "which equations share loops, and how these run", run_plan, DUMP_FUSED, dump_plan},
    {"build", "loops around the equations", run_build, DUMP_LOOPS, dump_loops},
    {"place", "every temporary gets its address", run_place, DUMP_MEMORY, dump_memory},
    {"emit", "loops to C", run_emit, DUMP_NONE, NULL},
};

enum { STAGE_COUNT = sizeof stages / sizeof *stages };

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
    if (length > 0 && text_get(text)[length - 1] != '\n') {
        text_add(text, "\n");
    }
}

/* Returns whether the pipeline stops here. */
static bool dump_stage(const Compilation *c, const Stage *stage, Text *out) {
    DumpKind asked = c->options->dump;
    if (asked == DUMP_STAGES) {
        text_printf(out, "==== %s: %s ====\n", stage->name, stage->doc);
    }
    if (stage->dump && (asked == DUMP_STAGES || asked == stage->shown_by)) {
        stage->dump(c, out);
        text_end_line(out);
    }
    return asked != DUMP_NONE && asked == stage->shown_by;
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
    if (c->options->time) {
        print_costs(c->diag->out, costs, count);
    }
    return ok;
}
