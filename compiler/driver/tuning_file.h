/* tuning_file.h: the file of measured loops (plan/tuning.h) that goes with a model. */
#ifndef NNC_DRIVER_TUNING_FILE_H
#define NNC_DRIVER_TUNING_FILE_H

#include "driver/pipeline.h"

/* --tuning, or the model's stem and ".tuning"; NULL: a model from standard input has none. */
const char *tuning_file_path(Arena *arena, const Options *options);

/* Reads it into the compilation, unless there is none or it is not wanted. false: reported. */
bool tuning_file_load(Compilation *compilation);

/* After planning: says how many entries fit nothing in this model. */
void tuning_file_remark(const Compilation *compilation);
bool tuning_file_is_followed(const Compilation *compilation);

#endif
