/* The safetensors format: what is refused, and numbers of every real type. */
#include "safetensors.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "support.h"

/* Opens a file made of this header and `data_count` zero bytes of data. */
static int open_header(const char *header, size_t data_count, nnrt_checkpoint **checkpoint, nnrt_error *error) {
    size_t length = strlen(header), count = 8 + length + data_count;
    unsigned char *bytes = calloc(count, 1);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(length >> (8 * i) & 0xff);
    memcpy(bytes + 8, header, length);
    int status = nnrt_checkpoint_open_memory(checkpoint, "m", bytes, count, error);
    if (status == NNRT_OK) {
        /* The numbers are not read by these tests. */
        assert_non_null(*checkpoint);
    } else {
        assert_null(*checkpoint);
    }
    free(bytes);
    return status;
}

static void expect_failure(const char *header, size_t data_count, const char *text) {
    nnrt_checkpoint *checkpoint = NULL;
    nnrt_error error;
    assert_int_equal(open_header(header, data_count, &checkpoint, &error), NNRT_FAILED);
    assert_string_equal(error.text, text);
}

static void expect_success(const char *header, size_t data_count, size_t tensors) {
    nnrt_checkpoint *checkpoint = NULL;
    nnrt_error error = {{0}};
    if (open_header(header, data_count, &checkpoint, &error) != NNRT_OK)
        fail_msg("%s", error.text);
    assert_int_equal(nnrt_checkpoint_count(checkpoint), tensors);
    nnrt_checkpoint_close(checkpoint);
}

static void test_accepted(void **state) {
    (void)state;
    expect_success("{}", 0, 0);
    expect_success("{}      ", 0, 0);
    expect_success("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, 1);
    expect_success("{\"a\":{\"data_offsets\":[0,6],\"shape\":[3],\"dtype\":\"BF16\"}}\n", 6, 1);
    /* In any order of names and offsets; empty tensors take nothing. */
    expect_success("{\"__metadata__\":{\"format\":\"pt\"},"
                   "\"b\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[4,20]},"
                   "\"none\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[4,4]},"
                   "\"a\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[0,4]}}",
                   20, 3);
}

static void test_metadata(void **state) {
    (void)state;
    nnrt_checkpoint *checkpoint = NULL;
    assert_int_equal(open_header("{\"__metadata__\":{\"a\":\"1\",\"b\":\"two\\nlines\"}}", 0, &checkpoint, NULL),
                     NNRT_OK);
    assert_string_equal(nnrt_checkpoint_value(checkpoint, "a"), "1");
    assert_string_equal(nnrt_checkpoint_value(checkpoint, "b"), "two\nlines");
    assert_null(nnrt_checkpoint_value(checkpoint, "c"));
    nnrt_checkpoint_close(checkpoint);
    expect_failure("{\"__metadata__\":{\"a\":1}}", 0, "m: __metadata__ should be an object of texts");
    expect_failure("{\"__metadata__\":[\"a\"]}", 0, "m: __metadata__ should be an object of texts");
    expect_failure("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "m: the header has \"a\" twice");
    expect_failure("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "m: the header has \"__metadata__\" twice");
}

static void test_bad_json(void **state) {
    (void)state;
    expect_failure("", 0, "m: the header is not correct JSON near byte 0");
    expect_failure("{\"a\":", 0, "m: the header is not correct JSON near byte 4");
    expect_failure("{} x", 0, "m: the header is not correct JSON near byte 3");
    expect_failure("[]", 0, "m: the header is not a JSON object");
    expect_failure("7", 0, "m: the header is not a JSON object");
    nnrt_checkpoint *checkpoint = NULL;
    nnrt_error error;
    assert_int_equal(nnrt_checkpoint_open_memory(&checkpoint, "m", "\x04\0\0\0\0\0\0\0{}\0 ", 12, &error), NNRT_FAILED);
    assert_string_equal(error.text, "m: the header is not correct JSON near byte 0");
}

static void test_bad_descriptions(void **state) {
    (void)state;
    static const char *const descriptions[] = {
        "7",
        "[]",
        "{}",
        "{\"dtype\":\"F32\",\"shape\":[]}",
        "{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"more\":1}",
        "{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}",
        "{\"dtype\":32,\"shape\":[],\"data_offsets\":[0,4]}",
        "{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}",
        "{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":4}",
    };
    for (size_t i = 0; i < sizeof descriptions / sizeof *descriptions; i++) {
        char header[128] = "{\"a\":";
        strcat(header, descriptions[i]);
        strcat(header, "}");
        expect_failure(header, 4, "m: tensor \"a\" should be described by dtype, shape and data_offsets");
    }
}

/* One tensor "a" of this type, shape and offsets in four bytes of data. */
static void expect_tensor_failure(const char *dtype, const char *shape, const char *offsets, const char *text) {
    char header[256];
    snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}", dtype, shape,
             offsets);
    expect_failure(header, 4, text);
}

static void test_bad_tensors(void **state) {
    (void)state;
    expect_tensor_failure("F31", "[1]", "[0,4]", "m: tensor \"a\" has the unknown type \"F31\"");
    static const char *const shapes[] = {"[-1]", "[1.5]", "[\"1\"]", "[null]", "[1e30]", "[1,1,1,1,1,1,1,1,1]"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        expect_tensor_failure("F32", shapes[i], "[0,4]",
                              "m: tensor \"a\": the shape should be at most 8 whole numbers from 0");
    }
    static const char *const offsets[] = {"[]", "[0]", "[0,4,4]", "[-4,0]", "[0,\"4\"]", "[0,4.5]", "[0,1e300]"};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        expect_tensor_failure("F32", "[1]", offsets[i], "m: tensor \"a\": data_offsets should be two whole numbers");
    expect_tensor_failure("F32", "[4294967296,4294967296]", "[0,4]",
                          "m: tensor \"a\" has shape [4294967296, 4294967296], larger than any memory");
    expect_tensor_failure("F64", "[4503599627370496,1024]", "[0,4]",
                          "m: tensor \"a\" has shape [4503599627370496, 1024], larger than any memory");
    expect_tensor_failure("F32", "[1]", "[4,0]",
                          "m: tensor \"a\" has data_offsets [4, 0], outside of the file's 4 bytes of data; is the file "
                          "complete?");
    expect_tensor_failure("F32", "[2]", "[0,8]",
                          "m: tensor \"a\" has data_offsets [0, 8], outside of the file's 4 bytes of data; is the file "
                          "complete?");
    expect_tensor_failure("F32", "[2]", "[0,4]",
                          "m: tensor \"a\" of type F32 and shape [2] takes 8 bytes, but its data_offsets hold 4");
    expect_tensor_failure("F16", "[1]", "[2,4]",
                          "m: tensor \"a\" begins at byte 2 of the data, but the one before ends at 0");
    expect_tensor_failure("F16", "[1]", "[0,2]", "m: the tensors take 2 bytes, but the file has 4 bytes of data");
}

static void test_bad_sets(void **state) {
    (void)state;
    expect_failure("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
                   6, "m: tensor \"b\" begins at byte 2 of the data, but the one before ends at 4");
    expect_failure("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
                   4, "m: tensor \"b\" begins at byte 0 of the data, but the one before ends at 4");
    expect_failure("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}",
                   5, "m: tensor \"b\" begins at byte 3 of the data, but the one before ends at 2");
    expect_failure("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                   "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
                   4, "m: the header has \"a\" twice");
    expect_failure("{}", 3, "m: the tensors take 0 bytes, but the file has 3 bytes of data");
}

static void expect_file_failure(const char *bytes, size_t count, const char *text) {
    nnrt_checkpoint *checkpoint = NULL;
    nnrt_error error;
    write_file("f", bytes, count);
    assert_int_equal(nnrt_checkpoint_open(&checkpoint, "f", &error), NNRT_FAILED);
    assert_string_equal(error.text, text);
}

static void test_other_files(void **state) {
    (void)state;
    nnrt_error error;
    nnrt_checkpoint *checkpoint = NULL;
    assert_int_equal(nnrt_checkpoint_open(&checkpoint, "f", &error), NNRT_FAILED);
    assert_string_equal(error.text, "f: cannot be opened: No such file or directory");
    assert_int_equal(nnrt_checkpoint_open(&checkpoint, ".", &error), NNRT_FAILED);
    assert_string_equal(error.text, ".: is not a regular file");
    expect_file_failure("", 0, "f: is not a safetensors file: it has only 0 bytes");
    expect_file_failure("1234567", 7, "f: is not a safetensors file: it has only 7 bytes");
    expect_file_failure("x1,x2,x3\n1,2,3\n", 15,
                        "f: is not a safetensors file, or is incomplete: it announces a header of 3708762888415752568 "
                        "bytes, where 7 follow and at most 33554432 make sense");
    expect_file_failure("\x03\0\0\0\0\0\0\0{}", 10,
                        "f: is not a safetensors file, or is incomplete: it announces a header of 3 bytes, where 2 "
                        "follow and at most 33554432 make sense");
    expect_file_failure("PK\x03\x04 and so on", 14,
                        "f: is a PyTorch pickle; convert it in Python: safetensors.torch.save_file(torch.load(old), "
                        "new)");
    expect_file_failure("\x80\x02\x8a\x0a and so on", 14,
                        "f: is a PyTorch pickle; convert it in Python: safetensors.torch.save_file(torch.load(old), "
                        "new)");
    expect_file_failure("GGUF and so on", 14, "f: is a GGUF file, not safetensors");
}

/* A file cut anywhere is refused. */
static void test_truncated(void **state) {
    (void)state;
    size_t count = 0;
    char *bytes = read_whole(FIXTURES "/linear_f32.safetensors", &count);
    for (size_t cut = 0; cut < count; cut++) {
        nnrt_checkpoint *checkpoint = NULL;
        assert_int_equal(nnrt_checkpoint_open_memory(&checkpoint, "m", bytes, cut, NULL), NNRT_FAILED);
    }
    free(bytes);
}

/* What torch.float16 and torch.bfloat16 made of the odd numbers; see fixtures/make_fixtures.py. */
static void test_short_types(void **state) {
    (void)state;
    static const double halves[8] = {0.0, -0.0, 0x1p-24, 65504.0, INFINITY, -INFINITY, NAN, 0.333251953125};
    static const double brains[8] = {0.0, -0.0, 0x1.02p-24, 65536.0, INFINITY, -INFINITY, NAN, 0.333984375};
    static const struct {
        const char *name;
        const double *expected;
    } cases[] = {{"f16", halves}, {"bf16", brains}};
    nnrt_checkpoint *checkpoint = NULL;
    nnrt_error error = {{0}};
    assert_int_equal(nnrt_checkpoint_open(&checkpoint, FIXTURES "/odd.safetensors", &error), NNRT_OK);
    assert_string_equal(nnrt_checkpoint_value(checkpoint, "note"), "line one\nline \"two\" \xc3\xa9");
    for (int k = 0; k < 2; k++) {
        double values[8];
        float singles[8];
        const nnrt_stored *tensor = nnrt_checkpoint_find(checkpoint, cases[k].name);
        assert_non_null(tensor);
        assert_int_equal(nnrt_checkpoint_read(checkpoint, tensor, NNRT_REAL64, values, &error), NNRT_OK);
        assert_int_equal(nnrt_checkpoint_read(checkpoint, tensor, NNRT_REAL32, singles, &error), NNRT_OK);
        for (int i = 0; i < 8; i++) {
            double expected = cases[k].expected[i];
            assert_true(isnan(expected) ? isnan(values[i]) && isnan(singles[i])
                                        : values[i] == expected && singles[i] == (float)expected);
            assert_true(isnan(expected) || !signbit(values[i]) == !signbit(expected));
        }
    }
    const nnrt_stored *tensor = nnrt_checkpoint_find(checkpoint, "f16");
    int32_t integers[8];
    assert_int_equal(nnrt_checkpoint_read(checkpoint, tensor, NNRT_INT32, integers, &error), NNRT_FAILED);
    assert_string_equal(error.text, FIXTURES "/odd.safetensors: tensor \"f16\" has type F16, which does not convert to "
                                             "I32");
    nnrt_checkpoint_close(checkpoint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_bad_descriptions),
        cmocka_unit_test(test_bad_tensors),
        cmocka_unit_test(test_bad_sets),
        cmocka_unit_test_setup_teardown(test_other_files, enter_folder, leave_folder),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_short_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
