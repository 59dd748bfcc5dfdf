/* IDX files and what all binary readers share: gzip, sizes against the header. */
#include <stdlib.h>
#include <string.h>
#include "support.h"

/* Bytes of a small IDX file. */
typedef struct Idx {
    unsigned char bytes[64];
    size_t count;
} Idx;

/* Magic, rank 1 or 2, shape, data. */
static Idx make_idx(unsigned char type, int rank, const unsigned char *shape, const void *data, size_t data_count) {
    Idx idx = {{0, 0, type, (unsigned char)rank}, 4};
    for (int axis = 0; axis < rank; axis++) {
        idx.bytes[idx.count + 3] = shape[axis];
        idx.count += 4;
    }
    memcpy(idx.bytes + idx.count, data, data_count);
    idx.count += data_count;
    return idx;
}

static void expect_failure(const char *text) {
    nnrt_array array;
    nnrt_error error;
    assert_int_equal(nnrt_idx_read("a.idx", &array, &error), NNRT_FAILED);
    assert_string_equal(error.text, text);
    assert_null(array.data);
}

static void read_array(nnrt_array *array) {
    nnrt_error error = {{0}};
    if (nnrt_idx_read("a.idx", array, &error) != NNRT_OK)
        fail_msg("%s", error.text);
}

static void test_bytes(void **state) {
    (void)state;
    const Idx idx = make_idx(0x08, 2, (const unsigned char[]){2, 3}, "\x01\x02\x03\xfd\xfe\xff", 6);
    for (int gzip = 0; gzip < 2; gzip++) {
        nnrt_array array;
        (gzip ? write_gzip : write_file)("a.idx", idx.bytes, idx.count);
        read_array(&array);
        assert_int_equal(array.element, NNRT_ELEMENT_U8);
        assert_int_equal(array.rank, 2);
        assert_int_equal(array.shape[0], 2);
        assert_int_equal(array.shape[1], 3);
        assert_memory_equal(array.data, "\x01\x02\x03\xfd\xfe\xff", 6);
        nnrt_array_free(&array);
        assert_null(array.data);
    }
}

/* Every type, with the big end first in the file. */
static void test_types(void **state) {
    (void)state;
    static const struct {
        unsigned char code;
        nnrt_element element;
        const char *bytes;
        size_t size;
        double value;
    } cases[] = {
        {0x09, NNRT_ELEMENT_I8, "\xfe", 1, -2.0},
        {0x0b, NNRT_ELEMENT_I16, "\x01\x02", 2, 258.0},
        {0x0c, NNRT_ELEMENT_I32, "\xff\xff\xff\xf9", 4, -7.0},
        {0x0d, NNRT_ELEMENT_F32, "\x3f\xc0\x00\x00", 4, 1.5},
        {0x0e, NNRT_ELEMENT_F64, "\xbf\xe0\x00\x00\x00\x00\x00\x00", 8, -0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnrt_array array;
        double value = 0.0;
        Idx idx = make_idx(cases[i].code, 1, (const unsigned char[]){1}, cases[i].bytes, cases[i].size);
        write_file("a.idx", idx.bytes, idx.count);
        read_array(&array);
        assert_int_equal(array.element, cases[i].element);
        switch (array.element) {
#define VALUE_CASE(NAME, ctype)                                                                                        \
    case NNRT_ELEMENT_##NAME: value = (double)*(const ctype *)array.data; break;
            NNRT_ELEMENTS(VALUE_CASE)
        }
        assert_true(value == cases[i].value);
        nnrt_array_free(&array);
    }
}

static void test_no_file(void **state) {
    (void)state;
    expect_failure("a.idx: cannot be opened: No such file or directory");
    nnrt_array array;
    nnrt_error error;
    assert_int_equal(nnrt_idx_read(".", &array, &error), NNRT_FAILED);
    assert_string_equal(error.text, ".: is not a regular file");
}

static void test_bad_headers(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        const char *text;
    } cases[] = {
        {"", 0, "a.idx: ends inside the IDX header"},
        {"\0\0\x08", 3, "a.idx: ends inside the IDX header"},
        {"\0\0\x08\x01\0\0", 6, "a.idx: ends inside the IDX header"},
        {"x1,x2\n1,2\n", 10, "a.idx: is not an IDX file: it begins with 78 31, not 00 00"},
        {"\0\0\x0f\x01", 4,
         "a.idx: IDX type 0x0f is not known; it should be 08 (u8), 09 (i8), 0b (i16), 0c (i32), 0d (f32) or 0e (f64)"},
        {"\0\0\x08\x00", 4, "a.idx: the header says 0 axes; 1 to 9 are possible"},
        {"\0\0\x08\x0a", 4, "a.idx: the header says 10 axes; 1 to 9 are possible"},
        {"\0\0\x08\x01\0\0\0\x05"
         "ab",
         10, "a.idx: the header says shape [5], which takes 5 bytes, but 2 follow; the file is damaged or incomplete"},
        {"\0\0\x08\x01\0\0\0\x01"
         "ab",
         10, "a.idx: the header says shape [1], which takes 1 bytes, but 2 follow; the file is damaged or incomplete"},
        {"\0\0\x0e\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
         "a.idx: shape [4294967295, 4294967295, 4294967295] in the header is larger than any memory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file("a.idx", cases[i].bytes, cases[i].count);
        expect_failure(cases[i].text);
    }
}

/* With gzip the size is only known at the end. */
static void test_gzip_sizes(void **state) {
    (void)state;
    Idx idx = make_idx(0x08, 1, (const unsigned char[]){6}, "abcd", 4);
    write_gzip("a.idx", idx.bytes, idx.count);
    expect_failure("a.idx: ends after 4 of the 6 bytes of data that its header says");
    idx = make_idx(0x08, 1, (const unsigned char[]){3}, "abcd", 4);
    write_gzip("a.idx", idx.bytes, idx.count);
    expect_failure("a.idx: holds more data than its header says; the file is damaged");
    idx = make_idx(0x08, 2, (const unsigned char[]){9, 9}, "abcd", 4);
    idx.bytes[4] = 0x7f; /* more than so small a gzip file can hold */
    write_gzip("a.idx", idx.bytes, idx.count);
    nnrt_array array;
    nnrt_error error;
    assert_int_equal(nnrt_idx_read("a.idx", &array, &error), NNRT_FAILED);
    assert_contains(error.text, "a.idx: the header says shape [2130706441, 9], which takes 19176357969 bytes, but at "
                                "most ");
}

static void test_damaged_gzip(void **state) {
    (void)state;
    unsigned char data[300];
    Idx idx = make_idx(0x08, 1, (const unsigned char[]){40}, "0123456789012345678901234567890123456789", 40);
    write_gzip("a.idx", idx.bytes, idx.count);
    size_t count = 0;
    char *bytes = read_whole("a.idx", &count);
    for (size_t cut = 2; cut < count; cut++) {
        write_file("a.idx", bytes, cut);
        expect_failure("a.idx: the gzip data end too early; copy or download the file again");
    }
    memcpy(data, bytes, count);
    data[count - 8] ^= 1; /* the check sum */
    write_file("a.idx", data, count);
    expect_failure("a.idx: the gzip data are damaged (incorrect data check); copy or download the file again");
    memcpy(data, bytes, count);
    memcpy(data + count, "more", 4);
    write_file("a.idx", data, count + 4);
    expect_failure("a.idx: bytes that are not gzip follow the compressed data");
    free(bytes);
}

/* gzip files may be joined: the data follow each other. */
static void test_joined_gzip(void **state) {
    (void)state;
    unsigned char joined[300];
    size_t first_count = 0, second_count = 0;
    Idx idx = make_idx(0x08, 1, (const unsigned char[]){6}, "abcd", 4);
    write_gzip("first", idx.bytes, idx.count);
    write_gzip("second", "ef", 2);
    char *first = read_whole("first", &first_count), *second = read_whole("second", &second_count);
    memcpy(joined, first, first_count);
    memcpy(joined + first_count, second, second_count);
    write_file("a.idx", joined, first_count + second_count);
    nnrt_array array;
    read_array(&array);
    assert_memory_equal(array.data, "abcdef", 6);
    nnrt_array_free(&array);
    free(first);
    free(second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_types, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_no_file, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_bad_headers, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_gzip_sizes, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_damaged_gzip, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_joined_gzip, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
