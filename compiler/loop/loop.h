/* loop.h: the loop program: what the printer prints, statement by statement, and nothing else.
 *
 * plan/ decides (which nodes share a kernel, which axis is the vector, tiles, what is parallel), loop/ builds this tree from those decisions and
 * places the memory, emit/ prints it as C. No decision is left here: every loop has its bounds, mode and body; every load says how it is accessed.
 *
 * Vectors. A vector expression has NN_LANES lanes, a number that the C compiler's target decides (16, 8, 4, 2 or 1): the tree is written for any. A
 * vector loop is an ordinary loop whose step is a multiple of lanes; its remainder is another loop of scalar statements (or a part access).
 *
 * Names are decided here too (they are C identifiers, unique in their function), so that dumps and C agree. Index variables keep the model's letters;
 * tile loops add a suffix (k_block).
 *
 * Ownership: everything lives in the arena of the LoopProgram.
 */
#ifndef NNC_LOOP_LOOP_H
#define NNC_LOOP_LOOP_H

#include "ir/graph.h"

/* ---- memory ---- */

typedef enum BufferSpace {
    BUFFER_INPUT,     /* an input or target: pointer argument */
    BUFFER_OUTPUT,    /* an output of predict: pointer argument */
    BUFFER_PARAM,     /* a member of the params struct */
    BUFFER_STATE,     /* a member of the state struct */
    BUFFER_GRADIENT,  /* a member of the params struct that receives gradients */
    BUFFER_LOSS,      /* one real, returned by the function */
    BUFFER_METRIC,    /* one real of the metrics array */
    BUFFER_WORKSPACE  /* bytes of the workspace */
} BufferSpace;

typedef struct Buffer {
    int id; /* dense in its function */
    const char *name; /* the pointer's name inside kernels */
    BufferSpace space;
    Type type; /* REAL or INT; bools are stored as INT */
    int rank;
    Extent shape[MAX_AXES];
    int64_t strides[MAX_AXES]; /* in elements; row-major unless the layout pass chose otherwise */
    int64_t elements;          /* for the largest n */
    int ordinal;               /* which input, output, param, state or metric */
    size_t offset;             /* WORKSPACE: bytes from its start, a multiple of 64; set by place */
    const Node *node;          /* whose value it holds (for reports) */
} Buffer;

/* ---- variables: loop counters, scalars and small arrays of a kernel ---- */

typedef struct LoopVar {
    const char *name;
    Type type;
    bool vector;       /* each element is an nn_vec */
    int rank;          /* 0: plain variable; otherwise a small array (register tile, row buffer) */
    int64_t dims[3];
    bool dims_in_lanes; /* the last dimension is in units of NN_LANES reals (a real array of dims * NN_LANES) */
} LoopVar;

/* ---- expressions ---- */

typedef enum LoopExprKind {
    LOOP_REAL, LOOP_INT, LOOP_BOOL,
    LOOP_LANES,   /* NN_LANES, an int */
    LOOP_VAR,     /* a variable, or an element of a small array */
    LOOP_RUNTIME, /* n, step, steps: ints */
    LOOP_LOAD,    /* from a buffer */
    LOOP_ADDRESS_LOAD, /* reserved for local real arrays accessed as vectors: array element run [offset, offset + lanes) */
    LOOP_OP,      /* an operation of ops.def; never WITHIN (built as comparisons) */
    LOOP_SPLAT,   /* vector of one scalar */
    LOOP_IOTA,    /* vector 0, 1, 2, ... as reals; added to a splat it is the vector of an index variable */
    LOOP_HORIZONTAL /* the scalar reduction of a vector: sum, prod, max or min over its lanes */
} LoopExprKind;

typedef enum Access {
    ACCESS_SCALAR,
    ACCESS_CONTIGUOUS, /* NN_LANES neighbours from offset */
    ACCESS_PART,       /* the first `count` of them; the other lanes are 0 (load) or untouched (store) */
    ACCESS_STRIDED     /* NN_LANES elements, `stride` apart */
} Access;

typedef struct LoopExpr LoopExpr;
struct LoopExpr {
    LoopExprKind kind;
    Type type;
    bool vector;
    union {
        double real;
        int64_t integer; /* INT, BOOL */
        Runtime runtime;
        struct {
            const LoopVar *var;
            const LoopExpr *at[3]; /* elements of small arrays */
        } var;
        struct {
            const Buffer *buffer;
            const LoopVar *array; /* ADDRESS_LOAD: instead of buffer */
            const LoopExpr *offset; /* in elements */
            Access access;
            const LoopExpr *count;  /* PART */
            int64_t stride;         /* STRIDED, in elements */
        } load;
        struct {
            Op op;
            const LoopExpr *arg[3];
        } op;
        struct {
            const LoopExpr *value;
            Reduction reduce;
        } unary; /* SPLAT, HORIZONTAL */
    };
};

/* ---- statements ---- */

typedef enum LoopMode {
    LOOP_SERIAL,
    LOOP_PARALLEL, /* iterations may run on several threads, static schedule; never nested */
    LOOP_UNROLL    /* constant trip count: the C compiler is told to unroll it fully */
} LoopMode;

typedef enum LoopStmtKind { LOOP_FOR, LOOP_IF, LOOP_DECLARE, LOOP_SET, LOOP_STORE, LOOP_COMMENT } LoopStmtKind;

typedef struct LoopStmt LoopStmt;
typedef VEC(LoopStmt *) LoopBody;

struct LoopStmt {
    LoopStmtKind kind;
    union {
        struct {
            const LoopVar *var;
            bool continues; /* starts where the previous loop over the same variable stopped (a remainder): var is declared before */
            const LoopExpr *from, *to, *step; /* for (var = from; var < to; var += step): `to` already accounts for whole steps */
            LoopMode mode;
            LoopBody body;
        } loop;
        struct {
            const LoopExpr *test;
            LoopBody then, otherwise;
        } branch;
        struct {
            const LoopVar *var;
            const LoopExpr *init; /* NULL: none (arrays are filled by loops) */
            bool mutable; /* false: const */
        } declare;
        struct {
            const LoopVar *var;
            const LoopExpr *at[3];
            const LoopExpr *value;
        } set;
        struct {
            const Buffer *buffer;
            const LoopVar *array; /* instead of buffer: a local real array */
            const LoopExpr *offset;
            Access access;
            const LoopExpr *count; /* PART */
            int64_t stride;        /* STRIDED */
            const LoopExpr *value;
        } store;
        const char *comment;
    };
};

/* ---- functions ---- */

/* One static function: the equations it computes, and its loops. */
typedef struct Kernel {
    const char *name;     /* "lenet_train_step_dense_1_y": unique in the file */
    VEC(const char *) comments; /* one line each: the equation in the model's letters, "lenet.nn:7", shapes */
    Place place;          /* for #line */
    VEC(const Buffer *) reads;  /* pointer arguments, const */
    VEC(const Buffer *) writes; /* pointer arguments; a buffer that is read and written stands only here */
    bool uses_n, uses_step, uses_steps, uses_seed;
    LoopBody body;
} Kernel;

typedef struct LoopEntry {
    EntryKind kind;
    bool present;
    VEC(Buffer *) buffers;
    VEC(Kernel *) kernels; /* called in this order */
    size_t workspace; /* bytes */
} LoopEntry;

typedef struct LoopProgram {
    Arena *arena;
    Graph *graph;
    LoopEntry entries[ENTRY_COUNT];
} LoopProgram;

#endif
