/* not_finite.h: where infinities and NaNs are among the parameters. */
#ifndef NNRT_SRC_NOT_FINITE_H
#define NNRT_SRC_NOT_FINITE_H

#include "nnrt.h"
#include "text.h"

/* How many elements of the parameters are not finite. */
size_t nnrt_not_finite_count(const nnrt_model *model, const void *params);

/* Adds "12 of 61706 parameters are not finite, the first is conv1.K[0, 0, 3, 1]", or "all parameters are finite". */
void nnrt_not_finite_describe(const nnrt_model *model, const void *params, nnrt_text *text);

#endif
