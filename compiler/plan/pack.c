/* pack.c: the operands of large contractions are copied to panels first, so that the inner loop reads memory in order.
 *
 *     y[b, n] = sum(k) W[n, k] * x[b, k]                 n: 2048, b: 512, vectors of 16
 *
 *     P[p, k, l] = W[32 * p + l, k]                      lanes: panels as wide as the register tile
 *     Q[q, k, r] = x[8 * q + r, k]                       rows: panels as high as it
 *     y[b, n] = sum(k) P[n div 32, k, n mod 32] * Q[b div 8, k, b mod 8]
 *
 * (Goto and van de Geijn, Anatomy of high-performance matrix multiplication, 2008.) Where no tile with accumulators enough divides the rows, they
 * have no panels: x[b, k] is read as it is, or is turned to be so. The copies are maps like any other: the rest of the
 * planner, and the memory plan, know nothing about them. Small operands fit in the caches: they are copied where the cost model finds that to
 * save more than it costs, as for rows that are read hundreds of times with their lanes apart. Where many equations read one in the same way, as
 * the steps of a recurrence do, one copy serves all. What is prepared
 * (node->is_prepared) is copied once for all predictions: its panels cost nothing, whatever its size, and their width is a question of the
 * loops alone.
 */
#include "plan/pack.h"

#include "ir/cost.h"
#include "plan/estimate.h"

/* Of every element of the copy. Where panels are made in the loop that reads them (near.c), a copy hardly costs memory. A sum across the rows of both
 * matrices, as the gradient of a weight is, reads pieces of lines that lie far apart, again for each tile. */
enum { FEWEST_READS = 200, FEWEST_READS_NEAR = 100, FEWEST_READS_ACROSS = 48 };

/* How many equations of an entry multiply a tensor in the same way, at most. */
typedef struct Packing {
    const Target *target;
    PointerMap *readers; /* of the load: a tensor and its indices */
} Packing;

/* A sum of products of two loads. */
typedef struct Contraction {
    Graph *g;
    const Target *target;
    const Node *node;
    const Scalar *factor[2];
    double readers[2]; /* equations that read the factor as this one does */
} Contraction;

static bool find_contraction(Contraction *c) {
    const Node *node = c->node;
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_SUM || !scalar_is_op(node->expr.body, OP_MUL))
        return false;
    for (int i = 0; i < 2; i++) {
        c->factor[i] = node->expr.body->op.arg[i];
        if (c->factor[i]->kind != SCALAR_LOAD || c->factor[i]->type != TYPE_REAL)
            return false;
    }
    return true;
}

/* What was made since they were counted is read by one. */
static double readers_of(const PointerMap *readers, const Scalar *load) {
    const double count = (double)(uintptr_t)pointer_map_get(readers, load);
    return count > 1 ? count : 1;
}

/* Every index is a variable of its own. */
static bool reads_plainly(const Scalar *load) {
    uint64_t seen = 0;
    for (int d = 0; d < load->load.rank; d++) {
        const Scalar *at = load->load.at[d];
        if (at->kind != SCALAR_INDEX || (seen >> at->index.slot & 1))
            return false;
        seen |= UINT64_C(1) << at->index.slot;
    }
    return true;
}

/* The axis of the load's tensor that this slot alone runs along, and no other axis with it; -1: none. */
static int axis_along(const Scalar *load, int slot) {
    int along = -1;
    for (int d = 0; d < load->load.rank; d++) {
        const Scalar *at = load->load.at[d];
        if (!(at->slots >> slot & 1))
            continue;
        if (along >= 0 || at->kind != SCALAR_INDEX)
            return -1;
        along = d;
    }
    return along;
}

/* The longest output axis of fixed size that only this factor moves along; -1: none. */
static int own_slot(const Contraction *c, int factor) {
    const Node *node = c->node;
    int best = -1;
    for (int slot = 0; slot < node->rank; slot++) {
        bool own = axis_along(c->factor[factor], slot) >= 0 && !(c->factor[1 - factor]->slots >> slot & 1);
        if (own && node->shape[slot].per_sample == 0 && (best < 0 || node->shape[slot].size > node->shape[best].size))
            best = slot;
    }
    return best;
}

static int64_t real_bytes(const Contraction *c) {
    return type_bytes(c->g, TYPE_REAL);
}

static int lanes_of_vector(const Contraction *c) {
    return c->target->vector_bytes / (int)real_bytes(c);
}

static bool is_prepared(const Contraction *c, int factor) {
    return c->factor[factor]->load.tensor->is_prepared;
}

static bool is_read(const Contraction *c, int factor, int times) {
    double reads = (double)node_points(c->node) * c->readers[factor];
    return reads >= times * (double)node_elements(c->factor[factor]->load.tensor);
}

static bool is_large(const Contraction *c, int factor) {
    double elements = (double)node_elements(c->factor[factor]->load.tensor);
    return elements * (double)real_bytes(c) >= (double)c->target->l2_bytes / 2;
}

/* ---- the tile ---- */

typedef struct PackTile {
    int rows, vectors;
    bool whole; /* the rows are so many times the tile's height */
} PackTile;

/* The registers hold the tile, and no accumulator waits for its last step. */
static bool keeps_busy(const Target *target, PackTile tile) {
    int accumulators = tile.rows * tile.vectors;
    return accumulators + tile.vectors + 1 <= target->vector_registers && accumulators >= 2 * target->latency;
}

/* Bytes that a step of the inner loop reads for an operation. A panel of lanes stays in the second cache while all rows pass by: a step reads
 * `vectors` vectors of the one and `rows` numbers of the other, which come from further away, for rows * vectors operations. */
static double moved_bytes(const Contraction *c, PackTile tile) {
    return (double)c->target->vector_bytes / tile.rows + 4.0 * (double)real_bytes(c) / tile.vectors;
}

/* Of the tiles that fit, the one that moves least; rows are best in whole tiles. rows = 0: none. */
static PackTile choose_tile(const Contraction *c, int row_slot, int lane_slot) {
    static const int rows[] = {4, 5, 6, 7, 8, 10, 12};
    int lanes = lanes_of_vector(c);
    PackTile best = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int vectors = 1; vectors <= 4; vectors++) {
            PackTile tile = {rows[i], vectors, c->node->shape[row_slot].size % rows[i] == 0};
            if (c->node->shape[lane_slot].size % (vectors * lanes) != 0 || !keeps_busy(c->target, tile))
                continue;
            bool less = best.rows == 0 || moved_bytes(c, tile) < moved_bytes(c, best);
            if (tile.whole == best.whole ? less : tile.whole)
                best = tile;
        }
    return best;
}

/* ---- the copies ---- */

/* How many panels are made together, where a row of one is only a piece of a row of memory: all of them are read line after line. 1: each alone. */
static int64_t choose_neighbours(const Contraction *c, int factor, int slot, int64_t width) {
    enum { MOST = 4 };
    const Scalar *load = c->factor[factor];
    int64_t panels = c->node->shape[slot].size / width, count = MOST;
    if (!c->target->blocks || is_prepared(c, factor) || axis_along(load, slot) != load->load.rank - 1)
        return 1;
    while (panels % count != 0)
        count--;
    return count;
}

/* own = (first * neighbours + neighbour) * width + last */
static const Scalar *join_digits(ScalarPool *pool, const Scalar *const digits[3], int64_t neighbours, int64_t width) {
    const Scalar *panel = scalar_op2(pool, OP_MUL, digits[0], scalar_int(pool, neighbours));
    panel = scalar_op2(pool, OP_ADD, panel, digits[1]);
    return scalar_op2(pool, OP_ADD, scalar_op2(pool, OP_MUL, panel, scalar_int(pool, width)), digits[2]);
}

/* The load of a copy in panels of `width` along the axis that `slot` runs over, so many of them side by side. */
static const Scalar *load_panels(const Contraction *c, int factor, int slot, int64_t width, int64_t neighbours) {
    Graph *g = c->g;
    const Node *node = c->node;
    const Scalar *load = c->factor[factor];
    ScalarPool *pool = g->pool;
    const Node *tensor = load->load.tensor;
    Extent shape[MAX_AXES] = {{node->shape[slot].size / (width * neighbours), 0}, {neighbours, 0}};
    const Scalar *from[MAX_AXES], *at[MAX_AXES];
    Origin origin = {.place = tensor->origin.place};
    origin.name = arena_printf(g->arena, "packed %s", tensor->origin.name ? tensor->origin.name : "values");
    const Scalar *own = scalar_index(pool, slot, node->shape[slot]);
    const Scalar *panel = scalar_op2(pool, OP_FLOORDIV, own, scalar_int(pool, width));
    int rank = neighbours > 1 ? 2 : 1, along = axis_along(load, slot);
    at[0] = scalar_op2(pool, OP_FLOORDIV, own, scalar_int(pool, width * neighbours));
    at[1] = scalar_op2(pool, OP_MOD, panel, scalar_int(pool, neighbours));
    for (int d = 0; d < tensor->rank; d++) {
        if (d == along)
            continue;
        shape[rank] = tensor->shape[d];
        origin.axes[rank] = tensor->origin.axes[d];
        from[d] = scalar_index(pool, rank, shape[rank]);
        at[rank++] = load->load.at[d];
    }
    shape[rank] = (Extent){width, 0};
    at[rank] = scalar_op2(pool, OP_MOD, own, scalar_int(pool, width));
    const Scalar *neighbour = neighbours > 1 ? scalar_index(pool, 1, shape[1]) : scalar_int(pool, 0);
    const Scalar *digits[3] = {scalar_index(pool, 0, shape[0]), neighbour, scalar_index(pool, rank, shape[rank])};
    from[along] = join_digits(pool, digits, neighbours, width);
    const Node *copy = graph_expr(g, rank + 1, shape, REDUCE_NONE, 0, NULL, scalar_load(pool, tensor, from), origin);
    return scalar_load(pool, copy, at);
}

/* Cycles to make it: whole vectors, which turn in registers where the packed axis is not the contiguous one. What is prepared costs nothing. */
static double copy_cycles(const Contraction *c, int factor) {
    if (is_prepared(c, factor))
        return 0;
    return 0.5 * (double)node_elements(c->factor[factor]->load.tensor) / c->readers[factor];
}

/* ---- the choice ---- */

typedef struct Candidate {
    const Node *node;
    double cycles;
} Candidate;

static const Node *with_factors(const Contraction *c, const Scalar *a, const Scalar *b) {
    const Node *node = c->node;
    return graph_expr(c->g, node->rank, node->shape, REDUCE_SUM, node->expr.reduced, node->expr.extents,
                      scalar_op2(c->g->pool, OP_MUL, a, b), node->origin);
}

static void consider(const Contraction *c, Candidate *best, const Node *node, double copies) {
    const double clearly = 0.9;
    double cycles = estimate_cycles(c->g, c->target, node) + copies;
    if (cycles < clearly * best->cycles)
        *best = (Candidate){node, cycles};
}

/* The sum runs along the matrix's memory. */
static bool is_in_order(const Contraction *c, int factor) {
    const Scalar *load = c->factor[factor];
    return load->load.at[load->load.rank - 1]->index.slot >= c->node->rank;
}

/* Both factors move along an output axis: it is a product for each of its places, as in another basis. */
static bool is_one_of_many(const Contraction *c) {
    const uint64_t outputs = (UINT64_C(1) << c->node->rank) - 1;
    return (c->factor[0]->slots & c->factor[1]->slots & outputs) != 0;
}

static int fewest_reads(const Contraction *c) {
    if (!c->target->blocks)
        return FEWEST_READS;
    return is_in_order(c, 0) || is_in_order(c, 1) || is_one_of_many(c) ? FEWEST_READS_NEAR : FEWEST_READS_ACROSS;
}

/* Rows that are no whole tiles have no panels: each is read along its own memory. */
static const Scalar *load_rows(const Contraction *c, int factor, int slot, PackTile tile) {
    const Scalar *load = c->factor[factor];
    if (tile.whole)
        return load_panels(c, factor, slot, tile.rows, 1);
    return is_in_order(c, factor) ? load : load_panels(c, factor, slot, 1, 1);
}

/* A product of matrices: both in panels, the lanes along the last axis of the result. The model of the caches is too coarse to weigh this; it
 * always pays when the matrices are large. */
static const Node *pack_both(const Contraction *c) {
    int slot[2] = {own_slot(c, 0), own_slot(c, 1)};
    int reads = fewest_reads(c);
    if (slot[0] < 0 || slot[1] < 0 || !is_read(c, 0, reads) || !is_read(c, 1, reads))
        return c->node;
    int lanes_of = slot[0] > slot[1] ? 0 : 1;
    PackTile tile = choose_tile(c, slot[1 - lanes_of], slot[lanes_of]);
    if (tile.rows == 0)
        return c->node;
    const Scalar *packed[2];
    int64_t width = (int64_t)tile.vectors * lanes_of_vector(c);
    int64_t neighbours = choose_neighbours(c, lanes_of, slot[lanes_of], width);
    packed[lanes_of] = load_panels(c, lanes_of, slot[lanes_of], width, neighbours);
    packed[1 - lanes_of] = load_rows(c, 1 - lanes_of, slot[1 - lanes_of], tile);
    return with_factors(c, packed[0], packed[1]);
}

static bool can_pack_lanes(const Contraction *c, int lanes_of) {
    int slot = own_slot(c, lanes_of);
    return slot >= 0 && is_read(c, lanes_of, FEWEST_READS) && c->node->shape[slot].size % lanes_of_vector(c) == 0;
}

/* One factor in panels of vectors. */
static void consider_lanes(const Contraction *c, Candidate *best, int lanes_of) {
    int lanes = lanes_of_vector(c), slot = own_slot(c, lanes_of);
    if (!can_pack_lanes(c, lanes_of))
        return;
    int vectors = c->node->shape[slot].size % (2 * lanes) == 0 ? 2 : 1;
    const Scalar *packed[2] = {c->factor[0], c->factor[1]};
    packed[lanes_of] = load_panels(c, lanes_of, slot, vectors * lanes, 1);
    consider(c, best, with_factors(c, packed[0], packed[1]), copy_cycles(c, lanes_of));
}

/* Cycles, where what the loops wait for is what they read one line after the other. */
static double cycles_in_order(const Contraction *c, const Node *node) {
    const double shown = 0.02;
    return estimate_cycles_with(c->g, c->target, node, shown);
}

/* A prepared factor in panels, which cost nothing: as wide as is best; the other one as it is. */
static void consider_prepared(const Contraction *c, Candidate *best, int lanes_of) {
    int lanes = lanes_of_vector(c), slot = own_slot(c, lanes_of);
    for (int vectors = 1; vectors <= 4 && slot >= 0; vectors++) {
        if (c->node->shape[slot].size % (vectors * lanes) != 0)
            continue;
        const Scalar *packed[2] = {c->factor[0], c->factor[1]};
        packed[lanes_of] = load_panels(c, lanes_of, slot, vectors * lanes, 1);
        const Node *node = with_factors(c, packed[0], packed[1]);
        double cycles = cycles_in_order(c, node);
        if (cycles < best->cycles)
            *best = (Candidate){node, cycles};
    }
}

static const Node *best_lanes(const Contraction *c) {
    Candidate best = {c->node, estimate_cycles(c->g, c->target, c->node)};
    for (int factor = 0; factor < 2; factor++)
        consider_lanes(c, &best, factor);
    return best.node;
}

static const Node *best_prepared(const Contraction *c) {
    Candidate best = {c->node, cycles_in_order(c, c->node)};
    consider_prepared(c, &best, is_prepared(c, 0) ? 0 : 1);
    return best.node;
}

static const Node *pack_node(void *context, Graph *g, const Node *node) {
    const Packing *packing = context;
    Contraction c = {.g = g, .target = packing->target, .node = node};
    if (!find_contraction(&c) || node->is_prepared)
        return node;
    for (int i = 0; i < 2; i++)
        c.readers[i] = readers_of(packing->readers, c.factor[i]);
    bool large = is_large(&c, 0) || is_large(&c, 1);
    bool plain = reads_plainly(c.factor[0]) && reads_plainly(c.factor[1]);
    const Node *packed = large && plain ? pack_both(&c) : node;
    if (packed == node && (is_prepared(&c, 0) || is_prepared(&c, 1)))
        return best_prepared(&c);
    bool has_lanes = large != plain && (can_pack_lanes(&c, 0) || can_pack_lanes(&c, 1));
    return has_lanes ? best_lanes(&c) : packed;
}

/* Counts the reads of each factor in the entry that has most of them. */
static PointerMap *count_readers(Graph *g, Arena *scratch) {
    PointerMap *most = pointer_map_new(scratch);
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        PointerMap *readers = pointer_map_new(scratch);
        const NodeList order = graph_order(g, scratch, &g->entries[kind]);
        for (size_t i = 0; i < order.count; i++) {
            Contraction c = {.node = order.at[i]};
            for (int factor = 0; factor < 2 && find_contraction(&c); factor++) {
                const uintptr_t count = (uintptr_t)pointer_map_get(readers, c.factor[factor]) + 1;
                pointer_map_put(readers, c.factor[factor], (void *)count);
                if (count > (uintptr_t)pointer_map_get(most, c.factor[factor]))
                    pointer_map_put(most, c.factor[factor], (void *)count);
            }
        }
    }
    return most;
}

int plan_pack(Graph *g, const Target *target) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Packing packing = {target, count_readers(g, scratch)};
    int changes = graph_rebuild(g, pack_node, &packing);
    arena_free(scratch);
    return changes;
}
