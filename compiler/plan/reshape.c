/* reshape.c: merges and splits the axes of a stage, so that memory is walked in long loops and without divisions. */
#include "ir/scalar_walk.h"
#include "plan/lanes.h"
#include "plan/stage.h"

/* ---- digits that the loops would compute ---- */

/* Digits in addresses count as far as the sum of an address does not put them together again. */
typedef struct DigitSearch {
    const Planner *p;
    int slot;      /* digits of this one; -1: of any */
    size_t enough; /* the search ends with so many */
    PointerMap *seen;
    VEC(const Scalar *) digits;
} DigitSearch;

static bool has_enough(const DigitSearch *search) {
    return search->digits.count >= search->enough;
}

static bool is_wanted(const DigitSearch *search, const Scalar *s) {
    bool digit = s->op.op == OP_FLOORDIV || s->op.op == OP_MOD;
    return digit && (search->slot < 0 || (s->slots >> search->slot & 1));
}

static void find_digits(DigitSearch *search, const Scalar *s) {
    if (has_enough(search) || s->slots == 0 || pointer_map_get(search->seen, s))
        return;
    pointer_map_put(search->seen, s, s);
    if (s->kind == SCALAR_LOAD)
        find_digits(search, load_offset(search->p->graph->pool, s, 0));
    if (s->kind != SCALAR_OP)
        return;
    if (is_wanted(search, s))
        vec_push(search->p->arena, &search->digits, s);
    for (int i = 0; i < 3 && s->op.arg[i]; i++)
        find_digits(search, s->op.arg[i]);
}

static DigitSearch stage_digits(const Planner *p, const PlanStage *stage, int slot, size_t enough) {
    DigitSearch search = {.p = p, .slot = slot, .enough = enough, .seen = pointer_map_new(p->arena)};
    for (size_t i = 0; i < stage->nodes.count && !has_enough(&search); i++) {
        const PlanNode *value = &stage->nodes.at[i];
        find_digits(&search, value->body);
        if (value->home != HOME_REGISTERS)
            find_digits(&search, scalar_load(p->graph->pool, value->node, stage->index));
    }
    return search;
}

/* ---- merging ---- */

static bool has_loop(const PlanStage *stage, int slot) {
    return stage->slots[slot].extent.size > 1;
}

static int slot_outside(const PlanStage *stage, int slot, int shared) {
    int outer = slot - 1;
    while (outer >= shared && !has_loop(stage, outer))
        outer--;
    return outer >= shared && stage->slots[outer].reduction == stage->slots[slot].reduction ? outer : -1;
}

/* Where each access of the stage is in memory. */
typedef VEC(const Scalar *) OffsetList;

static OffsetList stage_offsets(const Planner *p, const PlanStage *stage) {
    OffsetList offsets = {0};
    ScalarWalk *walk = scalar_walk_new(p->arena);
    for (size_t i = 0; i < stage->nodes.count; i++) {
        const PlanNode *value = &stage->nodes.at[i];
        scalar_walk(walk, value->body, NULL, NULL);
        for (size_t s = 0; s < walk->count; s++)
            if (walk->at[s]->kind == SCALAR_LOAD)
                vec_push(p->arena, &offsets, load_offset(p->graph->pool, walk->at[s], 0));
        if (value->home == HOME_REGISTERS)
            continue;
        const Scalar *own = scalar_load(p->graph->pool, value->node, stage->index);
        vec_push(p->arena, &offsets, load_offset(p->graph->pool, own, 0));
    }
    return offsets;
}

/* Memory goes on where the inner axis ends, as far as that can be seen. */
static bool may_merge(const PlanStage *stage, const OffsetList *offsets, int outer, int inner) {
    for (size_t i = 0; i < offsets->count; i++) {
        int64_t far, near;
        if (lane_step(offsets->at[i], outer, &far) && lane_step(offsets->at[i], inner, &near) &&
            far != near * stage->slots[inner].extent.size)
            return false;
    }
    return true;
}

static bool try_merge(const Planner *p, PlanStage *stage, int outer, int inner) {
    PlanStage merged = stage_copy(p, stage);
    stage_merge(p, &merged, outer, inner);
    if (stage_digits(p, &merged, outer, 1).digits.count > 0)
        return false;
    *stage = merged;
    return true;
}

static void merge_neighbours(const Planner *p, PlanStage *stage, int shared) {
    OffsetList offsets = stage_offsets(p, stage);
    for (int inner = stage->slot_count - 1; inner > shared; inner--) {
        int outer = slot_outside(stage, inner, shared);
        bool neighbours = outer >= 0 && has_loop(stage, inner) && stage->slots[inner].extent.per_sample == 0;
        if (neighbours && may_merge(stage, &offsets, outer, inner) && try_merge(p, stage, outer, inner))
            offsets = stage_offsets(p, stage);
    }
}

/* ---- splitting ---- */

/* The factor that makes `digit` a loop: slot = factor * outer + inner. 0: none. */
static int64_t split_factor(const PlanStage *stage, const Scalar *digit, int slot) {
    int64_t step, divisor = digit->op.arg[1]->integer;
    Extent extent = stage->slots[slot].extent;
    if (!lane_step(digit->op.arg[0], slot, &step) || step <= 0 || divisor % step != 0)
        return 0;
    int64_t factor = divisor / step, whole = extent.per_sample ? extent.per_sample : extent.size;
    return factor > 1 && factor < extent.size && whole % factor == 0 ? factor : 0;
}

static bool try_split(const Planner *p, PlanStage *stage, int slot, int64_t factor, size_t digits) {
    PlanStage split = stage_copy(p, stage);
    stage_split(p, &split, slot, factor);
    if (stage_digits(p, &split, -1, digits).digits.count >= digits)
        return false;
    *stage = split;
    return true;
}

static bool split_once(const Planner *p, PlanStage *stage, int shared) {
    DigitSearch search = stage_digits(p, stage, -1, SIZE_MAX);
    for (size_t i = 0; i < search.digits.count; i++)
        for (int slot = shared; slot < stage->slot_count; slot++) {
            int64_t factor = split_factor(stage, search.digits.at[i], slot);
            if (factor && try_split(p, stage, slot, factor, search.digits.count))
                return true;
        }
    return false;
}

void stage_reshape(const Planner *p, PlanStage *stage, int shared) {
    enum { MOST_SPLITS = 6 };
    merge_neighbours(p, stage, shared);
    for (int i = 0; i < MOST_SPLITS && stage->slot_count < MAX_STAGE_SLOTS; i++)
        if (!split_once(p, stage, shared))
            return;
}
