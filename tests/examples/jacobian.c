/* Prints the Jacobian that the model dual computes, for parameters and inputs that are always the same. */
#include <stdalign.h>
#include <stdio.h>

#include "dual.h"

enum { SAMPLES = 5, INPUTS = 3, OUTPUTS = 4 };

static alignas(64) unsigned char workspace[DUAL_WORKSPACE + 64];

int main(void) {
    static dual_params params;
    dual_real x[SAMPLES][INPUTS], value[SAMPLES][OUTPUTS], derivative[SAMPLES][OUTPUTS][INPUTS];
    dual_init(&params, 1);
    for (int s = 0; s < SAMPLES; s++)
        for (int k = 0; k < INPUTS; k++)
            x[s][k] = (dual_real)(0.3 * s - 0.5 * k);
    dual_predict(&params, &x[0][0], &derivative[0][0][0], &value[0][0], SAMPLES, workspace);
    for (int s = 0; s < SAMPLES; s++) {
        for (int j = 0; j < OUTPUTS; j++)
            for (int k = 0; k < INPUTS; k++)
                printf("%.12f\n", (double)derivative[s][j][k]);
    }
    return 0;
}
