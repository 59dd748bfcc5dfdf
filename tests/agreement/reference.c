/* reference.c: the run of a model in the interpreter. */
#include <math.h>
#include <string.h>

#include "agreement/stream.h"
#include "ir/graph_eval.h"

static uint64_t next_random(uint64_t *state) { /* splitmix64: Steele, Lea, Flood, 2014 */
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

RunInputs inputs_random(Arena *arena, const Graph *graph, int64_t n, uint64_t seed) {
    RunInputs inputs = {.n = n, .seed = seed, .values = arena_array(arena, double *, graph->inputs.count + 1)};
    uint64_t state = seed * 1000003 + 17;
    for (size_t i = 0; i < graph->inputs.count; i++) {
        const Node *input = graph->inputs.at[i];
        int64_t count = node_elements(input);
        inputs.values[i] = arena_array(arena, double, (size_t)count);
        for (int64_t k = 0; k < count; k++) {
            double u = (double)(next_random(&state) >> 11) * 0x1p-53;
            if (input->type == TYPE_INT)
                inputs.values[i][k] = floor(u * (double)(input->leaf.classes > 0 ? input->leaf.classes : 8));
            else
                inputs.values[i][k] = (double)(float)(2 * u - 1);
        }
    }
    return inputs;
}

/* The current values of parameters and states during the run. */
typedef struct Session {
    Arena *arena;
    Graph *graph;
    const RunInputs *inputs;
    double **params, **states;
    Stream stream;
} Session;

static void push(Session *s, const char *name, const double *values, int64_t count, bool is_int) {
    Piece piece = {
        .name = name, .count = count, .is_int = is_int, .values = arena_array(s->arena, double, (size_t)count)};
    memcpy(piece.values, values, (size_t)count * sizeof *values);
    vec_push(s->arena, &s->stream, piece);
}

static Evaluation *evaluation_with(Session *s, uint64_t seed, int64_t step) {
    Evaluation *e = evaluation_new(s->arena, s->graph, s->inputs->n, seed, step, AGREEMENT_STEPS);
    for (size_t i = 0; i < s->graph->inputs.count; i++)
        evaluation_bind(e, s->graph->inputs.at[i], s->inputs->values[i]);
    for (size_t i = 0; i < s->graph->params.count; i++)
        if (s->params[i])
            evaluation_bind(e, s->graph->params.at[i], s->params[i]);
    for (size_t i = 0; i < s->graph->states.count; i++)
        if (s->states[i])
            evaluation_bind(e, s->graph->states.at[i], s->states[i]);
    return e;
}

static Evaluation *evaluation_at(Session *s, int64_t step) {
    return evaluation_with(s, s->inputs->seed, step);
}

static double **slot_of(Session *s, const Node *target) {
    return (target->kind == NODE_PARAM ? s->params : s->states) + target->leaf.ordinal;
}

/* Gives the entry's INIT or UPDATE outputs to the params and states, after all of them have been computed. */
static void assign_outputs(Session *s, const Entry *entry, Evaluation *e) {
    for (size_t i = 0; i < entry->outputs.count; i++) {
        const GraphOutput *o = &entry->outputs.at[i];
        if (o->role == OUTPUT_INIT || o->role == OUTPUT_UPDATE)
            evaluation_value(e, o->value);
    }
    for (size_t i = 0; i < entry->outputs.count; i++) {
        const GraphOutput *o = &entry->outputs.at[i];
        if (o->role != OUTPUT_INIT && o->role != OUTPUT_UPDATE)
            continue;
        size_t count = (size_t)node_elements(o->target);
        double *copy = arena_array(s->arena, double, count);
        memcpy(copy, evaluation_value(e, o->value), count * sizeof *copy);
        *slot_of(s, o->target) = copy;
    }
}

static void push_leaves(Session *s, const Node *const *leaves, double *const *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        push(s, leaves[i]->origin.name, values[i], node_elements(leaves[i]), false);
}

static void push_outputs(Session *s, const Entry *entry, Evaluation *e, OutputRole role) {
    for (size_t i = 0; i < entry->outputs.count; i++) {
        const GraphOutput *o = &entry->outputs.at[i];
        if (o->role == role)
            push(s, o->name, evaluation_value(e, o->value), evaluation_count(e, o->value), o->value->type != TYPE_REAL);
    }
}

Stream reference_run(Arena *arena, Graph *graph, const RunInputs *inputs) {
    Session s = {.arena = arena, .graph = graph, .inputs = inputs};
    s.params = arena_array(arena, double *, graph->params.count + 1);
    s.states = arena_array(arena, double *, graph->states.count + 1);
    const Entry *entries = graph->entries;
    assign_outputs(&s, &entries[ENTRY_INIT], evaluation_at(&s, 0));
    push_leaves(&s, graph->params.at, s.params, graph->params.count);
    if (entries[ENTRY_STATE_INIT].present) {
        assign_outputs(&s, &entries[ENTRY_STATE_INIT], evaluation_at(&s, 0));
        push_leaves(&s, graph->states.at, s.states, graph->states.count);
    }
    /* Without a state, there is no seed but 0. */
    push_outputs(&s, &entries[ENTRY_PREDICT], evaluation_with(&s, 0, 0), OUTPUT_RESULT);
    if (entries[ENTRY_LOSS].present) {
        Evaluation *e = evaluation_with(&s, 0, 0);
        push_outputs(&s, &entries[ENTRY_LOSS], e, OUTPUT_LOSS);
        push_outputs(&s, &entries[ENTRY_LOSS], e, OUTPUT_METRIC);
    }
    if (entries[ENTRY_GRADIENT].present) {
        Evaluation *e = evaluation_at(&s, 0);
        push_outputs(&s, &entries[ENTRY_GRADIENT], e, OUTPUT_LOSS);
        push_outputs(&s, &entries[ENTRY_GRADIENT], e, OUTPUT_GRADIENT);
    }
    if (entries[ENTRY_TRAIN_STEP].present) {
        for (int step = 0; step < AGREEMENT_STEPS; step++) {
            Evaluation *e = evaluation_at(&s, step);
            push_outputs(&s, &entries[ENTRY_TRAIN_STEP], e, OUTPUT_LOSS);
            assign_outputs(&s, &entries[ENTRY_TRAIN_STEP], e);
        }
        push_leaves(&s, graph->params.at, s.params, graph->params.count);
        push_leaves(&s, graph->states.at, s.states, graph->states.count);
    }
    return s.stream;
}

double stream_difference(const Stream *a, const Stream *b, const char **worst) {
    double result = 0;
    *worst = "";
    for (size_t i = 0; i < a->count; i++) {
        const Piece *p = &a->at[i], *q = &b->at[i];
        double scale = 1e-3, difference = 0;
        for (int64_t k = 0; k < p->count; k++) {
            double d = fabs(p->values[k] - q->values[k]);
            bool both_nan = isnan(p->values[k]) && isnan(q->values[k]);
            if (!both_nan && !(d <= difference))
                difference = isnan(d) ? (double)INFINITY : d;
            if (fabs(p->values[k]) > scale)
                scale = fabs(p->values[k]);
        }
        if (difference / scale > result) {
            result = difference / scale;
            *worst = p->name;
        }
    }
    return result;
}
