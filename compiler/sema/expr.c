#include "sema/expr.h"

#include <inttypes.h>
#include <string.h>
#include "sema/builtin.h"
#include "sema/call.h"
#include "sema/dims.h"
#include "sema/elementwise.h"
#include "sema/equation.h"
#include "sema/number.h"
#include "sema/reach.h"
#include "sema/tensor.h"

/* ---- names ---- */

/* "did you mean": among the names that have a meaning here. */
static bool help_close_name(Sema *s, const char *name) {
    NameList names = {0};
    for (size_t i = 0; i < text_map_count(s->frame->locals); i++)
        if (text_map_value(s->frame->locals, i) != NULL)
            vec_push(s->arena, &names, text_map_key(s->frame->locals, i));
    if (s->frame->equation != NULL)
        for (size_t i = 0; i < s->frame->equation->scope.count; i++)
            vec_push(s->arena, &names, s->frame->equation->scope.at[i]->name);
    globals_names(s->arena, s->frame->globals, &names);
    builtin_names(s->arena, &names);
    return sema_help_closest(s, name, &names);
}

/* Does the statement give the name a value that lines behind it can use? */
static bool gives_name(const AstStmt *stmt, const char *name) {
    switch (stmt->kind) {
    case AST_UPDATE:
    case AST_METRIC:
    case AST_FOR: return false;
    case AST_OUTPUT:
        if (stmt->value == NULL)
            return false;
        break;
    default: break;
    }
    for (size_t i = 0; i < stmt->name_count; i++)
        if (strcmp(stmt->names[i].text, name) == 0)
            return true;
    return stmt->name.text != NULL && strcmp(stmt->name.text, name) == 0;
}

/* The first statement behind the place that gives the name a value; NULL: none. */
static const AstStmt *later_statement(const AstBlock *block, const char *name, Place place) {
    const AstStmt *found = NULL;
    for (size_t i = 0; block != NULL && i < block->count && found == NULL; i++) {
        const AstStmt *stmt = block->stmts[i];
        bool is_behind = stmt->place.source == place.source && stmt->place.start > place.start;
        found = is_behind && gives_name(stmt, name) ? stmt : later_statement(stmt->body, name, place);
        found = found ? found : later_statement(stmt->otherwise, name, place);
    }
    return found;
}

/* NULL: it is one expression. */
static const AstBlock *frame_body(const Frame *frame) {
    return frame->decl ? frame->decl->body : NULL;
}

/* A line further below gives the name a value. True: it was printed. */
static bool help_later(Sema *s, const AstExpr *e) {
    const AstStmt *stmt = later_statement(frame_body(s->frame), e->text, e->place);
    if (stmt != NULL) {
        sema_note(s, stmt->place, "`%s` comes only later, from `%s`", e->text, place_snippet(s->arena, stmt->place));
        sema_help(s, "lines are read from top to bottom: move that one up, before this one");
    }
    return stmt != NULL;
}

static bool is_updated(const AstBlock *block, const char *name) {
    for (size_t i = 0; block != NULL && i < block->count; i++) {
        const AstStmt *stmt = block->stmts[i];
        if ((stmt->kind == AST_UPDATE && strcmp(stmt->name.text, name) == 0) || is_updated(stmt->body, name) ||
            is_updated(stmt->otherwise, name))
            return true;
    }
    return false;
}

/* A line changes it by `<-`, as a state. True: help was printed. */
static bool help_state(Sema *s, const AstExpr *e) {
    if (!is_updated(frame_body(s->frame), e->text))
        return false;
    const AstDecl *decl = s->frame->decl;
    const bool optimizes = decl->kind == AST_OPTIMIZER && decl->param_count > 0;
    sema_help(s, "what training keeps is declared before it is used: `state %s: %s = zeros`", e->text,
              optimizes ? arena_printf(s->arena, "real like %s", decl->params[0].name.text) : "real[...]");
    return true;
}

bool report_unknown_name(Sema *s, const AstExpr *e) {
    sema_error(s, e->place, "there is no `%s` here", e->text);
    bool is_helped =
        sema_help_reach(s, e->text, e->place) || help_later(s, e) || help_state(s, e) || help_close_name(s, e->text);
    /* Said once for each body. */
    frame_bind(s, (AstName){e->text, e->place}, value_poison());
    return is_helped;
}

/* `y[b, k]`: the left side of the statement, with the unknown names that index e as further variables. */
static const char *left_side_with(Sema *s, const AstExpr *e) {
    const AstStmt *stmt = s->frame->stmt;
    Text *text = text_new(s->arena);
    text_printf(text, "%s[", stmt && stmt->name.text ? stmt->name.text : "y");
    const char *comma = "";
    for (size_t i = 0; stmt != NULL && i < stmt->var_count; i++, comma = ", ")
        text_printf(text, "%s%s", comma, stmt->vars[i].name.text);
    for (size_t i = 0; i < e->index.count; i++) {
        const AstExpr *at = e->index.at[i];
        const Value *value = at->kind == AST_NAME ? frame_find(s->frame, at->text) : NULL;
        if (at->kind == AST_NAME && (value ? value_is_poison(*value) : !name_is_known(s, at->text))) {
            text_printf(text, "%s%s", comma, at->text);
            comma = ", ";
        }
    }
    text_add(text, "]");
    return text_get(text);
}

void report_unknown_index(Sema *s, const AstExpr *e, const AstExpr *at) {
    const char *left = left_side_with(s, e);
    if (!report_unknown_name(s, at)) {
        sema_help(s, "an index variable stands on the left side, `%s = ...`, or is reduced over, `sum(%s) ...`", left,
                  at->text);
    }
}

Value global_value(Sema *s, Global *global, Place place) {
    switch (global->function.decl->kind) {
    case AST_DIM:
    case AST_CONST: return declared_value(s, global, place);
    default: return (Value){.kind = VALUE_FUNCTION, .function = &global->function};
    }
}

bool name_is_known(Sema *s, const char *name) {
    NameList builtins = {0};
    builtin_names(s->arena, &builtins);
    for (size_t i = 0; i < builtins.count; i++)
        if (strcmp(builtins.at[i], name) == 0)
            return true;
    return (s->frame->equation != NULL && equation_variable(s->frame->equation, name) != NULL) ||
           frame_find(s->frame, name) != NULL || globals_find(s->frame->globals, SPACE_EXPRESSION, name) != NULL;
}

static Value eval_name(Sema *s, const AstExpr *e) {
    if (s->frame->equation != NULL) {
        const Variable *variable = equation_variable(s->frame->equation, e->text);
        if (variable != NULL)
            return variable_value(s, variable);
    }
    const Value *local = frame_find(s->frame, e->text);
    if (local != NULL)
        return *local;
    Global *global = globals_find(s->frame->globals, s->frame->prefer, e->text);
    if (global != NULL)
        return global_value(s, global, e->place);
    Value value;
    if (builtin_constant(s, e->text, e->place, &value))
        return value;
    const Builtin *builtin = builtin_find(s->arena, e->text);
    if (builtin != NULL)
        return (Value){.kind = VALUE_BUILTIN, .builtin = builtin};
    report_unknown_name(s, e);
    return value_poison();
}

/* ---- operators ---- */

static Op binary_op(AstBinary op) {
    static const Op ops[] = {
        [AST_ADD] = OP_ADD, [AST_SUB] = OP_SUB, [AST_MUL] = OP_MUL, [AST_DIV] = OP_DIV, [AST_MOD] = OP_MOD,
        [AST_POW] = OP_POW, [AST_EQ] = OP_EQ,   [AST_NE] = OP_NE,   [AST_LT] = OP_LT,   [AST_LE] = OP_LE,
        [AST_GT] = OP_GT,   [AST_GE] = OP_GE,   [AST_AND] = OP_AND, [AST_OR] = OP_OR,
    };
    return ops[op];
}

static Value eval_binary(Sema *s, const AstExpr *e) {
    Operand operands[2] = {
        {eval(s, e->binary.left), e->binary.left->place},
        {eval(s, e->binary.right), e->binary.right->place},
    };
    if (value_is_poison(operands[0].value) || value_is_poison(operands[1].value))
        return value_poison();
    if (number_takes(e->binary.op, operands[0].value, operands[1].value))
        return number_binary(s, e->place, e->binary.op, operands);
    if (e->binary.op == AST_MOD)
        return elementwise_modulo(s, e->place, operands);
    return elementwise_op(s, e->place, binary_op(e->binary.op), operands, 2);
}

static Value eval_unary(Sema *s, const AstExpr *e) {
    Operand operand = {eval(s, e->unary.arg), e->unary.arg->place};
    if (e->unary.op == AST_NOT && operand.value.kind == VALUE_BOOL)
        return value_bool(!operand.value.truth);
    if (e->unary.op == AST_NEG && operand.value.kind == VALUE_NUMBER)
        return value_number(-operand.value.number.value, operand.value.number.is_integer);
    return elementwise_op(s, e->place, e->unary.op == AST_NEG ? OP_NEG : OP_NOT, &operand, 1);
}

static Value eval_condition(Sema *s, const AstExpr *e) {
    Value test = eval(s, e->condition.test);
    if (test.kind == VALUE_BOOL)
        return eval(s, test.truth ? e->condition.then : e->condition.otherwise);
    Operand operands[3] = {
        {test, e->condition.test->place},
        {eval(s, e->condition.then), e->condition.then->place},
        {eval(s, e->condition.otherwise), e->condition.otherwise->place},
    };
    return elementwise_select(s, e->place, operands);
}

/* ---- the rest ---- */

static Value eval_list(Sema *s, const AstExpr *e) {
    Value *items = arena_array(s->arena, Value, e->list.count);
    for (size_t i = 0; i < e->list.count; i++) {
        bool is_ellipsis = e->list.items[i]->kind == AST_ELLIPSIS;
        items[i] = is_ellipsis ? (Value){.kind = VALUE_ELLIPSIS} : eval(s, e->list.items[i]);
        if (value_is_poison(items[i]))
            return value_poison();
    }
    return value_list(items, e->list.count);
}

static Value eval_ellipsis(Sema *s, const AstExpr *e) {
    sema_error(s, e->place, "`...` belongs into an index, a shape or the left side of an equation");
    return value_poison();
}

static Value eval_kind(Sema *s, const AstExpr *e) {
    switch (e->kind) {
    case AST_NUMBER: return value_number(e->number.value, e->number.is_integer);
    case AST_TEXT: return value_text(e->text);
    case AST_BOOL: return value_bool(e->truth);
    case AST_NAME: return eval_name(s, e);
    case AST_LIST: return eval_list(s, e);
    case AST_ELLIPSIS: return eval_ellipsis(s, e);
    case AST_CALL: return eval_call(s, e);
    case AST_INDEX: return eval_index(s, e);
    case AST_REDUCE: return eval_reduce(s, e);
    case AST_UNARY_OP: return eval_unary(s, e);
    case AST_BINARY_OP: return eval_binary(s, e);
    case AST_CONDITION: return eval_condition(s, e);
    case AST_ERROR: break;
    }
    return value_poison();
}

Value eval(Sema *s, const AstExpr *e) {
    if (!sema_enter(s, e->place))
        return value_poison();
    Value value = eval_kind(s, e);
    sema_leave(s);
    return s->stopped ? value_poison() : value;
}

/* ---- demanded kinds ---- */

static void report_kind(Sema *s, const AstExpr *e, const char *what, Value value) {
    if (value_is_poison(value))
        return;
    sema_error(s, e->place, "%s is wanted here, but `%s` is %s", what, place_snippet(s->arena, e->place),
               sema_describe(s, value));
    if (value.kind == VALUE_EXTENT) {
        sema_help(s,
                  "its size is known only when the program runs; a fixed dimension is "
                  "`dim %s = ...`",
                  s->graph->batch_name);
    }
}

bool eval_integer(Sema *s, const AstExpr *e, const char *what, int64_t *out) {
    Value value = eval(s, e);
    if (value_as_integer(value, out))
        return true;
    report_kind(s, e, what, value);
    return false;
}

bool eval_number(Sema *s, const AstExpr *e, const char *what, double *out) {
    Value value = eval(s, e);
    if (value.kind == VALUE_NUMBER) {
        *out = value.number.value;
        return true;
    }
    report_kind(s, e, what, value);
    return false;
}

bool eval_bool(Sema *s, const AstExpr *e, const char *what, bool *out) {
    Value value = eval(s, e);
    if (value.kind == VALUE_BOOL) {
        *out = value.truth;
        return true;
    }
    report_kind(s, e, what, value);
    return false;
}

const char *eval_text(Sema *s, const AstExpr *e, const char *what) {
    Value value = eval(s, e);
    if (value.kind == VALUE_TEXT)
        return value.text;
    report_kind(s, e, what, value);
    return NULL;
}

bool eval_size(Sema *s, const AstExpr *e, Extent *out) {
    Value value = eval(s, e);
    int64_t size = 0;
    if (value.kind == VALUE_EXTENT) {
        *out = value.extent;
        return true;
    }
    if (!value_as_integer(value, &size)) {
        report_kind(s, e, "the size of an axis, a positive integer,", value);
        return false;
    }
    if (size < 1) {
        const char *written = place_snippet(s->arena, e->place);
        const char *number = arena_printf(s->arena, "%" PRId64, size);
        const char *what = strcmp(written, number) == 0 ? "this" : arena_printf(s->arena, "`%s`", written);
        sema_error(s, e->place, "the size of an axis is a positive integer, but %s is %s", what, number);
        return false;
    }
    *out = (Extent){size, 0};
    return true;
}
