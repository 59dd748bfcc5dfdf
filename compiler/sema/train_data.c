/* The data lines of a train block: which file or generator gives each input and target. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "sema/expr.h"
#include "sema/train.h"

/* The sources of data: which arguments, in which order. */
typedef struct SourceForm {
    const char *word;
    RecipeSourceKind kind;
    const char *example;
} SourceForm;

static const SourceForm forms[] = {
    {"idx", RECIPE_IDX, "idx(\"images.gz\", \"labels.gz\")"},
    {"csv", RECIPE_CSV, "csv(\"data.csv\", x = [\"a\", \"b\"], y = \"c\")"},
    {"npy", RECIPE_NPY, "npy(\"x.npy\")"},
    {"grid", RECIPE_GRID, "grid(-2, 2, 256)"},
    {"uniform", RECIPE_UNIFORM, "uniform(-1, 1, 1000, 7)"},
    {"normal", RECIPE_NORMAL, "normal(0, 1, 1000, 7)"},
};
enum { FORM_COUNT = sizeof forms / sizeof *forms };

typedef struct DataLine {
    Sema *s;
    const AstTrainItem *item;
    const AstExpr *call;
    const SourceForm *form;
    RecipeSplit *split;
    double scale, shift;
} DataLine;

/* ---- messages ---- */

static void report_form(const DataLine *line, Place place) {
    sema_error(line->s, place, "`%s` has the form `%s`", line->form->word, line->form->example);
}

static void report_source(Sema *s, const AstExpr *call) {
    sema_error(s, call->call.callee.place, "there is no source of data `%s`", call->call.callee.text);
    const char *words[FORM_COUNT];
    Text *list = text_new(s->arena);
    for (int i = 0; i < FORM_COUNT; i++) {
        words[i] = forms[i].word;
        text_printf(list, "%s%s", i ? ", " : "", forms[i].word);
    }
    const char *closest = text_closest(call->call.callee.text, words, FORM_COUNT);
    if (closest != NULL)
        sema_help(s, "did you mean `%s`?", closest);
    else
        sema_help(s, "the sources are %s", text_get(list));
}

static void report_field(Sema *s, AstName name, const ModelBuild *build) {
    sema_error(s, name.place, "the model has no input or target `%s`", name.text);
    NameList names = {0};
    Text *list = text_new(s->arena);
    for (size_t i = 0; i < text_map_count(build->inputs); i++) {
        vec_push(s->arena, &names, text_map_key(build->inputs, i));
        text_printf(list, "%s`%s`", i ? ", " : "", text_map_key(build->inputs, i));
    }
    if (!sema_help_closest(s, name.text, &names) && names.count > 0)
        sema_help(s, "it has %s", text_get(list));
}

/* ---- sources ---- */

/* The i-th argument by position; NULL: there are fewer. */
static const AstExpr *positional(const DataLine *line, size_t i) {
    for (size_t k = 0; k < line->call->call.count; k++)
        if (line->call->call.args[k].name.text == NULL && i-- == 0)
            return line->call->call.args[k].value;
    return NULL;
}

static size_t count_positional(const DataLine *line) {
    size_t count = 0;
    while (positional(line, count) != NULL)
        count++;
    return count;
}

static void add_source(const DataLine *line, RecipeSource source, AstName field) {
    source.field = field.text;
    source.kind = line->form->kind;
    source.scale = line->scale;
    source.shift = line->shift;
    for (size_t i = 0; i < line->split->count; i++) {
        if (strcmp(line->split->at[i].field, field.text) == 0) {
            sema_error(line->s, field.place, "`%s` gets its `%s` twice", field.text, line->item->word.text);
            return;
        }
    }
    vec_push(line->s->arena, line->split, source);
}

/* idx and npy: one file for each field. */
static void read_files(const DataLine *line) {
    Sema *s = line->s;
    size_t files = count_positional(line);
    if (files != line->call->call.count) {
        report_form(line, line->call->place);
        return;
    }
    if (files != line->item->name_count) {
        sema_error(s, line->call->place, "%zu field%s, but %zu file%s: each field has one", line->item->name_count,
                   line->item->name_count == 1 ? "" : "s", files, files == 1 ? "" : "s");
        return;
    }
    for (size_t i = 0; i < files; i++) {
        const char *path = eval_text(s, positional(line, i), "the name of a file, a text,");
        if (path != NULL)
            add_source(line, (RecipeSource){.path = path}, line->item->names[i]);
    }
}

static bool read_columns(Sema *s, const AstExpr *e, RecipeSource *source) {
    Value value = eval(s, e);
    const Value *items = value.kind == VALUE_LIST ? value.list.items : &value;
    size_t count = value.kind == VALUE_LIST ? value.list.count : 1;
    for (size_t i = 0; i < count; i++) {
        if (items[i].kind != VALUE_TEXT) {
            if (!value_is_poison(value))
                sema_error(s, e->place, "columns are named by texts: `[\"a\", \"b\"]`");
            return false;
        }
        vec_push(s->arena, &source->columns, items[i].text);
    }
    if (count == 0)
        sema_error(s, e->place, "no column is named");
    return count > 0;
}

static const AstArgument *named(const DataLine *line, const char *name) {
    for (size_t i = 0; i < line->call->call.count; i++) {
        const AstArgument *argument = &line->call->call.args[i];
        if (argument->name.text != NULL && strcmp(argument->name.text, name) == 0)
            return argument;
    }
    return NULL;
}

/* csv: one file, columns for each field. */
static void read_csv(const DataLine *line) {
    Sema *s = line->s;
    const AstExpr *file = positional(line, 0);
    if (file == NULL || count_positional(line) != 1) {
        report_form(line, line->call->place);
        return;
    }
    const char *path = eval_text(s, file, "the name of a file, a text,");
    size_t found = 0;
    for (size_t i = 0; i < line->item->name_count && path != NULL; i++) {
        AstName field = line->item->names[i];
        const AstArgument *columns = named(line, field.text);
        RecipeSource source = {.path = path};
        if (columns == NULL) {
            sema_error(s, line->call->place, "the columns of `%s` are not named", field.text);
            sema_help(s, "as in `%s = [\"a\", \"b\"]`", field.text);
            return;
        }
        found++;
        if (read_columns(s, columns->value, &source))
            add_source(line, source, field);
    }
    if (path != NULL && found + 1 < line->call->call.count)
        report_form(line, line->call->place);
}

/* grid, uniform, normal: two numbers, how many, and a seed. */
static void generate(const DataLine *line) {
    Sema *s = line->s;
    bool seeded = line->form->kind != RECIPE_GRID;
    size_t given = count_positional(line);
    if (given != line->call->call.count || given < 3 || given > 3 + (size_t)seeded) {
        report_form(line, line->call->place);
        return;
    }
    RecipeSource source = {.seed = 1};
    int64_t seed = 1;
    if (!eval_number(s, positional(line, 0), "a number", &source.low) ||
        !eval_number(s, positional(line, 1), "a number", &source.high) ||
        !eval_integer(s, positional(line, 2), "the number of points, an integer,", &source.count) ||
        (given > 3 && !eval_integer(s, positional(line, 3), "a seed, an integer,", &seed)))
        return;
    if (source.count < 1 || seed < 0) {
        sema_error(s, positional(line, source.count < 1 ? 2 : 3)->place,
                   source.count < 1 ? "the number of points is at least 1" : "a seed is not negative");
        return;
    }
    source.seed = (uint64_t)seed;
    for (size_t i = 0; i < line->item->name_count; i++)
        add_source(line, source, line->item->names[i]);
}

/* ---- lines ---- */

static bool read_factor(Sema *s, const AstExpr *e, const char *what, double *out) {
    if (e == NULL || !eval_number(s, e, what, out))
        return e == NULL;
    if (!isfinite(*out)) {
        sema_error(s, e->place, "a finite number is wanted here");
        return false;
    }
    return true;
}

static bool check_fields(Sema *s, const AstTrainItem *item, const ModelBuild *build) {
    bool good = true;
    for (size_t i = 0; i < item->name_count; i++) {
        const char *name = item->names[i].text;
        if (text_map_get(build->inputs, name) != NULL)
            continue;
        good = false;
        if (text_map_get(build->faulty, name) == NULL)
            report_field(s, item->names[i], build);
    }
    return good;
}

static const SourceForm *find_form(const AstExpr *call) {
    for (int i = 0; i < FORM_COUNT; i++)
        if (strcmp(forms[i].word, call->call.callee.text) == 0)
            return &forms[i];
    return NULL;
}

void train_data(Sema *s, const AstTrainItem *item, const ModelBuild *build, Recipe *recipe) {
    DataLine line = {.s = s, .item = item, .call = item->value, .scale = 1.0, .shift = 0.0};
    line.split = item->kind == AST_TRAIN_DATA       ? &recipe->data
                 : item->kind == AST_TRAIN_VALIDATE ? &recipe->validate
                                                    : &recipe->test;
    if (line.call->kind != AST_CALL)
        return; /* the parser has reported it */
    line.form = find_form(line.call);
    if (line.form == NULL) {
        report_source(s, line.call);
        return;
    }
    if (!check_fields(s, item, build) || !read_factor(s, item->scale, "a number to multiply data with", &line.scale) ||
        !read_factor(s, item->shift, "a number to add to data", &line.shift))
        return;
    switch (line.form->kind) {
    case RECIPE_IDX:
    case RECIPE_NPY: read_files(&line); break;
    case RECIPE_CSV: read_csv(&line); break;
    case RECIPE_GRID:
    case RECIPE_UNIFORM:
    case RECIPE_NORMAL: generate(&line); break;
    }
}

/* ---- completeness ---- */

static bool has_field(const RecipeSplit *split, const char *field) {
    for (size_t i = 0; i < split->count; i++)
        if (strcmp(split->at[i].field, field) == 0)
            return true;
    return false;
}

static void check_split(Sema *s, const AstDecl *train, const RecipeSplit *split, const char *word) {
    for (size_t i = 0; i < s->graph->inputs.count && split->count > 0; i++) {
        const Node *input = s->graph->inputs.at[i];
        if (!has_field(split, input->origin.name)) {
            sema_error(s, train->name.place, "`%s` gives no data for the %s `%s`", word,
                       input->leaf.is_target ? "target" : "input", input->origin.name);
            sema_note(s, input->origin.place, "it is declared as `%s`", input->origin.equation);
        }
    }
}

void train_check_data(Sema *s, const AstDecl *train, const Recipe *recipe) {
    if (recipe->data.count == 0 && recipe->validate.count + recipe->test.count > 0) {
        sema_error(s, train->name.place,
                   "there is data to validate or test with, but none to "
                   "train on");
        sema_help(s, "add a line `data ...`");
    }
    check_split(s, train, &recipe->data, "data");
    check_split(s, train, &recipe->validate, "validate");
    check_split(s, train, &recipe->test, "test");
    if (recipe->validate.count > 0 && recipe->validate_fraction > 0.0) {
        sema_error(s, train->name.place,
                   "the data to validate with comes from `validate` and from "
                   "`split`: one of the two");
    }
    if (recipe->test.count > 0 && recipe->test_fraction > 0.0)
        sema_error(s, train->name.place, "the data to test with comes from `test` and from `split`: one of the two");
}
