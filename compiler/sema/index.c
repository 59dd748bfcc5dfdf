/* x[i, j; outside = v]: loads. An index that can leave its axis is guarded. */
#include <inttypes.h>
#include "sema/equation.h"
#include "sema/expr.h"
#include "sema/tensor.h"

static void report_index_type(Sema *s, const AstExpr *at, Value value) {
    const char *text = place_snippet(s->arena, at->place);
    sema_error(s, at->place, "an index is an integer, but `%s` is %s", text, sema_describe(s, value));
    const bool real = value.kind == VALUE_TENSOR && value.tensor->rank == 0 && value.tensor->type == TYPE_REAL;
    if (at->kind == AST_BINARY_OP && at->binary.op == AST_DIV)
        sema_help(s, "`div(a, b)` divides integers and rounds down");
    else if (real)
        sema_help(s, "`to_index(%s, n)` is an index below n: rounded down, and the nearest one for what lies outside",
                  text);
}

/* ---- lists ---- */

/* What is read of a list: where, an index for each axis, and whether all of its numbers are integers. */
typedef struct TableLookup {
    const Scalar *const *at;
    bool integers;
} TableLookup;

/* The items from `from` to `to` - 1 of a table's axis, chosen by an index: halves of halves, so that the choice is no deeper than it must be. */
static const Scalar *choose_item(Sema *s, const TableLookup *lookup, Value list, int axis, size_t from, size_t to) {
    if (to - from == 1) {
        const Value *item = &list.list.items[from];
        if (item->kind == VALUE_LIST)
            return choose_item(s, lookup, *item, axis + 1, 0, item->list.count);
        int64_t integer = 0;
        return lookup->integers && value_as_integer(*item, &integer) ? scalar_int(s->pool, integer)
                                                                     : scalar_real(s->pool, item->number.value);
    }
    const size_t middle = from + (to - from) / 2;
    const Scalar *is_low = scalar_op2(s->pool, OP_LT, lookup->at[axis], scalar_int(s->pool, (int64_t)middle));
    return scalar_select(s->pool, is_low, choose_item(s, lookup, list, axis, from, middle),
                         choose_item(s, lookup, list, axis, middle, to));
}

/* Is `part`, which stands at `axis` of the list `whole`, made of numbers behind `rank` axes, each of one size? */
static bool is_table(Value whole, Value part, int axis, int rank, bool *integers) {
    if ((int64_t)part.list.count != list_axis_size(whole, axis))
        return false;
    for (size_t i = 0; i < part.list.count; i++) {
        const Value *item = &part.list.items[i];
        const bool last = axis + 1 == rank;
        if (item->kind != (last ? VALUE_NUMBER : VALUE_LIST) ||
            (!last && !is_table(whole, *item, axis + 1, rank, integers)))
            return false;
        *integers = *integers && (!last || item->number.is_integer);
    }
    return part.list.count > 0;
}

static void report_no_table(Sema *s, const AstExpr *e, Value list, const AstExpr *at) {
    const char *name = place_snippet(s->arena, e->index.tensor->place);
    if (list_rank(list) > 1) {
        sema_error(s, e->place, "an index of `%s` is computed, but it is not a table with %zu ax%s", name,
                   e->index.count, e->index.count == 1 ? "is" : "es");
        sema_help(s, "a list of lists is a table when all of them have one length and hold numbers: an index for each "
                     "axis, as in `[[0, 1], [2, 3]][i, j]`");
        return;
    }
    sema_error(s, at->place, "the index `%s` of `%s` is computed, but not all of its items are numbers",
               place_snippet(s->arena, at->place), name);
    sema_help(
        s,
        "tensors of one shape become one by `stack(%s, axis = 0)`, whose axes all have indices; `concat` puts them one "
        "behind the other",
        name);
}

static void report_outside_list(Sema *s, const AstExpr *e, const AstExpr *at, const Scalar *index, int64_t size) {
    const Range range = scalar_range(index);
    const char *runs = range.low == INT64_MIN || range.high == INT64_MAX
                           ? "may be any integer"
                           : arena_printf(s->arena, "runs over %" PRId64 "..%" PRId64, range.low, range.high + 1);
    sema_error(s, at->place, "the index `%s` of the list `%s` %s, but the list has 0..%" PRId64,
               place_snippet(s->arena, at->place), place_snippet(s->arena, e->index.tensor->place), runs, size);
}

/* list[at, ...], where an index is computed. */
static Value computed_item(Sema *s, const AstExpr *e, Value list, const Value *values) {
    const int rank = (int)e->index.count;
    const Scalar **at = arena_array(s->arena, const Scalar *, e->index.count);
    const AstExpr *computed = NULL;
    for (int i = 0; i < rank; i++) {
        int64_t known = 0;
        const Tensor *tensor = values[i].kind == VALUE_TENSOR ? values[i].tensor : NULL;
        if (value_as_integer(values[i], &known)) {
            at[i] = scalar_int(s->pool, known);
        } else if (tensor != NULL && tensor->rank == 0 && tensor->type == TYPE_INT) {
            at[i] = tensor->body;
            computed = computed ? computed : e->index.at[i];
        } else {
            report_index_type(s, e->index.at[i], values[i]);
            return value_poison();
        }
    }
    TableLookup lookup = {at, true};
    if (!is_table(list, list, 0, rank, &lookup.integers)) {
        report_no_table(s, e, list, computed);
        return value_poison();
    }
    for (int i = 0; i < rank; i++) {
        const int64_t size = list_axis_size(list, i);
        if (scalar_within(s->pool, at[i], (Extent){size, 0}) != scalar_bool(s->pool, true)) {
            report_outside_list(s, e, e->index.at[i], at[i], size);
            return value_poison();
        }
    }
    return value_from_scalar(s, choose_item(s, &lookup, list, 0, 0, list.list.count));
}

/* list[at, ...], where all indices are known. */
static Value known_item(Sema *s, const AstExpr *e, Value list, const Value *values) {
    for (size_t i = 0; i < e->index.count; i++) {
        int64_t position = 0;
        if (list.kind != VALUE_LIST) {
            sema_error(s, e->index.at[i]->place, "there is no list here: `%s` takes %zu ind%s",
                       place_snippet(s->arena, e->index.tensor->place), i, i == 1 ? "ex" : "ices");
            return value_poison();
        }
        if (!value_as_integer(values[i], &position) || position < 0 || position >= (int64_t)list.list.count) {
            const char *axis = i == 0 ? "" : arena_printf(s->arena, "axis %zu of ", i);
            sema_error(s, e->index.at[i]->place, "%s`%s` has %zu items, from [0] on: there is no [%" PRId64 "]", axis,
                       place_snippet(s->arena, e->index.tensor->place), list.list.count, position);
            if (position < 0 && i == 0) {
                const char *name = place_snippet(s->arena, e->index.tensor->place);
                sema_help(s, "items are counted from the first one; the last one is `%s[length(%s) - 1]`", name, name);
            }
            return value_poison();
        }
        list = list.list.items[position];
    }
    return list;
}

static Value list_item(Sema *s, const AstExpr *e, Value list) {
    if (e->index.outside != NULL) {
        sema_error(s, e->index.outside->place, "a list has no `outside`: its indices stay within it");
        return value_poison();
    }
    Value *values = arena_array(s->arena, Value, e->index.count);
    bool known = true;
    for (size_t i = 0; i < e->index.count; i++) {
        if (e->index.at[i]->kind == AST_ELLIPSIS) {
            sema_error(s, e->index.at[i]->place, "a list has no leading axes: `...` is for tensors");
            return value_poison();
        }
        int64_t position = 0;
        values[i] = eval(s, e->index.at[i]);
        if (value_is_poison(values[i]))
            return values[i];
        known = known && value_as_integer(values[i], &position);
    }
    return known ? known_item(s, e, list, values) : computed_item(s, e, list, values);
}

/* ---- indices ---- */

/* The index `at` of e as an integer scalar; NULL after a fault. */
static const Scalar *eval_one_index(Sema *s, const AstExpr *e, const AstExpr *at) {
    if (at->kind == AST_NAME && !name_is_known(s, at->text)) {
        report_unknown_index(s, e, at);
        return NULL;
    }
    Value value = eval(s, at);
    const Tensor *tensor = value_to_tensor(s, value, at->place);
    if (tensor == NULL)
        return NULL;
    int64_t integer = 0;
    if (value_as_integer(value, &integer))
        return scalar_int(s->pool, integer);
    if (tensor->rank == 0 && tensor->type == TYPE_INT)
        return tensor->body;
    report_index_type(s, at, value);
    return NULL;
}

static int find_ellipsis(const AstExpr *e) {
    for (size_t i = 0; i < e->index.count; i++)
        if (e->index.at[i]->kind == AST_ELLIPSIS)
            return (int)i;
    return -1;
}

static void report_index_count(Sema *s, const AstExpr *e, Value operand) {
    int given = (int)e->index.count - (find_ellipsis(e) >= 0);
    sema_error(s, e->place, "`%s` is %s: it has %d ax%s, but %d %s given",
               place_snippet(s->arena, e->index.tensor->place), sema_describe(s, operand), operand.tensor->rank,
               operand.tensor->rank == 1 ? "is" : "es", given, given == 1 ? "index is" : "indices are");
    sema_note_origin(s, operand);
    if (given < operand.tensor->rank)
        sema_help(s, "each axis wants an index; `...` stands for leading axes");
}

/* Fills at[0 .. rank-1]; false after a fault. */
static bool eval_indices(Sema *s, const AstExpr *e, Value operand, const Scalar **at) {
    const EllipsisAxes *axes = &s->frame->equation->ellipsis;
    int ellipsis = find_ellipsis(e);
    int covered = ellipsis >= 0 ? axes->count : 0;
    if ((int)e->index.count - (ellipsis >= 0) + covered != operand.tensor->rank) {
        report_index_count(s, e, operand);
        return false;
    }
    bool good = true;
    int axis = 0;
    for (size_t i = 0; i < e->index.count; i++) {
        if ((int)i != ellipsis) {
            at[axis] = eval_one_index(s, e, e->index.at[i]);
            good = good && at[axis] != NULL;
            axis++;
            continue;
        }
        for (int k = 0; k < covered; k++, axis++)
            at[axis] = scalar_index(s->pool, axes->slot + k, axes->extents[k]);
    }
    return good;
}

/* ---- guards ---- */

static const AstExpr *index_of_axis(const AstExpr *e, const Equation *equation, int axis) {
    int ellipsis = find_ellipsis(e);
    if (ellipsis < 0 || axis < ellipsis)
        return e->index.at[axis];
    return e->index.at[axis - equation->ellipsis.count + 1];
}

static void report_range(Sema *s, const AstExpr *e, Value operand, int axis, const Scalar *index) {
    const AstExpr *at = index_of_axis(e, s->frame->equation, axis);
    const char *tensor = place_snippet(s->arena, e->index.tensor->place);
    const char *text = place_snippet(s->arena, at->place);
    Extent extent = operand.tensor->shape[axis];
    Range range = scalar_range(index);
    if (range.low == INT64_MIN || range.high == INT64_MAX) {
        sema_error(s, at->place,
                   "the index `%s` of axis %d of `%s` may be any integer, but the "
                   "axis has 0..%s",
                   text, axis, tensor, extent_describe(s->arena, s->graph, extent));
    } else {
        sema_error(s, at->place,
                   "the index `%s` of axis %d of `%s` runs over %" PRId64 "..%" PRId64 ", but the axis has 0..%s", text,
                   axis, tensor, range.low, range.high + 1, extent_describe(s->arena, s->graph, extent));
    }
    sema_note_origin(s, operand);
    sema_help(s, "make the range smaller, or say what stands outside: `%s[...; outside = 0]`", tensor);
}

/* The condition under which every index is inside; a true constant when that is sure. NULL: it can leave the tensor, without `outside`. */
static const Scalar *inside_condition(Sema *s, const AstExpr *e, Value operand, const Scalar *const *at) {
    const Scalar *inside = scalar_bool(s->pool, true);
    const Scalar *sure = inside;
    bool good = true;
    for (int axis = 0; axis < operand.tensor->rank; axis++) {
        const Scalar *within = scalar_within(s->pool, at[axis], operand.tensor->shape[axis]);
        if (within != sure && e->index.outside == NULL) {
            report_range(s, e, operand, axis, at[axis]);
            good = false;
        }
        inside = scalar_op2(s->pool, OP_AND, inside, within);
    }
    return good ? inside : NULL;
}

/* select(inside, load, outside), with one type for both. */
static Value guarded(Sema *s, const AstExpr *e, const Scalar *inside, const Scalar *load) {
    const Tensor *outside = value_to_tensor(s, eval(s, e->index.outside), e->index.outside->place);
    if (outside == NULL)
        return value_poison();
    if (load->type == TYPE_REAL)
        outside = tensor_to_real(s, outside, e->index.outside->place);
    if (outside == NULL || outside->rank != 0 || outside->type != load->type) {
        if (outside != NULL)
            sema_error(s, e->index.outside->place, "`outside` wants one value of the tensor's kind");
        return value_poison();
    }
    return value_from_scalar(s, scalar_select(s->pool, inside, load, outside->body));
}

static bool is_zero(const Node *node) {
    return node->kind == NODE_EXPR && node->expr.reduce == REDUCE_NONE &&
           (scalar_is_real(node->expr.body, 0.0) || scalar_is_int(node->expr.body, 0));
}

/* What the tensor has at these places. Of zeros, as before the first step of a recurrence, nothing needs to be read. NULL after a fault. */
static const Scalar *read_element(Sema *s, const AstExpr *e, Value operand, const Scalar *const *at) {
    const Node *node = value_to_node(s, operand, e->index.tensor->place, NULL);
    if (node == NULL)
        return NULL;
    return is_zero(node) ? node->expr.body : scalar_load(s->pool, node, at);
}

static Value element(Sema *s, const AstExpr *e, Value operand) {
    const Scalar *at[MAX_AXES];
    if (!eval_indices(s, e, operand, at))
        return value_poison();
    const Scalar *inside = inside_condition(s, e, operand, at);
    const Scalar *load = read_element(s, e, operand, at);
    if (inside == NULL || load == NULL)
        return value_poison();
    if (e->index.outside != NULL)
        return guarded(s, e, inside, load);
    Tensor *tensor = arena_one(s->arena, Tensor);
    *tensor = *tensor_from_scalar(s, load);
    tensor->classes = operand.tensor->classes;
    tensor->is_index = operand.tensor->is_index;
    tensor->is_made_index = operand.tensor->is_made_index;
    return value_tensor(tensor);
}

static Value index_in_equation(Sema *s, const AstExpr *e) {
    Value operand = equation_operand(s, s->frame->equation, e->index.tensor);
    if (value_is_poison(operand))
        return operand;
    if (operand.kind == VALUE_LIST)
        return list_item(s, e, operand);
    if (operand.kind != VALUE_TENSOR) {
        sema_error(s, e->place, "only tensors and lists have indices, but `%s` is %s",
                   place_snippet(s->arena, e->index.tensor->place), sema_describe(s, operand));
        return value_poison();
    }
    if (find_ellipsis(e) >= 0 && !s->frame->equation->ellipsis.known) {
        sema_error(s, e->place, "`...` in an index belongs into an equation");
        sema_help(s, "write it as a statement: `y[...] = ...`");
        return value_poison();
    }
    return element(s, e, operand);
}

Value eval_index(Sema *s, const AstExpr *e) {
    if (s->frame->equation != NULL)
        return index_in_equation(s, e);
    equation_begin(s, e, e->place);
    Value value = index_in_equation(s, e);
    equation_end(s);
    return value;
}
