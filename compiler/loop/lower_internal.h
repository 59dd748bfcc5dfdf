/* lower_internal.h: what the files that lower scalars share (lower.h is for all others).
 *
 * lower.c lowers expressions and decides which become variables; lower_load.c makes addresses and loads; lower_quotient.c divides by
 * reciprocals; lower_tile.c opens the loops of the register tile and computes ahead of them what rows and columns share.
 */
#ifndef NNC_LOOP_LOWER_INTERNAL_H
#define NNC_LOOP_LOWER_INTERNAL_H

#include "loop/lower.h"

static inline Arena *lower_arena(const Lowering *l) {
    return l->kernel->arena;
}

static inline bool lower_depends(const Scalar *s, int slot) {
    return slot >= 0 && (s->slots >> slot & 1) != 0;
}

/* ---- lower.c ---- */

/* The variable that has the value already, or this row's or column's element of its tile; NULL: none. */
const LoopExpr *lower_known(const Lowering *l, const Scalar *s);
/* The argument of `user`, NULL for a whole body: a variable where that pays. */
const LoopExpr *lower_arg(Lowering *l, const Scalar *user, const Scalar *arg);
/* The expression itself, although it may be known; its arguments may be variables. */
const LoopExpr *lower_fresh(Lowering *l, const Scalar *s);

/* The last bit of the value matters: something is rounded down that is made of it. */
bool lower_is_exact(const Lowering *l, const Scalar *s);
/* Worth a variable: what costs more than naming it. Sums of indices are left to the C compiler. */
bool lower_is_work(const Scalar *s);
/* Has several users. */
bool lower_is_shared(const Lowering *l, const Scalar *s);
/* The load of a value that the kernel has in a variable. */
bool lower_is_register(const Lowering *l, const Scalar *s);
/* The outermost scope where `s` has all its indices and may be computed; what the kernel itself computes does not leave the stage. */
Scope *lower_home(const Lowering *l, const Scalar *s);
/* A name for the variable of `s`. */
const char *lower_wish(const Scalar *s);

/* Lanes before this column's vector. */
const LoopExpr *lower_first_of_column(const Lowering *l);

/* ---- lower_load.c ---- */

const LoopExpr *lower_load(Lowering *l, const Scalar *s);
/* Where the load's tensor stands, from axis `first` on. */
LoopAddress lower_tensor(const Lowering *l, const Scalar *load, int *first);

/* ---- lower_quotient.c ---- */

/* The quotient is one by what does not change in a long innermost loop: lower_quotient makes a product of it. */
bool lower_has_inverse(const Lowering *l, const Scalar *s);
const LoopExpr *lower_quotient(Lowering *l, const Scalar *s);

#endif
