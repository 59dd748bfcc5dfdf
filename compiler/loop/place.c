#include "loop/place.h"

#include "ir/cost.h"
#include "loop/loop_walk.h"
#include "loop/place_internal.h"
#include "plan/lanes.h"

static MemoryBlock *new_block(Placement *p, int kernel) {
    MemoryBlock *block = arena_one(p->arena, MemoryBlock);
    block->block.first = block->block.last = kernel;
    vec_push(p->arena, &p->blocks, block);
    return block;
}

static size_t buffer_bytes(const Graph *g, const Buffer *buffer) {
    return (size_t)(buffer->elements + buffer->slack) * (size_t)type_bytes(g, buffer->type);
}

size_t buffer_end(const Graph *g, const Buffer *buffer) {
    return buffer->offset + buffer_bytes(g, buffer);
}

/* ---- live ranges ---- */

static void note_use(Placement *p, const Buffer *buffer, int kernel) {
    if (buffer->space != BUFFER_WORKSPACE)
        return;
    MemoryBlock *block = p->block_of[buffer->id];
    if (!block) {
        block = new_block(p, kernel);
        vec_push(p->arena, &block->buffers, p->entry->buffers.at[buffer->id]);
        block->block.bytes = buffer_bytes(p->graph, buffer);
        p->block_of[buffer->id] = block;
    }
    block->block.last = kernel;
}

static void find_ranges(Placement *p) {
    for (size_t i = 0; i < p->entry->kernels.count; i++) {
        const Kernel *kernel = p->entry->kernels.at[i];
        for (size_t b = 0; b < kernel->reads.count; b++)
            note_use(p, kernel->reads.at[b], (int)i);
        for (size_t b = 0; b < kernel->writes.count; b++)
            note_use(p, kernel->writes.at[b], (int)i);
    }
}

/* ---- in place ---- */

typedef struct OwnReads {
    Graph *graph;
    const Node *operand;
} OwnReads;

static const Node *storage_of(Graph *g, const Node *node) {
    for (const Node *source = node; source; source = view_source(g, node))
        node = source;
    return node;
}

static bool is_own_index(const Scalar *load, int axis) {
    const Scalar *at = load->load.at[axis];
    return load->load.tensor->shape[axis].size == 1 || (at->kind == SCALAR_INDEX && at->index.slot == axis);
}

static bool reads_another(const void *context, const Scalar *load) {
    const OwnReads *reads = context;
    if (load->load.tensor != reads->operand)
        return storage_of(reads->graph, load->load.tensor) == reads->operand;
    for (int d = 0; d < load->load.rank; d++)
        if (!is_own_index(load, d))
            return true;
    return false;
}

/* Every node of the kernel that reads `operand` reads it where it writes its own element. Then an element of `result`, of the
 * same shape, may take the place of the operand's: a tile's loads stand before its stores. */
static bool may_replace(const Placement *p, const Kernel *kernel, const Node *operand, const Node *result) {
    if (kernel->stages != 1 || kernel->adds || !node_same_shape(operand, result))
        return false;
    const OwnReads reads = {p->graph, operand};
    for (size_t i = 0; i < kernel->nodes.count; i++) {
        const Node *node = kernel->nodes.at[i];
        if (node->kind == NODE_EXPR && scalar_any_load(p->arena, node->expr.body, reads_another, &reads))
            return false;
    }
    return true;
}

static MemoryBlock *find_replaced(const Placement *p, const Kernel *kernel, int at, const Buffer *result) {
    for (size_t i = 0; i < kernel->reads.count; i++) {
        const Buffer *operand = kernel->reads.at[i];
        MemoryBlock *block = p->block_of[operand->id];
        if (block && block->block.last == at && operand->type == result->type &&
            operand->interleaved == result->interleaved && may_replace(p, kernel, operand->node, result->node))
            return block;
    }
    return NULL;
}

void place_together(Placement *p, MemoryBlock *block, MemoryBlock *next) {
    for (size_t i = 0; i < next->buffers.count; i++) {
        vec_push(p->arena, &block->buffers, next->buffers.at[i]);
        p->block_of[next->buffers.at[i]->id] = block;
    }
    block->block.first = block->block.first < next->block.first ? block->block.first : next->block.first;
    block->block.last = block->block.last > next->block.last ? block->block.last : next->block.last;
    block->block.bytes = block->block.bytes > next->block.bytes ? block->block.bytes : next->block.bytes;
    next->block.bytes = 0;
    next->buffers.count = 0;
}

static void find_replacements(Placement *p) {
    for (size_t i = 0; i < p->entry->kernels.count; i++) {
        Kernel *kernel = p->entry->kernels.at[i];
        for (size_t b = 0; b < kernel->writes.count; b++) {
            const Buffer *result = kernel->writes.at[b];
            MemoryBlock *next = p->block_of[result->id];
            MemoryBlock *block = next && next->block.first == (int)i ? find_replaced(p, kernel, (int)i, result) : NULL;
            if (!block)
                continue;
            place_together(p, block, next);
            kernel->aliased = true;
        }
    }
}

/* ---- the slices of kernels ---- */

int64_t kernel_slices(const LoopEntry *entry, const Kernel *kernel, int64_t lanes) {
    int64_t step = kernel->shares_vectors ? lanes : 1;
    int64_t trips = (kernel->shared_trips + step - 1) / step;
    return trips < entry->threads ? trips : entry->threads;
}

size_t array_bytes(const Graph *g, const LoopVar *array) {
    return (size_t)(array->elements + array->slack) * (size_t)type_bytes(g, array->type);
}

typedef struct ArrayUses {
    PointerMap *blocks; /* by array */
    int statement;      /* of the iteration */
} ArrayUses;

static void note_array(void *context, const LoopAddress *address, bool is_store) {
    ArrayUses *uses = context;
    (void)is_store;
    Block *block = address->array ? pointer_map_get(uses->blocks, address->array) : NULL;
    if (block)
        block->last = uses->statement;
}

/* The kernel's arrays: from the statement of the iteration that declares one to the last that touches it. */
static PointerMap *array_blocks(const Placement *p, const Kernel *kernel) {
    ArrayUses uses = {.blocks = pointer_map_new(p->arena)};
    for (size_t i = 0; i < kernel->scratch.count; i++) {
        Block *block = arena_one(p->arena, Block);
        block->bytes = array_bytes(p->graph, kernel->scratch.at[i]);
        pointer_map_put(uses.blocks, kernel->scratch.at[i], block);
    }
    for (; uses.statement < (int)kernel->iteration->count; uses.statement++) {
        const LoopStmt *s = kernel->iteration->at[uses.statement];
        loop_walk_stmt(s, &(LoopVisitor){.address = note_array, .context = &uses});
        Block *declared = s->kind == LOOP_DECLARE ? pointer_map_get(uses.blocks, s->declare.var) : NULL;
        if (declared)
            declared->first = uses.statement;
    }
    return uses.blocks;
}

/* Arrays of one type from `from` on. What is of another type never takes their place: a C compiler may believe that accesses of different
 * types cannot meet, and exchange them. Returns where they end. */
static size_t place_arrays(const Placement *p, const Kernel *kernel, const PointerMap *block_of, Type type,
                           size_t from) {
    BlockList blocks = {0};
    VEC(LoopVar *) arrays = {0};
    for (size_t i = 0; i < kernel->scratch.count; i++) {
        if (kernel->scratch.at[i]->type != type)
            continue;
        vec_push(p->arena, &arrays, kernel->scratch.at[i]);
        vec_push(p->arena, &blocks, pointer_map_get(block_of, kernel->scratch.at[i]));
    }
    size_t bytes = arrange_blocks(p->arena, &blocks);
    for (size_t i = 0; i < arrays.count; i++)
        arrays.at[i]->offset = from + blocks.at[i]->offset;
    return from + bytes;
}

/* Bytes of all slices, however many lanes a vector has. */
static size_t slices_bytes(const Placement *p, const Kernel *kernel) {
    size_t most = 0;
    for (int64_t lanes = 1; lanes <= most_lanes(p->graph); lanes *= 2) {
        size_t slice = kernel->slice * (size_t)(kernel->scratch.at[0]->per_lane ? lanes : 1);
        size_t bytes = slice * (size_t)kernel_slices(p->entry, kernel, lanes);
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* Slices of a kernel live while it runs. */
static void make_slices(Placement *p) {
    for (size_t i = 0; i < p->entry->kernels.count; i++) {
        Kernel *kernel = p->entry->kernels.at[i];
        if (kernel->scratch.count == 0)
            continue;
        const PointerMap *block_of = array_blocks(p, kernel);
        size_t reals = place_arrays(p, kernel, block_of, TYPE_REAL, 0);
        kernel->slice = place_arrays(p, kernel, block_of, TYPE_INT, reals);
        MemoryBlock *block = new_block(p, (int)i);
        block->kernel = kernel;
        block->block.bytes = slices_bytes(p, kernel);
    }
}

/* ---- offsets ---- */

static void note_offset(const MemoryBlock *block) {
    for (size_t i = 0; i < block->buffers.count; i++)
        block->buffers.at[i]->offset = block->block.offset;
    if (block->kernel) {
        block->kernel->slices = block->block.offset;
        block->kernel->slices_end = block->block.offset + block->block.bytes;
    }
}

static void place_blocks(Placement *p) {
    p->entry->workspace = place_arrange(p);
    for (size_t i = 0; i < p->blocks.count; i++)
        note_offset(p->blocks.at[i]);
}

void place_buffers(LoopProgram *program) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        LoopEntry *entry = &program->entries[kind];
        Placement p = {.arena = program->arena, .graph = program->graph, .entry = entry};
        p.block_of = arena_array(p.arena, MemoryBlock *, entry->buffers.count);
        find_ranges(&p);
        find_replacements(&p);
        make_slices(&p);
        place_blocks(&p);
    }
}
