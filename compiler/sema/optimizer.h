/* optimizer.h: an optimizer, run once for each parameter: its states and the new values.
 *
 * In the body, p is the parameter, g its gradient, `rate` the schedule's value and `step` the number of steps done. An update gives the
 * name its new value for the lines behind it.
 */
#ifndef NNC_SEMA_OPTIMIZER_H
#define NNC_SEMA_OPTIMIZER_H

#include "sema/context.h"

typedef struct Update {
    const Node *target, *value;
} Update;

struct OptimizerRun {
    const Node *param;
    TextMap *targets; /* names that `<-` may change: to the Node of the parameter or state */
    VEC(Update) updates;
};

/* The statements `state v: type = init` and `v <- e` in the body. */
void optimizer_state(Sema *s, const AstStmt *stmt);
void optimizer_update(Sema *s, const AstStmt *stmt);

/* What the `train` block says of it. */
typedef struct Training {
    Value optimizer;  /* FUNCTION or INSTANCE of an optimizer */
    Value rate;       /* a number, or FUNCTION or INSTANCE of a schedule */
    double clip_norm; /* the largest norm of all gradients together; 0: any */
    Place optimizer_place, rate_place;
} Training;

/* Adds the updates and the initial states of every parameter to the graph's entries. */
void optimizer_build(Sema *s, const Training *training, const Node *loss);

#endif
