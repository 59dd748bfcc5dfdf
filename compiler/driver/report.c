#include "driver/report.h"

#include <inttypes.h>
#include "ir/cost.h"
#include "opt/report.h"

static int64_t count_elements(const Node *const *nodes, size_t count) {
    int64_t elements = 0;
    for (size_t i = 0; i < count; i++)
        elements += node_elements(nodes[i]);
    return elements;
}

static void print_model(const Graph *graph, Text *out) {
    text_printf(out, "model %s", graph->name);
    if (graph->batch_name) {
        text_printf(out, ", %s %s %" PRId64, graph->batch_name, graph->batch.per_sample ? "<=" : "=",
                    graph->batch.size);
    }
    text_printf(out, ", real numbers of %d bytes\n", graph->real_is_double ? 8 : 4);
    text_printf(out, "%" PRId64 " parameters in %zu tensors, %" PRId64 " numbers of optimizer state\n\n",
                count_elements(graph->params.at, graph->params.count), graph->params.count,
                count_elements(graph->states.at, graph->states.count));
}

/* What the backward pass needs of the forward pass is stored, or computed again. */
static void print_entry(const Compilation *c, EntryKind kind, Text *out) {
    const EntryReport *counted = &c->counted[kind];
    EntryReport report = entry_report(c->graph, &c->graph->entries[kind]);
    int64_t repeated = counted->kept_bytes > report.kept_bytes ? counted->kept_bytes - report.kept_bytes : 0;
    text_printf(out, "%-12s %14" PRId64 " %14" PRId64 " %14" PRId64 " %12zu %12" PRId64 " %12" PRId64 "\n",
                entry_name(kind), counted->operations, report.operations, report.traffic,
                c->program->entries[kind].workspace, report.kept_bytes, repeated);
}

static void print_entries(const Compilation *c, Text *out) {
    text_printf(out, "%-12s %14s %14s %14s %12s %12s %12s\n", "", "operations", "as compiled", "bytes moved",
                "workspace", "stored", "recomputed");
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        if (c->program->entries[kind].present)
            print_entry(c, (EntryKind)kind, out);
    text_add(out,
             "\noperations: of the equations. as compiled: what is computed again rather than stored counts "
             "again. bytes moved:\n"
             "read and written by the equations, each by itself. workspace: bytes. stored, recomputed: bytes of the "
             "forward pass\n"
             "that the backward pass reads, and that it computes again.\n");
}

/* Both with the operations of training, where dropout drops. */
static void print_ratio(const EntryReport *gradient, Text *out) {
    text_printf(out,
                "\ngradient / loss: %" PRId64 " / %" PRId64 " = %.2f (reverse differentiation keeps this below 5)\n",
                gradient->operations, gradient->loss, (double)gradient->operations / (double)gradient->loss);
}

void report_print(const Compilation *c, Text *out) {
    print_model(c->graph, out);
    print_entries(c, out);
    const EntryReport *gradient = &c->counted[ENTRY_GRADIENT];
    if (gradient->loss > 0)
        print_ratio(gradient, out);
}
