/* nnrt.h: the run-time library of nnc. The header is the manual.
 *
 * A program generated with `nnc --main` describes its network as an nnrt_model (tables and functions, all constant) and its
 * `train` block as an nnrt_recipe, and calls nnrt_main(), which trains, evaluates, predicts, saves and resumes from the
 * command line. The parts (readers, data, batches, checkpoints, evaluation, training) can also be used alone. Nothing here
 * is needed to predict.
 *
 * Errors: functions that can fail return NNRT_OK (0) on success and another nnrt_status otherwise, with a sentence in
 * nnrt_error: place, cause, remedy. The `error` argument may be NULL. Nothing is printed except where a FILE is passed.
 * Ownership: what an _open, _load or _read function makes, the _close or _free function of the same name gives back; these
 * accept NULL and zeroed structs. After a failure there is nothing to free.
 * State: none is global, except the signal flag of nnrt_train(). Functions may be called from several threads for different
 * objects.
 * Files: every file is written to a temporary name beside it, synchronised and renamed, so it appears whole or not at all.
 * Rows: messages count samples and CSV rows from 1; the header of a CSV file is not a row.
 */
#ifndef NNRT_H
#define NNRT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* --- Results and errors ------------------------------------------------------------------------------------------------ */

typedef enum nnrt_status {
    NNRT_OK = 0,
    NNRT_FAILED = 1,      /* the error holds the reason */
    NNRT_INTERRUPTED = 2, /* SIGINT or SIGTERM came while nnrt_train() was running */
} nnrt_status;

enum { NNRT_ERROR_SIZE = 1024 };

typedef struct nnrt_error {
    char text[NNRT_ERROR_SIZE]; /* one sentence, printable, without a final newline */
} nnrt_error;

/* --- What the generated program describes -------------------------------------------------------------------------------- */

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

/* The network. Arguments of the functions: `inputs`, `targets` and `outputs` are arrays of pointers in the order of the
 * tables, each to n samples in C order of the field's type; `workspace` has workspace_bytes, aligned to 64 bytes. */
typedef struct nnrt_model {
    const char *name;
    nnrt_type real; /* NNRT_REAL32 or NNRT_REAL64 */
    int batch;      /* the largest number of samples of a call */
    int dynamic;    /* 1: any n from 1 to batch; 0: exactly batch */
    size_t params_bytes, state_bytes;
    size_t workspace_bytes; /* enough for every function below */
    const nnrt_tensor *params, *states;
    int param_count, state_count;
    const nnrt_field *inputs, *targets, *outputs;
    int input_count, target_count, output_count;
    const char *const *metrics; /* names */
    int metric_count;
    /* In the state struct: int64_t, int64_t, uint64_t. */
    size_t step_offset, steps_offset, seed_offset;
    /* state_init, loss and train_step are NULL in a model compiled for prediction only. */
    void (*init)(void *params, uint64_t seed);
    void (*state_init)(void *state, uint64_t seed, int64_t steps);
    void (*predict)(const void *params, const void *const *inputs, void *const *outputs, int n, void *workspace);
    /* The mean loss of the n samples; metrics receives metric_count means. */
    double (*loss)(const void *params, const void *const *inputs, const void *const *targets, double *metrics, int n,
                   void *workspace);
    /* One step of the optimizer: adds 1 to the state's step and returns the mean loss before the update. */
    double (*train_step)(void *params, void *state, const void *const *inputs, const void *const *targets, int n,
                         void *workspace);
} nnrt_model;

/* Where a field's data come from. */
typedef enum nnrt_source_kind {
    /* Files: path; for CSV also columns. */
    NNRT_SOURCE_IDX,
    NNRT_SOURCE_CSV,
    NNRT_SOURCE_NPY,
    /* count points from low to high (both included) for each of the d elements of a sample: the d-dimensional lattice of
     * count^d samples, the last element running fastest. */
    NNRT_SOURCE_GRID,
    /* count samples, every element uniform in low .. high; whole numbers, both ends included, if the field is integer. */
    NNRT_SOURCE_UNIFORM,
    /* count samples, every element normal with mean low and deviation high. */
    NNRT_SOURCE_NORMAL,
} nnrt_source_kind;

typedef struct nnrt_source {
    const char *field; /* the input's or target's name */
    nnrt_source_kind kind;
    const char *path;           /* files: plain or gzip */
    const char *const *columns; /* CSV: header names that make this field, in order */
    int column_count;           /* 0: every column of the file */
    double low, high;           /* GRID, UNIFORM: the range; NORMAL: mean, deviation */
    int64_t count;              /* GRID: points per element; UNIFORM, NORMAL: samples */
    uint64_t seed;              /* UNIFORM, NORMAL: the data also depend on the field's name and on the split */
    double scale, shift;        /* real data only: value * scale + shift; a scale of 0 means 1 */
} nnrt_source;

typedef struct nnrt_split {
    const nnrt_source *sources; /* one for every input and target */
    int source_count;           /* 0: no such split */
} nnrt_split;

typedef struct nnrt_recipe {
    nnrt_split train, validate, test;
    /* Cut from the training data by a choice that depends on the seed, when the split gives no sources of its own; 0: none. */
    double validate_fraction, test_fraction;
    int epochs;
    uint64_t seed;
    int shuffle; /* 1: a new order every epoch */
    /* Epochs without a better validation loss (training loss if there is no validation) before stopping; 0: never. */
    int patience;
} nnrt_recipe;

/* The command line of a generated program; returns the exit status: 0; 1 after an error, which is printed to the standard
 * error; 130 or 143 when SIGINT or SIGTERM stopped the training.
 *   PROGRAM train   [--epochs N] [--seed N] [--batch N] [--data DIR] [--save FILE] [--best FILE] [--load FILE]
 *                   [--resume FILE] [--history FILE.csv] [--plot FILE.svg] [--quiet]
 *   PROGRAM eval    --load FILE [--data DIR] [--batch N]
 *   PROGRAM predict --load FILE [--data DIR] [--batch N] [--input NAME=FILE ...] [--output FILE.csv|FILE.npy]
 *   PROGRAM info    [--load FILE]
 *   PROGRAM --help
 * `recipe` may be NULL for a model without a train block: then there is no train and no eval, and predict needs --input. */
int nnrt_main(const nnrt_model *model, const nnrt_recipe *recipe, int argc, char **argv);

/* --- Reading arrays from files ------------------------------------------------------------------------------------------- */

/* The kinds of number that data files hold: name, C type. */
#define NNRT_ELEMENTS(X)                                                                                               \
    X(U8, uint8_t)                                                                                                     \
    X(I8, int8_t)                                                                                                      \
    X(I16, int16_t)                                                                                                    \
    X(I32, int32_t)                                                                                                    \
    X(I64, int64_t)                                                                                                    \
    X(F32, float)                                                                                                      \
    X(F64, double)

#define NNRT_ELEMENT_ENUMERATOR(NAME, ctype) NNRT_ELEMENT_##NAME,
typedef enum nnrt_element { NNRT_ELEMENTS(NNRT_ELEMENT_ENUMERATOR) } nnrt_element;
#undef NNRT_ELEMENT_ENUMERATOR

/* Numbers in C order. shape[0] is the number of samples. */
typedef struct nnrt_array {
    nnrt_element element;
    int rank; /* 1 .. NNRT_MAX_RANK + 1 */
    int64_t shape[NNRT_MAX_RANK + 1];
    void *data;
} nnrt_array;

/* Each reads a whole file, plain or gzip, into `array`. The size of the file must agree with its header.
 * IDX: unsigned and signed bytes, 16- and 32-bit integers, 32- and 64-bit reals.
 * NPY: versions 1 to 3, little endian, C order, <f4 <f8 |u1 |i1 <i2 <i4 <i8 and |b1.
 * CSV: a header row of names, then rows of numbers, separated by commas; fields may be quoted. `columns` chooses columns by
 *      name, in the order of the result; column_count 0 takes all. The result has NNRT_ELEMENT_F64 and shape [rows, columns];
 *      missing values, text and numbers that are not finite are refused with row and column. */
int nnrt_idx_read(const char *path, nnrt_array *array, nnrt_error *error);
int nnrt_npy_read(const char *path, nnrt_array *array, nnrt_error *error);
int nnrt_csv_read(const char *path, const char *const *columns, int column_count, nnrt_array *array, nnrt_error *error);
void nnrt_array_free(nnrt_array *array);

/* --- Data of a model ----------------------------------------------------------------------------------------------------- */

/* The samples of one split, one column for each field, checked: every sample has as many elements as the field, in the same
 * axes but for axes of length one (a CSV row only needs the right number of columns); all columns have the same number of
 * samples; integers are whole and in range; reals are finite. */
typedef struct nnrt_data nnrt_data;

/* Which fields to load. */
typedef enum nnrt_fields { NNRT_INPUTS, NNRT_INPUTS_AND_TARGETS } nnrt_fields;

/* `name` is the split's name for messages ("training"), `folder` where relative paths start (NULL: the current folder). The
 * model, but not the split, must outlive the data. */
int nnrt_data_load(nnrt_data **data, const nnrt_model *model, const nnrt_split *split, const char *name,
                   const char *folder, nnrt_fields fields, nnrt_error *error);
int64_t nnrt_data_samples(const nnrt_data *data);
void nnrt_data_free(nnrt_data *data);

/* A choice of samples, ascending. index NULL: the samples 0 .. count-1. */
typedef struct nnrt_rows {
    int64_t count;
    int64_t *index;
} nnrt_rows;

/* One of the three splits of a recipe; data NULL: the recipe has none. */
typedef struct nnrt_part {
    const nnrt_data *data;
    nnrt_rows rows;
} nnrt_part;

typedef enum nnrt_part_name { NNRT_TRAIN, NNRT_VALIDATE, NNRT_TEST, NNRT_PARTS } nnrt_part_name;

typedef struct nnrt_datasets {
    nnrt_part parts[NNRT_PARTS];
    nnrt_data *owned[NNRT_PARTS]; /* what was loaded; parts cut by fractions share the training data */
} nnrt_datasets;

/* Loads the splits of a recipe; wanted[i] says whether part i is needed. The fractions are cut by `seed`: the same seed and
 * number of samples give the same parts. */
int nnrt_datasets_load(nnrt_datasets *datasets, const nnrt_model *model, const nnrt_recipe *recipe, uint64_t seed,
                       const char *folder, const int wanted[NNRT_PARTS], nnrt_fields fields, nnrt_error *error);
void nnrt_datasets_free(nnrt_datasets *datasets);

/* --- Batches ------------------------------------------------------------------------------------------------------------- */

typedef struct nnrt_batch {
    const void *const *inputs, *const *targets; /* ready for the functions of nnrt_model */
    int n;                                      /* samples that count */
} nnrt_batch;

/* What to do with the last samples when they do not fill a batch. */
typedef enum nnrt_rest {
    NNRT_REST_DROP,
    NNRT_REST_SHORT, /* a batch with smaller n */
    NNRT_REST_FILL,  /* the memory holds a full batch, the last sample repeated; n says how many count */
} nnrt_rest;

typedef struct nnrt_batch_plan {
    int batch; /* 1 .. model->batch */
    nnrt_rest rest;
    int shuffle; /* 1: the order is a permutation that depends only on seed, epoch and the number of rows */
    uint64_t seed;
} nnrt_batch_plan;

/* Passes over the rows of a part, in batches. Large batches are prepared ahead by a thread of their own while the caller
 * works on the one before. The part must outlive the batches. */
typedef struct nnrt_batches nnrt_batches;

int nnrt_batches_open(nnrt_batches **batches, const nnrt_part *part, const nnrt_batch_plan *plan, nnrt_error *error);
int64_t nnrt_batches_count(const nnrt_batches *batches); /* batches in a whole pass */

/* Starts the pass of `epoch` at batch number `first` (0: from the beginning); a running pass is given up. */
void nnrt_batches_start(nnrt_batches *batches, int64_t epoch, int64_t first);

/* The next batch, valid until the next call; NULL at the end of the pass. */
const nnrt_batch *nnrt_batches_next(nnrt_batches *batches);
void nnrt_batches_close(nnrt_batches *batches);

/* --- Checkpoints --------------------------------------------------------------------------------------------------------- */

/* A safetensors file, as PyTorch's `safetensors` package reads and writes: the parameters by name; files written during
 * training also hold the optimizer's state as "state.<name>" and metadata. */
typedef struct nnrt_checkpoint nnrt_checkpoint;

/* Metadata: text by name. */
typedef struct nnrt_pair {
    const char *key, *value;
} nnrt_pair;

/* Opens a file and checks all of it: header, names, types, shapes, offsets. */
int nnrt_checkpoint_open(nnrt_checkpoint **checkpoint, const char *path, nnrt_error *error);

/* Metadata by name; NULL if the file has none of that name. */
const char *nnrt_checkpoint_value(const nnrt_checkpoint *checkpoint, const char *key);

/* Copies the parameters into a params struct of params_bytes. F16, BF16, F32 and F64 are converted to the model's real; a
 * missing tensor or another shape is an error. `note` (may be NULL) receives a sentence about tensors that were converted or
 * not used, or an empty one. */
int nnrt_checkpoint_params(nnrt_checkpoint *checkpoint, const nnrt_model *model, void *params, nnrt_error *note,
                           nnrt_error *error);

/* Copies the optimizer's state, and step, steps and seed, into a state struct of state_bytes. Refuses files of parameters
 * only and conversions: training continues bit for bit or not at all. */
int nnrt_checkpoint_state(nnrt_checkpoint *checkpoint, const nnrt_model *model, void *state, nnrt_error *error);
void nnrt_checkpoint_close(nnrt_checkpoint *checkpoint);

/* Writes the parameters, the state unless it is NULL, and the metadata. */
int nnrt_checkpoint_save(const char *path, const nnrt_model *model, const void *params, const void *state,
                         const nnrt_pair *pairs, int pair_count, nnrt_error *error);

/* --- Evaluation and training --------------------------------------------------------------------------------------------- */

typedef struct nnrt_figures {
    double loss;               /* mean over the samples used */
    int64_t samples, left_out; /* left out: the rest that fills no batch of a model that is not dynamic */
} nnrt_figures;

/* The mean loss and metrics (metric_count doubles) over a part. batch 0: the model's. */
int nnrt_evaluate(const nnrt_model *model, const void *params, const nnrt_part *part, int batch, nnrt_figures *figures,
                  double *metrics, nnrt_error *error);

typedef struct nnrt_train_options {
    const char *folder;   /* of the data; NULL: the current folder */
    int epochs;           /* 0: the checkpoint's when resuming, else the recipe's */
    int batch;            /* 0: the model's */
    const uint64_t *seed; /* NULL: the recipe's */
    const char *load;     /* parameters to start from; NULL: the model's initialisers */
    const char *resume;   /* checkpoint to continue from, bit for bit; NULL: start anew */
    const char *save;     /* the training's checkpoint; NULL: none */
    const char *best;     /* the parameters of the best epoch, by validation loss or else training loss; NULL: none */
    const char *history;  /* CSV, one row per epoch; NULL: none */
    const char *plot;     /* SVG of the losses; NULL: none */
    FILE *log;            /* one line per epoch, of many epochs one per second; NULL: silent */
    FILE *terminal;       /* a progress bar; NULL: none */
} nnrt_train_options;

typedef struct nnrt_train_result {
    int64_t epochs, steps;                         /* done in all */
    double train_loss, validation_loss, best_loss; /* NAN where there is none */
    int64_t best_epoch;
    int signal; /* what interrupted the training, or 0 */
} nnrt_train_result;

/* Trains. SIGINT and SIGTERM are caught while it runs: the step is finished, all files are written, and the result is
 * NNRT_INTERRUPTED; a second signal ends the process at once. `save` is written at the end and after an epoch whenever saving
 * takes less than two percent of the time. A loss that is not finite is an error that names the step and the first
 * parameter that is not finite; the last good checkpoint stays. `result` may be NULL. */
int nnrt_train(const nnrt_model *model, const nnrt_recipe *recipe, const nnrt_train_options *options,
               nnrt_train_result *result, nnrt_error *error);

#endif
