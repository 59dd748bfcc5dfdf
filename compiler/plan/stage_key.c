/* stage_key.c: what a stage is called in a file of measured loops (tuning.h): all that its loops depend on, and no number of this run. */
#include <inttypes.h>
#include <string.h>

#include "ir/scalar_walk.h"
#include "plan/tune.h"

typedef struct KeyWriter {
    const Planner *p;
    const PlanStage *stage;
    Text *out;
    PointerMap *tensors; /* tensor to its letter, in the order of reading */
    size_t letters;      /* given out */
    PointerMap *shared;  /* subexpression to its name; NULL: all are written out */
} KeyWriter;

/* ---- tensors ---- */

/* "A", ..., "Z", "A1", ... */
static const char *letter(Arena *arena, size_t number) {
    const char *name = arena_printf(arena, "%c", (char)('A' + number % 26));
    return number < 26 ? name : arena_printf(arena, "%s%zu", name, number / 26);
}

/* Its own values are y1, y2, ...; a tilde stands behind what is interleaved. */
static const char *tensor_name(void *context, const Node *tensor) {
    KeyWriter *w = context;
    const char *known = pointer_map_get(w->tensors, tensor);
    if (known)
        return known;
    bool interleaved = pointer_map_get(w->p->interleaved, planner_storage(w->p, tensor)) != NULL;
    const char *name = letter(w->p->arena, w->letters++);
    name = arena_printf(w->p->arena, "%s%s", name, interleaved ? "~" : "");
    pointer_map_put(w->tensors, tensor, name);
    return name;
}

static void name_own_values(KeyWriter *w) {
    for (size_t i = 0; i < w->stage->nodes.count; i++)
        pointer_map_put(w->tensors, w->stage->nodes.at[i].node, arena_printf(w->p->arena, "y%zu", i + 1));
}

/* ---- bodies ---- */

static const char *shared_name(void *context, const Scalar *s) {
    const KeyWriter *w = context;
    return w->shared ? pointer_map_get(w->shared, s) : NULL;
}

/* A long body is the hash of its subexpressions, each written once. */
static void write_hash(KeyWriter *w, const ScalarWalk *walk, ScalarNames names) {
    Text *lines = text_new(w->p->arena);
    w->shared = pointer_map_new(w->p->arena);
    for (size_t i = 0; i < walk->count; i++) {
        scalar_print_named(walk->at[i], names, lines);
        text_add(lines, "\n");
        if (walk->at[i]->kind == SCALAR_OP)
            pointer_map_put(w->shared, walk->at[i], arena_printf(w->p->arena, "t%zu", i));
    }
    w->shared = NULL;
    text_printf(w->out, "... %016" PRIx64, hash_bytes(HASH_SEED, text_get(lines), text_length(lines)));
}

static void write_body(KeyWriter *w, const Scalar *body, const char *const *slots) {
    enum { LONG = 60 };
    ScalarNames names = {.tensor = tensor_name, .slots = slots, .shared = shared_name, .context = w};
    ScalarWalk *walk = scalar_walk_new(w->p->arena);
    scalar_walk(walk, body, NULL, NULL);
    if (walk->count > LONG || scalar_walk_tree_size(walk) > 2 * LONG)
        write_hash(w, walk, names);
    else
        scalar_print_named(body, names, w->out);
}

/* ---- equations ---- */

static void write_axes(Text *out, const Node *node, int first, int count, const char *const *slots) {
    for (int slot = first; slot < first + count; slot++) {
        Extent extent = slot < node->rank ? node->shape[slot] : node_slot_extent(node, slot);
        text_printf(out, "%s%s:%s%" PRId64, slot == first ? "" : ", ", slots[slot], extent.per_sample ? "<=" : "",
                    extent.size);
    }
}

static void write_equation(KeyWriter *w, const PlanNode *value) {
    static const char *const reductions[] = {"", "sum", "prod", "max", "min", "argmax", "argmin"};
    const Node *node = value->node;
    const char *slots[MAX_AXES];
    bool computed = !value->copy && node->kind == NODE_EXPR;
    int reduced = computed ? node->expr.reduced : 0;
    for (int slot = 0; slot < node->rank + reduced; slot++)
        slots[slot] = stage_axis_name(w->p->arena, node, slot);
    text_add(w->out, "  equation [");
    write_axes(w->out, node, 0, node->rank, slots);
    text_add(w->out, "] = ");
    if (!computed) {
        text_add(w->out, "copy\n");
        return;
    }
    if (reduced > 0) {
        text_printf(w->out, "%s(", reductions[node->expr.reduce]);
        write_axes(w->out, node, node->rank, reduced, slots);
        text_add(w->out, ") ");
    }
    write_body(w, node->expr.body, slots);
    text_add(w->out, "\n");
}

const char *stage_key(const Planner *p, const PlanStage *stage, int shared) {
    KeyWriter w = {.p = p, .stage = stage, .out = text_new(p->arena), .tensors = pointer_map_new(p->arena)};
    name_own_values(&w);
    text_printf(w.out, "stage %s %s", p->target->name, p->graph->real_is_double ? "double" : "float");
    if (shared > 0)
        text_printf(w.out, ", %d shared", shared);
    text_add(w.out, stage->samples ? ", samples\n" : "\n");
    for (size_t i = 0; i < stage->nodes.count; i++)
        write_equation(&w, &stage->nodes.at[i]);
    return text_get(w.out);
}
