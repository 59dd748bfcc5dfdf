#include "loop/lower.h"

#include <math.h>

#include "loop/loop_make.h"
#include "plan/lanes.h"

static Arena *arena_of(const Lowering *l) {
    return l->kernel->arena;
}

static bool depends(const Scalar *s, int slot) {
    return slot >= 0 && (s->slots >> slot & 1) != 0;
}

/* ---- counting users ---- */

typedef struct UseCount {
    int users;
} UseCount;

static void count_user(Lowering *l, const Scalar *s) {
    UseCount *count = pointer_map_get(l->uses, s);
    if (count) {
        count->users++;
        return;
    }
    count = arena_one(arena_of(l), UseCount);
    count->users = 1;
    pointer_map_put(l->uses, s, count);
    if (s->kind == SCALAR_LOAD)
        for (int d = 0; d < s->load.rank; d++)
            count_user(l, s->load.at[d]);
    if (s->kind == SCALAR_OP)
        for (int i = 0; i < 3 && s->op.arg[i]; i++)
            count_user(l, s->op.arg[i]);
}

void lower_count(Lowering *l, const Scalar *s) {
    if (!l->uses)
        l->uses = pointer_map_new(arena_of(l));
    count_user(l, s);
}

static bool is_shared(const Lowering *l, const Scalar *s) {
    const UseCount *count = l->uses ? pointer_map_get(l->uses, s) : NULL;
    return count && count->users > 1;
}

/* ---- what is known already ---- */

static const LoopExpr *find_known(const Lowering *l, const Scalar *s) {
    const Scope *next = NULL;
    for (const Scope *scope = l->kernel->scope; scope; scope = next) {
        next = scope->apart ? NULL : scope->parent;
        const LoopVar *var = pointer_map_get(scope->known, s);
        if (var && var->rank)
            return expr_element(arena_of(l), var, l->column ? l->column : l->row, NULL);
        if (var)
            return expr_var(arena_of(l), var);
    }
    return NULL;
}

typedef struct LocalSearch {
    const Lowering *l;
    bool found;
} LocalSearch;

static void find_local(void *context, const Scalar *load) {
    LocalSearch *search = context;
    search->found = search->found || pointer_map_get(search->l->kernel->local_of, load->load.tensor);
}

static bool has_local(const Lowering *l, const Scalar *s) {
    LocalSearch search = {l, false};
    if (s->has_load)
        scalar_each_load(arena_of(l), s, find_local, &search);
    return search.found;
}

/* The outermost scope where `s` has all its indices and may be computed; what the kernel itself computes does not leave the stage. */
static Scope *home_scope(const Lowering *l, const Scalar *s) {
    Scope *home = l->kernel->scope;
    while (home->parent && !home->apart && !home->conditional && (s->slots & ~home->parent->slots) == 0 &&
           !(home == l->stage && has_local(l, s)))
        home = home->parent;
    return home;
}

/* ---- integers ---- */

/* Lanes before this column's vector. */
static const LoopExpr *first_of_column(const Lowering *l) {
    Arena *arena = arena_of(l);
    return expr_mul(arena, expr_lanes(arena), l->column);
}

const LoopExpr *lower_index(Lowering *l, int slot) {
    Arena *arena = arena_of(l);
    const LoopExpr *value = l->index[slot];
    if (slot == l->tile_slot && l->row)
        return expr_add(arena, value, l->row);
    if (slot == l->column_slot && l->column)
        return expr_add(arena, value, slot == l->vector_slot ? first_of_column(l) : l->column);
    return value;
}

/* The scalar integer in lane 0, also where `s` varies over the lanes. */
const LoopExpr *lower_first_lane(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    if (!depends(s, l->vector_slot))
        return lower(l, s);
    if (s->kind == SCALAR_INDEX)
        return lower_index(l, s->index.slot);
    const LoopExpr *a = lower_first_lane(l, s->op.arg[0]);
    if (s->op.op == OP_NEG)
        return expr_sub(arena, expr_int(arena, 0), a);
    const LoopExpr *b = lower_first_lane(l, s->op.arg[1]);
    if (s->op.op == OP_ADD)
        return expr_add(arena, a, b);
    return s->op.op == OP_SUB ? expr_sub(arena, a, b) : expr_mul(arena, a, b);
}

/* A vector of the argument's type, for an operation whose result is one. */
static const LoopExpr *as_vector(Arena *arena, const LoopExpr *value) {
    if (value->vector)
        return value;
    if (value->kind == LOOP_INT)
        value = expr_real(arena, (double)value->integer);
    else if (value->type == TYPE_INT)
        value = expr_op(arena, OP_TO_REAL, TYPE_REAL, value, NULL, NULL);
    return expr_splat(arena, value);
}

static const LoopExpr *lower_lane_index(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    const LoopExpr *base = as_vector(arena, lower_index(l, s->index.slot));
    return expr_op(arena, OP_ADD, TYPE_REAL, base, expr_iota(arena), NULL);
}

/* ---- loads ---- */

/* Memory of the kernel's own gets elements past its end, where the addresses of a tile's last vectors may point. */
static void extend_array(const Lowering *l, LoopVar *array, int64_t step) {
    int64_t slack = (int64_t)l->columns * MOST_LANES * (step < 0 ? -step : step);
    array->slack = array->slack > slack ? array->slack : slack;
}

/* Loads from the workspace may run past the lanes that exist, into slack: that is cheaper than a part access. (Of a row buffer, C compilers see that
 * nothing has written there, and warn.) */
static bool may_run_over(const Lowering *l, const LoopAddress *address) {
    if (address->array)
        return address->array->scratch && address->array->type == TYPE_REAL; /* extend_array has given it slack */
    if (!address->buffer || address->buffer->space != BUFFER_WORKSPACE || address->buffer->type != TYPE_REAL)
        return false;
    Buffer *buffer = l->kernel->entry->entry->buffers.at[address->buffer->id];
    int64_t slack = (int64_t)l->columns * MOST_LANES;
    buffer->slack = buffer->slack > slack ? buffer->slack : slack;
    return true;
}

/* How many lanes exist of this column's vector. */
static const LoopExpr *lanes_left(Lowering *l) {
    Arena *arena = arena_of(l);
    if (!l->part || !l->column || l->column_slot != l->vector_slot)
        return l->part;
    return expr_sub(arena, l->part, first_of_column(l));
}

static LoopAddress lane_access(Lowering *l, LoopAddress address, int64_t step, bool is_store) {
    address.count = lanes_left(l);
    address.stride = step;
    if (l->part && address.array)
        extend_array(l, address.array, step);
    bool part = l->part && (is_store || step != 1 || l->zero_filled || !may_run_over(l, &address));
    if (step == 1)
        address.access = part ? ACCESS_PART : ACCESS_CONTIGUOUS;
    else
        address.access = part ? ACCESS_STRIDED_PART : ACCESS_STRIDED;
    return address;
}

/* Interleaved: all lanes of an element stand side by side. The first lane's sample is the first of its vector. */
static LoopAddress interleaved_address(Lowering *l, const Scalar *load, int first, LoopAddress address) {
    Arena *arena = arena_of(l);
    const Node *tensor = load->load.tensor;
    int64_t row = 1;
    for (int d = 1; d < tensor->rank; d++)
        row *= tensor->shape[d].size;
    const Scalar *within = load_offset(l->kernel->pool, load, first > 1 ? first : 1);
    address.offset = expr_mul(arena, expr_lanes(arena), lower_first_lane(l, within));
    if (first == 0) {
        const LoopExpr *start = expr_scale(arena, lower_first_lane(l, load->load.at[0]), row);
        address.offset = expr_add(arena, start, address.offset);
    }
    address.access = l->zero_filled && l->part ? ACCESS_PART : ACCESS_CONTIGUOUS;
    address.count = l->part;
    address.stride = 1;
    return address;
}

LoopAddress lower_address(Lowering *l, const Scalar *load, int first, LoopAddress address, bool is_store) {
    int64_t step = 0;
    if (address.buffer ? address.buffer->interleaved : address.array->per_lane)
        return interleaved_address(l, load, first, address);
    const Scalar *offset = load_offset(l->kernel->pool, load, first);
    address.offset = lower_first_lane(l, offset);
    if (!depends(offset, l->vector_slot))
        return address;
    lane_step(offset, l->vector_slot, &step);
    return lane_access(l, address, step, is_store);
}

static const LoopExpr *load_memory(Lowering *l, const Scalar *s, LoopAddress address, int first) {
    address = lower_address(l, s, first, address, false);
    return expr_load(arena_of(l), address, address.access != ACCESS_SCALAR);
}

/* Where the load's tensor stands, from axis `first` on. */
static LoopAddress tensor_address(const Lowering *l, const Scalar *load, int *first) {
    const LocalValue *local = pointer_map_get(l->kernel->local_of, load->load.tensor);
    *first = local ? local->shared : 0;
    if (local)
        return (LoopAddress){.array = local->array};
    return (LoopAddress){.buffer = entry_buffer(l->kernel->entry, load->load.tensor)};
}

static const LoopExpr *load_value(Lowering *l, const Scalar *s) {
    const LocalValue *local = pointer_map_get(l->kernel->local_of, s->load.tensor);
    if (local && local->value)
        return local->value;
    int first;
    LoopAddress address = tensor_address(l, s, &first);
    return load_memory(l, s, address, first);
}

static const LoopExpr *lower_load(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    const LoopExpr *value = load_value(l, s);
    if (s->type != TYPE_BOOL || value->type == TYPE_BOOL)
        return value;
    const LoopExpr *zero = value->vector ? expr_splat(arena, expr_real(arena, 0)) : expr_int(arena, 0);
    return expr_op(arena, OP_NE, TYPE_BOOL, value, zero, NULL);
}

/* ---- operations ---- */

static const LoopExpr *lower_arg(Lowering *l, const Scalar *user, const Scalar *arg);

static const LoopExpr *lower_within(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    const LoopExpr *value = lower(l, s->op.arg[0]);
    const LoopExpr *low = expr_int(arena, 0), *high = expr_extent(arena, s->op.extent);
    Range range = scalar_range(s->op.arg[0]);
    if (value->vector) {
        low = as_vector(arena, low);
        high = as_vector(arena, high);
    }
    const LoopExpr *above = expr_op(arena, OP_GE, TYPE_BOOL, value, low, NULL);
    const LoopExpr *below = expr_op(arena, OP_LT, TYPE_BOOL, value, high, NULL);
    if (range.low >= 0)
        return below;
    if (range.high < s->op.extent.size && s->op.extent.per_sample == 0)
        return above;
    return expr_op(arena, OP_AND, TYPE_BOOL, above, below, NULL);
}

static const LoopExpr *lower_to_real(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    const LoopExpr *value = lower_arg(l, s, s->op.arg[0]);
    if (!value->vector)
        return expr_op(arena, OP_TO_REAL, TYPE_REAL, value, NULL, NULL);
    return lower_storable(arena, value);
}

static const LoopExpr *lower_random(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    const LoopExpr *stream = lower(l, s->op.arg[0]);
    const LoopExpr *counter = lower_first_lane(l, s->op.arg[1]);
    LoopExpr *e = arena_one(arena, LoopExpr);
    *e = *expr_op(arena, OP_RANDOM, TYPE_REAL, stream, counter, NULL);
    e->vector = depends(s, l->vector_slot);
    return e;
}

/* The branches of a scalar test are computed only when chosen. */
static const LoopExpr *lower_branch(Lowering *l, const Scalar *user, const Scalar *branch) {
    bool outer = l->guarded;
    l->guarded = true;
    const LoopExpr *value = lower_arg(l, user, branch);
    l->guarded = outer;
    return value;
}

static const LoopExpr *lower_select(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    const LoopExpr *test = lower_arg(l, s, s->op.arg[0]);
    if (test->kind == LOOP_BOOL)
        return lower_arg(l, s, s->op.arg[test->integer ? 1 : 2]);
    const LoopExpr *then = lower_branch(l, s, s->op.arg[1]);
    const LoopExpr *otherwise = lower_branch(l, s, s->op.arg[2]);
    Type type = s->type;
    if (test->vector || then->vector || otherwise->vector) {
        then = as_vector(arena, then);
        otherwise = as_vector(arena, otherwise);
        type = then->type;
    }
    return expr_op(arena, OP_SELECT, type, test, then, otherwise);
}

/* Sums with a product that nobody else uses are fused; every loop over the same data rounds in the same way. */
static const LoopExpr *fuse_sum(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    if (a->kind == LOOP_OP && a->op.op == OP_MUL)
        return expr_fma(arena, a->op.arg[0], a->op.arg[1], b);
    if (b->kind == LOOP_OP && b->op.op == OP_MUL)
        return expr_fma(arena, b->op.arg[0], b->op.arg[1], a);
    return NULL;
}

static const LoopExpr *lower_plain_op(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    const LoopExpr *arg[3] = {NULL, NULL, NULL};
    bool vector = false;
    for (int i = 0; i < 3 && s->op.arg[i]; i++) {
        arg[i] = lower_arg(l, s, s->op.arg[i]);
        vector = vector || arg[i]->vector;
    }
    const LoopExpr *fused = s->op.op == OP_ADD && s->type == TYPE_REAL ? fuse_sum(arena, arg[0], arg[1]) : NULL;
    if (fused)
        return fused;
    for (int i = 0; i < 3 && vector && arg[i]; i++)
        arg[i] = as_vector(arena, arg[i]);
    return expr_op(arena, s->op.op, vector && s->type == TYPE_INT ? TYPE_REAL : s->type, arg[0], arg[1], arg[2]);
}

static const LoopExpr *lower_integer_op(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    const LoopExpr *a = lower_arg(l, s, s->op.arg[0]);
    const LoopExpr *b = s->op.arg[1] ? lower_arg(l, s, s->op.arg[1]) : NULL;
    switch (s->op.op) {
    case OP_ADD: return expr_add(arena, a, b);
    case OP_SUB: return expr_sub(arena, a, b);
    case OP_MUL: return expr_mul(arena, a, b);
    default: break;
    }
    LoopExpr *e = arena_one(arena, LoopExpr);
    *e = *expr_op(arena, s->op.op, TYPE_INT, a, b, NULL);
    e->op.natural = (s->op.op == OP_FLOORDIV || s->op.op == OP_MOD) && scalar_range(s->op.arg[0]).low >= 0;
    return e;
}

static const LoopExpr *lower_and(Lowering *l, const Scalar *s) {
    const LoopExpr *a = lower_arg(l, s, s->op.arg[0]);
    if (a->kind == LOOP_BOOL && !a->integer)
        return a;
    const LoopExpr *b = lower_arg(l, s, s->op.arg[1]);
    if (a->kind == LOOP_BOOL || (b->kind == LOOP_BOOL && !b->integer))
        return b;
    if (b->kind == LOOP_BOOL)
        return a;
    bool vector = a->vector || b->vector;
    return expr_op(arena_of(l), OP_AND, TYPE_BOOL, vector ? as_vector(arena_of(l), a) : a,
                   vector ? as_vector(arena_of(l), b) : b, NULL);
}

/* ---- quotients ---- */

/* 1 / d as two factors. Where |d| is extreme, 1 / d is no number of full precision, or none at all, though x / d may be one: so
 * `scale` is the power of 2 that brings d near 1, and (x * scale) * reciprocal overflows and vanishes just where x / d does. */
typedef struct Inverse {
    const LoopExpr *scale; /* NULL: 1 */
    const LoopExpr *reciprocal;
} Inverse;

/* Divisors between 1 / extreme and extreme need no scale. */
static double extreme(const Lowering *l) {
    return l->kernel->entry->graph->real_is_double ? 0x1p512 : 0x1p64;
}

static bool is_moderate(const Lowering *l, const Scalar *divisor) {
    if (divisor->kind == SCALAR_REAL)
        return fabs(divisor->real) >= 1 / extreme(l) && fabs(divisor->real) <= extreme(l);
    return scalar_is_op(divisor, OP_TO_REAL) && scalar_range(divisor->op.arg[0]).low >= 1;
}

static bool has_inverse(const Lowering *l, const Scalar *s) {
    const Scalar *divisor = s->op.arg[1];
    if (s->op.op != OP_DIV || s->type != TYPE_REAL || !depends(s, l->long_slot) || depends(divisor, l->long_slot))
        return false;
    bool constant = divisor->kind == SCALAR_REAL;
    return constant ? is_moderate(l, divisor)
                    : (divisor->slots & l->tiled) == 0 && !has_unsafe_load(arena_of(l), divisor);
}

static const LoopExpr *real_like(Arena *arena, const LoopExpr *other, double value) {
    const LoopExpr *real = expr_real(arena, value);
    return other->vector ? expr_splat(arena, real) : real;
}

static const LoopExpr *real_product(Arena *arena, const LoopExpr *a, const LoopExpr *b) {
    bool vector = a->vector || b->vector;
    return expr_op(arena, OP_MUL, TYPE_REAL, vector ? as_vector(arena, a) : a, vector ? as_vector(arena, b) : b, NULL);
}

static const LoopExpr *scale_of(const Lowering *l, const LoopExpr *divisor) {
    Arena *arena = arena_of(l);
    const double large = extreme(l), small = 1 / large;
    const LoopExpr *size = expr_op(arena, OP_ABS, TYPE_REAL, divisor, NULL, NULL);
    const LoopExpr *is_small = expr_op(arena, OP_LT, TYPE_BOOL, size, real_like(arena, divisor, small), NULL);
    const LoopExpr *is_large = expr_op(arena, OP_GT, TYPE_BOOL, size, real_like(arena, divisor, large), NULL);
    const LoopExpr *scale =
        expr_op(arena, OP_SELECT, TYPE_REAL, is_large, real_like(arena, divisor, small), real_like(arena, divisor, 1));
    return expr_op(arena, OP_SELECT, TYPE_REAL, is_small, real_like(arena, divisor, large), scale);
}

static const Inverse *find_inverse(const Lowering *l, const Scalar *divisor) {
    const Inverse *inverse = NULL;
    for (const Scope *scope = l->kernel->scope; scope && !inverse; scope = scope->parent)
        inverse = pointer_map_get(scope->inverses, divisor);
    return inverse;
}

static const Inverse *make_inverse(Lowering *l, const Scalar *quotient) {
    Arena *arena = arena_of(l);
    const Scalar *divisor = quotient->op.arg[1];
    Scope *home = home_scope(l, divisor);
    const LoopExpr *value = lower_arg(l, quotient, divisor);
    if (value->kind != LOOP_VAR)
        value = kernel_declare(l->kernel, home, "divisor", value);
    Inverse *inverse = arena_one(arena, Inverse);
    if (!is_moderate(l, divisor)) {
        inverse->scale = kernel_declare(l->kernel, home, "scale", scale_of(l, value));
        value = real_product(arena, value, inverse->scale);
    }
    const LoopExpr *reciprocal = expr_op(arena, OP_DIV, TYPE_REAL, real_like(arena, value, 1), value, NULL);
    inverse->reciprocal = kernel_declare(l->kernel, home, "inverse", reciprocal);
    pointer_map_put(home->inverses, divisor, inverse);
    return inverse;
}

static const LoopExpr *lower_quotient(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    const LoopExpr *x = lower_arg(l, s, s->op.arg[0]);
    if (s->op.arg[1]->kind == SCALAR_REAL)
        return real_product(arena, x, expr_real(arena, 1 / s->op.arg[1]->real));
    const Inverse *inverse = find_inverse(l, s->op.arg[1]);
    inverse = inverse ? inverse : make_inverse(l, s);
    if (inverse->scale)
        x = real_product(arena, x, inverse->scale);
    return real_product(arena, x, inverse->reciprocal);
}

static const LoopExpr *lower_op(Lowering *l, const Scalar *s) {
    switch (s->op.op) {
    case OP_AND: return lower_and(l, s);
    case OP_WITHIN: return lower_within(l, s);
    case OP_TO_REAL: return lower_to_real(l, s);
    case OP_RANDOM: return lower_random(l, s);
    case OP_SELECT: return lower_select(l, s);
    default: break;
    }
    if (s->type == TYPE_INT && !depends(s, l->vector_slot))
        return lower_integer_op(l, s);
    if (has_inverse(l, s))
        return lower_quotient(l, s);
    return lower_plain_op(l, s);
}

static const LoopExpr *lower_fresh(Lowering *l, const Scalar *s) {
    Arena *arena = arena_of(l);
    switch (s->kind) {
    case SCALAR_REAL: return expr_real(arena, s->real);
    case SCALAR_INT: return expr_int(arena, s->integer);
    case SCALAR_BOOL: return expr_bool(arena, s->integer != 0);
    case SCALAR_INDEX: return depends(s, l->vector_slot) ? lower_lane_index(l, s) : lower_index(l, s->index.slot);
    case SCALAR_RUNTIME: return expr_runtime(arena, s->runtime);
    case SCALAR_LOAD: return lower_load(l, s);
    case SCALAR_OP: break;
    }
    return lower_op(l, s);
}

/* ---- variables ---- */

/* A choice between integers, or a multiple of one: a place that few loops change. Left to itself, GCC writes the loops inside once for each. */
static bool is_choice(const Scalar *s) {
    if (s->kind != SCALAR_OP || s->type != TYPE_INT)
        return false;
    return s->op.op == OP_SELECT || (s->op.op == OP_MUL && (is_choice(s->op.arg[0]) || is_choice(s->op.arg[1])));
}

/* Worth a variable: what costs more than naming it. Sums of indices are left to the C compiler. */
static bool is_work(const Scalar *s) {
    return s->kind == SCALAR_LOAD || (s->kind == SCALAR_OP && (s->type == TYPE_REAL || s->has_load)) || is_choice(s);
}

static bool is_local_register(const Lowering *l, const Scalar *s) {
    if (s->kind != SCALAR_LOAD)
        return false;
    const LocalValue *local = pointer_map_get(l->kernel->local_of, s->load.tensor);
    return local && local->value;
}

static const char *wish_name(const Scalar *s) {
    return s->kind == SCALAR_LOAD ? node_short_name(s->load.tensor) : s->type == TYPE_INT ? "at" : "t";
}

/* Changes with fewer loops than its user: computing it once serves several of them. */
static bool outlives(const Lowering *l, const Scalar *s, const Scalar *user) {
    const Scope *home = home_scope(l, s);
    return home != (user ? home_scope(l, user) : l->kernel->scope);
}

static const LoopExpr *lower_bound(Lowering *l, const Scalar *s) {
    Scope *home = home_scope(l, s);
    const LoopExpr *value = lower_fresh(l, s);
    if (value->kind == LOOP_VAR || value->kind == LOOP_REAL)
        return value;
    value = kernel_declare(l->kernel, home, wish_name(s), expr_once(arena_of(l), value));
    pointer_map_put(home->known, s, (void *)(uintptr_t)value->var);
    return value;
}

/* `user` is NULL for a whole body. */
static const LoopExpr *lower_arg(Lowering *l, const Scalar *user, const Scalar *arg) {
    const LoopExpr *known = l->truths ? pointer_map_get(l->truths, arg) : NULL;
    known = known ? known : find_known(l, arg);
    if (known)
        return known;
    bool bind = is_work(arg) && !is_local_register(l, arg) && (is_shared(l, arg) || outlives(l, arg, user));
    if (is_choice(arg)) /* as a whole, and although the sum around it does not change more often */
        bind = !(user && is_choice(user)) && outlives(l, arg, NULL);
    if (bind && l->guarded && has_unsafe_load(arena_of(l), arg))
        bind = false;
    return bind ? lower_bound(l, arg) : lower_fresh(l, arg);
}

const LoopExpr *lower(Lowering *l, const Scalar *s) {
    return lower_arg(l, NULL, s);
}

/* ---- the tile ---- */

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
    Arena *arena = arena_of(l);
    close_axis(l, l->rows, l->tile_slot == l->vector_slot ? expr_lanes(arena) : expr_int(arena, 1), &l->row);
}

void lower_open_columns(Lowering *l) {
    open_axis(l, l->column_slot, l->columns, "c", &l->column);
}

void lower_close_columns(Lowering *l) {
    close_axis(l, l->columns, expr_int(arena_of(l), 1), &l->column);
}

static void share_columns(Lowering *l, const Scalar *s) {
    KernelBuilder *k = l->kernel;
    lower_open_columns(l);
    const LoopExpr *value = lower_fresh(l, s);
    Scope *inner = k->scope;
    k->scope = inner->parent;
    LoopVar *tile = kernel_tile(k, wish_name(s), value->type, value->vector, (int[]){1, l->columns});
    kernel_add(k, stmt_declare(k->arena, tile, NULL, true));
    k->scope = inner;
    kernel_add(k, stmt_assign(k->arena, expr_element(k->arena, tile, l->column, NULL), expr_once(k->arena, value)));
    lower_close_columns(l);
    pointer_map_put(k->scope->known, s, tile);
}

void lower_columns(Lowering *l, const Scalar *s) {
    if (l->rows == 1 || l->columns == 1 || !depends(s, l->column_slot) || find_known(l, s))
        return;
    if (!depends(s, l->tile_slot) && is_work(s)) {
        if (!is_local_register(l, s))
            share_columns(l, s);
        return;
    }
    /* The branches of a choice stay where they are chosen. */
    if (s->kind == SCALAR_OP && s->op.op != OP_SELECT)
        for (int i = 0; i < 3 && s->op.arg[i]; i++)
            lower_columns(l, s->op.arg[i]);
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
    if (is_local_register(l, load) || find_known(l, load))
        return;
    int first;
    LoopAddress address = tensor_address(l, load, &first);
    if (!lower_is_turned(l, load, first, &address))
        return;
    address = lower_address(l, load, first, address, false);
    LoopVar *tile = kernel_tile(k, wish_name(load), TYPE_REAL, true, (int[]){l->rows, 1});
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

/* In a branch that may not be chosen, only loads that are safe are made early. The stage's own values are not there yet. */
static void turn_loads(Lowering *l, const PlanStage *stage, const Scalar *s, bool guarded) {
    if (!depends(s, l->tile_slot) || !s->has_load)
        return;
    if (s->kind == SCALAR_LOAD && (!guarded || load_is_safe(s)) && !stage_makes(stage, s->load.tensor))
        turn_load(l, s);
    if (s->kind != SCALAR_OP)
        return;
    bool choice = s->op.op == OP_SELECT;
    const LoopExpr *test = choice ? settled(l, s->op.arg[0]) : NULL;
    if (test) {
        turn_loads(l, stage, s->op.arg[test->integer ? 1 : 2], guarded);
        return;
    }
    for (int i = 0; i < 3 && s->op.arg[i]; i++)
        turn_loads(l, stage, s->op.arg[i], guarded || (choice && i > 0));
}

void lower_turned(Lowering *l, const PlanStage *stage) {
    for (size_t i = stage->reduce != REDUCE_NONE; i < stage->nodes.count; i++)
        turn_loads(l, stage, stage->nodes.at[i].body, false);
}

const LoopExpr *lower_storable(Arena *arena, const LoopExpr *value) {
    if (value->type != TYPE_BOOL)
        return value;
    const LoopExpr *one = value->vector ? expr_splat(arena, expr_real(arena, 1)) : expr_int(arena, 1);
    const LoopExpr *zero = value->vector ? expr_splat(arena, expr_real(arena, 0)) : expr_int(arena, 0);
    return expr_op(arena, OP_SELECT, value->vector ? TYPE_REAL : TYPE_INT, value, one, zero);
}
