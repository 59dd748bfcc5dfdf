#include "sink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "column.h"
#include "error.h"
#include "memory.h"
#include "npy.h"
#include "text.h"

static size_t output_width(const nnrt_field *output) {
    size_t width = 0;
    nnrt_shape_elements(output->rank, output->shape, &width);
    return width;
}

static nnrt_element element_of(nnrt_type type) {
    static const nnrt_element elements[] = {[NNRT_REAL32] = NNRT_ELEMENT_F32,
                                            [NNRT_REAL64] = NNRT_ELEMENT_F64,
                                            [NNRT_INT32] = NNRT_ELEMENT_I32,
                                            [NNRT_INT64] = NNRT_ELEMENT_I64};
    return elements[type];
}

/* "y", or "y.2.0" for an element of an output with axes. */
static void print_column_name(nnrt_file *file, const nnrt_field *output, size_t element) {
    size_t below = output_width(output);
    nnrt_file_printf(file, "%s", output->name);
    for (int axis = 0; axis < output->rank; axis++) {
        below /= (size_t)output->shape[axis];
        nnrt_file_printf(file, ".%zu", element / below % (size_t)output->shape[axis]);
    }
}

static void print_header(const nnrt_sink *sink) {
    for (int i = 0; i < sink->model->output_count; i++) {
        for (size_t k = 0; k < output_width(&sink->model->outputs[i]); k++) {
            nnrt_file_printf(sink->files, "%s", i == 0 && k == 0 ? "" : ",");
            print_column_name(sink->files, &sink->model->outputs[i], k);
        }
    }
    nnrt_file_printf(sink->files, "\n");
}

/* Digits enough to read back the same number. */
static void print_value(nnrt_file *file, nnrt_type type, const void *values, size_t i) {
    switch (type) {
    case NNRT_REAL32: nnrt_file_printf(file, "%.9g", (double)((const float *)values)[i]); break;
    case NNRT_REAL64: nnrt_file_printf(file, "%.17g", ((const double *)values)[i]); break;
    case NNRT_INT32: nnrt_file_printf(file, "%" PRId32, ((const int32_t *)values)[i]); break;
    case NNRT_INT64: nnrt_file_printf(file, "%" PRId64, ((const int64_t *)values)[i]); break;
    }
}

static void print_rows(const nnrt_sink *sink, int n) {
    for (int row = 0; row < n; row++) {
        for (int i = 0; i < sink->model->output_count; i++) {
            const nnrt_field *output = &sink->model->outputs[i];
            const size_t width = output_width(output);
            for (size_t k = 0; k < width; k++) {
                nnrt_file_printf(sink->files, "%s", i == 0 && k == 0 ? "" : ",");
                print_value(sink->files, output->type, sink->outputs[i], (size_t)row * width + k);
            }
        }
        nnrt_file_printf(sink->files, "\n");
    }
}

void nnrt_sink_write(const nnrt_sink *sink, int n) {
    if (!sink->npy) {
        print_rows(sink, n);
        return;
    }
    for (int i = 0; i < sink->file_count; i++) {
        const nnrt_field *output = &sink->model->outputs[i];
        nnrt_file_write(&sink->files[i], sink->outputs[i],
                        (size_t)n * output_width(output) * nnrt_type_size(output->type));
    }
}

/* Opens the NPY file of output number i and writes its header: FILE.npy, or FILE.NAME.npy if there are several outputs. */
static int open_npy(nnrt_sink *sink, int i, const char *path, int64_t samples, nnrt_error *error) {
    const nnrt_field *output = &sink->model->outputs[i];
    int64_t shape[NNRT_MAX_RANK + 1] = {samples};
    nnrt_text name = {0};
    memcpy(shape + 1, output->shape, (size_t)output->rank * sizeof *shape);
    if (sink->model->output_count == 1)
        nnrt_text_printf(&name, "%s", path);
    else
        nnrt_text_printf(&name, "%.*s.%s.npy", (int)(strlen(path) - strlen(".npy")), path, output->name);
    int status =
        name.failed ? nnrt_fail_memory(error, path, strlen(path)) : nnrt_file_open(&sink->files[i], name.bytes, error);
    if (status == NNRT_OK) {
        sink->file_count = i + 1;
        nnrt_npy_write_header(&sink->files[i], element_of(output->type), output->rank + 1, shape);
    }
    nnrt_text_free(&name);
    return status;
}

static int open_csv(nnrt_sink *sink, const char *path, FILE *out, nnrt_error *error) {
    if (path == NULL)
        nnrt_file_borrow(sink->files, out);
    else if (nnrt_file_open(sink->files, path, error) != NNRT_OK)
        return NNRT_FAILED;
    sink->file_count = 1;
    print_header(sink);
    return NNRT_OK;
}

static int open_files(nnrt_sink *sink, const char *path, FILE *out, int64_t samples, nnrt_error *error) {
    const char *ending = path == NULL ? NULL : strrchr(path, '.');
    sink->npy = ending != NULL && strcmp(ending, ".npy") == 0;
    if (!sink->npy)
        return open_csv(sink, path, out, error);
    for (int i = 0; i < sink->model->output_count; i++)
        if (open_npy(sink, i, path, samples, error) != NNRT_OK)
            return NNRT_FAILED;
    return NNRT_OK;
}

int nnrt_sink_open(nnrt_sink *sink, const nnrt_model *model, const char *path, FILE *out, int64_t samples,
                   nnrt_error *error) {
    const size_t outputs = (size_t)model->output_count;
    *sink = (nnrt_sink){.model = model};
    sink->files = nnrt_allocate(outputs + 1, sizeof *sink->files);
    sink->outputs = nnrt_allocate(outputs, sizeof *sink->outputs);
    for (size_t i = 0; sink->outputs != NULL && i < outputs; i++) {
        size_t bytes = output_width(&model->outputs[i]) * nnrt_type_size(model->outputs[i].type);
        sink->outputs[i] = nnrt_allocate((size_t)model->batch, bytes);
        if (sink->outputs[i] == NULL)
            return nnrt_fail_memory(error, model->outputs[i].name, bytes);
    }
    if (sink->files == NULL || sink->outputs == NULL)
        return nnrt_fail_memory(error, "the outputs", outputs * sizeof *sink->files);
    return open_files(sink, path, out, samples, error);
}

int nnrt_sink_close(nnrt_sink *sink, int status, nnrt_error *error) {
    for (int i = 0; i < sink->file_count; i++)
        if (status == NNRT_OK)
            status = nnrt_file_commit(&sink->files[i], error);
        else
            nnrt_file_abandon(&sink->files[i]);
    for (int i = 0; sink->outputs != NULL && i < sink->model->output_count; i++)
        free(sink->outputs[i]);
    free(sink->files);
    free(sink->outputs);
    return status;
}
