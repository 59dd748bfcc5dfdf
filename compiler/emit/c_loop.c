#include "emit/c_loop.h"

#include <inttypes.h>

#include "emit/c_roll.h"
#include "emit/c_row.h"
#include "loop/loop_make.h"
#include "loop/loop_walk.h"

/* ---- loops ---- */

/* Up to a NULL. */
static void add_all(Text *out, const char *const *pieces) {
    for (; *pieces; pieces++)
        text_add(out, *pieces);
}

static void write_body(CLoops *c, const Kernel *kernel, const LoopBody *body);

/* The body of a kernel, or of a loop that stays one. */
static void write_scope(CLoops *c, const Kernel *kernel, const LoopBody *body) {
    const CNears *outer = c->exprs.nears;
    Names *names = c->names;
    c->names = names ? names_new(c->exprs.arena, names) : NULL;
    c->exprs.nears = c_nears(c->exprs.arena, body, c->exprs.offsets, c->names);
    write_body(c, kernel, body);
    c->exprs.nears = outer;
    c->names = names;
}

static void write_loop_body(CLoops *c, const Kernel *kernel, const LoopStmt *s) {
    if (loop_is_written_out(s))
        write_body(c, kernel, &s->loop.body);
    else
        write_scope(c, kernel, &s->loop.body);
}

/* A loop over no more elements than the widest vector has, which C compilers that know its length write out. */
static bool is_few_vectors(const CLoops *c, const LoopStmt *s) {
    const int64_t widest = 64 / (int64_t)c_real_bytes(&c->exprs);
    return s->loop.step->kind != LOOP_INT && expr_is_int(s->loop.from, 0) && s->loop.to->kind == LOOP_INT &&
           s->loop.to->integer <= widest;
}

/* Loops around which a tile of sums stands add to it, but for those over its own rows and columns. */
static void write_inside(CLoops *c, const Kernel *kernel, const LoopStmt *s) {
    CSizes *sizes = c->exprs.sizes;
    if (!sizes) {
        write_loop_body(c, kernel, s);
        return;
    }
    bool sums = sizes->sums, adds = sizes->adds;
    sizes->adds = adds || (sums && s->loop.mode != LOOP_UNROLLED);
    write_loop_body(c, kernel, s);
    sizes->sums = sums;
    sizes->adds = adds;
}

/* A loop whose length is an argument stays as it is, whatever it is in the kernel at hand: in another one that is the same function it is longer. */
static bool stays_rolled(const CLoops *c, const LoopStmt *s, const char *bound) {
    bool known = !c->exprs.numbers && bound[0] >= '0' && bound[0] <= '9';
    return s->loop.mode == LOOP_ROLLED || (s->loop.mode == LOOP_SERIAL && !known);
}

static const char *unrolling(CLoops *c, const LoopStmt *s, const char *bound) {
    if (s->loop.mode == LOOP_UNROLLED)
        return "NN_UNROLL ";
    if (!stays_rolled(c, s, bound))
        return "";
    inline_use(c->exprs.used, "rolled");
    return "NN_ROLLED ";
}

static void write_for(CLoops *c, const Kernel *kernel, const LoopStmt *s) {
    const char *name = c_name(&c->exprs, s->loop.var, s->loop.var->name);
    if (s->loop.mode == LOOP_PARALLEL && c->openmp) {
        inline_use(c->exprs.used, "parallel");
        c_line(c->writer, "NN_SHARED");
    }
    CExprs exact = c_exact(&c->exprs);
    const CExprs *bounds = s->loop.mode == LOOP_UNROLLED || is_few_vectors(c, s) ? &exact : &c->exprs;
    if (s->loop.mode == LOOP_UNROLLED && c->exprs.sizes && c->exprs.sizes->adds)
        pointer_map_put(c->exprs.sizes->unrolled, s->loop.var, s->loop.var);
    Text *from = text_new(c->exprs.arena), *to = text_new(c->exprs.arena);
    c_wish(bounds, arena_printf(c->exprs.arena, "%s_from", s->loop.var->name));
    c_expr(bounds, from, s->loop.from);
    c_wish(bounds, arena_printf(c->exprs.arena, "%s_end", s->loop.var->name));
    c_below(bounds, to, s->loop.to);
    bool by_one = s->loop.step->kind == LOOP_INT && s->loop.step->integer == 1;
    Text *line = c_begin(c->writer);
    text_add(line, unrolling(c, s, text_get(to)));
    text_printf(line, "for (int64_t %s = %s; %s < %s; ", name, text_get(from), name, text_get(to));
    add_all(line, (const char *const[]){name, by_one ? "++" : " += ", NULL});
    if (!by_one)
        c_expr(&exact, line, s->loop.step);
    text_add(line, ") {");
    c_end_open(c->writer);
    write_inside(c, kernel, s);
    c_close(c->writer, "");
}

static void write_if(CLoops *c, const Kernel *kernel, const LoopStmt *s) {
    Text *line = c_begin(c->writer);
    text_add(line, "if (");
    c_expr(&c->exprs, line, s->branch.test);
    text_add(line, ") {");
    c_end_open(c->writer);
    write_body(c, kernel, &s->branch.then);
    if (s->branch.otherwise.count > 0) {
        c->writer->depth--;
        c_open(c->writer, "} else {");
        write_body(c, kernel, &s->branch.otherwise);
    }
    c_close(c->writer, "");
}

/* ---- variables ---- */

static const char *element_type(const CLoops *c, Type type) {
    return type == TYPE_INT ? "int32_t" : c->exprs.real_is_double ? "double" : "float";
}

static const char *variable_type(const CLoops *c, const LoopVar *var) {
    if (var->vector)
        return var->type == TYPE_BOOL ? "nn_mask" : "nn_vec";
    if (var->type == TYPE_BOOL)
        return "int";
    return var->type == TYPE_INT ? "int64_t" : element_type(c, TYPE_REAL);
}

/* An array of scratch memory: "float *const x = scratch + 128;". */
static void write_scratch(CLoops *c, const LoopVar *var, const char *name) {
    Arena *arena = c->exprs.arena;
    size_t at = var->offset / c_real_bytes(&c->exprs);
    const char *lanes = var->per_lane ? " * NN_LANES" : "";
    const char *place = at ? arena_printf(arena, "scratch + %zu%s", at, lanes) : "scratch";
    const char *type = element_type(c, var->type);
    if (var->type != TYPE_REAL)
        place = arena_printf(arena, at ? "(%s *)(%s)" : "(%s *)%s", type, place);
    c_line(c->writer, "%s *const %s = %s;", type, name, place);
}

static void write_declare(CLoops *c, const LoopStmt *s) {
    const LoopVar *var = s->declare.var;
    const char *name = c_name(&c->exprs, var, var->name);
    if (var->scratch) {
        write_scratch(c, var, name);
        return;
    }
    if (var->elements) {
        const char *slack = var->slack ? arena_printf(c->exprs.arena, " + %" PRId64, var->slack) : "";
        c_line(c->writer, "_Alignas(64) %s %s[%" PRId64 "%s%s];", element_type(c, var->type), name, var->elements,
               var->per_lane ? " * NN_LANES" : "", slack);
        return;
    }
    if (var->rank) {
        if (s->declare.init && c->exprs.sizes)
            c->exprs.sizes->sums = true;
        const char *columns = var->rank > 1 ? arena_printf(c->exprs.arena, "[%d]", var->size[1]) : "";
        c_line(c->writer, "%s %s[%d]%s%s;", variable_type(c, var), name, var->size[0], columns,
               s->declare.init ? " = {0}" : "");
        return;
    }
    Text *line = c_begin(c->writer);
    text_add(line, s->declare.init && !s->declare.mutable ? "const " : "");
    add_all(line, (const char *const[]){variable_type(c, var), " ", name, NULL});
    if (s->declare.init) {
        text_add(line, " = ");
        c_expr(&c->exprs, line, s->declare.init);
    }
    text_add(line, ";");
    c_end(c->writer);
}

/* "float *const y_here = &y[64 * c + o];" */
static void write_pointers(CLoops *c, const LoopStmt *before) {
    for (size_t i = 0; c->exprs.nears && i < c->exprs.nears->pointers.count; i++) {
        const CNear *near = c->exprs.nears->pointers.at[i];
        if (near->before != before)
            continue;
        Text *line = c_begin(c->writer);
        Type type = near->at.buffer ? near->at.buffer->type : near->at.array->type;
        add_all(line, (const char *const[]){near->written ? "" : "const ", element_type(c, type), " *const ",
                                            c_name(&c->exprs, near, near->name), " = ", NULL});
        c_pointer(&c->exprs, line, &near->at);
        text_add(line, ";");
        c_end(c->writer);
    }
}

/* ---- parameters ---- */

/* Of a kernel whose calls are a loop: what its text mentions, and one pointer for all buffers that the loop goes over. */
static void add_mentioned(const CLoops *c, const Kernel *kernel, const CRolled *rolled, bool written,
                          CParameters *list) {
    PointerMap *added = pointer_map_new(c->exprs.arena);
    for (size_t i = 0; i < kernel->reads.count + kernel->writes.count; i++) {
        size_t reads = kernel->reads.count;
        const Buffer *buffer = i < reads ? kernel->reads.at[i] : kernel->writes.at[i - reads];
        const Buffer *base = c_base(rolled, buffer);
        bool wanted = (pointer_map_get(rolled->written, base) != NULL) == written;
        if (!wanted || !pointer_map_get(rolled->mentioned, buffer) || pointer_map_get(added, base))
            continue;
        pointer_map_put(added, base, base);
        vec_push(c->exprs.arena, list,
                 ((CParameter){.kind = written ? PARAMETER_WRITTEN : PARAMETER_READ, .buffer = base}));
    }
}

static void add_buffer(Arena *arena, const CRows *rows, CParameterKind kind, const Buffer *buffer, CParameters *list) {
    vec_push(arena, list, ((CParameter){.kind = kind, .buffer = buffer, .from = pointer_map_get(rows->from, buffer)}));
}

CParameters c_parameters(const CLoops *c, const Kernel *kernel) {
    Arena *arena = c->exprs.arena;
    CParameters list = {0};
    const CRolled *rolled = c_rolled(c, kernel);
    const CRows *rows = c_rows(c, kernel);
    if (rolled->any) {
        add_mentioned(c, kernel, rolled, false, &list);
        add_mentioned(c, kernel, rolled, true, &list);
    }
    for (size_t i = 0; i < kernel->reads.count && !rolled->any; i++)
        add_buffer(arena, rows, PARAMETER_READ, kernel->reads.at[i], &list);
    for (size_t i = 0; i < kernel->writes.count && !rolled->any; i++)
        add_buffer(arena, rows, PARAMETER_WRITTEN, kernel->writes.at[i], &list);
    if (kernel->scratch.count > 0)
        vec_push(arena, &list, ((CParameter){.kind = PARAMETER_SCRATCH}));
    for (size_t i = 0; i < kernel->arguments.count; i++)
        if (!pointer_map_get(rows->spent, kernel->arguments.at[i].var))
            vec_push(arena, &list, ((CParameter){.kind = PARAMETER_VARIABLE, .argument = &kernel->arguments.at[i]}));
    const bool uses[] = {kernel->uses_n, kernel->uses_step, kernel->uses_steps, kernel->uses_seed};
    for (int i = 0; i < 4; i++)
        if (uses[i])
            vec_push(arena, &list, ((CParameter){.kind = (CParameterKind)(PARAMETER_N + i)}));
    return list;
}

const char *c_parameter_name(const CLoops *c, const CParameter *parameter) {
    switch (parameter->kind) {
    case PARAMETER_READ:
    case PARAMETER_WRITTEN: return c_name(&c->exprs, parameter->buffer, parameter->buffer->name);
    case PARAMETER_VARIABLE: return c_name(&c->exprs, parameter->argument->var, parameter->argument->var->name);
    case PARAMETER_SCRATCH: return "scratch";
    case PARAMETER_N: return "n";
    case PARAMETER_STEP: return "step";
    case PARAMETER_STEPS: return "steps";
    case PARAMETER_SEED: break;
    }
    return "seed";
}

/* With a blank or an asterisk at its end. */
static const char *parameter_type(const CLoops *c, const Kernel *kernel, const CParameter *parameter) {
    Arena *arena = c->exprs.arena;
    const char *alone = kernel->aliased ? "" : "restrict ";
    const LoopVar *var = parameter->argument ? parameter->argument->var : NULL;
    switch (parameter->kind) {
    case PARAMETER_READ: return arena_printf(arena, "const %s *%s", element_type(c, parameter->buffer->type), alone);
    case PARAMETER_WRITTEN: return arena_printf(arena, "%s *%s", element_type(c, parameter->buffer->type), alone);
    case PARAMETER_SCRATCH: return arena_printf(arena, "%s *%s", element_type(c, TYPE_REAL), alone);
    case PARAMETER_VARIABLE:
        if (!var->elements)
            return arena_printf(arena, "%s ", variable_type(c, var));
        return arena_printf(arena, "%s%s *restrict ", parameter->argument->written ? "" : "const ",
                            element_type(c, var->type));
    case PARAMETER_SEED: return "uint64_t ";
    default: return "int64_t ";
    }
}

void c_parameter(const CLoops *c, Text *out, const Kernel *kernel, const CParameter *parameter) {
    text_add(out, parameter_type(c, kernel, parameter));
    text_add(out, c_parameter_name(c, parameter));
}

/* ---- calls ---- */

const char *c_moved(const CLoops *c, const char *name, int64_t step) {
    if (step == 0)
        return name;
    Text *text = text_new(c->exprs.arena);
    text_printf(text, "%s %s ", name, step < 0 ? "-" : "+");
    c_wish(&c->exprs, "rep_stride");
    c_size(&c->exprs, text, step < 0 ? -step : step);
    text_add(text, " * rep");
    return text_get(text);
}

void c_open_roll(CWriter *w, size_t repetitions) {
    c_open(w, "for (int64_t rep = 0; rep < %zu; rep++) {", repetitions);
}

/* What is given for a parameter: "name", "name + 4096 * b". */
static const char *value_text(const CLoops *c, const CParameter *value) {
    const char *name = c_parameter_name(c, value);
    if (!value->from)
        return name;
    Text *text = text_new(c->exprs.arena);
    text_printf(text, "%s + ", name);
    c_expr(&c->exprs, text, value->from);
    return text_get(text);
}

/* `steps`: how far each argument moves with a repetition; NULL: it is no loop. */
static void write_call(CLoops *c, const Kernel *kernel, const CSteps *steps) {
    const CCall *call = pointer_map_get(c->calls, kernel);
    Text *out = text_new(c->exprs.arena);
    for (size_t i = 0; i < call->values.count; i++) {
        const char *lanes =
            call->values.at[i].argument && call->values.at[i].argument->var->per_lane ? " * NN_LANES" : "";
        const char *moved = c_moved(c, value_text(c, &call->values.at[i]), steps ? steps->at[i] : 0);
        text_printf(out, "%s%s%s", i ? ", " : "", moved, steps && steps->at[i] ? lanes : "");
    }
    for (size_t i = 0; i < call->sizes.count; i++) {
        Text *size = text_new(c->exprs.arena);
        c_wish(&c->exprs, call->function->sizes.at[i].name);
        c_size(&c->exprs, size, call->sizes.at[i]);
        text_add(out, i + call->values.count ? ", " : "");
        text_add(out, c_moved(c, text_get(size), steps ? steps->at[call->values.count + i] : 0));
    }
    c_line(c->writer, "%s(%s);", call->function->kernel->name, text_get(out));
}

/* ---- statements ---- */

static void write_stmt(CLoops *c, const Kernel *kernel, const LoopStmt *s) {
    switch (s->kind) {
    case LOOP_FOR: write_for(c, kernel, s); break;
    case LOOP_IF: write_if(c, kernel, s); break;
    case LOOP_DECLARE: write_declare(c, s); break;
    case LOOP_SET:
        c_assignment(&c->exprs, c_begin(c->writer), s);
        c_end(c->writer);
        break;
    case LOOP_STORE:
        c_store(&c->exprs, c_begin(c->writer), &s->store.to, s->store.value);
        c_end(c->writer);
        break;
    case LOOP_TURN:
        c_turn(&c->exprs, c_begin(c->writer), s);
        c_end(c->writer);
        break;
    case LOOP_APPLY:
        c_apply(&c->exprs, c_begin(c->writer), s);
        c_end(c->writer);
        break;
    case LOOP_CALL: write_call(c, s->call, NULL); break;
    case LOOP_FETCH:
        c_fetch(&c->exprs, c_begin(c->writer), s);
        c_end(c->writer);
        break;
    case LOOP_FENCE:
        inline_use(c->exprs.used, "stream_end");
        c_line(c->writer, "nn_stream_end();");
        break;
    case LOOP_MARK: c_line(c->writer, "nn_mark(%d);", s->mark); break;
    }
}

/* Arrays that repetitions declare: those of the first one before the loop, later ones behind it, where what follows mentions them. */
static void write_arrays(CLoops *c, const CRolled *rolled, const LoopBody *body, Repeat r, bool first) {
    for (size_t i = first ? 0 : r.period; i < r.period * (first ? 1 : r.count); i++) {
        const LoopStmt *s = body->at[r.first + i];
        if (s->kind == LOOP_DECLARE && pointer_map_get(rolled->mentioned, s->declare.var))
            write_declare(c, s);
    }
}

static void write_roll(CLoops *c, const CRolled *rolled, const LoopBody *body, const CRoll *roll) {
    const Repeat r = roll->repeat;
    write_arrays(c, rolled, body, r, true);
    c_open_roll(c->writer, r.count);
    for (size_t i = 0; i < r.period; i++) {
        const LoopStmt *s = body->at[r.first + i];
        if (s->kind == LOOP_CALL)
            write_call(c, s->call, &roll->steps[i]);
        else if (s->kind == LOOP_MARK)
            c_line(c->writer, "nn_mark(%d);", s->mark);
    }
    c_close(c->writer, "");
    write_arrays(c, rolled, body, r, false);
}

static void write_body(CLoops *c, const Kernel *kernel, const LoopBody *body) {
    const CRolled *rolled = c_rolled(c, kernel);
    const CRollList *list = pointer_map_get(rolled->lists, body);
    for (size_t i = 0; i < body->count; i++) {
        const CRoll *roll = c_roll_at(list, i);
        if (roll) {
            write_roll(c, rolled, body, roll);
            i += roll->repeat.period * roll->repeat.count - 1;
        } else {
            write_pointers(c, body->at[i]);
            write_stmt(c, kernel, body->at[i]);
        }
    }
}

/* Buffers that the text mentions, and that another one's pointer leads to. */
static void write_places(CLoops *c, const Kernel *kernel, const CRolled *rolled) {
    for (size_t i = 0; i < kernel->reads.count + kernel->writes.count; i++) {
        size_t reads = kernel->reads.count;
        const Buffer *buffer = i < reads ? kernel->reads.at[i] : kernel->writes.at[i - reads];
        const Buffer *base = c_base(rolled, buffer);
        if (base == buffer || !pointer_map_get(rolled->mentioned, buffer))
            continue;
        Text *line = c_begin(c->writer);
        const char *constant = pointer_map_get(rolled->written, base) ? "" : "const ";
        text_printf(line, "%s%s *const %s = ", constant, element_type(c, buffer->type),
                    c_name(&c->exprs, buffer, buffer->name));
        text_printf(line, "%s + ", c_name(&c->exprs, base, base->name));
        c_wish(&c->exprs, "distance");
        c_size(&c->exprs, line, c_behind(c, base, buffer));
        text_add(line, ";");
        c_end(c->writer);
    }
}

void c_kernel_body(CLoops *c, const Kernel *kernel) {
    const CRolled *rolled = c_rolled(c, kernel);
    if (rolled->any)
        write_places(c, kernel, rolled);
    c->exprs.offsets = c_rows(c, kernel)->offsets;
    write_scope(c, kernel, &kernel->body);
    c->exprs.offsets = NULL;
}

/* ---- kernels ---- */

static const char *declarations(const CLoops *c, const CFunction *function) {
    const Kernel *kernel = function->kernel;
    Text *out = text_new(c->exprs.arena);
    CParameters parameters = c_parameters(c, kernel);
    for (size_t i = 0; i < parameters.count; i++) {
        text_add(out, i ? ", " : "");
        c_parameter(c, out, kernel, &parameters.at[i]);
    }
    for (size_t i = 0; i < function->sizes.count; i++)
        text_printf(out, "%sint64_t %s", i + parameters.count ? ", " : "", function->sizes.at[i].name);
    return parameters.count + function->sizes.count > 0 ? text_get(out) : "void";
}

static void write_called(void *context, const LoopStmt *s) {
    if (s->kind == LOOP_CALL)
        c_kernel(context, s->call);
}

void c_kernel(CLoops *c, const Kernel *kernel) {
    loop_walk_body(&kernel->body, &(LoopVisitor){.stmt = write_called, .context = c});
    const CFunction *function = ((const CCall *)pointer_map_get(c->calls, kernel))->function;
    if (function->kernel != kernel)
        return;
    c_comment(c->writer, function->comments.at, function->comments.count);
    c->writer->origin = &kernel->place;
    c_open(c->writer, "static NN_NOINLINE void %s(%s) {", kernel->name, declarations(c, function));
    c->exprs.sizes = &(CSizes){.written = function->written, .unrolled = pointer_map_new(c->exprs.arena)};
    c->names = function->names;
    c_kernel_body(c, kernel);
    c->names = NULL;
    c->exprs.sizes = NULL;
    c_close(c->writer, "");
    c->writer->origin = NULL;
    c_line(c->writer, "%s", "");
}
