#include "sema/equation.h"

#include <string.h>
#include "sema/expr.h"
#include "sema/tensor.h"

/* ---- scope ---- */

bool variable_take_slot(Sema *s, Variable *variable) {
    if (s->next_slot >= SLOT_LIMIT) {
        sema_stop(s, variable->place, "more than %d index variables at once", SLOT_LIMIT - VARIABLE_SLOT);
        return false;
    }
    variable->slot = s->next_slot++;
    s->slot_extent[variable->slot] = variable->extent;
    s->slot_name[variable->slot] = variable->name;
    return true;
}

void variables_release(Sema *s, int first_slot) {
    s->next_slot = first_slot;
}

const Variable *equation_variable(const Equation *equation, const char *name) {
    for (size_t i = equation->scope.count; i > 0; i--)
        if (strcmp(equation->scope.at[i - 1]->name, name) == 0)
            return equation->scope.at[i - 1];
    return NULL;
}

Value variable_value(Sema *s, const Variable *variable) {
    const Scalar *index = scalar_index(s->pool, variable->slot, variable->extent);
    return value_from_scalar(s, scalar_op2(s->pool, OP_ADD, index, scalar_int(s->pool, variable->from)));
}

Equation *equation_begin(Sema *s, const AstExpr *whole, Place place) {
    Equation *equation = arena_one(s->arena, Equation);
    equation->outer = s->frame->equation;
    equation->whole = whole;
    equation->place = place;
    equation->left_first = s->next_slot;
    equation->operands = pointer_map_new(s->arena);
    s->frame->equation = equation;
    return equation;
}

void equation_end(Sema *s) {
    s->next_slot = s->frame->equation->left_first;
    s->frame->equation = s->frame->equation->outer;
}

/* ---- the left side ---- */

/* Adds the variables of the left side to the scope, with their stated ranges; false after a fault. */
static bool declare_left(Sema *s, Equation *equation, const AstStmt *stmt) {
    bool good = true;
    for (size_t i = 0; i < stmt->var_count; i++) {
        const AstIndexVar *var = &stmt->vars[i];
        if (strcmp(var->name.text, "...") == 0) {
            if (equation->ellipsis.written) {
                sema_error(s, var->name.place, "a second `...`: a tensor has one");
                good = false;
            }
            equation->ellipsis.written = true;
            equation->ellipsis.place = var->name.place;
            continue;
        }
        if (equation_variable(equation, var->name.text) != NULL) {
            sema_error(s, var->name.place, "the index variable `%s` stands twice on the left side", var->name.text);
            good = false;
            continue;
        }
        Variable *variable = arena_one(s->arena, Variable);
        variable->name = var->name.text;
        variable->place = var->name.place;
        if (var->from != NULL) {
            state_range(s, variable, var);
            if (variable->from != 0) {
                sema_error(s, var->name.place, "the range of `%s` on the left side must start at 0", variable->name);
                good = false;
            }
        }
        vec_push(s->arena, &equation->scope, variable);
    }
    return good;
}

static void help_range(Sema *s, const Variable *variable) {
    const Value *outside = frame_find(s->frame, variable->name);
    if (outside != NULL && outside->kind == VALUE_NUMBER) {
        sema_help(s,
                  "an equation gives a whole tensor, and its indices are its own, not the number that `%s` was before; "
                  "in a loop, "
                  "what comes step by step is put together by `y = if %s == 0 then x else concat(y, x, axis = 1)`",
                  variable->name, variable->name);
    } else {
        sema_help(s, "state it: `%s in 0..3` is 0, 1, 2", variable->name);
    }
}

static bool check_known(Sema *s, const Equation *equation) {
    bool good = true;
    for (size_t i = 0; i < equation->scope.count; i++) {
        const Variable *variable = equation->scope.at[i];
        if (!variable->known) {
            good = false;
            if (!equation->poisoned) {
                sema_error(s, variable->place,
                           "the range of `%s` is not known: it stands alone in "
                           "no index on the right side",
                           variable->name);
                help_range(s, variable);
            }
        }
    }
    if (equation->ellipsis.written && !equation->ellipsis.known) {
        good = false;
        if (!equation->poisoned) {
            sema_error(s, equation->ellipsis.place,
                       "`...` on the left side wants a tensor with `...` on the right side");
        }
    }
    if (!equation->ellipsis.written && equation->ellipsis.count > 0) {
        good = false;
        sema_error(s, equation->place,
                   "`...` stands on the right side, where it is %d ax%s of "
                   "`%s`, but not on the left side",
                   equation->ellipsis.count, equation->ellipsis.count == 1 ? "is" : "es", equation->ellipsis.because);
    }
    return good;
}

/* Is the letter taken by a variable of this equation? */
static bool letter_is_free(const Equation *equation, const char *letter) {
    return equation_variable(equation, letter) == NULL;
}

/* A letter for the `i`-th axis of `...`: b, then b1, b2 and so on, avoiding the equation's own. */
static const char *ellipsis_letter(Sema *s, const Equation *equation, int i) {
    static const char *const stems[] = {"b", "s", "t", "ax"};
    const char *letter = "";
    for (size_t k = 0; k < sizeof stems / sizeof *stems; k++) {
        letter = i == 0 ? stems[k] : arena_printf(s->arena, "%s%d", stems[k], i);
        if (letter_is_free(equation, letter))
            break;
    }
    return letter;
}

static bool take_ellipsis_slots(Sema *s, Equation *equation) {
    EllipsisAxes *axes = &equation->ellipsis;
    axes->slot = s->next_slot;
    for (int i = 0; i < axes->count; i++) {
        Variable axis = {.name = ellipsis_letter(s, equation, i), .place = axes->place, .extent = axes->extents[i]};
        if (!variable_take_slot(s, &axis))
            return false;
    }
    return true;
}

/* Gives slots to the left side, in the order of the axes. */
static bool take_left_slots(Sema *s, Equation *equation, const AstStmt *stmt) {
    size_t next = 0;
    for (size_t i = 0; i < stmt->var_count; i++) {
        bool is_ellipsis = strcmp(stmt->vars[i].name.text, "...") == 0;
        if (is_ellipsis ? !take_ellipsis_slots(s, equation) : !variable_take_slot(s, equation->scope.at[next++]))
            return false;
    }
    equation->left_count = s->next_slot - equation->left_first;
    return true;
}

/* ---- the right side ---- */

/* The node `name[left side] = body`. */
static Value finish_equation(Sema *s, const Equation *equation, const Tensor *body, const AstStmt *stmt) {
    int rank = equation->left_count;
    if (body->rank > 0) {
        sema_error(s, stmt->value->place, "the right side is %s, but an equation wants one element",
                   tensor_describe(s->arena, s->graph, body));
        sema_help(s, "index the tensor, or write `%s = %s` for the whole of it", stmt->name.text,
                  place_snippet(s->arena, stmt->value->place));
        return value_poison();
    }
    Extent *shape = s->slot_extent + equation->left_first;
    if (!shape_check(s, stmt->place, rank, shape))
        return value_poison();
    const Scalar *map[SLOT_LIMIT] = {NULL};
    const char **letters = arena_array(s->arena, const char *, MAX_AXES);
    for (int i = 0; i < rank; i++) {
        map[equation->left_first + i] = scalar_index(s->pool, i, shape[i]);
        letters[i] = s->slot_name[equation->left_first + i];
    }
    const Scalar *closed = scalar_substitute(s->pool, body->body, map, SLOT_LIMIT);
    const Tensor *tensor = tensor_from_body(s, rank, shape, closed, letters);
    const Node *node = tensor_node(s, tensor, stmt->place, equation->name);
    return node ? value_tensor(tensor_from_node_of(s, node, body)) : value_poison();
}

Value equation_statement(Sema *s, const AstStmt *stmt) {
    Equation *equation = equation_begin(s, stmt->value, stmt->place);
    equation->name = frame_node_name(s, stmt->name.text);
    Value result = value_poison();
    if (declare_left(s, equation, stmt)) {
        infer_ranges(s, equation, stmt->value);
        if (check_known(s, equation) && !equation->poisoned && take_left_slots(s, equation, stmt)) {
            Value right = eval(s, stmt->value);
            const Tensor *body = value_to_tensor(s, right, stmt->value->place);
            if (body != NULL)
                result = finish_equation(s, equation, body, stmt);
        }
    }
    equation_end(s);
    return result;
}
