#include "sema/sema.h"

#include "ir/bounds.h"
#include "sema/dims.h"
#include "sema/entry.h"
#include "sema/instance.h"
#include "sema/resolve.h"
#include "sema/train.h"

static Sema *sema_new(Arena *arena, const SemaOptions *options, Diag *diag, const char *name) {
    Sema *s = arena_one(arena, Sema);
    s->arena = arena;
    s->diag = diag;
    s->options = options;
    s->graph = graph_new(arena, name);
    s->graph->real_is_double = options->real_is_double;
    s->pool = s->graph->pool;
    s->reported = text_map_new(arena);
    s->next_slot = VARIABLE_SLOT;
    s->params = param_table_new(arena);
    s->bounds = bounds_table_new(arena);
    return s;
}

static void report_no_model(Sema *s, const AstFile *file) {
    Place place = {.source = file->source};
    sema_error(s, place, "the file has no model");
    sema_help(s, "write one: `model name { input x: real[64, 2] ... output y = ... }`");
}

/* Both runs of the model's body; the loss to train on, or NULL. */
static const Node *lower_model(Sema *s, ModelBuild *build, const AstDecl *model) {
    model_run(s, build, model, false);
    if (s->diag->errors > 0)
        return NULL;
    entry_evaluation(s, build, model);
    model_run(s, build, model, true);
    return s->diag->errors > 0 ? NULL : entry_gradient(s, build);
}

static void report_no_loss(Sema *s, const AstDecl *train, const AstDecl *model) {
    sema_error(s, train->name.place, "`train %s` has nothing to train: the model has no loss", train->name.text);
    sema_note(s, model->name.place, "the model `%s`", model->name.text);
    sema_help(s, "add a line `loss ...` to the model");
}

static void lower_training(Sema *s, const AstDecl *model, const AstDecl *train, const ModelBuild *build,
                           const Node *loss, Recipe *recipe) {
    if (train == NULL)
        return;
    Training training = {.optimizer = value_poison(), .rate = value_poison()};
    bool good = train_evaluate(s, train, model, build, recipe, &training);
    if (loss == NULL && s->diag->errors == 0)
        report_no_loss(s, train, model);
    else if (good && s->diag->errors == 0)
        optimizer_build(s, &training, loss);
}

/* ---- the entries that are wanted ---- */

/* PREPARE is made of PREDICT, later. */
static void report_missing(Sema *s, const AstDecl *model, EntryKind kind) {
    bool has_loss = s->graph->entries[ENTRY_LOSS].present;
    sema_error(s, model->name.place, "`--entries` names `%s`, but the model has %s", entry_name(kind),
               has_loss ? "no `train` block" : "no loss");
    if (has_loss) {
        sema_help(s, "add a block `train %s` with an optimizer and a rate, or leave `%s` out", model->name.text,
                  entry_name(kind));
    } else {
        sema_help(s, "add a line `loss ...` to the model, or leave `%s` out", entry_name(kind));
    }
}

static void check_wanted(Sema *s, const AstDecl *model) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        bool is_wanted = s->options->wanted & ENTRY_BIT(kind) & ~ENTRY_BIT(ENTRY_PREPARE);
        if (is_wanted && !s->graph->entries[kind].present)
            report_missing(s, model, (EntryKind)kind);
    }
}

/* What the optimizer keeps serves the training step alone: without it, a state is seed and step. */
static void drop_states(Graph *g) {
    g->states.count = 0;
    g->entries[ENTRY_STATE_INIT].outputs.count = 0;
}

static void drop_entries(Graph *g, EntrySet left_out) {
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        if (left_out & ENTRY_BIT(kind))
            g->entries[kind] = (Entry){.kind = (EntryKind)kind};
    if (left_out & ENTRY_BIT(ENTRY_TRAIN_STEP))
        drop_states(g);
}

static void lower_file(Sema *s, const AstFile *file, Recipe *recipe) {
    const AstDecl *model = s->globals->model, *train = s->globals->train;
    dims_evaluate(s, file);
    resolve_file(s, file);
    if (model == NULL) {
        report_no_model(s, file);
        return;
    }
    s->graph->place = model->place;
    ModelBuild *build = model_build_new(s->arena);
    const Node *loss = lower_model(s, build, model);
    graph_order_inputs(s->graph);
    lower_training(s, model, train, build, loss, recipe);
    if (s->diag->errors == 0) {
        entry_init(s);
        entry_check(s, model);
        check_wanted(s, model);
    }
    drop_entries(s->graph, s->options->left_out);
}

bool sema_lower(Arena *arena, const AstFile *prelude, const AstFile *file, const SemaOptions *options, Diag *diag,
                Graph **graph, Recipe **recipe) {
    int errors = diag->errors;
    const Globals *base = globals_new(arena, prelude, NULL, diag);
    const Globals *globals = globals_new(arena, file, base, diag);
    Sema *s = sema_new(arena, options, diag, globals->model ? globals->model->name.text : "");
    s->globals = globals;
    frame_push(s, NULL, globals, (Place){0});
    Recipe *made = arena_one(arena, Recipe);
    lower_file(s, file, made);
    frame_pop(s);
    *graph = s->graph;
    *recipe = made;
    return diag->errors == errors;
}
