/* The history as CSV, and the plot. */
#include "history.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "linear_model.h"
#include "support.h"

static void add_epoch(nnrt_history *history, double epoch, double train, double validation, double distance) {
    double *row = nnrt_history_add(history);
    assert_non_null(row);
    row[NNRT_HISTORY_EPOCH] = epoch;
    row[NNRT_HISTORY_STEP] = 12.0 * epoch;
    row[NNRT_HISTORY_TRAIN] = train;
    row[NNRT_HISTORY_VALIDATION] = validation;
    row[NNRT_HISTORY_METRICS] = distance;
}

static void test_print(void **state) {
    (void)state;
    nnrt_history history = nnrt_history_new(&linear_model, true);
    nnrt_text text = {0};
    add_epoch(&history, 1, 0.5, 0.25, 0.1);
    add_epoch(&history, 2, 0.125, NAN, 1e-300);
    nnrt_history_print(&history, SIZE_MAX, &text);
    assert_string_equal(text.bytes, "epoch,step,train_loss,validation_loss,distance\n"
                                    "1,12,0.5,0.25,0.1\n"
                                    "2,24,0.125,nan,1e-300\n");
    nnrt_text_free(&text);
    history.validated = false;
    nnrt_history_print(&history, SIZE_MAX, &text);
    assert_string_equal(text.bytes, "epoch,step,train_loss,validation_loss,distance\n"
                                    "1,12,0.5,,\n"
                                    "2,24,0.125,,\n");
    nnrt_text_free(&text);
    nnrt_history_free(&history);
}

/* Reading back gives the same bits. */
static void test_parse(void **state) {
    (void)state;
    nnrt_history history = nnrt_history_new(&linear_model, true), parsed = nnrt_history_new(&linear_model, true);
    nnrt_text text = {0};
    for (int i = 1; i <= 100; i++)
        add_epoch(&history, i, 1.0 / i, sqrt(i), exp(-i));
    nnrt_history_print(&history, SIZE_MAX, &text);
    assert_true(nnrt_history_parse(&parsed, text.bytes));
    assert_int_equal(parsed.count, 100);
    assert_memory_equal(parsed.values, history.values, 100 * nnrt_history_width(&history) * sizeof(double));
    nnrt_text_free(&text);
    nnrt_history_free(&history);
    nnrt_history_free(&parsed);
}

/* A long history loses its oldest rows, never part of one. */
static void test_shortened(void **state) {
    (void)state;
    nnrt_history history = nnrt_history_new(&linear_model, false);
    for (int i = 1; i <= 9; i++)
        add_epoch(&history, i, 0.5, NAN, NAN);
    static const struct {
        size_t most_bytes;
        const char *rows;
    } cases[] = {
        {25, "8,96,0.5,,\n9,108,0.5,,\n"},
        {23, "8,96,0.5,,\n9,108,0.5,,\n"},
        {22, "9,108,0.5,,\n"},
        {12, "9,108,0.5,,\n"},
        {11, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nnrt_text text = {0};
        nnrt_history_print(&history, cases[i].most_bytes, &text);
        assert_string_equal(strchr(text.bytes, '\n') + 1, cases[i].rows);
        nnrt_text_free(&text);
    }
    nnrt_history_free(&history);
}

static void test_bad_texts(void **state) {
    (void)state;
    static const char *const rows[] = {
        "x",
        "1,12,0.5,,",
        "1,12,0.5,\n",
        "1,12,0.5,,,\n",
        "1,12,half,,\n",
        "0,12,0.5,,\n",
        "1.5,12,0.5,,\n",
        ",12,0.5,,\n",
        "1,,0.5,,\n",
        "1,-1,0.5,,\n",
        "nan,12,0.5,,\n",
        "1e300,12,0.5,,\n",
        "1,12,0.5,,\n3,36,0.5,,\n",
        "1,12,0.5,,\n1,12,0.5,,\n",
    };
    nnrt_history history = nnrt_history_new(&linear_model, false);
    assert_false(nnrt_history_parse(&history, ""));
    assert_false(nnrt_history_parse(&history, "epoch,step,train_loss,validation_loss,accuracy\n"));
    assert_true(nnrt_history_parse(&history, "epoch,step,train_loss,validation_loss,distance\n"));
    nnrt_history_free(&history);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200] = "epoch,step,train_loss,validation_loss,distance\n";
        history = nnrt_history_new(&linear_model, false);
        strcat(text, rows[i]);
        assert_false(nnrt_history_parse(&history, text));
        nnrt_history_free(&history);
    }
}

/* --- Plot --- */

/* The plot of these losses; to be freed. */
static char *plot(const double *train, const double *validation, int count, int64_t best_epoch) {
    nnrt_history history = nnrt_history_new(&linear_model, validation != NULL);
    nnrt_text svg = {0};
    for (int i = 0; i < count; i++)
        add_epoch(&history, i + 1, train[i], validation == NULL ? NAN : validation[i], 0.0);
    nnrt_plot_print(&history, "a < b & c", best_epoch, &svg);
    assert_false(svg.failed);
    nnrt_history_free(&history);
    assert_contains(svg.bytes, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    assert_contains(svg.bytes, "a &lt; b &amp; c");
    assert_string_equal(svg.bytes + svg.length - 7, "</svg>\n");
    /* No number that a browser could not draw. */
    assert_null(strstr(svg.bytes, "nan"));
    assert_null(strstr(svg.bytes, "inf"));
    return svg.bytes;
}

static void test_plot(void **state) {
    (void)state;
    const double train[] = {1.0, 0.5, 0.25}, validation[] = {0.9, 0.6, 0.7};
    char *svg = plot(train, validation, 3, 2);
    assert_contains(svg, ">loss</text>");
    assert_contains(svg, ">epoch</text>");
    assert_contains(svg, "<path class=\"curve train\" d=\"M78.0 56.0h0L427.0 240.0L776.0 332.0\"/>");
    assert_contains(svg, "<path class=\"curve validation\" d=\"M78.0 92.8h0L427.0 203.2L776.0 166.4\"/>");
    assert_contains(svg, "<circle class=\"validation\" cx=\"427.0\" cy=\"203.2\" r=\"5\"/>");
    assert_contains(svg, ">best 0.6</text>");
    free(svg);
    svg = plot(train, NULL, 3, 0);
    assert_null(strstr(svg, ">validation<"));
    assert_null(strstr(svg, "<circle"));
    free(svg);
}

/* A wide range gets a logarithmic axis, with a tick for every power of ten. */
static void test_logarithmic_plot(void **state) {
    (void)state;
    const double train[] = {10.0, 1.0, 0.1, 0.01};
    char *svg = plot(train, NULL, 4, 4);
    assert_contains(svg, ">loss (logarithmic)</text>");
    assert_contains(svg, "M78.0 56.0h0L310.7 178.7L543.3 301.3L776.0 424.0");
    assert_contains(svg, ">0.1</text>");
    free(svg);
}

/* Nothing, single points, constants, gaps, the ends of the range of doubles. */
static void test_odd_plots(void **state) {
    (void)state;
    static const double cases[][4] = {
        {0.5, 0.5, 0.5, 0.5},    {0.0, 0.0, 0.0, 0.0},       {-3.0, -3.0, -3.0, -3.0},  {NAN, 1.0, NAN, 2.0},
        {NAN, NAN, NAN, NAN},    {1e308, -1e308, 1.0, 2.0},  {1e-320, 2e-320, 0.0, 0},  {1e-320, 1e299, 1.0, 2.0},
        {-1e20, -1e20, 1e20, 0}, {-1e20, -1e20, -1e20, NAN}, {1e299, 1e299, -1e299, 0}, {INFINITY, 1.0, 2.0, 1e5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int count = 0; count <= 4; count++)
            free(plot(cases[i], NULL, count, 1));
}

/* A plot of a very long training stays small, and shows the last epoch. */
static void test_long_plot(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    double *train = calloc(COUNT, sizeof *train);
    assert_non_null(train);
    for (int i = 0; i < COUNT; i++)
        train[i] = 1.0 / (1.0 + i * 1e-4);
    char *svg = plot(train, NULL, COUNT, COUNT);
    assert_true(strlen(svg) < 20000);
    assert_contains(svg, "L776.0 ");
    free(svg);
    free(train);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print),     cmocka_unit_test(test_parse),     cmocka_unit_test(test_shortened),
        cmocka_unit_test(test_bad_texts), cmocka_unit_test(test_plot),      cmocka_unit_test(test_logarithmic_plot),
        cmocka_unit_test(test_odd_plots), cmocka_unit_test(test_long_plot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
