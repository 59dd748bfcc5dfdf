#include "sema/model.h"

#include <inttypes.h>
#include <string.h>
#include "sema/expr.h"
#include "sema/instance.h"
#include "sema/pattern.h"
#include "sema/state.h"
#include "sema/stmt.h"
#include "sema/tensor.h"

ModelBuild *model_build_new(Arena *arena) {
    ModelBuild *build = arena_one(arena, ModelBuild);
    build->inputs = text_map_new(arena);
    build->faulty = text_map_new(arena);
    return build;
}

/* The model that the statement belongs to; NULL: it stands elsewhere, reported. */
static ModelBuild *model_of(Sema *s, const AstStmt *stmt, const char *word) {
    if (s->frame->model == NULL)
        sema_error(s, stmt->place, "`%s` belongs to a model", word);
    return s->frame->model;
}

/* ---- inputs and targets ---- */

/* The number of classes of class and index data, 0 for others; -1 after a fault. */
static int64_t data_classes(Sema *s, const AstType *type) {
    bool is_class = strcmp(type->word.text, "class") == 0 || strcmp(type->word.text, "index") == 0;
    if (!is_class) {
        if (type->classes != NULL) {
            sema_error(s, type->classes->place, "only `class` and `index` have a number of values");
            return -1;
        }
        return 0;
    }
    if (type->classes == NULL) {
        sema_error(s, type->place, "`%s` wants its number of values: `%s(10)` holds 0 to 9", type->word.text,
                   place_snippet(s->arena, type->place));
        return -1;
    }
    Extent classes;
    if (!eval_size(s, type->classes, &classes))
        return -1;
    if (extent_is_dynamic(classes) || classes.size > INT32_MAX) {
        sema_error(s, type->classes->place, "the number of values is a fixed one, below 2^31");
        return -1;
    }
    return classes.size;
}

static void report_no_samples(Sema *s, const AstStmt *stmt) {
    const char *word = stmt->kind == AST_INPUT ? "input" : "target";
    const char *axis = s->graph->batch_name ? s->graph->batch_name : "batch";
    sema_error(s, stmt->type->place, "the first axis of an %s is the samples, but `%s` has no axes", word,
               stmt->name.text);
    sema_help(s, "one number for each sample is `%s[%s]`", stmt->type->word.text, axis);
}

/* All data share their first axis, the samples. */
static bool check_samples(Sema *s, const AstStmt *stmt, int rank, const Extent *shape) {
    ModelBuild *build = s->frame->model;
    if (rank == 0) {
        report_no_samples(s, stmt);
        return false;
    }
    for (int i = 1; i < rank; i++) {
        if (extent_is_dynamic(shape[i])) {
            sema_error(s, stmt->type->place,
                       "`%s` is the number of samples: it can only be the "
                       "first axis of data",
                       s->graph->batch_name);
            return false;
        }
    }
    if (shape[0].size > INT32_MAX) {
        sema_error(s, stmt->type->place, "`%s` has %" PRId64 " samples: a batch has 2^31 - 1 at most", stmt->name.text,
                   shape[0].size);
        return false;
    }
    if (build->batch_of == NULL) {
        build->batch_of = stmt->name.text;
        build->batch_place = stmt->place;
        s->graph->batch = shape[0];
        return true;
    }
    if (extent_equal(s->graph->batch, shape[0]))
        return true;
    sema_error(s, stmt->type->place,
               "the first axis of all data is the samples, but `%s` has %s of them and `%s` has %s", stmt->name.text,
               extent_describe(s->arena, s->graph, shape[0]), build->batch_of,
               extent_describe(s->arena, s->graph, s->graph->batch));
    sema_note(s, build->batch_place, "`%s` is declared as `%s`", build->batch_of,
              place_snippet(s->arena, build->batch_place));
    sema_help(
        s, "what all samples share is no input: known numbers are a list, which an equation reads, `z[i] = values[i]`; "
           "what the program sets is a `state`");
    return false;
}

static const Node *new_input(Sema *s, const AstStmt *stmt) {
    int rank = 0;
    Extent shape[MAX_AXES];
    if (!type_shape(s, stmt->type, &rank, shape) || !shape_check(s, stmt->place, rank, shape))
        return NULL;
    int64_t classes = data_classes(s, stmt->type);
    if (classes < 0 || !check_samples(s, stmt, rank, shape))
        return NULL;
    bool is_real = strcmp(stmt->type->word.text, "real") == 0;
    Origin origin = origin_of(s, stmt->place, stmt->name.text);
    return graph_input(s->graph, is_real ? TYPE_REAL : TYPE_INT, rank, shape, stmt->kind == AST_TARGET, classes,
                       origin);
}

static bool is_taken(Sema *s, const AstStmt *stmt) {
    const Value *earlier = frame_find(s->frame, stmt->name.text);
    if (earlier == NULL || value_is_poison(*earlier))
        return false;
    sema_error(s, stmt->name.place, "the name `%s` is taken", stmt->name.text);
    sema_note_origin(s, *earlier);
    return true;
}

void model_input(Sema *s, const AstStmt *stmt) {
    ModelBuild *build = model_of(s, stmt, stmt->kind == AST_INPUT ? "input" : "target");
    if (build == NULL) {
        frame_bind(s, stmt->name, value_poison());
        return;
    }
    if (is_taken(s, stmt))
        return;
    NamedNode *input = text_map_get(build->inputs, stmt->name.text);
    if (input == NULL) {
        const Node *node = new_input(s, stmt);
        if (node == NULL) {
            text_map_put(build->faulty, stmt->name.text, build);
            frame_bind(s, stmt->name, value_poison());
            return;
        }
        input = arena_one(s->arena, NamedNode);
        *input = (NamedNode){stmt->name.text, node, stmt->place};
        text_map_put(build->inputs, stmt->name.text, input);
    }
    Tensor *tensor = arena_one(s->arena, Tensor);
    *tensor = *tensor_from_node(s, input->node);
    tensor->is_index = strcmp(stmt->type->word.text, "index") == 0;
    Value value = value_tensor(tensor);
    value.name = stmt->name.text;
    value.place = stmt->place;
    frame_bind(s, stmt->name, value);
}

/* ---- outputs ---- */

static bool is_named(Sema *s, const NamedNodes *list, AstName name, const char *what) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->at[i].name, name.text) == 0) {
            sema_error(s, name.place, "a second %s `%s`", what, name.text);
            sema_note(s, list->at[i].place, "the first one");
            return true;
        }
    }
    return false;
}

/* Callers give memory for n samples, one after the other. Of an axis in the middle, there would be gaps. */
static bool check_sample_axes(Sema *s, const AstStmt *stmt, const Node *node) {
    for (int i = 1; i < node->rank; i++) {
        if (extent_is_dynamic(node->shape[i])) {
            const char *batch = s->graph->batch_name;
            sema_error(s, stmt->place,
                       "`%s` is the number of samples: it can only be the first axis of an output, but `%s` is %s",
                       batch, stmt->name.text, tensor_describe(s->arena, s->graph, tensor_from_node(s, node)));
            sema_help(s, "with a fixed number, `dim %s = %" PRId64 "`, every axis may have it", batch,
                      node->shape[i].size);
            return false;
        }
    }
    return true;
}

/* An output has the samples on its first axis, like the data. */
static bool check_output(Sema *s, const AstStmt *stmt, const Node *node) {
    if (!check_sample_axes(s, stmt, node))
        return false;
    if (s->frame->model->batch_of == NULL || (node->rank > 0 && extent_equal(node->shape[0], s->graph->batch)))
        return true;
    sema_error(s, stmt->place, "the first axis of an output is the samples (%s), but `%s` is %s",
               extent_describe(s->arena, s->graph, s->graph->batch), stmt->name.text,
               tensor_describe(s->arena, s->graph, tensor_from_node(s, node)));
    if (node->rank == 0)
        sema_help(s, "a number about all samples together is a `metric`");
    return false;
}

void model_output(Sema *s, const AstStmt *stmt) {
    ModelBuild *build = model_of(s, stmt, "output");
    if (build == NULL)
        return;
    AstExpr name = {.kind = AST_NAME, .place = stmt->name.place, .text = stmt->name.text};
    const AstExpr *e = stmt->value ? stmt->value : &name;
    Value value = name_value(s, stmt->name, stmt->place, eval(s, e));
    if (stmt->value != NULL)
        frame_bind(s, stmt->name, value);
    const char *node_name = frame_node_name(s, stmt->name.text);
    const Node *node = value_to_node(s, value, e->place, node_name);
    if (node == NULL || is_named(s, &build->outputs, stmt->name, "output") || !check_output(s, stmt, node))
        return;
    NamedNode *input = text_map_get(build->inputs, stmt->name.text);
    if (input != NULL) {
        sema_error(s, stmt->name.place, "`%s` is an input already: an output wants another name", stmt->name.text);
        return;
    }
    vec_push(s->arena, &build->outputs, ((NamedNode){stmt->name.text, node, stmt->place}));
}

/* ---- losses and metrics ---- */

/* One real number; NULL after a fault. */
static const Node *scalar_node(Sema *s, const AstStmt *stmt, const char *what, const char *name) {
    Value value = eval(s, stmt->value);
    const Tensor *tensor = value_to_tensor(s, value, stmt->value->place);
    if (tensor == NULL)
        return NULL;
    if (tensor->rank != 0) {
        const char *text = place_snippet(s->arena, stmt->value->place);
        sema_error(s, stmt->value->place, "a %s is one number, but `%s` is %s", what, text, sema_describe(s, value));
        sema_help(s, "the mean over all elements is `mean(%s)`", text);
        return NULL;
    }
    tensor = tensor_to_real(s, tensor, stmt->value->place);
    return tensor ? tensor_node(s, tensor, stmt->place, name) : NULL;
}

void model_loss(Sema *s, const AstStmt *stmt) {
    ModelBuild *build = model_of(s, stmt, "loss");
    const Node *node = build ? scalar_node(s, stmt, "loss", "loss") : NULL;
    if (node != NULL)
        vec_push(s->arena, &build->losses, ((NamedNode){"loss", node, stmt->place}));
}

/* A metric without a name is called after the function that computes it. */
static AstName metric_name(Sema *s, const AstStmt *stmt) {
    if (stmt->name.text != NULL)
        return stmt->name;
    if (stmt->value->kind == AST_CALL)
        return stmt->value->call.callee;
    if (stmt->value->kind == AST_NAME)
        return (AstName){stmt->value->text, stmt->value->place};
    sema_error(s, stmt->place, "this metric needs a name: `metric name = %s`",
               place_snippet(s->arena, stmt->value->place));
    return (AstName){NULL, stmt->place};
}

void model_metric(Sema *s, const AstStmt *stmt) {
    ModelBuild *build = model_of(s, stmt, "metric");
    AstName name = build ? metric_name(s, stmt) : stmt->name;
    if (build == NULL || name.text == NULL)
        return;
    if (is_named(s, &build->metrics, name, "metric")) {
        sema_help(s, "give it a name of its own: `metric name = %s`", place_snippet(s->arena, stmt->value->place));
        return;
    }
    const Node *node = scalar_node(s, stmt, "metric", name.text);
    if (node != NULL)
        vec_push(s->arena, &build->metrics, ((NamedNode){name.text, node, stmt->place}));
}

/* ---- runs ---- */

enum { MODEL_FIRST_STREAM = 1000000 }; /* of random() in the body; initialisers count from 0 */

void model_run(Sema *s, ModelBuild *build, const AstDecl *model, bool training) {
    build->outputs = (NamedNodes){0};
    build->losses = (NamedNodes){0};
    build->metrics = (NamedNodes){0};
    s->training_known = true;
    s->training = training;
    s->next_stream = MODEL_FIRST_STREAM;
    states_restart(s);
    s->iterations = 0; /* the limit is one of the model, which is run twice */
    Frame *frame = frame_push(s, NULL, s->globals, (Place){0});
    frame->model = build;
    frame->decl = s->globals->model;
    frame->naming = naming_new(s->arena, "");
    exec_block(s, model->body);
    frame_pop(s);
    s->training_known = false;
}
