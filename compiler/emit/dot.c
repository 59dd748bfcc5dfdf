/* dot.c: the network as a drawing. */
#include <inttypes.h>
#include <string.h>

#include "emit/c_write.h"
#include "emit/emit.h"
#include "ir/graph_print.h"

typedef struct Drawing {
    Graph *graph;
    Arena *arena;
    Text *out;
} Drawing;

static const char *node_style(const Node *node) {
    switch (node->kind) {
    case NODE_INPUT: return "shape=box, style=filled, fillcolor=\"#dbe9f6\"";
    case NODE_PARAM:
    case NODE_STATE: return "shape=ellipse, style=filled, fillcolor=\"#eeeeee\", fontsize=10";
    default: return "shape=box, style=\"rounded,filled\", fillcolor=\"#fdf3d8\"";
    }
}

/* The name and the shape; what the equation says is in the tool tip. */
static void draw_node(const Drawing *d, const Node *node) {
    const char *batch = d->graph->batch_name ? d->graph->batch_name : "n";
    const char *shape = shape_text(d->arena, node->type, node->rank, node->shape, batch);
    const char *name = node->origin.name ? node->origin.name : "";
    const char *label = arena_printf(d->arena, "%s\n%s", name, shape);
    Text *equation = text_new(d->arena);
    if (node->kind == NODE_EXPR)
        node_print_equation(node, equation);
    text_printf(d->out, "  n%" PRIu32 " [label=", node->id);
    for (const char *c = c_string(d->arena, *name ? label : shape); *c; c++) /* the newline is \012 */
        if (strncmp(c, "\\012", 4) == 0) {
            text_add(d->out, "\\n");
            c += 3;
        } else {
            text_add_bytes(d->out, c, 1);
        }
    text_printf(d->out, ", %s, tooltip=%s];\n", node_style(node), c_string(d->arena, text_get(equation)));
}

static void draw_edges(const Drawing *d, const Node *node) {
    for (int i = 0; i < node->operand_count; i++) {
        bool from_leaf = node->operands[i]->kind != NODE_EXPR && node->operands[i]->kind != NODE_INPUT;
        text_printf(d->out, "  n%" PRIu32 " -> n%" PRIu32 "%s;\n", node->operands[i]->id, node->id,
                    from_leaf ? " [color=\"#999999\"]" : "");
    }
}

void emit_dot(Graph *graph, Text *out) {
    const Drawing d = {graph, graph->arena, out};
    const Entry *predict = &graph->entries[ENTRY_PREDICT];
    NodeList nodes = graph_order(graph, graph->arena, predict);
    text_printf(out, "digraph %s {\n  rankdir=TB;\n  node [fontname=\"Helvetica\"];\n",
                c_string(graph->arena, graph->name));
    for (size_t i = 0; i < nodes.count; i++)
        draw_node(&d, nodes.at[i]);
    for (size_t i = 0; i < nodes.count; i++)
        draw_edges(&d, nodes.at[i]);
    for (size_t i = 0; i < predict->outputs.count; i++) {
        const char *name = predict->outputs.at[i].name ? predict->outputs.at[i].name : "output";
        text_printf(out, "  output%zu [label=%s, shape=box, style=filled, fillcolor=\"#dff0d8\"];\n", i,
                    c_string(graph->arena, name));
        text_printf(out, "  n%" PRIu32 " -> output%zu;\n", predict->outputs.at[i].value->id, i);
    }
    text_add(out, "}\n");
}
