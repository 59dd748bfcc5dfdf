#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include "error.h"

enum {
    CHUNK = 1 << 16,
    /* Deflate cannot expand more than 1032 times. */
    LARGEST_EXPANSION = 1032,
    /* windowBits of inflateInit2: the largest window, and a gzip header. */
    GZIP_WINDOW = 15 + 16,
};

struct nnrt_stream {
    char *name;
    FILE *file; /* NULL: memory */
    unsigned char *chunk;
    /* Raw bytes at hand; for memory, all of them. */
    const unsigned char *raw;
    size_t raw_count;
    uint64_t raw_left; /* raw bytes that are not at hand yet */
    bool gzip, ended;
    z_stream inflater;
};

/* Makes raw bytes available if there are more; raw_count stays 0 at the end. */
static int refill(nnrt_stream *stream, nnrt_error *error) {
    if (stream->raw_count > 0 || stream->file == NULL)
        return NNRT_OK;
    errno = 0;
    stream->raw = stream->chunk;
    stream->raw_count = fread(stream->chunk, 1, CHUNK, stream->file);
    if (ferror(stream->file))
        return nnrt_fail(error, "%s: cannot be read: %s", stream->name, strerror(errno));
    uint64_t count = stream->raw_count;
    stream->raw_left = stream->raw_left > count ? stream->raw_left - count : 0;
    return NNRT_OK;
}

/* Looks at the first bytes; starts to inflate if they are those of gzip. */
static int detect_gzip(nnrt_stream *stream, nnrt_error *error) {
    if (refill(stream, error) != NNRT_OK)
        return NNRT_FAILED;
    if (stream->raw_count < 2 || stream->raw[0] != 0x1f || stream->raw[1] != 0x8b)
        return NNRT_OK;
    if (inflateInit2(&stream->inflater, GZIP_WINDOW) != Z_OK)
        return nnrt_fail_memory(error, stream->name, CHUNK);
    stream->gzip = true;
    return NNRT_OK;
}

static int make_stream(nnrt_stream **made, const char *name, nnrt_error *error) {
    nnrt_stream *stream = calloc(1, sizeof *stream);
    *made = stream;
    if (stream != NULL) {
        stream->name = strdup(name);
        stream->chunk = malloc(CHUNK);
    }
    if (stream == NULL || stream->name == NULL || stream->chunk == NULL) {
        nnrt_stream_close(stream);
        *made = NULL;
        return nnrt_fail_memory(error, name, CHUNK);
    }
    return NNRT_OK;
}

static int open_file(nnrt_stream *stream, nnrt_error *error) {
    stream->file = fopen(stream->name, "rb");
    if (stream->file == NULL)
        return nnrt_fail(error, "%s: cannot be opened: %s", stream->name, strerror(errno));
    struct stat status;
    if (fstat(fileno(stream->file), &status) != 0 || !S_ISREG(status.st_mode))
        return nnrt_fail(error, "%s: is not a regular file", stream->name);
    stream->raw_left = (uint64_t)status.st_size;
    return detect_gzip(stream, error);
}

int nnrt_stream_open(nnrt_stream **made, const char *path, nnrt_error *error) {
    if (make_stream(made, path, error) != NNRT_OK)
        return NNRT_FAILED;
    if (open_file(*made, error) != NNRT_OK) {
        nnrt_stream_close(*made);
        *made = NULL;
        return NNRT_FAILED;
    }
    return NNRT_OK;
}

int nnrt_stream_open_memory(nnrt_stream **made, const char *name, const void *bytes, size_t count, nnrt_error *error) {
    if (make_stream(made, name, error) != NNRT_OK)
        return NNRT_FAILED;
    (*made)->raw = bytes;
    (*made)->raw_count = count;
    if (detect_gzip(*made, error) != NNRT_OK) {
        nnrt_stream_close(*made);
        *made = NULL;
        return NNRT_FAILED;
    }
    return NNRT_OK;
}

const char *nnrt_stream_name(const nnrt_stream *stream) {
    return stream->name;
}

static void take_raw(nnrt_stream *stream, size_t count) {
    stream->raw += count;
    stream->raw_count -= count;
}

static int read_plain(nnrt_stream *stream, unsigned char *to, size_t count, size_t *got, nnrt_error *error) {
    while (*got < count) {
        if (refill(stream, error) != NNRT_OK)
            return NNRT_FAILED;
        if (stream->raw_count == 0)
            return NNRT_OK;
        size_t step = count - *got < stream->raw_count ? count - *got : stream->raw_count;
        memcpy(to + *got, stream->raw, step);
        take_raw(stream, step);
        *got += step;
    }
    return NNRT_OK;
}

/* After the end of a gzip member: another one may follow, nothing else. */
static int next_member(nnrt_stream *stream, nnrt_error *error) {
    if (refill(stream, error) != NNRT_OK)
        return NNRT_FAILED;
    if (stream->raw_count == 0) {
        stream->ended = true;
        return NNRT_OK;
    }
    if (stream->raw[0] != 0x1f)
        return nnrt_fail(error, "%s: bytes that are not gzip follow the compressed data", stream->name);
    inflateReset(&stream->inflater);
    return NNRT_OK;
}

/* One call of inflate(), into `to`; *produced counts the bytes. */
static int inflate_some(nnrt_stream *stream, unsigned char *to, size_t count, size_t *produced, nnrt_error *error) {
    if (refill(stream, error) != NNRT_OK)
        return NNRT_FAILED;
    if (stream->raw_count == 0)
        return nnrt_fail(error, "%s: the gzip data end too early; copy or download the file again", stream->name);
    z_stream *inflater = &stream->inflater;
    uInt offered = stream->raw_count < UINT_MAX ? (uInt)stream->raw_count : UINT_MAX;
    uInt room = count < UINT_MAX ? (uInt)count : UINT_MAX;
    inflater->next_in = (z_const Bytef *)(uintptr_t)stream->raw;
    inflater->avail_in = offered;
    inflater->next_out = to;
    inflater->avail_out = room;
    int status = inflate(inflater, Z_NO_FLUSH);
    take_raw(stream, offered - inflater->avail_in);
    *produced = room - inflater->avail_out;
    if (status == Z_STREAM_END)
        return next_member(stream, error);
    if (status != Z_OK && status != Z_BUF_ERROR) {
        const char *cause = inflater->msg == NULL ? "unknown cause" : inflater->msg;
        return nnrt_fail(error, "%s: the gzip data are damaged (%s); copy or download the file again", stream->name,
                         cause);
    }
    return NNRT_OK;
}

int nnrt_stream_read(nnrt_stream *stream, void *to, size_t count, size_t *got, nnrt_error *error) {
    *got = 0;
    if (!stream->gzip)
        return read_plain(stream, to, count, got, error);
    while (*got < count && !stream->ended) {
        size_t produced = 0;
        unsigned char *rest = (unsigned char *)to + *got;
        if (inflate_some(stream, rest, count - *got, &produced, error) != NNRT_OK)
            return NNRT_FAILED;
        *got += produced;
    }
    return NNRT_OK;
}

uint64_t nnrt_stream_left(const nnrt_stream *stream) {
    uint64_t raw = stream->raw_left + stream->raw_count;
    if (!stream->gzip)
        return raw;
    /* The inflater may hold back one match and up to a window of finished bytes. */
    return raw > UINT64_MAX / LARGEST_EXPANSION - CHUNK ? UINT64_MAX : (raw + CHUNK) * LARGEST_EXPANSION;
}

int nnrt_stream_is_exact(const nnrt_stream *stream) {
    return !stream->gzip;
}

void nnrt_stream_close(nnrt_stream *stream) {
    if (stream == NULL)
        return;
    if (stream->gzip)
        inflateEnd(&stream->inflater);
    if (stream->file != NULL)
        fclose(stream->file);
    free(stream->chunk);
    free(stream->name);
    free(stream);
}
