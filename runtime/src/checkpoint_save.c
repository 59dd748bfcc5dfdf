/* Writing a checkpoint as a safetensors file: the header is complete before the first byte is written. */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include "checkpoint.h"
#include "error.h"
#include "file.h"
#include "safetensors.h"
#include "text.h"

enum {
    /* Spaces after the header make the data begin at a multiple of this. */
    DATA_ALIGNMENT = 8,
};

/* A JSON text with its quotes. */
static void add_json_text(nnrt_text *text, const char *value) {
    nnrt_text_add(text, "\"", 1);
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            nnrt_text_printf(text, "\\%c", c);
        else if (c == '\n')
            nnrt_text_add(text, "\\n", 2);
        else if (c < 0x20)
            nnrt_text_printf(text, "\\u%04x", (unsigned)c);
        else
            nnrt_text_add(text, value, 1);
    }
    nnrt_text_add(text, "\"", 1);
}

static void add_pair(nnrt_text *text, const char *key, const char *value) {
    nnrt_text_add(text, ",", 1);
    add_json_text(text, key);
    nnrt_text_add(text, ":", 1);
    add_json_text(text, value);
}

/* The counters of a training, which the state struct holds beside its tensors. */
static void add_counters(nnrt_text *text, const nnrt_model *model, const void *state) {
    int64_t step, steps;
    uint64_t seed;
    memcpy(&step, (const char *)state + model->step_offset, sizeof step);
    memcpy(&steps, (const char *)state + model->steps_offset, sizeof steps);
    memcpy(&seed, (const char *)state + model->seed_offset, sizeof seed);
    nnrt_text_printf(text, ",\"step\":\"%" PRId64 "\",\"steps\":\"%" PRId64 "\",\"seed\":\"%" PRIu64 "\"", step, steps,
                     seed);
}

/* "format": "pt" tells tools that axes are in PyTorch's order. */
static void add_metadata(nnrt_text *text, const nnrt_model *model, const void *state, const nnrt_pair *pairs,
                         int count) {
    nnrt_text_printf(text, "{\"__metadata__\":{\"format\":\"pt\"");
    add_pair(text, "model", model->name);
    if (state != NULL)
        add_counters(text, model, state);
    for (int i = 0; i < count; i++)
        add_pair(text, pairs[i].key, pairs[i].value);
    nnrt_text_add(text, "}", 1);
}

/* The entries of a table; *offset runs on. */
static void add_tensors(nnrt_text *text, const char *prefix, const nnrt_tensor *tensors, int count, uint64_t *offset) {
    for (int i = 0; i < count; i++) {
        const nnrt_tensor *tensor = &tensors[i];
        nnrt_text name = {0};
        nnrt_text_printf(&name, "%s%s", prefix, tensor->name);
        text->failed = text->failed || name.failed;
        nnrt_text_add(text, ",", 1);
        add_json_text(text, name.failed ? "" : name.bytes);
        nnrt_text_free(&name);
        nnrt_text_printf(text, ":{\"dtype\":\"%s\",\"shape\":[", nnrt_dtype_name(nnrt_dtype_of(tensor->type)));
        for (int axis = 0; axis < tensor->rank; axis++)
            nnrt_text_printf(text, "%s%" PRId64, axis == 0 ? "" : ",", tensor->shape[axis]);
        nnrt_text_printf(text, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", *offset, *offset + tensor->bytes);
        *offset += tensor->bytes;
    }
}

static void write_tensors(nnrt_file *file, const void *base, const nnrt_tensor *tensors, int count) {
    for (int i = 0; i < count; i++)
        nnrt_file_write(file, (const char *)base + tensors[i].offset, tensors[i].bytes);
}

static void write_header(nnrt_file *file, const nnrt_text *header) {
    size_t padding = (DATA_ALIGNMENT - header->length % DATA_ALIGNMENT) % DATA_ALIGNMENT;
    uint64_t length = header->length + padding;
    nnrt_file_write(file, &length, sizeof length);
    nnrt_file_write(file, header->bytes, header->length);
    nnrt_file_write(file, "        ", padding);
}

int nnrt_checkpoint_save(const char *path, const nnrt_model *model, const void *params, const void *state,
                         const nnrt_pair *pairs, int pair_count, nnrt_error *error) {
    const int state_count = state == NULL ? 0 : model->state_count;
    nnrt_text header = {0};
    nnrt_file file;
    uint64_t offset = 0;
    add_metadata(&header, model, state, pairs, pair_count);
    add_tensors(&header, "", model->params, model->param_count, &offset);
    add_tensors(&header, NNRT_STATE_PREFIX, model->states, state_count, &offset);
    nnrt_text_add(&header, "}", 1);
    int status = header.failed ? nnrt_fail_memory(error, path, header.capacity) : nnrt_file_open(&file, path, error);
    if (status == NNRT_OK) {
        write_header(&file, &header);
        write_tensors(&file, params, model->params, model->param_count);
        write_tensors(&file, state, model->states, state_count);
        status = nnrt_file_commit(&file, error);
    }
    nnrt_text_free(&header);
    return status;
}
