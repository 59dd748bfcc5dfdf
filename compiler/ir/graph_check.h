/* graph_check.h: the verifier that the driver runs between passes.
 *
 * Types, slots against the node's axes, every load's rank and range (proved with scalar_range and the `within` conditions of the selects around it), shapes of
 * outputs against their targets, no GRAD/JVP/DETACH after differentiate (when `lowered`). A violation is a compiler bug: diag_bug(stage).
 */
#ifndef NNC_IR_GRAPH_CHECK_H
#define NNC_IR_GRAPH_CHECK_H

#include "ir/graph.h"

void graph_check(Graph *g, const char *stage, bool lowered);

/* Whether every load in the body of an EXPR is proved to be in range: for passes that move expressions under other conditions. */
bool node_loads_proved(Graph *g, const Node *node);

#endif
