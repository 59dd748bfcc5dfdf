/* reshape.c: merges and splits the axes of a stage, so that memory is walked in long loops and without divisions. */
#include "plan/lanes.h"
#include "plan/stage.h"

/* ---- digits that the loops would compute ---- */

/* Digits in addresses count as far as the sum of an address does not put them together again. */
typedef struct DigitSearch {
    const Planner *p;
    PointerMap *seen;
    VEC(const Scalar *) digits;
} DigitSearch;

static void find_digits(DigitSearch *search, const Scalar *s) {
    if (s->slots == 0 || pointer_map_get(search->seen, s))
        return;
    pointer_map_put(search->seen, s, s);
    if (s->kind == SCALAR_LOAD)
        find_digits(search, load_offset(search->p->graph->pool, s, 0));
    if (s->kind != SCALAR_OP)
        return;
    if (s->op.op == OP_FLOORDIV || s->op.op == OP_MOD)
        vec_push(search->p->arena, &search->digits, s);
    for (int i = 0; i < 3 && s->op.arg[i]; i++)
        find_digits(search, s->op.arg[i]);
}

static DigitSearch stage_digits(const Planner *p, const PlanStage *stage) {
    DigitSearch search = {.p = p, .seen = pointer_map_new(p->arena)};
    for (size_t i = 0; i < stage->nodes.count; i++) {
        const PlanNode *value = &stage->nodes.at[i];
        find_digits(&search, value->body);
        if (value->home != HOME_REGISTERS)
            find_digits(&search, scalar_load(p->graph->pool, value->node, stage->index));
    }
    return search;
}

static bool has_digit_of(const DigitSearch *search, int slot) {
    for (size_t i = 0; i < search->digits.count; i++)
        if (search->digits.at[i]->slots >> slot & 1)
            return true;
    return false;
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

static bool try_merge(const Planner *p, PlanStage *stage, int outer, int inner) {
    PlanStage merged = stage_copy(p, stage);
    stage_merge(p, &merged, outer, inner);
    DigitSearch search = stage_digits(p, &merged);
    if (has_digit_of(&search, outer))
        return false;
    *stage = merged;
    return true;
}

static void merge_neighbours(const Planner *p, PlanStage *stage, int shared) {
    for (int inner = stage->slot_count - 1; inner > shared; inner--) {
        int outer = slot_outside(stage, inner, shared);
        if (outer >= 0 && has_loop(stage, inner) && stage->slots[inner].extent.per_sample == 0)
            try_merge(p, stage, outer, inner);
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
    DigitSearch search = stage_digits(p, &split);
    if (search.digits.count >= digits)
        return false;
    *stage = split;
    return true;
}

static bool split_once(const Planner *p, PlanStage *stage, int shared) {
    DigitSearch search = stage_digits(p, stage);
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
