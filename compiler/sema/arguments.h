/* arguments.h: the arguments of a call and the parameters that take them. */
#ifndef NNC_SEMA_ARGUMENTS_H
#define NNC_SEMA_ARGUMENTS_H

#include "sema/context.h"

typedef struct Argument {
    AstName name; /* text NULL: positional */
    int position; /* of the parameter that a positional one is for */
    Value value;
    Place place;
} Argument;

typedef struct Arguments {
    Place place; /* of the call */
    Argument *at;
    size_t count;
    bool piped; /* the first one came through `|>` */
} Arguments;

typedef struct Parameter {
    const char *name;
    bool required;
    bool by_name; /* cannot be given by position */
} Parameter;

typedef struct Signature {
    const char *callee; /* its name */
    const char *text;   /* as the manual shows it: "dense(x: real[..., K], N: int; bias = true)" */
    const Parameter *params;
    int count;
    int positional; /* how many may be given by position */
    bool variadic;  /* further positional arguments are taken as they come */
} Signature;

/* Finds the argument of each parameter: taken[i], NULL when it is left out. False after a fault: reported. With `partial`, missing
 * arguments are no fault. */
bool arguments_match(Sema *s, const Signature *signature, const Arguments *args, bool partial, const Argument **taken);
bool arguments_any_poison(const Arguments *args);

Signature signature_of_decl(Sema *s, const AstDecl *decl);
/* "a, b; axis": after the `;` by name; a name in parentheses may be left out; `...` at the end of the positional ones: variadic. */
Signature signature_of_text(Sema *s, const char *callee, const char *text);

#endif
