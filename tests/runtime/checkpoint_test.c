/* Checkpoints of a model: what is saved comes back, and what does not fit is explained. */
#include <stdlib.h>
#include <string.h>
#include "linear_model.h"
#include "safetensors.h"
#include "support.h"

static const LinearParams some_params = {{1.5F, -0.25F, 3.0F}, 0.125F};
static const LinearState some_state = {
    .seed = UINT64_MAX, .step = 7, .steps = 12, .momentum_w = {0.1F, 0.2F, 0.3F}, .momentum_b = -4.0F};

static nnrt_checkpoint *open_checkpoint(const char *path) {
    nnrt_checkpoint *checkpoint = NULL;
    nnrt_error error = {{0}};
    if (nnrt_checkpoint_open(&checkpoint, path, &error) != NNRT_OK)
        fail_msg("%s", error.text);
    return checkpoint;
}

static void save(const LinearState *state, const nnrt_pair *pairs, int pair_count) {
    nnrt_error error = {{0}};
    if (nnrt_checkpoint_save("c", &linear_model, &some_params, state, pairs, pair_count, &error) != NNRT_OK)
        fail_msg("%s", error.text);
}

static void test_round_trip(void **state) {
    (void)state;
    LinearParams params = {{0}, 0};
    LinearState restored = {0};
    nnrt_error note;
    const nnrt_pair pairs[] = {{"epoch", "3"}, {"odd", "a \"quoted\" \\ line\nand\ttab \x01 \xc3\xa9"}};
    save(&some_state, pairs, 2);
    nnrt_checkpoint *checkpoint = open_checkpoint("c");
    assert_int_equal(nnrt_checkpoint_params(checkpoint, &linear_model, &params, &note, NULL), NNRT_OK);
    assert_memory_equal(&params, &some_params, sizeof params);
    assert_string_equal(note.text, "");
    assert_int_equal(nnrt_checkpoint_state(checkpoint, &linear_model, &restored, NULL), NNRT_OK);
    assert_memory_equal(&restored, &some_state, sizeof restored);
    assert_string_equal(nnrt_checkpoint_value(checkpoint, "odd"), pairs[1].value);
    assert_string_equal(nnrt_checkpoint_value(checkpoint, "format"), "pt");
    assert_string_equal(nnrt_checkpoint_value(checkpoint, "model"), "linear");
    assert_string_equal(nnrt_checkpoint_value(checkpoint, "seed"), "18446744073709551615");
    nnrt_checkpoint_close(checkpoint);
    assert_no_file_like(".tmp");
}

/* The bytes themselves, as other programs read them. */
static void test_bytes(void **state) {
    (void)state;
    static const char header[] = "{\"__metadata__\":{\"format\":\"pt\",\"model\":\"linear\"},"
                                 "\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
                                 "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]}}";
    size_t count = 0;
    save(NULL, NULL, 0);
    char *bytes = read_whole("c", &count);
    size_t padded = (sizeof header - 1 + 7) / 8 * 8;
    assert_int_equal(count, 8 + padded + 16);
    assert_memory_equal(bytes, &padded, 8);
    assert_memory_equal(bytes + 8, header, sizeof header - 1);
    assert_memory_equal(bytes + 8 + padded, &some_params, 16);
    free(bytes);
}

/* Files that the safetensors package wrote; see fixtures/make_fixtures.py. */
static void test_pytorch_files(void **state) {
    (void)state;
    static const char *const types[] = {"f16", "bf16", "f32", "f64"};
    for (int i = 0; i < 4; i++) {
        char path[sizeof FIXTURES + 40], text[sizeof FIXTURES + 100] = "";
        LinearParams params;
        nnrt_error note;
        snprintf(path, sizeof path, FIXTURES "/linear_%s.safetensors", types[i]);
        nnrt_checkpoint *checkpoint = open_checkpoint(path);
        assert_int_equal(nnrt_checkpoint_params(checkpoint, &linear_model, &params, &note, NULL), NNRT_OK);
        assert_memory_equal(&params, &some_params, sizeof params);
        if (strcmp(types[i], "f32") != 0)
            snprintf(text, sizeof text, "%s: converted to the model's reals: \"b\" and 1 more", path);
        assert_string_equal(note.text, text);
        nnrt_checkpoint_close(checkpoint);
    }
}

/* A model in double precision takes parameters in single precision, but not such a state. */
static void test_wider_reals(void **state) {
    (void)state;
    typedef struct Wide {
        double w[3], b;
        uint64_t seed;
        int64_t step, steps;
    } Wide;
    static const nnrt_tensor params_info[] = {
        {"w", NNRT_REAL64, 1, {3}, offsetof(Wide, w), 24},
        {"b", NNRT_REAL64, 0, {0}, offsetof(Wide, b), 8},
    };
    static const nnrt_tensor state_info[] = {{"momentum.w", NNRT_REAL64, 1, {3}, offsetof(Wide, w), 24}};
    nnrt_model model = linear_model;
    model.params = params_info;
    model.states = state_info;
    model.state_count = 1;
    model.seed_offset = offsetof(Wide, seed);
    model.step_offset = offsetof(Wide, step);
    model.steps_offset = offsetof(Wide, steps);
    Wide wide;
    nnrt_error error;
    save(&some_state, NULL, 0);
    nnrt_checkpoint *checkpoint = open_checkpoint("c");
    assert_int_equal(nnrt_checkpoint_params(checkpoint, &model, &wide, NULL, NULL), NNRT_OK);
    assert_true(wide.w[0] == 1.5 && wide.w[2] == 3.0 && wide.b == 0.125);
    assert_int_equal(nnrt_checkpoint_state(checkpoint, &model, &wide, &error), NNRT_FAILED);
    assert_string_equal(error.text, "c: tensor \"state.momentum.w\" has type F32, but the state is F64; a training "
                                    "continues with the same real type only");
    nnrt_checkpoint_close(checkpoint);
}

/* Saves as if by `other` and loads into the linear model. */
static void expect_params_failure(const nnrt_model *other, const char *text) {
    LinearParams params;
    nnrt_error error;
    assert_int_equal(nnrt_checkpoint_save("c", other, &some_params, NULL, NULL, 0, NULL), NNRT_OK);
    nnrt_checkpoint *checkpoint = open_checkpoint("c");
    assert_int_equal(nnrt_checkpoint_params(checkpoint, &linear_model, &params, NULL, &error), NNRT_FAILED);
    assert_string_equal(error.text, text);
    nnrt_checkpoint_close(checkpoint);
}

static void test_other_tensors(void **state) {
    (void)state;
    nnrt_tensor tensors[3] = {linear_model.params[0], linear_model.params[1], linear_model.params[1]};
    nnrt_model other = linear_model;
    other.params = tensors;
    tensors[0].name = "fc.weight";
    expect_params_failure(&other, "c: tensor \"w\" of shape [3] is missing; \"fc.weight\" has that shape: rename it if "
                                  "it is the same");
    other.name = "mlp";
    expect_params_failure(&other, "c: tensor \"w\" of shape [3] is missing; the file is a checkpoint of the model mlp, "
                                  "not of linear");
    other.name = "linear";
    other.param_count = 1;
    tensors[0] = linear_model.params[0];
    expect_params_failure(&other, "c: tensor \"b\" of shape [] is missing");
    tensors[0].rank = 2;
    tensors[0].shape[0] = 1;
    tensors[0].shape[1] = 3;
    expect_params_failure(&other, "c: tensor \"w\" has shape [1, 3], but the model wants [3]");
    /* More than the model knows is only noted. */
    tensors[0] = linear_model.params[0];
    tensors[2].name = "extra";
    other.param_count = 3;
    LinearParams params;
    nnrt_error note;
    assert_int_equal(nnrt_checkpoint_save("c", &other, &some_params, &some_state, NULL, 0, NULL), NNRT_OK);
    nnrt_checkpoint *checkpoint = open_checkpoint("c");
    assert_int_equal(nnrt_checkpoint_params(checkpoint, &linear_model, &params, &note, NULL), NNRT_OK);
    assert_string_equal(note.text, "c: not in the model: \"extra\"");
    nnrt_checkpoint_close(checkpoint);
}

static void expect_state_failure(const char *text) {
    LinearState restored;
    nnrt_error error;
    nnrt_checkpoint *checkpoint = open_checkpoint("c");
    assert_int_equal(nnrt_checkpoint_state(checkpoint, &linear_model, &restored, &error), NNRT_FAILED);
    assert_string_equal(error.text, text);
    nnrt_checkpoint_close(checkpoint);
}

static void test_no_state(void **state) {
    (void)state;
    save(NULL, NULL, 0);
    expect_state_failure("c: holds parameters but not the state of a training: \"step\" is missing; start from the "
                         "parameters with train --load");
    const nnrt_pair bad_step[] = {{"step", "-3"}};
    save(NULL, bad_step, 1);
    expect_state_failure("c: \"step\" is \"-3\", not a whole number from 0");
    const nnrt_pair no_seed[] = {{"step", "3"}, {"steps", "5"}, {"seed", "x"}};
    save(NULL, no_seed, 3);
    expect_state_failure("c: \"seed\" is missing or not a whole number from 0");
    const nnrt_pair no_tensor[] = {{"step", "3"}, {"steps", "5"}, {"seed", "1"}};
    save(NULL, no_tensor, 3);
    expect_state_failure("c: tensor \"state.momentum.w\" of shape [3] is missing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_bytes, enter_folder, leave_folder),
        cmocka_unit_test(test_pytorch_files),
        cmocka_unit_test_setup_teardown(test_wider_reals, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_other_tensors, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_no_state, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
