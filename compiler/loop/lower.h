/* lower.h: scalar expressions of the graph as loop expressions, in the innermost scope of a kernel.
 *
 * A Lowering says what the index variables are: for each slot the scalar integer of the tile's first element, and which
 * of them run over lanes (vector_slot), over the rows (tile_slot: so many at a time as there are lanes when it is the vector_slot too) and over
 * the columns of the register tile (column_slot: in steps of whole vectors when it is the vector_slot too). `row` and `column` are the variables of the unrolled loops
 * that are open around the element that is being lowered.
 *
 * Subexpressions that are used more than once, or that do not change in the innermost loop, become variables, declared
 * in the outermost scope where they can be computed: lowering the same expression again gives the same variable.
 *
 * Quotients by what does not change in a long innermost loop are products with its reciprocal, at most 2 units in the last place off. Whether
 * that is so depends on the equation and the schedule alone, so it holds for every lane, part and remainder alike.
 */
#ifndef NNC_LOOP_LOWER_H
#define NNC_LOOP_LOWER_H

#include "loop/kernel.h"

enum { MAX_SLOTS = 64 };

/* A node's value inside its kernel. */
typedef struct LocalValue {
    const LoopExpr *value; /* of the element at hand; NULL: in `array` */
    LoopVar *array;        /* the axes from `shared` on, row-major */
    int shared;
} LocalValue;

typedef struct Lowering {
    KernelBuilder *kernel;
    const Scope *stage;                      /* around all loops of the stage */
    const LoopExpr *index[MAX_SLOTS];        /* NULL: not bound */
    int vector_slot, tile_slot, column_slot; /* -1: none */
    const LoopExpr *row, *column;            /* NULL: the tile has one, or its loop is not open */
    int rows, columns;                       /* of the tile */
    const LoopExpr *part; /* only so many lanes exist along vector_slot, in all columns together; NULL: all */
    int long_slot; /* of the innermost loop, where that is long enough for reciprocals of what it divides by; -1: none */
    uint64_t tiled;             /* the slots of the register tile, inside that loop */
    PointerMap *uses;           /* scalar to what lower_count found out about it */
    VEC(const Scalar *) floors; /* where values are rounded down */
    bool zero_filled;           /* loads give 0 in the lanes that do not exist */
    PointerMap *truths;         /* conditions that the loops around have settled, to bool expressions; NULL: none */
    bool guarded;               /* inside a branch that is chosen at run time: unsafe loads stay in it */
} Lowering;

/* Notes which subexpressions of the stage have more than one user, and which are rounded down. Before lowering them. */
void lower_count(Lowering *l, const PlanStage *stage);

/* A vector when `s` depends on vector_slot, otherwise a scalar. Integers that depend on vector_slot are real vectors. */
const LoopExpr *lower(Lowering *l, const Scalar *s);

/* Lane 0 of an integer, as a scalar, where lane_step() exists. */
const LoopExpr *lower_first_lane(Lowering *l, const Scalar *s);
/* Where the element of a load stands in memory that has the shape of its tensor, from axis `first` on. */
LoopAddress lower_address(Lowering *l, const Scalar *load, int first, LoopAddress address, bool is_store);

/* Computes what differs between the columns but not between the rows of the tile, and gives it a tile: the rows share it. The loop over
 * the columns must not be open yet. */
void lower_columns(Lowering *l, const Scalar *s);

/* Computes the functions in a body of the stage for all columns of the tile, which has one row, at once, and gives their values tiles. The loop over the columns must
 * not be open yet. */
void lower_functions(Lowering *l, const PlanStage *stage, const Scalar *body);

/* The element of the load is one of a turned access: rows are neighbours in memory, lanes are not. */
bool lower_is_turned(const Lowering *l, const Scalar *load, int first, const LoopAddress *address);
/* Loads all rows of what the maps of the stage read turned, into tiles. The loop over the rows must not be open yet. */
void lower_turned(Lowering *l, const PlanStage *stage);

/* Loops over the columns and rows of the tile, unrolled; none where there is only one. */
void lower_open_columns(Lowering *l);
void lower_close_columns(Lowering *l);
void lower_open_rows(Lowering *l);
void lower_close_rows(Lowering *l);

/* The slot's value for this row and column (lane 0). */
const LoopExpr *lower_index(Lowering *l, int slot);

/* The value as memory has it: bools as 0 and 1, vectors of reals. */
const LoopExpr *lower_storable(Arena *arena, const LoopExpr *value);
/* All lanes the same; an integer as a real. A vector stays as it is. */
const LoopExpr *lower_vector(Arena *arena, const LoopExpr *value);

#endif
