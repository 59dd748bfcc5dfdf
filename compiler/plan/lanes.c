#include "plan/lanes.h"

#include "ir/prove.h"

static bool varies(const Scalar *s, int slot) {
    return (s->slots >> slot & 1) != 0;
}

const Scalar *load_offset(ScalarPool *pool, const Scalar *load, int first) {
    const Node *tensor = load->load.tensor;
    const Scalar *offset = scalar_int(pool, 0);
    int64_t stride = 1;
    for (int d = load->load.rank - 1; d >= first; d--) {
        const Scalar *term = scalar_op2(pool, OP_MUL, load->load.at[d], scalar_int(pool, stride));
        offset = scalar_op2(pool, OP_ADD, offset, term);
        stride *= tensor->shape[d].size;
    }
    return offset;
}

const Node *view_source(Graph *g, const Node *node) {
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_NONE || node->expr.body->kind != SCALAR_LOAD)
        return NULL;
    const Scalar *load = node->expr.body;
    const Scalar *own = node_load_identity(g, node);
    if (load->load.tensor->type != node->type || node_elements(load->load.tensor) < node_elements(node))
        return NULL;
    return load_offset(g->pool, load, 0) == load_offset(g->pool, own, 0) ? load->load.tensor : NULL;
}

static bool lane_step_of_op(const Scalar *s, int slot, int64_t *step) {
    const Scalar *a = s->op.arg[0], *b = s->op.arg[1];
    int64_t step_a = 0, step_b = 0;
    if (!lane_step(a, slot, &step_a) || (b && !lane_step(b, slot, &step_b)))
        return false;
    switch (s->op.op) {
    case OP_ADD: *step = step_a + step_b; return true;
    case OP_SUB: *step = step_a - step_b; return true;
    case OP_NEG: *step = -step_a; return true;
    case OP_MUL:
        *step = a->kind == SCALAR_INT ? a->integer * step_b : step_a * (b->kind == SCALAR_INT ? b->integer : 0);
        return a->kind == SCALAR_INT || b->kind == SCALAR_INT;
    default: return false;
    }
}

bool lane_step(const Scalar *s, int slot, int64_t *step) {
    *step = 0;
    if (!varies(s, slot))
        return true;
    if (s->kind == SCALAR_INDEX) {
        *step = 1;
        return true;
    }
    return s->kind == SCALAR_OP && lane_step_of_op(s, slot, step);
}

/* The caller's memory may have no more samples than n. */
bool load_is_safe(ScalarPool *pool, const Scalar *load) {
    for (int d = 0; d < load->load.rank; d++) {
        const Extent extent = load->load.tensor->shape[d];
        Range range = scalar_range(load->load.at[d]);
        if (range.low < 0 || range.high >= extent.size ||
            (extent.per_sample != 0 && !prove_within(pool, NULL, load->load.at[d], extent)))
            return false;
    }
    return true;
}

typedef struct SafetySearch {
    ScalarPool *pool;
} SafetySearch;

static bool is_unsafe(const void *context, const Scalar *load) {
    const SafetySearch *search = context;
    return !load_is_safe(search->pool, load);
}

bool has_unsafe_load(Arena *scratch, ScalarPool *pool, const Scalar *s) {
    return scalar_any_load(scratch, s, is_unsafe, &(SafetySearch){pool});
}

/* ---- lanes_possible ---- */

typedef struct LaneCheck {
    Arena *scratch;
    Graph *graph;
    int slot;
    PointerMap *seen; /* possible ones; what is not ends the search */
    const PointerMap *settled;
} LaneCheck;

static bool check_scalar(const LaneCheck *check, const Scalar *s);

/* Integers of a vector are held in reals. */
static bool fits_real(const LaneCheck *check, const Scalar *s) {
    int64_t limit = check->graph->real_is_double ? INT64_C(1) << 53 : INT64_C(1) << 24;
    Range range = scalar_range(s);
    return range.low > -limit && range.high < limit;
}

static bool check_load(const LaneCheck *check, const Scalar *s) {
    int64_t step;
    return lane_step(load_offset(check->graph->pool, s, 0), check->slot, &step) &&
           (s->type != TYPE_INT || fits_real(check, s));
}

static bool check_args(const LaneCheck *check, const Scalar *s) {
    for (int i = 0; i < 3 && s->op.arg[i]; i++)
        if (!check_scalar(check, s->op.arg[i]))
            return false;
    return s->type != TYPE_INT || fits_real(check, s);
}

static bool is_settled(const LaneCheck *check, const Scalar *s) {
    return check->settled && pointer_map_get(check->settled, s);
}

/* Known wherever the loops run. */
static bool is_known(const LaneCheck *check, const Scalar *test) {
    return is_settled(check, test) ||
           (scalar_is_op(test, OP_AND) && is_known(check, test->op.arg[0]) && is_known(check, test->op.arg[1]));
}

/* The test may come out differently in different lanes. */
static bool test_varies(const LaneCheck *check, const Scalar *test) {
    if (is_settled(check, test))
        return false;
    if (scalar_is_op(test, OP_AND))
        return test_varies(check, test->op.arg[0]) || test_varies(check, test->op.arg[1]);
    return varies(test, check->slot);
}

static bool check_op(const LaneCheck *check, const Scalar *s) {
    const Scalar *const *arg = s->op.arg;
    int64_t step;
    switch (s->op.op) {
    case OP_FLOORDIV:
    case OP_MOD: return false;
    case OP_RANDOM: return !varies(arg[0], check->slot) && lane_step(arg[1], check->slot, &step) && step == 1;
    case OP_SELECT:
        if (test_varies(check, arg[0]) && (has_unsafe_load(check->scratch, check->graph->pool, arg[1]) ||
                                           has_unsafe_load(check->scratch, check->graph->pool, arg[2])))
            return false;
        return check_args(check, s);
    case OP_AND:
    case OP_OR: /* of vectors both sides are computed */
        return (is_known(check, arg[0]) || !has_unsafe_load(check->scratch, check->graph->pool, arg[1])) &&
               check_args(check, s);
    default: return check_args(check, s);
    }
}

static bool check_scalar(const LaneCheck *check, const Scalar *s) {
    if (!varies(s, check->slot) || is_settled(check, s) || pointer_map_get(check->seen, s))
        return true;
    bool possible = true;
    if (s->kind == SCALAR_INDEX)
        possible = fits_real(check, s);
    else if (s->kind == SCALAR_LOAD)
        possible = check_load(check, s);
    else if (s->kind == SCALAR_OP)
        possible = check_op(check, s);
    if (possible)
        pointer_map_put(check->seen, s, s);
    return possible;
}

bool lanes_possible(Arena *scratch, Graph *g, const Scalar *s, int slot, const PointerMap *settled) {
    LaneCheck check = {scratch, g, slot, pointer_map_new(scratch), settled};
    return check_scalar(&check, s);
}
