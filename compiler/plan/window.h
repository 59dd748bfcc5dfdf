/* window.h: correlations whose windows are 3x3: one of the two indices along each of these axes has three values.
 *
 *     y[s, f, i, j] = sum(c, u, v) k[f, c, u, v] * x[s, c, i + u, j + v]           taps are summed over
 *     d[f, c, u, v] = sum(s, i, j) y[s, f, i, j] * x[s, c, i + u, j + v]           taps are outputs
 */
#ifndef NNC_PLAN_WINDOW_H
#define NNC_PLAN_WINDOW_H

#include "plan/correlation.h"

enum { TAPS = 3 };

/* Along one axis of the image. */
typedef struct Window {
    int tap, place; /* slots of the node: the tap in the window, and where the window is */
    int image_axis; /* of the image, read at place + tap + start, or at place + (TAPS - 1 - tap) + start */
    int other_axis; /* of the other factor, read at the one of the two slots that is summed over last */
    int64_t start;
    bool reversed; /* the second of these */
} Window;

/* A node of that form. Every slot but those of the windows is a plain index, and stands in one of three lists. */
typedef struct WindowProduct {
    const Node *node;
    const Scalar *image, *other; /* loads */
    bool gradient;               /* taps are outputs */
    Window window[2];
    SlotList samples;  /* of the image only, and an output; of both and summed over, when taps are outputs */
    SlotList channels; /* the other way round */
    SlotList filters;  /* of the other factor only, and an output */
} WindowProduct;

/* False: the node has another form. */
bool window_product_find(Graph *g, const Node *node, WindowProduct *found);

#endif
