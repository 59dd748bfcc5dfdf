/* loop_make.h: constructors of loop expressions and statements. Integer arithmetic folds constants on the way.
 *
 * An operation is a vector when one of its value arguments is. Everything is allocated in the arena that is given.
 */
#ifndef NNC_LOOP_LOOP_MAKE_H
#define NNC_LOOP_LOOP_MAKE_H

#include "loop/loop.h"

const LoopExpr *expr_real(Arena *arena, double value);
const LoopExpr *expr_int(Arena *arena, int64_t value);
const LoopExpr *expr_bool(Arena *arena, bool value);
const LoopExpr *expr_lanes(Arena *arena);
const LoopExpr *expr_var(Arena *arena, const LoopVar *var);
/* An element of a tile; `second` is NULL when it has one axis. */
const LoopExpr *expr_element(Arena *arena, const LoopVar *tile, const LoopExpr *first, const LoopExpr *second);
/* The sums of the lanes of the elements of a tile from `row` on: a vector. `column` is NULL when the tile has one axis. */
const LoopExpr *expr_sums(Arena *arena, const LoopVar *tile, const LoopExpr *row, const LoopExpr *column);
const LoopExpr *expr_runtime(Arena *arena, Runtime which);
const LoopExpr *expr_load(Arena *arena, LoopAddress address, bool vector);
/* A whole vector of reals from memory, for a variable: it is loaded once. Other expressions stay as they are. */
const LoopExpr *expr_once(Arena *arena, const LoopExpr *value);
const LoopExpr *expr_op(Arena *arena, Op op, Type type, const LoopExpr *a, const LoopExpr *b,
                        const LoopExpr *c); /* unused arguments are NULL */
const LoopExpr *expr_fma(Arena *arena, const LoopExpr *a, const LoopExpr *b, const LoopExpr *c);
const LoopExpr *expr_splat(Arena *arena, const LoopExpr *value); /* a vector stays as it is */
const LoopExpr *expr_iota(Arena *arena);
const LoopExpr *expr_first(Arena *arena, const LoopExpr *count);
const LoopExpr *expr_horizontal(Arena *arena, Reduction reduce, const LoopExpr *value);

/* Integers. */
const LoopExpr *expr_add(Arena *arena, const LoopExpr *a, const LoopExpr *b);
const LoopExpr *expr_sub(Arena *arena, const LoopExpr *a, const LoopExpr *b);
const LoopExpr *expr_mul(Arena *arena, const LoopExpr *a, const LoopExpr *b);
const LoopExpr *expr_less(Arena *arena, const LoopExpr *a, const LoopExpr *b); /* a bool */
const LoopExpr *expr_min(Arena *arena, const LoopExpr *a, const LoopExpr *b);
const LoopExpr *expr_max(Arena *arena, const LoopExpr *a, const LoopExpr *b);
const LoopExpr *expr_scale(Arena *arena, const LoopExpr *a, int64_t factor);
const LoopExpr *expr_extent(Arena *arena, Extent extent); /* a constant, or per_sample * n */
bool expr_is_int(const LoopExpr *e, int64_t value);
bool expr_same(const LoopExpr *a, const LoopExpr *b); /* integers, of sums and products of variables and numbers */

/* The value that leaves a reduction as it is, and one step of it. Not for ARGMAX and ARGMIN. */
const LoopExpr *expr_identity(Arena *arena, Reduction reduce, Type type);
const LoopExpr *expr_combine(Arena *arena, Reduction reduce, const LoopExpr *a, const LoopExpr *b);

/* ROLLED, where it is an outer loop that goes around so seldom that C compilers might write out all that is in it. */
LoopStmt *stmt_for(Arena *arena, const LoopVar *var, const LoopExpr *from, const LoopExpr *to, const LoopExpr *step,
                   LoopBody body);
/* For a tile: for var in 0 .. count, by 1 or NN_LANES. */
LoopStmt *stmt_unrolled(Arena *arena, const LoopVar *var, int count, const LoopExpr *step, LoopBody body);
/* Whether C compilers are asked to write it out, or do so by themselves. */
bool loop_is_written_out(const LoopStmt *loop);
/* Whether there are other loops in it, or calls. */
bool loop_is_outer(const LoopStmt *loop);
LoopStmt *stmt_if(Arena *arena, const LoopExpr *test, LoopBody then);
LoopStmt *stmt_declare(Arena *arena, const LoopVar *var, const LoopExpr *init, bool is_mutable);
/* `place` is a LOOP_VAR or a LOOP_ELEMENT. */
LoopStmt *stmt_assign(Arena *arena, const LoopExpr *place, const LoopExpr *value);
LoopStmt *stmt_store(Arena *arena, LoopAddress to, const LoopExpr *value);
LoopStmt *stmt_call(Arena *arena, Kernel *kernel);
LoopStmt *stmt_turn(Arena *arena, const LoopVar *tile, LoopAddress at, bool stores);
LoopStmt *stmt_apply(Arena *arena, Op op, const LoopVar *tile);
LoopStmt *stmt_fetch(Arena *arena, LoopAddress at, int64_t ahead, bool writes);
LoopStmt *stmt_fence(Arena *arena);
LoopStmt *stmt_mark(Arena *arena, int mark);

#endif
