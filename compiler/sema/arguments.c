#include "sema/arguments.h"

#include <string.h>
#include "sema/foreign.h"

/* ---- signatures ---- */

static void add_param_text(Sema *s, Text *text, const AstParam *param) {
    text_add(text, param->name.text);
    if (param->type != NULL)
        text_printf(text, ": %s", place_text(s->arena, param->type->place));
    if (param->otherwise != NULL)
        text_printf(text, " = %s", place_text(s->arena, param->otherwise->place));
}

Signature signature_of_decl(Sema *s, const AstDecl *decl) {
    Parameter *params = arena_array(s->arena, Parameter, decl->param_count);
    Signature signature = {.callee = decl->name.text, .params = params};
    Text *text = text_new(s->arena);
    text_printf(text, "%s(", decl->name.text);
    for (size_t i = 0; i < decl->param_count; i++) {
        const AstParam *param = &decl->params[i];
        bool opens = param->by_name && (i == 0 || !decl->params[i - 1].by_name);
        text_add(text, opens ? "; " : i ? ", " : "");
        add_param_text(s, text, param);
        params[i] = (Parameter){param->name.text, param->otherwise == NULL, param->by_name};
        signature.positional += !param->by_name;
        signature.count++;
    }
    text_add(text, ")");
    signature.text = text_get(text);
    return signature;
}

/* Reads one name of a signature's text; gives the rest. */
static const char *read_name(Sema *s, const char *at, Parameter *param) {
    at += strspn(at, " ");
    param->required = *at != '(';
    at += !param->required;
    size_t length = strcspn(at, ",; )");
    param->name = arena_copy_text(s->arena, at, length);
    at += length;
    return at + strspn(at, ")");
}

Signature signature_of_text(Sema *s, const char *callee, const char *text) {
    enum { MOST = 8 };
    Parameter *params = arena_array(s->arena, Parameter, MOST);
    Signature signature = {.callee = callee, .params = params};
    signature.text = arena_printf(s->arena, "%s(%s)", callee, text);
    bool by_name = false;
    for (const char *at = text; *at != '\0';) {
        Parameter param = {.by_name = by_name};
        at = read_name(s, at, &param);
        if (strcmp(param.name, "...") == 0) {
            signature.variadic = true;
        } else {
            params[signature.count++] = param;
            signature.positional += !by_name;
        }
        by_name = by_name || *at == ';';
        at += *at != '\0';
    }
    return signature;
}

/* ---- matching ---- */

static int find_parameter(const Signature *signature, const char *name) {
    for (int i = 0; i < signature->count; i++)
        if (strcmp(signature->params[i].name, name) == 0)
            return i;
    return -1;
}

static NameList parameter_names(Sema *s, const Signature *signature) {
    NameList names = {0};
    for (int i = 0; i < signature->count; i++)
        vec_push(s->arena, &names, signature->params[i].name);
    return names;
}

static void report_unknown(Sema *s, const Signature *signature, const Argument *argument) {
    sema_error(s, argument->name.place, "%s() has no argument `%s`", signature->callee, argument->name.text);
    NameList names = parameter_names(s, signature);
    bool is_said = sema_help_foreign(s, FOREIGN_ARGUMENT, argument->name.text, &names) ||
                   sema_help_closest(s, argument->name.text, &names);
    if (!is_said)
        sema_help(s, "it is declared as `%s`", signature->text);
}

static void report_too_many(Sema *s, const Signature *signature, const Arguments *args, const Argument *argument) {
    int given = 0;
    for (size_t i = 0; i < args->count; i++)
        given += args->at[i].name.text == NULL;
    if (given > signature->positional) {
        sema_error(s, argument->place, "%s() takes %d argument%s by position, but %d %s given%s", signature->callee,
                   signature->positional, signature->positional == 1 ? "" : "s", given, given == 1 ? "is" : "are",
                   args->piped ? ", the one before `|>` included" : "");
    } else { /* those that training gives to an optimizer or a schedule stand before it */
        sema_error(s, argument->place, "%s() takes its arguments by name here", signature->callee);
    }
    NameList names = parameter_names(s, signature);
    if (sema_help_foreign(s, FOREIGN_POSITION, signature->callee, &names))
        return;
    if (signature->positional < signature->count) {
        sema_help(s, "the others are given by name, as in `%s = %s`: `%s`",
                  signature->params[signature->positional].name, place_snippet(s->arena, argument->place),
                  signature->text);
    } else {
        sema_help(s, "it is declared as `%s`", signature->text);
    }
}

static bool place_argument(Sema *s, const Signature *signature, const Arguments *args, const Argument *argument,
                           const Argument **taken) {
    int at = argument->position;
    if (argument->name.text != NULL) {
        at = find_parameter(signature, argument->name.text);
        if (at < 0) {
            report_unknown(s, signature, argument);
            return false;
        }
    } else if (at >= signature->positional) {
        if (!signature->variadic)
            report_too_many(s, signature, args, argument);
        return signature->variadic;
    }
    if (taken[at] != NULL) {
        sema_error(s, argument->name.text ? argument->name.place : argument->place,
                   "the argument `%s` of %s() is given twice", signature->params[at].name, signature->callee);
        return false;
    }
    taken[at] = argument;
    return true;
}

static bool check_missing(Sema *s, const Signature *signature, const Arguments *args, const Argument *const *taken) {
    for (int i = 0; i < signature->count; i++) {
        if (taken[i] == NULL && signature->params[i].required) {
            sema_error(s, args->place, "%s() wants its argument `%s`", signature->callee, signature->params[i].name);
            sema_help(s, "it is declared as `%s`", signature->text);
            return false;
        }
    }
    return true;
}

bool arguments_match(Sema *s, const Signature *signature, const Arguments *args, bool partial, const Argument **taken) {
    bool good = true;
    for (size_t i = 0; i < args->count && good; i++)
        good = place_argument(s, signature, args, &args->at[i], taken);
    return good && (partial || check_missing(s, signature, args, taken));
}

bool arguments_any_poison(const Arguments *args) {
    for (size_t i = 0; i < args->count; i++)
        if (value_is_poison(args->at[i].value))
            return true;
    return false;
}
