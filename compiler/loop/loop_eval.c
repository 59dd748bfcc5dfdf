#include "loop/loop_eval.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

/* A scalar or the lanes of a vector; integers and conditions as doubles. */
typedef struct Value {
    double at[MOST_LANES];
} Value;

typedef struct Cell {
    double value;
    bool written;
} Cell;

typedef struct Memory {
    Cell *cells; /* of this buffer; the workspace's are shared, one for every 4 bytes */
    int64_t stride;
} Memory;

typedef struct Variable Variable;
struct Variable {
    Value value;
    bool set;
    Cell *array;        /* not of scratch memory */
    Variable *elements; /* of a tile */
};

struct LoopResult {
    Arena *arena;
    const LoopProgram *program;
    const LoopEntry *entry;
    const LoopRun *run;
    Memory *memory;        /* by buffer id */
    Cell *workspace;       /* one for every 4 bytes */
    int64_t thread;        /* which one runs the iteration, in loops that threads share */
    PointerMap *variables; /* LoopVar to Variable */
    const Kernel *kernel;
};

static void fault(const LoopResult *r, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

static void fault(const LoopResult *r, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(r->arena, format, args);
    va_end(args);
    diag_bug("loop_eval", r->kernel->place, "%s: %s", r->kernel->name, what);
}

/* Elements of a row buffer. */
static int64_t array_elements(const LoopResult *r, const LoopVar *var) {
    return var->elements * (var->per_lane ? r->run->lanes : 1) + var->slack;
}

static int tile_elements(const LoopVar *var) {
    return var->size[0] * (var->rank > 1 ? var->size[1] : 1);
}

static Variable *variable(LoopResult *r, const LoopVar *var) {
    Variable *v = pointer_map_get(r->variables, var);
    if (!v) {
        v = arena_one(r->arena, Variable);
        if (var->elements && !var->scratch)
            v->array = arena_array(r->arena, Cell, (size_t)array_elements(r, var));
        if (var->rank)
            v->elements = arena_array(r->arena, Variable, (size_t)tile_elements(var));
        pointer_map_put(r->variables, var, v);
    }
    return v;
}

/* ---- expressions ---- */

static Value eval(LoopResult *r, const LoopExpr *e);

static int64_t eval_int(LoopResult *r, const LoopExpr *e) {
    return (int64_t)eval(r, e).at[0];
}

/* The variable itself, or the element of a tile. */
static Variable *element_of(LoopResult *r, const LoopVar *var, const LoopExpr *const at[2]) {
    Variable *v = variable(r, var);
    int64_t position = 0;
    for (int i = 0; i < var->rank; i++) {
        int64_t index = eval_int(r, at[i]);
        if (index < 0 || index >= var->size[i])
            fault(r, "element %" PRId64 " of axis %d of %s", index, i, var->name);
        position = position * var->size[i] + index;
    }
    return var->rank ? &v->elements[position] : v;
}

static Value splat(double value) {
    Value v;
    for (int i = 0; i < MOST_LANES; i++)
        v.at[i] = value;
    return v;
}

static double runtime_value(const LoopRun *run, Runtime which) {
    switch (which) {
    case RUNTIME_N: return (double)run->n;
    case RUNTIME_STEP: return (double)run->step;
    case RUNTIME_STEPS: return (double)run->steps;
    }
    return 0;
}

static bool is_part(const LoopAddress *a) {
    return a->access == ACCESS_PART || a->access == ACCESS_STRIDED_PART;
}

/* How many elements an access touches. */
static int access_count(LoopResult *r, const LoopAddress *a) {
    if (a->access == ACCESS_SCALAR)
        return 1;
    if (!is_part(a))
        return r->run->lanes;
    int64_t count = eval_int(r, a->count);
    return (int)(count < 0 ? 0 : count > r->run->lanes ? r->run->lanes : count);
}

/* Lanes of a load from here on may hold anything. */
static int lanes_that_matter(LoopResult *r, const LoopAddress *a) {
    int64_t count = a->count && !is_part(a) ? eval_int(r, a->count) : r->run->lanes;
    return (int)(count < r->run->lanes ? count : r->run->lanes);
}

/* In the slice of the thread. */
static Cell *scratch_cell(const LoopResult *r, const LoopVar *array, int64_t position) {
    int64_t lanes = array->per_lane ? r->run->lanes : 1;
    int64_t cells = array->type == TYPE_REAL && r->program->graph->real_is_double ? 2 : 1;
    size_t offset = (r->kernel->slice * (size_t)r->thread + array->offset) * (size_t)lanes;
    return &r->workspace[(r->kernel->slices + offset) / 4 + (size_t)(position * cells)];
}

static Cell *array_cell(LoopResult *r, const LoopVar *array, int64_t position) {
    return array->scratch ? scratch_cell(r, array, position) : &variable(r, array)->array[position];
}

static Cell *element(LoopResult *r, const LoopAddress *a, int64_t position) {
    int64_t elements = a->buffer ? a->buffer->elements + a->buffer->slack : array_elements(r, a->array);
    const char *name = a->buffer ? a->buffer->name : a->array->name;
    if (position < 0 || position >= elements)
        fault(r, "%s[%" PRId64 "] of %" PRId64, name, position, elements);
    if (!a->buffer)
        return array_cell(r, a->array, position);
    const Memory *memory = &r->memory[a->buffer->id];
    return &memory->cells[position * memory->stride];
}

static int64_t lane_stride(const LoopAddress *a) {
    return a->access == ACCESS_STRIDED || a->access == ACCESS_STRIDED_PART ? a->stride : 1;
}

/* `row` elements after the address; `other` in the lanes that do not exist. */
static Value eval_row(LoopResult *r, const LoopAddress *a, int64_t row, double other) {
    Value v = splat(other);
    int64_t offset = eval_int(r, a->offset) + row;
    int count = access_count(r, a), matter = lanes_that_matter(r, a);
    for (int i = 0; i < count; i++) {
        const Cell *cell = element(r, a, offset + i * lane_stride(a));
        v.at[i] = NAN;
        if (i >= matter)
            continue;
        if (!cell->written)
            fault(r, "%s[%" PRId64 "] is read before it is written", a->buffer ? a->buffer->name : a->array->name,
                  offset + i);
        v.at[i] = cell->value;
    }
    return v;
}

static Value eval_load(LoopResult *r, const LoopAddress *a) {
    return eval_row(r, a, 0, 0);
}

/* How many elements of its Value count. */
static int width_of(const LoopResult *r, const LoopExpr *e) {
    return e->vector ? r->run->lanes : 1;
}

static Value eval_select(LoopResult *r, const LoopExpr *e) {
    const LoopExpr *const *arg = e->op.arg;
    Value test = eval(r, arg[0]);
    if (!arg[0]->vector)
        return eval(r, test.at[0] != 0 ? arg[1] : arg[2]);
    Value then = eval(r, arg[1]), otherwise = eval(r, arg[2]);
    for (int i = 0; i < width_of(r, e); i++)
        then.at[i] = test.at[i] != 0 ? then.at[i] : otherwise.at[i];
    return then;
}

static Value eval_op(LoopResult *r, const LoopExpr *e) {
    if (e->op.op == OP_SELECT)
        return eval_select(r, e);
    Value a = eval(r, e->op.arg[0]);
    bool settled = (e->op.op == OP_AND && a.at[0] == 0) || (e->op.op == OP_OR && a.at[0] != 0);
    if (e->op.op == OP_TO_REAL || (settled && !e->op.arg[0]->vector))
        return a;
    Value b = e->op.arg[1] ? eval(r, e->op.arg[1]) : splat(0);
    for (int i = 0; i < width_of(r, e); i++)
        a.at[i] = op_fold(e->op.op, a.at[i], b.at[i]);
    return a;
}

static Value eval_fma(LoopResult *r, const LoopExpr *e) {
    Value a = eval(r, e->op.arg[0]), b = eval(r, e->op.arg[1]), c = eval(r, e->op.arg[2]);
    for (int i = 0; i < width_of(r, e); i++)
        c.at[i] = fma(a.at[i], b.at[i], c.at[i]);
    return c;
}

static double reduce_lanes(const LoopResult *r, Reduction reduce, const Value *v) {
    static const Op ops[] = {
        [REDUCE_SUM] = OP_ADD, [REDUCE_PROD] = OP_MUL, [REDUCE_MAX] = OP_MAX, [REDUCE_MIN] = OP_MIN};
    double result = v->at[0];
    for (int i = 1; i < r->run->lanes; i++)
        result = op_fold(ops[reduce], result, v->at[i]);
    return result;
}

static Value value_of(LoopResult *r, const Variable *v, const LoopVar *var) {
    if (!v->set)
        fault(r, "%s has no value", var->name);
    return v->value;
}

static Value eval_sums(LoopResult *r, const LoopExpr *e) {
    const LoopVar *tile = e->element.tile;
    const Variable *first = element_of(r, tile, e->element.at);
    int64_t row = eval_int(r, e->element.at[0]), columns = tile->rank > 1 ? tile->size[1] : 1;
    Value result = splat(NAN);
    for (int64_t i = 0; i < r->run->lanes && row + i < tile->size[0]; i++) {
        Value lanes = value_of(r, &first[i * columns], tile);
        result.at[i] = reduce_lanes(r, REDUCE_SUM, &lanes);
    }
    return result;
}

static Value eval_lanes(LoopResult *r, const LoopExpr *e) {
    Value v = e->kind == LOOP_IOTA ? splat(0) : eval(r, e->unary.value);
    if (e->kind == LOOP_SPLAT)
        return splat(v.at[0]);
    if (e->kind == LOOP_HORIZONTAL)
        return splat(reduce_lanes(r, e->unary.reduce, &v));
    Value result = v;
    for (int i = 0; i < MOST_LANES; i++)
        result.at[i] = e->kind == LOOP_IOTA ? i : i < v.at[0];
    return result;
}

static Value eval(LoopResult *r, const LoopExpr *e) {
    switch (e->kind) {
    case LOOP_REAL: return splat(e->real);
    case LOOP_INT:
    case LOOP_BOOL: return splat((double)e->integer);
    case LOOP_LANES: return splat(r->run->lanes);
    case LOOP_RUNTIME: return splat(runtime_value(r->run, e->runtime));
    case LOOP_LOAD: return eval_load(r, &e->load);
    case LOOP_OP: return eval_op(r, e);
    case LOOP_FMA: return eval_fma(r, e);
    case LOOP_SPLAT:
    case LOOP_IOTA:
    case LOOP_FIRST:
    case LOOP_HORIZONTAL: return eval_lanes(r, e);
    case LOOP_SUMS: return eval_sums(r, e);
    case LOOP_ELEMENT: return value_of(r, element_of(r, e->element.tile, e->element.at), e->element.tile);
    case LOOP_VAR: break;
    }
    return value_of(r, variable(r, e->var), e->var);
}

/* ---- statements ---- */

static void run_body(LoopResult *r, const LoopBody *body);

static void set_variable(Variable *v, Value value) {
    v->value = value;
    v->set = true;
}

static void store_lanes(LoopResult *r, const LoopAddress *a, int64_t row, const Value *v) {
    int64_t offset = eval_int(r, a->offset) + row;
    int count = access_count(r, a);
    for (int i = 0; i < count; i++)
        *element(r, a, offset + i * lane_stride(a)) = (Cell){v->at[i], true};
}

static void run_store(LoopResult *r, const LoopStmt *s) {
    Value v = eval(r, s->store.value);
    store_lanes(r, &s->store.to, 0, &v);
}

static void run_turn(LoopResult *r, const LoopStmt *s) {
    const LoopVar *tile = s->turn.tile;
    Variable *rows = variable(r, tile)->elements;
    if (access_count(r, &s->turn.at) < 1)
        fault(r, "%s has no lane", tile->name);
    for (int i = 0; i < tile->size[0]; i++) {
        if (!s->turn.stores) {
            set_variable(&rows[i], eval_row(r, &s->turn.at, i, NAN));
            continue;
        }
        Value v = value_of(r, &rows[i], tile);
        store_lanes(r, &s->turn.at, i, &v);
    }
}

static void run_apply(LoopResult *r, const LoopStmt *s) {
    const LoopVar *tile = s->apply.tile;
    Variable *elements = variable(r, tile)->elements;
    for (int i = 0; i < tile->size[0]; i++) {
        Value v = value_of(r, &elements[i], tile);
        for (int lane = 0; lane < r->run->lanes; lane++)
            v.at[lane] = op_fold(s->apply.op, v.at[lane], 0);
        set_variable(&elements[i], v);
    }
}

static void run_for(LoopResult *r, const LoopStmt *s) {
    int64_t from = eval_int(r, s->loop.from), to = eval_int(r, s->loop.to), step = eval_int(r, s->loop.step);
    int64_t trips = to > from ? (to - from + step - 1) / step : 0;
    bool shared = s->loop.mode == LOOP_PARALLEL;
    int64_t part = (trips + r->entry->threads - 1) / r->entry->threads; /* the most of one thread */
    for (int64_t i = from; i < to; i += step) {
        r->thread = shared ? (i - from) / step / part : r->thread;
        set_variable(variable(r, s->loop.var), splat((double)i));
        run_body(r, &s->loop.body);
    }
    r->thread = shared ? 0 : r->thread;
}

static void run_declare(LoopResult *r, const LoopStmt *s) {
    const LoopVar *var = s->declare.var;
    Variable *v = variable(r, var);
    v->set = false;
    for (int64_t i = 0; var->elements && i < array_elements(r, var); i++)
        array_cell(r, var, i)->written = false;
    for (int i = 0; i < (var->rank ? tile_elements(var) : 0); i++) {
        v->elements[i].set = false;
        if (s->declare.init)
            set_variable(&v->elements[i], eval(r, s->declare.init));
    }
    if (s->declare.init)
        set_variable(v, eval(r, s->declare.init));
}

static void run_stmt(LoopResult *r, const LoopStmt *s) {
    switch (s->kind) {
    case LOOP_FOR: run_for(r, s); break;
    case LOOP_IF: run_body(r, eval_int(r, s->branch.test) ? &s->branch.then : &s->branch.otherwise); break;
    case LOOP_DECLARE: run_declare(r, s); break;
    case LOOP_SET: set_variable(element_of(r, s->set.var, s->set.at), eval(r, s->set.value)); break;
    case LOOP_STORE: run_store(r, s); break;
    case LOOP_TURN: run_turn(r, s); break;
    case LOOP_APPLY: run_apply(r, s); break;
    case LOOP_CALL: run_body(r, &s->call->body); break;
    case LOOP_FETCH:
    case LOOP_FENCE:
    case LOOP_MARK: break;
    }
}

static void run_body(LoopResult *r, const LoopBody *body) {
    for (size_t i = 0; i < body->count; i++)
        run_stmt(r, body->at[i]);
}

/* ---- memory ---- */

static int64_t elements_for(const Buffer *buffer, int64_t n) {
    int64_t count = 1;
    for (int d = 0; d < buffer->rank; d++)
        count *= buffer->shape[d].per_sample ? buffer->shape[d].per_sample * n : buffer->shape[d].size;
    return count;
}

static void fill_leaf(LoopResult *r, const Buffer *buffer) {
    if (buffer->node->kind == NODE_EXPR)
        return;
    const double *values = r->run->leaf(r->run->context, buffer->node);
    for (int64_t i = 0; values && i < elements_for(buffer, r->run->n); i++)
        r->memory[buffer->id].cells[i] = (Cell){values[i], true};
}

static void make_memory(LoopResult *r) {
    size_t real_cells = r->program->graph->real_is_double ? 2 : 1;
    r->workspace = arena_array(r->arena, Cell, r->entry->workspace / 4 + 1);
    r->memory = arena_array(r->arena, Memory, r->entry->buffers.count);
    for (size_t i = 0; i < r->entry->buffers.count; i++) {
        const Buffer *buffer = r->entry->buffers.at[i];
        Memory *memory = &r->memory[i];
        memory->stride = 1;
        if (buffer->space == BUFFER_WORKSPACE) {
            memory->cells = r->workspace + buffer->offset / 4;
            memory->stride = buffer->type == TYPE_REAL ? (int64_t)real_cells : 1;
            continue;
        }
        memory->cells = arena_array(r->arena, Cell, (size_t)buffer->elements);
        fill_leaf(r, buffer);
    }
}

LoopResult *loop_run(Arena *arena, const LoopProgram *program, EntryKind kind, const LoopRun *run) {
    LoopResult *r = arena_one(arena, LoopResult);
    *r = (LoopResult){.arena = arena, .program = program, .entry = &program->entries[kind], .run = run};
    r->variables = pointer_map_new(arena);
    make_memory(r);
    for (size_t i = 0; i < r->entry->kernels.count; i++) {
        r->kernel = r->entry->kernels.at[i];
        run_body(r, &r->kernel->body);
    }
    return r;
}

const double *loop_result(const LoopResult *result, BufferSpace space, int ordinal) {
    for (size_t i = 0; i < result->entry->buffers.count; i++) {
        const Buffer *buffer = result->entry->buffers.at[i];
        if (buffer->space != space || buffer->ordinal != ordinal)
            continue;
        double *values = arena_array(result->arena, double, (size_t)buffer->elements);
        for (int64_t e = 0; e < buffer->elements; e++) {
            const Cell *cell = &result->memory[i].cells[e];
            values[e] = cell->written ? cell->value : NAN;
        }
        return values;
    }
    return NULL;
}
