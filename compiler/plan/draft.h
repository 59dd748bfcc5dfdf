/* draft.h: equations that winograd.c is making: their axes one after the other, and what the variables of the window product are in them. */
#ifndef NNC_PLAN_DRAFT_H
#define NNC_PLAN_DRAFT_H

#include "plan/target.h"
#include "plan/window.h"

enum { BASIS = 4, TILE = 2 };

/* A window product that is rewritten. */
typedef struct Winograd {
    Graph *g;
    ScalarPool *pool;
    const Target *target;
    WindowProduct p;
    double cycles; /* of the equations that were made */
} Winograd;

/* Where the variables of the window product, its basis and its tiles stand in the equation that is being made. */
typedef struct Draft {
    int rank;
    Extent shape[MAX_AXES];
    Origin origin;
    const Scalar *slot[MAX_AXES]; /* of the node */
    const Scalar *basis[2], *tile[2], *tap[2];
} Draft;

/* Without axes; called `form` of what `like` is called. */
Draft draft_new(const Winograd *w, const char *form, const Node *like);

/* More axes: output axes first, then those that are summed over. */
const Scalar *draft_axis(const Winograd *w, Draft *draft, Extent extent, const char *letter);
void draft_slots(const Winograd *w, Draft *draft, const SlotList *slots);
void draft_basis(const Winograd *w, Draft *draft, int direction);
void draft_bases(const Winograd *w, Draft *draft); /* of both directions */
void draft_tiles(const Winograd *w, Draft *draft);
void draft_tap(const Winograd *w, Draft *draft, int direction);

/* The equation. Its cost is added to that of the others, but for a copy: the layout that is chosen next may spare it. */
const Node *draft_map(Winograd *w, const Draft *draft, const Scalar *body);
const Node *draft_copy(const Winograd *w, const Draft *draft, const Scalar *body);
const Node *draft_sum(Winograd *w, const Draft *draft, int rank, const Scalar *body); /* `rank` axes are outputs */

/* Indices of a load, one axis after the other. */
typedef struct Indices {
    int count;
    const Scalar *at[MAX_AXES];
} Indices;

void indices_add(Indices *indices, const Scalar *at);
void indices_slots(Indices *indices, const Draft *draft, const SlotList *slots);
void indices_pair(Indices *indices, const Scalar *const pair[2]);

/* A factor of the window product at the variables of the draft, and at these indices along the axes of the windows. */
const Scalar *draft_factor(const Winograd *w, const Draft *draft, const Scalar *factor, const int axes[2],
                           const Scalar *const along[2]);

bool slots_have(const SlotList *slots, int slot);

#endif
