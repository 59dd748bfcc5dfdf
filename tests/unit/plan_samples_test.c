/* Lanes that are samples: the layers of a sample as one kernel, interleaved values, outputs in the language's order. */
#include "support/plan_fixture.h"

/* p[b, c, i, j] = sum(u, v) 0.25 * x[b, c, 2 * i + u, 2 * j + v] */
static const Node *pool(Fixture *f, const Node *x) {
    Extent B = x->shape[0], C = x->shape[1], U = size(2), I = size(x->shape[2].size / 2),
           J = size(x->shape[3].size / 2);
    const Scalar *b = at(f, 0, B), *c = at(f, 1, C), *i = at(f, 2, I), *j = at(f, 3, J);
    const Scalar *u = at(f, 4, U), *v = at(f, 5, U);
    const Scalar *read = LOAD(f, x, b, c, op2(f, OP_ADD, times(f, i, 2), u), op2(f, OP_ADD, times(f, j, 2), v));
    const Scalar *body = op2(f, OP_MUL, scalar_real(f->g->pool, 0.25), read);
    return graph_expr(f->g, SHAPE(B, C, I, J), REDUCE_SUM, 2, (Extent[]){U, U}, body, named("pool.y"));
}

/* Its caches are so small that the layers of a sample stay together. */
static const Target small = TEST_TARGET(.vector_bytes = 32, .vector_registers = 16, .latency = 5, .part = 2,
                                        .l1_bytes = 1 << 10, .l2_bytes = 8 << 10);
static const Target small_double = TEST_TARGET(.vector_bytes = 64, .vector_registers = 16, .latency = 5, .part = 2,
                                               .l1_bytes = 2 << 10, .l2_bytes = 16 << 10);

typedef struct Chain {
    Fixture f;
    const Node *x, *K1, *K2;
    const Node *t, *y; /* the tanh, and what the second convolution gives */
} Chain;

/* A convolution, tanh, pooling, another convolution. */
static Chain new_chain(Extent batch) {
    Chain c = {.f = new_fixture(batch)};
    Fixture *f = &c.f;
    c.x = input(f, "x", SHAPE(batch, size(1), size(6), size(6)));
    c.K1 = param(f, "K1", SHAPE(size(6), size(1), size(3), size(3)));
    c.K2 = param(f, "K2", SHAPE(size(5), size(6), size(2), size(2)));
    const Node *h = convolve(f, c.x, c.K1);
    c.t = graph_map1(f->g, OP_TANH, h, named("tanh"));
    c.y = convolve(f, pool(f, c.t), c.K2);
    return c;
}

static const PlanKernel *find_samples(const PlanEntry *entry) {
    for (size_t k = 0; k < entry->kernels.count; k++)
        if (entry->kernels.at[k].samples)
            return &entry->kernels.at[k];
    return NULL;
}

static size_t count_interleaved(const LoopEntry *entry) {
    size_t count = 0;
    for (size_t i = 0; i < entry->buffers.count; i++) {
        const Buffer *buffer = entry->buffers.at[i];
        assert_true(!buffer->interleaved || buffer->space == BUFFER_WORKSPACE);
        count += buffer->interleaved;
    }
    return count;
}

typedef struct StoreCount {
    size_t strided, per_lane;
} StoreCount;

static void count_store(void *context, const LoopAddress *address, bool is_store) {
    StoreCount *count = context;
    bool strided = address->access == ACCESS_STRIDED || address->access == ACCESS_STRIDED_PART;
    if (is_store && address->buffer && address->buffer->space == BUFFER_OUTPUT)
        count->strided += strided;
    if (is_store && !address->buffer)
        count->per_lane += address->array->per_lane;
}

static StoreCount count_stores(const LoopEntry *entry) {
    StoreCount count = {0};
    for (size_t k = 0; k < entry->kernels.count; k++)
        loop_walk_body(&entry->kernels.at[k]->body, &(LoopVisitor){.address = count_store, .context = &count});
    return count;
}

static void check_chain(Chain *c, const Target *target) {
    Compiled compiled = compile(&c->f, target);
    const PlanKernel *kernel = find_samples(&compiled.plan->entries[ENTRY_PREDICT]);
    assert_non_null(kernel);
    assert_true(kernel->stages.count >= 3); /* convolution, together with tanh or not; pooling; convolution */
    for (size_t s = 0; s < kernel->stages.count; s++) {
        assert_true(kernel->stages.at[s].samples);
        assert_int_equal(kernel->stages.at[s].schedule.vector_slot, 0);
    }
    StoreCount stores = count_stores(&compiled.program->entries[ENTRY_PREDICT]);
    assert_true(stores.strided > 0 && stores.per_lane > 0);
    compare_all(&c->f, compiled.program);
}

static void test_chain_of(Extent batch, bool is_double) {
    Chain c = new_chain(batch);
    c.f.g->real_is_double = is_double;
    add_output(&c.f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, c.y);
    check_chain(&c, is_double ? &small_double : &small);
    check(&c.f);
}

static void test_dynamic_batch(void **state) {
    (void)state;
    test_chain_of((Extent){20, 1}, false);
    test_chain_of((Extent){20, 1}, true);
}

static void test_whole_vectors(void **state) {
    (void)state;
    test_chain_of((Extent){16, 0}, false);
    test_chain_of((Extent){16, 0}, true);
}

/* A number of samples that no vector divides. */
static void test_static_remainder(void **state) {
    (void)state;
    test_chain_of((Extent){19, 0}, false);
}

/* Fewer samples than lanes: the lanes are something else. */
static void test_few_samples(void **state) {
    (void)state;
    Chain c = new_chain((Extent){5, 1});
    add_output(&c.f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, c.y);
    Compiled compiled = compile(&c.f, &small);
    assert_null(find_samples(&compiled.plan->entries[ENTRY_PREDICT]));
    check(&c.f);
}

/* d[c] = sum(b, i, j) t[b, c, i, j] reads what the chain's kernel has made: it is interleaved, and the sum adds up its lanes once. */
static void test_sums_of(Extent batch) {
    Chain c = new_chain(batch);
    Fixture *f = &c.f;
    Extent C = size(6), I = size(4);
    const Scalar *read = LOAD(f, c.t, at(f, 1, batch), at(f, 0, C), at(f, 2, I), at(f, 3, I));
    const Node *d = graph_expr(f->g, SHAPE(C), REDUCE_SUM, 3, (Extent[]){batch, I, I}, read, named("d"));
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, c.y);
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, d);
    Compiled compiled = compile(f, &small);
    const PlanEntry *entry = &compiled.plan->entries[ENTRY_PREDICT];
    assert_non_null(find_samples(entry));
    assert_int_equal(count_interleaved(&compiled.program->entries[ENTRY_PREDICT]), 1);
    const PlanKernel *last = &entry->kernels.at[entry->kernels.count - 1];
    const PlanStage *sum = &last->stages.at[0];
    assert_ptr_equal(sum->nodes.at[0].node, d);
    assert_true(!last->samples && stage_is_reduction_slot(sum, sum->schedule.vector_slot));
    assert_int_equal(sum->slots[sum->schedule.vector_slot].extent.size, batch.size);
    compare_all(f, compiled.program);
    check(f);
}

static void test_sums(void **state) {
    (void)state;
    test_sums_of((Extent){20, 1});
    test_sums_of((Extent){16, 0});
}

/* What somebody reads across samples keeps the language's order. */
static void test_other_readers(void **state) {
    (void)state;
    Extent batch = {20, 0};
    Chain c = new_chain(batch);
    Fixture *f = &c.f;
    const Scalar *b = at(f, 0, batch), *o = at(f, 1, size(5)), *zero = scalar_int(f->g->pool, 0);
    const Scalar *mirrored = LOAD(f, c.y, op2(f, OP_SUB, scalar_int(f->g->pool, 19), b), o, zero, zero);
    const Node *z = graph_expr(f->g, SHAPE(batch, size(5)), REDUCE_NONE, 0, NULL, mirrored, named("z"));
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, z);
    Compiled compiled = compile(f, &small);
    assert_non_null(find_samples(&compiled.plan->entries[ENTRY_PREDICT]));
    assert_int_equal(count_interleaved(&compiled.program->entries[ENTRY_PREDICT]), 0);
    check(f);
}

/* A view has rows of its own: v[6 * b + c, 4 * i + j] = t[b, c, i, j], summed over all of them. */
static void test_views(void **state) {
    (void)state;
    Extent batch = {20, 1}, R = {6 * 20, 6}, K = size(16);
    Chain c = new_chain(batch);
    Fixture *f = &c.f;
    ScalarPool *pool = f->g->pool;
    const Scalar *r = at(f, 0, R), *k = at(f, 1, K), *six = scalar_int(pool, 6), *four = scalar_int(pool, 4);
    const Scalar *read = LOAD(f, c.t, op2(f, OP_FLOORDIV, r, six), op2(f, OP_MOD, r, six), op2(f, OP_FLOORDIV, k, four),
                              op2(f, OP_MOD, k, four));
    const Node *v = graph_expr(f->g, SHAPE(R, K), REDUCE_NONE, 0, NULL, read, named("v"));
    const Scalar *all = LOAD(f, v, at(f, 1, R), at(f, 0, K));
    const Node *d = graph_expr(f->g, 0, NULL, REDUCE_SUM, 2, (Extent[]){K, R}, all, named("d"));
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, c.y);
    add_output(f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, d);
    Compiled compiled = compile(f, &small);
    assert_int_equal(compiled.plan->entries[ENTRY_PREDICT].views.count, 1);
    assert_int_equal(count_interleaved(&compiled.program->entries[ENTRY_PREDICT]), 0);
    compare_all(f, compiled.program);
    check(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dynamic_batch),
        cmocka_unit_test(test_whole_vectors),
        cmocka_unit_test(test_static_remainder),
        cmocka_unit_test(test_few_samples),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_other_readers),
        cmocka_unit_test(test_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
