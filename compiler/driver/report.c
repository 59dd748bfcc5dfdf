#include "driver/report.h"

#include <inttypes.h>
#include "ir/cost.h"
#include "opt/report.h"

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
    text_printf(out, "%-12s %14s %14s %14s %12s %12s\n", "", "operations", "as compiled", "bytes moved", "workspace",
                "kept");
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        if (c->program->entries[kind].present) {
            EntryReport report = entry_report(c->graph, &c->graph->entries[kind]);
            text_printf(out, "%-12s %14" PRId64 " %14" PRId64 " %14" PRId64 " %12zu %12" PRId64 "\n",
                        entry_name((EntryKind)kind), c->operations[kind], report.operations, report.traffic,
                        c->program->entries[kind].workspace, report.kept_bytes);
        }
    }
    text_add(out, "\noperations: of the equations. as compiled: what is computed again rather than stored counts "
                  "again. bytes moved:\n"
                  "read and written by the equations, each by itself. workspace: bytes. kept: bytes that the forward "
                  "pass stores for the\n"
                  "backward pass.\n");
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
