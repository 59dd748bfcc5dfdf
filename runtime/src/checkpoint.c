/* Checkpoints: the parameters and the state of a model in a safetensors file, read. Writing is in checkpoint_save.c. */
#include "checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "array.h"
#include "error.h"
#include "safetensors.h"
#include "text.h"

bool nnrt_parse_int64(const char *text, int64_t *value) {
    if (text == NULL || *text == '\0' || text[strspn(text, "-0123456789")] != '\0')
        return false;
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    *value = number;
    return errno == 0 && *end == '\0';
}

bool nnrt_parse_uint64(const char *text, uint64_t *value) {
    if (text == NULL || *text == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    *value = number;
    return errno == 0 && *end == '\0';
}

/* --- Faults that teach --- */

static bool is_state_name(const char *name) {
    return strncmp(name, NNRT_STATE_PREFIX, strlen(NNRT_STATE_PREFIX)) == 0;
}

static const nnrt_tensor *find_parameter(const nnrt_model *model, const char *name) {
    for (int i = 0; i < model->param_count; i++)
        if (strcmp(model->params[i].name, name) == 0)
            return &model->params[i];
    return NULL;
}

static bool same_shape(const nnrt_tensor *tensor, const nnrt_stored *stored) {
    return tensor->rank == stored->rank &&
           memcmp(tensor->shape, stored->shape, (size_t)tensor->rank * sizeof *tensor->shape) == 0;
}

/* A tensor of the file that may be the missing one under another name, or NULL: the first of its shape that the model does
 * not know. */
static const nnrt_stored *find_stand_in(const nnrt_checkpoint *checkpoint, const nnrt_model *model,
                                        const nnrt_tensor *tensor) {
    for (size_t i = 0; i < nnrt_checkpoint_count(checkpoint); i++) {
        const nnrt_stored *stored = nnrt_checkpoint_at(checkpoint, i);
        if (same_shape(tensor, stored) && find_parameter(model, stored->name) == NULL && !is_state_name(stored->name))
            return stored;
    }
    return NULL;
}

static int fail_missing(const nnrt_checkpoint *checkpoint, const nnrt_model *model, const nnrt_tensor *tensor,
                        nnrt_error *error) {
    const char *name = nnrt_checkpoint_name(checkpoint);
    const char *other = nnrt_checkpoint_value(checkpoint, "model");
    const nnrt_stored *stand_in = find_stand_in(checkpoint, model, tensor);
    nnrt_shape_text shape = nnrt_shape_print(tensor->rank, tensor->shape);
    if (other != NULL && strcmp(other, model->name) != 0) {
        return nnrt_fail(error,
                         "%s: tensor \"%s\" of shape %s is missing; the file is a checkpoint of "
                         "the model %s, not of %s",
                         name, tensor->name, shape.text, other, model->name);
    }
    if (stand_in != NULL) {
        return nnrt_fail(error,
                         "%s: tensor \"%s\" of shape %s is missing; \"%s\" has that shape: rename "
                         "it if it is the same",
                         name, tensor->name, shape.text, stand_in->name);
    }
    return nnrt_fail(error, "%s: tensor \"%s\" of shape %s is missing", name, tensor->name, shape.text);
}

/* The stored form of a tensor of the model, of the right shape. */
static int find_tensor(const nnrt_checkpoint *checkpoint, const nnrt_model *model, const nnrt_tensor *tensor,
                       const char *name, const nnrt_stored **stored, nnrt_error *error) {
    *stored = nnrt_checkpoint_find(checkpoint, name);
    if (*stored == NULL) {
        nnrt_tensor named = *tensor;
        named.name = name;
        return fail_missing(checkpoint, model, &named, error);
    }
    if (!same_shape(tensor, *stored)) {
        return nnrt_fail(error, "%s: tensor \"%s\" has shape %s, but the model wants %s",
                         nnrt_checkpoint_name(checkpoint), name,
                         nnrt_shape_print((*stored)->rank, (*stored)->shape).text,
                         nnrt_shape_print(tensor->rank, tensor->shape).text);
    }
    return NNRT_OK;
}

/* --- Parameters --- */

/* Adds ", TITLE: "first" and 3 more" for `count` tensors. */
static void add_list(nnrt_text *text, const char *title, const char *first, size_t count) {
    if (count == 0)
        return;
    nnrt_text_printf(text, "%s%s \"%s\"", text->length == 0 ? "" : ", ", title, first);
    if (count > 1)
        nnrt_text_printf(text, " and %zu more", count - 1);
}

/* A sentence on what was converted or not used. */
static void write_note(nnrt_error *note, const nnrt_checkpoint *checkpoint, const nnrt_model *model) {
    const char *converted_first = NULL, *unknown_first = NULL;
    size_t converted = 0, unknown = 0;
    nnrt_text text = {0};
    for (size_t i = 0; i < nnrt_checkpoint_count(checkpoint); i++) {
        const nnrt_stored *stored = nnrt_checkpoint_at(checkpoint, i);
        const nnrt_tensor *tensor = find_parameter(model, stored->name);
        if (tensor == NULL && !is_state_name(stored->name))
            unknown_first = unknown++ == 0 ? stored->name : unknown_first;
        if (tensor != NULL && stored->dtype != nnrt_dtype_of(tensor->type))
            converted_first = converted++ == 0 ? stored->name : converted_first;
    }
    add_list(&text, "converted to the model's reals:", converted_first, converted);
    add_list(&text, "not in the model:", unknown_first, unknown);
    if (text.length > 0)
        nnrt_note(note, "%s: %s", nnrt_checkpoint_name(checkpoint), text.bytes);
    else
        nnrt_note(note, "%s", "");
    nnrt_text_free(&text);
}

int nnrt_checkpoint_params(nnrt_checkpoint *checkpoint, const nnrt_model *model, void *params, nnrt_error *note,
                           nnrt_error *error) {
    for (int i = 0; i < model->param_count; i++) {
        const nnrt_tensor *tensor = &model->params[i];
        const nnrt_stored *stored = NULL;
        if (find_tensor(checkpoint, model, tensor, tensor->name, &stored, error) != NNRT_OK ||
            nnrt_checkpoint_read(checkpoint, stored, tensor->type, (char *)params + tensor->offset, error) != NNRT_OK)
            return NNRT_FAILED;
    }
    write_note(note, checkpoint, model);
    return NNRT_OK;
}

/* --- State --- */

int nnrt_checkpoint_integer(const nnrt_checkpoint *checkpoint, const char *key, int64_t *value, nnrt_error *error) {
    const char *text = nnrt_checkpoint_value(checkpoint, key);
    if (text == NULL) {
        return nnrt_fail(error,
                         "%s: holds parameters but not the state of a training: \"%s\" is missing; "
                         "start from the parameters with train --load",
                         nnrt_checkpoint_name(checkpoint), key);
    }
    if (!nnrt_parse_int64(text, value) || *value < 0) {
        return nnrt_fail(error, "%s: \"%s\" is \"%.40s\", not a whole number from 0", nnrt_checkpoint_name(checkpoint),
                         key, text);
    }
    return NNRT_OK;
}

/* step, steps and seed come from the metadata. */
static int read_counters(nnrt_checkpoint *checkpoint, const nnrt_model *model, void *state, nnrt_error *error) {
    int64_t step = 0, steps = 0;
    uint64_t seed = 0;
    if (nnrt_checkpoint_integer(checkpoint, "step", &step, error) != NNRT_OK ||
        nnrt_checkpoint_integer(checkpoint, "steps", &steps, error) != NNRT_OK)
        return NNRT_FAILED;
    if (!nnrt_parse_uint64(nnrt_checkpoint_value(checkpoint, "seed"), &seed)) {
        return nnrt_fail(error, "%s: \"seed\" is missing or not a whole number from 0",
                         nnrt_checkpoint_name(checkpoint));
    }
    memcpy((char *)state + model->step_offset, &step, sizeof step);
    memcpy((char *)state + model->steps_offset, &steps, sizeof steps);
    memcpy((char *)state + model->seed_offset, &seed, sizeof seed);
    return NNRT_OK;
}

static int read_state_tensor(nnrt_checkpoint *checkpoint, const nnrt_model *model, const nnrt_tensor *tensor,
                             void *state, nnrt_error *error) {
    nnrt_text name = {0};
    const nnrt_stored *stored = NULL;
    nnrt_text_printf(&name, "%s%s", NNRT_STATE_PREFIX, tensor->name);
    if (name.failed) {
        nnrt_text_free(&name);
        return nnrt_fail_memory(error, tensor->name, strlen(tensor->name));
    }
    int status = find_tensor(checkpoint, model, tensor, name.bytes, &stored, error);
    if (status == NNRT_OK && stored->dtype != nnrt_dtype_of(tensor->type)) {
        status = nnrt_fail(error,
                           "%s: tensor \"%s\" has type %s, but the state is %s; a training "
                           "continues with the same real type only",
                           nnrt_checkpoint_name(checkpoint), name.bytes, nnrt_dtype_name(stored->dtype),
                           nnrt_dtype_name(nnrt_dtype_of(tensor->type)));
    }
    if (status == NNRT_OK)
        status = nnrt_checkpoint_read(checkpoint, stored, tensor->type, (char *)state + tensor->offset, error);
    nnrt_text_free(&name);
    return status;
}

int nnrt_checkpoint_state(nnrt_checkpoint *checkpoint, const nnrt_model *model, void *state, nnrt_error *error) {
    if (read_counters(checkpoint, model, state, error) != NNRT_OK)
        return NNRT_FAILED;
    for (int i = 0; i < model->state_count; i++)
        if (read_state_tensor(checkpoint, model, &model->states[i], state, error) != NNRT_OK)
            return NNRT_FAILED;
    return NNRT_OK;
}
