/* sema.h: meaning: from the ASTs of the prelude and the user's file to a graph and a training recipe.
 *
 * Resolves names, evaluates what is known at compile time, instantiates layers, checks shapes, and writes every equation as a tensor expression.
 * Differentiation is only asked for here (NODE_GRAD, NODE_JVP placeholders); the differentiate pass does it.
 *
 * The model's body is evaluated twice: with `training` false (entries PREDICT and LOSS) and true (GRADIENT and TRAIN_STEP); parameters are shared
 * by path name. INIT and STATE_INIT come from the initialisers.
 */
#ifndef NNC_SEMA_SEMA_H
#define NNC_SEMA_SEMA_H

#include "ir/graph.h"
#include "sema/recipe.h"
#include "syntax/ast.h"

typedef struct DimOverride { /* -D name=value */
    const char *name;
    int64_t value;
    bool used; /* set by sema; an unused override is an error that names the declared dimensions */
} DimOverride;

typedef struct SemaOptions {
    DimOverride *dims;
    size_t dim_count;
    bool real_is_double;
    EntrySet left_out; /* are not made, nor what they alone need */
    EntrySet wanted;   /* of these, the model must have all: one that it cannot have is an error */
} SemaOptions;

/* false: errors were reported. The graph and recipe live in `arena`. `recipe` is empty without a train block. */
bool sema_lower(Arena *arena, const AstFile *prelude, const AstFile *file, const SemaOptions *options, Diag *diag,
                Graph **graph, Recipe **recipe);

#endif
