/* Rules for sums of integers. All of them lead to fewer terms or to the one order of terms, so they end.
 *
 *   a + b, a - b, -a, c * a            the linear form: equal atoms are added up, constants come last
 *   c*(x mod a) + c*a*(x div a)        c * x                    the two digits are all of x
 *   c*(x mod a) + c*a*(x div a mod b)  c * (x mod a*b)          two neighbouring digits are one
 *   c*x - c*a*(x div a)                c * (x mod a)
 */
#include "ir/linear.h"

#include "ir/scalar_internal.h"

/* ---- collecting ---- */

/* Lowest slot in the atom, 64 without one; data come after all of them. */
static int atom_slot(const Scalar *atom) {
    int slot = atom->slots ? __builtin_ctzll(atom->slots) : 64;
    return atom->has_load ? slot + 65 : slot;
}

static bool atom_before(const Scalar *a, const Scalar *b) {
    int slot_a = atom_slot(a), slot_b = atom_slot(b);
    return slot_a != slot_b ? slot_a < slot_b : scalar_compare(a, b) < 0;
}

static void term_remove(Linear *form, int position) {
    form->count--;
    for (int i = position; i < form->count; i++)
        form->terms[i] = form->terms[i + 1];
}

static bool term_insert(Linear *form, int position, LinearTerm term) {
    if (form->count == LINEAR_MAX_TERMS)
        return false;
    for (int i = form->count; i > position; i--)
        form->terms[i] = form->terms[i - 1];
    form->terms[position] = term;
    form->count++;
    return true;
}

/* INT64_MIN is left out as well: it has no opposite. */
static bool add_product(int64_t *sum, int64_t a, int64_t b) {
    int64_t product;
    return !__builtin_mul_overflow(a, b, &product) && !__builtin_add_overflow(*sum, product, sum) && *sum != INT64_MIN;
}

bool linear_add_atom(Linear *form, const Scalar *atom, int64_t factor) {
    if (atom->kind == SCALAR_INDEX && atom->index.extent.per_sample > 0)
        form->batch = atom->index.extent.size / atom->index.extent.per_sample;
    if (factor == 0)
        return true;
    int i = 0;
    while (i < form->count && atom_before(form->terms[i].atom, atom))
        i++;
    if (i == form->count || form->terms[i].atom != atom)
        return factor != INT64_MIN && term_insert(form, i, (LinearTerm){.atom = atom, .coefficient = factor});
    if (!add_product(&form->terms[i].coefficient, factor, 1))
        return false;
    if (form->terms[i].coefficient == 0)
        term_remove(form, i);
    return true;
}

bool linear_add(Linear *form, const Scalar *s, int64_t factor) {
    if (s->kind == SCALAR_INT)
        return add_product(&form->offset, s->integer, factor);
    if (s->kind != SCALAR_OP || factor == INT64_MIN)
        return linear_add_atom(form, s, factor);
    const Scalar *a = s->op.arg[0], *b = s->op.arg[1];
    int64_t scaled;
    switch (s->op.op) {
    case OP_ADD: return linear_add(form, b, factor) && linear_add(form, a, factor);
    case OP_SUB: return linear_add(form, b, -factor) && linear_add(form, a, factor);
    case OP_NEG: return linear_add(form, a, -factor);
    case OP_MUL:
        if (a->kind != SCALAR_INT)
            return linear_add_atom(form, s, factor);
        return !__builtin_mul_overflow(a->integer, factor, &scaled) && linear_add(form, b, scaled);
    default: return linear_add_atom(form, s, factor);
    }
}

bool linear_of(const Scalar *s, Linear *out) {
    *out = (Linear){0};
    return linear_add(out, s, 1);
}

bool linear_add_form(Linear *form, const Linear *other, int64_t factor) {
    for (int i = 0; i < other->count; i++) {
        int64_t coefficient;
        if (__builtin_mul_overflow(other->terms[i].coefficient, factor, &coefficient) ||
            !linear_add_atom(form, other->terms[i].atom, coefficient))
            return false;
    }
    form->batch = other->batch ? other->batch : form->batch;
    return add_product(&form->offset, other->offset, factor);
}

bool linear_add_extent(Linear *form, ScalarPool *pool, Extent extent, int64_t factor) {
    if (extent.per_sample == 0)
        return add_product(&form->offset, extent.size, factor);
    int64_t coefficient;
    form->batch = extent.size / extent.per_sample;
    return !__builtin_mul_overflow(extent.per_sample, factor, &coefficient) &&
           linear_add_atom(form, scalar_runtime(pool, RUNTIME_N), coefficient);
}

bool linear_same(const Linear *a, const Linear *b) {
    if (a->count != b->count || a->offset != b->offset)
        return false;
    for (int i = 0; i < a->count; i++)
        if (a->terms[i].atom != b->terms[i].atom || a->terms[i].coefficient != b->terms[i].coefficient)
            return false;
    return true;
}

/* ---- digits ---- */

static int term_find(const Linear *form, const Scalar *atom, int64_t coefficient) {
    for (int i = 0; i < form->count; i++)
        if (form->terms[i].atom == atom && form->terms[i].coefficient == coefficient)
            return i;
    return -1;
}

/* A term coefficient * (value mod b) for any b. */
static int term_find_mod(const Linear *form, const Scalar *value, int64_t coefficient) {
    for (int i = 0; i < form->count; i++) {
        const Scalar *atom = form->terms[i].atom;
        if (form->terms[i].coefficient == coefficient && scalar_is_op(atom, OP_MOD) && atom->op.arg[0] == value)
            return i;
    }
    return -1;
}

/* The terms at two positions are replaced by coefficient * s. False: the sum overflows, the form is left alone. */
static bool replace_pair(Linear *form, int i, int j, const Scalar *s, int64_t coefficient) {
    Linear result = *form;
    term_remove(&result, i > j ? i : j);
    term_remove(&result, i > j ? j : i);
    if (!linear_add(&result, s, coefficient))
        return false;
    *form = result;
    return true;
}

/* The digit below: c*(x mod a) with c*a*(x div a) or c*a*(x div a mod b). */
static bool join_mod(ScalarPool *pool, Linear *form, int position) {
    const Scalar *x = form->terms[position].atom->op.arg[0];
    const Scalar *a = form->terms[position].atom->op.arg[1];
    int64_t c = form->terms[position].coefficient, above, modulus;
    if (a->kind != SCALAR_INT || __builtin_mul_overflow(c, a->integer, &above))
        return false;
    const Scalar *quotient = scalar_op2(pool, OP_FLOORDIV, x, a);
    int whole = term_find(form, quotient, above);
    if (whole >= 0)
        return replace_pair(form, position, whole, x, c);
    int digit = term_find_mod(form, quotient, above);
    if (digit < 0)
        return false;
    const Scalar *b = form->terms[digit].atom->op.arg[1];
    if (b->kind != SCALAR_INT || __builtin_mul_overflow(a->integer, b->integer, &modulus))
        return false;
    const Scalar *joined = scalar_op2(pool, OP_MOD, x, scalar_int(pool, modulus));
    return replace_pair(form, position, digit, joined, c);
}

/* c*x - c*a*(x div a), found from the quotient. */
static bool join_rest(ScalarPool *pool, Linear *form, int position) {
    const Scalar *x = form->terms[position].atom->op.arg[0];
    const Scalar *a = form->terms[position].atom->op.arg[1];
    int64_t above = form->terms[position].coefficient;
    if (a->kind != SCALAR_INT || above % a->integer != 0)
        return false;
    int64_t c = -(above / a->integer);
    int whole = term_find(form, x, c);
    return whole >= 0 && replace_pair(form, position, whole, scalar_op2(pool, OP_MOD, x, a), c);
}

static bool join_digits(ScalarPool *pool, Linear *form) {
    for (int i = 0; i < form->count; i++) {
        const Scalar *atom = form->terms[i].atom;
        if ((scalar_is_op(atom, OP_MOD) && join_mod(pool, form, i)) ||
            (scalar_is_op(atom, OP_FLOORDIV) && join_rest(pool, form, i)))
            return true;
    }
    return false;
}

/* ---- back to a scalar ---- */

static const Scalar *multiple(ScalarPool *pool, const Scalar *atom, int64_t coefficient) {
    return coefficient == 1 ? atom : scalar_raw2(pool, OP_MUL, scalar_int(pool, coefficient), atom);
}

static const Scalar *add_multiple(ScalarPool *pool, const Scalar *sum, const Scalar *atom, int64_t coefficient) {
    return coefficient > 0 ? scalar_raw2(pool, OP_ADD, sum, multiple(pool, atom, coefficient))
                           : scalar_raw2(pool, OP_SUB, sum, multiple(pool, atom, -coefficient));
}

/* The term that the printed sum starts with: the first positive one; count when it is the offset. */
static int leading_term(const Linear *form) {
    for (int i = 0; i < form->count; i++)
        if (form->terms[i].coefficient > 0)
            return i;
    return form->offset > 0 ? form->count : 0;
}

static const Scalar *build_sum(ScalarPool *pool, const Linear *form) {
    if (form->count == 0)
        return scalar_int(pool, form->offset);
    int lead = leading_term(form);
    const Scalar *sum;
    if (lead == form->count)
        sum = scalar_int(pool, form->offset);
    else if (form->terms[lead].coefficient == -1)
        sum = scalar_raw1(pool, OP_NEG, form->terms[lead].atom);
    else
        sum = multiple(pool, form->terms[lead].atom, form->terms[lead].coefficient);
    for (int i = 0; i < form->count; i++)
        if (i != lead)
            sum = add_multiple(pool, sum, form->terms[i].atom, form->terms[i].coefficient);
    if (lead == form->count || form->offset == 0)
        return sum;
    return form->offset > 0 ? scalar_raw2(pool, OP_ADD, sum, scalar_int(pool, form->offset))
                            : scalar_raw2(pool, OP_SUB, sum, scalar_int(pool, -form->offset));
}

const Scalar *linear_scalar(ScalarPool *pool, const Linear *form) {
    Linear joined = *form;
    while (join_digits(pool, &joined)) {
    }
    return build_sum(pool, &joined);
}
