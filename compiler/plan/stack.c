/* stack.c: equal sums over different tensors become one sum over a stack of the tensors.
 *
 *     d[n, k] = p0[n, k] + p1[n, k] + ...                       A[b, s, n] = y_s[b, n];   B[b, s, k] = x_s[b, k]
 *     p_s[n, k] = sum(b) y_s[b, n] * x_s[b, k]                  d[n, k] = sum(b, s) A[b, s, n] * B[b, s, k]
 *
 * That is the gradient of a parameter that a recurrence reads at each of its steps: hundreds of short sums, each of which would be stored and read
 * again. Where an equation puts the same tensors side by side already, it is the stack: the steps of a recurrence are, for what they share outside
 * of it.
 */
#include "plan/stack.h"

#include "ir/cost.h"
#include "plan/terms.h"

enum { FEWEST_TERMS = 4, MOST_FACTORS = 2 };

/* Where a tensor stands in a stack. */
typedef struct Stacked {
    const Node *stack;
    int axis;
    int64_t place;
} Stacked;

typedef VEC(Stacked) StackedList;

typedef struct Stacker {
    Graph *g;
    const Target *target;
    Arena *scratch;
    PointerMap *stacked; /* of each tensor that stands in a stack: the first `Stacked` that was found */
} Stacker;

/* ---- stacks ---- */

/* select(i_axis == place, tensor[the other slots], 0). As many samples as there are may be fewer than the places. */
static bool read_layer(const Node *node, const Scalar *term, Stacked *layer, const Node **tensor) {
    if (!scalar_is_op(term, OP_SELECT) || !scalar_is_op(term->op.arg[0], OP_EQ) || !scalar_is_real(term->op.arg[2], 0))
        return false;
    const Scalar *slot = term->op.arg[0]->op.arg[0], *place = term->op.arg[0]->op.arg[1], *load = term->op.arg[1];
    if (slot->kind != SCALAR_INDEX || place->kind != SCALAR_INT || load->kind != SCALAR_LOAD ||
        load->load.rank != node->rank - 1 || slot->index.extent.per_sample != 0 || !is_at_slots(load, slot->index.slot))
        return false;
    *layer = (Stacked){node, slot->index.slot, place->integer};
    *tensor = load->load.tensor;
    return true;
}

static bool is_map(const Node *node) {
    return node->kind == NODE_EXPR && node->expr.reduce == REDUCE_NONE && node->type == TYPE_REAL;
}

/* Notes the tensors of a stack: no two of them stand at one place. */
static void note_stack(Stacker *s, const Node *node) {
    const ScalarList terms = terms_of(s->scratch, node->expr.body);
    StackedList layers = {0};
    NodeList tensors = {0};
    bool *taken = NULL;
    for (size_t i = 0; i < terms.count; i++) {
        Stacked layer;
        const Node *tensor;
        if (!read_layer(node, terms.at[i], &layer, &tensor) || (i > 0 && layer.axis != layers.at[0].axis))
            return;
        taken = i > 0 ? taken : arena_array(s->scratch, bool, (size_t)node->shape[layer.axis].size);
        if (taken[layer.place])
            return;
        taken[layer.place] = true;
        vec_push(s->scratch, &layers, layer);
        vec_push(s->scratch, &tensors, tensor);
    }
    for (size_t i = 0; i < layers.count && layers.count >= FEWEST_TERMS; i++)
        if (!pointer_map_get(s->stacked, tensors.at[i]))
            pointer_map_put(s->stacked, tensors.at[i], &layers.at[i]);
}

static void find_stacks(Stacker *s) {
    const NodeList order = graph_order(s->g, s->scratch, NULL);
    for (size_t i = 0; i < order.count; i++)
        if (is_map(order.at[i]))
            note_stack(s, order.at[i]);
}

/* ---- sums of one form ---- */

/* sum over r of a load, or of the product of two. */
typedef struct Part {
    const Node *node;
    int count;
    const Scalar *factor[MOST_FACTORS];
} Part;

typedef VEC(Part) PartList;

static bool read_part(const Scalar *term, Part *part) {
    if (term->kind != SCALAR_LOAD || !is_at_slots(term, -1))
        return false;
    const Node *node = term->load.tensor;
    if (node->kind != NODE_EXPR || node->expr.reduce != REDUCE_SUM || node->type != TYPE_REAL ||
        node->rank + node->expr.reduced >= MAX_AXES)
        return false;
    const Scalar *body = node->expr.body;
    bool product = scalar_is_op(body, OP_MUL);
    *part = (Part){node, product ? 2 : 1, {product ? body->op.arg[0] : body, product ? body->op.arg[1] : NULL}};
    for (int i = 0; i < part->count; i++)
        if (part->factor[i]->kind != SCALAR_LOAD || part->factor[i]->type != TYPE_REAL)
            return false;
    return true;
}

static bool same_load(const Scalar *a, const Scalar *b) {
    if (!node_same_shape(a->load.tensor, b->load.tensor))
        return false;
    for (int d = 0; d < a->load.rank; d++)
        if (a->load.at[d] != b->load.at[d])
            return false;
    return true;
}

/* Of one form, but for the tensors; their factors are put into the same order. */
static bool make_alike(const Part *like, Part *part) {
    if (like->count != part->count || like->node->expr.reduced != part->node->expr.reduced)
        return false;
    for (int r = 0; r < like->node->expr.reduced; r++)
        if (!same_extent(like->node->expr.extents[r], part->node->expr.extents[r]))
            return false;
    if (like->count == 1)
        return same_load(like->factor[0], part->factor[0]);
    if (!same_load(like->factor[0], part->factor[0])) {
        const Scalar *first = part->factor[0];
        part->factor[0] = part->factor[1];
        part->factor[1] = first;
    }
    return same_load(like->factor[0], part->factor[0]) && same_load(like->factor[1], part->factor[1]);
}

/* ---- the stack that a factor reads ---- */

/* For one factor of all parts. */
typedef struct Layers {
    const Node *stack;
    int axis;
    int64_t first; /* the part s reads the layer first + s */
} Layers;

/* A stack that has the layers of the parts one after the other. */
static bool find_layers(const Stacker *s, const PartList *parts, int factor, Layers *layers) {
    for (size_t i = 0; i < parts->count; i++) {
        const Stacked *at = pointer_map_get(s->stacked, parts->at[i].factor[factor]->load.tensor);
        if (i == 0 && at)
            *layers = (Layers){at->stack, at->axis, at->place};
        if (!at || at->stack != layers->stack || at->place != layers->first + (int64_t)i)
            return false;
    }
    return true;
}

/* Parts in the order in which a stack has the tensors of the factor. */
static void sort_by_layers(const Stacker *s, PartList *parts, int factor) {
    for (size_t i = 1; i < parts->count; i++) {
        const Part part = parts->at[i];
        const Stacked *at = pointer_map_get(s->stacked, part.factor[factor]->load.tensor), *before;
        size_t k = i;
        for (; k > 0 && at; k--) {
            before = pointer_map_get(s->stacked, parts->at[k - 1].factor[factor]->load.tensor);
            if (!before || before->place <= at->place)
                break;
            parts->at[k] = parts->at[k - 1];
        }
        parts->at[k] = part;
    }
}

/* Samples stay the first axis, so that what belongs to one of them stays together. */
static int axis_of_new_stack(const Graph *g, const Node *tensor) {
    return tensor->rank > 0 && same_extent(tensor->shape[0], g->batch) ? 1 : 0;
}

static Layers make_layers(const Stacker *s, const PartList *parts, int factor) {
    Graph *g = s->g;
    const Node *tensor = parts->at[0].factor[factor]->load.tensor;
    const Extent count = {(int64_t)parts->count, 0};
    int axis = axis_of_new_stack(g, tensor);
    Origin origin = {.place = tensor->origin.place};
    origin.name = arena_printf(g->arena, "stacked %s", tensor->origin.name ? tensor->origin.name : "values");
    Extent shape[MAX_AXES];
    const Scalar *at[MAX_AXES], *body = scalar_real(g->pool, 0.0);
    for (int d = 0; d < tensor->rank; d++) {
        int to = d < axis ? d : d + 1;
        shape[to] = tensor->shape[d];
        origin.axes[to] = tensor->origin.axes[d];
        at[d] = scalar_index(g->pool, to, tensor->shape[d]);
    }
    shape[axis] = count;
    const Scalar *layer = scalar_index(g->pool, axis, count);
    for (size_t i = 0; i < parts->count; i++) {
        const Scalar *here = scalar_op2(g->pool, OP_EQ, layer, scalar_int(g->pool, (int64_t)i));
        const Scalar *value = scalar_load(g->pool, parts->at[i].factor[factor]->load.tensor, at);
        body = scalar_op2(g->pool, OP_ADD, body, scalar_select(g->pool, here, value, scalar_real(g->pool, 0.0)));
    }
    return (Layers){graph_expr(g, tensor->rank + 1, shape, REDUCE_NONE, 0, NULL, body, origin), axis, 0};
}

/* The factor's load, of its stack, with other variables: `layer` is the one over the parts. */
static const Scalar *load_layer(Graph *g, const Layers *layers, const Scalar *factor, const Scalar *const *map,
                                const Scalar *layer) {
    const Scalar *at[MAX_AXES];
    for (int d = 0; d < factor->load.rank; d++)
        at[d < layers->axis ? d : d + 1] = scalar_substitute(g->pool, factor->load.at[d], map, MAX_AXES);
    at[layers->axis] = scalar_op2(g->pool, OP_ADD, layer, scalar_int(g->pool, layers->first));
    return scalar_load(g->pool, layers->stack, at);
}

/* ---- the sum ---- */

/* The same tensor in all of them belongs outside of the sum. */
static bool shares_tensor(const PartList *parts, int factor) {
    size_t i = 1;
    while (i < parts->count && parts->at[i].factor[factor]->load.tensor == parts->at[0].factor[factor]->load.tensor)
        i++;
    return i == parts->count;
}

/* What is copied to stacks is not more than the sums that need not be stored. */
static bool moves_less(const PartList *parts, const Layers *layers) {
    const Part *like = &parts->at[0];
    int64_t copied = 0;
    for (int i = 0; i < like->count; i++)
        copied += layers[i].stack ? 0 : node_elements(like->factor[i]->load.tensor);
    return copied <= node_elements(like->node);
}

/* The loops of the sum stay in the caches: with all that they read, or with what they read of one sample (parts.h), where its sum is small beside that. */
static bool stays_near(const Stacker *s, const PartList *parts) {
    enum { CACHES = 4 }; /* it runs near the peak from somewhat larger ones */
    const Part *like = &parts->at[0];
    double elements = 0, samples = (double)s->g->batch.size;
    for (int i = 0; i < like->count; i++)
        elements += (double)node_elements(like->factor[i]->load.tensor) * (double)parts->count;
    double bytes = elements * (double)type_bytes(s->g, TYPE_REAL);
    return bytes <= CACHES * (double)s->target->l2_bytes || samples * (double)node_elements(like->node) < elements;
}

/* The sum over what one part sums, and over so many parts: the outermost axis of a stack is the outermost one here, too. */
static const Node *sum_layers(Graph *g, const Part *part, const Layers *layers, Extent count) {
    const Node *node = part->node;
    const int reduced = node->expr.reduced + 1, place = layers[0].axis == 0 ? 0 : reduced - 1;
    const Scalar *map[MAX_AXES] = {NULL}, *body = NULL;
    Extent extents[MAX_AXES];
    Origin origin = node->origin;
    for (int r = 0; r < reduced - 1; r++) {
        int to = r < place ? r : r + 1;
        extents[to] = node->expr.extents[r];
        map[node->rank + r] = scalar_index(g->pool, node->rank + to, extents[to]);
        origin.axes[node->rank + to] = node->origin.axes[node->rank + r];
    }
    extents[place] = count;
    origin.axes[node->rank + place] = layers[0].stack->origin.axes[layers[0].axis];
    const Scalar *layer = scalar_index(g->pool, node->rank + place, count);
    for (int i = 0; i < part->count; i++) {
        const Scalar *load = load_layer(g, &layers[i], part->factor[i], map, layer);
        body = body ? scalar_op2(g->pool, OP_MUL, body, load) : load;
    }
    return graph_expr(g, node->rank, node->shape, REDUCE_SUM, reduced, extents, body, origin);
}

/* The sum of all parts; NULL: they stay. */
static const Node *sum_stacks(const Stacker *s, PartList *parts) {
    Graph *g = s->g;
    Layers layers[MOST_FACTORS] = {{0}};
    for (int i = 0; i < parts->at[0].count; i++) {
        if (shares_tensor(parts, i))
            return NULL;
        if (i == 0 || !layers[0].stack)
            sort_by_layers(s, parts, i);
        if (!find_layers(s, parts, i, &layers[i]))
            layers[i].stack = NULL;
    }
    if (!moves_less(parts, layers) || !stays_near(s, parts))
        return NULL;
    for (int i = 0; i < parts->at[0].count; i++)
        layers[i] = layers[i].stack ? layers[i] : make_layers(s, parts, i);
    return sum_layers(g, &parts->at[0], layers, (Extent){(int64_t)parts->count, 0});
}

/* Moves the parts that do not read the stack of the first one that reads any to `rest`. */
static void keep_stacked(const Stacker *s, PartList *parts, PartList *rest) {
    const Node *stack = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < parts->count; i++) {
        const Stacked *at = pointer_map_get(s->stacked, parts->at[i].factor[0]->load.tensor);
        stack = stack || !at ? stack : at->stack;
        if (at && at->stack == stack)
            parts->at[kept++] = parts->at[i];
        else
            vec_push(s->scratch, rest, parts->at[i]);
    }
    parts->count = kept;
}

/* The sum of parts; those that it leaves out come to `rest`. NULL: it leaves out all. */
static const Node *sum_most(const Stacker *s, PartList parts, PartList *rest) {
    const Node *sum = parts.count >= FEWEST_TERMS ? sum_stacks(s, &parts) : NULL;
    if (!sum) {
        keep_stacked(s, &parts, rest);
        sum = parts.count >= FEWEST_TERMS && rest->count > 0 ? sum_stacks(s, &parts) : NULL;
    }
    for (size_t i = 0; i < parts.count && !sum; i++)
        vec_push(s->scratch, rest, parts.at[i]);
    return sum;
}

/* Takes all terms that are of one form with the first of them that is not taken. */
static PartList take_alike(const Stacker *s, const ScalarList *terms, bool *taken, size_t first) {
    PartList parts = {0};
    for (size_t i = first; i < terms->count; i++) {
        Part part;
        if (taken[i] || !read_part(terms->at[i], &part) || (parts.count > 0 && !make_alike(&parts.at[0], &part)))
            continue;
        taken[i] = true;
        vec_push(s->scratch, &parts, part);
    }
    return parts;
}

static const Node *stack_terms(void *context, Graph *g, const Node *node) {
    const Stacker *s = context;
    if (!is_map(node) || !scalar_is_op(node->expr.body, OP_ADD))
        return node;
    const ScalarList terms = terms_of(s->scratch, node->expr.body);
    bool *taken = arena_array(s->scratch, bool, terms.count), changed = false;
    const Scalar *sum = scalar_real(g->pool, 0.0);
    for (size_t i = 0; i < terms.count; i++) {
        Part part;
        bool is_part = !taken[i] && read_part(terms.at[i], &part);
        if (taken[i])
            continue;
        PartList rest = {0};
        const Node *stacked = is_part ? sum_most(s, take_alike(s, &terms, taken, i), &rest) : NULL;
        changed = changed || stacked;
        if (stacked)
            sum = scalar_op2(g->pool, OP_ADD, sum, node_load_identity(g, stacked));
        else if (!is_part)
            sum = scalar_op2(g->pool, OP_ADD, sum, terms.at[i]);
        for (size_t k = 0; k < rest.count; k++)
            sum = scalar_op2(g->pool, OP_ADD, sum, node_load_identity(g, rest.at[k].node));
    }
    return changed ? graph_expr(g, node->rank, node->shape, REDUCE_NONE, 0, NULL, sum, node->origin) : node;
}

/* Stacks that were made serve others in the next round. */
int plan_stack(Graph *g, const Target *target) {
    enum { ROUNDS = 2 };
    int changes = 0;
    for (int round = 0; round < ROUNDS; round++) {
        Arena *scratch = arena_new((ArenaFailure){0});
        Stacker s = {g, target, scratch, pointer_map_new(scratch)};
        find_stacks(&s);
        changes += graph_rebuild(g, stack_terms, &s);
        arena_free(scratch);
    }
    return changes;
}
