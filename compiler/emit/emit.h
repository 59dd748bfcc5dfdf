/* emit.h: the loop program as text: C, its header, and a drawing of the network.
 *
 *     lenet.c   banner, the inline functions that are used (runtime/inline), for each entry point its kernels and the
 *               function that calls them, the tables of tensors, and with `with_main` a main() for the run-time library
 *     lenet.h   types, sizes, functions, tables: docs/GENERATED.md is its manual
 *
 * For several processors: lenet_avx2.c and its like with the kernels, and lenet.c with the tables, main() and the choice.
 *
 * The emitter decides nothing: loops, addresses, names of variables and their order are those of the program. It adds
 * C's own matters: minimal brackets, casts between integers, line breaks.
 *
 * Errors: none; a program that cannot be printed is a bug of the compiler (diag_bug).
 */
#ifndef NNC_EMIT_EMIT_H
#define NNC_EMIT_EMIT_H

#include "loop/loop.h"
#include "plan/target.h"
#include "sema/recipe.h"

/* Trained parameters, to be written as a constant. */
typedef struct EmitWeights {
    const char *file;          /* where they come from, for the comment */
    const void *const *values; /* of each parameter, by ordinal: floats, or doubles where the model's reals are */
} EmitWeights;

/* A model, made for one processor or for several: then each has a C file of its own (`variant`), and one more chooses between them when the
 * program runs. */
typedef struct EmitFamily {
    const LoopProgram *const *programs;
    const Target *const
        *targets; /* what each is for, in the order of the table of targets; the first of several runs everywhere */
    size_t count;
} EmitFamily;

typedef struct EmitOptions {
    const char *version;     /* of nnc, for the banner */
    const char *command;     /* the options that shaped the output, for the banner: "--real double"; "" for none */
    const char *source_name; /* of the C file: where #line returns to */
    const char *header_name; /* as the C file includes it */
    bool with_main;
    bool lines; /* #line directives that point at the model */
    bool openmp;
    int parts; /* all marks are below: adds a main() that prints how long each takes (runtime/inline/measure.h). 0: none */
    const Recipe *recipe;       /* for main(); NULL or not present: the model is only described */
    const EmitWeights *weights; /* NULL: none */
    const Target *variant;      /* the source is that of one processor of a family; NULL: it is the whole model */
} EmitOptions;

/* Tools know tensors of so many axes. */
enum { SHOWN_RANK = 8 };

/* A tensor's shape as tools see it: where it has more axes than they know, the first ones are joined to one. Returns the
 * number of axes. */
int emit_shown_shape(const Extent *shape, int rank, int64_t shown[SHOWN_RANK]);

void emit_source(const LoopProgram *program, const EmitOptions *options, Text *out);
/* Of a family with several members: the file that chooses between them, with everything that they share. */
void emit_choice(const EmitFamily *family, const EmitOptions *options, Text *out);
void emit_header(const EmitFamily *family, const EmitOptions *options, Text *out);

/* The network in the language of Graphviz: the graph of prediction and loss, and the graph of the gradient where there is one. */
void emit_dot(Graph *graph, Text *out);

#endif
