/* plan.h: how the graph will run: which nodes share a kernel and how each kernel's loops are made. Decisions only: no loops yet.
 *
 * A kernel (PlanKernel) computes one or more nodes under shared outer loops:
 *   - a reduction with its epilogue: the maps that read it at the same index (bias, activation, residual, optimizer update);
 *   - rows: maps and reductions that agree on their leading axes (softmax, its loss and gradient), intermediates kept in row buffers;
 *   - a map or a reduction alone.
 * No node is recognised by name: only by the form of its equation (classify).
 */
#ifndef NNC_PLAN_PLAN_H
#define NNC_PLAN_PLAN_H

#include "ir/graph.h"
#include "plan/target.h"

/* The form of a node's equation. */
typedef enum FormKind {
    FORM_MAP,         /* no reduction */
    FORM_REDUCTION,   /* a reduction that is not a contraction */
    FORM_CONTRACTION  /* sum of a product of two factors, each free of some output axis: matrix products, convolutions, their adjoints */
} FormKind;

/* How one node's loops run. Slots are the node's own. */
typedef struct NodeSchedule {
    FormKind form;
    int order[MAX_AXES];   /* slots from the outermost loop to the innermost */
    int loops;
    int vector_slot;       /* -1: scalar code. An output slot: lanes are neighbours of the output; a reduction slot: lanes are partial sums */
    int vectors;           /* vectors of the tile along vector_slot */
    int tile_slot;         /* the other tiled output slot (register tile rows); -1: none */
    int tile_rows;
    int parallel_slot;     /* the outermost loop that is split over threads; -1: none */
} NodeSchedule;

typedef struct PlanNode {
    const Node *node;
    bool stored;           /* has a buffer of its own; otherwise it lives in registers or a row buffer of its kernel */
    NodeSchedule schedule;
} PlanNode;

typedef struct PlanKernel {
    const char *name;
    int shared;            /* number of leading output axes whose loops all nodes share */
    VEC(PlanNode) nodes;   /* in order of computation */
} PlanKernel;

typedef struct PlanEntry {
    bool present;
    VEC(PlanKernel *) kernels; /* in order of execution: an update comes after every read of the old value */
} PlanEntry;

typedef struct Plan {
    const Target *target;
    PlanEntry entries[ENTRY_COUNT];
} Plan;

Plan *plan_make(Arena *arena, Graph *graph, const Target *target);

#endif
