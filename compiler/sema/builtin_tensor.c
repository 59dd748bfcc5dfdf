/* Built-in functions of whole tensors: derivatives, random bits, shapes. */
#include <inttypes.h>
#include <string.h>
#include "sema/builtin.h"
#include "sema/instance.h"
#include "sema/tensor.h"

/* ---- shapes ---- */

const Tensor *builtin_whole_tensor(Sema *s, const Operand *x) {
    const Tensor *tensor = value_to_tensor(s, x->value, x->place);
    if (tensor != NULL && scalar_is_open(tensor->body)) {
        sema_error(s, x->place, "a whole tensor is wanted here, but `%s` is one element",
                   place_snippet(s->arena, x->place));
        return NULL;
    }
    return tensor;
}

int builtin_axis(Sema *s, const Operand *axis, int rank, const char *of) {
    int64_t at = 0;
    if (!value_as_integer(axis->value, &at)) {
        sema_error(s, axis->place, "an axis is a compile-time integer, but `%s` is %s",
                   place_snippet(s->arena, axis->place), sema_describe(s, axis->value));
        return -1;
    }
    if (at < -rank || at >= rank) {
        sema_error(s, axis->place, "there is no axis %" PRId64 ": %s has %d", at, of, rank);
        if (rank > 0)
            sema_help(s, "axes count from 0 to %d, or from the end, -1 to -%d", rank - 1, rank);
        return -1;
    }
    return (int)(at < 0 ? at + rank : at);
}

Value builtin_shape(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0), axis = builtin_operand(call, 1);
    const Tensor *tensor = builtin_whole_tensor(s, &x);
    int at = tensor ? builtin_axis(s, &axis, tensor->rank, "the tensor") : -1;
    return at < 0 ? value_poison() : value_extent(tensor->shape[at]);
}

Value builtin_rank(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0);
    const Tensor *tensor = builtin_whole_tensor(s, &x);
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
