#include "history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "memory.h"

/* The names of the first columns. */
static const char *const fixed_names[NNRT_HISTORY_METRICS] = {
    [NNRT_HISTORY_EPOCH] = "epoch",
    [NNRT_HISTORY_STEP] = "step",
    [NNRT_HISTORY_TRAIN] = "train_loss",
    [NNRT_HISTORY_VALIDATION] = "validation_loss",
};

nnrt_history nnrt_history_new(const nnrt_model *model, bool validated) {
    return (nnrt_history){.validated = validated, .metric_count = model->metric_count, .metrics = model->metrics};
}

size_t nnrt_history_width(const nnrt_history *history) {
    return NNRT_HISTORY_METRICS + (size_t)history->metric_count;
}

const double *nnrt_history_row(const nnrt_history *history, size_t i) {
    return history->values + i * nnrt_history_width(history);
}

double *nnrt_history_add(nnrt_history *history) {
    const size_t width = nnrt_history_width(history);
    if (history->count == history->capacity) {
        size_t capacity = history->capacity * 2 + 16, bytes = 0;
        if (!nnrt_multiply(capacity, width * sizeof(double), &bytes))
            return NULL;
        double *values = realloc(history->values, bytes);
        if (values == NULL)
            return NULL;
        history->values = values;
        history->capacity = capacity;
    }
    return history->values + history->count++ * width;
}

double nnrt_history_decisive(const nnrt_history *history, size_t i) {
    return nnrt_history_row(history, i)[history->validated ? NNRT_HISTORY_VALIDATION : NNRT_HISTORY_TRAIN];
}

/* --- Text --- */

static const char *column_name(const nnrt_history *history, size_t column) {
    return column < NNRT_HISTORY_METRICS ? fixed_names[column] : history->metrics[column - NNRT_HISTORY_METRICS];
}

static void print_header(const nnrt_history *history, nnrt_text *text) {
    for (size_t column = 0; column < nnrt_history_width(history); column++)
        nnrt_text_printf(text, "%s%s", column == 0 ? "" : ",", column_name(history, column));
    nnrt_text_add(text, "\n", 1);
}

/* The fewest digits that bring back the same bits. */
static void print_real(double value, nnrt_text *text) {
    char digits[32];
    int precision = 15; /* 17 are always enough */
    if (isnan(value)) { /* without a sign */
        nnrt_text_printf(text, "nan");
        return;
    }
    do {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
    } while (strtod(digits, NULL) != value && ++precision <= 17);
    nnrt_text_printf(text, "%s", digits);
}

static void print_row(const nnrt_history *history, const double *row, nnrt_text *text) {
    for (size_t column = 0; column < nnrt_history_width(history); column++) {
        nnrt_text_printf(text, "%s", column == 0 ? "" : ",");
        if (column < NNRT_HISTORY_VALIDATION || history->validated)
            print_real(row[column], text);
    }
    nnrt_text_add(text, "\n", 1);
}

void nnrt_history_print(const nnrt_history *history, size_t most_bytes, nnrt_text *text) {
    nnrt_text rows = {0};
    for (size_t i = 0; i < history->count; i++)
        print_row(history, nnrt_history_row(history, i), &rows);
    print_header(history, text);
    const char *kept = rows.bytes;
    if (rows.length > most_bytes) {
        /* From the first row that begins within the last most_bytes. */
        kept = strchr(rows.bytes + (rows.length - most_bytes) - 1, '\n') + 1;
    }
    if (kept != NULL)
        nnrt_text_add(text, kept, (size_t)(rows.bytes + rows.length - kept));
    text->failed = text->failed || rows.failed;
    nnrt_text_free(&rows);
}

/* One number before `mark`; an empty one is NAN, which stands for "none". */
static bool parse_value(const char **text, char mark, double *value) {
    char *end = NULL;
    *value = NAN;
    if (**text != mark) {
        *value = strtod(*text, &end);
        if (end == *text || *end != mark)
            return false;
        *text = end;
    }
    ++*text;
    return true;
}

/* Epochs count on by one; steps are whole. The plot relies on it. */
static bool check_row(const nnrt_history *history) {
    const double largest = 1e15;
    const double *row = nnrt_history_row(history, history->count - 1);
    const double epoch = row[NNRT_HISTORY_EPOCH], step = row[NNRT_HISTORY_STEP];
    if (!(epoch >= 1.0 && epoch <= largest && step >= 0.0 && step <= largest))
        return false;
    if (history->count == 1)
        return epoch == floor(epoch) && step == floor(step);
    const double *before = nnrt_history_row(history, history->count - 2);
    return epoch == before[NNRT_HISTORY_EPOCH] + 1.0 && step == floor(step);
}

bool nnrt_history_parse(nnrt_history *history, const char *text) {
    nnrt_text header = {0};
    print_header(history, &header);
    bool ok = !header.failed && strncmp(text, header.bytes, header.length) == 0;
    text += ok ? header.length : 0;
    nnrt_text_free(&header);
    const size_t width = nnrt_history_width(history);
    while (ok && *text != '\0') {
        double *row = nnrt_history_add(history);
        ok = row != NULL;
        for (size_t column = 0; ok && column < width; column++)
            ok = parse_value(&text, column + 1 < width ? ',' : '\n', &row[column]);
        ok = ok && check_row(history);
    }
    return ok;
}

void nnrt_history_free(nnrt_history *history) {
    free(history->values);
    *history = (nnrt_history){0};
}
