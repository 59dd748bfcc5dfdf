/* Built-in functions of whole tensors: derivatives, random bits, shapes. */
#include <inttypes.h>
#include <string.h>
#include "sema/builtin.h"
#include "sema/instance.h"
#include "sema/tensor.h"

/* ---- shapes ---- */

static const Tensor *whole_tensor(Sema *s, const Operand *x) {
    const Tensor *tensor = value_to_tensor(s, x->value, x->place);
    if (tensor != NULL && scalar_is_open(tensor->body)) {
        sema_error(s, x->place, "a whole tensor is wanted here, but `%s` is one element",
                   place_snippet(s->arena, x->place));
        return NULL;
    }
    return tensor;
}

/* An axis counted from either end; -1: there is none, reported. */
static int axis_of(Sema *s, const Operand *axis, int rank) {
    int64_t at = 0;
    if (!value_as_integer(axis->value, &at)) {
        sema_error(s, axis->place, "an axis is a compile-time integer, but `%s` is %s",
                   place_snippet(s->arena, axis->place), sema_describe(s, axis->value));
        return -1;
    }
    if (at < -rank || at >= rank) {
        sema_error(s, axis->place, "there is no axis %" PRId64 ": the tensor has %d", at, rank);
        if (rank > 0)
            sema_help(s, "axes count from 0 to %d, or from the end, -1 to -%d", rank - 1, rank);
        return -1;
    }
    return (int)(at < 0 ? at + rank : at);
}

Value builtin_shape(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0), axis = builtin_operand(call, 1);
    const Tensor *tensor = whole_tensor(s, &x);
    int at = tensor ? axis_of(s, &axis, tensor->rank) : -1;
    return at < 0 ? value_poison() : value_extent(tensor->shape[at]);
}

Value builtin_rank(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0);
    const Tensor *tensor = whole_tensor(s, &x);
    return tensor ? value_integer(tensor->rank) : value_poison();
}

/* ---- random bits ---- */

Value builtin_random(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0);
    const Tensor *tensor = value_to_tensor(s, x.value, x.place);
    if (tensor == NULL)
        return value_poison();
    if (scalar_is_open(tensor->body)) {
        sema_error(s, call->place, "random() wants a whole tensor, but `%s` is one element",
                   place_snippet(s->arena, x.place));
        sema_help(s, "write `r = random(x)` before the equation, and `r[...]` in it");
        return value_poison();
    }
    const Scalar *stream = scalar_int(s->pool, s->next_stream++);
    const Scalar *counter = shape_linear(s, tensor->rank, tensor->shape);
    const Scalar *body = scalar_op2(s->pool, OP_RANDOM, stream, counter);
    return value_tensor(tensor_from_body(s, tensor->rank, tensor->shape, body, tensor->letters));
}

/* ---- derivatives ---- */

static bool is_node(const Node *node, const void *context) {
    return node == context;
}

static bool is_real(Sema *s, const Node *node, const Operand *operand) {
    if (node->type != TYPE_REAL) {
        sema_error(s, operand->place, "only real tensors have derivatives, but `%s` is %s",
                   place_snippet(s->arena, operand->place), sema_describe(s, operand->value));
    }
    return node->type == TYPE_REAL;
}

/* The nodes of grad(e, x) and jvp(e, x, v): false after a fault. */
static bool derivative_operands(Sema *s, const BuiltinCall *call, const Node **of, const Node **wrt) {
    Operand e = builtin_operand(call, 0), x = builtin_operand(call, 1);
    *of = value_to_node(s, e.value, e.place, NULL);
    *wrt = value_to_node(s, x.value, x.place, NULL);
    if (*of == NULL || *wrt == NULL || !is_real(s, *of, &e) || !is_real(s, *wrt, &x))
        return false;
    if (!node_reaches(s, *of, is_node, *wrt)) {
        sema_warning(s, call->place, "`%s` does not depend on `%s`: the derivative is 0 everywhere",
                     place_snippet(s->arena, e.place), place_snippet(s->arena, x.place));
        sema_help(s, "name a tensor that the first one was computed from");
    }
    return true;
}

Value builtin_grad(Sema *s, const BuiltinCall *call) {
    const Node *of, *wrt;
    if (!derivative_operands(s, call, &of, &wrt))
        return value_poison();
    Origin origin = origin_of(s, call->place, frame_expression_name(s, call->place, "grad"));
    origin_take_letters(&origin, tensor_from_node(s, wrt));
    return value_from_node(s, graph_grad(s->graph, of, wrt, origin));
}

Value builtin_jvp(Sema *s, const BuiltinCall *call) {
    const Node *of, *wrt;
    if (!derivative_operands(s, call, &of, &wrt))
        return value_poison();
    Operand x = builtin_operand(call, 1), v = builtin_operand(call, 2);
    const Tensor *tensor = value_to_tensor(s, v.value, v.place);
    tensor = tensor ? tensor_to_real(s, tensor, v.place) : NULL;
    const Node *tangent = tensor ? tensor_node(s, tensor, v.place, NULL) : NULL;
    if (tangent == NULL)
        return value_poison();
    if (!node_same_shape(wrt, tangent)) {
        sema_error(s, v.place, "the direction `%s` is %s, but it must have the shape of `%s`, %s",
                   place_snippet(s->arena, v.place), sema_describe(s, v.value), place_snippet(s->arena, x.place),
                   sema_describe(s, x.value));
        return value_poison();
    }
    Origin origin = origin_of(s, call->place, frame_expression_name(s, call->place, "jvp"));
    origin_take_letters(&origin, tensor_from_node(s, of));
    return value_from_node(s, graph_jvp(s->graph, of, wrt, tangent, origin));
}

Value builtin_stop_gradient(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0);
    if (x.value.kind == VALUE_NUMBER)
        return x.value;
    if (x.value.kind == VALUE_INSTANCE && x.value.instance->function->decl->kind == AST_LAYER) {
        Value stopped = x.value;
        stopped.instance = instance_stopped(s, x.value.instance);
        return stopped;
    }
    const Node *node = value_to_node(s, x.value, x.place, NULL);
    if (node == NULL)
        return value_poison();
    Origin origin = origin_of(s, call->place, frame_expression_name(s, call->place, "stop_gradient"));
    origin_take_letters(&origin, tensor_from_node(s, node));
    return value_from_node(s, graph_detach(s->graph, node, origin));
}

/* ---- concat ---- */

/* The tensors of the call, and the axis; false after a fault. */
typedef struct Joined {
    int count, axis;
    const Tensor **parts;
    const Operand *operands;
    Extent shape[MAX_AXES];
} Joined;

static bool report_part(Sema *s, const Joined *joined, int i, const char *wish) {
    sema_error(s, joined->operands[i].place, "concat() along axis %d wants tensors %s, but `%s` is %s and `%s` is %s",
               joined->axis, wish, place_snippet(s->arena, joined->operands[0].place),
               sema_describe(s, joined->operands[0].value), place_snippet(s->arena, joined->operands[i].place),
               sema_describe(s, joined->operands[i].value));
    return false;
}

static bool check_part(Sema *s, const Joined *joined, int i) {
    const Tensor *first = joined->parts[0], *part = joined->parts[i];
    if (first->rank != part->rank)
        return report_part(s, joined, i, "with the same number of axes");
    if (first->type != part->type)
        return report_part(s, joined, i, "of one kind");
    for (int axis = 0; axis < first->rank; axis++)
        if (axis != joined->axis && !extent_equal(first->shape[axis], part->shape[axis]))
            return report_part(s, joined, i, "that are equal on the other axes");
    if (extent_is_dynamic(part->shape[joined->axis])) {
        sema_error(s, joined->operands[i].place,
                   "concat() cannot join along axis %d: its size in `%s` is %s, which varies when the program runs",
                   joined->axis, place_snippet(s->arena, joined->operands[i].place),
                   extent_describe(s->arena, s->graph, part->shape[joined->axis]));
        sema_help(s, "another axis is chosen by `axis = 1`; a dimension declared with `=` has a fixed size");
        return false;
    }
    return true;
}

/* Integers become reals where they meet; false after a fault. */
static bool unify_numbers(Sema *s, const Joined *joined) {
    bool has_real = false, has_bool = false;
    for (int i = 0; i < joined->count; i++) {
        has_real = has_real || joined->parts[i]->type == TYPE_REAL;
        has_bool = has_bool || joined->parts[i]->type == TYPE_BOOL;
    }
    for (int i = 0; has_real && !has_bool && i < joined->count; i++) {
        joined->parts[i] = tensor_to_real(s, joined->parts[i], joined->operands[i].place);
        if (joined->parts[i] == NULL)
            return false;
    }
    return true;
}

/* concat([a, b]), as others write it. */
static void report_list(Sema *s, const Operand *list) {
    const char *text = place_text(s->arena, list->place);
    sema_error(s, list->place, "concat() takes its tensors one by one, but `%s` is %s",
               place_snippet(s->arena, list->place), sema_describe(s, list->value));
    if (text[0] == '[')
        sema_help(s, "leave the square brackets out: `concat(%.*s)`", (int)strlen(text) - 2, text + 1);
    else
        sema_help(s, "one item of a list is `%s[0]`", text);
}

static bool take_parts(Sema *s, const BuiltinCall *call, Joined *joined) {
    const Argument *axis = call->args[1];
    joined->parts = arena_array(s->arena, const Tensor *, call->all->count);
    Operand *operands = arena_array(s->arena, Operand, call->all->count);
    joined->operands = operands;
    for (size_t i = 0; i < call->all->count; i++) {
        const Argument *given = &call->all->at[i];
        if (given == axis)
            continue;
        Operand operand = {given->value, given->place};
        if (operand.value.kind == VALUE_LIST) {
            report_list(s, &operand);
            return false;
        }
        operands[joined->count] = operand;
        joined->parts[joined->count] = whole_tensor(s, &operand);
        if (joined->parts[joined->count++] == NULL)
            return false;
    }
    int rank = joined->parts[0]->rank;
    Operand last = {value_integer(-1), call->place};
    Operand chosen = axis ? (Operand){axis->value, axis->place} : last;
    joined->axis = axis_of(s, &chosen, rank);
    return joined->axis >= 0 && unify_numbers(s, joined);
}

/* The body over the result's axes: each part where the axis is in its range. A guard of each part keeps its loads inside. */
static const Scalar *joined_body(Sema *s, const Joined *joined) {
    const Tensor *first = joined->parts[0];
    const Scalar *body = first->type == TYPE_REAL  ? scalar_real(s->pool, 0.0)
                         : first->type == TYPE_INT ? scalar_int(s->pool, 0)
                                                   : scalar_bool(s->pool, false);
    int64_t end = joined->shape[joined->axis].size;
    for (int i = joined->count - 1; i >= 0; i--) {
        const Tensor *part = joined->parts[i];
        Extent extent = part->shape[joined->axis];
        end -= extent.size;
        const Scalar *map[MAX_AXES] = {NULL};
        for (int axis = 0; axis < part->rank; axis++)
            map[axis] = scalar_index(s->pool, axis, joined->shape[axis]);
        map[joined->axis] = scalar_op2(s->pool, OP_SUB, map[joined->axis], scalar_int(s->pool, end));
        const Scalar *here = scalar_substitute(s->pool, part->body, map, part->rank);
        body = scalar_select(s->pool, scalar_within(s->pool, map[joined->axis], extent), here, body);
    }
    return body;
}

Value builtin_concat(Sema *s, const BuiltinCall *call) {
    Joined joined = {.count = 0};
    if (!take_parts(s, call, &joined))
        return value_poison();
    const Tensor *first = joined.parts[0];
    for (int axis = 0; axis < first->rank; axis++)
        joined.shape[axis] = first->shape[axis];
    joined.shape[joined.axis].size = 0;
    for (int i = 0; i < joined.count; i++) {
        if (!check_part(s, &joined, i))
            return value_poison();
        joined.shape[joined.axis].size += joined.parts[i]->shape[joined.axis].size;
    }
    if (!shape_check(s, call->place, first->rank, joined.shape))
        return value_poison();
    return value_tensor(tensor_from_body(s, first->rank, joined.shape, joined_body(s, &joined), first->letters));
}
