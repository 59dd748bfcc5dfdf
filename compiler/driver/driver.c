#include "driver/driver.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "driver/artifacts.h"
#include "driver/family.h"
#include "driver/pipeline.h"
#include "driver/help.h"
#include "driver/report.h"
#include "driver/run.h"
#include "driver/tune.h"

static _Noreturn void out_of_memory(void *context) {
    (void)context;
    fputs("nnc: error: out of memory\n", stderr);
    exit(1);
}

static int print_text(Arena *arena, Diag *diag, const char *path, const Text *text) {
    return artifact_write(arena, diag, path, text_get(text), text_length(text)) ? 0 : 1;
}

/* Compiles; then writes the files, or becomes the program. */
static int run_model(Arena *arena, const Options *options, Diag *diag) {
    bool runs = options->command != COMMAND_COMPILE;
    const char *output = artifact_output(arena, options);
    if (!runs && !artifacts_check_paths(arena, options, diag, output))
        return 1;
    if (options->tune && !tune_model(arena, options, diag))
        return 1;
    Compilation compilation = {.arena = arena, .options = options, .diag = diag};
    compilation.source_name = artifact_file(output);
    compilation.header_name = artifact_file(artifact_header(arena, output));
    Text *dump = text_new(arena);
    bool is_family = options->targets.count > 1;
    if (is_family ? !family_run(&compilation, output) : !pipeline_run(&compilation, dump))
        return 1;
    if (options->dump != DUMP_NONE)
        return print_text(arena, diag, options->output ? options->output : "-", dump);
    if (options->report && compilation.program) {
        Text *report = text_new(arena);
        report_print(&compilation, report);
        if (print_text(arena, diag, "-", report) != 0)
            return 1;
    }
    if (options->emit == EMIT_C && !artifact_check_header(diag, compilation.header_name))
        return 1;
    if (runs) {
        run_program(&compilation);
        return 1;
    }
    return artifacts_write(&compilation, output) ? 0 : 1;
}

static int run_command(Arena *arena, const Options *options, Diag *diag) {
    Text *text = text_new(arena);
    switch (options->command) {
    case COMMAND_HELP: help_print(arena, text); break;
    case COMMAND_MANUAL: manual_print(arena, text); break;
    case COMMAND_VERSION: text_add(text, "nnc " NNC_VERSION "\n"); break;
    default: return run_model(arena, options, diag);
    }
    return print_text(arena, diag, options->output ? options->output : "-", text);
}

int driver_main(int argc, char **argv) {
    return driver_main_with_fault(argc, argv, 0);
}

int driver_main_with_fault(int argc, char **argv, uint64_t fail_at) {
    Arena *arena = arena_new((ArenaFailure){.give_up = out_of_memory, .fail_at = fail_at});
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    const char *no_colour = getenv("NO_COLOR");
    Diag diag = {
        .out = stderr,
        .colour = isatty(STDERR_FILENO) && (!no_colour || *no_colour == '\0'),
    };
    Options options;
    int status = options_parse(arena, argc, argv, &options, &diag) ? run_command(arena, &options, &diag) : 1;
    arena_free(arena);
    return status;
}
