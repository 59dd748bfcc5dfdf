/* scalar.h: scalar expressions, the bodies of tensor expressions.
 *
 * A Scalar is immutable and hash-consed in its ScalarPool: two structurally equal expressions are the same pointer, so `==` is equality
 * and common subexpressions need no search. The constructors simplify on the way (constants, 0 and 1, double negation, linear forms of
 * integers, ranges), so that a rebuilt expression is a simplified one; all rules are listed, with their direction, in simplify_real.c, simplify_integer.c, linear.c
 * and simplify_logic.c.
 *
 * Index variables. Node bodies speak of their loops by slot: slots 0 .. rank-1 are the output axes, rank .. rank+reduced-1 the reduction
 * axes. An index leaf carries its extent, so the range of every integer expression is known without context (scalar_range).
 *
 * Indices of loads are integer scalars. Passes that need the affine form ask affine_of() (affine.h); what is not affine (digits of a
 * reshape `i / 25`, data-dependent gathers `E[token[b], d]`) stays an expression, and every pass keeps its meaning.
 *
 * Guards. select() evaluates only the chosen branch; a load under a select may therefore have indices that leave the tensor where the
 * condition is false. `within(e, extent)` is the condition used for it: 0 <= e < extent. There is no other out-of-range load
 * (graph_check proves it). select(c, x, 0) * y simplifies to select(c, x * y, 0): guards come to the top of a body, where the loop
 * builder turns them into loop bounds.
 *
 * Integers are mathematically 64-bit in the compiler; graph_check makes sure that generated index arithmetic stays in int64.
 */
#ifndef NNC_IR_SCALAR_H
#define NNC_IR_SCALAR_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/text.h"

typedef struct Node Node; /* graph.h */

typedef enum Type { TYPE_REAL, TYPE_INT, TYPE_BOOL } Type;

/* The size of an axis. per_sample == 0: exactly `size`. Otherwise the axis is dynamic: per_sample * n, and `size` is the largest value. */
typedef struct Extent {
    int64_t size;
    int64_t per_sample;
} Extent;

static inline bool same_extent(Extent a, Extent b) {
    return a.size == b.size && a.per_sample == b.per_sample;
}

typedef enum Op {
#define OP(NAME, ...) OP_##NAME,
#include "ir/ops.def"
#undef OP
    OP_COUNT
} Op;

typedef enum OpKind { OP_KIND_ARITH, OP_KIND_FUNCTION, OP_KIND_COMPARE, OP_KIND_LOGIC, OP_KIND_SPECIAL } OpKind;

typedef enum OpDomain { DOMAIN_REALS, DOMAIN_POSITIVE, DOMAIN_NONNEGATIVE, DOMAIN_NONZERO, DOMAIN_UNIT } OpDomain;

typedef struct OpInfo {
    const char *name;     /* "TANH" */
    const char *spelling; /* "tanh" */
    int arity;
    OpKind kind;
    int flops;
    const char *c_scalar, *c_vector;
    const char *c_tile; /* NULL: none */
    OpDomain domain;
    int ulp;
    const char *doc;
} OpInfo;

/* What a function of a tile takes at most. */
enum { MOST_TURNS = 4 };

const OpInfo *op_info(Op op);
/* Is the argument evaluated only where the first one says so? Branches of a choice are, and the right side of `&&` and `||`. */
bool op_is_conditional(Op op, int arg);
/* Of comparisons: the one that holds where this one does not, NaN aside; and the same one with its sides exchanged. */
Op op_opposite(Op op);
Op op_mirrored(Op op);
bool op_by_spelling(const char *spelling, Op *op);
/* The value of an operation on doubles (its `fold`); bools are 0 and 1. WITHIN, SELECT and RANDOM have none: 0. */
double op_fold(Op op, double a, double b);

/* Values that a generated function receives at run time. */
typedef enum Runtime {
    RUNTIME_N,    /* int: the actual number of samples */
    RUNTIME_STEP, /* int: training steps done before this one */
    RUNTIME_STEPS /* int: planned training steps */
} Runtime;

typedef enum ScalarKind {
    SCALAR_REAL,
    SCALAR_INT,
    SCALAR_BOOL,
    SCALAR_INDEX,
    SCALAR_RUNTIME,
    SCALAR_LOAD,
    SCALAR_OP
} ScalarKind;

/* Smallest and largest value of an integer; INT64_MIN, INT64_MAX: unknown. */
typedef struct Range {
    int64_t low, high;
} Range;

typedef struct Scalar Scalar;
struct Scalar {
    ScalarKind kind;
    Type type;
    uint32_t id; /* dense, in order of creation, arguments before users: deterministic; for ordering and side tables */
    uint64_t slots; /* bit set of the index slots that occur in it */
    bool has_load;  /* a load occurs in it */
    Range range;    /* integers: see scalar_range() */
    union {
        double real;
        int64_t integer; /* INT; BOOL: 0 or 1 */
        struct {
            int slot;
            Extent extent;
        } index;
        Runtime runtime;
        struct {
            const Node *tensor;
            int rank;
            const Scalar *const *at;
        } load;
        struct {
            Op op;
            const Scalar *arg[3];
            Extent extent; /* WITHIN only */
        } op;
    };
};

typedef struct ScalarPool ScalarPool;
ScalarPool *scalar_pool_new(Arena *arena);

/* ---- constructors (simplify; never fail) ---- */
const Scalar *scalar_real(ScalarPool *pool, double value);
const Scalar *scalar_int(ScalarPool *pool, int64_t value);
const Scalar *scalar_bool(ScalarPool *pool, bool value);
const Scalar *scalar_index(ScalarPool *pool, int slot, Extent extent); /* an axis of size 1 gives the constant 0 */
const Scalar *scalar_runtime(ScalarPool *pool, Runtime which);
const Scalar *scalar_load(ScalarPool *pool, const Node *tensor, const Scalar *const *at);
const Scalar *scalar_op1(ScalarPool *pool, Op op, const Scalar *a);
const Scalar *scalar_op2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b);
const Scalar *scalar_select(ScalarPool *pool, const Scalar *test, const Scalar *then, const Scalar *otherwise);
const Scalar *scalar_within(ScalarPool *pool, const Scalar *index, Extent extent);
/* The size of an axis as an integer scalar: a constant, or per_sample * n. */
const Scalar *scalar_extent(ScalarPool *pool, Extent extent);
/* Rebuilds an operation with other arguments (the same op and payload). */
const Scalar *scalar_with_args(ScalarPool *pool, const Scalar *op, const Scalar *const *args);
const Scalar *scalar_to_real(ScalarPool *pool, const Scalar *a); /* identity on reals */

static inline bool scalar_is_real(const Scalar *s, double value) {
    return s->kind == SCALAR_REAL && s->real == value;
}
static inline bool scalar_is_int(const Scalar *s, int64_t value) {
    return s->kind == SCALAR_INT && s->integer == value;
}
static inline bool scalar_is_op(const Scalar *s, Op op) {
    return s->kind == SCALAR_OP && s->op.op == op;
}

/* ---- analyses ---- */

/* Smallest and largest value of an integer scalar, over all values of its index variables and 1 <= n <= batch (INT64_MIN/MAX: unknown).
 * Constant time: it is found when the scalar is built. */
Range scalar_range(const Scalar *s);

/* Operations on reals of one evaluation. A shared subexpression counts once, a select its dearer branch; integers, the indices of loads, and guards
 * (selects whose test reads no tensor) are free: they become loop bounds and addresses. */
int64_t scalar_flops(const Scalar *s);

/* Calls visit for every distinct load in `s` (each pointer once, in order of first occurrence from the left), including loads in indices. */
void scalar_each_load(Arena *scratch, const Scalar *s, void (*visit)(void *context, const Scalar *load), void *context);

/* Does the test hold for one of these loads? It ends with the first. */
typedef bool LoadTest(const void *context, const Scalar *load);
bool scalar_any_load(Arena *scratch, const Scalar *s, LoadTest *test, const void *context);

/* ---- substitution: all at once, memoised within one call ---- */
typedef struct ScalarRewrite {
    /* For an index leaf: its replacement, or NULL to keep it. */
    const Scalar *(*index)(void *context, const Scalar *leaf);
    /* For a load whose indices `at` have been rewritten already: its replacement, or NULL to rebuild it as it is. */
    const Scalar *(*load)(void *context, const Scalar *load, const Scalar *const *at);
    /* For an operation whose arguments `args` have been rewritten already: its replacement, or NULL to rebuild it as it is. */
    const Scalar *(*op)(void *context, const Scalar *op, const Scalar *const *args);
    void *context;
} ScalarRewrite;
const Scalar *scalar_rewrite(ScalarPool *pool, const Scalar *s, ScalarRewrite rewrite);

/* Index slots replaced by table: map[slot] (NULL: keep), for slots below count. The workhorse of inlining and differentiation. */
const Scalar *scalar_substitute(ScalarPool *pool, const Scalar *s, const Scalar *const *map, int count);

/* ---- text ---- */

/* How a load's tensor and an index variable are written; a NULL function or result gives the name of the node's origin ("%12" without one), and
 * i0, i1, ... by slot. */
typedef struct ScalarNames {
    const char *(*tensor)(void *context, const Node *tensor);
    const char *const *slots;
    const char *batch; /* the run-time number of samples; NULL: "n" */
    /* The name of a subexpression that is written elsewhere; NULL result: it is written out. */
    const char *(*shared)(void *context, const Scalar *s);
    void *context;
} ScalarNames;
void scalar_print_named(const Scalar *s, ScalarNames names, Text *out);

/* As text, in the IR's notation: "tanh(x[i0, i1]) + 1.0"; slot_names[slot] for index variables (NULL: i0, i1, ...). */
void scalar_print(const Scalar *s, const char *const *slot_names, Text *out);

#endif
