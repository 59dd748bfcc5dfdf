/* prepare.c: what prediction computes of the parameters alone leaves it for an entry point of its own.
 *
 *     predict:  y[b, n] = sum(k) P[n div 16, k, n mod 16] * x[b, k] + b[n],   P[p, k, l] = W[16 * p + l, k]
 *
 *     prepare:  P'[p, k, l] = W[16 * p + l, k],  b'[n] = b[n]
 *     predict:  y[b, n] = sum(k) P'[n div 16, k, n mod 16] * x[b, k] + b'[n]
 *
 * opt_freeze stands before the passes that choose forms: from then on prediction reads a prepared tensor for each parameter, and for each constant that is work, so everybody can see
 * (node->is_prepared) what is the same in all predictions, and count it as nothing. opt_prepare stands behind them: of what was made of prepared tensors, prediction keeps
 * what it reads, and PREPARE makes that.
 */
#include "ir/graph_check.h"
#include "ir/scalar_walk.h"
#include "opt/body.h"
#include "opt/inline.h"
#include "opt/opt.h"
#include "opt/term.h"

/* ---- an entry with other leaves ---- */

typedef struct Replacing Replacing;
struct Replacing {
    Graph *g;
    bool (*replaces)(const Node *node);                                 /* what it reads is not looked at */
    const Node *(*replacement)(Replacing *replacing, const Node *node); /* only of what others read */
    const Node **rebuilt;                                               /* by id of the old node */
    PointerMap *leaves;                                                 /* prepared node -> what it is read from */
};

static const Node *replaced(Replacing *r, const Node *node) {
    return r->replaces(node) ? r->replacement(r, node) : r->rebuilt[node->id];
}

static const Scalar *replace_load(void *context, const Scalar *load, const Scalar *const *at) {
    Replacing *r = context;
    return scalar_load(r->g->pool, replaced(r, load->load.tensor), at);
}

static void replace_in(Replacing *r, Entry *entry) {
    Graph *g = r->g;
    Arena *scratch = arena_new((ArenaFailure){0});
    NodeList order = graph_order(g, scratch, entry);
    r->rebuilt = arena_array(scratch, const Node *, g->node_count);
    for (size_t i = 0; i < order.count; i++) {
        const Node *node = order.at[i];
        bool has_body = node->kind == NODE_EXPR && !r->replaces(node);
        ScalarRewrite rewrite = {.load = replace_load, .context = r};
        r->rebuilt[node->id] =
            has_body ? graph_with_body(g, node, scalar_rewrite(g->pool, node->expr.body, rewrite)) : node;
    }
    for (size_t i = 0; i < entry->outputs.count; i++)
        entry->outputs.at[i].value = replaced(r, entry->outputs.at[i].value);
    arena_free(scratch);
}

/* ---- before: a prepared tensor for each parameter, and for constants that are work ---- */

static bool is_static(const Scalar *s) {
    switch (s->kind) {
    case SCALAR_REAL:
    case SCALAR_INT:
    case SCALAR_BOOL: return true;
    case SCALAR_INDEX: return s->index.extent.per_sample == 0;
    case SCALAR_RUNTIME: return false;
    case SCALAR_LOAD: return s->load.tensor->is_prepared;
    case SCALAR_OP: return s->op.op != OP_RANDOM;
    }
    return false;
}

/* Depends on no tensor, and is more than a few operations: a table of sines, a sum. */
static bool is_costly_constant(const Node *node) {
    enum { CHEAP = 4 };
    if (node->kind != NODE_EXPR || node->type != TYPE_REAL || node->expr.body->has_load)
        return false;
    Arena *scratch = arena_new((ArenaFailure){0});
    ScalarWalk *walk = scalar_walk_new(scratch);
    bool costly = body_size(walk, node->expr.body).work > CHEAP || node->expr.reduce != REDUCE_NONE;
    for (size_t i = 0; i < walk->count; i++)
        costly = costly && is_static(walk->at[i]);
    for (int slot = 0; slot < node->rank + node->expr.reduced; slot++)
        costly = costly && node_slot_extent(node, slot).per_sample == 0;
    arena_free(scratch);
    return costly;
}

static bool is_frozen(const Node *node) {
    return node->kind == NODE_PARAM || is_costly_constant(node);
}

static void add_prepared(Graph *g, const Node *leaf, const Node *value) {
    GraphOutput output = {OUTPUT_PREPARED, leaf->origin.name, leaf, value};
    vec_push(g->arena, &g->entries[ENTRY_PREPARE].outputs, output);
}

/* The leaf for what is prepared. */
static const Node *leaf_of(Replacing *r, const Node *node) {
    const Node *leaf = pointer_map_get(r->leaves, node);
    if (!leaf) {
        leaf = graph_prepared(r->g, node->rank, node->shape, node->origin);
        pointer_map_put(r->leaves, node, (void *)leaf);
        add_prepared(r->g, leaf, node);
    }
    return leaf;
}

void opt_freeze(Graph *g) {
    Arena *scratch = arena_new((ArenaFailure){0});
    g->entries[ENTRY_PREPARE].present = true;
    Replacing replacing = {.g = g, .replaces = is_frozen, .replacement = leaf_of, .leaves = pointer_map_new(scratch)};
    replace_in(&replacing, &g->entries[ENTRY_PREDICT]);
    arena_free(scratch);
}

/* ---- parts of bodies ---- */

/* By position in the walk: depends on prepared tensors and fixed axes alone. */
static bool *find_static(Arena *scratch, const ScalarWalk *walk) {
    bool *is_all_static = arena_array(scratch, bool, walk->count);
    for (size_t i = 0; i < walk->count; i++) {
        const Scalar *s = walk->at[i];
        is_all_static[i] = is_static(s);
        for (int k = 0; k < scalar_child_count(s); k++)
            is_all_static[i] = is_all_static[i] && is_all_static[scalar_walk_position(walk, scalar_child(s, k))];
    }
    return is_all_static;
}

/* An equation of its own for a part of the node's body, over the axes that it uses. */
static const Node *part_node(Graph *g, const Node *node, const Scalar *part, const Scalar **at) {
    const Scalar *map[MAX_AXES] = {NULL};
    Extent shape[MAX_AXES];
    const char *name = node->origin.name ? node->origin.name : "a value";
    Origin origin = {.place = node->origin.place, .name = arena_printf(g->arena, "part of %s", name)};
    int rank = 0;
    for (int slot = 0; slot < node->rank + node->expr.reduced; slot++) {
        if (!(part->slots >> slot & 1))
            continue;
        shape[rank] = node_slot_extent(node, slot);
        origin.axes[rank] = node->origin.axes[slot];
        map[slot] = scalar_index(g->pool, rank, shape[rank]);
        at[rank++] = node_slot(g, node, slot);
    }
    const Scalar *body = scalar_substitute(g->pool, part, map, MAX_AXES);
    return graph_expr(g, rank, shape, REDUCE_NONE, 0, NULL, body, origin);
}

typedef struct LargestLoad {
    double elements;
} LargestLoad;

static void note_elements(void *context, const Scalar *load) {
    LargestLoad *largest = context;
    double elements = (double)node_elements(load->load.tensor);
    largest->elements = elements > largest->elements ? elements : largest->elements;
}

/* Computes something, and is no larger than what it is computed of. */
static bool is_worth_a_node(Graph *g, Arena *scratch, const Node *part) {
    if (part->kind != NODE_EXPR || !part->is_prepared)
        return false;
    LargestLoad largest = {0};
    scalar_each_load(scratch, part->expr.body, note_elements, &largest);
    return body_size(scalar_walk_new(scratch), part->expr.body).work > 0 &&
           (double)node_elements(part) <= largest.elements && node_loads_proved(g, part);
}

/* The part as a load of its own equation, or as it is. */
static const Scalar *hoist_part(Graph *g, Arena *scratch, const Node *node, const Scalar *part) {
    if (part->kind != SCALAR_OP || part->type != TYPE_REAL || !part->has_load)
        return part;
    const Scalar *at[MAX_AXES];
    const Node *own = part_node(g, node, part, at);
    return is_worth_a_node(g, scratch, own) ? scalar_load(g->pool, own, at) : part;
}

/* The body with its largest parts that are the same in all predictions read from equations of their own. */
static const Scalar *hoist_parts(Graph *g, Arena *scratch, const Node *node) {
    ScalarWalk *walk = scalar_walk_new(scratch);
    scalar_walk(walk, node->expr.body, NULL, NULL);
    const bool *is_all_static = find_static(scratch, walk);
    const Scalar **results = arena_array(scratch, const Scalar *, walk->count);
    for (size_t i = 0; i < walk->count; i++) {
        const Scalar *s = walk->at[i];
        results[i] = s;
        if (s->kind != SCALAR_OP || is_all_static[i])
            continue;
        const Scalar *args[3] = {NULL};
        for (int k = 0; k < scalar_child_count(s); k++) {
            size_t child = scalar_walk_position(walk, scalar_child(s, k));
            args[k] = is_all_static[child] ? hoist_part(g, scratch, node, walk->at[child]) : results[child];
        }
        results[i] = scalar_with_args(g->pool, s, args);
    }
    size_t root = walk->count - 1;
    return is_all_static[root] ? hoist_part(g, scratch, node, walk->at[root]) : results[root];
}

static const Node *hoist_node(void *context, Graph *g, const Node *node) {
    (void)context;
    bool reads_prepared = false;
    for (int i = 0; i < node->operand_count; i++)
        reads_prepared = reads_prepared || node->operands[i]->is_prepared;
    if (node->kind != NODE_EXPR || node->is_prepared || !reads_prepared)
        return node;
    Arena *scratch = arena_new((ArenaFailure){0});
    const Node *hoisted = graph_with_body(g, node, hoist_parts(g, scratch, node));
    arena_free(scratch);
    return hoisted;
}

/* ---- behind: what prediction reads ---- */

static bool is_prepared_real(const Node *node) {
    return node->is_prepared && node->type == TYPE_REAL;
}

static bool is_frozen_leaf(const Node *node) {
    return node->kind == NODE_PREPARED;
}

/* What opt_freeze put the leaf in the place of. */
static const Node *thawed(Replacing *r, const Node *leaf) {
    return pointer_map_get(r->leaves, leaf);
}

int opt_prepare(Graph *g) {
    if (!g->entries[ENTRY_PREPARE].present)
        return 0;
    Arena *scratch = arena_new((ArenaFailure){0});
    int changes = graph_rebuild(g, hoist_node, NULL);
    PointerMap *frozen = pointer_map_new(scratch);
    Entry *prepare = &g->entries[ENTRY_PREPARE];
    for (size_t i = 0; i < prepare->outputs.count; i++)
        pointer_map_put(frozen, prepare->outputs.at[i].target, (void *)(uintptr_t)prepare->outputs.at[i].value);
    prepare->outputs.count = 0;
    Replacing cut = {.g = g, .replaces = is_prepared_real, .replacement = leaf_of, .leaves = pointer_map_new(scratch)};
    replace_in(&cut, &g->entries[ENTRY_PREDICT]);
    Replacing thaw = {.g = g, .replaces = is_frozen_leaf, .replacement = thawed, .leaves = frozen};
    replace_in(&thaw, prepare);
    arena_free(scratch);
    return changes + (int)prepare->outputs.count;
}
