#include "opt/term.h"

/* ---- reading ----
 * An operation is taken apart only while there is room for its parts and for the `pending` parts that its users still have to add. */

static void add_conditions(Term *term, const Scalar *condition, int pending) {
    if (scalar_is_op(condition, OP_AND) && term->condition_count + pending + 2 <= TERM_MAX_CONDITIONS) {
        add_conditions(term, condition->op.arg[0], pending + 1);
        add_conditions(term, condition->op.arg[1], pending);
    } else {
        term->conditions[term->condition_count++] = condition;
    }
}

/* Takes the guards with `otherwise` in their other branch off `s`. */
static const Scalar *add_guards(Term *term, const Scalar *s, double otherwise) {
    while (scalar_is_op(s, OP_SELECT) && scalar_is_real(s->op.arg[2], otherwise) &&
           term->condition_count < TERM_MAX_CONDITIONS) {
        add_conditions(term, s->op.arg[0], 0);
        s = s->op.arg[1];
    }
    return s;
}

static void add_factors(Term *term, const Scalar *s, bool divides, int pending) {
    bool has_room = term->count + pending + 2 <= TERM_MAX_FACTORS;
    if (s->kind == SCALAR_REAL) {
        term->constant = divides ? term->constant / s->real : term->constant * s->real;
    } else if (scalar_is_op(s, OP_NEG)) {
        term->constant = -term->constant;
        add_factors(term, s->op.arg[0], divides, pending);
    } else if (has_room && (scalar_is_op(s, OP_MUL) || scalar_is_op(s, OP_DIV))) {
        add_factors(term, s->op.arg[0], divides, pending + 1);
        add_factors(term, s->op.arg[1], divides != scalar_is_op(s, OP_DIV), pending);
    } else {
        term->factors[term->count++] = (Factor){s, divides};
    }
}

Term term_guarded_by(const Scalar *s, double otherwise) {
    Term term = {.constant = 1.0};
    add_factors(&term, add_guards(&term, s, otherwise), false, 0);
    return term;
}

Term term_of(const Scalar *s) {
    return term_guarded_by(s, 0.0);
}

/* `guard` holds the conditions around the whole sum. */
static void add_term(Sum *sum, const Term *guard, const Scalar *s, double sign, int pending) {
    bool has_room = sum->count + pending + 2 <= TERM_MAX_TERMS;
    if (scalar_is_op(s, OP_NEG)) {
        add_term(sum, guard, s->op.arg[0], -sign, pending);
    } else if (has_room && (scalar_is_op(s, OP_ADD) || scalar_is_op(s, OP_SUB))) {
        add_term(sum, guard, s->op.arg[0], sign, pending + 1);
        add_term(sum, guard, s->op.arg[1], scalar_is_op(s, OP_SUB) ? -sign : sign, pending);
    } else {
        Term term = *guard;
        term.constant = sign;
        add_factors(&term, add_guards(&term, s, 0.0), false, 0);
        sum->terms[sum->count++] = term;
    }
}

void sum_of(const Scalar *s, Sum *out) {
    Term guard = {0};
    const Scalar *inner = add_guards(&guard, s, 0.0);
    out->count = 0;
    add_term(out, &guard, inner, 1.0, 0);
}

/* ---- writing ---- */

const Scalar *term_product(ScalarPool *pool, const Term *term) {
    const Scalar *above = scalar_real(pool, term->constant), *below = scalar_real(pool, 1.0);
    for (int i = 0; i < term->count; i++) {
        const Scalar **side = term->factors[i].divides ? &below : &above;
        *side = scalar_op2(pool, OP_MUL, *side, term->factors[i].value);
    }
    return scalar_op2(pool, OP_DIV, above, below);
}

const Scalar *term_guard(ScalarPool *pool, const Term *term) {
    const Scalar *guard = scalar_bool(pool, true);
    for (int i = 0; i < term->condition_count; i++)
        guard = scalar_op2(pool, OP_AND, guard, term->conditions[i]);
    return guard;
}

const Scalar *term_scalar(ScalarPool *pool, const Term *term) {
    return scalar_select(pool, term_guard(pool, term), term_product(pool, term), scalar_real(pool, 0.0));
}

/* What is subtracted comes last. */
const Scalar *sum_scalar(ScalarPool *pool, const Sum *sum) {
    const Scalar *all = scalar_real(pool, 0.0);
    for (int i = 0; i < sum->count; i++)
        if (sum->terms[i].constant >= 0)
            all = scalar_op2(pool, OP_ADD, all, term_scalar(pool, &sum->terms[i]));
    for (int i = 0; i < sum->count; i++) {
        if (!(sum->terms[i].constant >= 0)) {
            Term opposite = sum->terms[i];
            opposite.constant = -opposite.constant;
            all = scalar_op2(pool, OP_SUB, all, term_scalar(pool, &opposite));
        }
    }
    return all;
}

/* ---- parts ---- */

uint64_t term_condition_slots(const Term *term) {
    uint64_t slots = 0;
    for (int i = 0; i < term->condition_count; i++)
        slots |= term->conditions[i]->slots;
    return slots;
}

void term_remove_factor(Term *term, int i) {
    term->count--;
    for (; i < term->count; i++)
        term->factors[i] = term->factors[i + 1];
}

void term_remove_condition(Term *term, int i) {
    term->condition_count--;
    for (; i < term->condition_count; i++)
        term->conditions[i] = term->conditions[i + 1];
}

/* ---- ranges ---- */

static bool load_is_inside(ScalarPool *pool, const Scalar *load) {
    for (int a = 0; a < load->load.rank; a++) {
        const Scalar *within = scalar_within(pool, load->load.at[a], load->load.tensor->shape[a]);
        if (within->kind != SCALAR_BOOL || !within->integer)
            return false;
    }
    return true;
}

typedef struct RangeCheck {
    ScalarPool *pool;
} RangeCheck;

static bool may_be_outside(const void *context, const Scalar *load) {
    const RangeCheck *check = context;
    return !load_is_inside(check->pool, load);
}

bool loads_are_inside(ScalarPool *pool, const Scalar *s) {
    if (!s->has_load)
        return true;
    if (s->kind == SCALAR_LOAD && !load_is_inside(pool, s))
        return false;
    Arena *scratch = arena_new((ArenaFailure){0});
    bool outside = scalar_any_load(scratch, s, may_be_outside, &(RangeCheck){pool});
    arena_free(scratch);
    return !outside;
}
