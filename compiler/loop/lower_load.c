#include "loop/loop_make.h"
#include "loop/lower_internal.h"
#include "plan/lanes.h"

/* Memory of the kernel's own gets elements past its end, where the addresses of a tile's last vectors may point. */
static void extend_array(const Lowering *l, LoopVar *array, int64_t step) {
    int64_t slack = (int64_t)l->columns * MOST_LANES * (step < 0 ? -step : step);
    array->slack = array->slack > slack ? array->slack : slack;
}

/* Loads from the workspace may run past the lanes that exist, into slack: that is cheaper than a part access. (Of a row buffer, C compilers see that
 * nothing has written there, and warn.) */
static bool may_run_over(const Lowering *l, const LoopAddress *address) {
    if (address->array)
        return address->array->scratch && address->array->type == TYPE_REAL; /* extend_array has given it slack */
    if (!address->buffer || address->buffer->space != BUFFER_WORKSPACE || address->buffer->type != TYPE_REAL)
        return false;
    Buffer *buffer = l->kernel->entry->entry->buffers.at[address->buffer->id];
    int64_t slack = (int64_t)l->columns * MOST_LANES;
    buffer->slack = buffer->slack > slack ? buffer->slack : slack;
    return true;
}

/* How many lanes exist of this column's vector. */
static const LoopExpr *lanes_left(Lowering *l) {
    Arena *arena = lower_arena(l);
    if (!l->part || !l->column || l->column_slot != l->vector_slot)
        return l->part;
    return expr_sub(arena, l->part, lower_first_of_column(l));
}

static LoopAddress lane_access(Lowering *l, LoopAddress address, int64_t step, bool is_store) {
    address.count = lanes_left(l);
    address.stride = step;
    if (l->part && address.array)
        extend_array(l, address.array, step);
    bool part = l->part && (is_store || step != 1 || l->zero_filled || !may_run_over(l, &address));
    if (step == 1)
        address.access = part ? ACCESS_PART : ACCESS_CONTIGUOUS;
    else
        address.access = part ? ACCESS_STRIDED_PART : ACCESS_STRIDED;
    return address;
}

/* Interleaved: all lanes of an element stand side by side. The first lane's sample is the first of its vector. */
static LoopAddress interleaved_address(Lowering *l, const Scalar *load, int first, LoopAddress address) {
    Arena *arena = lower_arena(l);
    const Node *tensor = load->load.tensor;
    int64_t row = 1;
    for (int d = 1; d < tensor->rank; d++)
        row *= tensor->shape[d].size;
    const Scalar *within = load_offset(l->kernel->pool, load, first > 1 ? first : 1);
    address.offset = expr_mul(arena, expr_lanes(arena), lower_first_lane(l, within));
    if (first == 0) {
        const LoopExpr *start = expr_scale(arena, lower_first_lane(l, load->load.at[0]), row);
        address.offset = expr_add(arena, start, address.offset);
    }
    address.access = l->zero_filled && l->part ? ACCESS_PART : ACCESS_CONTIGUOUS;
    address.count = l->part;
    address.stride = 1;
    return address;
}

LoopAddress lower_address(Lowering *l, const Scalar *load, int first, LoopAddress address, bool is_store) {
    int64_t step = 0;
    if (address.buffer ? address.buffer->interleaved : address.array->per_lane)
        return interleaved_address(l, load, first, address);
    const Scalar *offset = load_offset(l->kernel->pool, load, first);
    address.offset = lower_first_lane(l, offset);
    if (!lower_depends(offset, l->vector_slot))
        return address;
    lane_step(offset, l->vector_slot, &step);
    return lane_access(l, address, step, is_store);
}

static const LoopExpr *load_memory(Lowering *l, const Scalar *s, LoopAddress address, int first) {
    address = lower_address(l, s, first, address, false);
    return expr_load(lower_arena(l), address, address.access != ACCESS_SCALAR);
}

LoopAddress lower_tensor(const Lowering *l, const Scalar *load, int *first) {
    const LocalValue *local = pointer_map_get(l->kernel->local_of, load->load.tensor);
    *first = local ? local->shared : 0;
    if (local)
        return (LoopAddress){.array = local->array};
    return (LoopAddress){.buffer = entry_buffer(l->kernel->entry, load->load.tensor)};
}

static const LoopExpr *load_value(Lowering *l, const Scalar *s) {
    const LocalValue *local = pointer_map_get(l->kernel->local_of, s->load.tensor);
    if (local && local->value)
        return local->value;
    int first;
    LoopAddress address = lower_tensor(l, s, &first);
    return load_memory(l, s, address, first);
}

const LoopExpr *lower_load(Lowering *l, const Scalar *s) {
    Arena *arena = lower_arena(l);
    const LoopExpr *value = load_value(l, s);
    if (s->type != TYPE_BOOL || value->type == TYPE_BOOL)
        return value;
    const LoopExpr *zero = value->vector ? expr_splat(arena, expr_real(arena, 0)) : expr_int(arena, 0);
    return expr_op(arena, OP_NE, TYPE_BOOL, value, zero, NULL);
}
