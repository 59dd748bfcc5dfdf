/* tune.h: --tune: measures which loops are fastest for the stages of a model, and writes its tuning file.
 *
 * The cost model gives a shortlist for every stage. Programs are built in which all stages have the first candidate of their lists, the second,
 * and so on; in each the stages are timed one by one, so that a few programs measure many stages. They run in turns. What is clearly faster than
 * the cost model's own choice is measured again, all winners in one program: the luckiest of ten is often only lucky. Tiles come first; orders of
 * the loops around the winners second.
 */
#ifndef NNC_DRIVER_TUNE_H
#define NNC_DRIVER_TUNE_H

#include "base/diag.h"
#include "driver/options.h"

/* false: errors were reported, and the tuning file is as before. */
bool tune_model(Arena *arena, const Options *options, Diag *diag);

#endif
