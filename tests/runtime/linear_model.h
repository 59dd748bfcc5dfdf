/* linear_model.h: a network small enough to be written by hand: y = w . x + b, trained by gradient descent with momentum.
 *
 * It stands for a generated program in the tests of the run-time library. Its rate falls with step/steps and every step
 * leaves out one component of x that depends on seed and step, so that a resumed training is the same only if all of the
 * state came back.
 */
#ifndef LINEAR_MODEL_H
#define LINEAR_MODEL_H

#include "nnrt.h"

enum { LINEAR_BATCH = 8, LINEAR_WIDTH = 3 };

typedef struct LinearParams {
    float w[LINEAR_WIDTH];
    float b;
} LinearParams;

typedef struct LinearState {
    uint64_t seed;
    int64_t step, steps;
    float momentum_w[LINEAR_WIDTH];
    float momentum_b;
} LinearState;

extern const nnrt_model linear_model;

/* x1, x2, x3 and y from "train.csv", a tenth for validation, 6 epochs. */
extern const nnrt_recipe linear_recipe;

#endif
