/* fourier.c: sums over long windows as products of spectra.
 *
 * Along one axis, with indices that go round after N values,
 *
 *     y[z] = sum(s) x[z + s + start] k[s]      x^[l] = sum(n) x[n] exp(-2 pi i l n / N), k^ alike
 *     y[z] = 1 / N sum(l) x^[l] conj(k^[l]) exp(2 pi i l (z + start) / N)
 *
 * and the same with k^ instead of its conjugate for x[z - s + start] (Oppenheim and Schafer, Discrete-Time Signal Processing, chapter 8). N is large
 * enough that an index outside of the image meets no value of it on its way round. Of real images, half of the frequencies along one direction
 * are enough, as the others are conjugates.
 *
 * The transforms are products with matrices of cosines and sines: with N below some hundreds, and both axes one after the other, they take fewer
 * operations than the sums that they replace, and products of matrices are what the plan does best. They are equations like any other: fusion, memory
 * and threads need to know nothing of them; a spectrum that several sums want is one equation; and with prepared parameters, those of the kernels are
 * computed once.
 *
 * Real and imaginary parts are an axis of two, r. Along the first direction, frequencies l and N - l are made together: with the sums a of the cosines and b of
 * the sines, they are a - i b and a + i b, so m counts pairs, an axis of two, p, the frequencies of a pair, and t is the cosine or the sine. Frequency
 * 0, and N / 2 if there is one, are pairs with themselves.
 */
#include "plan/fourier.h"

#include "ir/cost.h"
#include "plan/draft.h"
#include "plan/estimate.h"

static const double pi = 3.14159265358979323846;

/* A correlation that is rewritten. */
typedef struct Fourier {
    Drafting d;
    Correlation c;
    int64_t size[2]; /* N along each direction */
} Fourier;

/* ---- sizes ---- */

static int64_t summed_size(const Correlation *c, int direction) {
    return node_slot_extent(c->node, c->shift[direction].summed).size;
}

static int64_t output_size(const Correlation *c, int direction) {
    return node_slot_extent(c->node, c->shift[direction].output).size;
}

static int64_t image_size(const Correlation *c, int direction) {
    return c->image->load.tensor->shape[c->shift[direction].image_axis].size;
}

static int64_t largest(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* The lowest index that a term of the shift reaches. */
static int64_t lowest(int sign, int64_t size) {
    return sign < 0 ? 1 - size : 0;
}

/* The least N: indices below the image come round behind it, indices behind it not into it again. */
static int64_t circle(const Correlation *c, int direction) {
    const Shift *shift = &c->shift[direction];
    int64_t outputs = output_size(c, direction), summed = summed_size(c, direction);
    int64_t low = shift->start + lowest(shift->output_sign, outputs) + lowest(shift->summed_sign, summed);
    int64_t high = low + outputs + summed - 2, image = image_size(c, direction);
    return largest(largest(image - low, high + 1), largest(image, summed));
}

/* Pairs of frequencies along the first direction. */
static int64_t pairs(const Fourier *f) {
    return f->size[0] / 2 + 1;
}

/* Frequencies along the second direction; the others are their conjugates. */
static int64_t half(const Fourier *f) {
    return f->size[1] / 2 + 1;
}

static bool has_fixed_sizes(const Correlation *c) {
    for (int d = 0; d < 2; d++) {
        const Shift *shift = &c->shift[d];
        const Extent extents[] = {node_slot_extent(c->node, shift->output), node_slot_extent(c->node, shift->summed),
                                  c->image->load.tensor->shape[shift->image_axis],
                                  c->other->load.tensor->shape[shift->other_axis]};
        for (size_t i = 0; i < sizeof extents / sizeof *extents; i++)
            if (extents[i].per_sample > 0)
                return false;
    }
    return true;
}

/* ---- operations ---- */

static double slots_size(const Correlation *c, const SlotList *slots) {
    double size = 1;
    for (int i = 0; i < slots->count; i++)
        size *= (double)node_slot_extent(c->node, slots->at[i]).size;
    return size;
}

/* Multiplications of a transform of so many images of `rows` x `columns`, in either direction. */
static double transform_operations(const Fourier *f, double images, int64_t rows, int64_t columns) {
    return images * 2 * (double)(half(f) * rows) * (double)(columns + 2 * pairs(f));
}

/* The spectra that the products of all samples have in common: of the kernels, or, in a kernel's gradient, of the results. */
static double common_spectra(const Correlation *c) {
    bool of_results = summed_size(c, 1) > output_size(c, 1);
    return slots_size(c, &c->filters) * slots_size(c, &c->groups) *
           slots_size(c, of_results ? &c->images : &c->channels);
}

/* A product of spectra has other operands for each frequency: what bounds it is loads, from memory where common spectra do not stay in the last
 * cache beside all else. It counts as so many operations. */
static double operations_of_product(const Fourier *f) {
    const double cached = 16, far = 64;
    double bytes = common_spectra(&f->c) * (double)(4 * pairs(f) * half(f) * type_bytes(f->d.g, TYPE_REAL));
    return bytes > (double)f->d.target->far_bytes / 3 ? far : cached;
}

static double spectral_operations(const Fourier *f) {
    const Correlation *c = &f->c;
    double images = slots_size(c, &c->images), filters = slots_size(c, &c->filters);
    double groups = slots_size(c, &c->groups), channels = slots_size(c, &c->channels);
    return transform_operations(f, images * groups * channels, image_size(c, 0), image_size(c, 1)) +
           transform_operations(f, filters * groups * channels, summed_size(c, 0), summed_size(c, 1)) +
           transform_operations(f, images * filters * groups, output_size(c, 0), output_size(c, 1)) +
           operations_of_product(f) * images * filters * groups * channels * (double)(2 * pairs(f) * half(f));
}

static double operations(const Node *node) {
    double count = 1;
    for (int slot = 0; slot < node->rank + node->expr.reduced; slot++)
        count *= (double)node_slot_extent(node, slot).size;
    return count;
}

/* Whether it is worth a closer look. Where rows are short, samples can fill the lanes of the plain sum. */
static bool saves_operations(const Fourier *f) {
    const double long_rows = 1.7, short_rows = 2;
    int64_t lanes = f->d.target->vector_bytes / type_bytes(f->d.g, TYPE_REAL);
    double at_least = largest(output_size(&f->c, 1), summed_size(&f->c, 1)) < 2 * lanes ? short_rows : long_rows;
    return at_least * spectral_operations(f) < operations(f->c.node);
}

/* ---- scalars ---- */

static const Scalar *number(const Fourier *f, int64_t value) {
    return scalar_int(f->d.pool, value);
}

static const Scalar *real(const Fourier *f, double value) {
    return scalar_real(f->d.pool, value);
}

static const Scalar *add(const Fourier *f, const Scalar *a, const Scalar *b) {
    return scalar_op2(f->d.pool, OP_ADD, a, b);
}

static const Scalar *multiply(const Fourier *f, const Scalar *a, const Scalar *b) {
    return scalar_op2(f->d.pool, OP_MUL, a, b);
}

static const Scalar *modulo(const Fourier *f, const Scalar *a, int64_t b) {
    return scalar_op2(f->d.pool, OP_MOD, a, number(f, b));
}

static const Scalar *divide(const Fourier *f, const Scalar *a, int64_t b) {
    return scalar_op2(f->d.pool, OP_FLOORDIV, a, number(f, b));
}

static const Scalar *equals(const Fourier *f, const Scalar *a, int64_t b) {
    return scalar_op2(f->d.pool, OP_EQ, a, number(f, b));
}

/* yes where the condition holds, no elsewhere. */
static const Scalar *choose(const Fourier *f, const Scalar *condition, double yes, double no) {
    return scalar_select(f->d.pool, condition, real(f, yes), real(f, no));
}

static const Scalar *axis(const Fourier *f, Draft *draft, int64_t size, const char *letter) {
    return draft_axis(&f->d, draft, (Extent){size, 0}, letter);
}

/* ---- matrices ---- */

static Draft table_draft(const Fourier *f, const char *name) {
    return (Draft){.origin = {.place = f->c.node->origin.place, .name = name}};
}

/* t[0, m] = cos(2 pi m / N), t[1, m] = sin(2 pi m / N), from an angle of at most an eighth of the circle: so a cosine near 0 is as exact as one near 1. */
static const Node *circle_table(Fourier *f, int64_t size) {
    Draft draft = table_draft(f, "cosines");
    const Scalar *r = axis(f, &draft, 2, "r"), *m = axis(f, &draft, size, "m");
    const Scalar *quarter = divide(f, add(f, multiply(f, number(f, 8), m), number(f, size)), 2 * size);
    const Scalar *rest = add(f, multiply(f, number(f, 4), m), multiply(f, number(f, -size), quarter));
    const Scalar *angle = multiply(f, real(f, pi / (2 * (double)size)), scalar_to_real(f->d.pool, rest));
    const Scalar *turned = modulo(f, add(f, quarter, multiply(f, number(f, 3), r)), 4);
    const Scalar *value = scalar_select(f->d.pool, equals(f, modulo(f, turned, 2), 0),
                                        scalar_op1(f->d.pool, OP_COS, angle), scalar_op1(f->d.pool, OP_SIN, angle));
    const Scalar *is_negative = scalar_op2(f->d.pool, OP_OR, equals(f, turned, 1), equals(f, turned, 2));
    return draft_map(&f->d, &draft, multiply(f, choose(f, is_negative, -1, 1), value));
}

/* The cosine (part 0) or the sine (part 1) of 2 pi a b / N. */
static const Scalar *circle_value(Fourier *f, int64_t size, const Scalar *part, const Scalar *a, const Scalar *b) {
    const Scalar *at[] = {part, modulo(f, multiply(f, a, b), size)};
    return scalar_load(f->d.pool, circle_table(f, size), at);
}

/* Of values n, the real and imaginary parts r of frequencies k: cos, -sin. Axes n, r, k. */
static const Node *analyse_real(Fourier *f, int64_t count) {
    Draft draft = table_draft(f, "real transform");
    const Scalar *n = axis(f, &draft, count, "n"), *r = axis(f, &draft, 2, "r"), *k = axis(f, &draft, half(f), "k");
    const Scalar *sign = choose(f, equals(f, r, 0), 1, -1);
    return draft_map(&f->d, &draft, multiply(f, sign, circle_value(f, f->size[1], r, n, k)));
}

/* Of values n, the sums of cosines and sines for pairs m. Axes m, t, n. */
static const Node *analyse_pairs(Fourier *f, int64_t count) {
    Draft draft = table_draft(f, "transform");
    const Scalar *m = axis(f, &draft, pairs(f), "m"), *t = axis(f, &draft, 2, "t"), *n = axis(f, &draft, count, "n");
    return draft_map(&f->d, &draft, circle_value(f, f->size[0], t, m, n));
}

/* Where output z stands on the circle. */
static const Scalar *place_of(const Fourier *f, int direction, const Scalar *z) {
    const Shift *shift = &f->c.shift[direction];
    int64_t size = f->size[direction];
    int64_t low = shift->start + lowest(shift->output_sign, output_size(&f->c, direction));
    int64_t rounds = low < 0 ? (size - 1 - low) / size : 0;
    return add(f, multiply(f, number(f, shift->output_sign), z), number(f, shift->start + rounds * size));
}

/* Is the frequency its own partner? */
static const Scalar *is_alone(const Fourier *f, const Scalar *frequency, int64_t size) {
    return scalar_op2(f->d.pool, OP_OR, equals(f, frequency, 0), equals(f, multiply(f, number(f, 2), frequency), size));
}

/* Of sums and differences of pairs m, outputs z: cosine or sine / N, of a frequency that is alone one half. Axes z, m, t. */
static const Node *synthesise_pairs(Fourier *f) {
    Draft draft = table_draft(f, "inverse transform");
    int64_t size = f->size[0];
    const Scalar *z = axis(f, &draft, output_size(&f->c, 0), "z");
    const Scalar *m = axis(f, &draft, pairs(f), "m"), *t = axis(f, &draft, 2, "t");
    const Scalar *weight = choose(f, is_alone(f, m, size), 0.5 / (double)size, 1 / (double)size);
    return draft_map(&f->d, &draft, multiply(f, weight, circle_value(f, size, t, m, place_of(f, 0, z))));
}

/* Of parts r of frequencies k, outputs z: cos, -sin, of each frequency and of its conjugate. Axes r, k, z. */
static const Node *synthesise_real(Fourier *f) {
    Draft draft = table_draft(f, "inverse real transform");
    int64_t size = f->size[1];
    const Scalar *r = axis(f, &draft, 2, "r"), *k = axis(f, &draft, half(f), "k");
    const Scalar *z = axis(f, &draft, output_size(&f->c, 1), "z");
    const Scalar *weight = choose(f, is_alone(f, k, size), 1 / (double)size, 2 / (double)size);
    const Scalar *sign = choose(f, equals(f, r, 0), 1, -1);
    const Scalar *value = circle_value(f, size, r, k, place_of(f, 1, z));
    return draft_map(&f->d, &draft, multiply(f, multiply(f, weight, sign), value));
}

/* ---- spectra ---- */

/* The axes of the tensor but these two; `at`: their variables, and where the two are to stand. */
static void add_others(const Fourier *f, Draft *draft, const Node *tensor, const int axes[2], const Scalar **at) {
    for (int a = 0; a < tensor->rank; a++)
        if (a != axes[0] && a != axes[1])
            at[a] = draft_axis(&f->d, draft, tensor->shape[a], tensor->origin.axes[a]);
}

static Indices others(const Node *tensor, const int axes[2], const Scalar *const *at) {
    Indices indices = {0};
    for (int a = 0; a < tensor->rank; a++)
        if (a != axes[0] && a != axes[1])
            indices_add(&indices, at[a]);
    return indices;
}

/* h[..., n, r, k] = sum(j) x[..., n, j] * m[j, r, k] */
static const Node *spectral_rows(Fourier *f, const Node *tensor, const int axes[2]) {
    const Node *matrix = analyse_real(f, tensor->shape[axes[1]].size);
    Draft draft = draft_new(&f->d, "spectral rows of %s", tensor);
    const Scalar *at[MAX_AXES];
    add_others(f, &draft, tensor, axes, at);
    at[axes[0]] = axis(f, &draft, tensor->shape[axes[0]].size, "n");
    const Scalar *r = axis(f, &draft, 2, "r"), *k = axis(f, &draft, half(f), "k");
    int rank = draft.rank;
    at[axes[1]] = axis(f, &draft, tensor->shape[axes[1]].size, "j");
    const Scalar *from[] = {at[axes[1]], r, k};
    const Scalar *body = multiply(f, scalar_load(f->d.pool, tensor, at), scalar_load(f->d.pool, matrix, from));
    return draft_sum(&f->d, &draft, rank, body);
}

/* c[..., m, t, r, k] = sum(n) h[..., n, r, k] * a[m, t, n] */
static const Node *spectral_sums(Fourier *f, const Node *tensor, const int axes[2]) {
    const Node *rows = spectral_rows(f, tensor, axes), *matrix = analyse_pairs(f, tensor->shape[axes[0]].size);
    Draft draft = draft_new(&f->d, "spectral sums of %s", tensor);
    const Scalar *at[MAX_AXES];
    add_others(f, &draft, tensor, axes, at);
    const Scalar *m = axis(f, &draft, pairs(f), "m"), *t = axis(f, &draft, 2, "t");
    const Scalar *r = axis(f, &draft, 2, "r"), *k = axis(f, &draft, half(f), "k");
    int rank = draft.rank;
    const Scalar *n = axis(f, &draft, tensor->shape[axes[0]].size, "n");
    Indices indices = others(tensor, axes, at);
    indices_add(&indices, n);
    indices_add(&indices, r);
    indices_add(&indices, k);
    const Scalar *from[] = {m, t, n};
    const Scalar *body = multiply(f, scalar_load(f->d.pool, rows, indices.at), scalar_load(f->d.pool, matrix, from));
    return draft_sum(&f->d, &draft, rank, body);
}

/* The tensor at the indices of `others`, then these four. */
static const Scalar *load_behind(const Fourier *f, const Node *tensor, Indices others, const Scalar *a, const Scalar *b,
                                 const Scalar *c, const Scalar *d) {
    indices_add(&others, a);
    indices_add(&others, b);
    indices_add(&others, c);
    indices_add(&others, d);
    return scalar_load(f->d.pool, tensor, others.at);
}

static const Scalar *other_part(const Fourier *f, const Scalar *r) {
    return scalar_op2(f->d.pool, OP_SUB, number(f, 1), r);
}

/* s[..., p, m, r, k] = c[..., m, 0, r, k] +- c[..., m, 1, 1 - r, k]: a - i b and a + i b. */
static const Node *spectrum(Fourier *f, const Node *tensor, const int axes[2]) {
    const Node *sums = spectral_sums(f, tensor, axes);
    Draft draft = draft_new(&f->d, "spectrum of %s", tensor);
    const Scalar *at[MAX_AXES];
    add_others(f, &draft, tensor, axes, at);
    const Scalar *p = axis(f, &draft, 2, "p"), *m = axis(f, &draft, pairs(f), "m");
    const Scalar *r = axis(f, &draft, 2, "r"), *k = axis(f, &draft, half(f), "k");
    Indices rest = others(tensor, axes, at);
    const Scalar *sign = choose(f, scalar_op2(f->d.pool, OP_EQ, p, r), 1, -1);
    const Scalar *sine = load_behind(f, sums, rest, m, number(f, 1), other_part(f, r), k);
    const Scalar *cosine = load_behind(f, sums, rest, m, number(f, 0), r, k);
    return draft_map(&f->d, &draft, add(f, cosine, multiply(f, sign, sine)));
}

/* ---- products ---- */

static void image_axes(const Correlation *c, int axes[2]) {
    for (int d = 0; d < 2; d++)
        axes[d] = c->shift[d].image_axis;
}

static void other_axes(const Correlation *c, int axes[2]) {
    for (int d = 0; d < 2; d++)
        axes[d] = c->shift[d].other_axis;
}

/* The node's outputs but those of the shifts. */
static SlotList plain_outputs(const Correlation *c) {
    SlotList slots = {0};
    for (int slot = 0; slot < c->node->rank; slot++)
        if (slot != c->shift[0].output && slot != c->shift[1].output)
            slots.at[slots.count++] = slot;
    return slots;
}

/* The indices of a factor at the variables of the draft, without those of the shifts. */
static Indices plain_indices(const Draft *draft, const Scalar *factor, const int axes[2]) {
    Indices indices = {0};
    for (int a = 0; a < factor->load.rank; a++) {
        const Scalar *index = factor->load.at[a];
        if (a != axes[0] && a != axes[1])
            indices_add(&indices, index->kind == SCALAR_INDEX ? draft->slot[index->index.slot] : index);
    }
    return indices;
}

/* y[..., p, m, r, k] = sum(channels) x[r] * w[0] + sign * x[1 - r] * w[1], all at p, m and k; the sign is that of a conjugate, or the other one. */
static const Node *multiply_spectra(Fourier *f) {
    const Correlation *c = &f->c;
    int of_image[2], of_other[2];
    image_axes(c, of_image);
    other_axes(c, of_other);
    const Node *image = spectrum(f, c->image->load.tensor, of_image);
    const Node *other = spectrum(f, c->other->load.tensor, of_other);
    SlotList outputs = plain_outputs(c);
    Draft draft = draft_new(&f->d, "spectrum of %s", c->node);
    draft_slots(&f->d, &draft, &outputs);
    const Scalar *p = axis(f, &draft, 2, "p"), *m = axis(f, &draft, pairs(f), "m");
    const Scalar *r = axis(f, &draft, 2, "r"), *k = axis(f, &draft, half(f), "k");
    int rank = draft.rank;
    draft_slots(&f->d, &draft, &c->channels);
    Indices image_at = plain_indices(&draft, c->image, of_image), other_at = plain_indices(&draft, c->other, of_other);
    const Scalar *term[2];
    for (int q = 0; q < 2; q++)
        term[q] = multiply(f, load_behind(f, image, image_at, p, m, q == 0 ? r : other_part(f, r), k),
                           load_behind(f, other, other_at, p, m, number(f, q), k));
    double first = c->shift[0].summed_sign;
    const Scalar *sign = choose(f, equals(f, r, 0), first, -first);
    return draft_sum(&f->d, &draft, rank, add(f, term[0], multiply(f, sign, term[1])));
}

/* ---- results ---- */

/* c[..., m, t, r, k]: what the cosine multiplies, y[0, m, r, k] + y[1, m, r, k], and the sine: i times the difference. */
static const Node *result_sums(Fourier *f, const Node *products, const SlotList *outputs) {
    Draft draft = draft_new(&f->d, "spectral sums of %s", f->c.node);
    draft_slots(&f->d, &draft, outputs);
    const Scalar *m = axis(f, &draft, pairs(f), "m"), *t = axis(f, &draft, 2, "t");
    const Scalar *r = axis(f, &draft, 2, "r"), *k = axis(f, &draft, half(f), "k");
    Indices rest = {0};
    indices_slots(&rest, &draft, outputs);
    const Scalar *part = modulo(f, add(f, r, t), 2), *value[2];
    for (int p = 0; p < 2; p++) {
        const Scalar *is_negative = scalar_op2(f->d.pool, OP_AND, equals(f, t, 1), equals(f, r, p));
        value[p] = multiply(f, choose(f, is_negative, -1, 1), load_behind(f, products, rest, number(f, p), m, part, k));
    }
    return draft_map(&f->d, &draft, add(f, value[0], value[1]));
}

/* h[..., z, r, k] = sum(m, t) c[..., m, t, r, k] * b[z, m, t] */
static const Node *result_rows(Fourier *f, const Node *sums, const SlotList *outputs) {
    const Node *matrix = synthesise_pairs(f);
    Draft draft = draft_new(&f->d, "spectral rows of %s", f->c.node);
    draft_slots(&f->d, &draft, outputs);
    const Scalar *z = axis(f, &draft, output_size(&f->c, 0), "z");
    const Scalar *r = axis(f, &draft, 2, "r"), *k = axis(f, &draft, half(f), "k");
    int rank = draft.rank;
    const Scalar *m = axis(f, &draft, pairs(f), "m"), *t = axis(f, &draft, 2, "t");
    Indices rest = {0};
    indices_slots(&rest, &draft, outputs);
    const Scalar *from[] = {z, m, t};
    const Scalar *body = multiply(f, load_behind(f, sums, rest, m, t, r, k), scalar_load(f->d.pool, matrix, from));
    return draft_sum(&f->d, &draft, rank, body);
}

/* y = sum(r, k) h[..., z0, r, k] * m[r, k, z1] */
static const Node *results(Fourier *f) {
    SlotList outputs = plain_outputs(&f->c);
    const Node *sums = result_sums(f, multiply_spectra(f), &outputs);
    const Node *rows = result_rows(f, sums, &outputs), *matrix = synthesise_real(f);
    Draft draft = draft_of_node(&f->d);
    int rank = draft.rank;
    const Scalar *r = axis(f, &draft, 2, "r"), *k = axis(f, &draft, half(f), "k");
    Indices indices = {0};
    indices_slots(&indices, &draft, &outputs);
    indices_add(&indices, draft.slot[f->c.shift[0].output]);
    indices_add(&indices, r);
    indices_add(&indices, k);
    const Scalar *from[] = {r, k, draft.slot[f->c.shift[1].output]};
    const Scalar *body = multiply(f, scalar_load(f->d.pool, rows, indices.at), scalar_load(f->d.pool, matrix, from));
    return draft_sum(&f->d, &draft, rank, body);
}

/* ---- the choice ---- */

/* Both directions alike: a conjugate along one alone would want the other half of the frequencies. */
static bool turns_alike(const Correlation *c) {
    return c->shift[0].summed_sign == c->shift[1].summed_sign;
}

/* Equations have three axes more than the tensors that they are of. */
static bool has_room(const Correlation *c) {
    const int more = 3;
    return c->node->rank + more <= MAX_AXES && c->image->load.rank + more <= MAX_AXES &&
           c->other->load.rank + more <= MAX_AXES;
}

static const Node *rewrite_node(void *context, Graph *g, const Node *node) {
    const double clearly = 0.7;
    Fourier f = {.d = {.g = g, .pool = g->pool, .target = context, .node = node}};
    if (!correlation_find(g, node, &f.c) || !has_fixed_sizes(&f.c) || !turns_alike(&f.c) || !has_room(&f.c))
        return node;
    for (int d = 0; d < 2; d++)
        f.size[d] = circle(&f.c, d);
    if (!saves_operations(&f))
        return node;
    const Node *rewritten = results(&f);
    return f.d.cycles < clearly * estimate_cycles(g, f.d.target, node) ? rewritten : node;
}

int plan_fourier(Graph *g, const Target *target) {
    return graph_rebuild(g, rewrite_node, (void *)(uintptr_t)target);
}
