/* NPY files, read and written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "npy.h"
#include "support.h"

/* Writes a.npy of version 1 (or 2) with this dictionary and data. */
static void write_npy(int version, const char *dictionary, const void *data, size_t data_count) {
    size_t length = strlen(dictionary);
    unsigned char start[12] = {0x93,
                               'N',
                               'U',
                               'M',
                               'P',
                               'Y',
                               (unsigned char)version,
                               0,
                               (unsigned char)(length & 0xff),
                               (unsigned char)(length >> 8)};
    FILE *file = fopen("a.npy", "wb");
    assert_non_null(file);
    fwrite(start, 1, version == 1 ? 10 : 12, file);
    fwrite(dictionary, 1, length, file);
    fwrite(data, 1, data_count, file);
    assert_int_equal(fclose(file), 0);
}

static void expect_failure(const char *text) {
    nnrt_array array;
    nnrt_error error;
    assert_int_equal(nnrt_npy_read("a.npy", &array, &error), NNRT_FAILED);
    assert_string_equal(error.text, text);
    assert_null(array.data);
}

static void read_array(const char *path, nnrt_array *array) {
    nnrt_error error = {{0}};
    if (nnrt_npy_read(path, array, &error) != NNRT_OK)
        fail_msg("%s", error.text);
}

static void test_versions(void **state) {
    (void)state;
    for (int version = 1; version <= 3; version++) {
        nnrt_array array;
        write_npy(version, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }   \n", "abcdef", 6);
        read_array("a.npy", &array);
        assert_int_equal(array.element, NNRT_ELEMENT_U8);
        assert_int_equal(array.rank, 2);
        assert_int_equal(array.shape[0], 2);
        assert_int_equal(array.shape[1], 3);
        assert_memory_equal(array.data, "abcdef", 6);
        nnrt_array_free(&array);
    }
}

/* The same dictionary in other spellings. */
static void test_spellings(void **state) {
    (void)state;
    static const char *const dictionaries[] = {
        "{'descr':'<i4','fortran_order':False,'shape':(2,)}",
        "{\"shape\": (2,), \"fortran_order\": False, \"descr\": \"<i4\"}",
        "{ 'fortran_order' : True , 'descr' : '<i4' , 'shape' : ( 2 , ) , } \n", /* one axis has no order */
    };
    for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++) {
        nnrt_array array;
        write_npy(1, dictionaries[i], (const int32_t[]){-5, 70000}, 8);
        read_array("a.npy", &array);
        assert_int_equal(array.element, NNRT_ELEMENT_I32);
        assert_int_equal(array.rank, 1);
        assert_int_equal(((const int32_t *)array.data)[0], -5);
        assert_int_equal(((const int32_t *)array.data)[1], 70000);
        nnrt_array_free(&array);
    }
}

/* Files that numpy wrote; see fixtures/make_fixtures.py. */
static void test_numpy_files(void **state) {
    (void)state;
    nnrt_array array;
    read_array(FIXTURES "/f4.npy", &array);
    assert_int_equal(array.element, NNRT_ELEMENT_F32);
    assert_int_equal(array.rank, 3);
    for (int i = 0; i < 24; i++)
        assert_true(((const float *)array.data)[i] == 0.5F * (float)i - 3.0F);
    nnrt_array_free(&array);
    read_array(FIXTURES "/i8.npy", &array);
    assert_int_equal(array.element, NNRT_ELEMENT_I64);
    for (int i = 0; i < 5; i++)
        assert_int_equal(((const int64_t *)array.data)[i], i * i);
    nnrt_array_free(&array);
}

static void test_bad_starts(void **state) {
    (void)state;
    write_text("a.npy", "");
    expect_failure("a.npy: ends inside the NPY header");
    write_text("a.npy", "\x93NUMPY\x01");
    expect_failure("a.npy: ends inside the NPY header");
    write_text("a.npy", "x1,x2,x3\n1,2,3\n");
    expect_failure("a.npy: is not an NPY file: it does not begin with \\x93NUMPY");
    write_npy(4, "{}", "", 0);
    expect_failure("a.npy: NPY version 4 is not known; versions 1, 2 and 3 are");
    write_file("a.npy", "\x93NUMPY\x02\0\xff\xff\xff\xff", 12);
    expect_failure("a.npy: the NPY header has 4294967295 bytes; at most 65536 make sense");
}

static void test_malformed(void **state) {
    (void)state;
    static const char *const dictionaries[] = {
        "",
        "{",
        "{}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
        "{'descr': '<f4', 'fortran_order': Falsey, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': 'a type with a very long name', 'fortran_order': False, 'shape': (1,)}",
    };
    for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++) {
        write_npy(1, dictionaries[i], "abcd", 4);
        expect_failure("a.npy: the NPY header is malformed: it should be {'descr': ..., 'fortran_order': ..., "
                       "'shape': ...} with at most 9 axes");
    }
}

static void test_refused(void **state) {
    (void)state;
    write_npy(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", "abcd", 4);
    expect_failure("a.npy: numbers of type '>f4' are not supported; save array.astype('<f4') or '<i4'");
    write_npy(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (2,)}", "abcd", 4);
    expect_failure("a.npy: numbers of type '<f2' are not supported; save array.astype('<f4') or '<i4'");
    write_npy(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1)}", "abcd", 4);
    expect_failure("a.npy: is in Fortran order; save numpy.ascontiguousarray(array) instead");
    write_npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "abcd", 4);
    expect_failure("a.npy: holds a single number, not samples; its shape is ()");
    write_npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "abcd", 4);
    expect_failure("a.npy: the header says shape [2], which takes 8 bytes, but 4 follow; the file is damaged or "
                   "incomplete");
    write_npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "abcd", 4);
    expect_failure("a.npy: shape [4294967296, 4294967296] in the header is larger than any memory");
}

/* What is written can be read, and the data begin at a multiple of 64. */
static void test_write(void **state) {
    (void)state;
    nnrt_file file;
    nnrt_error error;
    nnrt_array array;
    const float values[6] = {1.5F, -2.0F, 3.0F, 0.0F, 1e-30F, 7.0F};
    assert_int_equal(nnrt_file_open(&file, "b.npy", &error), NNRT_OK);
    nnrt_npy_write_header(&file, NNRT_ELEMENT_F32, 2, (const int64_t[]){3, 2});
    nnrt_file_write(&file, values, sizeof values);
    assert_int_equal(nnrt_file_commit(&file, &error), NNRT_OK);
    size_t count = 0;
    free(read_whole("b.npy", &count));
    assert_int_equal(count % 64, sizeof values % 64);
    read_array("b.npy", &array);
    assert_int_equal(array.rank, 2);
    assert_int_equal(array.shape[0], 3);
    assert_int_equal(array.shape[1], 2);
    assert_memory_equal(array.data, values, sizeof values);
    nnrt_array_free(&array);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_spellings, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_numpy_files, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_bad_starts, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_malformed, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_refused, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_write, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
