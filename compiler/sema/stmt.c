#include "sema/stmt.h"

#include <inttypes.h>
#include "sema/equation.h"
#include "sema/expr.h"
#include "sema/instance.h"
#include "sema/model.h"
#include "sema/require.h"
#include "sema/state.h"
#include "sema/tensor.h"

/* ---- names ---- */

/* Is it worth a node: does it read a tensor, or take more than a few operations? A constant stays what it is. */
static bool deserves_node(const Tensor *tensor) {
    enum { CHEAP = 4 };
    if (scalar_is_open(tensor->body))
        return false;
    return tensor->body->has_load || scalar_flops(tensor->body) > CHEAP;
}

Value name_value(Sema *s, AstName name, Place place, Value value) {
    if (value.kind == VALUE_TENSOR && deserves_node(value.tensor)) {
        const Node *node = tensor_node(s, value.tensor, place, frame_node_name(s, name.text));
        if (node == NULL)
            return value_poison();
        if (value.tensor->node == NULL)
            value.tensor = tensor_from_node_of(s, node, value.tensor);
    } else if (value.kind == VALUE_INSTANCE && !instance_name(s, value.instance, name)) {
        return value_poison();
    }
    if (value.name == NULL) {
        value.name = name.text;
        value.place = place;
    }
    return value;
}

/* `cell = gru` looks like an instance, and is another name of the layer. */
static void warn_of_alias(Sema *s, const AstStmt *stmt, Value value) {
    if (value.kind != VALUE_FUNCTION || value.function->decl->kind != AST_LAYER || stmt->value->kind != AST_NAME)
        return;
    const char *layer = value.function->decl->name.text;
    sema_warning(s, stmt->place, "`%s` is the layer %s() itself: each call of it has parameters of its own",
                 stmt->name.text, layer);
    sema_help(s, "`%s = %s()` is an instance, whose calls share their parameters", stmt->name.text, layer);
}

static void exec_assign(Sema *s, const AstStmt *stmt) {
    Value value = eval(s, stmt->value);
    warn_of_alias(s, stmt, value);
    frame_bind(s, stmt->name, name_value(s, stmt->name, stmt->place, value));
}

/* `y, h = e`: the names stand for the items of a list. */
static void report_unpack(Sema *s, const AstStmt *stmt, Value value) {
    const char *text = place_snippet(s->arena, stmt->value->place);
    sema_error(s, stmt->place, "%zu names stand for the items of a list, but `%s` is %s", stmt->name_count, text,
               sema_describe(s, value));
    sema_note_origin(s, value);
    if (value.kind == VALUE_LIST)
        sema_help(s, "each item wants a name; one that nobody needs can be called `_`");
    else
        sema_help(
            s, "several results are those of a function that gives a list, as by `return [y, h]`; `lstm` and `gru` do "
               "with `return_state = true`");
}

static void exec_unpack(Sema *s, const AstStmt *stmt) {
    Value value = eval(s, stmt->value);
    bool fits = value.kind == VALUE_LIST && value.list.count == stmt->name_count;
    if (!fits && !value_is_poison(value))
        report_unpack(s, stmt, value);
    for (size_t i = 0; i < stmt->name_count; i++) {
        AstName name = stmt->names[i];
        frame_bind(s, name, fits ? name_value(s, name, stmt->place, value.list.items[i]) : value_poison());
    }
}

static void exec_equation(Sema *s, const AstStmt *stmt) {
    Value value = equation_statement(s, stmt);
    frame_bind(s, stmt->name, name_value(s, stmt->name, stmt->place, value));
}

static void exec_param(Sema *s, const AstStmt *stmt) {
    Value value = param_statement(s, stmt);
    value.name = stmt->name.text;
    value.place = stmt->place;
    frame_bind(s, stmt->name, value);
}

static void exec_return(Sema *s, const AstStmt *stmt) {
    if (s->frame->function == NULL || s->frame->optimizer != NULL) {
        sema_error(s, stmt->place, "`return` belongs to a function or a layer");
        return;
    }
    s->frame->result = eval(s, stmt->value);
    s->frame->returned = true;
}

/* ---- compile-time control ---- */

/* The statements of the block are not run because of a fault: the names that they would give have no value, and nobody complains. */
static void poison_names(Sema *s, const AstBlock *block) {
    for (size_t i = 0; block != NULL && i < block->count; i++) {
        const AstStmt *stmt = block->stmts[i];
        if (stmt->kind == AST_IF || stmt->kind == AST_FOR) {
            poison_names(s, stmt->body);
            poison_names(s, stmt->otherwise);
        } else if (stmt->name.text != NULL && stmt->kind != AST_UPDATE) {
            frame_bind(s, stmt->name, value_poison());
        }
        for (size_t k = 0; k < stmt->name_count; k++)
            frame_bind(s, stmt->names[k], value_poison());
    }
}

static void iterate(Sema *s, const AstStmt *stmt, int64_t from, int64_t to) {
    Frame *frame = s->frame;
    const char *outer = frame->suffix;
    Value *shadowed = frame_find(frame, stmt->name.text);
    NamingLoop loop = naming_loop_begin(s, frame->naming);
    int errors = s->diag->errors;
    for (int64_t i = from; i < to; i++) {
        s->iterations += !stmt->place.source->is_prelude; /* the library's loops go over axes: they are short */
        if (s->iterations > LIMIT_ITERATIONS)
            sema_stop(s, stmt->place, "compile-time loops run more than %d times in all", LIMIT_ITERATIONS);
        if (s->stopped || frame->returned || s->diag->errors > errors)
            break;
        naming_loop_iterate(s, &loop, i);
        frame->suffix = arena_printf(s->arena, "%s.%" PRId64, outer, i);
        frame_bind(s, stmt->name, value_integer(i));
        exec_block(s, stmt->body);
    }
    naming_loop_end(s, &loop);
    frame->suffix = outer;
    text_map_put(frame->locals, stmt->name.text, shadowed);
}

static void exec_for(Sema *s, const AstStmt *stmt) {
    int64_t from = 0, to = 0;
    bool from_good = eval_integer(s, stmt->value, "the start of a compile-time loop, an integer,", &from);
    bool to_good = eval_integer(s, stmt->to, "the end of a compile-time loop, an integer,", &to);
    if (from_good && to_good)
        iterate(s, stmt, from, to);
    else
        poison_names(s, stmt->body);
}

static void report_condition(Sema *s, const AstStmt *stmt, Value test) {
    if (value_is_poison(test))
        return;
    sema_error(s, stmt->value->place, "an `if` statement is decided at compile time, but `%s` is %s",
               place_snippet(s->arena, stmt->value->place), sema_describe(s, test));
    if (test.kind == VALUE_TENSOR)
        sema_help(s, "element by element it is an expression: `y = if c then a else b`");
}

static void exec_if(Sema *s, const AstStmt *stmt) {
    Value test = eval(s, stmt->value);
    if (test.kind != VALUE_BOOL) {
        report_condition(s, stmt, test);
        poison_names(s, stmt->body);
        poison_names(s, stmt->otherwise);
    } else if (test.truth) {
        exec_block(s, stmt->body);
    } else if (stmt->otherwise != NULL) {
        exec_block(s, stmt->otherwise);
    }
}

/* ---- dispatch ---- */

static void exec(Sema *s, const AstStmt *stmt) {
    switch (stmt->kind) {
    case AST_ASSIGN: exec_assign(s, stmt); break;
    case AST_UNPACK: exec_unpack(s, stmt); break;
    case AST_EQUATION: exec_equation(s, stmt); break;
    case AST_UPDATE: update_statement(s, stmt); break;
    case AST_PARAM: exec_param(s, stmt); break;
    case AST_STATE: state_statement(s, stmt); break;
    case AST_INPUT:
    case AST_TARGET: model_input(s, stmt); break;
    case AST_OUTPUT: model_output(s, stmt); break;
    case AST_LOSS: model_loss(s, stmt); break;
    case AST_METRIC: model_metric(s, stmt); break;
    case AST_RETURN: exec_return(s, stmt); break;
    case AST_REQUIRE: exec_require(s, stmt); break;
    case AST_WARN: exec_warn(s, stmt); break;
    case AST_FOR: exec_for(s, stmt); break;
    case AST_IF: exec_if(s, stmt); break;
    }
}

void exec_block(Sema *s, const AstBlock *block) {
    for (size_t i = 0; i < block->count && !s->frame->returned; i++) {
        if (!sema_enter(s, block->stmts[i]->place))
            return;
        const AstStmt *outer = s->frame->stmt;
        s->frame->stmt = block->stmts[i];
        exec(s, block->stmts[i]);
        s->frame->stmt = outer;
        sema_leave(s);
    }
}
