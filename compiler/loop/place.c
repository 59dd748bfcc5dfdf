#include "loop/place.h"

#include "ir/cost.h"
#include "loop/arrange.h"
#include "loop/loop_walk.h"
#include "plan/lanes.h"

/* One run of bytes: a buffer, or several that take each other's place, or the slices of a kernel. Time is counted in kernels. */
typedef struct MemoryBlock {
    Block block;
    VEC(Buffer *) buffers;
    Kernel *kernel; /* NULL: buffers */
} MemoryBlock;

typedef struct Placement {
    Arena *arena;
    Graph *graph;
    LoopEntry *entry;
    MemoryBlock **block_of; /* by buffer id; NULL: not in the workspace */
    VEC(MemoryBlock *) blocks;
} Placement;

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

static void join_blocks(Placement *p, MemoryBlock *block, MemoryBlock *next) {
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
            join_blocks(p, block, next);
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

/* ---- series ---- */

/* Those of a series, by index; NULL: nobody has it. */
typedef VEC(MemoryBlock *) MemoryBlocks;

/* The blocks of a series but for those that belong to another one, because they were written in place. */
static MemoryBlocks series_blocks(const Placement *p, const BufferSeries *series, PointerMap *taken) {
    MemoryBlocks list = {0};
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (size_t i = 0; i < series->members.count; i++) {
        int64_t index = series->members.at[i].index;
        least = index < least ? index : least;
        most = index > most ? index : most;
    }
    for (int64_t i = least; i <= most; i++)
        vec_push(p->arena, &list, NULL);
    for (size_t i = 0; i < series->members.count; i++) {
        MemoryBlock *block = p->block_of[series->members.at[i].buffer->id];
        if (!block || pointer_map_get(taken, block))
            continue;
        pointer_map_put(taken, block, block);
        list.at[series->members.at[i].index - least] = block;
    }
    return list;
}

static bool live_together(const Block *a, const Block *b) {
    return a->first <= b->last && b->first <= a->last;
}

/* Of every `step`-th member, each is dead when the next one is written. */
static bool takes_turns(const MemoryBlocks *list, size_t step) {
    for (size_t i = 0; i + step < list->count; i++)
        if (list->at[i] && list->at[i + step] && live_together(&list->at[i]->block, &list->at[i + step]->block))
            return false;
    return true;
}

/* They take each other's place. */
static void join_turns(Placement *p, const MemoryBlocks *list, size_t step) {
    for (size_t first = 0; first < step; first++) {
        MemoryBlock *all = NULL;
        for (size_t i = first; i < list->count; i += step) {
            if (all && list->at[i])
                join_blocks(p, all, list->at[i]);
            all = all ? all : list->at[i];
        }
    }
}

/* How long members of the row live: the mean. */
static double life_of(const BlockRow *row) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < row->at.count; i++) {
        const Block *block = row->at.at[i];
        sum += block ? block->last - block->first : 0;
        count += block ? 1 : 0;
    }
    return sum / count;
}

/* Those that live longest come first: what lives shortly finds room in what is not needed yet, or no more. */
static void add_row(const Placement *p, BlockRowList *rows, const MemoryBlocks *list) {
    BlockRow *row = arena_one(p->arena, BlockRow);
    for (size_t i = 0; i < list->count; i++)
        vec_push(p->arena, &row->at, list->at[i] ? &list->at[i]->block : NULL);
    vec_push(p->arena, rows, row);
    for (size_t i = rows->count - 1; i > 0 && life_of(rows->at[i - 1]) < life_of(row); i--) {
        rows->at[i] = rows->at[i - 1];
        rows->at[i - 1] = row;
    }
}

/* The rows of an entry. What is needed for a step or two is none: its members take turns. */
static BlockRowList find_rows(Placement *p) {
    enum { MOST_TURNS_OF_ROWS = 2 };
    BlockRowList rows = {0};
    PointerMap *taken = pointer_map_new(p->arena);
    for (size_t i = 0; i < p->entry->series.count; i++) {
        const MemoryBlocks list = series_blocks(p, p->entry->series.at[i], taken);
        size_t step = 1;
        while (step <= MOST_TURNS_OF_ROWS && !takes_turns(&list, step))
            step++;
        if (step <= MOST_TURNS_OF_ROWS)
            join_turns(p, &list, step);
        else
            add_row(p, &rows, &list);
    }
    return rows;
}

static size_t member_bytes(const BlockRow *row) {
    size_t i = 0;
    while (!row->at.at[i])
        i++;
    return block_round(row->at.at[i]->bytes);
}

/* How many repetitions a member of the row serves: those of every second step are half as many as there are steps. 0: the row has to do with other
 * repetitions. */
static size_t steps_of(const BlockRowList *rows, const BlockRow *row) {
    enum { MOST_STEPS = 4 };
    size_t longest = 0;
    for (size_t i = 0; i < rows->count; i++)
        longest = rows->at[i]->at.count > longest ? rows->at[i]->at.count : longest;
    size_t steps = (longest + row->at.count / 2) / row->at.count;
    return steps <= MOST_STEPS ? steps : 0;
}

/* Adds what one repetition needs of a row: at each time the row's share of what lives. */
static void add_share(const Placement *p, const BlockRow *row, size_t steps, size_t *share) {
    int64_t *change = arena_array(p->arena, int64_t, p->entry->kernels.count + 1), live = 0;
    for (size_t i = 0; i < row->at.count; i++) {
        const Block *block = row->at.at[i];
        if (!block)
            continue;
        change[block->first]++;
        change[block->last + 1]--;
    }
    for (size_t time = 0; time < p->entry->kernels.count; time++) {
        live += change[time];
        share[time] += member_bytes(row) * (size_t)live / (row->at.count * steps);
    }
}

/* The most that one repetition needs of all rows at any time, in whole members of the smallest one. With that distance, rows that live together stand
 * side by side, and those that live later take the place of others of the same repetition. */
static size_t record_bytes(const Placement *p, const BlockRowList *rows) {
    size_t *share = arena_array(p->arena, size_t, p->entry->kernels.count), most = 0, smallest = SIZE_MAX;
    for (size_t i = 0; i < rows->count; i++) {
        size_t steps = steps_of(rows, rows->at[i]), bytes = member_bytes(rows->at[i]);
        if (steps > 0)
            add_share(p, rows->at[i], steps, share);
        smallest = steps > 0 && bytes < smallest ? bytes : smallest;
    }
    for (size_t time = 0; time < p->entry->kernels.count; time++)
        most = share[time] > most ? share[time] : most;
    return (most + smallest / 2) / smallest * smallest;
}

/* In records of so many bytes; 0: each row by itself. */
static size_t arrange_with(const Placement *p, const BlockRowList *rows, const BlockList *rest, size_t record) {
    for (size_t i = 0; i < rows->count; i++) {
        BlockRow *row = rows->at[i];
        size_t distance = record * steps_of(rows, row);
        row->distance = distance > 0 ? distance : member_bytes(row);
    }
    return arrange_rows(p->arena, rows, rest);
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

static BlockList blocks_outside(const Placement *p, const BlockRowList *rows) {
    PointerMap *inside = pointer_map_new(p->arena);
    BlockList list = {0};
    for (size_t i = 0; i < rows->count; i++)
        for (size_t k = 0; k < rows->at[i]->at.count; k++)
            if (rows->at[i]->at.at[k])
                pointer_map_put(inside, rows->at[i]->at.at[k], rows);
    for (size_t i = 0; i < p->blocks.count; i++)
        if (!pointer_map_get(inside, &p->blocks.at[i]->block))
            vec_push(p->arena, &list, &p->blocks.at[i]->block);
    return list;
}

/* Rows stand at equal distances, in records or else each by itself, unless that costs a sixteenth more memory. */
static void place_blocks(Placement *p) {
    const BlockRowList rows = find_rows(p), none = {0};
    const BlockList all = blocks_outside(p, &none), rest = blocks_outside(p, &rows);
    size_t plain = arrange_blocks(p->arena, &all), bytes = plain, most = plain + plain / 16;
    if (rows.count > 0) {
        bytes = arrange_with(p, &rows, &rest, record_bytes(p, &rows));
        if (bytes > most)
            bytes = arrange_with(p, &rows, &rest, 0);
        if (bytes > most)
            bytes = arrange_blocks(p->arena, &all);
    }
    p->entry->workspace = bytes;
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
