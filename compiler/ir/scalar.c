#include "ir/scalar_internal.h"

#include <math.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024, RESULTS = 1 << 13 };

/* ---- interning ---- */

static uint64_t hash_mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t hash_extent(uint64_t hash, Extent extent) {
    return hash_mix(hash_mix(hash, (uint64_t)extent.size), (uint64_t)extent.per_sample);
}

static uint64_t hash_children(uint64_t hash, const Scalar *s) {
    for (int i = 0; i < scalar_child_count(s); i++)
        hash = hash_mix(hash, scalar_child(s, i)->id);
    return hash;
}

static uint64_t scalar_hash(const Scalar *s) {
    uint64_t hash = hash_mix(HASH_SEED, (uint64_t)s->kind);
    switch (s->kind) {
    case SCALAR_REAL: return hash_mix(hash, bits_of(s->real));
    case SCALAR_INT:
    case SCALAR_BOOL: return hash_mix(hash, (uint64_t)s->integer);
    case SCALAR_INDEX: return hash_extent(hash_mix(hash, (uint64_t)s->index.slot), s->index.extent);
    case SCALAR_RUNTIME: return hash_mix(hash, (uint64_t)s->runtime);
    case SCALAR_LOAD: return hash_children(hash_mix(hash, s->load.tensor->id), s);
    case SCALAR_OP: return hash_children(hash_extent(hash_mix(hash, (uint64_t)s->op.op), s->op.extent), s);
    }
    return hash;
}

static bool same_children(const Scalar *a, const Scalar *b) {
    for (int i = 0; i < scalar_child_count(a); i++)
        if (scalar_child(a, i) != scalar_child(b, i))
            return false;
    return true;
}

static bool scalar_same(const Scalar *a, const Scalar *b) {
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SCALAR_REAL: return bits_of(a->real) == bits_of(b->real);
    case SCALAR_INT:
    case SCALAR_BOOL: return a->integer == b->integer;
    case SCALAR_INDEX: return a->index.slot == b->index.slot && same_extent(a->index.extent, b->index.extent);
    case SCALAR_RUNTIME: return a->runtime == b->runtime;
    case SCALAR_LOAD: return a->load.tensor == b->load.tensor && same_children(a, b);
    case SCALAR_OP: return a->op.op == b->op.op && same_extent(a->op.extent, b->op.extent) && same_children(a, b);
    }
    return false;
}

static PoolEntry *pool_find(const ScalarPool *pool, const Scalar *draft, uint64_t hash) {
    size_t mask = pool->capacity - 1;
    size_t slot = (size_t)hash & mask;
    for (;; slot = (slot + 1) & mask) {
        PoolEntry *entry = &pool->entries[slot];
        if (!entry->scalar || (entry->hash == hash && scalar_same(entry->scalar, draft)))
            return entry;
    }
}

static void pool_grow(ScalarPool *pool) {
    const PoolEntry *old = pool->entries;
    size_t old_capacity = pool->capacity;
    pool->capacity *= 2;
    pool->entries = arena_array(pool->arena, PoolEntry, pool->capacity);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].scalar)
            *pool_find(pool, old[i].scalar, old[i].hash) = old[i];
}

/* What is known of a scalar from its children. */
static void scalar_summarise(Scalar *s) {
    s->slots = s->kind == SCALAR_INDEX ? UINT64_C(1) << s->index.slot : 0;
    s->has_load = s->kind == SCALAR_LOAD;
    for (int i = 0; i < scalar_child_count(s); i++) {
        s->slots |= scalar_child(s, i)->slots;
        s->has_load = s->has_load || scalar_child(s, i)->has_load;
    }
    s->range = range_of(s);
}

/* The one scalar equal to the draft. */
static const Scalar *scalar_intern(ScalarPool *pool, const Scalar *draft) {
    uint64_t hash = scalar_hash(draft);
    PoolEntry *entry = pool_find(pool, draft, hash);
    if (entry->scalar)
        return entry->scalar;
    Scalar *s = arena_one(pool->arena, Scalar);
    *s = *draft;
    s->id = (uint32_t)pool->count;
    if (s->kind == SCALAR_LOAD && s->load.rank > 0) {
        size_t rank = (size_t)s->load.rank;
        s->load.at = arena_grow(pool->arena, draft->load.at, rank, rank, sizeof *s->load.at);
    }
    scalar_summarise(s);
    *entry = (PoolEntry){.hash = hash, .scalar = s};
    if (2 * ++pool->count > pool->capacity)
        pool_grow(pool);
    return s;
}

ScalarPool *scalar_pool_new(Arena *arena) {
    ScalarPool *pool = arena_one(arena, ScalarPool);
    pool->arena = arena;
    pool->capacity = FIRST_CAPACITY;
    pool->entries = arena_array(arena, PoolEntry, pool->capacity);
    pool->results = arena_array(arena, OpResult, RESULTS);
    return pool;
}

/* ---- leaves ---- */

const Scalar *scalar_real(ScalarPool *pool, double value) {
    /* One zero and one NaN. */
    double canonical = isnan(value) ? (double)NAN : value + 0.0;
    return scalar_intern(pool, &(Scalar){.kind = SCALAR_REAL, .type = TYPE_REAL, .real = canonical});
}

const Scalar *scalar_int(ScalarPool *pool, int64_t value) {
    return scalar_intern(pool, &(Scalar){.kind = SCALAR_INT, .type = TYPE_INT, .integer = value});
}

const Scalar *scalar_bool(ScalarPool *pool, bool value) {
    return scalar_intern(pool, &(Scalar){.kind = SCALAR_BOOL, .type = TYPE_BOOL, .integer = value});
}

const Scalar *scalar_index(ScalarPool *pool, int slot, Extent extent) {
    if (extent.size == 1)
        return scalar_int(pool, 0);
    return scalar_intern(pool,
                         &(Scalar){.kind = SCALAR_INDEX, .type = TYPE_INT, .index = {.slot = slot, .extent = extent}});
}

const Scalar *scalar_runtime(ScalarPool *pool, Runtime which) {
    return scalar_intern(pool, &(Scalar){.kind = SCALAR_RUNTIME, .type = TYPE_INT, .runtime = which});
}

const Scalar *scalar_load(ScalarPool *pool, const Node *tensor, const Scalar *const *at) {
    Scalar draft = {.kind = SCALAR_LOAD, .type = tensor->type};
    draft.load.tensor = tensor;
    draft.load.rank = tensor->rank;
    draft.load.at = at;
    return scalar_intern(pool, &draft);
}

const Scalar *scalar_extent(ScalarPool *pool, Extent extent) {
    if (extent.per_sample == 0)
        return scalar_int(pool, extent.size);
    return scalar_op2(pool, OP_MUL, scalar_int(pool, extent.per_sample), scalar_runtime(pool, RUNTIME_N));
}

/* ---- order ---- */

static int compare_numbers(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int compare_tensors(const Node *a, const Node *b) {
    if (a->kind != b->kind)
        return compare_numbers((int64_t)a->kind, (int64_t)b->kind);
    bool leaves = a->kind == NODE_INPUT || a->kind == NODE_PARAM || a->kind == NODE_STATE || a->kind == NODE_PREPARED;
    return leaves ? compare_numbers(a->leaf.ordinal, b->leaf.ordinal) : compare_numbers(a->id, b->id);
}

/* Two scalars of one kind, children aside. */
static int compare_heads(const Scalar *a, const Scalar *b) {
    switch (a->kind) {
    case SCALAR_REAL: return (a->real > b->real) - (a->real < b->real);
    case SCALAR_INT:
    case SCALAR_BOOL: return compare_numbers(a->integer, b->integer);
    case SCALAR_INDEX: return compare_numbers(a->index.slot, b->index.slot);
    case SCALAR_RUNTIME: return compare_numbers((int64_t)a->runtime, (int64_t)b->runtime);
    case SCALAR_LOAD: return compare_tensors(a->load.tensor, b->load.tensor);
    case SCALAR_OP:
        return a->op.op != b->op.op ? compare_numbers((int64_t)a->op.op, (int64_t)b->op.op)
                                    : compare_numbers(a->op.extent.size, b->op.extent.size);
    }
    return 0;
}

/* Goes down the first children that differ; what differs in nothing above (an extent, NaN) is ordered by id. */
int scalar_compare(const Scalar *a, const Scalar *b) {
    while (a != b) {
        int order = a->kind != b->kind ? compare_numbers((int64_t)a->kind, (int64_t)b->kind) : compare_heads(a, b);
        if (order != 0)
            return order;
        int i = 0, count = scalar_child_count(a);
        while (i < count && scalar_child(a, i) == scalar_child(b, i))
            i++;
        if (i == count)
            return compare_numbers(a->id, b->id);
        const Scalar *next = scalar_child(b, i);
        a = scalar_child(a, i);
        b = next;
    }
    return 0;
}

/* ---- operations ---- */

static Type op_type(Op op, const Scalar *const *args) {
    switch (op_info(op)->kind) {
    case OP_KIND_ARITH: return args[0]->type;
    case OP_KIND_FUNCTION: return TYPE_REAL;
    case OP_KIND_COMPARE:
    case OP_KIND_LOGIC: return TYPE_BOOL;
    case OP_KIND_SPECIAL: break;
    }
    switch (op) {
    case OP_FLOORDIV:
    case OP_MOD:
    case OP_TO_INDEX: return TYPE_INT;
    case OP_WITHIN: return TYPE_BOOL;
    case OP_SELECT: return args[1]->type;
    default: return TYPE_REAL;
    }
}

const Scalar *scalar_raw(ScalarPool *pool, Op op, const Scalar *const *args, Extent extent) {
    Scalar draft = {.kind = SCALAR_OP, .type = op_type(op, args)};
    draft.op.op = op;
    draft.op.extent = extent;
    for (int i = 0; i < op_info(op)->arity; i++)
        draft.op.arg[i] = args[i];
    return scalar_intern(pool, &draft);
}

const Scalar *scalar_raw1(ScalarPool *pool, Op op, const Scalar *a) {
    return scalar_raw(pool, op, &a, (Extent){0});
}

const Scalar *scalar_raw2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    return scalar_raw(pool, op, (const Scalar *[]){a, b}, (Extent){0});
}

const Scalar *scalar_raw_either(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    Scalar draft = {.kind = SCALAR_OP};
    draft.op.op = op;
    draft.op.arg[0] = b;
    draft.op.arg[1] = a;
    const Scalar *swapped = pool_find(pool, &draft, scalar_hash(&draft))->scalar;
    return swapped ? swapped : scalar_raw2(pool, op, a, b);
}

const Scalar *scalar_op1(ScalarPool *pool, Op op, const Scalar *a) {
    switch (op) {
    case OP_NOT: return simplify_logic1(pool, op, a);
    case OP_TO_REAL: return simplify_to_real(pool, a);
    default: break;
    }
    return a->type == TYPE_INT ? simplify_integer1(pool, op, a) : simplify_real1(pool, op, a);
}

/* Arguments of different types are a fault of the caller, kept as it is for graph_check to report. */
static const Scalar *simplify_arithmetic(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    uint64_t hash = hash_mix(hash_mix((uint64_t)op, a->id), b->id);
    OpResult *known = &pool->results[(hash ^ hash >> 32) % RESULTS];
    if (known->result && known->op == op && known->a == a && known->b == b)
        return known->result;
    const Scalar *result = a->type == TYPE_INT ? simplify_integer2(pool, op, a, b) : simplify_real2(pool, op, a, b);
    *known = (OpResult){op, a, b, result};
    return result;
}

const Scalar *scalar_op2(ScalarPool *pool, Op op, const Scalar *a, const Scalar *b) {
    if (op == OP_TO_INDEX)
        return simplify_to_index(pool, a, b);
    if (a->type != b->type || op == OP_RANDOM)
        return scalar_raw2(pool, op, a, b);
    switch (op_info(op)->kind) {
    case OP_KIND_LOGIC: return simplify_logic2(pool, op, a, b);
    case OP_KIND_COMPARE: return simplify_compare(pool, op, a, b);
    default: break;
    }
    return simplify_arithmetic(pool, op, a, b);
}

const Scalar *scalar_to_real(ScalarPool *pool, const Scalar *a) {
    return simplify_to_real(pool, a);
}

const Scalar *scalar_with_args(ScalarPool *pool, const Scalar *op, const Scalar *const *args) {
    if (op->op.op == OP_SELECT)
        return scalar_select(pool, args[0], args[1], args[2]);
    if (op->op.op == OP_WITHIN)
        return scalar_within(pool, args[0], op->op.extent);
    return op_info(op->op.op)->arity == 1 ? scalar_op1(pool, op->op.op, args[0])
                                          : scalar_op2(pool, op->op.op, args[0], args[1]);
}
