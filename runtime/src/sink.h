/* sink.h: where predictions go: one CSV file for all outputs, or one NPY file for each. */
#ifndef NNRT_SRC_SINK_H
#define NNRT_SRC_SINK_H

#include <stdbool.h>
#include "file.h"

typedef struct nnrt_sink {
    const nnrt_model *model;
    bool npy;
    nnrt_file *files;
    int file_count;
    void **outputs; /* memory of a batch of each output: predict() writes here */
} nnrt_sink;

/* A path that ends with .npy: NPY; of a model with several outputs, FILE.npy becomes FILE.NAME.npy for each. Otherwise CSV;
 * NULL: to `out`. NPY needs the number of samples. Close it in any case. */
int nnrt_sink_open(nnrt_sink *sink, const nnrt_model *model, const char *path, FILE *out, int64_t samples,
                   nnrt_error *error);

/* Writes the first n samples of `outputs`. */
void nnrt_sink_write(const nnrt_sink *sink, int n);

/* Commits the files if `status` is NNRT_OK, else takes them away; returns what became of it. */
int nnrt_sink_close(nnrt_sink *sink, int status, nnrt_error *error);

#endif
