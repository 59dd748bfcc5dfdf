/* Under a memory budget: maps whose values would be kept are computed again in their readers, the one that frees most first, until the entry fits.
 *
 * opt_inline stores a map when computing it again costs more time than memory traffic; here memory is what counts. The estimate follows the equations in
 * the order in which the entry needs them; memory that kernels share or never use is not its matter, so it is an upper bound. */
#include "ir/cost.h"
#include "opt/inline.h"
#include "opt/opt.h"

/* ---- the estimate ---- */

/* Position of the last reader, by id; outputs are written to the caller's memory. */
static size_t *last_reads(Graph *g, Arena *scratch, const NodeList *order) {
    size_t *last = arena_array(scratch, size_t, g->node_count);
    for (size_t i = 0; i < order->count; i++)
        for (int k = 0; k < order->at[i]->operand_count; k++)
            last[order->at[i]->operands[k]->id] = i;
    return last;
}

int64_t entry_peak_bytes(Graph *g, const Entry *entry) {
    Arena *scratch = arena_new((ArenaFailure){0});
    NodeList order = graph_order(g, scratch, entry);
    const size_t *last = last_reads(g, scratch, &order);
    int64_t live = 0, peak = 0;
    for (size_t i = 0; i < order.count; i++) {
        const Node *node = order.at[i];
        if (last[node->id] > i)
            live += node_bytes_written(g, node);
        peak = live > peak ? live : peak;
        for (int k = 0; k < node->operand_count; k++)
            if (last[node->operands[k]->id] == i)
                live -= node_bytes_written(g, node->operands[k]);
    }
    arena_free(scratch);
    return peak;
}

/* ---- the choice ---- */

static bool is_candidate(const Node *node) {
    return node->kind == NODE_EXPR && node->expr.reduce == REDUCE_NONE && node->expr.body->has_load &&
           !node->is_prepared;
}

/* What the entry would need if the map were computed again; `*trial` is the entry then. */
static int64_t peak_without(Graph *g, const Entry *entry, const Node *map, Entry *trial) {
    int changes = 0;
    *trial = entry_inlined(g, entry, map, &changes);
    return changes > 0 ? entry_peak_bytes(g, trial) : INT64_MAX;
}

/* The least that the entry would need without one of its maps, and for each what it would need without that one. */
static int64_t find_least(Graph *g, const Entry *entry, const NodeList *order, int64_t *peaks) {
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < order->count; i++) {
        Entry trial;
        peaks[i] = is_candidate(order->at[i]) ? peak_without(g, entry, order->at[i], &trial) : INT64_MAX;
        least = peaks[i] < least ? peaks[i] : least;
    }
    return least;
}

/* The maps that free most go, as long as each frees as much as the first: the steps of a recurrence have one like the others. From the last on, as what is
 * computed of a map is another equation when the map has gone. Returns how many went; 0: none makes the entry smaller. */
static int recompute_some(Graph *g, Entry *entry, int64_t budget, int64_t *peak) {
    Arena *scratch = arena_new((ArenaFailure){0});
    NodeList order = graph_order(g, scratch, entry);
    int64_t *peaks = arena_array(scratch, int64_t, order.count + 1);
    const int64_t least = find_least(g, entry, &order, peaks), gain = *peak - least;
    int gone = 0;
    for (size_t i = order.count; i-- > 0 && gain > 0 && *peak > budget;) {
        Entry trial;
        if (peaks[i] > least || peak_without(g, entry, order.at[i], &trial) > *peak - gain)
            continue;
        *peak = entry_peak_bytes(g, &trial);
        entry_replace(g, entry, &trial);
        gone++;
    }
    arena_free(scratch);
    return gone;
}

int opt_recompute(Graph *g, Entry *entry, int64_t budget) {
    int changes = 0;
    int64_t peak = entry_peak_bytes(g, entry);
    int gone = 1;
    while (peak > budget && gone > 0) {
        gone = recompute_some(g, entry, budget, &peak);
        changes += gone;
    }
    return changes;
}
