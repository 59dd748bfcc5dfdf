/* philox.h: the vectors that Random123 publishes (kat_vectors, philox4x32 with 10 rounds), the mapping to numbers, and the same bits from
 * vectors and single numbers. */
#include <stdlib.h>

#include "check.h"
#include "philox.h"

typedef struct Known {
    uint32_t counter[4], key[2], result[4];
} Known;

static const Known known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void test_known(Check *check) {
    for (size_t n = 0; n < sizeof known / sizeof *known; n++) {
        uint32_t word[4];
        memcpy(word, known[n].counter, sizeof word);
        nn_philox(word, (uint64_t)known[n].key[1] << 32 | known[n].key[0]);
        for (int i = 0; i < 4; i++)
            CHECK(check, word[i] == known[n].result[i], "vector %d, word %d: %08x", (int)n, i, (unsigned)word[i]);
    }
}

/* Element 0 of stream 0 at step 0 with seed 0 comes from the first known vector. */
static void test_mapping(Check *check) {
    double word0 = (double)0x6627e8d5, word1 = (double)0xe169c58d;
    double expected =
        NN_RANDOMS == 4 ? floor(word0 / 256) / 0x1p24 : (floor(word0 / 32) * 0x1p26 + floor(word1 / 64)) / 0x1p53;
    nn_real got = nn_random1(0, 0, 0, 0);
    CHECK(check, (double)got == expected, "%a instead of %a", (double)got, expected);
}

static void test_vector(Check *check) {
    static const int64_t starts[] = {
        0, 1, 2, 3, 5, 1000003, INT64_C(0x3fffffffe), INT64_C(0x3fffffffc), INT64_C(0x1fffffffe), INT64_C(1) << 40};
    for (size_t n = 0; n < sizeof starts / sizeof *starts; n++) {
        nn_real lanes[NN_LANES];
        nn_store(lanes, nn_random(42, 7, 3, starts[n]));
        for (int i = 0; i < NN_LANES; i++)
            CHECK(check, lanes[i] == nn_random1(42, 7, 3, starts[n] + i), "start %d, lane %d", (int)n, i);
    }
}

/* Every argument matters, up to its full width. */
static void test_independence(Check *check) {
    int64_t big = INT64_C(1) << 34;
    nn_real numbers[] = {nn_random1(1, 1, 1, 1),       nn_random1(2, 1, 1, 1),
                         nn_random1(1, 2, 1, 1),       nn_random1(1, 1, 2, 1),
                         nn_random1(1, 1, 1, 2),       nn_random1(1, 1, 1, big + 1),
                         nn_random1(1, big + 1, 1, 1), nn_random1(UINT64_C(1) << 33 | 1, 1, 1, 1)};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(check, numbers[i] != numbers[j], "numbers %d and %d", (int)i, (int)j);
}

/* Moments of a million numbers, and the occupation of 100 cells; the limits are 5 standard deviations. */
static void test_distribution(Check *check) {
    enum { COUNT = 1000000, CELLS = 100 };
    double sum = 0, squares = 0, neighbours = 0, before = 0.5;
    int cells[CELLS] = {0};
    for (int n = 0; n < COUNT; n++) {
        double x = (double)nn_random1(123, 0, 0, n);
        CHECK(check, x >= 0 && x < 1, "%g", x);
        sum += x - 0.5;
        squares += (x - 0.5) * (x - 0.5);
        neighbours += (x - 0.5) * (before - 0.5);
        before = x;
        cells[(int)(x * CELLS)]++;
    }
    CHECK(check, fabs(sum / COUNT) < 5 * 0.2887e-3, "mean %g", sum / COUNT + 0.5);
    CHECK(check, fabs(squares / COUNT - 1.0 / 12) < 5 * 0.0745e-3, "variance %g", squares / COUNT);
    CHECK(check, fabs(neighbours / COUNT) < 5 * 0.0834e-3, "correlation %g", neighbours / COUNT);
    for (int i = 0; i < CELLS; i++)
        CHECK(check, abs(cells[i] - COUNT / CELLS) < 500, "cell %d: %d", i, cells[i]);
}

int main(void) {
    Check check = {0};
    test_known(&check);
    test_mapping(&check);
    test_vector(&check);
    test_independence(&check);
    test_distribution(&check);
    return check.failures != 0;
}
