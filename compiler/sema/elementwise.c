#include "sema/elementwise.h"

#include <inttypes.h>
#include <string.h>
#include "sema/tensor.h"

/* ---- messages ---- */

static int elements_without_ones(const Tensor *tensor, Extent *out) {
    int count = 0;
    for (int i = 0; i < tensor->rank; i++)
        if (tensor->shape[i].size != 1 || extent_is_dynamic(tensor->shape[i]))
            out[count++] = tensor->shape[i];
    return count;
}

/* Are the shapes equal when axes of size 1 are left out? */
static bool differ_by_ones(const Tensor *a, const Tensor *b) {
    Extent left[MAX_AXES], right[MAX_AXES];
    int count = elements_without_ones(a, left);
    if (count != elements_without_ones(b, right))
        return false;
    for (int i = 0; i < count; i++)
        if (!extent_equal(left[i], right[i]))
            return false;
    return true;
}

static bool are_transposed(const Tensor *a, const Tensor *b) {
    return a->rank == 2 && b->rank == 2 && extent_equal(a->shape[0], b->shape[1]) &&
           extent_equal(a->shape[1], b->shape[0]);
}

static const char *shape_list(Sema *s, const Tensor *tensor) {
    Text *text = text_new(s->arena);
    for (int i = 0; i < tensor->rank; i++)
        text_printf(text, "%s%s", i ? ", " : "", extent_describe(s->arena, s->graph, tensor->shape[i]));
    return text_get(text);
}

static void help_shapes(Sema *s, const Operand *a, const Operand *b) {
    const Tensor *left = a->value.tensor, *right = b->value.tensor;
    if (differ_by_ones(left, right)) {
        const Operand *shorter = left->rank < right->rank ? a : b;
        const Operand *longer = shorter == a ? b : a;
        sema_help(s,
                  "an axis of size 1 is never stretched; if each element of one belongs to one "
                  "of the other, write `reshape(%s, [%s])`",
                  place_snippet(s->arena, shorter->place), shape_list(s, longer->value.tensor));
    } else if (are_transposed(left, right)) {
        sema_help(s,
                  "the axes stand in the other order; an equation exchanges them: "
                  "`z[i, j] = %s[j, i]`",
                  place_snippet(s->arena, b->place));
    } else {
        sema_help(s, "shapes fit when they are equal or one is the end of the other; an equation "
                     "(`z[i, j] = ...`) says which axes belong together");
    }
}

void report_shapes(Sema *s, Place place, const Operand *a, const Operand *b) {
    sema_error(s, place, "the shapes do not fit: `%s` is %s, but `%s` is %s", place_snippet(s->arena, a->place),
               sema_describe(s, a->value), place_snippet(s->arena, b->place), sema_describe(s, b->value));
    sema_note_origin(s, a->value);
    sema_note_origin(s, b->value);
    help_shapes(s, a, b);
}

static Value report_unindexed(Sema *s, const Operand *whole) {
    sema_error(s, whole->place, "`%s` is %s and has no indices in this equation", place_snippet(s->arena, whole->place),
               sema_describe(s, whole->value));
    sema_note_origin(s, whole->value);
    sema_help(s, "inside an equation each tensor is indexed, one index for each axis");
    return value_poison();
}

static Value report_bool(Sema *s, const Operand *operand, const char *wanted) {
    sema_error(s, operand->place, "`%s` is %s, but %s is wanted here", place_snippet(s->arena, operand->place),
               sema_describe(s, operand->value), wanted);
    if (operand->value.tensor->type == TYPE_BOOL)
        sema_help(s, "`if %s then 1 else 0` makes a number of it", place_snippet(s->arena, operand->place));
    else
        sema_help(s, "compare it: `%s > 0`", place_snippet(s->arena, operand->place));
    return value_poison();
}

/* ---- shapes ---- */

static bool is_suffix(const Tensor *tensor, const Tensor *whole) {
    int shift = whole->rank - tensor->rank;
    for (int i = 0; i < tensor->rank; i++)
        if (!extent_equal(tensor->shape[i], whole->shape[i + shift]))
            return false;
    return true;
}

/* Operands as tensors, and the one with the result's shape; NULL after a fault. */
static const Operand *find_shape(Sema *s, Place place, const Operand *operands, int count) {
    const Operand *longest = &operands[0];
    const Operand *open = NULL;
    for (int i = 0; i < count; i++) {
        if (operands[i].value.tensor->rank > longest->value.tensor->rank)
            longest = &operands[i];
        if (scalar_is_open(operands[i].value.tensor->body))
            open = &operands[i];
    }
    if (open != NULL && longest->value.tensor->rank > 0) {
        report_unindexed(s, longest);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        if (!is_suffix(operands[i].value.tensor, longest->value.tensor)) {
            const Operand *first = &operands[i] < longest ? &operands[i] : longest;
            report_shapes(s, place, first, first == longest ? &operands[i] : longest);
            return NULL;
        }
    }
    return longest;
}

/* The body over the last axes of a tensor with `rank` axes. */
static const Scalar *aligned_body(Sema *s, const Tensor *tensor, int rank) {
    int shift = rank - tensor->rank;
    if (shift == 0 || tensor->rank == 0)
        return tensor->body;
    const Scalar *map[MAX_AXES];
    for (int i = 0; i < tensor->rank; i++)
        map[i] = scalar_index(s->pool, i + shift, tensor->shape[i]);
    return scalar_substitute(s->pool, tensor->body, map, tensor->rank);
}

/* ---- types ---- */

typedef enum Wanted { WANT_NUMBERS, WANT_REALS, WANT_BOOLS } Wanted;

static Wanted wanted_by(Op op) {
    const OpInfo *info = op_info(op);
    if (info->kind == OP_KIND_LOGIC)
        return WANT_BOOLS;
    return info->kind == OP_KIND_FUNCTION || op == OP_DIV ? WANT_REALS : WANT_NUMBERS;
}

static bool any_real(const Operand *operands, int count) {
    for (int i = 0; i < count; i++)
        if (operands[i].value.tensor->type == TYPE_REAL)
            return true;
    return false;
}

/* Gives all operands one type; false after a fault. */
static bool unify_types(Sema *s, Wanted wanted, Operand *operands, int count) {
    bool reals = wanted == WANT_REALS || any_real(operands, count);
    for (int i = 0; i < count; i++) {
        Value *value = &operands[i].value;
        bool is_bool = value->tensor->type == TYPE_BOOL;
        if (is_bool != (wanted == WANT_BOOLS)) {
            report_bool(s, &operands[i], is_bool ? "a number" : "true or false");
            return false;
        }
        if (reals && !is_bool) {
            value->tensor = tensor_to_real(s, value->tensor, operands[i].place);
            if (value->tensor == NULL)
                return false;
        }
    }
    return true;
}

/* Makes tensors of all operands; false after a fault, or silently with poison among them. */
static bool take_operands(Sema *s, const Operand *given, int count, Operand *operands) {
    for (int i = 0; i < count; i++)
        if (value_is_poison(given[i].value))
            return false;
    bool good = true;
    for (int i = 0; i < count; i++) {
        operands[i] = given[i];
        const Tensor *tensor = value_to_tensor(s, given[i].value, given[i].place);
        if (tensor == NULL) {
            good = false;
            continue;
        }
        operands[i].value.kind = VALUE_TENSOR;
        operands[i].value.tensor = tensor;
    }
    return good;
}

/* ---- operations ---- */

/* Operands made ready: tensors of one type, whose bodies speak of the result's axes. */
typedef struct Ready {
    int rank;
    const Extent *shape;
    const char *const *letters;
    const Scalar *body[OPERAND_LIMIT];
} Ready;

static bool make_ready(Sema *s, Place place, const Operand *operands, int count, Ready *ready) {
    const Operand *longest = find_shape(s, place, operands, count);
    if (longest == NULL)
        return false;
    const Tensor *whole = longest->value.tensor;
    ready->rank = whole->rank;
    ready->shape = whole->shape;
    ready->letters = whole->letters;
    for (int i = 0; i < count; i++) {
        const Tensor *tensor = operands[i].value.tensor;
        ready->letters = ready->letters == NULL && tensor->rank == whole->rank ? tensor->letters : ready->letters;
        ready->body[i] = aligned_body(s, operands[i].value.tensor, whole->rank);
    }
    return true;
}

static Value finish(Sema *s, Place place, const Ready *ready, const Scalar *body) {
    const Tensor *tensor = tensor_from_body(s, ready->rank, ready->shape, body, ready->letters);
    return value_tensor(tensor_with_origin(s, tensor, place, NULL));
}

Value elementwise_op(Sema *s, Place place, Op op, const Operand *given, int count) {
    Operand operands[OPERAND_LIMIT] = {0};
    Ready ready;
    if (!take_operands(s, given, count, operands) || !unify_types(s, wanted_by(op), operands, count) ||
        !make_ready(s, place, operands, count, &ready))
        return value_poison();
    return finish(s, place, &ready,
                  count == 1 ? scalar_op1(s->pool, op, ready.body[0])
                             : scalar_op2(s->pool, op, ready.body[0], ready.body[1]));
}

Value elementwise_select(Sema *s, Place place, const Operand *given) {
    Operand operands[OPERAND_LIMIT];
    Ready ready;
    if (!take_operands(s, given, 3, operands) || !unify_types(s, WANT_BOOLS, operands, 1))
        return value_poison();
    bool bools = operands[1].value.tensor->type == TYPE_BOOL && operands[2].value.tensor->type == TYPE_BOOL;
    if (!unify_types(s, bools ? WANT_BOOLS : WANT_NUMBERS, operands + 1, 2) ||
        !make_ready(s, place, operands, 3, &ready))
        return value_poison();
    return finish(s, place, &ready, scalar_select(s->pool, ready.body[0], ready.body[1], ready.body[2]));
}

static Value modulo_real(Sema *s, Place place, const Ready *ready) {
    const Scalar *a = ready->body[0], *b = ready->body[1];
    const Scalar *whole = scalar_op1(s->pool, OP_FLOOR, scalar_op2(s->pool, OP_DIV, a, b));
    return finish(s, place, ready, scalar_op2(s->pool, OP_SUB, a, scalar_op2(s->pool, OP_MUL, b, whole)));
}

Value elementwise_modulo(Sema *s, Place place, const Operand *given) {
    Operand operands[OPERAND_LIMIT];
    Ready ready;
    if (!take_operands(s, given, 2, operands) || !unify_types(s, WANT_NUMBERS, operands, 2) ||
        !make_ready(s, place, operands, 2, &ready))
        return value_poison();
    if (ready.body[0]->type == TYPE_REAL)
        return modulo_real(s, place, &ready);
    if (ready.body[1]->kind != SCALAR_INT || ready.body[1]->integer < 1) {
        sema_error(s, operands[1].place, "an integer is divided by `%s`, which must be a positive constant",
                   place_snippet(s->arena, operands[1].place));
        return value_poison();
    }
    return finish(s, place, &ready, scalar_op2(s->pool, OP_MOD, ready.body[0], ready.body[1]));
}
