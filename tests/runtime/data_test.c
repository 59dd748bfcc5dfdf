/* Data of a model: shapes, values, synthetic sources, splits. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "column.h"
#include "npy.h"
#include "support.h"

static const nnrt_field image_field = {"image", NNRT_REAL32, 3, {1, 2, 3}, 0};
static const nnrt_field point_field = {"point", NNRT_REAL64, 1, {2}, 0};
static const nnrt_field value_field = {"value", NNRT_REAL32, 0, {0}, 0};
static const nnrt_field label_field = {"label", NNRT_INT32, 0, {0}, 10};
static const nnrt_field count_field = {"count", NNRT_INT32, 0, {0}, 0};

/* Writes NAME.npy. */
static void write_npy(const char *path, nnrt_element element, int rank, const int64_t *shape, const void *data,
                      size_t bytes) {
    nnrt_file file;
    assert_int_equal(nnrt_file_open(&file, path, NULL), NNRT_OK);
    nnrt_npy_write_header(&file, element, rank, shape);
    nnrt_file_write(&file, data, bytes);
    assert_int_equal(nnrt_file_commit(&file, NULL), NNRT_OK);
}

static void expect_failure(const nnrt_field *field, const nnrt_source *source, const char *text) {
    nnrt_column column;
    nnrt_error error;
    assert_int_equal(nnrt_column_load(&column, field, source, "training", NULL, &error), NNRT_FAILED);
    assert_string_equal(error.text, text);
    assert_null(column.array.data);
}

static void load_column(nnrt_column *column, const nnrt_field *field, const nnrt_source *source) {
    nnrt_error error = {{0}};
    if (nnrt_column_load(column, field, source, "training", NULL, &error) != NNRT_OK)
        fail_msg("%s", error.text);
}

/* --- Files --- */

/* Axes of length one make no difference; scale and shift are applied on the way out. */
static void test_shapes(void **state) {
    (void)state;
    static const int64_t shapes[][4] = {{2, 2, 3}, {2, 1, 2, 3}, {2, 2, 3, 1}};
    static const int ranks[] = {3, 4, 4};
    const unsigned char data[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255};
    const nnrt_source source = {.kind = NNRT_SOURCE_NPY, .path = "a.npy", .scale = 0.5, .shift = 1.0};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        nnrt_column column;
        float values[12];
        write_npy("a.npy", NNRT_ELEMENT_U8, ranks[i], shapes[i], data, sizeof data);
        load_column(&column, &image_field, &source);
        nnrt_column_copy(&column, (const int64_t[]){1, 0}, 0, 2, values);
        assert_true(values[0] == 4.0F);
        assert_true(values[5] == 128.5F);
        assert_true(values[6] == 1.0F);
        nnrt_column_copy(&column, NULL, 1, 1, values);
        assert_true(values[0] == 4.0F);
        nnrt_column_free(&column);
    }
    write_npy("a.npy", NNRT_ELEMENT_U8, 3, (const int64_t[]){2, 3, 2}, data, sizeof data);
    expect_failure(&image_field, &source, "a.npy: its samples have shape [3, 2], but image wants [1, 2, 3]");
    write_npy("a.npy", NNRT_ELEMENT_U8, 1, (const int64_t[]){12}, data, sizeof data);
    expect_failure(&image_field, &source, "a.npy: its samples have shape [], but image wants [1, 2, 3]");
    write_npy("a.npy", NNRT_ELEMENT_U8, 3, (const int64_t[]){0, 2, 3}, data, 0);
    expect_failure(&image_field, &source, "a.npy: holds no samples");
}

/* Without a scale, the numbers are as they are. */
static void test_no_scale(void **state) {
    (void)state;
    nnrt_column column;
    float value = 0.0F;
    write_npy("a.npy", NNRT_ELEMENT_F64, 1, (const int64_t[]){1}, (const double[]){2.5}, 8);
    load_column(&column, &value_field, &(nnrt_source){.kind = NNRT_SOURCE_NPY, .path = "a.npy"});
    nnrt_column_copy(&column, NULL, 0, 1, &value);
    assert_true(value == 2.5F);
    nnrt_column_free(&column);
}

static void test_csv_width(void **state) {
    (void)state;
    const char *const columns[] = {"a", "b", "c"};
    const nnrt_source source = {.kind = NNRT_SOURCE_CSV, .path = "a.csv", .columns = columns, .column_count = 3};
    nnrt_column column;
    float values[6];
    write_text("a.csv", "a,b,c,d,e,f\n1,2,3,4,5,6\n");
    expect_failure(&image_field, &source,
                   "a.csv: 3 columns for image, which wants 6 numbers per sample (shape [1, 2, 3]); name as many "
                   "columns");
    load_column(&column, &image_field, &(nnrt_source){.kind = NNRT_SOURCE_CSV, .path = "a.csv"});
    nnrt_column_copy(&column, NULL, 0, 1, values);
    assert_true(values[5] == 6.0F);
    nnrt_column_free(&column);
}

static void test_missing_file(void **state) {
    (void)state;
    const nnrt_source source = {.kind = NNRT_SOURCE_IDX, .path = "train.gz"};
    nnrt_column column;
    nnrt_error error;
    expect_failure(&value_field, &source,
                   "train.gz: data of value cannot be read: No such file or directory; --data DIR says where the data "
                   "files are");
    assert_int_equal(nnrt_column_load(&column, &value_field, &source, "training", "mnist", &error), NNRT_FAILED);
    assert_string_equal(error.text, "mnist/train.gz: data of value cannot be read: No such file or directory; --data "
                                    "DIR says where the data files are");
}

static void test_classes(void **state) {
    (void)state;
    const nnrt_source source = {.kind = NNRT_SOURCE_NPY, .path = "a.npy"};
    nnrt_column column;
    int32_t labels[3];
    write_npy("a.npy", NNRT_ELEMENT_I64, 1, (const int64_t[]){3}, (const int64_t[]){9, 0, 4}, 24);
    load_column(&column, &label_field, &source);
    nnrt_column_copy(&column, NULL, 0, 3, labels);
    assert_int_equal(labels[0], 9);
    assert_int_equal(labels[2], 4);
    nnrt_column_free(&column);
    write_npy("a.npy", NNRT_ELEMENT_I64, 1, (const int64_t[]){3}, (const int64_t[]){9, 10, 4}, 24);
    expect_failure(&label_field, &source, "a.npy: row 2 of 3 holds 10, but label wants whole numbers from 0 to 9");
    write_npy("a.npy", NNRT_ELEMENT_I8, 1, (const int64_t[]){3}, (const int8_t[]){9, 1, -1}, 3);
    expect_failure(&label_field, &source, "a.npy: row 3 of 3 holds -1, but label wants whole numbers from 0 to 9");
    write_npy("a.npy", NNRT_ELEMENT_F32, 1, (const int64_t[]){2}, (const float[]){2.5F, 1.0F}, 8);
    expect_failure(&label_field, &source, "a.npy: row 1 of 2 holds 2.5, but label wants whole numbers from 0 to 9");
    write_npy("a.npy", NNRT_ELEMENT_F32, 1, (const int64_t[]){2}, (const float[]){1.0F, NAN}, 8);
    expect_failure(&label_field, &source, "a.npy: row 2 of 2 holds nan, but label wants whole numbers from 0 to 9");
    write_npy("a.npy", NNRT_ELEMENT_I64, 1, (const int64_t[]){1}, (const int64_t[]){3000000000}, 8);
    expect_failure(&count_field, &source,
                   "a.npy: row 1 of 1 holds 3e+09, but count wants whole numbers from -2147483648 to 2147483647");
}

static void test_not_finite(void **state) {
    (void)state;
    const nnrt_source source = {.kind = NNRT_SOURCE_NPY, .path = "a.npy"};
    write_npy("a.npy", NNRT_ELEMENT_F32, 2, (const int64_t[]){2, 2}, (const float[]){1, 2, 3, INFINITY}, 16);
    expect_failure(&point_field, &source,
                   "a.npy: row 2 of 2 holds inf, which is not a finite number; point cannot use it");
    write_npy("a.npy", NNRT_ELEMENT_F64, 2, (const int64_t[]){1, 2}, (const double[]){NAN, 2}, 16);
    expect_failure(&point_field, &source,
                   "a.npy: row 1 of 1 holds nan, which is not a finite number; point cannot use it");
}

/* Doubles that floats do not hold, before or behind the scale. */
static void test_too_large(void **state) {
    (void)state;
    nnrt_source source = {.kind = NNRT_SOURCE_NPY, .path = "a.npy"};
    write_npy("a.npy", NNRT_ELEMENT_F64, 1, (const int64_t[]){2}, (const double[]){1, -1e39}, 16);
    expect_failure(&value_field, &source, "a.npy: row 2 of 2 holds -1e+39, which is too large; value cannot use it");
    write_npy("a.npy", NNRT_ELEMENT_F32, 1, (const int64_t[]){2}, (const float[]){3e30F, 4}, 8);
    source.scale = 1e9;
    expect_failure(&value_field, &source, "a.npy: row 1 of 2 holds 3e+30, which is too large; value cannot use it");
}

/* --- Synthetic data --- */

static void test_grid(void **state) {
    (void)state;
    const nnrt_source source = {.kind = NNRT_SOURCE_GRID, .low = -1.0, .high = 1.0, .count = 3};
    static const double expected[9][2] = {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1}, {0, 0}, {0, 1}, {1, -1}, {1, 0}, {1, 1}};
    nnrt_column column;
    double values[9][2];
    load_column(&column, &point_field, &source);
    assert_int_equal(column.array.shape[0], 9);
    nnrt_column_copy(&column, NULL, 0, 9, values);
    assert_memory_equal(values, expected, sizeof expected);
    nnrt_column_free(&column);
    load_column(&column, &point_field, &(nnrt_source){.kind = NNRT_SOURCE_GRID, .low = 5.0, .high = 7.0, .count = 1});
    nnrt_column_copy(&column, NULL, 0, 1, values);
    assert_true(values[0][0] == 5.0 && values[0][1] == 5.0);
    nnrt_column_free(&column);
}

/* Mean, deviation and range of 20000 numbers. */
typedef struct Statistics {
    double mean, deviation, low, high;
} Statistics;

enum { DRAWN = 20000 };

static Statistics draw_statistics(const nnrt_source *source) {
    nnrt_column column;
    Statistics result = {0, 0, INFINITY, -INFINITY};
    load_column(&column, &value_field, source);
    assert_int_equal(column.array.shape[0], DRAWN);
    const double *values = column.array.data;
    for (int i = 0; i < DRAWN; i++) {
        result.mean += values[i] / DRAWN;
        result.low = fmin(result.low, values[i]);
        result.high = fmax(result.high, values[i]);
    }
    for (int i = 0; i < DRAWN; i++)
        result.deviation += (values[i] - result.mean) * (values[i] - result.mean) / DRAWN;
    result.deviation = sqrt(result.deviation);
    nnrt_column_free(&column);
    return result;
}

static void test_random(void **state) {
    (void)state;
    Statistics uniform = draw_statistics(
        &(nnrt_source){.kind = NNRT_SOURCE_UNIFORM, .low = 2.0, .high = 4.0, .count = DRAWN, .seed = 3});
    assert_true(uniform.low >= 2.0 && uniform.low < 2.01 && uniform.high < 4.0 && uniform.high > 3.99);
    assert_true(fabs(uniform.mean - 3.0) < 0.02 && fabs(uniform.deviation - sqrt(1.0 / 3.0)) < 0.01);
    Statistics normal = draw_statistics(
        &(nnrt_source){.kind = NNRT_SOURCE_NORMAL, .low = -1.0, .high = 0.5, .count = DRAWN, .seed = 3});
    assert_true(fabs(normal.mean + 1.0) < 0.02 && fabs(normal.deviation - 0.5) < 0.01);
}

/* The first number that a field draws. */
static double first_drawn(const nnrt_field *field, uint64_t seed, const char *split) {
    const nnrt_source source = {.kind = NNRT_SOURCE_UNIFORM, .high = 1.0, .count = 4, .seed = seed};
    nnrt_column column;
    assert_int_equal(nnrt_column_load(&column, field, &source, split, NULL, NULL), NNRT_OK);
    double value = *(const double *)column.array.data;
    nnrt_column_free(&column);
    return value;
}

/* The same seed gives the same numbers, but not for another field or split. */
static void test_seeds(void **state) {
    (void)state;
    double value = first_drawn(&value_field, 5, "training");
    assert_true(value == first_drawn(&value_field, 5, "training"));
    assert_true(value != first_drawn(&value_field, 6, "training"));
    assert_true(value != first_drawn(&point_field, 5, "training"));
    assert_true(value != first_drawn(&value_field, 5, "validation"));
}

static void test_random_classes(void **state) {
    (void)state;
    const nnrt_source source = {.kind = NNRT_SOURCE_UNIFORM, .low = 0.0, .high = 9.0, .count = DRAWN};
    nnrt_column column;
    static int32_t labels[DRAWN];
    int seen[10] = {0};
    load_column(&column, &label_field, &source);
    nnrt_column_copy(&column, NULL, 0, DRAWN, labels);
    for (int i = 0; i < DRAWN; i++)
        seen[labels[i]]++;
    for (int k = 0; k < 10; k++)
        assert_in_range(seen[k], DRAWN / 10 - 200, DRAWN / 10 + 200);
    nnrt_column_free(&column);
}

static void test_bad_synthetic(void **state) {
    (void)state;
    expect_failure(&value_field, &(nnrt_source){.kind = NNRT_SOURCE_GRID, .high = 1.0},
                   "data of value: the count is 0; it must be at least 1");
    expect_failure(&value_field, &(nnrt_source){.kind = NNRT_SOURCE_UNIFORM, .high = INFINITY, .count = 1},
                   "data of value: 0 and inf must be finite");
    expect_failure(&point_field, &(nnrt_source){.kind = NNRT_SOURCE_GRID, .high = 1.0, .count = INT64_MAX},
                   "data of point: a grid of 9223372036854775807 points along each of 2 axes is larger than any "
                   "memory");
    expect_failure(&label_field, &(nnrt_source){.kind = NNRT_SOURCE_GRID, .high = 1.0, .count = 2},
                   "data of label: a grid or normal distribution makes real numbers, but label wants whole ones; use "
                   "uniform");
    expect_failure(&label_field, &(nnrt_source){.kind = NNRT_SOURCE_UNIFORM, .low = 0.2, .high = 0.8, .count = 2},
                   "data of label: there are no 32-bit whole numbers from 0.2 to 0.8");
    expect_failure(&label_field, &(nnrt_source){.kind = NNRT_SOURCE_UNIFORM, .low = 10, .high = 10, .count = 2},
                   "generated data: row 1 of 2 holds 10, but label wants whole numbers from 0 to 9");
    expect_failure(&(nnrt_field){"empty", NNRT_REAL32, 2, {3, 0}, 0},
                   &(nnrt_source){.kind = NNRT_SOURCE_GRID, .high = 1.0, .count = 2},
                   "empty has shape [3, 0], which holds nothing");
}

/* --- Splits --- */

static const nnrt_field inputs[] = {{"x", NNRT_REAL64, 0, {0}, 0}};
static const nnrt_field targets[] = {{"y", NNRT_REAL64, 0, {0}, 0}};
static const nnrt_model model = {
    .name = "toy", .batch = 4, .inputs = inputs, .targets = targets, .input_count = 1, .target_count = 1};

enum { SAMPLES = 50 };
static const nnrt_source grid_sources[] = {
    {.field = "x", .kind = NNRT_SOURCE_GRID, .high = SAMPLES - 1, .count = SAMPLES},
    {.field = "y", .kind = NNRT_SOURCE_GRID, .high = SAMPLES - 1, .count = SAMPLES},
};
static const nnrt_source short_sources[] = {
    {.field = "x", .kind = NNRT_SOURCE_GRID, .high = 1, .count = SAMPLES},
    {.field = "y", .kind = NNRT_SOURCE_GRID, .high = 1, .count = 7},
};

static void test_samples_agree(void **state) {
    (void)state;
    nnrt_data *data = NULL;
    nnrt_error error;
    assert_int_equal(nnrt_data_load(&data, &model, &(nnrt_split){short_sources, 2}, "training", NULL,
                                    NNRT_INPUTS_AND_TARGETS, &error),
                     NNRT_FAILED);
    assert_string_equal(error.text, "training data: x has 50 samples, but y has 7; they must be the same samples in "
                                    "the same order");
    assert_int_equal(
        nnrt_data_load(&data, &model, &(nnrt_split){short_sources, 1}, "test", NULL, NNRT_INPUTS_AND_TARGETS, &error),
        NNRT_FAILED);
    assert_string_equal(error.text, "test data: nothing is given for y");
    assert_int_equal(nnrt_data_load(&data, &model, &(nnrt_split){short_sources, 2}, "test", NULL, NNRT_INPUTS, &error),
                     NNRT_OK);
    assert_int_equal(nnrt_data_samples(data), SAMPLES);
    nnrt_data_free(data);
}

static const int all_parts[NNRT_PARTS] = {1, 1, 1};

/* Every sample belongs to one part; each part is in ascending order. */
static void test_fractions(void **state) {
    (void)state;
    const nnrt_recipe recipe = {.train = {grid_sources, 2}, .validate_fraction = 0.1, .test_fraction = 0.3};
    nnrt_datasets a, b, other;
    int seen[SAMPLES] = {0};
    assert_int_equal(nnrt_datasets_load(&a, &model, &recipe, 7, NULL, all_parts, NNRT_INPUTS_AND_TARGETS, NULL),
                     NNRT_OK);
    assert_int_equal(a.parts[NNRT_TRAIN].rows.count, 30);
    assert_int_equal(a.parts[NNRT_VALIDATE].rows.count, 5);
    assert_int_equal(a.parts[NNRT_TEST].rows.count, 15);
    for (int part = 0; part < NNRT_PARTS; part++) {
        const nnrt_rows *rows = &a.parts[part].rows;
        for (int64_t i = 0; i < rows->count; i++) {
            seen[rows->index[i]]++;
            assert_true(i == 0 || rows->index[i] > rows->index[i - 1]);
        }
    }
    for (int i = 0; i < SAMPLES; i++)
        assert_int_equal(seen[i], 1);
    /* The same seed cuts the same, even if only one part is wanted; another seed does not. */
    const int only_test[NNRT_PARTS] = {[NNRT_TEST] = 1};
    assert_int_equal(nnrt_datasets_load(&b, &model, &recipe, 7, NULL, only_test, NNRT_INPUTS, NULL), NNRT_OK);
    assert_int_equal(nnrt_datasets_load(&other, &model, &recipe, 8, NULL, only_test, NNRT_INPUTS, NULL), NNRT_OK);
    assert_memory_equal(a.parts[NNRT_TEST].rows.index, b.parts[NNRT_TEST].rows.index, 15 * sizeof(int64_t));
    assert_memory_not_equal(a.parts[NNRT_TEST].rows.index, other.parts[NNRT_TEST].rows.index, 15 * sizeof(int64_t));
    nnrt_datasets_free(&a);
    nnrt_datasets_free(&b);
    nnrt_datasets_free(&other);
}

/* Sources of its own come before a fraction; a part that is not wanted is not read. */
static void test_own_sources(void **state) {
    (void)state;
    const nnrt_source missing[] = {{.field = "x", .kind = NNRT_SOURCE_NPY, .path = "missing.npy"}};
    const nnrt_recipe recipe = {
        .train = {grid_sources, 2}, .validate = {grid_sources, 2}, .test = {missing, 1}, .validate_fraction = 0.5};
    const int wanted[NNRT_PARTS] = {1, 1, 0};
    nnrt_datasets datasets;
    assert_int_equal(nnrt_datasets_load(&datasets, &model, &recipe, 7, NULL, wanted, NNRT_INPUTS_AND_TARGETS, NULL),
                     NNRT_OK);
    assert_int_equal(datasets.parts[NNRT_TRAIN].rows.count, SAMPLES);
    assert_null(datasets.parts[NNRT_TRAIN].rows.index);
    assert_int_equal(datasets.parts[NNRT_VALIDATE].rows.count, SAMPLES);
    assert_null(datasets.parts[NNRT_TEST].data);
    nnrt_datasets_free(&datasets);
}

static void test_bad_fractions(void **state) {
    (void)state;
    static const struct {
        double validate, test;
        const char *text;
    } cases[] = {
        {1.5, 0.0, "validation data: the fraction is 1.5; it must be from 0 to below 1"},
        {0.1, -0.1, "test data: the fraction is -0.1; it must be from 0 to below 1"},
        {0.001, 0.0, "validation data: 0.001 of 50 samples is less than one"},
        {0.5, 0.5, "training data: validation and test take all of the 50 samples"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nnrt_recipe recipe = {
            .train = {grid_sources, 2}, .validate_fraction = cases[i].validate, .test_fraction = cases[i].test};
        nnrt_datasets datasets;
        nnrt_error error;
        assert_int_equal(
            nnrt_datasets_load(&datasets, &model, &recipe, 7, NULL, all_parts, NNRT_INPUTS_AND_TARGETS, &error),
            NNRT_FAILED);
        assert_string_equal(error.text, cases[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shapes, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_no_scale, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_csv_width, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_missing_file, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_classes, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_not_finite, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_too_large, enter_folder, leave_folder),
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_random_classes),
        cmocka_unit_test(test_bad_synthetic),
        cmocka_unit_test(test_samples_agree),
        cmocka_unit_test(test_fractions),
        cmocka_unit_test_setup_teardown(test_own_sources, enter_folder, leave_folder),
        cmocka_unit_test(test_bad_fractions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
