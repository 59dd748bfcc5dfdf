#include "plan/correlation.h"

#include "ir/linear.h"

bool slots_have(const SlotList *slots, int slot) {
    for (int i = 0; i < slots->count; i++)
        if (slots->at[i] == slot)
            return true;
    return false;
}

static void add_slot(SlotList *list, int slot) {
    list->at[list->count++] = slot;
}

/* ---- the shifts ---- */

/* An index variable, or the only element of an axis. */
static bool is_plain_index(const Scalar *at) {
    return at->kind == SCALAR_INDEX || at->kind == SCALAR_INT;
}

static bool is_unit(const LinearTerm *term) {
    return term->atom->kind == SCALAR_INDEX && (term->coefficient == 1 || term->coefficient == -1);
}

/* +-output +- summed + start. */
static bool find_shift(const Correlation *p, int axis, Shift *shift) {
    Linear form;
    if (!linear_of(p->image->load.at[axis], &form) || form.count != 2 || !is_unit(&form.terms[0]) ||
        !is_unit(&form.terms[1]) || form.terms[0].coefficient + form.terms[1].coefficient < 0)
        return false;
    int summed = form.terms[1].atom->index.slot >= p->node->rank ? 1 : 0;
    const LinearTerm *over = &form.terms[summed], *out = &form.terms[1 - summed];
    if (over->atom->index.slot < p->node->rank || out->atom->index.slot >= p->node->rank)
        return false;
    *shift = (Shift){.output = out->atom->index.slot,
                     .summed = over->atom->index.slot,
                     .output_sign = (int)out->coefficient,
                     .summed_sign = (int)over->coefficient,
                     .start = form.offset,
                     .image_axis = axis,
                     .other_axis = -1};
    return true;
}

static bool reads_slot(const Scalar *at, int slot) {
    return at->slots >> slot & 1;
}

static int axes_with(const Scalar *load, int slot) {
    int count = 0;
    for (int axis = 0; axis < load->load.rank; axis++)
        count += reads_slot(load->load.at[axis], slot);
    return count;
}

/* Two of them, whose slots are read nowhere else in the image. */
static bool find_shifts(Correlation *p) {
    int count = 0;
    for (int axis = 0; axis < p->image->load.rank; axis++) {
        if (is_plain_index(p->image->load.at[axis]))
            continue;
        if (count == 2 || !find_shift(p, axis, &p->shift[count++]))
            return false;
    }
    if (count < 2)
        return false;
    for (int d = 0; d < 2; d++)
        if (axes_with(p->image, p->shift[d].output) != 1 || axes_with(p->image, p->shift[d].summed) != 1)
            return false;
    return true;
}

/* ---- the other slots ---- */

enum { NOWHERE = -1, MIXED = -2 }; /* instead of an axis */

/* The only axis that is read at this slot, and at nothing else. */
static int plain_axis(const Scalar *load, int slot) {
    int found = NOWHERE;
    for (int axis = 0; axis < load->load.rank; axis++) {
        const Scalar *at = load->load.at[axis];
        if (reads_slot(at, slot))
            found = found == NOWHERE && at->kind == SCALAR_INDEX ? axis : MIXED;
    }
    return found;
}

static bool is_plain(const Scalar *load) {
    for (int axis = 0; axis < load->load.rank; axis++)
        if (!is_plain_index(load->load.at[axis]))
            return false;
    return true;
}

static bool is_shifted(const Correlation *p, int slot) {
    for (int d = 0; d < 2; d++)
        if (slot == p->shift[d].output || slot == p->shift[d].summed)
            return true;
    return false;
}

static bool place_slot(Correlation *p, int slot) {
    int image_axis = plain_axis(p->image, slot), other_axis = plain_axis(p->other, slot);
    if (image_axis == MIXED || other_axis == MIXED)
        return false;
    bool in_image = image_axis >= 0, in_other = other_axis >= 0, is_summed = slot >= p->node->rank;
    if (in_image && in_other)
        add_slot(is_summed ? &p->channels : &p->groups, slot);
    else if (!is_summed && in_image != in_other)
        add_slot(in_image ? &p->images : &p->filters, slot);
    else
        return false;
    return true;
}

static bool place_slots(Correlation *p) {
    for (int slot = 0; slot < p->node->rank + p->node->expr.reduced; slot++)
        if (!is_shifted(p, slot) && node_slot_extent(p->node, slot).size > 1 && !place_slot(p, slot))
            return false;
    return true;
}

/* The summed slot of each shift is an axis of the other factor, and the output slot is not. */
static bool match_other(Correlation *p) {
    if (!is_plain(p->other))
        return false;
    for (int d = 0; d < 2; d++) {
        Shift *shift = &p->shift[d];
        shift->other_axis = plain_axis(p->other, shift->summed);
        if (shift->other_axis < 0 || plain_axis(p->other, shift->output) != NOWHERE)
            return false;
    }
    return true;
}

/* ---- the body ---- */

/* Says the guard nothing but that the image is read within its two shifted axes? */
static bool guards_image(Graph *g, const Correlation *p, const Scalar *guard) {
    if (scalar_is_op(guard, OP_AND))
        return guards_image(g, p, guard->op.arg[0]) && guards_image(g, p, guard->op.arg[1]);
    for (int d = 0; d < 2; d++) {
        int axis = p->shift[d].image_axis;
        if (guard == scalar_within(g->pool, p->image->load.at[axis], p->image->load.tensor->shape[axis]))
            return true;
    }
    return false;
}

static bool find_with(Graph *g, const Node *node, const Scalar *guard, const Scalar *product, int image,
                      Correlation *found) {
    *found = (Correlation){
        .node = node, .image = product->op.arg[image], .other = product->op.arg[1 - image], .guarded = guard != NULL};
    return find_shifts(found) && match_other(found) && place_slots(found) && (!guard || guards_image(g, found, guard));
}

bool correlation_find(Graph *g, const Node *node, Correlation *found) {
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_SUM)
        return false;
    const Scalar *product = node->expr.body, *guard = NULL;
    if (scalar_is_op(product, OP_SELECT) && scalar_is_real(product->op.arg[2], 0)) {
        guard = product->op.arg[0];
        product = product->op.arg[1];
    }
    if (!scalar_is_op(product, OP_MUL))
        return false;
    for (int i = 0; i < 2; i++) {
        const Scalar *factor = product->op.arg[i];
        if (factor->kind != SCALAR_LOAD || factor->type != TYPE_REAL)
            return false;
    }
    return find_with(g, node, guard, product, 0, found) || find_with(g, node, guard, product, 1, found);
}
