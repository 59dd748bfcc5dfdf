/* graph.h: the static graph of tensor expressions.
 *
 * Semantics
 * - A NODE_EXPR is  out[i...] = reduce over r... of body(i, r);  with REDUCE_NONE there are no reduction axes.
 * - Empty reductions do not occur (all extents are at least 1).
 * - max, min: NaN in the body gives NaN or is ignored, unspecified; argmax, argmin: the first on ties, in row-major order of the reduction
 *   axes; the value is the row-major linear index over the reduction axes (int).
 * - The order of a floating-point reduction is the compiler's choice, but fixed when the C is compiled.
 * - An integer input of class or index kind holds values in 0 .. classes-1 (the run time checks data before they arrive).
 * - Nodes are immutable and hash-consed: building an expression that exists gives the existing node (common subexpressions never
 *   arise). Provenance (place, name, axis names) belongs to the first that was built and takes no part in equality.
 * - Passes are functional: they rebuild the graph from its outputs (graph_rebuild), so what is not reachable disappears.
 *
 * Ownership: everything lives in graph->arena.
 */
#ifndef NNC_IR_GRAPH_H
#define NNC_IR_GRAPH_H

#include "base/diag.h"
#include "base/map.h"
#include "base/vec.h"
#include "ir/scalar.h"

enum { MAX_AXES = 16 }; /* output axes plus reduction axes of a node */

typedef enum NodeKind {
    NODE_INPUT,    /* data of a call: inputs and targets */
    NODE_PARAM,    /* a trained tensor */
    NODE_STATE,    /* a tensor that training keeps (optimizer state) */
    NODE_PREPARED, /* what prediction reads instead of parameters: made by PREPARE, once for all predictions */
    NODE_EXPR,     /* the tensor expression */
    NODE_GRAD,     /* gradient of sum(of) with respect to wrt: a placeholder that the differentiate pass expands */
    NODE_JVP,      /* directional derivative of `of` with respect to `wrt` along `tangent`: likewise */
    NODE_DETACH    /* stop_gradient(of): the identity with derivative 0; removed by differentiate */
} NodeKind;

typedef enum Reduction {
    REDUCE_NONE,
    REDUCE_SUM,
    REDUCE_PROD,
    REDUCE_MAX,
    REDUCE_MIN,
    REDUCE_ARGMAX,
    REDUCE_ARGMIN
} Reduction;

/* Where a node comes from. Printing and messages only. */
typedef struct Origin {
    Place place;
    const char *name;           /* path: "conv2d_1.y", "dense_1.W", "gradient of dense_1.W"; may be NULL */
    const char *equation;       /* source text of the equation or expression, one line; may be NULL */
    const char *axes[MAX_AXES]; /* letters of the index variables by slot; NULL: none known */
} Origin;

struct Node {
    NodeKind kind;
    Type type;
    uint32_t id; /* dense per graph, operands before users */
    bool
        is_prepared; /* reads prepared tensors and nothing else, and depends on nothing else: the same in all predictions */
    int rank;
    Extent shape[MAX_AXES];
    Origin origin;
    int operand_count;
    const Node *const *operands; /* the distinct tensors that it reads, in order of first occurrence */
    union {
        struct {
            int ordinal;       /* position in graph->inputs, params, states or prepared */
            bool is_target;    /* INPUT */
            int64_t classes;   /* INPUT of type int: values are below it; 0: no bound */
            const Node *param; /* STATE: the parameter it belongs to; NULL: none */
            bool is_buffer;    /* PARAM: the model changes it in training, not the optimizer; its gradient is 0 */
            const Node *init;  /* PARAM, STATE: initial value, an expression of random and constants */
        } leaf;
        struct {
            Reduction reduce;
            int reduced;              /* number of reduction axes */
            Extent extents[MAX_AXES]; /* theirs */
            const Scalar *body; /* of type real, int or bool = the node's type (ARGMAX, ARGMIN: real body, int node) */
        } expr;
        struct {
            const Node *of, *wrt, *tangent; /* tangent: JVP only */
        } derivative;                       /* GRAD, JVP; DETACH uses `of` */
    };
};

/* What a generated function gives. */
typedef enum OutputRole {
    OUTPUT_RESULT,   /* PREDICT: an output of the model */
    OUTPUT_LOSS,     /* the scalar loss */
    OUTPUT_METRIC,   /* a scalar metric */
    OUTPUT_GRADIENT, /* of `target`, a parameter */
    OUTPUT_UPDATE,   /* the new value of `target`, a parameter or state; written after every read of the old value */
    OUTPUT_INIT,     /* the initial value of `target` */
    OUTPUT_PREPARED  /* of `target`, a prepared tensor */
} OutputRole;

typedef struct GraphOutput {
    OutputRole role;
    const char *name;
    const Node *target; /* GRADIENT, UPDATE, INIT, PREPARED */
    const Node *value;
} GraphOutput;

typedef enum EntryKind {
    ENTRY_INIT,
    ENTRY_STATE_INIT,
    ENTRY_PREPARE,
    ENTRY_PREDICT,
    ENTRY_LOSS,
    ENTRY_GRADIENT,
    ENTRY_TRAIN_STEP,
    ENTRY_COUNT
} EntryKind;

/* Some entries: a bit 1 << kind for each. */
typedef unsigned EntrySet;

#define ENTRY_BIT(kind) (1u << (kind))

enum {
    ENTRIES_ALL = ENTRY_BIT(ENTRY_COUNT) - 1,
    ENTRIES_TRAINING =
        ENTRY_BIT(ENTRY_STATE_INIT) | ENTRY_BIT(ENTRY_LOSS) | ENTRY_BIT(ENTRY_GRADIENT) | ENTRY_BIT(ENTRY_TRAIN_STEP)
};

/* One generated function: its outputs. PREDICT and LOSS are built with training = false, GRADIENT and TRAIN_STEP with true. With PREPARE, PREDICT reads
 * no parameters, but what PREPARE makes of them. */
typedef struct Entry {
    EntryKind kind;
    bool present;       /* the model has it, and it was not left out; a model without loss has INIT and PREDICT */
    bool spares_memory; /* its loops may not spend memory to save time */
    VEC(GraphOutput) outputs;
} Entry;

typedef struct Graph {
    Arena *arena;
    ScalarPool *pool;
    const char *name; /* of the model: the prefix of everything generated */
    Place place;
    bool real_is_double;
    Extent
        batch; /* the sample axis: leading axis of every input, target and output. per_sample 1: dynamic. size 0: there is none */
    const char *batch_name;
    VEC(const Node *) inputs; /* inputs, then targets, in the model's order */
    VEC(const Node *) params; /* in the order of first use in the model */
    VEC(const Node *) states;
    VEC(const Node *) prepared;
    Entry entries[ENTRY_COUNT];
    struct NodeTable *table; /* hash-consing; graph.c */
    uint32_t node_count;
} Graph;

Graph *graph_new(Arena *arena, const char *name);
const char *entry_name(EntryKind kind); /* "predict", "train_step", ... */

/* ---- constructors ---- */
const Node *graph_input(Graph *g, Type type, int rank, const Extent *shape, bool is_target, int64_t classes,
                        Origin origin);
const Node *graph_param(Graph *g, int rank, const Extent *shape,
                        Origin origin); /* its init is set with graph_set_init */
const Node *graph_buffer(Graph *g, int rank, const Extent *shape, Origin origin); /* a parameter, but for `is_buffer` */
const Node *graph_state(Graph *g, const Node *param, int rank, const Extent *shape, Origin origin);
void graph_set_init(Graph *g, const Node *leaf, const Node *init);
const Node *graph_prepared(Graph *g, int rank, const Extent *shape, Origin origin);
/* Puts the targets behind the inputs, each in the order they were made in, and renumbers them. */
void graph_order_inputs(Graph *g);
/* Body slots: 0..rank-1 output, rank.. reduction. Reduction axes of extent 1 are dropped (later ones move down); without any left, the node is a map. An axis of extent 1 must not occur as index leaf (scalar_index gives 0 for it). A map whose
 * body is just the load of one tensor at its own indices gives that tensor. */
const Node *graph_expr(Graph *g, int rank, const Extent *shape, Reduction reduce, int reduced, const Extent *extents,
                       const Scalar *body, Origin origin);
/* The expression with another body over the same axes. */
const Node *graph_with_body(Graph *g, const Node *node, const Scalar *body);
const Node *graph_grad(Graph *g, const Node *of, const Node *wrt, Origin origin);
const Node *graph_jvp(Graph *g, const Node *of, const Node *wrt, const Node *tangent, Origin origin);
const Node *graph_detach(Graph *g, const Node *of, Origin origin);

/* ---- helpers that build common expressions ---- */
const Scalar *node_load_identity(Graph *g, const Node *node);  /* node[i0, i1, ...] */
const Scalar *node_slot(Graph *g, const Node *node, int slot); /* the index leaf of an EXPR's slot */
const Node *graph_map1(Graph *g, Op op, const Node *a, Origin origin);
const Node *graph_map2(Graph *g, Op op, const Node *a, const Node *b, Origin origin); /* equal shapes */
const Node *graph_constant(Graph *g, double value, int rank, const Extent *shape, Origin origin);
bool node_same_shape(const Node *a, const Node *b);
int64_t node_elements(const Node *node);             /* with the largest n */
Extent node_slot_extent(const Node *expr, int slot); /* output or reduction axis */

/* ---- traversal ---- */
/* All nodes reachable from the entry's outputs (entry NULL: from all), operands before users, deterministic. Leaves included. PARAM/STATE inits are not. */
typedef VEC(const Node *) NodeList;
NodeList graph_order(Graph *g, Arena *scratch, const Entry *entry);
/* node->operands, one by one. */
void node_each_operand(Arena *scratch, const Node *node, void (*visit)(void *context, const Node *operand),
                       void *context);

/* Rebuilds everything reachable, operands first: `rewrite` gets a node whose operands are rebuilt already (leaves too) and gives its replacement (the
 * same shape and type) or the node itself. Entry outputs, INIT included, are replaced. Returns the number of nodes that changed. */
typedef const Node *NodeRewrite(void *context, Graph *g, const Node *node);
int graph_rebuild(Graph *g, NodeRewrite *rewrite, void *context);

/* ---- neighbours: graph_print.h, graph_check.h, graph_eval.h ---- */
#endif
