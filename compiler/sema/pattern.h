/* pattern.h: types of parameters and declarations.
 *
 * A type is a pattern: names of dimensions that are not known yet are bound to the argument's sizes in the current frame, which is the
 * callee's. `...` stands for the same leading axes in all parameters of a declaration; a value without axes fits `real[...]` always.
 */
#ifndef NNC_SEMA_PATTERN_H
#define NNC_SEMA_PATTERN_H

#include "sema/arguments.h"

struct LeadingAxes {
    bool known;
    int count;
    Extent extents[MAX_AXES];
    const Argument *from; /* the argument that fixed them */
};

/* Does the argument fit the parameter? `value` gets it in the parameter's type (an integer tensor as a real one). False: reported. */
bool pattern_match(Sema *s, const AstDecl *decl, const AstParam *param, const Argument *argument, Value *value);

/* The shape of a declared tensor: every size is known or the dynamic dimension. False: reported. */
bool type_shape(Sema *s, const AstType *type, int *rank, Extent *shape);

#endif
