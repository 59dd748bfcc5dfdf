#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/output.h"

/* Each test runs in an empty folder of its own, which is the current one. */
typedef struct Fixture {
    Arena *arena;
    int home;
    char folder[64];
} Fixture;

static int setup(void **state) {
    Fixture *fixture = calloc(1, sizeof *fixture);
    if (!fixture)
        return -1;
    fixture->arena = arena_new((ArenaFailure){0});
    fixture->home = open(".", O_RDONLY | O_DIRECTORY);
    snprintf(fixture->folder, sizeof fixture->folder, "output_test.XXXXXX");
    *state = fixture;
    return fixture->home >= 0 && mkdtemp(fixture->folder) && chdir(fixture->folder) == 0 ? 0 : -1;
}

/* Removes the files of the current folder and returns how many there were. */
static int remove_files(void) {
    int count = 0;
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            assert_int_equal(remove(entry->d_name), 0);
            count++;
        }
    }
    closedir(folder);
    return count;
}

static int teardown(void **state) {
    Fixture *fixture = *state;
    remove_files();
    int status = fchdir(fixture->home) == 0 && rmdir(fixture->folder) == 0 ? 0 : -1;
    close(fixture->home);
    arena_free(fixture->arena);
    free(fixture);
    return status;
}

static void write_file(Fixture *fixture, const char *path, const char *text) {
    const char *message = NULL;
    Output *output = output_open(fixture->arena, path, &message);
    assert_non_null(output);
    output_write(output, text, strlen(text));
    assert_true(output_commit(output, &message));
    assert_null(message);
}

static void assert_content(Fixture *fixture, const char *path, const char *expected) {
    const char *message = NULL;
    size_t length = 0;
    char *text = input_read(fixture->arena, path, &length, &message);
    assert_non_null(text);
    assert_int_equal(length, strlen(expected));
    assert_string_equal(text, expected);
}

static void the_file_appears_at_commit_alone(void **state) {
    Fixture *fixture = *state;
    const char *message = NULL;
    Output *output = output_open(fixture->arena, "m.c", &message);
    assert_non_null(output);
    output_write(output, "int", 3);
    assert_int_not_equal(access("m.c", F_OK), 0);
    output_write(output, " x;\n", 4);
    assert_true(output_commit(output, &message));
    assert_content(fixture, "m.c", "int x;\n");
    assert_int_equal(remove_files(), 1);
}

static void an_abandoned_file_leaves_nothing(void **state) {
    Fixture *fixture = *state;
    write_file(fixture, "m.c", "old");
    const char *message = NULL;
    Output *output = output_open(fixture->arena, "m.c", &message);
    output_write(output, "new", 3);
    output_abandon(output);
    assert_content(fixture, "m.c", "old");
    assert_int_equal(remove_files(), 1);
}

static void the_same_bytes_keep_the_time_stamp(void **state) {
    Fixture *fixture = *state;
    write_file(fixture, "m.c", "same");
    struct stat before, after;
    const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, "m.c", long_ago, 0), 0);
    write_file(fixture, "m.c", "same");
    assert_int_equal(stat("m.c", &before), 0);
    assert_int_equal(before.st_mtime, 1000);
    write_file(fixture, "m.c", "sama");
    assert_int_equal(stat("m.c", &after), 0);
    assert_int_not_equal(after.st_mtime, 1000);
    assert_content(fixture, "m.c", "sama");
    write_file(fixture, "m.c", "sam");
    assert_content(fixture, "m.c", "sam");
}

static void links_and_modes_survive(void **state) {
    Fixture *fixture = *state;
    write_file(fixture, "real.c", "old");
    assert_int_equal(chmod("real.c", 0640), 0);
    assert_int_equal(symlink("real.c", "link.c"), 0);
    write_file(fixture, "link.c", "new");
    struct stat status;
    assert_int_equal(lstat("link.c", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_content(fixture, "real.c", "new");
    assert_int_equal(stat("real.c", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void devices_are_written_and_not_replaced(void **state) {
    Fixture *fixture = *state;
    write_file(fixture, "/dev/null", "gone");
    struct stat status;
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

static void write_errors_are_reported(void **state) {
    Fixture *fixture = *state;
    const char *message = NULL;
    assert_null(output_open(fixture->arena, "no/such/m.c", &message));
    assert_string_equal(message, "cannot write `no/such/m.c`: No such file or directory");
    assert_null(output_open(fixture->arena, ".", &message));
    assert_string_equal(message, "cannot write `.`: Is a directory");
    if (access("/dev/full", W_OK) == 0) {
        Output *output = output_open(fixture->arena, "/dev/full", &message);
        assert_non_null(output);
        output_write(output, "x", 1);
        assert_false(output_commit(output, &message));
        assert_string_equal(message, "cannot write `/dev/full`: No space left on device");
    }
}

/* A Ctrl-C between open and commit waits until the file is whole. */
static void signals_wait_for_the_commit(void **state) {
    Fixture *fixture = *state;
    const char *message = NULL;
    sigset_t pending;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    Output *output = output_open(fixture->arena, "m.c", &message);
    assert_non_null(output);
    raise(SIGINT);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGINT));
    sigaction(SIGINT, &ignore, &before); /* drops the pending signal, which would end this test */
    output_write(output, "whole", 5);
    assert_true(output_commit(output, &message));
    sigaction(SIGINT, &before, NULL);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&mask, SIGINT));
    assert_content(fixture, "m.c", "whole");
}

static void read_errors_are_reported(void **state) {
    Fixture *fixture = *state;
    const char *message = NULL;
    size_t length = 0;
    assert_null(input_read(fixture->arena, "none.nn", &length, &message));
    assert_string_equal(message, "cannot read `none.nn`: No such file or directory");
    assert_null(input_read(fixture->arena, ".", &length, &message));
    assert_string_equal(message, "cannot read `.`: Is a directory");
}

static void files_of_every_length_are_read(void **state) {
    Fixture *fixture = *state;
    static const size_t lengths[] = {0, 1, 65535, 65536, 65537, 300000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *text = arena_alloc(fixture->arena, lengths[i] + 1, 1);
        memset(text, 'x', lengths[i]);
        write_file(fixture, "m.nn", text);
        assert_content(fixture, "m.nn", text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_appears_at_commit_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(an_abandoned_file_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_bytes_keep_the_time_stamp, setup, teardown),
        cmocka_unit_test_setup_teardown(links_and_modes_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(devices_are_written_and_not_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(write_errors_are_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_wait_for_the_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(read_errors_are_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(files_of_every_length_are_read, setup, teardown),
    };
    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
