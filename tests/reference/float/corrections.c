/* Bias corrections in float, over a training: each within a few units in the last place of the exact value. */
#include <math.h>
#include <stdalign.h>
#include <stdio.h>

#include "corrections.h"

static alignas(64) unsigned char workspace[CORRECTIONS_WORKSPACE + 64];

/* The relative error of `got` as 1 - beta^step. */
static double error_of(float got, double beta, int step) {
    double exact = -expm1(step * log(beta));
    return fabs((double)got - exact) / exact;
}

int main(void) {
    static corrections_params params;
    static corrections_state state;
    const float x[2] = {1, 1};
    double worst = 0;
    corrections_init(&params, 1);
    corrections_state_init(&state, 1, 100000);
    for (int step = 1; step <= 100000; step++) {
        corrections_train_step(&params, &state, x, 1, workspace);
        worst = fmax(worst, error_of(params.a[0], 0.9, step));
        worst = fmax(worst, error_of(params.b[0], 0.999, step));
    }
    printf("largest relative error %.2g\n", worst);
    return !(worst < 2e-7);
}
