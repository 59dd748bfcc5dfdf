#include "emit/c_weights.h"

/* So many numbers and fewer stand without line breaks of their own: a window of 3x3 does not need five lines. */
enum { SHORT = 9 };

/* A tensor that is being written. */
typedef struct Values {
    CWriter *w;
    const Node *tensor;
    const void *numbers;
    bool is_double;
    int last; /* the last axis that is longer than 1 */
} Values;

static Values values_of(CWriter *w, const CNames *names, const Node *tensor, const void *numbers) {
    Values values = {w, tensor, numbers, names->graph->real_is_double, tensor->rank - 1};
    while (values.last > 0 && tensor->shape[values.last].size == 1)
        values.last--;
    return values;
}

/* The numbers in one element of the axis before `axis`. */
static int64_t block_size(const Node *tensor, int axis) {
    int64_t size = 1;
    for (int i = axis; i < tensor->rank; i++)
        size *= tensor->shape[i].size;
    return size;
}

/* "{{1.0f, 2.0f}, {3.0f, 4.0f}}": the axes from `axis` on, from number `first` on. */
static void add_block(const Values *v, Text *line, int axis, int64_t first) {
    if (axis == v->tensor->rank) {
        double number = v->is_double ? ((const double *)v->numbers)[first] : (double)((const float *)v->numbers)[first];
        c_real(line, number, v->is_double);
        return;
    }
    int64_t step = block_size(v->tensor, axis + 1);
    text_add(line, "{");
    for (int64_t i = 0; i < v->tensor->shape[axis].size; i++) {
        text_add(line, i > 0 ? ", " : "");
        add_block(v, line, axis + 1, first + i * step);
    }
    text_add(line, "}");
}

/* The same behind `head`, with a comma, in lines. */
static void write_block(const Values *v, const char *head, int axis, int64_t first) {
    if (axis >= v->last || block_size(v->tensor, axis) <= SHORT) {
        Text *line = c_begin(v->w);
        text_add(line, head);
        add_block(v, line, axis, first);
        text_add(line, ",");
        c_end(v->w);
        return;
    }
    int64_t step = block_size(v->tensor, axis + 1);
    c_open(v->w, "%s{", head);
    for (int64_t i = 0; i < v->tensor->shape[axis].size; i++)
        write_block(v, "", axis + 1, first + i * step);
    c_close(v->w, ",");
}

void c_weights_define(CWriter *w, const CNames *names, const EmitWeights *weights) {
    const char *m = names->prefix;
    c_comment(w, (const char *const[]){arena_printf(w->arena, "---- the parameters of %s ----", weights->file)}, 1);
    c_line(w, "%s", "");
    if (names->param_count == 0) {
        c_line(w, "const %s_params %s_weights = {0};", m, m);
    } else {
        c_open(w, "const %s_params %s_weights = {", m, m);
        for (size_t i = 0; i < names->param_count; i++) {
            const Values values = values_of(w, names, names->graph->params.at[i], weights->values[i]);
            write_block(&values, arena_printf(w->arena, ".%s = ", names->params[i]), 0, 0);
        }
        c_close(w, ";");
    }
    c_line(w, "%s", "");
}

/* "    lenet_predict(&lenet_weights, image, probabilities, n, workspace);" */
static const char *predict_call(Arena *arena, const CNames *names) {
    Text *call = text_new(arena);
    text_printf(call, "    %s_predict(&", names->prefix);
    if (names->has_prepared)
        text_add(call, "prepared");
    else
        text_printf(call, "%s_weights", names->prefix);
    for (size_t i = 0; i < names->input_count; i++)
        if (!names->graph->inputs.at[i]->leaf.is_target)
            text_printf(call, ", %s", names->inputs[i]);
    for (size_t i = 0; i < names->output_count; i++)
        text_printf(call, ", %s", names->outputs[i]);
    text_add(call, names->graph->batch.per_sample ? ", n, workspace);" : ", workspace);");
    return text_get(call);
}

void c_weights_declare(CWriter *w, const CNames *names, const EmitWeights *weights) {
    const char *m = names->prefix;
    VEC(const char *) lines = {0};
    bool predicts = names->graph->entries[ENTRY_PREDICT].present;
    vec_push(w->arena, &lines,
             arena_printf(w->arena, "The parameters of %s%s", weights->file, predicts ? ", to predict with:" : "."));
    if (names->has_prepared)
        vec_push(w->arena, &lines, arena_printf(w->arena, "    %s_prepare(&%s_weights, &prepared, workspace);", m, m));
    if (predicts)
        vec_push(w->arena, &lines, predict_call(w->arena, names));
    if (names->has_state)
        vec_push(w->arena, &lines, "What trains them further works on a copy.");
    c_comment(w, lines.at, lines.count);
    c_line(w, "extern const %s_params %s_weights;", m, m);
    c_line(w, "%s", "");
}
