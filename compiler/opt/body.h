/* body.h: measures of bodies, for the passes that decide what is computed where. */
#ifndef NNC_OPT_BODY_H
#define NNC_OPT_BODY_H

#include "ir/graph.h"
#include "ir/scalar_walk.h"

typedef struct BodySize {
    double work;  /* operations on reals, as ops.def charges them; a select and index arithmetic are free */
    int scalars;  /* distinct subexpressions */
    int loads;    /* distinct loads of tensors, those inside indices included */
    bool selects; /* chooses between two tensors: a select with loads in both branches */
    bool random;
    bool digits; /* an index holds a quotient or remainder */
} BodySize;
BodySize body_size(ScalarWalk *walk, const Scalar *body);

/* How often the body of `node` is evaluated, with the largest n. */
double node_iterations(const Node *node);

/* A product of at least two factors that load. */
bool body_is_product(const Scalar *body);
/* A sum of such products. */
bool node_is_contraction(const Node *node);

#endif
