/* memo.c: schedules that were found before. The same stages are weighed again and again: fused and apart, in one entry and in the next. */
#include <inttypes.h>

#include "plan/stage.h"

static bool is_interleaved(const Planner *p, const Node *node) {
    return pointer_map_get(p->interleaved, node) != NULL;
}

/* Its loops may not write before they have read. */
static bool reads_overwritten(const Item *item) {
    const Node *target = item_overwrites(item);
    for (size_t i = 0; target && i < item->leaves.count; i++)
        if (item->leaves.at[i] == target)
            return true;
    return false;
}

/* All that a schedule depends on. */
static const char *key_of(const Planner *p, Arena *scratch, const ItemList *items, int shared, bool samples) {
    Text *key = text_new(scratch);
    text_printf(key, "%d%c%c", shared, samples ? 's' : '.', p->entry->spares_memory ? 'm' : '.');
    for (size_t i = 0; i < items->count; i++) {
        const Item *item = &p->items.at[items->at[i]];
        const PlanNode *value = &item->value;
        text_printf(key, " %" PRIu32 "%s%d%c%c", value->node->id, value->copy ? "=" : "-", (int)value->home,
                    is_interleaved(p, value->node) ? 'i' : '.', reads_overwritten(item) ? 'o' : '.');
        text_add(key, value->output ? "=" : "");
        for (size_t o = 0; o < item->operands.count; o++)
            text_add(key, is_interleaved(p, p->items.at[item->operands.at[o]].value.node) ? "i" : ".");
    }
    return text_get(key);
}

static void set_values(const Planner *p, PlanStage *stage, const ItemList *items) {
    for (size_t i = 0; i < items->count; i++) {
        const Scalar *body = stage->nodes.at[i].body;
        stage->nodes.at[i] = p->items.at[items->at[i]].value;
        stage->nodes.at[i].body = body;
    }
    if (stage->scatters.count > 0)
        stage->nodes.at[0].home = scatter_home(stage->nodes.at[0].home);
    for (size_t i = 0; i < stage->parts.count; i++)
        set_values(p, &stage->parts.at[i], items);
}

/* The values are those of this entry: where they go is nothing to the schedule. */
static void give_values(const Planner *p, PlanStage *stage, const ItemList *items) {
    *stage = stage_copy(p, stage);
    set_values(p, stage, items);
}

static void keep_names(const Planner *p, PlanStage *stage) {
    for (int slot = 0; slot < stage->slot_count; slot++)
        stage->slots[slot].name = arena_printf(p->arena, "%s", stage->slots[slot].name);
    for (size_t i = 0; i < stage->parts.count; i++)
        keep_names(p, &stage->parts.at[i]);
}

/* The search leaves much behind that nobody needs again. */
static void find_schedule(const Planner *p, const ItemList *items, int shared, bool samples, Lead lead,
                          PlanStage *found) {
    Planner scratch = *p;
    scratch.arena = arena_new((ArenaFailure){0});
    PlanStage stage = stage_make(&scratch, items);
    stage.samples = samples;
    if (lead.width > 0)
        stage_lead(&scratch, &stage, lead);
    schedule_stage(&scratch, &stage, shared);
    *found = stage_copy(p, &stage);
    keep_names(p, found);
    arena_free(scratch.arena);
}

/* The stage as it was first scheduled, maybe for another entry. */
static const PlanStage *remembered(const Planner *p, const ItemList *items, int shared, bool samples) {
    Arena *scratch = arena_new((ArenaFailure){0});
    const char *key = key_of(p, scratch, items, shared, samples);
    PlanStage *stage = text_map_get(p->schedules, key);
    if (!stage) {
        stage = arena_one(p->arena, PlanStage);
        find_schedule(p, items, shared, samples, (Lead){0}, stage);
        text_map_put(p->schedules, key, stage);
    }
    arena_free(scratch);
    return stage;
}

PlanStage stage_schedule(const Planner *p, const ItemList *items, int shared, bool samples) {
    PlanStage stage = *remembered(p, items, shared, samples);
    give_values(p, &stage, items);
    return stage;
}

PlanStage stage_schedule_led(const Planner *p, const ItemList *items, Lead lead) {
    PlanStage stage;
    find_schedule(p, items, 1, false, lead, &stage);
    give_values(p, &stage, items);
    return stage;
}

double schedule_cycles(const Planner *p, const ItemList *items, int shared, bool samples) {
    return remembered(p, items, shared, samples)->cycles;
}
