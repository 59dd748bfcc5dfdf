/* Exhausted memory: every allocation of a task fails once. The task must then succeed all the same or fail with a sentence;
 * it may not crash, and (as sanitizers see) not leak.
 *
 * The linker sends the library's allocations here (see CMakeLists.txt); those of cJSON come through its hooks.
 */
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "linear_model.h"
#include "support.h"

/* How many allocations succeed until one fails; negative: all succeed. */
static int allocations_left = -1;

static int fails_now(void) {
    if (allocations_left < 0)
        return 0;
    return allocations_left-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

void *__wrap_malloc(size_t size) {
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size) {
    return fails_now() ? NULL : __real_realloc(memory, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
    return fails_now() ? 12 /* ENOMEM */ : __real_posix_memalign(memory, alignment, size);
}

char *__wrap_strdup(const char *text) {
    return fails_now() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size) {
    return fails_now() ? NULL : __real_strndup(text, size);
}

/* --- Tasks --- */

typedef int Task(nnrt_error *error);

static int task_idx(nnrt_error *error) {
    nnrt_array array;
    int status = nnrt_idx_read("x.idx.gz", &array, error);
    nnrt_array_free(&array);
    return status;
}

static int task_npy(nnrt_error *error) {
    nnrt_array array;
    int status = nnrt_npy_read(FIXTURES "/f4.npy", &array, error);
    nnrt_array_free(&array);
    return status;
}

static int task_csv(nnrt_error *error) {
    nnrt_array array;
    const char *const columns[] = {"x1", "y"};
    int status = nnrt_csv_read("train.csv", columns, 2, &array, error);
    nnrt_array_free(&array);
    return status;
}

static int task_no_column(nnrt_error *error) {
    nnrt_array array;
    const char *const columns[] = {"z"};
    int status = nnrt_csv_read("train.csv", columns, 1, &array, error);
    return status == NNRT_FAILED && error->text[0] != '\0' ? NNRT_OK : status;
}

static const nnrt_train_options train_options = {
    .epochs = 1, .save = "last", .best = "best", .history = "history", .plot = "plot"};

static int task_train(nnrt_error *error) {
    return nnrt_train(&linear_model, &linear_recipe, &train_options, NULL, error);
}

static int task_resume(nnrt_error *error) {
    nnrt_train_options options = train_options;
    options.resume = "last";
    options.save = "more";
    options.epochs = 2;
    return nnrt_train(&linear_model, &linear_recipe, &options, NULL, error);
}

/* Runs a command line; what it prints goes nowhere. The message went there too, so it is not asked for. */
static int run_main(int count, const char *const *words, nnrt_error *error) {
    char *argv[12] = {(char *)(uintptr_t) "linear"};
    for (int i = 0; i < count; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    fflush(stdout);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    int status = nnrt_main(&linear_model, &linear_recipe, count + 1, argv);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    close(nowhere);
    strcpy(error->text, "printed");
    return status;
}

static int task_eval(nnrt_error *error) {
    return run_main(3, (const char *const[]){"eval", "--load", "last"}, error);
}

static int task_predict(nnrt_error *error) {
    return run_main(5, (const char *const[]){"predict", "--load", "last", "--output", "p.npy"}, error);
}

static int task_predict_input(nnrt_error *error) {
    return run_main(
        7, (const char *const[]){"predict", "--load", "last", "--input", "x=train.csv", "--output", "p.csv"}, error);
}

/* Lets each allocation fail in turn, until the task no longer meets the failing one. Allocations that fail without harm, as
 * when a checkpoint in the middle of a training is not written, let it succeed. */
static void fail_each_allocation(Task *task) {
    int done = 0, n = 0;
    for (; !done; n++) {
        nnrt_error error = {{0}};
        allocations_left = n;
        int status = task(&error);
        done = allocations_left >= 0;
        allocations_left = -1;
        if (done) {
            assert_int_equal(status, NNRT_OK);
        } else if (status != NNRT_OK) {
            assert_int_equal(status, NNRT_FAILED);
            assert_int_not_equal(error.text[0], '\0');
        }
        assert_no_file_like(".tmp");
    }
    assert_true(n > 1);
}

static void test_memory(void **state) {
    (void)state;
    static Task *const tasks[] = {task_idx,    task_npy,  task_csv,     task_no_column,    task_train,
                                  task_resume, task_eval, task_predict, task_predict_input};
    nnrt_error error;
    write_linear_data(20);
    write_gzip("x.idx.gz", "\0\0\x0b\x01\0\0\0\x02\0\x01\0\x02", 12);
    assert_int_equal(task_train(&error), NNRT_OK);
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        fail_each_allocation(tasks[i]);
}

int main(void) {
    cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = free};
    cJSON_InitHooks(&hooks);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_memory, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
