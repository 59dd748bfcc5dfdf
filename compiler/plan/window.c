#include "plan/window.h"

#include "ir/linear.h"

/* ---- the windows ---- */

/* An index variable, or the only element of an axis. */
static bool is_plain_index(const Scalar *at) {
    return at->kind == SCALAR_INDEX || at->kind == SCALAR_INT;
}

static bool is_reduction(const Node *node, int slot) {
    return slot >= node->rank;
}

static bool has_taps(const Node *node, int slot) {
    return same_extent(node_slot_extent(node, slot), (Extent){TAPS, 0});
}

/* place + tap + start, or place - tap + start, of an output and a reduction slot; one of the two has as many values as a window has taps. */
static bool find_window(const WindowProduct *p, int axis, Window *window) {
    const Node *node = p->node;
    Linear form;
    if (!linear_of(p->image->load.at[axis], &form) || form.count != 2)
        return false;
    int plus = form.terms[0].coefficient == 1 ? 0 : 1;
    const LinearTerm *first = &form.terms[plus], *second = &form.terms[1 - plus];
    if (first->atom->kind != SCALAR_INDEX || second->atom->kind != SCALAR_INDEX || first->coefficient != 1)
        return false;
    int slot[2] = {first->atom->index.slot, second->atom->index.slot};
    if (is_reduction(node, slot[0]) == is_reduction(node, slot[1]))
        return false;
    int tap = has_taps(node, slot[1]) ? 1 : 0;
    if (!has_taps(node, slot[tap]))
        return false;
    bool reversed = second->coefficient == -1;
    if ((!reversed && second->coefficient != 1) || (reversed && tap == 0))
        return false;
    *window = (Window){.tap = slot[tap], .place = slot[1 - tap], .image_axis = axis, .other_axis = -1};
    window->reversed = reversed;
    window->start = form.offset - (reversed ? TAPS - 1 : 0);
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

/* Two of them, both with taps that are summed over, or both with taps that are outputs, which are read nowhere else in the image. */
static bool find_windows(WindowProduct *p) {
    int count = 0;
    for (int axis = 0; axis < p->image->load.rank; axis++) {
        if (is_plain_index(p->image->load.at[axis]))
            continue;
        if (count == 2 || !find_window(p, axis, &p->window[count++]))
            return false;
    }
    if (count < 2)
        return false;
    for (int w = 0; w < 2; w++)
        if (axes_with(p->image, p->window[w].tap) != 1 || axes_with(p->image, p->window[w].place) != 1)
            return false;
    p->gradient = !is_reduction(p->node, p->window[0].tap);
    return p->gradient == !is_reduction(p->node, p->window[1].tap);
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

static bool is_window_slot(const WindowProduct *p, int slot) {
    for (int w = 0; w < 2; w++)
        if (slot == p->window[w].tap || slot == p->window[w].place)
            return true;
    return false;
}

static void add_slot(SlotList *list, int slot) {
    list->at[list->count++] = slot;
}

static bool place_slot(WindowProduct *p, int slot) {
    int image_axis = plain_axis(p->image, slot), other_axis = plain_axis(p->other, slot);
    if (image_axis == MIXED || other_axis == MIXED)
        return false;
    bool in_image = image_axis >= 0, in_other = other_axis >= 0, summed = is_reduction(p->node, slot);
    if (in_other && !in_image && !summed)
        add_slot(&p->filters, slot);
    else if (in_image && in_other == summed)
        add_slot(summed == p->gradient ? &p->samples : &p->channels, slot);
    else
        return false;
    return true;
}

static bool place_slots(WindowProduct *p) {
    for (int slot = 0; slot < p->node->rank + p->node->expr.reduced; slot++)
        if (!is_window_slot(p, slot) && node_slot_extent(p->node, slot).size > 1 && !place_slot(p, slot))
            return false;
    return p->channels.count > 0 && p->filters.count > 0;
}

/* The summed slot of each window is an axis of the other factor, and the other slot is not. */
static bool match_other(WindowProduct *p) {
    if (!is_plain(p->other))
        return false;
    for (int w = 0; w < 2; w++) {
        Window *window = &p->window[w];
        int summed = p->gradient ? window->place : window->tap;
        int output = p->gradient ? window->tap : window->place;
        window->other_axis = plain_axis(p->other, summed);
        if (window->other_axis < 0 || plain_axis(p->other, output) != NOWHERE)
            return false;
    }
    return true;
}

static bool find_with(const Node *node, int image, WindowProduct *found) {
    const Scalar *body = node->expr.body;
    *found = (WindowProduct){.node = node, .image = body->op.arg[image], .other = body->op.arg[1 - image]};
    return find_windows(found) && match_other(found) && place_slots(found);
}

bool window_product_find(const Node *node, WindowProduct *found) {
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_SUM || !scalar_is_op(node->expr.body, OP_MUL))
        return false;
    for (int i = 0; i < 2; i++) {
        const Scalar *factor = node->expr.body->op.arg[i];
        if (factor->kind != SCALAR_LOAD || factor->type != TYPE_REAL)
            return false;
    }
    return find_with(node, 0, found) || find_with(node, 1, found);
}
