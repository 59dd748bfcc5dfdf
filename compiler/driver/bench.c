#include "driver/bench.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "driver/artifacts.h"

/* ---- the folder ---- */

static void remove_all(void *context) {
    Bench *bench = context;
    for (size_t i = 0; i < bench->leaving.count; i++)
        unlink(bench->leaving.at[i]);
    if (bench->folder)
        rmdir(bench->folder);
    bench->leaving.count = 0;
    bench->folder = NULL;
}

static const char *file_in(Bench *bench, const char *name) {
    const char *path = arena_printf(bench->arena, "%s/%s", bench->folder, name);
    vec_push(bench->arena, &bench->leaving, path);
    return path;
}

static bool make_folder(Bench *bench) {
    const char *parent = getenv("TMPDIR");
    char *folder = arena_printf(bench->arena, "%s/nnc-tune-XXXXXX", parent && *parent ? parent : "/tmp");
    bench->folder = mkdtemp(folder);
    if (!bench->folder) {
        diag_error(bench->diag, NO_PLACE, "cannot make a folder for programs that measure, `%s`: %s", folder,
                   strerror(errno));
        diag_help(bench->diag, "name a folder for temporary files in TMPDIR");
    }
    return bench->folder != NULL;
}

/* ---- interrupts that come while no other program runs ---- */

static volatile sig_atomic_t interrupted_by;

static void note_interrupt(int number) {
    interrupted_by = number;
}

static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};

static void catch_interrupts(void (*handler)(int)) {
    for (size_t i = 0; i < sizeof interrupts / sizeof *interrupts; i++) {
        struct sigaction action = {.sa_handler = handler}, old;
        sigaction(interrupts[i], NULL, &old);
        if (old.sa_handler != SIG_IGN)
            sigaction(interrupts[i], &action, NULL);
    }
}

static void end_if_interrupted(Bench *bench) {
    if (interrupted_by) {
        remove_all(bench);
        process_end(PROCESS_SIGNAL + interrupted_by);
    }
}

bool bench_open(Bench *bench) {
    bench->compiler = (CCompiler){
        .arena = bench->arena,
        .diag = bench->diag,
        .purpose = "measuring",
        .remedy = "",
        .clean = remove_all,
        .context = bench,
    };
    catch_interrupts(note_interrupt);
    if (!cc_find(&bench->compiler) || !make_folder(bench)) {
        bench_close(bench);
        return false;
    }
    bench->compiler.scratch = file_in(bench, "probe");
    bench->command = cc_fast_command(&bench->compiler, false);
    return true;
}

void bench_close(Bench *bench) {
    remove_all(bench);
    catch_interrupts(SIG_DFL);
    if (interrupted_by)
        process_end(PROCESS_SIGNAL + interrupted_by);
}

/* ---- building ---- */

/* What a program that measures has in common with what the user compiles is all that shapes the stages. */
static Options measuring_options(const Bench *bench) {
    Options options = *bench->options;
    options.with_main = options.lines = options.dependencies = options.report = options.time = false;
    options.dump = DUMP_NONE;
    options.weights = NULL;
    options.wanted = 0;
    if (!(options.left_out & ENTRY_BIT(ENTRY_TRAIN_STEP)))
        options.left_out &= ~ENTRY_BIT(ENTRY_STATE_INIT);
    return options;
}

static bool write_source(Bench *bench, Tuning *tuning, Survey *survey, const char *source, const char *header) {
    Arena *arena = arena_new((ArenaFailure){0});
    Options options = measuring_options(bench);
    Compilation compilation = {.arena = arena, .options = &options, .diag = bench->diag};
    compilation.source_name = artifact_file(source);
    compilation.header_name = artifact_file(header);
    compilation.tuning = tuning;
    compilation.survey = survey;
    bool ok = pipeline_run(&compilation, text_new(arena)) && artifacts_write(&compilation, source);
    arena_free(arena);
    return ok;
}

static bool run_compiler(Bench *bench, const char *source, const char *program) {
    Words command = {0};
    for (size_t i = 0; i < bench->command.count; i++)
        vec_push(bench->arena, &command, bench->command.at[i]);
    words_split(bench->arena, &command, "-o");
    words_add(bench->arena, &command, program);
    words_add(bench->arena, &command, source);
    words_split(bench->arena, &command, "-lm");
    vec_push(bench->arena, &command, NULL);
    int status = cc_run(&bench->compiler, command.at, (ProcessStreams){0});
    if (status != 0) {
        diag_error(bench->diag, NO_PLACE, "`%s` could not build a program that measures", command.at[0]);
        diag_help(bench->diag, "if it builds other programs, this is a bug of nnc: please report it with the model");
    }
    return status == 0;
}

bool bench_build(Bench *bench, Tuning *tuning, Survey *survey, Trial *trial) {
    size_t number = bench->leaving.count;
    const char *source = file_in(bench, arena_printf(bench->arena, "trial%zu.c", number));
    const char *header = file_in(bench, arena_printf(bench->arena, "trial%zu.h", number));
    const char *program = file_in(bench, arena_printf(bench->arena, "trial%zu", number));
    bool ok = write_source(bench, tuning, survey, source, header) && run_compiler(bench, source, program);
    end_if_interrupted(bench);
    *trial = (Trial){.program = program, .parts = (int)survey->stages.count};
    return ok;
}

/* ---- running ---- */

/* Lines of a mark and nanoseconds. */
static void read_run(Bench *bench, Trial *trial, FILE *output) {
    double *seconds = arena_array(bench->arena, double, (size_t)trial->parts + 1);
    int mark;
    double nanoseconds;
    rewind(output);
    while (fscanf(output, "%d %lf", &mark, &nanoseconds) == 2)
        if (mark >= 1 && mark <= trial->parts)
            seconds[mark] = 1e-9 * nanoseconds;
    vec_push(bench->arena, &trial->runs, seconds);
}

bool bench_run(Bench *bench, Trial *trial, double seconds) {
    FILE *output = tmpfile();
    if (!output) {
        diag_error(bench->diag, NO_PLACE, "cannot make a temporary file: %s", strerror(errno));
        return false;
    }
    Words command = {0};
    words_add(bench->arena, &command, trial->program);
    words_add(bench->arena, &command, arena_printf(bench->arena, "%.3f", seconds));
    vec_push(bench->arena, &command, NULL);
    int status = cc_run(&bench->compiler, command.at, (ProcessStreams){.output = output});
    end_if_interrupted(bench);
    if (status == 0)
        read_run(bench, trial, output);
    else
        diag_error(bench->diag, NO_PLACE, "a program that measures failed with status %d", status);
    fclose(output);
    return status == 0;
}

static int compare_seconds(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double trial_seconds(const Trial *trial, int mark) {
    enum { MOST = 64 };
    double seconds[MOST];
    size_t count = trial->runs.count < MOST ? trial->runs.count : MOST;
    for (size_t i = 0; i < count; i++)
        seconds[i] = trial->runs.at[i][mark];
    qsort(seconds, count, sizeof *seconds, compare_seconds);
    return count > 0 ? seconds[count / 4] : 0;
}

double trial_total(const Trial *trial) {
    double seconds = 0;
    for (int mark = 1; mark <= trial->parts; mark++)
        seconds += trial_seconds(trial, mark);
    return seconds;
}
