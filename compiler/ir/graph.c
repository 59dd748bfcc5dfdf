#include "ir/graph.h"

#include "ir/scalar_internal.h"

/* ---- hash-consing ---- */

typedef struct TableEntry {
    uint64_t hash;
    const Node *node; /* NULL: free */
} TableEntry;

typedef struct NodeTable {
    TableEntry *entries; /* open addressing; capacity is a power of two */
    size_t capacity, count;
} NodeTable;

enum { FIRST_CAPACITY = 256 };

static uint64_t hash_extents(uint64_t hash, const Extent *extents, int count) {
    for (int i = 0; i < count; i++) {
        hash = hash_bytes(hash, &extents[i].size, sizeof extents[i].size);
        hash = hash_bytes(hash, &extents[i].per_sample, sizeof extents[i].per_sample);
    }
    return hash;
}

static uint64_t hash_pointer(uint64_t hash, uint32_t id) {
    return hash_bytes(hash, &id, sizeof id);
}

static uint64_t node_hash(const Node *node) {
    uint64_t hash = hash_bytes(HASH_SEED, &node->kind, sizeof node->kind);
    hash = hash_extents(hash, node->shape, node->rank);
    if (node->kind == NODE_EXPR) {
        hash = hash_bytes(hash, &node->expr.reduce, sizeof node->expr.reduce);
        hash = hash_extents(hash, node->expr.extents, node->expr.reduced);
        return hash_pointer(hash, node->expr.body->id);
    }
    for (int i = 0; i < node->operand_count; i++)
        hash = hash_pointer(hash, node->operands[i]->id);
    return hash;
}

static bool same_extents(const Extent *a, const Extent *b, int count) {
    for (int i = 0; i < count; i++)
        if (!same_extent(a[i], b[i]))
            return false;
    return true;
}

/* Leaves are never equal: each is made once. */
static bool node_same(const Node *a, const Node *b) {
    if (a->kind != b->kind || a->type != b->type || !node_same_shape(a, b))
        return false;
    if (a->kind == NODE_EXPR) {
        return a->expr.reduce == b->expr.reduce && a->expr.body == b->expr.body && a->expr.reduced == b->expr.reduced &&
               same_extents(a->expr.extents, b->expr.extents, a->expr.reduced);
    }
    return a->derivative.of == b->derivative.of && a->derivative.wrt == b->derivative.wrt &&
           a->derivative.tangent == b->derivative.tangent;
}

static TableEntry *table_find(const NodeTable *table, const Node *draft, uint64_t hash) {
    size_t mask = table->capacity - 1;
    for (size_t slot = (size_t)hash & mask;; slot = (slot + 1) & mask) {
        TableEntry *entry = &table->entries[slot];
        if (!entry->node || (entry->hash == hash && node_same(entry->node, draft)))
            return entry;
    }
}

static void table_grow(Arena *arena, NodeTable *table) {
    const TableEntry *old = table->entries;
    size_t old_capacity = table->capacity;
    table->capacity *= 2;
    table->entries = arena_array(arena, TableEntry, table->capacity);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].node)
            *table_find(table, old[i].node, old[i].hash) = old[i];
}

static Node *node_new(Graph *g, const Node *draft) {
    Node *node = arena_one(g->arena, Node);
    *node = *draft;
    node->id = g->node_count++;
    size_t count = (size_t)node->operand_count;
    if (count > 0)
        node->operands = arena_grow(g->arena, draft->operands, count, count, sizeof *node->operands);
    return node;
}

/* The one node equal to the draft. */
static const Node *node_intern(Graph *g, const Node *draft) {
    NodeTable *table = g->table;
    uint64_t hash = node_hash(draft);
    TableEntry *entry = table_find(table, draft, hash);
    if (entry->node)
        return entry->node;
    const Node *node = node_new(g, draft);
    *entry = (TableEntry){.hash = hash, .node = node};
    if (2 * ++table->count > table->capacity)
        table_grow(g->arena, table);
    return node;
}

Graph *graph_new(Arena *arena, const char *name) {
    Graph *g = arena_one(arena, Graph);
    g->arena = arena;
    g->pool = scalar_pool_new(arena);
    g->name = name;
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        g->entries[i].kind = (EntryKind)i;
    g->table = arena_one(arena, NodeTable);
    g->table->capacity = FIRST_CAPACITY;
    g->table->entries = arena_array(arena, TableEntry, FIRST_CAPACITY);
    return g;
}

const char *entry_name(EntryKind kind) {
    static const char *const names[] = {
        [ENTRY_INIT] = "init",
        [ENTRY_STATE_INIT] = "state_init",
        [ENTRY_PREPARE] = "prepare",
        [ENTRY_PREDICT] = "predict",
        [ENTRY_LOSS] = "loss",
        [ENTRY_GRADIENT] = "gradient",
        [ENTRY_TRAIN_STEP] = "train_step",
    };
    return names[kind];
}

/* ---- leaves ---- */

static Node node_draft(NodeKind kind, Type type, int rank, const Extent *shape, Origin origin) {
    Node draft = {.kind = kind, .type = type, .rank = rank, .origin = origin};
    for (int i = 0; i < rank; i++)
        draft.shape[i] = shape[i];
    return draft;
}

const Node *graph_input(Graph *g, Type type, int rank, const Extent *shape, bool is_target, int64_t classes,
                        Origin origin) {
    Node draft = node_draft(NODE_INPUT, type, rank, shape, origin);
    draft.leaf.ordinal = (int)g->inputs.count;
    draft.leaf.is_target = is_target;
    draft.leaf.classes = classes;
    const Node *node = node_new(g, &draft);
    vec_push(g->arena, &g->inputs, node);
    return node;
}

static const Node *new_param(Graph *g, int rank, const Extent *shape, Origin origin, bool is_buffer) {
    Node draft = node_draft(NODE_PARAM, TYPE_REAL, rank, shape, origin);
    draft.leaf.ordinal = (int)g->params.count;
    draft.leaf.is_buffer = is_buffer;
    const Node *node = node_new(g, &draft);
    vec_push(g->arena, &g->params, node);
    return node;
}

const Node *graph_param(Graph *g, int rank, const Extent *shape, Origin origin) {
    return new_param(g, rank, shape, origin, false);
}

const Node *graph_buffer(Graph *g, int rank, const Extent *shape, Origin origin) {
    return new_param(g, rank, shape, origin, true);
}

const Node *graph_state(Graph *g, const Node *param, int rank, const Extent *shape, Origin origin) {
    Node draft = node_draft(NODE_STATE, TYPE_REAL, rank, shape, origin);
    draft.leaf.ordinal = (int)g->states.count;
    draft.leaf.param = param;
    const Node *node = node_new(g, &draft);
    vec_push(g->arena, &g->states, node);
    return node;
}

const Node *graph_prepared(Graph *g, int rank, const Extent *shape, Origin origin) {
    Node draft = node_draft(NODE_PREPARED, TYPE_REAL, rank, shape, origin);
    draft.leaf.ordinal = (int)g->prepared.count;
    draft.is_prepared = true;
    const Node *node = node_new(g, &draft);
    vec_push(g->arena, &g->prepared, node);
    return node;
}

/* Nodes are immutable for everyone else; the initial value cannot be known when the leaf is made. */
void graph_set_init(Graph *g, const Node *leaf, const Node *init) {
    (void)g;
    ((Node *)leaf)->leaf.init = init;
}

void graph_order_inputs(Graph *g) {
    size_t next = 0;
    const Node **ordered = arena_array(g->arena, const Node *, g->inputs.count);
    for (int targets = 0; targets < 2; targets++) {
        for (size_t i = 0; i < g->inputs.count; i++) {
            if (g->inputs.at[i]->leaf.is_target == (targets == 1)) {
                ((Node *)g->inputs.at[i])->leaf.ordinal = (int)next;
                ordered[next++] = g->inputs.at[i];
            }
        }
    }
    for (size_t i = 0; i < next; i++)
        g->inputs.at[i] = ordered[i];
}

/* ---- expressions ---- */

static bool has_dynamic_axis(const Node *draft) {
    for (int slot = 0; slot < draft->rank + draft->expr.reduced; slot++)
        if (node_slot_extent(draft, slot).per_sample > 0)
            return true;
    return false;
}

static bool depends_on_call(const Scalar *s) {
    return s->kind == SCALAR_RUNTIME || scalar_is_op(s, OP_RANDOM) ||
           (s->kind == SCALAR_LOAD && !s->load.tensor->is_prepared);
}

/* The distinct tensors that the body reads, and whether these are all that it depends on and prepared. */
static void find_operands(Graph *g, Node *draft) {
    ScalarWalk *walk = scalar_take_walk(g->pool);
    scalar_walk(walk, draft->expr.body, scalar_enter_loads, NULL);
    size_t loads = 0;
    draft->is_prepared = !has_dynamic_axis(draft);
    for (size_t i = 0; i < walk->count; i++) {
        loads += walk->at[i]->kind == SCALAR_LOAD;
        draft->is_prepared = draft->is_prepared && !depends_on_call(walk->at[i]);
    }
    const Node **operands = arena_array(g->arena, const Node *, loads);
    int count = 0;
    for (size_t i = 0; i < walk->count; i++) {
        const Scalar *s = walk->at[i];
        int known = s->kind == SCALAR_LOAD ? 0 : count;
        while (known < count && operands[known] != s->load.tensor)
            known++;
        if (s->kind == SCALAR_LOAD && known == count)
            operands[count++] = s->load.tensor;
    }
    scalar_give_walk(g->pool, walk);
    draft->operands = operands;
    draft->operand_count = count;
}

/* The tensor whose elements the body repeats as they are; NULL: there is none. */
static const Node *identity_of(Graph *g, const Node *draft) {
    const Scalar *body = draft->expr.body;
    if (draft->expr.reduce != REDUCE_NONE || body->kind != SCALAR_LOAD || !node_same_shape(body->load.tensor, draft))
        return NULL;
    return body == node_load_identity(g, body->load.tensor) ? body->load.tensor : NULL;
}

/* Reduction axes of extent 1 go; those after them move down. */
static void drop_unit_reductions(Graph *g, Node *draft) {
    const Scalar *map[MAX_AXES] = {NULL};
    int kept = 0;
    for (int i = 0; i < draft->expr.reduced; i++) {
        Extent extent = draft->expr.extents[i];
        if (extent.size == 1)
            continue;
        if (kept < i) {
            map[draft->rank + i] = scalar_index(g->pool, draft->rank + kept, extent);
            draft->origin.axes[draft->rank + kept] = draft->origin.axes[draft->rank + i];
        }
        draft->expr.extents[kept++] = extent;
    }
    if (kept < draft->expr.reduced) {
        for (int i = kept; i < draft->expr.reduced; i++)
            draft->origin.axes[draft->rank + i] = NULL;
        draft->expr.body = scalar_substitute(g->pool, draft->expr.body, map, MAX_AXES);
        draft->expr.reduced = kept;
    }
}

/* A reduction over nothing: the body, or the only index there is. */
static void drop_empty_reduction(Graph *g, Node *draft) {
    if (draft->expr.reduced > 0)
        return;
    if (draft->type == TYPE_INT && draft->expr.body->type == TYPE_REAL)
        draft->expr.body = scalar_int(g->pool, 0);
    draft->expr.reduce = REDUCE_NONE;
}

static bool is_index_reduction(Reduction reduce) {
    return reduce == REDUCE_ARGMAX || reduce == REDUCE_ARGMIN;
}

const Node *graph_expr(Graph *g, int rank, const Extent *shape, Reduction reduce, int reduced, const Extent *extents,
                       const Scalar *body, Origin origin) {
    Type type = is_index_reduction(reduce) ? TYPE_INT : body->type;
    Node draft = node_draft(NODE_EXPR, type, rank, shape, origin);
    draft.expr.reduce = reduce;
    draft.expr.reduced = reduced;
    draft.expr.body = body;
    for (int i = 0; i < reduced; i++)
        draft.expr.extents[i] = extents[i];
    drop_unit_reductions(g, &draft);
    drop_empty_reduction(g, &draft);
    const Node *identity = identity_of(g, &draft);
    if (identity)
        return identity;
    if (body->has_load)
        find_operands(g, &draft);
    return node_intern(g, &draft);
}

const Node *graph_with_body(Graph *g, const Node *node, const Scalar *body) {
    if (body == node->expr.body)
        return node;
    return graph_expr(g, node->rank, node->shape, node->expr.reduce, node->expr.reduced, node->expr.extents, body,
                      node->origin);
}

/* ---- derivatives ---- */

static const Node *derivative_node(Graph *g, NodeKind kind, const Node *like, const Node *of, const Node *wrt,
                                   const Node *tangent, Origin origin) {
    Node draft = node_draft(kind, like->type, like->rank, like->shape, origin);
    const Node **operands = arena_array(g->arena, const Node *, 3);
    operands[0] = of;
    draft.operands = operands;
    draft.operand_count = 1;
    draft.derivative.of = of;
    draft.derivative.wrt = wrt;
    draft.derivative.tangent = tangent;
    if (wrt && wrt != of)
        operands[draft.operand_count++] = wrt;
    if (tangent && tangent != of && tangent != wrt)
        operands[draft.operand_count++] = tangent;
    return node_intern(g, &draft);
}

const Node *graph_grad(Graph *g, const Node *of, const Node *wrt, Origin origin) {
    return derivative_node(g, NODE_GRAD, wrt, of, wrt, NULL, origin);
}

const Node *graph_jvp(Graph *g, const Node *of, const Node *wrt, const Node *tangent, Origin origin) {
    return derivative_node(g, NODE_JVP, of, of, wrt, tangent, origin);
}

const Node *graph_detach(Graph *g, const Node *of, Origin origin) {
    return derivative_node(g, NODE_DETACH, of, of, NULL, NULL, origin);
}

/* ---- common expressions ---- */

const Scalar *node_load_identity(Graph *g, const Node *node) {
    const Scalar *at[MAX_AXES];
    for (int i = 0; i < node->rank; i++)
        at[i] = scalar_index(g->pool, i, node->shape[i]);
    return scalar_load(g->pool, node, at);
}

Extent node_slot_extent(const Node *expr, int slot) {
    return slot < expr->rank ? expr->shape[slot] : expr->expr.extents[slot - expr->rank];
}

const Scalar *node_slot(Graph *g, const Node *node, int slot) {
    return scalar_index(g->pool, slot, node_slot_extent(node, slot));
}

static const Node *graph_map(Graph *g, const Node *like, const Scalar *body, Origin origin) {
    return graph_expr(g, like->rank, like->shape, REDUCE_NONE, 0, NULL, body, origin);
}

const Node *graph_map1(Graph *g, Op op, const Node *a, Origin origin) {
    return graph_map(g, a, scalar_op1(g->pool, op, node_load_identity(g, a)), origin);
}

const Node *graph_map2(Graph *g, Op op, const Node *a, const Node *b, Origin origin) {
    const Scalar *body = scalar_op2(g->pool, op, node_load_identity(g, a), node_load_identity(g, b));
    return graph_map(g, a, body, origin);
}

const Node *graph_constant(Graph *g, double value, int rank, const Extent *shape, Origin origin) {
    return graph_expr(g, rank, shape, REDUCE_NONE, 0, NULL, scalar_real(g->pool, value), origin);
}

bool node_same_shape(const Node *a, const Node *b) {
    return a->rank == b->rank && same_extents(a->shape, b->shape, a->rank);
}

int64_t node_elements(const Node *node) {
    int64_t elements = 1;
    for (int i = 0; i < node->rank; i++)
        if (__builtin_mul_overflow(elements, node->shape[i].size, &elements))
            return INT64_MAX;
    return elements;
}
