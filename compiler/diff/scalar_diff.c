#include "diff/scalar_diff.h"

#include "ir/scalar_walk.h"

/* The rule of one operation: its derivative with respect to argument `which`; A, B are its arguments, Y its result. */
static const Scalar *rule_of(ScalarPool *pool, Op op, int which, const Scalar *a, const Scalar *b, const Scalar *y) {
#define A a
#define B b
#define Y y
#define NUM(c) scalar_real(pool, (c))
#define ZERO scalar_real(pool, 0.0)
#define NONE scalar_real(pool, 0.0)
#define OP1(NAME, x) scalar_op1(pool, OP_##NAME, (x))
#define OP2(NAME, x, z) scalar_op2(pool, OP_##NAME, (x), (z))
#define ADD(x, z) OP2(ADD, x, z)
#define SUB(x, z) OP2(SUB, x, z)
#define MUL(x, z) OP2(MUL, x, z)
#define DIV(x, z) OP2(DIV, x, z)
#define NEG(x) OP1(NEG, x)
#define SELECT(c, x, z) scalar_select(pool, (c), (x), (z))
    switch (op) {
#define OP(NAME, spelling, arity, kind, fold, da, db, ...)                                                             \
    case OP_##NAME:                                                                                                    \
        return which == 0 ? (da) : (db);
#include "ir/ops.def"
#undef OP
    case OP_COUNT: break;
    }
    return ZERO;
#undef A
#undef B
#undef Y
#undef NUM
#undef ZERO
#undef NONE
#undef OP1
#undef OP2
#undef ADD
#undef SUB
#undef MUL
#undef DIV
#undef NEG
#undef SELECT
}

/* Only real subexpressions with loads have a tangent to look for; indices and conditions are left out. */
static bool may_vary(const void *context, const Scalar *s) {
    (void)context;
    return s->kind == SCALAR_OP && s->type == TYPE_REAL && s->has_load;
}

/* Tangents found so far stand beside the walk's list. */
static const Scalar *tangent_at(const ScalarWalk *walk, const Scalar *s) {
    return walk->results[scalar_walk_position(walk, s)];
}

/* Chain rule: sum over the arguments of rule * tangent. `y` is what the rules use as the result. */
static const Scalar *tangent_of_op(ScalarPool *pool, const ScalarWalk *walk, const Scalar *s, const Scalar *y) {
    const Scalar *const *arg = s->op.arg;
    int arity = op_info(s->op.op)->arity;
    const Scalar *sum = scalar_real(pool, 0.0);
    for (int i = 0; i < arity; i++) {
        const Scalar *inner = tangent_at(walk, arg[i]);
        if (!scalar_is_real(inner, 0.0)) {
            const Scalar *outer = rule_of(pool, s->op.op, i, arg[0], arity > 1 ? arg[1] : NULL, y);
            sum = scalar_op2(pool, OP_ADD, sum, scalar_op2(pool, OP_MUL, outer, inner));
        }
    }
    return sum;
}

static const Scalar *tangent_of(const Tangent *tangent, const ScalarWalk *walk, const Scalar *s) {
    ScalarPool *pool = tangent->pool;
    if (s->type != TYPE_REAL || !s->has_load)
        return scalar_real(pool, 0.0);
    if (s->kind == SCALAR_LOAD)
        return tangent->load(tangent->context, s);
    if (s->op.op != OP_SELECT)
        return tangent_of_op(pool, walk, s, s);
    return scalar_select(pool, s->op.arg[0], tangent_at(walk, s->op.arg[1]), tangent_at(walk, s->op.arg[2]));
}

/* The tangent of the root with the result standing for it: through selects, whose branches are the result where they are chosen. (A branch that
 * also occurs elsewhere is not the result there: this is why the walk itself knows nothing of it.) */
static const Scalar *tangent_of_root(const Tangent *tangent, const ScalarWalk *walk, const Scalar *s) {
    if (!tangent->result || !may_vary(NULL, s))
        return tangent_at(walk, s);
    if (s->op.op != OP_SELECT)
        return tangent_of_op(tangent->pool, walk, s, tangent->result);
    return scalar_select(tangent->pool, s->op.arg[0], tangent_of_root(tangent, walk, s->op.arg[1]),
                         tangent_of_root(tangent, walk, s->op.arg[2]));
}

const Scalar *scalar_tangent(const Tangent *tangent, const Scalar *body) {
    ScalarWalk *walk = scalar_walk_new(tangent->scratch);
    scalar_walk(walk, body, may_vary, NULL);
    for (size_t i = 0; i < walk->count; i++)
        walk->results[i] = tangent_of(tangent, walk, walk->at[i]);
    return tangent_of_root(tangent, walk, body);
}

typedef struct Direction {
    ScalarPool *pool;
    const Scalar *load;
} Direction;

static const Scalar *unit_tangent(void *context, const Scalar *load) {
    const Direction *direction = context;
    return scalar_real(direction->pool, load == direction->load ? 1.0 : 0.0);
}

const Scalar *scalar_partial(ScalarPool *pool, Arena *scratch, const Scalar *body, const Scalar *load,
                             const Scalar *result) {
    Direction direction = {.pool = pool, .load = load};
    Tangent tangent = {.pool = pool, .scratch = scratch, .load = unit_tangent, .context = &direction, .result = result};
    return scalar_tangent(&tangent, body);
}
