#include "base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/digits.h"

struct Text {
    Arena *arena;
    char *bytes; /* NUL-terminated */
    size_t length, capacity;
};

/* Most texts are an expression of a line. */
enum { FIRST_CAPACITY = 48 };

Text *text_new(Arena *arena) {
    Text *text = arena_one(arena, Text);
    text->arena = arena;
    text->capacity = FIRST_CAPACITY;
    text->bytes = arena_alloc(arena, text->capacity, 1);
    return text;
}

/* Room for `count` more bytes and the NUL. */
static void text_reserve(Text *text, size_t count) {
    if (count < text->capacity - text->length)
        return;
    size_t need = count > SIZE_MAX / 4 || text->length > SIZE_MAX / 4 ? SIZE_MAX /* the arena refuses it */
                                                                      : 2 * (text->length + count + 1);
    text->bytes = arena_grow(text->arena, text->bytes, text->capacity, need, 1);
    text->capacity = need;
}

void text_add_bytes(Text *text, const char *bytes, size_t count) {
    if (count == 0)
        return;
    text_reserve(text, count);
    memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
    text->bytes[text->length] = '\0';
}

void text_add(Text *text, const char *piece) {
    text_add_bytes(text, piece, strlen(piece));
}

void text_add_int(Text *text, int64_t value) {
    char digits[24], *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--first = '-';
    text_add_bytes(text, first, (size_t)(digits + sizeof digits - first));
}

void text_printf(Text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_vprintf(text, format, args);
    va_end(args);
}

void text_vprintf(Text *text, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    size_t room = text->capacity - text->length;
    int length = vsnprintf(text->bytes + text->length, room, format, args);
    size_t count = length < 0 ? SIZE_MAX /* longer than INT_MAX */ : (size_t)length;
    if (count >= room) {
        text_reserve(text, count);
        vsnprintf(text->bytes + text->length, count + 1, format, again);
    }
    text->length += count;
    va_end(again);
}

void text_clear(Text *text) {
    text->length = 0;
    text->bytes[0] = '\0';
}

const char *text_get(const Text *text) {
    return text->bytes;
}

size_t text_length(const Text *text) {
    return text->length;
}

const char *text_of_double(Arena *arena, double value) {
    char digits[DIGITS_SIZE] = "";
    digits_of_double(digits, value);
    return arena_copy_text(arena, digits, strlen(digits));
}

void text_add_double(Text *text, double value) {
    char digits[DIGITS_SIZE] = "";
    digits_of_double(digits, value);
    text_add(text, digits);
}

void text_add_float(Text *text, float value) {
    char digits[DIGITS_SIZE] = "";
    digits_of_float(digits, value);
    text_add(text, digits);
}

/* Words longer than this are not compared. */
enum { WORD_LIMIT = 63 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Letters of one alphabet: `ReLU` is not far from `relu`. */
static bool differ(char a, char b) {
    return tolower((unsigned char)a) != tolower((unsigned char)b);
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b (optimal string alignment). Only the
 * last three rows of the table are kept: row[i % 3][j] is the distance of the first i bytes of a and the first j of b. */
static size_t edit_distance(const char *a, const char *b) {
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > WORD_LIMIT || b_length > WORD_LIMIT)
        return SIZE_MAX;
    size_t rows[3][WORD_LIMIT + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = above[j - 1] + differ(a[i - 1], b[j - 1]);
            row[j] = smaller(replaced, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && !differ(a[i - 1], b[j - 2]) && !differ(a[i - 2], b[j - 1]))
                row[j] = smaller(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

/* At most a third of the word may differ, or one letter of a short word: "dens" means "dense", "y" means nothing. */
const char *text_closest(const char *word, const char *const *candidates, size_t count) {
    size_t length = strlen(word);
    size_t limit = length < 6 ? 1 : length / 3;
    const char *closest = NULL;
    for (size_t i = 0; length > 1 && i < count; i++) {
        size_t distance = edit_distance(word, candidates[i]);
        if (distance <= limit) {
            closest = candidates[i];
            if (distance == 0)
                break;
            limit = distance - 1; /* only a closer one replaces it */
        }
    }
    return closest;
}
