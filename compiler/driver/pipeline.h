/* pipeline.h: one run of the pipeline: what each stage reads and makes. */
#ifndef NNC_DRIVER_PIPELINE_H
#define NNC_DRIVER_PIPELINE_H

#include "driver/options.h"
#include "emit/emit.h"
#include "loop/loop.h"
#include "opt/report.h"
#include "plan/plan.h"
#include "plan/tuning.h"
#include "sema/recipe.h"
#include "syntax/ast.h"

/* What an entry point gives up where a memory budget is too small for the fastest plan: each as much as those before, and more. */
typedef enum Sparing {
    SPARE_NOTHING,
    SPARE_FORMS,  /* forms that spend memory to save time */
    SPARE_VALUES, /* values that can be computed again, as many as seem to be enough */
    SPARE_ALL,    /* all of them */
    SPARING_COUNT
} Sparing;

/* The C file of one processor of several. */
typedef struct Variant {
    const char *path;
    const Text *source;
} Variant;

typedef struct Compilation {
    Arena *arena; /* everything lives there */
    const Options *options;
    Diag *diag;
    const char *source_name, *header_name; /* of the C file, without folders */
    AstFile *prelude, *file;
    Graph *graph;
    EntryReport counted[ENTRY_COUNT]; /* of each entry, before any operation is repeated to save memory */
    Sparing sparing[ENTRY_COUNT];
    Recipe *recipe;
    Tuning *tuning;          /* NULL: none */
    const char *tuning_path; /* the file that it was read from; NULL: none */
    Survey
        *survey; /* of a program that measures: `tuning` is given, and no file is read. NULL: an ordinary compilation */
    const EmitWeights *weights; /* NULL: none */
    const Target *variant;      /* the processor of several that this is for; NULL: there is one */
    Plan *plan;
    LoopProgram *program;
    Text *source, *header; /* what is written: C and its header, or a drawing (header NULL) */
    VEC(Variant) variants; /* and for several processors, their files */
} Compilation;

/* Runs the stages in order. With --dump, prints and stops after the stage that was asked for. false: errors were
 * reported. Messages and tables go to diag->out, dumps to `dump`. */
bool pipeline_run(Compilation *compilation, Text *dump);

/* How the compilation's files are written. */
EmitOptions pipeline_emit_options(const Compilation *compilation);

#endif
