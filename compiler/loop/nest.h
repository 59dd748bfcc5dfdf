/* nest.h: the loops of one stage, from its schedule. One template for every equation:
 *
 *     for the output axes, from the outermost; the tiled ones in steps, with what remains as smaller tiles
 *       accumulators[rows][columns] = identity
 *       for the reduction axes
 *         accumulators[r][c] = combine(accumulators[r][c], body)
 *       the maps that follow, for each element of the tile
 *       store
 *
 * Where each term chooses its place (scatters of the stage), the sums stand in memory: they are cleared, then the loops run over the terms.
 *
 * When the lanes run over a reduction axis, each accumulator holds partial results, which are put together after the
 * reduction loops. Maps have no reduction loops.
 */
#ifndef NNC_LOOP_NEST_H
#define NNC_LOOP_NEST_H

#include "loop/lower.h"

/* What a stage's values are stored to: a buffer, a local array of the kernel, or nothing (registers, for later stages
 * of the same kernel: only for values that have no axis of their own). */
typedef struct NestTarget {
    const Buffer *buffer;
    LoopVar *array;
} NestTarget;

/* The part of an axis that a loop runs over. */
typedef struct Span {
    const LoopExpr *from, *to;
    int64_t unit; /* its length, or what one more sample adds to it */
} Span;

typedef struct Nest {
    KernelBuilder *kernel;
    const PlanStage *stage;
    const NestTarget *targets; /* of the stage's nodes */
    int shared;                /* axes whose loops are open around the stage */
    Lowering lower;
    int outputs;        /* how many of the schedule's loops are over output axes: they come first */
    Span block;         /* of the rows, or places, that pass the other loops now; from NULL: all, and the rest */
    int choice;         /* of a sum that scatters: the level of the loops at which terms find their place */
    int edges;          /* open loops over edges: the conditions of the other ranges do not matter there */
    bool lanes_partial; /* accumulators are vectors of partial results */
    Span clipped[MAX_STAGE_SLOTS]; /* of the tile being built: the terms that are not 0; from NULL: all */
    LoopVar *accumulator;          /* of the tile being built */
    LoopVar *position;             /* ARGMAX, ARGMIN: where the best was */
} Nest;

/* Adds the stage's loops to the innermost scope. `index` has the values of the shared slots; where lanes run over one of them, `part` is how
 * many exist (NULL: all). */
void nest_build(KernelBuilder *k, const PlanStage *stage, int shared, const NestTarget *targets,
                const LoopExpr *const *index, const LoopExpr *part);

/* ---- between nest.c (loops), scatter.c (those of a sum that scatters) and tile.c (what is in them) ---- */

/* The loops of a stage whose terms choose their place. */
void scatter_build(Nest *nest);
Span nest_axis(const Nest *nest, int slot); /* all of it */
/* The loop at this level of the schedule, or several, with inside(level + 1) in each. */
typedef void NestInside(Nest *nest, int level);
void nest_loop(Nest *nest, int level, Span span, NestInside *inside);
/* A sum in memory, at the place at hand: 0; one term more; the maps that follow. */
void tile_clear(Nest *nest);
void tile_add(Nest *nest);
void tile_map_sum(Nest *nest);

/* Declares and clears the accumulators, runs `reduce` (which adds the reduction loops), computes and stores. */
void tile_build(Nest *nest);
/* Before the reduction loops of a tile: where those begin and end whose other terms are 0. */
void nest_clip(Nest *nest);
/* In the innermost reduction loop: one step of every accumulator. */
void tile_accumulate(Nest *nest);
/* The reduction loops from `level` of the schedule on. */
void nest_reduction(Nest *nest, int level);

#endif
