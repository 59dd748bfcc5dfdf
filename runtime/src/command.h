/* command.h: the commands of a generated program, but for train, which is in main.c. */
#ifndef NNRT_SRC_COMMAND_H
#define NNRT_SRC_COMMAND_H

#include "options.h"

/* What a command works on. */
typedef struct nnrt_job {
    const nnrt_model *model;
    const nnrt_recipe *recipe; /* NULL: none */
    const nnrt_command_line *line;
    FILE *out, *notes;
} nnrt_job;

int nnrt_command_eval(const nnrt_job *job, nnrt_error *error);
int nnrt_command_predict(const nnrt_job *job, nnrt_error *error);
int nnrt_command_info(const nnrt_job *job, nnrt_error *error);

/* The parameters of --load, in memory to be freed. *seed is that of the training they come from, if the file tells. */
int nnrt_job_load_params(const nnrt_job *job, void **params, uint64_t *seed, nnrt_error *error);

/* The best part of the recipe to look at: test, else validation, else training data; NNRT_PARTS: there is none. A note says
 * so when it is not the test data. */
nnrt_part_name nnrt_job_choose_part(const nnrt_job *job);

#endif
