/* equation.h: index notation: y[b, n] = bias[n] + sum(k) W[n, k] * x[b, k].
 *
 * Index variables have slots from VARIABLE_SLOT on while the equation is evaluated, so that an element is an ordinary value of rank 0 and
 * functions serve tensors and elements alike. When the right side is done, the slots of the left side become the axes of the node.
 *
 * A reduction becomes a node of its own whose axes are the outer variables that its body uses; when nothing surrounds it, the graph
 * sees that the outer map is the identity, and the node stays alone.
 *
 * An index or a reduction outside of any equation is an equation without variables on its left side.
 */
#ifndef NNC_SEMA_EQUATION_H
#define NNC_SEMA_EQUATION_H

#include "sema/context.h"

typedef struct Variable {
    const char *name;
    Place place;
    int slot;
    Extent extent;
    int64_t from;        /* its first value */
    bool known;          /* is the range known? */
    bool hidden;         /* only there so that an outer variable of the name is not found */
    const char *because; /* where the range comes from: "axis 1 of `W`" */
    Value because_of;    /* the tensor, for a note */
} Variable;

/* What `...` stands for in this equation. */
typedef struct EllipsisAxes {
    bool written; /* on the left side */
    bool known;
    Place place;
    int count;
    int slot; /* of the first of them */
    Extent extents[MAX_AXES];
    const char *because;
    Value because_of;
} EllipsisAxes;

struct Equation {
    Equation *outer;
    const char *name;           /* of the result, for the nodes of its reductions; NULL: none */
    const AstExpr *whole;       /* the right side */
    Place place;                /* of the statement */
    int left_first, left_count; /* slots of the left side */
    EllipsisAxes ellipsis;
    VEC(Variable *) scope; /* innermost last */
    PointerMap *operands;  /* AstExpr of an indexed tensor to its Value */
    bool poisoned;         /* an operand had a fault: unknown ranges are no further fault */
};

/* The statement `name[vars] = value`. */
Value equation_statement(Sema *s, const AstStmt *stmt);
/* The variable that `name` means in the current equation; NULL: none. */
const Variable *equation_variable(const Equation *equation, const char *name);
/* Its value: an element. */
Value variable_value(Sema *s, const Variable *variable);

/* x[i, j]: in an equation, of a constant place, or an item of a list. */
Value eval_index(Sema *s, const AstExpr *e);
/* sum(k) e and its like. */
Value eval_reduce(Sema *s, const AstExpr *e);

/* ---- between the files of this part ---- */

/* range.c: finds ranges of variables without one, and of the ellipsis, from the axes that they index alone in `body`. */
void infer_ranges(Sema *s, Equation *equation, const AstExpr *body);
/* Evaluates `from` and `to` of a variable when they are stated. */
void state_range(Sema *s, Variable *variable, const AstIndexVar *var);
/* The value of an indexed expression, evaluated once for each equation. */
Value equation_operand(Sema *s, Equation *equation, const AstExpr *tensor);

/* Gives the variable the next free slot; false: there is none, reported. */
bool variable_take_slot(Sema *s, Variable *variable);
void variables_release(Sema *s, int first_slot);

/* Begins an equation in the current frame that has no left side; equation_end() returns to the outer one. */
Equation *equation_begin(Sema *s, const AstExpr *whole, Place place);
void equation_end(Sema *s);

#endif
