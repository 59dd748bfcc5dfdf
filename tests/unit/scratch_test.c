/* Scratch memory: values that one iteration makes for itself, in slices of the workspace that the next iteration uses again. */
#include "support/plan_fixture.h"

/* r[b, o, i, j] = reduce(u, v) x[b, o, 2 * i + u, 2 * j + v] */
static const Node *halve(Fixture *f, const Node *x, Reduction reduce, const char *name) {
    Extent B = x->shape[0], O = x->shape[1], U = size(2), I = size(x->shape[2].size / 2),
           J = size(x->shape[3].size / 2);
    const Scalar *b = at(f, 0, B), *o = at(f, 1, O), *i = at(f, 2, I), *j = at(f, 3, J);
    const Scalar *u = at(f, 4, U), *v = at(f, 5, U);
    const Scalar *read = LOAD(f, x, b, o, op2(f, OP_ADD, times(f, i, 2), u), op2(f, OP_ADD, times(f, j, 2), v));
    return graph_expr(f->g, SHAPE(B, O, I, J), reduce, 2, (Extent[]){U, U}, read, named(name));
}

/* Convolutions, and between them a maximum and its place: rows of 3 to 22 KB. */
static Fixture layers(Extent batch, bool is_double) {
    Fixture f = new_fixture(batch);
    f.g->real_is_double = is_double;
    const Node *x = input(&f, "x", SHAPE(batch, size(1), size(28), size(28)));
    const Node *K1 = param(&f, "K1", SHAPE(size(8), size(1), size(3), size(3)));
    const Node *K2 = param(&f, "K2", SHAPE(size(12), size(8), size(3), size(3)));
    const Node *K3 = param(&f, "K3", SHAPE(size(4), size(12), size(3), size(3)));
    const Node *y = convolve(&f, x, K1);
    const Node *largest = halve(&f, y, REDUCE_MAX, "largest");
    const Node *place = halve(&f, y, REDUCE_ARGMAX, "place");
    const Scalar *b = at(&f, 0, batch), *o = at(&f, 1, size(8)), *i = at(&f, 2, size(13)), *j = at(&f, 3, size(13));
    const Scalar *mirrored = op2(&f, OP_SUB, scalar_int(f.g->pool, 12), i);
    const Scalar *product =
        op2(&f, OP_MUL, LOAD(&f, largest, b, o, i, j), scalar_to_real(f.g->pool, LOAD(&f, place, b, o, mirrored, j)));
    const Node *z =
        graph_expr(f.g, SHAPE(batch, size(8), size(13), size(13)), REDUCE_NONE, 0, NULL, product, named("z"));
    add_output(&f, ENTRY_PREDICT, OUTPUT_RESULT, NULL, convolve(&f, convolve(&f, z, K2), K3));
    return f;
}

static Kernel *scratch_kernel(const LoopProgram *program) {
    const LoopEntry *entry = &program->entries[ENTRY_PREDICT];
    for (size_t k = 0; k < entry->kernels.count; k++)
        if (entry->kernels.at[k]->scratch.count > 0)
            return entry->kernels.at[k];
    return NULL;
}

/* ---- what it holds ---- */

static void check_layers(Extent batch, bool is_double) {
    Fixture f = layers(batch, is_double);
    for (size_t t = 0; t < target_count(); t++) {
        LoopProgram *program = compile(&f, target_at(t)).program;
        const LoopEntry *entry = &program->entries[ENTRY_PREDICT];
        const Kernel *kernel = scratch_kernel(program);
        assert_non_null(kernel);
        size_t all = 0;
        for (size_t i = 0; i < kernel->scratch.count; i++)
            all += array_bytes(f.g, kernel->scratch.at[i]);
        assert_true(kernel->slice <= all + 64 * kernel->scratch.count);
        assert_true(kernel->slices_end <= entry->workspace);
        compare_all(&f, program);
    }
    arena_free(f.arena);
}

static void test_values(void **state) {
    (void)state;
    check_layers((Extent){5, 1}, false);
    check_layers((Extent){2, 1}, true);
    check_layers(size(9), false);
}

static LoopVar *array_of(const Kernel *kernel, const char *name) {
    for (size_t i = 0; i < kernel->scratch.count; i++)
        if (strcmp(kernel->scratch.at[i]->name, name) == 0)
            return kernel->scratch.at[i];
    fail_msg("there is no %s", name);
    return NULL;
}

/* What the second convolution gives takes the place of what the first one gave; not of integers. */
static void test_used_again(void **state) {
    (void)state;
    Fixture f = layers(size(32), false);
    const Kernel *kernel = scratch_kernel(compile(&f, target_by_name("generic")).program);
    const LoopVar *y = array_of(kernel, "conv_y"), *next = array_of(kernel, "conv_y_2"),
                  *place = array_of(kernel, "place");
    assert_int_equal(y->offset, next->offset);
    for (size_t i = 0; i < kernel->scratch.count; i++)
        assert_true(kernel->scratch.at[i] == place || kernel->scratch.at[i]->offset < place->offset);
    assert_true(kernel->slice < 40000);
    arena_free(f.arena);
}

/* One slice where one thread runs the kernel; no more than the loop has iterations, in whatever steps. */
static void test_slices(void **state) {
    (void)state;
    LoopEntry entry = {.threads = 8};
    Kernel kernel = {.shared_trips = 1};
    assert_int_equal(kernel_slices(&entry, &kernel, 16), 1);
    kernel.shared_trips = 6;
    assert_int_equal(kernel_slices(&entry, &kernel, 16), 6);
    kernel.shared_trips = 100;
    assert_int_equal(kernel_slices(&entry, &kernel, 16), 8);
    kernel.shares_vectors = true;
    assert_int_equal(kernel_slices(&entry, &kernel, 16), 7);
    assert_int_equal(kernel_slices(&entry, &kernel, 1), 8);
}

static LoopProgram *with_threads(Fixture *f, int threads) {
    Plan *plan = plan_make(f->arena, f->g, target_by_name("generic"), threads, NULL, NULL);
    LoopProgram *program = loop_build(f->arena, f->g, plan);
    place_buffers(program);
    place_waits(program);
    loop_check(program);
    return program;
}

static void test_threads(void **state) {
    (void)state;
    Fixture f = layers(size(7), false); /* too few samples for lanes */
    LoopProgram *one = with_threads(&f, 1), *three = with_threads(&f, 3), *many = with_threads(&f, 100);
    assert_false(one->entries[ENTRY_PREDICT].parallel);
    assert_true(three->entries[ENTRY_PREDICT].parallel);
    const Kernel *alone = scratch_kernel(one), *few = scratch_kernel(three), *all = scratch_kernel(many);
    assert_int_equal(alone->slices_end - alone->slices, alone->slice);
    assert_int_equal(few->slices_end - few->slices, 3 * few->slice);
    assert_int_equal(all->slices_end - all->slices, 7 * all->slice);
    compare_entry(&f, three, ENTRY_PREDICT, 8, 7);
    arena_free(f.arena);
}

/* ---- what the verifier refuses ---- */

static void refuse_offset(const LoopProgram *program, LoopVar *array, size_t offset) {
    size_t right = array->offset;
    array->offset = offset;
    assert_true(is_refused(program));
    array->offset = right;
}

static void test_wrong_places(void **state) {
    (void)state;
    Fixture f = layers(size(7), false); /* too few samples for lanes */
    LoopProgram *program = with_threads(&f, 3);
    Kernel *kernel = scratch_kernel(program);
    LoopVar *place = array_of(kernel, "place"), *z = array_of(kernel, "z"), *y = array_of(kernel, "conv_y");
    assert_false(is_refused(program));
    refuse_offset(program, z, y->offset);      /* both live */
    refuse_offset(program, place, z->offset);  /* both live, and of two types */
    refuse_offset(program, y, kernel->slice);  /* outside of the slice */
    refuse_offset(program, y, y->offset + 32); /* no multiple of 64 */
    kernel->slices_end -= 64;                  /* the last thread has not enough */
    assert_true(is_refused(program));
    kernel->slices_end += 64;
    program->entries[ENTRY_PREDICT].threads++; /* one has no slice */
    assert_true(is_refused(program));
    program->entries[ENTRY_PREDICT].threads--;
    kernel->slices += program->entries[ENTRY_PREDICT].workspace; /* outside of the workspace */
    kernel->slices_end += program->entries[ENTRY_PREDICT].workspace;
    assert_true(is_refused(program));
    arena_free(f.arena);
}

/* What an iteration reads, it has written; what is outside of iterations is no scratch. */
static void test_wrong_order(void **state) {
    (void)state;
    Fixture f = layers(size(32), false);
    LoopProgram *program = with_threads(&f, 3);
    Kernel *kernel = scratch_kernel(program);
    const LoopBody *iteration = kernel->iteration;
    size_t last = iteration->count - 1, first = 0;
    while (iteration->at[first]->kind != LOOP_CALL)
        first++;
    LoopStmt *stmt = iteration->at[last];
    iteration->at[last] = iteration->at[first];
    iteration->at[first] = stmt;
    assert_true(is_refused(program));
    iteration->at[first] = iteration->at[last];
    iteration->at[last] = stmt;
    assert_false(is_refused(program));
    kernel->iteration = &iteration->at[first]->call->body;
    assert_true(is_refused(program));
    arena_free(f.arena);
}

/* ---- conflicts with other kernels ---- */

static void test_conflicts(void **state) {
    (void)state;
    Fixture f = new_fixture(size(4));
    const LoopProgram program = {.arena = f.arena, .graph = f.g};
    Buffer buffer = {.space = BUFFER_WORKSPACE, .type = TYPE_REAL, .elements = 16, .offset = 256};
    Kernel reader = {0}, kernel = {.slices = 128, .slices_end = 256};
    vec_push(f.arena, &reader.reads, &buffer);
    assert_false(kernels_conflict(&program, &reader, &kernel));
    kernel.slices_end = 320;
    assert_true(kernels_conflict(&program, &reader, &kernel));
    assert_true(kernels_conflict(&program, &kernel, &reader));
    buffer.space = BUFFER_INPUT;
    assert_false(kernels_conflict(&program, &reader, &kernel));
    Kernel other = {.slices = 320, .slices_end = 640}, none = {0};
    assert_false(kernels_conflict(&program, &kernel, &other));
    assert_false(kernels_conflict(&program, &kernel, &none));
    other.slices = 256;
    assert_true(kernels_conflict(&program, &kernel, &other));
    arena_free(f.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_used_again),   cmocka_unit_test(test_slices),
        cmocka_unit_test(test_threads),   cmocka_unit_test(test_wrong_places), cmocka_unit_test(test_wrong_order),
        cmocka_unit_test(test_conflicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
