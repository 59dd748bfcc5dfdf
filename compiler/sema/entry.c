#include "sema/entry.h"

#include "sema/tensor.h"

static void add_output(Sema *s, EntryKind kind, OutputRole role, const char *name, const Node *target,
                       const Node *value) {
    Entry *entry = &s->graph->entries[kind];
    GraphOutput output = {role, name, target, value};
    vec_push(s->arena, &entry->outputs, output);
    entry->present = true;
}

/* The sum of all losses; NULL: there is none. */
static const Node *total_loss(Sema *s, const NamedNodes *losses) {
    if (losses->count == 0)
        return NULL;
    const Scalar *sum = scalar_load(s->pool, losses->at[0].node, NULL);
    for (size_t i = 1; i < losses->count; i++)
        sum = scalar_op2(s->pool, OP_ADD, sum, scalar_load(s->pool, losses->at[i].node, NULL));
    Place place = losses->at[0].place;
    return tensor_node(s, tensor_from_scalar(s, sum), place, "loss");
}

static void report_no_output(Sema *s, const AstDecl *model) {
    sema_error(s, model->name.place, "the model `%s` has no output", model->name.text);
    sema_help(s, "say what it predicts: `output y = ...`");
}

static bool is_target(const Node *node, const void *context) {
    (void)context;
    return node->kind == NODE_INPUT && node->leaf.is_target;
}

/* Prediction has the inputs alone. */
static void check_output(Sema *s, const NamedNode *output) {
    if (node_reaches(s, output->node, is_target, NULL)) {
        sema_error(s, output->place, "the output `%s` depends on a target, which prediction does not have",
                   output->name);
        sema_help(s, "declare as `input` what prediction needs; compare with targets in `loss` and `metric`");
    }
}

void entry_evaluation(Sema *s, const ModelBuild *build, const AstDecl *model) {
    if (build->outputs.count == 0)
        report_no_output(s, model);
    for (size_t i = 0; i < build->outputs.count; i++) {
        const NamedNode *output = &build->outputs.at[i];
        check_output(s, output);
        add_output(s, ENTRY_PREDICT, OUTPUT_RESULT, output->name, NULL, output->node);
    }
    const Node *loss = total_loss(s, &build->losses);
    if (loss == NULL) {
        if (build->metrics.count > 0) {
            sema_error(s, build->metrics.at[0].place,
                       "a metric stands beside a loss, and the "
                       "model has none");
            sema_help(s, "add `loss ...`");
        }
        return;
    }
    add_output(s, ENTRY_LOSS, OUTPUT_LOSS, "loss", NULL, loss);
    for (size_t i = 0; i < build->metrics.count; i++) {
        const NamedNode *metric = &build->metrics.at[i];
        add_output(s, ENTRY_LOSS, OUTPUT_METRIC, metric->name, NULL, metric->node);
    }
}

const Node *entry_gradient(Sema *s, const ModelBuild *build) {
    const Node *loss = total_loss(s, &build->losses);
    if (loss == NULL)
        return NULL;
    add_output(s, ENTRY_GRADIENT, OUTPUT_LOSS, "loss", NULL, loss);
    for (size_t i = 0; i < s->graph->params.count; i++) {
        const Node *param = s->graph->params.at[i];
        Origin origin = {.place = param->origin.place,
                         .name = arena_printf(s->arena, "gradient of %s", param->origin.name)};
        const Node *gradient = param->leaf.is_buffer ? graph_constant(s->graph, 0, param->rank, param->shape, origin)
                                                     : graph_grad(s->graph, loss, param, origin);
        add_output(s, ENTRY_GRADIENT, OUTPUT_GRADIENT, param->origin.name, param, gradient);
    }
    return loss;
}

void entry_init(Sema *s) {
    s->graph->entries[ENTRY_INIT].present = true;
    for (size_t i = 0; i < s->graph->params.count; i++) {
        const Node *param = s->graph->params.at[i];
        add_output(s, ENTRY_INIT, OUTPUT_INIT, param->origin.name, param, param->leaf.init);
    }
}

/* ---- checks ---- */

/* Marks what the entry's results and loss read. Gradients are left out: they name every parameter. */
static void mark_used(Sema *s, EntryKind kind, PointerMap *used) {
    const Entry *entry = &s->graph->entries[kind];
    Entry results = {.kind = kind, .present = true};
    for (size_t i = 0; i < entry->outputs.count; i++)
        if (entry->outputs.at[i].role != OUTPUT_GRADIENT)
            vec_push(s->arena, &results.outputs, entry->outputs.at[i]);
    NodeList nodes = graph_order(s->graph, s->arena, &results);
    for (size_t i = 0; i < nodes.count; i++)
        pointer_map_put(used, nodes.at[i], nodes.at[i]);
}

static bool same_place(Place a, Place b) {
    return a.source == b.source && a.start == b.start;
}

/* One warning for a declaration, however many instances it has. */
static void warn_unused(Sema *s, const PointerMap *used) {
    const Graph *g = s->graph;
    for (size_t i = 0; i < g->params.count; i++) {
        const Node *param = g->params.at[i];
        int before = 0, others = 0;
        for (size_t k = 0; k < g->params.count && pointer_map_get(used, param) == NULL; k++) {
            bool same = pointer_map_get(used, g->params.at[k]) == NULL &&
                        same_place(g->params.at[k]->origin.place, param->origin.place);
            before += same && k < i;
            others += same && k > i;
        }
        if (pointer_map_get(used, param) != NULL || before > 0)
            continue;
        sema_warning(s, param->origin.place, "the %s `%s` is never used", param->leaf.is_buffer ? "state" : "parameter",
                     param->origin.name);
        if (others > 0) {
            sema_note(s, (Place){0}, "nor %s %d other%s declared here", others == 1 ? "is" : "are", others,
                      others == 1 ? "" : "s");
        }
    }
}

static void warn_unused_data(Sema *s, const PointerMap *used) {
    for (size_t i = 0; i < s->graph->inputs.count; i++) {
        const Node *input = s->graph->inputs.at[i];
        if (pointer_map_get(used, input) == NULL) {
            sema_warning(s, input->origin.place, "the %s `%s` is never used",
                         input->leaf.is_target ? "target" : "input", input->origin.name);
        }
    }
}

void entry_check(Sema *s, const AstDecl *model) {
    PointerMap *used = pointer_map_new(s->arena);
    mark_used(s, ENTRY_GRADIENT, used);
    bool trains = false;
    for (size_t i = 0; i < s->graph->params.count; i++) {
        const Node *param = s->graph->params.at[i];
        trains = trains || (!param->leaf.is_buffer && pointer_map_get(used, param) != NULL);
    }
    if (s->graph->entries[ENTRY_GRADIENT].present && !trains)
        sema_warning(s, model->name.place, "the loss depends on no parameter: nothing is trained");
    mark_used(s, ENTRY_PREDICT, used);
    mark_used(s, ENTRY_LOSS, used);
    warn_unused(s, used);
    warn_unused_data(s, used);
}
