#include "plan/plan.h"

#include "plan/tune.h"

static PlanKernel make_kernel(const Planner *p, const Group *group) {
    PlanKernel kernel = {.shared = group->shared, .samples = group->samples, .parallel_slot = -1};
    for (size_t i = 0; i < group->stages.count; i++) {
        PlanStage stage = stage_schedule(p, &group->stages.at[i], group->shared, group->samples);
        stage_tune(p, &stage, group->shared);
        kernel.cycles += stage.cycles;
        vec_push(p->arena, &kernel.stages, stage);
    }
    plan_traffic(p, &kernel);
    return kernel;
}

/* `common`: what all entries have. */
static PlanEntry plan_entry(const Planner *common, const Entry *entry) {
    Arena *arena = common->arena;
    PlanEntry plan = {.present = entry->present};
    if (!entry->present)
        return plan;
    Planner planner = *common;
    planner.entry = entry;
    planner_collect(&planner);
    planner_fuse(&planner);
    planner_share_rows(&planner);
    planner_choose_samples(&planner);
    planner_settle_homes(&planner);
    ItemList order = planner_order(&planner);
    for (size_t i = 0; i < order.count; i++)
        vec_push(arena, &plan.kernels, make_kernel(&planner, &planner.groups.at[order.at[i]]));
    plan_threads(&planner, &plan);
    for (size_t i = 0; i < pointer_map_count(planner.source_of); i++) {
        PlanView view = {pointer_map_key(planner.source_of, i), pointer_map_value(planner.source_of, i)};
        vec_push(arena, &plan.views, view);
    }
    return plan;
}

Plan *plan_make(Arena *arena, Graph *graph, const Target *target, const Tuning *tuning, Survey *survey) {
    Plan *plan = arena_one(arena, Plan);
    plan->target = target;
    Planner common = {.arena = arena, .graph = graph, .target = target, .tuning = tuning, .survey = survey};
    common.schedules = text_map_new(arena);
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        plan->entries[kind] = plan_entry(&common, &graph->entries[kind]);
    return plan;
}
