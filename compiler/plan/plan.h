/* plan.h: how the graph will run: which nodes share a kernel and how each kernel's loops are made. Decisions only: no
 * loops yet.
 *
 * A kernel computes its stages one after the other, inside loops over the `shared` leading axes of all its nodes. A
 * stage is one nest of loops over an output domain; it computes one or more nodes of that domain, element by element:
 *   - a reduction with its epilogue: the maps that read it at the same index (bias, activation, optimizer update);
 *   - maps of equal domain (the moments and the parameter of Adam);
 *   - a map or a reduction alone.
 * A kernel with several stages computes rows (softmax, its loss and gradient): what only its own later stages read
 * lives in registers, in a row buffer or in scratch memory, which the next row uses again. The lanes of such a kernel can be samples: then every stage is vector code, whatever its axes are.
 * No node is recognised by name: only by the form of its equation.
 */
#ifndef NNC_PLAN_PLAN_H
#define NNC_PLAN_PLAN_H

#include "ir/graph.h"
#include "plan/target.h"

/* The form of a node's equation, for those who read the plan: the schedule follows from the equation itself. */
typedef enum FormKind {
    FORM_MAP,        /* no reduction */
    FORM_REDUCTION,  /* a reduction that is not a contraction */
    FORM_CONTRACTION /* sum of a product of two factors, each free of some output axis: matrix products, convolutions,
                        their adjoints */
} FormKind;

enum { MAX_STAGE_SLOTS = 32 };

/* An index variable of a stage. At first the slots of a stage are those of its nodes: output axes, then the reduction axes
 * of the first node. Splitting slot s by f makes s the outer part, of extent / f, and adds a slot for the inner part, of
 * extent f: that is how loops are blocked, how panels are read, and how the digits of a reshape become loops. Merging
 * neighbours makes one long loop of two: s the merged one, and the other's extent 1. */
typedef struct StageSlot {
    Extent extent;
    bool reduction;
    const char *name; /* from the model's letters */
} StageSlot;

/* A condition of maps that is true where low <= slot < high and false elsewhere (the inside of a padded copy): the loop over the
 * slot is made in three parts, and none of them tests it. */
typedef struct StageRange {
    const Scalar *test;
    int slot;
    int64_t low, high;
} StageRange;

/* Terms of a sum that are 0, where a factor was padded with zeros: all are but those with low <= place < high, where place = step * slot +
 * pace * other + first. The loop over the slot, an axis of the reduction, leaves out what is 0 for the whole tile. */
typedef struct StageClip {
    int slot, other; /* the other one is an axis of the output */
    int step;        /* 1 or -1 */
    int64_t pace, first, low, high;
} StageClip;

/* Every term of a sum goes to one place along an axis of the output: where slot == index. The loops run over the terms then, not over the
 * places, and add each term where it belongs, in memory; what does not lie on the axis is left out. The maps that follow come when all terms have. */
typedef struct StageScatter {
    int slot;            /* an axis of the output */
    const Scalar *index; /* free of all such slots */
} StageScatter;

/* How the loops of a stage run, in terms of its slots. Slots of size 1 have no loop. */
typedef struct StageSchedule {
    FormKind form;
    /* Slots from the outermost loop to the innermost, without the shared ones: the output slots, then the reduction slots. Of a sum that
     * scatters: the slots that its terms choose, the reduction slots, then the other output slots. */
    int order[MAX_STAGE_SLOTS];
    int loops;
    int vector_slot; /* -1: scalar code. An output slot: lanes are neighbours of the output. A reduction slot: lanes are
                        partial results */
    /* The register tile: rows * columns elements of the output are computed at once. Where column_slot is vector_slot,
     * each column is a vector. */
    int tile_slot, tile_rows; /* an output slot; -1 and 1: none */
    bool overlaps; /* where the rows do not divide it, the last tile begins earlier, and computes some of them again */
    int column_slot, columns; /* another one; -1 and 1: none */
    /* So many elements along tile_slot, whole tiles, pass all other loops before the next ones: a cache keeps them. 0: all. Of a sum that
     * scatters, tile_slot is the first one that its terms choose. */
    int64_t block;
    bool
        sums_in_lanes; /* lanes over a reduction slot: the sums of the rows become the lanes of a vector, for the maps and the stores */
    bool rolled;       /* the innermost loop of the reduction is not to be written out: the tile needs the registers */
    int parallel_slot; /* the loop that is shared by threads, over an output slot; -1: none */
} StageSchedule;

/* Where a value lives. */
typedef enum ValueHome {
    HOME_MEMORY,   /* in a buffer: of the workspace, or an output's */
    HOME_ROW,      /* in a local array of its kernel: only later stages read it, along the axes that are not shared */
    HOME_SCRATCH,  /* the same, but too large for the stack: in the workspace, once for each thread */
    HOME_REGISTERS /* only the maps of its own stage read it; or it has no axis but the shared ones */
} ValueHome;

/* One value that a stage computes. */
typedef struct PlanNode {
    const Node *node;
    bool copy; /* `node` is a leaf or was computed by another kernel: it is only copied to `output` */
    ValueHome home;
    const GraphOutput *output; /* MEMORY: the entry's output that is the value. NULL: the workspace */
    /* Its memory has the elements of NN_LANES samples side by side, [b / NN_LANES][...][b mod NN_LANES], for lanes that are samples. (A ROW
     * of a kernel with such lanes has them always.) */
    bool interleaved;
    bool streams;       /* MEMORY: stored past the caches, where lanes are neighbours and the machine can */
    const Scalar *body; /* its equation, or the load of what is copied, in the slots of the stage */
} PlanNode;

/* A cache line that is asked for while a stage computes, some time before it is read or written. */
typedef struct PlanFetch {
    const Node *node;      /* what it belongs to */
    const PlanNode *value; /* the same, to be written; NULL: it will be read */
    const Scalar *element; /* of the tensor's memory, in the slots of the stage */
    int64_t ahead;         /* the line is that of the element so many further on */
} PlanFetch;

typedef struct PlanStage PlanStage;
typedef VEC(PlanStage) StageList;

/* Where a stage has parts, they are made one after the other instead of it. Each computes the same nodes for a run of the values of one slot, which
 * are 0, 1, ... in it, with bodies in which the conditions on that slot are decided. It may have parts itself. */
struct PlanStage {
    VEC(PlanNode) nodes; /* in order of computation; only the first may be a reduction */
    StageList parts;     /* of a map: if any, each has its own loops (split.c) */
    int rank;            /* output axes, of all nodes */
    Reduction reduce;    /* of the first node */
    StageSlot slots[MAX_STAGE_SLOTS];
    int slot_count;
    const Scalar *index[MAX_AXES]; /* the value of each slot of the nodes, in the slots of the stage */
    int node_slots;
    VEC(StageRange) ranges;     /* at most one for each slot */
    VEC(StageClip) clips;       /* the same */
    VEC(StageScatter) scatters; /* conditions of the first node that its body has no more */
    bool samples;               /* lanes run over slot 0, which is shared */
    bool apart;                 /* a function of its own, which is called where it would stand */
    StageSchedule schedule;
    bool turns;             /* functions of what lies side by side in the tile are computed together */
    VEC(PlanFetch) fetches; /* in every step of the innermost loop */
    VEC(PlanFetch)
    early; /* of a reduction: once for each row of a tile, before its sums; the elements are those of the first column */
    const Scalar *
        only_if; /* the innermost loop does not change it, and where it is false the stage changes nothing; NULL: none */
    bool measured; /* a tuning chose the loops */
    int mark;      /* how programs for measuring call it (tuning.h); 0: it is not measured */
    double cycles; /* what the cost model expects when all is in the nearest cache; the shared loops count too */
    double hidden; /* of these, what a map's tiles cost besides their operations: behind the next ones nobody sees it */
    double misses; /* cycles to fetch what is not, in a reduction; most of them overlap with the others */
};

typedef struct PlanKernel {
    int shared; /* number of leading output axes whose loops all stages share */
    bool
        led; /* it is 1, and of the stages but the first it is blocks of an axis, which are their slot 0: panels that are made one by one */
    bool samples;      /* lanes run over the first of them: each computes a sample of its own */
    int parallel_slot; /* the shared loop that is itself shared by threads; -1: none */
    bool parallel;     /* this one, or that of its only stage */
    double cycles;     /* what the cost model expects, on one thread */
    double hidden;     /* of these, as in a stage */
    StageList stages;
} PlanKernel;

/* A node that needs no computing: the memory of another holds its values. */
typedef struct PlanView {
    const Node *node, *source; /* the source is a leaf, or in memory, and no view itself */
} PlanView;

typedef struct PlanEntry {
    bool present;
    VEC(PlanView) views;
    VEC(PlanKernel)
    kernels;         /* in order of execution: an update comes after every read of the old value */
    bool parallel;   /* some kernels are worth several threads */
    int threads;     /* so many at most; not parallel: 1 */
    int64_t least_n; /* from this batch on */
} PlanEntry;

typedef struct Plan {
    const Target *target;
    PlanEntry entries[ENTRY_COUNT];
} Plan;

static inline bool stage_is_reduction_slot(const PlanStage *stage, int slot) {
    return stage->slots[slot].reduction;
}

/* The node's value, where the stage computes it rather than copy it; NULL: it does not. */
static inline const PlanNode *stage_own(const PlanStage *stage, const Node *node) {
    for (size_t i = 0; i < stage->nodes.count; i++)
        if (stage->nodes.at[i].node == node && !stage->nodes.at[i].copy)
            return &stage->nodes.at[i];
    return NULL;
}

static inline bool stage_makes(const PlanStage *stage, const Node *node) {
    return stage_own(stage, node) != NULL;
}

/* NULL: none. */
static inline const StageRange *stage_range(const PlanStage *stage, int slot) {
    for (size_t i = 0; i < stage->ranges.count; i++)
        if (stage->ranges.at[i].slot == slot)
            return &stage->ranges.at[i];
    return NULL;
}

/* NULL: none. */
static inline const StageClip *stage_clip(const PlanStage *stage, int slot) {
    for (size_t i = 0; i < stage->clips.count; i++)
        if (stage->clips.at[i].slot == slot)
            return &stage->clips.at[i];
    return NULL;
}

/* The graph must be differentiated (no GRAD, JVP, DETACH). The plan lives in `arena`. `threads`: the most that an entry has; 1: no loop is shared
 * by threads. With a tuning (NULL: none) it has the loops that were
 * measured; a survey (NULL: none) is filled with those that can be. */
struct Tuning;
struct Survey;
Plan *plan_make(Arena *arena, Graph *graph, const Target *target, int threads, const struct Tuning *tuning,
                struct Survey *survey);

/* For --dump=fused: the kernels, their stages, equations and schedules. */
void plan_print(const Plan *plan, Graph *graph, Text *out);

#endif
