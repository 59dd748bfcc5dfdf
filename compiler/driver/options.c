#include "driver/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the tables ---- */

enum {
    NO_OPTION = -1,
#define GROUP(title, shapes)
#define SET(id, name, letter, member, value, doc) OPTION_##id,
#define CHOICE(id, name, letter, member, CHOICES, doc) OPTION_##id,
#define VALUE(id, name, letter, set, argument, doc) OPTION_##id,
#include "driver/options.def"
#undef GROUP
#undef SET
#undef CHOICE
#undef VALUE
    OPTION_COUNT
};

#define WORD(ID, TEXT) "|" TEXT
#define WORDS(CHOICES) (&(CHOICES(WORD))[1]) /* "a|b|c" */

const OptionRow option_rows[] = {
#define GROUP(title, shapes) {.id = NO_OPTION, .group = title, .shapes_output = shapes},
#define SET(id_, name_, letter_, member, value, doc_)                                                                  \
    {.id = OPTION_##id_, .name = name_, .letter = letter_, .doc = doc_},
#define CHOICE(id_, name_, letter_, member, CHOICES, doc_)                                                             \
    {.id = OPTION_##id_, .name = name_, .letter = letter_, .argument = WORDS(CHOICES), .doc = doc_},
#define VALUE(id_, name_, letter_, set, argument_, doc_)                                                               \
    {.id = OPTION_##id_, .name = name_, .letter = letter_, .argument = argument_, .doc = doc_},
#include "driver/options.def"
#undef GROUP
#undef SET
#undef CHOICE
#undef VALUE
};
const size_t option_row_count = sizeof option_rows / sizeof *option_rows;

const CommandRow command_rows[] = {
#define COMMAND(ID, WORD, DOC) {COMMAND_##ID, WORD, DOC},
    RUN_COMMANDS(COMMAND)
#undef COMMAND
};
const size_t command_row_count = sizeof command_rows / sizeof *command_rows;

/* ---- the arguments of options ---- */

typedef struct Parser {
    Arena *arena;
    Options *options;
    Diag *diag;
    Text *shaping;
} Parser;

/* The index of `word` in "a|b|c"; -1: none of them. */
static int choice_index(const char *choices, const char *word) {
    size_t length = strlen(word);
    for (int index = 0;; index++) {
        size_t width = strcspn(choices, "|");
        if (width == length && strncmp(choices, word, length) == 0)
            return index;
        if (choices[width] == '\0')
            return -1;
        choices += width + 1;
    }
}

/* false: reported. */
static bool parse_choice(const Parser *parser, const OptionRow *row, const char *word, unsigned *choice) {
    int index = choice_index(row->argument, word);
    if (index < 0) {
        diag_error(parser->diag, NO_PLACE, "`%s` does not know `%s`", row->name, word);
        diag_help(parser->diag, "it takes one of %s", row->argument);
        return false;
    }
    *choice = (unsigned)index;
    return true;
}

static bool set_output(const Parser *parser, const char *argument) {
    if (argument[0] == '\0') {
        diag_error(parser->diag, NO_PLACE, "`--output` needs the name of a file, but it is empty");
        return false;
    }
    parser->options->output = argument;
    return true;
}

static bool set_weights(const Parser *parser, const char *argument) {
    if (argument[0] == '\0') {
        diag_error(parser->diag, NO_PLACE, "`--weights` needs the name of a file, but it is empty");
        return false;
    }
    parser->options->weights = argument;
    return true;
}

static bool set_dependency_file(const Parser *parser, const char *argument) {
    parser->options->dependencies = true;
    parser->options->dependency_file = argument;
    return true;
}

/* A whole number from 1, as strtoll() reads it; 0: there is none, or it is too large. */
static int64_t parse_count(const char *text, char **end) {
    errno = 0;
    long long value = strtoll(text, end, 10);
    return errno == 0 && value > 0 ? value : 0;
}

static bool set_dim(const Parser *parser, const char *argument) {
    const char *equals = strchr(argument, '=');
    char *end = NULL;
    int64_t value = equals ? parse_count(equals + 1, &end) : 0;
    if (value == 0 || equals == argument || *end != '\0') {
        diag_error(parser->diag, NO_PLACE,
                   "`-D %s` does not say a dimension's name and its size, a whole number from 1", argument);
        diag_help(parser->diag, "write it as in -D batch=32");
        return false;
    }
    DimOverride dim = {
        .name = arena_copy_text(parser->arena, argument, (size_t)(equals - argument)),
        .value = value,
    };
    vec_push(parser->arena, &parser->options->dims, dim);
    return true;
}

/* "init, predict", those of the set. */
static const char *entry_names(Arena *arena, EntrySet set, const char *gap) {
    Text *names = text_new(arena);
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        if (set & ENTRY_BIT(kind))
            text_printf(names, "%s%s", text_length(names) > 0 ? gap : "", entry_name((EntryKind)kind));
    return text_get(names);
}

static void report_entry(const Parser *parser, const char *argument, const char *word) {
    const char *names[ENTRY_COUNT];
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        names[kind] = entry_name((EntryKind)kind);
    const char *closest = text_closest(word, names, ENTRY_COUNT);
    if (word[0] == '\0') {
        diag_error(parser->diag, NO_PLACE, "`--entries=%s` has an empty name", argument);
        diag_help(parser->diag, "write it as in --entries=predict,train_step");
        return;
    }
    diag_error(parser->diag, NO_PLACE, "`--entries` does not know `%s`", word);
    if (closest) {
        diag_help(parser->diag, "did you mean `%s`?", closest);
    } else {
        diag_help(parser->diag, "it takes some of %s, with commas between them",
                  entry_names(parser->arena, ENTRIES_ALL, ", "));
    }
}

static bool set_entries(const Parser *parser, const char *argument) {
    EntrySet set = 0;
    for (const char *at = argument;; at++) {
        size_t length = strcspn(at, ",");
        const char *word = arena_copy_text(parser->arena, at, length);
        int kind = 0;
        while (kind < ENTRY_COUNT && strcmp(word, entry_name((EntryKind)kind)) != 0)
            kind++;
        if (kind == ENTRY_COUNT) {
            report_entry(parser, argument, word);
            return false;
        }
        set |= ENTRY_BIT(kind);
        at += length;
        if (*at == '\0')
            break;
    }
    parser->options->wanted = set;
    return true;
}

static void report_target(const Parser *parser, const char *word) {
    diag_error(parser->diag, NO_PLACE, "`--target` does not know the processor `%s`", word);
    Text *names = text_new(parser->arena);
    for (size_t i = 0; i < target_count(); i++)
        text_printf(names, "%s, ", target_at(i)->name);
    diag_help(parser->diag, "it takes one of %snative, or several with commas between them", text_get(names));
}

static bool set_target(const Parser *parser, const char *argument) {
    Options *options = parser->options;
    bool named[MOST_TARGETS] = {false};
    for (const char *at = argument;; at++) {
        size_t length = strcspn(at, ",");
        const char *word = arena_copy_text(parser->arena, at, length);
        const Target *target = target_by_name(word);
        if (!target) {
            report_target(parser, word);
            return false;
        }
        if (strcmp(word, "native") == 0 && length < strlen(argument)) {
            diag_error(parser->diag, NO_PLACE, "`--target=%s` names files after processors, and `native` is none",
                       argument);
            diag_help(parser->diag, "this one is `%s`", target->name);
            return false;
        }
        named[target - target_at(0)] = true;
        at += length;
        if (*at == '\0')
            break;
    }
    options->targets.count = 0; /* the last option counts */
    for (size_t i = 0; i < target_count(); i++)
        if (named[i])
            vec_push(parser->arena, &options->targets, target_at(i));
    options->target = options->targets.at[0];
    return true;
}

static bool set_threads(const Parser *parser, const char *argument) {
    enum { MOST_THREADS = 4096 };
    char *end = NULL;
    int64_t count = parse_count(argument, &end);
    if (count > 0 && count <= MOST_THREADS && *end == '\0') {
        parser->options->threads = (int)count;
        return true;
    }
    diag_error(parser->diag, NO_PLACE, "`--threads %s` is not a number of threads, from 1 to %d", argument,
               MOST_THREADS);
    diag_help(parser->diag, "write it as in --threads 8");
    return false;
}

static bool set_tune_seconds(const Parser *parser, const char *argument) {
    char *end = NULL;
    parser->options->tune_seconds = parse_count(argument, &end);
    if (parser->options->tune_seconds > 0 && *end == '\0')
        return true;
    diag_error(parser->diag, NO_PLACE, "`--tune-seconds %s` is not a number of seconds, from 1", argument);
    diag_help(parser->diag, "write it as in --tune-seconds 60");
    return false;
}

static bool set_tuning(const Parser *parser, const char *argument) {
    if (argument[0] == '\0') {
        diag_error(parser->diag, NO_PLACE, "`--tuning` needs the name of a file, but it is empty");
        return false;
    }
    parser->options->tuning = argument;
    return true;
}

static bool set_memory_budget(const Parser *parser, const char *argument) {
    static const char units[] = "KMG";
    char *end = NULL;
    int64_t value = parse_count(argument, &end);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (value == 0 || end[unit != NULL] != '\0' || value > INT64_MAX >> shift) {
        diag_error(parser->diag, NO_PLACE, "`--memory-budget %s` is not a number of bytes", argument);
        diag_help(parser->diag, "write it as in --memory-budget 64M");
        return false;
    }
    parser->options->memory_budget = value << shift;
    return true;
}

/* false: reported. */
static bool apply(const Parser *parser, const OptionRow *row, const char *argument) {
    unsigned choice = 0;
    switch (row->id) {
#define GROUP(title, shapes)
#define SET(id_, name, letter, member, value, doc)                                                                     \
    case OPTION_##id_:                                                                                                 \
        parser->options->member = value;                                                                               \
        return true;
#define CHOICE(id_, name, letter, member, CHOICES, doc)                                                                \
    case OPTION_##id_:                                                                                                 \
        if (!parse_choice(parser, row, argument, &choice))                                                             \
            return false;                                                                                              \
        parser->options->member = choice;                                                                              \
        return true;
#define VALUE(id_, name, letter, set, argument_, doc)                                                                  \
    case OPTION_##id_:                                                                                                 \
        return set(parser, argument);
#include "driver/options.def"
#undef GROUP
#undef SET
#undef CHOICE
#undef VALUE
    default: diag_bug("options", NO_PLACE, "option %d has no row", row->id);
    }
}

/* ---- getopt ---- */

/* Long options return their id plus this, which no letter reaches. */
enum { LONG_BASE = 256 };

static const OptionRow *row_of_code(int code) {
    for (size_t i = 0; i < option_row_count; i++) {
        const OptionRow *row = &option_rows[i];
        if (row->id != NO_OPTION && (code == row->letter || code == LONG_BASE + row->id))
            return row;
    }
    return NULL;
}

/* What getopt_long_only() wants to know, from the rows. */
typedef struct GetoptTables {
    struct option longs[OPTION_COUNT + 1];
    char shorts[2 * OPTION_COUNT + 3];
} GetoptTables;

/* `mode`: "+" stops at the first argument that is no option; ":" tells a missing argument from an unknown option. */
static GetoptTables getopt_tables(const char *mode) {
    GetoptTables tables = {0};
    size_t longs = 0, shorts = strlen(mode);
    memcpy(tables.shorts, mode, shorts);
    for (size_t i = 0; i < option_row_count; i++) {
        const OptionRow *row = &option_rows[i];
        if (row->id == NO_OPTION)
            continue;
        tables.longs[longs++] = (struct option){
            .name = row->name + strspn(row->name, "-"),
            .has_arg = row->argument ? required_argument : no_argument,
            .val = LONG_BASE + row->id,
        };
        if (row->letter) {
            tables.shorts[shorts++] = row->letter;
            if (row->argument)
                tables.shorts[shorts++] = ':';
        }
    }
    return tables;
}

/* NULL: none is meant. */
static const char *closest_command(const char *word) {
    const char *words[] = {
#define COMMAND(ID, WORD, DOC) WORD,
        RUN_COMMANDS(COMMAND)
#undef COMMAND
    };
    return text_closest(word, words, sizeof words / sizeof *words);
}

static void report_unknown(const Parser *parser, const char *word) {
    const char *names[OPTION_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < option_row_count; i++)
        if (option_rows[i].id != NO_OPTION)
            names[count++] = option_rows[i].name;
    const char *name = arena_copy_text(parser->arena, word, strcspn(word, "="));
    const char *closest = text_closest(name, names, count);
    const char *command = closest_command(name + strspn(name, "-"));
    diag_error(parser->diag, NO_PLACE, "unknown option `%s`", name);
    if (closest)
        diag_help(parser->diag, "did you mean `%s`?", closest);
    else if (command)
        diag_help(parser->diag, "did you mean the command `nnc %s`?", command);
    else
        diag_help(parser->diag, "`nnc --help` lists the options");
}

/* getopt met something that it does not understand: the code is '?' or ':', `word` the argument where it stands. */
static void report_misuse(const Parser *parser, int code, const char *word) {
    const OptionRow *row = optopt ? row_of_code(optopt) : NULL;
    if (!row)
        report_unknown(parser, word);
    else if (code == ':')
        diag_error(parser->diag, NO_PLACE, "`%s` needs an argument: %s", row->name, row->argument);
    else
        diag_error(parser->diag, NO_PLACE, "`%s` takes no argument, but `%s` gives one", row->name, word);
}

/* Rows stand below the heading of their group. */
static bool shapes_output(const OptionRow *row) {
    while (!row->group)
        row--;
    return row->shapes_output;
}

static void note_shaping(const Parser *parser, const char *name, const char *argument) {
    const char *blank = text_length(parser->shaping) > 0 ? " " : "";
    text_printf(parser->shaping, "%s%s%s%s", blank, name, argument ? "=" : "", argument ? argument : "");
}

static void apply_and_note(const Parser *parser, const OptionRow *row, const char *argument) {
    if (apply(parser, row, argument) && shapes_output(row))
        note_shaping(parser, row->name, argument);
}

static void parse_options(const Parser *parser, const char *mode, int argc, char **argv) {
    GetoptTables tables = getopt_tables(mode);
    opterr = 0;
    optind = 1;
    for (;;) {
        optopt = 0;
        int before = optind;
        int code = getopt_long_only(argc, argv, tables.shorts, tables.longs, NULL);
        if (code == -1)
            return;
        if (code == '?' || code == ':') {
            /* In the middle of a cluster of letters, optind has not moved on. */
            report_misuse(parser, code, argv[optind > before ? optind - 1 : optind]);
        } else {
            apply_and_note(parser, row_of_code(code), optarg);
        }
    }
}

/* ---- the whole line ---- */

static void find_command(Options *options, int *argc, char ***argv) {
    for (size_t i = 0; *argc > 1 && i < command_row_count; i++) {
        if (strcmp((*argv)[1], command_rows[i].word) == 0) {
            options->command = command_rows[i].command;
            ++*argv;
            --*argc;
            return;
        }
    }
}

static void report_two_models(const Parser *parser, const char *first, const char *second) {
    const char *closest = closest_command(first);
    diag_error(parser->diag, NO_PLACE, "one model at a time, but here are `%s` and `%s`", first, second);
    if (closest)
        diag_help(parser->diag, "did you mean `nnc %s %s`?", closest, second);
}

static void check_input(const Parser *parser, char **rest) {
    Options *options = parser->options;
    options->input = rest[0];
    if (!options->input) {
        diag_error(parser->diag, NO_PLACE, "no model is given");
        diag_help(parser->diag, "nnc model.nn -o model.c, or nnc train model.nn; `nnc --help` says more");
    } else if (options->command != COMMAND_COMPILE) {
        options->arguments = rest + 1;
    } else if (rest[1]) {
        report_two_models(parser, rest[0], rest[1]);
    }
}

/* What the commands do with the files is their own affair. */
static void check_run(const Parser *parser, const char *word) {
    Options *options = parser->options;
    if (options->output || options->emit != EMIT_C || options->left_out || options->wanted || options->prepare) {
        diag_error(parser->diag, NO_PLACE,
                   "`--output`, `--emit`, `--entries`, `--no-train` and `--prepare` do not go with `nnc %s`", word);
        diag_help(parser->diag, "`nnc %s` writes a program for itself, and runs it", word);
    }
    if (options->weights) {
        diag_error(parser->diag, NO_PLACE, "`--weights` does not go with `nnc %s`", word);
        diag_help(parser->diag, "name the checkpoint behind the model, as in `nnc %s model.nn --load FILE`", word);
    }
    options->with_main = true;
    options->left_out = ENTRY_BIT(ENTRY_GRADIENT); /* which no command calls */
}

/* Entries that `why` needs and the user left out: the first of them is named. */
static void require_entries(const Parser *parser, const char *why, EntrySet needed) {
    const EntrySet wanted = parser->options->wanted, missing = needed & ~wanted;
    for (int kind = 0; missing && kind < ENTRY_COUNT; kind++) {
        if (missing & ENTRY_BIT(kind)) {
            diag_error(parser->diag, NO_PLACE, "%s needs `%s`, which `--entries` leaves out", why,
                       entry_name((EntryKind)kind));
            diag_help(parser->diag, "write --entries=%s", entry_names(parser->arena, wanted | needed, ","));
            return;
        }
    }
}

/* What only one of several would do. */
static void require_one_entry(const Parser *parser, const char *why, EntrySet useful) {
    if (!(parser->options->wanted & useful)) {
        diag_error(parser->diag, NO_PLACE, "%s, and `--entries` leaves both out", why);
        diag_help(parser->diag, "name one of them too");
    }
}

static void check_entries(const Parser *parser) {
    Options *options = parser->options;
    const EntrySet wanted = options->wanted;
    if (!wanted)
        return;
    if (options->left_out) {
        diag_error(parser->diag, NO_PLACE,
                   "`--no-train` is short for `--entries=init,predict`, and `--entries` is there");
        diag_help(parser->diag, "leave one of them out");
    }
    if (wanted & ENTRY_BIT(ENTRY_PREPARE))
        options->prepare = true;
    if (options->prepare)
        require_entries(parser, "`prepare`, which makes what predictions read,", ENTRY_BIT(ENTRY_PREDICT));
    if (options->with_main) {
        EntrySet trains = ENTRY_BIT(ENTRY_STATE_INIT) | ENTRY_BIT(ENTRY_LOSS);
        EntrySet needed = ENTRY_BIT(ENTRY_INIT) | ENTRY_BIT(ENTRY_PREDICT);
        require_entries(parser, "`--main`", needed | (wanted & ENTRY_BIT(ENTRY_TRAIN_STEP) ? trains : 0));
    }
    if (options->tune) {
        require_one_entry(parser, "`--tune` measures `predict` and `train_step`",
                          ENTRY_BIT(ENTRY_PREDICT) | ENTRY_BIT(ENTRY_TRAIN_STEP));
    }
    if (options->emit != EMIT_C) {
        require_one_entry(parser, "a drawing shows `predict` and `gradient`",
                          ENTRY_BIT(ENTRY_PREDICT) | ENTRY_BIT(ENTRY_GRADIENT));
    }
    options->left_out = ENTRIES_ALL & ~wanted;
}

static void check_prepare(const Parser *parser) {
    if (parser->options->prepare && parser->options->with_main) {
        diag_error(parser->diag, NO_PLACE,
                   "`--prepare` does not go with `--main`: the program that it adds predicts "
                   "from parameters that change");
        diag_help(parser->diag, "leave one of them out");
    }
}

static void check_weights(const Parser *parser) {
    const Options *options = parser->options;
    if (options->weights && options->emit != EMIT_C) {
        diag_error(parser->diag, NO_PLACE, "`--weights` writes C, but `--emit` asks for a drawing");
        diag_help(parser->diag, "leave one of them out");
    }
    if (options->weights && options->with_main && options->command == COMMAND_COMPILE) {
        diag_error(parser->diag, NO_PLACE,
                   "`--weights` does not go with `--main`: that program reads its checkpoint itself");
        diag_help(parser->diag, "leave one of them out, and call the program with `--load FILE`");
    }
}

static void check_tuning(const Parser *parser) {
    const Options *options = parser->options;
    if (options->no_tuning && (options->tune || options->tuning)) {
        diag_error(parser->diag, NO_PLACE, "`--no-tuning` does not go with `--tune` and `--tuning`");
        diag_help(parser->diag, "leave one of them out");
    }
    if (options->tune && options->emit != EMIT_C) {
        diag_error(parser->diag, NO_PLACE, "`--tune` measures C, but `--emit` asks for a drawing");
        diag_help(parser->diag, "leave one of them out");
    }
    if (options->tune && !options->tuning && options->input && strcmp(options->input, "-") == 0) {
        diag_error(parser->diag, NO_PLACE, "a model from standard input has no file beside it for `--tune` to write");
        diag_help(parser->diag, "name one, as in --tuning model.tuning");
    }
}

/* Several processors: one file for each, which is written and not run, measured or shown. */
static void check_targets(const Parser *parser) {
    const Options *options = parser->options;
    if (options->targets.count < 2)
        return;
    const char *only = options->command != COMMAND_COMPILE ? "a model that is run at once"
                       : options->tune                     ? "`--tune`"
                       : options->dump != DUMP_NONE        ? "`--dump`"
                       : options->report                   ? "`--report`"
                       : options->emit != EMIT_C           ? "a drawing"
                                                           : NULL;
    if (only) {
        diag_error(parser->diag, NO_PLACE, "%s is of one processor, but `--target` names %zu", only,
                   options->targets.count);
        diag_help(parser->diag, "write --target=%s", options->targets.at[options->targets.count - 1]->name);
    } else if (options->target->machine) {
        diag_error(parser->diag, NO_PLACE, "none of the processors that `--target` names is there for all others");
        diag_help(parser->diag, "add `generic`, whose code runs everywhere");
    }
}

bool options_parse(Arena *arena, int argc, char **argv, Options *options, Diag *diag) {
    *options = (Options){
        .openmp = true, .threads = DEFAULT_THREADS, .tune_seconds = 120, .program = argc > 0 ? argv[0] : "nnc"};
    Parser parser = {arena, options, diag, text_new(arena)};
    find_command(options, &argc, &argv);
    bool runs = options->command != COMMAND_COMPILE;
    int errors = diag->errors;
    parse_options(&parser, runs ? "+:" : ":", argc, argv);
    if (!options->target) {
        options->target = target_by_name(runs || options->tune ? "native" : "generic");
        if (options->tune)
            note_shaping(&parser, "--target", "native");
    }
    options->shaping = text_get(parser.shaping);
    if (options->command != COMMAND_COMPILE && options->command < COMMAND_HELP)
        check_run(&parser, argv[0]);
    bool needs_input = options->command < COMMAND_HELP;
    if (needs_input && diag->errors == errors) {
        check_input(&parser, argv + optind);
        check_entries(&parser);
        check_prepare(&parser);
        check_weights(&parser);
        check_tuning(&parser);
        check_targets(&parser);
        options->given = argv + 1;
        options->given_count = optind;
    }
    return diag->errors == errors;
}
