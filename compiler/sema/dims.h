/* dims.h: dimensions and constants: their values, -D, the dynamic one. */
#ifndef NNC_SEMA_DIMS_H
#define NNC_SEMA_DIMS_H

#include "sema/context.h"

/* The value of a `dim` or `const`; evaluated when first asked for. `place`: of the use. */
Value declared_value(Sema *s, Global *global, Place place);

/* Evaluates all dimensions and constants of the user's file, and reports overrides that no dimension took. */
void dims_evaluate(Sema *s, const AstFile *file);

#endif
