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
};

static const double FIRST_TOLERANCE = 1e-6, SECOND_TOLERANCE = 1e-5, SAME_TOLERANCE = 1e-10, STEP = 1e-5;

/* ---- the bench ---- */

Check *check_new(int64_t batch) {
    Arena *arena = arena_new((ArenaFailure){0});
    Check *c = arena_one(arena, Check);
    *c = (Check){.arena = arena, .g = graph_new(arena, "check"), .state = 1};
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
    size_t gradient, tangent, second, second_forward; /* outputs */
} PerLeaf;

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
    for (int i = 0; i < a->rank; i++) {
        map[i] = scalar_index(g->pool, i, a->shape[i]);
    }
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
            const Node *direction = check_leaf(c, leaf->node->rank, leaf->node->shape, -1, 1);
            leaf = &c->leaves.at[i];
            leaf->direction = direction;
            d->leaf[i].gradient = output(c, graph_grad(c->g, e, leaf->node, (Origin){0}));
            d->leaf[i].tangent = output(c, graph_jvp(c->g, e, leaf->node, direction, (Origin){0}));
        }
    }
}

static void derive_second(Check *c, Derived *d) {
    Graph *g = c->g;
    const Node *along = NULL;
    for (size_t i = 0; i < d->count; i++) {
        if (c->leaves.at[i].direction) {
            along = plus(g, along, dot(g, at(c, d->leaf[i].gradient), c->leaves.at[i].direction));
        }
    }
    for (size_t i = 0; i < d->count; i++) {
        if (!c->leaves.at[i].direction) {
            continue;
        }
        d->leaf[i].second = output(c, graph_grad(g, along, c->leaves.at[i].node, (Origin){0}));
        const Node *forward = NULL;
        for (size_t k = 0; k < d->count; k++) {
            const Leaf *leaf = &c->leaves.at[k];
            if (leaf->direction) {
                const Node *gradient = at(c, d->leaf[i].gradient);
                forward = plus(g, forward, graph_jvp(g, gradient, leaf->node, leaf->direction, (Origin){0}));
            }
        }
        d->leaf[i].second_forward = output(c, forward);
    }
}

static Derived derive(Check *c, const Node *e) {
    Derived d = {.count = c->leaves.count, .leaf = arena_array(c->arena, PerLeaf, c->leaves.count)};
    d.value = output(c, e);
    derive_first(c, e, &d);
    derive_second(c, &d);
    differentiate(c->g);
    graph_check(c->g, "differentiate", true);
    return d;
}

/* ---- evaluation ---- */

typedef struct Values {
    double *at;
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
                for (size_t m = 0; m < c->leaves.count; m++) {
                    if (c->leaves.at[m].node == leaf->direction) {
                        values[k] += shift->step * c->leaves.at[m].values[k];
                    }
                }
            } else if (shift->leaf == i && shift->element == k) {
                values[k] += shift->step;
            }
        }
        evaluation_bind(evaluation, leaf->node, values);
    }
}

/* The listed outputs, one after the other. */
static Values evaluate(const Check *c, Arena *arena, int64_t n, Shift shift, const size_t *outputs, size_t count) {
    Evaluation *evaluation = evaluation_new(arena, c->g, n, 1, 0, 1);
    bind(c, arena, evaluation, &shift);
    VEC(double) all = {0};
    for (size_t i = 0; i < count; i++) {
        const Node *node = at(c, outputs[i]);
        const double *values = evaluation_value(evaluation, node);
        for (int64_t k = 0; k < evaluation_count(evaluation, node); k++) {
            vec_push(arena, &all, values[k]);
        }
    }
    return (Values){all.at, all.count};
}

static void expect_close(const Check *c, const char *what, double expected, double found, double tolerance) {
    double scale = fmax(1, fmax(fabs(expected), fabs(found)));
    if (!(fabs(expected - found) <= tolerance * scale)) {
        fail_msg("%s%s%s: expected %.12g, found %.12g", c->label ? c->label : "", c->label ? ": " : "", what, expected,
                 found);
    }
}

static void expect_same(const Check *c, const char *what, Values expected, Values found, double tolerance) {
    assert_int_equal(expected.count, found.count);
    for (size_t i = 0; i < expected.count; i++) {
        expect_close(c, what, expected.at[i], found.at[i], tolerance);
    }
}

static double total(Values values) {
    double sum = 0;
    for (size_t i = 0; i < values.count; i++) {
        sum += values.at[i];
    }
    return sum;
}

/* (outputs(x + h) - outputs(x - h)) / 2h */
static Values difference(const Check *c, Arena *arena, int64_t n, Shift shift, const size_t *outputs, size_t count) {
    shift.step = STEP;
    Values above = evaluate(c, arena, n, shift, outputs, count);
    shift.step = -STEP;
    Values below = evaluate(c, arena, n, shift, outputs, count);
    for (size_t i = 0; i < above.count; i++) {
        above.at[i] = (above.at[i] - below.at[i]) / (2 * STEP);
    }
    return above;
}

/* ---- the comparisons ---- */

static const Shift STILL = {.leaf = SIZE_MAX, .step = 0}, ALONG = {.leaf = SIZE_MAX};

/* Every element of every leaf's gradient, against central differences. */
static void compare_gradient(const Check *c, const Derived *d, size_t leaf, int64_t n) {
    Arena *arena = arena_new((ArenaFailure){0});
    Values gradient = evaluate(c, arena, n, STILL, &d->leaf[leaf].gradient, 1);
    for (size_t k = 0; k < gradient.count; k++) {
        Arena *inner = arena_new((ArenaFailure){0});
        Values numeric = difference(c, inner, n, (Shift){.leaf = leaf, .element = k}, &d->value, 1);
        expect_close(c, "gradient", total(numeric), gradient.at[k], FIRST_TOLERANCE);
        arena_free(inner);
    }
    arena_free(arena);
}

/* Along all directions at once: values against tangents, gradients against second derivatives both ways. */
static void compare_along(const Check *c, const Derived *d, int64_t n) {
    Arena *arena = arena_new((ArenaFailure){0});
    Values numeric = difference(c, arena, n, ALONG, &d->value, 1);
    Values tangents = {arena_array(arena, double, numeric.count), numeric.count};
    for (size_t i = 0; i < d->count; i++) {
        if (!c->leaves.at[i].direction) {
            continue;
        }
        Values tangent = evaluate(c, arena, n, STILL, &d->leaf[i].tangent, 1);
        for (size_t k = 0; k < tangents.count; k++) {
            tangents.at[k] += tangent.at[k];
        }
        Values second = evaluate(c, arena, n, STILL, &d->leaf[i].second, 1);
        Values forward = evaluate(c, arena, n, STILL, &d->leaf[i].second_forward, 1);
        Values of_gradient = difference(c, arena, n, ALONG, &d->leaf[i].gradient, 1);
        expect_same(c, "second derivative", of_gradient, second, SECOND_TOLERANCE);
        expect_same(c, "forward over reverse", second, forward, SAME_TOLERANCE);
    }
    expect_same(c, "tangent", numeric, tangents, FIRST_TOLERANCE);
    arena_free(arena);
}

/* ---- passes keep values ---- */

static void run_passes(Graph *g) {
    int changes = 1;
    for (int round = 0; changes > 0; round++) {
        assert_true(round < 12); /* the passes come to an end */
        changes = opt_simplify(g);
        graph_check(g, "simplify", true);
        changes += opt_operands(g);
        graph_check(g, "operands", true);
        changes += opt_inline(g);
        graph_check(g, "inline", true);
        changes += opt_pad(g);
        graph_check(g, "pad", true);
    }
}

static void compare_passes(Check *c, const int64_t *n, int n_count) {
    Arena *arena = arena_new((ArenaFailure){0});
    size_t count = c->g->entries[ENTRY_LOSS].outputs.count;
    size_t *all = arena_array(arena, size_t, count);
    for (size_t i = 0; i < count; i++) {
        all[i] = i;
    }
    Values before[2];
    for (int i = 0; i < n_count; i++) {
        before[i] = evaluate(c, arena, n[i], STILL, all, count);
    }
    run_passes(c->g);
    for (int i = 0; i < n_count; i++) {
        expect_same(c, "after the passes", before[i], evaluate(c, arena, n[i], STILL, all, count), SAME_TOLERANCE);
    }
    arena_free(arena);
}

void check_gradients(Check *c, const char *label, const Node *e) {
    c->label = label;
    Derived d = derive(c, e);
    const int64_t n[2] = {1, c->g->batch.size};
    const int n_count = c->g->batch.size > 1 ? 2 : 1;
    for (int i = 0; i < n_count; i++) {
        for (size_t leaf = 0; leaf < d.count; leaf++) {
            if (c->leaves.at[leaf].direction) {
                compare_gradient(c, &d, leaf, n[i]);
            }
        }
        compare_along(c, &d, n[i]);
    }
    compare_passes(c, n, n_count);
}
