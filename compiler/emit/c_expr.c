#include "emit/c_expr.h"

#include <inttypes.h>
#include <math.h>

#include "emit/c_write.h"
#include "loop/loop_make.h"
#include "loop/loop_walk.h"

/* C's precedences, the loosest first. */
typedef enum Precedence {
    P_LOOSEST,
    P_TERNARY,
    P_OR,
    P_AND,
    P_EQUALITY,
    P_RELATION,
    P_SUM,
    P_PRODUCT,
    P_UNARY,
    P_PRIMARY
} Precedence;

/* One expression that is being written. */
typedef struct Writing {
    const CExprs *c;
    Text *out;
} Writing;

static void write_expr(Writing *w, const LoopExpr *e, Precedence least);

/* ---- functions ---- */

static void write_name(Writing *w, const char *function) {
    inline_use_function(w->c->used, function);
    text_add(w->out, function);
}

static void write_call(Writing *w, const char *function, const LoopExpr *const *args, int count) {
    write_name(w, function);
    text_add(w->out, "(");
    for (int i = 0; i < count && args[i]; i++) {
        text_add(w->out, i ? ", " : "");
        write_expr(w, args[i], P_TERNARY);
    }
    text_add(w->out, ")");
}

/* ---- leaves ---- */

const char *c_name(const CExprs *c, const void *what, const char *name) {
    if (!c->numbers)
        return name;
    const char *number = pointer_map_get(c->numbers, what);
    if (!number) {
        number = arena_printf(c->arena, "v%zu", pointer_map_count(c->numbers));
        pointer_map_put(c->numbers, what, number);
    }
    return number;
}

static void write_real(Writing *w, double value) {
    c_real(w->out, value, w->c->real_is_double);
}

static void write_int(Writing *w, int64_t value) {
    if (value == INT64_MIN)
        text_add(w->out, "INT64_MIN");
    else
        text_add_int(w->out, value);
}

/* The number of something, or a distance: what may be an argument in kernels that are one function. */
static void write_size(Writing *w, int64_t value, Precedence least) {
    CSizes *sizes = w->c->sizes;
    if (!sizes->written) {
        vec_push(w->c->arena, &sizes->values, value);
        vec_push(w->c->arena, &sizes->wishes, sizes->wish);
        text_add(w->out, "#");
        return;
    }
    CSize size = sizes->written[sizes->next++];
    bool brackets = (size.times != 1 ? P_PRODUCT : size.name || value >= 0 ? P_PRIMARY : P_UNARY) < least;
    text_add(w->out, brackets ? "(" : "");
    if (!size.name || size.times != 1)
        write_int(w, size.name ? size.times : value);
    if (size.name)
        text_printf(w->out, "%s%s", size.times != 1 ? " * " : "", size.name);
    text_add(w->out, brackets ? ")" : "");
}

/* What follows is written with its integers. */
static void write_exactly(Writing *w, const LoopExpr *e, Precedence least) {
    CExprs exact = c_exact(w->c);
    write_expr(&(Writing){&exact, w->out}, e, least);
}

static const char *runtime_name(Runtime which) {
    static const char *const names[] = {[RUNTIME_N] = "n", [RUNTIME_STEP] = "step", [RUNTIME_STEPS] = "steps"};
    return names[which];
}

/* ---- memory ---- */

static const char *address_name(const Writing *w, const LoopAddress *a) {
    const CNear *near = w->c->nears ? pointer_map_get(w->c->nears->of, a) : NULL;
    if (near)
        return c_name(w->c, near, near->name);
    return a->buffer ? c_name(w->c, a->buffer, a->buffer->name) : c_name(w->c, a->array, a->array->name);
}

static bool address_is_int(const LoopAddress *a) {
    return (a->buffer ? a->buffer->type : a->array->type) == TYPE_INT;
}

static const LoopExpr *offset_of(const Writing *w, const LoopAddress *a) {
    const LoopExpr *offset = w->c->nears ? pointer_map_get(w->c->nears->rest, a) : NULL;
    if (!offset)
        offset = w->c->offsets ? pointer_map_get(w->c->offsets, a) : NULL;
    return offset ? offset : a->offset;
}

static void write_element(Writing *w, const LoopAddress *a) {
    text_add(w->out, address_name(w, a));
    text_add(w->out, "[");
    write_expr(w, offset_of(w, a), P_LOOSEST);
    text_add(w->out, "]");
}

static void write_pointer(Writing *w, const LoopAddress *a) {
    if (expr_is_int(offset_of(w, a), 0)) {
        text_add(w->out, address_name(w, a));
        return;
    }
    text_add(w->out, "&");
    write_element(w, a);
}

/* The functions of a vector access. Integers have the general form for all but whole loads. */
static const char *load_function(const LoopAddress *a) {
    static const char *const reals[] = {[ACCESS_CONTIGUOUS] = "nn_load",
                                        [ACCESS_PART] = "nn_load_part",
                                        [ACCESS_STRIDED] = "nn_gather",
                                        [ACCESS_STRIDED_PART] = "nn_gather_part"};
    if (!address_is_int(a))
        return a->once ? "nn_load_once" : reals[a->access];
    return a->access == ACCESS_CONTIGUOUS ? "nn_load_int" : "nn_gather_int_part";
}

static const char *store_function(const LoopAddress *a) {
    static const char *const reals[] = {[ACCESS_CONTIGUOUS] = "nn_store",
                                        [ACCESS_PART] = "nn_store_part",
                                        [ACCESS_STRIDED] = "nn_scatter",
                                        [ACCESS_STRIDED_PART] = "nn_scatter_part"};
    if (address_is_int(a))
        return "nn_scatter_int_part";
    return a->streams ? "nn_stream" : reals[a->access];
}

static bool is_strided(const LoopAddress *a) {
    return a->access == ACCESS_STRIDED || a->access == ACCESS_STRIDED_PART;
}

static void write_stride(Writing *w, const LoopAddress *a, bool general) {
    if (is_strided(a) || general) {
        text_add(w->out, ", ");
        c_wish(w->c, "stride");
        c_size(w->c, w->out, is_strided(a) ? a->stride : 1);
    }
}

static bool is_part(const LoopAddress *a) {
    return a->access == ACCESS_PART || a->access == ACCESS_STRIDED_PART;
}

static void write_count(Writing *w, const LoopAddress *a, bool general) {
    if (is_part(a)) {
        text_add(w->out, ", ");
        write_exactly(w, a->count, P_TERNARY);
    } else if (general) {
        text_add(w->out, ", NN_LANES");
    }
}

static void write_vector_load(Writing *w, const LoopAddress *a) {
    bool general = address_is_int(a) && a->access != ACCESS_CONTIGUOUS;
    write_name(w, load_function(a));
    text_add(w->out, "(");
    write_pointer(w, a);
    write_stride(w, a, general);
    write_count(w, a, general);
    text_add(w->out, ")");
}

static void write_vector_store(Writing *w, const LoopAddress *a, const LoopExpr *value) {
    bool general = address_is_int(a);
    write_name(w, store_function(a));
    text_add(w->out, "(");
    write_pointer(w, a);
    write_stride(w, a, general);
    text_add(w->out, ", ");
    write_expr(w, value, P_TERNARY);
    write_count(w, a, general);
    text_add(w->out, ")");
}

/* ---- operations ---- */

/* Empty for operations that are written as calls. */
static const char *infix_of(const LoopExpr *e) {
    const OpInfo *info = op_info(e->op.op);
    if ((e->op.op == OP_FLOORDIV || e->op.op == OP_MOD) && e->op.natural)
        return e->op.op == OP_MOD ? "%" : "/";
    bool infix = e->vector ? info->c_vector[0] == '\0' : info->c_scalar[0] == '\0';
    return infix && info->arity == 2 ? info->spelling : "";
}

static Precedence infix_precedence(Op op) {
    switch (op) {
    case OP_ADD:
    case OP_SUB: return P_SUM;
    case OP_EQ:
    case OP_NE: return P_EQUALITY;
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE: return P_RELATION;
    case OP_AND: return P_AND;
    case OP_OR: return P_OR;
    default: return P_PRODUCT;
    }
}

static bool is_ternary(const LoopExpr *e) {
    return e->op.op == OP_SELECT && !e->op.arg[0]->vector;
}

static Precedence op_precedence(const LoopExpr *e) {
    if (is_ternary(e))
        return P_TERNARY;
    if (infix_of(e)[0])
        return infix_precedence(e->op.op);
    return e->op.op == OP_NEG || (e->op.op == OP_NOT && !e->vector) ? P_UNARY : P_PRIMARY;
}

static Precedence precedence(const LoopExpr *e) {
    switch (e->kind) {
    case LOOP_REAL: return signbit(e->real) ? P_UNARY : P_PRIMARY;
    case LOOP_INT: return e->integer < 0 ? P_UNARY : P_PRIMARY;
    case LOOP_OP: return op_precedence(e);
    default: return P_PRIMARY;
    }
}

/* An operand of infix arithmetic. A vector meets a single number without a splat, if the other operand is a vector of
 * its own. */
static void write_operand(Writing *w, const LoopExpr *e, const LoopExpr *other, Precedence least) {
    bool bare = e->kind == LOOP_SPLAT && other->vector && other->kind != LOOP_SPLAT;
    write_expr(w, bare ? e->unary.value : e, least);
}

/* How tightly the right operand must bind. Integer sums and products, and conditions, are associative. */
static Precedence right_precedence(const LoopExpr *e, Precedence own) {
    const LoopExpr *right = e->op.arg[1];
    bool same = right->kind == LOOP_OP && right->op.op == e->op.op;
    bool associative =
        e->op.op == OP_AND || e->op.op == OP_OR || (e->type == TYPE_INT && (e->op.op == OP_ADD || e->op.op == OP_MUL));
    return same && associative ? own : own + 1;
}

/* GCC wants brackets around && inside ||, and around comparisons inside == and !=. */
static Precedence asked_brackets(const LoopExpr *operand, Op op, Precedence least) {
    bool mixed = op == OP_OR && operand->kind == LOOP_OP && operand->op.op == OP_AND;
    bool chained = op_info(op)->kind == OP_KIND_COMPARE;
    return mixed || chained ? P_SUM : least;
}

/* Integers from memory are widened before arithmetic. */
static void write_widening(Writing *w, const LoopExpr *operand, const LoopExpr *result) {
    if (operand->kind == LOOP_LOAD && operand->type == TYPE_INT && result->type == TYPE_INT)
        text_add(w->out, "(int64_t)");
}

/* Of integers: it is fast where the C compiler knows the divisor. */
static bool is_division(const LoopExpr *e) {
    return e->op.op == OP_FLOORDIV || e->op.op == OP_MOD;
}

static void write_operands(Writing *w, const LoopExpr *e) {
    const LoopExpr *left = e->op.arg[0], *right = e->op.arg[1];
    Precedence own = infix_precedence(e->op.op);
    write_widening(w, left, e);
    write_operand(w, left, right, asked_brackets(left, e->op.op, own));
    text_add(w->out, " ");
    text_add(w->out, infix_of(e));
    text_add(w->out, " ");
    write_widening(w, right, e);
    Precedence least = asked_brackets(right, e->op.op, right_precedence(e, own));
    if (is_division(e))
        write_exactly(w, right, least);
    else
        write_operand(w, right, left, least);
}

typedef struct Factor {
    const CSizes *sizes;
    const char *name; /* of its first variable */
    bool of_tile;     /* it is another for each row or column of a tile of sums */
} Factor;

static void look_at_factor(void *context, const LoopExpr *e) {
    Factor *factor = context;
    if (e->kind != LOOP_VAR)
        return;
    factor->name = factor->name ? factor->name : e->var->name;
    factor->of_tile = factor->of_tile || pointer_map_get(factor->sizes->unrolled, e->var);
}

/* An integer that multiplies a variable is how far its neighbours are apart. */
static void write_product(Writing *w, const LoopExpr *e) {
    Factor factor = {.sizes = w->c->sizes};
    loop_walk_expr(e, &(LoopVisitor){.expr = look_at_factor, .context = &factor});
    CExprs c = factor.of_tile ? c_exact(w->c) : *w->c;
    c_wish(&c, factor.name ? arena_printf(c.arena, "%s_stride", factor.name) : "offset");
    write_operands(&(Writing){&c, w->out}, e);
}

static void write_infix(Writing *w, const LoopExpr *e) {
    if (w->c->sizes && e->type == TYPE_INT && e->op.op == OP_MUL) {
        write_product(w, e);
    } else {
        c_wish(w->c, "offset");
        write_operands(w, e);
    }
}

static void write_ternary(Writing *w, const LoopExpr *e) {
    write_expr(w, e->op.arg[0], P_OR);
    text_add(w->out, " ? ");
    write_expr(w, e->op.arg[1], P_OR);
    text_add(w->out, " : ");
    write_expr(w, e->op.arg[2], P_TERNARY);
}

/* A choice between masks: (test and a) or (not test and b). */
static void write_mask_choice(Writing *w, const LoopExpr *e) {
    write_name(w, "nn_or");
    text_add(w->out, "(");
    write_call(w, "nn_and", (const LoopExpr *const[]){e->op.arg[0], e->op.arg[1]}, 2);
    text_add(w->out, ", ");
    write_name(w, "nn_and");
    text_add(w->out, "(");
    write_call(w, "nn_not", &e->op.arg[0], 1);
    text_add(w->out, ", ");
    write_expr(w, e->op.arg[2], P_TERNARY);
    text_add(w->out, "))");
}

static void write_random(Writing *w, const LoopExpr *e) {
    const OpInfo *info = op_info(OP_RANDOM);
    write_name(w, e->vector ? info->c_vector : info->c_scalar);
    text_add(w->out, "(seed, step, ");
    c_wish(w->c, "stream");
    write_expr(w, e->op.arg[0], P_TERNARY);
    text_add(w->out, ", ");
    write_expr(w, e->op.arg[1], P_TERNARY);
    text_add(w->out, ")");
}

/* The function of an operation; integers have least and greatest of their own. */
static const char *function_of(const LoopExpr *e) {
    const OpInfo *info = op_info(e->op.op);
    if (e->type == TYPE_INT && e->op.op == OP_MIN)
        return "nn_min_int";
    if (e->type == TYPE_INT && e->op.op == OP_MAX)
        return "nn_max_int";
    return e->vector ? info->c_vector : info->c_scalar;
}

static void write_op(Writing *w, const LoopExpr *e) {
    Op op = e->op.op;
    if (is_ternary(e)) {
        write_ternary(w, e);
    } else if (infix_of(e)[0]) {
        write_infix(w, e);
    } else if (op == OP_NEG || (op == OP_NOT && !e->vector)) {
        text_add(w->out, op == OP_NEG ? "-" : "!");
        write_widening(w, e->op.arg[0], e);
        write_expr(w, e->op.arg[0], P_PRIMARY);
    } else if (op == OP_SELECT && e->type == TYPE_BOOL) {
        write_mask_choice(w, e);
    } else if (op == OP_RANDOM) {
        write_random(w, e);
    } else if (op == OP_TO_REAL && e->vector && e->op.arg[0]->type == TYPE_REAL) {
        write_expr(w, e->op.arg[0], P_PRIMARY);
    } else {
        CExprs c = is_division(e) ? c_exact(w->c) : *w->c;
        write_call(&(Writing){&c, w->out}, function_of(e), e->op.arg, op_info(op)->arity);
    }
}

static const char *horizontal_function(Reduction reduce) {
    switch (reduce) {
    case REDUCE_PROD: return "nn_hprod";
    case REDUCE_MAX: return "nn_hmax";
    case REDUCE_MIN: return "nn_hmin";
    default: return "nn_hsum";
    }
}

static void write_splat(Writing *w, const LoopExpr *e) {
    write_call(w, e->type == TYPE_BOOL ? "nn_splat_mask" : "nn_splat", &e->unary.value, 1);
}

static void write_place(Writing *w, const LoopVar *var, const LoopExpr *const at[2]) {
    text_add(w->out, c_name(w->c, var, var->name));
    for (int i = 0; i < var->rank; i++) {
        text_add(w->out, "[");
        write_exactly(w, at[i], P_LOOSEST);
        text_add(w->out, "]");
    }
}

static void write_sums(Writing *w, const LoopExpr *e) {
    const LoopVar *tile = e->element.tile;
    write_name(w, "nn_hsums");
    text_add(w->out, "(&");
    write_place(w, tile, e->element.at);
    text_printf(w->out, ", %d, %d - ", tile->rank > 1 ? tile->size[1] : 1, tile->size[0]);
    write_exactly(w, e->element.at[0], P_PRODUCT);
    text_add(w->out, ")");
}

static void write_bare(Writing *w, const LoopExpr *e) {
    switch (e->kind) {
    case LOOP_REAL: write_real(w, e->real); break;
    case LOOP_INT:
    case LOOP_BOOL: write_int(w, e->integer); break;
    case LOOP_LANES: text_add(w->out, "NN_LANES"); break;
    case LOOP_VAR: text_add(w->out, c_name(w->c, e->var, e->var->name)); break;
    case LOOP_ELEMENT: write_place(w, e->element.tile, e->element.at); break;
    case LOOP_SUMS: write_sums(w, e); break;
    case LOOP_RUNTIME: text_add(w->out, runtime_name(e->runtime)); break;
    case LOOP_LOAD:
        if (e->vector)
            write_vector_load(w, &e->load);
        else
            write_element(w, &e->load);
        break;
    case LOOP_OP: write_op(w, e); break;
    case LOOP_FMA: write_call(w, e->vector ? "nn_fma" : "nn_fma1", e->op.arg, 3); break;
    case LOOP_SPLAT: write_splat(w, e); break;
    case LOOP_IOTA: write_call(w, "nn_iota", NULL, 0); break;
    case LOOP_FIRST: write_call(w, "nn_first_lanes", &e->unary.value, 1); break;
    case LOOP_HORIZONTAL: write_call(w, horizontal_function(e->unary.reduce), &e->unary.value, 1); break;
    }
}

static void write_expr(Writing *w, const LoopExpr *e, Precedence least) {
    if (e->kind == LOOP_INT && w->c->sizes) {
        write_size(w, e->integer, least);
        return;
    }
    bool brackets = precedence(e) < least;
    text_add(w->out, brackets ? "(" : "");
    write_bare(w, e);
    text_add(w->out, brackets ? ")" : "");
}

/* ---- interface ---- */

void c_wish(const CExprs *c, const char *wish) {
    if (c->sizes)
        c->sizes->wish = wish;
}

void c_size(const CExprs *c, Text *out, int64_t value) {
    Writing w = {c, out};
    if (c->sizes)
        write_size(&w, value, P_TERNARY);
    else
        write_int(&w, value);
}

void c_expr(const CExprs *c, Text *out, const LoopExpr *e) {
    write_expr(&(Writing){c, out}, e, P_LOOSEST);
}

void c_assignment(const CExprs *c, Text *out, const LoopStmt *s) {
    Writing w = {c, out};
    write_place(&w, s->set.var, s->set.at);
    text_add(out, " = ");
    write_expr(&w, s->set.value, P_LOOSEST);
    text_add(out, ";");
}

void c_below(const CExprs *c, Text *out, const LoopExpr *bound) {
    write_expr(&(Writing){c, out}, bound, P_SUM);
}

void c_pointer(const CExprs *c, Text *out, const LoopAddress *address) {
    write_pointer(&(Writing){c, out}, address);
}

/* The value fits: data are checked when they arrive, and the compiler knows the range of what it computes. */
static bool needs_narrowing(const LoopAddress *to, const LoopExpr *value) {
    return address_is_int(to) && value->type == TYPE_INT && value->kind != LOOP_INT && value->kind != LOOP_LOAD;
}

void c_store(const CExprs *c, Text *out, const LoopAddress *to, const LoopExpr *value) {
    Writing w = {c, out};
    if (to->access != ACCESS_SCALAR) {
        write_vector_store(&w, to, value);
    } else {
        bool narrow = needs_narrowing(to, value);
        write_element(&w, to);
        text_add(out, narrow ? " = (int32_t)" : " = ");
        write_expr(&w, value, narrow ? P_UNARY : P_LOOSEST);
    }
    text_add(out, ";");
}

void c_turn(const CExprs *c, Text *out, const LoopStmt *s) {
    Writing w = {c, out};
    const LoopAddress *at = &s->turn.at;
    const char *tile = c_name(c, s->turn.tile, s->turn.tile->name);
    write_name(&w, s->turn.stores ? "nn_store_turned" : "nn_load_turned");
    text_printf(out, "(%s", s->turn.stores ? "" : tile);
    text_add(out, s->turn.stores ? "" : ", ");
    write_pointer(&w, at);
    text_add(out, ", ");
    c_wish(c, "row_stride");
    c_size(c, out, at->stride);
    if (s->turn.stores)
        text_printf(out, ", %s", tile);
    text_printf(out, ", %d", s->turn.tile->size[0]);
    write_count(&w, at, true);
    text_add(out, ");");
}

void c_apply(const CExprs *c, Text *out, const LoopStmt *s) {
    write_name(&(Writing){c, out}, op_info(s->apply.op)->c_tile);
    text_printf(out, "(%s, %d);", c_name(c, s->apply.tile, s->apply.tile->name), s->apply.tile->size[0]);
}

void c_fetch(const CExprs *c, Text *out, const LoopStmt *s) {
    Writing w = {c, out};
    inline_use(c->used, s->fetch.writes ? "fetch_write" : "fetch_read");
    text_add(out, s->fetch.writes ? "nn_fetch_write(&" : "nn_fetch_read(&");
    write_element(&w, &s->fetch.at);
    text_printf(out, ", %" PRId64 ");", s->fetch.ahead);
}
