#include "options.h"

#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <stdlib.h>
#include "checkpoint.h"
#include "error.h"
#include "memory.h"
#include "text.h"

/* Sets of commands, for the column of options.def. */
enum {
#define COMMAND(NAME, word, explanation) TAKEN_BY_##NAME = 1 << NNRT_COMMAND_##NAME,
#include "options.def"
#undef COMMAND
    TAKEN_BY_ALL = (1 << NNRT_COMMAND_COUNT) - 1
};

typedef struct OptionRow {
    const char *word, *argument;
    int commands;
    const char *explanation;
} OptionRow;

static const OptionRow options[] = {
#define OPTION(NAME, word, argument, commands, explanation) {word, argument, commands, explanation},
#include "options.def"
#undef OPTION
};

static const char *const command_words[] = {
#define COMMAND(NAME, word, explanation) word,
#include "options.def"
#undef COMMAND
};

static const char *const command_explanations[] = {
#define COMMAND(NAME, word, explanation) explanation,
#include "options.def"
#undef COMMAND
};

/* --- Parsing --- */

static int find_command(const char *word, nnrt_command *command, nnrt_error *error) {
    for (int i = 0; i < NNRT_COMMAND_COUNT; i++) {
        if (strcmp(command_words[i], word) == 0) {
            *command = (nnrt_command)i;
            return NNRT_OK;
        }
    }
    const char *nearest = nnrt_nearest_word(word, command_words, NNRT_COMMAND_COUNT);
    return nnrt_fail(error, "there is no command %s; %s%s%s", word, nearest == NULL ? "" : "did you mean ",
                     nearest == NULL ? "--help lists them" : nearest, nearest == NULL ? "" : "?");
}

/* The word of an argument such as --epohcs=3, without dashes and value; false if it does not fit. */
static bool option_word(const char *argument, char *word, size_t size) {
    argument += strspn(argument, "-");
    size_t length = strcspn(argument, "=");
    if (length == 0 || length >= size)
        return false;
    memcpy(word, argument, length);
    word[length] = '\0';
    return true;
}

static int fail_unknown(const nnrt_command_line *line, const char *argument, nnrt_error *error) {
    const char *words[NNRT_OPTION_COUNT], *nearest = NULL;
    char word[64];
    size_t count = 0;
    for (int i = 0; i < NNRT_OPTION_COUNT; i++)
        if (options[i].commands & 1 << line->command)
            words[count++] = options[i].word;
    if (option_word(argument, word, sizeof word))
        nearest = nnrt_nearest_word(word, words, count);
    if (nearest == NULL) {
        return nnrt_fail(error, "%s has no option %s; --help lists those it has%s", command_words[line->command],
                         argument, line->caller == NULL ? "" : ", and the options of nnc stand before the model");
    }
    return nnrt_fail(error, "%s has no option %s; did you mean --%s?", command_words[line->command], argument, nearest);
}

/* The table that getopt_long() wants: the options of the command. Value i + 1 stands for option i. */
static void make_long_options(nnrt_command command, struct option *table) {
    for (int i = 0; i < NNRT_OPTION_COUNT; i++) {
        if (options[i].commands & 1 << command) {
            *table++ = (struct option){.name = options[i].word,
                                       .has_arg = *options[i].argument == '\0' ? no_argument : required_argument,
                                       .val = i + 1};
        }
    }
    *table = (struct option){0};
}

static void take_option(nnrt_command_line *line, int option, const char *value) {
    line->values[option] = value == NULL ? "" : value;
    if (option == NNRT_OPTION_INPUT)
        line->inputs[line->input_count++] = value;
}

/* argv[0] is the command. */
static int parse_options(nnrt_command_line *line, int argc, char **argv, nnrt_error *error) {
    struct option table[NNRT_OPTION_COUNT + 1];
    make_long_options(line->command, table);
    opterr = 0;
    optind = 0; /* forget a command line parsed before */
    for (int choice; (choice = getopt_long(argc, argv, ":", table, NULL)) != -1;) {
        if (choice == ':')
            return nnrt_fail(error, "%s wants a value", argv[optind - 1]);
        if (choice == '?')
            return fail_unknown(line, argv[optind - 1], error);
        take_option(line, choice - 1, optarg);
    }
    if (optind < argc) {
        return nnrt_fail(error, "%s takes no argument %s; options begin with --", command_words[line->command],
                         argv[optind]);
    }
    return NNRT_OK;
}

int nnrt_options_parse(nnrt_command_line *line, int argc, char **argv, nnrt_error *error) {
    *line = (nnrt_command_line){.program = argc > 0 ? argv[0] : "program", .caller = getenv("NNC_CALLER")};
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        line->values[NNRT_OPTION_HELP] = "";
        return NNRT_OK;
    }
    if (find_command(argv[1], &line->command, error) != NNRT_OK)
        return NNRT_FAILED;
    line->inputs = nnrt_allocate((size_t)argc, sizeof *line->inputs);
    if (line->inputs == NULL)
        return nnrt_fail_memory(error, "the command line", (size_t)argc * sizeof *line->inputs);
    int status = parse_options(line, argc - 1, argv + 1, error);
    if (status != NNRT_OK)
        nnrt_options_free(line);
    return status;
}

void nnrt_options_free(nnrt_command_line *line) {
    free(line->inputs);
    line->inputs = NULL;
    line->input_count = 0;
}

int nnrt_options_integer(const nnrt_command_line *line, nnrt_option option, int otherwise, int *value,
                         nnrt_error *error) {
    const char *text = line->values[option];
    int64_t number = otherwise;
    if (text != NULL && (!nnrt_parse_int64(text, &number) || number < 1 || number > INT_MAX))
        return nnrt_fail(error, "--%s wants a whole number from 1, not %s", options[option].word, text);
    *value = (int)number;
    return NNRT_OK;
}

int nnrt_options_uint64(const nnrt_command_line *line, nnrt_option option, uint64_t *value, nnrt_error *error) {
    const char *text = line->values[option];
    if (text != NULL && !nnrt_parse_uint64(text, value))
        return nnrt_fail(error, "--%s wants a whole number from 0, not %s", options[option].word, text);
    return NNRT_OK;
}

/* --- Printing --- */

static void print_option(const OptionRow *option, FILE *out) {
    char left[40];
    snprintf(left, sizeof left, "--%s%s%s", option->word, *option->argument == '\0' ? "" : " ", option->argument);
    fprintf(out, "  %-22s  %s\n", left, option->explanation);
}

static void print_command(int command, FILE *out) {
    fprintf(out, "\n%s: %s\n", command_words[command], command_explanations[command]);
    for (int i = 0; i < NNRT_OPTION_COUNT; i++)
        if (options[i].commands & 1 << command && i != NNRT_OPTION_HELP)
            print_option(&options[i], out);
}

/* A word as the shell wants it: quoted unless every character is harmless. */
static void print_word(const char *word, FILE *out) {
    const char *harmless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+./,:=@%";
    if (*word != '\0' && word[strspn(word, harmless)] == '\0') {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word != '\0'; word++)
        fputs(*word == '\'' ? "'\\''" : (const char[]){*word, '\0'}, out);
    fputc('\'', out);
}

/* How the user calls the program with this command, or commands. */
static void print_call(const nnrt_command_line *line, const char *commands, FILE *out) {
    const char *rest = line->caller == NULL ? NULL : strchr(line->caller, '\n');
    if (rest == NULL) {
        print_word(line->program, out);
        fprintf(out, " %s", commands);
    } else {
        fprintf(out, "%.*s %s %s", (int)(rest - line->caller), line->caller, commands, rest + 1);
    }
}

void nnrt_options_print_help(const nnrt_command_line *line, FILE *out) {
    char commands[128];
    size_t length = 0;
    for (int i = 0; i < NNRT_COMMAND_COUNT; i++) {
        length +=
            (size_t)snprintf(commands + length, sizeof commands - length, "%s%s", i == 0 ? "" : "|", command_words[i]);
    }
    fprintf(out, "usage: ");
    print_call(line, commands, out);
    fprintf(out, " [option]...\n");
    for (int i = 0; i < NNRT_COMMAND_COUNT; i++)
        print_command(i, out);
}

void nnrt_options_print_resume(const nnrt_command_line *line, const char *checkpoint, FILE *out) {
    print_call(line, command_words[NNRT_COMMAND_TRAIN], out);
    for (int i = 0; i < NNRT_OPTION_COUNT; i++) {
        if (line->values[i] == NULL || i == NNRT_OPTION_RESUME || i == NNRT_OPTION_LOAD)
            continue;
        fprintf(out, " --%s", options[i].word);
        if (*options[i].argument != '\0') {
            fputc(' ', out);
            print_word(line->values[i], out);
        }
    }
    fprintf(out, " --resume ");
    print_word(checkpoint, out);
    fputc('\n', out);
}
