/* check.h: gradients of a graph against central differences, forward mode against reverse mode, second derivatives likewise; all in double through the
 * interpreter of the graph.
 *
 *     Check *c = check_new(4);                                     a graph whose batch is at most 4
 *     const Node *x = check_leaf(c, 2, shape, -1, 1);              a real leaf with random values in [-1, 1]
 *     check_gradients(c, "square", e);                             of sum(e), with respect to every leaf
 *     check_free(c);
 *
 * Two numbers agree when their difference is below tolerance * max(both, 1e-3 * max(1, |sum(e)|)).
 */
#ifndef NNC_TESTS_GRADIENTS_CHECK_H
#define NNC_TESTS_GRADIENTS_CHECK_H

#include "ir/graph.h"

typedef struct Check Check;

Check *check_new(int64_t batch);
/* A model that was lowered to a graph: its parameters have their initial values, inputs are random in [-1, 1], targets in [0.1, 0.9] or in their classes.
 * In large models only some elements of each leaf are checked one by one, and only n = 1. The entries of the graph are cleared. Owns the arena. */
Check *check_of_model(Arena *arena, Graph *g);
void check_free(Check *check);
Graph *check_graph(Check *check);

/* Leaves have values that depend on the order in which they are made, never on time. */
const Node *check_leaf(Check *check, int rank, const Extent *shape, double low, double high);
/* Integers in 0 .. classes-1. */
const Node *check_classes(Check *check, int rank, const Extent *shape, int64_t classes);

/* Of sum(e), for n = 1 and for the whole batch: every element of every gradient within 1e-6 of central differences, second derivatives within 1e-5 of those of the
 * gradients, forward mode equal to reverse mode; then the passes of opt must come to an end and keep all these values. Fails the cmocka test on a difference, with the
 * label in the message. */
void check_gradients(Check *check, const char *label, const Node *e);

/* Random numbers in [0, 1), the same on every run. */
double check_random(Check *check);

#endif
