/* stream.h: the values that one run of a model gives, in one fixed order: both the reference interpreter and the compiled C write this stream.
 *
 *     init: every parameter; state_init: every state; predict: every output;
 *     loss: the loss, then the metrics; gradient: the loss, then every gradient;
 *     train_step, STEPS times: the loss; at the end every parameter, then every state
 *
 * Each piece is named for messages and holds doubles.
 */
#ifndef AGREEMENT_STREAM_H
#define AGREEMENT_STREAM_H

#include "ir/graph.h"

enum { AGREEMENT_STEPS = 2 };

typedef struct Piece {
    const char *name;
    int64_t count;
    double *values;
    bool is_int; /* as the C writes it: int32_t instead of reals */
} Piece;

typedef VEC(Piece) Stream;

typedef struct RunInputs {
    int64_t n;
    uint64_t seed;
    double **values; /* one array for each of graph->inputs */
} RunInputs;

/* Values for every input, from the seed: reals in [-1, 1], integers below their classes. */
RunInputs inputs_random(Arena *arena, const Graph *graph, int64_t n, uint64_t seed);

/* What the reference interpreter gives. `graph` is differentiated. */
Stream reference_run(Arena *arena, Graph *graph, const RunInputs *inputs);

/* The text of a C program that includes <name>.h, reads the inputs from the file argv[1] and writes the same stream, as raw reals, to argv[2].
 * `prepares`: the model was compiled with --prepare. */
const char *driver_text(Arena *arena, const Graph *graph, const RunInputs *inputs, const char *header, bool prepares);
/* The file that it reads. */
bool inputs_write(const Graph *graph, const RunInputs *inputs, const char *path);
/* Reads what it wrote into a stream shaped as `like`; false when the size differs. */
bool stream_read(Arena *arena, const Stream *like, bool real_is_double, const char *path, Stream *out);

/* Largest difference of two streams: relative to the largest magnitude of the piece (not below 1e-3). Fills `worst` with the piece's name. */
double stream_difference(const Stream *a, const Stream *b, const char **worst);

#endif
