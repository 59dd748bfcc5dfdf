/* csv_fuzz.c: any bytes are a CSV file or refused with a message, whether all columns are wanted or two by name. */
#include "reader_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *const columns[] = {"y", "x 1"};
    for (int count = 0; count <= 2; count += 2) {
        nnrt_stream *stream = fuzz_open(data, size);
        nnrt_array array;
        nnrt_error error = {{0}};
        if (stream != NULL) {
            fuzz_check(nnrt_csv_parse(stream, columns, count, &array, &error), &array, &error);
            nnrt_stream_close(stream);
        }
    }
    return 0;
}
