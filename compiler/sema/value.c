#include "sema/value.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "ir/graph_print.h"
#include "sema/builtin.h"
#include "sema/instance.h"
#include "sema/scope.h"

Value value_poison(void) {
    return (Value){.kind = VALUE_POISON};
}

Value value_number(double value, bool is_integer) {
    return (Value){.kind = VALUE_NUMBER, .number = {value, is_integer}};
}

Value value_integer(int64_t value) {
    return value_number((double)value, true);
}

Value value_bool(bool truth) {
    return (Value){.kind = VALUE_BOOL, .truth = truth};
}

Value value_text(const char *text) {
    return (Value){.kind = VALUE_TEXT, .text = text};
}

Value value_list(const Value *items, size_t count) {
    return (Value){.kind = VALUE_LIST, .list = {items, count}};
}

int64_t list_axis_size(Value list, int axis) {
    for (; axis > 0; axis--) {
        if (list.list.count == 0 || list.list.items[0].kind != VALUE_LIST)
            return -1;
        list = list.list.items[0];
    }
    return (int64_t)list.list.count;
}

int list_rank(Value list) {
    int rank = 1;
    while (list_axis_size(list, rank) >= 0)
        rank++;
    return rank;
}

Value value_tensor(const Tensor *tensor) {
    return (Value){.kind = VALUE_TENSOR, .tensor = tensor};
}

Value value_extent(Extent extent) {
    if (extent_is_dynamic(extent))
        return (Value){.kind = VALUE_EXTENT, .extent = extent};
    return value_integer(extent.size);
}

bool value_as_integer(Value value, int64_t *out) {
    if (value.kind != VALUE_NUMBER || !(fabs(value.number.value) <= NUMBER_INTEGER_LIMIT) ||
        value.number.value != floor(value.number.value))
        return false;
    *out = (int64_t)value.number.value;
    return true;
}

/* ---- as text ---- */

const char *number_describe(Arena *arena, double value) {
    int64_t integer = 0;
    if (value_as_integer(value_number(value, false), &integer))
        return arena_printf(arena, "%" PRId64, integer);
    return text_of_double(arena, value);
}

const char *extent_describe(Arena *arena, const Graph *graph, Extent extent) {
    if (!extent_is_dynamic(extent))
        return arena_printf(arena, "%" PRId64, extent.size);
    if (extent.per_sample == 1)
        return graph->batch_name;
    return arena_printf(arena, "%s * %" PRId64, graph->batch_name, extent.per_sample);
}

const char *tensor_describe(Arena *arena, const Graph *graph, const Tensor *tensor) {
    const char *shape = shape_text(arena, tensor->type, tensor->rank, tensor->shape, graph->batch_name);
    if (tensor->classes == 0)
        return shape;
    const char *brackets = strchr(shape, '[');
    return arena_printf(arena, "%s%s(%" PRId64 ")", tensor->is_index ? "index" : "class", brackets ? brackets : "",
                        tensor->classes);
}

const char *value_describe(Arena *arena, const Graph *graph, Value value) {
    switch (value.kind) {
    case VALUE_POISON: return "a value with a fault";
    case VALUE_NUMBER: return arena_printf(arena, "the number %s", number_describe(arena, value.number.value));
    case VALUE_BOOL: return value.truth ? "`true`" : "`false`";
    case VALUE_TEXT: return arena_printf(arena, "the text \"%s\"", value.text);
    case VALUE_LIST:
        return arena_printf(arena, "a list of %zu value%s", value.list.count, value.list.count == 1 ? "" : "s");
    case VALUE_ELLIPSIS: return "`...`";
    case VALUE_EXTENT:
        return arena_printf(arena, "the dynamic dimension `%s`", extent_describe(arena, graph, value.extent));
    case VALUE_TENSOR: return tensor_describe(arena, graph, value.tensor);
    case VALUE_FUNCTION:
        return arena_printf(arena, "the %s `%s`", decl_word(value.function->decl->kind),
                            value.function->decl->name.text);
    case VALUE_BUILTIN: return arena_printf(arena, "the function `%s`", value.builtin->name);
    case VALUE_INSTANCE:
        return arena_printf(arena, "an instance of the %s `%s`", decl_word(value.instance->function->decl->kind),
                            value.instance->function->decl->name.text);
    }
    return "";
}
