#include "check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "diff/differentiate.h"
#include "ir/graph_check.h"
#include "ir/graph_eval.h"
#include "opt/opt.h"

typedef struct Leaf {
    const Node *node;
    double *values;
    const Node *direction; /* of a real leaf that is differentiated: a leaf of the same shape */
} Leaf;

struct Check {
    Arena *arena;
    Graph *g;
    VEC(Leaf) leaves;
    uint64_t state;
    const char *label;
    size_t most_elements; /* of one leaf that are checked one by one */
    double magnitude;     /* numbers below 1e-3 of it are compared as if they were that large */
};

static const double FIRST_TOLERANCE = 1e-6, SECOND_TOLERANCE = 1e-5, SAME_TOLERANCE = 1e-9, STEP = 1e-6;

/* ---- the bench ---- */

Check *check_new(int64_t batch) {
    Arena *arena = arena_new((ArenaFailure){0});
    Check *c = arena_one(arena, Check);
    *c = (Check){.arena = arena, .g = graph_new(arena, "check"), .state = 1, .most_elements = SIZE_MAX};
    c->g->real_is_double = true;
    c->g->batch = (Extent){.size = batch, .per_sample = 1};
    c->g->batch_name = "batch";
    return c;
}

void check_free(Check *c) {
    arena_free(c->arena);
}

Graph *check_graph(Check *c) {
    return c->g;
}

double check_random(Check *c) {
    c->state = c->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(c->state >> 11) * 0x1p-53;
}

static const Node *add_leaf(Check *c, const Node *node, double low, double high) {
    size_t count = (size_t)node_elements(node);
    Leaf leaf = {.node = node, .values = arena_array(c->arena, double, count)};
    for (size_t i = 0; i < count; i++) {
        double value = low + (high - low) * check_random(c);
        leaf.values[i] = node->type == TYPE_INT ? floor(value) : value;
    }
    vec_push(c->arena, &c->leaves, leaf);
    return node;
}

const Node *check_leaf(Check *c, int rank, const Extent *shape, double low, double high) {
    return add_leaf(c, graph_input(c->g, TYPE_REAL, rank, shape, false, 0, (Origin){0}), low, high);
}

const Node *check_classes(Check *c, int rank, const Extent *shape, int64_t classes) {
    const Node *node = graph_input(c->g, TYPE_INT, rank, shape, true, classes, (Origin){0});
    return add_leaf(c, node, 0, (double)classes);
}

static const Node *initial_value(const Graph *g, const Node *param) {
    const Entry *entry = &g->entries[ENTRY_INIT];
    for (size_t i = 0; i < entry->outputs.count; i++)
        if (entry->outputs.at[i].target == param)
            return entry->outputs.at[i].value;
    fail_msg("%s has no initial value", param->origin.name);
    return NULL;
}

static void add_params(Check *c) {
    Graph *g = c->g;
    Evaluation *evaluation = evaluation_new(c->arena, g, 1, 1, 0, 1);
    for (size_t i = 0; i < g->params.count; i++) {
        const Node *param = g->params.at[i];
        add_leaf(c, param, 0, 0);
        Leaf *leaf = &c->leaves.at[c->leaves.count - 1];
        const double *values = evaluation_value(evaluation, initial_value(g, param));
        for (int64_t k = 0; k < node_elements(param); k++)
            leaf->values[k] = values[k];
    }
}

Check *check_of_model(Arena *arena, Graph *g) {
    enum { LARGE = 2000, SAMPLED = 3 };
    Check *c = arena_one(arena, Check);
    *c = (Check){.arena = arena, .g = g, .state = 1, .most_elements = SIZE_MAX};
    add_params(c);
    for (size_t i = 0; i < g->inputs.count; i++) {
        const Node *input = g->inputs.at[i];
        if (input->type == TYPE_INT)
            add_leaf(c, input, 0, (double)input->leaf.classes);
        else
            add_leaf(c, input, input->leaf.is_target ? 0.1 : -1, input->leaf.is_target ? 0.9 : 1);
    }
    int64_t elements = 0;
    for (size_t i = 0; i < c->leaves.count; i++)
        elements += node_elements(c->leaves.at[i].node);
    c->most_elements = elements > LARGE ? SAMPLED : SIZE_MAX;
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        g->entries[i].outputs.count = 0;
    return c;
}

/* ---- derived nodes: outputs of one entry, so that passes keep them ---- */

static size_t output(Check *c, const Node *value) {
    Entry *entry = &c->g->entries[ENTRY_LOSS];
    GraphOutput made = {.role = OUTPUT_RESULT, .name = "value", .value = value};
    vec_push(c->arena, &entry->outputs, made);
    return entry->outputs.count - 1;
}

static const Node *at(const Check *c, size_t i) {
    return c->g->entries[ENTRY_LOSS].outputs.at[i].value;
}

typedef struct PerLeaf {
    size_t gradient, tangent, second;
    size_t second_forward; /* SIZE_MAX: left out */
} PerLeaf;                 /* outputs */

typedef struct Derived {
    size_t value;
    size_t count; /* leaves that existed before */
    PerLeaf *leaf;
} Derived;

static bool is_differentiated(const Leaf *leaf) {
    return leaf->node->type == TYPE_REAL;
}

/* sum of gradient * direction: its gradient is the Hessian times the direction. */
static const Node *dot(Graph *g, const Node *a, const Node *b) {
    const Scalar *map[MAX_AXES];
    for (int i = 0; i < a->rank; i++)
        map[i] = scalar_index(g->pool, i, a->shape[i]);
    const Scalar *body = scalar_op2(g->pool, OP_MUL, scalar_load(g->pool, a, map), scalar_load(g->pool, b, map));
    return graph_expr(g, 0, NULL, REDUCE_SUM, a->rank, a->shape, body, (Origin){0});
}

static const Node *plus(Graph *g, const Node *a, const Node *b) {
    return a ? graph_map2(g, OP_ADD, a, b, (Origin){0}) : b;
}

static void derive_first(Check *c, const Node *e, Derived *d) {
    for (size_t i = 0; i < d->count; i++) {
        Leaf *leaf = &c->leaves.at[i];
        if (is_differentiated(leaf)) {
            const Node *direction = check_leaf(c, leaf->node->rank, leaf->node->shape, -0.1, 0.1);
            leaf = &c->leaves.at[i];
            leaf->direction = direction;
            d->leaf[i].gradient = output(c, graph_grad(c->g, e, leaf->node, (Origin){0}));
            d->leaf[i].tangent = output(c, graph_jvp(c->g, e, leaf->node, direction, (Origin){0}));
        }
    }
}

/* The tangent of a leaf's gradient along all directions: Hessian times direction by forward over reverse mode. */
static const Node *forward_over_reverse(Check *c, const Derived *d, size_t i) {
    const Node *gradient = at(c, d->leaf[i].gradient), *sum = NULL;
    for (size_t k = 0; k < d->count; k++) {
        const Leaf *leaf = &c->leaves.at[k];
        if (leaf->direction)
            sum = plus(c->g, sum, graph_jvp(c->g, gradient, leaf->node, leaf->direction, (Origin){0}));
    }
    return sum;
}

/* Forward over reverse mode squares the work: in a large model for the first leaf alone. */
static void derive_second(Check *c, Derived *d) {
    Graph *g = c->g;
    const Node *along = NULL;
    for (size_t i = 0; i < d->count; i++)
        if (c->leaves.at[i].direction)
            along = plus(g, along, dot(g, at(c, d->leaf[i].gradient), c->leaves.at[i].direction));
    for (size_t i = 0; i < d->count; i++) {
        if (!c->leaves.at[i].direction)
            continue;
        d->leaf[i].second = output(c, graph_grad(g, along, c->leaves.at[i].node, (Origin){0}));
        bool wanted = i == 0 || c->most_elements == SIZE_MAX;
        d->leaf[i].second_forward = wanted ? output(c, forward_over_reverse(c, d, i)) : SIZE_MAX;
    }
}

static Derived derive(Check *c, const Node *e) {
    Derived d = {.count = c->leaves.count, .leaf = arena_array(c->arena, PerLeaf, c->leaves.count)};
    d.value = output(c, e);
    derive_first(c, e, &d);
    derive_second(c, &d);
    opt_logarithms(c->g);
    graph_check(c->g, "logarithms", false);
    differentiate(c->g);
    graph_check(c->g, "differentiate", true);
    return d;
}

/* ---- evaluation ---- */

typedef struct Values {
    const double *at;
    size_t count;
} Values;

typedef struct Shift {    /* what is added to the leaves */
    size_t leaf, element; /* leaf SIZE_MAX: along all directions */
    double step;
} Shift;

static void bind(const Check *c, Arena *arena, Evaluation *evaluation, const Shift *shift) {
    for (size_t i = 0; i < c->leaves.count; i++) {
        const Leaf *leaf = &c->leaves.at[i];
        size_t count = (size_t)evaluation_count(evaluation, leaf->node);
        double *values = arena_array(arena, double, count);
        for (size_t k = 0; k < count; k++) {
            values[k] = leaf->values[k];
            if (shift->leaf == SIZE_MAX && leaf->direction) {
                for (size_t m = 0; m < c->leaves.count; m++)
                    if (c->leaves.at[m].node == leaf->direction)
                        values[k] += shift->step * c->leaves.at[m].values[k];
            } else if (shift->leaf == i && shift->element == k) {
                values[k] += shift->step;
            }
        }
        evaluation_bind(evaluation, leaf->node, values);
    }
}

/* The graph at one point; values are computed on demand and kept. */
typedef struct Run {
    const Check *check;
    Evaluation *evaluation;
} Run;

static Run run_at(const Check *c, Arena *arena, int64_t n, Shift shift) {
    Run run = {c, evaluation_new(arena, c->g, n, 1, 0, 1)};
    bind(c, arena, run.evaluation, &shift);
    return run;
}

static Values value_of(const Run *run, size_t output) {
    const Node *node = at(run->check, output);
    const double *values = evaluation_value(run->evaluation, node);
    return (Values){values, (size_t)evaluation_count(run->evaluation, node)};
}

static void expect_close(const Check *c, const char *what, double expected, double found, double tolerance) {
    double scale = fmax(1e-3 * fmax(1, c->magnitude), fmax(fabs(expected), fabs(found)));
    if (!(fabs(expected - found) <= tolerance * scale)) {
        fail_msg("%s%s%s: expected %.12g, found %.12g", c->label ? c->label : "", c->label ? ": " : "", what, expected,
                 found);
    }
}

static void expect_same(const Check *c, const char *what, Values expected, Values found, double tolerance) {
    assert_int_equal(expected.count, found.count);
    for (size_t i = 0; i < expected.count; i++)
        expect_close(c, what, expected.at[i], found.at[i], tolerance);
}

static double total(Values values) {
    double sum = 0;
    for (size_t i = 0; i < values.count; i++)
        sum += values.at[i];
    return sum;
}

/* Two points on either side. */
typedef struct Sides {
    Run above, below;
} Sides;

static Sides sides_of(const Check *c, Arena *arena, int64_t n, Shift shift) {
    Sides sides;
    shift.step = STEP;
    sides.above = run_at(c, arena, n, shift);
    shift.step = -STEP;
    sides.below = run_at(c, arena, n, shift);
    return sides;
}

/* (output(x + h) - output(x - h)) / 2h */
static Values difference(Arena *arena, const Sides *sides, size_t output) {
    Values above = value_of(&sides->above, output), below = value_of(&sides->below, output);
    double *quotients = arena_array(arena, double, above.count);
    for (size_t i = 0; i < above.count; i++)
        quotients[i] = (above.at[i] - below.at[i]) / (2 * STEP);
    return (Values){quotients, above.count};
}

/* ---- the comparisons ---- */

static const Shift STILL = {.leaf = SIZE_MAX, .step = 0}, ALONG = {.leaf = SIZE_MAX};

/* The elements of a leaf's gradient, against central differences. */
static void compare_gradient(const Check *c, const Derived *d, const Run *still, size_t leaf, int64_t n) {
    Values gradient = value_of(still, d->leaf[leaf].gradient);
    size_t stride = gradient.count <= c->most_elements ? 1 : gradient.count / c->most_elements;
    for (size_t k = 0; k < gradient.count; k += stride) {
        Arena *arena = arena_new((ArenaFailure){0});
        Sides sides = sides_of(c, arena, n, (Shift){.leaf = leaf, .element = k});
        double numeric = total(difference(arena, &sides, d->value));
        expect_close(c, "gradient", numeric, gradient.at[k], FIRST_TOLERANCE);
        arena_free(arena);
    }
}

/* Along all directions at once: values against tangents, gradients against second derivatives both ways. */
static void compare_along(const Check *c, const Derived *d, const Run *still, int64_t n) {
    Arena *arena = arena_new((ArenaFailure){0});
    Sides sides = sides_of(c, arena, n, ALONG);
    Values numeric = difference(arena, &sides, d->value);
    double *tangents = arena_array(arena, double, numeric.count);
    for (size_t i = 0; i < d->count; i++) {
        const PerLeaf *leaf = &d->leaf[i];
        if (!c->leaves.at[i].direction)
            continue;
        Values tangent = value_of(still, leaf->tangent), second = value_of(still, leaf->second);
        for (size_t k = 0; k < numeric.count; k++)
            tangents[k] += tangent.at[k];
        expect_same(c, "second derivative", difference(arena, &sides, leaf->gradient), second, SECOND_TOLERANCE);
        if (leaf->second_forward != SIZE_MAX)
            expect_same(c, "forward over reverse", second, value_of(still, leaf->second_forward), SAME_TOLERANCE);
    }
    expect_same(c, "tangent", numeric, (Values){tangents, numeric.count}, FIRST_TOLERANCE);
    arena_free(arena);
}

static void compare_derivatives(Check *c, const Derived *d, const Run *still, int64_t n) {
    c->magnitude = fabs(total(value_of(still, d->value)));
    for (size_t leaf = 0; leaf < d->count; leaf++)
        if (c->leaves.at[leaf].direction)
            compare_gradient(c, d, still, leaf, n);
    compare_along(c, d, still, n);
}

/* ---- passes keep values ---- */

typedef struct NamedPass {
    const char *name;
    int (*run)(Graph *g);
} NamedPass;

static const NamedPass passes[] = {{"simplify", opt_simplify}, {"signs", opt_signs},   {"decays", opt_decays},
                                   {"operands", opt_operands}, {"inline", opt_inline}, {"pad", opt_pad}};

static void run_passes(const Check *c) {
    enum { MOST_ROUNDS = 8 };
    int changes = 1;
    for (int round = 0; changes > 0; round++) {
        changes = 0;
        for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
            int made = passes[i].run(c->g);
            graph_check(c->g, passes[i].name, true);
            changes += made;
            if (made > 0 && round == MOST_ROUNDS)
                fail_msg("%s: the passes do not end: %s still makes %d changes", c->label, passes[i].name, made);
        }
    }
}

/* All outputs, those of the graph before the passes in `before`. */
static void compare_passes(const Check *c, const Values *before, int64_t n) {
    Arena *arena = arena_new((ArenaFailure){0});
    Run run = run_at(c, arena, n, STILL);
    for (size_t i = 0; i < c->g->entries[ENTRY_LOSS].outputs.count; i++)
        expect_same(c, "after the passes", before[i], value_of(&run, i), SAME_TOLERANCE);
    arena_free(arena);
}

void check_gradients(Check *c, const char *label, const Node *e) {
    enum { MOST_SIZES = 2 };
    c->label = label;
    Derived d = derive(c, e);
    const int64_t n[MOST_SIZES] = {1, c->g->batch.size};
    const int sizes = c->g->batch.size > 1 && c->most_elements == SIZE_MAX ? 2 : 1;
    Values *before[MOST_SIZES];
    for (int i = 0; i < sizes; i++) {
        Run still = run_at(c, c->arena, n[i], STILL);
        compare_derivatives(c, &d, &still, n[i]);
        size_t outputs = c->g->entries[ENTRY_LOSS].outputs.count;
        before[i] = arena_array(c->arena, Values, outputs);
        for (size_t k = 0; k < outputs; k++)
            before[i][k] = value_of(&still, k);
    }
    run_passes(c);
    for (int i = 0; i < sizes; i++)
        compare_passes(c, before[i], n[i]);
}
