/* Data that a formula makes: grids and random numbers. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include "array.h"
#include "column.h"
#include "error.h"
#include "memory.h"
#include "random.h"

static bool is_integer(const nnrt_field *field) {
    return field->type == NNRT_INT32 || field->type == NNRT_INT64;
}

/* The number of samples; false if it overflows. */
static bool count_samples(const nnrt_source *source, size_t width, size_t *samples) {
    *samples = (size_t)source->count;
    bool fits = true;
    for (size_t axis = 1; source->kind == NNRT_SOURCE_GRID && fits && axis < width; axis++)
        fits = nnrt_multiply(*samples, (size_t)source->count, samples);
    return fits && *samples <= INT64_MAX;
}

static void fill_grid(double *values, size_t samples, size_t width, const nnrt_source *source) {
    const size_t points = (size_t)source->count;
    const double spacing = points > 1 ? (source->high - source->low) / (double)(points - 1) : 0.0;
    for (size_t sample = 0; sample < samples; sample++) {
        size_t rest = sample;
        for (size_t i = width; i-- > 0; rest /= points) {
            size_t point = rest % points;
            /* The last point is the end itself, without rounding. */
            values[sample * width + i] =
                point > 0 && point == points - 1 ? source->high : source->low + spacing * (double)point;
        }
    }
}

static double draw(nnrt_random *random, const nnrt_source *source, bool integer) {
    if (source->kind == NNRT_SOURCE_NORMAL)
        return source->low + source->high * nnrt_random_normal(random);
    if (integer) {
        uint64_t choices = (uint64_t)(floor(source->high) - ceil(source->low)) + 1;
        return ceil(source->low) + (double)nnrt_random_below(random, choices);
    }
    return source->low + (source->high - source->low) * nnrt_random_unit(random);
}

/* Faults in the source itself. */
static int check_source(const nnrt_field *field, const nnrt_source *source, nnrt_error *error) {
    if (source->count < 1) {
        return nnrt_fail(error, "data of %s: the count is %" PRId64 "; it must be at least 1", field->name,
                         source->count);
    }
    if (!isfinite(source->low) || !isfinite(source->high))
        return nnrt_fail(error, "data of %s: %g and %g must be finite", field->name, source->low, source->high);
    if (!is_integer(field))
        return NNRT_OK;
    if (source->kind != NNRT_SOURCE_UNIFORM) {
        return nnrt_fail(error,
                         "data of %s: a grid or normal distribution makes real numbers, but %s "
                         "wants whole ones; use uniform",
                         field->name, field->name);
    }
    if (ceil(source->low) > floor(source->high) || source->low < INT32_MIN || source->high > INT32_MAX) {
        return nnrt_fail(error, "data of %s: there are no 32-bit whole numbers from %g to %g", field->name, source->low,
                         source->high);
    }
    return NNRT_OK;
}

int nnrt_synthesize(nnrt_array *array, const nnrt_field *field, const nnrt_source *source, const char *split,
                    nnrt_error *error) {
    size_t width = 0, samples = 0, elements = 0;
    *array = (nnrt_array){0};
    if (check_source(field, source, error) != NNRT_OK)
        return NNRT_FAILED;
    if (!nnrt_shape_elements(field->rank, field->shape, &width) || !count_samples(source, width, &samples) ||
        !nnrt_multiply(samples, width, &elements)) {
        return nnrt_fail(error,
                         "data of %s: a grid of %" PRId64 " points along each of %zu axes "
                         "is larger than any memory",
                         field->name, source->count, width);
    }
    double *values = nnrt_allocate(elements, sizeof *values);
    if (values == NULL)
        return nnrt_fail(error, "out of memory: %zu samples of %s do not fit", samples, field->name);
    if (source->kind == NNRT_SOURCE_GRID) {
        fill_grid(values, samples, width, source);
    } else {
        uint64_t purpose = nnrt_random_hash(field->name) ^ nnrt_random_hash(split) * 31;
        nnrt_random random = nnrt_random_new(source->seed, purpose);
        for (size_t i = 0; i < elements; i++)
            values[i] = draw(&random, source, is_integer(field));
    }
    *array = (nnrt_array){.element = NNRT_ELEMENT_F64, .rank = field->rank + 1, .data = values};
    array->shape[0] = (int64_t)samples;
    memcpy(array->shape + 1, field->shape, (size_t)field->rank * sizeof *field->shape);
    return NNRT_OK;
}
