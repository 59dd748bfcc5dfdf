#include "opt/report.h"

#include "ir/cost.h"

typedef bool IsWanted(OutputRole role);

static bool is_loss(OutputRole role) {
    return role == OUTPUT_LOSS;
}

static bool is_forward(OutputRole role) {
    return role == OUTPUT_LOSS || role == OUTPUT_METRIC || role == OUTPUT_RESULT;
}

/* Some of the outputs, as an entry of their own. */
static Entry part_of(Arena *scratch, const Entry *entry, IsWanted *is_wanted) {
    Entry part = {.kind = entry->kind, .present = true};
    for (size_t i = 0; i < entry->outputs.count; i++)
        if (is_wanted(entry->outputs.at[i].role))
            vec_push(scratch, &part.outputs, entry->outputs.at[i]);
    return part;
}

/* By id: the expressions of the forward pass. */
static bool *forward_nodes(Graph *g, Arena *scratch, const Entry *entry) {
    bool *is_in = arena_array(scratch, bool, g->node_count);
    Entry forward = part_of(scratch, entry, is_forward);
    NodeList order = graph_order(g, scratch, &forward);
    for (size_t i = 0; i < order.count; i++)
        is_in[order.at[i]->id] = order.at[i]->kind == NODE_EXPR;
    return is_in;
}

/* What the rest of the entry reads of them. */
static void count_kept(Graph *g, Arena *scratch, const Entry *entry, EntryReport *report) {
    const bool *forward = forward_nodes(g, scratch, entry);
    bool *counted = arena_array(scratch, bool, g->node_count);
    NodeList order = graph_order(g, scratch, entry);
    for (size_t i = 0; i < order.count; i++) {
        const Node *user = order.at[i];
        for (int k = 0; !forward[user->id] && k < user->operand_count; k++) {
            const Node *operand = user->operands[k];
            if (forward[operand->id] && !counted[operand->id]) {
                counted[operand->id] = true;
                report->kept_bytes += node_bytes_written(g, operand);
            }
        }
    }
}

EntryReport entry_report(Graph *g, const Entry *entry) {
    Arena *scratch = arena_new((ArenaFailure){0});
    EntryReport report = {.operations = entry_flops(g, entry), .traffic = entry_bytes(g, entry)};
    Entry loss = part_of(scratch, entry, is_loss);
    report.loss = entry_flops(g, &loss);
    count_kept(g, scratch, entry, &report);
    arena_free(scratch);
    return report;
}
