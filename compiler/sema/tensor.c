#include "sema/tensor.h"

#include <inttypes.h>
#include <string.h>
#include "sema/instance.h"

const Tensor *tensor_from_node(Sema *s, const Node *node) {
    Tensor *tensor = arena_one(s->arena, Tensor);
    tensor->type = node->type;
    tensor->rank = node->rank;
    memcpy(tensor->shape, node->shape, sizeof tensor->shape);
    tensor->body = node_load_identity(s->graph, node);
    tensor->node = node;
    tensor->letters = node->rank > 0 && node->origin.axes[0] != NULL ? node->origin.axes : NULL;
    if (node->kind == NODE_INPUT)
        tensor->classes = node->leaf.classes;
    return tensor;
}

const Tensor *tensor_from_node_of(Sema *s, const Node *node, const Tensor *from) {
    Tensor *tensor = arena_one(s->arena, Tensor);
    *tensor = *tensor_from_node(s, node);
    if (from->is_made_index) {
        tensor->classes = from->classes;
        tensor->is_index = tensor->is_made_index = true;
    }
    return tensor;
}

const Tensor *tensor_from_body(Sema *s, int rank, const Extent *shape, const Scalar *body, const char *const *letters) {
    Tensor *tensor = arena_one(s->arena, Tensor);
    tensor->type = body->type;
    tensor->rank = rank;
    if (rank > 0)
        memcpy(tensor->shape, shape, (size_t)rank * sizeof *shape);
    tensor->body = body;
    tensor->letters = letters;
    return tensor;
}

const Tensor *tensor_from_scalar(Sema *s, const Scalar *body) {
    return tensor_from_body(s, 0, NULL, body, NULL);
}

Value value_from_node(Sema *s, const Node *node) {
    return value_tensor(tensor_from_node(s, node));
}

Value value_from_scalar(Sema *s, const Scalar *body) {
    return value_tensor(tensor_from_scalar(s, body));
}

/* ---- from values ---- */

static void report_not_a_tensor(Sema *s, Value value, Place place) {
    sema_error(s, place, "a number or a tensor is wanted here, but `%s` is %s", place_snippet(s->arena, place),
               sema_describe(s, value));
    switch (value.kind) {
    case VALUE_EXTENT:
        sema_help(s, "`length(%s)` is the actual size as a number", place_snippet(s->arena, place));
        break;
    case VALUE_INSTANCE:
        if (value.instance->function->decl->kind == AST_LAYER)
            sema_help(s, "apply it: `%s(x)`", value.name ? value.name : "name");
        break;
    case VALUE_FUNCTION:
    case VALUE_BUILTIN: sema_help(s, "call it: `%s(x)`", place_snippet(s->arena, place)); break;
    case VALUE_LIST:
        if (value.name != NULL && value.list.count > 0 && value.list.items[0].kind == VALUE_NUMBER) {
            sema_help(s, "one item of a list is `%s[0]`; as a tensor it is indexed in an equation: `v[i] = %s[i]`",
                      value.name, value.name);
        } else {
            sema_help(s, "one item of a list is `%s[0]`", place_snippet(s->arena, place));
        }
        break;
    default: break;
    }
}

const Tensor *value_to_tensor(Sema *s, Value value, Place place) {
    switch (value.kind) {
    case VALUE_POISON: return NULL;
    case VALUE_TENSOR: return value.tensor;
    case VALUE_BOOL: return tensor_from_scalar(s, scalar_bool(s->pool, value.truth));
    case VALUE_NUMBER: {
        int64_t integer = 0;
        bool exact = value.number.is_integer && value_as_integer(value, &integer);
        return tensor_from_scalar(s, exact ? scalar_int(s->pool, integer) : scalar_real(s->pool, value.number.value));
    }
    default: report_not_a_tensor(s, value, place); return NULL;
    }
}

Origin origin_of(Sema *s, Place place, const char *name) {
    return (Origin){.place = sema_user_place(s, place), .name = name, .equation = place_text(s->arena, place)};
}

const Tensor *tensor_with_origin(Sema *s, const Tensor *tensor, Place place, const char *hint) {
    if (tensor->node != NULL)
        return tensor;
    Tensor *copy = arena_one(s->arena, Tensor);
    *copy = *tensor;
    copy->place = sema_user_place(s, place);
    copy->hint = hint ? hint : tensor->hint;
    return copy;
}

void origin_take_letters(Origin *origin, const Tensor *tensor) {
    if (tensor->letters != NULL)
        memcpy(origin->axes, tensor->letters, sizeof origin->axes);
    else if (tensor->rank > 0 && extent_is_dynamic(tensor->shape[0]))
        origin->axes[0] = "b";
}

/* Where a new node comes from: its own statement when it is named, else the expression that gave the tensor. */
static Origin node_origin(Sema *s, const Tensor *tensor, Place place, const char *name) {
    bool remembered = name == NULL && tensor->place.source != NULL;
    Origin origin = origin_of(s, remembered ? tensor->place : place, name ? name : tensor->hint);
    origin_take_letters(&origin, tensor);
    return origin;
}

const Node *tensor_node(Sema *s, const Tensor *tensor, Place place, const char *name) {
    if (tensor->node != NULL)
        return tensor->node;
    if (scalar_is_open(tensor->body)) {
        sema_error(s, place, "`%s` is one element of an equation, but a whole tensor is wanted here",
                   place_snippet(s->arena, place));
        sema_help(s, "write the tensor in a statement of its own before the equation");
        return NULL;
    }
    if (s->graph->node_count > LIMIT_NODES) {
        sema_stop(s, place, "the model needs more than %d tensors", LIMIT_NODES);
        return NULL;
    }
    if (!shape_check(s, place, tensor->rank, tensor->shape))
        return NULL;
    return graph_expr(s->graph, tensor->rank, tensor->shape, REDUCE_NONE, 0, NULL, tensor->body,
                      node_origin(s, tensor, place, name));
}

const Node *value_to_node(Sema *s, Value value, Place place, const char *name) {
    const Tensor *tensor = value_to_tensor(s, value, place);
    return tensor ? tensor_node(s, tensor, place, name) : NULL;
}

static void report_class(Sema *s, const Tensor *tensor, Place place) {
    const char *text = place_snippet(s->arena, place);
    sema_error(s, place, "`%s` is %s: classes are names, not quantities to calculate with", text,
               tensor_describe(s->arena, s->graph, tensor));
    if (scalar_is_open(tensor->body)) {
        sema_help(s, "compare them (`c == %s`), index with them, or write `real(%s)`", text, text);
    } else {
        sema_help(s, "compare them (`c == %s`), index with them, or write `one_hot(%s)` or `real(%s)`", text, text,
                  text);
    }
}

const Tensor *tensor_to_real(Sema *s, const Tensor *tensor, Place place) {
    if (tensor->type == TYPE_REAL)
        return tensor;
    if (tensor->classes != 0) {
        report_class(s, tensor, place);
        return NULL;
    }
    if (tensor->type == TYPE_BOOL) {
        const char *text = place_snippet(s->arena, place);
        sema_error(s, place, "`%s` is true or false, but a number is wanted here", text);
        sema_help(s, "`if %s then 1 else 0` makes a number of it", text);
        return NULL;
    }
    return tensor_from_body(s, tensor->rank, tensor->shape, scalar_to_real(s->pool, tensor->body), tensor->letters);
}

/* ---- shapes ---- */

bool shape_check(Sema *s, Place place, int rank, const Extent *shape) {
    if (rank > MAX_AXES) {
        sema_error(s, place, "a tensor may have %d axes, and this one would have %d", MAX_AXES, rank);
        return false;
    }
    int64_t elements = 1;
    for (int i = 0; i < rank; i++) {
        if (shape[i].size > LIMIT_ELEMENTS / elements) {
            sema_error(
                s, place, "%s would have more than 2^40 elements",
                tensor_describe(s->arena, s->graph, tensor_from_body(s, rank, shape, scalar_real(s->pool, 0.0), NULL)));
            return false;
        }
        elements *= shape[i].size;
    }
    return true;
}

int64_t shape_stride(int rank, const Extent *shape, int axis) {
    int64_t stride = 1;
    for (int i = axis + 1; i < rank; i++)
        stride *= shape[i].size;
    return stride;
}

const Scalar *shape_linear(Sema *s, int rank, const Extent *shape) {
    const Scalar *position = scalar_int(s->pool, 0);
    for (int i = 0; i < rank; i++) {
        position = scalar_op2(s->pool, OP_MUL, position, scalar_extent(s->pool, shape[i]));
        position = scalar_op2(s->pool, OP_ADD, position, scalar_index(s->pool, i, shape[i]));
    }
    return position;
}

/* ---- search ---- */

typedef struct Search {
    Arena *arena;
    PointerMap *seen;
    NodeList open;
} Search;

static void search_visit(void *context, const Node *operand) {
    Search *search = context;
    if (pointer_map_get(search->seen, operand) == NULL) {
        pointer_map_put(search->seen, operand, operand);
        vec_push(search->arena, &search->open, operand);
    }
}

bool node_reaches(Sema *s, const Node *node, bool (*wanted)(const Node *node, const void *context),
                  const void *context) {
    Search search = {.arena = s->arena, .seen = pointer_map_new(s->arena)};
    search_visit(&search, node);
    while (search.open.count > 0) {
        const Node *next = search.open.at[--search.open.count];
        if (wanted(next, context))
            return true;
        node_each_operand(s->arena, next, search_visit, &search);
    }
    return false;
}
