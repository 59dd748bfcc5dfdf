/* support.h: what the tests of the run-time library share.
 *
 * Every test works in a folder of its own, so that messages with file names can be compared as whole texts.
 */
#ifndef RUNTIME_TEST_SUPPORT_H
#define RUNTIME_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "nnrt.h"

/* Setup and teardown for cmocka: makes a new folder and goes there; removes it. */
int enter_folder(void **state);
int leave_folder(void **state);

void write_file(const char *path, const void *bytes, size_t count);
void write_text(const char *path, const char *text);

/* The file compressed as gzip. */
void write_gzip(const char *path, const void *bytes, size_t count);

/* The whole file, with a final NUL, to be freed; *count may be NULL. */
char *read_whole(const char *path, size_t *count);
void assert_same_files(const char *a, const char *b);
void assert_contains(const char *text, const char *part);
void assert_file_text(const char *path, const char *text);

/* No file whose name has `part` is in the current folder. */
void assert_no_file_like(const char *part);

/* "train.csv" for the linear model: `rows` rows of x1,x2,x3,y. */
void write_linear_data(int rows);

#endif
