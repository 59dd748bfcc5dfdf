/* dot.c: the network as a drawing: the forward pass, and beside it the backward pass.
 *
 * Forward values stand from top to bottom in the order in which they are computed. The backward pass runs from bottom to top, so
 * that a gradient stands about as high as the value that it belongs to: for Graphviz its edges are turned round, and drawn with
 * the arrow at their other end.
 */
#include <inttypes.h>
#include <string.h>

#include "emit/emit.h"
#include "ir/graph_print.h"

typedef struct Drawing {
    Graph *graph;
    Arena *arena;
    Text *out;
    Entry forward; /* what prediction gives, and the loss that is differentiated */
    NodeList forward_nodes, backward_nodes;
    int *number;       /* by id: of the node in the drawing, from 1; 0: it is not drawn */
    bool *is_backward; /* by id */
    int count;         /* of what was drawn so far */
} Drawing;

static const char *const style_input = "shape=box, style=filled, fillcolor=\"#dbe9f6\"";
static const char *const style_leaf = "shape=ellipse, style=filled, fillcolor=\"#eeeeee\", fontsize=11";
static const char *const style_forward = "shape=box, style=\"rounded,filled\", fillcolor=\"#fdf3d8\"";
static const char *const style_backward = "shape=box, style=\"rounded,filled\", fillcolor=\"#f8e3dc\"";
static const char *const style_result = "shape=box, style=filled, fillcolor=\"#dff0d8\"";
static const char *const style_gradient = "shape=ellipse, style=filled, fillcolor=\"#efc3b5\", fontsize=11";

/* ---- what is drawn ---- */

static void find_forward(Drawing *d) {
    const Entry *predict = &d->graph->entries[ENTRY_PREDICT], *gradient = &d->graph->entries[ENTRY_GRADIENT];
    for (size_t i = 0; i < predict->outputs.count; i++)
        vec_push(d->arena, &d->forward.outputs, predict->outputs.at[i]);
    for (size_t i = 0; gradient->present && i < gradient->outputs.count; i++)
        if (gradient->outputs.at[i].role == OUTPUT_LOSS)
            vec_push(d->arena, &d->forward.outputs, gradient->outputs.at[i]);
    d->forward_nodes = graph_order(d->graph, d->arena, &d->forward);
    for (size_t i = 0; i < d->forward_nodes.count; i++)
        d->number[d->forward_nodes.at[i]->id] = ++d->count;
}

/* The equations of the gradient that the loss does not compute itself, and inputs that only they read. */
static void find_backward(Drawing *d) {
    const Entry *gradient = &d->graph->entries[ENTRY_GRADIENT];
    if (!gradient->present)
        return;
    NodeList all = graph_order(d->graph, d->arena, gradient);
    for (size_t i = 0; i < all.count; i++) {
        const Node *node = all.at[i];
        if (d->number[node->id] == 0) {
            d->number[node->id] = ++d->count;
            d->is_backward[node->id] = true;
            vec_push(d->arena, &d->backward_nodes, node);
        }
    }
}

/* ---- nodes ---- */

static void write_string(const Drawing *d, const char *text) {
    text_add(d->out, "\"");
    for (; *text; text++) {
        if (*text == '\n') {
            text_add(d->out, "\\n");
            continue;
        }
        text_add(d->out, *text == '"' || *text == '\\' ? "\\" : "");
        text_add_bytes(d->out, text, 1);
    }
    text_add(d->out, "\"");
}

static const char *node_shape(const Drawing *d, const Node *node) {
    const char *batch = d->graph->batch_name ? d->graph->batch_name : "n";
    return shape_text(d->arena, node->type, node->rank, node->shape, batch);
}

/* The name above the shape; "gradient of" has a line of its own, since names are long. */
static const char *node_label(const Drawing *d, const Node *node) {
    static const char gradient[] = "gradient of ";
    const char *name = node->origin.name, *shape = node_shape(d, node);
    if (!name)
        return shape;
    const size_t length = sizeof gradient - 1;
    return strncmp(name, gradient, length) == 0 ? arena_printf(d->arena, "gradient of\n%s\n%s", name + length, shape)
                                                : arena_printf(d->arena, "%s\n%s", name, shape);
}

/* The parameters that the value is the gradient of; "": none. */
static const char *gradient_names(const Drawing *d, const Node *value) {
    const Entry *gradient = &d->graph->entries[ENTRY_GRADIENT];
    const char *names = "";
    for (size_t i = 0; i < gradient->outputs.count; i++) {
        const GraphOutput *output = &gradient->outputs.at[i];
        if (output->role == OUTPUT_GRADIENT && output->value == value)
            names = arena_printf(d->arena, "%s\n%s", names, output->target->origin.name);
    }
    return names;
}

/* Is this node an output under its own name? Then it needs no other. */
static bool is_result(const Node *node, const GraphOutput *output) {
    return output->value == node && node->kind == NODE_EXPR && node->origin.name && output->name &&
           strcmp(node->origin.name, output->name) == 0;
}

static const char *node_style(const Drawing *d, const Node *node) {
    switch (node->kind) {
    case NODE_INPUT: return style_input;
    case NODE_PARAM:
    case NODE_STATE: return style_leaf;
    default: break;
    }
    if (d->is_backward[node->id])
        return style_backward;
    for (size_t i = 0; i < d->forward.outputs.count; i++)
        if (is_result(node, &d->forward.outputs.at[i]))
            return style_result;
    return style_forward;
}

/* What the equation says is in the tool tip. */
static void draw_node(const Drawing *d, const Node *node) {
    const char *label = node_label(d, node), *style = node_style(d, node);
    const char *names = d->is_backward[node->id] ? gradient_names(d, node) : "";
    if (*names) {
        label = arena_printf(d->arena, "gradient of%s\n%s", names, node_shape(d, node));
        style = style_gradient;
    }
    text_printf(d->out, "    n%d [label=", d->number[node->id]);
    write_string(d, label);
    text_printf(d->out, ", %s", style);
    if (node->kind == NODE_EXPR) {
        Text *equation = text_new(d->arena);
        node_print_equation(node, equation);
        text_add(d->out, ", tooltip=");
        write_string(d, text_get(equation));
    }
    text_add(d->out, "];\n");
}

/* A name that a value is given out under. */
static void draw_result(Drawing *d, const char *label, const char *style, const Node *value, const char *edge_style) {
    text_printf(d->out, "    n%d [label=", ++d->count);
    write_string(d, label);
    text_printf(d->out, ", %s];\n", style);
    text_printf(d->out, "    n%d -> n%d%s;\n", d->number[value->id], d->count, edge_style);
}

/* ---- edges ---- */

static void draw_edges(const Drawing *d, const Node *node) {
    for (int i = 0; i < node->operand_count; i++) {
        const Node *operand = node->operands[i];
        int from = d->number[operand->id], to = d->number[node->id];
        if (!d->is_backward[node->id]) {
            bool from_leaf = operand->kind == NODE_PARAM || operand->kind == NODE_STATE;
            text_printf(d->out, "  n%d -> n%d%s;\n", from, to, from_leaf ? " [color=\"#999999\"]" : "");
        } else if (d->is_backward[operand->id]) {
            text_printf(d->out, "  n%d -> n%d [dir=back, color=\"#a8452c\"];\n", to, from);
        } else {
            text_printf(d->out, "  n%d -> n%d [style=dashed, color=\"#8899aa\"];\n", from, to);
        }
    }
}

/* ---- the clusters ---- */

static void draw_cluster(const Drawing *d, const char *name, const char *label, const NodeList *nodes) {
    text_printf(d->out,
                "  subgraph cluster_%s {\n    label=\"%s\";\n    labeljust=l;\n    color=\"#cccccc\";\n"
                "    style=rounded;\n",
                name, label);
    for (size_t i = 0; i < nodes->count; i++)
        draw_node(d, nodes->at[i]);
}

static void draw_forward(Drawing *d) {
    draw_cluster(d, "forward", "forward", &d->forward_nodes);
    for (size_t i = 0; i < d->forward.outputs.count; i++) {
        const GraphOutput *output = &d->forward.outputs.at[i];
        if (!is_result(output->value, output))
            draw_result(d, output->name ? output->name : "output", style_result, output->value, "");
    }
    text_add(d->out, "  }\n");
}

/* A gradient may be a value that the forward pass computes. */
static void draw_backward(Drawing *d) {
    const Entry *gradient = &d->graph->entries[ENTRY_GRADIENT];
    draw_cluster(d, "backward", "backward (dashed: forward values that it reads)", &d->backward_nodes);
    for (size_t i = 0; i < gradient->outputs.count; i++) {
        const GraphOutput *output = &gradient->outputs.at[i];
        if (output->role == OUTPUT_GRADIENT && !d->is_backward[output->value->id]) {
            const char *label = arena_printf(d->arena, "gradient of\n%s\n%s", output->target->origin.name,
                                             node_shape(d, output->target));
            draw_result(d, label, style_gradient, output->value, " [style=dashed, color=\"#8899aa\"]");
        }
    }
    text_add(d->out, "  }\n");
}

void emit_dot(Graph *graph, Text *out) {
    Drawing d = {.graph = graph, .arena = graph->arena, .out = out, .forward = {.present = true}};
    d.number = arena_array(d.arena, int, graph->node_count);
    d.is_backward = arena_array(d.arena, bool, graph->node_count);
    find_forward(&d);
    find_backward(&d);
    text_add(out, "digraph ");
    write_string(&d, graph->name);
    text_add(out, " {\n  rankdir=TB;\n  newrank=true; /* both passes share their heights */\n"
                  "  fontname=\"Helvetica\";\n  node [fontname=\"Helvetica\", fontsize=12];\n");
    draw_forward(&d);
    if (graph->entries[ENTRY_GRADIENT].present)
        draw_backward(&d);
    for (size_t i = 0; i < d.forward_nodes.count; i++)
        draw_edges(&d, d.forward_nodes.at[i]);
    for (size_t i = 0; i < d.backward_nodes.count; i++)
        draw_edges(&d, d.backward_nodes.at[i]);
    text_add(out, "}\n");
}
