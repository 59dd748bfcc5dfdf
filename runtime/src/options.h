/* options.h: the command line of a generated program, parsed. */
#ifndef NNRT_SRC_OPTIONS_H
#define NNRT_SRC_OPTIONS_H

#include <stdbool.h>
#include "nnrt.h"

typedef enum nnrt_command {
#define COMMAND(NAME, word, explanation) NNRT_COMMAND_##NAME,
#include "options.def"
#undef COMMAND
    NNRT_COMMAND_COUNT
} nnrt_command;

typedef enum nnrt_option {
#define OPTION(NAME, word, argument, commands, explanation) NNRT_OPTION_##NAME,
#include "options.def"
#undef OPTION
    NNRT_OPTION_COUNT
} nnrt_option;

typedef struct nnrt_command_line {
    const char *program; /* argv[0] */
    /* What nnc says in the environment variable NNC_CALLER when it runs the program for the user: on the first line itself, on the second
     * its options and the model, all quoted for the shell: "nnc\n-D batch=32 model.nn". NULL: the program runs alone. */
    const char *caller;
    nnrt_command command;
    const char *values[NNRT_OPTION_COUNT]; /* NULL: not given; "" for an option without argument */
    const char **inputs;                   /* every --input, in order */
    int input_count;
} nnrt_command_line;

/* Parses argv. Without arguments, or with --help, values[NNRT_OPTION_HELP] is set. */
int nnrt_options_parse(nnrt_command_line *line, int argc, char **argv, nnrt_error *error);
void nnrt_options_free(nnrt_command_line *line);

/* A number given to an option; `otherwise` when the option is not given. */
int nnrt_options_integer(const nnrt_command_line *line, nnrt_option option, int otherwise, int *value,
                         nnrt_error *error);
int nnrt_options_uint64(const nnrt_command_line *line, nnrt_option option, uint64_t *value, nnrt_error *error);

void nnrt_options_print_help(const nnrt_command_line *line, FILE *out);

/* The command line that continues this training from `checkpoint`, ready for the shell. */
void nnrt_options_print_resume(const nnrt_command_line *line, const char *checkpoint, FILE *out);

#endif
