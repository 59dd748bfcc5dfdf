/* Paths between groups of random graphs that are joined step by step, compared with a search that knows no order. */
#include "support/plan_fixture.h"

#include "plan/planner.h"

enum { NODES = 24, GRAPHS = 60, QUESTIONS = 300 };

static uint64_t next_random(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* Each node reads one to three of those before it. Some replace a parameter that others read. */
static void add_nodes(Fixture *f, uint64_t *seed) {
    const Scalar *i = at(f, 0, size(4));
    const Node *nodes[NODES];
    nodes[0] = param(f, "p", SHAPE(size(4)));
    nodes[1] = input(f, "x", SHAPE(size(4)));
    for (int k = 2; k < NODES; k++) {
        const Scalar *body = scalar_real(f->g->pool, (double)k);
        for (uint64_t reads = 1 + next_random(seed) % 3; reads > 0; reads--)
            body = op2(f, OP_MUL, body, LOAD(f, nodes[next_random(seed) % (uint64_t)k], i));
        nodes[k] =
            graph_expr(f->g, SHAPE(size(4)), REDUCE_NONE, 0, NULL, scalar_op1(f->g->pool, OP_SIN, body), named("node"));
        if (k % 8 == 7)
            add_output(f, ENTRY_TRAIN_STEP, OUTPUT_RESULT, NULL, nodes[k]);
    }
    if (next_random(seed) % 2)
        add_output(f, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, nodes[0], nodes[2 + next_random(seed) % (NODES - 2)]);
}

static bool follows(const Planner *p, int group, int next) {
    for (size_t i = 0; i < p->items.count; i++)
        for (size_t k = 0; k < p->items.at[i].followers.count; k++)
            if (p->items.at[i].group == group && p->items.at[p->items.at[i].followers.at[k]].group == next)
                return true;
    return false;
}

/* Groups that come after `from`, other than directly `to`. */
static bool path_exists(const Planner *p, int from, int to) {
    bool reached[2 * NODES] = {false};
    bool more = true;
    for (size_t g = 0; g < p->groups.count; g++)
        reached[g] = (int)g != from && (int)g != to && follows(p, from, (int)g);
    while (more) {
        more = false;
        for (size_t g = 0; g < p->groups.count; g++)
            for (size_t h = 0; h < p->groups.count && reached[g]; h++)
                if (!reached[h] && (int)h != from && follows(p, (int)g, (int)h)) {
                    reached[h] = more = true;
                    if ((int)h == to)
                        return true;
                }
    }
    return false;
}

/* Both orders are asked for, as joining would let either go first. */
static void ask(Planner *p, int a, int b, bool join) {
    bool there = planner_path_through_others(p, a, b), back = planner_path_through_others(p, b, a);
    assert_int_equal(there, path_exists(p, a, b));
    assert_int_equal(back, path_exists(p, b, a));
    if (there || back || !join)
        return;
    planner_join_paths(p, a, b);
    planner_join_stage(p, a, b);
}

static void test_random_graphs(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int graph = 0; graph < GRAPHS; graph++) {
        Fixture f = new_fixture(size(1));
        add_nodes(&f, &seed);
        Planner p = {.arena = f.arena,
                     .graph = f.g,
                     .entry = &f.g->entries[ENTRY_TRAIN_STEP],
                     .target = target_at(0),
                     .threads = 1};
        planner_collect(&p);
        assert_true(p.groups.count <= 2 * NODES);
        planner_find_paths(&p);
        for (int question = 0; question < QUESTIONS; question++) {
            int a = p.items.at[next_random(&seed) % p.items.count].group;
            int b = p.items.at[next_random(&seed) % p.items.count].group;
            if (a != b)
                ask(&p, a, b, question % 16 == 0);
        }
        arena_free(f.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_graphs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
