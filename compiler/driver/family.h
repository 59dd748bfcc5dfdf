/* family.h: a model compiled for several processors: a C file for each, and one that chooses between them when the program runs. */
#ifndef NNC_DRIVER_FAMILY_H
#define NNC_DRIVER_FAMILY_H

#include "driver/pipeline.h"

/* Runs the pipeline for each of options->targets and fills `family`, which is ready to be written: source, header, variants. `output`: the name of the
 * file that chooses. false: errors were reported. */
bool family_run(Compilation *family, const char *output);

#endif
