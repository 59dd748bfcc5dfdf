/* elementwise.h: operations element by element: shapes that fit, types that fit, one body.
 *
 * Shapes fit when they are equal, when one operand has no axes, or when one shape is the end of the other. An axis of size 1 is not
 * stretched. Integers become reals where they meet reals; class data do not.
 */
#ifndef NNC_SEMA_ELEMENTWISE_H
#define NNC_SEMA_ELEMENTWISE_H

#include "sema/context.h"

typedef struct Operand {
    Value value;
    Place place;
} Operand;

enum { OPERAND_LIMIT = 3 };

/* `place`: of the whole expression. Poison after a reported fault. */
Value elementwise_op(Sema *s, Place place, Op op, const Operand *operands, int count);
/* operands: test, then, otherwise. */
Value elementwise_select(Sema *s, Place place, const Operand *operands);
/* a % b on real tensors: a - b * floor(a / b); on integers b must be a positive constant. */
Value elementwise_modulo(Sema *s, Place place, const Operand *operands);

/* Says that two shapes do not fit, where each comes from, and what may be meant. */
void report_shapes(Sema *s, Place place, const Operand *a, const Operand *b);

#endif
