/* Maps that are another equation for each run of an axis: they are made part by part, and no loop chooses. */
#include "support/plan_fixture.h"

#include "loop/loop_walk.h"

enum { STEPS = 9, WIDTH = 5, GATES = 3 };

static const Extent batch = {6, 1};

/* h[t][b, n], each from the one before. */
static const Node *step_of(Fixture *f, const Node *W, const Node *x, const Node *before, int64_t t) {
    const Scalar *b = at(f, 0, batch), *n = at(f, 1, size(WIDTH)), *k = at(f, 2, size(WIDTH));
    const Scalar *own = LOAD(f, x, b, scalar_int(f->g->pool, t), n);
    if (before) {
        const Node *sum = graph_expr(f->g, SHAPE(batch, size(WIDTH)), REDUCE_SUM, 1, (Extent[]){size(WIDTH)},
                                     op2(f, OP_MUL, LOAD(f, W, n, k), LOAD(f, before, b, k)), named("sum"));
        own = op2(f, OP_ADD, own, LOAD(f, sum, b, n));
    }
    return graph_expr(f->g, SHAPE(batch, size(WIDTH)), REDUCE_NONE, 0, NULL, scalar_op1(f->g->pool, OP_TANH, own),
                      named("h"));
}

/* y[b, t, n] = h[t][b, n], put together one by one. */
static const Scalar *chain_of(Fixture *f, const Node *const *h, const Scalar *t) {
    const Scalar *b = at(f, 0, batch), *n = at(f, 2, size(WIDTH));
    const Scalar *chain = LOAD(f, h[0], b, n);
    for (int64_t s = 1; s < STEPS; s++) {
        const Scalar *earlier = op2(f, OP_LT, t, scalar_int(f->g->pool, s));
        chain = scalar_select(f->g->pool, earlier, chain, LOAD(f, h[s], b, n));
    }
    return chain;
}

/* y[b, t, n] = sum over the steps and gates of what they add where t is the step and n in the gate. */
static const Scalar *gates_of(Fixture *f, const Node *const *h, const Scalar *t, const Scalar *n) {
    const Scalar *b = at(f, 0, batch), *zero = scalar_real(f->g->pool, 0), *sum = zero;
    for (int64_t s = 0; s < STEPS; s++)
        for (int64_t gate = 0; gate < GATES; gate++) {
            const Scalar *place = add_int(f, n, -gate * WIDTH);
            const Scalar *inside = op2(f, OP_AND, op2(f, OP_EQ, t, scalar_int(f->g->pool, s)),
                                       scalar_within(f->g->pool, place, size(WIDTH)));
            const Scalar *value = op2(f, OP_MUL, LOAD(f, h[s], b, place), scalar_real(f->g->pool, 0.5 + (double)gate));
            sum = op2(f, OP_ADD, sum, scalar_select(f->g->pool, inside, value, zero));
        }
    return sum;
}

typedef enum Form { CHAIN, REVERSED, IN_GATES } Form;

static Fixture steps_side_by_side(Form form) {
    Fixture f = new_fixture(batch);
    const Node *x = input(&f, "x", SHAPE(batch, size(STEPS), size(WIDTH)));
    const Node *W = param(&f, "W", SHAPE(size(WIDTH), size(WIDTH)));
    const Node *h[STEPS];
    for (int64_t s = 0; s < STEPS; s++)
        h[s] = step_of(&f, W, x, s > 0 ? h[s - 1] : NULL, s);
    const Scalar *t = at(&f, 1, size(STEPS));
    const Scalar *back = op2(&f, OP_SUB, scalar_int(f.g->pool, STEPS - 1), t);
    const Extent last = size(form == IN_GATES ? GATES * WIDTH : WIDTH);
    const Scalar *body =
        form == IN_GATES ? gates_of(&f, h, t, at(&f, 2, last)) : chain_of(&f, h, form == REVERSED ? back : t);
    const Node *y = graph_expr(f.g, SHAPE(batch, size(STEPS), last), REDUCE_NONE, 0, NULL, body, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    return f;
}

static size_t count_parts(const PlanStage *stage) {
    size_t count = 0;
    for (size_t i = 0; i < stage->parts.count; i++)
        count += count_parts(&stage->parts.at[i]);
    return stage->parts.count > 0 ? count : 1;
}

/* Of all stages that have parts. */
static size_t parts_of(const PlanEntry *entry) {
    size_t count = 0;
    for (size_t k = 0; k < entry->kernels.count; k++)
        for (size_t s = 0; s < entry->kernels.at[k].stages.count; s++) {
            const PlanStage *stage = &entry->kernels.at[k].stages.at[s];
            count += stage->parts.count > 0 ? count_parts(stage) : 0;
        }
    return count;
}

static void note_choice(void *context, const LoopExpr *e) {
    bool *found = context;
    *found = *found || (e->kind == LOOP_OP && e->op.op == OP_SELECT);
}

static bool chooses(const LoopEntry *entry) {
    bool found = false;
    for (size_t k = 0; k < entry->kernels.count; k++)
        loop_walk_body(&entry->kernels.at[k]->body, &(LoopVisitor){.expr = note_choice, .context = &found});
    return found;
}

static void test_form(Form form, size_t parts) {
    Fixture f = steps_side_by_side(form);
    for (size_t t = 0; t < target_count(); t++) {
        Compiled compiled = compile(&f, target_at(t));
        assert_int_equal(parts_of(&compiled.plan->entries[ENTRY_PREDICT]), parts);
        assert_false(chooses(&compiled.program->entries[ENTRY_PREDICT]));
    }
    check(&f);
}

static void test_chain(void **state) {
    (void)state;
    test_form(CHAIN, STEPS);
}

static void test_reversed(void **state) {
    (void)state;
    test_form(REVERSED, STEPS);
}

static void test_gates(void **state) {
    (void)state;
    test_form(IN_GATES, STEPS * GATES);
}

/* Runs of several elements, which begin at their own 0; conditions of all kinds, and some that are true or false everywhere. */
static void test_runs(void **state) {
    (void)state;
    Fixture f = new_fixture(batch);
    const Extent T = size(20);
    const Node *x = input(&f, "x", SHAPE(batch, T));
    const Scalar *b = at(&f, 0, batch), *t = at(&f, 1, T);
    const Scalar *tests[] = {op2(&f, OP_LT, t, scalar_int(f.g->pool, 3)),
                             op2(&f, OP_EQ, t, scalar_int(f.g->pool, 7)),
                             op2(&f, OP_NE, times(&f, t, 2), scalar_int(f.g->pool, 9)),
                             op2(&f, OP_LE, times(&f, t, 3), scalar_int(f.g->pool, 28)),
                             op2(&f, OP_GE, t, scalar_int(f.g->pool, 15)),
                             op2(&f, OP_GT, scalar_int(f.g->pool, 6), t),
                             scalar_within(f.g->pool, add_int(&f, times(&f, t, -2), 35), size(9))};
    const Scalar *value = LOAD(&f, x, b, t);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        const Scalar *other = op2(&f, OP_MUL, value, scalar_real(f.g->pool, 1.5 + (double)i));
        value = scalar_select(f.g->pool, tests[i], op2(&f, OP_ADD, other, LOAD(&f, x, b, t)), value);
    }
    const Node *y = graph_expr(f.g, SHAPE(batch, T), REDUCE_NONE, 0, NULL, value, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    Compiled compiled = compile(&f, target_by_name("avx512"));
    /* from 0, 3, 6, 7, 8, 10, 14, 15, 18 */
    assert_int_equal(parts_of(&compiled.plan->entries[ENTRY_PREDICT]), 9);
    check(&f);
}

/* y[b, n] = a[b, n] * b[b, n] for the first of two gates, the quotient for the second, side by side. */
static Fixture few_gates(Extent rows, Extent width) {
    Fixture f = new_fixture(rows);
    const Extent both = size(2 * width.size);
    const Node *x = input(&f, "x", SHAPE(rows, width)), *v = input(&f, "v", SHAPE(rows, width));
    const Scalar *b = at(&f, 0, rows), *n = at(&f, 1, both), *second = add_int(&f, n, -width.size);
    const Scalar *zero = scalar_real(f.g->pool, 0);
    const Scalar *product = op2(&f, OP_MUL, LOAD(&f, x, b, n), LOAD(&f, v, b, n));
    const Scalar *quotient = op2(&f, OP_DIV, LOAD(&f, x, b, second), LOAD(&f, v, b, second));
    const Scalar *body = op2(&f, OP_ADD, scalar_select(f.g->pool, scalar_within(f.g->pool, n, width), product, zero),
                             scalar_select(f.g->pool, scalar_within(f.g->pool, second, width), quotient, zero));
    const Node *y = graph_expr(f.g, SHAPE(rows, both), REDUCE_NONE, 0, NULL, body, named("y"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, y);
    return f;
}

/* A few runs are parts where lanes along them are worth it: not where they are short. */
static void test_few_gates(void **state) {
    (void)state;
    Fixture f = few_gates(size(32), size(64));
    Compiled compiled = compile(&f, target_by_name("avx2"));
    assert_int_equal(parts_of(&compiled.plan->entries[ENTRY_PREDICT]), 2);
    assert_false(chooses(&compiled.program->entries[ENTRY_PREDICT]));
    check(&f);
    f = few_gates(size(64), size(3));
    compiled = compile(&f, target_by_name("avx2"));
    assert_int_equal(parts_of(&compiled.plan->entries[ENTRY_PREDICT]), 0);
    check(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain), cmocka_unit_test(test_reversed),  cmocka_unit_test(test_gates),
        cmocka_unit_test(test_runs),  cmocka_unit_test(test_few_gates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
