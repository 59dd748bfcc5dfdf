#include "emit/c_loop.h"

#include <inttypes.h>

#include "loop/loop_make.h"
#include "loop/loop_walk.h"

static void write_body(CLoops *c, const LoopBody *body);

/* ---- loops ---- */

/* Up to a NULL. */
static void add_all(Text *out, const char *const *pieces) {
    for (; *pieces; pieces++)
        text_add(out, *pieces);
}

static void write_for(CLoops *c, const LoopStmt *s) {
    const char *name = s->loop.var->name;
    if (s->loop.mode == LOOP_PARALLEL && c->openmp) {
        inline_use(c->exprs.used, "parallel");
        c_line(c->writer, "NN_SHARED");
    }
    Text *line = c_begin(c->writer);
    text_add(line, s->loop.mode == LOOP_UNROLLED ? "NN_UNROLL for (int64_t " : "for (int64_t ");
    add_all(line, (const char *const[]){name, " = ", NULL});
    c_expr(&c->exprs, line, s->loop.from);
    add_all(line, (const char *const[]){"; ", name, " < ", NULL});
    c_below(&c->exprs, line, s->loop.to);
    bool by_one = s->loop.step->kind == LOOP_INT && s->loop.step->integer == 1;
    add_all(line, (const char *const[]){"; ", name, by_one ? "++" : " += ", NULL});
    if (!by_one)
        c_expr(&c->exprs, line, s->loop.step);
    text_add(line, ") {");
    c_end_open(c->writer);
    write_body(c, &s->loop.body);
    c_close(c->writer, "");
}

static void write_if(CLoops *c, const LoopStmt *s) {
    Text *line = c_begin(c->writer);
    text_add(line, "if (");
    c_expr(&c->exprs, line, s->branch.test);
    text_add(line, ") {");
    c_end_open(c->writer);
    write_body(c, &s->branch.then);
    if (s->branch.otherwise.count > 0) {
        c->writer->depth--;
        c_open(c->writer, "} else {");
        write_body(c, &s->branch.otherwise);
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
static void write_scratch(CLoops *c, const LoopVar *var) {
    Arena *arena = c->exprs.arena;
    size_t at = var->offset / c_real_bytes(&c->exprs);
    const char *lanes = var->per_lane ? " * NN_LANES" : "";
    const char *place = at ? arena_printf(arena, "scratch + %zu%s", at, lanes) : "scratch";
    const char *type = element_type(c, var->type);
    if (var->type != TYPE_REAL)
        place = arena_printf(arena, at ? "(%s *)(%s)" : "(%s *)%s", type, place);
    c_line(c->writer, "%s *const %s = %s;", type, var->name, place);
}

static void write_declare(CLoops *c, const LoopStmt *s) {
    const LoopVar *var = s->declare.var;
    if (var->scratch) {
        write_scratch(c, var);
        return;
    }
    if (var->elements) {
        const char *slack = var->slack ? arena_printf(c->exprs.arena, " + %" PRId64, var->slack) : "";
        c_line(c->writer, "_Alignas(64) %s %s[%" PRId64 "%s%s];", element_type(c, var->type), var->name, var->elements,
               var->per_lane ? " * NN_LANES" : "", slack);
        return;
    }
    if (var->rank) {
        const char *columns = var->rank > 1 ? arena_printf(c->exprs.arena, "[%d]", var->size[1]) : "";
        c_line(c->writer, "%s %s[%d]%s%s;", variable_type(c, var), var->name, var->size[0], columns,
               s->declare.init ? " = {0}" : "");
        return;
    }
    Text *line = c_begin(c->writer);
    text_add(line, s->declare.init && !s->declare.mutable ? "const " : "");
    add_all(line, (const char *const[]){variable_type(c, var), " ", var->name, NULL});
    if (s->declare.init) {
        text_add(line, " = ");
        c_expr(&c->exprs, line, s->declare.init);
    }
    text_add(line, ";");
    c_end(c->writer);
}

/* ---- calls ---- */

static void add_argument(Text *out, const char *argument) {
    text_printf(out, "%s%s", text_length(out) ? ", " : "", argument);
}

/* What the kernel takes besides memory, as declarations or as values. */
static void add_numbers(Text *out, const Kernel *kernel, bool declared) {
    if (kernel->uses_n)
        add_argument(out, declared ? "int64_t n" : "n");
    if (kernel->uses_step)
        add_argument(out, declared ? "int64_t step" : "step");
    if (kernel->uses_steps)
        add_argument(out, declared ? "int64_t steps" : "steps");
    if (kernel->uses_seed)
        add_argument(out, declared ? "uint64_t seed" : "seed");
}

static void write_call(CLoops *c, const Kernel *kernel) {
    Text *out = text_new(c->exprs.arena);
    for (size_t i = 0; i < kernel->reads.count; i++)
        add_argument(out, kernel->reads.at[i]->name);
    for (size_t i = 0; i < kernel->writes.count; i++)
        add_argument(out, kernel->writes.at[i]->name);
    for (size_t i = 0; i < kernel->arguments.count; i++)
        add_argument(out, kernel->arguments.at[i].var->name);
    add_numbers(out, kernel, false);
    c_line(c->writer, "%s(%s);", (const char *)pointer_map_get(c->names, kernel), text_get(out));
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
    case LOOP_CALL: write_call(c, s->call); break;
    case LOOP_FETCH:
        c_fetch(&c->exprs, c_begin(c->writer), &s->fetch);
        c_end(c->writer);
        break;
    case LOOP_FENCE:
        inline_use(c->exprs.used, "stream_end");
        c_line(c->writer, "nn_stream_end();");
        break;
    case LOOP_MARK: c_line(c->writer, "nn_mark(%d);", s->mark); break;
    }
}

static void write_body(CLoops *c, const LoopBody *body) {
    for (size_t i = 0; i < body->count; i++)
        write_stmt(c, body->at[i]);
}

/* ---- kernels ---- */

static void add_pointer(const CLoops *c, Text *out, const Kernel *kernel, const Buffer *buffer, bool reads) {
    add_argument(out, reads ? "const " : "");
    text_printf(out, "%s *%s%s", element_type(c, buffer->type), kernel->aliased ? "" : "restrict ", buffer->name);
}

static void add_variable(const CLoops *c, Text *out, const KernelArgument *argument) {
    const LoopVar *var = argument->var;
    add_argument(out, var->elements && !argument->written ? "const " : "");
    if (var->elements)
        text_printf(out, "%s *restrict %s", element_type(c, var->type), var->name);
    else
        text_printf(out, "%s %s", variable_type(c, var), var->name);
}

static const char *arguments(const CLoops *c, const Kernel *kernel) {
    Text *out = text_new(c->exprs.arena);
    for (size_t i = 0; i < kernel->reads.count; i++)
        add_pointer(c, out, kernel, kernel->reads.at[i], true);
    for (size_t i = 0; i < kernel->writes.count; i++)
        add_pointer(c, out, kernel, kernel->writes.at[i], false);
    if (kernel->scratch.count > 0) {
        add_argument(out, element_type(c, TYPE_REAL));
        text_printf(out, " *%sscratch", kernel->aliased ? "" : "restrict ");
    }
    for (size_t i = 0; i < kernel->arguments.count; i++)
        add_variable(c, out, &kernel->arguments.at[i]);
    add_numbers(out, kernel, true);
    return text_length(out) ? text_get(out) : "void";
}

static void open_kernel(CLoops *c, const Kernel *kernel, const char *name) {
    c_comment(c->writer, kernel->comments.at, kernel->comments.count);
    c->writer->origin = &kernel->place;
    c_open(c->writer, "static NN_NOINLINE void %s(%s) {", name, arguments(c, kernel));
}

static void close_kernel(CLoops *c) {
    c_close(c->writer, "");
    c->writer->origin = NULL;
    c_line(c->writer, "%s", "");
}

/* All that two functions must have in common to be one: comments, arguments, body. Sets where the body starts. */
static const char *function_key(const CLoops *c, const Kernel *kernel, size_t *body) {
    CWriter aside = *c->aside;
    text_clear(aside.out);
    for (size_t i = 0; i < kernel->comments.count; i++)
        text_add(aside.out, kernel->comments.at[i]);
    text_add(aside.out, arguments(c, kernel));
    *body = text_length(aside.out);
    aside.depth = 1;
    CLoops loops = *c;
    loops.writer = &aside;
    write_body(&loops, &kernel->body);
    return text_get(aside.out);
}

static void write_called(void *context, const LoopStmt *s) {
    if (s->kind == LOOP_CALL)
        c_kernel(context, s->call);
}

void c_kernel(CLoops *c, const Kernel *kernel) {
    loop_walk_body(&kernel->body, &(LoopVisitor){.stmt = write_called, .context = c});
    size_t body = 0;
    const char *key = function_key(c, kernel, &body);
    const char *name = text_map_get(c->functions, key);
    if (!name) {
        name = kernel->name;
        open_kernel(c, kernel, name);
        if (c->writer->file)
            write_body(c, &kernel->body); /* every line needs its #line */
        else
            c_verbatim(c->writer, key + body);
        close_kernel(c);
        text_map_put(c->functions, key, (void *)(uintptr_t)name);
    }
    pointer_map_put(c->names, kernel, name);
}
