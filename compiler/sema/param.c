/* The parameters of the model: one for each path, with an initial value. */
#include <string.h>
#include "ir/scalar_walk.h"
#include "sema/call.h"
#include "sema/elementwise.h"
#include "sema/expr.h"
#include "sema/instance.h"
#include "sema/model.h"
#include "sema/pattern.h"
#include "sema/tensor.h"

ParamTable *param_table_new(Arena *arena) {
    ParamTable *table = arena_one(arena, ParamTable);
    table->by_path = text_map_new(arena);
    return table;
}

/* ---- initial values ---- */

/* Does the body hold the number of samples or the step? */
static bool reads_runtime(Arena *arena, const Scalar *body) {
    ScalarWalk *walk = scalar_walk_new(arena);
    scalar_walk(walk, body, NULL, NULL);
    for (size_t i = 0; i < walk->count; i++)
        if (walk->at[i]->kind == SCALAR_RUNTIME)
            return true;
    return false;
}

/* What an initial value must not be made of: it is computed before there are data, and for each parameter alone. */
static bool is_unknown_at_start(const Node *node, const void *context) {
    const Sema *s = context;
    if (node->kind != NODE_EXPR)
        return node->kind == NODE_INPUT || node->kind == NODE_PARAM || node->kind == NODE_STATE;
    for (int i = 0; i < node->expr.reduced; i++)
        if (extent_is_dynamic(node->expr.extents[i]))
            return true;
    return reads_runtime(s->arena, node->expr.body);
}

static void report_no_initializer(Sema *s, Value value, const AstExpr *init) {
    sema_error(s, init->place, "an initial value is wanted, but `%s` is %s", place_snippet(s->arena, init->place),
               sema_describe(s, value));
    if (value.kind == VALUE_TEXT && globals_find(s->globals, SPACE_INIT, value.text) != NULL) {
        sema_help(s, "an initialiser is written without quotes: `%s`", value.text);
    } else {
        sema_help(s, "initialisers are `zeros`, `uniform(low = -1, high = 1)`, `kaiming_uniform()` and others, or a "
                     "number");
    }
}

/* The value of an initialiser's expression: `zeros` and `uniform(low = 0)` are called with the tensor. */
static Value eval_initializer(Sema *s, const Node *leaf, const AstExpr *init) {
    Space prefer = s->frame->prefer;
    s->frame->prefer = SPACE_INIT;
    Value value = eval(s, init);
    s->frame->prefer = prefer;
    const Function *function = callee_function(value);
    if (value_is_poison(value) || value.kind == VALUE_NUMBER || value.kind == VALUE_TENSOR)
        return value;
    if (function == NULL || function->decl->kind != AST_INIT) {
        report_no_initializer(s, value, init);
        return value_poison();
    }
    Value tensor = value_from_node(s, leaf);
    return call_with(s, value, &tensor, 1, init->place);
}

/* The value stretched to the shape of the leaf; NULL after a fault. */
static const Node *fill(Sema *s, const Node *leaf, Value value, const AstExpr *init) {
    const Tensor *whole = tensor_from_node(s, leaf);
    const Tensor *tensor = value_to_tensor(s, value, init->place);
    tensor = tensor ? tensor_to_real(s, tensor, init->place) : NULL;
    if (tensor == NULL)
        return NULL;
    bool fits = tensor->rank <= whole->rank;
    int shift = whole->rank - tensor->rank;
    const Scalar *map[MAX_AXES];
    for (int i = 0; fits && i < tensor->rank; i++) {
        fits = extent_equal(tensor->shape[i], whole->shape[i + shift]);
        map[i] = scalar_index(s->pool, i + shift, tensor->shape[i]);
    }
    if (!fits || scalar_is_open(tensor->body)) {
        sema_error(s, init->place, "the initial value `%s` is %s, but the tensor is %s",
                   place_snippet(s->arena, init->place), sema_describe(s, value),
                   tensor_describe(s->arena, s->graph, whole));
        return NULL;
    }
    const Scalar *body = scalar_substitute(s->pool, tensor->body, map, tensor->rank);
    const char *name = arena_printf(s->arena, "initial %s", leaf->origin.name);
    return tensor_node(s, tensor_from_body(s, leaf->rank, leaf->shape, body, NULL), init->place, name);
}

const Node *initial_value(Sema *s, const Node *leaf, const AstExpr *init) {
    /* Random bits of initialisers do not depend on those of the model. */
    int64_t stream = s->next_stream;
    s->next_stream = s->init_stream;
    const Node *node = fill(s, leaf, eval_initializer(s, leaf, init), init);
    s->init_stream = s->next_stream;
    s->next_stream = stream;
    if (node != NULL && node_reaches(s, node, is_unknown_at_start, s)) {
        sema_error(s, init->place, "an initial value cannot depend on data, on the number of samples or on parameters");
        return NULL;
    }
    return node;
}

/* ---- the statement ---- */

bool trained_shape(Sema *s, const AstStmt *stmt, int *rank, Extent *shape) {
    if (!type_shape(s, stmt->type, rank, shape) || !shape_check(s, stmt->place, *rank, shape))
        return false;
    if (strcmp(stmt->type->word.text, "real") != 0) {
        sema_error(s, stmt->type->place, "`%s` is %s, so it is `real`, not `%s`", stmt->name.text,
                   stmt->kind == AST_STATE ? "a state" : "trained", stmt->type->word.text);
        return false;
    }
    for (int i = 0; i < *rank; i++) {
        if (extent_is_dynamic(shape[i])) {
            sema_error(s, stmt->type->place, "axis %d of `%s` is `%s`, but %s has a fixed size", i, stmt->name.text,
                       extent_describe(s->arena, s->graph, shape[i]),
                       stmt->kind == AST_STATE ? "a state" : "what is trained");
            sema_help(s, "the number of samples changes from call to call");
            return false;
        }
    }
    return true;
}

static const char *kind_word(const AstStmt *stmt) {
    return stmt->kind == AST_STATE ? "state" : "parameter";
}

static void report_other_shape(Sema *s, const AstStmt *stmt, const ParamRecord *record, int rank, const Extent *shape) {
    const Tensor *wanted = tensor_from_body(s, rank, shape, scalar_real(s->pool, 0.0), NULL);
    sema_error(s, s->frame->call.source ? s->frame->call : stmt->place,
               "the %s `%s` is %s from its first use, but this use needs %s", kind_word(stmt),
               record->node->origin.name, tensor_describe(s->arena, s->graph, tensor_from_node(s, record->node)),
               tensor_describe(s->arena, s->graph, wanted));
    sema_note(s, record->place, "the first use");
    sema_help(s, "an instance has one set of parameters; make a second instance for the other "
                 "shape");
}

/* NULL: without an initial value, reported. */
static ParamRecord *new_param(Sema *s, const AstStmt *stmt, const char *path, int rank, const Extent *shape) {
    Origin origin = origin_of(s, stmt->place, path);
    const Node *node = stmt->kind == AST_STATE ? graph_buffer(s->graph, rank, shape, origin)
                                               : graph_param(s->graph, rank, shape, origin);
    ParamRecord *record = arena_one(s->arena, ParamRecord);
    *record = (ParamRecord){node, node, origin.place};
    text_map_put(s->params->by_path, path, record);
    const Node *init = initial_value(s, node, stmt->value);
    if (init != NULL)
        graph_set_init(s->graph, node, init);
    return init ? record : NULL;
}

/* A parameter's name must be new in this application of the layer, and none of the model's data. */
static bool take_name(Sema *s, const AstStmt *stmt, const char *path) {
    const NamedNode *input = s->frame->model ? text_map_get(s->frame->model->inputs, stmt->name.text) : NULL;
    if (input != NULL) {
        sema_error(s, stmt->name.place, "the name `%s` is taken", stmt->name.text);
        sema_note_origin(s, (Value){.name = input->name, .place = input->place});
        return false;
    }
    const Place *taken = text_map_get(s->frame->naming->taken, path);
    if (taken != NULL) {
        sema_error(s, stmt->name.place, "a second %s `%s`", kind_word(stmt), path);
        sema_note(s, *taken, "the first one");
        return false;
    }
    Place *place = arena_one(s->arena, Place);
    *place = stmt->name.place;
    text_map_put(s->frame->naming->taken, path, place);
    return true;
}

/* Only layers and models have parameters. */
static bool has_params(Sema *s, const AstStmt *stmt) {
    AstDeclKind kind = s->frame->function ? s->frame->function->decl->kind : AST_MODEL;
    if (kind == AST_LAYER || s->frame->model != NULL)
        return true;
    sema_error(s, stmt->place, "a %s belongs to a layer or to the model, not to the %s `%s`", kind_word(stmt),
               decl_word(kind), s->frame->function ? s->frame->function->decl->name.text : "");
    sema_help(s, "declare it with `layer` instead of `%s`", decl_word(kind));
    return false;
}

static bool has_shape(const Node *node, int rank, const Extent *shape) {
    bool same = node->rank == rank;
    for (int i = 0; same && i < rank; i++)
        same = extent_equal(node->shape[i], shape[i]);
    return same;
}

/* The parameter of this path, from its first use or new; NULL after a fault. */
static ParamRecord *find_param(Sema *s, const AstStmt *stmt, const char *path, int rank, const Extent *shape) {
    ParamRecord *record = text_map_get(s->params->by_path, path);
    if (record == NULL)
        return new_param(s, stmt, path, rank, shape);
    if (!has_shape(record->node, rank, shape)) {
        report_other_shape(s, stmt, record, rank, shape);
        return NULL;
    }
    return record;
}

/* `<-` may change it. */
static void note_state(Sema *s, const AstStmt *stmt, ParamRecord *record) {
    if (s->frame->states == NULL)
        s->frame->states = text_map_new(s->arena);
    text_map_put(s->frame->states, stmt->name.text, record);
}

Value param_statement(Sema *s, const AstStmt *stmt) {
    int rank = 0;
    Extent shape[MAX_AXES];
    if (!has_params(s, stmt) || !trained_shape(s, stmt, &rank, shape))
        return value_poison();
    const Naming *naming = s->frame->naming;
    const char *path =
        arena_printf(s->arena, "%s%s%s%s", naming->path, naming->path[0] ? "." : "", stmt->name.text, s->frame->suffix);
    ParamRecord *record = take_name(s, stmt, path) ? find_param(s, stmt, path, rank, shape) : NULL;
    if (record == NULL)
        return value_poison();
    if (stmt->kind == AST_STATE)
        note_state(s, stmt, record);
    else if (naming->is_stopped)
        return value_from_node(s, graph_detach(s->graph, record->node, origin_of(s, stmt->place, path)));
    return value_from_node(s, record->value);
}
