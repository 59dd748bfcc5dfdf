#include "ir/prove.h"

#include "ir/scalar_internal.h"

/* ---- facts ---- */

static const Facts *facts_add(Arena *arena, const Facts *outer, const Linear *form) {
    Facts *facts = arena_one(arena, Facts);
    facts->outer = outer;
    facts->form = *form;
    return facts;
}

/* factor * (a - b) + offset >= 0 */
static const Facts *facts_difference(Arena *arena, const Facts *outer, const Scalar *a, const Scalar *b, int64_t factor,
                                     int64_t offset) {
    Linear form = {.offset = offset};
    if (!linear_add(&form, a, factor) || !linear_add(&form, b, -factor))
        return outer;
    return facts_add(arena, outer, &form);
}

static const Facts *facts_compare(Arena *arena, const Facts *outer, Op op, const Scalar *a, const Scalar *b) {
    switch (op) {
    case OP_LT: return facts_difference(arena, outer, a, b, -1, -1);
    case OP_LE: return facts_difference(arena, outer, a, b, -1, 0);
    case OP_GT: return facts_difference(arena, outer, a, b, 1, -1);
    case OP_GE: return facts_difference(arena, outer, a, b, 1, 0);
    case OP_EQ: outer = facts_difference(arena, outer, a, b, 1, 0); return facts_difference(arena, outer, a, b, -1, 0);
    default: return outer;
    }
}

static const Facts *facts_within(Arena *arena, ScalarPool *pool, const Facts *outer, const Scalar *index,
                                 Extent extent) {
    Linear low, high = {.offset = -1};
    if (!linear_of(index, &low) || !linear_add_extent(&high, pool, extent, 1) || !linear_add(&high, index, -1))
        return outer;
    return facts_add(arena, facts_add(arena, outer, &low), &high);
}

const Facts *facts_assume(Arena *arena, ScalarPool *pool, const Facts *outer, const Scalar *test, bool truth) {
    if (test->kind != SCALAR_OP)
        return outer;
    const Scalar *a = test->op.arg[0], *b = test->op.arg[1];
    Op op = test->op.op;
    if (op == OP_NOT)
        return facts_assume(arena, pool, outer, a, !truth);
    if (op == OP_AND || op == OP_OR) {
        /* Both hold, or neither does; otherwise nothing is known of one of them. */
        if (truth != (op == OP_AND))
            return outer;
        return facts_assume(arena, pool, facts_assume(arena, pool, outer, a, truth), b, truth);
    }
    if (op == OP_WITHIN)
        return truth ? facts_within(arena, pool, outer, a, test->op.extent) : outer;
    if (op_info(op)->kind == OP_KIND_COMPARE && a->type == TYPE_INT)
        return facts_compare(arena, outer, truth ? op : op_opposite(op), a, b);
    return outer;
}

/* ---- proof ---- */

/* Facts that are used in one proof, and the steps after which it is given up. */
enum { PROOF_DEPTH = 4, PROOF_STEPS = 20000 };

typedef struct Proof {
    const Facts *facts;
    int steps;
} Proof;

static bool prove(Proof *proof, const Linear *form, int depth);

static int64_t coefficient_of(const Linear *form, const Scalar *atom) {
    for (int i = 0; i < form->count; i++)
        if (form->terms[i].atom == atom)
            return form->terms[i].coefficient;
    return 0;
}

/* The term is eliminated by a fact with the same sign. For integers, c*form >= d*fact - (c - 1) is enough to show form >= 0, with c, d > 0. */
static bool prove_by_fact(Proof *proof, const Linear *form, LinearTerm term, const Linear *fact, int depth) {
    int64_t in_fact = coefficient_of(fact, term.atom);
    if (in_fact == 0 || (in_fact > 0) != (term.coefficient > 0))
        return false;
    int64_t c = in_fact > 0 ? in_fact : -in_fact;
    int64_t d = term.coefficient > 0 ? term.coefficient : -term.coefficient;
    Linear rest = {0};
    return linear_add_form(&rest, form, c) && linear_add_form(&rest, fact, -d) &&
           !__builtin_add_overflow(rest.offset, c - 1, &rest.offset) && prove(proof, &rest, depth - 1);
}

/* x - k*(x div k) >= 0 and k*(x div k) + k - 1 - x >= 0, whichever has the term's sign. */
static bool quotient_fact(const Scalar *quotient, bool positive, Linear *fact) {
    if (quotient->op.arg[1]->kind != SCALAR_INT)
        return false;
    int64_t k = quotient->op.arg[1]->integer, sign = positive ? 1 : -1;
    *fact = (Linear){.offset = positive ? k - 1 : 0};
    return linear_add_atom(fact, quotient, sign * k) && linear_add(fact, quotient->op.arg[0], -sign);
}

/* min(a, b) <= a, b and max(a, b) >= a, b, as facts with the term's sign. */
static bool prove_by_extreme(Proof *proof, const Linear *form, LinearTerm term, int depth) {
    int64_t sign = scalar_is_op(term.atom, OP_MAX) ? 1 : -1;
    if ((sign > 0) != (term.coefficient > 0))
        return false;
    for (int i = 0; i < 2; i++) {
        Linear fact = {0};
        if (linear_add_atom(&fact, term.atom, sign) && linear_add(&fact, term.atom->op.arg[i], -sign) &&
            prove_by_fact(proof, form, term, &fact, depth))
            return true;
    }
    return false;
}

/* What an atom's own definition says of it. */
static bool prove_by_definition(Proof *proof, const Linear *form, LinearTerm term, int depth) {
    Linear fact;
    if (scalar_is_op(term.atom, OP_FLOORDIV))
        return quotient_fact(term.atom, term.coefficient > 0, &fact) && prove_by_fact(proof, form, term, &fact, depth);
    bool is_extreme = scalar_is_op(term.atom, OP_MIN) || scalar_is_op(term.atom, OP_MAX);
    return is_extreme && prove_by_extreme(proof, form, term, depth);
}

/* form >= 0 */
static bool prove(Proof *proof, const Linear *form, int depth) {
    int64_t low = linear_low(form);
    if (low != INT64_MIN && low >= 0)
        return true;
    if (depth == 0 || proof->steps-- <= 0)
        return false;
    for (int i = 0; i < form->count; i++) {
        for (const Facts *facts = proof->facts; facts; facts = facts->outer)
            if (prove_by_fact(proof, form, form->terms[i], &facts->form, depth))
                return true;
        if (prove_by_definition(proof, form, form->terms[i], depth))
            return true;
    }
    return false;
}

/* By contradiction: the opposite of what is to be shown is one of the facts. */
bool prove_nonnegative(const Facts *facts, const Linear *form) {
    Facts opposite = {.outer = facts, .form = {.offset = -1}};
    bool usable = linear_add_form(&opposite.form, form, -1);
    Proof proof = {usable ? &opposite : facts, PROOF_STEPS};
    return prove(&proof, form, PROOF_DEPTH);
}

bool prove_within(ScalarPool *pool, const Facts *facts, const Scalar *index, Extent extent) {
    Linear low, high = {.offset = -1};
    return linear_of(index, &low) && linear_add_extent(&high, pool, extent, 1) && linear_add(&high, index, -1) &&
           prove_nonnegative(facts, &low) && prove_nonnegative(facts, &high);
}
