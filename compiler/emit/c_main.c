/* c_main.c: the names of this section end as no name of a model's function or table does, so that a model may be called
 * anything. */
#include "emit/c_main.h"

#include <inttypes.h>

#include "emit/c_header.h"

typedef struct Main {
    Arena *arena;
    CWriter *w;
    const CNames *names;
    const LoopProgram *program;
    bool trains; /* there are loss, state and training step */
} Main;

static void blank(const Main *m) {
    c_line(m->w, "%s", "");
}

static const char *real_type(const Main *m) {
    return m->names->graph->real_is_double ? "NNRT_REAL64" : "NNRT_REAL32";
}

/* ---- tensors and fields ---- */

static void write_tensors(const Main *m, const char *table, const char *what, const Node *const *tensors,
                          const char *const *members, size_t count) {
    const char *p = m->names->prefix;
    if (count == 0)
        return;
    c_open(m->w, "static const nnrt_tensor %s[] = {", table);
    for (size_t i = 0; i < count; i++) {
        const char *name = tensors[i]->origin.name ? tensors[i]->origin.name : members[i];
        int rank;
        const char *shape = c_shape(m->arena, tensors[i]->shape, tensors[i]->rank, &rank);
        c_line(m->w, "{%s, %s, %d, %s, offsetof(%s_%s, %s), %" PRId64 " * sizeof(%s_real)},", c_string(m->arena, name),
               real_type(m), rank, shape, p, what, members[i], node_elements(tensors[i]), p);
    }
    c_close(m->w, ";");
    blank(m);
}

static void write_field(const Main *m, const char *name, const Node *node) {
    int skip = m->names->graph->batch.size > 0 && node->rank > 0; /* the sample axis */
    int rank;
    const char *shape = c_shape(m->arena, node->shape + skip, node->rank - skip, &rank);
    int64_t classes = node->kind == NODE_INPUT ? node->leaf.classes : 0;
    c_line(m->w, "{%s, %s, %d, %s, %" PRId64 "},", c_string(m->arena, name),
           node->type == TYPE_REAL ? real_type(m) : "NNRT_INT32", rank, shape, classes);
}

static size_t count_inputs(const Main *m, bool targets) {
    size_t count = 0;
    for (size_t i = 0; i < m->names->input_count; i++)
        count += m->names->graph->inputs.at[i]->leaf.is_target == targets;
    return count;
}

static void write_inputs(const Main *m, bool targets) {
    if (count_inputs(m, targets) == 0)
        return;
    c_open(m->w, "static const nnrt_field %s_table[] = {", targets ? "targets" : "inputs");
    for (size_t i = 0; i < m->names->input_count; i++) {
        const Node *input = m->names->graph->inputs.at[i];
        if (input->leaf.is_target == targets)
            write_field(m, input->origin.name ? input->origin.name : m->names->inputs[i], input);
    }
    c_close(m->w, ";");
    blank(m);
}

static void write_outputs(const Main *m) {
    const Entry *predict = &m->names->graph->entries[ENTRY_PREDICT];
    if (predict->outputs.count == 0)
        return;
    c_open(m->w, "static const nnrt_field outputs_table[] = {");
    for (size_t i = 0; i < predict->outputs.count; i++)
        write_field(m, predict->outputs.at[i].name ? predict->outputs.at[i].name : m->names->outputs[i],
                    predict->outputs.at[i].value);
    c_close(m->w, ";");
    blank(m);
}

static void write_metrics(const Main *m) {
    if (m->names->metric_count == 0)
        return;
    Text *list = text_new(m->arena);
    for (size_t i = 0; i < m->names->metric_count; i++)
        text_printf(list, "%s%s", i ? ", " : "", c_string(m->arena, m->names->metrics[i]));
    c_line(m->w, "static const char *const metric_names[] = {%s};", text_get(list));
    blank(m);
}

/* ---- functions with nnrt's signatures ---- */

/* Adds the data arguments: inputs[0], inputs[1], targets[0], ... in the model's order. */
static void add_data(const Main *m, Text *call, bool with_targets) {
    size_t next[2] = {0, 0};
    for (size_t i = 0; i < m->names->input_count; i++) {
        bool target = m->names->graph->inputs.at[i]->leaf.is_target;
        if (!target || with_targets)
            text_printf(call, ", %s[%zu]", target ? "targets" : "inputs", next[target]);
        next[target]++;
    }
}

static const char *call_end(const Main *m) {
    return m->names->graph->batch.per_sample ? ", n, workspace)" : ", workspace)";
}

static void discard_n(const Main *m) {
    if (!m->names->graph->batch.per_sample)
        c_line(m->w, "(void)n;");
}

static void write_init(const Main *m) {
    const char *p = m->names->prefix;
    c_open(m->w, "static void init_call(void *params, uint64_t seed) {");
    c_line(m->w, "%s_init(params, seed);", p);
    c_close(m->w, "");
    blank(m);
    if (!m->trains)
        return;
    c_open(m->w, "static void state_init_call(void *state, uint64_t seed, int64_t steps) {");
    c_line(m->w, "%s_state_init(state, seed, steps);", p);
    c_close(m->w, "");
    blank(m);
}

static void write_predict(const Main *m) {
    Text *call = text_new(m->arena);
    text_printf(call, "%s_predict(params", m->names->prefix);
    add_data(m, call, false);
    for (size_t i = 0; i < m->names->output_count; i++)
        text_printf(call, ", outputs[%zu]", i);
    c_open(m->w, "static void predict_call(const void *params, const void *const *inputs, void *const *outputs, int n, "
                 "void *workspace) {");
    discard_n(m);
    if (count_inputs(m, false) == 0)
        c_line(m->w, "(void)inputs;");
    if (m->names->output_count == 0)
        c_line(m->w, "(void)outputs;");
    c_line(m->w, "%s%s;", text_get(call), call_end(m));
    c_close(m->w, "");
    blank(m);
}

static void discard_data(const Main *m) {
    discard_n(m);
    if (count_inputs(m, false) == 0)
        c_line(m->w, "(void)inputs;");
    if (count_inputs(m, true) == 0)
        c_line(m->w, "(void)targets;");
}

static void write_loss(const Main *m) {
    size_t metrics = m->names->metric_count;
    Text *call = text_new(m->arena);
    text_printf(call, "%s_loss(params", m->names->prefix);
    add_data(m, call, true);
    text_add(call, metrics ? ", values" : "");
    c_open(m->w, "static double loss_call(const void *params, const void *const *inputs, const void *const *targets, "
                 "double *metrics, int n, void *workspace) {");
    discard_data(m);
    if (metrics == 0) {
        c_line(m->w, "(void)metrics;");
        c_line(m->w, "return (double)%s%s;", text_get(call), call_end(m));
    } else {
        c_line(m->w, "%s_real values[%zu];", m->names->prefix, metrics);
        c_line(m->w, "const double loss = (double)%s%s;", text_get(call), call_end(m));
        c_open(m->w, "for (int i = 0; i < %zu; i++) {", metrics);
        c_line(m->w, "metrics[i] = (double)values[i];");
        c_close(m->w, "");
        c_line(m->w, "return loss;");
    }
    c_close(m->w, "");
    blank(m);
}

static void write_train_step(const Main *m) {
    Text *call = text_new(m->arena);
    text_printf(call, "%s_train_step(params, state", m->names->prefix);
    add_data(m, call, true);
    c_open(m->w, "static double train_step_call(void *params, void *state, const void *const *inputs, "
                 "const void *const *targets, int n, void *workspace) {");
    discard_data(m);
    c_line(m->w, "return (double)%s%s;", text_get(call), call_end(m));
    c_close(m->w, "");
    blank(m);
}

/* ---- the model ---- */

/* ".params = params_table, .param_count = 4," or nothing for an empty table. */
static void write_table(const Main *m, const char *field, const char *table, const char *count_field, size_t count) {
    if (count > 0)
        c_line(m->w, ".%s = %s, .%s = %zu,", field, table, count_field, count);
}

static void write_model(const Main *m) {
    const CNames *names = m->names;
    const char *p = names->prefix;
    const Extent batch = names->graph->batch;
    c_open(m->w, "static const nnrt_model model_table = {");
    c_line(m->w, ".name = %s, .real = %s,", c_string(m->arena, p), real_type(m));
    c_line(m->w, ".batch = %" PRId64 ", .dynamic = %d,", batch.size > 0 ? batch.size : 1, batch.per_sample > 0);
    c_line(m->w, ".params_bytes = sizeof(%s_params), .workspace_bytes = %s_WORKSPACE,", p, names->upper);
    write_table(m, "params", "params_table", "param_count", names->param_count);
    write_table(m, "inputs", "inputs_table", "input_count", count_inputs(m, false));
    write_table(m, "targets", "targets_table", "target_count", count_inputs(m, true));
    write_table(m, "outputs", "outputs_table", "output_count", names->output_count);
    write_table(m, "metrics", "metric_names", "metric_count", names->metric_count);
    c_line(m->w, ".init = init_call, .predict = predict_call,");
    if (m->trains) {
        c_line(m->w, ".state_bytes = sizeof(%s_state),", p);
        write_table(m, "states", "states_table", "state_count", names->state_count);
        c_line(m->w, ".step_offset = offsetof(%s_state, step), .steps_offset = offsetof(%s_state, steps),", p, p);
        c_line(m->w, ".seed_offset = offsetof(%s_state, seed),", p);
        c_line(m->w, ".state_init = state_init_call, .loss = loss_call, .train_step = train_step_call,");
    }
    c_close(m->w, ";");
    blank(m);
}

/* ---- the recipe ---- */

static const char *source_kind(RecipeSourceKind kind) {
    switch (kind) {
    case RECIPE_IDX: return "NNRT_SOURCE_IDX";
    case RECIPE_CSV: return "NNRT_SOURCE_CSV";
    case RECIPE_NPY: return "NNRT_SOURCE_NPY";
    case RECIPE_GRID: return "NNRT_SOURCE_GRID";
    case RECIPE_UNIFORM: return "NNRT_SOURCE_UNIFORM";
    case RECIPE_NORMAL: break;
    }
    return "NNRT_SOURCE_NORMAL";
}

static const char *number(const Main *m, double value) {
    return text_of_double(m->arena, value);
}

static void write_source(const Main *m, const RecipeSource *source) {
    c_line(m->w, "{.field = %s, .kind = %s,", c_string(m->arena, source->field), source_kind(source->kind));
    if (source->path)
        c_line(m->w, " .path = %s,", c_string(m->arena, source->path));
    if (source->columns.count > 0) {
        Text *list = text_new(m->arena);
        for (size_t i = 0; i < source->columns.count; i++)
            text_printf(list, "%s%s", i ? ", " : "", c_string(m->arena, source->columns.at[i]));
        c_line(m->w, " .columns = (const char *const[]){%s}, .column_count = %zu,", text_get(list),
               source->columns.count);
    }
    c_line(m->w, " .low = %s, .high = %s, .count = %" PRId64 ", .seed = UINT64_C(%" PRIu64 "),", number(m, source->low),
           number(m, source->high), source->count, source->seed);
    c_line(m->w, " .scale = %s, .shift = %s},", number(m, source->scale), number(m, source->shift));
}

static void write_sources(const Main *m, const char *table, const RecipeSplit *split) {
    if (split->count == 0)
        return;
    c_open(m->w, "static const nnrt_source %s[] = {", table);
    for (size_t i = 0; i < split->count; i++)
        write_source(m, &split->at[i]);
    c_close(m->w, ";");
    blank(m);
}

static void write_split(const Main *m, const char *field, const char *table, const RecipeSplit *split) {
    if (split->count > 0)
        c_line(m->w, ".%s = {%s, %zu},", field, table, split->count);
}

static void write_recipe(const Main *m, const Recipe *recipe) {
    write_sources(m, "train_sources", &recipe->data);
    write_sources(m, "validate_sources", &recipe->validate);
    write_sources(m, "test_sources", &recipe->test);
    c_open(m->w, "static const nnrt_recipe recipe_table = {");
    write_split(m, "train", "train_sources", &recipe->data);
    write_split(m, "validate", "validate_sources", &recipe->validate);
    write_split(m, "test", "test_sources", &recipe->test);
    c_line(m->w, ".validate_fraction = %s, .test_fraction = %s,", number(m, recipe->validate_fraction),
           number(m, recipe->test_fraction));
    c_line(m->w, ".epochs = %" PRId64 ", .seed = UINT64_C(%" PRIu64 "), .shuffle = %d, .patience = %" PRId64 ",",
           recipe->epochs, recipe->seed, recipe->shuffle, recipe->patience);
    c_close(m->w, ";");
    blank(m);
}

void c_main(CWriter *w, const CNames *names, const LoopProgram *program, const Recipe *recipe) {
    const Graph *g = names->graph;
    Main m = {.arena = w->arena, .w = w, .names = names, .program = program};
    m.trains = program->entries[ENTRY_TRAIN_STEP].present && program->entries[ENTRY_LOSS].present;
    bool has_recipe = m.trains && recipe && recipe->present;
    c_comment(w, (const char *const[]){"---- the program: what the run-time library needs to know ----"}, 1);
    c_line(w, "#include \"nnrt.h\"");
    blank(&m);
    write_tensors(&m, "params_table", "params", g->params.at, names->params, names->param_count);
    if (m.trains)
        write_tensors(&m, "states_table", "state", g->states.at, names->states, names->state_count);
    write_inputs(&m, false);
    write_inputs(&m, true);
    write_outputs(&m);
    write_metrics(&m);
    write_init(&m);
    write_predict(&m);
    if (m.trains) {
        write_loss(&m);
        write_train_step(&m);
    }
    write_model(&m);
    if (has_recipe)
        write_recipe(&m, recipe);
    c_open(w, "int main(int argc, char **argv) {");
    c_line(w, "return nnrt_main(&model_table, %s, argc, argv);", has_recipe ? "&recipe_table" : "NULL");
    c_close(w, "");
}
