/* scatter.c: the loops of a sum whose terms choose their place:
 *
 *     for (v_from ..)                         blocks of the places, if there are many
 *       for (v .. of the block)               the sums are 0
 *       for (i ..)                            all terms
 *         v = token[i]
 *         if (v lies in the block)
 *           sum[v] += term
 *       for (v .. of the block)               the maps that follow, and their stores
 *
 * What only these maps read is an array with the places of one block.
 */
#include "loop/loop_make.h"
#include "loop/nest.h"
#include "plan/lanes.h"

static int slot_at(const Nest *nest, int level) {
    return nest->stage->schedule.order[level];
}

/* The schedule has the loops over places first, then those over terms. */
static int first_term(const Nest *nest) {
    return (int)nest->stage->scatters.count;
}

/* Of the places along the i-th axis that terms choose, those of the block at hand. */
static Span places(const Nest *nest, int i) {
    return i == 0 && nest->block.from ? nest->block : nest_axis(nest, nest->stage->scatters.at[i].slot);
}

/* ---- place by place ---- */

/* The level of the next loop over results, in the order of memory; `level` is behind that of the last one. -1: all are open. */
static int next_result(const Nest *nest, int level) {
    const int last = level > 0 ? slot_at(nest, level - 1) : -1;
    int next = -1;
    for (int i = 0; i < nest->stage->schedule.loops; i++) {
        const int slot = slot_at(nest, i);
        if (!stage_is_reduction_slot(nest->stage, slot) && slot > last && (next < 0 || slot < slot_at(nest, next)))
            next = i;
    }
    return next;
}

static void add_results(Nest *nest, int level, NestInside *inside, void (*innermost)(Nest *nest)) {
    const int next = next_result(nest, level);
    if (next < 0)
        innermost(nest);
    else
        nest_loop(nest, next, next < first_term(nest) ? places(nest, next) : nest_axis(nest, slot_at(nest, next)),
                  inside);
}

static void add_clear(Nest *nest, int level) {
    add_results(nest, level, add_clear, tile_clear);
}

/* The axis along which results are neighbours; -1: none. */
static int find_neighbours(const Nest *nest) {
    const PlanStage *stage = nest->stage;
    ScalarPool *pool = nest->kernel->pool;
    const Scalar *own = load_offset(pool, scalar_load(pool, stage->nodes.at[0].node, stage->index), 0);
    for (int i = 0; i < stage->schedule.loops; i++) {
        const int slot = slot_at(nest, i);
        int64_t step;
        if (!stage_is_reduction_slot(stage, slot) && lane_step(own, slot, &step) && step == 1)
            return slot;
    }
    return -1;
}

/* In vectors, although terms may be numbers. */
static void clear_sums(Nest *nest) {
    const int lanes = nest->lower.vector_slot;
    nest->lower.vector_slot = find_neighbours(nest);
    add_clear(nest, 0);
    nest->lower.vector_slot = lanes;
}

static void add_maps(Nest *nest, int level) {
    add_results(nest, level, add_maps, tile_map_sum);
}

/* ---- term by term ---- */

/* The level of the loops from which on all places are known. */
static int level_of_choice(const Nest *nest) {
    const PlanStage *stage = nest->stage;
    uint64_t slots = 0;
    for (size_t i = 0; i < stage->scatters.count; i++)
        slots |= stage->scatters.at[i].index->slots;
    int choice = first_term(nest);
    for (int level = choice; level < stage->schedule.loops; level++)
        if (slots >> slot_at(nest, level) & 1)
            choice = level + 1;
    return choice;
}

/* The place along one axis, in a variable that is called like the axis. */
static const LoopExpr *declare_place(Nest *nest, const StageScatter *scatter) {
    KernelBuilder *k = nest->kernel;
    const LoopExpr *place = lower(&nest->lower, scatter->index);
    place = kernel_declare(k, k->scope, nest->stage->slots[scatter->slot].name, place);
    pointer_map_put(k->scope->known, scatter->index, (void *)(uintptr_t)place->var);
    nest->lower.index[scatter->slot] = place;
    return place;
}

static const LoopExpr *both(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    return a ? expr_op(arena, OP_AND, TYPE_BOOL, a, b, NULL) : b;
}

static void add_terms(Nest *nest, int level);

/* What follows, where the places of the term exist. */
static void add_choice(Nest *nest, int level) {
    KernelBuilder *k = nest->kernel;
    const LoopExpr *test = NULL;
    uint64_t slots = 0;
    for (size_t i = 0; i < nest->stage->scatters.count; i++) {
        const StageScatter *scatter = &nest->stage->scatters.at[i];
        const LoopExpr *place = declare_place(nest, scatter);
        const Span span = places(nest, (int)i);
        test = both(k->arena, test, expr_op(k->arena, OP_GE, TYPE_BOOL, place, span.from, NULL));
        test = both(k->arena, test, expr_op(k->arena, OP_LT, TYPE_BOOL, place, span.to, NULL));
        slots |= UINT64_C(1) << scatter->slot;
    }
    Scope *scope = scope_open(k);
    scope->conditional = true;
    scope->slots |= slots;
    const int choice = nest->choice;
    nest->choice = -1;
    add_terms(nest, level);
    nest->choice = choice;
    kernel_add(k, stmt_if(k->arena, test, scope_close(k)));
}

static void add_terms(Nest *nest, int level) {
    if (level == nest->choice)
        add_choice(nest, level);
    else if (level == nest->stage->schedule.loops)
        tile_add(nest);
    else
        nest_loop(nest, level, nest_axis(nest, slot_at(nest, level)), add_terms);
}

/* ---- block by block ---- */

static void add_block(Nest *nest) {
    nest->choice = level_of_choice(nest);
    clear_sums(nest);
    add_terms(nest, first_term(nest));
    if (nest->stage->nodes.count > 1)
        add_maps(nest, 0);
}

/* The sums of a block need memory for one iteration. */
static void set_iteration(const Nest *nest, LoopStmt *loop, int64_t blocks) {
    const StageSchedule *s = &nest->stage->schedule;
    Kernel *kernel = nest->kernel->kernel;
    kernel->iteration = &loop->loop.body;
    if (s->parallel_slot != s->tile_slot)
        return;
    loop->loop.mode = LOOP_PARALLEL;
    kernel->shared_trips = blocks;
}

void scatter_build(Nest *nest) {
    KernelBuilder *k = nest->kernel;
    const StageSchedule *s = &nest->stage->schedule;
    k->kernel->adds = true;
    if (s->block == 0) {
        add_block(nest);
        return;
    }
    const Span all = nest_axis(nest, s->tile_slot);
    const char *name = nest->stage->slots[s->tile_slot].name;
    LoopVar *var = kernel_var(k, scope_open(k), arena_printf(k->arena, "%s_from", name), TYPE_INT, false);
    const LoopExpr *from = expr_var(k->arena, var), *to = expr_add(k->arena, from, expr_int(k->arena, s->block));
    if (all.unit % s->block != 0)
        to = expr_min(k->arena, to, all.to);
    to = kernel_declare(k, k->scope, arena_printf(k->arena, "%s_to", name), to);
    nest->block = (Span){from, to, s->block};
    add_block(nest);
    LoopStmt *loop = stmt_for(k->arena, var, all.from, all.to, expr_int(k->arena, s->block), scope_close(k));
    set_iteration(nest, loop, (all.unit + s->block - 1) / s->block);
    kernel_add(k, loop);
}
