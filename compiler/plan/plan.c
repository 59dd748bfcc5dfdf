#include "plan/plan.h"

#include <inttypes.h>

#include "ir/scalar_walk.h"
#include "plan/tune.h"

/* What all shared loops together run through, vectors of samples where these are lanes. */
static double iterations(const Planner *p, const PlanKernel *kernel) {
    const Node *lead = kernel->stages.at[0].nodes.at[0].node;
    double count = 1;
    for (int axis = 0; axis < kernel->shared; axis++)
        count *= (double)lead->shape[axis].size;
    return kernel->samples ? count / planner_lanes(p) : count;
}

/* A value that other stages find in a variable of the kernel. */
static bool is_given_in_register(const PlanKernel *kernel, const PlanNode *value) {
    const Node *node = value->node;
    int64_t elements = 1;
    for (int d = kernel->shared; d < node->rank; d++)
        elements *= node->shape[d].size;
    return value->home == HOME_REGISTERS && elements == 1;
}

/* Constants do not count: that two of them are the same number says nothing. */
static size_t count_terms(const ScalarWalk *walk) {
    size_t count = 0;
    for (size_t i = 0; i < walk->count; i++)
        count += walk->at[i]->kind != SCALAR_INT;
    return count;
}

/* What stages of one form have in common, whatever tensors they read, and where. */
static const char *form_of(Arena *arena, ScalarWalk *walk, const PlanStage *stage) {
    Text *form = text_new(arena);
    for (int slot = 0; slot < stage->slot_count; slot++)
        text_printf(form, "%" PRId64 ",", stage->slots[slot].extent.size);
    for (size_t i = 0; i < stage->nodes.count; i++) {
        const PlanNode *value = &stage->nodes.at[i];
        scalar_walk(walk, value->body, NULL, NULL);
        text_printf(form, " %d %d %zu", (int)stage->reduce, (int)value->home, count_terms(walk));
    }
    return text_get(form);
}

/* How many of the stages there are of each form. */
static TextMap *count_forms(Arena *arena, ScalarWalk *walk, const StageList *stages) {
    TextMap *counts = text_map_new(arena);
    for (size_t s = 0; s < stages->count; s++) {
        const char *form = form_of(arena, walk, &stages->at[s]);
        size_t *count = text_map_get(counts, form);
        if (!count) {
            count = arena_one(arena, size_t);
            text_map_put(counts, form, count);
        }
        ++*count;
    }
    return counts;
}

/* How many cycles are enough for a call, where so many stages have one form. Many of them, as the steps of a recurrence are, become calls of one
 * function: that is worth a little more. The more there are, the more they would take from the cache of instructions, written out. */
static int enough_for_call(size_t alike, int of_many) {
    enum { MANY = 4, SCORES = 32, HUNDREDS = 128 };
    if (alike >= HUNDREDS)
        return 4;
    if (alike >= SCORES)
        return 40;
    return alike >= MANY ? of_many : 2000;
}

/* Of the stages of a kernel, or the parts of a stage, those that do enough for a call to be nothing. */
static bool set_apart(const Planner *p, const PlanKernel *kernel, StageList *stages, int enough_of_many) {
    Arena *scratch = arena_new((ArenaFailure){0});
    ScalarWalk *walk = scalar_walk_new(scratch);
    const TextMap *counts = count_forms(scratch, walk, stages);
    bool any = false;
    for (size_t s = 0; s < stages->count; s++) {
        PlanStage *stage = &stages->at[s];
        const size_t *alike = text_map_get(counts, form_of(scratch, walk, stage));
        stage->apart = stage->cycles >= enough_for_call(*alike, enough_of_many) * iterations(p, kernel);
        for (size_t i = 0; i < stage->nodes.count; i++)
            stage->apart = stage->apart && !is_given_in_register(kernel, &stage->nodes.at[i]);
        any = any || stage->apart;
    }
    arena_free(scratch);
    return any;
}

/* Shorter functions are easier to read, and faster to compile. A stage whose parts are functions is none. */
static void choose_functions(const Planner *p, PlanKernel *kernel) {
    enum { ENOUGH_OF_MANY = 150, ENOUGH_OF_PARTS = 40 }; /* cycles in an iteration of the shared loops */
    if (kernel->shared > 0 && kernel->stages.count > 1)
        set_apart(p, kernel, &kernel->stages, ENOUGH_OF_MANY);
    for (size_t s = 0; s < kernel->stages.count; s++) {
        PlanStage *stage = &kernel->stages.at[s];
        if (set_apart(p, kernel, &stage->parts, ENOUGH_OF_PARTS))
            stage->apart = false;
    }
}

static PlanStage make_stage(const Planner *p, const Group *group, size_t i) {
    if (i > 0 && group->lead.width > 0)
        return stage_schedule_led(p, &group->stages.at[i], group->lead);
    return stage_schedule(p, &group->stages.at[i], group->shared, group->samples);
}

/* What is chosen for loops when they are known. */
static void finish_loops(const Planner *p, PlanStage *stage, int shared) {
    for (size_t i = 0; i < stage->parts.count; i++)
        finish_loops(p, &stage->parts.at[i], shared);
    if (stage->parts.count > 0)
        return;
    plan_turns(p, stage, shared);
    plan_skips(p, stage);
}

static PlanKernel make_kernel(const Planner *p, const Group *group) {
    PlanKernel kernel = {.shared = group->shared, .samples = group->samples, .parallel_slot = -1};
    kernel.led = group->lead.width > 0;
    for (size_t i = 0; i < group->stages.count; i++) {
        PlanStage stage = make_stage(p, group, i);
        if (stage.parts.count == 0)
            stage_tune(p, &stage, group->shared);
        finish_loops(p, &stage, group->shared);
        kernel.cycles += stage.cycles;
        kernel.hidden += stage.hidden;
        vec_push(p->arena, &kernel.stages, stage);
    }
    choose_functions(p, &kernel);
    plan_traffic(p, &kernel);
    return kernel;
}

/* `common`: what all entries have. */
static PlanEntry plan_entry(const Planner *common, const Entry *entry) {
    Arena *arena = common->arena;
    PlanEntry plan = {.present = entry->present, .threads = 1};
    if (!entry->present)
        return plan;
    Planner planner = *common;
    planner.entry = entry;
    planner_collect(&planner);
    planner_find_paths(&planner);
    planner_fuse(&planner);
    planner_share_rows(&planner);
    planner_choose_samples(&planner);
    planner_keep_near(&planner);
    planner_take_apart(&planner);
    planner_settle_homes(&planner);
    ItemList order = planner_order(&planner);
    for (size_t i = 0; i < order.count; i++)
        vec_push(arena, &plan.kernels, make_kernel(&planner, &planner.groups.at[order.at[i]]));
    plan_threads(&planner, &plan);
    plan_plain(&planner, &plan);
    plan_overlaps(&planner, &plan);
    for (size_t i = 0; i < pointer_map_count(planner.source_of); i++) {
        PlanView view = {pointer_map_key(planner.source_of, i), pointer_map_value(planner.source_of, i)};
        vec_push(arena, &plan.views, view);
    }
    return plan;
}

Plan *plan_make(Arena *arena, Graph *graph, const Target *target, int threads, const Tuning *tuning, Survey *survey) {
    Plan *plan = arena_one(arena, Plan);
    plan->target = target;
    Planner common = {
        .arena = arena, .graph = graph, .target = target, .threads = threads, .tuning = tuning, .survey = survey};
    common.schedules = text_map_new(arena);
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        plan->entries[kind] = plan_entry(&common, &graph->entries[kind]);
    return plan;
}
