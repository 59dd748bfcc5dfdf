#include "loop/loop_check.h"

#include <inttypes.h>

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

static void check_pair(const LoopProgram *program, const LoopEntry *entry, const LiveRange *ranges, const Buffer *a,
                       const Buffer *b) {
    bool apart = buffer_end(program->graph, a) <= b->offset || buffer_end(program->graph, b) <= a->offset;
    LiveRange x = ranges[a->id], y = ranges[b->id];
    bool together = x.first <= y.last && y.first <= x.last;
    if (apart || !together)
        return;
    if (a->offset == b->offset && a->interleaved == b->interleaved && (replaces(entry, x, y) || replaces(entry, y, x)))
        return;
    diag_bug("place", a->node->origin.place, "%s and %s share memory", a->name, b->name);
}

/* While a kernel runs, its slices are its own. */
static void check_slices(const LoopProgram *program, const LoopEntry *entry, const LiveRange *ranges,
                         const Buffer *buffer) {
    LiveRange range = ranges[buffer->id];
    for (int k = range.first; k <= range.last; k++) {
        const Kernel *kernel = entry->kernels.at[k];
        if (kernel->slices < buffer_end(program->graph, buffer) && buffer->offset < kernel->slices_end)
            diag_bug("place", kernel->place, "%s has %s in its slices", kernel->name, buffer->name);
    }
}

static void check_memory(const LoopProgram *program, Arena *scratch, const LoopEntry *entry) {
    const LiveRange *ranges = live_ranges(scratch, entry);
    for (size_t i = 0; i < entry->buffers.count; i++) {
        const Buffer *a = entry->buffers.at[i];
        if (a->space != BUFFER_WORKSPACE)
            continue;
        if (a->offset % 64 != 0 || buffer_end(program->graph, a) > entry->workspace)
            diag_bug("place", a->node->origin.place, "%s has no place", a->name);
        check_slices(program, entry, ranges, a);
        for (size_t j = i + 1; j < entry->buffers.count; j++)
            if (entry->buffers.at[j]->space == BUFFER_WORKSPACE)
                check_pair(program, entry, ranges, a, entry->buffers.at[j]);
    }
}

/* ---- accesses ---- */

typedef struct Interval {
    int64_t low, high;
    bool known;
} Interval;

typedef struct AccessCheck {
    Arena *arena;
    const Kernel *kernel;
    int64_t lanes, n;
    PointerMap *intervals; /* LoopVar to Interval */
    bool last;             /* in the last iteration of a loop over lanes */
    bool decided;          /* no condition or bound around that depends on loop variables */
} AccessCheck;

static Interval point(int64_t value) {
    return (Interval){value, value, true};
}

static Interval interval_of(const AccessCheck *c, const LoopExpr *e);

static Interval multiply(Interval a, Interval b) {
    int64_t corners[] = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
    Interval product = {corners[0], corners[0], true};
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
        return (Interval){a.low % b.low, a.high % b.low, true};
    return (Interval){0, b.low - 1, true};
}

static Interval op_interval(const AccessCheck *c, const LoopExpr *e) {
    if (!e->op.arg[1] || e->op.arg[2])
        return (Interval){0};
    Interval a = interval_of(c, e->op.arg[0]), b = interval_of(c, e->op.arg[1]);
    if (!a.known || !b.known)
        return (Interval){0};
    switch (e->op.op) {
    case OP_ADD: return (Interval){a.low + b.low, a.high + b.high, true};
    case OP_SUB: return (Interval){a.low - b.high, a.high - b.low, true};
    case OP_MUL: return multiply(a, b);
    case OP_MIN: return (Interval){a.low < b.low ? a.low : b.low, a.high < b.high ? a.high : b.high, true};
    case OP_MAX: return (Interval){a.low > b.low ? a.low : b.low, a.high > b.high ? a.high : b.high, true};
    case OP_MOD: return remainder_of(a, b);
    case OP_FLOORDIV:
        return a.low >= 0 && b.low == b.high ? (Interval){a.low / b.low, a.high / b.low, true} : (Interval){0};
    case OP_LT: return a.high < b.low ? point(1) : a.low >= b.high ? point(0) : (Interval){0};
    default: return (Interval){0};
    }
}

static Interval interval_of(const AccessCheck *c, const LoopExpr *e) {
    switch (e->kind) {
    case LOOP_INT: return point(e->integer);
    case LOOP_LANES: return point(c->lanes);
    case LOOP_RUNTIME: return e->runtime == RUNTIME_N ? point(c->n) : (Interval){0};
    case LOOP_OP: return op_interval(c, e);
    case LOOP_VAR: {
        const Interval *interval = pointer_map_get(c->intervals, e->var);
        return interval ? *interval : (Interval){0};
    }
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
    return (Interval){last < 0 ? last : 0, last > 0 ? last : 0, count.known};
}

static int64_t array_elements(const AccessCheck *c, const LoopVar *array) {
    return array->elements * (array->per_lane ? c->lanes : 1) + array->slack;
}

static void check_address(AccessCheck *c, const LoopAddress *a) {
    check_expr(c, a->offset);
    Interval offset = interval_of(c, a->offset), span = lane_span(c, a);
    if (!c->decided || !offset.known || !span.known)
        return;
    int64_t elements = a->buffer ? a->buffer->elements + a->buffer->slack : array_elements(c, a->array);
    if (offset.low + span.low < 0 || offset.high + span.high >= elements)
        diag_bug("loops", c->kernel->place,
                 "%s accesses %s[%" PRId64 " .. %" PRId64 "] of %" PRId64 " (lanes %" PRId64 ", n %" PRId64 ")",
                 c->kernel->name, a->buffer ? a->buffer->name : a->array->name, offset.low + span.low,
                 offset.high + span.high, elements, c->lanes, c->n);
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
    bool lazy = e->kind == LOOP_OP && e->op.op == OP_SELECT && !e->op.arg[0]->vector;
    for (int i = 0; i < 3 && e->op.arg[i]; i++) {
        c->decided = decided && !(lazy && i > 0);
        check_expr(c, e->op.arg[i]);
    }
    c->decided = decided;
}

static void check_expr(AccessCheck *c, const LoopExpr *e) {
    switch (e->kind) {
    case LOOP_LOAD: check_address(c, &e->load); break;
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

/* The values of a loop's variable; unknown when its bounds depend on other variables. */
static Interval loop_interval(const AccessCheck *c, const LoopStmt *s) {
    Interval from = interval_of(c, s->loop.from), to = interval_of(c, s->loop.to), step = interval_of(c, s->loop.step);
    bool fixed = from.known && to.known && step.known && from.low == from.high && to.low == to.high;
    if (!fixed || step.low <= 0)
        return (Interval){0};
    int64_t last = from.low + (to.low - from.low - 1) / step.low * step.low;
    return (Interval){from.low, to.low > from.low ? last : from.low - 1, true};
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

/* Of a loop over lanes, the last iteration may be a part: it is looked at by itself, one vector of a tile after the other. */
static void check_for(AccessCheck *c, const LoopStmt *s) {
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
    check_iterations(c, s, (Interval){all.low, all.high - step, true});
    bool outer = c->last;
    c->last = true;
    check_iterations(c, s, point(all.high));
    c->last = outer;
}

static void check_if(AccessCheck *c, const LoopStmt *s) {
    bool decided = c->decided;
    Interval test = interval_of(c, s->branch.test);
    c->decided = decided && test.known;
    if (!test.known || test.high != 0)
        check_body(c, &s->branch.then);
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
            check_address(c, &s->store.to);
            check_expr(c, s->store.value);
            break;
        case LOOP_CALL: check_body(c, &s->call->body); break;
        case LOOP_MARK: break;
        }
    }
}

static void check_with(Arena *scratch, const Kernel *kernel, int64_t lanes, int64_t n) {
    AccessCheck c = {.arena = scratch, .kernel = kernel, .lanes = lanes, .n = n, .decided = true};
    c.intervals = pointer_map_new(scratch);
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

/* Whether an array is read, and written. */
typedef struct ArrayUse {
    const LoopVar *array;
    int reads, writes;
} ArrayUse;

static void note_access(void *context, const LoopAddress *address, bool is_store) {
    ArrayUse *use = context;
    use->reads += address->array == use->array && !is_store;
    use->writes += address->array == use->array && is_store;
}

/* The statements of an iteration between which the array's values matter. All of its accesses stand in these. */
static LiveRange array_range(const Kernel *kernel, const LoopVar *array) {
    LiveRange range = {INT32_MAX, -1};
    ArrayUse all = {.array = array}, found = {.array = array};
    loop_walk_body(&kernel->body, &(LoopVisitor){.address = note_access, .context = &all});
    for (size_t i = 0; i < kernel->iteration->count; i++) {
        ArrayUse use = {.array = array};
        loop_walk_stmt(kernel->iteration->at[i], &(LoopVisitor){.address = note_access, .context = &use});
        if (use.reads && !found.writes)
            diag_bug("place", kernel->place, "%s reads %s, which nothing has written", kernel->name, array->name);
        if (use.reads || use.writes)
            extend_range(&range, (int)i);
        found.reads += use.reads;
        found.writes += use.writes;
    }
    if (found.reads != all.reads || found.writes != all.writes)
        diag_bug("place", kernel->place, "%s is used outside of an iteration of %s", array->name, kernel->name);
    return range;
}

static void check_arrays(const LoopProgram *program, const Kernel *kernel, const LoopVar *a, const LoopVar *b) {
    size_t a_end = a->offset + array_bytes(program->graph, a), b_end = b->offset + array_bytes(program->graph, b);
    if (a_end <= b->offset || b_end <= a->offset)
        return;
    LiveRange x = array_range(kernel, a), y = array_range(kernel, b);
    if (a->type != b->type || (x.first <= y.last && y.first <= x.last))
        diag_bug("place", kernel->place, "%s and %s share memory in %s", a->name, b->name, kernel->name);
}

static void check_slice(const LoopProgram *program, const Kernel *kernel) {
    for (size_t i = 0; i < kernel->scratch.count; i++) {
        const LoopVar *a = kernel->scratch.at[i];
        array_range(kernel, a);
        if (a->offset % 64 != 0 || a->offset + array_bytes(program->graph, a) > kernel->slice)
            diag_bug("place", kernel->place, "%s has no place in the slice of %s", a->name, kernel->name);
        if (a->per_lane != kernel->scratch.at[0]->per_lane)
            diag_bug("place", kernel->place, "%s has slices of two kinds", kernel->name);
        for (size_t j = i + 1; j < kernel->scratch.count; j++)
            check_arrays(program, kernel, a, kernel->scratch.at[j]);
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
    AccessCheck c = {.arena = scratch, .kernel = kernel, .lanes = lanes, .n = n, .intervals = pointer_map_new(scratch)};
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
    check_slice(program, kernel);
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

void loop_check(const LoopProgram *program) {
    Arena *scratch = arena_new((ArenaFailure){0});
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        const LoopEntry *entry = &program->entries[kind];
        check_memory(program, scratch, entry);
        check_waits(program, entry);
        for (size_t i = 0; i < entry->kernels.count; i++) {
            check_shared_loops(entry->kernels.at[i], &entry->kernels.at[i]->body, false);
            check_accesses(program, scratch, entry->kernels.at[i]);
            check_scratch(program, scratch, entry, entry->kernels.at[i]);
        }
    }
    arena_free(scratch);
}
