/* nncheck: does the compiled C agree with the reference interpreter?
 *
 *     nncheck MODEL.nn --nnc NNC --work DIR [--cc "gcc -O3"]... [--pass OPTION]... [-D name=value]... [--real double] [--n N] [--seed S]
 *             [--tolerance T] [--threads] [--prepare] [--run "valgrind ..."]
 *
 * --n N samples, or as many as the model takes at most. For each --cc, the model is compiled by nnc (with --pass options), by that compiler, and run; its stream must agree with the interpreter's within the
 * tolerance. --threads runs it with 1 and with 2 threads and wants the same bytes. --prepare: predictions
 * of prepared parameters. Exit status 0: agreement.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agreement/stream.h"
#include "base/output.h"
#include "diff/differentiate.h"
#include "sema/sema.h"
#include "syntax/parse.h"
#include "syntax/prelude.h"

enum { MAX_LIST = 32 };

typedef struct Request {
    const char *model, *nnc, *work, *run;
    const char *compilers[MAX_LIST], *pass[MAX_LIST];
    int compiler_count, pass_count;
    DimOverride dims[MAX_LIST];
    const char *dim_texts[MAX_LIST];
    size_t dim_count;
    bool real_is_double, threads, prepares;
    int64_t n;
    uint64_t seed;
    double tolerance;
} Request;

static void add_dim(Arena *arena, Request *r, const char *text) {
    const char *equals = strchr(text, '=');
    if (!equals || r->dim_count == MAX_LIST) {
        fprintf(stderr, "nncheck: -D wants name=value\n");
        exit(2);
    }
    r->dim_texts[r->dim_count] = text;
    r->dims[r->dim_count++] = (DimOverride){.name = arena_copy_text(arena, text, (size_t)(equals - text)),
                                            .value = strtoll(equals + 1, NULL, 10)};
}

static const struct option long_options[] = {
    {"nnc", required_argument, NULL, 'c'},  {"work", required_argument, NULL, 'w'},
    {"cc", required_argument, NULL, 'C'},   {"pass", required_argument, NULL, 'p'},
    {"real", required_argument, NULL, 'r'}, {"n", required_argument, NULL, 'n'},
    {"seed", required_argument, NULL, 's'}, {"tolerance", required_argument, NULL, 't'},
    {"threads", no_argument, NULL, 'T'},    {"prepare", no_argument, NULL, 'P'},
    {"run", required_argument, NULL, 'R'},  {NULL, 0, NULL, 0}};

static void set_option(Arena *arena, Request *r, int option, const char *value) {
    switch (option) {
    case 'c': r->nnc = value; break;
    case 'w': r->work = value; break;
    case 'C': r->compilers[r->compiler_count++ % MAX_LIST] = value; break;
    case 'p': r->pass[r->pass_count++ % MAX_LIST] = value; break;
    case 'r': r->real_is_double = strcmp(value, "double") == 0; break;
    case 'n': r->n = strtoll(value, NULL, 10); break;
    case 's': r->seed = strtoull(value, NULL, 10); break;
    case 't': r->tolerance = strtod(value, NULL); break;
    case 'T': r->threads = true; break;
    case 'P': r->prepares = true; break;
    case 'R': r->run = value; break;
    case 'D': add_dim(arena, r, value); break;
    default: exit(2);
    }
}

static Graph *model_graph(Arena *arena, Request *r) {
    Diag diag = {.out = stderr};
    size_t length = 0;
    const char *message = NULL;
    char *text = input_read(arena, r->model, &length, &message);
    if (!text) {
        fprintf(stderr, "nncheck: %s\n", message);
        exit(1);
    }
    AstFile *prelude = prelude_parse(arena, &diag);
    AstFile *file = parse_source(arena, source_from_text(arena, r->model, text, length), &diag);
    SemaOptions options = {.dims = r->dims, .dim_count = r->dim_count, .real_is_double = r->real_is_double};
    Graph *graph = NULL;
    Recipe *recipe = NULL;
    if (diag.errors || !sema_lower(arena, prelude, file, &options, &diag, &graph, &recipe))
        exit(1);
    differentiate(graph);
    return graph;
}

static bool shell(Arena *arena, const char *command) {
    int status = system(command);
    if (status != 0)
        fprintf(stderr, "nncheck: status %d: %s\n", status, command);
    (void)arena;
    return status == 0;
}

static bool generate(Arena *arena, const Request *r) {
    const char *options = r->real_is_double ? " --real double" : "";
    if (r->prepares)
        options = arena_printf(arena, "%s --prepare", options);
    for (int i = 0; i < r->pass_count; i++)
        options = arena_printf(arena, "%s %s", options, r->pass[i]);
    for (size_t i = 0; i < r->dim_count; i++)
        options = arena_printf(arena, "%s -D %s", options, r->dim_texts[i]);
    return shell(arena, arena_printf(arena, "'%s' '%s' -o '%s/model.c'%s", r->nnc, r->model, r->work, options));
}

static bool write_driver(Arena *arena, const Request *r, const Graph *graph, const RunInputs *inputs) {
    const char *path = arena_printf(arena, "%s/driver.c", r->work);
    const char *text = driver_text(arena, graph, inputs, "model.h", r->prepares);
    FILE *file = fopen(path, "w");
    return file && fputs(text, file) >= 0 && fclose(file) == 0 &&
           inputs_write(graph, inputs, arena_printf(arena, "%s/inputs.bin", r->work));
}

static bool build(Arena *arena, const Request *r, const char *cc) {
    return shell(arena, arena_printf(arena, "cd '%s' && %s -o program model.c driver.c -lm", r->work, cc));
}

static bool run_program(Arena *arena, const Request *r, int threads, const char *output) {
    return shell(arena, arena_printf(arena, "cd '%s' && OMP_NUM_THREADS=%d %s ./program inputs.bin %s", r->work,
                                     threads, r->run ? r->run : "", output));
}

static bool same_bits(Arena *arena, const Request *r) {
    return run_program(arena, r, 2, "out2.bin") &&
           shell(arena, arena_printf(arena, "cd '%s' && cmp out.bin out2.bin", r->work));
}

static bool check_compiler(Arena *arena, const Request *r, const Stream *expected, const char *cc) {
    if (!build(arena, r, cc) || !run_program(arena, r, 1, "out.bin"))
        return false;
    Stream got = {0};
    if (!stream_read(arena, expected, r->real_is_double, arena_printf(arena, "%s/out.bin", r->work), &got)) {
        fprintf(stderr, "nncheck: %s: the output of the program has another size\n", r->model);
        return false;
    }
    const char *worst = NULL;
    double difference = stream_difference(expected, &got, &worst);
    bool good = difference <= r->tolerance;
    printf("%s  n=%lld  %s: difference %.2e%s%s  %s\n", r->model, (long long)r->n, cc, difference, *worst ? " at " : "",
           worst, good ? "ok" : "TOO LARGE");
    return good && (!r->threads || same_bits(arena, r));
}

int main(int argc, char **argv) {
    Arena *arena = arena_new((ArenaFailure){0});
    Request r = {.seed = 1, .tolerance = -1, .work = "."};
    int option;
    while ((option = getopt_long(argc, argv, "D:", long_options, NULL)) != -1)
        set_option(arena, &r, option, optarg);
    if (optind + 1 != argc || !r.nnc || r.compiler_count == 0) {
        fprintf(stderr, "usage: nncheck MODEL.nn --nnc NNC --cc CC [...]\n");
        return 2;
    }
    r.model = argv[optind];
    if (r.tolerance < 0)
        r.tolerance = r.real_is_double ? 1e-9 : 2e-3;
    Graph *graph = model_graph(arena, &r);
    if (r.n == 0 || r.n > graph->batch.size || !graph->batch.per_sample)
        r.n = graph->batch.size;
    RunInputs inputs = inputs_random(arena, graph, r.n, r.seed);
    Stream expected = reference_run(arena, graph, &inputs);
    bool good = generate(arena, &r) && write_driver(arena, &r, graph, &inputs);
    for (int i = 0; good && i < r.compiler_count; i++)
        good = check_compiler(arena, &r, &expected, r.compilers[i]);
    arena_free(arena);
    return good ? 0 : 1;
}
