/* Decides for every map of every entry, producers first, and rebuilds the entry with the loads of what is inlined replaced by its body.
 *
 * Entries are separate functions, so each decides for itself: what `predict` computes on the fly may be stored by `train_step`, where the backward
 * pass reads it too. A map that does any work is inlined into all of its users or into none: if it has to be stored for one of them, the others
 * read it as well. Maps that only move elements go into any user that stays simple. */
#include "ir/graph_check.h"
#include "opt/body.h"
#include "opt/opt.h"

enum {
    ACCESS_WORK = 4,       /* operations that one access to memory costs */
    INVARIANT_WORK = 2,    /* what a body may compute again for every element of a wider map: loops hoist it */
    LARGEST_SCALARS = 160, /* of a body that is inlined */
    LARGEST_LOADS = 12
};

typedef enum Mode { MODE_STORED, MODE_INLINED, MODE_WHERE_FREE } Mode;

typedef VEC(const Node *) UserList;

typedef struct Producer {
    const Node *rebuilt;
    UserList users; /* nodes of the old graph */
    bool is_output;
    Mode mode;
    BodySize size; /* of the rebuilt body */
} Producer;

typedef struct Inliner {
    Graph *g;
    Arena *scratch;
    Producer *producers; /* by id of the old node */
    int changes;
    const Node *user; /* the old node that is being rebuilt */
    bool plain;       /* rebuild it without inlining */
} Inliner;

/* ---- how a user reads a producer ---- */

typedef struct ReadCount {
    const Node *tensor;
    int loads;
} ReadCount;

static void count_load(void *context, const Scalar *load) {
    ReadCount *count = context;
    count->loads += load->load.tensor == count->tensor;
}

/* Elements of `tensor` that evaluating `user` reads. */
static double reads_of(const Inliner *in, const Node *user, const Node *tensor) {
    ReadCount count = {.tensor = tensor};
    scalar_each_load(in->scratch, user->expr.body, count_load, &count);
    return count.loads * node_iterations(user);
}

/* Each element is read several times, and not by a map: recomputing it is dear, and the inner loop should stay bare. */
static bool is_repeated(const Inliner *in, const Node *user, const Node *tensor) {
    return user->expr.reduce != REDUCE_NONE && 2 * reads_of(in, user, tensor) > 3 * node_iterations(tensor);
}

/* ---- cost ---- */

typedef struct LoadWeight {
    double elements, weight;
} LoadWeight;

static void weigh_load(void *context, const Scalar *load) {
    LoadWeight *weight = context;
    double ratio = node_iterations(load->load.tensor) / weight->elements;
    weight->weight += ratio < 1 ? ratio : 1;
}

/* Loads of one element; those of a smaller tensor count less, because they hit the cache. */
static double load_weight(const Inliner *in, const Node *map) {
    LoadWeight weight = {.elements = node_iterations(map)};
    scalar_each_load(in->scratch, map->expr.body, weigh_load, &weight);
    return weight.weight;
}

static bool may_inline_into(const Inliner *in, const Node *old, const Producer *p, const Node *user) {
    return user->kind == NODE_EXPR && !(is_repeated(in, user, old) && node_is_contraction(user)) &&
           !(p->size.selects && is_repeated(in, user, old));
}

/* Whether recomputing the map in all of its users costs less than storing it. */
static bool pays(const Inliner *in, const Node *old, const Producer *p) {
    const double elements = node_iterations(old), work = p->size.work;
    const double each = work + ACCESS_WORK * load_weight(in, p->rebuilt);
    double reads = 0, evaluations = p->is_output ? elements : 0;
    for (size_t i = 0; i < p->users.count; i++) {
        const Node *user = p->users.at[i];
        if (!may_inline_into(in, old, p, user)) {
            return false;
        }
        double r = reads_of(in, user, old);
        bool invariant = user->expr.reduce == REDUCE_NONE && r > elements && work <= INVARIANT_WORK;
        reads += r;
        evaluations += invariant ? elements : r;
    }
    double write = ACCESS_WORK * elements;
    return evaluations * each + (p->is_output ? write : 0) <= elements * each + write + ACCESS_WORK * reads;
}

static Mode mode_of(const Inliner *in, const Node *old, const Producer *p) {
    const Node *node = p->rebuilt;
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_NONE || p->size.scalars > LARGEST_SCALARS ||
        p->size.loads > LARGEST_LOADS) {
        return MODE_STORED;
    }
    if (p->size.work == 0) {
        return MODE_WHERE_FREE;
    }
    return pays(in, old, p) ? MODE_INLINED : MODE_STORED;
}

/* ---- replacing loads ---- */

/* A map that only moves elements goes into a repeated operand when the user's index stays affine and no choice comes into the inner loop. */
static bool is_free_here(const Inliner *in, const Node *old, const Producer *p, const Scalar *inlined) {
    if (!is_repeated(in, in->user, old)) {
        return true;
    }
    BodySize size = body_size(in->scratch, inlined);
    return !size.selects && !size.digits && (inlined->kind == SCALAR_LOAD || !inlined->has_load) &&
           (inlined->kind == SCALAR_REAL || p->size.loads > 0);
}

static const Scalar *replace_load(void *context, const Scalar *load, const Scalar *const *at) {
    Inliner *in = context;
    const Node *old = load->load.tensor;
    Producer *p = &in->producers[old->id];
    if (p->mode != MODE_STORED && !in->plain) {
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
    return graph_expr(in->g, node->rank, node->shape, node->expr.reduce, node->expr.reduced, node->expr.extents, body,
                      node->origin);
}

/* A load that is in range by the guards of its own map may need a harder proof at the user's index; where there is none the user stays as it is. */
static const Node *rebuild_node(Inliner *in, const Node *node) {
    if (node->kind != NODE_EXPR) {
        return node;
    }
    int before = in->changes;
    in->user = node;
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

static void collect_users(Inliner *in, const Entry *entry, const NodeList *order) {
    for (size_t i = 0; i < order->count; i++) {
        const Node *user = order->at[i];
        for (int k = 0; k < user->operand_count; k++) {
            vec_push(in->scratch, &in->producers[user->operands[k]->id].users, user);
        }
    }
    for (size_t i = 0; i < entry->outputs.count; i++) {
        in->producers[entry->outputs.at[i].value->id].is_output = true;
    }
}

/* The initial value of a leaf is the output of its entry. */
static void replace_output(Graph *g, GraphOutput *output, const Node *value) {
    if (output->target && output->target->leaf.init == output->value) {
        graph_set_init(g, output->target, value);
    }
    output->value = value;
}

static int inline_entry(Graph *g, Entry *entry) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Inliner in = {.g = g, .scratch = scratch, .producers = arena_array(scratch, Producer, g->node_count)};
    NodeList order = graph_order(g, scratch, entry);
    collect_users(&in, entry, &order);
    for (size_t i = 0; i < order.count; i++) {
        const Node *old = order.at[i];
        Producer *p = &in.producers[old->id];
        p->rebuilt = rebuild_node(&in, old);
        if (p->rebuilt->kind == NODE_EXPR) {
            p->size = body_size(scratch, p->rebuilt->expr.body);
        }
        p->mode = mode_of(&in, old, p);
    }
    for (size_t i = 0; i < entry->outputs.count; i++) {
        GraphOutput *output = &entry->outputs.at[i];
        replace_output(g, output, in.producers[output->value->id].rebuilt);
    }
    arena_free(scratch);
    return in.changes;
}

static int inline_entries(Graph *g) {
    int changes = 0;
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        changes += inline_entry(g, &g->entries[i]);
    }
    return changes;
}

/* Inlining brings together what simplifies; what is simpler may be inlined. */
int opt_inline(Graph *g) {
    enum { MOST_ROUNDS = 8 };
    int changes = 0, last = 1;
    for (int round = 0; last > 0 && round < MOST_ROUNDS; round++) {
        last = inline_entries(g);
        last += opt_simplify(g);
        changes += last;
    }
    return changes;
}
