/* estimate.h: what the cost model expects of a single equation, for passes over the graph that compare ways to compute the same. */
#ifndef NNC_PLAN_ESTIMATE_H
#define NNC_PLAN_ESTIMATE_H

#include "ir/graph.h"
#include "plan/target.h"

/* Cycles of one core for the node as a stage of its own, with the loops that the planner would choose, and a part of what it waits for memory.
 * What is there already, a leaf, costs nothing, nor
 * does what is prepared. */
double estimate_cycles(Graph *g, const Target *target, const Node *node);

/* The same where so much of the waiting shows. */
double estimate_cycles_with(Graph *g, const Target *target, const Node *node, double shown);

/* The loops of the node, an expression, run over terms that choose their place (scatter.c). */
bool estimate_scatters(Graph *g, const Target *target, const Node *node);

#endif
