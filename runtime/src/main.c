/* The command line: nnrt_main(). */
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "command.h"
#include "data.h"
#include "error.h"
#include "text.h"

/* What shells add to the number of the signal that ended a program. */
enum { EXIT_SIGNAL = 128 };

/* --- train --- */

static int read_train_options(const nnrt_job *job, nnrt_train_options *options, uint64_t *seed, nnrt_error *error) {
    const nnrt_command_line *line = job->line;
    const bool quiet = line->values[NNRT_OPTION_QUIET] != NULL;
    *options = (nnrt_train_options){
        .folder = line->values[NNRT_OPTION_DATA],
        .seed = line->values[NNRT_OPTION_SEED] == NULL ? NULL : seed,
        .load = line->values[NNRT_OPTION_LOAD],
        .resume = line->values[NNRT_OPTION_RESUME],
        .save = line->values[NNRT_OPTION_SAVE],
        .best = line->values[NNRT_OPTION_BEST],
        .history = line->values[NNRT_OPTION_HISTORY],
        .plot = line->values[NNRT_OPTION_PLOT],
        .log = quiet ? NULL : job->out,
        .terminal = !quiet && isatty(fileno(job->notes)) ? job->notes : NULL,
    };
    if (options->load != NULL && options->resume != NULL)
        return nnrt_fail(error, "--load starts a training and --resume continues one: give one of them");
    if (nnrt_options_integer(line, NNRT_OPTION_EPOCHS, 0, &options->epochs, error) != NNRT_OK ||
        nnrt_options_integer(line, NNRT_OPTION_BATCH, 0, &options->batch, error) != NNRT_OK)
        return NNRT_FAILED;
    return nnrt_options_uint64(line, NNRT_OPTION_SEED, seed, error);
}

/* "a.safetensors" becomes "a.best.safetensors", "a" becomes "a.best"; NULL nothing. */
static void print_best_name(nnrt_text *text, const char *save) {
    static const char ending[] = ".safetensors";
    if (save == NULL)
        return;
    size_t stem = strlen(save);
    if (stem >= sizeof ending && strcmp(save + stem - (sizeof ending - 1), ending) == 0)
        stem -= sizeof ending - 1;
    nnrt_text_printf(text, "%.*s.best%s", (int)stem, save, save + stem);
}

/* Trains, and says how to continue if that was interrupted. */
static int run_train(const nnrt_job *job, nnrt_train_options *options, nnrt_error *error) {
    nnrt_train_result result;
    nnrt_text save = {0}, best = {0};
    nnrt_text_printf(&save, "%s.safetensors", job->model->name);
    if (options->save == NULL)
        options->save = options->resume == NULL ? save.bytes : options->resume;
    print_best_name(&best, options->save);
    if (options->best == NULL && nnrt_recipe_has(job->recipe, NNRT_VALIDATE))
        options->best = best.bytes;
    int status = save.failed || best.failed ? nnrt_fail_memory(error, "a file name", strlen(job->model->name))
                                            : nnrt_train(job->model, job->recipe, options, &result, error);
    if (status == NNRT_INTERRUPTED) {
        fprintf(job->notes, "%s\ncontinue with: ", error->text);
        nnrt_options_print_resume(job->line, options->save, job->notes);
        status = EXIT_SIGNAL + result.signal;
    }
    nnrt_text_free(&save);
    nnrt_text_free(&best);
    return status;
}

static int command_train(const nnrt_job *job, nnrt_error *error) {
    nnrt_train_options options;
    uint64_t seed = 0;
    if (job->recipe == NULL)
        return nnrt_fail(error, "%s cannot be trained: it has no train block", job->model->name);
    if (read_train_options(job, &options, &seed, error) != NNRT_OK)
        return NNRT_FAILED;
    return run_train(job, &options, error);
}

/* --- Commands --- */

typedef int CommandFunction(const nnrt_job *job, nnrt_error *error);

static CommandFunction *const functions[] = {
    [NNRT_COMMAND_TRAIN] = command_train,
    [NNRT_COMMAND_EVAL] = nnrt_command_eval,
    [NNRT_COMMAND_PREDICT] = nnrt_command_predict,
    [NNRT_COMMAND_INFO] = nnrt_command_info,
};

/* Output that did not arrive is a failure too. */
static int finish_output(FILE *out, nnrt_error *error) {
    if (fflush(out) != 0 || ferror(out))
        return nnrt_fail(error, "cannot write to the standard output");
    return NNRT_OK;
}

int nnrt_main(const nnrt_model *model, const nnrt_recipe *recipe, int argc, char **argv) {
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    nnrt_command_line line;
    nnrt_error error = {{0}};
    int status = nnrt_options_parse(&line, argc, argv, &error);
    if (status == NNRT_OK && line.values[NNRT_OPTION_HELP] != NULL) {
        nnrt_options_print_help(&line, stdout);
        status = finish_output(stdout, &error);
    } else if (status == NNRT_OK) {
        const nnrt_job job = {.model = model, .recipe = recipe, .line = &line, .out = stdout, .notes = stderr};
        status = functions[line.command](&job, &error);
        status = status == NNRT_OK ? finish_output(stdout, &error) : status;
    }
    if (status == NNRT_FAILED) {
        const char *slash = strrchr(line.program, '/');
        fprintf(stderr, "%s: error: %s\n", slash == NULL ? line.program : slash + 1, error.text);
    }
    nnrt_options_free(&line);
    return status;
}
