/* nnrt.h: the run-time library of nnc. The header is the manual.
 *
 * A program generated with `nnc --main` describes its network as an nnrt_model (tables and functions, all constant) and its `train`
 * block as an nnrt_recipe, and calls nnrt_main(), which trains, evaluates, predicts, saves and resumes from the command line.
 * The parts below (data, checkpoints, batches) can also be used alone. Nothing here is needed to predict.
 *
 * Errors: functions return 0 on success and a non-zero value on error, with a sentence in nnrt_error (place, cause, remedy).
 * No global state. Every file is written to a temporary name and renamed.
 */
#ifndef NNRT_H
#define NNRT_H

#include <stddef.h>
#include <stdint.h>

typedef enum nnrt_type { NNRT_REAL32, NNRT_REAL64, NNRT_INT32, NNRT_INT64 } nnrt_type;

enum { NNRT_MAX_RANK = 8 };

/* A tensor inside the params or state struct. */
typedef struct nnrt_tensor {
    const char *name; /* "conv1.K": the name in the checkpoint */
    nnrt_type type;
    int rank;
    int64_t shape[NNRT_MAX_RANK];
    size_t offset, bytes; /* in the struct */
} nnrt_tensor;

/* One input, target or output of the network. The shape is of one sample: the leading (sample) axis is left out. */
typedef struct nnrt_field {
    const char *name;
    nnrt_type type; /* NNRT_INT32 for class and index data */
    int rank;
    int64_t shape[NNRT_MAX_RANK];
    int64_t classes; /* integer data must be in 0 .. classes-1; 0: no bound */
} nnrt_field;

typedef struct nnrt_model {
    const char *name;
    nnrt_type real; /* NNRT_REAL32 or NNRT_REAL64 */
    int batch;      /* the largest number of samples of a call */
    int dynamic;    /* 1: any n up to batch; 0: exactly batch */
    size_t params_bytes, state_bytes, workspace_bytes; /* workspace: enough for every function below */
    const nnrt_tensor *params, *states;
    int param_count, state_count;
    const nnrt_field *inputs, *targets, *outputs;
    int input_count, target_count, output_count;
    const char *const *metrics;
    int metric_count;
    size_t step_offset, steps_offset, seed_offset; /* int64_t, int64_t, uint64_t in the state struct */
    void (*init)(void *params, uint64_t seed);
    void (*state_init)(void *state, uint64_t seed, int64_t steps);
    void (*predict)(const void *params, const void *const *inputs, void *const *outputs, int n, void *workspace);
    double (*loss)(const void *params, const void *const *inputs, const void *const *targets, double *metrics, int n, void *workspace);
    double (*train_step)(void *params, void *state, const void *const *inputs, const void *const *targets, int n, void *workspace);
    /* Index of the first parameter whose value is not finite, or -1: says where a NaN arose. */
} nnrt_model;

/* Where a field's data come from. */
typedef enum nnrt_source_kind { NNRT_SOURCE_IDX, NNRT_SOURCE_CSV, NNRT_SOURCE_NPY, NNRT_SOURCE_GRID, NNRT_SOURCE_UNIFORM, NNRT_SOURCE_NORMAL } nnrt_source_kind;

typedef struct nnrt_source {
    const char *field; /* the input's or target's name */
    nnrt_source_kind kind;
    const char *path;           /* files: plain or gzip */
    const char *const *columns; /* CSV: header names that make this field, in order */
    int column_count;
    double low, high;     /* GRID, UNIFORM: range (the same for every component); NORMAL: mean, deviation. A GRID over d components is the d-dimensional lattice */
    int64_t count;        /* GRID (points per component), UNIFORM, NORMAL (samples) */
    uint64_t seed;        /* UNIFORM, NORMAL */
    double scale, shift;  /* real data only: value * scale + shift; scale 1 and shift 0 mean as it is */
} nnrt_source;

typedef struct nnrt_split {
    const nnrt_source *sources; /* one for every input and target; count 0: no such split */
    int source_count;
} nnrt_split;

typedef struct nnrt_recipe {
    nnrt_split train, validate, test;
    double validate_fraction, test_fraction; /* cut from the training data after a shuffle by seed, when no files are given; 0: none */
    int epochs;
    uint64_t seed;
    int shuffle;          /* 1: a new order every epoch */
    int patience;         /* epochs without a better validation loss before stopping; 0: never */
} nnrt_recipe;

/* The command line of a generated program; returns the exit status.
 *   PROGRAM train   [--epochs N] [--seed N] [--data DIR] [--save FILE] [--best FILE] [--resume FILE] [--history FILE.csv] [--plot FILE.svg] [--quiet] [--batch N]
 *   PROGRAM eval    --load FILE [--data DIR]
 *   PROGRAM predict --load FILE [--data DIR] [--output FILE.csv|FILE.npy] [--input NAME=FILE ...]
 *   PROGRAM info
 * --data DIR: folder that relative data paths start from (default: the current folder). */
int nnrt_main(const nnrt_model *model, const nnrt_recipe *recipe, int argc, char **argv);

#endif
