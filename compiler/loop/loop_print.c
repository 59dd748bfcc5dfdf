#include "loop/loop_print.h"

#include <inttypes.h>

#include "ir/cost.h"

typedef struct LoopPrinter {
    Text *out;
    Arena *arena;
    int depth;
} LoopPrinter;

static void print_expr(const LoopPrinter *p, const LoopExpr *e);
static void print_body(LoopPrinter *p, const LoopBody *body);

static void print_list(const LoopPrinter *p, const char *name, const LoopExpr *const *args, int count) {
    text_printf(p->out, "%s(", name);
    for (int i = 0; i < count && args[i]; i++) {
        text_add(p->out, i ? ", " : "");
        print_expr(p, args[i]);
    }
    text_add(p->out, ")");
}

/* The element of a tile. */
static void print_element(const LoopPrinter *p, const LoopVar *tile, const LoopExpr *const at[2]) {
    text_add(p->out, tile->name);
    for (int i = 0; i < tile->rank; i++) {
        text_add(p->out, "[");
        print_expr(p, at[i]);
        text_add(p->out, "]");
    }
}

static void print_address(const LoopPrinter *p, const LoopAddress *a) {
    text_printf(p->out, "%s[", a->buffer ? a->buffer->name : a->array->name);
    print_expr(p, a->offset);
    if (a->access == ACCESS_STRIDED || a->access == ACCESS_STRIDED_PART)
        text_printf(p->out, " by %" PRId64, a->stride);
    if (a->access != ACCESS_SCALAR)
        text_add(p->out, " ..");
    if (a->access == ACCESS_PART || a->access == ACCESS_STRIDED_PART) {
        text_add(p->out, " ");
        print_expr(p, a->count);
    }
    text_add(p->out, "]");
}

static void print_op(const LoopPrinter *p, const LoopExpr *e) {
    const OpInfo *info = op_info(e->op.op);
    bool infix = info->arity == 2 && info->kind != OP_KIND_FUNCTION && info->c_scalar[0] == '\0';
    if (!infix) {
        print_list(p, info->spelling, e->op.arg, 3);
        return;
    }
    text_add(p->out, "(");
    print_expr(p, e->op.arg[0]);
    text_printf(p->out, " %s ", info->spelling);
    print_expr(p, e->op.arg[1]);
    text_add(p->out, ")");
}

static void print_runtime(const LoopPrinter *p, Runtime which) {
    static const char *const names[] = {[RUNTIME_N] = "n", [RUNTIME_STEP] = "step", [RUNTIME_STEPS] = "steps"};
    text_add(p->out, names[which]);
}

static const char *const reductions[] = {
    [REDUCE_NONE] = "none", [REDUCE_SUM] = "sum",       [REDUCE_PROD] = "prod",    [REDUCE_MAX] = "max",
    [REDUCE_MIN] = "min",   [REDUCE_ARGMAX] = "argmax", [REDUCE_ARGMIN] = "argmin"};

static void print_expr(const LoopPrinter *p, const LoopExpr *e) {
    switch (e->kind) {
    case LOOP_REAL: text_add(p->out, text_of_double(p->arena, e->real)); break;
    case LOOP_INT: text_printf(p->out, "%" PRId64, e->integer); break;
    case LOOP_BOOL: text_add(p->out, e->integer ? "true" : "false"); break;
    case LOOP_LANES: text_add(p->out, "lanes"); break;
    case LOOP_VAR: text_add(p->out, e->var->name); break;
    case LOOP_ELEMENT: print_element(p, e->element.tile, e->element.at); break;
    case LOOP_SUMS:
        text_add(p->out, "sums(");
        print_element(p, e->element.tile, e->element.at);
        text_add(p->out, " ..)");
        break;
    case LOOP_RUNTIME: print_runtime(p, e->runtime); break;
    case LOOP_LOAD: print_address(p, &e->load); break;
    case LOOP_OP: print_op(p, e); break;
    case LOOP_FMA: print_list(p, "fma", e->op.arg, 3); break;
    case LOOP_SPLAT: print_list(p, "splat", &e->unary.value, 1); break;
    case LOOP_IOTA: text_add(p->out, "iota"); break;
    case LOOP_FIRST: print_list(p, "first", &e->unary.value, 1); break;
    case LOOP_HORIZONTAL:
        text_printf(p->out, "lanes_");
        print_list(p, reductions[e->unary.reduce], &e->unary.value, 1);
        break;
    }
}

static void print_indent(const LoopPrinter *p) {
    for (int i = 0; i < p->depth; i++)
        text_add(p->out, "  ");
}

static void print_block(LoopPrinter *p, const LoopBody *body) {
    p->depth++;
    print_body(p, body);
    p->depth--;
}

static void print_for(LoopPrinter *p, const LoopStmt *s) {
    text_printf(p->out, "for %s = ", s->loop.var->name);
    print_expr(p, s->loop.from);
    text_add(p->out, " to ");
    print_expr(p, s->loop.to);
    if (s->loop.step->kind != LOOP_INT || s->loop.step->integer != 1) {
        text_add(p->out, " step ");
        print_expr(p, s->loop.step);
    }
    if (s->loop.mode == LOOP_UNROLLED)
        text_add(p->out, " unrolled");
    if (s->loop.mode == LOOP_ROLLED)
        text_add(p->out, " rolled");
    if (s->loop.mode == LOOP_PARALLEL)
        text_add(p->out, " threads");
    text_add(p->out, "\n");
    print_block(p, &s->loop.body);
}

static void print_if(LoopPrinter *p, const LoopStmt *s) {
    text_add(p->out, "if ");
    print_expr(p, s->branch.test);
    text_add(p->out, "\n");
    print_block(p, &s->branch.then);
    if (s->branch.otherwise.count == 0)
        return;
    print_indent(p);
    text_add(p->out, "else\n");
    print_block(p, &s->branch.otherwise);
}

static void print_declare(const LoopPrinter *p, const LoopStmt *s) {
    static const char *const types[] = {[TYPE_REAL] = "real", [TYPE_INT] = "int", [TYPE_BOOL] = "bool"};
    const LoopVar *var = s->declare.var;
    text_printf(p->out, "%s%s%s %s", s->declare.mutable ? "var " : "", var->vector ? "vec " : "", types[var->type],
                var->name);
    if (var->elements)
        text_printf(p->out, "[%" PRId64 "]", var->elements);
    if (var->scratch)
        text_printf(p->out, " at %zu of the slice", var->offset);
    for (int i = 0; i < var->rank; i++)
        text_printf(p->out, "[%d]", var->size[i]);
    if (s->declare.init) {
        text_add(p->out, " = ");
        print_expr(p, s->declare.init);
    }
    text_add(p->out, "\n");
}

static void print_stmt(LoopPrinter *p, const LoopStmt *s) {
    print_indent(p);
    switch (s->kind) {
    case LOOP_FOR: print_for(p, s); return;
    case LOOP_IF: print_if(p, s); return;
    case LOOP_DECLARE: print_declare(p, s); return;
    case LOOP_SET:
        print_element(p, s->set.var, s->set.at);
        text_add(p->out, " = ");
        print_expr(p, s->set.value);
        break;
    case LOOP_STORE:
        print_address(p, &s->store.to);
        text_add(p->out, " = ");
        print_expr(p, s->store.value);
        text_add(p->out, s->store.to.streams ? " past the caches" : "");
        break;
    case LOOP_TURN:
        text_printf(p->out, "turn %s %s ", s->turn.tile->name, s->turn.stores ? "to" : "from");
        print_address(p, &s->turn.at);
        break;
    case LOOP_APPLY: text_printf(p->out, "apply %s to %s", op_info(s->apply.op)->spelling, s->apply.tile->name); break;
    case LOOP_CALL:
        text_printf(p->out, "call %s\n", s->call->name);
        print_block(p, &s->call->body);
        return;
    case LOOP_FETCH:
        text_add(p->out, s->fetch.writes ? "fetch to write " : "fetch ");
        print_address(p, &s->fetch.at);
        if (s->fetch.ahead > 0)
            text_printf(p->out, " + %" PRId64, s->fetch.ahead);
        break;
    case LOOP_FENCE: text_add(p->out, "fence"); break;
    case LOOP_MARK: text_printf(p->out, "mark %d", s->mark); break;
    }
    text_add(p->out, "\n");
}

static void print_body(LoopPrinter *p, const LoopBody *body) {
    for (size_t i = 0; i < body->count; i++)
        print_stmt(p, body->at[i]);
}

static void print_kernel(LoopPrinter *p, const Kernel *kernel) {
    for (size_t i = 0; i < kernel->comments.count; i++)
        text_printf(p->out, "  # %s\n", kernel->comments.at[i]);
    text_printf(p->out, "  kernel %s(", kernel->name);
    for (size_t i = 0; i < kernel->reads.count; i++)
        text_printf(p->out, "%s%s", i ? ", " : "", kernel->reads.at[i]->name);
    text_add(p->out, " ->");
    for (size_t i = 0; i < kernel->writes.count; i++)
        text_printf(p->out, " %s", kernel->writes.at[i]->name);
    text_printf(p->out, ")%s%s\n", kernel->aliased ? " in place" : "", kernel->waits ? " after a wait" : "");
    p->depth = 2;
    print_body(p, &kernel->body);
    text_add(p->out, "\n");
}

void loop_print(const LoopProgram *program, Text *out) {
    LoopPrinter p = {out, program->arena, 0};
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        const LoopEntry *entry = &program->entries[kind];
        if (!entry->present)
            continue;
        text_printf(out, "%s: workspace %zu bytes\n", entry_name((EntryKind)kind), entry->workspace);
        for (size_t i = 0; i < entry->kernels.count; i++)
            print_kernel(&p, entry->kernels.at[i]);
    }
}

/* ---- memory ---- */

static bool kernel_uses(const Kernel *kernel, const Buffer *buffer) {
    for (size_t i = 0; i < kernel->reads.count; i++)
        if (kernel->reads.at[i] == buffer)
            return true;
    for (size_t i = 0; i < kernel->writes.count; i++)
        if (kernel->writes.at[i] == buffer)
            return true;
    return false;
}

static void print_buffer(const LoopProgram *program, const LoopEntry *entry, const Buffer *buffer, Text *out) {
    size_t element = (size_t)type_bytes(program->graph, buffer->type);
    int first = -1, last = -1;
    for (size_t i = 0; i < entry->kernels.count; i++) {
        if (!kernel_uses(entry->kernels.at[i], buffer))
            continue;
        first = first < 0 ? (int)i : first;
        last = (int)i;
    }
    text_printf(out, "  %8zu %8zu  %3d..%-3d %s\n", buffer->offset, (size_t)buffer->elements * element, first, last,
                buffer->name);
}

/* The slices of a kernel, and the arrays in each. */
static void print_slices(const LoopProgram *program, const Kernel *kernel, int at, Text *out) {
    if (kernel->scratch.count == 0)
        return;
    const char *lanes = kernel->scratch.at[0]->per_lane ? " a lane" : "";
    text_printf(out, "  %8zu %8zu  %3d..%-3d slices of %zu bytes%s\n", kernel->slices,
                kernel->slices_end - kernel->slices, at, at, kernel->slice, lanes);
    for (size_t i = 0; i < kernel->scratch.count; i++) {
        const LoopVar *array = kernel->scratch.at[i];
        size_t element = (size_t)type_bytes(program->graph, array->type);
        text_printf(out, "      +%8zu %8zu  %s\n", array->offset, (size_t)array->elements * element, array->name);
    }
}

void loop_print_memory(const LoopProgram *program, Text *out) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        const LoopEntry *entry = &program->entries[kind];
        if (!entry->present)
            continue;
        text_printf(out, "%s: workspace %zu bytes\n", entry_name((EntryKind)kind), entry->workspace);
        for (size_t i = 0; i < entry->buffers.count; i++)
            if (entry->buffers.at[i]->space == BUFFER_WORKSPACE)
                print_buffer(program, entry, entry->buffers.at[i], out);
        for (size_t i = 0; i < entry->kernels.count; i++)
            print_slices(program, entry->kernels.at[i], (int)i, out);
    }
}
