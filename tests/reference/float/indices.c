/* No number reads outside of a table: those below it read the first row, those behind it the last, NaN the first. The rows stand in a block of their own
 * size, so that a sanitizer sees what lies beside. */
#include <math.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "indices.h"

static const struct {
    float x;
    int index;
} cases[] = {
    {0, 0},        {-0.0f, 0},    {0.999f, 0},    {1, 1},    {1.5f, 1},  {3.999999f, 3},     {4, 4},
    {4.5f, 4},     {5, 4},        {5.001f, 4},    {1e9f, 4}, {3e38f, 4}, {-1e-9f, 0},        {-1, 0},
    {-3e38f, 0},   {INFINITY, 4}, {-INFINITY, 0}, {NAN, 0},  {-NAN, 0},  {2147483648.0f, 4}, {9.3e18f, 4},
    {-9.3e18f, 0}, {2, 2},        {1e-45f, 0},
};
enum { COUNT = sizeof cases / sizeof *cases };

int main(void) {
    indices_params *params = malloc(sizeof *params);
    static alignas(64) unsigned char workspace[INDICES_WORKSPACE + 64];
    static float x[COUNT], found[COUNT][3], kept[COUNT][2];
    static int32_t index[COUNT];
    int wrong = 0;
    if (!params)
        return 1;
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++)
            params->W[i][k] = (float)(10 * i + k);
        for (int k = 0; k < 2; k++)
            params->embedding_1_weight[i][k] = (float)(100 * i + k);
    }
    /* Alone, so that numbers are computed one by one, and all together, in vectors. */
    for (int n = 1; n <= COUNT; n += COUNT - 1) {
        for (int first = 0; first + n <= COUNT; first++) {
            for (int i = 0; i < n; i++)
                x[i] = cases[first + i].x;
            indices_predict(params, x, index, found[0], kept[0], n, workspace);
            for (int i = 0; i < n; i++) {
                int expected = cases[first + i].index;
                if (index[i] == expected && found[i][2] == (float)(10 * expected + 2) &&
                    kept[i][1] == (float)(100 * expected + 1))
                    continue;
                printf("%g: index %d, %g, %g; expected %d\n", (double)x[i], (int)index[i], (double)found[i][2],
                       (double)kept[i][1], expected);
                wrong++;
            }
        }
    }
    printf("%d numbers, %d wrong\n", COUNT, wrong);
    free(params);
    return wrong != 0;
}
