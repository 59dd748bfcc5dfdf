#include "loop/nest.h"

#include "loop/loop_make.h"

static Arena *arena_of(const Nest *nest) {
    return nest->kernel->arena;
}

static Extent slot_extent(const Nest *nest, int slot) {
    return nest->stage->slots[slot].extent;
}

/* Lanes per vector at most: extents that are multiples of it have no remainder, whatever the C compiler aims at. */
static int64_t most_lanes(const Nest *nest) {
    return nest->kernel->entry->graph->real_is_double ? 8 : 16;
}

/* ---- one loop ---- */

typedef void NestInside(Nest *nest, int level);

static void bind_slot(Nest *nest, int slot, const LoopExpr *value) {
    nest->lower.index[slot] = value;
    nest->kernel->scope->slots |= UINT64_C(1) << slot;
}

/* for (slot = from; slot < to; slot += step) inside(level + 1) */
static void add_loop(Nest *nest, int level, const LoopExpr *from, const LoopExpr *to, const LoopExpr *step,
                     NestInside *inside) {
    KernelBuilder *k = nest->kernel;
    int slot = nest->stage->schedule.order[level];
    Scope *scope = scope_open(k);
    LoopVar *var = kernel_var(k, scope, nest->stage->slots[slot].name, TYPE_INT, false);
    bind_slot(nest, slot, expr_var(k->arena, var));
    inside(nest, level + 1);
    LoopStmt *loop = stmt_for(k->arena, var, from, to, step, scope_close(k));
    if (level == 0 && slot == nest->stage->schedule.parallel_slot) {
        loop->loop.mode = LOOP_PARALLEL;
        loop->loop.grain = nest->stage->schedule.grain;
    }
    kernel_add(k, loop);
}

/* A single step at `from`, when there is one: guarded by `test` unless that is NULL. */
static void add_single(Nest *nest, int level, const LoopExpr *from, const LoopExpr *test, NestInside *inside) {
    KernelBuilder *k = nest->kernel;
    Scope *scope = scope_open(k);
    scope->conditional = test != NULL;
    bind_slot(nest, nest->stage->schedule.order[level], from);
    inside(nest, level + 1);
    LoopBody body = scope_close(k);
    if (test) {
        kernel_add(k, stmt_if(k->arena, test, body));
        return;
    }
    for (size_t i = 0; i < body.count; i++)
        kernel_add(k, body.at[i]);
}

/* The part of an axis that a loop runs over. */
typedef struct Span {
    const LoopExpr *from, *to;
    int64_t unit; /* its length, or what one more sample adds to it */
} Span;

static Span whole_axis(const Nest *nest, int slot) {
    Arena *arena = arena_of(nest);
    Extent extent = slot_extent(nest, slot);
    int64_t unit = extent.per_sample > 0 ? extent.per_sample : extent.size;
    return (Span){expr_int(arena, 0), expr_extent(arena, extent), unit};
}

static Span fixed_span(const Nest *nest, int64_t from, int64_t to) {
    return (Span){expr_int(arena_of(nest), from), expr_int(arena_of(nest), to), to - from};
}

static void add_plain_loop(Nest *nest, int level, Span span, NestInside *inside) {
    add_loop(nest, level, span.from, span.to, expr_int(arena_of(nest), 1), inside);
}

/* The largest multiple of `step` that is not above `extent`. */
static const LoopExpr *whole_steps(Arena *arena, const LoopExpr *extent, const LoopExpr *step) {
    if (extent->kind == LOOP_INT && step->kind == LOOP_INT)
        return expr_int(arena, extent->integer - extent->integer % step->integer);
    LoopExpr *rest = arena_one(arena, LoopExpr);
    *rest = *expr_op(arena, OP_MOD, TYPE_INT, extent, step, NULL);
    rest->op.natural = true;
    return expr_sub(arena, extent, rest);
}

/* ---- rows and columns of scalars ---- */

/* The loop over a tiled axis: `*size` elements at a time, then what remains. */
static void add_tiled_loop(Nest *nest, int level, int *size, NestInside *inside) {
    Arena *arena = arena_of(nest);
    Extent extent = slot_extent(nest, nest->stage->schedule.order[level]);
    const LoopExpr *zero = expr_int(arena, 0), *all = expr_extent(arena, extent);
    int step = *size;
    if (extent.size < step)
        *size = step = (int)extent.size;
    if (extent.per_sample == 0 && extent.size == step) {
        add_single(nest, level, zero, NULL, inside);
        return;
    }
    const LoopExpr *whole = whole_steps(arena, all, expr_int(arena, step));
    add_loop(nest, level, zero, whole, expr_int(arena, step), inside);
    if (extent.per_sample > 0 && extent.per_sample % step != 0) {
        *size = 1;
        add_loop(nest, level, whole, all, expr_int(arena, 1), inside);
    } else if (extent.size % step != 0) {
        *size = (int)(extent.size % step);
        add_single(nest, level, whole, NULL, inside);
    }
    *size = step;
}

/* ---- vectors ---- */

/* The last lanes of an axis that is no multiple of the vector: part accesses. */
static void add_part(Nest *nest, int level, Span rest, NestInside *inside) {
    Arena *arena = arena_of(nest);
    nest->lower.part = expr_sub(arena, rest.to, rest.from);
    add_single(nest, level, rest.from, expr_op(arena, OP_LT, TYPE_BOOL, rest.from, rest.to, NULL), inside);
    nest->lower.part = NULL;
}

/* The loop over the axis of the lanes: `*vectors` at a time, then one at a time, then a part of one. */
static void add_vector_loop(Nest *nest, int level, Span span, int *vectors, NestInside *inside) {
    Arena *arena = arena_of(nest);
    const LoopExpr *length = expr_sub(arena, span.to, span.from);
    Span rest = span;
    int most = *vectors;
    for (int count = most; count >= 1; count = count > 1 ? 1 : 0) {
        const LoopExpr *step = expr_scale(arena, expr_lanes(arena), count);
        bool exact = span.unit % (count * most_lanes(nest)) == 0;
        const LoopExpr *to = exact ? span.to : expr_add(arena, span.from, whole_steps(arena, length, step));
        *vectors = count;
        add_loop(nest, level, rest.from, to, step, inside);
        if (exact)
            break;
        rest.from = to;
        if (count == 1)
            add_part(nest, level, rest, inside);
    }
    *vectors = most;
}

/* ---- the whole nest ---- */

static void nest_output(Nest *nest, int level);

static void add_output_loop(Nest *nest, int level, Span span) {
    const StageSchedule *s = &nest->stage->schedule;
    int slot = s->order[level];
    if (slot == nest->lower.vector_slot)
        add_vector_loop(nest, level, span, &nest->columns, nest_output);
    else
        add_plain_loop(nest, level, span, nest_output);
}

static void set_truth(Nest *nest, const Scalar *test, bool value) {
    pointer_map_put(nest->lower.truths, test, expr_bool(arena_of(nest), value));
}

/* Where the condition of the range is false, element by element: these are edges. */
static void add_edge(Nest *nest, int level, const StageRange *range, int64_t from, int64_t to) {
    if (from == to)
        return;
    int vector_slot = nest->lower.vector_slot;
    if (vector_slot == range->slot)
        nest->lower.vector_slot = nest->lower.column_slot = -1;
    nest->edges++;
    set_truth(nest, range->test, false);
    add_output_loop(nest, level, fixed_span(nest, from, to));
    nest->edges--;
    nest->lower.vector_slot = nest->lower.column_slot = vector_slot;
}

static void add_ranged_loop(Nest *nest, int level, const StageRange *range) {
    int64_t size = slot_extent(nest, range->slot).size;
    add_edge(nest, level, range, 0, range->low);
    set_truth(nest, range->test, true);
    add_output_loop(nest, level, fixed_span(nest, range->low, range->high));
    add_edge(nest, level, range, range->high, size);
    pointer_map_put(nest->lower.truths, range->test, NULL);
}

static const StageRange *find_range(const Nest *nest, int slot) {
    for (size_t i = 0; i < nest->stage->ranges.count; i++)
        if (nest->stage->ranges.at[i].slot == slot)
            return &nest->stage->ranges.at[i];
    return NULL;
}

static void nest_output(Nest *nest, int level) {
    const StageSchedule *s = &nest->stage->schedule;
    if (level == nest->outputs) {
        tile_build(nest);
        return;
    }
    int slot = s->order[level];
    const StageRange *range = nest->edges ? NULL : find_range(nest, slot);
    if (range)
        add_ranged_loop(nest, level, range);
    else if (slot == s->tile_slot && s->tile_rows > 1)
        add_tiled_loop(nest, level, &nest->rows, nest_output);
    else if (slot == s->column_slot && slot != s->vector_slot && s->columns > 1)
        add_tiled_loop(nest, level, &nest->columns, nest_output);
    else
        add_output_loop(nest, level, whole_axis(nest, slot));
}

void nest_reduction(Nest *nest, int level) {
    const StageSchedule *s = &nest->stage->schedule;
    int one = 1;
    if (level == s->loops)
        tile_accumulate(nest);
    else if (s->order[level] == s->vector_slot)
        add_vector_loop(nest, level, whole_axis(nest, s->order[level]), &one, nest_reduction);
    else
        add_plain_loop(nest, level, whole_axis(nest, s->order[level]), nest_reduction);
}

static void count_uses(Nest *nest) {
    for (size_t i = 0; i < nest->stage->nodes.count; i++)
        lower_count(&nest->lower, nest->stage->nodes.at[i].body);
}

void nest_build(KernelBuilder *k, const PlanStage *stage, int shared, const NestTarget *targets,
                const LoopExpr *const *index) {
    const StageSchedule *s = &stage->schedule;
    Nest nest = {.kernel = k, .stage = stage, .targets = targets, .shared = shared};
    nest.lower.kernel = k;
    nest.lower.vector_slot = s->vector_slot;
    nest.lower.tile_slot = s->tile_slot;
    nest.lower.column_slot = s->column_slot;
    nest.lower.truths = pointer_map_new(k->arena);
    nest.rows = s->tile_rows;
    nest.columns = s->columns;
    for (int slot = 0; slot < shared; slot++)
        nest.lower.index[slot] = index[slot];
    nest.outputs = s->blocks;
    while (nest.outputs < s->loops && !stage_is_reduction_slot(stage, s->order[nest.outputs]))
        nest.outputs++;
    nest.lanes_partial = s->vector_slot >= 0 && stage_is_reduction_slot(stage, s->vector_slot);
    count_uses(&nest);
    nest_output(&nest, 0);
}
