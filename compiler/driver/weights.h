/* weights.h: the parameters of a checkpoint, for --weights. The run-time library reads it, with the checks and messages of
 * `nnc predict --load`. */
#ifndef NNC_DRIVER_WEIGHTS_H
#define NNC_DRIVER_WEIGHTS_H

#include "driver/pipeline.h"

/* Sets c->weights; the graph says which tensors are wanted. false: reported. */
bool weights_load(Compilation *c);

#endif
