#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/source.h"

static int setup(void **state) {
    *state = arena_new((ArenaFailure){0});
    return 0;
}

static int teardown(void **state) {
    arena_free(*state);
    return 0;
}

static Source *source_of(Arena *arena, const char *text) {
    return source_from_text(arena, "m.nn", text, strlen(text));
}

/* Walks the text and counts for itself. */
static void every_byte_knows_its_line_and_column(void **state) {
    Source *source = source_of(*state, "dim batch\n\n  x = 1\nlast");
    int line = 1, column = 1;
    for (size_t i = 0; i <= source->length; i++) {
        Place place = {source, i, i + 1};
        assert_int_equal(place_line(place), line);
        assert_int_equal(place_column(place), column);
        if (source->text[i] == '\n') {
            line++;
            column = 1;
        } else {
            column++;
        }
    }
    assert_int_equal(source->line_count, 4);
}

static void empty_texts_have_one_line(void **state) {
    Source *source = source_of(*state, "");
    assert_int_equal(source->line_count, 1);
    assert_int_equal(place_line((Place){source, 0, 0}), 1);
    assert_int_equal(place_column((Place){source, 0, 0}), 1);
}

static void the_text_is_a_copy(void **state) {
    char text[] = "a\nb";
    Source *source = source_from_text(*state, "m.nn", text, 3);
    text[0] = 'z';
    assert_string_equal(source->text, "a\nb");
    assert_string_equal(source->name, "m.nn");
    assert_false(source->is_prelude);
}

static void no_source_is_line_0(void **state) {
    (void)state;
    assert_int_equal(place_line((Place){0}), 0);
    assert_int_equal(place_column((Place){0}), 0);
}

static void joined_places_cover_both(void **state) {
    Source *source = source_of(*state, "a + b"), *other = source_of(*state, "c");
    Place a = {source, 0, 1}, b = {source, 4, 5}, c = {other, 0, 1};
    Place joined = place_join(b, a);
    assert_int_equal(joined.start, 0);
    assert_int_equal(joined.end, 5);
    assert_ptr_equal(place_join((Place){0}, b).source, source);
    assert_int_equal(place_join((Place){0}, b).start, 4);
    assert_int_equal(place_join(a, (Place){0}).end, 1);
    assert_int_equal(place_join(a, c).end, 1);
    assert_ptr_equal(place_join(a, c).source, source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_byte_knows_its_line_and_column, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_texts_have_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(the_text_is_a_copy, setup, teardown),
        cmocka_unit_test(no_source_is_line_0),
        cmocka_unit_test_setup_teardown(joined_places_cover_both, setup, teardown),
    };
    return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
