#include <inttypes.h>

#include "ir/graph_print.h"
#include "plan/plan.h"

/* "; scatters to v = token[i]" */
static void print_scatters(const PlanStage *stage, Text *out) {
    const char *names[MAX_STAGE_SLOTS];
    for (int slot = 0; slot < stage->slot_count; slot++)
        names[slot] = stage->slots[slot].name;
    for (size_t i = 0; i < stage->scatters.count; i++) {
        text_printf(out, "%s %s = ", i == 0 ? "; scatters to" : ",", names[stage->scatters.at[i].slot]);
        scalar_print(stage->scatters.at[i].index, names, out);
    }
}

static void print_schedule(const PlanStage *stage, Text *out) {
    static const char *const forms[] = {
        [FORM_MAP] = "map", [FORM_REDUCTION] = "reduction", [FORM_CONTRACTION] = "contraction"};
    const StageSchedule *s = &stage->schedule;
    text_printf(out, "    %s; loops", forms[s->form]);
    for (int i = 0; i < s->loops; i++)
        text_printf(out, " %s:%" PRId64, stage->slots[s->order[i]].name, stage->slots[s->order[i]].extent.size);
    print_scatters(stage, out);
    if (s->vector_slot >= 0)
        text_printf(out, "; lanes %s", stage->slots[s->vector_slot].name);
    if (s->tile_slot >= 0 && s->tile_rows > 1)
        text_printf(out, "; rows %s x %d", stage->slots[s->tile_slot].name, s->tile_rows);
    if (s->sums_in_lanes)
        text_add(out, " in lanes");
    if (s->overlaps)
        text_add(out, ", overlapping");
    if (s->block > 0)
        text_printf(out, " in blocks of %" PRId64, s->block);
    if (s->column_slot >= 0 && s->columns > 1)
        text_printf(out, "; columns %s x %d", stage->slots[s->column_slot].name, s->columns);
    if (s->parallel_slot >= 0)
        text_printf(out, "; threads %s", stage->slots[s->parallel_slot].name);
    for (size_t i = 0; i < stage->fetches.count; i++)
        text_printf(out, "; fetches %%%" PRIu32 " + %" PRId64, stage->fetches.at[i].node->id,
                    stage->fetches.at[i].ahead);
    for (size_t i = 0; i < stage->early.count; i++)
        text_printf(out, "; early %%%" PRIu32 " + %" PRId64, stage->early.at[i].node->id, stage->early.at[i].ahead);
    if (stage->turns)
        text_add(out, "; in turns");
    if (stage->only_if) {
        text_add(out, "; only if ");
        scalar_print(stage->only_if, NULL, out);
    }
    text_add(out, stage->measured ? "; as measured\n" : "\n");
}

/* Of a stage with parts, those of each. */
static void print_loops(const PlanStage *stage, Text *out) {
    for (size_t i = 0; i < stage->parts.count; i++)
        print_loops(&stage->parts.at[i], out);
    if (stage->parts.count == 0)
        print_schedule(stage, out);
}

static void print_value(const PlanNode *value, Text *out) {
    static const char *const homes[] = {[HOME_MEMORY] = "memory",
                                        [HOME_ROW] = "row buffer",
                                        [HOME_SCRATCH] = "scratch",
                                        [HOME_REGISTERS] = "registers"};
    text_printf(out, "    %%%" PRIu32 " %s ", value->node->id, value->copy ? "copied:" : "");
    if (value->node->kind == NODE_EXPR)
        node_print_equation(value->node, out);
    else
        text_add(out, value->node->origin.name ? value->node->origin.name : "a leaf");
    text_printf(out, "  -> %s%s%s\n", value->output ? "output" : homes[value->home],
                value->interleaved ? ", interleaved" : "", value->streams ? ", past the caches" : "");
}

void plan_print(const Plan *plan, Graph *graph, Text *out) {
    text_printf(out, "plan of %s, for the target %s\n", graph->name, plan->target->name);
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        const PlanEntry *entry = &plan->entries[kind];
        if (entry->present)
            text_printf(out, "%s:%s\n", entry_name((EntryKind)kind), entry->parallel ? " several threads" : "");
        for (size_t k = 0; k < entry->kernels.count; k++) {
            const PlanKernel *kernel = &entry->kernels.at[k];
            text_printf(out, "  kernel %zu", k);
            if (kernel->shared > 0)
                text_printf(out, ", %d shared axes%s%s%s", kernel->shared, kernel->samples ? ", samples in lanes" : "",
                            kernel->led ? ", panel by panel" : "", kernel->parallel_slot >= 0 ? ", threads" : "");
            text_add(out, "\n");
            for (size_t s = 0; s < kernel->stages.count; s++) {
                if (kernel->stages.at[s].parts.count > 0)
                    text_printf(out, "    %zu parts:\n", kernel->stages.at[s].parts.count);
                print_loops(&kernel->stages.at[s], out);
                for (size_t i = 0; i < kernel->stages.at[s].nodes.count; i++)
                    print_value(&kernel->stages.at[s].nodes.at[i], out);
            }
        }
    }
}
