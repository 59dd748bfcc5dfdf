#define _XOPEN_SOURCE 700 /* realpath() */

#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"

struct Output {
    Arena *arena;
    const char *path;      /* as the user gave it */
    const char *target;    /* the path behind symbolic links */
    const char *temporary; /* NULL: the target is written directly */
    FILE *file;
    sigset_t held_back; /* the signal mask before the temporary file was made */
    bool failed;
    int error; /* errno of the first failure */
};

static const char *failure(Arena *arena, const char *action, const char *path, int error) {
    const char *kind = strcmp(path, "-") == 0 ? "standard stream " : "";
    return arena_printf(arena, "cannot %s %s`%s`: %s", action, kind, path, strerror(error));
}

static void signals_hold(sigset_t *before) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, before);
}

static void signals_release(const sigset_t *before) {
    sigprocmask(SIG_SETMASK, before, NULL);
}

/* A new file beside the target; -1 with errno on failure. Its mode is that of the file that it will replace. */
static int temporary_open(Output *output, const struct stat *old) {
    for (int attempt = 0; attempt < 100; attempt++) {
        output->temporary = arena_printf(output->arena, "%s.%ld.%d.tmp", output->target, (long)getpid(), attempt);
        int descriptor = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0) {
            if (old)
                (void)fchmod(descriptor, old->st_mode & 0777); /* the default mode does as well */
            return descriptor;
        }
        if (errno != EEXIST)
            break;
    }
    return -1;
}

/* The file that is written: standard output, a device, or a new temporary file. NULL with errno on failure. */
static FILE *output_stream(Output *output) {
    if (strcmp(output->path, "-") == 0)
        return stdout;
    struct stat old;
    bool exists = stat(output->path, &old) == 0;
    if (exists && S_ISDIR(old.st_mode)) {
        errno = EISDIR;
        return NULL;
    }
    if (exists && !S_ISREG(old.st_mode))
        return fopen(output->path, "w");
    char *real = exists ? realpath(output->path, NULL) : NULL;
    if (real) {
        output->target = arena_copy_text(output->arena, real, strlen(real));
        free(real);
    }
    signals_hold(&output->held_back);
    int descriptor = temporary_open(output, exists ? &old : NULL);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!file) {
        int error = errno;
        if (descriptor >= 0) {
            close(descriptor);
            unlink(output->temporary);
        }
        signals_release(&output->held_back);
        errno = error;
    }
    return file;
}

Output *output_open(Arena *arena, const char *path, const char **message) {
    Output *output = arena_one(arena, Output);
    output->arena = arena;
    output->path = path;
    output->target = path;
    output->file = output_stream(output);
    if (!output->file) {
        *message = failure(arena, "write", path, errno);
        return NULL;
    }
    return output;
}

static void output_note_failure(Output *output) {
    if (!output->failed) {
        output->failed = true;
        output->error = errno;
    }
}

void output_write(Output *output, const char *bytes, size_t count) {
    if (fwrite(bytes, 1, count, output->file) != count)
        output_note_failure(output);
}

/* Flushes and closes; standard output stays open. */
static void output_close(Output *output) {
    int status = output->file == stdout ? fflush(stdout) : fclose(output->file);
    if (status != 0)
        output_note_failure(output);
    output->file = NULL;
}

static bool same_bytes(const char *path_a, const char *path_b) {
    FILE *a = fopen(path_a, "r"), *b = fopen(path_b, "r");
    bool same = a && b;
    while (same) {
        char part_a[4096], part_b[4096];
        size_t count_a = fread(part_a, 1, sizeof part_a, a);
        size_t count_b = fread(part_b, 1, sizeof part_b, b);
        same = count_a == count_b && memcmp(part_a, part_b, count_a) == 0 && !ferror(a) && !ferror(b);
        if (count_a < sizeof part_a)
            break;
    }
    if (a)
        fclose(a);
    if (b)
        fclose(b);
    return same;
}

bool output_commit(Output *output, const char **message) {
    output_close(output);
    if (output->temporary) {
        if (output->failed || same_bytes(output->temporary, output->target)) {
            unlink(output->temporary);
        } else if (rename(output->temporary, output->target) != 0) {
            output_note_failure(output);
            unlink(output->temporary);
        }
        signals_release(&output->held_back);
    }
    if (output->failed)
        *message = failure(output->arena, "write", output->path, output->error);
    return !output->failed;
}

void output_abandon(Output *output) {
    output_close(output);
    if (output->temporary) {
        unlink(output->temporary);
        signals_release(&output->held_back);
    }
}

/* More than a model ever needs; a larger file is a mistake. */
static const size_t INPUT_LIMIT = (size_t)1 << 30;

/* The rest of the file; NULL with errno on failure. Directories fail in read(). */
static char *read_all(Arena *arena, FILE *file, size_t *length) {
    Text *text = text_new(arena);
    char part[1 << 16];
    for (;;) {
        size_t count = fread(part, 1, sizeof part, file);
        text_add_bytes(text, part, count);
        if (text_length(text) > INPUT_LIMIT) {
            errno = EFBIG;
            return NULL;
        }
        if (count < sizeof part)
            break;
    }
    *length = text_length(text);
    return ferror(file) ? NULL : arena_copy_text(arena, text_get(text), text_length(text));
}

char *input_read(Arena *arena, const char *path, size_t *length, const char **message) {
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *bytes = file ? read_all(arena, file, length) : NULL;
    if (!bytes)
        *message = failure(arena, "read", path, errno);
    if (file && file != stdin)
        fclose(file);
    return bytes;
}
