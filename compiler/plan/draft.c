#include "plan/draft.h"

#include "plan/estimate.h"

Draft draft_new(const Winograd *w, const char *form, const Node *like) {
    Draft draft = {.origin = {.place = w->p.node->origin.place}};
    draft.origin.name = arena_printf(w->g->arena, form, like->origin.name ? like->origin.name : "values");
    return draft;
}

const Scalar *draft_axis(const Winograd *w, Draft *draft, Extent extent, const char *letter) {
    draft->shape[draft->rank] = extent;
    draft->origin.axes[draft->rank] = letter;
    return scalar_index(w->pool, draft->rank++, extent);
}

void draft_slots(const Winograd *w, Draft *draft, const SlotList *slots) {
    for (int i = 0; i < slots->count; i++) {
        int slot = slots->at[i];
        Extent extent = node_slot_extent(w->p.node, slot);
        draft->slot[slot] = draft_axis(w, draft, extent, w->p.node->origin.axes[slot]);
    }
}

bool slots_have(const SlotList *slots, int slot) {
    for (int i = 0; i < slots->count; i++)
        if (slots->at[i] == slot)
            return true;
    return false;
}

void draft_basis(const Winograd *w, Draft *draft, int direction) {
    static const char *const letters[] = {"p", "q"};
    draft->basis[direction] = draft_axis(w, draft, (Extent){BASIS, 0}, letters[direction]);
}

void draft_bases(const Winograd *w, Draft *draft) {
    draft_basis(w, draft, 0);
    draft_basis(w, draft, 1);
}

void draft_tiles(const Winograd *w, Draft *draft) {
    for (int d = 0; d < 2; d++) {
        int place = w->p.window[d].place;
        Extent extent = {node_slot_extent(w->p.node, place).size / TILE, 0};
        draft->tile[d] = draft_axis(w, draft, extent, w->p.node->origin.axes[place]);
    }
}

void draft_tap(const Winograd *w, Draft *draft, int direction) {
    int tap = w->p.window[direction].tap;
    draft->tap[direction] = draft_axis(w, draft, (Extent){TAPS, 0}, w->p.node->origin.axes[tap]);
}

const Node *draft_copy(const Winograd *w, const Draft *draft, const Scalar *body) {
    return graph_expr(w->g, draft->rank, draft->shape, REDUCE_NONE, 0, NULL, body, draft->origin);
}

const Node *draft_map(Winograd *w, const Draft *draft, const Scalar *body) {
    const Node *node = draft_copy(w, draft, body);
    w->cycles += estimate_cycles(w->g, w->target, node);
    return node;
}

const Node *draft_sum(Winograd *w, const Draft *draft, int rank, const Scalar *body) {
    const Node *node =
        graph_expr(w->g, rank, draft->shape, REDUCE_SUM, draft->rank - rank, draft->shape + rank, body, draft->origin);
    w->cycles += estimate_cycles(w->g, w->target, node);
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

const Scalar *draft_factor(const Winograd *w, const Draft *draft, const Scalar *factor, const int axes[2],
                           const Scalar *const along[2]) {
    const Scalar *at[MAX_AXES];
    for (int axis = 0; axis < factor->load.rank; axis++) {
        const Scalar *index = factor->load.at[axis];
        at[axis] = index->kind == SCALAR_INDEX ? draft->slot[index->index.slot] : index;
    }
    for (int d = 0; d < 2; d++)
        at[axes[d]] = along[d];
    return scalar_load(w->pool, factor->load.tensor, at);
}
