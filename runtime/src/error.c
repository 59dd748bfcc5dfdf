#include "error.h"

#include <stdarg.h>
#include <stdbool.h>

static bool is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static void write_sentence(nnrt_error *error, const char *format, va_list arguments) {
    if (error == NULL)
        return;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    for (char *c = error->text; *c != '\0'; c++)
        *c = is_control(*c) ? '?' : *c;
}

int nnrt_fail(nnrt_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_sentence(error, format, arguments);
    va_end(arguments);
    return NNRT_FAILED;
}

void nnrt_note(nnrt_error *note, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_sentence(note, format, arguments);
    va_end(arguments);
}

int nnrt_fail_memory(nnrt_error *error, const char *what, size_t bytes) {
    return nnrt_fail(error, "out of memory: %s needs %zu bytes", what, bytes);
}

void nnrt_print_clean(FILE *out, const char *text) {
    for (; *text != '\0'; text++)
        fputc(is_control(*text) ? '?' : *text, out);
}
