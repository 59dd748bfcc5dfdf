/* Batches: order, rest, resumption in the middle of a pass, and the thread that prepares them. */
#include <stdlib.h>
#include <string.h>
#include "support.h"

/* Samples that carry their number in every element. WIDE batches are filled by a thread, narrow ones by the caller. */
enum { SAMPLES = 103, BATCH = 8, NARROW = 2, WIDE = 4096 };

typedef struct Fixture {
    nnrt_model model;
    nnrt_field input, target;
    nnrt_source sources[2];
    nnrt_datasets datasets;
} Fixture;

static void open_fixture(Fixture *fixture, int64_t width) {
    *fixture = (Fixture){
        .input = {"x", NNRT_REAL32, 1, {width}, 0},
        .target = {"y", NNRT_INT32, 0, {0}, 0},
    };
    fixture->model = (nnrt_model){.name = "toy",
                                  .batch = BATCH,
                                  .inputs = &fixture->input,
                                  .targets = &fixture->target,
                                  .input_count = 1,
                                  .target_count = 1};
    fixture->sources[0] = (nnrt_source){.field = "x", .kind = NNRT_SOURCE_IDX, .path = "x.idx"};
    fixture->sources[1] = (nnrt_source){.field = "y", .kind = NNRT_SOURCE_IDX, .path = "y.idx"};
    const nnrt_recipe recipe = {.train = {fixture->sources, 2}};
    const int wanted[NNRT_PARTS] = {1, 0, 0};
    assert_int_equal(nnrt_datasets_load(&fixture->datasets, &fixture->model, &recipe, 1, NULL, wanted,
                                        NNRT_INPUTS_AND_TARGETS, NULL),
                     NNRT_OK);
}

static void write_samples(int width) {
    size_t count = 12 + (size_t)SAMPLES * (size_t)width;
    unsigned char *bytes = calloc(count, 1);
    assert_non_null(bytes);
    memcpy(bytes,
           (const unsigned char[]){0, 0, 8, 2, 0, 0, 0, SAMPLES, 0, 0, (unsigned char)(width >> 8),
                                   (unsigned char)(width & 0xff)},
           12);
    for (int i = 0; i < SAMPLES * width; i++)
        bytes[12 + i] = (unsigned char)(i / width);
    write_file("x.idx", bytes, count);
    unsigned char labels[8 + SAMPLES] = {0, 0, 8, 1, 0, 0, 0, SAMPLES};
    for (int i = 0; i < SAMPLES; i++)
        labels[8 + i] = (unsigned char)i;
    write_file("y.idx", labels, sizeof labels);
    free(bytes);
}

/* Runs a pass and notes the samples in order, checking that all elements of input and target belong together. */
static int collect(nnrt_batches *batches, int64_t width, int64_t epoch, int64_t first, int *order, int *sizes) {
    int count = 0, number = 0;
    nnrt_batches_start(batches, epoch, first);
    for (const nnrt_batch *batch; (batch = nnrt_batches_next(batches)) != NULL; number++) {
        const float *x = batch->inputs[0];
        const int32_t *y = batch->targets[0];
        sizes[number] = batch->n;
        for (int i = 0; i < batch->n; i++) {
            for (int64_t k = 0; k < width; k++)
                assert_true((int)x[i * width + k] == y[i]);
            order[count++] = y[i];
        }
    }
    assert_null(nnrt_batches_next(batches));
    return count;
}

static void check_in_order(int width, nnrt_rest rest, int expected, int last_size) {
    Fixture fixture;
    nnrt_batches *batches = NULL;
    int order[SAMPLES], sizes[SAMPLES];
    const nnrt_batch_plan plan = {.batch = BATCH, .rest = rest};
    write_samples(width);
    open_fixture(&fixture, width);
    assert_int_equal(nnrt_batches_open(&batches, &fixture.datasets.parts[NNRT_TRAIN], &plan, NULL), NNRT_OK);
    assert_null(nnrt_batches_next(batches)); /* nothing was started */
    assert_int_equal(collect(batches, width, 0, 0, order, sizes), expected);
    for (int i = 0; i < expected; i++)
        assert_int_equal(order[i], i);
    assert_int_equal(sizes[nnrt_batches_count(batches) - 1], last_size);
    nnrt_batches_close(batches);
    nnrt_datasets_free(&fixture.datasets);
}

static void test_in_order(void **state) {
    (void)state;
    static const int widths[] = {NARROW, WIDE};
    for (int i = 0; i < 2; i++) {
        check_in_order(widths[i], NNRT_REST_SHORT, SAMPLES, SAMPLES % BATCH);
        check_in_order(widths[i], NNRT_REST_DROP, SAMPLES - SAMPLES % BATCH, BATCH);
        check_in_order(widths[i], NNRT_REST_FILL, SAMPLES, SAMPLES % BATCH);
    }
}

/* REST_FILL repeats the last sample behind those that count. */
static void test_fill(void **state) {
    (void)state;
    Fixture fixture;
    nnrt_batches *batches = NULL;
    const nnrt_batch_plan plan = {.batch = BATCH, .rest = NNRT_REST_FILL};
    const nnrt_batch *batch = NULL;
    write_samples(NARROW);
    open_fixture(&fixture, NARROW);
    assert_int_equal(nnrt_batches_open(&batches, &fixture.datasets.parts[NNRT_TRAIN], &plan, NULL), NNRT_OK);
    nnrt_batches_start(batches, 0, SAMPLES / BATCH);
    batch = nnrt_batches_next(batches);
    assert_int_equal(batch->n, SAMPLES % BATCH);
    for (int i = SAMPLES % BATCH; i < BATCH; i++) {
        assert_int_equal(((const int32_t *)batch->targets[0])[i], SAMPLES - 1);
        assert_true((int)((const float *)batch->inputs[0])[i * NARROW] == SAMPLES - 1);
    }
    nnrt_batches_close(batches);
    nnrt_datasets_free(&fixture.datasets);
}

static void check_shuffled(int width) {
    Fixture fixture;
    nnrt_batches *batches = NULL;
    int first[SAMPLES], again[SAMPLES], second[SAMPLES], rest[SAMPLES], sizes[SAMPLES], seen[SAMPLES] = {0};
    const nnrt_batch_plan plan = {.batch = BATCH, .rest = NNRT_REST_SHORT, .shuffle = 1, .seed = 9};
    write_samples(width);
    open_fixture(&fixture, width);
    assert_int_equal(nnrt_batches_open(&batches, &fixture.datasets.parts[NNRT_TRAIN], &plan, NULL), NNRT_OK);
    collect(batches, width, 4, 0, first, sizes);
    collect(batches, width, 5, 0, second, sizes);
    collect(batches, width, 4, 0, again, sizes);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
    for (int i = 0; i < SAMPLES; i++)
        seen[first[i]]++;
    for (int i = 0; i < SAMPLES; i++)
        assert_int_equal(seen[i], 1);
    /* A pass that begins in the middle brings what was left. */
    assert_int_equal(collect(batches, width, 4, 3, rest, sizes), SAMPLES - 3 * BATCH);
    assert_memory_equal(rest, first + 3 * BATCH, (SAMPLES - 3 * BATCH) * sizeof *rest);
    assert_int_equal(collect(batches, width, 4, nnrt_batches_count(batches), rest, sizes), 0);
    nnrt_batches_close(batches);
    nnrt_datasets_free(&fixture.datasets);
}

static void test_shuffled(void **state) {
    (void)state;
    check_shuffled(NARROW);
    check_shuffled(WIDE);
}

/* Passes given up at every point; the thread must always come home. */
static void test_given_up(void **state) {
    (void)state;
    Fixture fixture;
    nnrt_batches *batches = NULL;
    const nnrt_batch_plan plan = {.batch = BATCH, .rest = NNRT_REST_SHORT, .shuffle = 1};
    write_samples(WIDE);
    open_fixture(&fixture, WIDE);
    for (int taken = 0; taken < 14; taken++) {
        assert_int_equal(nnrt_batches_open(&batches, &fixture.datasets.parts[NNRT_TRAIN], &plan, NULL), NNRT_OK);
        nnrt_batches_start(batches, 0, 0);
        for (int i = 0; i < taken; i++)
            nnrt_batches_next(batches);
        if (taken % 2 == 0) {
            nnrt_batches_start(batches, 1, 0);
            assert_non_null(nnrt_batches_next(batches));
        }
        nnrt_batches_close(batches);
    }
    nnrt_datasets_free(&fixture.datasets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_order, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_fill, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_shuffled, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(test_given_up, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
