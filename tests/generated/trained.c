/* A program with a trained network inside: predicts with the constant `net_weights`, and reads no file.
 *
 *     trained inputs    writes the images of all samples as CSV
 *     trained           writes the outputs of all samples as they are in memory
 */
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "net.h"

enum { SAMPLES = 19, PIXELS = 2 * 6 * 5 };

static alignas(64) unsigned char workspace[NET_PREDICT_WORKSPACE + 64];

/* Exact as float and in CSV. */
static net_real pixel(int sample, int i) {
    return (net_real)((sample * 31 + i * 17) % 64 - 32) / 16;
}

static void write_inputs(void) {
    for (int i = 0; i < PIXELS; i++)
        printf("%sp%d", i ? "," : "", i);
    for (int sample = 0; sample < SAMPLES; sample++)
        for (int i = 0; i < PIXELS; i++)
            printf("%s%.8f", i ? "," : "\n", (double)pixel(sample, i));
    printf("\n");
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "inputs") == 0) {
        write_inputs();
        return 0;
    }
    for (int begin = 0; begin < SAMPLES; begin += NET_BATCH) {
        const int n = SAMPLES - begin < NET_BATCH ? SAMPLES - begin : NET_BATCH;
        net_real image[NET_BATCH * PIXELS], value[NET_BATCH * 3];
        for (int i = 0; i < n * PIXELS; i++)
            image[i] = pixel(begin + i / PIXELS, i % PIXELS);
        net_predict(&net_weights, image, value, n, workspace);
        if (fwrite(value, 3 * sizeof *value, (size_t)n, stdout) != (size_t)n)
            return 1;
    }
    return 0;
}
