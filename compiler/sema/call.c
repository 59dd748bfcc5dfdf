#include "sema/call.h"

#include <string.h>
#include "sema/builtin.h"
#include "sema/expr.h"
#include "sema/foreign.h"
#include "sema/instance.h"
#include "sema/pattern.h"
#include "sema/stmt.h"
#include "sema/tensor.h"

/* ---- binding ---- */

static bool bind_default(Sema *s, const AstDecl *decl, const AstParam *param) {
    Value value = eval(s, param->otherwise);
    Argument *argument = arena_one(s->arena, Argument);
    *argument = (Argument){.value = value, .place = param->otherwise->place};
    if (value_is_poison(value) || !pattern_match(s, decl, param, argument, &value)) {
        frame_bind(s, param->name, value_poison());
        return false;
    }
    frame_bind(s, param->name, value);
    return true;
}

bool bind_parameters(Sema *s, const AstDecl *decl, const Arguments *args) {
    Signature signature = signature_of_decl(s, decl);
    const Argument **taken = arena_array(s->arena, const Argument *, decl->param_count ? decl->param_count : 1);
    if (!arguments_match(s, &signature, args, false, taken))
        return false;
    s->frame->leading = arena_one(s->arena, LeadingAxes);
    bool good = true;
    for (size_t i = 0; i < decl->param_count && good; i++) {
        const AstParam *param = &decl->params[i];
        if (taken[i] == NULL) {
            good = bind_default(s, decl, param);
            continue;
        }
        Value value = taken[i]->value;
        good = pattern_match(s, decl, param, taken[i], &value);
        frame_bind(s, param->name, good ? value : value_poison());
    }
    return good;
}

/* ---- running ---- */

Value run_body(Sema *s, Place place) {
    const AstDecl *decl = s->frame->function->decl;
    if (decl->body == NULL)
        return eval(s, decl->value);
    int errors = s->diag->errors;
    exec_block(s, decl->body);
    if (s->frame->returned)
        return s->frame->result;
    if (errors == s->diag->errors && !s->stopped)
        sema_error(s, place, "%s() gives no value: its body ends without `return`", decl->name.text);
    return value_poison();
}

/* A value that leaves its function has the name that the caller gives it, and so have the items of a list. */
static Value returned_value(Sema *s, Value value, Place place, const char *label) {
    if (value.kind == VALUE_TENSOR)
        value.tensor = tensor_with_origin(s, value.tensor, place, label);
    if (value.kind == VALUE_LIST) {
        Value *items = arena_array(s->arena, Value, value.list.count);
        for (size_t i = 0; i < value.list.count; i++)
            items[i] = returned_value(s, value.list.items[i], place, label);
        value.list.items = items;
    }
    if (value.place.source != NULL && value.place.source->is_prelude) {
        value.name = NULL;
        value.place = (Place){0};
    }
    return value;
}

static Value call_function(Sema *s, const Function *function, Instance *instance, const Arguments *args) {
    if (arguments_any_poison(args))
        return value_poison();
    const AstDecl *decl = function->decl;
    bool is_layer = decl->kind == AST_LAYER;
    const char *label = is_layer ? instance_path(s, instance) : naming_label(s, s->frame, decl->name.text);
    Frame *frame = frame_push(s, function, function->home, args->place);
    frame->label = label;
    if (is_layer) {
        bool around = frame->caller->naming != NULL && frame->caller->naming->is_stopped;
        frame->naming = naming_new(s->arena, label);
        frame->naming->is_stopped = instance->is_stopped || around;
    }
    Value value = value_poison();
    if (!s->stopped && bind_parameters(s, decl, args))
        value = run_body(s, args->place);
    frame_pop(s);
    return returned_value(s, value, args->place, label);
}

/* ---- instances ---- */

int leading_count(const AstDecl *decl) {
    switch (decl->kind) {
    case AST_INIT: return 1;
    case AST_SCHEDULE:
    case AST_OPTIMIZER: return 2;
    case AST_LAYER: break;
    default: return 0;
    }
    int count = 0;
    while (count < (int)decl->param_count) {
        const AstParam *param = &decl->params[count];
        bool tensor = param->type ? param->type->has_shape : count == 0;
        if (param->by_name || param->otherwise != NULL || !tensor)
            break;
        count++;
    }
    return count;
}

/* Are the leading arguments missing from the call? */
static bool is_partial(const AstDecl *decl, const Arguments *args) {
    int leading = leading_count(decl);
    if (leading == 0 || args->piped)
        return false;
    for (size_t i = 0; i < args->count; i++) {
        const Argument *argument = &args->at[i];
        if (argument->name.text == NULL)
            return argument->value.kind != VALUE_TENSOR && !value_is_poison(argument->value);
        if (strcmp(argument->name.text, decl->params[0].name.text) == 0)
            return false;
    }
    return true;
}

static Value make_instance(Sema *s, const Function *function, Arguments args) {
    int leading = leading_count(function->decl);
    if (arguments_any_poison(&args))
        return value_poison();
    for (size_t i = 0; i < args.count; i++)
        args.at[i].position += leading;
    Signature signature = signature_of_decl(s, function->decl);
    const Argument **taken = arena_array(s->arena, const Argument *, function->decl->param_count + 1);
    if (!arguments_match(s, &signature, &args, true, taken))
        return value_poison();
    return (Value){.kind = VALUE_INSTANCE, .instance = instance_new(s, function, args)};
}

Arguments combined_arguments(Sema *s, Value value, const Arguments *given) {
    if (value.kind != VALUE_INSTANCE)
        return *given;
    const Arguments *kept = &value.instance->args;
    Arguments all = *given;
    all.count = given->count + kept->count;
    all.at = arena_array(s->arena, Argument, all.count + 1);
    if (given->count > 0)
        memcpy(all.at, given->at, given->count * sizeof *given->at);
    if (kept->count > 0)
        memcpy(all.at + given->count, kept->at, kept->count * sizeof *kept->at);
    return all;
}

static Value call_instance(Sema *s, Value callee, const Arguments *given) {
    const AstDecl *decl = callee.instance->function->decl;
    int leading = leading_count(decl);
    for (size_t i = 0; i < given->count; i++) {
        if (given->at[i].name.text == NULL && given->at[i].position >= leading) {
            sema_error(s, given->at[i].place,
                       "an instance of `%s` takes %d argument%s: the others were given when it "
                       "was made",
                       decl->name.text, leading, leading == 1 ? "" : "s");
            sema_note_origin(s, callee);
            return value_poison();
        }
    }
    Arguments all = combined_arguments(s, callee, given);
    return call_function(s, callee.instance->function, callee.instance, &all);
}

/* ---- dispatch ---- */

const Function *callee_function(Value value) {
    if (value.kind == VALUE_FUNCTION)
        return value.function;
    return value.kind == VALUE_INSTANCE ? value.instance->function : NULL;
}

static Value call_declared(Sema *s, const Function *function, const Arguments *args) {
    const AstDecl *decl = function->decl;
    if (is_partial(decl, args))
        return make_instance(s, function, *args);
    if (decl->kind == AST_OPTIMIZER) {
        sema_error(s, args->place, "the optimizer `%s` belongs into the `train` block", decl->name.text);
        return value_poison();
    }
    Instance *instance = decl->kind == AST_LAYER ? instance_new(s, function, *args) : NULL;
    return call_function(s, function, instance, args);
}

static Value call_value(Sema *s, Value callee, const Arguments *args) {
    switch (callee.kind) {
    case VALUE_FUNCTION: return call_declared(s, callee.function, args);
    case VALUE_INSTANCE: return call_instance(s, callee, args);
    case VALUE_BUILTIN: return builtin_call(s, callee.builtin, args);
    default: return value_poison();
    }
}

Value call_with(Sema *s, Value callee, const Value *leading, int count, Place place) {
    Arguments args = {.place = place, .count = (size_t)count, .piped = true};
    args.at = arena_array(s->arena, Argument, (size_t)count + 1);
    for (int i = 0; i < count; i++)
        args.at[i] = (Argument){.position = i, .value = leading[i], .place = place};
    return call_value(s, callee, &args);
}

static bool is_callable(ValueKind kind) {
    return kind == VALUE_FUNCTION || kind == VALUE_INSTANCE || kind == VALUE_BUILTIN || kind == VALUE_POISON;
}

static void report_not_callable(Sema *s, AstName name, Value value) {
    sema_error(s, name.place, "`%s` is %s and cannot be called", name.text, sema_describe(s, value));
    sema_note_origin(s, value);
    if (value.kind == VALUE_TENSOR)
        sema_help(s, "an element of it is `%s[i]`", name.text);
}

void report_unknown_callee(Sema *s, AstName name) {
    sema_error(s, name.place, "there is no function or layer `%s`", name.text);
    if (sema_help_foreign(s, FOREIGN_FUNCTION, name.text, NULL))
        return;
    NameList names = {0};
    globals_names(s->arena, s->frame->globals, &names);
    builtin_names(s->arena, &names);
    sema_help_closest(s, name.text, &names);
}

bool callee_is_known(Sema *s, const char *name) {
    return frame_find(s->frame, name) != NULL || globals_find(s->frame->globals, s->frame->prefer, name) != NULL ||
           builtin_find(s->arena, name) != NULL;
}

/* What a call means by a name: a local value that can be called, a declaration, a built-in function. */
static Value find_callee(Sema *s, AstName name) {
    const Value *local = frame_find(s->frame, name.text);
    if (local != NULL && is_callable(local->kind))
        return *local;
    Global *global = globals_find(s->frame->globals, s->frame->prefer, name.text);
    if (global != NULL) {
        Value value = global_value(s, global, name.place);
        if (is_callable(value.kind))
            return value;
        report_not_callable(s, name, value);
        return value_poison();
    }
    const Builtin *builtin = builtin_find(s->arena, name.text);
    if (builtin != NULL)
        return (Value){.kind = VALUE_BUILTIN, .builtin = builtin};
    if (local != NULL)
        report_not_callable(s, name, *local);
    else
        report_unknown_callee(s, name);
    return value_poison();
}

Value eval_call(Sema *s, const AstExpr *e) {
    Value callee = find_callee(s, e->call.callee);
    Arguments args = {.place = e->place, .count = e->call.count, .piped = e->call.piped};
    args.at = arena_array(s->arena, Argument, args.count + 1);
    int position = 0;
    for (size_t i = 0; i < args.count; i++) {
        const AstArgument *given = &e->call.args[i];
        args.at[i] = (Argument){.name = given->name,
                                .position = given->name.text ? -1 : position++,
                                .value = eval(s, given->value),
                                .place = given->value->place};
    }
    return value_is_poison(callee) ? callee : call_value(s, callee, &args);
}
