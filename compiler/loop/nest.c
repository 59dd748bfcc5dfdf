#include "loop/nest.h"

#include "loop/loop_make.h"

static Arena *arena_of(const Nest *nest) {
    return nest->kernel->arena;
}

static Extent slot_extent(const Nest *nest, int slot) {
    return nest->stage->slots[slot].extent;
}

static void nest_output(Nest *nest, int level);

/* ---- one loop ---- */

/* The index of a tiled slot is complete when the loop over the tile is open too. */
static void bind_slot(Nest *nest, int slot, const LoopExpr *value) {
    const Lowering *l = &nest->lower;
    bool tiled = (slot == l->tile_slot && l->rows > 1) || (slot == l->column_slot && l->columns > 1);
    nest->lower.index[slot] = value;
    if (!tiled)
        nest->kernel->scope->slots |= UINT64_C(1) << slot;
}

/* Of the loops of a reduction. */
static bool is_innermost(const Nest *nest, int level) {
    return level + 1 == nest->stage->schedule.loops && level >= nest->outputs;
}

/* Nothing may stand beside a loop that threads share. Of a sum that scatters they share the blocks. */
static bool is_parallel(const Nest *nest, int level) {
    return nest->stage->schedule.order[level] == nest->stage->schedule.parallel_slot &&
           nest->stage->scatters.count == 0;
}

/* for (slot = from; slot < to; slot += step) inside(level + 1). Clipped: the last iteration may be a part. */
static void add_loop(Nest *nest, int level, const LoopExpr *from, const LoopExpr *to, const LoopExpr *step,
                     bool clipped, NestInside *inside) {
    KernelBuilder *k = nest->kernel;
    int slot = nest->stage->schedule.order[level];
    Scope *scope = scope_open(k);
    LoopVar *var = kernel_var(k, scope, nest->stage->slots[slot].name, TYPE_INT, false);
    bind_slot(nest, slot, expr_var(k->arena, var));
    nest->lower.part = clipped ? expr_sub(k->arena, to, expr_var(k->arena, var)) : nest->lower.part;
    inside(nest, level + 1);
    nest->lower.part = clipped ? NULL : nest->lower.part;
    LoopStmt *loop = stmt_for(k->arena, var, from, to, step, scope_close(k));
    if (is_parallel(nest, level))
        loop->loop.mode = LOOP_PARALLEL;
    else if (nest->stage->schedule.rolled && is_innermost(nest, level))
        loop->loop.mode = LOOP_ROLLED;
    kernel_add(k, loop);
}

/* A single step at `from`. */
static void add_single(Nest *nest, int level, const LoopExpr *from, NestInside *inside) {
    KernelBuilder *k = nest->kernel;
    scope_open_inside(k);
    bind_slot(nest, nest->stage->schedule.order[level], from);
    inside(nest, level + 1);
    scope_close_inside(k);
}

Span nest_axis(const Nest *nest, int slot) {
    Arena *arena = arena_of(nest);
    Extent extent = slot_extent(nest, slot);
    int64_t unit = extent.per_sample > 0 ? extent.per_sample : extent.size;
    return (Span){expr_int(arena, 0), expr_extent(arena, extent), unit};
}

static Span fixed_span(const Nest *nest, int64_t from, int64_t to) {
    return (Span){expr_int(arena_of(nest), from), expr_int(arena_of(nest), to), to - from};
}

static bool is_one_step(Span span) {
    return span.from->kind == LOOP_INT && span.to->kind == LOOP_INT && span.to->integer - span.from->integer == 1;
}

static void add_plain_loop(Nest *nest, int level, Span span, NestInside *inside) {
    if (is_one_step(span) && !is_parallel(nest, level)) {
        add_single(nest, level, span.from, inside);
        return;
    }
    add_loop(nest, level, span.from, span.to, expr_int(arena_of(nest), 1), false, inside);
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

/* The loop over the rows, all tiles of one size: the last one begins where it ends with the axis. */
static void add_overlapping_loop(Nest *nest, int level) {
    KernelBuilder *k = nest->kernel;
    int slot = nest->lower.tile_slot, rows = nest->lower.rows;
    int64_t size = slot_extent(nest, slot).size;
    const char *name = nest->stage->slots[slot].name;
    Scope *scope = scope_open(k);
    LoopVar *var = kernel_var(k, scope, arena_printf(k->arena, "%s_tile", name), TYPE_INT, false);
    const LoopExpr *all = expr_int(k->arena, size), *step = expr_int(k->arena, rows);
    const LoopExpr *last =
        expr_op(k->arena, OP_SUB, TYPE_INT, all, step, NULL); /* reads better than their difference */
    const LoopExpr *first = expr_min(k->arena, expr_var(k->arena, var), last);
    bind_slot(nest, slot, kernel_declare(k, scope, name, first));
    nest_output(nest, level + 1);
    kernel_add(k, stmt_for(k->arena, var, expr_int(k->arena, 0), all, step, scope_close(k)));
}

/* The loop over a tiled axis: `*size` elements at a time, then what remains. */
static void add_tiled_loop(Nest *nest, int level, int *size, NestInside *inside) {
    Arena *arena = arena_of(nest);
    Extent extent = slot_extent(nest, nest->stage->schedule.order[level]);
    const LoopExpr *zero = expr_int(arena, 0), *all = expr_extent(arena, extent);
    int step = *size;
    bool in_block = nest->block.from && nest->stage->schedule.order[level] == nest->lower.tile_slot;
    if (in_block) {
        add_loop(nest, level, nest->block.from, nest->block.to, expr_int(arena, step), false, inside);
        return;
    }
    if (extent.size < step)
        *size = step = (int)extent.size;
    if (extent.per_sample == 0 && extent.size == step) {
        add_single(nest, level, zero, inside);
        return;
    }
    const LoopExpr *whole = whole_steps(arena, all, expr_int(arena, step));
    add_loop(nest, level, zero, whole, expr_int(arena, step), false, inside);
    if (extent.per_sample > 0 && extent.per_sample % step != 0) {
        *size = 1;
        add_loop(nest, level, whole, all, expr_int(arena, 1), false, inside);
    } else if (extent.size % step != 0) {
        *size = (int)(extent.size % step);
        add_loop(nest, level, whole, all, expr_int(arena, *size), false, inside);
    }
    *size = step;
}

/* ---- vectors ---- */

/* The last lanes of an axis that is no multiple of the vector: part accesses. */
static void add_part(Nest *nest, int level, Span rest, NestInside *inside) {
    KernelBuilder *k = nest->kernel;
    Scope *scope = scope_open(k);
    scope->conditional = true;
    bind_slot(nest, nest->stage->schedule.order[level], rest.from);
    nest->lower.part = expr_sub(k->arena, rest.to, rest.from);
    inside(nest, level + 1);
    nest->lower.part = NULL;
    LoopBody body = scope_close(k);
    kernel_add(k, stmt_if(k->arena, expr_less(k->arena, rest.from, rest.to), body));
}

/* The loop over the axis of the lanes: `vectors` at a time, then what remains as part accesses. Around a reduction of few tiles, and along the
 * edges, all of them are parts: that costs less than the text of one more. In a loop that threads share, what remains is a loop that they share
 * too. */
static void add_vector_loop(Nest *nest, int level, Span span, int vectors, NestInside *inside) {
    enum { MANY_TILES = 3 };
    Arena *arena = arena_of(nest);
    const LoopExpr *step = expr_scale(arena, expr_lanes(arena), vectors);
    const LoopExpr *length = expr_sub(arena, span.to, span.from);
    int64_t widest = vectors * most_lanes(nest->kernel->entry->graph);
    bool is_edge = nest->edges > 0; /* constants, as a rule */
    bool around_reduction =
        nest->stage->reduce != REDUCE_NONE && !nest->lanes_partial && nest->stage->scatters.count == 0;
    bool all_parts = is_edge || (around_reduction && span.unit < MANY_TILES * widest);
    if (span.unit % widest == 0 || all_parts) {
        add_loop(nest, level, span.from, span.to, step, span.unit % widest != 0, inside);
        return;
    }
    const LoopExpr *to = expr_add(arena, span.from, whole_steps(arena, length, step));
    add_loop(nest, level, span.from, to, step, false, inside);
    if (around_reduction || is_parallel(nest, level))
        add_loop(nest, level, to, span.to, step, true, inside);
    else
        add_part(nest, level, (Span){to, span.to, span.unit}, inside);
}

/* ---- the whole nest ---- */

void nest_loop(Nest *nest, int level, Span span, NestInside *inside) {
    if (nest->stage->schedule.order[level] == nest->lower.vector_slot)
        add_vector_loop(nest, level, span, nest->lower.columns, inside);
    else
        add_plain_loop(nest, level, span, inside);
}

static void set_truth(Nest *nest, const Scalar *test, bool value) {
    pointer_map_put(nest->lower.truths, test, expr_bool(arena_of(nest), value));
}

/* Where the condition of the range is false, element by element: these are edges. */
static void add_edge(Nest *nest, int level, const StageRange *range, int64_t from, int64_t to) {
    if (from == to)
        return;
    int vector_slot = nest->lower.vector_slot, column_slot = nest->lower.column_slot;
    if (vector_slot == range->slot)
        nest->lower.vector_slot = nest->lower.column_slot = -1;
    nest->edges++;
    set_truth(nest, range->test, false);
    nest_loop(nest, level, fixed_span(nest, from, to), nest_output);
    nest->edges--;
    nest->lower.vector_slot = vector_slot;
    nest->lower.column_slot = column_slot;
}

static void add_ranged_loop(Nest *nest, int level, const StageRange *range) {
    int64_t size = slot_extent(nest, range->slot).size;
    add_edge(nest, level, range, 0, range->low);
    set_truth(nest, range->test, true);
    nest_loop(nest, level, fixed_span(nest, range->low, range->high), nest_output);
    add_edge(nest, level, range, range->high, size);
    pointer_map_put(nest->lower.truths, range->test, NULL);
}

/* All loops from this level on are inside the condition of the stage. */
static bool needs_test(const Nest *nest, int level) {
    const Scalar *test = nest->stage->only_if;
    return test && level + 1 == nest->outputs && !is_parallel(nest, level) &&
           !pointer_map_get(nest->lower.truths, test);
}

static void add_test(Nest *nest, int level) {
    KernelBuilder *k = nest->kernel;
    const Scalar *test = nest->stage->only_if;
    const LoopExpr *value = lower(&nest->lower, test);
    scope_open(k)->conditional = true;
    set_truth(nest, test, true);
    nest_output(nest, level);
    pointer_map_put(nest->lower.truths, test, NULL);
    kernel_add(k, stmt_if(k->arena, value, scope_close(k)));
}

static void nest_output(Nest *nest, int level) {
    const StageSchedule *s = &nest->stage->schedule;
    if (level == nest->outputs) {
        tile_build(nest);
        return;
    }
    if (needs_test(nest, level)) {
        add_test(nest, level);
        return;
    }
    int slot = s->order[level];
    const StageRange *range = nest->edges ? NULL : stage_range(nest->stage, slot);
    if (range)
        add_ranged_loop(nest, level, range);
    else if (slot == s->tile_slot && s->overlaps)
        add_overlapping_loop(nest, level);
    else if (slot == s->tile_slot && s->tile_rows > 1)
        add_tiled_loop(nest, level, &nest->lower.rows, nest_output);
    else if (slot == s->column_slot && slot != s->vector_slot && s->columns > 1)
        add_tiled_loop(nest, level, &nest->lower.columns, nest_output);
    else
        nest_loop(nest, level, nest_axis(nest, slot), nest_output);
}

/* Blocks of rows, each of which passes all loops; then the rows that are no whole tile. */
static void add_blocks(Nest *nest) {
    KernelBuilder *k = nest->kernel;
    const StageSchedule *s = &nest->stage->schedule;
    int64_t size = slot_extent(nest, s->tile_slot).size, whole = size - size % s->tile_rows;
    Scope *scope = scope_open(k);
    const char *wish = arena_printf(k->arena, "%s_from", nest->stage->slots[s->tile_slot].name);
    LoopVar *var = kernel_var(k, scope, wish, TYPE_INT, false);
    const LoopExpr *from = expr_var(k->arena, var), *to = expr_add(k->arena, from, expr_int(k->arena, s->block));
    if (whole % s->block != 0)
        to = expr_min(k->arena, to, expr_int(k->arena, whole));
    nest->block = (Span){from, to, s->block};
    nest_output(nest, 0);
    const LoopExpr *step = expr_int(k->arena, s->block);
    kernel_add(k, stmt_for(k->arena, var, expr_int(k->arena, 0), expr_int(k->arena, whole), step, scope_close(k)));
    if (size > whole) {
        nest->block = fixed_span(nest, whole, size);
        nest->lower.rows = (int)(size - whole);
        nest_output(nest, 0);
        nest->lower.rows = s->tile_rows;
    }
}

/* ---- terms that are 0 ---- */

/* pace * other, of the tile's nearest or farthest element along the other slot; what is constant goes to `*constant`. */
static const LoopExpr *clip_place(const Nest *nest, const StageClip *clip, bool far, int64_t *constant) {
    Arena *arena = arena_of(nest);
    const Lowering *l = &nest->lower;
    const LoopExpr *place = expr_scale(arena, l->index[clip->other], clip->pace);
    int64_t width = clip->other == l->column_slot ? l->columns : clip->other == l->tile_slot ? l->rows : 1;
    *constant = clip->first;
    if (!far)
        return place;
    if (clip->other != l->vector_slot) {
        *constant += clip->pace * (width - 1);
        return place;
    }
    *constant -= clip->pace;
    return expr_add(arena, place, expr_scale(arena, expr_lanes(arena), clip->pace * width));
}

static const LoopExpr *declare_bound(Nest *nest, const StageClip *clip, const char *what, const LoopExpr *value) {
    KernelBuilder *k = nest->kernel;
    if (value->kind == LOOP_INT)
        return value;
    return kernel_declare(k, k->scope, arena_printf(k->arena, "%s_%s", nest->stage->slots[clip->slot].name, what),
                          value);
}

static Span clipped_span(Nest *nest, const StageClip *clip) {
    Arena *arena = arena_of(nest);
    int64_t size = slot_extent(nest, clip->slot).size, least_constant, most_constant;
    const LoopExpr *least = clip_place(nest, clip, clip->pace < 0, &least_constant);
    const LoopExpr *most = clip_place(nest, clip, clip->pace > 0, &most_constant);
    const LoopExpr *from, *to;
    if (clip->step > 0) {
        from = expr_sub(arena, expr_int(arena, clip->low - most_constant), most);
        to = expr_sub(arena, expr_int(arena, clip->high - least_constant), least);
    } else {
        from = expr_add(arena, least, expr_int(arena, least_constant - clip->high + 1));
        to = expr_add(arena, most, expr_int(arena, most_constant - clip->low + 1));
    }
    from = declare_bound(nest, clip, "from", expr_max(arena, from, expr_int(arena, 0)));
    to = declare_bound(nest, clip, "to", expr_min(arena, to, expr_int(arena, size)));
    return (Span){from, to, size};
}

void nest_clip(Nest *nest) {
    for (size_t i = 0; i < nest->stage->clips.count; i++) {
        const StageClip *clip = &nest->stage->clips.at[i];
        bool in_lanes = clip->slot == nest->stage->schedule.vector_slot;
        nest->clipped[clip->slot] = in_lanes ? (Span){0} : clipped_span(nest, clip);
    }
}

static Span reduced_axis(const Nest *nest, int slot) {
    return nest->clipped[slot].from ? nest->clipped[slot] : nest_axis(nest, slot);
}

void nest_reduction(Nest *nest, int level) {
    const StageSchedule *s = &nest->stage->schedule;
    int vectors = nest->lower.column_slot == s->vector_slot ? nest->lower.columns : 1; /* accumulators of one row */
    if (level == s->loops)
        tile_accumulate(nest);
    else if (s->order[level] == s->vector_slot)
        add_vector_loop(nest, level, nest_axis(nest, s->order[level]), vectors, nest_reduction);
    else
        add_plain_loop(nest, level, reduced_axis(nest, s->order[level]), nest_reduction);
}

/* The innermost loop, where it divides often enough. */
static int find_long_slot(const Nest *nest) {
    enum { LEAST_ITERATIONS = 4 };
    const StageSchedule *s = &nest->stage->schedule;
    if (s->loops == 0)
        return -1;
    int slot = s->order[s->loops - 1];
    int64_t step = slot == s->vector_slot ? most_lanes(nest->kernel->entry->graph) : 1;
    return slot_extent(nest, slot).size >= LEAST_ITERATIONS * step ? slot : -1;
}

static uint64_t tiled_slots(const StageSchedule *s) {
    uint64_t slots = s->tile_slot >= 0 && s->tile_rows > 1 ? UINT64_C(1) << s->tile_slot : 0;
    return slots | (s->column_slot >= 0 && s->columns > 1 ? UINT64_C(1) << s->column_slot : 0);
}

void nest_build(KernelBuilder *k, const PlanStage *stage, int shared, const NestTarget *targets,
                const LoopExpr *const *index, const LoopExpr *part) {
    const StageSchedule *s = &stage->schedule;
    Nest nest = {.kernel = k, .stage = stage, .targets = targets, .shared = shared};
    nest.lower.kernel = k;
    nest.lower.vector_slot = s->vector_slot;
    nest.lower.tile_slot = s->tile_slot;
    nest.lower.column_slot = s->column_slot;
    nest.lower.truths = pointer_map_new(k->arena);
    nest.lower.part = part;
    nest.lower.rows = s->tile_rows;
    nest.lower.columns = s->columns;
    nest.lower.long_slot = find_long_slot(&nest);
    nest.lower.tiled = tiled_slots(s);
    nest.lower.stage = scope_open_inside(k);
    for (int slot = 0; slot < shared; slot++)
        nest.lower.index[slot] = index[slot];
    while (nest.outputs < s->loops && !stage_is_reduction_slot(stage, s->order[nest.outputs]))
        nest.outputs++;
    nest.lanes_partial = s->vector_slot >= 0 && stage_is_reduction_slot(stage, s->vector_slot);
    lower_count(&nest.lower, stage);
    if (stage->scatters.count > 0)
        scatter_build(&nest);
    else if (s->block > 0)
        add_blocks(&nest);
    else
        nest_output(&nest, 0);
    scope_close_inside(k);
}
