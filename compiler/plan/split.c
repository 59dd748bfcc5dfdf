/* split.c: maps whose equation is another one for each run of an axis.
 *
 *     y[b, t, n] = if t < 2 then (if t < 1 then f[b, n] else g[b, n]) else h[b, n]     f for t = 0, g for t = 1, h for t = 2
 *
 * That is what the steps of a recurrence side by side are, and the gradient of what all of them read a piece of. Where an axis has several such
 * conditions, the stage is made of parts, a run of the axis each, in which they are decided.
 */
#include "ir/affine.h"
#include "ir/scalar_walk.h"
#include "plan/lanes.h"
#include "plan/stage.h"

enum { LONGEST_AXIS = 1 << 14 };

/* The runs of an axis: where one of the conditions changes, the next one begins. */
typedef struct Runs {
    int slot;
    int64_t size;
    bool *begins; /* by value of the slot; the first run is not noted */
    int count;
} Runs;

/* ---- conditions ---- */

/* A condition on one index variable: place * coefficient + offset against 0; WITHIN: it is one of 0 to extent - 1. */
typedef struct Condition {
    Op op;
    int64_t coefficient, offset, extent;
} Condition;

static bool holds(const Condition *c, int64_t place) {
    int64_t value = c->coefficient * place + c->offset;
    switch (c->op) {
    case OP_LT: return value < 0;
    case OP_LE: return value <= 0;
    case OP_GT: return value > 0;
    case OP_GE: return value >= 0;
    case OP_EQ: return value == 0;
    case OP_NE: return value != 0;
    default: return 0 <= value && value < c->extent;
    }
}

static bool compares_integers(const Scalar *s) {
    return s->kind == SCALAR_OP && op_info(s->op.op)->kind == OP_KIND_COMPARE && s->op.arg[0]->type == TYPE_INT;
}

/* One that depends on the slot, and on nothing else. */
static bool condition_of(ScalarPool *pool, const Scalar *s, int slot, Condition *found) {
    bool within = scalar_is_op(s, OP_WITHIN);
    if (s->has_load || s->slots != UINT64_C(1) << slot || !(within || compares_integers(s)))
        return false;
    const Scalar *value = within ? s->op.arg[0] : scalar_op2(pool, OP_SUB, s->op.arg[0], s->op.arg[1]);
    Affine affine;
    if (!affine_of(value, &affine) || affine.per_n != 0 || affine_has_digits(&affine) ||
        (within && s->op.extent.per_sample != 0))
        return false;
    *found = (Condition){s->op.op, affine_coefficient(&affine, slot), affine.offset, within ? s->op.extent.size : 0};
    return found->coefficient != 0;
}

/* ---- runs ---- */

/* Around the place where the condition's value is `threshold`. */
static void note_changes(Runs *runs, const Condition *c, int64_t threshold) {
    int64_t near = (threshold - c->offset) / c->coefficient;
    for (int64_t place = near - 1; place <= near + 2; place++) {
        if (place < 1 || place >= runs->size || runs->begins[place] || holds(c, place) == holds(c, place - 1))
            continue;
        runs->begins[place] = true;
        runs->count++;
    }
}

static Runs find_runs(const Planner *p, Arena *scratch, const PlanStage *stage, int slot) {
    Runs runs = {slot, stage->slots[slot].extent.size, NULL, 1};
    ScalarWalk *walk = scalar_walk_new(scratch);
    runs.begins = arena_array(scratch, bool, (size_t)runs.size);
    for (size_t n = 0; n < stage->nodes.count; n++) {
        scalar_walk(walk, stage->nodes.at[n].body, NULL, NULL);
        for (size_t i = 0; i < walk->count; i++) {
            Condition condition;
            if (!condition_of(p->graph->pool, walk->at[i], slot, &condition))
                continue;
            note_changes(&runs, &condition, 0);
            note_changes(&runs, &condition, condition.extent);
        }
    }
    return runs;
}

static bool can_be_split(const PlanStage *stage, int slot) {
    Extent extent = stage->slots[slot].extent;
    return extent.per_sample == 0 && extent.size > 1 && extent.size <= LONGEST_AXIS;
}

/* Of the axis with the most of them. */
static Runs most_runs(const Planner *p, Arena *scratch, const PlanStage *stage, int shared) {
    Runs most = {.count = 0};
    for (int slot = shared; slot < stage->slot_count; slot++) {
        Runs runs = can_be_split(stage, slot) ? find_runs(p, scratch, stage, slot) : most;
        most = runs.count > most.count ? runs : most;
    }
    return most;
}

/* ---- parts ---- */

static bool begins_inside(const Runs *runs, int64_t place, int64_t from, int64_t to) {
    return place > from && place < to && runs->begins[place];
}

/* The beginning of a run near the middle; `to`: it is all one run. */
static int64_t middle_of(const Runs *runs, int64_t from, int64_t to) {
    int64_t middle = from + (to - from) / 2;
    for (int64_t far = 0; far < to - from; far++) {
        if (begins_inside(runs, middle - far, from, to))
            return middle - far;
        if (begins_inside(runs, middle + far, from, to))
            return middle + far;
    }
    return to;
}

/* Halves, and halves of these: what another half is about is not looked at again. */
static void add_parts(const Planner *p, PlanStage *whole, const Runs *runs, const PlanStage *part, int64_t from,
                      int64_t to) {
    int64_t middle = middle_of(runs, from, to);
    if (middle == to) {
        vec_push(p->arena, &whole->parts, *part);
        return;
    }
    const int64_t ends[] = {from, middle, to};
    for (int half = 0; half < 2; half++) {
        PlanStage restricted = stage_copy(p, part);
        stage_restrict(p, &restricted, runs->slot, ends[half] - from, ends[half + 1] - ends[half]);
        add_parts(p, whole, runs, &restricted, ends[half], ends[half + 1]);
    }
}

bool stage_split_runs(const Planner *p, PlanStage *stage, int shared, int fewest) {
    if (stage->reduce != REDUCE_NONE)
        return false;
    Arena *scratch = arena_new((ArenaFailure){0});
    const Runs runs = most_runs(p, scratch, stage, shared);
    if (runs.count >= fewest) {
        const PlanStage whole = *stage;
        add_parts(p, stage, &runs, &whole, 0, runs.size);
    }
    arena_free(scratch);
    return stage->parts.count > 0;
}
