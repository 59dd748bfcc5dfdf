#include "emit/c_names.h"

#include <ctype.h>
#include <inttypes.h>

#include "loop/names.h"

typedef VEC(const char *) NameList;

static const char *upper_case(Arena *arena, const char *name) {
    char *copy = arena_printf(arena, "%s", name);
    for (char *c = copy; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return copy;
}

static const char *const *member_names(Arena *arena, const Node *const *tensors, size_t count) {
    Names *names = names_new(arena, NULL);
    const char **members = arena_array(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        members[i] = names_take(names, tensors[i]->origin.name ? tensors[i]->origin.name : "tensor");
    return members;
}

static void name_arguments(Arena *arena, CNames *c) {
    static const char *const fixed[] = {"p", "s", "prepared", "gradient", "metrics"};
    const Graph *g = c->graph;
    const Entry *predict = &g->entries[ENTRY_PREDICT];
    Names *names = names_new(arena, NULL);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        names_take(names, fixed[i]);
    c->input_count = g->inputs.count;
    c->output_count = predict->outputs.count;
    const char **inputs = arena_array(arena, const char *, c->input_count + 1);
    const char **outputs = arena_array(arena, const char *, c->output_count + 1);
    for (size_t i = 0; i < c->input_count; i++)
        inputs[i] = names_take(names, g->inputs.at[i]->origin.name ? g->inputs.at[i]->origin.name : "input");
    for (size_t i = 0; i < c->output_count; i++)
        outputs[i] = names_take(names, predict->outputs.at[i].name ? predict->outputs.at[i].name : "output");
    c->inputs = inputs;
    c->outputs = outputs;
}

static void name_metrics(Arena *arena, CNames *c) {
    const Entry *loss = &c->graph->entries[ENTRY_LOSS];
    NameList metrics = {0};
    for (size_t i = 0; i < loss->outputs.count; i++)
        if (loss->outputs.at[i].role == OUTPUT_METRIC)
            vec_push(arena, &metrics, loss->outputs.at[i].name);
    c->metrics = metrics.at;
    c->metric_count = metrics.count;
}

/* By ordinal, of those that PREPARE makes. */
static const char *const *prepared_names(Arena *arena, const Graph *g, const Target *variant) {
    const Entry *prepare = &g->entries[ENTRY_PREPARE];
    Names *names = names_new(arena, NULL);
    const char **members = arena_array(arena, const char *, g->prepared.count + 1);
    for (size_t i = 0; i < prepare->outputs.count; i++) {
        const Node *leaf = prepare->outputs.at[i].target;
        const char *name = names_take(names, leaf->origin.name ? leaf->origin.name : "tensor");
        members[leaf->leaf.ordinal] = variant ? arena_printf(arena, "%s.%s", variant->name, name) : name;
    }
    return members;
}

const CNames *c_names(const LoopProgram *program, const Target *variant) {
    Arena *arena = program->arena;
    const Graph *g = program->graph;
    CNames *c = arena_one(arena, CNames);
    c->graph = g;
    c->prefix = g->name;
    c->is_variant = variant != NULL;
    c->functions = variant ? arena_printf(arena, "%s_%s", g->name, variant->name) : g->name;
    c->upper = upper_case(arena, g->name);
    c->real = g->real_is_double ? "double" : "float";
    c->param_count = g->params.count;
    c->state_count = g->states.count;
    c->params = member_names(arena, g->params.at, c->param_count);
    c->states = member_names(arena, g->states.at, c->state_count);
    c->prepared = prepared_names(arena, g, variant);
    c->has_prepared = program->entries[ENTRY_PREPARE].present;
    c->has_state = program->entries[ENTRY_STATE_INIT].present || program->entries[ENTRY_GRADIENT].present ||
                   program->entries[ENTRY_TRAIN_STEP].present;
    name_arguments(arena, c);
    name_metrics(arena, c);
    return c;
}

const char *c_dimensions(Arena *arena, const Node *tensor) {
    Text *text = text_new(arena);
    for (int i = 0; i < tensor->rank; i++)
        text_printf(text, "[%" PRId64 "]", tensor->shape[i].size);
    return text_get(text);
}
