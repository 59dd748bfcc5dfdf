/* npy_fuzz.c: any bytes are an NPY file or refused with a message; of an NPY file, all data can be touched. */
#include "reader_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    nnrt_stream *stream = fuzz_open(data, size);
    nnrt_array array;
    nnrt_error error = {{0}};
    if (stream != NULL) {
        fuzz_check(nnrt_npy_parse(stream, &array, &error), &array, &error);
        nnrt_stream_close(stream);
    }
    return 0;
}
