#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "error.h"
#include "text.h"

/* How many names are tried for the temporary file: more than one is only needed beside the remains of a crash. */
enum { TEMPORARY_NAMES = 100 };

static void release(nnrt_file *file) {
    free(file->path);
    free(file->temporary);
    *file = (nnrt_file){0};
}

/* Opens a file that did not exist, "<path>.tmp<process>-<k>"; -1 with errno on failure. */
static int open_temporary(const char *path, char **name) {
    for (int k = 0; k < TEMPORARY_NAMES; k++) {
        nnrt_text text = {0};
        nnrt_text_printf(&text, "%s.tmp%ld-%d", path, (long)getpid(), k);
        if (text.failed) {
            nnrt_text_free(&text);
            errno = ENOMEM;
            return -1;
        }
        int descriptor = open(text.bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0) {
            *name = text.bytes;
            return descriptor;
        }
        int failure = errno;
        nnrt_text_free(&text);
        errno = failure;
        if (failure != EEXIST)
            return -1;
    }
    return -1;
}

static int open_descriptor(nnrt_file *file, const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return open(path, O_WRONLY | O_CLOEXEC);
    return open_temporary(path, &file->temporary);
}

int nnrt_file_open(nnrt_file *file, const char *path, nnrt_error *error) {
    *file = (nnrt_file){.path = strdup(path)};
    if (file->path == NULL)
        return nnrt_fail_memory(error, path, strlen(path));
    int descriptor = open_descriptor(file, path);
    if (descriptor >= 0)
        file->stream = fdopen(descriptor, "wb");
    if (file->stream != NULL)
        return NNRT_OK;
    nnrt_fail(error, "cannot write %s: %s; check the folder and its permissions", path, strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    if (file->temporary != NULL)
        unlink(file->temporary);
    release(file);
    return NNRT_FAILED;
}

void nnrt_file_borrow(nnrt_file *file, FILE *stream) {
    *file = (nnrt_file){.stream = stream};
}

void nnrt_file_write(nnrt_file *file, const void *bytes, size_t count) {
    if (file->failure == 0 && count > 0 && fwrite(bytes, 1, count, file->stream) != count)
        file->failure = errno;
}

void nnrt_file_printf(nnrt_file *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (file->failure == 0 && vfprintf(file->stream, format, arguments) < 0)
        file->failure = errno;
    va_end(arguments);
}

/* Makes the new name durable: the folder holds it. A failure here loses nothing, so it is not reported. */
static void synchronise_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    int descriptor = folder == NULL ? -1 : open(folder, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

/* Brings all bytes to the disk and closes the stream; the result is an errno or 0. */
static int finish_stream(nnrt_file *file) {
    int failure = file->failure;
    if (fflush(file->stream) != 0 && failure == 0)
        failure = errno;
    if (file->path == NULL)
        return failure;
    if (failure == 0 && file->temporary != NULL && fsync(fileno(file->stream)) != 0)
        failure = errno;
    if (fclose(file->stream) != 0 && failure == 0)
        failure = errno;
    return failure;
}

int nnrt_file_commit(nnrt_file *file, nnrt_error *error) {
    int failure = finish_stream(file);
    if (failure == 0 && file->temporary != NULL && rename(file->temporary, file->path) != 0)
        failure = errno;
    const char *name = file->path == NULL ? "the output" : file->path;
    if (failure != 0) {
        nnrt_fail(error, "cannot write %s: %s; free some space or choose another folder", name, strerror(failure));
        if (file->temporary != NULL)
            unlink(file->temporary);
    } else if (file->temporary != NULL) {
        synchronise_folder(file->path);
    }
    release(file);
    return failure == 0 ? NNRT_OK : NNRT_FAILED;
}

void nnrt_file_abandon(nnrt_file *file) {
    if (file->path != NULL)
        fclose(file->stream);
    if (file->temporary != NULL)
        unlink(file->temporary);
    release(file);
}

int nnrt_file_probe(const char *path, nnrt_error *error) {
    nnrt_file file;
    if (nnrt_file_open(&file, path, error) != NNRT_OK)
        return NNRT_FAILED;
    nnrt_file_abandon(&file);
    return NNRT_OK;
}

int nnrt_file_save(const char *path, const char *bytes, size_t count, nnrt_error *error) {
    nnrt_file file;
    if (nnrt_file_open(&file, path, error) != NNRT_OK)
        return NNRT_FAILED;
    nnrt_file_write(&file, bytes, count);
    return nnrt_file_commit(&file, error);
}
