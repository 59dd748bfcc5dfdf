/* reshape(x, [..., a, b]): the same elements in row-major order, with other axes. */
#include <inttypes.h>
#include <string.h>
#include "sema/builtin.h"
#include "sema/tensor.h"

typedef struct Reshape {
    Place place;
    const Operand *x;
    const Tensor *from;
    int rank;
    Extent shape[MAX_AXES];
} Reshape;

static Value report_size(Sema *s, const Operand *shape, Value item) {
    if (!value_is_poison(item)) {
        sema_error(s, shape->place, "the size of an axis is a positive integer, but this is %s",
                   sema_describe(s, item));
        sema_help(s, "each size is written out; `...` stands for leading axes that stay: `reshape(x, [..., 4, 4])`");
    }
    return value_poison();
}

static bool item_extent(Sema *s, const Operand *shape, Value item, Extent *out) {
    int64_t size = 0;
    if (item.kind == VALUE_EXTENT) {
        *out = item.extent;
        return true;
    }
    if (!value_as_integer(item, &size) || size < 1) {
        report_size(s, shape, item);
        return false;
    }
    *out = (Extent){size, 0};
    return true;
}

/* How many leading axes `...` keeps: as many as leave the product of the rest equal to `given`. -1: none fit. */
static int kept_axes(const Tensor *from, int64_t given) {
    int64_t rest = 1;
    int found = rest == given ? from->rank : -1;
    for (int axis = from->rank - 1; axis >= 0 && found < 0; axis--) {
        rest *= from->shape[axis].size;
        if (rest == given && !extent_is_dynamic(from->shape[axis]))
            found = axis;
    }
    return found;
}

/* The sizes that are written, without `...`; their number, -1 after a fault. */
static int read_sizes(Sema *s, const Operand *shape, bool ellipsis, Extent *sizes) {
    int count = 0;
    for (size_t i = ellipsis; i < shape->value.list.count; i++) {
        Value item = shape->value.list.items[i];
        if (count == MAX_AXES || item.kind == VALUE_ELLIPSIS) {
            sema_error(s, shape->place, "`...` stands once, at the start of a shape of at most %d axes", MAX_AXES);
            return -1;
        }
        if (!item_extent(s, shape, item, &sizes[count]) || !shape_check(s, shape->place, count + 1, sizes))
            return -1;
        count++;
    }
    return count;
}

/* Reads the list of sizes; `...` becomes leading axes of x. */
static bool read_shape(Sema *s, const Operand *shape, Reshape *r) {
    if (shape->value.kind != VALUE_LIST) {
        sema_error(s, shape->place, "reshape() wants a list of sizes, but `%s` is %s",
                   place_snippet(s->arena, shape->place), sema_describe(s, shape->value));
        sema_help(s, "as in `reshape(x, [..., 4, 4])`");
        return false;
    }
    Extent sizes[MAX_AXES];
    bool ellipsis = shape->value.list.count > 0 && shape->value.list.items[0].kind == VALUE_ELLIPSIS;
    int written = read_sizes(s, shape, ellipsis, sizes);
    if (written < 0)
        return false;
    int64_t elements = shape_stride(written, sizes, -1);
    int kept = ellipsis ? kept_axes(r->from, elements) : 0;
    if (kept < 0 || kept + written > MAX_AXES) {
        sema_error(s, r->place, "reshape() cannot fit %s into `%s`: no last axes have %" PRId64 " elements",
                   sema_describe(s, r->x->value), place_snippet(s->arena, shape->place), elements);
        sema_note_origin(s, r->x->value);
        return false;
    }
    r->rank = kept + written;
    memcpy(r->shape, r->from->shape, (size_t)kept * sizeof *r->shape);
    memcpy(r->shape + kept, sizes, (size_t)written * sizeof *sizes);
    return true;
}

/* Elements, and elements for each sample when a size is dynamic. */
static Extent count_elements(int rank, const Extent *shape) {
    Extent count = {1, 0};
    for (int i = 0; i < rank; i++) {
        count.per_sample =
            extent_is_dynamic(shape[i]) ? shape[i].per_sample * count.size : count.per_sample * shape[i].size;
        count.size *= shape[i].size;
    }
    return count;
}

static bool check_elements(Sema *s, const Reshape *r, const Operand *shape) {
    if (!shape_check(s, r->place, r->rank, r->shape))
        return false;
    Extent before = count_elements(r->from->rank, r->from->shape);
    Extent after = count_elements(r->rank, r->shape);
    if (extent_equal(before, after))
        return true;
    sema_error(s, r->place, "reshape() cannot make `%s` of %s: %s elements against %s",
               place_snippet(s->arena, shape->place), sema_describe(s, r->x->value),
               extent_describe(s->arena, s->graph, after), extent_describe(s->arena, s->graph, before));
    sema_note_origin(s, r->x->value);
    if (extent_is_dynamic(before) != extent_is_dynamic(after))
        sema_help(s, "the dynamic dimension stays: write it, or `...`, as the first size");
    return false;
}

/* Axes that both shapes begin with. The dynamic axis may only stand at the front of what is left. */
static int common_prefix(const Reshape *r) {
    int common = 0;
    while (common < r->rank && common < r->from->rank && extent_equal(r->shape[common], r->from->shape[common]))
        common++;
    return common;
}

static bool has_inner_dynamic(int first, int rank, const Extent *shape) {
    for (int i = first + 1; i < rank; i++)
        if (extent_is_dynamic(shape[i]))
            return true;
    return false;
}

/* The position of an element among the axes from `first` on, over the result's slots. */
static const Scalar *position(Sema *s, const Reshape *r, int first) {
    const Scalar *sum = scalar_int(s->pool, 0);
    for (int i = first; i < r->rank; i++) {
        const Scalar *stride = scalar_int(s->pool, shape_stride(r->rank, r->shape, i));
        const Scalar *index = scalar_index(s->pool, i, r->shape[i]);
        sum = scalar_op2(s->pool, OP_ADD, sum, scalar_op2(s->pool, OP_MUL, index, stride));
    }
    return sum;
}

static const Scalar *reshaped_body(Sema *s, const Reshape *r, int common) {
    const Scalar *map[MAX_AXES];
    const Scalar *at = position(s, r, common);
    for (int i = 0; i < r->from->rank; i++) {
        if (i < common) {
            map[i] = scalar_index(s->pool, i, r->shape[i]);
            continue;
        }
        const Scalar *stride = scalar_int(s->pool, shape_stride(r->from->rank, r->from->shape, i));
        map[i] = scalar_op2(s->pool, OP_FLOORDIV, at, stride);
        if (i > common)
            map[i] = scalar_op2(s->pool, OP_MOD, map[i], scalar_int(s->pool, r->from->shape[i].size));
    }
    return scalar_substitute(s->pool, r->from->body, map, r->from->rank);
}

Value builtin_reshape(Sema *s, const BuiltinCall *call) {
    Operand x = builtin_operand(call, 0), shape = builtin_operand(call, 1);
    Reshape r = {.place = call->place, .x = &x};
    r.from = value_to_tensor(s, x.value, x.place);
    if (r.from == NULL || !read_shape(s, &shape, &r) || !check_elements(s, &r, &shape))
        return value_poison();
    if (scalar_is_open(r.from->body)) {
        sema_error(s, x.place, "a whole tensor is wanted here, but `%s` is one element",
                   place_snippet(s->arena, x.place));
        return value_poison();
    }
    int common = common_prefix(&r);
    if (has_inner_dynamic(common, r.rank, r.shape) || has_inner_dynamic(common, r.from->rank, r.from->shape)) {
        sema_error(s, call->place, "reshape() can only split or merge the dynamic dimension when it is the first");
        return value_poison();
    }
    return value_tensor(tensor_from_body(s, r.rank, r.shape, reshaped_body(s, &r, common), NULL));
}
