/* model.h: the statements of a model, and the two evaluations that give the entry points.
 *
 * The body runs once with `training` false and once with true. Inputs are made by the first run and found again by the second.
 */
#ifndef NNC_SEMA_MODEL_H
#define NNC_SEMA_MODEL_H

#include "sema/context.h"

typedef struct NamedNode {
    const char *name;
    const Node *node;
    Place place;
} NamedNode;

/* What one run of the body found. */
typedef VEC(NamedNode) NamedNodes;

struct ModelBuild {
    TextMap *inputs;      /* name to NamedNode; kept between the runs */
    TextMap *faulty;      /* names of inputs and targets that could not be made: reported */
    const char *batch_of; /* the input that fixed the sample axis */
    Place batch_place;
    NamedNodes outputs, losses, metrics; /* of this run */
};

void model_input(Sema *s, const AstStmt *stmt);
void model_output(Sema *s, const AstStmt *stmt);
void model_loss(Sema *s, const AstStmt *stmt);
void model_metric(Sema *s, const AstStmt *stmt);

/* Runs the model's body; what it finds replaces the lists of `build`. */
void model_run(Sema *s, ModelBuild *build, const AstDecl *model, bool training);
ModelBuild *model_build_new(Arena *arena);

#endif
