/* Files that appear whole or not at all, and text. */
#include "file.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support.h"
#include "text.h"

static void test_commit(void **state) {
    (void)state;
    nnrt_file file;
    write_text("a", "old");
    assert_int_equal(nnrt_file_open(&file, "a", NULL), NNRT_OK);
    nnrt_file_write(&file, "new ", 4);
    nnrt_file_printf(&file, "%d", 7);
    assert_file_text("a", "old");
    assert_int_equal(nnrt_file_commit(&file, NULL), NNRT_OK);
    assert_file_text("a", "new 7");
    assert_no_file_like(".tmp");
}

static void test_abandon(void **state) {
    (void)state;
    nnrt_file file;
    write_text("a", "old");
    assert_int_equal(nnrt_file_open(&file, "a", NULL), NNRT_OK);
    nnrt_file_write(&file, "new", 3);
    nnrt_file_abandon(&file);
    assert_file_text("a", "old");
    assert_int_equal(nnrt_file_probe("b", NULL), NNRT_OK);
    assert_int_equal(access("b", F_OK), -1);
    assert_no_file_like(".tmp");
}

/* What a crash left behind is not in the way. */
static void test_remains(void **state) {
    (void)state;
    char remains[64];
    snprintf(remains, sizeof remains, "a.tmp%ld-0", (long)getpid());
    write_text(remains, "half");
    assert_int_equal(nnrt_file_save("a", "whole", 5, NULL), NNRT_OK);
    assert_file_text("a", "whole");
    assert_file_text(remains, "half");
}

static void test_no_folder(void **state) {
    (void)state;
    nnrt_error error;
    assert_int_equal(nnrt_file_save("no/such/file", "x", 1, &error), NNRT_FAILED);
    assert_string_equal(error.text,
                        "cannot write no/such/file: No such file or directory; check the folder and its permissions");
    assert_int_equal(nnrt_file_save(".", "x", 1, &error), NNRT_FAILED);
    assert_string_equal(error.text, "cannot write .: Is a directory; check the folder and its permissions");
}

/* A device is written, never replaced. */
static void test_devices(void **state) {
    (void)state;
    struct stat status;
    nnrt_error error;
    assert_int_equal(nnrt_file_save("/dev/null", "x", 1, NULL), NNRT_OK);
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
    if (stat("/dev/full", &status) == 0) {
        assert_int_equal(nnrt_file_save("/dev/full", "x", 1, &error), NNRT_FAILED);
        assert_string_equal(error.text, "cannot write /dev/full: No space left on device; free some space or choose "
                                        "another folder");
    }
}

/* A write that fails in the middle, as on a full disk: the old file stays, the temporary one goes. */
static void test_no_space(void **state) {
    (void)state;
    struct rlimit former, limit;
    nnrt_error error;
    const size_t count = 1 << 16;
    char *bytes = calloc(count, 1);
    assert_non_null(bytes);
    write_text("a", "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &former), 0);
    limit = former;
    limit.rlim_cur = 5000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int saved = nnrt_file_save("a", bytes, count, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &former), 0);
    signal(SIGXFSZ, handler);
    free(bytes);
    assert_int_equal(saved, NNRT_FAILED);
    assert_string_equal(error.text, "cannot write a: File too large; free some space or choose another folder");
    assert_file_text("a", "old");
    assert_no_file_like(".tmp");
}

static void test_text(void **state) {
    (void)state;
    nnrt_text text = {0};
    for (int i = 0; i < 1000; i++) {
        nnrt_text_printf(&text, "%03d", i);
        nnrt_text_add(&text, "\n", 1);
    }
    assert_false(text.failed);
    assert_int_equal(text.length, 4000);
    assert_memory_equal(text.bytes + 4 * 731, "731\n", 4);
    assert_int_equal(text.bytes[4000], '\0');
    nnrt_text_free(&text);
    assert_null(text.bytes);
}

static void test_nearest(void **state) {
    (void)state;
    static const char *const words[] = {"train", "eval", "predict", "info"};
    assert_string_equal(nnrt_nearest_word("trian", words, 4), "train");
    assert_string_equal(nnrt_nearest_word("predicts", words, 4), "predict");
    assert_string_equal(nnrt_nearest_word("evl", words, 4), "eval");
    assert_null(nnrt_nearest_word("export", words, 4));
    assert_null(nnrt_nearest_word("x", words, 4));
    assert_null(nnrt_nearest_word("", words, 4));
    assert_null(nnrt_nearest_word("train", words, 0));
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(nnrt_nearest_word(longer, words, 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_abandon, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_remains, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_no_folder, enter_folder, leave_folder),
        cmocka_unit_test(test_devices),
        cmocka_unit_test_setup_teardown(test_no_space, enter_folder, leave_folder),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
