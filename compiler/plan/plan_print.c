#include <inttypes.h>

#include "ir/graph_print.h"
#include "plan/plan.h"

static const char *slot_text(Arena *arena, const PlanStage *stage, int slot) {
    const StageSlot *s = &stage->slots[slot];
    const Node *node = stage->nodes.at[0].node;
    const char *letter = node->origin.axes[s->of];
    if (!letter)
        letter = arena_printf(arena, "%c%d", s->of < stage->rank ? 'i' : 'r',
                              s->of < stage->rank ? s->of : s->of - stage->rank);
    return s->factor > 1 ? arena_printf(arena, "%s*%" PRId64, letter, s->factor) : letter;
}

static void print_schedule(Arena *arena, const PlanStage *stage, Text *out) {
    static const char *const forms[] = {
        [FORM_MAP] = "map", [FORM_REDUCTION] = "reduction", [FORM_CONTRACTION] = "contraction"};
    const StageSchedule *s = &stage->schedule;
    text_printf(out, "    %s; loops", forms[s->form]);
    for (int i = 0; i < s->loops; i++)
        text_printf(out, " %s:%" PRId64, slot_text(arena, stage, s->order[i]), stage->slots[s->order[i]].extent.size);
    if (s->vector_slot >= 0)
        text_printf(out, "; lanes %s", slot_text(arena, stage, s->vector_slot));
    if (s->tile_slot >= 0 && s->tile_rows > 1)
        text_printf(out, "; rows %s x %d", slot_text(arena, stage, s->tile_slot), s->tile_rows);
    if (s->column_slot >= 0 && s->columns > 1)
        text_printf(out, "; columns %s x %d", slot_text(arena, stage, s->column_slot), s->columns);
    if (s->parallel_slot >= 0)
        text_printf(out, "; parallel %s from %" PRId64, slot_text(arena, stage, s->parallel_slot), s->grain);
    text_add(out, "\n");
}

static void print_value(const PlanNode *value, Text *out) {
    static const char *const homes[] = {
        [HOME_MEMORY] = "memory", [HOME_ROW] = "row buffer", [HOME_REGISTERS] = "registers"};
    text_printf(out, "    %%%" PRIu32 " %s ", value->node->id, value->copy ? "copied:" : "");
    if (value->node->kind == NODE_EXPR)
        node_print_equation(value->node, out);
    else
        text_add(out, value->node->origin.name ? value->node->origin.name : "a leaf");
    text_printf(out, "  -> %s\n", value->output ? "output" : homes[value->home]);
}

void plan_print(const Plan *plan, Graph *graph, Text *out) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        const PlanEntry *entry = &plan->entries[kind];
        if (entry->present)
            text_printf(out, "%s:\n", entry_name((EntryKind)kind));
        for (size_t k = 0; k < entry->kernels.count; k++) {
            const PlanKernel *kernel = &entry->kernels.at[k];
            text_printf(out, "  kernel %zu", k);
            if (kernel->shared > 0)
                text_printf(out, ", %d shared axes%s", kernel->shared, kernel->parallel_slot >= 0 ? ", parallel" : "");
            text_add(out, "\n");
            for (size_t s = 0; s < kernel->stages.count; s++) {
                print_schedule(graph->arena, &kernel->stages.at[s], out);
                for (size_t i = 0; i < kernel->stages.at[s].nodes.count; i++)
                    print_value(&kernel->stages.at[s].nodes.at[i], out);
            }
        }
    }
}
