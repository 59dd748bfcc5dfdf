#include "ir/affine.h"

#include "ir/linear.h"
#include "ir/scalar_internal.h"

/* An index, its quotient, its remainder, or the remainder of its quotient, by constants. */
static bool digit_of(const Scalar *atom, AffineTerm *out) {
    *out = (AffineTerm){.divisor = 1};
    if (scalar_is_op(atom, OP_MOD) && atom->op.arg[1]->kind == SCALAR_INT) {
        out->modulus = atom->op.arg[1]->integer;
        atom = atom->op.arg[0];
    }
    if (scalar_is_op(atom, OP_FLOORDIV) && atom->op.arg[1]->kind == SCALAR_INT) {
        out->divisor = atom->op.arg[1]->integer;
        atom = atom->op.arg[0];
    }
    if (atom->kind != SCALAR_INDEX)
        return false;
    out->slot = atom->index.slot;
    out->extent = atom->index.extent;
    return true;
}

static bool term_before(const AffineTerm *a, const AffineTerm *b) {
    if (a->slot != b->slot)
        return a->slot < b->slot;
    return a->divisor != b->divisor ? a->divisor < b->divisor : a->modulus < b->modulus;
}

static bool affine_insert(Affine *affine, AffineTerm term) {
    if (affine->count == AFFINE_MAX_TERMS)
        return false;
    int i = affine->count++;
    for (; i > 0 && term_before(&term, &affine->terms[i - 1]); i--)
        affine->terms[i] = affine->terms[i - 1];
    affine->terms[i] = term;
    return true;
}

bool affine_of(const Scalar *s, Affine *out) {
    Linear form;
    *out = (Affine){0};
    if (s->type != TYPE_INT || !linear_of(s, &form))
        return false;
    out->offset = form.offset;
    for (int i = 0; i < form.count; i++) {
        const Scalar *atom = form.terms[i].atom;
        AffineTerm term;
        if (atom->kind == SCALAR_RUNTIME && atom->runtime == RUNTIME_N) {
            out->per_n = form.terms[i].coefficient;
            continue;
        }
        if (!digit_of(atom, &term))
            return false;
        term.coefficient = form.terms[i].coefficient;
        if (!affine_insert(out, term))
            return false;
    }
    return true;
}

static const Scalar *term_scalar(ScalarPool *pool, const AffineTerm *term) {
    const Scalar *s = scalar_index(pool, term->slot, term->extent);
    s = scalar_op2(pool, OP_FLOORDIV, s, scalar_int(pool, term->divisor));
    if (term->modulus > 0)
        s = scalar_op2(pool, OP_MOD, s, scalar_int(pool, term->modulus));
    return scalar_op2(pool, OP_MUL, scalar_int(pool, term->coefficient), s);
}

const Scalar *affine_scalar(ScalarPool *pool, const Affine *affine) {
    const Scalar *sum = scalar_int(pool, affine->offset);
    for (int i = 0; i < affine->count; i++)
        sum = scalar_op2(pool, OP_ADD, sum, term_scalar(pool, &affine->terms[i]));
    const Scalar *n = scalar_runtime(pool, RUNTIME_N);
    return scalar_op2(pool, OP_ADD, sum, scalar_op2(pool, OP_MUL, scalar_int(pool, affine->per_n), n));
}

int64_t affine_coefficient(const Affine *affine, int slot) {
    for (int i = 0; i < affine->count; i++) {
        const AffineTerm *term = &affine->terms[i];
        if (term->slot == slot && term->divisor == 1 && term->modulus == 0)
            return term->coefficient;
    }
    return 0;
}

bool affine_has_digits(const Affine *affine) {
    for (int i = 0; i < affine->count; i++)
        if (affine->terms[i].divisor != 1 || affine->terms[i].modulus != 0)
            return true;
    return false;
}
