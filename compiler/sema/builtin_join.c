/* concat() and stack(): several tensors as one. */
#include <string.h>
#include "sema/builtin.h"
#include "sema/tensor.h"

/* The tensors of the call, and the axis of the result along which they lie. */
typedef struct Joined {
    const char *callee;
    int count, axis;
    bool has_list; /* some of them came in a list */
    const Tensor **parts;
    Operand *operands;
    const char **texts; /* how messages call the parts */
    int room;
    Extent shape[MAX_AXES];
} Joined;

/* ---- the parts ---- */

static void make_room(Sema *s, Joined *joined) {
    if (joined->count < joined->room)
        return;
    int room = joined->room > 0 ? 2 * joined->room : 8;
    size_t used = (size_t)joined->count, wanted = (size_t)room;
    joined->parts = arena_grow(s->arena, joined->parts, used, wanted, sizeof *joined->parts);
    joined->operands = arena_grow(s->arena, joined->operands, used, wanted, sizeof *joined->operands);
    joined->texts = arena_grow(s->arena, joined->texts, used, wanted, sizeof *joined->texts);
    joined->room = room;
}

static bool add_part(Sema *s, Joined *joined, Operand operand, const char *text) {
    make_room(s, joined);
    const Tensor *part = builtin_whole_tensor(s, &operand);
    joined->parts[joined->count] = part;
    joined->operands[joined->count] = operand;
    joined->texts[joined->count++] = text;
    return part != NULL;
}

static bool is_tensor(Value value) {
    return value.kind == VALUE_TENSOR || value.kind == VALUE_NUMBER || value.kind == VALUE_BOOL;
}

/* A list stands for its items. */
static bool add_list(Sema *s, Joined *joined, const Argument *given) {
    const char *text = place_snippet(s->arena, given->place);
    joined->has_list = true;
    for (size_t i = 0; i < given->value.list.count; i++) {
        Operand item = {given->value.list.items[i], given->place};
        const char *name = arena_printf(s->arena, "%s[%zu]", text, i);
        if (!is_tensor(item.value)) {
            sema_error(s, given->place, "%s() takes tensors and lists of them, but `%s` is %s", joined->callee, name,
                       sema_describe(s, item.value));
            return false;
        }
        if (!add_part(s, joined, item, name))
            return false;
    }
    return true;
}

static bool take_parts(Sema *s, const BuiltinCall *call, Joined *joined) {
    for (size_t i = 0; i < call->all->count; i++) {
        const Argument *given = &call->all->at[i];
        if (given == call->args[1])
            continue;
        Operand operand = {given->value, given->place};
        bool good = given->value.kind == VALUE_LIST
                        ? add_list(s, joined, given)
                        : add_part(s, joined, operand, place_snippet(s->arena, given->place));
        if (!good)
            return false;
    }
    if (joined->count == 0) {
        sema_error(s, call->place, "%s() wants one tensor at least, but `%s` is an empty list", joined->callee,
                   place_snippet(s->arena, call->args[0]->place));
    }
    return joined->count > 0;
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

/* ---- checks ---- */

static bool report_part(Sema *s, const Joined *joined, int i, const char *wish) {
    sema_error(s, joined->operands[i].place, "%s() along axis %d wants tensors %s, but `%s` is %s and `%s` is %s",
               joined->callee, joined->axis, wish, joined->texts[0], sema_describe(s, joined->operands[0].value),
               joined->texts[i], sema_describe(s, joined->operands[i].value));
    return false;
}

/* Are the axes equal, but for the one along which they lie (-1: none)? */
static bool same_axes(const Tensor *a, const Tensor *b, int but) {
    for (int axis = 0; axis < a->rank; axis++)
        if (axis != but && !extent_equal(a->shape[axis], b->shape[axis]))
            return false;
    return true;
}

static bool check_part(Sema *s, const Joined *joined, int i) {
    const Tensor *first = joined->parts[0], *part = joined->parts[i];
    if (first->rank != part->rank)
        return report_part(s, joined, i, "with the same number of axes");
    if (first->type != part->type)
        return report_part(s, joined, i, "of one kind");
    if (!same_axes(first, part, joined->axis))
        return report_part(s, joined, i, "that are equal on the other axes");
    if (extent_is_dynamic(part->shape[joined->axis])) {
        sema_error(s, joined->operands[i].place,
                   "concat() cannot join along axis %d: its size in `%s` is %s, which varies when the program runs",
                   joined->axis, joined->texts[i], extent_describe(s->arena, s->graph, part->shape[joined->axis]));
        sema_help(s, "another axis is chosen by `axis = 1`; a dimension declared with `=` has a fixed size");
        return false;
    }
    return true;
}

static bool check_shape(Sema *s, const Joined *joined, int i) {
    const Tensor *first = joined->parts[0], *part = joined->parts[i];
    if (first->type != part->type)
        return report_part(s, joined, i, "of one kind");
    if (first->rank == part->rank && same_axes(first, part, -1))
        return true;
    report_part(s, joined, i, "of one shape");
    if (first->rank == part->rank && first->rank > 0)
        sema_help(s, "along an axis that they have, tensors are joined by `concat`");
    return false;
}

/* ---- the result ---- */

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

/* The parts one behind the other; NULL: that is too large, reported. */
static const Tensor *join_at_once(Sema *s, Place place, Joined *joined) {
    const Tensor *first = joined->parts[0];
    memcpy(joined->shape, first->shape, sizeof joined->shape);
    joined->shape[joined->axis].size = 0;
    for (int i = 0; i < joined->count; i++)
        joined->shape[joined->axis].size += joined->parts[i]->shape[joined->axis].size;
    if (!shape_check(s, place, first->rank, joined->shape))
        return NULL;
    return tensor_from_body(s, first->rank, joined->shape, joined_body(s, joined), first->letters);
}

/* A list may be long, as the steps of a recurrence are: the result grows by one part at a time, as in a loop that joins what it makes. Passes know
 * that form. */
static const Tensor *join_one_by_one(Sema *s, Place place, const Joined *joined) {
    const Tensor *whole = joined->parts[0];
    for (int i = 1; i < joined->count && whole != NULL; i++) {
        const Node *node = tensor_node(s, whole, place, frame_node_name(s, joined->callee));
        if (node == NULL)
            return NULL;
        const Tensor *parts[] = {tensor_from_node(s, node), joined->parts[i]};
        Joined two = {.count = 2, .axis = joined->axis, .parts = parts};
        whole = join_at_once(s, place, &two);
    }
    return whole;
}

static Value join(Sema *s, const BuiltinCall *call, Joined *joined) {
    const Tensor *whole =
        joined->has_list ? join_one_by_one(s, call->place, joined) : join_at_once(s, call->place, joined);
    return whole ? value_tensor(whole) : value_poison();
}

Value builtin_concat(Sema *s, const BuiltinCall *call) {
    Joined joined = {.callee = "concat"};
    if (!take_parts(s, call, &joined))
        return value_poison();
    Operand last = {value_integer(-1), call->place};
    Operand axis = call->args[1] ? builtin_operand(call, 1) : last;
    joined.axis = builtin_axis(s, &axis, joined.parts[0]->rank, "the tensor");
    if (joined.axis < 0 || !unify_numbers(s, &joined))
        return value_poison();
    for (int i = 0; i < joined.count; i++)
        if (!check_part(s, &joined, i))
            return value_poison();
    return join(s, call, &joined);
}

/* ---- a new axis ---- */

/* The same tensor with an axis of size 1 more. */
static const Tensor *with_axis(Sema *s, const Tensor *tensor, int at) {
    Extent shape[MAX_AXES];
    const Scalar *map[MAX_AXES] = {NULL};
    const char **letters = tensor->letters ? arena_array(s->arena, const char *, MAX_AXES) : NULL;
    for (int axis = 0, to = 0; axis < tensor->rank; axis++, to++) {
        to += to == at;
        shape[to] = tensor->shape[axis];
        map[axis] = scalar_index(s->pool, to, shape[to]);
        if (letters != NULL)
            letters[to] = tensor->letters[axis];
    }
    shape[at] = (Extent){1, 0};
    const Scalar *body = scalar_substitute(s->pool, tensor->body, map, tensor->rank);
    return tensor_from_body(s, tensor->rank + 1, shape, body, letters);
}

Value builtin_stack(Sema *s, const BuiltinCall *call) {
    Joined joined = {.callee = "stack"};
    if (!take_parts(s, call, &joined))
        return value_poison();
    if (call->args[1] == NULL) {
        sema_error(s, call->place, "stack() wants to know the place of the new axis");
        sema_help(s, "`axis = 1` puts it behind the first one, which mostly is the samples; `axis = -1` behind all");
        return value_poison();
    }
    Operand axis = builtin_operand(call, 1);
    int rank = joined.parts[0]->rank + 1;
    joined.axis = rank <= MAX_AXES ? builtin_axis(s, &axis, rank, "the result") : -1;
    if (rank > MAX_AXES)
        sema_error(s, call->place, "a tensor may have %d axes, and this one would have %d", MAX_AXES, rank);
    if (joined.axis < 0 || !unify_numbers(s, &joined))
        return value_poison();
    for (int i = 0; i < joined.count; i++)
        if (!check_shape(s, &joined, i))
            return value_poison();
    for (int i = 0; i < joined.count; i++)
        joined.parts[i] = with_axis(s, joined.parts[i], joined.axis);
    return join(s, call, &joined);
}
