/* clip.c: axes of sums along which a factor is 0 beyond some places, because it was padded. Padding keeps conditions out of the inner loops;
 * where much of what they read is padding (the adjoint of a convolution of a small image), leaving it out is worth bounds that vary. */
#include "ir/scalar_walk.h"
#include "plan/lanes.h"
#include "plan/stage.h"

/* Along an axis of a tensor, all is 0 but low .. high - 1. */
typedef struct Inside {
    int64_t low, high;
} Inside;

/* within(axis + first, extent), all of fixed size. */
static void narrow(const Scalar *test, int axis, int64_t size, Inside *inside) {
    if (scalar_is_op(test, OP_AND)) {
        narrow(test->op.arg[0], axis, size, inside);
        narrow(test->op.arg[1], axis, size, inside);
        return;
    }
    int64_t step;
    if (!scalar_is_op(test, OP_WITHIN) || test->op.extent.per_sample || test->op.arg[0]->has_load ||
        test->op.arg[0]->slots != UINT64_C(1) << axis || !lane_step(test->op.arg[0], axis, &step) || step != 1)
        return;
    int64_t first = scalar_range(test->op.arg[0]).low;
    inside->low = -first > inside->low ? -first : inside->low;
    inside->high = test->op.extent.size - first < inside->high ? test->op.extent.size - first : inside->high;
}

static Inside find_inside(const Node *node, int axis) {
    Inside inside = {0, node->shape[axis].size};
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_NONE || node->shape[axis].per_sample)
        return inside;
    const Scalar *body = node->expr.body;
    if (scalar_is_op(body, OP_SELECT) && body->op.arg[2]->kind == SCALAR_REAL && body->op.arg[2]->real == 0)
        narrow(body->op.arg[0], axis, inside.high, &inside);
    return inside;
}

/* The index is step * slot + pace * other + first, with one slot of the reduction and another one. */
static bool solve(const PlanStage *stage, const Scalar *index, StageClip *clip) {
    clip->slot = clip->other = -1;
    clip->first = scalar_range(index).low;
    for (int slot = 0; slot < stage->slot_count; slot++) {
        int64_t step, size = stage->slots[slot].extent.size;
        if (!(index->slots >> slot & 1) || size == 1)
            continue;
        bool reduction = stage_is_reduction_slot(stage, slot);
        if (stage->slots[slot].extent.per_sample || !lane_step(index, slot, &step) || step == 0 ||
            (reduction ? clip->slot : clip->other) >= 0)
            return false;
        if (reduction) {
            clip->slot = slot;
            clip->step = (int)step;
        } else {
            clip->other = slot;
            clip->pace = step;
        }
        if (step < 0)
            clip->first -= step * (size - 1);
        if (reduction && step != 1 && step != -1)
            return false;
    }
    return clip->slot >= 0 && clip->other >= 0;
}

static void clip_load(const Planner *p, PlanStage *stage, const Scalar *load) {
    const double worth = 0.9;
    for (int d = 0; d < load->load.rank; d++) {
        StageClip clip;
        Inside inside = find_inside(load->load.tensor, d);
        const Scalar *index = load->load.at[d];
        bool padded = inside.low > 0 || inside.high < load->load.tensor->shape[d].size;
        if (!padded || index->has_load || !solve(stage, index, &clip) || stage_clip(stage, clip.slot))
            continue;
        clip.low = inside.low;
        clip.high = inside.high;
        if (clip_steps(stage, &clip, 1) <= worth * (double)stage->slots[clip.slot].extent.size)
            vec_push(p->arena, &stage->clips, clip);
    }
}

static bool is_product(const void *context, const Scalar *s) {
    (void)context;
    return scalar_is_op(s, OP_MUL);
}

void stage_find_clips(const Planner *p, PlanStage *stage) {
    stage->clips.count = 0;
    if (stage->reduce != REDUCE_SUM || stage->nodes.at[0].body->type != TYPE_REAL)
        return;
    ScalarWalk *walk = scalar_walk_new(p->arena);
    scalar_walk(walk, stage->nodes.at[0].body, is_product, NULL);
    for (size_t i = 0; i < walk->count; i++)
        if (walk->at[i]->kind == SCALAR_LOAD)
            clip_load(p, stage, walk->at[i]);
}

double clip_steps(const PlanStage *stage, const StageClip *clip, int64_t width) {
    const int64_t size = stage->slots[clip->slot].extent.size, others = stage->slots[clip->other].extent.size;
    int64_t steps = 0, tiles = 0;
    for (int64_t at = 0; at < others; at += width, tiles++) {
        int64_t last = at + width < others ? at + width - 1 : others - 1;
        int64_t a = clip->first + clip->pace * at, b = clip->first + clip->pace * last;
        int64_t least = a < b ? a : b, most = a < b ? b : a;
        int64_t from = clip->step > 0 ? clip->low - most : least - clip->high + 1;
        int64_t to = clip->step > 0 ? clip->high - least : most - clip->low + 1;
        from = from > 0 ? from : 0;
        to = to < size ? to : size;
        steps += to > from ? to - from : 0;
    }
    return (double)steps / (double)tiles;
}
