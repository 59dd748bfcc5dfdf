/* digits.h: the shortest decimal digits that are read back as the same number. */
#ifndef NNC_BASE_DIGITS_H
#define NNC_BASE_DIGITS_H

/* More than any number needs, with sign, point, exponent and NUL. */
enum { DIGITS_SIZE = 40 };

/* Always with a '.', 'e', "inf" or "nan", so that they are never taken for an integer: "0.1", "1.0", "1e-05". Where several are shortest,
 * the nearest. */
void digits_of_double(char digits[DIGITS_SIZE], double value);
void digits_of_float(char digits[DIGITS_SIZE], float value); /* fast: networks have millions of them */

#endif
