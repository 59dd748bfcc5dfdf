#include "loop/loop_build.h"

#include "ir/graph_print.h"
#include "loop/kernel.h"
#include "loop/loop_make.h"
#include "loop/loop_walk.h"
#include "loop/nest.h"

/* ---- what the head of a kernel says ---- */

static void describe_value(KernelBuilder *k, const PlanNode *value) {
    const Node *node = value->node;
    vec_push(k->arena, &k->kernel->nodes, node);
    Text *line = text_new(k->arena);
    if (value->copy)
        text_printf(line, "copy of %s", node->origin.name ? node->origin.name : "a value");
    else
        node_print_equation(node, line);
    if (node->origin.place.source)
        text_printf(line, "  (%s:%d)", source_file_name(node->origin.place.source), place_line(node->origin.place));
    vec_push(k->arena, &k->kernel->comments, text_get(line));
}

static const char *kernel_wish(EntryBuilder *entry, const PlanKernel *plan) {
    const PlanStage *last = &plan->stages.at[plan->stages.count - 1];
    const PlanNode *value = &last->nodes.at[last->nodes.count - 1];
    const char *what = value->node->origin.name;
    if (!what)
        what = value->output && value->output->name ? value->output->name : "values";
    return arena_printf(entry->arena, "%s_%s_%s", entry->graph->name, entry_name(entry->entry->kind), what);
}

/* ---- what a kernel uses: found in its finished loops ---- */

static void note_runtime(void *context, const LoopExpr *e) {
    Kernel *kernel = context;
    if (e->kind == LOOP_RUNTIME) {
        kernel->uses_n |= e->runtime == RUNTIME_N;
        kernel->uses_step |= e->runtime == RUNTIME_STEP;
        kernel->uses_steps |= e->runtime == RUNTIME_STEPS;
    }
    if (e->kind == LOOP_OP && e->op.op == OP_RANDOM)
        kernel->uses_seed = kernel->uses_step = true;
}

typedef struct BufferUse {
    bool read, written;
} BufferUse;

static void note_buffer(void *context, const LoopAddress *address, bool is_store) {
    BufferUse *uses = context;
    if (!address->buffer)
        return;
    BufferUse *use = &uses[address->buffer->id];
    use->read |= !is_store;
    use->written |= is_store;
}

static void note_uses(EntryBuilder *entry, Kernel *kernel) {
    const LoopEntry *from = entry->entry;
    BufferUse *uses = arena_array(entry->arena, BufferUse, from->buffers.count);
    loop_walk_body(&kernel->body, &(LoopVisitor){.expr = note_runtime, .context = kernel});
    loop_walk_body(&kernel->body, &(LoopVisitor){.address = note_buffer, .context = uses});
    for (size_t i = 0; i < from->buffers.count; i++) {
        if (uses[i].written)
            vec_push(entry->arena, &kernel->writes, from->buffers.at[i]);
        else if (uses[i].read)
            vec_push(entry->arena, &kernel->reads, from->buffers.at[i]);
    }
}

/* ---- stages ---- */

static LoopVar *row_buffer(KernelBuilder *k, const Node *node, int shared, bool samples) {
    int64_t elements = 1;
    for (int d = shared; d < node->rank; d++)
        elements *= node->shape[d].size;
    LoopVar *array =
        kernel_var(k, k->scope, node_short_name(node), node->type == TYPE_REAL ? TYPE_REAL : TYPE_INT, false);
    array->elements = elements;
    array->per_lane = samples;
    kernel_add(k, stmt_declare(k->arena, array, NULL, true));
    return array;
}

static NestTarget stage_target(KernelBuilder *k, const PlanNode *value, const PlanKernel *plan) {
    NestTarget target = {NULL, NULL};
    if (value->home == HOME_MEMORY)
        target.buffer = entry_output_buffer(k->entry, value);
    else if (value->home == HOME_ROW)
        target.array = row_buffer(k, value->node, plan->shared, plan->samples);
    return target;
}

static void build_stage(KernelBuilder *k, const PlanKernel *plan, const PlanStage *stage, const LoopExpr *const *index,
                        const LoopExpr *part) {
    NestTarget *targets = arena_array(k->arena, NestTarget, stage->nodes.count);
    for (size_t i = 0; i < stage->nodes.count; i++)
        targets[i] = stage_target(k, &stage->nodes.at[i], plan);
    if (stage->mark > 0)
        kernel_add(k, stmt_mark(k->arena, stage->mark));
    nest_build(k, stage, plan->shared, targets, index, part);
    if (stage->mark > 0)
        kernel_add(k, stmt_mark(k->arena, 0));
}

/* ---- kernels ---- */

static bool is_whole_vectors(const KernelBuilder *k, Extent extent) {
    return extent.per_sample == 0 && extent.size % most_lanes(k->entry->graph) == 0;
}

/* The shared loops from axis `axis` on, with all stages inside. */
static void build_shared(KernelBuilder *k, const PlanKernel *plan, int axis, const LoopExpr **index,
                         const LoopExpr *part) {
    if (axis == plan->shared) {
        for (size_t i = 0; i < plan->stages.count; i++)
            build_stage(k, plan, &plan->stages.at[i], index, part);
        return;
    }
    const Node *lead = plan->stages.at[0].nodes.at[0].node;
    if (lead->shape[axis].size == 1) {
        build_shared(k, plan, axis + 1, index, part);
        return;
    }
    const char *letter = lead->origin.axes[axis];
    Scope *scope = scope_open(k);
    LoopVar *var = kernel_var(k, scope, letter ? letter : arena_printf(k->arena, "i%d", axis), TYPE_INT, false);
    scope->slots |= UINT64_C(1) << axis;
    index[axis] = expr_var(k->arena, var);
    bool lanes = plan->samples && axis == 0;
    const LoopExpr *end = expr_extent(k->arena, lead->shape[axis]);
    if (lanes && !is_whole_vectors(k, lead->shape[axis]))
        part = expr_sub(k->arena, end, index[axis]);
    build_shared(k, plan, axis + 1, index, part);
    const LoopExpr *step = lanes ? expr_lanes(k->arena) : expr_int(k->arena, 1);
    LoopStmt *loop = stmt_for(k->arena, var, expr_int(k->arena, 0), end, step, scope_close(k));
    if (axis == plan->parallel_slot)
        loop->loop.mode = LOOP_PARALLEL;
    kernel_add(k, loop);
}

static bool has_streams(const PlanKernel *plan) {
    bool found = false;
    for (size_t s = 0; s < plan->stages.count; s++)
        for (size_t i = 0; i < plan->stages.at[s].nodes.count; i++)
            found = found || plan->stages.at[s].nodes.at[i].streams;
    return found;
}

static Kernel *build_kernel(EntryBuilder *entry, Names *kernel_names, const PlanKernel *plan) {
    Kernel *kernel = arena_one(entry->arena, Kernel);
    KernelBuilder k = {.arena = entry->arena, .pool = entry->graph->pool, .entry = entry, .kernel = kernel};
    k.local_of = pointer_map_new(entry->arena);
    kernel->name = names_take(kernel_names, kernel_wish(entry, plan));
    kernel->place = plan->stages.at[0].nodes.at[0].node->origin.place;
    for (size_t s = 0; s < plan->stages.count; s++)
        for (size_t i = 0; i < plan->stages.at[s].nodes.count; i++)
            describe_value(&k, &plan->stages.at[s].nodes.at[i]);
    kernel->stages = (int)plan->stages.count;
    kernel->parallel = plan->parallel;
    const LoopExpr *index[MAX_AXES] = {NULL};
    scope_open(&k);
    build_shared(&k, plan, 0, index, NULL);
    if (has_streams(plan))
        kernel_add(&k, stmt_fence(k.arena));
    kernel->body = scope_close(&k);
    note_uses(entry, kernel);
    return kernel;
}

static void build_entry(LoopProgram *program, Names *kernel_names, EntryKind kind, const PlanEntry *plan) {
    LoopEntry *entry = &program->entries[kind];
    entry->kind = kind;
    entry->present = plan->present;
    entry->parallel = plan->parallel;
    entry->least_n = plan->least_n;
    EntryBuilder builder = {.arena = program->arena, .graph = program->graph, .entry = entry};
    builder.names = names_new(program->arena, NULL);
    builder.buffer_of = pointer_map_new(program->arena);
    builder.memory_of = pointer_map_new(program->arena);
    entry_make_buffers(&builder, plan);
    for (size_t i = 0; i < plan->kernels.count; i++)
        vec_push(program->arena, &entry->kernels, build_kernel(&builder, kernel_names, &plan->kernels.at[i]));
}

LoopProgram *loop_build(Arena *arena, Graph *graph, const Plan *plan) {
    LoopProgram *program = arena_one(arena, LoopProgram);
    program->arena = arena;
    program->graph = graph;
    Names *kernel_names = names_new(arena, NULL);
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        build_entry(program, kernel_names, (EntryKind)kind, &plan->entries[kind]);
    return program;
}
