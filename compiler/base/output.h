/* output.h: files that appear whole or not at all.
 *
 * output_open() makes a temporary file beside the final name; output_commit() flushes, checks every write, and renames.
 * output_abandon() removes the temporary file. If the existing file has the same bytes, commit leaves it untouched
 * (its time stamp too), so that builds do not recompile for nothing.
 * While the temporary file exists, SIGINT, SIGTERM and SIGHUP are held back, so that they cannot leave it behind: so make the
 * whole text first, then open, write and commit. Devices and pipes ("-", /dev/stdout) are written directly.
 * Errors: a function that returns false has written the cause to `message` (strerror text and the file's name).
 */
#ifndef NNC_BASE_OUTPUT_H
#define NNC_BASE_OUTPUT_H

#include <stdbool.h>
#include "base/arena.h"

typedef struct Output Output;

Output *output_open(Arena *arena, const char *path, const char **message); /* NULL on error; "-" is standard output */
void output_write(Output *output, const char *bytes, size_t count);
bool output_commit(Output *output, const char **message);
void output_abandon(Output *output);

/* Reads a whole file. NULL on error. Refuses directories and files over 1 GiB. "-" is standard input. */
char *input_read(Arena *arena, const char *path, size_t *length, const char **message);

#endif
