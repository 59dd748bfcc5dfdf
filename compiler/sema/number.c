#include "sema/number.h"

#include <math.h>
#include <string.h>

static bool is_number(Value value) {
    return value.kind == VALUE_NUMBER;
}

/* A result that is not a number is a fault; infinity may only come from infinity. */
static Value checked(Sema *s, Place place, double value, bool is_integer, bool was_finite) {
    if (isnan(value) || (was_finite && isinf(value))) {
        sema_error(s, place, "`%s` is not a number", place_snippet(s->arena, place));
        return value_poison();
    }
    if (is_integer && fabs(value) > NUMBER_INTEGER_LIMIT) {
        sema_error(s, place, "`%s` is too large for an integer (the limit is 2^53)", place_snippet(s->arena, place));
        return value_poison();
    }
    return value_number(value, is_integer);
}

static Value divide(Sema *s, Place place, Value left, Value right) {
    double a = left.number.value, b = right.number.value;
    if (b == 0.0) {
        sema_error(s, place, "`%s` divides by 0", place_snippet(s->arena, place));
        return value_poison();
    }
    bool exact = left.number.is_integer && right.number.is_integer && fmod(a, b) == 0.0;
    return checked(s, place, a / b, exact, isfinite(a));
}

Value number_floor_divide(Sema *s, Place place, Value left, Value right) {
    Value quotient = divide(s, place, left, right);
    if (is_number(quotient)) {
        quotient.number.value = floor(quotient.number.value);
        quotient.number.is_integer = isfinite(quotient.number.value);
    }
    return quotient;
}

static Value modulo(Sema *s, Place place, Value left, Value right) {
    Value quotient = number_floor_divide(s, place, left, right);
    if (!is_number(quotient))
        return quotient;
    double rest = left.number.value - quotient.number.value * right.number.value;
    return checked(s, place, rest, left.number.is_integer && right.number.is_integer, true);
}

static Value power(Sema *s, Place place, Value left, Value right) {
    bool whole = left.number.is_integer && right.number.is_integer && right.number.value >= 0.0;
    return checked(s, place, pow(left.number.value, right.number.value), whole,
                   isfinite(left.number.value) && isfinite(right.number.value));
}

static Value arithmetic(Sema *s, Place place, AstBinary op, Value left, Value right) {
    double a = left.number.value, b = right.number.value;
    bool whole = left.number.is_integer && right.number.is_integer;
    bool finite = isfinite(a) && isfinite(b);
    switch (op) {
    case AST_ADD: return checked(s, place, a + b, whole, finite);
    case AST_SUB: return checked(s, place, a - b, whole, finite);
    case AST_MUL: return checked(s, place, a * b, whole, finite);
    case AST_DIV: return divide(s, place, left, right);
    case AST_MOD: return modulo(s, place, left, right);
    case AST_POW: return power(s, place, left, right);
    case AST_EQ: return value_bool(a == b);
    case AST_NE: return value_bool(a != b);
    case AST_LT: return value_bool(a < b);
    case AST_LE: return value_bool(a <= b);
    case AST_GT: return value_bool(a > b);
    case AST_GE: return value_bool(a >= b);
    case AST_AND:
    case AST_OR: break;
    }
    sema_error(s, place, "`and` and `or` join truth values, not numbers");
    return value_poison();
}

static bool is_size(Value value) {
    return value.kind == VALUE_NUMBER || value.kind == VALUE_EXTENT;
}

static bool is_comparison(AstBinary op) {
    return op == AST_EQ || op == AST_NE;
}

bool number_takes(AstBinary op, Value left, Value right) {
    if (left.kind != right.kind)
        return is_size(left) && is_size(right);
    switch (left.kind) {
    case VALUE_NUMBER:
    case VALUE_BOOL:
    case VALUE_EXTENT: return true;
    case VALUE_TEXT: return is_comparison(op);
    default: return false;
    }
}

static Value logic(Sema *s, Place place, AstBinary op, bool a, bool b) {
    switch (op) {
    case AST_AND: return value_bool(a && b);
    case AST_OR: return value_bool(a || b);
    case AST_EQ: return value_bool(a == b);
    case AST_NE: return value_bool(a != b);
    default: sema_error(s, place, "true and false cannot be calculated with"); return value_poison();
    }
}

/* A dynamic size can only be multiplied by a positive integer and compared with another dynamic size. */
static Value sizes(Sema *s, Place place, AstBinary op, Value left, Value right) {
    bool both = left.kind == right.kind;
    if (both && is_comparison(op))
        return value_bool(extent_equal(left.extent, right.extent) == (op == AST_EQ));
    int64_t factor = 0;
    Value dynamic = left.kind == VALUE_EXTENT ? left : right;
    Value number = left.kind == VALUE_EXTENT ? right : left;
    if (op == AST_MUL && value_as_integer(number, &factor) && factor > 0 &&
        factor <= LIMIT_ELEMENTS / dynamic.extent.size) {
        Extent extent = {dynamic.extent.size * factor, dynamic.extent.per_sample * factor};
        return value_extent(extent);
    }
    const char *name = extent_describe(s->arena, s->graph, dynamic.extent);
    sema_error(s, place, "`%s` needs the size of `%s`, which is known only when the program runs",
               place_snippet(s->arena, place), name);
    sema_help(s,
              "`length(%s)` is the actual size as a number to calculate with; a size or a "
              "compile-time number needs a fixed dimension (`dim %s = ...`)",
              name, s->graph->batch_name);
    return value_poison();
}

Value number_binary(Sema *s, Place place, AstBinary op, const Operand *operands) {
    Value left = operands[0].value, right = operands[1].value;
    if (left.kind == VALUE_EXTENT || right.kind == VALUE_EXTENT)
        return sizes(s, place, op, left, right);
    if (left.kind == VALUE_BOOL)
        return logic(s, place, op, left.truth, right.truth);
    if (left.kind == VALUE_TEXT)
        return value_bool((strcmp(left.text, right.text) == 0) == (op == AST_EQ));
    return arithmetic(s, place, op, left, right);
}

static bool keeps_integers(Op op) {
    return op == OP_MIN || op == OP_MAX || op == OP_NEG || op == OP_ABS || op == OP_SIGN;
}

Value number_function(Sema *s, Place place, Op op, const Operand *operands, int count) {
    bool whole = keeps_integers(op), finite = true;
    const Scalar *args[OPERAND_LIMIT];
    for (int i = 0; i < count; i++) {
        double value = operands[i].value.number.value;
        whole = whole && operands[i].value.number.is_integer;
        finite = finite && isfinite(value);
        args[i] = scalar_real(s->pool, value);
    }
    const Scalar *result = count == 1 ? scalar_op1(s->pool, op, args[0]) : scalar_op2(s->pool, op, args[0], args[1]);
    double value = result->kind == SCALAR_REAL ? result->real : NAN; /* what is no number is not folded */
    return checked(s, place, value, whole || (op == OP_FLOOR && finite), finite);
}
