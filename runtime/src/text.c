#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `count` more bytes and the final NUL. */
static bool reserve(nnrt_text *text, size_t count) {
    if (text->failed || count >= SIZE_MAX - text->length) {
        text->failed = true;
        return false;
    }
    size_t needed = text->length + count + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity < SIZE_MAX / 2 ? text->capacity * 2 : SIZE_MAX;
    capacity = capacity < needed ? needed : capacity;
    char *bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void nnrt_text_add(nnrt_text *text, const char *bytes, size_t count) {
    if (!reserve(text, count))
        return;
    if (count > 0)
        memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
    text->bytes[text->length] = '\0';
}

void nnrt_text_printf(nnrt_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length)) {
        text->failed = true;
        return;
    }
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

void nnrt_text_free(nnrt_text *text) {
    free(text->bytes);
    *text = (nnrt_text){0};
}

/* Words longer than this are not compared. */
enum { LONGEST_WORD = 63 };

/* The number of letters to insert, delete or replace that turn `a` into `b` (Levenshtein), by rows of the table. */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[LONGEST_WORD + 1];
    size_t a_length = strlen(a), b_length = strlen(b);
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            size_t shorter = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = replaced <= shorter ? replaced : shorter + 1;
        }
    }
    return row[b_length];
}

const char *nnrt_nearest_word(const char *word, const char *const *words, size_t count) {
    size_t length = strlen(word);
    const char *nearest = NULL;
    if (length < 2 || length > LONGEST_WORD)
        return NULL;
    /* A slip changes a third of the letters, and one always may be wrong; but something must be left. */
    size_t best = length / 3 + 1 < length ? length / 3 + 1 : length - 1;
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) > LONGEST_WORD)
            continue;
        size_t distance = edit_distance(word, words[i]);
        if (distance < best || (distance == best && nearest == NULL)) {
            best = distance;
            nearest = words[i];
        }
    }
    return nearest;
}
