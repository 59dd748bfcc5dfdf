#include "plan/estimate.h"

#include "plan/stage.h"

/* The node alone, in an arena that is freed afterwards. */
static PlanStage schedule_alone(Graph *g, const Target *target, const Node *node, Arena *scratch) {
    Planner p = {.arena = scratch, .graph = g, .target = target};
    p.item_of = p.source_of = p.interleaved = pointer_map_new(scratch);
    Item item = {.value = {.node = node}};
    vec_push(scratch, &p.items, item);
    ItemList items = {0};
    vec_push(scratch, &items, 0);
    PlanStage stage = stage_make(&p, &items);
    schedule_stage(&p, &stage, 0);
    return stage;
}

double estimate_cycles_with(Graph *g, const Target *target, const Node *node, double shown) {
    if (node->kind != NODE_EXPR || node->is_prepared)
        return 0;
    Arena *scratch = arena_new((ArenaFailure){0});
    const PlanStage stage = schedule_alone(g, target, node, scratch);
    arena_free(scratch);
    return stage.cycles + shown * stage.misses;
}

bool estimate_scatters(Graph *g, const Target *target, const Node *node) {
    Arena *scratch = arena_new((ArenaFailure){0});
    const PlanStage stage = schedule_alone(g, target, node, scratch);
    arena_free(scratch);
    return stage.scatters.count > 0;
}

double estimate_cycles(Graph *g, const Target *target, const Node *node) {
    const double shown = 0.2; /* loops fetch ahead */
    return estimate_cycles_with(g, target, node, shown);
}
