/* value.h: what an expression of the language gives while the compiler evaluates it.
 *
 * Numbers, truth values, texts and lists are known. A tensor is not: it is a scalar body over the tensor's own axes, which becomes
 * a node of the graph only when something needs the whole tensor (tensor.h), so that an elementwise expression of the source is one
 * node. Poison stands for a value whose fault has been reported: whatever touches it stays silent and gives poison.
 *
 * Slots of bodies: 0 .. rank-1 are the axes of the tensor; from VARIABLE_SLOT on they are index variables of the equations that are
 * being evaluated (equation.h). A tensor with such slots is open: it is an element (its rank is 0) and means nothing outside.
 *
 * Ownership: everything lives in the arena of the compilation and is not changed after it was made.
 */
#ifndef NNC_SEMA_VALUE_H
#define NNC_SEMA_VALUE_H

#include "ir/graph.h"
#include "syntax/ast.h"

enum { VARIABLE_SLOT = MAX_AXES, SLOT_LIMIT = 64 };

typedef enum ValueKind {
    VALUE_POISON,
    VALUE_NUMBER,
    VALUE_BOOL,
    VALUE_TEXT,
    VALUE_LIST,
    VALUE_ELLIPSIS, /* `...` as an item of a list: the leading axes in the shape of reshape() */
    VALUE_EXTENT,   /* the size of the dynamic axis, or a multiple of it: not a number before the program runs */
    VALUE_TENSOR,
    VALUE_FUNCTION, /* a declaration: fn, layer, loss, metric, init, schedule, optimizer */
    VALUE_BUILTIN,
    VALUE_INSTANCE /* a declaration with arguments, whose leading ones are still missing */
} ValueKind;

typedef struct Tensor {
    Type type;
    int rank;
    Extent shape[MAX_AXES];
    const Scalar *body;
    const Node *node;           /* the node that the body loads as it is; NULL: there is none yet */
    int64_t classes;            /* of class and index data; 0: an ordinary tensor */
    bool is_index;              /* declared with `index` */
    bool is_made_index;         /* by to_index() or as_index(): what an equation copies from it is one, too */
    const char *const *letters; /* MAX_AXES index letters to print the axes with; NULL: none */
    const char *hint; /* what to call a node of it that has no name: after the function that gave it; may be NULL */
    Place place;      /* of the expression that gave it, in the user's file; for the origin of that node */
} Tensor;

typedef struct Function Function; /* scope.h */
typedef struct Builtin Builtin;   /* builtin.h */
typedef struct Instance Instance; /* instance.h */

typedef struct Value Value;
struct Value {
    ValueKind kind;
    const char *name; /* what the source calls it, and where it did so first: for messages. May be NULL */
    Place place;
    union {
        struct {
            double value;
            bool is_integer;
        } number;
        bool truth;
        const char *text;
        struct {
            const Value *items;
            size_t count;
        } list;
        Extent extent;
        const Tensor *tensor;
        const Function *function;
        const Builtin *builtin;
        Instance *instance;
    };
};

/* Integers are exact up to here. */
#define NUMBER_INTEGER_LIMIT 9007199254740992.0

Value value_poison(void);
Value value_number(double value, bool is_integer);
Value value_integer(int64_t value);
Value value_bool(bool truth);
Value value_text(const char *text);
Value value_list(const Value *items, size_t count);
/* The length of a list (axis 0), of the lists in it (axis 1) and so on; the first of them stands for all. -1: there are no lists. */
int64_t list_axis_size(Value list, int axis);
/* 1, and 1 more for each list in a list. */
int list_rank(Value list);
Value value_tensor(const Tensor *tensor);
/* A number, or VALUE_EXTENT when the axis is dynamic. */
Value value_extent(Extent extent);

static inline bool value_is_poison(Value value) {
    return value.kind == VALUE_POISON;
}

/* Is it a number without a fraction, whatever way it was written, that an int64_t holds exactly? */
bool value_as_integer(Value value, int64_t *out);

static inline bool extent_equal(Extent a, Extent b) {
    return a.size == b.size && a.per_sample == b.per_sample;
}
static inline bool extent_is_dynamic(Extent extent) {
    return extent.per_sample != 0;
}

/* Does it hold index variables of an equation? */
static inline bool scalar_is_open(const Scalar *scalar) {
    return (scalar->slots >> VARIABLE_SLOT) != 0;
}

/* "real[batch, 10]", "class[batch](10)". */
const char *tensor_describe(Arena *arena, const Graph *graph, const Tensor *tensor);
/* Fits behind "is": "real[batch, 10]", "the number 3", "a list of 2 values", "the layer `dense`". */
const char *value_describe(Arena *arena, const Graph *graph, Value value);
/* "3", "batch", "0.5". */
const char *extent_describe(Arena *arena, const Graph *graph, Extent extent);
const char *number_describe(Arena *arena, double value);

#endif
