/* A program with a network inside: it trains `wave` on sin(x), then predicts. No framework, no run-time library, no allocation. */
#include <math.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "wave.h"

static wave_params params;
static wave_state state;
static alignas(64) unsigned char workspace[WAVE_TRAIN_STEP_WORKSPACE + 64];

int main(void) {
    enum { STEPS = 4000 };
    wave_init(&params, 1);
    wave_state_init(&state, 1, STEPS);

    wave_real x[WAVE_BATCH], t[WAVE_BATCH], y[WAVE_BATCH];
    wave_real loss = 0;
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < WAVE_BATCH; i++) {
            x[i] = (wave_real)(6.2831853 * rand() / RAND_MAX - 3.1415927);
            t[i] = (wave_real)sin((double)x[i]);
        }
        loss = wave_train_step(&params, &state, x, t, WAVE_BATCH, workspace);
    }
    printf("loss after %d steps: %.2e\n", STEPS, (double)loss);

    double worst = 0;
    for (int i = 0; i < WAVE_BATCH; i++)
        x[i] = (wave_real)(6.0 * i / (WAVE_BATCH - 1) - 3.0);
    wave_predict(&params, x, y, WAVE_BATCH, workspace);
    for (int i = 0; i < WAVE_BATCH; i++)
        worst = fmax(worst, fabs((double)y[i] - sin((double)x[i])));
    printf("largest error on [-3, 3]: %.3f\n", worst);
    return worst < 0.1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
