/* simd.h and access.h against plain loops over the lanes. */
#include "access.h"
#include "check.h"

enum { ROOM = 4 * 16 };

typedef struct Lanes {
    nn_real at[NN_LANES];
} Lanes;

static Lanes lanes_of(nn_vec v) {
    Lanes lanes;
    nn_store(lanes.at, v);
    return lanes;
}

static nn_vec vector_of(nn_real first, nn_real step) {
    nn_real at[NN_LANES];
    for (int i = 0; i < NN_LANES; i++)
        at[i] = first + step * (nn_real)i;
    return nn_load(at);
}

static bool same(nn_real a, nn_real b) {
    return (a != a && b != b) || same_bits(&a, &b, sizeof a);
}

#define EACH_LANE(check, vector, expected)                                                                             \
    do {                                                                                                               \
        Lanes got_ = lanes_of(vector);                                                                                 \
        for (int i = 0; i < NN_LANES; i++)                                                                             \
            CHECK(check, same(got_.at[i], (expected)), "%s, lane %d: %g instead of %g", #vector, i,                    \
                  (double)got_.at[i], (double)(expected));                                                             \
    } while (0)

static void test_arithmetic(Check *check) {
    nn_vec a = vector_of(1.5f, 0.25f), b = vector_of(-3, 1.125f), c = vector_of(0.1f, 0.7f);
    Lanes x = lanes_of(a), y = lanes_of(b), z = lanes_of(c);
    EACH_LANE(check, a + b, x.at[i] + y.at[i]);
    EACH_LANE(check, a - b, x.at[i] - y.at[i]);
    EACH_LANE(check, a * c, x.at[i] * z.at[i]);
    EACH_LANE(check, a / c, x.at[i] / z.at[i]);
    EACH_LANE(check, -a, -x.at[i]);
    EACH_LANE(check, nn_load_once(x.at), x.at[i]);
    EACH_LANE(check, nn_splat(3), (nn_real)3);
    EACH_LANE(check, nn_splat(-0.0f), (nn_real)-0.0f);
    EACH_LANE(check, nn_iota(), (nn_real)i);
    EACH_LANE(check, nn_fma(a, b, c), nn_fma1(x.at[i], y.at[i], z.at[i]));
    EACH_LANE(check, nn_sqrt(a), nn_sqrt1(x.at[i]));
    EACH_LANE(check, nn_sqrt(nn_splat(2)), NN_LIBM(sqrt)(2));
    EACH_LANE(check, nn_abs(b), nn_abs1(y.at[i]));
    EACH_LANE(check, nn_sign(b), nn_sign1(y.at[i]));
    EACH_LANE(check, nn_sign(nn_splat(-0.0f)), (nn_real)0);
    CHECK(check, nn_first(a) == x.at[0], "lane 0");
    nn_real fused = nn_fma1(1 + (1 / NN_ROUNDER), 1 - (1 / NN_ROUNDER), -1);
    bool exact = NN_FUSED || (__FLT_EVAL_METHOD__ != 0 && !NN_DOUBLE); /* a product of floats is exact in a double */
    CHECK(check, fused == (exact ? -(1 / NN_ROUNDER) * (1 / NN_ROUNDER) : 0), "%g", (double)fused);
}

static void test_floor(Check *check) {
    static const nn_real values[] = {0,          -0.0f,       0.5f,    -0.5f,     1,          -1,
                                     1.5f,       -1.5f,       2.999f,  -2.999f,   1e6f,       -1e6f,
                                     1234567.5f, -1234567.5f, 0x1p23f, -0x1p23f,  0x1p40f,    -0x1p40f,
                                     INFINITY,   -INFINITY,   NAN,     0x1p-149f, -0x1p-149f, 0x1p22f + 0.5f};
    for (size_t n = 0; n < sizeof values / sizeof *values; n++) {
        EACH_LANE(check, nn_floor(nn_splat(values[n])), NN_LIBM(floor)(values[n]));
        CHECK(check, same(nn_floor1(values[n]), NN_LIBM(floor)(values[n])), "%g", (double)values[n]);
    }
}

static void test_to_index(Check *check) {
    static const nn_real values[] = {0,    -0.0f, 0.5f,    -0.5f,    1,        6.999f,   7,         8,
                                     1e6f, -1e6f, 0x1p62f, -0x1p62f, 0x1p100f, INFINITY, -INFINITY, NAN};
    for (size_t n = 0; n < sizeof values / sizeof *values; n++) {
        nn_real a = values[n], index = a >= 1 ? (a < 7 ? NN_LIBM(floor)(a) : 6) : 0;
        EACH_LANE(check, nn_to_index(nn_splat(a), nn_splat(7)), index);
        CHECK(check, nn_to_index1(a, 7) == (int64_t)index, "%g", (double)a);
        CHECK(check, nn_to_index1(a, INT32_MAX) >= 0 && nn_to_index1(a, INT32_MAX) < INT32_MAX, "%g", (double)a);
    }
}

static void test_minimum(Check *check) {
    static const nn_real values[] = {0, -0.0f, 1, -1, 2.5f, INFINITY, -INFINITY, NAN};
    for (size_t n = 0; n < 8; n++)
        for (size_t m = 0; m < 8; m++) {
            nn_real a = values[n], b = values[m];
            EACH_LANE(check, nn_min(nn_splat(a), nn_splat(b)), a < b ? a : b);
            EACH_LANE(check, nn_max(nn_splat(a), nn_splat(b)), a > b ? a : b);
            CHECK(check, same(nn_min1(a, b), a < b ? a : b), "%g %g", (double)a, (double)b);
            CHECK(check, same(nn_max1(a, b), a > b ? a : b), "%g %g", (double)a, (double)b);
        }
}

static void test_masks(Check *check) {
    static const nn_real values[] = {0, -0.0f, 1, -1, INFINITY, NAN};
    nn_vec a = vector_of(0, 1), middle = nn_splat((nn_real)NN_LANES / 2);
    nn_vec one = nn_splat(1), two = nn_splat(2);
    EACH_LANE(check, nn_select(nn_lt(a, middle), one, two), (nn_real)(2 * i < NN_LANES ? 1 : 2));
    EACH_LANE(check, nn_to_real(nn_first_lanes(1)), (nn_real)(i < 1));
    EACH_LANE(check, nn_to_real(nn_splat_mask(1)), (nn_real)1);
    EACH_LANE(check, nn_to_real(nn_splat_mask(0)), (nn_real)0);
    for (size_t n = 0; n < 6; n++)
        for (size_t m = 0; m < 6; m++) {
            nn_real x = values[n], y = values[m];
            nn_vec v = nn_splat(x), w = nn_splat(y);
            EACH_LANE(check, nn_to_real(nn_lt(v, w)), (nn_real)(x < y));
            EACH_LANE(check, nn_to_real(nn_le(v, w)), (nn_real)(x <= y));
            EACH_LANE(check, nn_to_real(nn_gt(v, w)), (nn_real)(x > y));
            EACH_LANE(check, nn_to_real(nn_ge(v, w)), (nn_real)(x >= y));
            EACH_LANE(check, nn_to_real(nn_eq(v, w)), (nn_real)(x == y));
            EACH_LANE(check, nn_to_real(nn_ne(v, w)), (nn_real)(x != y));
            EACH_LANE(check, nn_to_real(nn_and(nn_lt(v, w), nn_lt(v, one))), (nn_real)(x < y && x < 1));
            EACH_LANE(check, nn_to_real(nn_or(nn_lt(v, w), nn_lt(v, one))), (nn_real)(x < y || x < 1));
            EACH_LANE(check, nn_to_real(nn_not(nn_lt(v, w))), (nn_real) !(x < y));
        }
    CHECK(check, nn_any(nn_first_lanes(1)), "lane 0 is set");
    CHECK(check, nn_any(nn_gt(a, nn_splat(NN_LANES - 1.5f))), "the last lane is set");
    CHECK(check, !nn_any(nn_first_lanes(0)) && !nn_any(nn_splat_mask(0)), "no lane is set");
    CHECK(check, !nn_any(nn_not(nn_splat_mask(1))), "not of all is none");
}

/* Parts touch nothing beyond their count; the memory before and after is checked by value here and by the sanitizers. */
static void test_parts(Check *check) {
    for (int count = -3; count <= NN_LANES + 2; count++) {
        int within = count < 0 ? 0 : count < NN_LANES ? count : NN_LANES;
        nn_real from[ROOM], to[ROOM];
        for (int i = 0; i < ROOM; i++) {
            from[i] = (nn_real)(i + 1);
            to[i] = -1;
        }
        EACH_LANE(check, nn_load_part(from, count), i < within ? from[i] : 0);
        for (int stride = 0; stride <= 3; stride++)
            EACH_LANE(check, nn_gather_part(from, stride, count), i < within ? from[stride * i] : 0);
        EACH_LANE(check, nn_gather_part(from + 2 * NN_LANES, -2, count), i < within ? from[2 * NN_LANES - 2 * i] : 0);
        nn_store_part(to, nn_load(from), count);
        for (int i = 0; i < ROOM; i++)
            CHECK(check, to[i] == (i < within ? from[i] : -1), "count %d, element %d", count, i);
        nn_scatter_part(to, 2, -nn_load(from), count);
        for (int i = 0; i < NN_LANES; i++)
            CHECK(check, i >= within || to[2 * i] == -from[i], "count %d, element %d", count, i);
    }
}

/* A stage's array with room behind what it holds, which GCC sees whole: reading the room at all, masked or not, would be a warning. */
static void test_parts_of_arrays(Check *check) {
    nn_real held[2 * NN_LANES + ROOM];
    for (int i = 0; i < NN_LANES; i++)
        held[i] = (nn_real)(i + 1);
    EACH_LANE(check, nn_gather_part(held, 2, (NN_LANES + 1) / 2), 2 * i < NN_LANES ? held[2 * i] : 0);
}

/* Aligned and not. */
static void test_streams(Check *check) {
    _Alignas(64) nn_real to[ROOM];
    for (int first = 0; first <= NN_LANES; first++) {
        memset(to, 0, sizeof to);
        nn_stream(to + first, vector_of(1, 0.5f));
        nn_stream_end();
        for (int i = 0; i < NN_LANES; i++)
            CHECK(check, to[first + i] == lanes_of(vector_of(1, 0.5f)).at[i], "first %d, lane %d", first, i);
    }
}

static void test_strides(Check *check) {
    nn_real from[ROOM], to[ROOM];
    for (int i = 0; i < ROOM; i++)
        from[i] = (nn_real)(i + 1);
    for (int stride = -3; stride <= 3; stride++) {
        int origin = stride < 0 ? -stride * (NN_LANES - 1) : 0;
        EACH_LANE(check, nn_gather(from + origin, stride), from[origin + i * stride]);
        if (stride == 0)
            continue;
        memset(to, 0, sizeof to);
        nn_scatter(to + origin, stride, nn_load(from));
        for (int i = 0; i < NN_LANES; i++)
            CHECK(check, to[origin + i * stride] == from[i], "stride %d, lane %d", stride, i);
    }
}

/* Rows of every number, lanes that exist and others, or more than a vector has: memory is read and written where they are and nowhere else. */
NN_INLINE void check_turned(Check *check, const int rows, int count, int stride) {
    const int lanes = count < NN_LANES ? count : NN_LANES, size = (lanes - 1) * stride + rows;
    nn_real from[3 * NN_LANES * NN_LANES], to[3 * NN_LANES * NN_LANES + 1];
    nn_vec t[3 * NN_LANES];
    for (int i = 0; i < size; i++) {
        from[3 * NN_LANES * NN_LANES - size + i] = (nn_real)(i + 1);
        to[i] = -1;
    }
    to[size] = -1;
    nn_load_turned(t, from + 3 * NN_LANES * NN_LANES - size, stride, rows, count);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < lanes; i++)
            CHECK(check, lanes_of(t[r]).at[i] == (nn_real)(i * stride + r + 1), "row %d of %d, lane %d of %d", r, rows,
                  i, count);
    nn_store_turned(to, stride, t, rows, count);
    for (int i = 0; i <= size; i++)
        CHECK(check, to[i] == (i < size && i % stride < rows ? (nn_real)(i + 1) : -1), "%d rows, %d lanes, element %d",
              rows, count, i);
}

/* The number of rows is a constant: their loops are written out. */
#define TURNED(check, rows)                                                                                            \
    for (int count = 1; count <= NN_LANES + 1; count++) {                                                              \
        check_turned(check, rows, count, rows);                                                                        \
        check_turned(check, rows, count, 3 * NN_LANES);                                                                \
    }

static void test_turned(Check *check) {
    TURNED(check, 1)
    TURNED(check, NN_LANES)
    TURNED(check, (NN_LANES + 1) / 2)
    TURNED(check, (3 * NN_LANES + 3) / 4)
    TURNED(check, NN_LANES + 1)
    TURNED(check, 2 * NN_LANES)
    TURNED(check, 3 * NN_LANES - 1)
    nn_real from[NN_LANES * NN_LANES];
    nn_vec t[NN_LANES];
    for (int i = 0; i < NN_LANES * NN_LANES; i++)
        from[i] = (nn_real)i;
    nn_load_turned(t, from + (NN_LANES - 1) * NN_LANES, -NN_LANES, NN_LANES, NN_LANES);
    EACH_LANE(check, t[NN_LANES - 1], (nn_real)((NN_LANES - i) * NN_LANES - 1));
}

static void test_integers(Check *check) {
    int32_t from[ROOM], to[ROOM] = {0};
    for (int i = 0; i < ROOM; i++)
        from[i] = 1000003 * i % 70001 - 30000;
    EACH_LANE(check, nn_load_int(from), (nn_real)from[i]);
    for (int count = 0; count <= NN_LANES + 2; count++)
        for (int stride = 1; stride <= 3; stride++) {
            int within = count < NN_LANES ? count : NN_LANES;
            EACH_LANE(check, nn_gather_int_part(from, stride, count), i < within ? (nn_real)from[stride * i] : 0);
            memset(to, 0, sizeof to);
            nn_scatter_int_part(to, stride, nn_load_int(from), count);
            for (int i = 0; i < NN_LANES; i++)
                CHECK(check, to[stride * i] == (i < within ? from[i] : 0), "count %d, lane %d", count, i);
        }
    CHECK(check, nn_min_int(-3, 2) == -3 && nn_min_int(2, -3) == -3, "least");
    CHECK(check, nn_max_int(-3, 2) == 2 && nn_max_int(2, -3) == 2, "greatest");
    for (int64_t a = -10; a <= 10; a++)
        for (int64_t b = 1; b <= 4; b++) {
            int64_t quotient = nn_floordiv(a, b), rest = nn_mod(a, b);
            CHECK(check, quotient * b + rest == a && rest >= 0 && rest < b, "%d div %d", (int)a, (int)b);
        }
}

/* The reductions follow the stated tree. */
static void test_folds(Check *check) {
    nn_vec v = vector_of(0.1f, 0.37f);
    Lanes sum = lanes_of(v), product = sum, least = sum, greatest = sum;
    for (int half = NN_LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) {
            sum.at[i] += sum.at[i + half];
            product.at[i] *= product.at[i + half];
            least.at[i] = nn_min1(least.at[i], least.at[i + half]);
            greatest.at[i] = nn_max1(greatest.at[i], greatest.at[i + half]);
        }
    CHECK(check, nn_hsum(v) == sum.at[0], "%g %g", (double)nn_hsum(v), (double)sum.at[0]);
    CHECK(check, nn_hprod(v) == product.at[0], "%g", (double)nn_hprod(v));
    CHECK(check, nn_hmin(v) == least.at[0] && nn_hmin(-v) == -greatest.at[0], "least");
    CHECK(check, nn_hmax(v) == greatest.at[0] && nn_hmax(-v) == -least.at[0], "greatest");
    nn_fetch_read(sum.at, 0);
    nn_fetch_read(sum.at, (size_t)1 << 20); /* memory that is nobody's */
    nn_fetch_write(sum.at, 1);
}

/* Sums made together have the bits of sums made one by one, however many there are. */
static void test_sums(Check *check) {
    nn_vec v[3 * (2 * NN_LANES)];
    for (int i = 0; i < 3 * (2 * NN_LANES); i++)
        v[i] = vector_of(0.1f + (nn_real)i, 0.37f - (nn_real)(i * i % 7));
    for (int stride = 1; stride <= 3; stride++)
        for (int count = 1; count <= NN_LANES + 2; count++) {
            Lanes sums = lanes_of(nn_hsums(v, stride, count));
            for (int i = 0; i < NN_LANES && i < count; i++)
                CHECK(check, same(sums.at[i], nn_hsum(v[i * stride])), "stride %d, %d of %d", stride, i, count);
        }
}

int main(void) {
    Check check = {0};
    test_arithmetic(&check);
    test_floor(&check);
    test_to_index(&check);
    test_minimum(&check);
    test_masks(&check);
    test_parts(&check);
    test_parts_of_arrays(&check);
    test_streams(&check);
    test_strides(&check);
    test_turned(&check);
    test_integers(&check);
    test_folds(&check);
    test_sums(&check);
    return check.failures != 0;
}
