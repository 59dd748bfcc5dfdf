/* block.h: rows in blocks that a cache keeps. */
#ifndef NNC_PLAN_BLOCK_H
#define NNC_PLAN_BLOCK_H

#include "plan/cost.h"

/* How many elements along the rows of the stage's schedule pass its other loops at a time; 0: all. */
int64_t block_rows(const StageCost *cost);

#endif
