/* Decides for every map of every entry, producers first, and rebuilds the entry with the loads of what is inlined replaced by its body.
 *
 * Entries are separate functions, so each decides for itself: what `predict` computes on the fly may be stored by `train_step`, where the backward
 * pass reads it too. A map that does any work is inlined into all of its users or into none: if it has to be stored for one of them, the others
 * read it as well. Maps that only move the elements of one tensor go into any user that stays simple. */
#include "ir/graph_check.h"
#include "opt/body.h"
#include "opt/inline.h"
#include "opt/opt.h"
#include "opt/term.h"

enum {
    ACCESS_WORK = 4,       /* operations that one access to memory costs */
    INVARIANT_WORK = 2,    /* what a body may compute again for every element of a wider map: loops hoist it */
    LARGEST_SCALARS = 160, /* of a body that is inlined */
    LARGEST_LOADS = 12,
    MOST_PIECES = 128, /* loads of a map that only moves elements, in another one */
    PIECE_SCALARS = 12 /* of each of them */
};

typedef enum Mode { MODE_STORED, MODE_INLINED, MODE_WHERE_FREE } Mode;

typedef struct Use {
    const Node *user; /* of the old graph */
    double reads;     /* elements of the producer that evaluating it reads */
} Use;

typedef struct Producer {
    const Node *rebuilt;
    VEC(Use) uses;
    bool is_output;
    Mode mode;
    BodySize size; /* of the rebuilt body */
} Producer;

typedef struct Inliner {
    Graph *g;
    Arena *scratch;
    ScalarWalk *walk;
    Producer *producers; /* by id of the old node */
    int changes;
    const Node *user; /* the old node that is being rebuilt */
    bool plain;       /* rebuild it without inlining */
    bool user_moves;  /* it only moves elements */
    const Node *forced;
    bool only_free; /* maps that only move elements, no others */
} Inliner;

/* ---- how users read producers ---- */

static void collect_uses(Inliner *in, const Node *user) {
    if (user->kind != NODE_EXPR)
        return;
    const double iterations = node_iterations(user);
    scalar_walk(in->walk, user->expr.body, NULL, NULL);
    for (size_t i = 0; i < in->walk->count; i++) {
        if (in->walk->at[i]->kind != SCALAR_LOAD)
            continue;
        Producer *p = &in->producers[in->walk->at[i]->load.tensor->id];
        if (p->uses.count == 0 || p->uses.at[p->uses.count - 1].user != user)
            vec_push(in->scratch, &p->uses, ((Use){.user = user}));
        p->uses.at[p->uses.count - 1].reads += iterations;
    }
}

/* Each element is read several times, and not by a map: recomputing it is dear, and the inner loop should stay bare. */
static bool is_repeated(const Use *use, const Node *tensor) {
    return use->user->expr.reduce != REDUCE_NONE && 2 * use->reads > 3 * node_iterations(tensor);
}

static const Use *use_by(const Producer *p, const Node *user) {
    size_t i = 0;
    while (p->uses.at[i].user != user)
        i++;
    return &p->uses.at[i];
}

/* ---- cost ---- */

/* Loads of one element; those of a smaller tensor count less, because they hit the cache. */
static double load_weight(const Inliner *in, const Node *map) {
    const double elements = node_iterations(map);
    double weight = 0;
    scalar_walk(in->walk, map->expr.body, NULL, NULL);
    for (size_t i = 0; i < in->walk->count; i++) {
        if (in->walk->at[i]->kind == SCALAR_LOAD) {
            double ratio = node_iterations(in->walk->at[i]->load.tensor) / elements;
            weight += ratio < 1 ? ratio : 1;
        }
    }
    return weight;
}

static bool may_inline_into(const Use *use, const Node *old, const Producer *p) {
    return !is_repeated(use, old) || !(p->size.selects || node_is_contraction(use->user));
}

/* Whether recomputing the map in all of its readers costs less than storing it. */
static bool pays(const Inliner *in, const Node *old, const Producer *p) {
    if (p->rebuilt->is_prepared)
        return false;
    const double elements = node_iterations(old), work = p->size.work;
    const double each = work + ACCESS_WORK * load_weight(in, p->rebuilt);
    double reads = 0, evaluations = p->is_output ? elements : 0;
    for (size_t i = 0; i < p->uses.count; i++) {
        const Use *use = &p->uses.at[i];
        bool invariant = use->user->expr.reduce == REDUCE_NONE && use->reads > elements && work <= INVARIANT_WORK;
        reads += use->reads;
        evaluations += invariant ? elements : use->reads;
    }
    double write = ACCESS_WORK * elements;
    return evaluations * each + (p->is_output ? write : 0) <= elements * each + write + ACCESS_WORK * reads;
}

/* Every reader can take it: recomputing is a question of cost alone. */
static bool is_possible(const Node *old, const Producer *p) {
    for (size_t i = 0; i < p->uses.count; i++)
        if (!may_inline_into(&p->uses.at[i], old, p))
            return false;
    return true;
}

static bool is_short(const BodySize *size) {
    return size->scalars <= LARGEST_SCALARS && size->loads <= LARGEST_LOADS;
}

/* What is put together piece by piece, as the steps of a recurrence are, would otherwise be moved again with every few pieces. */
static bool is_short_of_pieces(const BodySize *size) {
    return size->loads <= MOST_PIECES && size->scalars <= PIECE_SCALARS * MOST_PIECES;
}

static Mode mode_of(const Inliner *in, const Node *old, const Producer *p) {
    const Node *node = p->rebuilt;
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_NONE || !is_short_of_pieces(&p->size))
        return MODE_STORED;
    const double one_tensor = 1.01;
    if (p->size.work == 0 && load_weight(in, node) <= one_tensor)
        return MODE_WHERE_FREE;
    if (in->only_free || !is_short(&p->size))
        return MODE_STORED;
    return is_possible(old, p) && (old == in->forced || pays(in, old, p)) ? MODE_INLINED : MODE_STORED;
}

/* ---- replacing loads ---- */

/* A map that only moves elements goes into a repeated operand when the user's index stays affine and no choice comes into the inner loop. */
static bool is_free_here(const Inliner *in, const Node *old, const Producer *p, const Scalar *inlined) {
    if (!is_short(&p->size) && !in->user_moves)
        return false;
    if (!is_repeated(use_by(p, in->user), old))
        return true;
    BodySize size = body_size(in->walk, inlined);
    return !size.selects && !size.digits && (inlined->kind == SCALAR_LOAD || !inlined->has_load) &&
           (inlined->kind == SCALAR_REAL || p->size.loads > 0);
}

/* The counter of random() may not be negative, so its index must be in range whatever guards stand around it. */
static bool is_safe_here(const Inliner *in, const Producer *p, const Scalar *load) {
    return !p->size.random || loads_are_inside(in->g->pool, load);
}

static const Scalar *replace_load(void *context, const Scalar *load, const Scalar *const *at) {
    Inliner *in = context;
    const Node *old = load->load.tensor;
    Producer *p = &in->producers[old->id];
    if (p->mode != MODE_STORED && !in->plain && is_safe_here(in, p, load)) {
        const Scalar *inlined = scalar_substitute(in->g->pool, p->rebuilt->expr.body, at, old->rank);
        if (p->mode == MODE_INLINED || is_free_here(in, old, p, inlined)) {
            in->changes++;
            return inlined;
        }
    }
    return scalar_load(in->g->pool, p->rebuilt, at);
}

static const Node *rebuild_body(Inliner *in, const Node *node) {
    const Scalar *body =
        scalar_rewrite(in->g->pool, node->expr.body, (ScalarRewrite){.load = replace_load, .context = in});
    return graph_with_body(in->g, node, body);
}

/* A load that is in range by the guards of its own map may need a harder proof at the user's index; where there is none the user stays as it is. */
static const Node *rebuild_node(Inliner *in, const Node *node) {
    if (node->kind != NODE_EXPR)
        return node;
    int before = in->changes;
    in->user = node;
    in->user_moves = node->expr.reduce == REDUCE_NONE && body_size(in->walk, node->expr.body).work == 0;
    in->plain = false;
    const Node *rebuilt = rebuild_body(in, node);
    if (in->changes > before && rebuilt->kind == NODE_EXPR && !node_loads_proved(in->g, rebuilt)) {
        in->changes = before;
        in->plain = true;
        rebuilt = rebuild_body(in, node);
    }
    return rebuilt;
}

/* ---- one entry ---- */

static void collect_entry(Inliner *in, const Entry *entry, const NodeList *order) {
    for (size_t i = 0; i < order->count; i++)
        collect_uses(in, order->at[i]);
    for (size_t i = 0; i < entry->outputs.count; i++)
        in->producers[entry->outputs.at[i].value->id].is_output = true;
}

static void inline_node(Inliner *in, const Node *old) {
    Producer *p = &in->producers[old->id];
    p->rebuilt = rebuild_node(in, old);
    if (p->rebuilt->kind == NODE_EXPR)
        p->size = body_size(in->walk, p->rebuilt->expr.body);
    p->mode = mode_of(in, old, p);
}

static Entry rebuild_entry(Graph *g, const Entry *entry, const Node *forced, bool only_free, int *changes) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Inliner in = {.g = g,
                  .scratch = scratch,
                  .walk = scalar_walk_new(scratch),
                  .producers = arena_array(scratch, Producer, g->node_count),
                  .forced = forced,
                  .only_free = only_free};
    NodeList order = graph_order(g, scratch, entry);
    collect_entry(&in, entry, &order);
    for (size_t i = 0; i < order.count; i++)
        inline_node(&in, order.at[i]);
    Entry inlined = {.kind = entry->kind, .present = entry->present};
    for (size_t i = 0; i < entry->outputs.count; i++) {
        GraphOutput output = entry->outputs.at[i];
        output.value = in.producers[output.value->id].rebuilt;
        vec_push(g->arena, &inlined.outputs, output);
    }
    *changes = in.changes;
    arena_free(scratch);
    return inlined;
}

Entry entry_inlined(Graph *g, const Entry *entry, const Node *forced, int *changes) {
    return rebuild_entry(g, entry, forced, false, changes);
}

/* The initial value of a leaf is the output of its entry. */
void entry_replace(Graph *g, Entry *entry, const Entry *inlined) {
    for (size_t i = 0; i < entry->outputs.count; i++) {
        const GraphOutput *old = &entry->outputs.at[i];
        if (old->target && old->target->leaf.init == old->value)
            graph_set_init(g, old->target, inlined->outputs.at[i].value);
    }
    entry->outputs.at = inlined->outputs.at;
    entry->outputs.count = inlined->outputs.count;
    entry->outputs.capacity = inlined->outputs.capacity;
}

static int inline_entries(Graph *g, bool only_free) {
    int changes = 0;
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        int made;
        Entry inlined = rebuild_entry(g, &g->entries[i], NULL, only_free, &made);
        if (made > 0)
            entry_replace(g, &g->entries[i], &inlined);
        changes += made;
    }
    return changes;
}

/* Maps that only move elements go first: behind them stand those who really read, who may need what they move stored. Inlining brings together what
 * simplifies; what is simpler may be inlined. */
int opt_inline(Graph *g) {
    enum { MOST_ROUNDS = 8 };
    int changes = inline_entries(g, true), last = 1;
    for (int round = 0; last > 0 && round < MOST_ROUNDS; round++) {
        last = inline_entries(g, false);
        last += opt_simplify(g);
        changes += last;
    }
    return changes;
}
