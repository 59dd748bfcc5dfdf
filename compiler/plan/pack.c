/* pack.c: the operands of large contractions are copied to panels first, so that the inner loop reads memory in order.
 *
 *     y[b, n] = sum(k) W[n, k] * x[b, k]                 n: 2048, b: 512, vectors of 16
 *
 *     P[p, k, l] = W[32 * p + l, k]                      lanes: panels as wide as the register tile
 *     Q[q, k, r] = x[8 * q + r, k]                       rows: panels as high as it
 *     y[b, n] = sum(k) P[n div 32, k, n mod 32] * Q[b div 8, k, b mod 8]
 *
 * (Goto and van de Geijn, Anatomy of high-performance matrix multiplication, 2008.) The copies are maps like any other: the rest of the
 * planner, and the memory plan, know nothing about them. Small operands stay as they are: they fit in the caches, and a copy would cost more
 * than it saves.
 */
#include "plan/pack.h"

enum { FEWEST_READS = 256 }; /* of every element of the copy */

/* A contraction of two tensors, each read at plain index variables. */
typedef struct Contraction {
    Graph *g;
    const Node *node;
    const Scalar *factor[2];
} Contraction;

/* Every index is a variable of its own. */
static bool reads_plainly(const Scalar *load) {
    uint64_t seen = 0;
    if (load->kind != SCALAR_LOAD || load->type != TYPE_REAL)
        return false;
    for (int d = 0; d < load->load.rank; d++) {
        const Scalar *at = load->load.at[d];
        if (at->kind != SCALAR_INDEX || (seen >> at->index.slot & 1))
            return false;
        seen |= UINT64_C(1) << at->index.slot;
    }
    return true;
}

static bool find_contraction(Contraction *c) {
    const Node *node = c->node;
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_SUM || !scalar_is_op(node->expr.body, OP_MUL))
        return false;
    for (int i = 0; i < 2; i++) {
        c->factor[i] = node->expr.body->op.arg[i];
        if (!reads_plainly(c->factor[i]))
            return false;
    }
    return true;
}

/* The longest output axis of fixed size that only this factor moves along; -1: none. */
static int own_axis(const Contraction *c, int factor) {
    const Node *node = c->node;
    int best = -1;
    for (int slot = 0; slot < node->rank; slot++) {
        bool own = (c->factor[factor]->slots >> slot & 1) && !(c->factor[1 - factor]->slots >> slot & 1);
        if (own && node->shape[slot].per_sample == 0 && (best < 0 || node->shape[slot].size > node->shape[best].size))
            best = slot;
    }
    return best;
}

static int64_t real_bytes(const Graph *g) {
    return g->real_is_double ? 8 : 4;
}

static double iterations(const Node *node) {
    double count = (double)node_elements(node);
    for (int r = 0; r < node->expr.reduced; r++)
        count *= (double)node->expr.extents[r].size;
    return count;
}

static bool is_large(const Contraction *c, const Target *target, int factor) {
    double elements = (double)node_elements(c->factor[factor]->load.tensor);
    return elements * (double)real_bytes(c->g) >= (double)target->l2_bytes / 2 &&
           iterations(c->node) >= FEWEST_READS * elements;
}

/* ---- the tile ---- */

typedef struct PackTile {
    int rows, vectors;
} PackTile;

/* Of the tiles that the registers hold, and that fit the axes, the one that moves least. A panel of lanes stays in the second cache while all
 * panels of rows pass by: a step of the inner loop reads `vectors` vectors of the one and `rows` numbers of the other, which come from further
 * away, for rows * vectors operations. */
static PackTile choose_tile(const Contraction *c, const Target *target, int row_slot, int lane_slot) {
    static const int rows[] = {4, 5, 6, 7, 8, 10, 12};
    int lanes = target->vector_bytes / (int)real_bytes(c->g);
    PackTile best = {0, 0};
    double least = 1e300;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int vectors = 1; vectors <= 4; vectors++) {
            bool whole =
                c->node->shape[row_slot].size % rows[i] == 0 && c->node->shape[lane_slot].size % (vectors * lanes) == 0;
            bool fits = rows[i] * vectors + vectors + 1 <= target->vector_registers;
            double moved = (double)target->vector_bytes / rows[i] + 4.0 * (double)real_bytes(c->g) / vectors;
            if (whole && fits && moved < least) {
                best = (PackTile){rows[i], vectors};
                least = moved;
            }
        }
    return best;
}

/* ---- the copies ---- */

/* The load of a copy in panels of `width` along the axis that `slot` runs over. */
static const Scalar *load_panels(Graph *g, const Node *node, const Scalar *load, int slot, int64_t width) {
    ScalarPool *pool = g->pool;
    const Node *tensor = load->load.tensor;
    Extent shape[MAX_AXES] = {{node->shape[slot].size / width, 0}};
    const Scalar *from[MAX_AXES], *at[MAX_AXES];
    Origin origin = {.place = tensor->origin.place};
    origin.name = arena_printf(g->arena, "packed %s", tensor->origin.name ? tensor->origin.name : "values");
    const Scalar *own = scalar_index(pool, slot, node->shape[slot]), *divisor = scalar_int(pool, width);
    int rank = 1, along = 0;
    at[0] = scalar_op2(pool, OP_FLOORDIV, own, divisor);
    for (int d = 0; d < tensor->rank; d++) {
        if (load->load.at[d]->index.slot == slot) {
            along = d;
            continue;
        }
        shape[rank] = tensor->shape[d];
        origin.axes[rank] = tensor->origin.axes[d];
        from[d] = scalar_index(pool, rank, shape[rank]);
        at[rank++] = load->load.at[d];
    }
    shape[rank] = (Extent){width, 0};
    at[rank] = scalar_op2(pool, OP_MOD, own, divisor);
    const Scalar *start = scalar_op2(pool, OP_MUL, scalar_index(pool, 0, shape[0]), divisor);
    from[along] = scalar_op2(pool, OP_ADD, start, scalar_index(pool, rank, shape[rank]));
    const Node *copy = graph_expr(g, rank + 1, shape, REDUCE_NONE, 0, NULL, scalar_load(pool, tensor, from), origin);
    return scalar_load(pool, copy, at);
}

typedef struct PackPass {
    const Target *target;
} PackPass;

static const Node *pack_node(void *context, Graph *g, const Node *node) {
    const PackPass *pass = context;
    const Target *target = pass->target;
    Contraction c = {.g = g, .node = node};
    if (!find_contraction(&c))
        return node;
    int axis[2] = {own_axis(&c, 0), own_axis(&c, 1)};
    if (axis[0] < 0 || axis[1] < 0 || !(is_large(&c, target, 0) || is_large(&c, target, 1)))
        return node;
    int lanes_of = axis[0] > axis[1] ? 0 : 1; /* stores are contiguous along the last axis */
    PackTile tile = choose_tile(&c, target, axis[1 - lanes_of], axis[lanes_of]);
    int lanes = target->vector_bytes / (int)real_bytes(g);
    if (tile.rows == 0 || node_elements(node) < (int64_t)FEWEST_READS * FEWEST_READS)
        return node;
    const Scalar *packed[2];
    packed[lanes_of] = load_panels(g, node, c.factor[lanes_of], axis[lanes_of], tile.vectors * lanes);
    packed[1 - lanes_of] = load_panels(g, node, c.factor[1 - lanes_of], axis[1 - lanes_of], tile.rows);
    const Scalar *body = scalar_op2(g->pool, OP_MUL, packed[0], packed[1]);
    return graph_expr(g, node->rank, node->shape, REDUCE_SUM, node->expr.reduced, node->expr.extents, body,
                      node->origin);
}

int plan_pack(Graph *g, const Target *target) {
    PackPass pass = {target};
    return graph_rebuild(g, pack_node, &pass);
}
