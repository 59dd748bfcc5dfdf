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
    for (size_t i = 0; i < order->count; i++) {
        for (int k = 0; k < order->at[i]->operand_count; k++) {
            last[order->at[i]->operands[k]->id] = i;
        }
    }
    return last;
}

int64_t entry_peak_bytes(Graph *g, const Entry *entry) {
    Arena *scratch = arena_new((ArenaFailure){0});
    NodeList order = graph_order(g, scratch, entry);
    const size_t *last = last_reads(g, scratch, &order);
    int64_t live = 0, peak = 0;
    for (size_t i = 0; i < order.count; i++) {
        const Node *node = order.at[i];
        if (last[node->id] > i) {
            live += node_bytes_written(g, node);
        }
        peak = live > peak ? live : peak;
        for (int k = 0; k < node->operand_count; k++) {
            if (last[node->operands[k]->id] == i) {
                live -= node_bytes_written(g, node->operands[k]);
            }
        }
    }
    arena_free(scratch);
    return peak;
}

/* ---- the choice ---- */

static bool is_candidate(const Node *node) {
    return node->kind == NODE_EXPR && node->expr.reduce == REDUCE_NONE && node->expr.body->has_load &&
           !node->is_prepared;
}

/* One more map goes. False: none makes the entry smaller. */
static bool recompute_one(Graph *g, Entry *entry, int64_t *peak) {
    Arena *scratch = arena_new((ArenaFailure){0});
    NodeList order = graph_order(g, scratch, entry);
    Entry best = {0};
    bool found = false;
    for (size_t i = 0; i < order.count; i++) {
        int changes = 0;
        if (!is_candidate(order.at[i])) {
            continue;
        }
        Entry trial = entry_inlined(g, entry, order.at[i], &changes);
        int64_t bytes = changes > 0 ? entry_peak_bytes(g, &trial) : *peak;
        if (bytes < *peak) {
            *peak = bytes;
            best = trial;
            found = true;
        }
    }
    if (found) {
        entry_replace(g, entry, &best);
    }
    arena_free(scratch);
    return found;
}

int opt_recompute(Graph *g, Entry *entry, int64_t budget) {
    int changes = 0;
    int64_t peak = entry_peak_bytes(g, entry);
    while (peak > budget && recompute_one(g, entry, &peak)) {
        changes++;
    }
    return changes;
}
