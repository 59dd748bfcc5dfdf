/* safetensors_fuzz.c: any bytes are a checkpoint or refused with a message; of a checkpoint, all tensors can be read as every
 * type that they convert to, and a model takes what fits. */
#include <stdlib.h>
#include "runtime/linear_model.h"
#include "safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_tensor(nnrt_checkpoint *checkpoint, const nnrt_stored *tensor) {
    static const nnrt_type types[] = {NNRT_REAL32, NNRT_REAL64, NNRT_INT32, NNRT_INT64};
    size_t elements = (size_t)(tensor->end - tensor->begin) / nnrt_dtype_size(tensor->dtype);
    for (int i = 0; i < 4; i++) {
        void *numbers = malloc(elements * sizeof(double) + 1);
        nnrt_error error = {{0}};
        if (numbers == NULL ||
            (nnrt_checkpoint_read(checkpoint, tensor, types[i], numbers, &error) != NNRT_OK && error.text[0] == '\0'))
            abort();
        free(numbers);
    }
}

static void load_model(nnrt_checkpoint *checkpoint) {
    LinearParams params;
    LinearState state;
    nnrt_error note, error = {{0}};
    if (nnrt_checkpoint_params(checkpoint, &linear_model, &params, &note, &error) != NNRT_OK && error.text[0] == '\0')
        abort();
    error.text[0] = '\0';
    if (nnrt_checkpoint_state(checkpoint, &linear_model, &state, &error) != NNRT_OK && error.text[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    nnrt_checkpoint *checkpoint = NULL;
    nnrt_error error = {{0}};
    if (nnrt_checkpoint_open_memory(&checkpoint, "fuzz", data, size, &error) != NNRT_OK) {
        if (error.text[0] == '\0' || checkpoint != NULL)
            abort();
        return 0;
    }
    for (size_t i = 0; i < nnrt_checkpoint_count(checkpoint); i++) {
        const nnrt_stored *tensor = nnrt_checkpoint_at(checkpoint, i);
        if (nnrt_checkpoint_find(checkpoint, tensor->name) != tensor)
            abort();
        read_tensor(checkpoint, tensor);
    }
    load_model(checkpoint);
    nnrt_checkpoint_close(checkpoint);
    return 0;
}
