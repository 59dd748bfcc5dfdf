/* c_weights.h: trained parameters as a constant of the generated C.
 *
 *     const line_params line_weights = {
 *         .dense_1_weight = {{0.25f}, {-1.5f}},
 *         .dense_1_bias = {0.0f, 1e-05f},
 *     };
 *
 * The numbers have the shortest digits that are read back exactly.
 */
#ifndef NNC_EMIT_C_WEIGHTS_H
#define NNC_EMIT_C_WEIGHTS_H

#include "emit/c_names.h"
#include "emit/c_write.h"
#include "emit/emit.h"

/* For the header: the declaration, and how to use it. */
void c_weights_declare(CWriter *w, const CNames *names, const EmitWeights *weights);
/* For the source; it wants <math.h> where numbers are not finite. */
void c_weights_define(CWriter *w, const CNames *names, const EmitWeights *weights);

#endif
