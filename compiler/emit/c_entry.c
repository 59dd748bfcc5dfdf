#include "emit/c_entry.h"

#include <inttypes.h>
#include <string.h>

#include "emit/c_roll.h"
#include "loop/names.h"

/* What an entry point takes besides inputs, n and workspace. */
typedef struct Shape {
    const char *params;    /* qualifier of p; NULL: no p */
    const char *state;     /* qualifier of s; NULL: no s */
    const char *prepared;  /* qualifier of prepared; NULL: not there */
    bool inputs, targets;  /* data */
    bool outputs, metrics; /* results through pointers */
    bool gradient;         /* a params struct that receives gradients */
    bool seed, steps;      /* plain arguments */
    bool workspace;        /* otherwise it has memory of its own */
    bool returns_loss;
} Shape;

/* Of predict where it reads the parameters. */
static const Shape shapes[] = {
    [ENTRY_INIT] = {.params = "", .seed = true},
    [ENTRY_STATE_INIT] = {.state = "", .seed = true, .steps = true},
    [ENTRY_PREPARE] = {.params = "const ", .prepared = "", .workspace = true},
    [ENTRY_PREDICT] = {.params = "const ", .inputs = true, .outputs = true, .workspace = true},
    [ENTRY_LOSS] =
        {.params = "const ", .inputs = true, .targets = true, .metrics = true, .workspace = true, .returns_loss = true},
    [ENTRY_GRADIENT] = {.params = "const ",
                        .state = "const ",
                        .inputs = true,
                        .targets = true,
                        .gradient = true,
                        .workspace = true,
                        .returns_loss = true},
    [ENTRY_TRAIN_STEP] =
        {.params = "", .state = "", .inputs = true, .targets = true, .workspace = true, .returns_loss = true},
};

static Shape entry_shape(const CNames *names, EntryKind kind) {
    Shape shape = shapes[kind];
    if (kind == ENTRY_PREDICT && names->has_prepared) {
        shape.prepared = shape.params;
        shape.params = NULL;
    }
    return shape;
}

/* ---- signatures ---- */

/* An argument of an entry point: how it is declared, and its name. */
typedef struct Argument {
    const char *declaration, *name;
} Argument;

typedef VEC(Argument) ArgumentList;

typedef struct Signature {
    Arena *arena;
    const CNames *names;
    ArgumentList list;
} Signature;

static void add_argument(Signature *s, const char *name, const char *type) {
    const char *gap = type[strlen(type) - 1] == '*' ? "" : " ";
    vec_push(s->arena, &s->list, ((Argument){arena_printf(s->arena, "%s%s%s", type, gap, name), name}));
}

static const char *data_type(const Signature *s, Type type) {
    return type == TYPE_REAL ? arena_printf(s->arena, "%s_real", s->names->prefix) : "int32_t";
}

static void add_struct(Signature *s, const char *qualifier, const char *what, const char *name) {
    add_argument(s, name, arena_printf(s->arena, "%s%s_%s *", qualifier, s->names->prefix, what));
}

static void add_data(Signature *s, bool targets) {
    const Graph *g = s->names->graph;
    for (size_t i = 0; i < g->inputs.count; i++) {
        const Node *input = g->inputs.at[i];
        if (targets || !input->leaf.is_target)
            add_argument(s, s->names->inputs[i], arena_printf(s->arena, "const %s *", data_type(s, input->type)));
    }
}

static void add_outputs(Signature *s) {
    const Entry *predict = &s->names->graph->entries[ENTRY_PREDICT];
    for (size_t i = 0; i < predict->outputs.count; i++) {
        const char *type = data_type(s, predict->outputs.at[i].value->type);
        add_argument(s, s->names->outputs[i], arena_printf(s->arena, "%s *", type));
    }
}

static ArgumentList list_arguments(Arena *arena, const CNames *names, EntryKind kind) {
    const Shape shape = entry_shape(names, kind);
    Signature s = {.arena = arena, .names = names};
    if (shape.params)
        add_struct(&s, shape.params, "params", "p");
    if (shape.state)
        add_struct(&s, shape.state, "state", "s");
    if (shape.prepared)
        add_struct(&s, shape.prepared, "prepared", "prepared");
    if (shape.inputs)
        add_data(&s, shape.targets);
    if (shape.outputs)
        add_outputs(&s);
    if (shape.metrics && names->metric_count > 0)
        add_argument(&s, "metrics", arena_printf(arena, "%s_real *", names->prefix));
    if (shape.gradient)
        add_struct(&s, "", "params", "gradient");
    if (shape.seed)
        add_argument(&s, "seed", "uint64_t");
    if (shape.steps)
        add_argument(&s, "steps", "int64_t");
    if (shape.inputs && names->graph->batch.per_sample)
        add_argument(&s, "n", "int");
    if (shape.workspace)
        add_argument(&s, "workspace", "void *");
    return s.list;
}

/* `name` and its brackets, in which the arguments are declared, or just named. */
static const char *with_arguments(Arena *arena, const CNames *names, EntryKind kind, const char *name, bool declared) {
    ArgumentList list = list_arguments(arena, names, kind);
    Text *out = text_new(arena);
    text_printf(out, "%s(", name);
    for (size_t i = 0; i < list.count; i++)
        text_printf(out, "%s%s", i ? ", " : "", declared ? list.at[i].declaration : list.at[i].name);
    text_add(out, ")");
    return text_get(out);
}

static const char *declared_as(Arena *arena, const CNames *names, EntryKind kind, const char *name) {
    const char *result = shapes[kind].returns_loss ? arena_printf(arena, "%s_real", names->prefix) : "void";
    return arena_printf(arena, "%s %s", result, with_arguments(arena, names, kind, name, true));
}

const char *c_signature(Arena *arena, const CNames *names, EntryKind kind) {
    return declared_as(arena, names, kind, arena_printf(arena, "%s_%s", names->functions, entry_name(kind)));
}

const char *c_signature_pointer(Arena *arena, const CNames *names, EntryKind kind) {
    return declared_as(arena, names, kind, arena_printf(arena, "(*%s)", entry_name(kind)));
}

const char *c_forward(Arena *arena, const CNames *names, EntryKind kind, const char *function) {
    const char *call = with_arguments(arena, names, kind, function, false);
    return arena_printf(arena, "%s%s;", shapes[kind].returns_loss ? "return " : "", call);
}

/* ---- bodies ---- */

/* A statement, or the beginning or end of a loop over repetitions. */
typedef struct Line {
    const char *text;   /* NULL: a loop begins or ends */
    size_t repetitions; /* 0: it ends */
} Line;

typedef struct Body {
    Arena *arena;
    const CLoops *loops;
    CWriter *writer;
    const CNames *names;
    const LoopEntry *entry;
    Shape shape;
    TextMap *used;        /* the arguments that the function mentions */
    Names *locals;        /* distinct from the arguments */
    const char **pointer; /* by buffer id: the local pointer into the workspace; NULL: not declared yet */
    const char *
        *scratch;     /* by kernel: the same for its slice; of a kernel that several threads run, each thread has one */
    const char *loss; /* the local variable; NULL: none */
    const char *space; /* the memory that workspace buffers are in */
    VEC(Line) calls;   /* the statements */
    bool parallel;     /* several threads run them */
} Body;

static const char *element_type(const Body *b, const Buffer *buffer) {
    return buffer->type == TYPE_REAL ? b->names->real : "int32_t";
}

/* The argument's name, which is mentioned. */
static const char *use(const Body *b, const char *argument) {
    text_map_put(b->used, argument, b->used);
    return argument;
}

/* The first element of a struct's member. */
static const char *member(const Body *b, const Buffer *buffer, const char *of, const char *name) {
    const char *arrow = arena_printf(b->arena, "%s->%s", use(b, of), name);
    if (buffer->rank == 0)
        return arena_printf(b->arena, "&%s", arrow);
    if (buffer->rank == 1)
        return arrow;
    const Shape *shape = &b->shape;
    bool constant = shape->params && shape->params[0] && buffer->space == BUFFER_PARAM;
    constant |= shape->state && shape->state[0] && buffer->space == BUFFER_STATE;
    constant |= shape->prepared && shape->prepared[0] && buffer->space == BUFFER_PREPARED;
    return arena_printf(b->arena, "(%s%s *)%s", constant ? "const " : "", element_type(b, buffer), arrow);
}

static const char *workspace_pointer(Body *b, const Buffer *buffer) {
    use(b, b->space);
    if (!b->pointer[buffer->id])
        b->pointer[buffer->id] = names_take(b->locals, buffer->name);
    return b->pointer[buffer->id];
}

static const char *buffer_argument(Body *b, const Buffer *buffer) {
    const CNames *names = b->names;
    switch (buffer->space) {
    case BUFFER_INPUT: return use(b, names->inputs[buffer->ordinal]);
    case BUFFER_OUTPUT: return use(b, names->outputs[buffer->ordinal]);
    case BUFFER_PARAM: return member(b, buffer, "p", names->params[buffer->ordinal]);
    case BUFFER_STATE: return member(b, buffer, "s", names->states[buffer->ordinal]);
    case BUFFER_PREPARED: return member(b, buffer, "prepared", names->prepared[buffer->ordinal]);
    case BUFFER_GRADIENT: return member(b, buffer, "gradient", names->params[buffer->ordinal]);
    case BUFFER_LOSS: return arena_printf(b->arena, "&%s", b->loss);
    case BUFFER_METRIC: return arena_printf(b->arena, "&%s[%d]", use(b, "metrics"), buffer->ordinal);
    case BUFFER_WORKSPACE: break;
    }
    return workspace_pointer(b, buffer);
}

/* Where random bits and schedules come from: the state, or for initialisers the arguments; without both, 0. */
static const char *runtime_argument(const Body *b, const char *name) {
    bool is_seed = strcmp(name, "seed") == 0, is_steps = strcmp(name, "steps") == 0;
    if ((is_seed && b->shape.seed) || (is_steps && b->shape.steps))
        return use(b, name);
    bool from_state = b->shape.state && !b->shape.seed;
    return from_state ? arena_printf(b->arena, "%s->%s", use(b, "s"), name) : "0";
}

static void add_line(Body *b, const char *text) {
    vec_push(b->arena, &b->calls, ((Line){text, 0}));
}

/* What stands before the call of a kernel where several threads run the entry. */
static void make_sharing(Body *b, const Kernel *kernel) {
    if (kernel->waits)
        add_line(b, "NN_WAIT");
    if (!kernel->parallel)
        add_line(b, "NN_SINGLE");
}

static bool has_slices(const Body *b, const Kernel *kernel) {
    return b->parallel && kernel->parallel && kernel->scratch.count > 0;
}

static const char *slice_argument(Body *b, size_t i) {
    use(b, b->space);
    b->scratch[i] = names_take(b->locals, "slice");
    return b->scratch[i];
}

static const char *argument(Body *b, size_t i, const CParameter *parameter) {
    switch (parameter->kind) {
    case PARAMETER_READ:
    case PARAMETER_WRITTEN: return buffer_argument(b, parameter->buffer);
    case PARAMETER_SCRATCH: return slice_argument(b, i);
    case PARAMETER_N: return use(b, "n");
    case PARAMETER_STEP: return runtime_argument(b, "step");
    case PARAMETER_STEPS: return runtime_argument(b, "steps");
    case PARAMETER_SEED: return runtime_argument(b, "seed");
    case PARAMETER_VARIABLE: break; /* only of kernels that another one calls */
    }
    return "";
}

/* `steps`: how far each argument moves with a repetition; NULL: it is no loop. */
static void make_call(Body *b, size_t i, const CSteps *steps) {
    const CCall *made = pointer_map_get(b->loops->calls, b->entry->kernels.at[i]);
    if (b->parallel)
        make_sharing(b, b->entry->kernels.at[i]);
    Text *call = text_new(b->arena);
    text_printf(call, "%s(", made->function->kernel->name);
    for (size_t k = 0; k < made->values.count; k++)
        text_printf(call, "%s%s", k ? ", " : "",
                    c_moved(b->loops, argument(b, i, &made->values.at[k]), steps ? steps->at[k] : 0));
    for (size_t k = 0; k < made->sizes.count; k++)
        text_printf(call, "%s%s", k + made->values.count ? ", " : "",
                    c_moved(b->loops, arena_printf(b->arena, "%" PRId64, made->sizes.at[k]),
                            steps ? steps->at[made->values.count + k] : 0));
    text_add(call, ");");
    add_line(b, text_get(call));
}

static void make_calls(Body *b) {
    const CRollList rolls = c_roll_entry(b->loops, b->entry);
    for (size_t i = 0; i < b->entry->kernels.count; i++) {
        const CRoll *roll = c_roll_at(&rolls, i);
        if (!roll) {
            make_call(b, i, NULL);
            continue;
        }
        vec_push(b->arena, &b->calls, ((Line){NULL, roll->repeat.count}));
        for (size_t k = 0; k < roll->repeat.period; k++)
            make_call(b, i + k, &roll->steps[k]);
        vec_push(b->arena, &b->calls, ((Line){NULL, 0}));
        i += roll->repeat.period * roll->repeat.count - 1;
    }
}

static void write_calls(const Body *b) {
    for (size_t i = 0; i < b->calls.count; i++) {
        const Line *line = &b->calls.at[i];
        if (line->text)
            c_line(b->writer, "%s", line->text);
        else if (line->repetitions > 0)
            c_open_roll(b->writer, line->repetitions);
        else
            c_close(b->writer, "");
    }
}

/* ---- what stands before the calls ---- */

static size_t real_bytes(const Body *b) {
    return b->names->graph->real_is_double ? sizeof(double) : sizeof(float);
}

static void write_pointer(const Body *b, const char *type, const char *name, size_t offset, const char *behind) {
    if (offset == 0)
        c_line(b->writer, "%s *const %s = (%s *)%s%s;", type, name, type, b->space, behind);
    else
        c_line(b->writer, "%s *const %s = (%s *)((char *)%s + %zu)%s;", type, name, type, b->space, offset, behind);
}

/* Slices of kernels that each thread has for itself, or of the others. */
static void write_slices(const Body *b, bool of_threads) {
    for (size_t i = 0; i < b->entry->kernels.count; i++) {
        const Kernel *kernel = b->entry->kernels.at[i];
        if (!b->scratch[i] || has_slices(b, kernel) != of_threads)
            continue;
        const char *lanes = kernel->scratch.at[0]->per_lane ? " * NN_LANES" : "";
        const char *behind = arena_printf(b->arena, " + NN_THREAD * %zu%s", kernel->slice / real_bytes(b), lanes);
        write_pointer(b, b->names->real, b->scratch[i], kernel->slices, of_threads ? behind : "");
    }
}

/* Pointers into the workspace, in the order of the buffers. Initialisers have memory of their own. */
static void write_pointers(Body *b) {
    if (!b->shape.workspace && b->entry->workspace > 0)
        c_line(b->writer, "_Alignas(64) %s %s[%zu];", b->names->real, b->space,
               (b->entry->workspace + real_bytes(b) - 1) / real_bytes(b));
    for (size_t i = 0; i < b->entry->buffers.count; i++) {
        const Buffer *buffer = b->entry->buffers.at[i];
        if (b->pointer[buffer->id])
            write_pointer(b, element_type(b, buffer), b->pointer[buffer->id], buffer->offset, "");
    }
    write_slices(b, false);
}

static void write_unused(const Body *b, const ArgumentList *arguments) {
    for (size_t i = 0; i < arguments->count; i++)
        if (!text_map_get(b->used, arguments->at[i].name))
            c_line(b->writer, "(void)%s;", arguments->at[i].name);
}

static void start_state(Body *b) {
    const char *s = use(b, "s");
    add_line(b, arena_printf(b->arena, "%s->seed = %s;", s, use(b, "seed")));
    add_line(b, arena_printf(b->arena, "%s->step = 0;", s));
    add_line(b, arena_printf(b->arena, "%s->steps = %s;", s, use(b, "steps")));
}

/* Several threads, unless the batch is too small for them; no more than have slices. */
static const char *parallel_region(Body *b) {
    bool always = !b->names->graph->batch.per_sample || b->entry->least_n <= 1, slices = false;
    const char *test = always ? "1" : arena_printf(b->arena, "%s >= %" PRId64, use(b, "n"), b->entry->least_n);
    for (size_t i = 0; i < b->entry->kernels.count; i++)
        slices = slices || has_slices(b, b->entry->kernels.at[i]);
    if (slices)
        return arena_printf(b->arena, "NN_PARALLEL_OF(%d, %s)", b->entry->threads, test);
    return always ? "NN_PARALLEL" : arena_printf(b->arena, "NN_PARALLEL_IF(%s)", test);
}

void c_entry(const CLoops *c, const CNames *names, const LoopEntry *entry) {
    CWriter *w = c->writer;
    Arena *arena = w->arena;
    Body b = {.arena = arena,
              .loops = c,
              .writer = w,
              .names = names,
              .entry = entry,
              .shape = entry_shape(names, entry->kind)};
    ArgumentList arguments = list_arguments(arena, names, entry->kind);
    b.parallel = c->openmp && entry->parallel;
    if (b.parallel)
        inline_use(c->exprs.used, "parallel");
    b.locals = names_new(arena, NULL);
    for (size_t i = 0; i < arguments.count; i++)
        names_take(b.locals, arguments.at[i].name);
    b.pointer = arena_array(arena, const char *, entry->buffers.count + 1);
    b.scratch = arena_array(arena, const char *, entry->kernels.count + 1);
    b.loss = b.shape.returns_loss ? names_take(b.locals, "loss") : NULL;
    b.space = b.shape.workspace ? "workspace" : names_take(b.locals, "space");
    b.used = text_map_new(arena);
    if (entry->kind == ENTRY_STATE_INIT)
        start_state(&b);
    make_calls(&b);
    const char *s = entry->kind == ENTRY_TRAIN_STEP ? use(&b, "s") : NULL;
    const char *region = b.parallel ? parallel_region(&b) : NULL;

    c_open(w, "%s%s {", names->is_variant ? "static " : "", c_signature(arena, names, entry->kind));
    if (b.loss)
        c_line(w, "%s %s;", names->real, b.loss);
    write_pointers(&b);
    write_unused(&b, &arguments);
    if (region) {
        c_line(w, "%s", region);
        c_open(w, "{");
        write_slices(&b, true);
    }
    write_calls(&b);
    if (region)
        c_close(w, "");
    if (s)
        c_line(w, "%s->step += 1;", s);
    if (b.loss)
        c_line(w, "return %s;", b.loss);
    c_close(w, "");
    c_line(w, "%s", "");
}
