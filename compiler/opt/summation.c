#include "opt/summation.h"

#include "ir/linear.h"
#include "opt/body.h"
#include "opt/term.h"

/* The reduction axes that are still to be summed over; slots are those of the original node. */
typedef struct Axes {
    int count;
    int slots[MAX_AXES];
} Axes;

typedef struct Summation {
    Graph *g;
    const Node *node;
    bool changed;     /* a rule fired */
    SumForecast *dry; /* only find out what the rules do: make no nodes */
} Summation;

static uint64_t axes_set(const Axes *axes) {
    uint64_t set = 0;
    for (int i = 0; i < axes->count; i++)
        set |= UINT64_C(1) << axes->slots[i];
    return set;
}

static void axes_remove(Axes *axes, int i) {
    axes->count--;
    for (; i < axes->count; i++)
        axes->slots[i] = axes->slots[i + 1];
}

static const Scalar *product(const Summation *s, const Scalar *a, const Scalar *b) {
    return scalar_op2(s->g->pool, OP_MUL, a, b);
}

/* ---- the sum that remains ---- */

/* A node for sum(axes) body; its load over the output slots. */
static const Scalar *sum_node(const Summation *s, const Axes *axes, const Scalar *body) {
    if (s->dry) {
        BodySize size = body_size(s->dry->walk, body);
        s->dry->axes += axes->count;
        s->dry->loads += size.loads;
        s->dry->work += size.work;
        return scalar_real(s->g->pool, 1.0);
    }
    const Node *node = s->node;
    Extent extents[MAX_AXES];
    const Scalar *map[MAX_AXES] = {NULL};
    Origin origin = node->origin;
    for (int i = 0; i < axes->count; i++) {
        int slot = axes->slots[i];
        extents[i] = node_slot_extent(node, slot);
        map[slot] = scalar_index(s->g->pool, node->rank + i, extents[i]);
        origin.axes[node->rank + i] = node->origin.axes[slot];
    }
    body = scalar_substitute(s->g->pool, body, map, MAX_AXES);
    const Node *sum = graph_expr(s->g, node->rank, node->shape, REDUCE_SUM, axes->count, extents, body, origin);
    return node_load_identity(s->g, sum);
}

/* ---- one-point rule ---- */

/* What is 0 where the condition holds: a - b of a == b, a of within(a, 1). NULL: the condition says something else. */
static const Scalar *zero_of(ScalarPool *pool, const Scalar *condition) {
    if (scalar_is_op(condition, OP_WITHIN) && condition->op.extent.per_sample == 0 && condition->op.extent.size == 1)
        return condition->op.arg[0];
    return scalar_is_op(condition, OP_EQ) && condition->op.arg[0]->type == TYPE_INT
               ? scalar_op2(pool, OP_SUB, condition->op.arg[0], condition->op.arg[1])
               : NULL;
}

/* The value that the condition gives to the index at `slot`; NULL when it gives none. */
static const Scalar *point_of(ScalarPool *pool, const Scalar *condition, int slot) {
    Linear form;
    const uint64_t bit = UINT64_C(1) << slot;
    const Scalar *zero = condition->slots & bit ? zero_of(pool, condition) : NULL;
    if (!zero || !linear_of(zero, &form))
        return NULL;
    int found = -1;
    for (int i = 0; i < form.count; i++) {
        const LinearTerm *term = &form.terms[i];
        if (!(term->atom->slots & bit))
            continue;
        if (found >= 0 || term->atom->kind != SCALAR_INDEX || (term->coefficient != 1 && term->coefficient != -1))
            return NULL;
        found = i;
    }
    int64_t sign = form.terms[found].coefficient;
    const Scalar *rest = linear_scalar(pool, &form);
    const Scalar *index = form.terms[found].atom;
    /* sign * index + others == 0 */
    const Scalar *others = scalar_op2(pool, OP_SUB, rest, scalar_op2(pool, OP_MUL, scalar_int(pool, sign), index));
    const Scalar *value = scalar_op2(pool, OP_MUL, scalar_int(pool, -sign), others);
    return loads_are_inside(pool, value) ? value : NULL;
}

/* A condition and the axis that it fixes; NULL when there is none. */
static const Scalar *find_point(const Summation *s, const Term *term, const Axes *axes, int *condition, int *axis) {
    for (*condition = 0; *condition < term->condition_count; ++*condition) {
        for (*axis = 0; *axis < axes->count; ++*axis) {
            const Scalar *value = point_of(s->g->pool, term->conditions[*condition], axes->slots[*axis]);
            if (value)
                return value;
        }
    }
    return NULL;
}

static bool apply_point(Summation *s, Term *term, Axes *axes) {
    ScalarPool *pool = s->g->pool;
    int condition, axis;
    const Scalar *value = find_point(s, term, axes, &condition, &axis);
    if (!value)
        return false;
    int slot = axes->slots[axis];
    const Scalar *map[MAX_AXES] = {NULL};
    map[slot] = value;
    const Scalar *inside = scalar_within(pool, value, node_slot_extent(s->node, slot));
    term_remove_condition(term, condition);
    const Scalar *body = scalar_substitute(pool, term_scalar(pool, term), map, MAX_AXES);
    *term = term_of(scalar_select(pool, inside, body, scalar_real(pool, 0.0)));
    axes_remove(axes, axis);
    s->changed = true;
    return true;
}

/* ---- what does not depend on the axes ---- */

static uint64_t term_slots(const Term *term) {
    uint64_t slots = term_condition_slots(term);
    for (int i = 0; i < term->count; i++)
        slots |= term->factors[i].value->slots;
    return slots;
}

/* Axes that do not occur are counted: the result is the product of their extents. */
static const Scalar *take_absent_axes(Summation *s, const Term *term, Axes *axes) {
    const uint64_t slots = term_slots(term);
    const Scalar *factor = scalar_real(s->g->pool, 1.0);
    for (int i = axes->count - 1; i >= 0; i--) {
        if (!(slots >> axes->slots[i] & 1)) {
            const Scalar *extent = scalar_extent(s->g->pool, node_slot_extent(s->node, axes->slots[i]));
            factor = product(s, factor, scalar_to_real(s->g->pool, extent));
            axes_remove(axes, i);
            s->changed = true;
        }
    }
    return factor;
}

/* Factors without an axis leave the sum. Where a guard stands around them, only those that are safe without it. */
static const Scalar *take_free_factors(Summation *s, Term *term, const Axes *axes) {
    ScalarPool *pool = s->g->pool;
    const uint64_t set = axes_set(axes);
    Term taken = {.constant = term->constant};
    s->changed = s->changed || term->constant != 1.0;
    term->constant = 1.0;
    for (int i = term->count - 1; i >= 0; i--) {
        const Scalar *value = term->factors[i].value;
        if (!(value->slots & set) && (term->condition_count == 0 || loads_are_inside(pool, value))) {
            taken.factors[taken.count++] = term->factors[i];
            term_remove_factor(term, i);
            s->changed = true;
        }
    }
    return term_product(pool, &taken);
}

/* ---- products that fall apart ---- */

/* The slots that hang together with the axis `first` through factors and conditions. */
static uint64_t component_of(const Term *term, const Axes *axes, int first) {
    const uint64_t set = axes_set(axes);
    uint64_t component = UINT64_C(1) << axes->slots[first], before;
    do {
        before = component;
        for (int i = 0; i < term->count + term->condition_count; i++) {
            uint64_t slots = i < term->count ? term->factors[i].value->slots : term->conditions[i - term->count]->slots;
            component |= slots & component ? slots & set : 0;
        }
    } while (component != before);
    return component;
}

/* The part of the term that the slots in `component` occur in, and the conditions that no axis occurs in. The rest stays in `term`. */
static Term split_term(Term *term, uint64_t component, uint64_t set) {
    Term part = {.constant = 1.0};
    for (int i = term->count - 1; i >= 0; i--) {
        if (term->factors[i].value->slots & component) {
            part.factors[part.count++] = term->factors[i];
            term_remove_factor(term, i);
        }
    }
    for (int i = term->condition_count - 1; i >= 0; i--) {
        uint64_t slots = term->conditions[i]->slots & set;
        if (slots == 0 || slots & component)
            part.conditions[part.condition_count++] = term->conditions[i];
        if (slots & component)
            term_remove_condition(term, i);
    }
    return part;
}

static Axes split_axes(Axes *axes, uint64_t component) {
    Axes part = {0};
    for (int i = 0; i < axes->count; i++)
        if (component >> axes->slots[i] & 1)
            part.slots[part.count++] = axes->slots[i];
    for (int i = axes->count - 1; i >= 0; i--)
        if (component >> axes->slots[i] & 1)
            axes_remove(axes, i);
    return part;
}

/* sum(k, l) f(k) * g(l), one node for each factor. Every load must be safe under the conditions that its own part keeps: they are those that it shares
 * an axis with, and those without an axis. */
static const Scalar *sum_of_parts(Summation *s, Term term, Axes axes) {
    const Scalar *result = scalar_real(s->g->pool, 1.0);
    while (axes.count > 0) {
        const uint64_t set = axes_set(&axes);
        const uint64_t component = component_of(&term, &axes, 0);
        s->changed = s->changed || component != set;
        Term part = component == set ? term : split_term(&term, component, set);
        Axes its_axes = split_axes(&axes, component);
        result = product(s, result, sum_node(s, &its_axes, term_scalar(s->g->pool, &part)));
    }
    return result;
}

/* ---- a sum inside a sum ---- */

/* The factors that have other axes than these, taken out of the term. */
static Term take_inner_factors(Term *term, uint64_t set, uint64_t outer) {
    Term inner = {.constant = 1.0};
    for (int i = term->count - 1; i >= 0; i--) {
        if (term->factors[i].value->slots & set & ~outer) {
            inner.factors[inner.count++] = term->factors[i];
            term_remove_factor(term, i);
        }
    }
    return inner;
}

/* Some output axis occurs outside only: the inner sum serves all of it. */
static bool serves_many(const Summation *s, uint64_t outside, uint64_t inside) {
    for (int slot = 0; slot < s->node->rank; slot++)
        if ((outside & ~inside) >> slot & 1)
            return true;
    return false;
}

/* A node that sums `inner` over the axes that are not in `outer`; its load. Its axes: those of `outer` that occur, then the output axes that do. */
static const Scalar *inner_sum(const Summation *s, const Term *inner, const Axes *axes, uint64_t outer) {
    ScalarPool *pool = s->g->pool;
    const Node *node = s->node;
    const uint64_t slots = term_slots(inner);
    Extent shape[MAX_AXES], extents[MAX_AXES];
    const Scalar *map[MAX_AXES] = {NULL}, *at[MAX_AXES];
    Origin origin = {.place = node->origin.place};
    if (node->origin.name)
        origin.name = arena_printf(s->g->arena, "inner sum of %s", node->origin.name);
    int rank = 0, reduced = 0;
    for (int i = 0; i < axes->count + node->rank; i++) {
        int slot = i < axes->count ? axes->slots[i] : i - axes->count;
        bool summed = i < axes->count && !(outer >> slot & 1);
        if (!summed && (slots >> slot & 1)) {
            shape[rank] = node_slot_extent(node, slot);
            origin.axes[rank] = node->origin.axes[slot];
            map[slot] = scalar_index(pool, rank, shape[rank]);
            at[rank++] = node_slot(s->g, node, slot);
        }
    }
    for (int i = 0; i < axes->count; i++) {
        int slot = axes->slots[i];
        if (!(outer >> slot & 1)) {
            extents[reduced] = node_slot_extent(node, slot);
            origin.axes[rank + reduced] = node->origin.axes[slot];
            map[slot] = scalar_index(pool, rank + reduced, extents[reduced]);
            reduced++;
        }
    }
    const Scalar *body = scalar_substitute(pool, term_scalar(pool, inner), map, MAX_AXES);
    return scalar_load(pool, graph_expr(s->g, rank, shape, REDUCE_SUM, reduced, extents, body, origin), at);
}

/* sum(k, l) f(i, k) * g(j, k, l)  ->  sum(k) f(i, k) * h(j, k),  h(j, k) = sum(l) g(j, k, l) */
static bool take_inner_sum(Summation *s, Term *term, Axes *axes) {
    const uint64_t set = axes_set(axes);
    for (int i = 0; i < term->count && term->condition_count == 0 && !s->dry; i++) {
        const uint64_t outer = term->factors[i].value->slots & set;
        Term outside = *term;
        if (outer == 0 || outer == set)
            continue;
        Term inner = take_inner_factors(&outside, set, outer);
        if (!(term_slots(&inner) & outer) || !serves_many(s, term_slots(&outside), term_slots(&inner)))
            continue;
        *term = outside;
        term->factors[term->count++] = (Factor){.value = inner_sum(s, &inner, axes, outer)};
        split_axes(axes, set & ~outer);
        s->changed = true;
        return true;
    }
    return false;
}

/* ---- a choice at one point ---- */

/* select(k == e, x, y) with y the same for all k is y everywhere, and x - y more at one point. */
static bool is_point_choice(const Summation *s, const Scalar *factor, const Axes *axes) {
    if (!scalar_is_op(factor, OP_SELECT) || !loads_are_inside(s->g->pool, factor->op.arg[2]))
        return false;
    for (int i = 0; i < axes->count; i++)
        if (!(factor->op.arg[2]->slots >> axes->slots[i] & 1) &&
            point_of(s->g->pool, factor->op.arg[0], axes->slots[i]))
            return true;
    return false;
}

/* Splits one term in two where it has such a factor; whether it did. */
static bool split_choice(Summation *s, Sum *sum, int t, const Axes *axes) {
    for (int i = 0; i < sum->terms[t].count && sum->count < TERM_MAX_TERMS; i++) {
        Factor *factor = &sum->terms[t].factors[i];
        Term *point = &sum->terms[sum->count];
        const Scalar *choice = factor->value;
        *point = sum->terms[t];
        if (!factor->divides && point->condition_count < TERM_MAX_CONDITIONS && is_point_choice(s, choice, axes)) {
            factor->value = choice->op.arg[2];
            point->factors[i].value = scalar_op2(s->g->pool, OP_SUB, choice->op.arg[1], choice->op.arg[2]);
            point->conditions[point->condition_count++] = choice->op.arg[0];
            sum->count++;
            s->changed = true;
            return true;
        }
    }
    return false;
}

static void split_choices(Summation *s, Sum *sum, const Axes *axes) {
    for (int t = 0; t < sum->count; t++) {
        while (split_choice(s, sum, t, axes)) {
        }
    }
}

/* ---- a term, a sum of terms ---- */

static const Scalar *sum_of_term(Summation *s, Term term, Axes axes) {
    while (apply_point(s, &term, &axes)) {
    }
    const Scalar *outer = take_absent_axes(s, &term, &axes);
    if (axes.count == 0)
        return product(s, outer, term_scalar(s->g->pool, &term));
    outer = product(s, outer, take_free_factors(s, &term, &axes));
    while (take_inner_sum(s, &term, &axes)) {
    }
    return product(s, outer, sum_of_parts(s, term, axes));
}

/* Terms that need no loop stand alone; the others stay together. */
static const Scalar *sum_of_terms(Summation *s, const Sum *sum, const Axes *axes) {
    ScalarPool *pool = s->g->pool;
    Sum together = {0};
    const Scalar *result = scalar_real(pool, 0.0);
    for (int i = 0; i < sum->count; i++) {
        int condition, axis;
        if (find_point(s, &sum->terms[i], axes, &condition, &axis))
            result = scalar_op2(pool, OP_ADD, result, sum_of_term(s, sum->terms[i], *axes));
        else
            together.terms[together.count++] = sum->terms[i];
    }
    if (together.count == 1)
        return scalar_op2(pool, OP_ADD, result, sum_of_term(s, together.terms[0], *axes));
    if (together.count > 0)
        result = scalar_op2(pool, OP_ADD, result, sum_of_term(s, term_of(sum_scalar(pool, &together)), *axes));
    return result;
}

static const Scalar *summation_run(Summation *s, const Scalar *body) {
    Axes axes = {.count = s->node->expr.reduced};
    for (int i = 0; i < axes.count; i++)
        axes.slots[i] = s->node->rank + i;
    Sum sum;
    sum_of(body, &sum);
    split_choices(s, &sum, &axes);
    return sum_of_terms(s, &sum, &axes);
}

const Scalar *summation_simplified(Graph *g, const Node *node) {
    Summation s = {.g = g, .node = node};
    const Scalar *value = summation_run(&s, node->expr.body);
    return s.changed ? value : NULL;
}

SumForecast summation_forecast(Graph *g, ScalarWalk *walk, const Node *node, const Scalar *body) {
    SumForecast forecast = {.walk = walk};
    Summation s = {.g = g, .node = node, .dry = &forecast};
    summation_run(&s, body);
    forecast.changed = s.changed;
    return forecast;
}
