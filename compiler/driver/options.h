/* options.h: the command line, parsed. The options are listed in options.def, the commands and choices here.
 *
 *     nnc [options] model.nn                      compiles (options may follow the model)
 *     nnc train [options] model.nn [argument...]  compiles, builds and runs: what follows the model is the program's
 */
#ifndef NNC_DRIVER_OPTIONS_H
#define NNC_DRIVER_OPTIONS_H

#include "base/diag.h"
#include "plan/target.h"
#include "sema/sema.h"

/* The words that run a model in one step: the generated program's own commands. */
#define RUN_COMMANDS(COMMAND)                                                                                          \
    COMMAND(TRAIN, "train", "trains the model and saves a checkpoint")                                                 \
    COMMAND(EVAL, "eval", "measures loss and metrics of a checkpoint")                                                 \
    COMMAND(PREDICT, "predict", "computes the outputs for new data")                                                   \
    COMMAND(INFO, "info", "lists the model's tensors")

typedef enum Command {
    COMMAND_COMPILE,
#define COMMAND(ID, WORD, DOC) COMMAND_##ID,
    RUN_COMMANDS(COMMAND)
#undef COMMAND
        COMMAND_HELP,
    COMMAND_VERSION,
    COMMAND_MANUAL
} Command;

/* Lists of choices: the first one is the default. */
#define EMIT_CHOICES(CHOICE) CHOICE(EMIT_C, "c") CHOICE(EMIT_DOT, "dot") CHOICE(EMIT_SVG, "svg")

#define REAL_CHOICES(CHOICE) CHOICE(REAL_FLOAT, "float") CHOICE(REAL_DOUBLE, "double")

#define DUMP_CHOICES(CHOICE)                                                                                           \
    CHOICE(DUMP_NONE, "none")                                                                                          \
    CHOICE(DUMP_AST, "ast")                                                                                            \
    CHOICE(DUMP_GRAPH, "graph")                                                                                        \
    CHOICE(DUMP_GRAD, "grad")                                                                                          \
    CHOICE(DUMP_FUSED, "fused")                                                                                        \
    CHOICE(DUMP_LOOPS, "loops")                                                                                        \
    CHOICE(DUMP_MEMORY, "memory")                                                                                      \
    CHOICE(DUMP_STAGES, "stages")

#define CHOICE(ID, WORD) ID,
typedef enum EmitKind { EMIT_CHOICES(CHOICE) } EmitKind;
typedef enum RealKind { REAL_CHOICES(CHOICE) } RealKind;
typedef enum DumpKind { DUMP_CHOICES(CHOICE) } DumpKind;
#undef CHOICE

typedef struct Options {
    Command command;
    const char *input;
    const char *output; /* NULL: the default */
    EmitKind emit;
    const char *weights; /* the checkpoint whose parameters become a constant; NULL: none */
    bool with_main, prepare, lines;
    EntrySet left_out, wanted;   /* entries that are not made; those that --entries names. See sema.h */
    bool dependencies;           /* -MD or -MF was given */
    const char *dependency_file; /* NULL: the default */
    VEC(DimOverride) dims;
    RealKind real;
    const Target *target;        /* never NULL; of several, the one that a compilation is for */
    VEC(const Target *) targets; /* that --target names, in the order of their table */
    bool openmp;
    int threads;           /* the most of an entry point */
    int64_t memory_budget; /* bytes of workspace; 0: any */
    bool tune, no_tuning;
    int64_t tune_seconds;
    const char *tuning; /* NULL: the default */
    DumpKind dump;
    bool report, time;
    const char *shaping; /* the options that change what is computed, as they were given: "--real=double" */
    const char *program; /* nnc, as it was called */
    char **given;        /* what stands behind the command: its options and the model */
    int given_count;
    char **arguments; /* of the program, for the run commands; NULL-terminated */
} Options;

/* false: errors were reported. Reports through `diag` without a place. */
bool options_parse(Arena *arena, int argc, char **argv, Options *options, Diag *diag);

/* ---- the tables, for help and tests ---- */

typedef struct OptionRow {
    int id;
    const char *group;    /* not NULL: a heading, and nothing else but: */
    bool shapes_output;   /* do the options of this group change what is computed? */
    const char *name;     /* with its dashes */
    char letter;          /* 0: none */
    const char *argument; /* NULL: takes none; "a|b|c" for a choice */
    const char *doc;
} OptionRow;

extern const OptionRow option_rows[];
extern const size_t option_row_count;

typedef struct CommandRow {
    Command command;
    const char *word, *doc;
} CommandRow;

extern const CommandRow command_rows[];
extern const size_t command_row_count;

#endif
