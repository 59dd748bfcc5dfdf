#include "sema/builtin.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "ir/bounds.h"
#include "sema/number.h"
#include "sema/reduction.h"
#include "sema/tensor.h"

/* ---- tables ---- */

static const Builtin builtins[] = {
#define BUILTIN(NAME, PARAMETERS, FUNCTION, DOC)                                                                       \
    {.name = #NAME, .parameters = PARAMETERS, .doc = DOC, .function = builtin_##FUNCTION},
#include "sema/builtins.def"
#undef BUILTIN
};
enum { BUILTIN_COUNT = sizeof builtins / sizeof *builtins };

static const char *const constants[] = {"pi", "inf", "training"};
enum { CONSTANT_COUNT = sizeof constants / sizeof *constants };

const Builtin *builtin_find(Arena *arena, const char *name) {
    for (int i = 0; i < BUILTIN_COUNT; i++)
        if (strcmp(builtins[i].name, name) == 0)
            return &builtins[i];
    Op op;
    if (!op_by_spelling(name, &op) || op_info(op)->kind != OP_KIND_FUNCTION)
        return NULL;
    Builtin *builtin = arena_one(arena, Builtin);
    builtin->name = op_info(op)->spelling;
    builtin->parameters = op_info(op)->arity == 1 ? "x" : "a, b";
    builtin->doc = op_info(op)->doc;
    builtin->op = op;
    return builtin;
}

void builtin_names(Arena *arena, NameList *names) {
    for (int i = 0; i < BUILTIN_COUNT; i++)
        vec_push(arena, names, builtins[i].name);
    for (int i = 0; i < CONSTANT_COUNT; i++)
        vec_push(arena, names, constants[i]);
    for (int op = 0; op < OP_COUNT; op++)
        if (op_info((Op)op)->kind == OP_KIND_FUNCTION)
            vec_push(arena, names, op_info((Op)op)->spelling);
}

bool builtin_constant(Sema *s, const char *name, Place place, Value *value) {
    if (strcmp(name, "pi") == 0) {
        *value = value_number(3.14159265358979323846, false);
    } else if (strcmp(name, "inf") == 0) {
        *value = value_number(INFINITY, false);
    } else if (strcmp(name, "training") == 0) {
        *value = value_bool(s->training);
        if (!s->training_known) {
            sema_error(s, place, "`training` has a value only inside the model");
            *value = value_poison();
        }
    } else {
        return false;
    }
    return true;
}

/* ---- calls ---- */

static Value call_scalar_function(Sema *s, const Builtin *builtin, const BuiltinCall *call) {
    Operand operands[OPERAND_LIMIT];
    int count = op_info(builtin->op)->arity;
    bool known = true;
    for (int i = 0; i < count; i++) {
        operands[i] = builtin_operand(call, i);
        known = known && operands[i].value.kind == VALUE_NUMBER;
    }
    return known ? number_function(s, call->place, builtin->op, operands, count)
                 : elementwise_op(s, call->place, builtin->op, operands, count);
}

Value builtin_call(Sema *s, const Builtin *builtin, const Arguments *args) {
    Signature signature = signature_of_text(s, builtin->name, builtin->parameters);
    const Argument **taken = arena_array(s->arena, const Argument *, (size_t)signature.count + 1);
    if (arguments_any_poison(args))
        return value_poison();
    if (!arguments_match(s, &signature, args, false, taken)) {
        ReduceWord word;
        if (reduction_by_word(builtin->name, &word))
            sema_help(s, "along one axis it is a reduction over an index: `y[...] = %s(k) x[..., k]`", builtin->name);
        return value_poison();
    }
    BuiltinCall call = {args->place, taken, args};
    Value value = builtin->function ? builtin->function(s, &call) : call_scalar_function(s, builtin, &call);
    if (value.kind == VALUE_TENSOR)
        value.tensor = tensor_with_origin(s, value.tensor, args->place, frame_node_name(s, builtin->name));
    return value;
}

/* ---- reductions ---- */

static Value reduce_all(Sema *s, const BuiltinCall *call, ReduceWord word) {
    Operand x = builtin_operand(call, 0);
    if (x.value.kind == VALUE_NUMBER && !reduction_gives_index(word))
        return x.value;
    return reduction_of_tensor(s, call->place, word, x.value, x.place);
}

Value builtin_sum(Sema *s, const BuiltinCall *call) {
    return reduce_all(s, call, WORD_SUM);
}

Value builtin_prod(Sema *s, const BuiltinCall *call) {
    return reduce_all(s, call, WORD_PROD);
}

Value builtin_mean(Sema *s, const BuiltinCall *call) {
    return reduce_all(s, call, WORD_MEAN);
}

Value builtin_argmax(Sema *s, const BuiltinCall *call) {
    return reduce_all(s, call, WORD_ARGMAX);
}

Value builtin_argmin(Sema *s, const BuiltinCall *call) {
    return reduce_all(s, call, WORD_ARGMIN);
}

static Value extreme(Sema *s, const BuiltinCall *call, Op op, ReduceWord word) {
    if (call->args[1] == NULL)
        return reduce_all(s, call, word);
    Operand operands[2] = {builtin_operand(call, 0), builtin_operand(call, 1)};
    bool known = operands[0].value.kind == VALUE_NUMBER && operands[1].value.kind == VALUE_NUMBER;
    return known ? number_function(s, call->place, op, operands, 2) : elementwise_op(s, call->place, op, operands, 2);
}

Value builtin_max(Sema *s, const BuiltinCall *call) {
    return extreme(s, call, OP_MAX, WORD_MAX);
}

Value builtin_min(Sema *s, const BuiltinCall *call) {
    return extreme(s, call, OP_MIN, WORD_MIN);
}

/* ---- numbers and sizes ---- */

static Value report_argument(Sema *s, const Operand *operand, const char *wanted) {
    if (!value_is_poison(operand->value)) {
        sema_error(s, operand->place, "%s is wanted here, but `%s` is %s", wanted,
                   place_snippet(s->arena, operand->place), sema_describe(s, operand->value));
        sema_note_origin(s, operand->value);
    }
    return value_poison();
}

Value builtin_length(Sema *s, const BuiltinCall *call) {
    Operand dim = builtin_operand(call, 0);
    switch (dim.value.kind) {
    case VALUE_LIST: return value_integer((int64_t)dim.value.list.count);
    case VALUE_NUMBER: return dim.value;
    case VALUE_EXTENT: return value_from_scalar(s, scalar_extent(s->pool, dim.value.extent));
    default: return report_argument(s, &dim, "a dimension or a list");
    }
}

/* Lists are copied where they grow. */
enum { LONGEST = 1024 };

Value builtin_list(Sema *s, const BuiltinCall *call) {
    Operand value = builtin_operand(call, 0), length = builtin_operand(call, 1);
    int64_t count = 0;
    if (!value_as_integer(length.value, &count) || count < 0 || count > LONGEST)
        return report_argument(s, &length, "a number of items");
    if (value.value.kind == VALUE_LIST) {
        if ((int64_t)value.value.list.count == count)
            return value.value;
        return report_argument(s, &value,
                               arena_printf(s->arena,
                                            "a list of %" PRId64 " items, or one value "
                                            "for all of them,",
                                            count));
    }
    Value *items = arena_array(s->arena, Value, (size_t)count + 1);
    for (int64_t i = 0; i < count; i++)
        items[i] = value.value;
    return value_list(items, (size_t)count);
}

Value builtin_append(Sema *s, const BuiltinCall *call) {
    Operand list = builtin_operand(call, 0), item = builtin_operand(call, 1);
    if (list.value.kind != VALUE_LIST) {
        report_argument(s, &list, "a list");
        sema_help(s, "a list begins as `l = []`, and grows by `l = append(l, x)`; tensors are joined by `concat`");
        return value_poison();
    }
    size_t count = list.value.list.count;
    if (count >= LONGEST) {
        sema_error(s, call->place, "a list has %d items at most", LONGEST);
        return value_poison();
    }
    Value *items = arena_array(s->arena, Value, count + 1);
    if (count > 0)
        memcpy(items, list.value.list.items, count * sizeof *items);
    items[count] = item.value;
    return value_list(items, count + 1);
}

/* The answer depends on what the compiler can prove: it may warn, and refuse, but not change what is computed. */
static bool decides_message(const Sema *s) {
    const AstStmt *stmt = s->frame->stmt;
    return stmt != NULL && (stmt->kind == AST_REQUIRE || stmt->kind == AST_WARN);
}

Value builtin_lies_within(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0), low = builtin_operand(call, 1), high = builtin_operand(call, 2);
    if (!decides_message(s)) {
        sema_error(s, call->place, "lies_within() is answered only in the conditions of `require` and `warn`");
        sema_help(s,
                  "what is computed may not depend on it; elements are compared as numbers: `if x > 1 then 1 else x`");
        return value_poison();
    }
    if (low.value.kind != VALUE_NUMBER)
        return report_argument(s, &low, "a compile-time number");
    if (high.value.kind != VALUE_NUMBER)
        return report_argument(s, &high, "a compile-time number");
    const Tensor *tensor = value_to_tensor(s, x.value, x.place);
    if (tensor == NULL)
        return value_poison();
    Bounds bounds = bounds_of_scalar(s->bounds, tensor->body);
    return value_bool(bounds_lie_within(bounds, low.value.number.value, high.value.number.value));
}

Value builtin_div(Sema *s, const BuiltinCall *call) {
    Operand a = builtin_operand(call, 0), b = builtin_operand(call, 1);
    int64_t divisor = 0;
    if (b.value.kind != VALUE_NUMBER)
        return report_argument(s, &b, "a compile-time integer");
    if (a.value.kind == VALUE_NUMBER)
        return number_floor_divide(s, call->place, a.value, b.value);
    const Tensor *tensor = value_to_tensor(s, a.value, a.place);
    if (tensor == NULL)
        return value_poison();
    if (tensor->type != TYPE_INT)
        return report_argument(s, &a, "an integer");
    if (!value_as_integer(b.value, &divisor) || divisor < 1)
        return report_argument(s, &b, "a positive integer");
    const Scalar *body = scalar_op2(s->pool, OP_FLOORDIV, tensor->body, scalar_int(s->pool, divisor));
    return value_tensor(tensor_from_body(s, tensor->rank, tensor->shape, body, tensor->letters));
}

Value builtin_real(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0);
    const Tensor *tensor = value_to_tensor(s, x.value, x.place);
    if (tensor == NULL)
        return value_poison();
    const Scalar *body = scalar_to_real(s->pool, tensor->body);
    return value_tensor(tensor_from_body(s, tensor->rank, tensor->shape, body, tensor->letters));
}

/* ---- indices ---- */

static Value index_tensor(Sema *s, const Tensor *like, const Scalar *body, int64_t count) {
    Tensor *tensor = arena_one(s->arena, Tensor);
    *tensor = *tensor_from_body(s, like->rank, like->shape, body, like->letters);
    tensor->classes = count;
    tensor->is_index = tensor->is_made_index = true;
    return value_tensor(tensor);
}

/* How many indices there are; false: no number for that, reported. */
static bool index_count(Sema *s, const Operand *count, int64_t *out) {
    if (value_as_integer(count->value, out) && *out >= 1 && *out <= INT32_MAX)
        return true;
    report_argument(s, count, "the number of indices, an integer from 1 to 2^31 - 1,");
    return false;
}

Value builtin_to_index(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0), count = builtin_operand(call, 1);
    const Tensor *tensor = value_to_tensor(s, x.value, x.place);
    int64_t n = 0;
    if (tensor == NULL || !index_count(s, &count, &n))
        return value_poison();
    if (tensor->type == TYPE_BOOL)
        return report_argument(s, &x, "a number");
    const Scalar *number = scalar_to_real(s->pool, tensor->body);
    return index_tensor(s, tensor, scalar_op2(s->pool, OP_TO_INDEX, number, scalar_int(s->pool, n)), n);
}

/* Data of type `int` are any that the program can hold. */
static bool is_any_integer(Range range) {
    return range.low <= INT32_MIN || range.high >= INT32_MAX;
}

/* `count`: of the indices that are wanted; 0: as many as there are. */
static Value report_no_range(Sema *s, const Operand *i, Range range, int64_t count) {
    const char *text = place_snippet(s->arena, i->place);
    const char *wanted = count > 0 ? arena_printf(s->arena, "in 0..%" PRId64, count) : "from 0 on";
    const char *actual = is_any_integer(range)
                             ? "may be any"
                             : arena_printf(s->arena, "is in %" PRId64 "..%" PRId64, range.low, range.high + 1);
    sema_error(s, i->place, "as_index() wants integers %s, but `%s` %s", wanted, text, actual);
    sema_note_origin(s, i->value);
    sema_help(s, "`to_index(%s, %" PRId64 ")` takes the nearest index for what lies outside", text,
              count > 0 ? count : 10);
    return value_poison();
}

Value builtin_as_index(Sema *s, const BuiltinCall *call) {
    Operand i = builtin_operand(call, 0);
    const Tensor *tensor = value_to_tensor(s, i.value, i.place);
    if (tensor == NULL)
        return value_poison();
    if (tensor->type != TYPE_INT) {
        report_argument(s, &i, "an integer");
        sema_help(s, "`to_index(%s, 10)` makes an index of a real: one of 0 to 9", place_snippet(s->arena, i.place));
        return value_poison();
    }
    Range range = scalar_range(tensor->body);
    int64_t n = 0;
    if (call->args[1] != NULL) {
        Operand count = builtin_operand(call, 1);
        if (!index_count(s, &count, &n))
            return value_poison();
    }
    if (range.low < 0 || is_any_integer(range) || (n > 0 && range.high >= n))
        return report_no_range(s, &i, range, n);
    return index_tensor(s, tensor, tensor->body, n > 0 ? n : range.high + 1);
}
