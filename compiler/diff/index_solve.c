#include "diff/index_solve.h"

#include "ir/linear.h"

/* Slots while solving: 0 .. axes-1 are j; then the variables of the access; then fresh ones that the rules bring in. A slot set is 64 bits wide. */
enum { MAX_SLOTS = 64, MAX_EQUATIONS = MAX_AXES };

typedef struct Variable {
    Extent extent;
    int source; /* variable of the access that it is, or is a part of */
} Variable;

/* left == right. Unknowns are isolated from the affine `left`; `right` holds what was moved over. */
typedef struct Equation {
    const Scalar *left, *right;
    bool done;
} Equation;

typedef struct Solver {
    ScalarPool *pool;
    const IndexAccess *access;
    int slots;
    Variable variables[MAX_SLOTS]; /* by slot; those of j are unused */
    uint64_t unknown;              /* set of the slots that are not j and not replaced by an expression */
    const Scalar *value[MAX_AXES];
    const Scalar *inside, *deltas;
    int equation_count;
    Equation equations[MAX_EQUATIONS];
} Solver;

/* ---- small scalars ---- */

static const Scalar *add(const Solver *s, const Scalar *a, const Scalar *b) {
    return scalar_op2(s->pool, OP_ADD, a, b);
}

static const Scalar *subtract(const Solver *s, const Scalar *a, const Scalar *b) {
    return scalar_op2(s->pool, OP_SUB, a, b);
}

static const Scalar *scaled(const Solver *s, int64_t factor, const Scalar *a) {
    return scalar_op2(s->pool, OP_MUL, scalar_int(s->pool, factor), a);
}

static const Scalar *quotient(const Solver *s, const Scalar *a, int64_t divisor) {
    return scalar_op2(s->pool, OP_FLOORDIV, a, scalar_int(s->pool, divisor));
}

static const Scalar *remainder_of(const Solver *s, const Scalar *a, int64_t divisor) {
    return scalar_op2(s->pool, OP_MOD, a, scalar_int(s->pool, divisor));
}

static const Scalar *both(const Solver *s, const Scalar *a, const Scalar *b) {
    return scalar_op2(s->pool, OP_AND, a, b);
}

static uint64_t slot_bit(int slot) {
    return UINT64_C(1) << slot;
}

static int64_t ceiling(int64_t a, int64_t b) {
    return a / b + (a % b != 0);
}

static int64_t floor_quotient(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static int64_t greatest_divisor(int64_t a, int64_t b) {
    a = a < 0 ? -a : a;
    b = b < 0 ? -b : b;
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* ---- variables ---- */

static void require(Solver *s, const Scalar *condition) {
    s->inside = both(s, s->inside, condition);
}

static const Scalar *variable_new(Solver *s, Extent extent, int source) {
    int slot = s->slots++;
    s->variables[slot] = (Variable){.extent = extent, .source = source};
    if (extent.size != 1)
        s->unknown |= slot_bit(slot);
    return scalar_index(s->pool, slot, extent);
}

/* The variable of the access that the first unknown of `e` is a part of. */
static int first_source(const Solver *s, const Scalar *e) {
    for (int slot = s->access->axes; slot < s->slots; slot++)
        if (e->slots & s->unknown & slot_bit(slot))
            return s->variables[slot].source;
    return 0;
}

/* How many values v div divisor has: dynamic as v is when that divides evenly, else the largest number. */
static Extent quotient_extent(Extent extent, int64_t divisor) {
    if (extent.per_sample % divisor == 0)
        return (Extent){.size = ceiling(extent.size, divisor), .per_sample = extent.per_sample / divisor};
    return (Extent){.size = ceiling(extent.size, divisor)};
}

static void substitute_all(Solver *s, const Scalar *const *map) {
    for (int v = 0; v < s->access->variables; v++)
        s->value[v] = scalar_substitute(s->pool, s->value[v], map, s->slots);
    s->inside = scalar_substitute(s->pool, s->inside, map, s->slots);
    s->deltas = scalar_substitute(s->pool, s->deltas, map, s->slots);
    for (int i = 0; i < s->equation_count; i++) {
        Equation *e = &s->equations[i];
        if (!e->done) {
            e->left = scalar_substitute(s->pool, e->left, map, s->slots);
            e->right = scalar_substitute(s->pool, e->right, map, s->slots);
        }
    }
}

/* slot := value, everywhere. The condition on its range is kept even where another one implies it: conditions that were proved with the range
 * of the variable rest on it. */
static void eliminate(Solver *s, int slot, const Scalar *value) {
    s->unknown &= ~slot_bit(slot);
    const Scalar *map[MAX_SLOTS] = {0};
    map[slot] = value;
    substitute_all(s, map);
    require(s, scalar_within(s->pool, value, s->variables[slot].extent));
}

/* ---- the linear view of an equation: sum of coefficient * atom over unknowns == right ---- */

typedef struct Isolation {
    int count;
    LinearTerm atoms[LINEAR_MAX_TERMS]; /* those in which an unknown occurs */
    const Scalar *right;
} Isolation;

/* Known terms and the offset of `left` move to the right. False: no rule can help. */
static bool isolate(const Solver *s, const Equation *e, Isolation *out) {
    Linear all;
    if (!linear_of(e->left, &all))
        return false;
    Linear known = {.offset = all.offset, .batch = all.batch};
    out->count = 0;
    for (int i = 0; i < all.count; i++) {
        if (all.terms[i].atom->slots & s->unknown)
            out->atoms[out->count++] = all.terms[i];
        else
            known.terms[known.count++] = all.terms[i];
        if (all.terms[i].atom->has_load)
            return false;
    }
    out->right = subtract(s, e->right, linear_scalar(s->pool, &known));
    return true;
}

/* The atoms but `skip`, divided by `divisor`, as a scalar. */
static const Scalar *atoms_scalar(const Solver *s, const Isolation *is, int skip, int64_t divisor) {
    const Scalar *sum = scalar_int(s->pool, 0);
    for (int i = 0; i < is->count; i++)
        if (i != skip)
            sum = add(s, sum, scaled(s, is->atoms[i].coefficient / divisor, is->atoms[i].atom));
    return sum;
}

static bool is_unit(const LinearTerm *term) {
    return term->coefficient == 1 || term->coefficient == -1;
}

static bool is_bare(const LinearTerm *term) {
    return term->atom->kind == SCALAR_INDEX;
}

static bool is_digit(const LinearTerm *term) {
    return (scalar_is_op(term->atom, OP_FLOORDIV) || scalar_is_op(term->atom, OP_MOD)) &&
           term->atom->op.arg[1]->kind == SCALAR_INT;
}

/* Whether an unknown of the atom occurs elsewhere in the equation. */
static bool is_entangled(const Solver *s, const Isolation *is, int i) {
    uint64_t mine = is->atoms[i].atom->slots & s->unknown;
    uint64_t others = is->right->slots;
    for (int k = 0; k < is->count; k++)
        others |= k != i ? is->atoms[k].atom->slots : 0;
    return (mine & others) != 0;
}

/* right - (the other atoms): what coefficient * atom is equal to. */
static const Scalar *isolated_value(const Solver *s, const Isolation *is, int i) {
    return subtract(s, is->right, atoms_scalar(s, is, i, 1));
}

static int64_t common_divisor(const Isolation *is) {
    int64_t divisor = 0;
    for (int i = 0; i < is->count; i++)
        divisor = greatest_divisor(divisor, is->atoms[i].coefficient);
    return divisor;
}

/* The bare atom of the largest extent, among those with coefficient +-1 or among all; -1: there is none. To eliminate it leaves the
 * cheapest loop. The first one wins on ties: output axes go before reduction axes. */
static int largest_bare(const Solver *s, const Isolation *is, bool unit_only) {
    int best = -1;
    for (int i = 0; i < is->count; i++) {
        const LinearTerm *term = &is->atoms[i];
        if (!is_bare(term) || (unit_only && !is_unit(term)) || is_entangled(s, is, i))
            continue;
        if (best < 0 || term->atom->index.extent.size > is->atoms[best].atom->index.extent.size)
            best = i;
    }
    return best;
}

static int unit_digit(const Solver *s, const Isolation *is) {
    for (int i = 0; i < is->count; i++)
        if (is_digit(&is->atoms[i]) && is_unit(&is->atoms[i]) && !is_entangled(s, is, i))
            return i;
    return -1;
}

/* ---- rules: each changes the system and returns true, or leaves it alone ---- */

static void require_multiple(Solver *s, const Scalar *value, int64_t divisor) {
    const Scalar *zero = scalar_int(s->pool, 0);
    require(s, scalar_op2(s->pool, OP_EQ, remainder_of(s, value, divisor), zero));
}

/* All coefficients share a divisor g: the right side must be a multiple of g. */
static bool solve_by_division(Solver *s, Equation *e, const Isolation *is) {
    int64_t g = common_divisor(is);
    if (g <= 1)
        return false;
    *e = (Equation){.left = atoms_scalar(s, is, -1, g), .right = quotient(s, is->right, g)};
    require_multiple(s, is->right, g);
    return true;
}

/* The equation without the atom c * k, c > 0 after the sign is applied to all. Where c is 1 the other atoms with a unit coefficient are moved over, so that the
 * coefficients of the rest may share a divisor. */
static Isolation rest_of(const Solver *s, const Isolation *is, int k) {
    int64_t sign = is->atoms[k].coefficient < 0 ? -1 : 1;
    Isolation rest = {.right = scaled(s, sign, is->right)};
    for (int i = 0; i < is->count; i++) {
        LinearTerm term = is->atoms[i];
        term.coefficient *= sign;
        if (i != k && is_unit(&term) && is_unit(&is->atoms[k]))
            rest.right = subtract(s, rest.right, scaled(s, term.coefficient, term.atom));
        else if (i != k)
            rest.atoms[rest.count++] = term;
    }
    return rest;
}

static int64_t longest_range(const Isolation *is) {
    int64_t longest = 0;
    for (int i = 0; i < is->count; i++) {
        Range range = scalar_range(is->atoms[i].atom);
        bool known = range.low != INT64_MIN && range.high != INT64_MAX;
        int64_t length = known ? range.high - range.low + 1 : INT64_MAX;
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* x with c * x mod g == 1, for c and g without a common divisor; g is small. */
static int64_t inverse_modulo(int64_t c, int64_t g) {
    int64_t x = 1;
    while (c % g * x % g != 1)
        x++;
    return x;
}

/* c * k + g * (a . b) == T, c and g without a common divisor: the residue of k is known, k == g * q + m with m = (T / c) mod g and a short q, and
 * c * q + a . b == (T - c * m) div g remains. */
static void replace_by_residue(Solver *s, Equation *e, const Isolation *is, int i, const Isolation *rest, int64_t g) {
    const Scalar *k = is->atoms[i].atom;
    const int64_t c = is->atoms[i].coefficient < 0 ? -is->atoms[i].coefficient : is->atoms[i].coefficient;
    const Scalar *q = variable_new(s, quotient_extent(k->index.extent, g), s->variables[k->index.slot].source);
    const Scalar *m = remainder_of(s, scaled(s, inverse_modulo(c, g), rest->right), g);
    const Scalar *right = c == 1 ? rest->right : subtract(s, rest->right, scaled(s, c, m));
    *e = (Equation){.left = add(s, scaled(s, c, q), atoms_scalar(s, rest, -1, g)), .right = quotient(s, right, g)};
    eliminate(s, k->index.slot, add(s, scaled(s, g, q), m));
}

/* For a unit k it beats replacing k when that would leave a loop longer than q's. */
static bool solve_by_residue(Solver *s, Equation *e, const Isolation *is, int unit) {
    Isolation rest = rest_of(s, is, unit);
    int64_t g = common_divisor(&rest);
    if (g <= 1 || s->slots == MAX_SLOTS ||
        quotient_extent(is->atoms[unit].atom->index.extent, g).size >= longest_range(&rest))
        return false;
    replace_by_residue(s, e, is, unit, &rest, g);
    return true;
}

/* Without a unit atom, as in 2 * o + 3 * u: the atom that leaves the shortest loop. */
static bool solve_by_inverse(Solver *s, Equation *e, const Isolation *is) {
    enum { LARGEST_DIVISOR = 1 << 16 };
    int best = -1;
    int64_t shortest = INT64_MAX, best_g = 0;
    for (int i = 0; i < is->count && s->slots < MAX_SLOTS; i++) {
        const LinearTerm *term = &is->atoms[i];
        Isolation rest = rest_of(s, is, i);
        int64_t g = common_divisor(&rest);
        if (!is_bare(term) || is_entangled(s, is, i) || g <= 1 || g > LARGEST_DIVISOR ||
            greatest_divisor(term->coefficient, g) != 1)
            continue;
        int64_t steps = quotient_extent(term->atom->index.extent, g).size;
        if (steps < shortest) {
            shortest = steps;
            best = i;
            best_g = g;
        }
    }
    if (best < 0)
        return false;
    Isolation rest = rest_of(s, is, best);
    replace_by_residue(s, e, is, best, &rest, best_g);
    return true;
}

static bool solve_by_unit(Solver *s, Equation *e, const Isolation *is) {
    int unit = largest_bare(s, is, true);
    if (unit < 0)
        return false;
    if (!solve_by_residue(s, e, is, unit)) {
        e->done = true;
        eliminate(s, is->atoms[unit].atom->index.slot,
                  scaled(s, is->atoms[unit].coefficient, isolated_value(s, is, unit)));
    }
    return true;
}

/* How many values x div divisor takes from `lowest` on; size 0: not known. */
static Extent high_digits(const Scalar *x, int64_t divisor, int64_t *lowest) {
    *lowest = 0;
    if (x->kind == SCALAR_INDEX)
        return quotient_extent(x->index.extent, divisor);
    Range range = scalar_range(x);
    if (range.low == INT64_MIN || range.high == INT64_MAX)
        return (Extent){0};
    *lowest = floor_quotient(range.low, divisor);
    return (Extent){.size = floor_quotient(range.high, divisor) - *lowest + 1};
}

/* Replaces the digit's equation by that of its whole, x == other digits and value. The missing digit is a fresh variable. False: the range of the missing digit is not known. */
static bool complete_digit(Solver *s, Equation *e, const Scalar *digit, const Scalar *value) {
    const Scalar *x = digit->op.arg[0];
    int64_t d = digit->op.arg[1]->integer;
    int source = first_source(s, x);
    if (digit->op.op == OP_FLOORDIV) {
        const Scalar *low = variable_new(s, (Extent){.size = d}, source);
        *e = (Equation){.left = subtract(s, x, low), .right = scaled(s, d, value)};
        return true;
    }
    int64_t lowest;
    Extent extent = high_digits(x, d, &lowest);
    if (extent.size == 0)
        return false;
    const Scalar *high = variable_new(s, extent, source);
    *e =
        (Equation){.left = subtract(s, x, scaled(s, d, high)), .right = add(s, value, scalar_int(s->pool, lowest * d))};
    require(s, scalar_within(s->pool, value, (Extent){.size = d}));
    return true;
}

/* x div d == value: x == d * value + low.  x mod d == value: x == d * high + value.  Then x goes at once, so that its other digits become digits of the
 * fresh variable. */
static bool solve_digit(Solver *s, Equation *e, const Isolation *is) {
    int i = unit_digit(s, is);
    if (i < 0 || s->slots == MAX_SLOTS)
        return false;
    const Scalar *value = scaled(s, is->atoms[i].coefficient, isolated_value(s, is, i));
    if (!complete_digit(s, e, is->atoms[i].atom, value))
        return false;
    Isolation whole;
    if (isolate(s, e, &whole))
        solve_by_unit(s, e, &whole);
    return true;
}

/* c * v == value, c not +-1: the value must be a multiple of c. */
static bool solve_by_stride(Solver *s, Equation *e, const Isolation *is) {
    int i = largest_bare(s, is, false);
    if (i < 0)
        return false;
    int64_t c = is->atoms[i].coefficient;
    const Scalar *value = scaled(s, c < 0 ? -1 : 1, isolated_value(s, is, i));
    c = c < 0 ? -c : c;
    e->done = true;
    require_multiple(s, value, c);
    eliminate(s, is->atoms[i].atom->index.slot, quotient(s, value, c));
    return true;
}

/* ---- the order of the rules ---- */

/* Lower goes first: what is certain, then what is forced, then choices. */
typedef enum Rank { RANK_CHECK, RANK_UNIT, RANK_SINGLE, RANK_SEVERAL, RANK_NEVER } Rank;

static Rank equation_rank(const Solver *s, const Equation *e, Isolation *is) {
    if (((e->left->slots | e->right->slots) & s->unknown) == 0)
        return RANK_CHECK;
    if (!isolate(s, e, is) || is->count == 0)
        return RANK_NEVER;
    if (is->count > 1)
        return RANK_SEVERAL;
    return is_bare(&is->atoms[0]) && is_unit(&is->atoms[0]) ? RANK_UNIT : RANK_SINGLE;
}

/* Among equal ranks the digit with the largest divisor: v = d * j + low turns the lower digits of v into digits of low. */
static int64_t equation_weight(const Isolation *is) {
    bool quotient_alone = is->count == 1 && scalar_is_op(is->atoms[0].atom, OP_FLOORDIV);
    return quotient_alone ? is->atoms[0].atom->op.arg[1]->integer : 0;
}

static void leave_delta(Solver *s, Equation *e) {
    e->done = true;
    s->deltas = both(s, s->deltas, scalar_op2(s->pool, OP_EQ, e->left, e->right));
}

/* An equation that no rule fits becomes a delta. */
static void apply_rules(Solver *s, Equation *e, Rank rank, const Isolation *is) {
    bool solved = rank != RANK_CHECK && rank != RANK_NEVER &&
                  (solve_by_division(s, e, is) || solve_by_unit(s, e, is) || solve_digit(s, e, is) ||
                   solve_by_inverse(s, e, is) || solve_by_stride(s, e, is));
    if (!solved)
        leave_delta(s, e);
}

/* One rule for the most promising equation. False: no equation is left. */
static bool solve_step(Solver *s) {
    Equation *best = NULL;
    Rank best_rank = RANK_NEVER;
    Isolation best_view = {0};
    for (int i = 0; i < s->equation_count; i++) {
        Equation *e = &s->equations[i];
        if (e->done)
            continue;
        Isolation view = {0};
        Rank rank = equation_rank(s, e, &view);
        if (!best || rank < best_rank || (rank == best_rank && equation_weight(&view) > equation_weight(&best_view))) {
            best = e;
            best_rank = rank;
            best_view = view;
        }
    }
    if (best)
        apply_rules(s, best, best_rank, &best_view);
    return best != NULL;
}

/* ---- the ends ---- */

static void start(Solver *s) {
    const IndexAccess *access = s->access;
    s->slots = access->axes;
    s->inside = s->deltas = scalar_bool(s->pool, true);
    const Scalar *map[MAX_AXES];
    for (int v = 0; v < access->variables; v++)
        map[v] = s->value[v] = variable_new(s, access->extents[v], v);
    s->equation_count = access->axes;
    for (int a = 0; a < access->axes; a++) {
        s->equations[a] = (Equation){.left = scalar_substitute(s->pool, access->at[a], map, access->variables),
                                     .right = scalar_index(s->pool, a, access->shape[a])};
    }
}

/* A node has room for MAX_AXES axes. When too many variables remain, the two shortest become the digits of one. */
static void fold_two(Solver *s) {
    int slots[2] = {-1, -1};
    for (int slot = s->access->axes; slot < s->slots; slot++) {
        if (!(s->unknown & slot_bit(slot)))
            continue;
        int64_t size = s->variables[slot].extent.size;
        if (slots[0] < 0 || size < s->variables[slots[0]].extent.size) {
            slots[1] = slots[0];
            slots[0] = slot;
        } else if (slots[1] < 0 || size < s->variables[slots[1]].extent.size) {
            slots[1] = slot;
        }
    }
    /* At most one variable is dynamic, or all are by the same n: the longer one may be, the digit below must not. */
    Extent low = s->variables[slots[0]].extent, high = s->variables[slots[1]].extent;
    const Scalar *both_digits =
        variable_new(s, (Extent){.size = low.size * high.size, .per_sample = high.per_sample * low.size},
                     s->variables[slots[1]].source);
    eliminate(s, slots[0], remainder_of(s, both_digits, low.size));
    eliminate(s, slots[1], quotient(s, both_digits, low.size));
}

static int count_unknown(const Solver *s) {
    int count = 0;
    for (int slot = s->access->axes; slot < s->slots; slot++)
        count += (s->unknown & slot_bit(slot)) != 0;
    return count;
}

/* Numbers the remaining variables after j, parts of one variable beside each other. */
static IndexSolution finish(Solver *s) {
    IndexSolution solution = {0};
    const Scalar *map[MAX_SLOTS] = {0};
    for (int v = 0; v < s->access->variables; v++) {
        for (int slot = s->access->axes; slot < s->slots; slot++) {
            const Variable *variable = &s->variables[slot];
            if (variable->source != v || !(s->unknown & slot_bit(slot)))
                continue;
            int i = solution.remaining++;
            solution.extents[i] = variable->extent;
            solution.source[i] = v;
            map[slot] = scalar_index(s->pool, s->access->axes + i, variable->extent);
        }
    }
    substitute_all(s, map);
    for (int v = 0; v < s->access->variables; v++)
        solution.value[v] = s->value[v];
    solution.inside = s->inside;
    solution.deltas = s->deltas;
    return solution;
}

IndexSolution index_solve(ScalarPool *pool, const IndexAccess *access) {
    Solver s = {.pool = pool, .access = access};
    start(&s);
    while (solve_step(&s)) {
    }
    while (access->axes + count_unknown(&s) > MAX_AXES && s.slots < MAX_SLOTS)
        fold_two(&s);
    return finish(&s);
}
