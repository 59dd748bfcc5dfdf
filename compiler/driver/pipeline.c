#include "driver/pipeline.h"

#include <string.h>
#include <time.h>
#include "base/output.h"
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

static void dump_ast(const Compilation *c, Text *out) {
    ast_print(c->file, out);
}

typedef struct Stage {
    const char *name, *doc;
    bool (*run)(Compilation *c); /* false: errors were reported */
    DumpKind shown_by;           /* the --dump that prints what it made; DUMP_NONE: none */
    void (*dump)(const Compilation *c, Text *out);
} Stage;

/* The pipeline. */
static const Stage stages[] = {
    {"parse", "text to syntax tree", run_parse, DUMP_AST, dump_ast},
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

static void print_costs(FILE *out, const Cost *costs) {
    for (size_t i = 0; i < STAGE_COUNT; i++) {
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
    bool ok = true;
    for (size_t i = 0; ok && i < STAGE_COUNT; i++) {
        ok = run_stage(c, &stages[i], &costs[i]);
        if (ok && dump_stage(c, &stages[i], dump)) {
            break;
        }
    }
    if (c->options->time) {
        print_costs(c->diag->out, costs);
    }
    return ok;
}
