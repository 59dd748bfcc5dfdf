/* cost.h: an estimate, in cycles of one core, of what a stage costs with a given register tile.
 *
 * The model knows: loads (contiguous, of one number for all lanes, strided), operations, the latency of accumulation, registers,
 * and what is wasted where an axis is no multiple of the vector or of the tile. It is meant to order choices, not to predict time.
 */
#ifndef NNC_PLAN_COST_H
#define NNC_PLAN_COST_H

#include "plan/cost_gather.h"

typedef struct Tile {
    int vector_slot;          /* -1: scalars */
    int tile_slot, rows;      /* -1, 1: none */
    int column_slot, columns; /* where column_slot is vector_slot, columns are vectors */
} Tile;

/* Cycles of one load or store, of a vector along the slot; -1: of a number. */
double cost_of_access(const StageCost *cost, const StageLoad *access, int vector_slot);

/* Cycles for the whole stage; the shared axes count too. */
double cost_of_tile(const StageCost *cost, Tile tile);

/* Of these, what tiles cost besides their operations. In maps the processor hides it behind the next ones: it tells loops apart, and is no time. */
double cost_of_beginnings(const StageCost *cost, Tile tile);

/* Cycles that tiles of reductions wait for what they store and what the maps behind the reduction read, where that is far. It tells
 * the tiles of a stage apart; stages are compared without it, since together and apart they move the same lines. */
double cost_of_waiting(const StageCost *cost, Tile tile);

/* Cycles that accumulators which are just enough for the latency lose whenever a load or a loop delays one. It tells sizes of tiles apart. */
double cost_of_delays(const StageCost *cost, Tile tile);

/* Cycles lost to cache misses when the loops stand in this order (slots, from the outermost; the tile is inside). */
double cost_of_order(const StageCost *cost, Tile tile, const int *order, int loops);

/* Lanes over a reduction slot hold partial sums; those of all rows are put together at once, and the rows are lanes from there on. */
bool cost_sums_in_lanes(const StageCost *cost, Tile tile);

/* The register tile leaves few registers: steps of the reduction that are written out, which C compilers mix, would not find enough. */
bool cost_fills_registers(const StageCost *cost, Tile tile);

bool cost_is_long(const StageCost *cost);             /* the reduction takes so many steps that their latency shows */
bool cost_is_reused(const StageCost *cost, int slot); /* some load serves all elements along the slot */

/* Rows along `slot` of a map that comes from memory read the same operands, which the nearest cache does not keep from one row to the next. */
bool cost_shares_rows(const StageCost *cost, int slot, int vector_slot);

/* A map reads pieces of a line or two from far away, all lanes of `vector_slot`; the next one along `slot` is its neighbour in memory, the next one
 * in the order of the loops is not. */
bool cost_reads_pieces(const StageCost *cost, int slot, int vector_slot);

/* A tile with rows along `row_slot` turns some access: rows are neighbours in memory, the lanes along `vector_slot` are not. */
bool cost_turns(const StageCost *cost, int row_slot, int vector_slot);

#endif
