/* resolve.h: names that nothing declares, in bodies that may never run.
 *
 * Evaluation looks at a function when it is called and at a branch when it is taken. This walk looks at all of the user's declarations: a name
 * that is neither a parameter, nor given anywhere in the body, nor global, nor built in, is a fault whatever happens.
 */
#ifndef NNC_SEMA_RESOLVE_H
#define NNC_SEMA_RESOLVE_H

#include "sema/context.h"

void resolve_file(Sema *s, const AstFile *file);

#endif
