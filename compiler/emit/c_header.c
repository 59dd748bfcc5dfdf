#include "emit/c_header.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "emit/c_entry.h"
#include "emit/c_family.h"
#include "emit/c_weights.h"
#include "ir/graph_print.h"

void c_banner(CWriter *w, const CNames *names, const EmitOptions *options) {
    const Source *source = names->graph->place.source;
    const char *from = source ? arena_printf(w->arena, " of %s", source_file_name(source)) : "";
    const char *made = arena_printf(w->arena, "Made by nnc %s from the model %s%s%s%s.", options->version,
                                    names->prefix, from, options->command[0] ? " with " : "", options->command);
    const char *lines[] = {made,
                           "Do not edit: change the model and compile it again. This file, with the functions of nnc "
                           "that it contains, belongs to the owner of the model."};
    c_comment(w, lines, 2);
}

/* ---- structs ---- */

static void write_members(CWriter *w, const CNames *names, const Node *const *tensors, const char *const *members,
                          size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *name = tensors[i]->origin.name;
        bool renamed = name && strcmp(name, members[i]) != 0;
        const char *comment = renamed ? arena_printf(w->arena, " /* %s */", name) : "";
        c_line(w, "%s_real %s%s;%s", names->prefix, members[i], c_dimensions(w->arena, tensors[i]), comment);
    }
}

static void write_prepared_members(CWriter *w, const CNames *names) {
    const Entry *prepare = &names->graph->entries[ENTRY_PREPARE];
    for (size_t i = 0; i < prepare->outputs.count; i++) {
        const Node *leaf = prepare->outputs.at[i].target;
        c_line(w, "NN_ALIGNED %s_real %s%s;", names->prefix, names->prepared[leaf->leaf.ordinal],
               c_dimensions(w->arena, leaf));
    }
    if (prepare->outputs.count == 0)
        c_line(w, "NN_ALIGNED char none; /* predictions read no parameters */");
}

/* What prepare makes, in the order in which it is read. Cache lines are not shared. */
static void write_prepared(CWriter *w, const CNames *names, const EmitFamily *family) {
    c_comment(w,
              (const char *const[]){"What predictions read instead of the parameters: aligned to 64 bytes, "
                                    "and so must memory for it be."},
              1);
    c_open(w, "typedef %s %s_prepared {", family->count > 1 ? "union" : "struct", names->prefix);
    for (size_t i = 0; i < family->count; i++) {
        if (family->count > 1)
            c_open(w, "struct {");
        write_prepared_members(w, c_names(family->programs[i], NULL));
        if (family->count > 1)
            c_close(w, arena_printf(w->arena, " %s;", family->targets[i]->name));
    }
    c_close(w, arena_printf(w->arena, " %s_prepared;", names->prefix));
    c_line(w, "%s", "");
}

static void write_structs(CWriter *w, const CNames *names, const EmitFamily *family) {
    const Graph *g = names->graph;
    c_line(w, "typedef %s %s_real;", names->real, names->prefix);
    c_line(w, "%s", "");
    c_open(w, "typedef struct %s_params {", names->prefix);
    write_members(w, names, g->params.at, names->params, names->param_count);
    if (names->param_count == 0)
        c_line(w, "char none; /* the model has no parameters */");
    c_close(w, arena_printf(w->arena, " %s_params;", names->prefix));
    c_line(w, "%s", "");
    if (names->has_prepared)
        write_prepared(w, names, family);
    if (!names->has_state)
        return;
    c_comment(w, (const char *const[]){"What training keeps besides the parameters."}, 1);
    c_open(w, "typedef struct %s_state {", names->prefix);
    c_line(w, "uint64_t seed; /* of the random bits */");
    c_line(w, "int64_t step, steps; /* done, and planned */");
    write_members(w, names, g->states.at, names->states, names->state_count);
    c_close(w, arena_printf(w->arena, " %s_state;", names->prefix));
    c_line(w, "%s", "");
}

/* ---- sizes ---- */

/* A constant of the preprocessor or, where C lets it be one, of an enum. */
static void write_constant(CWriter *w, const CNames *names, const char *name, uint64_t value) {
    if (value <= INT_MAX)
        c_line(w, "enum { %s_%s = %" PRIu64 " };", names->upper, name, value);
    else
        c_line(w, "#define %s_%s UINT64_C(%" PRIu64 ")", names->upper, name, value);
}

static const char *workspace_name(EntryKind kind) {
    switch (kind) {
    case ENTRY_PREPARE: return "PREPARE_WORKSPACE";
    case ENTRY_PREDICT: return "PREDICT_WORKSPACE";
    case ENTRY_LOSS: return "LOSS_WORKSPACE";
    case ENTRY_GRADIENT: return "GRADIENT_WORKSPACE";
    case ENTRY_TRAIN_STEP: return "TRAIN_STEP_WORKSPACE";
    default: return NULL; /* initialisers need none from outside */
    }
}

/* Bytes that are enough for the entry point, whichever processor it is for. */
static size_t workspace_of(const EmitFamily *family, int kind) {
    size_t largest = 0;
    for (size_t i = 0; i < family->count; i++) {
        size_t workspace = family->programs[i]->entries[kind].workspace;
        largest = workspace > largest ? workspace : largest;
    }
    return largest;
}

static void write_sizes(CWriter *w, const CNames *names, const EmitFamily *family) {
    size_t largest = 0;
    if (names->graph->batch.size > 0) {
        c_comment(
            w, (const char *const[]){names->graph->batch.per_sample ? "The largest n." : "The samples of a call."}, 1);
        write_constant(w, names, "BATCH", (uint64_t)names->graph->batch.size);
    }
    c_comment(w, (const char *const[]){"Bytes of workspace, aligned to 64; the last is enough for all."}, 1);
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        if (!family->programs[0]->entries[kind].present || !workspace_name((EntryKind)kind))
            continue;
        size_t workspace = workspace_of(family, kind);
        write_constant(w, names, workspace_name((EntryKind)kind), workspace);
        largest = workspace > largest ? workspace : largest;
    }
    write_constant(w, names, "WORKSPACE", largest);
    c_line(w, "%s", "");
}

/* ---- functions ---- */

static const char *const docs[] = {
    [ENTRY_INIT] = "Fills the parameters with their initial values.",
    [ENTRY_STATE_INIT] = "Starts the state of a training of `steps` steps.",
    [ENTRY_PREPARE] = "Makes of the parameters what predictions read; to be called again when they have changed.",
    [ENTRY_PREDICT] = "Computes the outputs.",
    [ENTRY_LOSS] = "The mean loss, evaluated as in prediction.",
    [ENTRY_GRADIENT] = "The mean loss, evaluated as in training, and its gradient.",
    [ENTRY_TRAIN_STEP] = "One step of the optimizer; returns the mean loss before it.",
};

/* "image: real[64, 1, 28, 28]": what the pointers point to. */
static const char *describe(Arena *arena, const CNames *names, const char *name, const Node *tensor) {
    const char *batch = names->graph->batch_name ? names->graph->batch_name : "n";
    return arena_printf(arena, "%s: %s", name, shape_text(arena, tensor->type, tensor->rank, tensor->shape, batch));
}

/* Does a function take targets? */
static bool has_targets(const LoopProgram *program) {
    const LoopEntry *entries = program->entries;
    return entries[ENTRY_LOSS].present || entries[ENTRY_GRADIENT].present || entries[ENTRY_TRAIN_STEP].present;
}

static void write_data(CWriter *w, const CNames *names, const LoopProgram *program) {
    const Entry *predict = &names->graph->entries[ENTRY_PREDICT];
    bool inputs = has_targets(program) || program->entries[ENTRY_PREDICT].present;
    VEC(const char *) lines = {0};
    if (!inputs)
        return;
    vec_push(w->arena, &lines, "Data are contiguous, in C order:");
    for (size_t i = 0; i < names->input_count; i++)
        if (has_targets(program) || !names->graph->inputs.at[i]->leaf.is_target)
            vec_push(w->arena, &lines, describe(w->arena, names, names->inputs[i], names->graph->inputs.at[i]));
    for (size_t i = 0; i < names->output_count; i++)
        vec_push(w->arena, &lines, describe(w->arena, names, names->outputs[i], predict->outputs.at[i].value));
    for (size_t i = 0; i < names->metric_count; i++)
        vec_push(w->arena, &lines, arena_printf(w->arena, "metrics[%zu]: %s", i, names->metrics[i]));
    c_comment(w, lines.at, lines.count);
    c_line(w, "%s", "");
}

static void write_functions(CWriter *w, const CNames *names, const LoopProgram *program) {
    write_data(w, names, program);
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        if (!program->entries[kind].present)
            continue;
        c_comment(w, &docs[kind], 1);
        c_line(w, "%s;", c_signature(w->arena, names, (EntryKind)kind));
    }
    c_line(w, "%s", "");
}

/* ---- tables ---- */

int emit_shown_shape(const Extent *shape, int rank, int64_t shown[SHOWN_RANK]) {
    int joined = rank > SHOWN_RANK ? rank - SHOWN_RANK : 0; /* these and the next one */
    for (int i = joined; i < rank; i++)
        shown[i - joined] = shape[i].size;
    for (int i = 0; i < joined; i++)
        shown[0] *= shape[i].size;
    return rank - joined;
}

const char *c_shape(Arena *arena, const Extent *shape, int rank, int *shown_rank) {
    Text *out = text_new(arena);
    int64_t shown[SHOWN_RANK];
    *shown_rank = emit_shown_shape(shape, rank, shown);
    text_add(out, "{");
    for (int i = 0; i < *shown_rank; i++)
        text_printf(out, "%s%" PRId64, i > 0 ? ", " : "", shown[i]);
    text_add(out, rank == 0 ? "0}" : "}");
    return text_get(out);
}

static void declare_tables(CWriter *w, const CNames *names) {
    c_comment(w, (const char *const[]){"The tensors of the structs, for tools."}, 1);
    c_open(w, "typedef struct %s_tensor_info {", names->prefix);
    c_line(w, "const char *name;");
    c_line(w, "int rank;");
    c_line(w, "int64_t shape[%d];", SHOWN_RANK);
    c_line(w, "size_t offset, bytes;");
    c_close(w, arena_printf(w->arena, " %s_tensor_info;", names->prefix));
    write_constant(w, names, "PARAMS_COUNT", names->param_count);
    c_line(w, "extern const %s_tensor_info %s_params_info[];", names->prefix, names->prefix);
    if (names->has_state) {
        write_constant(w, names, "STATE_COUNT", names->state_count);
        c_line(w, "extern const %s_tensor_info %s_state_info[];", names->prefix, names->prefix);
    }
    c_line(w, "%s", "");
}

static void define_table(CWriter *w, const CNames *names, const char *what, const Node *const *tensors,
                         const char *const *members, size_t count) {
    const char *m = names->prefix;
    c_open(w, "const %s_tensor_info %s_%s_info[] = {", m, m, what);
    for (size_t i = 0; i < count; i++) {
        const char *name = tensors[i]->origin.name ? tensors[i]->origin.name : members[i];
        int rank;
        const char *shape = c_shape(w->arena, tensors[i]->shape, tensors[i]->rank, &rank);
        c_line(w, "{%s, %d, %s, offsetof(%s_%s, %s), %" PRId64 " * sizeof(%s_real)},", c_string(w->arena, name), rank,
               shape, m, what, members[i], node_elements(tensors[i]), m);
    }
    if (count == 0)
        c_line(w, "{NULL, 0, {0}, 0, 0},");
    c_close(w, ";");
    c_line(w, "%s", "");
}

void c_tables(CWriter *w, const CNames *names) {
    const Graph *g = names->graph;
    define_table(w, names, "params", g->params.at, names->params, names->param_count);
    if (names->has_state)
        define_table(w, names, "state", g->states.at, names->states, names->state_count);
}

/* ---- the header ---- */

/* Models share it. */
static const char aligned[] = "#ifndef NN_ALIGNED\n"
                              "#ifdef __cplusplus\n"
                              "#define NN_ALIGNED alignas(64)\n"
                              "#else\n"
                              "#define NN_ALIGNED _Alignas(64)\n"
                              "#endif\n"
                              "#endif\n\n";

void c_header(CWriter *w, const EmitFamily *family, const EmitOptions *options) {
    const LoopProgram *program = family->programs[0];
    const CNames *names = c_names(program, NULL);
    c_banner(w, names, options);
    c_line(w, "#ifndef NN_%s_H", names->upper);
    c_line(w, "#define NN_%s_H", names->upper);
    c_line(w, "%s", "");
    c_line(w, "#include <stddef.h>");
    c_line(w, "#include <stdint.h>");
    c_line(w, "%s", "");
    c_verbatim(w, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    if (names->has_prepared)
        c_verbatim(w, aligned);
    write_structs(w, names, family);
    write_sizes(w, names, family);
    write_functions(w, names, program);
    if (family->count > 1)
        c_family_declare(w, names, family);
    declare_tables(w, names);
    if (options->weights)
        c_weights_declare(w, names, options->weights);
    c_verbatim(w, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
