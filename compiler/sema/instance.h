/* instance.h: layer instances, their path names, and the parameters that the paths name.
 *
 * A path is the names of the enclosing instances and the own name, joined by dots: "enc", "block_1.3.dense_1". An instance takes the
 * name of the variable that first holds it; one that is applied at once is called after its layer, counting from 1. Inside `for i`
 * the value of i is appended. Counting starts again in every iteration, so that one call has one number.
 */
#ifndef NNC_SEMA_INSTANCE_H
#define NNC_SEMA_INSTANCE_H

#include "sema/arguments.h"

/* Names inside one application of a layer, or in the model. */
struct Naming {
    const char *path;   /* "" in the model */
    const char *suffix; /* of the loops around: ".3" */
    TextMap *counters;  /* layer to the number of unnamed instances so far (boxed int) */
    TextMap *labels;    /* function to the number of its calls so far, for the names of nodes */
    TextMap *taken;     /* path to the Place that took it */
    bool is_stopped;    /* parameters have derivative 0 here */
};

struct Instance {
    const Function *function;
    Arguments args;
    Place place;
    Naming *naming;     /* where it was made */
    const char *suffix; /* of the loops there */
    const char *path;   /* NULL: not named yet */
    bool is_stopped;    /* its calls read the parameters with derivative 0: stop_gradient(instance) */
};

Naming *naming_new(Arena *arena, const char *path);
/* The label of a call of a function: "softmax_2" behind the caller's label. */
const char *naming_label(Sema *s, const Frame *frame, const char *name);

/* Around the iterations of a loop: each one counts from the same start, and afterwards the largest counts hold. */
typedef struct NamingLoop {
    Naming *naming;
    const char *outer_suffix;
    TextMap *start, *largest; /* counters */
    TextMap *label_start, *label_largest;
} NamingLoop;
NamingLoop naming_loop_begin(Sema *s, Naming *naming);
void naming_loop_iterate(Sema *s, NamingLoop *loop, int64_t i);
void naming_loop_end(Sema *s, NamingLoop *loop);

Instance *instance_new(Sema *s, const Function *function, Arguments args);
/* Gives an instance without a path the name of a variable; false: another instance has it, reported. */
bool instance_name(Sema *s, Instance *instance, AstName name);
/* Its path; names it after its layer if it has none. */
const char *instance_path(Sema *s, Instance *instance);

/* The same instance, whose parameters have derivative 0 in the calls of this value. Names it, if it has no name yet. */
Instance *instance_stopped(Sema *s, Instance *instance);

/* ---- parameters ---- */

typedef struct ParamRecord {
    const Node *node;
    const Node *value; /* of a state: what this run has changed it to; else the node */
    Place place;       /* of the statement that made it, as the user sees it */
} ParamRecord;

struct ParamTable {
    TextMap *by_path; /* to ParamRecord */
};

ParamTable *param_table_new(Arena *arena);

/* The statement `param name: type = init`: a new parameter, or the one of this path from an earlier application or evaluation. */
Value param_statement(Sema *s, const AstStmt *stmt);
/* The shape of a `param` or `state`: real, of fixed size. False: reported. */
bool trained_shape(Sema *s, const AstStmt *stmt, int *rank, Extent *shape);
/* The initial value of a parameter or state of this shape; NULL after a fault. */
const Node *initial_value(Sema *s, const Node *leaf, const AstExpr *init);

#endif
