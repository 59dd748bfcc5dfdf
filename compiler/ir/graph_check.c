#include "ir/graph_check.h"

#include "ir/graph_print.h"
#include "ir/prove.h"
#include "ir/scalar_walk.h"

typedef struct Check {
    Graph *graph;
    const char *stage;
    bool lowered;
    Arena *scratch;
    const Node *node; /* that is being checked */
} Check;

static _Noreturn void check_fail(const Check *check, const Node *node, const char *what) {
    Text *text = text_new(check->scratch);
    if (node->kind == NODE_EXPR)
        node_print_equation(node, text);
    else
        text_add(text, node->origin.name ? node->origin.name : "a node");
    diag_bug(check->stage, node->origin.place, "%s: %s", what, text_get(text));
}

static void require(const Check *check, bool holds, const char *what) {
    if (!holds)
        check_fail(check, check->node, what);
}

/* ---- types of a body ---- */

static void check_arith(const Check *check, const Scalar *s) {
    bool integers = s->type == TYPE_INT && s->op.op != OP_DIV;
    require(check, s->type == TYPE_REAL || integers, "arithmetic on a type that has none");
    for (int i = 0; i < op_info(s->op.op)->arity; i++)
        require(check, s->op.arg[i]->type == s->type, "arithmetic on two types");
}

static void check_special(const Check *check, const Scalar *s) {
    const Scalar *a = s->op.arg[0], *b = s->op.arg[1];
    switch (s->op.op) {
    case OP_FLOORDIV:
    case OP_MOD:
        require(check, a->type == TYPE_INT && b->kind == SCALAR_INT && b->integer > 0,
                "div and mod need an integer and a positive constant");
        break;
    case OP_WITHIN: require(check, a->type == TYPE_INT, "within needs an integer"); break;
    case OP_SELECT:
        require(check, a->type == TYPE_BOOL && b->type == s->op.arg[2]->type,
                "select needs a bool and two values of one type");
        break;
    case OP_DECAY: require(check, a->type == TYPE_REAL, "decay needs a real"); break;
    case OP_TO_INDEX:
        require(check, a->type == TYPE_REAL && b->kind == SCALAR_INT && b->integer > 0 && b->integer <= INT32_MAX,
                "to_index needs a real and a positive constant");
        break;
    case OP_TO_REAL: require(check, a->type != TYPE_REAL, "conversion of a real to real"); break;
    case OP_RANDOM:
        require(check, a->kind == SCALAR_INT && b->type == TYPE_INT && b->range.low >= 0,
                "random needs a constant stream and a counter that is not negative");
        break;
    default: break;
    }
}

static void check_op(const Check *check, const Scalar *s) {
    const Scalar *a = s->op.arg[0], *b = s->op.arg[1];
    bool binary = op_info(s->op.op)->arity > 1;
    switch (op_info(s->op.op)->kind) {
    case OP_KIND_ARITH: check_arith(check, s); break;
    case OP_KIND_FUNCTION:
        require(check, a->type == TYPE_REAL && (!binary || b->type == TYPE_REAL),
                "a function of something that is not real");
        break;
    case OP_KIND_COMPARE: require(check, a->type == b->type, "comparison of two types"); break;
    case OP_KIND_LOGIC:
        require(check, a->type == TYPE_BOOL && (!binary || b->type == TYPE_BOOL),
                "logic on something that is not bool");
        break;
    case OP_KIND_SPECIAL: check_special(check, s); break;
    }
}

static void check_scalar(const Check *check, const Scalar *s) {
    const Node *node = check->node;
    if (s->kind == SCALAR_INDEX) {
        int slots = node->rank + node->expr.reduced;
        require(check, s->index.slot < slots, "an index variable that is no axis");
        require(check, same_extent(s->index.extent, node_slot_extent(node, s->index.slot)),
                "an index variable with another extent than its axis");
    } else if (s->kind == SCALAR_LOAD) {
        require(check, s->load.rank == s->load.tensor->rank, "a load with the wrong rank");
        for (int i = 0; i < s->load.rank; i++)
            require(check, s->load.at[i]->type == TYPE_INT, "an index that is not an integer");
    } else if (s->kind == SCALAR_OP) {
        check_op(check, s);
    }
}

/* ---- ranges of loads ---- */

/* A subexpression under conditions. */
typedef struct RangeTask {
    const Scalar *scalar;
    const Facts *facts;
} RangeTask;

typedef struct Ranges {
    const Check *check;
    const ScalarWalk *walk;
    bool *open;          /* by position: a load below it is not proved without facts */
    PointerMap *visited; /* facts -> flags by position */
    VEC(RangeTask) tasks;
} Ranges;

static bool load_in_range(const Check *check, const Facts *facts, const Scalar *load) {
    for (int i = 0; i < load->load.rank; i++)
        if (!prove_within(check->graph->pool, facts, load->load.at[i], load->load.tensor->shape[i]))
            return false;
    return true;
}

static bool *ranges_visited(Ranges *ranges, const Facts *facts) {
    const void *key = facts ? (const void *)facts : (const void *)ranges;
    bool *flags = pointer_map_get(ranges->visited, key);
    if (!flags) {
        flags = arena_array(ranges->check->scratch, bool, ranges->walk->count);
        pointer_map_put(ranges->visited, key, flags);
    }
    return flags;
}

static void ranges_push(Ranges *ranges, const Scalar *s, const Facts *facts) {
    size_t position = scalar_walk_position(ranges->walk, s);
    if (!ranges->open[position] || ranges_visited(ranges, facts)[position])
        return;
    ranges_visited(ranges, facts)[position] = true;
    vec_push(ranges->check->scratch, &ranges->tasks, ((RangeTask){s, facts}));
}

static const Facts *ranges_assume(const Ranges *ranges, const Facts *facts, const Scalar *test, bool truth) {
    return facts_assume(ranges->check->scratch, ranges->check->graph->pool, facts, test, truth);
}

/* The children, under what holds when they are evaluated. */
static void ranges_descend(Ranges *ranges, RangeTask task) {
    const Scalar *s = task.scalar;
    bool chooses = scalar_is_op(s, OP_SELECT);
    bool shortens = scalar_is_op(s, OP_AND) || scalar_is_op(s, OP_OR);
    for (int i = 0; i < scalar_child_count(s); i++) {
        const Facts *facts = task.facts;
        if (chooses && i > 0)
            facts = ranges_assume(ranges, facts, s->op.arg[0], i == 1);
        else if (shortens && i == 1)
            facts = ranges_assume(ranges, facts, s->op.arg[0], scalar_is_op(s, OP_AND));
        ranges_push(ranges, scalar_child(s, i), facts);
    }
}

/* Marks what holds a load that needs the conditions around it. False: every load is in range whatever they are. */
static bool ranges_mark(Ranges *ranges) {
    const ScalarWalk *walk = ranges->walk;
    bool any = false;
    for (size_t i = 0; i < walk->count; i++) {
        const Scalar *s = walk->at[i];
        bool open = s->kind == SCALAR_LOAD && !load_in_range(ranges->check, NULL, s);
        for (int j = 0; j < scalar_child_count(s) && s->has_load; j++)
            open = open || ranges->open[scalar_walk_position(walk, scalar_child(s, j))];
        ranges->open[i] = open;
        any = any || open;
    }
    return any;
}

static bool ranges_hold(const Check *check, const ScalarWalk *walk) {
    Ranges ranges = {.check = check, .walk = walk};
    ranges.open = arena_array(check->scratch, bool, walk->count);
    ranges.visited = pointer_map_new(check->scratch);
    if (!ranges_mark(&ranges))
        return true;
    ranges_push(&ranges, check->node->expr.body, NULL);
    while (ranges.tasks.count > 0) {
        RangeTask task = ranges.tasks.at[--ranges.tasks.count];
        if (task.scalar->kind == SCALAR_LOAD && !load_in_range(check, task.facts, task.scalar))
            return false;
        ranges_descend(&ranges, task);
    }
    return true;
}

bool node_loads_proved(Graph *g, const Node *node) {
    Check check = {.graph = g, .scratch = arena_new((ArenaFailure){0}), .node = node};
    ScalarWalk *walk = scalar_walk_new(check.scratch);
    scalar_walk(walk, node->expr.body, NULL, NULL);
    bool hold = ranges_hold(&check, walk);
    arena_free(check.scratch);
    return hold;
}

/* ---- nodes ---- */

static void check_extent(const Check *check, Extent extent) {
    const Extent batch = check->graph->batch;
    require(check, extent.size >= 1 && extent.per_sample >= 0, "an axis without elements");
    if (extent.per_sample > 0) {
        require(check, batch.per_sample == 1 && extent.size == extent.per_sample * batch.size,
                "a dynamic axis that does not follow the batch");
    }
}

/* Addresses are computed in int64, in bytes. */
static void check_shape(const Check *check) {
    const Node *node = check->node;
    int64_t bytes = 8; /* of the largest element */
    for (int i = 0; i < node->rank; i++) {
        check_extent(check, node->shape[i]);
        require(check, !__builtin_mul_overflow(bytes, node->shape[i].size, &bytes), "a tensor too large to address");
    }
}

static void check_expr(const Check *check) {
    const Node *node = check->node;
    Reduction reduce = node->expr.reduce;
    bool finds = reduce == REDUCE_ARGMAX || reduce == REDUCE_ARGMIN;
    require(check, (reduce == REDUCE_NONE) == (node->expr.reduced == 0),
            "a reduction without axes, or axes without a reduction");
    require(check, node->rank + node->expr.reduced <= MAX_AXES, "too many axes");
    require(check, node->type == (finds ? TYPE_INT : node->expr.body->type), "a node of another type than its body");
    require(check, reduce == REDUCE_NONE || node->expr.body->type != TYPE_BOOL, "a reduction of bools");
    for (int i = 0; i < node->expr.reduced; i++)
        check_extent(check, node->expr.extents[i]);
    ScalarWalk *walk = scalar_walk_new(check->scratch);
    scalar_walk(walk, node->expr.body, NULL, NULL);
    for (size_t i = 0; i < walk->count; i++)
        check_scalar(check, walk->at[i]);
    require(check, ranges_hold(check, walk), "a load that may leave its tensor");
}

static void check_derivative(const Check *check) {
    const Node *node = check->node;
    require(check, !check->lowered, "a derivative after differentiation");
    if (node->kind == NODE_GRAD)
        require(check, node_same_shape(node, node->derivative.wrt), "a gradient of another shape than its variable");
    else
        require(check, node_same_shape(node, node->derivative.of), "a derivative of another shape than its function");
}

static void check_leaf(const Check *check) {
    const Node *node = check->node, *const *list = check->graph->inputs.at;
    size_t count = check->graph->inputs.count;
    if (node->kind == NODE_PARAM) {
        list = check->graph->params.at;
        count = check->graph->params.count;
    } else if (node->kind == NODE_STATE) {
        list = check->graph->states.at;
        count = check->graph->states.count;
    } else if (node->kind == NODE_PREPARED) {
        list = check->graph->prepared.at;
        count = check->graph->prepared.count;
    }
    require(check, node->leaf.ordinal >= 0 && (size_t)node->leaf.ordinal < count && list[node->leaf.ordinal] == node,
            "a leaf that its graph does not list");
}

static void check_node(const Check *check) {
    check_shape(check);
    for (int i = 0; i < check->node->operand_count; i++)
        require(check, check->node->operands[i]->id < check->node->id, "an operand made after its user");
    switch (check->node->kind) {
    case NODE_EXPR: check_expr(check); break;
    case NODE_INPUT:
    case NODE_PARAM:
    case NODE_STATE:
    case NODE_PREPARED: check_leaf(check); break;
    case NODE_GRAD:
    case NODE_JVP:
    case NODE_DETACH: check_derivative(check); break;
    }
}

/* ---- outputs ---- */

static void check_output(Check *check, const GraphOutput *output) {
    check->node = output->value;
    switch (output->role) {
    case OUTPUT_RESULT: break;
    case OUTPUT_LOSS:
    case OUTPUT_METRIC: require(check, output->value->rank == 0, "a loss or metric that is not a scalar"); break;
    case OUTPUT_GRADIENT:
    case OUTPUT_UPDATE:
    case OUTPUT_INIT:
    case OUTPUT_PREPARED:
        require(check, output->target && node_same_shape(output->value, output->target),
                "a new value of another shape than its target");
        require(check, output->value->type == output->target->type, "a new value of another type than its target");
        break;
    }
}

void graph_check(Graph *g, const char *stage, bool lowered) {
    Check check = {g, stage, lowered, arena_new((ArenaFailure){0}), NULL};
    NodeList order = graph_order(g, check.scratch, NULL);
    for (size_t i = 0; i < order.count; i++) {
        check.node = order.at[i];
        check_node(&check);
    }
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        for (size_t j = 0; j < g->entries[i].outputs.count; j++)
            check_output(&check, &g->entries[i].outputs.at[j]);
    arena_free(check.scratch);
}
