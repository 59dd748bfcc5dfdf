#include "loop/nest.h"

#include "loop/loop_make.h"

static Arena *arena_of(const Nest *nest) {
    return nest->kernel->arena;
}

static Extent slot_extent(const Nest *nest, int slot) {
    return nest->stage->slots[slot].extent;
}

/* The model's letter for the axis; the outer part of a split axis is its block. */
static const char *slot_name(const Nest *nest, int slot) {
    const PlanStage *stage = nest->stage;
    const StageSlot *s = &stage->slots[slot];
    const char *letter = stage->nodes.at[0].node->origin.axes[s->of];
    if (!letter)
        letter = s->of < stage->rank ? arena_printf(arena_of(nest), "i%d", s->of)
                                     : arena_printf(arena_of(nest), "r%d", s->of - stage->rank);
    return s->factor > 1 ? arena_printf(arena_of(nest), "%s_block", letter) : letter;
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
    LoopVar *var = kernel_var(k, slot_name(nest, slot), TYPE_INT, false);
    scope_open(k);
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

static void add_plain_loop(Nest *nest, int level, NestInside *inside) {
    Arena *arena = arena_of(nest);
    Extent extent = slot_extent(nest, nest->stage->schedule.order[level]);
    add_loop(nest, level, expr_int(arena, 0), expr_extent(arena, extent), expr_int(arena, 1), inside);
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
static void add_part(Nest *nest, int level, const LoopExpr *from, const LoopExpr *all, NestInside *inside) {
    Arena *arena = arena_of(nest);
    nest->lower.part = expr_sub(arena, all, from);
    add_single(nest, level, from, expr_op(arena, OP_LT, TYPE_BOOL, from, all, NULL), inside);
    nest->lower.part = NULL;
}

/* The loop over the axis of the lanes: `*vectors` at a time, then one at a time, then a part of one. */
static void add_vector_loop(Nest *nest, int level, int *vectors, NestInside *inside) {
    Arena *arena = arena_of(nest);
    Extent extent = slot_extent(nest, nest->stage->schedule.order[level]);
    int64_t unit = extent.per_sample > 0 ? extent.per_sample : extent.size;
    const LoopExpr *from = expr_int(arena, 0), *all = expr_extent(arena, extent);
    int most = *vectors;
    for (int count = most; count >= 1; count = count > 1 ? 1 : 0) {
        const LoopExpr *step = expr_scale(arena, expr_lanes(arena), count);
        bool exact = unit % (count * most_lanes(nest)) == 0;
        const LoopExpr *to = exact ? all : whole_steps(arena, all, step);
        *vectors = count;
        add_loop(nest, level, from, to, step, inside);
        if (exact)
            break;
        from = to;
        if (count == 1)
            add_part(nest, level, from, all, inside);
    }
    *vectors = most;
}

/* ---- the whole nest ---- */

static void nest_output(Nest *nest, int level) {
    const StageSchedule *s = &nest->stage->schedule;
    if (level == nest->outputs) {
        tile_build(nest);
        return;
    }
    int slot = s->order[level];
    if (slot == s->vector_slot)
        add_vector_loop(nest, level, &nest->columns, nest_output);
    else if (slot == s->tile_slot && s->tile_rows > 1)
        add_tiled_loop(nest, level, &nest->rows, nest_output);
    else if (slot == s->column_slot && s->columns > 1)
        add_tiled_loop(nest, level, &nest->columns, nest_output);
    else
        add_plain_loop(nest, level, nest_output);
}

void nest_reduction(Nest *nest, int level) {
    const StageSchedule *s = &nest->stage->schedule;
    int one = 1;
    if (level == s->loops)
        tile_accumulate(nest);
    else if (s->order[level] == s->vector_slot)
        add_vector_loop(nest, level, &one, nest_reduction);
    else
        add_plain_loop(nest, level, nest_reduction);
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
