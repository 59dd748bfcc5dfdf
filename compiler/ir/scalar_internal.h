/* scalar_internal.h: what the files that build scalars share. Not for other modules (tests build unsimplified expressions with it).
 *
 * scalar.c owns the pool and dispatches each constructor to the file of rules for its type; the rules end in the raw constructors below,
 * which intern an operation as it stands.
 */
#ifndef NNC_IR_SCALAR_INTERNAL_H
#define NNC_IR_SCALAR_INTERNAL_H

#include "ir/graph.h"
#include "ir/linear.h"
#include "ir/scalar_walk.h"

typedef struct PoolEntry {
    uint64_t hash;
    const Scalar *scalar; /* NULL: free */
} PoolEntry;

/* What an operation on two scalars came to. Passes ask for the same ones again and again, with every loop order that they weigh. */
typedef struct OpResult {
    Op op;
    const Scalar *a, *b, *result; /* NULL: none yet */
} OpResult;

struct ScalarPool {
    Arena *arena;
    PoolEntry *entries; /* open addressing; capacity is a power of two */
    size_t capacity, count;
    OpResult *results;      /* of the last operations, by hash: a later one takes the place of an earlier one */
    ScalarWalk *idle_walks; /* for reuse: a rewrite takes one, and nested rewrites take more */
};

/* ---- interning without simplification ---- */
const Scalar *scalar_raw(ScalarPool *pool, Op op, const Scalar *const *args, Extent extent);
const Scalar *scalar_raw1(ScalarPool *pool, Op op, const Scalar *a);
const Scalar *scalar_raw2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b);
/* a op b for an operation where the order does not matter: `b op a` when that exists already, so that both are the same pointer and the order
 * that was written first is the one that is printed. */
const Scalar *scalar_raw_either(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b);

/* A walk for use and its return. */
ScalarWalk *scalar_take_walk(ScalarPool *pool);
void scalar_give_walk(ScalarPool *pool, ScalarWalk *walk);
/* Enters only what reads a tensor. */
bool scalar_enter_loads(const void *context, const Scalar *s);

/* ---- rules: op is of the group in the function's name, the arguments have the right types ---- */
const Scalar *simplify_real1(ScalarPool *pool, Op op, const Scalar *a);
const Scalar *simplify_real2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b);
const Scalar *simplify_integer1(ScalarPool *pool, Op op, const Scalar *a);
const Scalar *simplify_integer2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b);
const Scalar *simplify_logic1(ScalarPool *pool, Op op, const Scalar *a);
const Scalar *simplify_logic2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b);
const Scalar *simplify_compare(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b);
const Scalar *simplify_integer_compare(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b);
const Scalar *simplify_to_real(ScalarPool *pool, const Scalar *a);
const Scalar *simplify_to_index(ScalarPool *pool, const Scalar *a, const Scalar *count);

/* Moves a binary operation into the branches of a select where that costs nothing; NULL where it would. */
const Scalar *simplify_select_operand(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b);
/* The same for one argument. */
const Scalar *simplify_select_argument(ScalarPool *pool, Op op, const Scalar *a);

/* ---- reading ---- */

/* An order by structure, the same whatever was built first: leaves before operations, indices by slot. 0 only for the same scalar. */
int scalar_compare(const Scalar *a, const Scalar *b);

static inline bool scalar_is_constant(const Scalar *s) {
    return s->kind == SCALAR_REAL || s->kind == SCALAR_INT || s->kind == SCALAR_BOOL;
}
static inline bool scalar_is_zero(const Scalar *s) {
    return scalar_is_real(s, 0.0) || scalar_is_int(s, 0);
}
static inline const Scalar *scalar_arg(const Scalar *s, int i) {
    return s->op.arg[i];
}

#endif
