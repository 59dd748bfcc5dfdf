/* foreign.h: names that other frameworks have for what this language has under another name, or says by other means. */
#ifndef NNC_SEMA_FOREIGN_H
#define NNC_SEMA_FOREIGN_H

#include "sema/context.h"

/* What a name was taken for; foreign_names.def says more. */
typedef enum ForeignKind {
    FOREIGN_FUNCTION,
    FOREIGN_ARGUMENT,
    FOREIGN_POSITION,
    FOREIGN_TYPE,
    FOREIGN_SETTING
} ForeignKind;

/* "help: the layer is `dense`: ..." when the name is in the table. `known`: the names that could stand there, NULL if they do not
 * matter. True: it was printed. */
bool sema_help_foreign(Sema *s, ForeignKind kind, const char *name, const NameList *known);

#endif
