/* search.h: the loops that a stage can have: what the cost model chooses from, and measuring too. Any of them computes the stage. */
#ifndef NNC_PLAN_SEARCH_H
#define NNC_PLAN_SEARCH_H

#include "plan/cost.h"

/* Register tiles, the simpler ones first. */
typedef void TileVisit(void *context, Tile tile);
void search_tiles(const StageCost *cost, TileVisit *visit, void *context);

/* Orders of the loops around a tile, the model's own first. */
typedef void OrderVisit(void *context, const int *order, int loops);
void search_orders(const StageCost *cost, Tile tile, OrderVisit *visit, void *context);

/* The order that the cost model prefers; gives its number of loops. `misses`: the cycles that it loses. */
int search_best_order(const StageCost *cost, Tile tile, int *order, double *misses);

/* All that is expected of a tile, in that order: what it computes, and what it waits for. */
double search_cycles(const StageCost *cost, Tile tile);

/* What the stage's schedule says. */
void schedule_set(PlanStage *stage, const StageCost *cost, Tile tile, const int *order, int loops);

#endif
