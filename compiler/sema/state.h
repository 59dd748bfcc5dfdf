/* state.h: the statements `state v: type = init` and `v <- e`.
 *
 * In an optimizer, a state belongs to the parameter that it runs for (optimizer.h). In a layer or a model it is a tensor of its own, which training
 * changes by `<-` and the optimizer does not (PyTorch: a buffer). It stands among the parameters, as predictions read it and checkpoints hold it; its
 * gradient is 0. An update gives the name its new value for the lines behind it, and for the next use of the same instance.
 */
#ifndef NNC_SEMA_STATE_H
#define NNC_SEMA_STATE_H

#include "sema/context.h"

void state_statement(Sema *s, const AstStmt *stmt);
void update_statement(Sema *s, const AstStmt *stmt);

/* The value of an update as a node in the shape of its target; NULL after a fault. */
const Node *update_value(Sema *s, const AstStmt *stmt, const Node *target);

/* Before a run of the model's body: no state has been changed. */
void states_restart(Sema *s);
/* What the run has changed, as outputs of the training step. */
void states_add_updates(Sema *s);

#endif
