#include "loop/loop_check.h"

#include <inttypes.h>
#include <stdlib.h>

#include "loop/loop_walk.h"
#include "loop/place.h"
#include "loop/waits.h"

/* ---- memory ---- */

typedef struct LiveRange {
    int first, last; /* kernels; first > last: unused */
} LiveRange;

static void extend_range(LiveRange *range, int kernel) {
    range->first = range->first < kernel ? range->first : kernel;
    range->last = kernel;
}

static void check_written(const Kernel *kernel, const Buffer *buffer, const LiveRange *range) {
    if (buffer->space == BUFFER_WORKSPACE && range->last < range->first)
        diag_bug("place", kernel->place, "%s reads %s, which nothing has written", kernel->name, buffer->name);
}

static LiveRange *live_ranges(Arena *arena, const LoopEntry *entry) {
    LiveRange *ranges = arena_array(arena, LiveRange, entry->buffers.count);
    for (size_t i = 0; i < entry->buffers.count; i++)
        ranges[i] = (LiveRange){INT32_MAX, -1};
    for (size_t k = 0; k < entry->kernels.count; k++) {
        const Kernel *kernel = entry->kernels.at[k];
        for (size_t i = 0; i < kernel->reads.count; i++) {
            check_written(kernel, kernel->reads.at[i], &ranges[kernel->reads.at[i]->id]);
            extend_range(&ranges[kernel->reads.at[i]->id], (int)k);
        }
        for (size_t i = 0; i < kernel->writes.count; i++)
            extend_range(&ranges[kernel->writes.at[i]->id], (int)k);
    }
    return ranges;
}

/* `next` takes the place of `last`, whose last reader writes it. */
static bool replaces(const LoopEntry *entry, LiveRange last, LiveRange next) {
    return last.last == next.first && last.first < next.first && entry->kernels.at[next.first]->aliased;
}

/* Two buffers with bytes in common. */
static void check_pair(const LoopEntry *entry, const LiveRange *ranges, const Buffer *a, const Buffer *b) {
    LiveRange x = ranges[a->id], y = ranges[b->id];
    bool together = x.first <= y.last && y.first <= x.last;
    if (!together)
        return;
    if (a->offset == b->offset && a->interleaved == b->interleaved && (replaces(entry, x, y) || replaces(entry, y, x)))
        return;
    diag_bug("place", a->node->origin.place, "%s and %s share memory", a->name, b->name);
}

static int compare_offsets(const void *a, const void *b) {
    const Buffer *x = *(Buffer *const *)a, *y = *(Buffer *const *)b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

/* In the order of their places, those that begin before one ends share bytes with it. */
static void check_places(const LoopProgram *program, Arena *scratch, const LoopEntry *entry, const LiveRange *ranges) {
    VEC(Buffer *) placed = {0};
    for (size_t i = 0; i < entry->buffers.count; i++)
        if (entry->buffers.at[i]->space == BUFFER_WORKSPACE)
            vec_push(scratch, &placed, entry->buffers.at[i]);
    if (placed.count > 0)
        qsort(placed.at, placed.count, sizeof *placed.at, compare_offsets);
    for (size_t i = 0; i < placed.count; i++) {
        const Buffer *a = placed.at[i];
        if (a->offset % 64 != 0 || buffer_end(program->graph, a) > entry->workspace)
            diag_bug("place", a->node->origin.place, "%s has no place", a->name);
        for (size_t j = i + 1; j < placed.count && placed.at[j]->offset < buffer_end(program->graph, a); j++)
            check_pair(entry, ranges, a, placed.at[j]);
    }
}

/* While a kernel runs, its slices are its own. */
static void check_slices(const LoopProgram *program, const LoopEntry *entry, const LiveRange *ranges) {
    for (size_t k = 0; k < entry->kernels.count; k++) {
        const Kernel *kernel = entry->kernels.at[k];
        for (size_t i = 0; i < entry->buffers.count && kernel->slices < kernel->slices_end; i++) {
            const Buffer *buffer = entry->buffers.at[i];
            LiveRange range = ranges[buffer->id];
            bool shares = kernel->slices < buffer_end(program->graph, buffer) && buffer->offset < kernel->slices_end;
            if (buffer->space == BUFFER_WORKSPACE && range.first <= (int)k && (int)k <= range.last && shares)
                diag_bug("place", kernel->place, "%s has %s in its slices", kernel->name, buffer->name);
        }
    }
}

static void check_memory(const LoopProgram *program, Arena *scratch, const LoopEntry *entry) {
    const LiveRange *ranges = live_ranges(scratch, entry);
    check_places(program, scratch, entry, ranges);
    check_slices(program, entry, ranges);
}

/* ---- accesses ---- */

typedef struct Interval {
    int64_t low, high;
    bool known;
    int64_t unit; /* all values are `low` and a multiple of it; 0: any */
    bool chosen;  /* by data: nothing but a condition around says where it lies */
} Interval;

/* What stores at places that data choose may touch. */
typedef struct ChosenStore {
    const LoopAddress *to;
    Interval elements;
} ChosenStore;

typedef VEC(ChosenStore) ChosenStores;

typedef struct AccessCheck {
    Arena *arena;
    const Kernel *kernel;
    int64_t lanes, n;
    PointerMap *intervals; /* LoopVar to Interval */
    PointerMap *data;      /* LoopVar to the Interval that data of classes leave it */
    bool reads;            /* the address is one of a load */
    bool trusts;           /* loads of such data have intervals */
    bool last;             /* in the last iteration of a loop over lanes */
    bool decided;          /* no condition or bound around that depends on loop variables */
    ChosenStores *chosen;  /* are noted here; NULL: nowhere */
} AccessCheck;

static Interval between(int64_t low, int64_t high) {
    return (Interval){.low = low, .high = high, .known = true};
}

static Interval point(int64_t value) {
    return between(value, value);
}

static Interval interval_of(const AccessCheck *c, const LoopExpr *e);

static Interval multiply(Interval a, Interval b) {
    int64_t corners[] = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
    Interval product = between(corners[0], corners[0]);
    for (int i = 1; i < 4; i++) {
        product.low = corners[i] < product.low ? corners[i] : product.low;
        product.high = corners[i] > product.high ? corners[i] : product.high;
    }
    return product;
}

static Interval remainder_of(Interval a, Interval b) {
    if (a.low < 0 || b.low != b.high)
        return (Interval){0};
    if (a.low / b.low == a.high / b.low)
        return between(a.low % b.low, a.high % b.low);
    return between(0, b.low - 1);
}

static Interval op_interval(const AccessCheck *c, const LoopExpr *e) {
    if (!e->op.arg[1] || e->op.arg[2])
        return (Interval){0};
    Interval a = interval_of(c, e->op.arg[0]), b = interval_of(c, e->op.arg[1]);
    if (e->op.op == OP_TO_INDEX && b.known)
        return between(0, b.high - 1);
    if (!a.known || !b.known)
        return (Interval){0};
    switch (e->op.op) {
    case OP_ADD: return between(a.low + b.low, a.high + b.high);
    case OP_SUB: return between(a.low - b.high, a.high - b.low);
    case OP_MUL: return multiply(a, b);
    case OP_MIN: return between(a.low < b.low ? a.low : b.low, a.high < b.high ? a.high : b.high);
    case OP_MAX: return between(a.low > b.low ? a.low : b.low, a.high > b.high ? a.high : b.high);
    case OP_MOD: return remainder_of(a, b);
    case OP_FLOORDIV: return a.low >= 0 && b.low == b.high ? between(a.low / b.low, a.high / b.low) : (Interval){0};
    case OP_GT: return a.low > b.high ? point(1) : a.high <= b.low ? point(0) : (Interval){0};
    case OP_LT: return a.high < b.low ? point(1) : a.low >= b.high ? point(0) : (Interval){0};
    default: return (Interval){0};
    }
}

/* Of classes and indices, which are checked when data arrive. */
static Interval data_interval(const LoopExpr *load) {
    const Node *node = !load->vector && load->load.buffer ? load->load.buffer->node : NULL;
    bool bounded = node && node->kind == NODE_INPUT && node->type == TYPE_INT && node->leaf.classes > 0;
    return bounded ? between(0, node->leaf.classes - 1) : (Interval){0};
}

/* What is read where data choose is there when the data are right; what is stored has to be where a condition says. */
static Interval var_interval(const AccessCheck *c, const LoopVar *var) {
    const Interval *told = pointer_map_get(c->intervals, var);
    Interval interval = told ? *told : (Interval){0};
    const Interval *data = interval.chosen && interval.known && c->reads ? pointer_map_get(c->data, var) : NULL;
    if (data && data->low > interval.low)
        interval.low = data->low;
    if (data && data->high < interval.high)
        interval.high = data->high;
    return interval;
}

static Interval interval_of(const AccessCheck *c, const LoopExpr *e) {
    switch (e->kind) {
    case LOOP_INT: return point(e->integer);
    case LOOP_LANES: return point(c->lanes);
    case LOOP_RUNTIME: return e->runtime == RUNTIME_N ? point(c->n) : (Interval){0};
    case LOOP_OP: return op_interval(c, e);
    case LOOP_VAR: return var_interval(c, e->var);
    case LOOP_LOAD: return c->trusts ? data_interval(e) : (Interval){0};
    default: return (Interval){0};
    }
}

static void check_expr(AccessCheck *c, const LoopExpr *e);
static void check_body(AccessCheck *c, const LoopBody *body);

/* What the lanes add to the offset of the first one. */
static Interval lane_span(const AccessCheck *c, const LoopAddress *a) {
    if (a->access == ACCESS_SCALAR)
        return point(0);
    bool part = a->access == ACCESS_PART || a->access == ACCESS_STRIDED_PART;
    bool strided = a->access == ACCESS_STRIDED || a->access == ACCESS_STRIDED_PART;
    Interval count = part ? interval_of(c, a->count) : point(c->lanes);
    count.high = count.high < c->lanes ? count.high : c->lanes;
    int64_t last = (count.high - 1) * (strided ? a->stride : 1);
    if (count.known && count.high <= 0)
        return (Interval){0};
    return (Interval){.low = last < 0 ? last : 0, .high = last > 0 ? last : 0, .known = count.known};
}

static int64_t array_elements(const AccessCheck *c, const LoopVar *array) {
    return array->elements * (array->per_lane ? c->lanes : 1) + array->slack;
}

static bool is_chosen(const AccessCheck *c, const LoopExpr *e) {
    const Interval *interval = e->kind == LOOP_VAR ? pointer_map_get(c->intervals, e->var) : NULL;
    bool chosen = interval && interval->chosen;
    for (int i = 0; e->kind == LOOP_OP && i < 3 && e->op.arg[i] && !chosen; i++)
        chosen = is_chosen(c, e->op.arg[i]);
    return chosen;
}

/* At the address there are `rows` neighbours. */
static void check_rows(AccessCheck *c, const LoopAddress *a, int rows) {
    check_expr(c, a->offset);
    Interval offset = interval_of(c, a->offset), span = lane_span(c, a);
    span.high += rows - 1;
    if (!c->decided || !offset.known || !span.known)
        return;
    int64_t elements = a->buffer ? a->buffer->elements + a->buffer->slack : array_elements(c, a->array);
    if (offset.low + span.low < 0 || offset.high + span.high >= elements)
        diag_bug("loops", c->kernel->place,
                 "%s accesses %s[%" PRId64 " .. %" PRId64 "] of %" PRId64 " (lanes %" PRId64 ", n %" PRId64 ")",
                 c->kernel->name, a->buffer ? a->buffer->name : a->array->name, offset.low + span.low,
                 offset.high + span.high, elements, c->lanes, c->n);
}

static void check_address(AccessCheck *c, const LoopAddress *a) {
    check_rows(c, a, 1);
}

static void check_load(AccessCheck *c, const LoopAddress *from) {
    bool outer = c->reads;
    c->reads = true;
    check_address(c, from);
    c->reads = outer;
}

/* Where data choose the place, a condition has to say that it exists. */
static void check_store(AccessCheck *c, const LoopAddress *to) {
    check_address(c, to);
    Interval offset = interval_of(c, to->offset), span = lane_span(c, to);
    if (!offset.known)
        diag_bug("loops", c->kernel->place, "%s stores %s anywhere", c->kernel->name,
                 to->buffer ? to->buffer->name : to->array->name);
    if (c->chosen && span.known && is_chosen(c, to->offset))
        vec_push(c->arena, c->chosen, ((ChosenStore){to, between(offset.low + span.low, offset.high + span.high)}));
}

static void check_turn(AccessCheck *c, const LoopStmt *s) {
    const LoopVar *tile = s->turn.tile;
    const LoopAddress *a = &s->turn.at;
    bool reals = (a->buffer ? a->buffer->type : a->array->type) == TYPE_REAL;
    bool strided = a->access == ACCESS_STRIDED || a->access == ACCESS_STRIDED_PART;
    if (tile->rank != 1 || !tile->vector || tile->type != TYPE_REAL || !reals || !strided)
        diag_bug("loops", c->kernel->place, "%s turns %s, which is no tile of lanes", c->kernel->name, tile->name);
    check_rows(c, a, tile->size[0]);
}

static void check_apply(const AccessCheck *c, const LoopStmt *s) {
    const LoopVar *tile = s->apply.tile;
    if (tile->rank != 1 || !tile->vector || tile->type != TYPE_REAL || tile->size[0] > MOST_TURNS ||
        !op_info(s->apply.op)->c_tile)
        diag_bug("loops", c->kernel->place, "%s applies a function to %s", c->kernel->name, tile->name);
}

/* Tiles are indexed by unrolled loops, whose ranges are known. */
static void check_element(const AccessCheck *c, const LoopVar *tile, const LoopExpr *const at[2]) {
    for (int i = 0; i < tile->rank; i++) {
        Interval interval = interval_of(c, at[i]);
        if (!interval.known || interval.low < 0 || interval.high >= tile->size[i])
            diag_bug("loops", c->kernel->place, "%s has no such element of %s", c->kernel->name, tile->name);
    }
}

static void check_op(AccessCheck *c, const LoopExpr *e) {
    bool decided = c->decided;
    bool lazy = e->kind == LOOP_OP && !e->op.arg[0]->vector;
    for (int i = 0; i < 3 && e->op.arg[i]; i++) {
        c->decided = decided && !(lazy && op_is_conditional(e->op.op, i));
        check_expr(c, e->op.arg[i]);
    }
    c->decided = decided;
}

static void check_expr(AccessCheck *c, const LoopExpr *e) {
    switch (e->kind) {
    case LOOP_LOAD: check_load(c, &e->load); break;
    case LOOP_OP:
    case LOOP_FMA: check_op(c, e); break;
    case LOOP_SPLAT:
    case LOOP_FIRST:
    case LOOP_HORIZONTAL: check_expr(c, e->unary.value); break;
    case LOOP_REAL:
    case LOOP_INT:
    case LOOP_BOOL:
    case LOOP_LANES:
    case LOOP_VAR:
    case LOOP_RUNTIME:
    case LOOP_IOTA: break;
    case LOOP_SUMS:
    case LOOP_ELEMENT: check_element(c, e->element.tile, e->element.at); break;
    }
}

/* The values of a loop's variable: at most these, when its bounds depend on other variables. */
static Interval loop_interval(const AccessCheck *c, const LoopStmt *s) {
    Interval from = interval_of(c, s->loop.from), to = interval_of(c, s->loop.to), step = interval_of(c, s->loop.step);
    bool fixed = from.low == from.high && to.low == to.high;
    if (!from.known || !to.known || !step.known || step.low <= 0)
        return (Interval){0};
    bool whole_steps = from.unit > 0 && from.unit % step.low == 0 && step.low == step.high;
    if (!fixed && !whole_steps)
        return between(from.low, to.high - 1);
    int64_t last = from.low + (to.high - from.low - 1) / step.low * step.low;
    int64_t unit = fixed ? step.low : 0;
    return (Interval){.low = from.low, .high = to.high > from.low ? last : from.low - 1, .known = true, .unit = unit};
}

static void check_iterations(AccessCheck *c, const LoopStmt *s, Interval iterations) {
    bool decided = c->decided;
    Interval *interval = arena_one(c->arena, Interval);
    *interval = iterations;
    if (interval->known && interval->high < interval->low)
        return;
    c->decided = decided && interval->known;
    pointer_map_put(c->intervals, s->loop.var, interval);
    check_body(c, &s->loop.body);
    c->decided = decided;
}

static ChosenStores chosen_stores(AccessCheck *c, const LoopStmt *s, int64_t iteration) {
    ChosenStores stores = {0};
    ChosenStores *outer = c->chosen;
    c->chosen = &stores;
    check_iterations(c, s, point(iteration));
    c->chosen = outer;
    return stores;
}

/* Iterations that different threads may run choose places of their own. */
static void check_apart(AccessCheck *c, const LoopStmt *s, int64_t one, int64_t other) {
    const ChosenStores a = chosen_stores(c, s, one), b = chosen_stores(c, s, other);
    for (size_t i = 0; i < a.count; i++)
        for (size_t j = 0; j < b.count; j++) {
            const ChosenStore *x = &a.at[i], *y = &b.at[j];
            bool meet = x->elements.low <= y->elements.high && y->elements.low <= x->elements.high;
            if (x->to->buffer && x->to->buffer == y->to->buffer && meet)
                diag_bug("threads", c->kernel->place, "threads store the same of %s", x->to->buffer->name);
        }
}

/* The first two iterations and the last two stand for all. */
static void check_shared_places(AccessCheck *c, const LoopStmt *s) {
    Interval all = loop_interval(c, s), step = interval_of(c, s->loop.step);
    if (!all.known)
        diag_bug("threads", c->kernel->place, "nobody knows what threads share in %s", c->kernel->name);
    if (all.high < all.low + step.low)
        return;
    check_apart(c, s, all.low, all.low + step.low);
    check_apart(c, s, all.high - step.low, all.high);
}

/* Of a loop over lanes, the last iteration may be a part: it is looked at by itself, one vector of a tile after the other. */
static void check_loop(AccessCheck *c, const LoopStmt *s) {
    Interval all = loop_interval(c, s);
    bool over_lanes = s->loop.step->kind != LOOP_INT, one_by_one = c->last && s->loop.mode == LOOP_UNROLLED;
    if (!all.known || all.high < all.low || !(over_lanes || one_by_one)) {
        check_iterations(c, s, all);
        return;
    }
    if (one_by_one) {
        for (int64_t i = all.low; i <= all.high; i++)
            check_iterations(c, s, point(i));
        return;
    }
    int64_t step = interval_of(c, s->loop.step).low;
    check_iterations(c, s, between(all.low, all.high - step));
    bool outer = c->last;
    c->last = true;
    check_iterations(c, s, point(all.high));
    c->last = outer;
}

static void check_for(AccessCheck *c, const LoopStmt *s) {
    ChosenStores stores = {0}, *outer = c->chosen;
    c->chosen = s->loop.mode == LOOP_PARALLEL ? &stores : outer;
    check_loop(c, s);
    c->chosen = outer;
    if (stores.count > 0)
        check_shared_places(c, s);
}

/* Of a variable that data choose: at most what `var >= e` or `var < e` leaves of it. */
static void narrow(const AccessCheck *c, const LoopExpr *test, Interval *interval) {
    const Interval bound = interval_of(c, test->op.arg[1]);
    if (!bound.known)
        return;
    if (test->op.op == OP_GE && bound.low > interval->low)
        interval->low = bound.low;
    if (test->op.op == OP_LT && bound.high - 1 < interval->high)
        interval->high = bound.high - 1;
    interval->known = interval->low != INT64_MIN && interval->high != INT64_MAX;
}

/* The condition says where such variables lie, and nothing else. They are put back afterwards. */
static bool note_choice(AccessCheck *c, const LoopExpr *test, bool inside) {
    if (test->kind != LOOP_OP)
        return false;
    if (test->op.op == OP_AND) {
        bool first = note_choice(c, test->op.arg[0], inside), second = note_choice(c, test->op.arg[1], inside);
        return first && second;
    }
    if ((test->op.op != OP_GE && test->op.op != OP_LT) || test->op.arg[0]->kind != LOOP_VAR)
        return false;
    const LoopVar *var = test->op.arg[0]->var;
    const Interval *known = pointer_map_get(c->intervals, var);
    if (var->type != TYPE_INT || var->vector || (known && known->known && !known->chosen))
        return false;
    Interval *interval = arena_one(c->arena, Interval);
    *interval = known && known->chosen ? *known : (Interval){.low = INT64_MIN, .high = INT64_MAX, .chosen = true};
    if (inside)
        narrow(c, test, interval);
    else
        *interval = (Interval){0};
    pointer_map_put(c->intervals, var, interval);
    return true;
}

static void check_if(AccessCheck *c, const LoopStmt *s) {
    bool decided = c->decided;
    Interval test = interval_of(c, s->branch.test);
    bool choice = note_choice(c, s->branch.test, true);
    c->decided = decided && (test.known || choice);
    if (!test.known || test.high != 0)
        check_body(c, &s->branch.then);
    note_choice(c, s->branch.test, false);
    c->decided = decided && test.known;
    if (!test.known || test.low == 0)
        check_body(c, &s->branch.otherwise);
    c->decided = decided;
}

static void check_declare(AccessCheck *c, const LoopStmt *s) {
    if (!s->declare.init)
        return;
    check_expr(c, s->declare.init);
    if (s->declare.mutable)
        return;
    Interval *interval = arena_one(c->arena, Interval);
    *interval = interval_of(c, s->declare.init);
    pointer_map_put(c->intervals, s->declare.var, interval);
    c->trusts = true;
    Interval *data = arena_one(c->arena, Interval);
    *data = interval_of(c, s->declare.init);
    c->trusts = false;
    if (data->known)
        pointer_map_put(c->data, s->declare.var, data);
}

static void check_body(AccessCheck *c, const LoopBody *body) {
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *s = body->at[i];
        switch (s->kind) {
        case LOOP_FOR: check_for(c, s); break;
        case LOOP_IF: check_if(c, s); break;
        case LOOP_DECLARE: check_declare(c, s); break;
        case LOOP_SET:
            check_element(c, s->set.var, s->set.at);
            check_expr(c, s->set.value);
            break;
        case LOOP_STORE:
            check_store(c, &s->store.to);
            check_expr(c, s->store.value);
            break;
        case LOOP_TURN: check_turn(c, s); break;
        case LOOP_APPLY: check_apply(c, s); break;
        case LOOP_CALL: check_body(c, &s->call->body); break;
        case LOOP_FETCH: check_address(c, &s->fetch.at); break;
        case LOOP_FENCE:
        case LOOP_MARK: break;
        }
    }
}

static void check_with(Arena *scratch, const Kernel *kernel, int64_t lanes, int64_t n) {
    AccessCheck c = {.arena = scratch, .kernel = kernel, .lanes = lanes, .n = n, .decided = true};
    c.intervals = pointer_map_new(scratch);
    c.data = pointer_map_new(scratch);
    check_body(&c, &kernel->body);
}

/* For every number of lanes, and for a single sample, which the widest vectors overrun most. */
static void check_accesses(const LoopProgram *program, Arena *scratch, const Kernel *kernel) {
    int64_t most = most_lanes(program->graph);
    int64_t largest = program->graph->batch.size > 0 ? program->graph->batch.size : 1;
    for (int64_t lanes = 1; lanes <= most; lanes *= 2)
        check_with(scratch, kernel, lanes, largest);
    if (largest > 1 && program->graph->batch.per_sample)
        check_with(scratch, kernel, most, 1);
}

/* ---- scratch memory ---- */

/* What the statements of an iteration do to an array. */
typedef struct ArrayUse {
    LiveRange range;             /* the statements between which its values matter */
    int first_read, first_write; /* statements */
    int inside, all;             /* accesses in the iteration, and in the whole kernel */
} ArrayUse;

typedef struct ArrayUses {
    PointerMap *of; /* array to its use */
    int at;         /* the statement that is looked at; -1: the whole kernel */
} ArrayUses;

static void note_access(void *context, const LoopAddress *address, bool is_store) {
    const ArrayUses *uses = context;
    ArrayUse *use = address->array ? pointer_map_get(uses->of, address->array) : NULL;
    if (!use)
        return;
    use->all += uses->at < 0;
    if (uses->at < 0)
        return;
    use->inside++;
    extend_range(&use->range, uses->at);
    int *first = is_store ? &use->first_write : &use->first_read;
    *first = uses->at < *first ? uses->at : *first;
}

/* Of the arrays in scratch memory, in their order. */
static ArrayUse *array_uses(Arena *arena, const Kernel *kernel) {
    ArrayUses uses = {.of = pointer_map_new(arena), .at = -1};
    ArrayUse *list = arena_array(arena, ArrayUse, kernel->scratch.count);
    for (size_t i = 0; i < kernel->scratch.count; i++) {
        list[i] = (ArrayUse){.range = {INT32_MAX, -1}, .first_read = INT32_MAX, .first_write = INT32_MAX};
        pointer_map_put(uses.of, kernel->scratch.at[i], &list[i]);
    }
    const LoopVisitor visitor = {.address = note_access, .context = &uses};
    loop_walk_body(&kernel->body, &visitor);
    for (uses.at = 0; uses.at < (int)kernel->iteration->count; uses.at++)
        loop_walk_stmt(kernel->iteration->at[uses.at], &visitor);
    return list;
}

static void check_use(const Kernel *kernel, const LoopVar *array, const ArrayUse *use) {
    if (use->first_read < INT32_MAX && use->first_read <= use->first_write)
        diag_bug("place", kernel->place, "%s reads %s, which nothing has written", kernel->name, array->name);
    if (use->inside != use->all)
        diag_bug("place", kernel->place, "%s is used outside of an iteration of %s", array->name, kernel->name);
}

static bool share_bytes(const LoopProgram *program, const LoopVar *a, const LoopVar *b) {
    return a->offset < b->offset + array_bytes(program->graph, b) &&
           b->offset < a->offset + array_bytes(program->graph, a);
}

static void check_slice(const LoopProgram *program, Arena *scratch, const Kernel *kernel) {
    const ArrayUse *uses = array_uses(scratch, kernel);
    for (size_t i = 0; i < kernel->scratch.count; i++) {
        const LoopVar *a = kernel->scratch.at[i];
        check_use(kernel, a, &uses[i]);
        if (a->offset % 64 != 0 || a->offset + array_bytes(program->graph, a) > kernel->slice)
            diag_bug("place", kernel->place, "%s has no place in the slice of %s", a->name, kernel->name);
        if (a->per_lane != kernel->scratch.at[0]->per_lane)
            diag_bug("place", kernel->place, "%s has slices of two kinds", kernel->name);
        for (size_t j = i + 1; j < kernel->scratch.count; j++) {
            const LoopVar *b = kernel->scratch.at[j];
            const LiveRange *x = &uses[i].range, *y = &uses[j].range;
            bool together = a->type != b->type || (x->first <= y->last && y->first <= x->last);
            if (together && share_bytes(program, a, b))
                diag_bug("place", kernel->place, "%s and %s share memory in %s", a->name, b->name, kernel->name);
        }
    }
}

static bool contains(const LoopBody *body, const LoopBody *inner) {
    bool found = body == inner;
    for (size_t i = 0; i < body->count && !found; i++)
        found = body->at[i]->kind == LOOP_FOR && contains(&body->at[i]->loop.body, inner);
    return found;
}

/* The loop around an iteration that threads share; NULL: none. */
static const LoopStmt *shared_loop(const LoopBody *body, const LoopBody *iteration) {
    const LoopStmt *loop = NULL;
    for (size_t i = 0; i < body->count && !loop; i++) {
        const LoopStmt *s = body->at[i];
        if (s->kind == LOOP_FOR && contains(&s->loop.body, iteration))
            loop = s->loop.mode == LOOP_PARALLEL ? s : shared_loop(&s->loop.body, iteration);
    }
    return loop;
}

/* Threads that have iterations are as many as the loop has, or as there are; each of them has a slice. */
static void check_threads(const LoopProgram *program, Arena *scratch, const LoopEntry *entry, const Kernel *kernel,
                          int64_t lanes) {
    int64_t n = program->graph->batch.size > 0 ? program->graph->batch.size : 1, threads = 1;
    AccessCheck c = {.arena = scratch, .kernel = kernel, .lanes = lanes, .n = n};
    c.intervals = pointer_map_new(scratch);
    c.data = pointer_map_new(scratch);
    if (kernel->parallel) {
        const LoopStmt *loop = shared_loop(&kernel->body, kernel->iteration);
        Interval iterations = loop ? loop_interval(&c, loop) : (Interval){0};
        if (!iterations.known)
            diag_bug("threads", kernel->place, "threads use the slices of %s together", kernel->name);
        threads = (iterations.high - iterations.low) / interval_of(&c, loop->loop.step).low + 1;
        threads = threads < entry->threads ? threads : entry->threads;
    }
    size_t slice = kernel->slice * (size_t)(kernel->scratch.at[0]->per_lane ? lanes : 1);
    if (kernel->slices + slice * (size_t)threads > kernel->slices_end)
        diag_bug("threads", kernel->place, "%s has no slice for each thread", kernel->name);
}

static void check_scratch(const LoopProgram *program, Arena *scratch, const LoopEntry *entry, const Kernel *kernel) {
    if (kernel->scratch.count == 0)
        return;
    check_slice(program, scratch, kernel);
    if (kernel->slice % 64 != 0 || kernel->slices % 64 != 0 || kernel->slices_end > entry->workspace)
        diag_bug("place", kernel->place, "the slices of %s have no place", kernel->name);
    for (int64_t lanes = 1; lanes <= most_lanes(program->graph); lanes *= 2)
        check_threads(program, scratch, entry, kernel, lanes);
}

/* Kernels that no wait stands between do not touch each other's memory. */
static void check_waits(const LoopProgram *program, const LoopEntry *entry) {
    size_t first = 0;
    for (size_t k = 0; entry->parallel && k < entry->kernels.count; k++) {
        const Kernel *kernel = entry->kernels.at[k];
        first = kernel->waits ? k : first;
        for (size_t i = first; i < k; i++)
            if (kernels_conflict(program, entry->kernels.at[i], kernel))
                diag_bug("waits", kernel->place, "%s does not wait for %s", kernel->name, entry->kernels.at[i]->name);
    }
}

/* ---- sharing ---- */

/* All threads run such a kernel: what it stores, each element is stored by one of them. */
static void check_shared_loops(const Kernel *kernel, const LoopBody *body, bool shared) {
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *s = body->at[i];
        bool is_shared = s->kind == LOOP_FOR && s->loop.mode == LOOP_PARALLEL;
        if (is_shared && (shared || !kernel->parallel))
            diag_bug("threads", kernel->place, "%s shares a loop where it must not", kernel->name);
        if (s->kind == LOOP_STORE && s->store.to.buffer && kernel->parallel && !shared)
            diag_bug("threads", kernel->place, "every thread stores %s", s->store.to.buffer->name);
        if (s->kind == LOOP_FOR)
            check_shared_loops(kernel, &s->loop.body, shared || is_shared);
        if (s->kind == LOOP_CALL)
            check_shared_loops(kernel, &s->call->body, shared);
        if (s->kind == LOOP_IF) {
            check_shared_loops(kernel, &s->branch.then, shared);
            check_shared_loops(kernel, &s->branch.otherwise, shared);
        }
    }
}

/* ---- stores past the caches ---- */

static bool has_streams(const Kernel *kernel, const LoopBody *body) {
    bool found = false;
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *s = body->at[i];
        if (s->kind == LOOP_STORE && s->store.to.streams) {
            found = true;
            if (s->store.to.access != ACCESS_CONTIGUOUS || !s->store.to.buffer)
                diag_bug("loops", kernel->place, "%s streams what is no vector in memory", kernel->name);
        }
        if (s->kind == LOOP_FOR)
            found |= has_streams(kernel, &s->loop.body);
        if (s->kind == LOOP_IF)
            found |= has_streams(kernel, &s->branch.then) || has_streams(kernel, &s->branch.otherwise);
    }
    return found;
}

/* They are seen before the kernel ends, by all threads. */
static void check_fence(const Kernel *kernel) {
    const LoopBody *body = &kernel->body;
    if (has_streams(kernel, body) && body->at[body->count - 1]->kind != LOOP_FENCE)
        diag_bug("loops", kernel->place, "%s leaves its streams open", kernel->name);
}

void loop_check(const LoopProgram *program) {
    Arena *scratch = arena_new((ArenaFailure){0});
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        const LoopEntry *entry = &program->entries[kind];
        check_memory(program, scratch, entry);
        check_waits(program, entry);
        for (size_t i = 0; i < entry->kernels.count; i++) {
            check_shared_loops(entry->kernels.at[i], &entry->kernels.at[i]->body, false);
            check_fence(entry->kernels.at[i]);
            check_accesses(program, scratch, entry->kernels.at[i]);
            check_scratch(program, scratch, entry, entry->kernels.at[i]);
        }
    }
    arena_free(scratch);
}
