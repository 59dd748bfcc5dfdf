#include "plan/draft.h"

#include "plan/estimate.h"

Draft draft_new(const Drafting *d, const char *form, const Node *like) {
    Draft draft = {.origin = {.place = d->node->origin.place}};
    draft.origin.name = arena_printf(d->g->arena, form, like->origin.name ? like->origin.name : "values");
    return draft;
}

Draft draft_of_node(const Drafting *d) {
    const Node *node = d->node;
    Draft draft = {.rank = node->rank, .origin = node->origin};
    for (int slot = 0; slot < node->rank; slot++) {
        draft.shape[slot] = node->shape[slot];
        draft.slot[slot] = node_slot(d->g, node, slot);
    }
    return draft;
}

const Scalar *draft_axis(const Drafting *d, Draft *draft, Extent extent, const char *letter) {
    draft->shape[draft->rank] = extent;
    draft->origin.axes[draft->rank] = letter;
    return scalar_index(d->pool, draft->rank++, extent);
}

void draft_slots(const Drafting *d, Draft *draft, const SlotList *slots) {
    for (int i = 0; i < slots->count; i++) {
        int slot = slots->at[i];
        Extent extent = node_slot_extent(d->node, slot);
        draft->slot[slot] = draft_axis(d, draft, extent, d->node->origin.axes[slot]);
    }
}

const Node *draft_copy(const Drafting *d, const Draft *draft, const Scalar *body) {
    return graph_expr(d->g, draft->rank, draft->shape, REDUCE_NONE, 0, NULL, body, draft->origin);
}

const Node *draft_map(Drafting *d, const Draft *draft, const Scalar *body) {
    const Node *node = draft_copy(d, draft, body);
    d->cycles += estimate_cycles(d->g, d->target, node);
    return node;
}

const Node *draft_sum(Drafting *d, const Draft *draft, int rank, const Scalar *body) {
    const Node *node =
        graph_expr(d->g, rank, draft->shape, REDUCE_SUM, draft->rank - rank, draft->shape + rank, body, draft->origin);
    d->cycles += estimate_cycles(d->g, d->target, node);
    return node;
}

/* ---- reading them ---- */

void indices_add(Indices *indices, const Scalar *at) {
    indices->at[indices->count++] = at;
}

void indices_slots(Indices *indices, const Draft *draft, const SlotList *slots) {
    for (int i = 0; i < slots->count; i++)
        indices_add(indices, draft->slot[slots->at[i]]);
}

void indices_pair(Indices *indices, const Scalar *const pair[2]) {
    indices_add(indices, pair[0]);
    indices_add(indices, pair[1]);
}

const Scalar *draft_factor(const Drafting *d, const Draft *draft, const Scalar *factor, const int axes[2],
                           const Scalar *const along[2]) {
    const Scalar *at[MAX_AXES];
    for (int axis = 0; axis < factor->load.rank; axis++) {
        const Scalar *index = factor->load.at[axis];
        at[axis] = index->kind == SCALAR_INDEX ? draft->slot[index->index.slot] : index;
    }
    for (int i = 0; i < 2; i++)
        at[axes[i]] = along[i];
    return scalar_load(d->pool, factor->load.tensor, at);
}
