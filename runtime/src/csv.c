/* CSV: a header row of names, then rows of numbers, separated by commas. Fields may stand in double quotes, where "" is one
 * quote and a newline belongs to the field. Lines end with LF or CRLF; empty lines are passed over. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "error.h"
#include "memory.h"
#include "text.h"

enum {
    CSV_CHUNK = 1 << 16,
    /* A record longer than this is a binary file or a quote that never closes. */
    CSV_LONGEST_RECORD = 1 << 24,
    /* How many names of the header a message lists. */
    CSV_NAMES_LISTED = 12,
    CSV_END = -1,
};

typedef struct Csv {
    nnrt_stream *stream;
    const char *name;
    nnrt_error *error;
    char *chunk; /* ends with a NUL */
    size_t chunk_count, chunk_at;
    int64_t line; /* of the next byte, from 1 */
    int64_t row;  /* of the record, from 1; the header is 0 */
    int64_t record_line;
    bool failed; /* the stream failed, and wrote the error */
    /* The record: its fields one after the other, each with a final NUL, and where each begins. */
    nnrt_text fields;
    size_t *starts;
    size_t field_count, field_capacity;
    /* The header: its fields, and the names in them without the spaces around. */
    nnrt_text header;
    const char **names;
    size_t name_count;
    /* The columns that make the array: index in the record. */
    size_t *chosen;
    size_t chosen_count;
    /* The values so far. */
    double *values;
    size_t value_count, value_capacity;
} Csv;

/* --- Bytes and records --- */

/* The next byte, which stays; CSV_END at the end or after a failure. */
static int peek_byte(Csv *csv) {
    if (csv->chunk_at == csv->chunk_count && !csv->failed) {
        csv->chunk_at = 0;
        csv->failed = nnrt_stream_read(csv->stream, csv->chunk, CSV_CHUNK, &csv->chunk_count, csv->error) != NNRT_OK;
        csv->chunk_count = csv->failed ? 0 : csv->chunk_count;
        csv->chunk[csv->chunk_count] = '\0';
    }
    return csv->chunk_at < csv->chunk_count ? (unsigned char)csv->chunk[csv->chunk_at] : CSV_END;
}

static int next_byte(Csv *csv) {
    int byte = peek_byte(csv);
    if (byte != CSV_END)
        csv->chunk_at++;
    csv->line += byte == '\n';
    return byte;
}

/* CRLF counts as LF. */
static int next_character(Csv *csv) {
    int byte = next_byte(csv);
    if (byte == '\r' && peek_byte(csv) == '\n')
        byte = next_byte(csv);
    return byte;
}

static void end_field(Csv *csv) {
    nnrt_text_add(&csv->fields, "", 1);
}

static int add_bytes(Csv *csv, const char *bytes, size_t count) {
    nnrt_text_add(&csv->fields, bytes, count);
    if (csv->fields.length > CSV_LONGEST_RECORD || (count == 1 && *bytes == '\0')) {
        return nnrt_fail(csv->error, "%s: line %" PRId64 " is not text; is this a CSV file?", csv->name,
                         csv->record_line);
    }
    return NNRT_OK;
}

static int add_character(Csv *csv, int byte) {
    char character = (char)byte;
    return add_bytes(csv, &character, 1);
}

static bool is_special(char c) {
    return c == ',' || c == '"' || c == '\n' || c == '\r' || c == '\0';
}

/* Adds what stands in the chunk up to the next special byte; the chunk ends with one, a NUL. */
static int add_run(Csv *csv) {
    const char *run = csv->chunk + csv->chunk_at;
    size_t count = 0;
    while (!is_special(run[count]))
        count++;
    csv->chunk_at += count;
    return count == 0 ? NNRT_OK : add_bytes(csv, run, count);
}

static int begin_field(Csv *csv) {
    if (csv->field_count == csv->field_capacity) {
        size_t capacity = csv->field_capacity == 0 ? 64 : csv->field_capacity * 2;
        size_t *starts = realloc(csv->starts, capacity * sizeof *starts);
        if (starts == NULL)
            return nnrt_fail_memory(csv->error, csv->name, capacity * sizeof *starts);
        csv->starts = starts;
        csv->field_capacity = capacity;
    }
    csv->starts[csv->field_count++] = csv->fields.length;
    return NNRT_OK;
}

/* The rest of a quoted field; the byte after the closing quote goes to *after. */
static int read_quoted(Csv *csv, int *after) {
    int64_t line = csv->line;
    for (;;) {
        int byte = next_character(csv);
        if (byte == '"') {
            *after = next_character(csv);
            if (*after != '"')
                return NNRT_OK;
        }
        if (byte == CSV_END) {
            return csv->failed ? NNRT_FAILED
                               : nnrt_fail(csv->error, "%s: the quote opened in line %" PRId64 " is not closed",
                                           csv->name, line);
        }
        if (add_character(csv, byte) != NNRT_OK || add_run(csv) != NNRT_OK)
            return NNRT_FAILED;
    }
}

/* One field; the mark that ends it (comma, newline, end) goes to *mark. */
static int read_field(Csv *csv, int *mark) {
    if (begin_field(csv) != NNRT_OK)
        return NNRT_FAILED;
    int byte = next_character(csv);
    if (byte == '"') {
        if (read_quoted(csv, &byte) != NNRT_OK)
            return NNRT_FAILED;
        if (byte != ',' && byte != '\n' && byte != CSV_END) {
            return nnrt_fail(csv->error,
                             "%s: line %" PRId64 ": after a closing quote should come a comma or the end of the line",
                             csv->name, csv->record_line);
        }
    }
    while (byte != ',' && byte != '\n' && byte != CSV_END) {
        if (add_character(csv, byte) != NNRT_OK || add_run(csv) != NNRT_OK)
            return NNRT_FAILED;
        byte = next_character(csv);
    }
    end_field(csv);
    *mark = byte;
    return NNRT_OK;
}

/* The next record that is not an empty line; *found is false at the end. */
static int read_record(Csv *csv, bool *found) {
    int byte = peek_byte(csv);
    while (byte == '\n' || byte == '\r') {
        next_byte(csv);
        byte = peek_byte(csv);
    }
    csv->fields.length = 0;
    csv->field_count = 0;
    csv->record_line = csv->line;
    *found = byte != CSV_END;
    for (int mark = ','; *found && mark == ',';)
        if (read_field(csv, &mark) != NNRT_OK)
            return NNRT_FAILED;
    if (csv->fields.failed)
        return nnrt_fail_memory(csv->error, csv->name, csv->fields.capacity);
    return csv->failed ? NNRT_FAILED : NNRT_OK;
}

/* --- The header --- */

/* Cuts spaces at both ends of a field. */
static char *trim(char *text) {
    while (*text == ' ' || *text == '\t')
        text++;
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        text[--length] = '\0';
    return text;
}

/* "a", "b", "c": the names of the header for a message. */
static void list_names(const Csv *csv, nnrt_text *list) {
    for (size_t i = 0; i < csv->name_count && i < CSV_NAMES_LISTED; i++)
        nnrt_text_printf(list, "%s\"%s\"", i == 0 ? "" : ", ", csv->names[i]);
    if (csv->name_count > CSV_NAMES_LISTED)
        nnrt_text_printf(list, " and %zu more", csv->name_count - CSV_NAMES_LISTED);
}

static int fail_no_column(Csv *csv, const char *column) {
    nnrt_text list = {0};
    const char *nearest = nnrt_nearest_word(column, csv->names, csv->name_count);
    list_names(csv, &list);
    const bool is_one = csv->name_count == 1 && strpbrk(csv->names[0], ";\t|") != NULL;
    nnrt_fail(csv->error, "%s: has no column \"%s\"%s%s%s; its header has %s%s", csv->name, column,
              nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?",
              list.failed ? "other names" : list.bytes, is_one ? "; separate the columns by commas" : "");
    nnrt_text_free(&list);
    return NNRT_FAILED;
}

static int choose_column(Csv *csv, const char *column, size_t *chosen) {
    size_t matches = 0;
    for (size_t i = 0; i < csv->name_count; i++) {
        if (strcmp(csv->names[i], column) == 0) {
            *chosen = i;
            matches++;
        }
    }
    if (matches == 0)
        return fail_no_column(csv, column);
    if (matches > 1) {
        return nnrt_fail(csv->error, "%s: the header has %zu columns named \"%s\"; rename them", csv->name, matches,
                         column);
    }
    return NNRT_OK;
}

static int choose_columns(Csv *csv, const char *const *columns, size_t column_count) {
    csv->chosen_count = column_count == 0 ? csv->name_count : column_count;
    csv->chosen = nnrt_allocate(csv->chosen_count, sizeof *csv->chosen);
    if (csv->chosen == NULL)
        return nnrt_fail_memory(csv->error, csv->name, csv->chosen_count * sizeof *csv->chosen);
    for (size_t i = 0; i < csv->chosen_count; i++) {
        csv->chosen[i] = i;
        if (column_count > 0 && choose_column(csv, columns[i], &csv->chosen[i]) != NNRT_OK)
            return NNRT_FAILED;
    }
    return NNRT_OK;
}

/* A file may begin with the mark of UTF-8. */
static void skip_byte_order_mark(Csv *csv) {
    if (peek_byte(csv) == 0xef && csv->chunk_count >= 3 && memcmp(csv->chunk, "\xef\xbb\xbf", 3) == 0)
        csv->chunk_at = 3;
}

/* The record just read becomes the header. */
static int keep_names(Csv *csv) {
    csv->name_count = csv->field_count;
    csv->names = nnrt_allocate(csv->name_count, sizeof *csv->names);
    if (csv->names == NULL)
        return nnrt_fail_memory(csv->error, csv->name, csv->name_count * sizeof *csv->names);
    csv->header = csv->fields;
    csv->fields = (nnrt_text){0};
    for (size_t i = 0; i < csv->name_count; i++)
        csv->names[i] = trim(csv->header.bytes + csv->starts[i]);
    return NNRT_OK;
}

static int read_header(Csv *csv, const char *const *columns, int column_count) {
    bool found = false;
    skip_byte_order_mark(csv);
    if (read_record(csv, &found) != NNRT_OK)
        return NNRT_FAILED;
    if (!found)
        return nnrt_fail(csv->error, "%s: is empty; a CSV file begins with a row of column names", csv->name);
    if (keep_names(csv) != NNRT_OK)
        return NNRT_FAILED;
    return choose_columns(csv, columns, (size_t)column_count);
}

/* --- The rows --- */

static int fail_value(Csv *csv, size_t column, const char *text) {
    if (*text == '\0') {
        return nnrt_fail(csv->error,
                         "%s: row %" PRId64 " (line %" PRId64 "), column \"%s\": the value is "
                         "missing; fill it in or remove the row",
                         csv->name, csv->row, csv->record_line, csv->names[column]);
    }
    return nnrt_fail(csv->error,
                     "%s: row %" PRId64 " (line %" PRId64 "), column \"%s\": \"%.40s\" is not a "
                     "finite number",
                     csv->name, csv->row, csv->record_line, csv->names[column], text);
}

/* Decimal numbers only: strtod() would also take words and hexadecimal digits. */
static bool parse_number(const char *text, double *value) {
    for (const char *c = text; *c != '\0'; c++) {
        bool mark = *c == '.' || *c == '-' || *c == '+' || *c == 'e' || *c == 'E';
        if (!mark && (*c < '0' || *c > '9'))
            return false;
    }
    char *end = NULL;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

static int reserve_row(Csv *csv) {
    if (csv->value_capacity - csv->value_count >= csv->chosen_count)
        return NNRT_OK;
    size_t capacity = csv->value_capacity * 2 + csv->chosen_count, bytes = 0;
    double *values = NULL;
    if (nnrt_multiply(capacity, sizeof *values, &bytes))
        values = realloc(csv->values, bytes);
    if (values == NULL)
        return nnrt_fail_memory(csv->error, csv->name, bytes);
    csv->values = values;
    csv->value_capacity = capacity;
    return NNRT_OK;
}

static int add_row(Csv *csv) {
    if (csv->field_count != csv->name_count) {
        return nnrt_fail(csv->error, "%s: row %" PRId64 " (line %" PRId64 ") has %zu fields, but the header has %zu",
                         csv->name, csv->row, csv->record_line, csv->field_count, csv->name_count);
    }
    if (reserve_row(csv) != NNRT_OK)
        return NNRT_FAILED;
    for (size_t i = 0; i < csv->chosen_count; i++) {
        size_t column = csv->chosen[i];
        const char *text = trim(csv->fields.bytes + csv->starts[column]);
        if (!parse_number(text, &csv->values[csv->value_count]))
            return fail_value(csv, column, text);
        csv->value_count++;
    }
    return NNRT_OK;
}

static int read_rows(Csv *csv) {
    for (bool found = true; found;) {
        if (read_record(csv, &found) != NNRT_OK)
            return NNRT_FAILED;
        if (!found)
            break;
        csv->row++;
        if (add_row(csv) != NNRT_OK)
            return NNRT_FAILED;
    }
    if (csv->row == 0)
        return nnrt_fail(csv->error, "%s: has a header but no rows", csv->name);
    return NNRT_OK;
}

int nnrt_csv_parse(nnrt_stream *stream, const char *const *columns, int column_count, nnrt_array *array,
                   nnrt_error *error) {
    Csv csv = {.stream = stream, .name = nnrt_stream_name(stream), .error = error, .line = 1};
    *array = (nnrt_array){0};
    csv.chunk = calloc(CSV_CHUNK + 1, 1);
    int status = csv.chunk == NULL ? nnrt_fail_memory(error, csv.name, CSV_CHUNK) : NNRT_OK;
    if (status == NNRT_OK)
        status = read_header(&csv, columns, column_count);
    if (status == NNRT_OK)
        status = read_rows(&csv);
    if (status == NNRT_OK) {
        *array = (nnrt_array){
            .element = NNRT_ELEMENT_F64, .rank = 2, .shape = {csv.row, (int64_t)csv.chosen_count}, .data = csv.values};
        csv.values = NULL;
    }
    free(csv.chunk);
    free(csv.starts);
    free(csv.names);
    free(csv.chosen);
    free(csv.values);
    nnrt_text_free(&csv.header);
    nnrt_text_free(&csv.fields);
    return status;
}

int nnrt_csv_read(const char *path, const char *const *columns, int column_count, nnrt_array *array,
                  nnrt_error *error) {
    nnrt_stream *stream = NULL;
    *array = (nnrt_array){0};
    if (nnrt_stream_open(&stream, path, error) != NNRT_OK)
        return NNRT_FAILED;
    int status = nnrt_csv_parse(stream, columns, column_count, array, error);
    nnrt_stream_close(stream);
    return status;
}
