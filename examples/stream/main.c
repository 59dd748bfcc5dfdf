/* A program that runs a recurrent network step by step: it trains `stream` on pieces of sine waves, then follows waves that it has not seen, one
 * sample of each a call. What the network remembers is kept here, between the calls; zeros begin a stream. */
#include <math.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

enum { BATCH = STREAM_BATCH, STEPS = 32, UNITS = 16, TRAINING = 2000 };

/* What the network remembers of each stream. */
typedef struct Memory {
    stream_real h[BATCH][UNITS], c[BATCH][UNITS];
} Memory;

static const Memory zeros;
static stream_params params;
static stream_state state;
static stream_real piece[BATCH][STEPS + 1];
static alignas(64) unsigned char workspace[STREAM_WORKSPACE];

static double between(double low, double high) {
    return low + (high - low) * rand() / RAND_MAX;
}

/* Waves of other frequencies and phases in each stream. */
static void draw_waves(void) {
    for (int b = 0; b < BATCH; b++) {
        double frequency = between(0.2, 0.8), phase = between(0, 6.2831853);
        for (int t = 0; t <= STEPS; t++)
            piece[b][t] = (stream_real)sin(frequency * t + phase);
    }
}

/* Training goes over whole pieces: x, h and c are not read by the loss. */
static double train(void) {
    static const stream_real x[BATCH];
    double loss = 0;
    stream_init(&params, 1);
    stream_state_init(&state, 1, TRAINING);
    for (int step = 0; step < TRAINING; step++) {
        draw_waves();
        loss = (double)stream_train_step(&params, &state, x, zeros.h[0], zeros.c[0], piece[0], BATCH, workspace);
    }
    return loss;
}

/* Follows the streams sample by sample; the mean of the squared errors, from the step `first` on. */
static double follow(int first) {
    Memory now = zeros, next;
    stream_real x[BATCH], guess[BATCH];
    double sum = 0;
    for (int t = 0; t < STEPS; t++) {
        for (int b = 0; b < BATCH; b++)
            x[b] = piece[b][t];
        stream_predict(&params, x, now.h[0], now.c[0], guess, next.h[0], next.c[0], BATCH, workspace);
        now = next;
        for (int b = 0; t >= first && b < BATCH; b++)
            sum += pow((double)(guess[b] - piece[b][t + 1]), 2);
    }
    return sum / (BATCH * (STEPS - first));
}

int main(void) {
    printf("loss after %d steps: %.2e\n", TRAINING, train());

    draw_waves();
    static const stream_real x[BATCH];
    double whole = (double)stream_loss(&params, x, zeros.h[0], zeros.c[0], piece[0], BATCH, workspace);
    double steps = follow(0), later = follow(STEPS / 2);
    printf("mean squared error over whole pieces: %.6f, step by step: %.6f\n", whole, steps);
    printf("behind the first %d samples: %.6f\n", STEPS / 2, later);
    return fabs(whole - steps) < 1e-4 * whole && later < 1e-3 ? EXIT_SUCCESS : EXIT_FAILURE;
}
