/* The command line, through a program of its own: what it prints, its exit status, and Ctrl-C. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "npy.h"
#include "support.h"

static int enter_with_data(void **state) {
    enter_folder(state);
    write_linear_data(100);
    return 0;
}

static void redirect(const char *path, int descriptor) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || dup2(file, descriptor) < 0)
        _exit(126);
    close(file);
}

/* Starts the program with these arguments (at most 12, the list ends with NULL). Its errors go to the file err, its output to the descriptor, or
 * when that is -1 to the file out. */
static pid_t start(const char *const *arguments, int output) {
    char *argv[16] = {(char *)(uintptr_t) "linear"};
    for (int i = 0; arguments[i] != NULL; i++)
        argv[i + 1] = (char *)(uintptr_t)arguments[i];
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (output < 0)
            redirect("out", STDOUT_FILENO);
        else if (dup2(output, STDOUT_FILENO) < 0)
            _exit(126);
        redirect("err", STDERR_FILENO);
        execv(LINEAR_MAIN, argv);
        _exit(127);
    }
    return child;
}

static int finish(pid_t child) {
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define RUN(...) finish(start((const char *const[]){__VA_ARGS__, NULL}, -1))

static void expect_error(int status, const char *text) {
    assert_int_equal(status, 1);
    assert_file_text("err", text);
}

static void test_help(void **state) {
    (void)state;
    static const char *const ways[] = {"--help", "-h", "help"};
    assert_int_equal(finish(start((const char *const[]){NULL}, -1)), 0);
    char *help = read_whole("out", NULL);
    assert_contains(help, "usage: linear train|eval|predict|info [option]...\n\ntrain: train and save the parameters\n"
                          "  --load FILE ");
    assert_contains(help, "\n  --resume FILE           continue the training of this checkpoint\n");
    assert_contains(help, "\npredict: ");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(RUN(ways[i]), 0);
        assert_file_text("out", help);
        assert_file_text("err", "");
    }
    assert_int_equal(setenv("NNC_CALLER", "nnc\n-D batch=8 'my line.nn'", 1), 0);
    assert_int_equal(RUN("help"), 0);
    char *called = read_whole("out", NULL);
    assert_contains(called, "usage: nnc train|eval|predict|info -D batch=8 'my line.nn' [option]...\n\ntrain: ");
    free(called);
    assert_int_equal(unsetenv("NNC_CALLER"), 0);
    assert_int_equal(RUN("train", "--help"), 0);
    assert_file_text("out", help);
    free(help);
}

static void test_bad_command_lines(void **state) {
    (void)state;
    expect_error(RUN("trian"), "linear: error: there is no command trian; did you mean train?\n");
    expect_error(RUN("export"), "linear: error: there is no command export; --help lists them\n");
    expect_error(RUN("train", "--epohcs", "3"),
                 "linear: error: train has no option --epohcs; did you mean --epochs?\n");
    expect_error(RUN("train", "--epohcs=3"), "linear: error: train has no option --epohcs=3; did you mean --epochs?\n");
    expect_error(RUN("eval", "--verbose"), "linear: error: eval has no option --verbose; --help lists those it has\n");
    expect_error(RUN("eval", "-x"), "linear: error: eval has no option -x; --help lists those it has\n");
    expect_error(RUN("train", "--epochs"), "linear: error: --epochs wants a value\n");
    expect_error(RUN("train", "--epochs", "ten"), "linear: error: --epochs wants a whole number from 1, not ten\n");
    expect_error(RUN("train", "--epochs", "0"), "linear: error: --epochs wants a whole number from 1, not 0\n");
    expect_error(RUN("train", "--batch", "99999999999"),
                 "linear: error: --batch wants a whole number from 1, not 99999999999\n");
    expect_error(RUN("train", "--seed", "-1"), "linear: error: --seed wants a whole number from 0, not -1\n");
    expect_error(RUN("train", "now"), "linear: error: train takes no argument now; options begin with --\n");
    expect_error(RUN("train", "--load", "a", "--resume", "b"),
                 "linear: error: --load starts a training and --resume continues one: give one of them\n");
    expect_error(RUN("eval"), "linear: error: --load FILE is missing: the parameters that train saved\n");
    expect_error(RUN("predict"), "linear: error: --load FILE is missing: the parameters that train saved\n");
    expect_error(RUN("eval", "--load", "x"), "linear: error: x: cannot be opened: No such file or directory\n");
}

/* Train, evaluate, look: the path that every user takes. */
static void test_train_and_eval(void **state) {
    (void)state;
    assert_int_equal(RUN("train", "--epochs", "40", "--history", "h.csv", "--plot", "p.svg"), 0);
    assert_file_text("err", "");
    char *log = read_whole("out", NULL);
    assert_contains(log, "epoch 40/40  train loss ");
    assert_contains(log, "saved linear.safetensors (epoch 40)\nsaved linear.best.safetensors (epoch ");
    free(log);
    free(read_whole("h.csv", NULL));
    free(read_whole("p.svg", NULL));
    assert_int_equal(RUN("eval", "--load", "linear.safetensors"), 0);
    assert_file_text("err", "note: there are no test data; these are the validation data\n");
    char *figures = read_whole("out", NULL);
    double loss = 1.0, distance = 1.0;
    assert_int_equal(sscanf(figures, "validation loss %lf  distance %lf\n", &loss, &distance), 2);
    assert_true(loss < 1e-6 && distance < 1e-3);
    free(figures);
    assert_int_equal(RUN("info", "--load", "linear.safetensors"), 0);
    char *info = read_whole("out", NULL);
    assert_contains(info, "linear: 4 parameters in 2 tensors\n  w                                F32 [3]\n");
    assert_contains(info, "metrics: distance\nbatch: 1 to 8 samples\n");
    assert_contains(info, "linear.safetensors:\n  F32 [] b\n");
    assert_contains(info, "\n  epoch: 40\n");
    free(info);
}

/* The best parameters go beside the checkpoint, so that two trainings in one folder do not mix. */
static void test_name_of_best(void **state) {
    (void)state;
    static const char *const names[][2] = {{"a.safetensors", "a.best.safetensors"},
                                           {"a", "a.best"},
                                           {".safetensors", ".safetensors.best"},
                                           {"a.safetensors.old", "a.safetensors.old.best"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(RUN("train", "--epochs", "1", "--save", names[i][0]), 0);
        free(read_whole(names[i][1], NULL));
        unlink(names[i][0]);
        unlink(names[i][1]);
    }
    assert_no_file_like("linear.best");
}

static void test_quiet(void **state) {
    (void)state;
    assert_int_equal(RUN("train", "--quiet", "--save", "c"), 0);
    assert_file_text("out", "");
    assert_file_text("err", "");
    free(read_whole("c", NULL));
}

/* The split by fractions follows the seed of the training, not of the recipe. */
static void test_seed_of_split(void **state) {
    (void)state;
    assert_int_equal(RUN("train", "--seed", "77", "--save", "c", "--best", "b", "--history", "h"), 0);
    char *history = read_whole("h", NULL), *row = strstr(history, "\n6,72,"), expected[100];
    double train = 0.0, loss = 0.0, distance = 0.0;
    assert_int_equal(sscanf(row, "\n6,72,%lf,%lf,%lf", &train, &loss, &distance), 3);
    snprintf(expected, sizeof expected, "validation loss %.4f  distance %.4f\n", loss, distance);
    assert_int_equal(RUN("eval", "--load", "c"), 0);
    assert_file_text("out", expected);
    assert_int_equal(RUN("eval", "--load", "b"), 0);
    assert_file_text("out", expected);
    free(history);
}

/* --- predict --- */

/* 1.5 x1 - 0.25 x2 + 3 x3 + 0.125, the parameters of the fixtures. */
#define PARAMETERS FIXTURES "/linear_f32.safetensors"

/* Columns that the recipe does not name are not looked at, and may be empty. */
static void test_predict_csv(void **state) {
    (void)state;
    write_text("new.csv", "note,x3,x1,x2\n,1,0,0\nodd,0,2,4\n");
    assert_int_equal(RUN("predict", "--load", PARAMETERS, "--input", "x=new.csv"), 0);
    assert_file_text("out", "estimate\n3.125\n2.125\n");
    assert_file_text("err", "");
    assert_int_equal(RUN("predict", "--load", PARAMETERS, "--input", "x=new.csv", "--output", "p.csv"), 0);
    assert_file_text("p.csv", "estimate\n3.125\n2.125\n");
    assert_file_text("out", "");
}

/* NPY and IDX inputs are told apart by how they begin; a NPY output. */
static void test_predict_npy(void **state) {
    (void)state;
    nnrt_file file;
    nnrt_array array;
    const float expected[] = {1.625F, 0.125F, 3.125F};
    assert_int_equal(nnrt_file_open(&file, "new.data", NULL), NNRT_OK);
    nnrt_npy_write_header(&file, NNRT_ELEMENT_F64, 2, (const int64_t[]){3, 3});
    nnrt_file_write(&file, (const double[]){1, 0, 0, 0, 0, 0, 0, 0, 1}, 72);
    assert_int_equal(nnrt_file_commit(&file, NULL), NNRT_OK);
    assert_int_equal(RUN("predict", "--load", PARAMETERS, "--input", "x=new.data", "--output", "p.npy"), 0);
    assert_int_equal(nnrt_npy_read("p.npy", &array, NULL), NNRT_OK);
    assert_int_equal(array.rank, 1);
    assert_int_equal(array.shape[0], 3);
    assert_memory_equal(array.data, expected, sizeof expected);
    nnrt_array_free(&array);
    write_gzip("new.data", "\0\0\x08\x02\0\0\0\x01\0\0\0\x03\x02\x00\x01", 15);
    assert_int_equal(RUN("predict", "--load", PARAMETERS, "--input", "x=new.data"), 0);
    assert_file_text("out", "estimate\n6.125\n");
}

/* Without --input: the data that eval takes. */
static void test_predict_recipe(void **state) {
    (void)state;
    assert_int_equal(RUN("predict", "--load", PARAMETERS), 0);
    assert_file_text("err", "note: there are no test data; these are the validation data\n");
    char *rows = read_whole("out", NULL);
    int lines = 0;
    for (const char *c = rows; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 1 + 10);
    free(rows);
}

static void test_bad_predictions(void **state) {
    (void)state;
    write_text("new.csv", "x1,x2\n1,2\n");
    expect_error(RUN("predict", "--load", PARAMETERS, "--input", "x"),
                 "linear: error: --input x: write it as NAME=FILE\n");
    expect_error(RUN("predict", "--load", PARAMETERS, "--input", "image=new.csv"),
                 "linear: error: --input image: linear has no such input; it has x\n");
    expect_error(RUN("predict", "--load", PARAMETERS, "--input", "x=none.csv"),
                 "linear: error: none.csv: cannot be opened: No such file or directory\n");
    expect_error(RUN("predict", "--load", PARAMETERS, "--input", "x=new.csv"),
                 "linear: error: new.csv: has no column \"x3\"; did you mean \"x1\"?; its header has \"x1\", \"x2\"\n");
    expect_error(RUN("predict", "--load", PARAMETERS, "--output", "no/folder/p.csv"),
                 "note: there are no test data; these are the validation data\n"
                 "linear: error: cannot write no/folder/p.csv: No such file or directory; check the folder and its "
                 "permissions\n");
    assert_no_file_like(".tmp");
}

/* --- Ctrl-C --- */

/* Starts the program with its standard output in a socket that holds a few lines only: it cannot run on while nobody reads. */
static pid_t start_held(const char *const *arguments, int *reader) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)), 0);
    assert_int_equal(fcntl(ends[0], F_SETFD, FD_CLOEXEC), 0);
    pid_t child = start(arguments, ends[1]);
    close(ends[1]);
    *reader = ends[0];
    return child;
}

/* Reads until the text comes (NULL: until the end). */
static void read_until(int reader, const char *text) {
    char line[4096] = "";
    size_t length = 0;
    while (text == NULL || strstr(line, text) == NULL) {
        const ssize_t count = read(reader, line + length, sizeof line - 1 - length);
        assert_true(count >= 0);
        if (count == 0) {
            assert_null(text);
            return;
        }
        length = text == NULL ? 0 : length + (size_t)count;
        line[length] = '\0';
    }
}

/* Starts a training of 100 epochs, of which each prints a line, and stops it behind the first of them. The lines that fit into the socket are
 * fewer, so that it cannot be over before, however long this takes. */
static void interrupt_child(int signal) {
    int reader = -1;
    pid_t child = start_held((const char *const[]){"train", "--epochs", "100", "--save", "the last", "--history",
                                                   "history", "--best", "best", NULL},
                             &reader);
    read_until(reader, "epoch 1/");
    assert_int_equal(kill(child, signal), 0);
    read_until(reader, NULL);
    close(reader);
    assert_int_equal(finish(child), 128 + signal);
}

/* Stopped by a signal at some time, then continued by the very command that the program prints: the same files result as
 * without the interruption. */
static void test_interrupt(void **state) {
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    assert_int_equal(
        RUN("train", "--epochs", "100", "--save", "whole", "--best", "whole.best", "--history", "whole.history"), 0);
    for (int i = 0; i < 2; i++) {
        interrupt_child(signals[i]);
        char *err = read_whole("err", NULL), *command = strstr(err, "continue with: ");
        assert_contains(err, "interrupted in epoch ");
        assert_contains(err, "; the training is saved in the last\n");
        assert_non_null(command);
        assert_string_equal(command, "continue with: linear train --epochs 100 --save 'the last' --best best --history "
                                     "history --resume 'the last'\n");
        assert_int_equal(RUN("train", "--epochs", "100", "--save", "the last", "--best", "best", "--history", "history",
                             "--resume", "the last"),
                         0);
        assert_same_files("the last", "whole");
        assert_same_files("best", "whole.best");
        assert_same_files("history", "whole.history");
        free(err);
    }
    assert_no_file_like(".tmp");
}

/* The standard output can be full too. */
static void test_full_output(void **state) {
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        redirect("/dev/full", STDOUT_FILENO);
        redirect("err", STDERR_FILENO);
        execl(LINEAR_MAIN, "linear", "info", (char *)NULL);
        _exit(127);
    }
    expect_error(finish(child), "linear: error: cannot write to the standard output\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_help, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_bad_command_lines, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_train_and_eval, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_name_of_best, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_quiet, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_seed_of_split, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_predict_csv, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_predict_npy, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_predict_recipe, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_bad_predictions, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_interrupt, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_full_output, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
