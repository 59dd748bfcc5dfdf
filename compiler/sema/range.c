/* Ranges of index variables: from the axes that they index alone. */
#include <inttypes.h>
#include <string.h>
#include "sema/equation.h"
#include "sema/expr.h"
#include "sema/tensor.h"

Value equation_operand(Sema *s, Equation *equation, const AstExpr *tensor) {
    const Value *known = pointer_map_get(equation->operands, tensor);
    if (known != NULL)
        return *known;
    /* An indexed tensor stands outside of the equation: its name is never an index variable. */
    Equation *current = s->frame->equation;
    s->frame->equation = NULL;
    Value *value = arena_one(s->arena, Value);
    *value = eval(s, tensor);
    s->frame->equation = current;
    pointer_map_put(equation->operands, tensor, value);
    return *value;
}

/* ---- one variable, one axis ---- */

static Variable *find_unbound(Equation *equation, const char *name) {
    for (size_t i = equation->scope.count; i > 0; i--) {
        Variable *variable = equation->scope.at[i - 1];
        if (strcmp(variable->name, name) == 0)
            return variable->hidden ? NULL : variable;
    }
    return NULL;
}

static void report_two_ranges(Sema *s, const Variable *variable, Extent extent, const char *because, Value because_of,
                              Place place) {
    sema_error(s, place, "`%s` cannot be both %s (%s) and %s (%s)", variable->name, variable->because,
               extent_describe(s->arena, s->graph, variable->extent), because,
               extent_describe(s->arena, s->graph, extent));
    sema_note_origin(s, variable->because_of);
    sema_note_origin(s, because_of);
    sema_help(s,
              "an index variable that stands alone in several places needs axes of one size; "
              "`%s in 0..n` states another range",
              variable->name);
}

/* `variable` indexes axis `axis` of `operand` alone, a tensor or a list. */
static void learn_range(Sema *s, Equation *equation, Variable *variable, const AstExpr *e, Value operand, int axis,
                        Place place) {
    const bool is_list = operand.kind == VALUE_LIST;
    const Extent extent = is_list ? (Extent){list_axis_size(operand, axis), 0} : operand.tensor->shape[axis];
    const char *because =
        arena_printf(s->arena, "axis %d of `%s`", axis, place_snippet(s->arena, e->index.tensor->place));
    if (!variable->known) {
        variable->known = true;
        variable->extent = extent;
        variable->because = because;
        variable->because_of = operand;
    } else if (variable->because != NULL && !extent_equal(variable->extent, extent)) {
        report_two_ranges(s, variable, extent, because, operand, place);
        variable->because = NULL; /* once is enough */
        equation->poisoned = true;
    }
}

/* ---- the ellipsis ---- */

static void report_two_ellipses(Sema *s, const EllipsisAxes *axes, const AstExpr *e, Value operand) {
    const char *text = place_snippet(s->arena, e->index.tensor->place);
    sema_error(s, e->place, "`...` stands for other axes of `%s` than of `%s`: %s and %s", text, axes->because,
               sema_describe(s, operand), sema_describe(s, axes->because_of));
    sema_note_origin(s, axes->because_of);
    sema_note_origin(s, operand);
    sema_help(s, "`...` is the same leading axes in the whole equation");
}

/* The axes that `...` covers in e, whose explicit indices are `given`. */
static void learn_ellipsis(Sema *s, Equation *equation, const AstExpr *e, Value operand, int position, int given) {
    EllipsisAxes *axes = &equation->ellipsis;
    int count = operand.tensor->rank - given;
    const Extent *shape = operand.tensor->shape + position;
    if (count < 0)
        return; /* too many indices: eval_index() reports it */
    if (!axes->known) {
        axes->known = true;
        axes->count = count;
        axes->because = place_snippet(s->arena, e->index.tensor->place);
        axes->because_of = operand;
        memcpy(axes->extents, shape, (size_t)count * sizeof *shape);
        return;
    }
    bool same = axes->count == count;
    for (int i = 0; same && i < count; i++)
        same = extent_equal(axes->extents[i], shape[i]);
    if (!same && axes->because != NULL) {
        report_two_ellipses(s, axes, e, operand);
        equation->poisoned = true;
        axes->because = NULL;
    }
}

/* ---- the walk ---- */

static void walk(Sema *s, Equation *equation, const AstExpr *e);

/* `table[i][j]`: the table is evaluated outside of the equation, where there is no `i`. */
static void report_chain(Sema *s, Equation *equation, const AstExpr *e) {
    const AstExpr *inner = e->index.tensor;
    for (size_t i = 0; inner->kind == AST_INDEX && i < inner->index.count; i++) {
        const AstExpr *at = inner->index.at[i];
        if (at->kind != AST_NAME || frame_find(s->frame, at->text) != NULL ||
            equation_variable(equation, at->text) == NULL)
            continue;
        sema_error(s, at->place, "`%s` is an index of the equation, but `%s` has indices of its own", at->text,
                   place_snippet(s->arena, inner->place));
        sema_help(s, "all indices stand in one pair of brackets, as in `%s[i, j]`",
                  place_snippet(s->arena, inner->index.tensor->place));
        equation->poisoned = true;
        Value *poison = arena_one(s->arena, Value);
        *poison = value_poison();
        pointer_map_put(equation->operands, inner, poison);
        return;
    }
}

static void walk_index(Sema *s, Equation *equation, const AstExpr *e) {
    report_chain(s, equation, e);
    Value operand = equation_operand(s, equation, e->index.tensor);
    equation->poisoned = equation->poisoned || value_is_poison(operand);
    int ellipsis = -1;
    for (size_t i = 0; i < e->index.count; i++)
        if (e->index.at[i]->kind == AST_ELLIPSIS)
            ellipsis = (int)i;
    int given = (int)e->index.count - (ellipsis >= 0);
    for (size_t i = 0; i < e->index.count; i++) {
        const AstExpr *at = e->index.at[i];
        walk(s, equation, at);
        if (at->kind == AST_NAME && !name_is_known(s, at->text)) {
            report_unknown_index(s, e, at);
            equation->poisoned = true;
        }
        if (operand.kind != VALUE_TENSOR && operand.kind != VALUE_LIST)
            continue;
        const int rank = operand.kind == VALUE_LIST ? list_rank(operand) : operand.tensor->rank;
        if ((int)i == ellipsis && operand.kind == VALUE_TENSOR) {
            learn_ellipsis(s, equation, e, operand, ellipsis, given);
            continue;
        }
        int skipped = ellipsis >= 0 && (int)i > ellipsis ? rank - given - 1 : 0;
        int axis = (int)i + skipped;
        Variable *variable = at->kind == AST_NAME ? find_unbound(equation, at->text) : NULL;
        if (variable != NULL && axis >= 0 && axis < rank)
            learn_range(s, equation, variable, e, operand, axis, at->place);
    }
    if (e->index.outside != NULL)
        walk(s, equation, e->index.outside);
}

/* The variables of an inner reduction hide outer ones of the same name. */
static void walk_reduce(Sema *s, Equation *equation, const AstExpr *e) {
    size_t count = equation->scope.count;
    for (size_t i = 0; i < e->reduce.count; i++) {
        Variable *hidden = arena_one(s->arena, Variable);
        hidden->name = e->reduce.vars[i].name.text;
        hidden->hidden = true;
        vec_push(s->arena, &equation->scope, hidden);
    }
    walk(s, equation, e->reduce.body);
    equation->scope.count = count;
}

static void walk_children(Sema *s, Equation *equation, const AstExpr *e) {
    switch (e->kind) {
    case AST_INDEX: walk_index(s, equation, e); break;
    case AST_REDUCE: walk_reduce(s, equation, e); break;
    case AST_LIST:
        for (size_t i = 0; i < e->list.count; i++)
            walk(s, equation, e->list.items[i]);
        break;
    case AST_CALL:
        for (size_t i = 0; i < e->call.count; i++)
            walk(s, equation, e->call.args[i].value);
        break;
    case AST_UNARY_OP: walk(s, equation, e->unary.arg); break;
    case AST_BINARY_OP:
        walk(s, equation, e->binary.left);
        walk(s, equation, e->binary.right);
        break;
    case AST_CONDITION:
        walk(s, equation, e->condition.test);
        walk(s, equation, e->condition.then);
        walk(s, equation, e->condition.otherwise);
        break;
    default: break;
    }
}

static void walk(Sema *s, Equation *equation, const AstExpr *e) {
    if (sema_enter(s, e->place)) {
        walk_children(s, equation, e);
        sema_leave(s);
    }
}

void infer_ranges(Sema *s, Equation *equation, const AstExpr *body) {
    walk(s, equation, body);
}

/* ---- stated ranges ---- */

static bool eval_bound(Sema *s, const AstExpr *e, Extent *out) {
    Value value = eval(s, e);
    int64_t size = 0;
    if (value.kind == VALUE_EXTENT) {
        *out = value.extent;
        return true;
    }
    if (value_as_integer(value, &size)) {
        *out = (Extent){size, 0};
        return true;
    }
    if (!value_is_poison(value)) {
        sema_error(s, e->place, "a range needs whole numbers, but `%s` is %s", place_snippet(s->arena, e->place),
                   sema_describe(s, value));
    }
    return false;
}

/* A stated range has no `because`: the variable may then index axes of other sizes alone. */
void state_range(Sema *s, Variable *variable, const AstIndexVar *var) {
    Extent from, to;
    variable->known = true;
    variable->extent = (Extent){1, 0};
    Equation *current = s->frame->equation;
    s->frame->equation = NULL;
    bool from_good = eval_bound(s, var->from, &from), to_good = eval_bound(s, var->to, &to);
    s->frame->equation = current;
    if (!from_good || !to_good) {
        if (current != NULL)
            current->poisoned = true;
        return;
    }
    const char *name = var->name.text;
    if (extent_is_dynamic(from) || (extent_is_dynamic(to) && from.size != 0)) {
        sema_error(s, var->name.place,
                   "the range of `%s` must start at 0, because its end is known "
                   "only when the program runs",
                   name);
    } else if (to.size <= from.size) {
        sema_error(s, var->name.place, "the range of `%s` is empty: %" PRId64 "..%" PRId64, name, from.size, to.size);
        sema_help(s, "the end of a range is not part of it: `%s in 0..3` is 0, 1, 2", name);
    } else {
        variable->extent = (Extent){to.size - from.size, to.per_sample};
        variable->from = from.size;
    }
}
