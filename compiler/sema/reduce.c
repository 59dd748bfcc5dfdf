/* sum(k) e and its like: a node of its own for each. */
#include <string.h>
#include "sema/equation.h"
#include "sema/expr.h"
#include "sema/reach.h"
#include "sema/reduction.h"
#include "sema/tensor.h"

/* ---- variables ---- */

static bool declare_variables(Sema *s, Equation *equation, const AstExpr *e) {
    size_t first = equation->scope.count;
    for (size_t i = 0; i < e->reduce.count; i++) {
        const AstIndexVar *var = &e->reduce.vars[i];
        for (size_t k = first; k < equation->scope.count; k++) {
            if (strcmp(equation->scope.at[k]->name, var->name.text) == 0) {
                sema_error(s, var->name.place, "the index variable `%s` stands twice in `%s(...)`", var->name.text,
                           e->reduce.word.text);
                return false;
            }
        }
        Variable *variable = arena_one(s->arena, Variable);
        variable->name = var->name.text;
        variable->place = var->name.place;
        if (var->from != NULL)
            state_range(s, variable, var);
        vec_push(s->arena, &equation->scope, variable);
    }
    return true;
}

static void report_range_unknown(Sema *s, const AstExpr *e, const Variable *variable) {
    sema_error(s, variable->place, "the range of `%s` is not known: it stands alone in no index of `%s`",
               variable->name, place_snippet(s->arena, e->reduce.body->place));
    if (sema_help_reach(s, variable->name, variable->place)) {
        /* That it is unknown behind the reduction is the same fault. */
        frame_bind(s, (AstName){variable->name, variable->place}, value_poison());
    } else {
        sema_help(s, "state it: `%s(%s in 0..3)` runs over 0, 1, 2", e->reduce.word.text, variable->name);
    }
}

static bool check_variables(Sema *s, const Equation *equation, const AstExpr *e, size_t first) {
    bool good = true;
    for (size_t i = first; i < equation->scope.count; i++) {
        const Variable *variable = equation->scope.at[i];
        if (variable->known)
            continue;
        good = false;
        if (!equation->poisoned)
            report_range_unknown(s, e, variable);
    }
    return good;
}

static bool take_slots(Sema *s, const Equation *equation, size_t first) {
    for (size_t i = first; i < equation->scope.count; i++)
        if (!variable_take_slot(s, equation->scope.at[i]))
            return false;
    return true;
}

/* ---- the node ---- */

/* The axes of a reduction's node: the open slots of its body outside of the reduction, then the reduction's own. */
typedef struct ReduceAxes {
    int outer[MAX_AXES]; /* slots */
    int rank, reduced;
    Extent shape[MAX_AXES], extents[MAX_AXES];
    const Scalar *map[SLOT_LIMIT];
    const char *letters[MAX_AXES];
} ReduceAxes;

static bool find_axes(Sema *s, const AstExpr *e, const Scalar *body, int first_slot, ReduceAxes *axes) {
    for (int slot = VARIABLE_SLOT; slot < first_slot; slot++) {
        if ((body->slots >> slot & 1) == 0)
            continue;
        if (axes->rank == MAX_AXES)
            break;
        axes->outer[axes->rank] = slot;
        axes->shape[axes->rank] = s->slot_extent[slot];
        axes->letters[axes->rank] = s->slot_name[slot];
        axes->map[slot] = scalar_index(s->pool, axes->rank, s->slot_extent[slot]);
        axes->rank++;
    }
    axes->reduced = s->next_slot - first_slot;
    if (axes->rank + axes->reduced > MAX_AXES) {
        sema_error(s, e->place, "`%s` needs more than %d axes at once", place_snippet(s->arena, e->place), MAX_AXES);
        return false;
    }
    for (int i = 0; i < axes->reduced; i++) {
        Extent extent = s->slot_extent[first_slot + i];
        axes->extents[i] = extent;
        axes->letters[axes->rank + i] = s->slot_name[first_slot + i];
        axes->map[first_slot + i] = scalar_index(s->pool, axes->rank + i, extent);
    }
    return true;
}

/* The reduction that is the whole right side has the equation's name and text; another one has names of its own. */
static Origin reduce_origin(Sema *s, const AstExpr *e, const ReduceAxes *axes) {
    const Equation *equation = s->frame->equation;
    bool is_whole = equation->whole == e && axes->rank == equation->left_count;
    const char *name = equation->name;
    if (!is_whole) {
        name = name ? arena_printf(s->arena, "%s_%s", name, e->reduce.word.text)
                    : frame_expression_name(s, e->place, e->reduce.word.text);
    }
    Origin origin = origin_of(s, is_whole ? equation->place : e->place, name);
    memcpy(origin.axes, axes->letters, sizeof origin.axes);
    return origin;
}

static Value finish_reduce(Sema *s, const AstExpr *e, ReduceWord word, const Scalar *body, int first_slot) {
    ReduceAxes axes = {.rank = 0};
    if (!find_axes(s, e, body, first_slot, &axes) || !shape_check(s, e->place, axes.rank, axes.shape) ||
        !shape_check(s, e->place, axes.reduced, axes.extents))
        return value_poison();
    if (s->graph->node_count > LIMIT_NODES) {
        sema_stop(s, e->place, "the model needs more than %d tensors", LIMIT_NODES);
        return value_poison();
    }
    const Scalar *closed = scalar_substitute(s->pool, body, axes.map, SLOT_LIMIT);
    const Node *node = graph_expr(s->graph, axes.rank, axes.shape, reduction_of(word), axes.reduced, axes.extents,
                                  closed, reduce_origin(s, e, &axes));
    const Scalar *at[MAX_AXES];
    for (int i = 0; i < axes.rank; i++)
        at[i] = scalar_index(s->pool, axes.outer[i], axes.shape[i]);
    const Scalar *load = scalar_load(s->pool, node, at);
    return value_from_scalar(s, reduction_finish(s, word, load, axes.reduced, axes.extents));
}

/* argmax over one variable gives the variable's value, also when its range starts above 0. */
static Value shift_result(Sema *s, ReduceWord word, const Equation *equation, size_t first, Value value) {
    if (value.kind != VALUE_TENSOR || !reduction_gives_index(word) || equation->scope.count - first != 1)
        return value;
    const Scalar *from = scalar_int(s->pool, equation->scope.at[first]->from);
    return value_from_scalar(s, scalar_op2(s->pool, OP_ADD, value.tensor->body, from));
}

static Value reduce_body(Sema *s, const AstExpr *e, ReduceWord word, int first_slot) {
    Value value = eval(s, e->reduce.body);
    const Tensor *body = value_to_tensor(s, value, e->reduce.body->place);
    if (body == NULL)
        return value_poison();
    if (body->rank > 0) {
        sema_error(s, e->reduce.body->place, "`%s` is %s and has no indices",
                   place_snippet(s->arena, e->reduce.body->place), sema_describe(s, value));
        sema_help(s, "`%s(x)` without variables takes a whole tensor", e->reduce.word.text);
        return value_poison();
    }
    body = reduction_operand(s, word, body, e->reduce.body->place);
    return body ? finish_reduce(s, e, word, body->body, first_slot) : value_poison();
}

static Value reduce_in_equation(Sema *s, const AstExpr *e) {
    ReduceWord word;
    if (!reduction_by_word(e->reduce.word.text, &word)) {
        sema_error(s, e->reduce.word.place, "`%s` is not a reduction", e->reduce.word.text);
        sema_help(s, "the reductions are %s", reduction_words(s->arena));
        return value_poison();
    }
    Equation *equation = s->frame->equation;
    size_t first = equation->scope.count;
    int first_slot = s->next_slot;
    Value result = value_poison();
    if (declare_variables(s, equation, e)) {
        infer_ranges(s, equation, e->reduce.body);
        if (check_variables(s, equation, e, first) && !equation->poisoned && take_slots(s, equation, first))
            result = shift_result(s, word, equation, first, reduce_body(s, e, word, first_slot));
    }
    equation->scope.count = first;
    variables_release(s, first_slot);
    return result;
}

Value eval_reduce(Sema *s, const AstExpr *e) {
    if (s->frame->equation != NULL)
        return reduce_in_equation(s, e);
    Equation *equation = equation_begin(s, e, e->place);
    infer_ranges(s, equation, e);
    Value value = value_poison();
    if (equation->ellipsis.count > 0)
        sema_error(s, e->place, "`...` belongs into an equation: `y[...] = %s`", place_snippet(s->arena, e->place));
    else
        value = reduce_in_equation(s, e);
    equation_end(s);
    return value;
}
