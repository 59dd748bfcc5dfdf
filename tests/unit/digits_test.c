#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>
#include "base/digits.h"
#include "base/map.h"

static void doubles_have_their_shortest_digits(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *digits;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {0.1, "0.1"},
        {100, "100.0"},
        {-123456, "-123456.0"},
        {1e6, "1000000.0"},
        {2e6, "2e+06"},
        {1e-5, "1e-05"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
        {-NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char digits[DIGITS_SIZE];
        digits_of_double(digits, cases[i].value);
        assert_string_equal(digits, cases[i].digits);
    }
}

static void floats_have_their_shortest_digits(void **state) {
    (void)state;
    static const struct {
        float value;
        const char *digits;
    } cases[] = {
        {-0.0f, "-0.0"},
        {0.1f, "0.1"},
        {-0.00012f, "-0.00012"},
        {0.000099999f, "9.9999e-05"},
        {-1.5e-9f, "-1.5e-09"},
        {3e-14f, "3e-14"},
        {1e-45f, "1e-45"},
        {1.0f / 3, "0.33333334"},
        {0.99999994f, "0.99999994"},
        {0x1p-20f, "9.536743e-07"}, /* its neighbours are not equally far */
        {1234567.5f, "1234567.5"},
        {8388607.5f, "8388607.5"},
        {16777216.0f, "16777216.0"},
        {2e6f, "2e+06"},
        {1e10f, "1e+10"},
        {8.589973e9f, "8.589974e+09"}, /* of two decimals that read back, the nearer one */
        {9.999999e21f, "9.999999e+21"},
        {3.4028235e38f, "3.4028235e+38"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char digits[DIGITS_SIZE];
        digits_of_float(digits, cases[i].value);
        assert_string_equal(digits, cases[i].digits);
    }
}

/* Bit patterns spread over the whole range: every one reads back as itself, and looks like a real number. */
static void doubles_read_back_as_themselves(void **state) {
    (void)state;
    uint64_t bits = HASH_SEED;
    for (int i = 0; i < 20000; i++) {
        bits = hash_bytes(bits, &i, sizeof i);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            char digits[DIGITS_SIZE];
            digits_of_double(digits, value);
            assert_true(strtod(digits, NULL) == value);
            assert_non_null(strpbrk(digits, ".e"));
        }
    }
}

static float random_float(uint64_t bits, int least_exponent, int exponents) {
    uint32_t exponent = (uint32_t)(least_exponent + (int)(bits % (uint64_t)exponents));
    uint32_t pattern = ((uint32_t)(bits >> 32) & 0x807fffff) | exponent << 23;
    float value;
    memcpy(&value, &pattern, sizeof value);
    return value;
}

/* As printf with the fewest digits that read back. */
static void check_float(float value) {
    char digits[DIGITS_SIZE], expected[DIGITS_SIZE];
    digits_of_float(digits, value);
    assert_true(strtof(digits, NULL) == value);
    assert_non_null(strpbrk(digits, ".e"));
    int count = 0;
    do {
        snprintf(expected, sizeof expected, "%.*e", count++, (double)value);
    } while (strtof(expected, NULL) != value);
    assert_true(strtod(digits, NULL) == strtod(expected, NULL));
}

/* The whole range, and that of ordinary numbers, which goes another way. */
static void floats_are_the_nearest_of_the_shortest(void **state) {
    (void)state;
    uint64_t bits = HASH_SEED;
    for (int i = 0; i < 20000; i++) {
        bits = hash_bytes(bits, &i, sizeof i);
        check_float(random_float(bits, 0, 255));
        check_float(random_float(bits, 127 - 20, 24));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_have_their_shortest_digits),
        cmocka_unit_test(floats_have_their_shortest_digits),
        cmocka_unit_test(doubles_read_back_as_themselves),
        cmocka_unit_test(floats_are_the_nearest_of_the_shortest),
    };
    return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
