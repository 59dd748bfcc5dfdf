#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/text.h"

static int setup(void **state) {
    *state = arena_new((ArenaFailure){0});
    return 0;
}

static int teardown(void **state) {
    arena_free(*state);
    return 0;
}

static void pieces_join(void **state) {
    Text *text = text_new(*state);
    assert_string_equal(text_get(text), "");
    text_add(text, "a");
    text_add_bytes(text, "bcd", 2);
    text_printf(text, "%d%s", 12, "!");
    assert_string_equal(text_get(text), "abc12!");
    assert_int_equal(text_length(text), 6);
    text_clear(text);
    assert_string_equal(text_get(text), "");
    text_add_int(text, 0);
    text_add_int(text, INT64_MIN);
    text_add_int(text, INT64_MAX);
    text_add_int(text, -1);
    assert_string_equal(text_get(text), "0-92233720368547758089223372036854775807-1");
}

static void texts_grow_by_every_way_of_adding(void **state) {
    Text *text = text_new(*state);
    char *expected = calloc(1, 400 * 3 * 8);
    assert_non_null(expected);
    for (int i = 0; i < 400; i++) {
        text_add(text, "one ");
        text_add_bytes(text, "two ", 4);
        text_printf(text, "%s ", "three");
        strcat(expected, "one two three ");
    }
    assert_string_equal(text_get(text), expected);
    free(expected);
}

/* Around every length where the buffer is full or has to grow. */
static void formatted_pieces_fit_at_every_length(void **state) {
    for (int length = 0; length < 600; length++) {
        Text *text = text_new(*state);
        text_printf(text, "%*s", length, "");
        text_printf(text, "%s", "xy");
        assert_int_equal(text_length(text), length + 2);
        assert_string_equal(text_get(text) + length, "xy");
    }
}

static void the_closest_word_is_suggested(void **state) {
    (void)state;
    static const char *const words[] = {"dense", "conv2d", "softmax", "relu", "gelu", "avg_pool2d"};
    static const struct {
        const char *word, *meant;
    } cases[] = {
        {"dens", "dense"},      {"denes", "dense"}, {"conv3d", "conv2d"},
        {"sofmtax", "softmax"}, {"relu", "relu"},   {"rellu", "relu"},
        {"kelu", "relu"},       {"y", NULL},        {"", NULL},
        {"attention", NULL},    {"denxyz", NULL},   {"avgpool2d", "avg_pool2d"},
        {"Softmax", "softmax"}, {"ReLU", "relu"},   {"GeLU", "gelu"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = text_closest(cases[i].word, words, sizeof words / sizeof *words);
        if (cases[i].meant) {
            assert_non_null(found);
            assert_string_equal(found, cases[i].meant);
        } else {
            assert_null(found);
        }
    }
    char long_word[300];
    memset(long_word, 'd', sizeof long_word);
    long_word[sizeof long_word - 1] = '\0';
    assert_null(text_closest(long_word, words, sizeof words / sizeof *words));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_join, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_grow_by_every_way_of_adding, setup, teardown),
        cmocka_unit_test_setup_teardown(formatted_pieces_fit_at_every_length, setup, teardown),
        cmocka_unit_test(the_closest_word_is_suggested),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
