#include "sema/optimizer.h"

#include <string.h>
#include "sema/call.h"
#include "sema/expr.h"
#include "sema/instance.h"
#include "sema/pattern.h"
#include "sema/state.h"
#include "sema/stmt.h"
#include "sema/tensor.h"

/* ---- statements ---- */

void optimizer_state(Sema *s, const AstStmt *stmt) {
    OptimizerRun *run = s->frame->optimizer;
    int rank = 0;
    Extent shape[MAX_AXES];
    if (!trained_shape(s, stmt, &rank, shape)) {
        frame_bind(s, stmt->name, value_poison());
        return;
    }
    if (text_map_get(run->targets, stmt->name.text) != NULL) {
        sema_error(s, stmt->name.place, "the name `%s` is taken", stmt->name.text);
        return;
    }
    const char *path = arena_printf(s->arena, "%s.%s", stmt->name.text, run->param->origin.name);
    const Node *node = graph_state(s->graph, run->param, rank, shape, origin_of(s, stmt->place, path));
    const Node *init = initial_value(s, node, stmt->value);
    if (init == NULL) {
        frame_bind(s, stmt->name, value_poison());
        return;
    }
    graph_set_init(s->graph, node, init);
    text_map_put(run->targets, stmt->name.text, (void *)(uintptr_t)node);
    frame_bind(s, stmt->name, value_from_node(s, node));
}

static void report_target(Sema *s, const AstStmt *stmt, const OptimizerRun *run) {
    sema_error(s, stmt->name.place, "`%s` is neither the parameter nor a state", stmt->name.text);
    NameList names = {0};
    for (size_t i = 0; i < text_map_count(run->targets); i++)
        vec_push(s->arena, &names, text_map_key(run->targets, i));
    if (!sema_help_closest(s, stmt->name.text, &names)) {
        sema_help(s,
                  "declare it: `state %s: real like p = zeros`; a name for a value is given "
                  "with `=`",
                  stmt->name.text);
    }
}

void optimizer_update(Sema *s, const AstStmt *stmt) {
    OptimizerRun *run = s->frame->optimizer;
    const Value *local = frame_find(s->frame, stmt->name.text);
    if (local != NULL && value_is_poison(*local))
        return;
    const Node *target = text_map_get(run->targets, stmt->name.text);
    if (target == NULL) {
        report_target(s, stmt, run);
        return;
    }
    const Node *value = update_value(s, stmt, target);
    if (value == NULL) {
        frame_bind(s, stmt->name, value_poison());
        return;
    }
    frame_bind(s, stmt->name, value_from_node(s, value));
    for (size_t i = 0; i < run->updates.count; i++) {
        if (run->updates.at[i].target == target) {
            run->updates.at[i].value = value;
            return;
        }
    }
    vec_push(s->arena, &run->updates, ((Update){target, value}));
}

/* ---- runs ---- */

static Value runtime_value(Sema *s, Runtime which) {
    return value_from_scalar(s, scalar_runtime(s->pool, which));
}

/* The rate of this step as one node, which all parameters share; poison after a fault. */
static Value rate_value(Sema *s, const Training *training) {
    Value rate = training->rate;
    if (callee_function(rate) != NULL) {
        Value leading[2] = {value_from_scalar(s, scalar_to_real(s->pool, scalar_runtime(s->pool, RUNTIME_STEP))),
                            value_from_scalar(s, scalar_to_real(s->pool, scalar_runtime(s->pool, RUNTIME_STEPS)))};
        rate = call_with(s, rate, leading, 2, training->rate_place);
    }
    const Tensor *tensor = value_to_tensor(s, rate, training->rate_place);
    tensor = tensor ? tensor_to_real(s, tensor, training->rate_place) : NULL;
    if (tensor == NULL)
        return value_poison();
    if (tensor->rank != 0) {
        sema_error(s, training->rate_place, "a rate is one number, but this one is %s",
                   tensor_describe(s->arena, s->graph, tensor));
        return value_poison();
    }
    if (tensor->body->kind == SCALAR_REAL)
        return value_tensor(tensor);
    const Node *node = tensor_node(s, tensor, training->rate_place, "rate");
    return node ? value_from_node(s, node) : value_poison();
}

static void bind_word(Sema *s, const char *word, Place place, Value value) {
    frame_bind(s, (AstName){word, place}, value);
}

/* Names that stand for the parameter in `<-`: the optimizer's own first parameter. */
static OptimizerRun *run_new(Sema *s, const AstDecl *decl, const Node *param) {
    OptimizerRun *run = arena_one(s->arena, OptimizerRun);
    run->param = param;
    run->targets = text_map_new(s->arena);
    text_map_put(run->targets, decl->params[0].name.text, (void *)(uintptr_t)param);
    return run;
}

static void add_updates(Sema *s, const OptimizerRun *run) {
    Entry *entry = &s->graph->entries[ENTRY_TRAIN_STEP];
    for (size_t i = 0; i < run->updates.count; i++) {
        Update update = run->updates.at[i];
        GraphOutput output = {OUTPUT_UPDATE, update.target->origin.name, update.target, update.value};
        vec_push(s->arena, &entry->outputs, output);
    }
}

/* An optimizer that leaves the parameter as it is trains nothing. */
static void check_updated(Sema *s, const OptimizerRun *run, const AstDecl *decl) {
    for (size_t i = 0; i < run->updates.count; i++)
        if (run->updates.at[i].target == run->param)
            return;
    const char *p = decl->params[0].name.text;
    sema_error(s, decl->name.place, "the optimizer `%s` never changes its parameter", decl->name.text);
    sema_help(s, "give it its new value: `%s <- %s - rate * %s`", p, p, decl->params[1].name.text);
}

static void run_for_param(Sema *s, const Training *training, const Node *param, const Node *gradient, Value rate) {
    const Function *function = callee_function(training->optimizer);
    const AstDecl *decl = function->decl;
    Place place = training->optimizer_place;
    Argument leading[2] = {{.position = 0, .value = value_from_node(s, param), .place = place},
                           {.position = 1, .value = value_from_node(s, gradient), .place = place}};
    Arguments given = {.place = place, .at = leading, .count = 2};
    Arguments args = combined_arguments(s, training->optimizer, &given);
    Frame *frame = frame_push(s, function, function->home, place);
    frame->label = arena_printf(s->arena, "%s.%s", decl->name.text, param->origin.name);
    frame->naming = naming_new(s->arena, frame->label);
    frame->optimizer = run_new(s, decl, param);
    int errors = s->diag->errors;
    if (bind_parameters(s, decl, &args)) {
        bind_word(s, "rate", place, rate);
        bind_word(s, "step", place, runtime_value(s, RUNTIME_STEP));
        exec_block(s, decl->body);
        add_updates(s, frame->optimizer);
        if (s->diag->errors == errors)
            check_updated(s, frame->optimizer, decl);
    }
    frame_pop(s);
}

/* An optimizer's declaration must say p and g, and do something. */
static bool check_optimizer(Sema *s, const AstDecl *decl) {
    size_t positional = 0;
    for (size_t i = 0; i < decl->param_count; i++)
        positional += !decl->params[i].by_name;
    if (positional == 2 && decl->body != NULL)
        return true;
    sema_error(s, decl->name.place,
               "an optimizer has the form `optimizer %s(p, g; ...) { ... }`: the parameter and its "
               "gradient, then its own settings by name",
               decl->name.text);
    return false;
}

/* The gradients of the GRADIENT entry are those that the optimizer sees. */
static const Node *gradient_of(const Graph *g, const Node *param) {
    const Entry *entry = &g->entries[ENTRY_GRADIENT];
    for (size_t i = 0; i < entry->outputs.count; i++)
        if (entry->outputs.at[i].target == param)
            return entry->outputs.at[i].value;
    return NULL;
}

/* ---- clipping ---- */

static const Scalar *square_of_gradients(Sema *s) {
    enum { MOST_TERMS = 16 }; /* of an equation: a function of C reads each of them through a pointer */
    Graph *g = s->graph;
    const Scalar *sum = scalar_real(s->pool, 0);
    int terms = 0;
    for (size_t i = 0; i < g->params.count; i++) {
        if (g->params.at[i]->leaf.is_buffer)
            continue;
        if (terms++ % MOST_TERMS == MOST_TERMS - 1) {
            const Node *part =
                graph_expr(g, 0, NULL, REDUCE_NONE, 0, NULL, sum, (Origin){.name = "square of gradients"});
            sum = scalar_load(s->pool, part, NULL);
        }
        const Node *gradient = gradient_of(g, g->params.at[i]);
        const Scalar *load = node_load_identity(g, gradient);
        Origin origin = {.name = arena_printf(s->arena, "square of the %s", gradient->origin.name)};
        const Node *square = graph_expr(g, 0, NULL, REDUCE_SUM, gradient->rank, gradient->shape,
                                        scalar_op2(s->pool, OP_MUL, load, load), origin);
        sum = scalar_op2(s->pool, OP_ADD, sum, scalar_load(s->pool, square, NULL));
    }
    return sum;
}

/* min(1, largest / (norm + 1e-6)), with the norm of all gradients as one vector (Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural
 * networks, 2013; PyTorch: clip_grad_norm_). */
static const Node *clip_factor(Sema *s, const Training *training) {
    const Scalar *sum = square_of_gradients(s);
    const Scalar *norm = scalar_op2(s->pool, OP_ADD, scalar_op1(s->pool, OP_SQRT, sum), scalar_real(s->pool, 1e-6));
    const Scalar *factor = scalar_op2(s->pool, OP_DIV, scalar_real(s->pool, training->clip_norm), norm);
    factor = scalar_op2(s->pool, OP_MIN, scalar_real(s->pool, 1), factor);
    return graph_expr(s->graph, 0, NULL, REDUCE_NONE, 0, NULL, factor, (Origin){.name = "clip factor"});
}

/* What the optimizer sees of the gradient. */
static const Node *clipped(Sema *s, const Node *gradient, const Node *factor) {
    if (factor == NULL)
        return gradient;
    Origin origin = {.name = arena_printf(s->arena, "clipped %s", gradient->origin.name)};
    const Scalar *body =
        scalar_op2(s->pool, OP_MUL, scalar_load(s->pool, factor, NULL), node_load_identity(s->graph, gradient));
    return graph_expr(s->graph, gradient->rank, gradient->shape, REDUCE_NONE, 0, NULL, body, origin);
}

/* ---- the training step ---- */

static void add_state_inits(Sema *s) {
    Entry *entry = &s->graph->entries[ENTRY_STATE_INIT];
    for (size_t i = 0; i < s->graph->states.count; i++) {
        const Node *state = s->graph->states.at[i];
        GraphOutput output = {OUTPUT_INIT, state->origin.name, state, state->leaf.init};
        vec_push(s->arena, &entry->outputs, output);
    }
}

void optimizer_build(Sema *s, const Training *training, const Node *loss) {
    Entry *entry = &s->graph->entries[ENTRY_TRAIN_STEP];
    GraphOutput output = {OUTPUT_LOSS, "loss", NULL, loss};
    vec_push(s->arena, &entry->outputs, output);
    entry->present = true;
    s->graph->entries[ENTRY_STATE_INIT].present = true;
    Value rate = rate_value(s, training);
    if (value_is_poison(rate) || !check_optimizer(s, callee_function(training->optimizer)->decl))
        return;
    const Node *factor = training->clip_norm > 0 ? clip_factor(s, training) : NULL;
    int errors = s->diag->errors;
    for (size_t i = 0; i < s->graph->params.count && s->diag->errors == errors; i++) {
        const Node *param = s->graph->params.at[i];
        if (!param->leaf.is_buffer)
            run_for_param(s, training, param, clipped(s, gradient_of(s->graph, param), factor), rate);
    }
    states_add_updates(s);
    add_state_inits(s);
}
