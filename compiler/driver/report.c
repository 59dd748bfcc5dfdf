#include "driver/report.h"

#include <inttypes.h>
#include "ir/cost.h"

static int64_t count_elements(const Node *const *nodes, size_t count) {
    int64_t elements = 0;
    for (size_t i = 0; i < count; i++) {
        elements += node_elements(nodes[i]);
    }
    return elements;
}

static void print_model(const Graph *graph, Text *out) {
    text_printf(out, "model %s", graph->name);
    if (graph->batch.size > 0) {
        text_printf(out, ", %s %s %" PRId64, graph->batch_name, graph->batch.per_sample ? "<=" : "=",
                    graph->batch.size);
    }
    text_printf(out, ", real numbers of %d bytes\n", graph->real_is_double ? 8 : 4);
    text_printf(out, "%" PRId64 " parameters in %zu tensors, %" PRId64 " numbers of optimizer state\n\n",
                count_elements(graph->params.at, graph->params.count), graph->params.count,
                count_elements(graph->states.at, graph->states.count));
}

static void print_entries(const Compilation *c, Text *out) {
    text_printf(out, "%-12s %16s %12s\n", "", "operations", "workspace");
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        if (c->program->entries[kind].present) {
            text_printf(out, "%-12s %16" PRId64 " %12zu bytes\n", entry_name((EntryKind)kind), c->operations[kind],
                        c->program->entries[kind].workspace);
        }
    }
}

void report_print(const Compilation *c, Text *out) {
    print_model(c->graph, out);
    print_entries(c, out);
    int64_t loss = c->operations[ENTRY_LOSS], gradient = c->operations[ENTRY_GRADIENT];
    if (loss > 0 && gradient > 0) {
        text_printf(out, "\ngradient / loss: %.2f (reverse differentiation keeps this below 5)\n",
                    (double)gradient / (double)loss);
    }
}
