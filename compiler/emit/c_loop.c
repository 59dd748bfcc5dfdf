#include "emit/c_loop.h"

#include <inttypes.h>

#include "loop/loop_make.h"
#include "loop/loop_walk.h"

/* ---- loops ---- */

/* Up to a NULL. */
static void add_all(Text *out, const char *const *pieces) {
    for (; *pieces; pieces++)
        text_add(out, *pieces);
}

static const char *unrolling(LoopMode mode) {
    if (mode == LOOP_ROLLED)
        return "NN_ROLLED ";
    return mode == LOOP_UNROLLED ? "NN_UNROLL " : "";
}

static void write_for(CLoops *c, const LoopStmt *s) {
    const char *name = c_name(&c->exprs, s->loop.var, s->loop.var->name);
    if (s->loop.mode == LOOP_PARALLEL && c->openmp) {
        inline_use(c->exprs.used, "parallel");
        c_line(c->writer, "NN_SHARED");
    }
    if (s->loop.mode == LOOP_ROLLED)
        inline_use(c->exprs.used, "rolled");
    CExprs exact = c_exact(&c->exprs);
    const CExprs *bounds = s->loop.mode == LOOP_UNROLLED ? &exact : &c->exprs;
    if (s->loop.mode == LOOP_UNROLLED && c->exprs.sizes && c->exprs.sizes->sums)
        pointer_map_put(c->exprs.sizes->unrolled, s->loop.var, s->loop.var);
    Text *line = c_begin(c->writer);
    text_add(line, unrolling(s->loop.mode));
    text_add(line, "for (int64_t ");
    add_all(line, (const char *const[]){name, " = ", NULL});
    c_wish(bounds, arena_printf(c->exprs.arena, "%s_from", s->loop.var->name));
    c_expr(bounds, line, s->loop.from);
    add_all(line, (const char *const[]){"; ", name, " < ", NULL});
    c_wish(bounds, arena_printf(c->exprs.arena, "%s_end", s->loop.var->name));
    c_below(bounds, line, s->loop.to);
    bool by_one = s->loop.step->kind == LOOP_INT && s->loop.step->integer == 1;
    add_all(line, (const char *const[]){"; ", name, by_one ? "++" : " += ", NULL});
    if (!by_one)
        c_expr(&exact, line, s->loop.step);
    text_add(line, ") {");
    c_end_open(c->writer);
    c_body(c, &s->loop.body);
    c_close(c->writer, "");
}

static void write_if(CLoops *c, const LoopStmt *s) {
    Text *line = c_begin(c->writer);
    text_add(line, "if (");
    c_expr(&c->exprs, line, s->branch.test);
    text_add(line, ") {");
    c_end_open(c->writer);
    c_body(c, &s->branch.then);
    if (s->branch.otherwise.count > 0) {
        c->writer->depth--;
        c_open(c->writer, "} else {");
        c_body(c, &s->branch.otherwise);
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

/* ---- parameters ---- */

CParameters c_parameters(Arena *arena, const Kernel *kernel) {
    CParameters list = {0};
    for (size_t i = 0; i < kernel->reads.count; i++)
        vec_push(arena, &list, ((CParameter){.kind = PARAMETER_READ, .buffer = kernel->reads.at[i]}));
    for (size_t i = 0; i < kernel->writes.count; i++)
        vec_push(arena, &list, ((CParameter){.kind = PARAMETER_WRITTEN, .buffer = kernel->writes.at[i]}));
    if (kernel->scratch.count > 0)
        vec_push(arena, &list, ((CParameter){.kind = PARAMETER_SCRATCH}));
    for (size_t i = 0; i < kernel->arguments.count; i++)
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

static void write_call(CLoops *c, const Kernel *kernel) {
    const CCall *call = pointer_map_get(c->calls, kernel);
    Text *out = text_new(c->exprs.arena);
    for (size_t i = 0; i < call->values.count; i++)
        text_printf(out, "%s%s", i ? ", " : "", c_parameter_name(c, &call->values.at[i]));
    for (size_t i = 0; i < call->sizes.count; i++) {
        text_add(out, i + call->values.count ? ", " : "");
        c_wish(&c->exprs, call->function->sizes.at[i].name);
        c_size(&c->exprs, out, call->sizes.at[i]);
    }
    c_line(c->writer, "%s(%s);", call->function->kernel->name, text_get(out));
}

/* ---- statements ---- */

static void write_stmt(CLoops *c, const LoopStmt *s) {
    switch (s->kind) {
    case LOOP_FOR: write_for(c, s); break;
    case LOOP_IF: write_if(c, s); break;
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
    case LOOP_CALL: write_call(c, s->call); break;
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

void c_body(CLoops *c, const LoopBody *body) {
    for (size_t i = 0; i < body->count; i++)
        write_stmt(c, body->at[i]);
}

/* ---- kernels ---- */

static const char *declarations(const CLoops *c, const CFunction *function) {
    const Kernel *kernel = function->kernel;
    Text *out = text_new(c->exprs.arena);
    CParameters parameters = c_parameters(c->exprs.arena, kernel);
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
    c_body(c, &kernel->body);
    c->exprs.sizes = NULL;
    c_close(c->writer, "");
    c->writer->origin = NULL;
    c_line(c->writer, "%s", "");
}
