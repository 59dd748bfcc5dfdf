#include "sema/train.h"

#include <inttypes.h>
#include <string.h>
#include "sema/call.h"
#include "sema/expr.h"
#include "sema/foreign.h"
#include "sema/tensor.h"

typedef struct TrainRun {
    Sema *s;
    Recipe *recipe;
    Training *training;
} TrainRun;

/* ---- settings ---- */

static bool whole_number(TrainRun *run, const AstTrainItem *item, int64_t least, int64_t *out) {
    Sema *s = run->s;
    int64_t value = 0;
    if (!eval_integer(s, item->value, arena_printf(s->arena, "an integer for `%s`", item->word.text), &value))
        return false;
    if (value < least) {
        sema_error(s, item->value->place, "`%s` is at least %" PRId64 ", not %" PRId64, item->word.text, least, value);
        return false;
    }
    *out = value;
    return true;
}

static void set_epochs(TrainRun *run, const AstTrainItem *item) {
    whole_number(run, item, 0, &run->recipe->epochs);
    if (run->recipe->epochs > INT32_MAX)
        sema_error(run->s, item->value->place, "`epochs` is below 2^31");
}

static void set_seed(TrainRun *run, const AstTrainItem *item) {
    int64_t seed = 0;
    if (whole_number(run, item, 0, &seed))
        run->recipe->seed = (uint64_t)seed;
}

static void set_patience(TrainRun *run, const AstTrainItem *item) {
    whole_number(run, item, 0, &run->recipe->patience);
    if (run->recipe->patience > INT32_MAX)
        sema_error(run->s, item->value->place, "`patience` is below 2^31");
}

static void set_shuffle(TrainRun *run, const AstTrainItem *item) {
    eval_bool(run->s, item->value, "`true` or `false` for `shuffle`", &run->recipe->shuffle);
}

/* The names of one space, for the help of a wrong one. */
static const char *space_names(Sema *s, Space space) {
    Text *text = text_new(s->arena);
    for (const Globals *globals = s->globals; globals != NULL; globals = globals->parent)
        for (size_t i = 0; i < text_map_count(globals->spaces[space]); i++)
            text_printf(text, "%s%s", text_length(text) ? ", " : "", text_map_key(globals->spaces[space], i));
    return text_get(text);
}

static const char *called_name(const AstExpr *e) {
    return e->kind == AST_CALL ? e->call.callee.text : e->kind == AST_NAME ? e->text : NULL;
}

/* A name that no declaration of the space has: said here, because the space is what the user needs to know. */
static bool knows_name(Sema *s, const AstExpr *e, Space space, const char *what) {
    const char *name = called_name(e);
    if (name == NULL || globals_find(s->globals, space, name) != NULL)
        return true;
    Place place = e->kind == AST_CALL ? e->call.callee.place : e->place;
    sema_error(s, place, "there is no %s `%s`", what, name);
    NameList names = {0};
    for (const Globals *globals = s->globals; globals != NULL; globals = globals->parent)
        for (size_t i = 0; i < text_map_count(globals->spaces[space]); i++)
            vec_push(s->arena, &names, text_map_key(globals->spaces[space], i));
    if (!sema_help_closest(s, name, &names))
        sema_help(s, "there are %s", space_names(s, space));
    return false;
}

/* A declaration of the kind, with or without arguments. */
static Value eval_declared(Sema *s, const AstExpr *e, Space space, AstDeclKind kind, const char *what) {
    if (!knows_name(s, e, space, what))
        return value_poison();
    s->frame->prefer = space;
    Value value = eval(s, e);
    s->frame->prefer = SPACE_EXPRESSION;
    const Function *function = callee_function(value);
    if (value_is_poison(value) || (function != NULL && function->decl->kind == kind))
        return value;
    if (value.kind == VALUE_NUMBER && kind == AST_SCHEDULE)
        return value;
    sema_error(s, e->place, "%s %s is wanted here, but `%s` is %s", kind == AST_OPTIMIZER ? "an" : "a", what,
               place_snippet(s->arena, e->place), sema_describe(s, value));
    sema_help(s, "there are %s", space_names(s, space));
    return value_poison();
}

static void set_optimizer(TrainRun *run, const AstTrainItem *item) {
    run->training->optimizer = eval_declared(run->s, item->value, SPACE_OPTIMIZER, AST_OPTIMIZER, "optimizer");
    run->training->optimizer_place = item->value->place;
}

static void set_rate(TrainRun *run, const AstTrainItem *item) {
    Value rate = eval_declared(run->s, item->value, SPACE_SCHEDULE, AST_SCHEDULE, "schedule");
    if (rate.kind == VALUE_NUMBER && !(rate.number.value >= 0.0)) {
        sema_error(run->s, item->value->place, "a learning rate is not negative");
        rate = value_poison();
    }
    run->training->rate = rate;
    run->training->rate_place = item->value->place;
}

static void set_clip_norm(TrainRun *run, const AstTrainItem *item) {
    double norm = 0.0;
    if (eval_number(run->s, item->value, "the largest norm of the gradient", &norm) && !(norm > 0.0))
        sema_error(run->s, item->value->place, "the largest norm of the gradient is positive");
    run->training->clip_norm = norm;
}

static double fraction(TrainRun *run, const AstArgument *argument) {
    double value = 0.0;
    if (eval_number(run->s, argument->value, "a fraction of the data", &value) && !(value >= 0.0 && value < 1.0))
        sema_error(run->s, argument->value->place, "a fraction of the data is in 0 .. 1");
    return value;
}

static void set_split(TrainRun *run, const AstTrainItem *item) {
    Sema *s = run->s;
    for (size_t i = 0; i < item->arg_count; i++) {
        const AstArgument *argument = &item->args[i];
        if (strcmp(argument->name.text, "validate") == 0) {
            run->recipe->validate_fraction = fraction(run, argument);
        } else if (strcmp(argument->name.text, "test") == 0) {
            run->recipe->test_fraction = fraction(run, argument);
        } else {
            sema_error(s, argument->name.place, "there is no part `%s` of the data", argument->name.text);
            sema_help(s, "as in `split validate = 0.1, test = 0.1`: the rest is trained on");
        }
    }
    if (run->recipe->validate_fraction + run->recipe->test_fraction >= 1.0)
        sema_error(s, item->place, "nothing is left to train on");
}

static const struct {
    const char *word;
    void (*set)(TrainRun *run, const AstTrainItem *item);
    bool fractions; /* wants `name = value` instead of one value */
} settings[] = {
    {"optimizer", set_optimizer, false}, {"rate", set_rate, false},         {"epochs", set_epochs, false},
    {"seed", set_seed, false},           {"patience", set_patience, false}, {"shuffle", set_shuffle, false},
    {"clip_norm", set_clip_norm, false}, {"split", set_split, true},
};
enum { SETTING_COUNT = sizeof settings / sizeof *settings };

static void report_setting(Sema *s, const AstTrainItem *item) {
    sema_error(s, item->word.place, "there is no setting `%s`", item->word.text);
    NameList names = {0};
    Text *list = text_new(s->arena);
    static const char *const data_words[] = {"data", "validate", "test"};
    for (size_t i = 0; i < sizeof data_words / sizeof *data_words; i++) {
        vec_push(s->arena, &names, data_words[i]);
        text_printf(list, "%s, ", data_words[i]);
    }
    for (int i = 0; i < SETTING_COUNT; i++) {
        vec_push(s->arena, &names, settings[i].word);
        text_printf(list, "%s%s", i ? ", " : "", settings[i].word);
    }
    bool is_said =
        sema_help_foreign(s, FOREIGN_SETTING, item->word.text, NULL) || sema_help_closest(s, item->word.text, &names);
    if (!is_said)
        sema_help(s, "the settings are %s", text_get(list));
}

static void set(TrainRun *run, const AstTrainItem *item, const AstTrainItem **seen) {
    Sema *s = run->s;
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].word, item->word.text) != 0)
            continue;
        if (seen[i] != NULL) {
            sema_error(s, item->word.place, "`%s` is set twice", item->word.text);
            sema_note(s, seen[i]->place, "the first time");
        } else if (settings[i].fractions != (item->value == NULL)) {
            sema_error(s, item->place, "`%s` has the form `%s`", item->word.text,
                       settings[i].fractions ? "split validate = 0.1"
                                             : arena_printf(s->arena, "%s value", item->word.text));
        } else {
            settings[i].set(run, item);
        }
        seen[i] = item;
        return;
    }
    report_setting(s, item);
}

/* ---- the block ---- */

static bool check_model(Sema *s, const AstDecl *train, const AstDecl *model) {
    if (model == NULL || strcmp(train->name.text, model->name.text) == 0)
        return true;
    sema_error(s, train->name.place, "`train %s` names another model than the file has", train->name.text);
    sema_note(s, model->name.place, "the model is `%s`", model->name.text);
    sema_help(s, "write `train %s`", model->name.text);
    return false;
}

static void check_complete(Sema *s, const AstDecl *train, const AstTrainItem *const *seen) {
    static const char *const examples[] = {"optimizer sgd(momentum = 0.9)", "rate 0.01"};
    for (int i = 0; i < 2; i++) {
        if (seen[i] == NULL) {
            sema_error(s, train->name.place, "`train %s` has no `%s`", train->name.text, settings[i].word);
            sema_help(s, "as in `%s`", examples[i]);
        }
    }
}

bool train_evaluate(Sema *s, const AstDecl *train, const AstDecl *model, const ModelBuild *build, Recipe *recipe,
                    Training *training) {
    int errors = s->diag->errors;
    bool data_is_good = true;
    *recipe = (Recipe){.present = true, .epochs = 1, .shuffle = true};
    TrainRun run = {s, recipe, training};
    const AstTrainItem *seen[SETTING_COUNT] = {NULL};
    check_model(s, train, model);
    for (size_t i = 0; i < train->item_count; i++) {
        const AstTrainItem *item = train->items[i];
        if (item->kind == AST_TRAIN_SETTING) {
            set(&run, item, seen);
        } else {
            int before = s->diag->errors;
            train_data(s, item, build, recipe);
            data_is_good = data_is_good && s->diag->errors == before;
        }
    }
    check_complete(s, train, seen);
    if (data_is_good)
        train_check_data(s, train, recipe);
    return s->diag->errors == errors;
}
