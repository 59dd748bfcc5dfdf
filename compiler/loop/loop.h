/* loop.h: the loop program: what the printer prints, statement by statement, and nothing else.
 *
 * plan/ decides (which nodes share a kernel, which axis is the vector, tiles, what is parallel), loop/ builds this tree
 * from those decisions and places the memory, emit/ prints it as C. No decision is left here: every loop has its
 * bounds, mode and body; every load says how it is accessed.
 *
 * Vectors. A vector expression has NN_LANES lanes, a number that the C compiler's target decides (16, 8, 4, 2 or 1):
 * the tree is written for any power of two up to 64 / sizeof(real). A vector loop is an ordinary loop whose step is a
 * multiple of lanes; the last vector may be a part (ACCESS_PART), in the loop or behind it.
 *
 * Register tiles. Accumulators, and operands that several of them share, are tiles: small arrays, indexed by the variables of
 * unrolled loops (LOOP_UNROLLED) only, so that the C compiler keeps their elements in registers.
 *
 * Turned accesses. Where memory has the rows of a tile side by side, and the lanes further apart, all vectors of the tile are loaded or stored at
 * once (LOOP_TURN): as vectors along the rows, which are turned in registers.
 *
 * Types of vectors. Only reals and conditions (type BOOL, a mask) have vectors. There is no vector of integers: a
 * vector load from an INT buffer converts its lanes to reals, a vector store of reals to an INT buffer converts back,
 * and index variables are LOOP_IOTA plus a splat. The builder uses this only for values below 2^24 (2^53 for double).
 *
 * Names are decided here too (they are C identifiers, unique in their function), so that dumps and C agree. Index
 * variables keep the model's letters; tile loops add a suffix (k_block).
 *
 * Ownership: everything lives in the arena of the LoopProgram. Expressions are trees that may share subtrees; they are
 * never changed after they were made.
 */
#ifndef NNC_LOOP_LOOP_H
#define NNC_LOOP_LOOP_H

#include "ir/graph.h"

enum { MOST_LANES = 16 }; /* of any vector */

/* Of a vector of this graph's reals: an axis that is a multiple of it has no remainder, whatever the C compiler aims at. */
static inline int64_t most_lanes(const Graph *g) {
    return g->real_is_double ? MOST_LANES / 2 : MOST_LANES;
}

/* ---- memory ---- */

typedef enum BufferSpace {
    BUFFER_INPUT,    /* an input or target: pointer argument */
    BUFFER_OUTPUT,   /* an output of predict: pointer argument */
    BUFFER_PARAM,    /* a member of the params struct */
    BUFFER_STATE,    /* a member of the state struct */
    BUFFER_PREPARED, /* a member of the prepared struct */
    BUFFER_GRADIENT, /* a member of the params struct that receives gradients */
    BUFFER_LOSS,     /* one real, returned by the function */
    BUFFER_METRIC,   /* one real of the metrics array */
    BUFFER_WORKSPACE /* bytes of the workspace */
} BufferSpace;

typedef struct Buffer {
    int id;           /* dense in its entry */
    const char *name; /* the pointer's name inside kernels */
    BufferSpace space;
    Type type; /* REAL or INT; bools are stored as INT */
    int rank;
    Extent shape[MAX_AXES];
    int64_t elements; /* row-major, for the largest n */
    bool interleaved; /* WORKSPACE: as PlanNode; `elements` has room for whole vectors of samples */
    int64_t slack;    /* WORKSPACE: elements after the last that vector loads may touch; their values do not matter */
    int ordinal;      /* which input, output, param, state or metric */
    size_t offset;    /* WORKSPACE: bytes from its start, a multiple of 64; set by place */
    const Node *node; /* whose value it holds (for reports) */
} Buffer;

/* ---- variables of a kernel ---- */

typedef struct LoopVar {
    const char *name;
    Type type;   /* INT counters, REAL and INT values, BOOL conditions */
    bool vector; /* an nn_vec, or a mask when type is BOOL */
    /* 0: not an array in memory. Otherwise a row buffer of that many reals or ints, 64-byte aligned; never `vector`; only read by
     * LOOP_LOAD and written by LOOP_STORE. */
    int64_t elements;
    const Node *node; /* ELEMENTS: whose value it holds */
    bool per_lane;    /* so many for each lane: elements * NN_LANES, side by side */
    int64_t
        slack; /* more of them, whose values do not matter: where parts have no lanes, and SCRATCH: where vector loads run past the end */
    bool scratch; /* not on the stack: in the kernel's slice of the workspace */
    size_t
        offset; /* SCRATCH: bytes from the slice's start, a multiple of 64; PER_LANE: so many for each lane; set by place */
    /* Of a tile: 1 or 2 axes; rank 0: not a tile. Read by LOOP_ELEMENT, written by LOOP_SET; LOOP_TURN and LOOP_APPLY do both. */
    int rank, size[2];
} LoopVar;

/* ---- expressions ---- */

typedef enum LoopExprKind {
    LOOP_REAL,
    LOOP_INT,
    LOOP_BOOL,
    LOOP_LANES,   /* NN_LANES, an int */
    LOOP_VAR,     /* a plain variable */
    LOOP_ELEMENT, /* an element of a tile */
    LOOP_SUMS, /* vector: in lane i the sum of the lanes of the element of a tile that stands i rows further; behind its last row, anything */
    LOOP_RUNTIME, /* n, step, steps: ints */
    LOOP_LOAD,    /* from a buffer or a local array */
    LOOP_OP,      /* an operation of ops.def; never WITHIN (it is built from comparisons) */
    LOOP_FMA,     /* arg[0] * arg[1] + arg[2], reals; rounding once or twice is the target's choice (nn_fma, nn_fma1) */
    LOOP_SPLAT,   /* vector of one scalar (real, or bool: a mask) */
    LOOP_IOTA,    /* vector 0, 1, 2, ... as reals */
    LOOP_FIRST,   /* mask: lane < count (a scalar int) */
    LOOP_HORIZONTAL /* the scalar reduction of a vector: sum, prod, max or min over its lanes */
} LoopExprKind;

typedef enum Access {
    ACCESS_SCALAR,
    ACCESS_CONTIGUOUS, /* NN_LANES neighbours from offset; no alignment is promised */
    ACCESS_PART, /* the first `count` of them: all when it is NN_LANES or more, none when it is 0 or less. The other lanes are 0
                           (load) or untouched (store), and their memory is not accessed */
    ACCESS_STRIDED,     /* NN_LANES elements, `stride` apart */
    ACCESS_STRIDED_PART /* the first `count` of those */
} Access;

typedef struct LoopExpr LoopExpr;

/* A place in memory, of a load or a store. */
typedef struct LoopAddress {
    const Buffer *buffer;   /* NULL: `array` */
    LoopVar *array;         /* a local array */
    const LoopExpr *offset; /* scalar int, in elements, of lane 0 */
    Access access;
    const LoopExpr *
        count; /* PART: scalar int. Of a CONTIGUOUS load: only so many lanes matter; the others may be read from the buffer's slack */
    int64_t stride; /* STRIDED: in elements, may be 0 or negative */
    bool
        streams; /* of a CONTIGUOUS store to a buffer: past the caches, where the machine can. Others see it behind a FENCE */
    bool once; /* of a CONTIGUOUS load of reals: several operations use the vector, from a register */
} LoopAddress;

struct LoopExpr {
    LoopExprKind kind;
    Type type; /* a vector load from an INT buffer has type REAL */
    bool vector;
    union {
        double real;
        int64_t integer; /* INT, BOOL */
        Runtime runtime;
        const LoopVar *var;
        struct {
            const LoopVar *tile;
            const LoopExpr *at[2];
        } element; /* ELEMENT, SUMS */
        LoopAddress load;
        /* Arguments are all vectors when the result is one (splats are explicit), with two exceptions: RANDOM's are
         * always scalar ints (stream, counter of lane 0; the counters of the other lanes follow, one apart), and a
         * SELECT whose test is scalar evaluates only the chosen branch, whether scalar or vector: C's `?:`. A SELECT
         * with a mask evaluates both. */
        struct {
            Op op; /* unused by FMA */
            const LoopExpr *arg[3];
            bool natural; /* FLOORDIV, MOD: arg[0] is never negative, C's / and % will do */
        } op;             /* OP, FMA */
        struct {
            const LoopExpr *value; /* SPLAT, HORIZONTAL; FIRST: the count */
            Reduction reduce;      /* HORIZONTAL: SUM, PROD, MAX or MIN */
        } unary;
    };
};

/* ---- statements ---- */

typedef enum LoopMode {
    LOOP_SERIAL,
    LOOP_PARALLEL, /* shared by the threads of the entry, each with the same part every time; never nested */
    LOOP_UNROLLED, /* over an axis of a tile: from 0, by 1 or by NN_LANES, to a constant */
    LOOP_ROLLED    /* the C compiler is not to write out its iterations */
} LoopMode;

typedef enum LoopStmtKind {
    LOOP_FOR,
    LOOP_IF,
    LOOP_DECLARE,
    LOOP_SET,
    LOOP_STORE,
    LOOP_TURN,
    LOOP_APPLY,
    LOOP_CALL,
    LOOP_FETCH,
    LOOP_FENCE,
    LOOP_MARK
} LoopStmtKind;

typedef struct LoopStmt LoopStmt;
typedef struct Kernel Kernel;
typedef VEC(LoopStmt *) LoopBody;

struct LoopStmt {
    LoopStmtKind kind;
    union {
        /* for (int64_t var = from; var < to; var += step). The variable belongs to the loop. Where the last step is not a whole one, the
         * accesses say how many of its lanes exist. */
        struct {
            const LoopVar *var;
            const LoopExpr *from, *to, *step;
            LoopMode mode;
            LoopBody body;
        } loop;
        struct {
            const LoopExpr *test;
            LoopBody then, otherwise;
        } branch;
        struct {
            const LoopVar *var;
            const LoopExpr
                *init;    /* of a tile: 0, of all elements. NULL: none (arrays; what is set before it is read) */
            bool mutable; /* false: const */
        } declare;
        struct {
            const LoopVar *var;
            const LoopExpr *at[2]; /* the element of a tile */
            const LoopExpr *value;
        } set;
        struct {
            LoopAddress to;
            const LoopExpr *value; /* a vector unless access is SCALAR */
        } store;
        /* Element r of the tile, which has one axis and vectors of reals, is what stands r elements after the address, in all its lanes. */
        struct {
            const LoopVar *tile;
            LoopAddress at; /* STRIDED or STRIDED_PART, of which at least one lane exists */
            bool stores;    /* from the tile to memory */
        } turn;
        /* Every element of the tile, which has one axis and vectors of reals, becomes its function of itself. */
        struct {
            Op op; /* that has a function of tiles */
            const LoopVar *tile;
        } apply;
        Kernel *call; /* a function of its own, with the variables that it shares with this one as arguments */
        /* The cache line that many elements behind the address is asked for. It may lie outside of the buffer. */
        struct {
            LoopAddress at; /* SCALAR */
            int64_t ahead;
            bool writes; /* it will be written soon; else read */
        } fetch;
        int mark; /* what follows is this part of a program for measuring, until the next mark */
    };
};

/* ---- functions ---- */

/* A variable of a kernel that another one, which it calls, uses. */
typedef struct KernelArgument {
    const LoopVar *var;
    bool written; /* an array that is stored to */
} KernelArgument;

/* One static function: the equations it computes, and its loops. An entry calls it, or another kernel does, for one of its stages. */
struct Kernel {
    const char *name; /* "lenet_train_step_dense_1_y": unique in the file */
    VEC(const char *)
    comments;                  /* one line each: the equation in the model's letters, "lenet.nn:7", shapes */
    Place place;               /* for #line */
    VEC(const Node *) nodes;   /* whose values it computes or copies, in order */
    int stages;                /* nests of loops, one after the other, inside shared loops */
    VEC(const Buffer *) reads; /* pointer arguments, const */
    VEC(const Buffer *)
    writes; /* pointer arguments; a buffer that is read and written stands only here */
    bool
        aliased; /* some buffer of `reads` shares memory with one of `writes` (in place): its pointers are not restrict */
    bool adds;   /* terms to sums in memory, which it has cleared: they take the place of nothing that it reads */
    VEC(KernelArgument) arguments; /* from the kernel that calls it */
    bool uses_n, uses_step, uses_steps, uses_seed;
    /* Of the innermost shared loop: the stages, one after the other. Of a loop over blocks of sums: one block. Without such loops, `body`. */
    const LoopBody *iteration;
    int64_t
        shared_trips; /* iterations of the loop that its threads share, around `iteration`, for the largest n; none: 1 */
    bool shares_vectors;   /* in steps of NN_LANES */
    VEC(LoopVar *) arrays; /* what `iteration` declares for values that several stages use, in this order */
    VEC(LoopVar *)
    scratch;                   /* those of them that live in the workspace; all are PER_LANE or none */
    size_t slice;              /* bytes of them, for one thread; PER_LANE: for each lane */
    size_t slices, slices_end; /* where the slices of all threads stand in the workspace: one behind the other */
    bool parallel;             /* all threads of the entry run it and share its loops; otherwise one of them runs it */
    bool waits;                /* all threads wait for each other before it */
    LoopBody body;
};

/* A workspace buffer of a series, and its place in it. */
typedef struct SeriesMember {
    const Buffer *buffer;
    int64_t index; /* no two have the same; the order says nothing about time */
} SeriesMember;

/* Buffers of one form that repetitions use in one role; they may stand at equal distances in memory, or not. */
typedef struct BufferSeries {
    VEC(SeriesMember) members;
} BufferSeries;

typedef struct LoopEntry {
    EntryKind kind;
    bool present;
    VEC(Buffer *) buffers;
    VEC(BufferSeries *) series;
    VEC(Kernel *) kernels; /* called in this order */
    size_t workspace;      /* bytes */
    bool parallel;         /* its kernels run on several threads */
    int threads;           /* so many at most; not parallel: 1 */
    int64_t least_n;       /* when n is at least this */
} LoopEntry;

typedef struct LoopProgram {
    Arena *arena;
    Graph *graph;
    LoopEntry entries[ENTRY_COUNT];
} LoopProgram;

#endif
