#include "loop/place.h"

#include "ir/cost.h"
#include "plan/lanes.h"

/* One run of bytes: a buffer, or several that take each other's place. Lives from kernel `first` to kernel `last`. */
typedef struct Block {
    VEC(Buffer *) buffers;
    size_t bytes;
    int first, last;
    size_t offset;
    bool placed;
} Block;

typedef struct Placement {
    Arena *arena;
    Graph *graph;
    LoopEntry *entry;
    Block **block_of; /* by buffer id; NULL: not in the workspace */
    VEC(Block *) blocks;
    VEC(Block *) placed; /* those that have an offset, by offset */
} Placement;

enum { ALIGNMENT = 64 };

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
    Block *block = p->block_of[buffer->id];
    if (!block) {
        block = arena_one(p->arena, Block);
        vec_push(p->arena, &block->buffers, p->entry->buffers.at[buffer->id]);
        block->bytes = (buffer_bytes(p->graph, buffer) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        block->first = kernel;
        p->block_of[buffer->id] = block;
        vec_push(p->arena, &p->blocks, block);
    }
    block->last = kernel;
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
    bool only;
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

static void check_own_read(void *context, const Scalar *load) {
    OwnReads *reads = context;
    if (load->load.tensor != reads->operand) {
        reads->only = reads->only && storage_of(reads->graph, load->load.tensor) != reads->operand;
        return;
    }
    for (int d = 0; d < load->load.rank; d++)
        reads->only = reads->only && is_own_index(load, d);
}

/* Every node of the kernel that reads `operand` reads it where it writes its own element. Then an element of `result`, of the
 * same shape, may take the place of the operand's: a tile's loads stand before its stores. */
static bool may_replace(const Placement *p, const Kernel *kernel, const Node *operand, const Node *result) {
    if (kernel->stages != 1 || !node_same_shape(operand, result))
        return false;
    OwnReads reads = {p->graph, operand, true};
    for (size_t i = 0; i < kernel->nodes.count; i++)
        if (kernel->nodes.at[i]->kind == NODE_EXPR)
            scalar_each_load(p->arena, kernel->nodes.at[i]->expr.body, check_own_read, &reads);
    return reads.only;
}

static Block *find_replaced(const Placement *p, const Kernel *kernel, int at, const Buffer *result) {
    for (size_t i = 0; i < kernel->reads.count; i++) {
        const Buffer *operand = kernel->reads.at[i];
        Block *block = p->block_of[operand->id];
        if (block && block->last == at && operand->type == result->type &&
            operand->interleaved == result->interleaved && may_replace(p, kernel, operand->node, result->node))
            return block;
    }
    return NULL;
}

static void join_blocks(Placement *p, Block *block, Block *next) {
    for (size_t i = 0; i < next->buffers.count; i++) {
        vec_push(p->arena, &block->buffers, next->buffers.at[i]);
        p->block_of[next->buffers.at[i]->id] = block;
    }
    block->last = next->last;
    block->bytes = block->bytes > next->bytes ? block->bytes : next->bytes;
    next->bytes = 0;
}

static void find_replacements(Placement *p) {
    for (size_t i = 0; i < p->entry->kernels.count; i++) {
        Kernel *kernel = p->entry->kernels.at[i];
        for (size_t b = 0; b < kernel->writes.count; b++) {
            const Buffer *result = kernel->writes.at[b];
            Block *next = p->block_of[result->id];
            Block *block = next && next->first == (int)i ? find_replaced(p, kernel, (int)i, result) : NULL;
            if (!block)
                continue;
            join_blocks(p, block, next);
            kernel->aliased = true;
        }
    }
}

/* ---- offsets: the largest blocks first, each in the tightest gap between those that live at the same time ---- */

static bool live_together(const Block *a, const Block *b) {
    return a->first <= b->last && b->first <= a->last;
}

/* The smallest gap that `block` fits in, between those that live at the same time; above them all when there is none. */
static size_t find_gap(const Placement *p, const Block *block) {
    size_t from = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (size_t i = 0; i < p->placed.count; i++) {
        const Block *other = p->placed.at[i];
        size_t end = other->offset + other->bytes;
        if (!live_together(block, other) || end <= from)
            continue;
        size_t gap = other->offset > from ? other->offset - from : 0;
        if (gap >= block->bytes && gap < best_gap) {
            best = from;
            best_gap = gap;
        }
        from = end;
    }
    return best == SIZE_MAX ? from : best;
}

/* Into the list by offset. */
static void note_placed(Placement *p, Block *block) {
    vec_push(p->arena, &p->placed, block);
    block->placed = true;
    for (size_t i = p->placed.count - 1; i > 0 && p->placed.at[i - 1]->offset > block->offset; i--) {
        p->placed.at[i] = p->placed.at[i - 1];
        p->placed.at[i - 1] = block;
    }
}

static Block *next_block(const Placement *p) {
    Block *largest = NULL;
    for (size_t i = 0; i < p->blocks.count; i++) {
        Block *block = p->blocks.at[i];
        if (block->bytes > 0 && !block->placed && (!largest || block->bytes > largest->bytes))
            largest = block;
    }
    return largest;
}

static void place_blocks(Placement *p) {
    for (Block *block = next_block(p); block; block = next_block(p)) {
        block->offset = find_gap(p, block);
        note_placed(p, block);
        for (size_t i = 0; i < block->buffers.count; i++)
            block->buffers.at[i]->offset = block->offset;
        if (block->offset + block->bytes > p->entry->workspace)
            p->entry->workspace = block->offset + block->bytes;
    }
}

void place_buffers(LoopProgram *program) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        LoopEntry *entry = &program->entries[kind];
        Placement p = {.arena = program->arena, .graph = program->graph, .entry = entry};
        p.block_of = arena_array(p.arena, Block *, entry->buffers.count);
        find_ranges(&p);
        find_replacements(&p);
        place_blocks(&p);
    }
}
