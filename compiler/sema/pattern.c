#include "sema/pattern.h"

#include <inttypes.h>
#include <string.h>
#include "sema/expr.h"
#include "sema/foreign.h"
#include "sema/tensor.h"

typedef struct Match {
    Sema *s;
    const AstDecl *decl;
    const AstParam *param;
    const Argument *argument;
} Match;

/* ---- messages ---- */

static const char *wanted_text(const Match *m) {
    return arena_printf(m->s->arena, "%s: %s", m->param->name.text, place_text(m->s->arena, m->param->type->place));
}

static const char *given_text(const Match *m) {
    return place_snippet(m->s->arena, m->argument->place);
}

/* "dense() wants `x: real[..., K]`, but `h` is ..." */
static bool report_mismatch(const Match *m) {
    sema_error(m->s, m->argument->place, "%s() wants `%s`, but `%s` is %s", m->decl->name.text, wanted_text(m),
               given_text(m), sema_describe(m->s, m->argument->value));
    sema_note_origin(m->s, m->argument->value);
    return false;
}

static bool report_class_as_real(const Match *m) {
    report_mismatch(m);
    sema_help(m->s,
              "classes are names, not quantities; `one_hot(%s)` makes a vector of 0 and 1 "
              "for each, `real(%s)` takes the number itself",
              given_text(m), given_text(m));
    return false;
}

static bool report_leading(const Match *m) {
    const Argument *first = m->s->frame->leading->from;
    sema_error(m->s, m->argument->place,
               "%s() wants equal leading axes, but `%s` is %s and `%s` "
               "is %s",
               m->decl->name.text, place_snippet(m->s->arena, first->place), sema_describe(m->s, first->value),
               given_text(m), sema_describe(m->s, m->argument->value));
    sema_note_origin(m->s, first->value);
    sema_note_origin(m->s, m->argument->value);
    return false;
}

/* An axis of size 1 is all that parts the two shapes: which is the lecture's mistake. */
static bool differ_by_last_one(const Tensor *a, const Tensor *b) {
    const Tensor *longer = a->rank > b->rank ? a : b, *shorter = longer == a ? b : a;
    if (longer->rank != shorter->rank + 1 || longer->shape[longer->rank - 1].size != 1)
        return false;
    return shorter->rank == 0 || memcmp(longer->shape, shorter->shape, (size_t)shorter->rank * sizeof(Extent)) == 0;
}

static void help_leading(const Match *m) {
    const Argument *first = m->s->frame->leading->from;
    if (first->value.kind != VALUE_TENSOR || m->argument->value.kind != VALUE_TENSOR)
        return;
    const Tensor *a = first->value.tensor, *b = m->argument->value.tensor;
    if (!differ_by_last_one(a, b))
        return;
    const Argument *shorter = a->rank < b->rank ? first : m->argument;
    const Tensor *longer = a->rank < b->rank ? b : a;
    sema_help(m->s,
              "an axis of size 1 is never stretched or dropped: declare `%s` as %s, or write "
              "`reshape(%s, [..., 1])`",
              place_snippet(m->s->arena, shorter->place), tensor_describe(m->s->arena, m->s->graph, longer),
              place_snippet(m->s->arena, shorter->place));
}

static bool report_axis(const Match *m, int axis, Extent wanted, const AstExpr *size) {
    Sema *s = m->s;
    const char *text = place_snippet(s->arena, size->place);
    const char *value = extent_describe(s->arena, s->graph, wanted);
    const char *meaning = strcmp(text, value) == 0 ? value : arena_printf(s->arena, "%s (= %s)", text, value);
    sema_error(s, m->argument->place, "%s() wants `%s` with %s on axis %d, but `%s` is %s", m->decl->name.text,
               wanted_text(m), meaning, axis, given_text(m), sema_describe(s, m->argument->value));
    sema_note_origin(s, m->argument->value);
    return false;
}

/* ---- shapes ---- */

static bool is_unbound(const Sema *s, const AstExpr *size) {
    return size->kind == AST_NAME && frame_find(s->frame, size->text) == NULL &&
           globals_find(s->frame->globals, SPACE_EXPRESSION, size->text) == NULL;
}

static bool match_size(const Match *m, const AstExpr *size, int axis, Extent actual) {
    Sema *s = m->s;
    if (is_unbound(s, size)) {
        frame_bind(s, (AstName){size->text, size->place}, value_extent(actual));
        return true;
    }
    Extent wanted;
    if (!eval_size(s, size, &wanted))
        return false;
    return extent_equal(wanted, actual) || report_axis(m, axis, wanted, size);
}

static bool match_leading(const Match *m, const Extent *shape, int count) {
    LeadingAxes *leading = m->s->frame->leading;
    if (!leading->known) {
        leading->known = true;
        leading->count = count;
        leading->from = m->argument;
        memcpy(leading->extents, shape, (size_t)count * sizeof *shape);
        return true;
    }
    bool same = leading->count == count;
    for (int i = 0; same && i < count; i++)
        same = extent_equal(leading->extents[i], shape[i]);
    if (!same) {
        report_leading(m);
        help_leading(m);
    }
    return same;
}

static int find_ellipsis(const AstType *type) {
    for (size_t i = 0; i < type->rank; i++)
        if (type->shape[i]->kind == AST_ELLIPSIS)
            return (int)i;
    return -1;
}

static bool match_shape(const Match *m, const Tensor *tensor) {
    const AstType *type = m->param->type;
    int ellipsis = find_ellipsis(type);
    int sizes = (int)type->rank - (ellipsis >= 0);
    if (tensor->rank == 0 && ellipsis >= 0 && sizes == 0)
        return true; /* a scalar goes with tensors of every shape */
    if (ellipsis < 0 ? tensor->rank != sizes : tensor->rank < sizes) {
        report_mismatch(m);
        sema_help(m->s, "it has %d ax%s; wanted are %s%d", tensor->rank, tensor->rank == 1 ? "is" : "es",
                  ellipsis < 0 ? "" : "at least ", sizes);
        return false;
    }
    int covered = tensor->rank - sizes, axis = 0;
    for (size_t i = 0; i < type->rank; i++) {
        bool good = (int)i == ellipsis ? match_leading(m, tensor->shape + axis, covered)
                                       : match_size(m, type->shape[i], axis, tensor->shape[axis]);
        if (!good)
            return false;
        axis += (int)i == ellipsis ? covered : 1;
    }
    return true;
}

static bool match_like(const Match *m, const Tensor *tensor) {
    Value like = eval(m->s, m->param->type->like);
    const Tensor *model = value_to_tensor(m->s, like, m->param->type->like->place);
    if (model == NULL)
        return false;
    bool same = model->rank == tensor->rank;
    for (int i = 0; same && i < model->rank; i++)
        same = extent_equal(model->shape[i], tensor->shape[i]);
    return same || report_mismatch(m);
}

/* ---- words ---- */

static bool is_word(const AstType *type, const char *word) {
    return strcmp(type->word.text, word) == 0;
}

static bool is_class_word(const AstType *type) {
    return is_word(type, "class") || is_word(type, "index");
}

static bool match_real(const Match *m, Value *value) {
    Sema *s = m->s;
    const AstType *type = m->param->type;
    bool scalar = !type->has_shape && type->like == NULL;
    if (value->kind != VALUE_NUMBER && value->kind != VALUE_TENSOR)
        return report_mismatch(m);
    const Tensor *tensor = value_to_tensor(s, *value, m->argument->place);
    if (tensor->classes != 0)
        return report_class_as_real(m);
    if (tensor->type == TYPE_BOOL || (scalar && tensor->rank != 0))
        return report_mismatch(m);
    if (value->kind == VALUE_TENSOR)
        value->tensor = tensor_to_real(s, tensor, m->argument->place);
    if (type->like != NULL)
        return match_like(m, tensor);
    return scalar || match_shape(m, tensor);
}

/* The parameter before this one whose type ends with the size `size`; NULL: none. */
static const AstParam *param_with_last_axis(const Match *m, const AstExpr *size) {
    for (size_t i = 0; i < m->decl->param_count && &m->decl->params[i] != m->param; i++) {
        const AstType *type = m->decl->params[i].type;
        const AstExpr *last = type != NULL && type->rank > 0 ? type->shape[type->rank - 1] : NULL;
        if (last != NULL && last->kind == AST_NAME && strcmp(last->text, size->text) == 0)
            return &m->decl->params[i];
    }
    return NULL;
}

/* The number of classes is the last axis of another tensor: which one, and whether another axis of it fits. */
static void help_classes(const Match *m, const AstExpr *classes, int64_t actual) {
    Sema *s = m->s;
    const AstParam *param = classes->kind == AST_NAME ? param_with_last_axis(m, classes) : NULL;
    const Value *value = param ? frame_find(s->frame, param->name.text) : NULL;
    if (value == NULL || value->kind != VALUE_TENSOR)
        return;
    const char *name = value->name ? value->name : param->name.text;
    const Tensor *tensor = value->tensor;
    for (int axis = 1; axis < tensor->rank - 1; axis++) {
        if (tensor->shape[axis].size == actual) {
            sema_help(s,
                      "the classes are the last axis of `%s`, which is %s; an equation makes axis %d the last: `y[b, "
                      "i, c] = x[b, c, i]`",
                      name, tensor_describe(s->arena, s->graph, tensor), axis);
            return;
        }
    }
    sema_help(s, "the classes are the last axis of `%s`, which is %s", name,
              tensor_describe(s->arena, s->graph, tensor));
}

static bool match_classes(const Match *m, const Tensor *tensor) {
    const AstExpr *classes = m->param->type->classes;
    Extent actual = {tensor->classes, 0}, wanted;
    if (tensor->classes == 0) {
        report_mismatch(m);
        if (tensor->node != NULL && tensor->node->kind == NODE_INPUT)
            sema_help(m->s, "declare the data with its number of classes: `target t: class[%s](10)`",
                      m->s->graph->batch_name ? m->s->graph->batch_name : "n");
        else
            sema_help(m->s, "integers that are computed become indices by `as_index(%s)`, or by `to_index(%s, 10)`",
                      given_text(m), given_text(m));
        return false;
    }
    if (classes == NULL)
        return true;
    if (is_unbound(m->s, classes)) {
        frame_bind(m->s, (AstName){classes->text, classes->place}, value_extent(actual));
        return true;
    }
    if (!eval_size(m->s, classes, &wanted))
        return false;
    if (extent_equal(wanted, actual))
        return true;
    sema_error(m->s, m->argument->place, "%s() wants `%s` with %s classes, but `%s` is %s", m->decl->name.text,
               wanted_text(m), extent_describe(m->s->arena, m->s->graph, wanted), given_text(m),
               sema_describe(m->s, m->argument->value));
    sema_note_origin(m->s, m->argument->value);
    help_classes(m, classes, tensor->classes);
    return false;
}

static bool match_integers(const Match *m, const Value *value) {
    const AstType *type = m->param->type;
    int64_t integer = 0;
    if (!type->has_shape && !is_class_word(type))
        return value_as_integer(*value, &integer) || report_mismatch(m);
    if (value->kind != VALUE_TENSOR || value->tensor->type != TYPE_INT) {
        report_mismatch(m);
        if (value->kind == VALUE_TENSOR && is_class_word(type))
            sema_help(
                m->s,
                "class data are declared as `class[n](10)`: integers below 10; `to_index(%s, 10)` makes such of reals",
                given_text(m));
        return false;
    }
    return (!is_class_word(type) || match_classes(m, value->tensor)) &&
           (!type->has_shape || match_shape(m, value->tensor));
}

static bool match_kind(const Match *m, const Value *value, ValueKind kind) {
    return value->kind == kind || report_mismatch(m);
}

static bool report_word(Sema *s, const AstType *type) {
    static const char *const words[] = {"real", "int", "class", "index", "bool", "text"};
    sema_error(s, type->word.place, "there is no type `%s`", type->word.text);
    if (sema_help_foreign(s, FOREIGN_TYPE, type->word.text, NULL))
        return false;
    const char *closest = text_closest(type->word.text, words, sizeof words / sizeof *words);
    if (closest != NULL)
        sema_help(s, "did you mean `%s`?", closest);
    else
        sema_help(s, "the types are real, int, class, index, bool and text");
    return false;
}

bool pattern_match(Sema *s, const AstDecl *decl, const AstParam *param, const Argument *argument, Value *value) {
    const AstType *type = param->type;
    Match m = {s, decl, param, argument};
    if (type == NULL)
        return true;
    if (is_word(type, "real"))
        return match_real(&m, value);
    if (is_word(type, "int") || is_class_word(type))
        return match_integers(&m, value);
    if (is_word(type, "bool"))
        return match_kind(&m, value, VALUE_BOOL);
    return is_word(type, "text") ? match_kind(&m, value, VALUE_TEXT) : report_word(s, type);
}

/* ---- declared tensors ---- */

static bool shape_like(Sema *s, const AstExpr *like, int *rank, Extent *shape) {
    const Tensor *model = value_to_tensor(s, eval(s, like), like->place);
    if (model == NULL)
        return false;
    *rank = model->rank;
    memcpy(shape, model->shape, sizeof model->shape);
    return true;
}

bool type_shape(Sema *s, const AstType *type, int *rank, Extent *shape) {
    if (!is_word(type, "real") && !is_word(type, "int") && !is_class_word(type)) {
        if (is_word(type, "bool") || is_word(type, "text")) {
            sema_error(s, type->place, "a tensor holds `real`, `int`, `class` or `index` values");
            return false;
        }
        return report_word(s, type);
    }
    if (type->like != NULL)
        return shape_like(s, type->like, rank, shape);
    if (type->rank > MAX_AXES) {
        sema_error(s, type->place, "a tensor may have %d axes, and this one has %zu", MAX_AXES, type->rank);
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < type->rank; i++) {
        if (type->shape[i]->kind == AST_ELLIPSIS) {
            sema_error(s, type->shape[i]->place,
                       "every axis of a declared tensor wants its size: `...` is for the types of "
                       "parameters");
            return false;
        }
        good = eval_size(s, type->shape[i], &shape[i]) && good;
    }
    *rank = (int)type->rank;
    return good;
}
