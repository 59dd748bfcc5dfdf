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

/* ---- scalars ---- */

static const Scalar *element(const Winograd *w, int64_t value) {
    return scalar_int(w->pool, value);
}

static const Scalar *add(const Winograd *w, const Scalar *a, const Scalar *b) {
    return scalar_op2(w->pool, OP_ADD, a, b);
}

static const Scalar *multiply(const Winograd *w, const Scalar *a, const Scalar *b) {
    return scalar_op2(w->pool, OP_MUL, a, b);
}

static const Scalar *is_at(const Winograd *w, const Scalar *index, int64_t value) {
    return scalar_op2(w->pool, OP_EQ, index, element(w, value));
}

/* yes where index == value. */
static const Scalar *choose(const Winograd *w, const Scalar *index, int64_t value, const Scalar *yes,
                            const Scalar *no) {
    return scalar_select(w->pool, is_at(w, index, value), yes, no);
}

/* 1 where index == value, -1 elsewhere. */
static const Scalar *sign(const Winograd *w, const Scalar *index, int64_t value) {
    return choose(w, index, value, scalar_real(w->pool, 1), scalar_real(w->pool, -1));
}

/* ---- the image ---- */

static const Scalar *image_value(const Winograd *w, const Draft *draft, const Scalar *const offset[2]) {
    const Scalar *along[2];
    int axes[2];
    for (int d = 0; d < 2; d++) {
        const Window *window = &w->p.window[d];
        const Scalar *start = multiply(w, draft->tile[d], element(w, TILE));
        along[d] = add(w, add(w, start, offset[d]), element(w, window->start));
        axes[d] = window->image_axis;
    }
    return draft_factor(w, draft, w->p.image, axes, along);
}

/* x[0] - x[2], x[1] + x[2], x[1] - x[2], x[3] - x[1]: x[first] + sign * x[second]. */
static const Scalar *image_body(const Winograd *w, const Draft *draft) {
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
    Draft draft = draft_new(w, w->p.gradient ? "again transformed %s" : "transformed %s", w->p.image->load.tensor);
    draft_slots(w, &draft, &w->p.samples);
    draft_basis(w, &draft, w->p.gradient ? 1 : 0);
    draft_basis(w, &draft, w->p.gradient ? 0 : 1);
    draft_tiles(w, &draft);
    draft_slots(w, &draft, &w->p.channels);
    return draft_map(w, &draft, image_body(w, &draft));
}

static const Scalar *read_image(const Winograd *w, const Draft *draft, const Node *image) {
    Indices indices = {0};
    indices_slots(&indices, draft, &w->p.samples);
    indices_add(&indices, draft->basis[w->p.gradient ? 1 : 0]);
    indices_add(&indices, draft->basis[w->p.gradient ? 0 : 1]);
    indices_pair(&indices, draft->tile);
    indices_slots(&indices, draft, &w->p.channels);
    return scalar_load(w->pool, image, indices.at);
}

/* ---- the kernel ---- */

/* k[u, v, c, f]: as it is read from here on, reversed windows the right way round. */
static const Node *order_kernel(Winograd *w) {
    bool reversed = w->p.window[0].reversed;
    Draft draft = draft_new(w, reversed ? "reversed %s" : "ordered %s", w->p.other->load.tensor);
    const Scalar *along[2];
    int axes[2];
    for (int d = 0; d < 2; d++) {
        const Window *window = &w->p.window[d];
        draft_tap(w, &draft, d);
        along[d] = draft.tap[d];
        if (window->reversed)
            along[d] = scalar_op2(w->pool, OP_SUB, element(w, TAPS - 1), along[d]);
        axes[d] = window->other_axis;
    }
    draft_slots(w, &draft, &w->p.channels);
    draft_slots(w, &draft, &w->p.filters);
    return draft_map(w, &draft, draft_factor(w, &draft, w->p.other, axes, along));
}

static const Scalar *kernel_value(const Winograd *w, const Draft *draft, const Node *kernel,
                                  const Scalar *const at[2]) {
    Indices indices = {0};
    indices_pair(&indices, at);
    indices_slots(&indices, draft, &w->p.channels);
    indices_slots(&indices, draft, &w->p.filters);
    return scalar_load(w->pool, kernel, indices.at);
}

/* k[0], (k[0] + k[1] + k[2]) / 2, (k[1] - k[0] - k[2]) / 2, k[2], along one direction; along the other the draft's tap or basis. */
static const Scalar *kernel_body(const Winograd *w, const Draft *draft, const Node *kernel, int direction) {
    const Scalar *basis = draft->basis[direction], *k[TAPS];
    for (int tap = 0; tap < TAPS; tap++) {
        const Scalar *at[2] = {draft->basis[0], draft->tap[1]};
        at[direction] = element(w, tap);
        k[tap] = kernel_value(w, draft, kernel, at);
    }
    const Scalar *ends = multiply(w, sign(w, basis, 1), add(w, k[0], k[2]));
    const Scalar *middle = multiply(w, scalar_real(w->pool, 0.5), add(w, k[1], ends));
    return choose(w, basis, 0, k[0], choose(w, basis, 3, k[2], middle));
}

static const Node *transform_kernel(Winograd *w) {
    static const char *const forms[] = {"half transformed %s", "transformed %s"};
    const Node *kernel = order_kernel(w), *ordered = kernel;
    for (int d = 0; d < 2; d++) {
        Draft draft = draft_new(w, forms[d], ordered);
        draft_basis(w, &draft, 0);
        if (d == 0)
            draft_tap(w, &draft, 1);
        else
            draft_basis(w, &draft, 1);
        draft_slots(w, &draft, &w->p.channels);
        draft_slots(w, &draft, &w->p.filters);
        kernel = draft_map(w, &draft, kernel_body(w, &draft, kernel, d));
    }
    return kernel;
}

/* ---- results ---- */

static void add_products(const Winograd *w, Draft *draft) {
    draft_slots(w, draft, &w->p.samples);
    draft_bases(w, draft);
    draft_tiles(w, draft);
    draft_slots(w, draft, &w->p.filters);
}

static const Scalar *read_products(const Winograd *w, const Draft *draft, const Node *products) {
    Indices indices = {0};
    indices_slots(&indices, draft, &w->p.samples);
    indices_pair(&indices, draft->basis);
    indices_pair(&indices, draft->tile);
    indices_slots(&indices, draft, &w->p.filters);
    return scalar_load(w->pool, products, indices.at);
}

/* m[s, p, q, i, j, f] = sum(c) x[s, p, q, i, j, c] * k[p, q, c, f] */
static const Node *multiply_image(Winograd *w, const Node *image, const Node *kernel) {
    Draft draft = draft_new(w, "products of %s", w->p.node);
    add_products(w, &draft);
    int rank = draft.rank;
    draft_slots(w, &draft, &w->p.channels);
    const Scalar *k = kernel_value(w, &draft, kernel, draft.basis);
    return draft_sum(w, &draft, rank, multiply(w, read_image(w, &draft, image), k));
}

/* The draft of the node itself. */
static Draft node_draft(const Winograd *w) {
    const Node *node = w->p.node;
    Draft draft = {.rank = node->rank, .origin = node->origin};
    for (int slot = 0; slot < node->rank; slot++) {
        draft.shape[slot] = node->shape[slot];
        draft.slot[slot] = node_slot(w->g, node, slot);
    }
    return draft;
}

/* m[0] + m[1] + m[2], m[1] - m[2] + m[3]: m[1] + sign * m[2] + m[end]. */
static const Scalar *result_body(const Winograd *w, Draft *draft, const Node *products) {
    const Scalar *signs[2], *end[2], *column[3];
    for (int d = 0; d < 2; d++) {
        const Scalar *place = draft->slot[w->p.window[d].place], *tile = element(w, TILE);
        const Scalar *within = scalar_op2(w->pool, OP_MOD, place, tile);
        draft->tile[d] = scalar_op2(w->pool, OP_FLOORDIV, place, tile);
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
    Draft draft = {.origin = {.place = w->p.node->origin.place, .name = w->p.node->origin.name}};
    draft_slots(w, &draft, &order);
    const Node *result = draft_map(w, &draft, result_body(w, &draft, products));
    Draft own = node_draft(w);
    Indices indices = {0};
    indices_slots(&indices, &own, &order);
    return draft_copy(w, &own, scalar_load(w->pool, result, indices.at));
}

/* ---- the gradient of the kernel ---- */

static const Scalar *result_value(const Winograd *w, const Draft *draft, const Scalar *const offset[2]) {
    const Scalar *along[2];
    int axes[2];
    for (int d = 0; d < 2; d++) {
        along[d] = add(w, multiply(w, draft->tile[d], element(w, TILE)), offset[d]);
        axes[d] = w->p.window[d].other_axis;
    }
    return draft_factor(w, draft, w->p.other, axes, along);
}

/* y[0], y[0] + y[1], y[0] - y[1], y[1]: y[first] + factor * y[1]. */
static const Node *transform_results(Winograd *w) {
    Draft draft = draft_new(w, "transformed %s", w->p.other->load.tensor);
    add_products(w, &draft);
    const Scalar *first[2], *factor[2], *column[2];
    for (int d = 0; d < 2; d++) {
        const Scalar *basis = draft.basis[d], *none = scalar_real(w->pool, 0);
        first[d] = choose(w, basis, 3, element(w, 1), element(w, 0));
        factor[d] = choose(w, basis, 0, none, choose(w, basis, 3, none, sign(w, basis, 1)));
    }
    for (int c = 0; c < 2; c++) {
        const Scalar *along = c == 0 ? first[1] : element(w, 1);
        const Scalar *above = result_value(w, &draft, (const Scalar *[]){first[0], along});
        const Scalar *below = result_value(w, &draft, (const Scalar *[]){element(w, 1), along});
        column[c] = add(w, above, multiply(w, factor[0], below));
    }
    return draft_map(w, &draft, add(w, column[0], multiply(w, factor[1], column[1])));
}

static void add_kernel(const Winograd *w, Draft *draft) {
    draft_bases(w, draft);
    draft_slots(w, draft, &w->p.channels);
    draft_slots(w, draft, &w->p.filters);
}

/* m[p, q, c, f] = sum(s, i, j) x[s, q, p, i, j, c] * y[s, p, q, i, j, f] */
static const Node *multiply_all(Winograd *w, const Node *image, const Node *results) {
    Draft draft = draft_new(w, "products of %s", w->p.node);
    add_kernel(w, &draft);
    int rank = draft.rank;
    draft_slots(w, &draft, &w->p.samples);
    draft_tiles(w, &draft);
    const Scalar *y = read_products(w, &draft, results);
    return draft_sum(w, &draft, rank, multiply(w, read_image(w, &draft, image), y));
}

/* m[0] + (m[1] - m[2]) / 2, (m[1] + m[2]) / 2, m[3] + (m[1] - m[2]) / 2, along one direction. */
static const Scalar *gradient_body(const Winograd *w, const Draft *draft, const Node *products, int direction) {
    const Scalar *tap = draft->tap[direction], *m[3];
    const Scalar *ends = choose(w, tap, 0, element(w, 0), element(w, 3));
    for (int i = 0; i < 3; i++) {
        const Scalar *at[2] = {draft->tap[0], draft->basis[1]};
        at[direction] = i == 0 ? ends : element(w, i);
        m[i] = kernel_value(w, draft, products, at);
    }
    const Scalar *half = scalar_real(w->pool, 0.5);
    const Scalar *middle = multiply(w, half, add(w, m[1], multiply(w, sign(w, tap, 1), m[2])));
    return choose(w, tap, 1, middle, add(w, m[0], middle));
}

static const Node *transform_gradient(Winograd *w, const Node *products) {
    static const char *const forms[] = {"half transformed %s", "transformed %s"};
    for (int d = 0; d < 2; d++) {
        Draft draft = draft_new(w, forms[d], w->p.node);
        draft_tap(w, &draft, 0);
        if (d == 0)
            draft_basis(w, &draft, 1);
        else
            draft_tap(w, &draft, 1);
        draft_slots(w, &draft, &w->p.channels);
        draft_slots(w, &draft, &w->p.filters);
        products = draft_map(w, &draft, gradient_body(w, &draft, products, d));
    }
    return products;
}

static const Node *differentiate_kernel(Winograd *w) {
    const Node *image = transform_image(w), *results = transform_results(w);
    const Node *products = multiply_all(w, image, results);
    const Node *gradient = transform_gradient(w, products);
    Draft draft = node_draft(w);
    const Scalar *at[2];
    for (int d = 0; d < 2; d++) {
        at[d] = draft.slot[w->p.window[d].tap];
        if (w->p.window[d].reversed)
            at[d] = scalar_op2(w->pool, OP_SUB, element(w, TAPS - 1), at[d]);
    }
    return draft_map(w, &draft, kernel_value(w, &draft, gradient, at));
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
            from[axis] = draft_axis(w, &draft, tensor->shape[axis], tensor->origin.axes[axis]);
        }
    return scalar_load(w->pool, draft_copy(w, &draft, scalar_load(w->pool, tensor, from)), at);
}

/* The same window product of such copies. */
static bool read_channels_last(Winograd *w) {
    const Node *node = w->p.node;
    const Scalar *image = with_last(w, w->p.image, &w->p.channels);
    const Scalar *other = w->p.gradient ? with_last(w, w->p.other, &w->p.filters) : w->p.other;
    const Node *same = graph_expr(w->g, node->rank, node->shape, REDUCE_SUM, node->expr.reduced, node->expr.extents,
                                  multiply(w, image, other), node->origin);
    return window_product_find(same, &w->p);
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
    Winograd w = {.g = g, .pool = g->pool, .target = context};
    if (!window_product_find(node, &w.p) || !has_whole_tiles(&w.p) || !read_channels_last(&w))
        return node;
    const Node *rewritten = w.p.gradient ? differentiate_kernel(&w) : convolve(&w);
    return w.cycles < clearly * estimate_cycles(g, w.target, node) ? rewritten : node;
}

int plan_winograd(Graph *g, const Target *target) {
    return graph_rebuild(g, rewrite_node, (void *)(uintptr_t)target);
}
