/* number.h: arithmetic that the compiler does itself: numbers, truth values, sizes.
 *
 * `/` divides exactly: the result is an integer only when nothing is left over; `div(a, b)` rounds down.
 */
#ifndef NNC_SEMA_NUMBER_H
#define NNC_SEMA_NUMBER_H

#include "sema/elementwise.h"

/* Are both values known now, so that number_binary() decides? */
bool number_takes(AstBinary op, Value left, Value right);
Value number_binary(Sema *s, Place place, AstBinary op, const Operand *operands);
/* A function of known numbers, by its operation's own rule. */
Value number_function(Sema *s, Place place, Op op, const Operand *operands, int count);
/* Rounded down; reports division by 0. */
Value number_floor_divide(Sema *s, Place place, Value left, Value right);

#endif
