/* index_solve.h: turns the scatter of reverse mode into a gather.
 *
 * Given an access X[A(v)] inside loops over the variables v, and the index j of an element of X, find all v with A(v) = j: each variable becomes an
 * expression over j and over as few remaining variables as can be, under conditions.
 *
 *     access                       variables     solution                                          remaining
 *     X[b, k]                      b, n, k       b = j0, k = j1                                    n
 *     X[o + u - 2]                 o < 28, u < 5 o = j0 - u + 2      if within(o, 28)              u
 *     X[2 * o + u]                 o < 14, u < 2 o = j0 div 2, u = j0 mod 2                        none
 *     X[2 * o + u]                 o < 13, u < 3 u = 2 * q + j0 mod 2, o = j0 div 2 - q            q < 2
 *                                                if within(u, 3) and within(o, 13)
 *     X[i div 25, i div 5 mod 5, i mod 5]  i     i = 25 * j0 + 5 * j1 + j2                         none
 *     X[c * 25 + k]                c < 8, k < 25 c = j0 div 25, k = j0 mod 25                      none
 *     X[3 * i]                     i < 7         i = j0 div 3       if j0 mod 3 == 0               none
 *     X[token[b]]                  b             b stays            if token[b] == j0              b
 *
 * The rules are exact for negative values too (div rounds down), and for dynamic extents for every n.
 */
#ifndef NNC_DIFF_INDEX_SOLVE_H
#define NNC_DIFF_INDEX_SOLVE_H

#include "ir/graph.h"

/* The access: `at[a]` speaks of variables by slots 0 .. variables-1. Variables of extent 1 do not occur in it. */
typedef struct IndexAccess {
    int variables;
    Extent extents[MAX_AXES];
    int axes;
    Extent shape[MAX_AXES];
    const Scalar *at[MAX_AXES];
} IndexAccess;

/* Slots of every expression here: j is 0 .. axes-1, the remaining variables follow. */
typedef struct IndexSolution {
    const Scalar *value[MAX_AXES]; /* of each variable of the access */
    const Scalar *inside;          /* bool: every value lies in its range. No loads occur in it */
    const Scalar *deltas; /* bool: the equations that could not be solved; may load, and only where `inside` holds */
    int remaining;
    Extent extents[MAX_AXES];
    int source[MAX_AXES]; /* the variable that a remaining one is, or is a part of: for its name */
} IndexSolution;

IndexSolution index_solve(ScalarPool *pool, const IndexAccess *access);

#endif
