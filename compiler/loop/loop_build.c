#include "loop/loop_build.h"

#include <string.h>

#include "ir/graph_print.h"
#include "loop/kernel.h"
#include "loop/loop_make.h"
#include "loop/loop_walk.h"
#include "loop/nest.h"
#include "loop/series.h"

/* ---- what the head of a kernel says ---- */

/* No one reads equations of hundreds of terms: the beginning tells what they are. */
static const char *shortened(Arena *arena, const char *equation) {
    enum { LONG = 600 };
    return strlen(equation) > LONG ? arena_printf(arena, "%.*s ...", (int)LONG, equation) : equation;
}

/* What makes a part of a value does not say its equation again. */
static void describe_value(const KernelBuilder *k, Kernel *kernel, const PlanNode *value, bool is_part) {
    const Node *node = value->node;
    Text *line = text_new(k->arena);
    if (value->copy || is_part)
        text_printf(line, "%s of %s", is_part ? "part" : "copy", node->origin.name ? node->origin.name : "a value");
    else
        node_print_equation(node, line);
    const char *comment = shortened(k->arena, text_get(line));
    if (node->origin.place.source)
        comment = arena_printf(k->arena, "%s  (%s:%d)", comment, source_file_name(node->origin.place.source),
                               place_line(node->origin.place));
    vec_push(k->arena, &kernel->comments, comment);
}

static void describe_stage(const KernelBuilder *k, Kernel *kernel, const PlanStage *stage, bool is_part) {
    for (size_t i = 0; i < stage->nodes.count; i++)
        describe_value(k, kernel, &stage->nodes.at[i], is_part);
}

static const char *name_in_entry(const EntryBuilder *entry, const char *what) {
    return arena_printf(entry->arena, "%s_%s_%s", entry->graph->name, entry_name(entry->entry->kind), what);
}

static const char *stage_wish(const EntryBuilder *entry, const PlanStage *stage) {
    const PlanNode *value = &stage->nodes.at[stage->nodes.count - 1];
    const char *what = value->node->origin.name;
    if (!what)
        what = value->output && value->output->name ? value->output->name : "values";
    return name_in_entry(entry, what);
}

static const char *axis_letter(const KernelBuilder *k, const PlanKernel *plan, int axis) {
    const char *letter = plan->stages.at[0].nodes.at[0].node->origin.axes[axis];
    return letter ? letter : arena_printf(k->arena, "i%d", axis);
}

/* A kernel is called like what it makes last, unless others make it: then like what it goes through. */
static const char *kernel_wish(const KernelBuilder *k, const PlanKernel *plan) {
    const PlanStage *last = &plan->stages.at[plan->stages.count - 1];
    if (!last->apart)
        return stage_wish(k->entry, last);
    return name_in_entry(k->entry, arena_printf(k->arena, "each_%s", axis_letter(k, plan, 0)));
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
    for (size_t i = 0; i < from->buffers.count; i++)
        if (uses[i].written)
            vec_push(entry->arena, &kernel->writes, from->buffers.at[i]);
        else if (uses[i].read)
            vec_push(entry->arena, &kernel->reads, from->buffers.at[i]);
}

/* ---- the arguments of a stage that is a function ---- */

typedef struct ArgumentSearch {
    Arena *arena;
    Kernel *kernel;
    PointerMap *own; /* variables that it declares */
} ArgumentSearch;

static void note_declaration(void *context, const LoopStmt *s) {
    ArgumentSearch *search = context;
    const LoopVar *var = s->kind == LOOP_FOR ? s->loop.var : s->kind == LOOP_DECLARE ? s->declare.var : NULL;
    if (var)
        pointer_map_put(search->own, var, (void *)(uintptr_t)var);
}

static void note_variable(const ArgumentSearch *search, const LoopVar *var, bool written) {
    Kernel *kernel = search->kernel;
    if (pointer_map_get(search->own, var))
        return;
    size_t i = 0;
    while (i < kernel->arguments.count && kernel->arguments.at[i].var != var)
        i++;
    if (i == kernel->arguments.count)
        vec_push(search->arena, &kernel->arguments, ((KernelArgument){var, false}));
    kernel->arguments.at[i].written |= written;
}

static void note_variable_use(void *context, const LoopExpr *e) {
    if (e->kind == LOOP_VAR)
        note_variable(context, e->var, false);
}

static void note_array_use(void *context, const LoopAddress *address, bool is_store) {
    if (address->array)
        note_variable(context, address->array, is_store);
}

static void find_arguments(Arena *arena, Kernel *kernel) {
    ArgumentSearch search = {arena, kernel, pointer_map_new(arena)};
    loop_walk_body(&kernel->body, &(LoopVisitor){.expr = note_variable_use,
                                                 .address = note_array_use,
                                                 .stmt = note_declaration,
                                                 .context = &search});
}

/* ---- stages ---- */

/* What one iteration of the shared loops needs of a value; of sums that terms choose, what a block of their places needs. */
static int64_t local_elements(const PlanNode *value, const PlanKernel *plan, const PlanStage *stage) {
    const Node *node = value->node;
    const StageSchedule *s = &stage->schedule;
    int64_t elements = 1;
    for (int d = plan->shared; d < node->rank; d++)
        elements *= node->shape[d].size;
    bool in_blocks = stage->scatters.count > 0 && s->block > 0;
    return in_blocks ? elements / stage->slots[s->tile_slot].extent.size * s->block : elements;
}

/* On the stack or in the workspace. */
static LoopVar *local_array(KernelBuilder *k, const PlanNode *value, const PlanKernel *plan, const PlanStage *stage) {
    const Node *node = value->node;
    bool scratch = value->home == HOME_SCRATCH;
    const char *wish = scratch && node->origin.name ? node->origin.name : node_short_name(node);
    LoopVar *array = kernel_var(k, k->scope, wish, node->type == TYPE_REAL ? TYPE_REAL : TYPE_INT, false);
    array->elements = local_elements(value, plan, stage);
    array->node = node;
    array->per_lane = plan->samples;
    array->scratch = scratch;
    vec_push(k->arena, &k->kernel->arrays, array);
    if (scratch)
        vec_push(k->arena, &k->kernel->scratch, array);
    kernel_add(k, stmt_declare(k->arena, array, NULL, true));
    return array;
}

static NestTarget stage_target(KernelBuilder *k, const PlanNode *value, const PlanKernel *plan,
                               const PlanStage *stage) {
    NestTarget target = {NULL, NULL};
    if (value->home == HOME_MEMORY)
        target.buffer = entry_output_buffer(k->entry, value);
    else if (value->home == HOME_ROW || value->home == HOME_SCRATCH)
        target.array = local_array(k, value, plan, stage);
    return target;
}

/* The loops of a stage as a function: what is open is its body, and the call goes to the scope around it. */
static void close_function(KernelBuilder *k, const PlanStage *stage, bool is_part) {
    Kernel *function = arena_one(k->arena, Kernel);
    function->name = names_take(k->functions, stage_wish(k->entry, stage));
    function->place = stage->nodes.at[0].node->origin.place;
    function->stages = 1;
    describe_stage(k, function, stage, is_part);
    function->body = scope_close(k);
    note_uses(k->entry, function);
    find_arguments(k->arena, function);
    kernel_add(k, stmt_call(k->arena, function));
}

/* The loops of a stage, or of all its parts. */
static void build_loops(KernelBuilder *k, const PlanKernel *plan, const PlanStage *stage, bool is_part,
                        const NestTarget *targets, const LoopExpr *const *index, const LoopExpr *part) {
    if (stage->apart)
        scope_open(k)->apart = true;
    for (size_t i = 0; i < stage->parts.count; i++)
        build_loops(k, plan, &stage->parts.at[i], true, targets, index, part);
    if (stage->parts.count == 0)
        nest_build(k, stage, plan->shared, targets, index, part);
    if (stage->apart)
        close_function(k, stage, is_part);
}

static void build_stage(KernelBuilder *k, const PlanKernel *plan, const PlanStage *stage, const LoopExpr *const *index,
                        const LoopExpr *part) {
    NestTarget *targets = arena_array(k->arena, NestTarget, stage->nodes.count);
    for (size_t i = 0; i < stage->nodes.count; i++)
        targets[i] = stage_target(k, &stage->nodes.at[i], plan, stage);
    if (stage->mark > 0)
        kernel_add(k, stmt_mark(k->arena, stage->mark));
    build_loops(k, plan, stage, false, targets, index, part);
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
    Scope *scope = scope_open(k);
    LoopVar *var = kernel_var(k, scope, axis_letter(k, plan, axis), TYPE_INT, false);
    scope->slots |= UINT64_C(1) << axis;
    index[axis] = expr_var(k->arena, var);
    bool lanes = plan->samples && axis == 0;
    const LoopExpr *end = expr_extent(k->arena, lead->shape[axis]);
    if (lanes && !is_whole_vectors(k, lead->shape[axis]))
        part = expr_sub(k->arena, end, index[axis]);
    build_shared(k, plan, axis + 1, index, part);
    const LoopExpr *step = lanes ? expr_lanes(k->arena) : expr_int(k->arena, 1);
    LoopStmt *loop = stmt_for(k->arena, var, expr_int(k->arena, 0), end, step, scope_close(k));
    if (axis == plan->parallel_slot) {
        loop->loop.mode = LOOP_PARALLEL;
        k->kernel->shared_trips = lead->shape[axis].size;
        k->kernel->shares_vectors = lanes;
    }
    if (!k->kernel->iteration)
        k->kernel->iteration = &loop->loop.body;
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
    k.functions = kernel_names;
    kernel->name = names_take(kernel_names, kernel_wish(&k, plan));
    kernel->place = plan->stages.at[0].nodes.at[0].node->origin.place;
    for (size_t s = 0; s < plan->stages.count; s++) {
        const PlanStage *stage = &plan->stages.at[s];
        for (size_t i = 0; i < stage->nodes.count; i++)
            vec_push(entry->arena, &kernel->nodes, stage->nodes.at[i].node);
        if (!stage->apart)
            describe_stage(&k, kernel, stage, false);
    }
    kernel->stages = (int)plan->stages.count;
    kernel->parallel = plan->parallel;
    kernel->shared_trips = 1;
    const LoopExpr *index[MAX_AXES] = {NULL};
    scope_open(&k);
    build_shared(&k, plan, 0, index, NULL);
    if (has_streams(plan))
        kernel_add(&k, stmt_fence(k.arena));
    kernel->body = scope_close(&k);
    kernel->iteration = kernel->iteration ? kernel->iteration : &kernel->body;
    note_uses(entry, kernel);
    return kernel;
}

static void build_entry(LoopProgram *program, Names *kernel_names, EntryKind kind, const PlanEntry *plan) {
    LoopEntry *entry = &program->entries[kind];
    entry->kind = kind;
    entry->present = plan->present;
    entry->parallel = plan->parallel;
    entry->threads = plan->threads;
    entry->least_n = plan->least_n;
    EntryBuilder builder = {.arena = program->arena, .graph = program->graph, .entry = entry};
    builder.names = names_new(program->arena, NULL);
    builder.buffer_of = pointer_map_new(program->arena);
    builder.memory_of = pointer_map_new(program->arena);
    entry_make_buffers(&builder, plan);
    for (size_t i = 0; i < plan->kernels.count; i++)
        vec_push(program->arena, &entry->kernels, build_kernel(&builder, kernel_names, &plan->kernels.at[i]));
    series_find(program->arena, entry);
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
