#include "base/digits.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits that look like an integer get ".0". */
static void add_point(char digits[DIGITS_SIZE]) {
    bool has_mark = digits[strcspn(digits, ".en")] != '\0'; /* the n of inf and nan */
    if (!has_mark)
        strcat(digits, ".0");
}

/* NaN; and integers up to a million, which are written out ("100.0", not "1e+02"): most constants are such. */
static bool print_simple(char digits[DIGITS_SIZE], double value) {
    if (isnan(value)) {
        snprintf(digits, DIGITS_SIZE, "nan");
        return true;
    }
    if (fabs(value) <= 1e6 && floor(value) == value) {
        snprintf(digits, DIGITS_SIZE, "%.1f", value);
        return true;
    }
    return false;
}

/* ---- any number: by search ---- */

/* Where the search for the shortest digits begins. A number that was made from so many digits or fewer has zeros behind them; of a number
 * below `normal`, fewer digits are certain. */
static int digits_at_most(int certain, double value, double normal) {
    char digits[DIGITS_SIZE] = "";
    if (!isfinite(value) || fabs(value) < normal)
        return 1;
    snprintf(digits, sizeof digits, "%.*e", certain - 1, fabs(value));
    int count = certain;
    while (count > 1 && digits[count] == '0') /* "d.ddd": the count-th digit stands behind the point */
        count--;
    return count;
}

void digits_of_double(char digits[DIGITS_SIZE], double value) {
    if (print_simple(digits, value))
        return;
    for (int count = digits_at_most(DBL_DIG, value, DBL_MIN); count <= DBL_DECIMAL_DIG; count++) {
        snprintf(digits, DIGITS_SIZE, "%.*g", count, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    add_point(digits);
}

static void search_float(char digits[DIGITS_SIZE], float value) {
    for (int count = digits_at_most(FLT_DIG, (double)value, (double)FLT_MIN); count <= FLT_DECIMAL_DIG; count++) {
        snprintf(digits, DIGITS_SIZE, "%.*g", count, (double)value);
        if (strtof(digits, NULL) == value)
            break;
    }
}

/* ---- floats: in double precision ---- */

enum { MAX_POWER = 22 };

/* All that are exact. */
static const double powers_of_ten[MAX_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* `value` times that power of 10, rounded once. */
static double scale(double value, int power) {
    return power >= 0 ? value * powers_of_ten[power] : value / powers_of_ten[-power];
}

/* integer / 10^power */
typedef struct Decimal {
    int64_t integer;
    int power;
} Decimal;

/* Is it in the middle between two floats? Rounded to double, only such a number may be on another side of the middle than before. */
static bool is_between_floats(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t behind = (UINT64_C(1) << (DBL_MANT_DIG - FLT_MANT_DIG)) - 1;
    return (bits & behind) == behind / 2 + 1;
}

/* A rounding of `scaled` that its own rounding may have decided. */
static bool is_near_tie(double scaled) {
    return fabs(scaled - floor(scaled) - 0.5) < 1e-6;
}

/* Of the first digit of a number that is neither tiny nor huge; at the ends of the range, anything outside too. */
static int decimal_exponent(double size) {
    int exponent = 0;
    if (size < 1)
        while (exponent > FLT_DECIMAL_DIG - 1 - MAX_POWER && scale(size, -exponent) < 1)
            exponent--;
    else
        while (exponent < MAX_POWER && size >= powers_of_ten[exponent + 1])
            exponent++;
    return exponent;
}

/* The shortest digits. false: double precision cannot tell. */
static bool find_decimal(double size, Decimal *decimal) {
    const int exponent = decimal_exponent(size);
    for (int count = FLT_DIG; count <= FLT_DECIMAL_DIG && exponent < MAX_POWER; count++) {
        const int power = count - 1 - exponent;
        const double scaled = scale(size, power), integer = floor(scaled + 0.5);
        const double back = scale(integer, -power);
        if (is_near_tie(scaled) || is_between_floats(back))
            return false;
        if ((double)(float)back == size) {
            *decimal = (Decimal){(int64_t)integer, power};
            return true;
        }
    }
    return false;
}

/* Its digits without zeros at the end, and the exponent of the first one. Returns how many. */
static int decimal_digits(Decimal decimal, char digits[DIGITS_SIZE], int *exponent) {
    while (decimal.integer % 10 == 0) {
        decimal.integer /= 10;
        decimal.power--;
    }
    int count = 0;
    for (int64_t rest = decimal.integer; rest > 0; rest /= 10)
        count++;
    for (int i = count; i-- > 0; decimal.integer /= 10)
        digits[i] = (char)('0' + decimal.integer % 10);
    *exponent = count - 1 - decimal.power;
    return count;
}

/* Returns the new end. */
static char *put(char *end, const char *text, int count) {
    memcpy(end, text, (size_t)count);
    end[count] = '\0';
    return end + count;
}

/* As printf's %g writes so many digits. */
static void print_decimal(char *end, Decimal decimal) {
    char digits[DIGITS_SIZE] = "";
    int exponent;
    const int count = decimal_digits(decimal, digits, &exponent);
    const bool fixed = exponent >= -4 && exponent < count;
    if (fixed && exponent < 0) {
        end = put(end, "0.000", 1 - exponent);
        put(end, digits, count);
        return;
    }
    const int whole = fixed ? exponent + 1 : 1; /* digits before the point */
    end = put(end, digits, whole);
    if (count > whole) {
        end = put(end, ".", 1);
        end = put(end, digits + whole, count - whole);
    }
    if (!fixed) {
        char power[16] = "";
        put(end, power, snprintf(power, sizeof power, "e%+03d", exponent));
    }
}

void digits_of_float(char digits[DIGITS_SIZE], float value) {
    Decimal decimal;
    if (print_simple(digits, (double)value))
        return;
    if (find_decimal(fabs((double)value), &decimal)) {
        digits[0] = '-';
        print_decimal(digits + (value < 0), decimal);
    } else {
        search_float(digits, value);
    }
    add_point(digits);
}
