/* Reading a safetensors file: opening it, and the numbers of a tensor. The header is parsed in safetensors_header.c. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "error.h"
#include "memory.h"
#include "safetensors_header.h"

enum {
    LENGTH_BYTES = 8,
    /* A header of this size describes some hundred thousand tensors. */
    LONGEST_HEADER = 1 << 25,
    /* Numbers converted at a time. */
    CONVERTED = 4096,
};

struct nnrt_checkpoint {
    char *name;
    FILE *file; /* NULL: memory */
    const unsigned char *memory;
    uint64_t size, data_start;
    nnrt_header header;
};

const char *nnrt_dtype_name(nnrt_dtype dtype) {
#define DTYPE_NAME(NAME, bytes) [NNRT_DTYPE_##NAME] = #NAME,
    static const char *const names[] = {NNRT_DTYPES(DTYPE_NAME)};
#undef DTYPE_NAME
    return names[dtype];
}

size_t nnrt_dtype_size(nnrt_dtype dtype) {
#define DTYPE_SIZE(NAME, bytes) [NNRT_DTYPE_##NAME] = bytes,
    static const size_t sizes[] = {NNRT_DTYPES(DTYPE_SIZE)};
#undef DTYPE_SIZE
    return sizes[dtype];
}

nnrt_dtype nnrt_dtype_of(nnrt_type type) {
    static const nnrt_dtype dtypes[] = {[NNRT_REAL32] = NNRT_DTYPE_F32,
                                        [NNRT_REAL64] = NNRT_DTYPE_F64,
                                        [NNRT_INT32] = NNRT_DTYPE_I32,
                                        [NNRT_INT64] = NNRT_DTYPE_I64};
    return dtypes[type];
}

/* --- Bytes --- */

/* `count` bytes at `offset`, which lie inside the file by its size when it was opened. */
static int read_at(nnrt_checkpoint *checkpoint, uint64_t offset, void *to, size_t count, nnrt_error *error) {
    if (count == 0)
        return NNRT_OK;
    if (checkpoint->file == NULL) {
        memcpy(to, checkpoint->memory + offset, count);
        return NNRT_OK;
    }
    errno = 0;
    if (fseeko(checkpoint->file, (off_t)offset, SEEK_SET) == 0 && fread(to, 1, count, checkpoint->file) == count)
        return NNRT_OK;
    return nnrt_fail(error, "%s: cannot be read: %s", checkpoint->name,
                     errno == 0 ? "the file became shorter" : strerror(errno));
}

/* --- Opening --- */

/* What the beginning of another well-known kind of file says about it; NULL if nothing. As a length these are all too large. */
static const char *recognise_other(const unsigned char *start) {
    if (memcmp(start, "PK\x03\x04", 4) == 0 || memcmp(start, "\x80\x02\x8a\x0a", 4) == 0) {
        return "is a PyTorch pickle; convert it in Python: "
               "safetensors.torch.save_file(torch.load(old), new)";
    }
    if (memcmp(start, "GGUF", 4) == 0)
        return "is a GGUF file, not safetensors";
    return NULL;
}

static int read_header_length(nnrt_checkpoint *checkpoint, size_t *length, nnrt_error *error) {
    unsigned char start[LENGTH_BYTES];
    uint64_t value = 0;
    if (checkpoint->size < sizeof start) {
        return nnrt_fail(error, "%s: is not a safetensors file: it has only %" PRIu64 " bytes", checkpoint->name,
                         checkpoint->size);
    }
    if (read_at(checkpoint, 0, start, sizeof start, error) != NNRT_OK)
        return NNRT_FAILED;
    const char *other = recognise_other(start);
    if (other != NULL)
        return nnrt_fail(error, "%s: %s", checkpoint->name, other);
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        value = value << 8 | start[i];
    const uint64_t rest = checkpoint->size - sizeof start;
    if (value > rest || value > LONGEST_HEADER) {
        return nnrt_fail(error,
                         "%s: is not a safetensors file, or is incomplete: it announces a header "
                         "of %" PRIu64 " bytes, where %" PRIu64 " follow and at most %d make sense",
                         checkpoint->name, value, rest, LONGEST_HEADER);
    }
    *length = (size_t)value;
    return NNRT_OK;
}

static int read_header(nnrt_checkpoint *checkpoint, nnrt_error *error) {
    size_t length = 0;
    if (read_header_length(checkpoint, &length, error) != NNRT_OK)
        return NNRT_FAILED;
    char *text = nnrt_allocate(length + 1, 1);
    if (text == NULL)
        return nnrt_fail_memory(error, checkpoint->name, length);
    checkpoint->data_start = LENGTH_BYTES + length;
    int status = read_at(checkpoint, LENGTH_BYTES, text, length, error);
    if (status == NNRT_OK) {
        status = nnrt_header_parse(&checkpoint->header, checkpoint->name, text, length,
                                   checkpoint->size - checkpoint->data_start, error);
    }
    free(text);
    return status;
}

static int make_checkpoint(nnrt_checkpoint **made, const char *name, nnrt_error *error) {
    *made = nnrt_allocate(1, sizeof **made);
    if (*made != NULL)
        (*made)->name = strdup(name);
    if (*made == NULL || (*made)->name == NULL) {
        free(*made);
        *made = NULL;
        return nnrt_fail_memory(error, name, sizeof **made);
    }
    return NNRT_OK;
}

/* Closes the checkpoint if it could not be opened. */
static int finish_open(nnrt_checkpoint **made, int status) {
    if (status != NNRT_OK) {
        nnrt_checkpoint_close(*made);
        *made = NULL;
    }
    return status;
}

static int open_file(nnrt_checkpoint *checkpoint, nnrt_error *error) {
    checkpoint->file = fopen(checkpoint->name, "rb");
    if (checkpoint->file == NULL)
        return nnrt_fail(error, "%s: cannot be opened: %s", checkpoint->name, strerror(errno));
    struct stat status;
    if (fstat(fileno(checkpoint->file), &status) != 0 || !S_ISREG(status.st_mode))
        return nnrt_fail(error, "%s: is not a regular file", checkpoint->name);
    checkpoint->size = (uint64_t)status.st_size;
    return read_header(checkpoint, error);
}

int nnrt_checkpoint_open(nnrt_checkpoint **made, const char *path, nnrt_error *error) {
    if (make_checkpoint(made, path, error) != NNRT_OK)
        return NNRT_FAILED;
    return finish_open(made, open_file(*made, error));
}

int nnrt_checkpoint_open_memory(nnrt_checkpoint **made, const char *name, const void *bytes, size_t count,
                                nnrt_error *error) {
    if (make_checkpoint(made, name, error) != NNRT_OK)
        return NNRT_FAILED;
    (*made)->memory = bytes;
    (*made)->size = count;
    return finish_open(made, read_header(*made, error));
}

void nnrt_checkpoint_close(nnrt_checkpoint *checkpoint) {
    if (checkpoint == NULL)
        return;
    if (checkpoint->file != NULL)
        fclose(checkpoint->file);
    nnrt_header_free(&checkpoint->header);
    free(checkpoint->name);
    free(checkpoint);
}

/* --- Looking up --- */

const char *nnrt_checkpoint_name(const nnrt_checkpoint *checkpoint) {
    return checkpoint->name;
}

const char *nnrt_checkpoint_value(const nnrt_checkpoint *checkpoint, const char *key) {
    return nnrt_header_value(&checkpoint->header, key);
}

size_t nnrt_checkpoint_count(const nnrt_checkpoint *checkpoint) {
    return checkpoint->header.count;
}

const nnrt_stored *nnrt_checkpoint_at(const nnrt_checkpoint *checkpoint, size_t i) {
    return &checkpoint->header.tensors[i];
}

static int compare_name(const void *name, const void *tensor) {
    return strcmp(name, ((const nnrt_stored *)tensor)->name);
}

const nnrt_stored *nnrt_checkpoint_find(const nnrt_checkpoint *checkpoint, const char *name) {
    const nnrt_header *header = &checkpoint->header;
    return header->count == 0 ? NULL
                              : bsearch(name, header->tensors, header->count, sizeof *header->tensors, compare_name);
}

/* --- Numbers --- */

/* A number of 16 bits with `mantissa_bits` and an exponent whose bias is the middle of its range. */
static double decode_half(uint16_t bits, int mantissa_bits) {
    const int exponent_bits = 15 - mantissa_bits;
    const int largest = (1 << exponent_bits) - 1, bias = largest / 2;
    const int exponent = bits >> mantissa_bits & largest;
    const int mantissa = bits & ((1 << mantissa_bits) - 1);
    double value;
    if (exponent == largest)
        value = mantissa == 0 ? INFINITY : NAN;
    else if (exponent == 0)
        value = ldexp(mantissa, 1 - bias - mantissa_bits);
    else
        value = ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
    return bits >> 15 ? -value : value;
}

static double decode_real(nnrt_dtype dtype, const unsigned char *bytes) {
    uint16_t half = 0;
    float single = 0.0F;
    double value = 0.0;
    switch (dtype) {
    case NNRT_DTYPE_F16: memcpy(&half, bytes, sizeof half); return decode_half(half, 10);
    case NNRT_DTYPE_BF16: memcpy(&half, bytes, sizeof half); return decode_half(half, 7);
    case NNRT_DTYPE_F32: memcpy(&single, bytes, sizeof single); return single;
    default: memcpy(&value, bytes, sizeof value); return value;
    }
}

static bool is_real(nnrt_dtype dtype) {
    return dtype == NNRT_DTYPE_F16 || dtype == NNRT_DTYPE_BF16 || dtype == NNRT_DTYPE_F32 || dtype == NNRT_DTYPE_F64;
}

static void convert_reals(nnrt_dtype dtype, const unsigned char *from, size_t count, nnrt_type type, void *to) {
    const size_t size = nnrt_dtype_size(dtype);
    for (size_t i = 0; i < count; i++) {
        double value = decode_real(dtype, from + i * size);
        if (type == NNRT_REAL32)
            ((float *)to)[i] = (float)value;
        else
            ((double *)to)[i] = value;
    }
}

static int read_converted(nnrt_checkpoint *checkpoint, const nnrt_stored *tensor, nnrt_type type, void *to,
                          nnrt_error *error) {
    unsigned char bytes[CONVERTED * sizeof(double)];
    const size_t from_size = nnrt_dtype_size(tensor->dtype);
    const size_t to_size = type == NNRT_REAL32 ? sizeof(float) : sizeof(double);
    const size_t count = (size_t)(tensor->end - tensor->begin) / from_size;
    for (size_t done = 0; done < count; done += CONVERTED) {
        size_t step = count - done < CONVERTED ? count - done : CONVERTED;
        uint64_t offset = checkpoint->data_start + tensor->begin + done * from_size;
        if (read_at(checkpoint, offset, bytes, step * from_size, error) != NNRT_OK)
            return NNRT_FAILED;
        convert_reals(tensor->dtype, bytes, step, type, (char *)to + done * to_size);
    }
    return NNRT_OK;
}

int nnrt_checkpoint_read(nnrt_checkpoint *checkpoint, const nnrt_stored *tensor, nnrt_type type, void *to,
                         nnrt_error *error) {
    const nnrt_dtype wanted = nnrt_dtype_of(type);
    if (tensor->dtype == wanted) {
        return read_at(checkpoint, checkpoint->data_start + tensor->begin, to, (size_t)(tensor->end - tensor->begin),
                       error);
    }
    if (!is_real(tensor->dtype) || !is_real(wanted)) {
        return nnrt_fail(error, "%s: tensor \"%s\" has type %s, which does not convert to %s", checkpoint->name,
                         tensor->name, nnrt_dtype_name(tensor->dtype), nnrt_dtype_name(wanted));
    }
    return read_converted(checkpoint, tensor, type, to, error);
}
