#include "ir/graph_eval.h"

#include <math.h>

#include "ir/scalar_walk.h"

struct Evaluation {
    Arena *arena;
    Graph *graph;
    int64_t n;
    uint64_t seed;
    int64_t step, steps;
    PointerMap *values; /* node -> array of double */
};

static const char STAGE[] = "reference evaluation";

Evaluation *evaluation_new(Arena *arena, Graph *g, int64_t n, uint64_t seed, int64_t step, int64_t steps) {
    Evaluation *e = arena_one(arena, Evaluation);
    *e = (Evaluation){arena, g, n, seed, step, steps, pointer_map_new(arena)};
    return e;
}

void evaluation_bind(Evaluation *e, const Node *leaf, const double *values) {
    pointer_map_put(e->values, leaf, values);
}

static int64_t actual_size(const Evaluation *e, Extent extent) {
    return extent.per_sample > 0 ? extent.per_sample * e->n : extent.size;
}

int64_t evaluation_count(const Evaluation *e, const Node *node) {
    int64_t count = 1;
    for (int i = 0; i < node->rank; i++)
        count *= actual_size(e, node->shape[i]);
    return count;
}

/* ---- random bits: see runtime/inline/philox.h, with which this agrees bit for bit ---- */

static void philox(uint32_t word[4], uint64_t key) {
    uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = UINT64_C(0xD2511F53) * word[0];
        uint64_t product1 = UINT64_C(0xCD9E8D57) * word[2];
        word[0] = (uint32_t)(product1 >> 32) ^ word[1] ^ key0;
        word[2] = (uint32_t)(product0 >> 32) ^ word[3] ^ key1;
        word[1] = (uint32_t)product1;
        word[3] = (uint32_t)product0;
        key0 += UINT32_C(0x9E3779B9);
        key1 += UINT32_C(0xBB67AE85);
    }
}

/* A block of four words gives two doubles of 53 bits or four floats of 24. */
static double random_value(const Evaluation *e, int64_t stream, int64_t counter) {
    int64_t per_block = e->graph->real_is_double ? 2 : 4;
    uint64_t block = (uint64_t)(counter / per_block), step = (uint64_t)e->step;
    size_t i = (size_t)(counter % per_block);
    uint32_t word[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)step, (uint32_t)stream};
    philox(word, e->seed + (step >> 32 << 32));
    if (per_block == 4)
        return (double)(word[i] >> 8) * 0x1p-24;
    return ((double)(word[2 * i] >> 5) * 0x1p26 + (double)(word[2 * i + 1] >> 6)) * 0x1p-53;
}

/* ---- bodies ---- */

/* A subexpression of the body, evaluated at most once for each point of the loops, and only when it is needed: a select's other branch may
 * load from outside its tensor. */
typedef struct Cell {
    const Scalar *scalar;
    size_t child[MAX_AXES];
    const double *tensor; /* LOAD */
    int64_t point;        /* for which `value` holds */
    double value;
} Cell;

typedef struct Body {
    const Evaluation *evaluation;
    const Node *node;
    Cell *cells; /* arguments before users */
    size_t count;
    int64_t index[MAX_AXES];
    int64_t point; /* number of the point of the loops, from 1 */
} Body;

static double cell_value(Body *body, size_t position);

static double load_value(Body *body, const Cell *cell) {
    const Node *tensor = cell->scalar->load.tensor;
    int64_t offset = 0;
    for (int i = 0; i < tensor->rank; i++) {
        double at = cell_value(body, cell->child[i]);
        int64_t size = actual_size(body->evaluation, tensor->shape[i]);
        if (!(at >= 0 && at < (double)size))
            diag_bug(STAGE, body->node->origin.place, "index %g outside axis %d of size %lld", at, i, (long long)size);
        offset = offset * size + (int64_t)at;
    }
    return cell->tensor[offset];
}

static double runtime_value(const Evaluation *e, Runtime runtime) {
    switch (runtime) {
    case RUNTIME_N: return (double)e->n;
    case RUNTIME_STEP: return (double)e->step;
    case RUNTIME_STEPS: return (double)e->steps;
    }
    return 0;
}

static double op_value(Body *body, const Cell *cell) {
    const Scalar *s = cell->scalar;
    double a = cell_value(body, cell->child[0]);
    switch (s->op.op) {
    case OP_SELECT: return cell_value(body, cell->child[a != 0 ? 1 : 2]);
    case OP_WITHIN: return a >= 0 && a < (double)actual_size(body->evaluation, s->op.extent);
    case OP_AND: return a != 0 ? cell_value(body, cell->child[1]) : 0;
    case OP_OR: return a != 0 ? 1 : cell_value(body, cell->child[1]);
    case OP_RANDOM: return random_value(body->evaluation, (int64_t)a, (int64_t)cell_value(body, cell->child[1]));
    default: break;
    }
    double b = op_info(s->op.op)->arity > 1 ? cell_value(body, cell->child[1]) : 0;
    return op_fold(s->op.op, a, b);
}

static double cell_value(Body *body, size_t position) {
    Cell *cell = &body->cells[position];
    const Scalar *s = cell->scalar;
    if (cell->point == body->point)
        return cell->value;
    switch (s->kind) {
    case SCALAR_REAL: cell->value = s->real; break;
    case SCALAR_INT:
    case SCALAR_BOOL: cell->value = (double)s->integer; break;
    case SCALAR_INDEX: cell->value = (double)body->index[s->index.slot]; break;
    case SCALAR_RUNTIME: cell->value = runtime_value(body->evaluation, s->runtime); break;
    case SCALAR_LOAD: cell->value = load_value(body, cell); break;
    case SCALAR_OP: cell->value = op_value(body, cell); break;
    }
    cell->point = body->point;
    return cell->value;
}

static Body body_new(Arena *scratch, const Evaluation *e, const Node *node) {
    ScalarWalk *walk = scalar_walk_new(scratch);
    scalar_walk(walk, node->expr.body, NULL, NULL);
    Body body = {e, node, arena_array(scratch, Cell, walk->count), walk->count, {0}, 0};
    for (size_t i = 0; i < walk->count; i++) {
        const Scalar *s = walk->at[i];
        body.cells[i].scalar = s;
        for (int j = 0; j < scalar_child_count(s); j++)
            body.cells[i].child[j] = scalar_walk_position(walk, scalar_child(s, j));
        if (s->kind == SCALAR_LOAD)
            body.cells[i].tensor = pointer_map_get(e->values, s->load.tensor);
    }
    return body;
}

static double body_value(Body *body) {
    body->point++;
    return cell_value(body, body->count - 1);
}

/* ---- nodes ---- */

/* The next point in row-major order; false after the last. */
static bool advance(const Evaluation *e, int64_t *index, const Extent *extents, int count) {
    for (int i = count - 1; i >= 0; i--) {
        if (++index[i] < actual_size(e, extents[i]))
            return true;
        index[i] = 0;
    }
    return false;
}

/* The accumulated value and, for argmax and argmin, where it was found. */
typedef struct Accumulator {
    double value;
    int64_t where;
} Accumulator;

static void accumulate(Accumulator *sum, Reduction reduce, double value, int64_t where) {
    bool first = where == 0;
    switch (reduce) {
    case REDUCE_NONE: sum->value = value; break;
    case REDUCE_SUM: sum->value = first ? value : sum->value + value; break;
    case REDUCE_PROD: sum->value = first ? value : sum->value * value; break;
    case REDUCE_MAX:
    case REDUCE_ARGMAX:
        if (first || value > sum->value)
            *sum = (Accumulator){value, where};
        break;
    case REDUCE_MIN:
    case REDUCE_ARGMIN:
        if (first || value < sum->value)
            *sum = (Accumulator){value, where};
        break;
    }
}

static double reduced_value(Body *body) {
    const Node *node = body->node;
    Reduction reduce = node->expr.reduce;
    int64_t *index = body->index + node->rank, where = 0;
    Accumulator sum = {0, 0};
    do {
        accumulate(&sum, reduce, body_value(body), where++);
    } while (advance(body->evaluation, index, node->expr.extents, node->expr.reduced));
    return reduce == REDUCE_ARGMAX || reduce == REDUCE_ARGMIN ? (double)sum.where : sum.value;
}

static const double *expr_value(Evaluation *e, const Node *node) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Body body = body_new(scratch, e, node);
    double *values = arena_array(e->arena, double, (size_t)evaluation_count(e, node));
    size_t i = 0;
    do {
        values[i++] = reduced_value(&body);
    } while (advance(e, body.index, node->shape, node->rank));
    arena_free(scratch);
    return values;
}

/* What PREPARE gives for the leaf. */
static const double *prepared_value(Evaluation *e, const Node *leaf) {
    const Entry *prepare = &e->graph->entries[ENTRY_PREPARE];
    for (size_t i = 0; i < prepare->outputs.count; i++)
        if (prepare->outputs.at[i].target == leaf)
            return evaluation_value(e, prepare->outputs.at[i].value);
    diag_bug(STAGE, leaf->origin.place, "nothing prepares `%s`", leaf->origin.name ? leaf->origin.name : "a leaf");
}

static const double *node_value(Evaluation *e, const Node *node) {
    switch (node->kind) {
    case NODE_PREPARED: return prepared_value(e, node);
    case NODE_EXPR: return expr_value(e, node);
    case NODE_DETACH: return pointer_map_get(e->values, node->derivative.of);
    case NODE_GRAD:
    case NODE_JVP: diag_bug(STAGE, node->origin.place, "a derivative that is not expanded has no value");
    default:
        diag_bug(STAGE, node->origin.place, "`%s` has no value bound to it",
                 node->origin.name ? node->origin.name : "a leaf");
    }
}

/* Operands first, without recursion: a node stays on the stack until its operands have values. */
const double *evaluation_value(Evaluation *e, const Node *node) {
    VEC(const Node *) stack = {0};
    Arena *scratch = arena_new((ArenaFailure){0});
    vec_push(scratch, &stack, node);
    while (stack.count > 0) {
        const Node *top = stack.at[stack.count - 1];
        size_t before = stack.count;
        for (int i = 0; i < top->operand_count; i++)
            if (!pointer_map_get(e->values, top->operands[i]))
                vec_push(scratch, &stack, top->operands[i]);
        if (stack.count == before) {
            stack.count--;
            if (!pointer_map_get(e->values, top))
                pointer_map_put(e->values, top, node_value(e, top));
        }
    }
    arena_free(scratch);
    return pointer_map_get(e->values, node);
}
