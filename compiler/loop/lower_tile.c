#include "ir/scalar_walk.h"
#include "loop/loop_make.h"
#include "loop/lower_internal.h"
#include "plan/lanes.h"

static void open_axis(Lowering *l, int slot, int size, const char *name, const LoopExpr **at) {
    KernelBuilder *k = l->kernel;
    if (size == 1)
        return;
    Scope *scope = scope_open(k);
    scope->slots |= UINT64_C(1) << slot;
    *at = expr_var(k->arena, kernel_var(k, scope, name, TYPE_INT, false));
}

static void close_axis(Lowering *l, int size, const LoopExpr *step, const LoopExpr **at) {
    KernelBuilder *k = l->kernel;
    if (size == 1)
        return;
    const LoopVar *var = (*at)->var;
    *at = NULL;
    LoopBody body = scope_close(k);
    kernel_add(k, stmt_unrolled(k->arena, var, size, step, body));
}

void lower_open_rows(Lowering *l) {
    open_axis(l, l->tile_slot, l->rows, "r", &l->row);
}

void lower_close_rows(Lowering *l) {
    Arena *arena = lower_arena(l);
    close_axis(l, l->rows, l->tile_slot == l->vector_slot ? expr_lanes(arena) : expr_int(arena, 1), &l->row);
}

void lower_open_columns(Lowering *l) {
    open_axis(l, l->column_slot, l->columns, "c", &l->column);
}

void lower_close_columns(Lowering *l) {
    close_axis(l, l->columns, expr_int(lower_arena(l), 1), &l->column);
}

static void share_columns(Lowering *l, const Scalar *s) {
    KernelBuilder *k = l->kernel;
    lower_open_columns(l);
    const LoopExpr *value = lower_fresh(l, s);
    Scope *outer = k->scope->parent;
    LoopVar *tile = kernel_tile(k, outer, lower_wish(s), value->type, value->vector, (int[]){1, l->columns});
    vec_push(k->arena, &outer->body, stmt_declare(k->arena, tile, NULL, true));
    kernel_add(k, stmt_assign(k->arena, expr_element(k->arena, tile, l->column, NULL), expr_once(k->arena, value)));
    lower_close_columns(l);
    pointer_map_put(k->scope->known, s, tile);
}

/* `seen`: what was looked through already. */
static void share_in_columns(Lowering *l, PointerMap *seen, const Scalar *s) {
    if (!lower_depends(s, l->column_slot) || pointer_map_get(seen, s) || lower_known(l, s))
        return;
    pointer_map_put(seen, s, s);
    if (!lower_depends(s, l->tile_slot) && lower_is_work(s)) {
        if (!lower_is_register(l, s))
            share_columns(l, s);
        return;
    }
    /* The branches of a choice stay where they are chosen. */
    if (s->kind == SCALAR_OP && s->op.op != OP_SELECT)
        for (int i = 0; i < 3 && s->op.arg[i]; i++)
            if (!op_is_conditional(s->op.op, i) || !has_unsafe_load(lower_arena(l), l->kernel->pool, s->op.arg[i]))
                share_in_columns(l, seen, s->op.arg[i]);
}

void lower_columns(Lowering *l, const Scalar *s) {
    if (l->rows > 1 && l->columns > 1)
        share_in_columns(l, pointer_map_new(lower_arena(l)), s);
}

/* ---- functions of all columns ---- */

/* The stage's own values are not there yet. */
static bool is_own(const void *context, const Scalar *load) {
    return stage_makes(context, load->load.tensor);
}

/* A tile of arguments becomes one of values. */
static void apply_function(Lowering *l, const Scalar *s) {
    KernelBuilder *k = l->kernel;
    LoopVar *tile = kernel_tile(k, k->scope, op_info(s->op.op)->spelling, TYPE_REAL, true, (int[]){1, l->columns});
    kernel_add(k, stmt_declare(k->arena, tile, NULL, true));
    lower_open_columns(l);
    const LoopExpr *argument = expr_splat(k->arena, lower_arg(l, s, s->op.arg[0]));
    kernel_add(k, stmt_assign(k->arena, expr_element(k->arena, tile, l->column, NULL), argument));
    lower_close_columns(l);
    kernel_add(k, stmt_apply(k->arena, s->op.op, tile));
    pointer_map_put(k->scope->known, s, tile);
}

/* Computed for every column, and not yet. */
static bool is_fresh_function(const void *context, const Scalar *s) {
    const Lowering *l = context;
    return s->kind == SCALAR_OP && s->op.op != OP_SELECT && lower_depends(s, l->column_slot) && !lower_known(l, s);
}

void lower_functions(Lowering *l, const PlanStage *stage, const Scalar *body) {
    if (!stage->turns || l->rows > 1 || l->columns == 1 || l->columns > MOST_TURNS || l->column_slot != l->vector_slot)
        return;
    ScalarWalk *walk = scalar_walk_new(lower_arena(l));
    scalar_walk(walk, body, is_fresh_function, l);
    for (size_t i = 0; i < walk->count; i++) {
        const Scalar *s = walk->at[i];
        if (!is_fresh_function(l, s) || !op_info(s->op.op)->c_tile || scalar_any_load(lower_arena(l), s, is_own, stage))
            continue;
        const Scalar *argument = s->op.arg[0];
        if (lower_is_shared(l, argument) && lower_is_work(argument) && !lower_known(l, argument))
            share_columns(l, argument);
        apply_function(l, s);
    }
}

/* ---- turned loads ---- */

bool lower_is_turned(const Lowering *l, const Scalar *load, int first, const LoopAddress *address) {
    bool side_by_side = address->buffer ? address->buffer->interleaved : address->array->per_lane;
    Type type = address->buffer ? address->buffer->type : address->array->type;
    if (l->rows == 1 || l->columns > 1 || l->vector_slot < 0 || l->tile_slot == l->vector_slot || side_by_side ||
        type != TYPE_REAL)
        return false;
    int64_t lane, row;
    const Scalar *offset = load_offset(l->kernel->pool, load, first);
    return lane_step(offset, l->vector_slot, &lane) && lane != 0 && lane != 1 &&
           lane_step(offset, l->tile_slot, &row) && row == 1;
}

static void turn_load(Lowering *l, const Scalar *load) {
    KernelBuilder *k = l->kernel;
    if (lower_is_register(l, load) || lower_known(l, load))
        return;
    int first;
    LoopAddress address = lower_tensor(l, load, &first);
    if (!lower_is_turned(l, load, first, &address))
        return;
    address = lower_address(l, load, first, address, false);
    LoopVar *tile = kernel_tile(k, k->scope, lower_wish(load), TYPE_REAL, true, (int[]){l->rows, 1});
    kernel_add(k, stmt_declare(k->arena, tile, NULL, true));
    kernel_add(k, stmt_turn(k->arena, tile, address, false));
    pointer_map_put(k->scope->known, load, tile);
}

/* What the loops around have settled; NULL: nothing. */
static const LoopExpr *settled(const Lowering *l, const Scalar *test) {
    const LoopExpr *known = l->truths ? pointer_map_get(l->truths, test) : NULL;
    if (known || !scalar_is_op(test, OP_AND))
        return known;
    const LoopExpr *a = settled(l, test->op.arg[0]), *b = settled(l, test->op.arg[1]);
    if (a && !a->integer)
        return a;
    return a || (b && !b->integer) ? b : NULL;
}

typedef struct TurnSearch {
    Lowering *l;
    const PlanStage *stage;
    PointerMap *seen
        [2]; /* what was looked through already: [0] where it is always computed, [1] in a branch that may not be chosen */
} TurnSearch;

/* In a branch that may not be chosen, only loads that are safe are made early. The stage's own values are not there yet. */
static void turn_loads(const TurnSearch *search, const Scalar *s, bool guarded) {
    Lowering *l = search->l;
    if (!lower_depends(s, l->tile_slot) || !s->has_load || pointer_map_get(search->seen[guarded], s))
        return;
    pointer_map_put(search->seen[guarded], s, s);
    if (s->kind == SCALAR_LOAD && (!guarded || load_is_safe(l->kernel->pool, s)) &&
        !stage_makes(search->stage, s->load.tensor))
        turn_load(l, s);
    if (s->kind != SCALAR_OP)
        return;
    bool choice = s->op.op == OP_SELECT;
    const LoopExpr *test = choice ? settled(l, s->op.arg[0]) : NULL;
    if (test) {
        turn_loads(search, s->op.arg[test->integer ? 1 : 2], guarded);
        return;
    }
    for (int i = 0; i < 3 && s->op.arg[i]; i++)
        turn_loads(search, s->op.arg[i], guarded || op_is_conditional(s->op.op, i));
}

void lower_turned(Lowering *l, const PlanStage *stage) {
    Arena *arena = lower_arena(l);
    const TurnSearch search = {l, stage, {pointer_map_new(arena), pointer_map_new(arena)}};
    for (size_t i = stage->reduce != REDUCE_NONE; i < stage->nodes.count; i++)
        turn_loads(&search, stage->nodes.at[i].body, false);
}
