#include "error.h"

#include <stdarg.h>

static void write_sentence(nnrt_error *error, const char *format, va_list arguments) {
    if (error == NULL) {
        return;
    }
    vsnprintf(error->text, sizeof error->text, format, arguments);
    for (char *c = error->text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
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
