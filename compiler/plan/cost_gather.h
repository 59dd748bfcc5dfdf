/* cost_gather.h: what the cost model looks at, gathered once for each stage: what it reads and stores, and how far each index moves that
 * in memory; operations; which indices can run over the lanes of a vector. A stage is then weighed with many tiles (cost.h).
 */
#ifndef NNC_PLAN_COST_GATHER_H
#define NNC_PLAN_COST_GATHER_H

#include "plan/stage.h"

/* A load of the stage: which slots move it, and how far. */
typedef struct StageLoad {
    const Scalar *load;
    uint64_t slots;
    int64_t step[MAX_STAGE_SLOTS]; /* per slot, in elements; 0 where it does not move or not by a constant */
    bool interleaved, is_store;
} StageLoad;

typedef struct StageCost {
    const Planner *planner;
    const PlanStage *stage;
    int shared;
    VEC(StageLoad) loads;      /* of the first node's body, where that is a reduction */
    VEC(StageLoad) accesses;   /* once for each element: loads of the maps, and all stores */
    double step_flops;         /* operations for one step of one accumulator */
    double element_flops;      /* operations of the maps, for one element */
    const PointerMap *settled; /* conditions that the stage's ranges settle */
    uint64_t lanes;            /* slots that can be the vector's */
    uint64_t sum_lanes;        /* output slots whose sums can become the lanes of a vector */
} StageCost;

/* `shared`: so many of the first slots belong to loops around the stage. */
StageCost cost_gather(const Planner *p, const PlanStage *stage, int shared);

int cost_lanes(const StageCost *cost); /* of the target's vector */

#endif
