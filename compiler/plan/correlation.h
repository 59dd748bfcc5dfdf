/* correlation.h: sums of products in which one factor, the image, is read at sums or differences of an output and a summed index along two of its
 * axes: convolutions in two directions, their adjoints, and the gradients of their kernels, wherever they come from.
 *
 *     y[s, f, g, i, j] = sum(c, u, v) k[f, c, g, u, v] * x[s, c, g, i + u, j + v]
 *     x[s, c, g, i, j] = sum(f, u, v) k[f, c, g, u, v] * y[s, f, g, i - u, j - v]
 *     k[f, c, g, u, v] = sum(s, i, j) y[s, f, g, i, j] * x[s, c, g, u + i, v + j]
 */
#ifndef NNC_PLAN_CORRELATION_H
#define NNC_PLAN_CORRELATION_H

#include "ir/graph.h"

typedef struct SlotList {
    int count;
    int at[MAX_AXES];
} SlotList;

bool slots_have(const SlotList *slots, int slot);

/* Along one axis of the image. */
typedef struct Shift {
    int output, summed;           /* slots of the node */
    int output_sign, summed_sign; /* 1 or -1; one of them is 1 */
    int64_t start;
    int image_axis; /* read at output_sign * output + summed_sign * summed + start */
    int other_axis; /* of the other factor, read at the summed slot */
} Shift;

/* A node of that form. Every slot but those of the shifts is a plain index where it is read, and stands in one of four lists. */
typedef struct Correlation {
    const Node *node;
    const Scalar *image, *other; /* loads */
    bool guarded;                /* outside of the image counts as 0 */
    Shift shift[2];
    SlotList images;   /* outputs, of the image only */
    SlotList filters;  /* outputs, of the other factor only */
    SlotList groups;   /* outputs, of both */
    SlotList channels; /* summed over, of both */
} Correlation;

/* False: the node has another form. */
bool correlation_find(Graph *g, const Node *node, Correlation *found);

#endif
