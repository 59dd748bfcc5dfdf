#include "plan/terms.h"

ScalarList terms_of(Arena *arena, const Scalar *sum) {
    ScalarList terms = {0}, left = {0};
    vec_push(arena, &left, sum);
    while (left.count > 0) {
        const Scalar *s = left.at[--left.count];
        if (scalar_is_op(s, OP_ADD)) {
            vec_push(arena, &left, s->op.arg[1]);
            vec_push(arena, &left, s->op.arg[0]);
        } else {
            vec_push(arena, &terms, s);
        }
    }
    return terms;
}

bool is_at_slots(const Scalar *load, int axis) {
    for (int d = 0; d < load->load.rank; d++) {
        const Scalar *at = load->load.at[d];
        const Extent extent = load->load.tensor->shape[d];
        int slot = axis >= 0 && d >= axis ? d + 1 : d;
        bool is_slot = at->kind == SCALAR_INDEX && at->index.slot == slot && same_extent(at->index.extent, extent);
        if (extent.size > 1 && !is_slot)
            return false;
    }
    return true;
}
