/* c_names.h: the identifiers that users of the generated C see, made once and the same in header and source. */
#ifndef NNC_EMIT_C_NAMES_H
#define NNC_EMIT_C_NAMES_H

#include "loop/loop.h"
#include "plan/target.h"

typedef struct CNames {
    const Graph *graph;
    const char *prefix;    /* "lenet" */
    const char *functions; /* begins the names of the entry points: "lenet", or of a variant "lenet_avx2" */
    bool is_variant;   /* the file is for one processor of several: its functions are reached by their table alone */
    const char *upper; /* "LENET" */
    const char *real;  /* "float" or "double" */
    /* By ordinal. Members of the structs: conv1_K for conv1.K, prepared ones avx2.conv1_K in a file for one processor of several. NULL: a prepared tensor
     * that is none. */
    const char *const *params, *const *states, *const *prepared;
    /* Arguments of the functions, also distinct from p, s, gradient, metrics, n and workspace. */
    const char *const *inputs, *const *outputs;
    size_t param_count, state_count, input_count, output_count;
    const char *const *metrics; /* names as in the model */
    size_t metric_count;
    bool has_state;    /* the model trains: there is a state struct */
    bool has_prepared; /* predict takes a prepared struct, not the parameters */
} CNames;

/* `variant`: the processor of several that the file is for; NULL: it is the whole model. */
const CNames *c_names(const LoopProgram *program, const Target *variant);

/* "[6][1][5][5]"; "" for a scalar. */
const char *c_dimensions(Arena *arena, const Node *tensor);

#endif
