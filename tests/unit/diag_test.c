#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/diag.h"

/* A Diag that prints to memory, and a source to point at. */
typedef struct Fixture {
    Arena *arena;
    Diag diag;
    char *printed;
    size_t printed_length;
} Fixture;

static int setup(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    if (!fixture)
        return -1;
    fixture->arena = arena_new((ArenaFailure){0});
    fixture->diag.out = open_memstream(&fixture->printed, &fixture->printed_length);
    *state = fixture;
    return fixture->diag.out ? 0 : -1;
}

static int teardown(void **state) {
    Fixture *fixture = *state;
    fclose(fixture->diag.out);
    free(fixture->printed);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static void assert_printed(Fixture *fixture, const char *expected) {
    fflush(fixture->diag.out);
    assert_string_equal(fixture->printed, expected);
}

/* The place of `part` in `text`. */
static Place place_of(Fixture *fixture, const char *text, const char *part) {
    Source *source = source_from_text(fixture->arena, "model.nn", text, strlen(text));
    const char *found = strstr(source->text, part);
    assert_non_null(found);
    size_t start = (size_t)(found - source->text);
    return (Place){source, start, start + strlen(part)};
}

static void errors_show_place_line_and_underline(void **state) {
    Fixture *fixture = *state;
    Place place = place_of(fixture, "\n\n  y = x |> dense(10)\n", "dense(10)");
    diag_error(&fixture->diag, place, "dense() wants %s", "features");
    diag_note(&fixture->diag, (Place){place.source, 4, 5}, "`x` comes from here");
    diag_help(&fixture->diag, "use real[%d, 1]", 256);
    assert_printed(fixture, "model.nn:3:12: error: dense() wants features\n"
                            "    3 |   y = x |> dense(10)\n"
                            "      |            ^~~~~~~~~\n"
                            "note: `x` comes from here (model.nn:3:3)\n"
                            "help: use real[256, 1]\n");
    assert_int_equal(fixture->diag.errors, 1);
}

static void tabs_and_characters_of_many_bytes_align(void **state) {
    Fixture *fixture = *state;
    diag_error(&fixture->diag, place_of(fixture, "\tα = \"héé\" + βγ1", "βγ1"), "x");
    assert_printed(fixture, "model.nn:1:17: error: x\n"
                            "    1 | \tα = \"héé\" + βγ1\n"
                            "      | \t            ^~~\n");
}

static void only_the_first_line_is_underlined(void **state) {
    Fixture *fixture = *state;
    diag_error(&fixture->diag, place_of(fixture, "f(a,\r\n  b)\n", "(a,\r\n  b)"), "x");
    assert_printed(fixture, "model.nn:1:2: error: x\n"
                            "    1 | f(a,\n"
                            "      |  ^~~\n");
}

static void ends_of_lines_and_of_the_file_can_be_pointed_at(void **state) {
    Fixture *fixture = *state;
    Place place = place_of(fixture, "ab\nc", "\n");
    diag_error(&fixture->diag, place, "x");
    diag_error(&fixture->diag, (Place){place.source, 4, 4}, "y");
    assert_printed(fixture, "model.nn:1:3: error: x\n"
                            "    1 | ab\n"
                            "      |   ^\n"
                            "model.nn:2:2: error: y\n"
                            "    2 | c\n"
                            "      |  ^\n");
}

static void control_characters_do_not_reach_the_terminal(void **state) {
    Fixture *fixture = *state;
    diag_error(&fixture->diag, place_of(fixture, "\033[2J\177 bad", "bad"), "x");
    assert_printed(fixture, "model.nn:1:7: error: x\n"
                            "    1 |  [2J  bad\n"
                            "      |       ^~~\n");
}

static void without_a_place_the_program_speaks(void **state) {
    Fixture *fixture = *state;
    diag_error(&fixture->diag, (Place){0}, "no input");
    diag_note(&fixture->diag, (Place){0}, "none at all");
    assert_printed(fixture, "nnc: error: no input\nnote: none at all\n");
}

static void colours_are_asked_for(void **state) {
    Fixture *fixture = *state;
    fixture->diag.colour = true;
    diag_warning(&fixture->diag, (Place){0}, "hm");
    assert_printed(fixture, "nnc: \033[1;35mwarning:\033[0m hm\n");
    assert_int_equal(fixture->diag.warnings, 1);
    assert_int_equal(fixture->diag.errors, 0);
}

static void after_the_limit_errors_and_their_notes_are_silent(void **state) {
    Fixture *fixture = *state;
    for (int i = 0; i < DIAG_LIMIT; i++) {
        assert_false(diag_is_full(&fixture->diag));
        diag_error(&fixture->diag, (Place){0}, "e");
    }
    assert_true(diag_is_full(&fixture->diag));
    diag_help(&fixture->diag, "still shown");
    for (int i = 0; i < 5; i++) {
        diag_error(&fixture->diag, (Place){0}, "too many");
        diag_note(&fixture->diag, (Place){0}, "too many");
        diag_help(&fixture->diag, "too many");
        diag_warning(&fixture->diag, (Place){0}, "too many");
    }
    assert_int_equal(fixture->diag.errors, DIAG_LIMIT + 5);
    fflush(fixture->diag.out);
    assert_null(strstr(fixture->printed, "too many"));
    const char *end = "help: still shown\nnnc: more than 20 errors: the others are not shown\n";
    assert_true(fixture->printed_length > strlen(end));
    assert_string_equal(fixture->printed + fixture->printed_length - strlen(end), end);
}

/* diag_bug() leaves the process: run it in a child and read what it says. */
static void bugs_name_the_stage_and_exit_with_70(void **state) {
    Fixture *fixture = *state;
    Place place = place_of(fixture, "y = x", "x");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        diag_bug("fuse", place, "group %d is empty", 3);
    }
    close(ends[1]);
    char said[1000] = "";
    size_t length = 0;
    for (ssize_t count; (count = read(ends[0], said + length, sizeof said - 1 - length)) > 0;)
        length += (size_t)count;
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_COMPILER_BUG);
    const char *expected = "nnc: this is a bug of the compiler, in the stage `fuse`: group 3 is empty\n"
                           "model.nn:1:5: the stage was working on this\n"
                           "    1 | y = x\n"
                           "      |     ^\n";
    assert_memory_equal(said, expected, strlen(expected));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(errors_show_place_line_and_underline, setup, teardown),
        cmocka_unit_test_setup_teardown(tabs_and_characters_of_many_bytes_align, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_first_line_is_underlined, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_of_lines_and_of_the_file_can_be_pointed_at, setup, teardown),
        cmocka_unit_test_setup_teardown(control_characters_do_not_reach_the_terminal, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_place_the_program_speaks, setup, teardown),
        cmocka_unit_test_setup_teardown(colours_are_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(after_the_limit_errors_and_their_notes_are_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(bugs_name_the_stage_and_exit_with_70, setup, teardown),
    };
    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
