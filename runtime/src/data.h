/* data.h: the inside of nnrt_data, for the batches. */
#ifndef NNRT_SRC_DATA_H
#define NNRT_SRC_DATA_H

#include <stdbool.h>
#include "column.h"

/* The columns of the inputs, then those of the targets if they were loaded. */
struct nnrt_data {
    const nnrt_model *model;
    int input_count, target_count;
    nnrt_column *columns; /* input_count + target_count */
    int64_t samples;
};

/* The sample that stands at `position` of the rows. */
static inline int64_t nnrt_rows_at(const nnrt_rows *rows, int64_t position) {
    return rows->index == NULL ? position : rows->index[position];
}

/* The part's name in messages: "training", "validation", "test". */
const char *nnrt_part_label(nnrt_part_name part);

/* Whether a recipe has data for a part, of its own or cut from the training data. */
bool nnrt_recipe_has(const nnrt_recipe *recipe, nnrt_part_name part);

#endif
