/* Files of measured loops: what is written is read back, and what is wrong in them is said with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "plan/tuning.h"

static const char whole_file[] = "# a head\n"
                                 "tuning 1\n"
                                 "\n"
                                 "# two lines\n"
                                 "# of remarks\n"
                                 "stage avx512 float, 1 shared, samples\n"
                                 "  equation [b:64, o:6] = sum(u:5) A~[b, u] * B[o, u]\n"
                                 "  equation [b:64, o:6] = tanh(y1[b, o])\n"
                                 "  loops o b u; lanes b; rows o x 6; columns b x 2\n"
                                 "\n"
                                 "stage generic double\n"
                                 "  equation [] = sum(i:7) A[i]\n"
                                 "  loops i\n";

static Tuning *read_text(Arena *arena, const char *text, Diag *diag) {
    return tuning_read(arena, source_from_text(arena, "m.tuning", text, strlen(text)), diag);
}

static Tuning *read_good(Arena *arena, const char *text) {
    Diag diag = {.out = stderr};
    Tuning *tuning = read_text(arena, text, &diag);
    assert_non_null(tuning);
    return tuning;
}

static void test_round_trip(void **state) {
    Arena *arena = *state;
    Text *text = text_new(arena);
    tuning_print(read_good(arena, whole_file), "# a head\n", text);
    assert_string_equal(text_get(text), whole_file);
}

static void test_content(void **state) {
    Arena *arena = *state;
    const Tuning *tuning = read_good(arena, whole_file);
    assert_int_equal(tuning->entries.count, 2);
    const TuningEntry *entry = tuning_find(tuning, "stage avx512 float, 1 shared, samples\n"
                                                   "  equation [b:64, o:6] = sum(u:5) A~[b, u] * B[o, u]\n"
                                                   "  equation [b:64, o:6] = tanh(y1[b, o])\n");
    assert_non_null(entry);
    assert_int_equal(entry->choice.loop_count, 3);
    assert_string_equal(entry->choice.loops[2], "u");
    assert_string_equal(entry->choice.lanes, "b");
    assert_string_equal(entry->choice.row_slot, "o");
    assert_int_equal(entry->choice.rows, 6);
    assert_int_equal(entry->choice.columns, 2);
    entry = tuning->entries.at[1];
    assert_null(entry->choice.lanes);
    assert_null(entry->choice.column_slot);
    assert_int_equal(entry->choice.rows, 1);
}

/* Blanks, carriage returns and a missing last newline do not matter. */
static void test_blanks(void **state) {
    Arena *arena = *state;
    const Tuning *tuning =
        read_good(arena, "\ttuning  1 \r\n\r\n stage  x\r\n\tequation e \r\nloops  a   b ;lanes a;  rows b  x 3");
    const TuningEntry *entry = tuning_find(tuning, "stage  x\n  equation e\n");
    assert_non_null(entry);
    assert_int_equal(entry->choice.loop_count, 2);
    assert_string_equal(entry->choice.row_slot, "b");
    assert_int_equal(entry->choice.rows, 3);
}

static void test_replaced(void **state) {
    Arena *arena = *state;
    Tuning *tuning = read_good(arena, whole_file);
    const LoopChoice choice = {.loops = {"k"}, .loop_count = 1, .lanes = "k", .rows = 1, .columns = 1};
    tuning_put(tuning, "stage generic double\n  equation [] = sum(i:7) A[i]\n", "# new\n", &choice);
    assert_int_equal(tuning->entries.count, 2);
    assert_true(loop_choice_equal(&tuning->entries.at[1]->choice, &choice));
    assert_string_equal(tuning->entries.at[1]->remarks, "# new\n");
}

static void assert_fails(Arena *arena, const char *text, const char *message) {
    char said[1024] = "";
    FILE *out = tmpfile();
    Diag diag = {.out = out};
    assert_null(read_text(arena, text, &diag));
    assert_int_equal(diag.errors, 1);
    rewind(out);
    size_t length = fread(said, 1, sizeof said - 1, out);
    fclose(out);
    said[length] = '\0';
    if (strncmp(said, message, strlen(message)) != 0)
        fail_msg("expected `%s`, but it says `%s`", message, said);
}

static void test_malformed(void **state) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "m.tuning:1:1: error: this is no tuning file: it starts with `tuning 1`"},
        {"# remark\n\nmodel m\n", "m.tuning:3:1: error: this is no tuning file: it starts with `tuning 1`"},
        {"tuning 2\n", "m.tuning:1:1: error: this nnc reads tuning files of version 1"},
        {"tuning 1\nlops a\n", "m.tuning:2:1: error: a line starts with `stage`, `equation`, `loops` or `#`"},
        {"tuning 1\nloops a\n", "m.tuning:2:1: error: these loops belong to no stage"},
        {"tuning 1\nequation a\n", "m.tuning:2:1: error: this equation belongs to no stage"},
        {"tuning 1\nstage a\n", "m.tuning:2:1: error: this stage has no loops"},
        {"tuning 1\nstage a\nstage b\nloops\n", "m.tuning:2:1: error: this stage has no loops"},
        {"tuning 1\nstage a\nloops\nstage a\nloops\n", "m.tuning:4:1: error: this stage stands in the file twice"},
        {"tuning 1\nstage a\nloops i; rows i x\n", "m.tuning:3:18: error: rows and columns are a loop and a number"},
        {"tuning 1\nstage a\nloops i; rows i 4\n", "m.tuning:3:18: error: rows and columns are a loop and a number"},
        {"tuning 1\nstage a\nloops i; rows i x 4z\n", "m.tuning:3:19: error: rows and columns are a loop and a"},
        {"tuning 1\nstage a\nloops i; rows i x 0\n", "m.tuning:3:19: error: the number of rows or columns is from 1"},
        {"tuning 1\nstage a\nloops i; rows i x 99999999999999999999\n", "m.tuning:3:19: error: the number of rows or"},
        {"tuning 1\nstage a\nloops i; lane i\n", "m.tuning:3:10: error: behind the loops stand `lanes`, `rows`"},
        {"tuning 1\nstage a\nloops i; lanes\n", "m.tuning:3:10: error: behind the loops stand `lanes`, `rows`"},
        {"tuning 1\nstage a\nloops 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6\n",
         "m.tuning:3:71: error: a stage has 32 loops at most"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(*state, cases[i].text, cases[i].message);
}

static int set_up(void **state) {
    *state = arena_new((ArenaFailure){0});
    return 0;
}

static int tear_down(void **state) {
    arena_free(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_content, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_blanks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_malformed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
