/* reference_check NAME.nn NAME.values: does the model, interpreted in double precision, give the values of the file: as its derivatives are found, and
 * behind the passes that make less work of them?
 *
 * A line of the file is a kind, a name and values:
 *     samples 3                   what follows is for 3 samples
 *     input x ...                 values of an input or target; param p ...: of a parameter
 *     output y ..., metric m ..., loss loss ..., gradient p ...: what must come out
 *     steps 6 10                  6 training steps of 10 planned ones; behind it,
 *     after p ...                 what the parameter must be then
 * Two numbers agree when they differ by less than TOLERANCE * max(1, both). Exit status 0: everything agrees.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "diff/differentiate.h"
#include "ir/graph_check.h"
#include "ir/graph_eval.h"
#include "opt/opt.h"
#include "sema/sema.h"
#include "syntax/parse.h"
#include "syntax/prelude.h"

#define TOLERANCE 1e-9

typedef struct Run {
    Arena *arena;
    Graph *graph;
    int64_t samples;
    TextMap *leaves; /* name to values: inputs, parameters, states */
    int faults, checks;
} Run;

_Noreturn static void fail(const char *format, const char *what) {
    fprintf(stderr, format, what);
    fputc('\n', stderr);
    exit(2);
}

/* ---- the file ---- */

typedef struct Line {
    const char *kind, *name;
    double *values;
    size_t count;
} Line;

static bool read_line(Arena *arena, char **at, Line *line) {
    char *text = *at, *save = NULL;
    if (*text == '\0')
        return false;
    char *end = text + strcspn(text, "\n");
    *at = *end ? end + 1 : end;
    *end = '\0';
    VEC(double) values = {0};
    line->kind = strtok_r(text, " ", &save);
    line->name = strtok_r(NULL, " ", &save);
    if (line->kind == NULL || line->name == NULL)
        fail("a line without a name: %s", text);
    for (const char *word; (word = strtok_r(NULL, " ", &save)) != NULL;)
        vec_push(arena, &values, strtod(word, NULL));
    line->values = values.at;
    line->count = values.count;
    return true;
}

static bool is_kind(const Line *line, const char *kind) {
    return strcmp(line->kind, kind) == 0;
}

/* ---- the model ---- */

static Graph *lower(Arena *arena, const char *path, bool with_passes) {
    Diag diag = {.out = stderr};
    const char *message = NULL;
    size_t length = 0;
    char *text = input_read(arena, path, &length, &message);
    if (text == NULL)
        fail("%s", message);
    const AstFile *prelude = prelude_parse(arena, &diag);
    const AstFile *file = parse_source(arena, source_from_text(arena, path, text, length), &diag);
    SemaOptions options = {.real_is_double = true};
    Graph *graph = NULL;
    Recipe *recipe = NULL;
    if (diag.errors > 0 || !sema_lower(arena, prelude, file, &options, &diag, &graph, &recipe))
        fail("%s does not compile", path);
    graph_check(graph, "sema", false);
    if (with_passes)
        opt_logarithms(graph);
    differentiate(graph);
    if (with_passes) {
        opt_simplify(graph);
        opt_signs(graph);
        opt_decays(graph);
        opt_operands(graph);
        opt_inline(graph);
        opt_pad(graph);
    }
    graph_check(graph, "reference", true);
    return graph;
}

/* ---- evaluation ---- */

static void bind_list(const Run *run, Evaluation *e, const Node *const *leaves, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const double *values = text_map_get(run->leaves, leaves[i]->origin.name);
        if (values != NULL)
            evaluation_bind(e, leaves[i], values);
    }
}

static Evaluation *evaluate(const Run *run, int64_t step, int64_t steps) {
    Evaluation *e = evaluation_new(run->arena, run->graph, run->samples, 1, step, steps);
    bind_list(run, e, run->graph->inputs.at, run->graph->inputs.count);
    bind_list(run, e, run->graph->params.at, run->graph->params.count);
    bind_list(run, e, run->graph->states.at, run->graph->states.count);
    return e;
}

static void compare(Run *run, const Line *line, const double *values, int64_t count) {
    if ((size_t)count != line->count) {
        fprintf(stderr, "%s %s: %zu values are wanted, %lld are there\n", line->kind, line->name, line->count,
                (long long)count);
        run->faults++;
        return;
    }
    for (size_t i = 0; i < line->count; i++) {
        double wanted = line->values[i], given = values[i];
        double scale = fmax(1.0, fmax(fabs(wanted), fabs(given)));
        if (!(fabs(wanted - given) <= TOLERANCE * scale)) {
            fprintf(stderr, "%s %s[%zu]: %.17g is wanted, %.17g is there\n", line->kind, line->name, i, wanted, given);
            run->faults++;
            return;
        }
    }
    run->checks++;
}

static void check_line(Run *run, Evaluation *e, const Line *line, EntryKind kind, OutputRole role) {
    const Entry *entry = &run->graph->entries[kind];
    for (size_t i = 0; i < entry->outputs.count; i++) {
        const GraphOutput *output = &entry->outputs.at[i];
        if (output->role == role && strcmp(output->name, line->name) == 0) {
            compare(run, line, evaluation_value(e, output->value), evaluation_count(e, output->value));
            return;
        }
    }
    fprintf(stderr, "%s %s: the model gives no such value\n", line->kind, line->name);
    run->faults++;
}

/* ---- training ---- */

static void keep(Run *run, const Evaluation *e, const Node *target, const double *values) {
    size_t count = (size_t)evaluation_count(e, target);
    double *copy = arena_array(run->arena, double, count);
    memcpy(copy, values, count * sizeof *copy);
    text_map_put(run->leaves, target->origin.name, copy);
}

/* Sets every target of the entry to its new value, all at once. */
static void apply(Run *run, Evaluation *e, EntryKind kind, OutputRole role) {
    const Entry *entry = &run->graph->entries[kind];
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < entry->outputs.count; i++) {
            const GraphOutput *output = &entry->outputs.at[i];
            if (output->role == role && pass == 0)
                evaluation_value(e, output->value);
            else if (output->role == role)
                keep(run, e, output->target, evaluation_value(e, output->value));
        }
    }
}

static void train(Run *run, int64_t count, int64_t planned) {
    apply(run, evaluate(run, 0, planned), ENTRY_STATE_INIT, OUTPUT_INIT);
    for (int64_t step = 0; step < count; step++)
        apply(run, evaluate(run, step, planned), ENTRY_TRAIN_STEP, OUTPUT_UPDATE);
}

static void check_after(Run *run, const Line *line) {
    const double *values = text_map_get(run->leaves, line->name);
    if (values == NULL)
        fail("no parameter `%s`", line->name);
    compare(run, line, values, (int64_t)line->count);
}

/* ---- */

static const struct {
    const char *kind;
    EntryKind entry;
    OutputRole role;
} wanted[] = {
    {"output", ENTRY_PREDICT, OUTPUT_RESULT},
    {"loss", ENTRY_LOSS, OUTPUT_LOSS},
    {"metric", ENTRY_LOSS, OUTPUT_METRIC},
    {"gradient", ENTRY_GRADIENT, OUTPUT_GRADIENT},
};

static void follow(Run *run, const Line *line) {
    if (is_kind(line, "samples"))
        run->samples = strtoll(line->name, NULL, 10);
    else if (is_kind(line, "input") || is_kind(line, "param"))
        text_map_put(run->leaves, line->name, line->values);
    else if (is_kind(line, "steps"))
        train(run, strtoll(line->name, NULL, 10), (int64_t)line->values[0]);
    else if (is_kind(line, "after"))
        check_after(run, line);
}

/* Inputs come first in no order: everything that must come out is checked when all of them are known. */
static void check_values(Run *run, const Line *lines, size_t count) {
    Evaluation *e = evaluate(run, 0, 1);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
            if (is_kind(&lines[i], wanted[k].kind))
                check_line(run, e, &lines[i], wanted[k].entry, wanted[k].role);
    }
}

static void check_file(Run *run, char *text) {
    VEC(Line) lines = {0};
    Line line;
    while (read_line(run->arena, &text, &line))
        vec_push(run->arena, &lines, line);
    size_t split = 0;
    while (split < lines.count && !is_kind(&lines.at[split], "steps"))
        follow(run, &lines.at[split++]);
    check_values(run, lines.at, split);
    for (; split < lines.count; split++)
        follow(run, &lines.at[split]);
}

/* Returns the number of faults. */
static int check_model(const char *model, const char *values, bool with_passes) {
    Arena *arena = arena_new((ArenaFailure){0});
    Run run = {.arena = arena, .graph = lower(arena, model, with_passes), .leaves = text_map_new(arena)};
    const char *message = NULL;
    size_t length = 0;
    char *text = input_read(arena, values, &length, &message);
    if (text == NULL)
        fail("%s", message);
    check_file(&run, text);
    if (run.faults == 0 && run.checks == 0)
        fail("%s: nothing was checked", values);
    if (run.faults > 0 && with_passes)
        fprintf(stderr, "this is behind the passes\n");
    arena_free(arena);
    return run.faults;
}

int main(int argc, char **argv) {
    if (argc != 3)
        fail("usage: %s NAME.nn NAME.values", "reference_check");
    return check_model(argv[1], argv[2], false) + check_model(argv[1], argv[2], true) > 0;
}
