/* draft.h: equations that a pass makes in place of a node: their axes one after the other, and what the variables of the node are in them. */
#ifndef NNC_PLAN_DRAFT_H
#define NNC_PLAN_DRAFT_H

#include "plan/correlation.h"
#include "plan/target.h"

/* A node that is rewritten. */
typedef struct Drafting {
    Graph *g;
    ScalarPool *pool;
    const Target *target;
    const Node *node;
    double cycles; /* of the equations that were made */
} Drafting;

/* The equation that is being made. */
typedef struct Draft {
    int rank;
    Extent shape[MAX_AXES];
    Origin origin;
    const Scalar *slot[MAX_AXES]; /* of the node: where it stands here */
} Draft;

/* Without axes; called `form` of what `like` is called. */
Draft draft_new(const Drafting *d, const char *form, const Node *like);
/* With the axes and the name of the node itself. */
Draft draft_of_node(const Drafting *d);

/* More axes: output axes first, then those that are summed over. */
const Scalar *draft_axis(const Drafting *d, Draft *draft, Extent extent, const char *letter);
void draft_slots(const Drafting *d, Draft *draft, const SlotList *slots);

/* The equation. Its cost is added to that of the others, but for a copy: the layout that is chosen next may spare it. */
const Node *draft_map(Drafting *d, const Draft *draft, const Scalar *body);
const Node *draft_copy(const Drafting *d, const Draft *draft, const Scalar *body);
const Node *draft_sum(Drafting *d, const Draft *draft, int rank, const Scalar *body); /* `rank` axes are outputs */

/* Indices of a load, one axis after the other. */
typedef struct Indices {
    int count;
    const Scalar *at[MAX_AXES];
} Indices;

void indices_add(Indices *indices, const Scalar *at);
void indices_slots(Indices *indices, const Draft *draft, const SlotList *slots);
void indices_pair(Indices *indices, const Scalar *const pair[2]);

/* A factor of the node at the variables of the draft, and at these indices along two of its axes. */
const Scalar *draft_factor(const Drafting *d, const Draft *draft, const Scalar *factor, const int axes[2],
                           const Scalar *const along[2]);

#endif
