/* tile.c: what stands inside the loops of a nest: accumulators, bodies, epilogues and stores of a register tile. */
#include "loop/loop_make.h"
#include "loop/nest.h"
#include "plan/lanes.h"

static Arena *arena_of(const Nest *nest) {
    return nest->kernel->arena;
}

static bool finds_position(const Nest *nest) {
    return nest->stage->reduce == REDUCE_ARGMAX || nest->stage->reduce == REDUCE_ARGMIN;
}

static size_t tile_elements(const Nest *nest) {
    return (size_t)(nest->rows * nest->columns);
}

/* Calls `element` for every element of the tile, with lower.row and lower.vec set. */
typedef void TileElement(Nest *nest, size_t position);

static void each_element(Nest *nest, TileElement *element) {
    for (int row = 0; row < nest->rows; row++) {
        for (int column = 0; column < nest->columns; column++) {
            nest->lower.row = row;
            nest->lower.vec = column;
            element(nest, (size_t)(row * nest->columns + column));
        }
    }
    nest->lower.row = nest->lower.vec = 0;
}

/* ---- accumulators ---- */

static bool accumulates_vectors(const Nest *nest) {
    return nest->lower.vector_slot >= 0;
}

static void declare_accumulator(Nest *nest, size_t position) {
    KernelBuilder *k = nest->kernel;
    bool vector = accumulates_vectors(nest);
    Type type = vector ? TYPE_REAL : nest->stage->nodes.at[0].body->type;
    const LoopExpr *start = expr_identity(k->arena, nest->stage->reduce, type);
    LoopVar *var = kernel_var(k, k->scope, finds_position(nest) ? "best" : "acc", type, vector);
    kernel_add(k, stmt_declare(k->arena, var, vector ? expr_splat(k->arena, start) : start, true));
    nest->accumulators[position] = var;
    if (!finds_position(nest))
        return;
    const LoopExpr *first = vector ? expr_splat(k->arena, expr_real(k->arena, 0)) : expr_int(k->arena, 0);
    nest->positions[position] = kernel_var(k, k->scope, "place", vector ? TYPE_REAL : TYPE_INT, vector);
    kernel_add(k, stmt_declare(k->arena, nest->positions[position], first, true));
}

/* Row-major position over the reduction axes of the node. */
static const LoopExpr *reduction_position(Nest *nest) {
    const PlanStage *stage = nest->stage;
    ScalarPool *pool = nest->kernel->pool;
    const Node *node = stage->nodes.at[0].node;
    const Scalar *position = scalar_int(pool, 0);
    for (int r = 0; r < node->expr.reduced; r++) {
        position = scalar_op2(pool, OP_MUL, position, scalar_int(pool, node->expr.extents[r].size));
        position = scalar_op2(pool, OP_ADD, position, stage->index[stage->rank + r]);
    }
    return lower(&nest->lower, position);
}

/* The first best one wins: later ones have to be better. */
static void keep_best(Nest *nest, size_t position, const LoopExpr *value) {
    KernelBuilder *k = nest->kernel;
    LoopVar *best = nest->accumulators[position], *place = nest->positions[position];
    Op better = nest->stage->reduce == REDUCE_ARGMAX ? OP_GT : OP_LT;
    const LoopExpr *here = reduction_position(nest), *old = expr_var(k->arena, best);
    value = best->vector ? expr_splat(k->arena, value) : value;
    if (value->kind != LOOP_VAR)
        value = kernel_declare(k, k->scope, "candidate", value);
    const LoopExpr *test = expr_op(k->arena, better, TYPE_BOOL, value, old, NULL);
    if (!best->vector) {
        LoopBody then = {0};
        vec_push(k->arena, &then, stmt_set(k->arena, best, value));
        vec_push(k->arena, &then, stmt_set(k->arena, place, here));
        kernel_add(k, stmt_if(k->arena, test, then));
        return;
    }
    test = kernel_declare(k, k->scope, "better", test);
    here = expr_splat(k->arena, expr_op(k->arena, OP_TO_REAL, TYPE_REAL, here, NULL, NULL));
    const LoopExpr *moved = expr_op(k->arena, OP_SELECT, TYPE_REAL, test, here, expr_var(k->arena, place));
    kernel_add(k, stmt_set(k->arena, best, expr_op(k->arena, OP_SELECT, TYPE_REAL, test, value, old)));
    kernel_add(k, stmt_set(k->arena, place, moved));
}

/* Lanes that do not exist leave a partial result as it is. */
static const LoopExpr *mask_lanes(const Nest *nest, const LoopExpr *value) {
    Arena *arena = arena_of(nest);
    if (!nest->lanes_partial || !nest->lower.part)
        return value;
    const LoopExpr *nothing = expr_splat(arena, expr_identity(arena, nest->stage->reduce, TYPE_REAL));
    return expr_op(arena, OP_SELECT, TYPE_REAL, expr_first(arena, nest->lower.part), value, nothing);
}

static const LoopExpr *combine(const Nest *nest, const LoopExpr *sum, const LoopExpr *value) {
    Arena *arena = arena_of(nest);
    if (sum->vector)
        value = expr_splat(arena, value);
    bool product = value->kind == LOOP_OP && value->op.op == OP_MUL && value->type == TYPE_REAL;
    if (nest->stage->reduce == REDUCE_SUM && product)
        return expr_fma(arena, value->op.arg[0], value->op.arg[1], sum);
    return expr_combine(arena, nest->stage->reduce, sum, value);
}

static void accumulate(Nest *nest, size_t position) {
    KernelBuilder *k = nest->kernel;
    const LoopExpr *value = mask_lanes(nest, lower(&nest->lower, nest->stage->nodes.at[0].body));
    if (finds_position(nest)) {
        keep_best(nest, position, value);
        return;
    }
    LoopVar *sum = nest->accumulators[position];
    kernel_add(k, stmt_set(k->arena, sum, combine(nest, expr_var(k->arena, sum), value)));
}

void tile_accumulate(Nest *nest) {
    each_element(nest, accumulate);
}

/* ---- values ---- */

static const LoopExpr *reduced_value(const Nest *nest, size_t position) {
    KernelBuilder *k = nest->kernel;
    if (finds_position(nest))
        return expr_var(k->arena, nest->positions[position]);
    const LoopExpr *sum = expr_var(k->arena, nest->accumulators[position]);
    return nest->lanes_partial ? expr_horizontal(k->arena, nest->stage->reduce, sum) : sum;
}

/* Value of node i of the stage, for the current element. */
static const LoopExpr *element_value(Nest *nest, size_t i, size_t position) {
    const PlanNode *value = &nest->stage->nodes.at[i];
    if (i == 0 && nest->stage->reduce != REDUCE_NONE)
        return reduced_value(nest, position);
    return lower(&nest->lower, value->body);
}

/* All values before any store: what a store overwrites has been read by then. */
static void compute_values(Nest *nest, LocalValue **values) {
    KernelBuilder *k = nest->kernel;
    size_t count = nest->stage->nodes.count;
    for (size_t i = 0; i < count; i++) {
        const Node *node = nest->stage->nodes.at[i].node;
        values[i] = arena_one(k->arena, LocalValue);
        values[i]->registers = arena_array(k->arena, const LoopExpr *, tile_elements(nest));
        values[i]->vectors = nest->columns;
        for (int row = 0; row < nest->rows; row++) {
            for (int column = 0; column < nest->columns; column++) {
                size_t position = (size_t)(row * nest->columns + column);
                nest->lower.row = row;
                nest->lower.vec = column;
                const LoopExpr *value = element_value(nest, i, position);
                if (count > 1 && value->kind != LOOP_VAR)
                    value = kernel_declare(k, k->scope, node_short_name(node), value);
                values[i]->registers[position] = value;
            }
        }
        if (!nest->stage->nodes.at[i].copy)
            pointer_map_put(k->local_of, node, values[i]);
    }
    nest->lower.row = nest->lower.vec = 0;
}

/* ---- stores ---- */

/* Where the node's own element stands, from axis `first` on. */
static const Scalar *own_offset(const Nest *nest, const Node *node, int first) {
    KernelBuilder *k = nest->kernel;
    return load_offset(k->pool, scalar_load(k->pool, node, nest->stage->index), first);
}

static void store_element(Nest *nest, size_t i, const LoopExpr *value) {
    KernelBuilder *k = nest->kernel;
    const NestTarget *target = &nest->targets[i];
    const Node *node = nest->stage->nodes.at[i].node;
    LoopAddress to = {.buffer = target->buffer, .array = target->array};
    to = lower_address(&nest->lower, own_offset(nest, node, target->buffer ? 0 : nest->shared), to);
    value = lower_storable(k->arena, value);
    if (to.access != ACCESS_SCALAR)
        value = expr_splat(k->arena, value);
    kernel_add(k, stmt_store(k->arena, to, value));
}

static void store_values(Nest *nest, LocalValue **values) {
    for (size_t i = 0; i < nest->stage->nodes.count; i++) {
        if (!nest->targets[i].buffer && !nest->targets[i].array)
            continue;
        for (int row = 0; row < nest->rows; row++) {
            for (int column = 0; column < nest->columns; column++) {
                nest->lower.row = row;
                nest->lower.vec = column;
                store_element(nest, i, values[i]->registers[row * nest->columns + column]);
            }
        }
    }
    nest->lower.row = nest->lower.vec = 0;
}

/* After the tile, its registers are gone: other stages find the values in memory. A value that has no axis of its own
 * stays in its register. */
static void publish_values(Nest *nest) {
    KernelBuilder *k = nest->kernel;
    for (size_t i = 0; i < nest->stage->nodes.count; i++) {
        const NestTarget *target = &nest->targets[i];
        const PlanNode *value = &nest->stage->nodes.at[i];
        LocalValue *local = NULL;
        if (value->copy || (!target->buffer && !target->array))
            continue;
        if (target->array) {
            local = arena_one(k->arena, LocalValue);
            local->array = target->array;
            local->shared = nest->shared;
        }
        pointer_map_put(k->local_of, value->node, local);
    }
}

/* The reduction of the stage, into accumulators. */
static void reduce_tile(Nest *nest) {
    Arena *arena = arena_of(nest);
    nest->accumulators = arena_array(arena, LoopVar *, tile_elements(nest));
    nest->positions = arena_array(arena, LoopVar *, tile_elements(nest));
    each_element(nest, declare_accumulator);
    nest_reduction(nest, nest->outputs);
}

void tile_build(Nest *nest) {
    int vector_slot = nest->lower.vector_slot;
    if (nest->stage->reduce != REDUCE_NONE)
        reduce_tile(nest);
    if (nest->lanes_partial)
        nest->lower.vector_slot = -1; /* the partial results have been put together: scalars from here on */
    LocalValue **values = arena_array(arena_of(nest), LocalValue *, nest->stage->nodes.count);
    compute_values(nest, values);
    store_values(nest, values);
    publish_values(nest);
    nest->lower.vector_slot = vector_slot;
}
