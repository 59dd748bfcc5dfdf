/* The command line inside this process, for models that linear_main is not: of fixed batch, of several outputs, without a
 * train block. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "linear_model.h"
#include "support.h"

/* Runs nnrt_main(); what it prints goes to the files out and err. */
static int run(const nnrt_model *model, const nnrt_recipe *recipe, int count, const char *const *words) {
    char *argv[12] = {(char *)(uintptr_t) "toy"};
    for (int i = 0; i < count; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    fflush(stdout);
    int former_out = dup(STDOUT_FILENO), former_err = dup(STDERR_FILENO);
    int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0666), err = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    int status = nnrt_main(model, recipe, count + 1, argv);
    fflush(stdout);
    dup2(former_out, STDOUT_FILENO);
    dup2(former_err, STDERR_FILENO);
    close(former_out);
    close(former_err);
    close(out);
    close(err);
    return status;
}

#define RUN(model, recipe, ...)                                                                                        \
    run(model, recipe, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                                  \
        (const char *const[]){__VA_ARGS__})

static int enter_with_data(void **state) {
    enter_folder(state);
    write_linear_data(21);
    return 0;
}

/* --- Fixed batch --- */

/* Fails the test when it is called for another number of samples than the model was compiled for. */
static void fixed_predict(const void *params, const void *const *inputs, void *const *outputs, int n, void *workspace) {
    if (n != LINEAR_BATCH)
        abort();
    linear_model.predict(params, inputs, outputs, n, workspace);
}

/* All samples are predicted, though the last ones fill no batch; the evaluation leaves those out and says so. */
static void test_fixed_batch(void **state) {
    (void)state;
    nnrt_model fixed = linear_model;
    nnrt_recipe recipe = linear_recipe;
    fixed.dynamic = 0;
    fixed.predict = fixed_predict;
    recipe.validate_fraction = 0.0;
    assert_int_equal(
        RUN(&linear_model, &recipe, "predict", "--load", FIXTURES "/linear_f32.safetensors", "--output", "dynamic.csv"),
        0);
    assert_int_equal(
        RUN(&fixed, &recipe, "predict", "--load", FIXTURES "/linear_f32.safetensors", "--output", "fixed.csv"), 0);
    assert_file_text("err", "note: there are no test data; these are the training data\n");
    assert_same_files("dynamic.csv", "fixed.csv");
    assert_int_equal(RUN(&fixed, &recipe, "eval", "--load", FIXTURES "/linear_f32.safetensors"), 0);
    assert_file_text("err", "note: there are no test data; these are the training data\n"
                            "note: 5 of 21 samples fill no batch of 8 and were left out\n");
    assert_int_equal(RUN(&fixed, &recipe, "predict", "--load", FIXTURES "/linear_f32.safetensors", "--batch", "4"), 1);
    assert_file_text("err",
                     "note: there are no test data; these are the training data\n"
                     "toy: error: batches of 4 do not fit: linear was compiled for exactly 8 samples; compile it "
                     "with -D batch=4\n");
}

/* A smaller batch gives the same predictions. */
static void test_smaller_batch(void **state) {
    (void)state;
    const char *const parameters = FIXTURES "/linear_f32.safetensors";
    assert_int_equal(RUN(&linear_model, &linear_recipe, "predict", "--load", parameters, "--output", "a.csv"), 0);
    assert_int_equal(
        RUN(&linear_model, &linear_recipe, "predict", "--load", parameters, "--output", "b.csv", "--batch", "3"), 0);
    assert_same_files("a.csv", "b.csv");
}

/* --- Several outputs --- */

/* The sum of x as int32, and x twice, as a [2, 3] tensor of doubles. */
static void pair_predict(const void *params, const void *const *inputs, void *const *outputs, int n, void *workspace) {
    const float *x = inputs[0];
    int32_t *sum = outputs[0];
    double *twice = outputs[1];
    (void)params, (void)workspace;
    for (int i = 0; i < n; i++, x += 3) {
        sum[i] = (int32_t)(x[0] + x[1] + x[2]);
        for (int k = 0; k < 6; k++)
            *twice++ = (double)x[k % 3] / 10.0;
    }
}

static const nnrt_field pair_outputs[] = {
    {"sum", NNRT_INT32, 0, {0}, 0},
    {"twice", NNRT_REAL64, 2, {2, 3}, 0},
};

static void test_several_outputs(void **state) {
    (void)state;
    const char *const parameters = FIXTURES "/linear_f32.safetensors";
    nnrt_model pair = linear_model;
    nnrt_array array;
    pair.outputs = pair_outputs;
    pair.output_count = 2;
    pair.predict = pair_predict;
    write_text("x.csv", "x1,x2,x3\n1,2,3\n4,5,6\n");
    assert_int_equal(RUN(&pair, NULL, "predict", "--load", parameters, "--input", "x=x.csv"), 0);
    assert_file_text("out", "sum,twice.0.0,twice.0.1,twice.0.2,twice.1.0,twice.1.1,twice.1.2\n"
                            "6,0.10000000000000001,0.20000000000000001,0.29999999999999999,0.10000000000000001,"
                            "0.20000000000000001,0.29999999999999999\n"
                            "15,0.40000000000000002,0.5,0.59999999999999998,0.40000000000000002,0.5,"
                            "0.59999999999999998\n");
    assert_int_equal(RUN(&pair, NULL, "predict", "--load", parameters, "--input", "x=x.csv", "--output", "p.npy"), 0);
    assert_int_equal(nnrt_npy_read("p.sum.npy", &array, NULL), NNRT_OK);
    assert_int_equal(array.element, NNRT_ELEMENT_I32);
    assert_int_equal(array.rank, 1);
    assert_int_equal(((const int32_t *)array.data)[1], 15);
    nnrt_array_free(&array);
    assert_int_equal(nnrt_npy_read("p.twice.npy", &array, NULL), NNRT_OK);
    assert_int_equal(array.rank, 3);
    assert_int_equal(array.shape[0], 2);
    assert_int_equal(array.shape[2], 3);
    assert_true(((const double *)array.data)[11] == 0.6);
    nnrt_array_free(&array);
}

/* --- Several inputs --- */

static void test_missing_inputs(void **state) {
    (void)state;
    nnrt_field inputs[3] = {linear_model.inputs[0], linear_model.inputs[0], linear_model.inputs[0]};
    nnrt_model several = linear_model;
    inputs[1].name = "u";
    inputs[2].name = "z";
    several.inputs = inputs;
    several.input_count = 3;
    write_text("x.csv", "x1,x2,x3\n1,2,3\n");
    assert_int_equal(RUN(&several, NULL, "predict", "--load", FIXTURES "/linear_f32.safetensors", "--input", "x=x.csv"),
                     1);
    assert_file_text("err", "toy: error: not every input of linear is given: add --input u=FILE --input z=FILE\n");
}

/* --- No train block --- */

static void test_no_recipe(void **state) {
    (void)state;
    const char *const parameters = FIXTURES "/linear_f32.safetensors";
    assert_int_equal(RUN(&linear_model, NULL, "train"), 1);
    assert_file_text("err", "toy: error: linear cannot be trained: it has no train block\n");
    assert_int_equal(RUN(&linear_model, NULL, "eval", "--load", parameters), 1);
    assert_file_text("err", "toy: error: linear has no data to evaluate: it has no train block\n");
    assert_int_equal(RUN(&linear_model, NULL, "predict", "--load", parameters), 1);
    assert_file_text("err", "toy: error: linear has no data of its own: give --input NAME=FILE for every input\n");
    assert_int_equal(RUN(&linear_model, NULL, "info"), 0);
    assert_file_text("out", "linear: 4 parameters in 2 tensors\n"
                            "  w                                F32 [3]\n"
                            "  b                                F32 []\n"
                            "inputs, for each sample:\n"
                            "  x                                F32 [3]\n"
                            "targets, for each sample:\n"
                            "  y                                F32 []\n"
                            "outputs, for each sample:\n"
                            "  estimate                         F32 []\n"
                            "metrics: distance\n"
                            "batch: 1 to 8 samples\n"
                            "memory: parameters 16, training state 40, workspace 128 bytes\n");
}

/* A model compiled for prediction only has neither loss nor training step. */
static void test_prediction_only(void **state) {
    (void)state;
    const char *const parameters = FIXTURES "/linear_f32.safetensors";
    nnrt_model model = linear_model;
    model.state_init = NULL;
    model.loss = NULL;
    model.train_step = NULL;
    assert_int_equal(RUN(&model, &linear_recipe, "train"), 1);
    assert_file_text("err", "toy: error: linear cannot be trained: it was compiled for prediction only\n");
    assert_int_equal(RUN(&model, &linear_recipe, "eval", "--load", parameters), 1);
    assert_file_text("err", "note: there are no test data; these are the validation data\n"
                            "toy: error: linear cannot be evaluated: it was compiled for prediction only\n");
    assert_int_equal(RUN(&model, &linear_recipe, "predict", "--load", parameters), 0);
}

/* Names in a file cannot command the terminal. */
static void test_hostile_names(void **state) {
    (void)state;
    static const char header[] = "{\"__metadata__\":{\"model\":\"\\u001b[2J\"},"
                                 "\"\\u001b[31m\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
    char bytes[8 + sizeof header] = {(char)(sizeof header - 1)};
    memcpy(bytes + 8, header, sizeof header - 1);
    write_file("c", bytes, 8 + sizeof header - 1);
    assert_int_equal(RUN(&linear_model, NULL, "info", "--load", "c"), 0);
    char *out = read_whole("out", NULL);
    assert_contains(out, "c:\n  U8 [0] ?[31m\n  model: ?[2J\n");
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fixed_batch, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_smaller_batch, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_several_outputs, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_missing_inputs, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_no_recipe, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_prediction_only, enter_with_data, leave_folder),
        cmocka_unit_test_setup_teardown(test_hostile_names, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
