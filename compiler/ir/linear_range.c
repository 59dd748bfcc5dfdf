/* Ranges of integers. */
#include "ir/linear.h"
#include "ir/scalar_internal.h"

static const Range UNKNOWN = {INT64_MIN, INT64_MAX};

/* ---- linear forms ---- */

/* per_n * n + offset */
typedef struct Bound {
    bool known;
    int64_t per_n, offset;
} Bound;

static Bound atom_bound(const Scalar *atom, bool high) {
    if (atom->kind == SCALAR_INDEX && atom->index.extent.per_sample > 0)
        return high ? (Bound){true, atom->index.extent.per_sample, -1} : (Bound){true, 0, 0};
    if (atom->kind == SCALAR_RUNTIME && atom->runtime == RUNTIME_N)
        return (Bound){true, 1, 0};
    int64_t value = high ? atom->range.high : atom->range.low;
    return (Bound){value != INT64_MIN && value != INT64_MAX, 0, value};
}

static bool bound_add(Bound *sum, Bound bound, int64_t factor) {
    int64_t per_n, offset;
    return bound.known && !__builtin_mul_overflow(bound.per_n, factor, &per_n) &&
           !__builtin_mul_overflow(bound.offset, factor, &offset) &&
           !__builtin_add_overflow(sum->per_n, per_n, &sum->per_n) &&
           !__builtin_add_overflow(sum->offset, offset, &sum->offset);
}

static int64_t linear_bound(const Linear *form, bool high) {
    const int64_t unknown = high ? INT64_MAX : INT64_MIN;
    Bound sum = {true, 0, form->offset};
    for (int i = 0; i < form->count; i++) {
        int64_t factor = form->terms[i].coefficient;
        if (!bound_add(&sum, atom_bound(form->terms[i].atom, (factor > 0) == high), factor))
            return unknown;
    }
    /* Linear in n: the extreme is at 1 or at the largest n. */
    int64_t n = sum.per_n != 0 && (sum.per_n > 0) == high ? form->batch : 1;
    int64_t value;
    if (n == 0 || __builtin_mul_overflow(sum.per_n, n, &value) || __builtin_add_overflow(value, sum.offset, &value))
        return unknown;
    return value;
}

int64_t linear_low(const Linear *form) {
    return linear_bound(form, false);
}

int64_t linear_high(const Linear *form) {
    return linear_bound(form, true);
}

/* ---- scalars ---- */

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static bool is_known(Range range) {
    return range.low != INT64_MIN && range.high != INT64_MAX;
}

static int64_t floor_quotient(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* Values of an argmax: linear indices over the reduction axes. */
static Range linear_index_range(const Node *node) {
    int64_t elements = 1;
    for (int i = 0; i < node->expr.reduced; i++)
        if (__builtin_mul_overflow(elements, node->expr.extents[i].size, &elements))
            return (Range){0, INT64_MAX};
    return (Range){0, elements - 1};
}

static Range node_range(const Node *node) {
    if (node->kind == NODE_DETACH)
        node = node->derivative.of;
    if (node->kind == NODE_EXPR) {
        switch (node->expr.reduce) {
        case REDUCE_ARGMAX:
        case REDUCE_ARGMIN: return linear_index_range(node);
        case REDUCE_NONE:
        case REDUCE_MAX:
        case REDUCE_MIN: return node->expr.body->range;
        default: return UNKNOWN;
        }
    }
    return node->kind == NODE_INPUT && node->leaf.classes > 0 ? (Range){0, node->leaf.classes - 1}
                                                              : (Range){INT32_MIN, INT32_MAX};
}

static Range product_range(Range a, Range b) {
    if (!is_known(a) || !is_known(b))
        return a.low >= 0 && b.low >= 0 ? (Range){0, INT64_MAX} : UNKNOWN;
    int64_t corners[4];
    if (__builtin_mul_overflow(a.low, b.low, &corners[0]) || __builtin_mul_overflow(a.low, b.high, &corners[1]) ||
        __builtin_mul_overflow(a.high, b.low, &corners[2]) || __builtin_mul_overflow(a.high, b.high, &corners[3]))
        return UNKNOWN;
    Range range = {corners[0], corners[0]};
    for (int i = 1; i < 4; i++) {
        range.low = smaller(range.low, corners[i]);
        range.high = larger(range.high, corners[i]);
    }
    return range;
}

static Range sum_range(const Scalar *s) {
    Linear form;
    return linear_of(s, &form) ? (Range){linear_low(&form), linear_high(&form)} : UNKNOWN;
}

static Range quotient_range(Range a, const Scalar *divisor) {
    if (divisor->kind != SCALAR_INT || divisor->integer <= 0)
        return UNKNOWN;
    int64_t k = divisor->integer;
    return (Range){a.low == INT64_MIN ? INT64_MIN : floor_quotient(a.low, k),
                   a.high == INT64_MAX ? INT64_MAX : floor_quotient(a.high, k)};
}

static Range rest_range(Range a, const Scalar *divisor) {
    if (divisor->kind != SCALAR_INT || divisor->integer <= 0)
        return UNKNOWN;
    bool inside = a.low >= 0 && a.high < divisor->integer;
    return inside ? a : (Range){0, divisor->integer - 1};
}

static Range op_range(const Scalar *s) {
    Range a = s->op.arg[0]->range;
    const Scalar *b = s->op.arg[1];
    switch (s->op.op) {
    case OP_MUL: return s->op.arg[0]->kind == SCALAR_INT ? sum_range(s) : product_range(a, b->range);
    case OP_ADD:
    case OP_SUB:
    case OP_NEG: return sum_range(s);
    case OP_MIN: return (Range){smaller(a.low, b->range.low), smaller(a.high, b->range.high)};
    case OP_MAX: return (Range){larger(a.low, b->range.low), larger(a.high, b->range.high)};
    case OP_FLOORDIV: return quotient_range(a, b);
    case OP_MOD: return rest_range(a, b);
    case OP_TO_INDEX: return b->kind == SCALAR_INT ? (Range){0, b->integer - 1} : UNKNOWN;
    case OP_SELECT:
        return (Range){smaller(b->range.low, s->op.arg[2]->range.low), larger(b->range.high, s->op.arg[2]->range.high)};
    default: return UNKNOWN;
    }
}

Range range_of(const Scalar *s) {
    if (s->type != TYPE_INT)
        return UNKNOWN;
    switch (s->kind) {
    case SCALAR_INT: return (Range){s->integer, s->integer};
    case SCALAR_INDEX: return (Range){0, s->index.extent.size - 1};
    case SCALAR_RUNTIME: return (Range){s->runtime == RUNTIME_N ? 1 : 0, INT64_MAX};
    case SCALAR_LOAD: return node_range(s->load.tensor);
    case SCALAR_OP: return op_range(s);
    default: return UNKNOWN;
    }
}

Range scalar_range(const Scalar *s) {
    return s->range;
}
