#include "ir/graph_print.h"

#include <ctype.h>
#include <string.h>

#include "ir/scalar_walk.h"

static const char *type_name(Type type) {
    switch (type) {
    case TYPE_REAL: return "real";
    case TYPE_INT: return "int";
    case TYPE_BOOL: return "bool";
    }
    return "";
}

static const char *reduction_name(Reduction reduce) {
    static const char *const names[] = {"", "sum", "prod", "max", "min", "argmax", "argmin"};
    return names[reduce];
}

static void print_extent(Text *out, Extent extent, const char *batch) {
    if (extent.per_sample == 0) {
        text_printf(out, "%lld", (long long)extent.size);
        return;
    }
    if (extent.per_sample > 1)
        text_printf(out, "%lld * ", (long long)extent.per_sample);
    text_add(out, batch ? batch : "n");
}

static void print_type(Text *out, Type type, int rank, const Extent *shape, const char *batch) {
    text_add(out, type_name(type));
    for (int i = 0; i < rank; i++) {
        text_add(out, i == 0 ? "[" : ", ");
        print_extent(out, shape[i], batch);
    }
    text_add(out, rank > 0 ? "]" : "");
}

const char *shape_text(Arena *arena, Type type, int rank, const Extent *shape, const char *batch_name) {
    Text *text = text_new(arena);
    print_type(text, type, rank, shape, batch_name);
    return text_get(text);
}

/* ---- names ---- */

/* Letters, digits, `_` and, for tensors, `.`; not starting with a digit. */
static bool is_identifier(const char *name, bool dots) {
    if (!name || !(isalpha((unsigned char)name[0]) || name[0] == '_'))
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && !(dots && *c == '.'))
            return false;
    return true;
}

static bool is_reserved(const char *name) {
    static const char *const words[] = {"step", "steps", "true", "false", "inf", "nan", "let", "in"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(name, words[i]) == 0)
            return true;
    return false;
}

/* "i3", "t3": what the printer calls index variables and shared subexpressions itself. */
static bool is_made_up(const char *name) {
    return (name[0] == 'i' || name[0] == 't') && isdigit((unsigned char)name[1]);
}

typedef struct GraphPrinter {
    Graph *graph;
    Arena *scratch;
    Text *out;
    TextMap *leaves;     /* name -> leaf; the printer itself where several have it */
    const char **labels; /* by node id: how a tensor is written; NULL: not printed yet */
    int numbers;         /* given out so far */
    PointerMap *shared;  /* scalar -> its name */
} GraphPrinter;

static const char *batch_word(const Graph *g) {
    return g->batch_name ? g->batch_name : "n";
}

static const char *number_label(GraphPrinter *p) {
    return arena_printf(p->scratch, "%%%d", ++p->numbers);
}

/* The axis letter, where it can mean nothing else; NULL: i<slot>. */
static const char *slot_name(const GraphPrinter *p, const Node *node, int slot) {
    const char *name = node->origin.axes[slot];
    if (!is_identifier(name, false) || is_reserved(name) || is_made_up(name) ||
        strcmp(name, batch_word(p->graph)) == 0 || text_map_get(p->leaves, name))
        return NULL;
    for (int i = 0; i < node->rank + node->expr.reduced; i++)
        if (i != slot && node->origin.axes[i] && strcmp(node->origin.axes[i], name) == 0)
            return NULL;
    return name;
}

/* ---- shared subexpressions ---- */

/* A body that has this many nodes as a tree gets names for what it repeats. */
enum { LONG_TREE = 150 };

static const char *tensor_label(void *context, const Node *tensor) {
    const GraphPrinter *p = context;
    return p->labels[tensor->id];
}

static const char *shared_label(void *context, const Scalar *s) {
    const GraphPrinter *p = context;
    return p->shared ? pointer_map_get(p->shared, s) : NULL;
}

/* Parentheses that may nest before a subexpression gets a name. */
enum { MAX_HEIGHT = 100 };

/* How often each subexpression is used. */
static int *count_uses(const ScalarWalk *walk, Arena *scratch) {
    int *uses = arena_array(scratch, int, walk->count);
    for (size_t i = 0; i < walk->count; i++)
        for (int j = 0; j < scalar_child_count(walk->at[i]); j++)
            uses[scalar_walk_position(walk, scalar_child(walk->at[i], j))]++;
    return uses;
}

/* Prints `let t1 = ..., t2 = ... in ` for what occurs more than once or is deep, and remembers the names. */
static void print_shared(GraphPrinter *p, const ScalarWalk *walk, ScalarNames names) {
    int *uses = count_uses(walk, p->scratch);
    int *heights = arena_array(p->scratch, int, walk->count); /* down to leaves and names */
    p->shared = pointer_map_new(p->scratch);
    int count = 0;
    for (size_t i = 0; i + 1 < walk->count; i++) {
        for (int j = 0; j < scalar_child_count(walk->at[i]); j++) {
            int below = heights[scalar_walk_position(walk, scalar_child(walk->at[i], j))];
            heights[i] = below + 1 > heights[i] ? below + 1 : heights[i];
        }
        if (walk->at[i]->kind != SCALAR_OP || (uses[i] < 2 && heights[i] < MAX_HEIGHT))
            continue;
        const char *name = arena_printf(p->scratch, "t%d", ++count);
        text_printf(p->out, "%s%s = ", count == 1 ? "let " : ", ", name);
        scalar_print_named(walk->at[i], names, p->out);
        pointer_map_put(p->shared, walk->at[i], name);
        heights[i] = 0;
    }
    text_add(p->out, count > 0 ? " in " : "");
}

static void print_body(GraphPrinter *p, const Scalar *body, const char *const *slots) {
    ScalarNames names = {tensor_label, slots, batch_word(p->graph), shared_label, p};
    ScalarWalk *walk = scalar_walk_new(p->scratch);
    scalar_walk(walk, body, NULL, NULL);
    if (scalar_walk_tree_size(walk) > LONG_TREE)
        print_shared(p, walk, names);
    scalar_print_named(body, names, p->out);
    p->shared = NULL;
}

/* ---- nodes ---- */

/* "b: batch"; a reduction always says its variable, so that it does not look like the function of the same name. */
static void print_axis(GraphPrinter *p, const Node *node, int slot, const char *const *slots) {
    Extent extent = node_slot_extent(node, slot);
    if (slots[slot] && extent.size > 1)
        text_printf(p->out, "%s: ", slots[slot]);
    else if (slot >= node->rank)
        text_printf(p->out, "i%d: ", slot);
    print_extent(p->out, extent, batch_word(p->graph));
}

static void print_expr(GraphPrinter *p, const Node *node) {
    const char *slots[MAX_AXES];
    int count = node->rank + node->expr.reduced;
    for (int i = 0; i < count; i++)
        slots[i] = slot_name(p, node, i);
    text_add(p->out, type_name(node->type));
    for (int i = 0; i < node->rank; i++) {
        text_add(p->out, i == 0 ? "[" : ", ");
        print_axis(p, node, i, slots);
    }
    text_add(p->out, node->rank > 0 ? "] = " : " = ");
    for (int i = node->rank; i < count; i++) {
        text_add(p->out, i == node->rank ? reduction_name(node->expr.reduce) : ", ");
        text_add(p->out, i == node->rank ? "(" : "");
        print_axis(p, node, i, slots);
    }
    text_add(p->out, node->expr.reduced > 0 ? ") " : "");
    print_body(p, node->expr.body, slots);
}

static void print_derivative(GraphPrinter *p, const Node *node) {
    const char *word = node->kind == NODE_GRAD ? "grad" : node->kind == NODE_JVP ? "jvp" : "detach";
    print_type(p->out, node->type, node->rank, node->shape, batch_word(p->graph));
    text_printf(p->out, " = %s(%s", word, p->labels[node->derivative.of->id]);
    if (node->derivative.wrt)
        text_printf(p->out, ", %s", p->labels[node->derivative.wrt->id]);
    if (node->derivative.tangent)
        text_printf(p->out, ", %s", p->labels[node->derivative.tangent->id]);
    text_add(p->out, ")");
}

static void print_node(GraphPrinter *p, const Node *node) {
    p->labels[node->id] = number_label(p);
    text_printf(p->out, "  %s", p->labels[node->id]);
    const char *name = node->origin.name;
    if (name && *name && !strpbrk(name, ":\n"))
        text_printf(p->out, " %s", name);
    text_add(p->out, ": ");
    if (node->kind == NODE_EXPR)
        print_expr(p, node);
    else
        print_derivative(p, node);
    text_add(p->out, "\n");
}

static void print_leaf(GraphPrinter *p, const Node *leaf) {
    const char *word = leaf->leaf.is_buffer          ? "buffer"
                       : leaf->kind == NODE_PARAM    ? "param"
                       : leaf->kind == NODE_STATE    ? "state"
                       : leaf->kind == NODE_PREPARED ? "prepared"
                       : leaf->leaf.is_target        ? "target"
                                                     : "input";
    const char *name = leaf->origin.name ? leaf->origin.name : "";
    p->labels[leaf->id] = text_map_get(p->leaves, name) == leaf ? name : number_label(p);
    text_printf(p->out, "%s %s: ", word, p->labels[leaf->id]);
    print_type(p->out, leaf->type, leaf->rank, leaf->shape, batch_word(p->graph));
    if (leaf->leaf.classes > 0)
        text_printf(p->out, " below %lld", (long long)leaf->leaf.classes);
    if (leaf->leaf.param)
        text_printf(p->out, " of %s", p->labels[leaf->leaf.param->id]);
    text_add(p->out, "\n");
}

/* ---- the whole ---- */

static const char *role_word(OutputRole role) {
    switch (role) {
    case OUTPUT_RESULT: return "result";
    case OUTPUT_LOSS: return "loss";
    case OUTPUT_METRIC: return "metric";
    case OUTPUT_GRADIENT: return "gradient";
    case OUTPUT_UPDATE: return "update";
    case OUTPUT_INIT: return "init";
    case OUTPUT_PREPARED: return "prepared";
    }
    return "";
}

static void print_output(GraphPrinter *p, const GraphOutput *output) {
    const char *name = output->target ? p->labels[output->target->id] : output->name;
    text_printf(p->out, "  %s %s = %s\n", role_word(output->role), name ? name : "_", p->labels[output->value->id]);
}

static void print_entry(GraphPrinter *p, const Entry *entry) {
    text_printf(p->out, "%s:\n", entry_name(entry->kind));
    NodeList order = graph_order(p->graph, p->scratch, entry);
    for (size_t i = 0; i < order.count; i++)
        if (!p->labels[order.at[i]->id])
            print_node(p, order.at[i]);
    for (size_t i = 0; i < entry->outputs.count; i++)
        print_output(p, &entry->outputs.at[i]);
}

static void print_header(GraphPrinter *p) {
    const Graph *g = p->graph;
    text_printf(p->out, "model %s", g->name);
    if (g->batch.size > 0) {
        text_printf(p->out, " (%s %s %lld)", batch_word(g), g->batch.per_sample > 0 ? "<=" : "=",
                    (long long)g->batch.size);
    }
    text_add(p->out, g->real_is_double ? " double\n" : "\n");
}

/* A leaf is written with its name where no other leaf has it. */
static void name_leaves(GraphPrinter *p, const Node *const *leaves, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *name = leaves[i]->origin.name;
        if (!is_identifier(name, true) || is_reserved(name) || is_made_up(name))
            continue;
        bool taken = text_map_get(p->leaves, name) || strcmp(name, batch_word(p->graph)) == 0;
        if (taken && leaves[i]->kind == NODE_PREPARED)
            continue; /* the parameter keeps it */
        text_map_put(p->leaves, name, taken ? (void *)p : (void *)leaves[i]);
    }
}

static void print_leaves(GraphPrinter *p, const Node *const *leaves, size_t count) {
    for (size_t i = 0; i < count; i++)
        print_leaf(p, leaves[i]);
}

void graph_print(Graph *g, Text *out) {
    Arena *scratch = arena_new((ArenaFailure){0});
    GraphPrinter printer = {.graph = g, .scratch = scratch, .out = out};
    printer.leaves = text_map_new(scratch);
    printer.labels = arena_array(scratch, const char *, g->node_count);
    print_header(&printer);
    name_leaves(&printer, g->inputs.at, g->inputs.count);
    name_leaves(&printer, g->params.at, g->params.count);
    name_leaves(&printer, g->states.at, g->states.count);
    name_leaves(&printer, g->prepared.at, g->prepared.count);
    print_leaves(&printer, g->inputs.at, g->inputs.count);
    print_leaves(&printer, g->params.at, g->params.count);
    print_leaves(&printer, g->states.at, g->states.count);
    print_leaves(&printer, g->prepared.at, g->prepared.count);
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (g->entries[i].present)
            print_entry(&printer, &g->entries[i]);
    arena_free(scratch);
}

/* ---- one equation ---- */

static void print_letters(const Node *node, int first, int count, Text *out) {
    for (int i = first; i < first + count; i++) {
        text_add(out, i == first ? "" : ", ");
        if (node->origin.axes[i])
            text_add(out, node->origin.axes[i]);
        else
            text_printf(out, "i%d", i);
    }
}

void node_print_equation(const Node *node, Text *out) {
    text_add(out, node->origin.name ? node->origin.name : "");
    if (!node->origin.name)
        text_printf(out, "%%%u", node->id);
    if (node->rank > 0) {
        text_add(out, "[");
        print_letters(node, 0, node->rank, out);
        text_add(out, "]");
    }
    if (node->kind != NODE_EXPR)
        return;
    text_add(out, " = ");
    if (node->expr.reduced > 0) {
        text_printf(out, "%s(", reduction_name(node->expr.reduce));
        print_letters(node, node->rank, node->expr.reduced, out);
        text_add(out, ") ");
    }
    Arena *scratch = arena_new((ArenaFailure){0});
    ScalarWalk *walk = scalar_walk_new(scratch);
    scalar_walk(walk, node->expr.body, NULL, NULL);
    if (scalar_walk_tree_size(walk) > LONG_TREE)
        text_add(out, "...");
    else
        scalar_print(node->expr.body, node->origin.axes, out);
    arena_free(scratch);
}
