/* bench.h: programs that measure a model's stages: made from a tuning, built in a folder that vanishes, run as often as wanted. */
#ifndef NNC_DRIVER_BENCH_H
#define NNC_DRIVER_BENCH_H

#include "driver/cc.h"
#include "driver/pipeline.h"

typedef struct Bench {
    Arena *arena;
    const Options *options;
    Diag *diag;
    CCompiler compiler;
    Words command;             /* without files */
    const char *folder;        /* NULL: not made yet */
    VEC(const char *) leaving; /* files in it */
} Bench;

/* A program, and what its parts took in every run so far. */
typedef struct Trial {
    const char *program;
    int parts;
    VEC(const double *) runs; /* seconds by mark */
} Trial;

/* false: reported, and nothing is left behind. An interrupt, from now on to bench_close(), ends nnc and leaves nothing either. */
bool bench_open(Bench *bench);
void bench_close(Bench *bench);

/* Builds a program whose stages have the loops of the tuning; the survey says which they are. false: reported. */
bool bench_build(Bench *bench, Tuning *tuning, Survey *survey, Trial *trial);

/* Runs it for so long. false: reported. */
bool bench_run(Bench *bench, Trial *trial, double seconds);

/* The first quartile of the runs: other programs on the machine only ever make them longer. */
double trial_seconds(const Trial *trial, int mark);
double trial_total(const Trial *trial); /* of all marks; a whole step is too long to be left alone by others */

#endif
