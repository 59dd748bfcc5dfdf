/* A program that predicts and trains with two models. It is compiled as C and as C++. */
#include <stdio.h>

#include "picture.h"
#include "words.h"

enum { WORDS = 2, LENGTH = 4, CLASSES = 5, PICTURES = PICTURE_BATCH, PIXELS = 2 * 6 * 5, STEPS = 5 };

static words_params words;
static words_state words_training;
static picture_params picture;
static picture_state picture_training;

/* Aligned to 64 bytes. */
static union Workspace { double numbers[(WORDS_WORKSPACE + PICTURE_WORKSPACE + 64) / sizeof(double) + 1]; } memory;

static void *aligned(void) {
    size_t beyond = (size_t)memory.numbers % 64;
    return (char *)memory.numbers + (beyond ? 64 - beyond : 0);
}

int main(void) {
    const int32_t word[WORDS * LENGTH] = {0, 3, 10, 3, 7, 7, 1, 2}, label[WORDS] = {1, 4};
    words_real probabilities[WORDS * CLASSES];
    int32_t best[WORDS];
    picture_real image[PICTURES * PIXELS], level[PICTURES], value[PICTURES], along[PICTURES];
    for (int i = 0; i < PICTURES * PIXELS; i++)
        image[i] = (picture_real)(i % 7) / 7;
    for (int i = 0; i < PICTURES; i++)
        level[i] = (picture_real)i;
    words_init(&words, 1);
    picture_init(&picture, 1);
    words_state_init(&words_training, 1, STEPS);
    picture_state_init(&picture_training, 1, STEPS);
    for (int step = 0; step < STEPS; step++) {
        const words_real a = words_train_step(&words, &words_training, word, label, WORDS, aligned());
        const picture_real b = picture_train_step(&picture, &picture_training, image, level, aligned());
        printf("losses %.9g and %.9g\n", (double)a, (double)b);
    }
    words_predict(&words, word, probabilities, best, WORDS, aligned());
    picture_predict(&picture, image, value, along, aligned());
    for (int i = 0; i < WORDS; i++)
        printf("class %d, probability %.9g\n", (int)best[i], (double)probabilities[i * CLASSES + best[i]]);
    for (int i = 0; i < PICTURES; i++)
        printf("value %.9g, along %.9g\n", (double)value[i], (double)along[i]);
    printf("%d and %d tensors, the first are %s and %s\n", WORDS_PARAMS_COUNT, PICTURE_PARAMS_COUNT,
           words_params_info[0].name, picture_params_info[0].name);
    return 0;
}
