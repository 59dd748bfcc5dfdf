/* tile.c: what stands inside the loops of a nest: accumulators, bodies, epilogues and stores of a register tile. */
#include <math.h>

#include "loop/loop_make.h"
#include "loop/nest.h"
#include "plan/lanes.h"

static Arena *arena_of(const Nest *nest) {
    return nest->kernel->arena;
}

static bool finds_position(const Nest *nest) {
    return nest->stage->reduce == REDUCE_ARGMAX || nest->stage->reduce == REDUCE_ARGMIN;
}

/* ---- what is asked for early ---- */

static void add_fetch(Nest *nest, const PlanFetch *fetch) {
    KernelBuilder *k = nest->kernel;
    const LoopAddress at = {.buffer = fetch->value ? entry_output_buffer(k->entry, fetch->value)
                                                   : entry_buffer(k->entry, fetch->node),
                            .offset = lower_first_lane(&nest->lower, fetch->element)};
    kernel_add(k, stmt_fetch(k->arena, at, fetch->ahead, fetch->value != NULL));
}

static void add_fetches(Nest *nest) {
    for (size_t i = 0; i < nest->stage->fetches.count; i++)
        add_fetch(nest, &nest->stage->fetches.at[i]);
}

/* What the results of the tile need: it travels while the sum is made. */
static void add_early_fetches(Nest *nest) {
    Lowering *l = &nest->lower;
    if (nest->stage->early.count == 0)
        return;
    lower_open_rows(l);
    for (size_t i = 0; i < nest->stage->early.count; i++)
        add_fetch(nest, &nest->stage->early.at[i]);
    lower_close_rows(l);
}

/* ---- accumulators ---- */

static bool accumulates_vectors(const Nest *nest) {
    return nest->lower.vector_slot >= 0;
}

/* The element of a tile that the open loops are at; or the variable, where there is only one. */
static const LoopExpr *element_of(const Nest *nest, const LoopVar *var) {
    const Lowering *l = &nest->lower;
    if (var->rank == 0)
        return expr_var(arena_of(nest), var);
    return l->row ? expr_element(arena_of(nest), var, l->row, l->column)
                  : expr_element(arena_of(nest), var, l->column, NULL);
}

static void open_elements(Nest *nest) {
    lower_open_rows(&nest->lower);
    lower_open_columns(&nest->lower);
}

static void close_elements(Nest *nest) {
    lower_close_columns(&nest->lower);
    lower_close_rows(&nest->lower);
}

static bool is_zero(const LoopExpr *e) {
    return (e->kind == LOOP_REAL && e->real == 0 && !signbit(e->real)) || expr_is_int(e, 0);
}

static LoopVar *declare_tile(Nest *nest, const char *wish, Type type, const LoopExpr *start) {
    KernelBuilder *k = nest->kernel;
    bool vector = accumulates_vectors(nest);
    const int size[2] = {nest->lower.rows, nest->lower.columns};
    LoopVar *var = kernel_tile(k, k->scope, wish, vector ? TYPE_REAL : type, vector, size);
    const LoopExpr *value = vector ? expr_splat(k->arena, start) : start;
    if (var->rank == 0 || is_zero(start)) {
        kernel_add(k, stmt_declare(k->arena, var, value, true));
        return var;
    }
    kernel_add(k, stmt_declare(k->arena, var, NULL, true));
    open_elements(nest);
    kernel_add(k, stmt_assign(k->arena, element_of(nest, var), value));
    close_elements(nest);
    return var;
}

static void declare_accumulators(Nest *nest) {
    Arena *arena = arena_of(nest);
    Type type = accumulates_vectors(nest) ? TYPE_REAL : nest->stage->nodes.at[0].body->type;
    const LoopExpr *start = expr_identity(arena, nest->stage->reduce, type);
    nest->accumulator = declare_tile(nest, finds_position(nest) ? "best" : "acc", type, start);
    if (finds_position(nest)) {
        bool vector = accumulates_vectors(nest);
        nest->position = declare_tile(nest, "place", TYPE_INT, vector ? expr_real(arena, 0) : expr_int(arena, 0));
    }
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
static void keep_best(Nest *nest, const LoopExpr *value) {
    KernelBuilder *k = nest->kernel;
    const LoopExpr *best = element_of(nest, nest->accumulator), *place = element_of(nest, nest->position);
    Op better = nest->stage->reduce == REDUCE_ARGMAX ? OP_GT : OP_LT;
    const LoopExpr *here = reduction_position(nest);
    value = best->vector ? expr_splat(k->arena, value) : value;
    if (value->kind != LOOP_VAR)
        value = kernel_declare(k, k->scope, "candidate", value);
    const LoopExpr *test = expr_op(k->arena, better, TYPE_BOOL, value, best, NULL);
    if (!best->vector) {
        LoopBody then = {0};
        vec_push(k->arena, &then, stmt_assign(k->arena, best, value));
        vec_push(k->arena, &then, stmt_assign(k->arena, place, here));
        kernel_add(k, stmt_if(k->arena, test, then));
        return;
    }
    test = kernel_declare(k, k->scope, "better", test);
    here = expr_splat(k->arena, expr_op(k->arena, OP_TO_REAL, TYPE_REAL, here, NULL, NULL));
    kernel_add(k, stmt_assign(k->arena, best, expr_op(k->arena, OP_SELECT, TYPE_REAL, test, value, best)));
    kernel_add(k, stmt_assign(k->arena, place, expr_op(k->arena, OP_SELECT, TYPE_REAL, test, here, place)));
}

/* A sum of products of two loads that are 0 in the lanes that do not exist. */
static bool adds_nothing(const Nest *nest, const Scalar *body) {
    if (nest->stage->reduce != REDUCE_SUM || !scalar_is_op(body, OP_MUL))
        return false;
    for (int i = 0; i < 2; i++)
        if (body->op.arg[i]->kind != SCALAR_LOAD || !(body->op.arg[i]->slots >> nest->lower.vector_slot & 1))
            return false;
    return true;
}

/* Lanes that do not exist leave a partial result as it is. */
static const LoopExpr *mask_lanes(const Nest *nest, const LoopExpr *value) {
    Arena *arena = arena_of(nest);
    if (!nest->lanes_partial || !nest->lower.part || nest->lower.zero_filled)
        return value;
    const LoopExpr *nothing = expr_splat(arena, expr_identity(arena, nest->stage->reduce, TYPE_REAL));
    return expr_op(arena, OP_SELECT, TYPE_REAL, expr_first(arena, nest->lower.part), expr_splat(arena, value), nothing);
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

void tile_accumulate(Nest *nest) {
    KernelBuilder *k = nest->kernel;
    const Scalar *body = nest->stage->nodes.at[0].body;
    nest->lower.zero_filled = nest->lanes_partial && nest->lower.part && adds_nothing(nest, body);
    lower_columns(&nest->lower, body);
    lower_functions(&nest->lower, nest->stage, body);
    open_elements(nest);
    add_fetches(nest);
    const LoopExpr *value = mask_lanes(nest, lower(&nest->lower, body));
    if (finds_position(nest)) {
        keep_best(nest, value);
    } else {
        const LoopExpr *sum = element_of(nest, nest->accumulator);
        kernel_add(k, stmt_assign(k->arena, sum, combine(nest, sum, value)));
    }
    close_elements(nest);
    nest->lower.zero_filled = false;
}

/* ---- places in memory ---- */

/* Where value i of the stage is stored to. */
typedef struct Store {
    const Scalar *own; /* its element */
    LoopAddress to;
    int first; /* axis that memory has */
} Store;

static Store store_of(const Nest *nest, size_t i) {
    const NestTarget *target = &nest->targets[i];
    Store store = {.to = {.buffer = target->buffer, .array = target->array}};
    store.own = scalar_load(nest->kernel->pool, nest->stage->nodes.at[i].node, nest->stage->index);
    store.first = target->buffer ? 0 : nest->shared;
    return store;
}

/* ---- sums in memory ---- */

/* An array has the places of one block. */
static LoopAddress sum_address(Nest *nest, bool is_store) {
    Arena *arena = arena_of(nest);
    const StageSchedule *s = &nest->stage->schedule;
    Store store = store_of(nest, 0);
    const LoopExpr **index = &nest->lower.index[s->tile_slot], *place = *index;
    if (store.to.array && s->block > 0) {
        LoopExpr *in_block = arena_one(arena, LoopExpr);
        *in_block = *expr_op(arena, OP_MOD, TYPE_INT, place, expr_int(arena, s->block), NULL);
        in_block->op.natural = true;
        *index = in_block;
    }
    const LoopAddress address = lower_address(&nest->lower, store.own, store.first, store.to, is_store);
    *index = place;
    return address;
}

static const LoopExpr *load_sum(Nest *nest) {
    const LoopAddress from = sum_address(nest, false);
    return expr_load(arena_of(nest), from, from.access != ACCESS_SCALAR);
}

static void store_sum(Nest *nest, const LoopExpr *value) {
    KernelBuilder *k = nest->kernel;
    LoopAddress to = sum_address(nest, true);
    kernel_add(k, stmt_store(k->arena, to, to.access == ACCESS_SCALAR ? value : lower_vector(k->arena, value)));
}

void tile_clear(Nest *nest) {
    store_sum(nest, expr_identity(arena_of(nest), nest->stage->reduce, nest->stage->nodes.at[0].body->type));
}

void tile_add(Nest *nest) {
    const LoopExpr *value = lower(&nest->lower, nest->stage->nodes.at[0].body);
    store_sum(nest, combine(nest, load_sum(nest), value));
}

/* ---- values ---- */

/* Partial results have been put together: what follows is vector code along the rows, or scalar code. */
static bool sums_in_lanes(const Nest *nest) {
    return nest->lanes_partial && nest->lower.rows > 1 && nest->stage->schedule.sums_in_lanes;
}

static const LoopExpr *reduced_value(Nest *nest) {
    const Lowering *l = &nest->lower;
    if (nest->stage->scatters.count > 0)
        return load_sum(nest);
    if (finds_position(nest))
        return element_of(nest, nest->position);
    if (sums_in_lanes(nest))
        return expr_sums(arena_of(nest), nest->accumulator, l->row, l->column);
    const LoopExpr *sum = element_of(nest, nest->accumulator);
    return nest->lanes_partial ? expr_horizontal(arena_of(nest), nest->stage->reduce, sum) : sum;
}

/* Value of node i of the stage, for the current element. */
static const LoopExpr *element_value(Nest *nest, size_t i) {
    const PlanNode *value = &nest->stage->nodes.at[i];
    bool reduced = i == 0 && nest->stage->reduce != REDUCE_NONE;
    return reduced ? reduced_value(nest) : lower(&nest->lower, value->body);
}

/* All values before any store: what a store overwrites has been read by then. */
static void compute_values(Nest *nest, const LoopExpr **values) {
    KernelBuilder *k = nest->kernel;
    size_t count = nest->stage->nodes.count;
    for (size_t i = 0; i < count; i++) {
        const PlanNode *value = &nest->stage->nodes.at[i];
        values[i] = element_value(nest, i);
        bool kept = !nest->targets[i].buffer && !nest->targets[i].array;
        bool used_again = count > 1 || (kept && values[i]->kind == LOOP_HORIZONTAL);
        if (used_again && values[i]->kind != LOOP_VAR && values[i]->kind != LOOP_ELEMENT)
            values[i] = kernel_declare(k, k->scope, node_short_name(value->node), values[i]);
        if (value->copy)
            continue;
        LocalValue *local = arena_one(k->arena, LocalValue);
        local->value = values[i];
        pointer_map_put(k->local_of, value->node, local);
    }
}

/* ---- stores ---- */

static bool is_stored(const Nest *nest, size_t i) {
    return nest->targets[i].buffer || nest->targets[i].array;
}

static bool is_turned(const Nest *nest, size_t i) {
    Store store = store_of(nest, i);
    return lower_is_turned(&nest->lower, store.own, store.first, &store.to);
}

static void store_element(Nest *nest, size_t i, const LoopExpr *value) {
    KernelBuilder *k = nest->kernel;
    Store store = store_of(nest, i);
    LoopAddress to = lower_address(&nest->lower, store.own, store.first, store.to, true);
    value = lower_storable(k->arena, value);
    to.streams = nest->stage->nodes.at[i].streams && to.access == ACCESS_CONTIGUOUS;
    if (to.access != ACCESS_SCALAR)
        value = lower_vector(k->arena, value);
    kernel_add(k, stmt_store(k->arena, to, value));
}

static void store_values(Nest *nest, LoopVar *const *turned, const LoopExpr *const *values) {
    Arena *arena = arena_of(nest);
    size_t first = nest->stage->scatters.count > 0; /* the sum stands in memory already */
    for (size_t i = first; i < nest->stage->nodes.count; i++)
        if (turned[i])
            kernel_add(nest->kernel, stmt_assign(arena, element_of(nest, turned[i]), expr_splat(arena, values[i])));
        else if (is_stored(nest, i))
            store_element(nest, i, values[i]);
}

/* Tiles for what is stored when all rows are there. */
static LoopVar **declare_turned(Nest *nest) {
    KernelBuilder *k = nest->kernel;
    LoopVar **turned = arena_array(k->arena, LoopVar *, nest->stage->nodes.count);
    for (size_t i = 0; i < nest->stage->nodes.count; i++) {
        if (!is_stored(nest, i) || !is_turned(nest, i))
            continue;
        const char *wish = node_short_name(nest->stage->nodes.at[i].node);
        turned[i] = kernel_tile(k, k->scope, wish, TYPE_REAL, true, (int[]){nest->lower.rows, 1});
        kernel_add(k, stmt_declare(k->arena, turned[i], NULL, true));
    }
    return turned;
}

static void store_turned(Nest *nest, LoopVar *const *turned) {
    KernelBuilder *k = nest->kernel;
    for (size_t i = 0; i < nest->stage->nodes.count; i++) {
        if (!turned[i])
            continue;
        Store store = store_of(nest, i);
        LoopAddress to = lower_address(&nest->lower, store.own, store.first, store.to, true);
        kernel_add(k, stmt_turn(k->arena, turned[i], to, true));
    }
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

/* ---- a single accumulator ---- */

/* Each step of an accumulator waits for the one before. A long row has several, whose vectors stand side by side in memory: columns of
 * the axis that is reduced. */
enum { ACCUMULATORS = 4 };

static bool wants_accumulators(const Nest *nest) {
    const Lowering *l = &nest->lower;
    if (!nest->lanes_partial || l->rows > 1 || l->columns > 1 || finds_position(nest))
        return false;
    Extent extent = nest->stage->slots[l->vector_slot].extent;
    int64_t step = ACCUMULATORS * most_lanes(nest->kernel->entry->graph);
    return extent.per_sample == 0 && extent.size % step == 0 && extent.size >= 2 * step;
}

/* The same tree for every number of threads. */
static void join_accumulators(Nest *nest) {
    KernelBuilder *k = nest->kernel;
    const LoopVar *all = nest->accumulator;
    const LoopExpr *parts[ACCUMULATORS];
    for (int i = 0; i < ACCUMULATORS; i++)
        parts[i] = expr_element(k->arena, all, expr_int(k->arena, i), NULL);
    for (int count = ACCUMULATORS; count > 1; count /= 2)
        for (int i = 0; i < count / 2; i++)
            parts[i] = expr_combine(k->arena, nest->stage->reduce, parts[2 * i], parts[2 * i + 1]);
    nest->accumulator = kernel_var(k, k->scope, "whole", TYPE_REAL, true);
    kernel_add(k, stmt_declare(k->arena, nest->accumulator, parts[0], false));
}

/* Of the results: what was partial has been put together. */
static void set_lanes(Nest *nest) {
    Lowering *l = &nest->lower;
    if (nest->lanes_partial)
        l->vector_slot = sums_in_lanes(nest) ? l->tile_slot : -1;
}

/* Loops over the results of the tile, for the maps and the stores. */
static void open_results(Nest *nest) {
    Arena *arena = arena_of(nest);
    Lowering *l = &nest->lower;
    lower_open_rows(l);
    if (sums_in_lanes(nest) && l->rows % most_lanes(nest->kernel->entry->graph) != 0)
        l->part = expr_sub(arena, expr_int(arena, l->rows), l->row);
    lower_open_columns(l);
}

static void close_results(Nest *nest) {
    lower_close_columns(&nest->lower);
    lower_close_rows(&nest->lower);
}

static void reduce_tile(Nest *nest) {
    Lowering *l = &nest->lower;
    int column_slot = l->column_slot;
    bool several = wants_accumulators(nest);
    if (several) {
        l->column_slot = l->vector_slot;
        l->columns = ACCUMULATORS;
    }
    nest_clip(nest);
    add_early_fetches(nest);
    declare_accumulators(nest);
    nest_reduction(nest, nest->outputs);
    if (several) {
        l->column_slot = column_slot;
        l->columns = 1;
        join_accumulators(nest);
    }
}

void tile_build(Nest *nest) {
    int vector_slot = nest->lower.vector_slot;
    const LoopExpr *part = nest->lower.part;
    if (nest->stage->reduce != REDUCE_NONE)
        reduce_tile(nest);
    const LoopExpr **values = arena_array(arena_of(nest), const LoopExpr *, nest->stage->nodes.count);
    set_lanes(nest);
    lower_turned(&nest->lower, nest->stage);
    for (size_t i = 0; i < nest->stage->nodes.count && nest->stage->reduce == REDUCE_NONE; i++)
        lower_functions(&nest->lower, nest->stage, nest->stage->nodes.at[i].body);
    LoopVar **turned = declare_turned(nest);
    open_results(nest);
    if (nest->stage->reduce == REDUCE_NONE)
        add_fetches(nest);
    compute_values(nest, values);
    store_values(nest, turned, values);
    close_results(nest);
    store_turned(nest, turned);
    publish_values(nest);
    nest->lower.vector_slot = vector_slot;
    nest->lower.part = part;
}

void tile_map_sum(Nest *nest) {
    const size_t count = nest->stage->nodes.count;
    const LoopExpr **values = arena_array(arena_of(nest), const LoopExpr *, count);
    LoopVar **turned = arena_array(arena_of(nest), LoopVar *, count);
    add_fetches(nest);
    compute_values(nest, values);
    store_values(nest, turned, values);
}
