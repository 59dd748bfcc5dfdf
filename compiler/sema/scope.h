/* scope.h: the declarations of a file by name.
 *
 * The prelude is the parent of the user's file: a declaration of the user hides one of the prelude for the user's file alone.
 * Initialisers, schedules and optimizers have name spaces of their own (`constant` is an initialiser and a schedule), which are
 * searched after the functions unless the context prefers one.
 */
#ifndef NNC_SEMA_SCOPE_H
#define NNC_SEMA_SCOPE_H

#include "base/diag.h"
#include "base/map.h"
#include "sema/value.h"

typedef enum Space {
    SPACE_EXPRESSION, /* dim, const, fn, layer, loss, metric */
    SPACE_INIT,
    SPACE_SCHEDULE,
    SPACE_OPTIMIZER,
    SPACE_COUNT
} Space;

typedef struct Globals {
    const struct Globals *parent; /* NULL: the prelude */
    TextMap *spaces[SPACE_COUNT]; /* name to Global */
    const AstDecl *model, *train; /* the first of each; NULL: none */
} Globals;

struct Function {
    const AstDecl *decl;
    const Globals *home; /* where the names of its body are looked up */
};

typedef enum GlobalState { GLOBAL_UNKNOWN, GLOBAL_BUSY, GLOBAL_READY } GlobalState;

typedef struct Global {
    Function function;
    GlobalState state; /* DIM, CONST: is `value` known? */
    Value value;
} Global;

/* Collects the declarations of a file; reports names that are declared twice. */
Globals *globals_new(Arena *arena, const AstFile *file, const Globals *parent, Diag *diag);

/* The declaration that `name` means when `prefer` is searched first; NULL: none. */
Global *globals_find(const Globals *globals, Space prefer, const char *name);

/* Adds the names of everything that can be meant, for "did you mean". */
typedef VEC(const char *) NameList;
void globals_names(Arena *arena, const Globals *globals, NameList *names);

Space decl_space(AstDeclKind kind);
/* "layer", "loss", "dim": the word that declares it. */
const char *decl_word(AstDeclKind kind);

#endif
