/* The emitter: texts of expressions, statements and lines; the pieces of the inline headers; whole files, which both compilers
 * must accept without a warning. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "emit/c_expr.h"
#include "emit/c_loop.h"
#include "emit/c_share.h"
#include "emit/c_write.h"
#include "emit/emit.h"
#include "loop/loop_build.h"
#include "loop/loop_make.h"
#include "loop/place.h"
#include "loop/waits.h"
#include "plan/plan.h"

/* ---- expressions ---- */

typedef struct Fixture {
    Arena *arena;
    CExprs exprs;
    Buffer x, k;
    LoopVar a, b, c, i, j, v, w, mask, other, array, tile;
} Fixture;

static LoopVar variable(const char *name, Type type, bool vector) {
    return (LoopVar){.name = name, .type = type, .vector = vector};
}

static int set_up(void **state) {
    Arena *arena = arena_new((ArenaFailure){0});
    Fixture *f = arena_one(arena, Fixture);
    f->arena = arena;
    f->exprs = (CExprs){.arena = arena, .used = inline_set_new(arena)};
    f->x = (Buffer){.name = "x", .type = TYPE_REAL};
    f->k = (Buffer){.name = "k", .type = TYPE_INT};
    f->a = variable("a", TYPE_REAL, false);
    f->b = variable("b", TYPE_REAL, false);
    f->c = variable("c", TYPE_BOOL, false);
    f->i = variable("i", TYPE_INT, false);
    f->j = variable("j", TYPE_INT, false);
    f->v = variable("v", TYPE_REAL, true);
    f->w = variable("w", TYPE_REAL, true);
    f->mask = variable("mask", TYPE_BOOL, true);
    f->other = variable("other", TYPE_BOOL, true);
    f->array = (LoopVar){.name = "row", .type = TYPE_REAL, .elements = 8};
    f->tile = (LoopVar){.name = "acc", .type = TYPE_REAL, .vector = true, .rank = 2, .size = {12, 2}};
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    arena_free(((Fixture *)*state)->arena);
    return 0;
}

#define VAR(name) expr_var(f->arena, &f->name)
#define REAL(value) expr_real(f->arena, value)
#define INT(value) expr_int(f->arena, value)
#define OP1(op, x) expr_op(f->arena, OP_##op, (x)->type, x, NULL, NULL)
#define OP2(op, x, y) expr_op(f->arena, OP_##op, (x)->type, x, y, NULL)
#define TEST2(op, x, y) expr_op(f->arena, OP_##op, TYPE_BOOL, x, y, NULL)
#define CHOOSE(c, x, y) expr_op(f->arena, OP_SELECT, (x)->type, c, x, y)
#define IS(expr, text)                                                                                                 \
    do {                                                                                                               \
        Text *written = text_new(f->arena);                                                                            \
        c_expr(&f->exprs, written, expr);                                                                              \
        assert_string_equal(text_get(written), text);                                                                  \
    } while (0)

static void test_brackets(void **state) {
    Fixture *f = *state;
    const LoopExpr *a = VAR(a), *b = VAR(b), *i = VAR(i), *j = VAR(j);
    IS(OP2(ADD, OP2(ADD, a, b), a), "a + b + a");
    IS(OP2(ADD, a, OP2(ADD, b, a)), "a + (b + a)"); /* reals keep their order */
    IS(OP2(ADD, i, OP2(ADD, j, i)), "i + j + i");
    IS(OP2(MUL, i, OP2(MUL, j, i)), "i * j * i");
    IS(OP2(SUB, i, OP2(ADD, j, i)), "i - (j + i)");
    IS(OP2(SUB, i, OP2(SUB, j, i)), "i - (j - i)");
    IS(OP2(MUL, OP2(ADD, a, b), a), "(a + b) * a");
    IS(OP2(ADD, OP2(MUL, a, b), a), "a * b + a");
    IS(OP2(DIV, a, OP2(MUL, b, a)), "a / (b * a)");
    IS(OP2(DIV, OP2(DIV, a, b), a), "a / b / a");
    IS(OP2(SUB, a, OP1(NEG, b)), "a - -b");
    IS(OP1(NEG, OP1(NEG, a)), "-(-a)");
    IS(OP1(NEG, OP2(ADD, a, b)), "-(a + b)");
    IS(OP2(MUL, OP1(NEG, a), b), "-a * b");
    IS(OP1(NEG, REAL(-2)), "-(-2.0f)");
    IS(OP2(SUB, a, REAL(-2)), "a - -2.0f");
}

static void test_conditions(void **state) {
    Fixture *f = *state;
    const LoopExpr *a = VAR(a), *b = VAR(b), *c = VAR(c);
    const LoopExpr *less = TEST2(LT, a, b);
    IS(TEST2(AND, less, TEST2(AND, c, less)), "a < b && c && a < b");
    IS(TEST2(OR, TEST2(AND, c, less), c), "(c && a < b) || c");
    IS(TEST2(AND, TEST2(OR, c, less), c), "(c || a < b) && c");
    IS(OP1(NOT, less), "!(a < b)");
    IS(TEST2(EQ, less, c), "(a < b) == c");
    IS(TEST2(GE, OP2(ADD, a, b), b), "a + b >= b");
    IS(CHOOSE(c, a, CHOOSE(less, b, a)), "c ? a : a < b ? b : a");
    IS(OP2(ADD, CHOOSE(c, a, b), b), "(c ? a : b) + b");
    IS(CHOOSE(CHOOSE(c, c, less), a, b), "(c ? c : a < b) ? a : b");
}

static void test_numbers(void **state) {
    Fixture *f = *state;
    IS(REAL(0.1), "0.1f");
    IS(REAL(1), "1.0f");
    IS(REAL(1e-30), "1e-30f");
    IS(REAL(INFINITY), "INFINITY");
    IS(REAL(-INFINITY), "-INFINITY");
    IS(REAL(NAN), "NAN");
    IS(REAL(1e300), "INFINITY"); /* as a float */
    IS(INT(-7), "-7");
    IS(INT(INT64_MIN), "INT64_MIN");
    IS(INT(INT64_MAX), "9223372036854775807");
    f->exprs.real_is_double = true;
    IS(REAL(0.1), "0.1");
    IS(REAL(1e300), "1e+300");
}

static void test_calls(void **state) {
    Fixture *f = *state;
    const LoopExpr *a = VAR(a), *b = VAR(b), *i = VAR(i);
    IS(OP1(EXP, OP2(ADD, a, b)), "nn_exp1(a + b)");
    IS(OP2(MAX, a, CHOOSE(VAR(c), a, b)), "nn_max1(a, c ? a : b)");
    IS(OP2(MAX, i, INT(3)), "nn_max_int(i, 3)");
    IS(OP2(MIN, i, INT(3)), "nn_min_int(i, 3)");
    IS(OP2(MOD, i, INT(3)), "nn_mod(i, 3)");
    LoopExpr natural = *OP2(FLOORDIV, i, INT(3));
    natural.op.natural = true;
    IS(&natural, "i / 3");
    IS(OP2(MUL, &natural, INT(2)), "i / 3 * 2");
    IS(OP2(MUL, INT(2), &natural), "2 * (i / 3)");
    IS(expr_op(f->arena, OP_TO_REAL, TYPE_REAL, i, NULL, NULL), "nn_to_real1(i)");
    IS(expr_op(f->arena, OP_RANDOM, TYPE_REAL, INT(3), i, NULL), "nn_random1(seed, step, 3, i)");
    IS(expr_fma(f->arena, a, b, a), "nn_fma1(a, b, a)");
    IS(expr_horizontal(f->arena, REDUCE_SUM, VAR(v)), "nn_hsum(v)");
    IS(expr_horizontal(f->arena, REDUCE_MAX, VAR(v)), "nn_hmax(v)");
    IS(expr_sums(f->arena, &f->tile, i, VAR(j)), "nn_hsums(&acc[i][j], 2, 12 - i)");
    IS(OP2(MUL, expr_lanes(f->arena), INT(4)), "NN_LANES * 4");
    IS(expr_runtime(f->arena, RUNTIME_STEPS), "steps");
}

static void test_vectors(void **state) {
    Fixture *f = *state;
    const LoopExpr *a = VAR(a), *v = VAR(v), *w = VAR(w), *mask = VAR(mask), *other = VAR(other);
    const LoopExpr *two = expr_splat(f->arena, REAL(2)), *splat = expr_splat(f->arena, a);
    IS(OP2(ADD, v, OP2(MUL, w, v)), "v + w * v");
    IS(OP2(MUL, v, two), "v * 2.0f"); /* the compiler splats */
    IS(OP2(SUB, splat, v), "a - v");
    IS(OP2(MUL, splat, two), "nn_splat(a) * nn_splat(2.0f)");
    IS(OP1(NEG, splat), "-nn_splat(a)");
    IS(OP1(EXP, splat), "nn_exp(nn_splat(a))");
    IS(expr_fma(f->arena, a, v, w), "nn_fma(nn_splat(a), v, w)");
    IS(TEST2(LT, v, w), "nn_lt(v, w)");
    IS(TEST2(AND, mask, OP1(NOT, other)), "nn_and(mask, nn_not(other))");
    IS(CHOOSE(mask, v, w), "nn_select(mask, v, w)");
    IS(CHOOSE(mask, other, mask), "nn_or(nn_and(mask, other), nn_and(nn_not(mask), mask))");
    IS(CHOOSE(VAR(c), v, w), "c ? v : w");
    IS(expr_op(f->arena, OP_TO_REAL, TYPE_REAL, mask, NULL, NULL), "nn_to_real(mask)");
    IS(OP2(ADD, expr_iota(f->arena), splat), "nn_iota() + a");
    IS(expr_first(f->arena, VAR(i)), "nn_first_lanes(i)");
    IS(expr_splat(f->arena, VAR(c)), "nn_splat_mask(c)");
}

/* ---- memory ---- */

static LoopAddress address(Fixture *f, const Buffer *buffer, Access access) {
    bool part = access == ACCESS_PART || access == ACCESS_STRIDED_PART;
    return (LoopAddress){.buffer = buffer,
                         .offset = OP2(ADD, OP2(MUL, INT(8), VAR(i)), VAR(j)),
                         .access = access,
                         .count = part ? VAR(j) : NULL,
                         .stride = 5};
}

#define LOAD_IS(buffer, access, text)                                                                                  \
    IS(expr_load(f->arena, address(f, &f->buffer, ACCESS_##access), ACCESS_##access != ACCESS_SCALAR), text)
#define STORE_IS(buffer, access, value, text)                                                                          \
    do {                                                                                                               \
        LoopAddress to = address(f, &f->buffer, ACCESS_##access);                                                      \
        Text *written = text_new(f->arena);                                                                            \
        c_store(&f->exprs, written, &to, value);                                                                       \
        assert_string_equal(text_get(written), text);                                                                  \
    } while (0)

static void test_loads(void **state) {
    Fixture *f = *state;
    LOAD_IS(x, SCALAR, "x[8 * i + j]");
    LOAD_IS(x, CONTIGUOUS, "nn_load(&x[8 * i + j])");
    LOAD_IS(x, PART, "nn_load_part(&x[8 * i + j], j)");
    LOAD_IS(x, STRIDED, "nn_gather(&x[8 * i + j], 5)");
    LOAD_IS(x, STRIDED_PART, "nn_gather_part(&x[8 * i + j], 5, j)");
    LOAD_IS(k, SCALAR, "k[8 * i + j]");
    LOAD_IS(k, CONTIGUOUS, "nn_load_int(&k[8 * i + j])");
    LOAD_IS(k, PART, "nn_gather_int_part(&k[8 * i + j], 1, j)");
    LOAD_IS(k, STRIDED, "nn_gather_int_part(&k[8 * i + j], 5, NN_LANES)");
    LOAD_IS(k, STRIDED_PART, "nn_gather_int_part(&k[8 * i + j], 5, j)");
    LoopAddress row = {.array = &f->array, .offset = INT(0), .access = ACCESS_CONTIGUOUS};
    IS(expr_load(f->arena, row, true), "nn_load(row)");
    IS(expr_once(f->arena, expr_load(f->arena, row, true)), "nn_load_once(row)");
    LoopAddress whole = {.buffer = &f->k, .offset = INT(0), .access = ACCESS_CONTIGUOUS};
    IS(expr_once(f->arena, expr_load(f->arena, whole, true)), "nn_load_int(k)");
    IS(expr_once(f->arena, VAR(v)), "v");
}

static void test_widening(void **state) {
    Fixture *f = *state;
    LoopAddress at = {.buffer = &f->k, .offset = VAR(i), .access = ACCESS_SCALAR};
    const LoopExpr *k = expr_load(f->arena, at, false);
    IS(OP2(ADD, OP2(MUL, k, INT(512)), k), "(int64_t)k[i] * 512 + (int64_t)k[i]");
    IS(TEST2(EQ, k, k), "k[i] == k[i]");
    IS(OP1(NEG, k), "-(int64_t)k[i]");
}

static void test_stores(void **state) {
    Fixture *f = *state;
    const LoopExpr *a = VAR(a), *i = VAR(i), *v = VAR(v);
    STORE_IS(x, SCALAR, a, "x[8 * i + j] = a;");
    STORE_IS(x, CONTIGUOUS, v, "nn_store(&x[8 * i + j], v);");
    STORE_IS(x, PART, v, "nn_store_part(&x[8 * i + j], v, j);");
    STORE_IS(x, STRIDED, v, "nn_scatter(&x[8 * i + j], 5, v);");
    STORE_IS(x, STRIDED_PART, v, "nn_scatter_part(&x[8 * i + j], 5, v, j);");
    STORE_IS(k, SCALAR, INT(3), "k[8 * i + j] = 3;");
    STORE_IS(k, SCALAR, i, "k[8 * i + j] = (int32_t)i;");
    STORE_IS(k, SCALAR, OP2(ADD, i, i), "k[8 * i + j] = (int32_t)(i + i);");
    STORE_IS(k, CONTIGUOUS, v, "nn_scatter_int_part(&k[8 * i + j], 1, v, NN_LANES);");
    STORE_IS(k, STRIDED_PART, v, "nn_scatter_int_part(&k[8 * i + j], 5, v, j);");
}

/* ---- kernels ---- */

static LoopBody body_of(Arena *arena, LoopStmt *stmt) {
    LoopBody body = {0};
    vec_push(arena, &body, stmt);
    return body;
}

/* The functions of all kernels of an entry. */
static const char *kernels_text(Fixture *f, CLoops *loops, Kernel *const *kernels, size_t count, bool openmp) {
    CWriter *w = arena_one(f->arena, CWriter);
    *w = c_writer(f->arena, text_new(f->arena), NULL);
    *loops = (CLoops){.exprs = f->exprs, .writer = w, .openmp = openmp};
    loops->calls = pointer_map_new(f->arena);
    loops->rolled = pointer_map_new(f->arena);
    loops->rows = pointer_map_new(f->arena);
    LoopProgram program = {.arena = f->arena};
    program.entries[ENTRY_PREDICT].present = true;
    for (size_t i = 0; i < count; i++)
        vec_push(f->arena, &program.entries[ENTRY_PREDICT].kernels, kernels[i]);
    c_share(loops, &program);
    for (size_t i = 0; i < count; i++)
        c_kernel(loops, kernels[i]);
    return text_get(w->out);
}

static const char *kernel_text(Fixture *f, Kernel *kernel, bool openmp) {
    CLoops loops;
    return kernels_text(f, &loops, (Kernel *const[]){kernel}, 1, openmp);
}

static void test_kernel(void **state) {
    Fixture *f = *state;
    Kernel kernel = {.name = "m_relu", .uses_n = true};
    vec_push(f->arena, &kernel.comments, "y[i] = max(x[i], 0)");
    vec_push(f->arena, &kernel.reads, &f->k);
    vec_push(f->arena, &kernel.writes, &f->x);
    LoopAddress at = {.buffer = &f->x, .offset = VAR(i), .access = ACCESS_CONTIGUOUS};
    LoopBody body = body_of(f->arena, stmt_declare(f->arena, &f->v, expr_load(f->arena, at, true), false));
    LoopBody then = body_of(f->arena, stmt_assign(f->arena, VAR(v), VAR(w)));
    vec_push(f->arena, &body, stmt_if(f->arena, TEST2(LT, VAR(i), INT(3)), then));
    vec_push(f->arena, &body, stmt_store(f->arena, at, VAR(v)));
    LoopStmt *loop = stmt_for(f->arena, &f->i, INT(0), expr_runtime(f->arena, RUNTIME_N), expr_lanes(f->arena), body);
    loop->loop.mode = LOOP_PARALLEL;
    kernel.body = body_of(f->arena, loop);
    assert_string_equal(kernel_text(f, &kernel, true),
                        "/* y[i] = max(x[i], 0) */\n"
                        "static NN_NOINLINE void m_relu(const int32_t *restrict k, float *restrict x, int64_t n) {\n"
                        "    NN_SHARED\n"
                        "    for (int64_t i = 0; i < n; i += NN_LANES) {\n"
                        "        const nn_vec v = nn_load(&x[i]);\n"
                        "        if (i < 3) {\n"
                        "            v = w;\n"
                        "        }\n"
                        "        nn_store(&x[i], v);\n"
                        "    }\n"
                        "}\n\n");
    kernel.aliased = true;
    assert_non_null(strstr(kernel_text(f, &kernel, false), "(const int32_t *k, float *x, int64_t n) {\n    for"));
    loop->loop.mode = LOOP_UNROLLED;
    assert_non_null(strstr(kernel_text(f, &kernel, true), "    NN_UNROLL for (int64_t i = 0; i < n; i += NN_LANES) {"));
}

/* to[var] = from[var], under names of its own. */
static Kernel *copy_kernel(Fixture *f, const char *name, const Buffer *from, const Buffer *to, const LoopVar *var) {
    Kernel *kernel = arena_one(f->arena, Kernel);
    kernel->name = name;
    vec_push(f->arena, &kernel->comments, arena_printf(f->arena, "%s = %s", to->name, from->name));
    const LoopExpr *at = expr_var(f->arena, var);
    const LoopExpr *value = expr_load(f->arena, (LoopAddress){.buffer = from, .offset = at}, false);
    LoopBody body = body_of(f->arena, stmt_store(f->arena, (LoopAddress){.buffer = to, .offset = at}, value));
    kernel->body = body_of(f->arena, stmt_for(f->arena, var, INT(0), INT(9), INT(1), body));
    return kernel;
}

static void test_sharing(void **state) {
    Fixture *f = *state;
    Buffer y = {.name = "y", .type = TYPE_REAL}, z = {.name = "z", .type = TYPE_REAL};
    Kernel *first = copy_kernel(f, "m_first", &f->x, &y, &f->i);
    vec_push(f->arena, &first->reads, &f->x);
    vec_push(f->arena, &first->writes, &y);
    Kernel *other = copy_kernel(f, "m_other", &z, &f->x, &f->j);
    vec_push(f->arena, &other->writes, &z); /* not const: another function */
    vec_push(f->arena, &other->writes, &f->x);
    Kernel *equal = copy_kernel(f, "m_equal", &y, &z, &f->j);
    vec_push(f->arena, &equal->reads, &y);
    vec_push(f->arena, &equal->writes, &z);
    CLoops loops;
    assert_string_equal(kernels_text(f, &loops, (Kernel *const[]){first, other, equal}, 3, false),
                        "/* y = x\n"
                        " * z = y */\n"
                        "static NN_NOINLINE void m_first(const float *restrict x, float *restrict y) {\n"
                        "    NN_ROLLED for (int64_t i = 0; i < 9; i++) {\n"
                        "        y[i] = x[i];\n"
                        "    }\n"
                        "}\n\n"
                        "/* x = z */\n"
                        "static NN_NOINLINE void m_other(float *restrict z, float *restrict x) {\n"
                        "    NN_ROLLED for (int64_t j = 0; j < 9; j++) {\n"
                        "        x[j] = z[j];\n"
                        "    }\n"
                        "}\n\n");
    const CCall *call = pointer_map_get(loops.calls, equal);
    assert_string_equal(call->function->kernel->name, "m_first");
    assert_ptr_equal(call->values.at[0].buffer, &y);
    assert_ptr_equal(call->values.at[1].buffer, &z);
}

static void test_sharing_in_another_order(void **state) {
    Fixture *f = *state;
    Buffer y = {.name = "y", .type = TYPE_REAL};
    Kernel *first = copy_kernel(f, "m_first", &f->x, &y, &f->i);
    vec_push(f->arena, &first->writes, &f->x);
    vec_push(f->arena, &first->writes, &y);
    Kernel *second = copy_kernel(f, "m_second", &y, &f->x, &f->i);
    vec_push(f->arena, &second->writes, &f->x);
    vec_push(f->arena, &second->writes, &y);
    CLoops loops;
    assert_null(strstr(kernels_text(f, &loops, (Kernel *const[]){first, second}, 2, false), "m_second"));
    const CCall *call = pointer_map_get(loops.calls, second);
    assert_ptr_equal(call->values.at[0].buffer, &y);
    assert_ptr_equal(call->values.at[1].buffer, &f->x);
}

/* to[rows * i] = from[i] for i below `count`. */
static Kernel *spread_kernel(Fixture *f, const char *name, const Buffer *to, int64_t count, int64_t rows) {
    Kernel *kernel = copy_kernel(f, name, &f->x, to, &f->i);
    vec_push(f->arena, &kernel->reads, &f->x);
    vec_push(f->arena, &kernel->writes, to);
    LoopStmt *loop = kernel->body.at[0];
    loop->loop.to = INT(count);
    loop->loop.body.at[0]->store.to.offset = OP2(MUL, INT(rows), VAR(i));
    return kernel;
}

static void test_sharing_of_sizes(void **state) {
    Fixture *f = *state;
    Buffer y = {.name = "y", .type = TYPE_REAL}, z = {.name = "z", .type = TYPE_REAL};
    Kernel *first = spread_kernel(f, "m_first", &y, 9, 18), *second = spread_kernel(f, "m_second", &z, 7, 14);
    Kernel *third = spread_kernel(f, "m_third", &z, 7, 5);
    CLoops loops;
    /* 18 is twice 9, as 14 is twice 7. */
    const char *text = kernels_text(f, &loops, (Kernel *const[]){first, second}, 2, false);
    assert_non_null(strstr(text, "m_first(const float *restrict x, float *restrict y, int64_t i_end) {\n"
                                 "    NN_ROLLED for (int64_t i = 0; i < i_end; i++) {\n"
                                 "        y[2 * i_end * i] = x[i];\n"));
    assert_null(strstr(text, "m_second"));
    const CCall *call = pointer_map_get(loops.calls, second);
    assert_ptr_equal(call->values.at[1].buffer, &z);
    assert_int_equal(call->sizes.count, 1);
    assert_int_equal(call->sizes.at[0], 7);
    /* 5 is no such. */
    text = kernels_text(f, &loops, (Kernel *const[]){first, second, third}, 3, false);
    assert_non_null(strstr(
        text,
        "int64_t i_stride) {\n    NN_ROLLED for (int64_t i = 0; i < i_end; i++) {\n        y[i_stride * i] = x[i];\n"));
    call = pointer_map_get(loops.calls, third);
    assert_int_equal(call->sizes.at[1], 5);
}

/* Numbers that stand before everything that could give them a name: of rows with one element. */
static void test_sharing_of_places(void **state) {
    Fixture *f = *state;
    Buffer y = {.name = "y", .type = TYPE_REAL};
    Kernel *kernels[] = {spread_kernel(f, "m_first", &y, 9, 2), spread_kernel(f, "m_second", &y, 9, 2)};
    for (int i = 0; i < 2; i++) {
        kernels[i]->body = kernels[i]->body.at[0]->loop.body;
        kernels[i]->body.at[0]->store.to.offset = INT(3 + i);
        kernels[i]->body.at[0]->store.value = expr_real(f->arena, 1.0);
    }
    CLoops loops;
    const char *text = kernels_text(f, &loops, kernels, 2, false);
    assert_non_null(strstr(text, "int64_t offset) {\n    y[offset] = 1.0f;\n"));
    const CCall *call = pointer_map_get(loops.calls, kernels[1]);
    assert_int_equal(call->sizes.at[0], 4);
}

/* to[8 * j + i] = from[other * j + i], called for each j. */
static Kernel *row_kernel(Fixture *f, const Buffer *to, int64_t other) {
    Kernel *row = copy_kernel(f, "m_row", &f->x, to, &f->i), *all = arena_one(f->arena, Kernel);
    vec_push(f->arena, &row->reads, &f->x);
    vec_push(f->arena, &row->writes, to);
    vec_push(f->arena, &row->arguments, ((KernelArgument){&f->j, false}));
    LoopStmt *store = row->body.at[0]->loop.body.at[0];
    store->store.to.offset = OP2(ADD, OP2(MUL, INT(8), VAR(j)), VAR(i));
    LoopAddress at = {.buffer = &f->x, .offset = OP2(ADD, OP2(MUL, INT(4), VAR(j)), VAR(i))};
    store->store.value = expr_load(f->arena, at, false);
    at.offset = OP2(ADD, OP2(MUL, INT(other), VAR(j)), VAR(i));
    store->store.value = OP2(ADD, store->store.value, expr_load(f->arena, at, false));
    all->name = "m_all";
    all->reads = row->reads;
    all->writes = row->writes;
    LoopBody body = body_of(f->arena, stmt_call(f->arena, row));
    all->body = body_of(f->arena, stmt_for(f->arena, &f->j, INT(0), INT(5), INT(1), body));
    return all;
}

/* What all accesses to a buffer have of the caller's variable is a part of the pointer. */
static void test_rows(void **state) {
    Fixture *f = *state;
    Buffer y = {.name = "y", .type = TYPE_REAL};
    const char *text = kernel_text(f, row_kernel(f, &y, 4), false);
    assert_non_null(strstr(text, "m_row(const float *restrict x, float *restrict y) {"));
    assert_non_null(strstr(text, "y[i] = x[i] + x[i];"));
    assert_non_null(strstr(text, "m_row(x + 4 * j, y + 8 * j);"));
    text = kernel_text(f, row_kernel(f, &y, 5), false);
    assert_non_null(strstr(text, "m_row(const float *restrict x, float *restrict y, int64_t j) {"));
    assert_non_null(strstr(text, "y[i] = x[4 * j + i] + x[5 * j + i];"));
    assert_non_null(strstr(text, "m_row(x, y + 8 * j, j);"));
}

/* A divisor stays a number: dividing by an argument is slow. */
static void test_sharing_keeps_divisors(void **state) {
    Fixture *f = *state;
    Buffer y = {.name = "y", .type = TYPE_REAL};
    Kernel *first = spread_kernel(f, "m_first", &y, 9, 3), *second = spread_kernel(f, "m_second", &y, 9, 3);
    first->body.at[0]->loop.body.at[0]->store.to.offset = OP2(MOD, VAR(i), INT(3));
    second->body.at[0]->loop.body.at[0]->store.to.offset = OP2(MOD, VAR(i), INT(4));
    CLoops loops;
    assert_non_null(strstr(kernels_text(f, &loops, (Kernel *const[]){first, second}, 2, false), "m_second"));
}

/* ---- lines ---- */

static void test_long_lines(void **state) {
    Arena *arena = ((Fixture *)*state)->arena;
    CWriter w = c_writer(arena, text_new(arena), NULL);
    w.depth = 1;
    c_line(&w, "first = function_of(%s, %s, another_function(%s));", "argument_number_one_is_long",
           "argument_number_two_is_long", "argument_number_three_is_long");
    c_line(&w, "puts(\"%s\");",
           "a text, that is not broken, although it is, as everyone can see, longer than, in all, the "
           "hundred columns, of a line");
    assert_string_equal(
        text_get(w.out),
        "    first = function_of(argument_number_one_is_long, argument_number_two_is_long,\n"
        "                        another_function(argument_number_three_is_long));\n"
        "    puts(\n"
        "        \"a text, that is not broken, although it is, as everyone can see, longer than, in all, "
        "the hundred columns, of a line\");\n");
}

static void test_comments(void **state) {
    Arena *arena = ((Fixture *)*state)->arena;
    CWriter w = c_writer(arena, text_new(arena), NULL);
    c_comment(&w, (const char *const[]){"ends */ begins /* is ?\?/ and\nbreaks", "second"}, 2);
    assert_string_equal(text_get(w.out), "/* ends * / begins / * is ? ?/ and breaks\n * second */\n");
}

static void test_strings(void **state) {
    Arena *arena = ((Fixture *)*state)->arena;
    assert_string_equal(c_string(arena, "a\"b\\c\n\001"), "\"a\\\"b\\\\c\\012\\001\"");
    assert_string_equal(c_string(arena, "?\?/?"), "\"?\\?/?\"");
}

static void test_directives(void **state) {
    Arena *arena = ((Fixture *)*state)->arena;
    const char text[] = "one\ntwo\nthree\n";
    const Source *source = source_from_text(arena, "m \"1\".nn", text, strlen(text));
    Place place = {source, 4, 5};
    CWriter w = c_writer(arena, text_new(arena), "m.c");
    c_line(&w, "int a;");
    w.origin = &place;
    c_line(&w, "int b;");
    c_line(&w, "int c;");
    w.origin = NULL;
    c_line(&w, "int d;");
    c_line(&w, "int e;");
    assert_string_equal(text_get(w.out),
                        "int a;\n#line 2 \"m \\\"1\\\".nn\"\nint b;\n#line 2 \"m \\\"1\\\".nn\"\nint c;\n"
                        "#line 7 \"m.c\"\nint d;\nint e;\n");
}

/* ---- inline functions ---- */

/* Every operation that is printed as a call has its function, for single numbers and for vectors. */
static void test_functions_of_operations(void **state) {
    Fixture *f = *state;
    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info((Op)op);
        if (info->c_scalar[0])
            inline_use_function(f->exprs.used, info->c_scalar);
        if (info->c_vector[0])
            inline_use_function(f->exprs.used, info->c_vector);
    }
    const char *as_float = inline_text(f->exprs.used, false), *as_double = inline_text(f->exprs.used, true);
    assert_null(strstr(as_float, "NN_DOUBLE"));
    assert_null(strstr(as_double, "NN_DOUBLE"));
    assert_non_null(strstr(as_float, "typedef float nn_real;"));
    assert_null(strstr(as_float, "typedef double nn_real;"));
    assert_non_null(strstr(as_double, "typedef double nn_real;"));
    assert_null(strstr(as_double, "nn: "));
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

#define WARNINGS " -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -c "

/* The folder of nnrt.h, seen from this file. */
static const char *runtime_folder(Arena *arena) {
    const char *slash = strrchr(__FILE__, '/');
    int length = slash ? (int)(slash - __FILE__) : 0;
    return arena_printf(arena, "%.*s/../../runtime/include", length, __FILE__);
}

/* Both compilers, where they are there, with these flags. */
static void assert_compiles(Arena *arena, const char *path, const char *flags) {
    static const char *const compilers[] = {"gcc", "clang"};
    for (int i = 0; i < 2; i++) {
        const char *missing = arena_printf(arena, "command -v %s > /dev/null || exit 0;", compilers[i]);
        const char *command = arena_printf(arena, "%s %s" WARNINGS "%s %s -I%s -o %s.o", missing, compilers[i], flags,
                                           path, runtime_folder(arena), path);
        if (system(command) != 0)
            fail_msg("%s", command);
    }
}

/* Each piece compiles with nothing but what it says that it needs. */
static void test_pieces_alone(void **state) {
    Arena *arena = ((Fixture *)*state)->arena;
    InlineSet *all = inline_set_new(arena);
    for (size_t i = 0; inline_piece_name(all, i); i++) {
        InlineSet *set = inline_set_new(arena);
        inline_use(set, inline_piece_name(all, i));
        write_file(arena_printf(arena, "emit_piece_%zu.c", i), inline_text(set, i % 2 == 1));
    }
    assert_int_equal(system("cc" WARNINGS "-Wno-unused -DNN_SCALAR -fsyntax-only emit_piece_*.c && rm emit_piece_*.c"),
                     0);
}

/* ---- whole files ---- */

static const Extent samples = {64, 1};

static void add_output(Graph *g, EntryKind kind, OutputRole role, const Node *target, const Node *value) {
    GraphOutput output = {role, "a \"name\"", target, value};
    g->entries[kind].present = true;
    vec_push(g->arena, &g->entries[kind].outputs, output);
}

static const Scalar *load(Graph *g, const Node *node, const Scalar *i, const Scalar *j) {
    return scalar_load(g->pool, node, (const Scalar *[]){i, j});
}

/* A model whose names need care: one layer, a loss over classes, random numbers, a state. */
static Graph *make_model(Arena *arena, bool real_is_double) {
    Graph *g = graph_new(arena, "small");
    ScalarPool *p = g->pool;
    Extent eight = {8, 0}, shape[] = {samples, eight}, square[] = {eight, eight};
    g->batch = samples;
    g->batch_name = "batch";
    g->real_is_double = real_is_double;
    const Node *x = graph_input(g, TYPE_REAL, 2, shape, false, 0, (Origin){.name = "p"});
    const Node *label = graph_input(g, TYPE_INT, 1, shape, true, 8, (Origin){.name = "n"});
    const Node *W = graph_param(g, 2, square, (Origin){.name = "while.W"});
    const Node *m = graph_state(g, W, 2, square, (Origin){.name = "momentum.while.W"});
    const Scalar *b = scalar_index(p, 0, samples), *i = scalar_index(p, 1, eight), *k = scalar_index(p, 2, eight);
    const Scalar *row = scalar_index(p, 0, eight), *column = scalar_index(p, 1, eight);
    const Node *y = graph_expr(g, 2, shape, REDUCE_SUM, 1, &eight,
                               scalar_op2(p, OP_MUL, load(g, W, i, k), load(g, x, b, k)), (Origin){.name = "y"});
    const Node *h =
        graph_expr(g, 2, shape, REDUCE_NONE, 0, NULL, scalar_op1(p, OP_TANH, load(g, y, b, i)), (Origin){.name = "h"});
    const Scalar *hit = scalar_op2(p, OP_EQ, scalar_load(p, label, &b), i);
    const Node *loss = graph_expr(g, 0, NULL, REDUCE_SUM, 2, shape,
                                  scalar_select(p, hit, load(g, h, b, i), scalar_real(p, 0)), (Origin){.name = "*/"});
    const Scalar *position = scalar_op2(p, OP_ADD, scalar_op2(p, OP_MUL, row, scalar_int(p, 8)), column);
    const Node *noise = graph_expr(g, 2, square, REDUCE_NONE, 0, NULL,
                                   scalar_op2(p, OP_RANDOM, scalar_int(p, 3), position), (Origin){0});
    const Node *best = graph_expr(g, 1, shape, REDUCE_ARGMAX, 1, &eight, load(g, h, b, i), (Origin){.name = "best"});
    add_output(g, ENTRY_INIT, OUTPUT_INIT, W, noise);
    add_output(g, ENTRY_STATE_INIT, OUTPUT_INIT, m, graph_constant(g, 0, 2, square, (Origin){0}));
    add_output(g, ENTRY_PREDICT, OUTPUT_RESULT, NULL, h);
    add_output(g, ENTRY_PREDICT, OUTPUT_RESULT, NULL, best);
    add_output(g, ENTRY_LOSS, OUTPUT_LOSS, NULL, loss);
    add_output(g, ENTRY_LOSS, OUTPUT_METRIC, NULL, loss);
    add_output(g, ENTRY_GRADIENT, OUTPUT_LOSS, NULL, loss);
    add_output(g, ENTRY_GRADIENT, OUTPUT_GRADIENT, W, noise);
    add_output(g, ENTRY_TRAIN_STEP, OUTPUT_LOSS, NULL, loss);
    add_output(g, ENTRY_TRAIN_STEP, OUTPUT_UPDATE, W, noise);
    return g;
}

static Recipe make_recipe(Arena *arena) {
    Recipe recipe = {.present = true, .epochs = 5, .shuffle = true, .validate_fraction = 0.1, .seed = UINT64_MAX};
    RecipeSource source = {.field = "p", .kind = RECIPE_CSV, .path = "a \"b\".csv", .scale = 1.0 / 255};
    vec_push(arena, &source.columns, "width?\?/");
    vec_push(arena, &recipe.data, source);
    return recipe;
}

static void write_model(Arena *arena, Graph *g, const Recipe *recipe, bool with_main) {
    Plan *plan = plan_make(arena, g, target_by_name("generic"), DEFAULT_THREADS, NULL, NULL);
    LoopProgram *program = loop_build(arena, g, plan);
    place_buffers(program);
    place_waits(program);
    EmitOptions options = {.version = "1.2.3",
                           .command = "--real double",
                           .source_name = "emit_small.c",
                           .header_name = "emit_small.h",
                           .with_main = with_main,
                           .lines = !with_main,
                           .openmp = true,
                           .recipe = recipe};
    Text *source = text_new(arena), *header = text_new(arena);
    emit_source(program, &options, source);
    const LoopProgram *programs[] = {program};
    emit_header(&(EmitFamily){.programs = programs, .count = 1}, &options, header);
    write_file("emit_small.c", text_get(source));
    write_file("emit_small.h", text_get(header));
}

static void test_whole_file(void **state) {
    static const char *const flags[] = {"-O0", "-O2 -march=native", "-O1 -DNN_SCALAR", "-O1 -fopenmp"};
    Arena *arena = ((Fixture *)*state)->arena;
    Recipe recipe = make_recipe(arena);
    for (int variant = 0; variant < 2; variant++) {
        write_model(arena, make_model(arena, variant), &recipe, variant);
        for (int i = 0; i < 4; i++)
            assert_compiles(arena, "emit_small.c", flags[i]);
    }
    remove("emit_small.c");
    remove("emit_small.h");
    remove("emit_small.c.o");
}

/* The forward pass, its outputs; then the backward pass, which here is one value that nothing is read for. */
static void test_drawing(void **state) {
    Arena *arena = ((Fixture *)*state)->arena;
    Text *text = text_new(arena);
    Graph *g = make_model(arena, false);
    emit_dot(g, text);
    const char *forward = strstr(text_get(text), "subgraph cluster_forward");
    const char *backward = strstr(text_get(text), "subgraph cluster_backward");
    assert_non_null(forward);
    assert_non_null(backward);
    assert_true(forward < backward);
    assert_non_null(strstr(forward, "[label=\"while.W\\nreal[8, 8]\", shape=ellipse"));
    assert_non_null(strstr(forward, "[label=\"a \\\"name\\\"\""));
    assert_non_null(strstr(forward, "label=\"n\\nint[batch]\"")); /* the loss reads the target */
    assert_non_null(strstr(backward, "[label=\"gradient of\\nwhile.W\\nreal[8, 8]\", shape=ellipse"));

    text = text_new(arena);
    g->entries[ENTRY_GRADIENT].present = false;
    emit_dot(g, text);
    assert_null(strstr(text_get(text), "cluster_backward"));
    assert_null(strstr(text_get(text), "label=\"n\\n")); /* the prediction reads no target */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_brackets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_conditions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vectors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_widening, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stores, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kernel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sharing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sharing_in_another_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sharing_of_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sharing_of_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sharing_keeps_divisors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_comments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_functions_of_operations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pieces_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_whole_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drawing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
