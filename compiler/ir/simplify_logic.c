/* Rules for bools, select, and the conversion to real. c, d: conditions; K: a constant.
 *
 *   && and || are flattened; equal and constant members go, a member beside its negation decides. Members that read no tensor come first, in the order of scalar_compare();
 *   the others keep their order, because a member may guard the loads of those after it.
 *   !!c -> c        !(a < b) -> a >= b and the like for integers; == and != for all
 *   select(!c, x, y) -> select(c, y, x)                          select(c, x, x) -> x
 *   select(c, K, x) -> select(!c, x, K)                          where !c needs no `!`
 *   select(c, select(c, x, y), z) -> select(c, x, z)             likewise in the other branch
 *   select(c, select(d, x, y), y) -> select(c && d, x, y)        where d reads no tensor, or both do
 *   select(c && d, x, K) -> select(c, select(d, x, K), K)        where d reads a tensor and c does not: pure guards come to the top
 *   select(c, x, select(d, x, y)) -> select(c || d, x, y)        where d reads no tensor
 *   select of bools -> && || !                                   real(c) -> select(c, 1, 0)
 *
 * An operation goes into a select where that adds none:
 *   f(select(c, x, K)) -> select(c, f(x), f(K))                  with every other argument constant
 *   select(c, x, y) o select(c, u, v) -> select(c, x o u, y o v)
 *   select(c, x, 0) * y -> select(c, x * y, 0)                   select(c, x, 0) / y -> select(c, x / y, 0)
 */
#include "ir/scalar_internal.h"

#include <math.h>

/* ---- and, or, not ---- */

enum { MAX_MEMBERS = 24 };

typedef struct Members {
    int count, pure; /* the first `pure` ones read no tensor */
    const Scalar *at[MAX_MEMBERS];
} Members;

static bool member_known(const Members *members, const Scalar *member) {
    for (int i = 0; i < members->count; i++)
        if (members->at[i] == member)
            return true;
    return false;
}

/* Where `member` reads no tensor. */
static bool comes_before(const Scalar *member, const Scalar *other) {
    return other->has_load || scalar_compare(member, other) < 0;
}

static bool member_add(Members *members, const Scalar *member) {
    if (member_known(members, member))
        return true;
    if (members->count == MAX_MEMBERS)
        return false;
    int position = members->count++;
    if (!member->has_load) {
        for (; position > 0 && comes_before(member, members->at[position - 1]); position--)
            members->at[position] = members->at[position - 1];
        members->pure++;
    }
    members->at[position] = member;
    return true;
}

static bool members_collect(Members *members, Op op, const Scalar *s) {
    if (!scalar_is_op(s, op))
        return member_add(members, s);
    return members_collect(members, op, s->op.arg[0]) && members_collect(members, op, s->op.arg[1]);
}

static bool members_contradict(ScalarPool *pool, const Members *members) {
    for (int i = 0; i < members->count; i++)
        if (member_known(members, scalar_op1(pool, OP_NOT, members->at[i])))
            return true;
    return false;
}

/* The first `count` members from `first` on, joined; the neutral constant for none. */
static const Scalar *members_join(ScalarPool *pool, Op op, const Members *members, int first, int count) {
    if (count == 0)
        return scalar_bool(pool, op == OP_AND);
    const Scalar *joined = members->at[first];
    for (int i = 1; i < count; i++)
        joined = scalar_raw2(pool, op, joined, members->at[first + i]);
    return joined;
}

const Scalar *simplify_logic2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    if (a->type != TYPE_BOOL)
        return scalar_raw2(pool, op, a, b);
    const Scalar *constant = a->kind == SCALAR_BOOL ? a : b;
    if (constant->kind == SCALAR_BOOL) {
        bool decides = (constant->integer != 0) == (op == OP_OR);
        return decides ? constant : (constant == a ? b : a);
    }
    Members members = {0};
    if (!members_collect(&members, op, a) || !members_collect(&members, op, b))
        return scalar_raw2(pool, op, a, b);
    if (members_contradict(pool, &members))
        return scalar_bool(pool, op == OP_OR);
    return members_join(pool, op, &members, 0, members.count);
}

const Scalar *simplify_logic1(ScalarPool *pool, Op op, const Scalar *a) {
    if (a->kind == SCALAR_BOOL)
        return scalar_bool(pool, !a->integer);
    if (scalar_is_op(a, OP_NOT))
        return a->op.arg[0];
    if (a->kind == SCALAR_OP && op_info(a->op.op)->kind == OP_KIND_COMPARE) {
        bool exact = a->op.op == OP_EQ || a->op.op == OP_NE || a->op.arg[0]->type == TYPE_INT;
        if (exact) /* not for the order of reals: NaN is neither less nor greater */
            return simplify_compare(pool, op_opposite(a->op.op), a->op.arg[0], a->op.arg[1]);
    }
    return scalar_raw1(pool, op, a);
}

/* ---- operations that go into a select ---- */

static bool has_constant_branch(const Scalar *s) {
    return scalar_is_op(s, OP_SELECT) && (scalar_is_constant(s->op.arg[1]) || scalar_is_constant(s->op.arg[2]));
}

static bool has_zero_branch(const Scalar *s) {
    return scalar_is_op(s, OP_SELECT) && (scalar_is_zero(s->op.arg[1]) || scalar_is_zero(s->op.arg[2]));
}

/* s where the test is known to be `truth`. */
static const Scalar *under(const Scalar *s, const Scalar *test, bool truth) {
    return scalar_is_op(s, OP_SELECT) && s->op.arg[0] == test ? s->op.arg[truth ? 1 : 2] : s;
}

/* The select's test, over the operation in each of its branches. */
static const Scalar *select_both(ScalarPool *pool, Op op, const Scalar *test, const Scalar *a, const Scalar *b) {
    return scalar_select(pool, test, scalar_op2(pool, op, under(a, test, true), under(b, test, true)),
                         scalar_op2(pool, op, under(a, test, false), under(b, test, false)));
}

/* `zero` is a select with a zero branch, and 0 o other is 0. */
static const Scalar *select_zero(ScalarPool *pool, Op op, const Scalar *zero, const Scalar *other, bool zero_first) {
    const Scalar *test = zero->op.arg[0], *branches[2];
    for (int i = 0; i < 2; i++) {
        const Scalar *x = zero->op.arg[i + 1], *y = under(other, test, i == 0);
        if (!scalar_is_zero(x))
            x = zero_first ? scalar_op2(pool, op, x, y) : scalar_op2(pool, op, y, x);
        branches[i] = x;
    }
    return scalar_select(pool, test, branches[0], branches[1]);
}

const Scalar *simplify_select_operand(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    bool select_a = scalar_is_op(a, OP_SELECT), select_b = scalar_is_op(b, OP_SELECT);
    if (!select_a && !select_b)
        return NULL;
    if ((select_a && select_b && a->op.arg[0] == b->op.arg[0]) || (has_constant_branch(a) && scalar_is_constant(b)))
        return select_both(pool, op, a->op.arg[0], a, b);
    if (has_constant_branch(b) && scalar_is_constant(a))
        return select_both(pool, op, b->op.arg[0], a, b);
    if ((op == OP_MUL || op == OP_DIV) && has_zero_branch(a))
        return select_zero(pool, op, a, b, true);
    return op == OP_MUL && has_zero_branch(b) ? select_zero(pool, op, b, a, false) : NULL;
}

const Scalar *simplify_select_argument(ScalarPool *pool, Op op, const Scalar *a) {
    if (!has_constant_branch(a))
        return NULL;
    return scalar_select(pool, a->op.arg[0], scalar_op1(pool, op, a->op.arg[1]), scalar_op1(pool, op, a->op.arg[2]));
}

/* ---- select ---- */

static const Scalar *select_bools(ScalarPool *pool, const Scalar *test, const Scalar *then, const Scalar *otherwise) {
    if (then->kind == SCALAR_BOOL) {
        return then->integer ? scalar_op2(pool, OP_OR, test, otherwise)
                             : scalar_op2(pool, OP_AND, scalar_op1(pool, OP_NOT, test), otherwise);
    }
    if (otherwise->kind == SCALAR_BOOL) {
        return otherwise->integer ? scalar_op2(pool, OP_OR, scalar_op1(pool, OP_NOT, test), then)
                                  : scalar_op2(pool, OP_AND, test, then);
    }
    return NULL;
}

/* A pure guard comes above a test that reads tensors, alone or as members of one condition. NULL: the test is of one kind. */
static const Scalar *select_split(ScalarPool *pool, const Scalar *test, const Scalar *then, const Scalar *otherwise) {
    Members members = {0};
    if (!test->has_load || !scalar_is_constant(otherwise) || !members_collect(&members, OP_AND, test) ||
        members.pure == 0)
        return NULL;
    const Scalar *guard = members_join(pool, OP_AND, &members, 0, members.pure);
    const Scalar *data = members_join(pool, OP_AND, &members, members.pure, members.count - members.pure);
    return scalar_select(pool, guard, scalar_select(pool, data, then, otherwise), otherwise);
}

static const Scalar *select_nested(ScalarPool *pool, const Scalar *test, const Scalar *then, const Scalar *otherwise) {
    if (scalar_is_op(then, OP_SELECT) && then->op.arg[2] == otherwise) {
        const Scalar *inner = then->op.arg[0];
        if (!inner->has_load || test->has_load)
            return scalar_select(pool, scalar_op2(pool, OP_AND, test, inner), then->op.arg[1], otherwise);
    }
    if (scalar_is_op(otherwise, OP_SELECT) && otherwise->op.arg[1] == then && !otherwise->op.arg[0]->has_load)
        return scalar_select(pool, scalar_op2(pool, OP_OR, test, otherwise->op.arg[0]), then, otherwise->op.arg[2]);
    return NULL;
}

/* Outside of 0..extent, where the index can leave it on one side only, and not far. NULL: elsewhere. */
static const Scalar *outside(ScalarPool *pool, const Scalar *index, Extent extent) {
    const Range range = scalar_range(index);
    if (extent.per_sample > 0 || range.low == INT64_MIN || range.high == INT64_MAX)
        return NULL;
    int64_t first = range.low < 0 ? range.low : extent.size, last = range.low < 0 ? -1 : range.high;
    if (range.low < 0 && range.high >= extent.size)
        return NULL;
    const Scalar *from = scalar_op2(pool, OP_SUB, index, scalar_int(pool, first));
    return scalar_within(pool, from, (Extent){.size = last - first + 1});
}

/* Where the test is false, as a guard; NULL: only as its negation. */
static const Scalar *opposite_guard(ScalarPool *pool, const Scalar *test) {
    if (scalar_is_op(test, OP_WITHIN))
        return outside(pool, test->op.arg[0], test->op.extent);
    const Scalar *opposite = scalar_op1(pool, OP_NOT, test);
    return scalar_is_op(opposite, OP_NOT) ? NULL : opposite;
}

const Scalar *scalar_select(ScalarPool *pool, const Scalar *test, const Scalar *then, const Scalar *otherwise) {
    if (test->kind == SCALAR_BOOL)
        return test->integer ? then : otherwise;
    if (scalar_is_op(test, OP_NOT))
        return scalar_select(pool, test->op.arg[0], otherwise, then);
    then = under(then, test, true);
    otherwise = under(otherwise, test, false);
    if (then == otherwise)
        return then;
    const Scalar *result = NULL;
    if (then->type == TYPE_BOOL && otherwise->type == TYPE_BOOL) {
        result = select_bools(pool, test, then, otherwise);
    } else if (scalar_is_constant(then) && !scalar_is_constant(otherwise)) {
        const Scalar *opposite = opposite_guard(pool, test);
        if (opposite)
            return scalar_select(pool, opposite, otherwise, then);
    }
    result = result ? result : select_split(pool, test, then, otherwise);
    result = result ? result : select_nested(pool, test, then, otherwise);
    return result ? result : scalar_raw(pool, OP_SELECT, (const Scalar *[]){test, then, otherwise}, (Extent){0});
}

/* ---- comparison of reals and bools ---- */

/* real(i) against a constant or another real(j), as integers. NULL: it is something else. */
static const Scalar *compare_converted(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    if (!scalar_is_op(a, OP_TO_REAL))
        return NULL;
    const Scalar *i = a->op.arg[0];
    if (scalar_is_op(b, OP_TO_REAL))
        return simplify_integer_compare(pool, op, i, b->op.arg[0]);
    if (b->kind != SCALAR_REAL || !(fabs(b->real) < 0x1p53))
        return NULL;
    if (op == OP_EQ || op == OP_NE) {
        return floor(b->real) == b->real ? simplify_integer_compare(pool, op, i, scalar_int(pool, (int64_t)b->real))
                                         : scalar_bool(pool, op == OP_NE);
    }
    /* i < 2.5 is i < 3, i <= 2.5 is i <= 2. */
    double limit = op == OP_LT || op == OP_GE ? ceil(b->real) : floor(b->real);
    return simplify_integer_compare(pool, op, i, scalar_int(pool, (int64_t)limit));
}

/* select(x > 0, x, c) > 0, where c is not: x > 0. */
static const Scalar *sign_of_rectified(Op op, const Scalar *a, const Scalar *b) {
    if (op != OP_GT || b->kind != SCALAR_REAL || b->real != 0 || !scalar_is_op(a, OP_SELECT))
        return NULL;
    const Scalar *test = a->op.arg[0], *x = a->op.arg[1], *otherwise = a->op.arg[2];
    bool tests = scalar_is_op(test, OP_GT) && test->op.arg[0] == x && test->op.arg[1] == b;
    return tests && otherwise->kind == SCALAR_REAL && otherwise->real <= 0 ? test : NULL;
}

static const Scalar *compare_reals(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    if (a->kind == SCALAR_REAL && b->kind == SCALAR_REAL)
        return scalar_bool(pool, op_fold(op, a->real, b->real) != 0);
    if (a->kind == SCALAR_REAL)
        return compare_reals(pool, op_mirrored(op), b, a);
    const Scalar *result = compare_converted(pool, op, a, b);
    result = result ? result : sign_of_rectified(op, a, b);
    result = result ? result : simplify_select_operand(pool, op, a, b);
    if (result)
        return result;
    return op == OP_EQ || op == OP_NE ? scalar_raw_either(pool, op, a, b) : scalar_raw2(pool, op, a, b);
}

static const Scalar *compare_bools(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    if (op != OP_EQ && op != OP_NE)
        return scalar_raw2(pool, op, a, b);
    if (a == b)
        return scalar_bool(pool, op == OP_EQ);
    const Scalar *constant = a->kind == SCALAR_BOOL ? a : b;
    if (constant->kind != SCALAR_BOOL)
        return scalar_raw_either(pool, op, a, b);
    const Scalar *other = constant == a ? b : a;
    return (constant->integer != 0) == (op == OP_EQ) ? other : scalar_op1(pool, OP_NOT, other);
}

const Scalar *simplify_compare(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    switch (a->type) {
    case TYPE_INT: return simplify_integer_compare(pool, op, a, b);
    case TYPE_BOOL: return compare_bools(pool, op, a, b);
    default: return compare_reals(pool, op, a, b);
    }
}

/* ---- conversion ---- */

const Scalar *simplify_to_real(ScalarPool *pool, const Scalar *a) {
    if (a->type == TYPE_REAL)
        return a;
    if (a->type == TYPE_BOOL)
        return scalar_select(pool, a, scalar_real(pool, 1.0), scalar_real(pool, 0.0));
    if (a->kind == SCALAR_INT && a->integer <= (INT64_C(1) << 53) && a->integer >= -(INT64_C(1) << 53))
        return scalar_real(pool, (double)a->integer);
    const Scalar *moved = simplify_select_argument(pool, OP_TO_REAL, a);
    return moved ? moved : scalar_raw1(pool, OP_TO_REAL, a);
}

/* Constants, and what is an integer already: to_index(real(i), n) -> max(min(i, n - 1), 0), which goes where i is in range. */
const Scalar *simplify_to_index(ScalarPool *pool, const Scalar *a, const Scalar *count) {
    if (a->kind == SCALAR_REAL)
        return scalar_int(pool, (int64_t)op_fold(OP_TO_INDEX, a->real, (double)count->integer));
    if (scalar_is_int(count, 1))
        return scalar_int(pool, 0);
    if (!scalar_is_op(a, OP_TO_REAL))
        return scalar_raw2(pool, OP_TO_INDEX, a, count);
    const Scalar *last = scalar_int(pool, count->integer - 1);
    return scalar_op2(pool, OP_MAX, scalar_op2(pool, OP_MIN, a->op.arg[0], last), scalar_int(pool, 0));
}
