#include "emit/c_measure.h"

#include <inttypes.h>

typedef struct Measure {
    Arena *arena;
    CWriter *w;
    const CNames *names;
    const LoopProgram *program;
} Measure;

static bool has_entry(const Measure *m, EntryKind kind) {
    return m->program->entries[kind].present;
}

static void write_array(const Measure *m, const char *name, const Node *tensor) {
    const char *type = tensor->type == TYPE_REAL ? m->names->real : "int32_t";
    c_line(m->w, "_Alignas(64) static %s %s[%" PRId64 "];", type, name, node_elements(tensor));
}

static const char *result_name(const Measure *m, size_t i) {
    return arena_printf(m->arena, "nn_result_%zu", i);
}

static const char *data_name(const Measure *m, size_t i) {
    return arena_printf(m->arena, "nn_data_%zu", i);
}

static void write_memory(const Measure *m) {
    const Graph *g = m->names->graph;
    const char *p = m->names->prefix;
    for (size_t i = 0; i < g->inputs.count; i++)
        write_array(m, data_name(m, i), g->inputs.at[i]);
    const Entry *predict = &g->entries[ENTRY_PREDICT];
    for (size_t i = 0; i < predict->outputs.count; i++)
        write_array(m, result_name(m, i), predict->outputs.at[i].value);
    c_line(m->w, "static %s_params nn_params, nn_start_params;", p);
    if (has_entry(m, ENTRY_TRAIN_STEP))
        c_line(m->w, "static %s_state nn_state, nn_start_state;", p);
    if (has_entry(m, ENTRY_PREPARE))
        c_line(m->w, "static %s_prepared nn_prepared;", p);
    c_line(m->w, "_Alignas(64) static unsigned char nn_space[%s_WORKSPACE + 64];", m->names->upper);
    c_line(m->w, "%s", "");
}

/* Every step does the same, whatever the ones before have learned. */
static void write_restore(const Measure *m) {
    c_open(m->w, "static void nn_restore(void) {");
    c_line(m->w, "nn_params = nn_start_params;");
    if (has_entry(m, ENTRY_TRAIN_STEP))
        c_line(m->w, "nn_state = nn_start_state;");
    c_close(m->w, "");
    c_line(m->w, "%s", "");
}

static void add_data(const Measure *m, Text *call, bool targets) {
    const Graph *g = m->names->graph;
    for (size_t i = 0; i < g->inputs.count; i++)
        if (targets || !g->inputs.at[i]->leaf.is_target)
            text_printf(call, ", %s", data_name(m, i));
}

static void end_call(const Measure *m, Text *call) {
    const Extent batch = m->names->graph->batch;
    if (batch.per_sample)
        text_printf(call, ", %" PRId64, batch.size);
    c_line(m->w, "%s, nn_space);", text_get(call));
}

static void write_step(const Measure *m) {
    c_open(m->w, "static void nn_step(void) {");
    if (has_entry(m, ENTRY_PREDICT)) {
        Text *call = text_new(m->arena);
        text_printf(call, "%s_predict(&nn_%s", m->names->prefix, m->names->has_prepared ? "prepared" : "params");
        add_data(m, call, false);
        for (size_t i = 0; i < m->names->graph->entries[ENTRY_PREDICT].outputs.count; i++)
            text_printf(call, ", %s", result_name(m, i));
        end_call(m, call);
    }
    if (has_entry(m, ENTRY_TRAIN_STEP)) {
        Text *call = text_new(m->arena);
        text_printf(call, "(void)%s_train_step(&nn_params, &nn_state", m->names->prefix);
        add_data(m, call, true);
        end_call(m, call);
    }
    c_close(m->w, "");
    c_line(m->w, "%s", "");
}

/* Reals from 0 to 1, integers below their bound. */
static void fill_data(const Measure *m, size_t i) {
    const Node *input = m->names->graph->inputs.at[i];
    c_open(m->w, "for (int64_t i = 0; i < %" PRId64 "; i++) {", node_elements(input));
    if (input->type == TYPE_REAL)
        c_line(m->w, "%s[i] = (%s)(i * 7919 %% 256) / 256;", data_name(m, i), m->names->real);
    else
        c_line(m->w, "%s[i] = (int32_t)(i * 7919 %% %" PRId64 ");", data_name(m, i),
               input->leaf.classes > 0 ? input->leaf.classes : 1);
    c_close(m->w, "");
}

/* From -1/16 to 1/16: what grows by that, layer by layer, stays finite. */
static void fill_param(const Measure *m, size_t i) {
    const Node *param = m->names->graph->params.at[i];
    const char *type = m->names->real, *member = m->names->params[i];
    c_open(m->w, "for (int64_t i = 0; i < %" PRId64 "; i++) {", node_elements(param));
    c_line(m->w, "((%s *)&nn_start_params.%s)[i] = (%s)(i * 7919 %% 257 - 128) / 2048;", type, member, type);
    c_close(m->w, "");
}

static void write_main(const Measure *m, int parts) {
    c_open(m->w, "int main(int argc, char **argv) {");
    for (size_t i = 0; i < m->names->graph->inputs.count; i++)
        fill_data(m, i);
    for (size_t i = 0; i < m->names->param_count; i++)
        fill_param(m, i);
    if (has_entry(m, ENTRY_TRAIN_STEP))
        c_line(m->w, "%s_state_init(&nn_start_state, 1, 1000);", m->names->prefix);
    if (has_entry(m, ENTRY_PREPARE))
        c_line(m->w, "%s_prepare(&nn_start_params, &nn_prepared, nn_space);", m->names->prefix);
    c_line(m->w, "return nn_measure(%d, argc > 1 ? strtod(argv[1], NULL) : 1, nn_restore, nn_step);", parts);
    c_close(m->w, "");
}

void c_measure(CWriter *w, const CNames *names, const LoopProgram *program, int parts) {
    Measure m = {w->arena, w, names, program};
    write_memory(&m);
    write_restore(&m);
    write_step(&m);
    write_main(&m, parts);
}
