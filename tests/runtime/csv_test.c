/* CSV files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support.h"

/* Reads the columns of a.csv, up to four names, and compares the values. */
static void expect_values(const char *text, const char *const *columns, int column_count, int64_t rows,
                          const double *values) {
    nnrt_array array;
    nnrt_error error = {{0}};
    write_text("a.csv", text);
    if (nnrt_csv_read("a.csv", columns, column_count, &array, &error) != NNRT_OK)
        fail_msg("%s", error.text);
    assert_int_equal(array.element, NNRT_ELEMENT_F64);
    assert_int_equal(array.rank, 2);
    assert_int_equal(array.shape[0], rows);
    size_t count = (size_t)(array.shape[0] * array.shape[1]);
    for (size_t i = 0; i < count; i++)
        assert_true(((const double *)array.data)[i] == values[i]);
    nnrt_array_free(&array);
}

static void expect_file_failure(const char *const *columns, int column_count, const char *text) {
    nnrt_array array;
    nnrt_error error;
    assert_int_equal(nnrt_csv_read("a.csv", columns, column_count, &array, &error), NNRT_FAILED);
    assert_string_equal(error.text, text);
    assert_null(array.data);
}

static void expect_failure(const char *file, const char *text) {
    write_text("a.csv", file);
    expect_file_failure((const char *const[]){"x"}, 1, text);
}

static void test_columns(void **state) {
    (void)state;
    const char *text = "name,x,y,z\nAda,1,2.5,-3e2\nBob,4,5,+6.\n";
    expect_values(text, (const char *const[]){"x"}, 1, 2, (const double[]){1, 4});
    expect_values(text, (const char *const[]){"z", "x", "y"}, 3, 2, (const double[]){-300, 1, 2.5, 6, 4, 5});
    expect_values("x,y\n1,2\n3,4\n", NULL, 0, 2, (const double[]){1, 2, 3, 4});
    expect_values("x\n7", (const char *const[]){"x"}, 1, 1, (const double[]){7});
}

static void test_forms(void **state) {
    (void)state;
    const char *const x[] = {"x"};
    const double values[] = {1, 2};
    expect_values("x,y\r\n1,5\r\n2,6\r\n", x, 1, 2, values);
    expect_values("\xef\xbb\xbfx,y\n1,5\n2,6\n", x, 1, 2, values);
    expect_values("\n\nx,y\n\n1,5\n\n\n2,6\n\n", x, 1, 2, values);
    expect_values("y , x \n5, 1 \n6,\t2\n", x, 1, 2, values);
    expect_values("\"x\",\"y\"\n\"1\",\"a,b\"\n\"2\",\"say \"\"no\"\"\nor yes\"\n", x, 1, 2, values);
    expect_values("\"a \"\"b\"\"\"\n1\n2\n", (const char *const[]){"a \"b\""}, 1, 2, values);
}

static void test_gzip(void **state) {
    (void)state;
    nnrt_array array;
    nnrt_error error;
    write_gzip("a.csv", "x\n1\n2\n", 6);
    assert_int_equal(nnrt_csv_read("a.csv", NULL, 0, &array, &error), NNRT_OK);
    assert_int_equal(array.shape[0], 2);
    nnrt_array_free(&array);
}

/* More rows than fit into one buffer of the reader. */
static void test_long_file(void **state) {
    (void)state;
    enum { ROWS = 20000 };
    FILE *file = fopen("a.csv", "w");
    assert_non_null(file);
    fprintf(file, "x,y\n");
    for (int i = 0; i < ROWS; i++)
        fprintf(file, "%d,\"%d\"\n", i, -i);
    fclose(file);
    nnrt_array array;
    nnrt_error error;
    assert_int_equal(nnrt_csv_read("a.csv", NULL, 0, &array, &error), NNRT_OK);
    assert_int_equal(array.shape[0], ROWS);
    for (int i = 0; i < ROWS; i++) {
        assert_true(((const double *)array.data)[2 * i] == i);
        assert_true(((const double *)array.data)[2 * i + 1] == -i);
    }
    nnrt_array_free(&array);
}

static void test_bad_values(void **state) {
    (void)state;
    expect_failure("x,y\n1,2\n,4\n", "a.csv: row 2 (line 3), column \"x\": the value is missing; fill it in or remove "
                                     "the row");
    expect_failure("x,y\n\n1,2\n\n   ,4\n",
                   "a.csv: row 2 (line 5), column \"x\": the value is missing; fill it in or remove the row");
    static const char *const words[] = {"setosa", "nan", "inf", "0x10", "1e999", "1 2", "1.2.3", "--1", "e5", "12abc"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char file[64], text[128];
        snprintf(file, sizeof file, "y,x\n1,%s\n", words[i]);
        snprintf(text, sizeof text, "a.csv: row 1 (line 2), column \"x\": \"%s\" is not a finite number", words[i]);
        expect_failure(file, text);
    }
    expect_failure("x\n\"\x1b[31mred\"\n", "a.csv: row 1 (line 2), column \"x\": \"?[31mred\" is not a finite number");
}

static void test_bad_rows(void **state) {
    (void)state;
    expect_failure("x,y\n1,2\n3\n", "a.csv: row 2 (line 3) has 1 fields, but the header has 2");
    expect_failure("x,y\n1,2,3\n", "a.csv: row 1 (line 2) has 3 fields, but the header has 2");
    expect_failure("x,y\n1,\"2\n3,4\n", "a.csv: the quote opened in line 2 is not closed");
    expect_failure("x,y\n\"1\"2,3\n",
                   "a.csv: line 2: after a closing quote should come a comma or the end of the line");
    expect_failure("", "a.csv: is empty; a CSV file begins with a row of column names");
    expect_failure("\n\n", "a.csv: is empty; a CSV file begins with a row of column names");
    expect_failure("x,y\n", "a.csv: has a header but no rows");
    write_file("a.csv", "x\n1\0002\n", 6);
    expect_file_failure(NULL, 0, "a.csv: line 2 is not text; is this a CSV file?");
    write_file("a.csv", "x\n\"1\0002\"\n", 8);
    expect_file_failure(NULL, 0, "a.csv: line 2 is not text; is this a CSV file?");
}

/* A line that never ends is given up, not read into memory without bound. */
static void test_endless_line(void **state) {
    (void)state;
    const size_t count = (size_t)17 << 20;
    char *bytes = malloc(count);
    assert_non_null(bytes);
    memset(bytes, '1', count);
    memcpy(bytes, "x\n", 2);
    write_file("a.csv", bytes, count);
    expect_file_failure(NULL, 0, "a.csv: line 2 is not text; is this a CSV file?");
    free(bytes);
}

static void test_bad_names(void **state) {
    (void)state;
    const char *const length[] = {"sepal lenght"};
    write_text("a.csv", "sepal length,sepal width\n1,2\n");
    expect_file_failure(length, 1,
                        "a.csv: has no column \"sepal lenght\"; did you mean \"sepal length\"?; its header "
                        "has \"sepal length\", \"sepal width\"");
    write_text("a.csv", "a;b;c\n1;2;3\n");
    expect_file_failure(
        length, 1, "a.csv: has no column \"sepal lenght\"; its header has \"a;b;c\"; separate the columns by commas");
    expect_failure("x,y,x\n1,2,3\n", "a.csv: the header has 2 columns named \"x\"; rename them");
    expect_failure("a,b,c,d,e,f,g,h,i,j,k,l,m,n\n1\n",
                   "a.csv: has no column \"x\"; its header has \"a\", \"b\", \"c\", \"d\", \"e\", "
                   "\"f\", \"g\", \"h\", \"i\", \"j\", \"k\", \"l\" and 2 more");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_columns, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_forms, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_gzip, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_long_file, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_bad_values, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_bad_rows, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_endless_line, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_bad_names, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
