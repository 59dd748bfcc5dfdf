#include "data.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "error.h"
#include "memory.h"

static const nnrt_source *find_source(const nnrt_split *split, const char *field) {
    for (int i = 0; i < split->source_count; i++)
        if (strcmp(split->sources[i].field, field) == 0)
            return &split->sources[i];
    return NULL;
}

/* Field number `i`: the inputs, then the targets. */
static const nnrt_field *field_at(const nnrt_model *model, int i) {
    return i < model->input_count ? &model->inputs[i] : &model->targets[i - model->input_count];
}

/* Every column must have as many samples as the first. */
static int check_samples(const nnrt_data *data, int column, const char *split, nnrt_error *error) {
    int64_t samples = data->columns[column].array.shape[0];
    if (samples == data->samples)
        return NNRT_OK;
    return nnrt_fail(error,
                     "%s data: %s has %" PRId64 " samples, but %s has %" PRId64
                     "; they must be the same samples in the same order",
                     split, data->columns[0].field->name, data->samples, data->columns[column].field->name, samples);
}

static int load_columns(nnrt_data *data, const nnrt_split *split, const char *name, const char *folder,
                        nnrt_error *error) {
    for (int i = 0; i < data->input_count + data->target_count; i++) {
        const nnrt_field *field = field_at(data->model, i);
        const nnrt_source *source = find_source(split, field->name);
        if (source == NULL)
            return nnrt_fail(error, "%s data: nothing is given for %s", name, field->name);
        nnrt_column *column = &data->columns[i];
        if (nnrt_column_load(column, field, source, name, folder, error) != NNRT_OK)
            return NNRT_FAILED;
        data->samples = i == 0 ? column->array.shape[0] : data->samples;
        if (check_samples(data, i, name, error) != NNRT_OK)
            return NNRT_FAILED;
    }
    return NNRT_OK;
}

int nnrt_data_load(nnrt_data **made, const nnrt_model *model, const nnrt_split *split, const char *name,
                   const char *folder, nnrt_fields fields, nnrt_error *error) {
    *made = NULL;
    nnrt_data *data = nnrt_allocate(1, sizeof *data);
    if (data == NULL)
        return nnrt_fail_memory(error, name, sizeof *data);
    data->model = model;
    data->input_count = model->input_count;
    data->target_count = fields == NNRT_INPUTS ? 0 : model->target_count;
    size_t columns = (size_t)data->input_count + (size_t)data->target_count;
    data->columns = nnrt_allocate(columns, sizeof *data->columns);
    if (data->columns == NULL) {
        nnrt_data_free(data);
        return nnrt_fail_memory(error, name, columns * sizeof *data->columns);
    }
    if (load_columns(data, split, name, folder, error) != NNRT_OK) {
        nnrt_data_free(data);
        return NNRT_FAILED;
    }
    *made = data;
    return NNRT_OK;
}

int64_t nnrt_data_samples(const nnrt_data *data) {
    return data->samples;
}

void nnrt_data_free(nnrt_data *data) {
    if (data == NULL)
        return;
    for (int i = 0; data->columns != NULL && i < data->input_count + data->target_count; i++)
        nnrt_column_free(&data->columns[i]);
    free(data->columns);
    free(data);
}
