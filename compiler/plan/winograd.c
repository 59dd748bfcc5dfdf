/* winograd.c: sums over windows of 3x3 as products in another basis.
 *
 * Along one axis, two neighbouring sums of three products need four products (Winograd, Arithmetic complexity of computations, 1980):
 *
 *     y[0] = x[0] k[0] + x[1] k[1] + x[2] k[2]           y[0] = m[0] + m[1] + m[2]
 *     y[1] = x[1] k[0] + x[2] k[1] + x[3] k[2]           y[1] = m[1] - m[2] + m[3]
 *
 *     m[0] = (x[0] - x[2]) k[0]                          m[1] = (x[1] + x[2]) (k[0] + k[1] + k[2]) / 2
 *     m[3] = (x[3] - x[1]) k[2]                          m[2] = (x[1] - x[2]) (k[1] - k[0] - k[2]) / 2
 *
 * Applied along both axes of an image, to tiles of 2x2 results (Lavin and Gray, Fast algorithms for convolutional neural networks, 2016), the sum
 * over the channels becomes 16 products of matrices. The gradient of the kernel is the same identity read in another direction: the image is
 * transformed as it is here, the results as m is found from y, the kernel as k is found from m.
 *
 * The transforms are equations like any other: fusion, memory and threads need to know nothing of them. All that they read and make has its channels
 * last; images in another order are copied first, and results afterwards, unless the layout that is chosen next spares it (layout.h).
 */
#include "plan/winograd.h"

#include "plan/draft.h"
#include "plan/estimate.h"
#include "plan/window.h"

enum { BASIS = 4, TILE = 2 };

/* A window product that is rewritten. */
typedef struct Winograd {
    Drafting d;
    WindowProduct p;
} Winograd;

/* An equation that is being made, and where the basis and the tiles of the window product stand in it. */
typedef struct Tiled {
    Draft axes;
    const Scalar *basis[2], *tile[2], *tap[2];
} Tiled;

static Tiled tiled_new(const Winograd *w, const char *form, const Node *like) {
    return (Tiled){.axes = draft_new(&w->d, form, like)};
}

/* ---- axes ---- */

static void add_basis(const Winograd *w, Tiled *draft, int direction) {
    static const char *const letters[] = {"p", "q"};
    draft->basis[direction] = draft_axis(&w->d, &draft->axes, (Extent){BASIS, 0}, letters[direction]);
}

static void add_bases(const Winograd *w, Tiled *draft) {
    add_basis(w, draft, 0);
    add_basis(w, draft, 1);
}

static void add_tiles(const Winograd *w, Tiled *draft) {
    for (int d = 0; d < 2; d++) {
        int place = w->p.window[d].place;
        Extent extent = {node_slot_extent(w->p.node, place).size / TILE, 0};
        draft->tile[d] = draft_axis(&w->d, &draft->axes, extent, w->p.node->origin.axes[place]);
    }
}

static void add_tap(const Winograd *w, Tiled *draft, int direction) {
    int tap = w->p.window[direction].tap;
    draft->tap[direction] = draft_axis(&w->d, &draft->axes, (Extent){TAPS, 0}, w->p.node->origin.axes[tap]);
}

/* ---- scalars ---- */

static const Scalar *element(const Winograd *w, int64_t value) {
    return scalar_int(w->d.pool, value);
}

static const Scalar *add(const Winograd *w, const Scalar *a, const Scalar *b) {
    return scalar_op2(w->d.pool, OP_ADD, a, b);
}

static const Scalar *multiply(const Winograd *w, const Scalar *a, const Scalar *b) {
    return scalar_op2(w->d.pool, OP_MUL, a, b);
}

static const Scalar *is_at(const Winograd *w, const Scalar *index, int64_t value) {
    return scalar_op2(w->d.pool, OP_EQ, index, element(w, value));
}

/* yes where index == value. */
static const Scalar *choose(const Winograd *w, const Scalar *index, int64_t value, const Scalar *yes,
                            const Scalar *no) {
    return scalar_select(w->d.pool, is_at(w, index, value), yes, no);
}

/* 1 where index == value, -1 elsewhere. */
static const Scalar *sign(const Winograd *w, const Scalar *index, int64_t value) {
    return choose(w, index, value, scalar_real(w->d.pool, 1), scalar_real(w->d.pool, -1));
}

/* ---- the image ---- */

static const Scalar *image_value(const Winograd *w, const Tiled *draft, const Scalar *const offset[2]) {
    const Scalar *along[2];
    int axes[2];
    for (int d = 0; d < 2; d++) {
        const Window *window = &w->p.window[d];
        const Scalar *start = multiply(w, draft->tile[d], element(w, TILE));
        along[d] = add(w, add(w, start, offset[d]), element(w, window->start));
        axes[d] = window->image_axis;
    }
    return draft_factor(&w->d, &draft->axes, w->p.image, axes, along);
}

/* x[0] - x[2], x[1] + x[2], x[1] - x[2], x[3] - x[1]: x[first] + sign * x[second]. */
static const Scalar *image_body(const Winograd *w, const Tiled *draft) {
    const Scalar *first[2], *second[2], *signs[2];
    for (int d = 0; d < 2; d++) {
        const Scalar *basis = draft->basis[d];
        first[d] = choose(w, basis, 0, element(w, 0), choose(w, basis, 3, element(w, 3), element(w, 1)));
        second[d] = choose(w, basis, 3, element(w, 1), element(w, 2));
        signs[d] = sign(w, basis, 1);
    }
    const Scalar *column[2];
    for (int c = 0; c < 2; c++) {
        const Scalar *along = c == 0 ? first[1] : second[1];
        const Scalar *above = image_value(w, draft, (const Scalar *[]){first[0], along});
        const Scalar *below = image_value(w, draft, (const Scalar *[]){second[0], along});
        column[c] = add(w, above, multiply(w, signs[0], below));
    }
    return add(w, column[0], multiply(w, signs[1], column[1]));
}

/* The gradient's own copy has the two axes of the basis the other way round: one copy for both would be kept, four times as large as the image,
 * from the forward to the backward pass; two of them live in the caches. */
static const Node *transform_image(Winograd *w) {
    Tiled draft = tiled_new(w, w->p.gradient ? "again transformed %s" : "transformed %s", w->p.image->load.tensor);
    draft_slots(&w->d, &draft.axes, &w->p.samples);
    add_basis(w, &draft, w->p.gradient ? 1 : 0);
    add_basis(w, &draft, w->p.gradient ? 0 : 1);
    add_tiles(w, &draft);
    draft_slots(&w->d, &draft.axes, &w->p.channels);
    return draft_map(&w->d, &draft.axes, image_body(w, &draft));
}

static const Scalar *read_image(const Winograd *w, const Tiled *draft, const Node *image) {
    Indices indices = {0};
    indices_slots(&indices, &draft->axes, &w->p.samples);
    indices_add(&indices, draft->basis[w->p.gradient ? 1 : 0]);
    indices_add(&indices, draft->basis[w->p.gradient ? 0 : 1]);
    indices_pair(&indices, draft->tile);
    indices_slots(&indices, &draft->axes, &w->p.channels);
    return scalar_load(w->d.pool, image, indices.at);
}

/* ---- the kernel ---- */

/* k[u, v, c, f]: as it is read from here on, reversed windows the right way round. */
static const Node *order_kernel(Winograd *w) {
    bool reversed = w->p.window[0].reversed;
    Tiled draft = tiled_new(w, reversed ? "reversed %s" : "ordered %s", w->p.other->load.tensor);
    const Scalar *along[2];
    int axes[2];
    for (int d = 0; d < 2; d++) {
        const Window *window = &w->p.window[d];
        add_tap(w, &draft, d);
        along[d] = draft.tap[d];
        if (window->reversed)
            along[d] = scalar_op2(w->d.pool, OP_SUB, element(w, TAPS - 1), along[d]);
        axes[d] = window->other_axis;
    }
    draft_slots(&w->d, &draft.axes, &w->p.channels);
    draft_slots(&w->d, &draft.axes, &w->p.filters);
    return draft_map(&w->d, &draft.axes, draft_factor(&w->d, &draft.axes, w->p.other, axes, along));
}

static const Scalar *kernel_value(const Winograd *w, const Tiled *draft, const Node *kernel,
                                  const Scalar *const at[2]) {
    Indices indices = {0};
    indices_pair(&indices, at);
    indices_slots(&indices, &draft->axes, &w->p.channels);
    indices_slots(&indices, &draft->axes, &w->p.filters);
    return scalar_load(w->d.pool, kernel, indices.at);
}

/* k[0], (k[0] + k[1] + k[2]) / 2, (k[1] - k[0] - k[2]) / 2, k[2], along one direction; along the other the draft's tap or basis. */
static const Scalar *kernel_body(const Winograd *w, const Tiled *draft, const Node *kernel, int direction) {
    const Scalar *basis = draft->basis[direction], *k[TAPS];
    for (int tap = 0; tap < TAPS; tap++) {
        const Scalar *at[2] = {draft->basis[0], draft->tap[1]};
        at[direction] = element(w, tap);
        k[tap] = kernel_value(w, draft, kernel, at);
    }
    const Scalar *ends = multiply(w, sign(w, basis, 1), add(w, k[0], k[2]));
    const Scalar *middle = multiply(w, scalar_real(w->d.pool, 0.5), add(w, k[1], ends));
    return choose(w, basis, 0, k[0], choose(w, basis, 3, k[2], middle));
}

static const Node *transform_kernel(Winograd *w) {
    static const char *const forms[] = {"half transformed %s", "transformed %s"};
    const Node *kernel = order_kernel(w), *ordered = kernel;
    for (int d = 0; d < 2; d++) {
        Tiled draft = tiled_new(w, forms[d], ordered);
        add_basis(w, &draft, 0);
        if (d == 0)
            add_tap(w, &draft, 1);
        else
            add_basis(w, &draft, 1);
        draft_slots(&w->d, &draft.axes, &w->p.channels);
        draft_slots(&w->d, &draft.axes, &w->p.filters);
        kernel = draft_map(&w->d, &draft.axes, kernel_body(w, &draft, kernel, d));
    }
    return kernel;
}

/* ---- results ---- */

static void add_products(const Winograd *w, Tiled *draft) {
    draft_slots(&w->d, &draft->axes, &w->p.samples);
    add_bases(w, draft);
    add_tiles(w, draft);
    draft_slots(&w->d, &draft->axes, &w->p.filters);
}

static const Scalar *read_products(const Winograd *w, const Tiled *draft, const Node *products) {
    Indices indices = {0};
    indices_slots(&indices, &draft->axes, &w->p.samples);
    indices_pair(&indices, draft->basis);
    indices_pair(&indices, draft->tile);
    indices_slots(&indices, &draft->axes, &w->p.filters);
    return scalar_load(w->d.pool, products, indices.at);
}

/* m[s, p, q, i, j, f] = sum(c) x[s, p, q, i, j, c] * k[p, q, c, f] */
static const Node *multiply_image(Winograd *w, const Node *image, const Node *kernel) {
    Tiled draft = tiled_new(w, "products of %s", w->p.node);
    add_products(w, &draft);
    int rank = draft.axes.rank;
    draft_slots(&w->d, &draft.axes, &w->p.channels);
    const Scalar *k = kernel_value(w, &draft, kernel, draft.basis);
    return draft_sum(&w->d, &draft.axes, rank, multiply(w, read_image(w, &draft, image), k));
}

/* m[0] + m[1] + m[2], m[1] - m[2] + m[3]: m[1] + sign * m[2] + m[end]. */
static const Scalar *result_body(const Winograd *w, Tiled *draft, const Node *products) {
    const Scalar *signs[2], *end[2], *column[3];
    for (int d = 0; d < 2; d++) {
        const Scalar *place = draft->axes.slot[w->p.window[d].place], *tile = element(w, TILE);
        const Scalar *within = scalar_op2(w->d.pool, OP_MOD, place, tile);
        draft->tile[d] = scalar_op2(w->d.pool, OP_FLOORDIV, place, tile);
        signs[d] = sign(w, within, 0);
        end[d] = multiply(w, within, element(w, 3));
    }
    for (int c = 0; c < 3; c++) {
        const Scalar *m[3];
        for (int r = 0; r < 3; r++) {
            draft->basis[0] = r == 0 ? end[0] : element(w, r);
            draft->basis[1] = c == 0 ? end[1] : element(w, c);
            m[r] = read_products(w, draft, products);
        }
        column[c] = add(w, add(w, m[0], m[1]), multiply(w, signs[0], m[2]));
    }
    return add(w, add(w, column[0], column[1]), multiply(w, signs[1], column[2]));
}

/* The node's slots without these, then these. */
static SlotList outputs_with_last(const Winograd *w, const SlotList *last) {
    SlotList slots = {0};
    for (int slot = 0; slot < w->p.node->rank; slot++)
        if (!slots_have(last, slot))
            slots.at[slots.count++] = slot;
    for (int i = 0; i < last->count; i++)
        slots.at[slots.count++] = last->at[i];
    return slots;
}

static const Node *convolve(Winograd *w) {
    const Node *image = transform_image(w), *kernel = transform_kernel(w);
    const Node *products = multiply_image(w, image, kernel);
    SlotList order = outputs_with_last(w, &w->p.filters);
    Tiled draft = {.axes.origin = {.place = w->p.node->origin.place, .name = w->p.node->origin.name}};
    draft_slots(&w->d, &draft.axes, &order);
    const Node *result = draft_map(&w->d, &draft.axes, result_body(w, &draft, products));
    Tiled own = {.axes = draft_of_node(&w->d)};
    Indices indices = {0};
    indices_slots(&indices, &own.axes, &order);
    return draft_copy(&w->d, &own.axes, scalar_load(w->d.pool, result, indices.at));
}

/* ---- the gradient of the kernel ---- */

static const Scalar *result_value(const Winograd *w, const Tiled *draft, const Scalar *const offset[2]) {
    const Scalar *along[2];
    int axes[2];
    for (int d = 0; d < 2; d++) {
        along[d] = add(w, multiply(w, draft->tile[d], element(w, TILE)), offset[d]);
        axes[d] = w->p.window[d].other_axis;
    }
    return draft_factor(&w->d, &draft->axes, w->p.other, axes, along);
}

/* y[0], y[0] + y[1], y[0] - y[1], y[1]: y[first] + factor * y[1]. */
static const Node *transform_results(Winograd *w) {
    Tiled draft = tiled_new(w, "transformed %s", w->p.other->load.tensor);
    add_products(w, &draft);
    const Scalar *first[2], *factor[2], *column[2];
    for (int d = 0; d < 2; d++) {
        const Scalar *basis = draft.basis[d], *none = scalar_real(w->d.pool, 0);
        first[d] = choose(w, basis, 3, element(w, 1), element(w, 0));
        factor[d] = choose(w, basis, 0, none, choose(w, basis, 3, none, sign(w, basis, 1)));
    }
    for (int c = 0; c < 2; c++) {
        const Scalar *along = c == 0 ? first[1] : element(w, 1);
        const Scalar *above = result_value(w, &draft, (const Scalar *[]){first[0], along});
        const Scalar *below = result_value(w, &draft, (const Scalar *[]){element(w, 1), along});
        column[c] = add(w, above, multiply(w, factor[0], below));
    }
    return draft_map(&w->d, &draft.axes, add(w, column[0], multiply(w, factor[1], column[1])));
}

static void add_kernel(const Winograd *w, Tiled *draft) {
    add_bases(w, draft);
    draft_slots(&w->d, &draft->axes, &w->p.channels);
    draft_slots(&w->d, &draft->axes, &w->p.filters);
}

/* m[p, q, c, f] = sum(s, i, j) x[s, q, p, i, j, c] * y[s, p, q, i, j, f] */
static const Node *multiply_all(Winograd *w, const Node *image, const Node *results) {
    Tiled draft = tiled_new(w, "products of %s", w->p.node);
    add_kernel(w, &draft);
    int rank = draft.axes.rank;
    draft_slots(&w->d, &draft.axes, &w->p.samples);
    add_tiles(w, &draft);
    const Scalar *y = read_products(w, &draft, results);
    return draft_sum(&w->d, &draft.axes, rank, multiply(w, read_image(w, &draft, image), y));
}

/* m[0] + (m[1] - m[2]) / 2, (m[1] + m[2]) / 2, m[3] + (m[1] - m[2]) / 2, along one direction. */
static const Scalar *gradient_body(const Winograd *w, const Tiled *draft, const Node *products, int direction) {
    const Scalar *tap = draft->tap[direction], *m[3];
    const Scalar *ends = choose(w, tap, 0, element(w, 0), element(w, 3));
    for (int i = 0; i < 3; i++) {
        const Scalar *at[2] = {draft->tap[0], draft->basis[1]};
        at[direction] = i == 0 ? ends : element(w, i);
        m[i] = kernel_value(w, draft, products, at);
    }
    const Scalar *half = scalar_real(w->d.pool, 0.5);
    const Scalar *middle = multiply(w, half, add(w, m[1], multiply(w, sign(w, tap, 1), m[2])));
    return choose(w, tap, 1, middle, add(w, m[0], middle));
}

static const Node *transform_gradient(Winograd *w, const Node *products) {
    static const char *const forms[] = {"half transformed %s", "transformed %s"};
    for (int d = 0; d < 2; d++) {
        Tiled draft = tiled_new(w, forms[d], w->p.node);
        add_tap(w, &draft, 0);
        if (d == 0)
            add_basis(w, &draft, 1);
        else
            add_tap(w, &draft, 1);
        draft_slots(&w->d, &draft.axes, &w->p.channels);
        draft_slots(&w->d, &draft.axes, &w->p.filters);
        products = draft_map(&w->d, &draft.axes, gradient_body(w, &draft, products, d));
    }
    return products;
}

static const Node *differentiate_kernel(Winograd *w) {
    const Node *image = transform_image(w), *results = transform_results(w);
    const Node *products = multiply_all(w, image, results);
    const Node *gradient = transform_gradient(w, products);
    Tiled draft = {.axes = draft_of_node(&w->d)};
    const Scalar *at[2];
    for (int d = 0; d < 2; d++) {
        at[d] = draft.axes.slot[w->p.window[d].tap];
        if (w->p.window[d].reversed)
            at[d] = scalar_op2(w->d.pool, OP_SUB, element(w, TAPS - 1), at[d]);
    }
    return draft_map(&w->d, &draft.axes, kernel_value(w, &draft, gradient, at));
}

/* ---- channels last ---- */

/* The factor, read from a copy whose axes under these slots stand behind the others. */
static const Scalar *with_last(const Winograd *w, const Scalar *factor, const SlotList *slots) {
    const Node *tensor = factor->load.tensor;
    Draft draft = {.origin = {.place = tensor->origin.place, .name = tensor->origin.name}};
    const Scalar *from[MAX_AXES], *at[MAX_AXES];
    for (int last = 0; last < 2; last++)
        for (int axis = 0; axis < tensor->rank; axis++) {
            const Scalar *index = factor->load.at[axis];
            bool listed = index->kind == SCALAR_INDEX && slots_have(slots, index->index.slot);
            if (listed != (last == 1))
                continue;
            at[draft.rank] = index;
            from[axis] = draft_axis(&w->d, &draft, tensor->shape[axis], tensor->origin.axes[axis]);
        }
    return scalar_load(w->d.pool, draft_copy(&w->d, &draft, scalar_load(w->d.pool, tensor, from)), at);
}

/* The same window product of such copies. */
static bool read_channels_last(Winograd *w) {
    const Node *node = w->p.node;
    const Scalar *image = with_last(w, w->p.image, &w->p.channels);
    const Scalar *other = w->p.gradient ? with_last(w, w->p.other, &w->p.filters) : w->p.other;
    const Node *same = graph_expr(w->d.g, node->rank, node->shape, REDUCE_SUM, node->expr.reduced, node->expr.extents,
                                  multiply(w, image, other), node->origin);
    w->d.node = same;
    return window_product_find(w->d.g, same, &w->p);
}

/* ---- the choice ---- */

static bool has_whole_tiles(const WindowProduct *p) {
    for (int d = 0; d < 2; d++) {
        Extent extent = node_slot_extent(p->node, p->window[d].place);
        if (extent.per_sample > 0 || extent.size % TILE != 0)
            return false;
    }
    return true;
}

static const Node *rewrite_node(void *context, Graph *g, const Node *node) {
    const double clearly = 0.8;
    Winograd w = {.d = {.g = g, .pool = g->pool, .target = context, .node = node}};
    if (!window_product_find(g, node, &w.p) || !has_whole_tiles(&w.p) || !read_channels_last(&w))
        return node;
    const Node *rewritten = w.p.gradient ? differentiate_kernel(&w) : convolve(&w);
    return w.d.cycles < clearly * estimate_cycles(g, w.d.target, node) ? rewritten : node;
}

int plan_winograd(Graph *g, const Target *target) {
    return graph_rebuild(g, rewrite_node, (void *)(uintptr_t)target);
}
