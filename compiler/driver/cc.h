/* cc.h: the C compiler that nnc runs: the one that CC names, with its options; else clang; else cc. */
#ifndef NNC_DRIVER_CC_H
#define NNC_DRIVER_CC_H

#include "base/diag.h"
#include "base/vec.h"
#include "driver/process.h"

/* A command line; NULL stands behind the last word when it is run. */
typedef VEC(char *) Words;

typedef struct CCompiler {
    Arena *arena;
    Diag *diag;
    const char *purpose, *remedy; /* for messages: "running a model"; what to do without a compiler */
    const char *scratch;          /* the file that is being built */
    void (*clean)(void *context); /* removes what an interrupt would leave behind */
    void *context;
    Words command; /* found: how it is called */
} CCompiler;

/* false: reported. */
bool cc_find(CCompiler *cc);

/* Does it build a program with this option, or these? */
bool cc_option_works(const CCompiler *cc, const char *option);

/* The command with options that every program of nnc is built with, for this machine; with OpenMP, where it works. */
Words cc_fast_command(const CCompiler *cc, bool openmp);

/* Returns the exit status; an interrupt ends nnc too. */
int cc_run(const CCompiler *cc, char *const *command, ProcessStreams streams);

void words_add(Arena *arena, Words *words, const char *word);
void words_split(Arena *arena, Words *words, const char *text); /* at blanks */

#endif
