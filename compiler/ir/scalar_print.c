/* Scalars as text. The only code that goes over an expression as a tree. */
#include "ir/scalar_internal.h"

/* Binding strength, loosest first. */
enum { LEVEL_OR, LEVEL_AND, LEVEL_COMPARE, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_PREFIX, LEVEL_ATOM };

static int op_level(Op op) {
    switch (op) {
    case OP_OR: return LEVEL_OR;
    case OP_AND: return LEVEL_AND;
    case OP_EQ:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE: return LEVEL_COMPARE;
    case OP_ADD:
    case OP_SUB: return LEVEL_SUM;
    case OP_MUL:
    case OP_DIV:
    case OP_FLOORDIV:
    case OP_MOD: return LEVEL_PRODUCT;
    case OP_NEG:
    case OP_NOT: return LEVEL_PREFIX;
    default: return LEVEL_ATOM;
    }
}

/* A negative constant stands where a prefix minus could. */
static int scalar_level(const Scalar *s) {
    if (s->kind == SCALAR_OP)
        return op_level(s->op.op);
    bool negative = (s->kind == SCALAR_REAL && s->real < 0) || (s->kind == SCALAR_INT && s->integer < 0);
    return negative ? LEVEL_PREFIX : LEVEL_ATOM;
}

typedef struct Printer {
    ScalarNames names;
    Text *out;
} Printer;

static void print_scalar(Printer *p, const Scalar *s, int level);

static void print_index(Printer *p, const Scalar *s) {
    const char *name = p->names.slots ? p->names.slots[s->index.slot] : NULL;
    if (name)
        text_add(p->out, name);
    else
        text_printf(p->out, "i%d", s->index.slot);
}

static void print_tensor(Printer *p, const Node *tensor) {
    const char *name = p->names.tensor ? p->names.tensor(p->names.context, tensor) : tensor->origin.name;
    if (name)
        text_add(p->out, name);
    else
        text_printf(p->out, "%%%u", tensor->id);
}

static void print_list(Printer *p, const Scalar *const *items, int count) {
    for (int i = 0; i < count; i++) {
        text_add(p->out, i == 0 ? "" : ", ");
        print_scalar(p, items[i], LEVEL_OR);
    }
}

static void print_extent(Printer *p, Extent extent) {
    if (extent.per_sample == 0) {
        text_printf(p->out, "%lld", (long long)extent.size);
        return;
    }
    const char *batch = p->names.batch ? p->names.batch : "n";
    if (extent.per_sample == 1)
        text_add(p->out, batch);
    else
        text_printf(p->out, "%lld * %s", (long long)extent.per_sample, batch);
}

static void print_call(Printer *p, const Scalar *s) {
    const OpInfo *info = op_info(s->op.op);
    text_printf(p->out, "%s(", info->spelling);
    print_list(p, s->op.arg, info->arity);
    if (s->op.op == OP_WITHIN) {
        text_add(p->out, ", ");
        print_extent(p, s->op.extent);
    }
    text_add(p->out, ")");
}

/* Comparisons do not chain; the right argument of the other infix operations binds tighter, so that a - (b - c) keeps its parentheses. */
static void print_infix(Printer *p, const Scalar *s) {
    int level = op_level(s->op.op);
    print_scalar(p, s->op.arg[0], level == LEVEL_COMPARE ? level + 1 : level);
    text_printf(p->out, " %s ", op_info(s->op.op)->spelling);
    print_scalar(p, s->op.arg[1], level + 1);
}

static void print_op(Printer *p, const Scalar *s) {
    int level = op_level(s->op.op);
    if (level == LEVEL_ATOM) {
        print_call(p, s);
    } else if (level == LEVEL_PREFIX) {
        text_add(p->out, s->op.op == OP_NOT ? "!" : "-");
        print_scalar(p, s->op.arg[0], LEVEL_ATOM);
    } else {
        print_infix(p, s);
    }
}

static void print_runtime(Printer *p, Runtime runtime) {
    switch (runtime) {
    case RUNTIME_N: text_add(p->out, p->names.batch ? p->names.batch : "n"); break;
    case RUNTIME_STEP: text_add(p->out, "step"); break;
    case RUNTIME_STEPS: text_add(p->out, "steps"); break;
    }
}

static void print_bare(Printer *p, const Scalar *s) {
    switch (s->kind) {
    case SCALAR_REAL: text_add_double(p->out, s->real); break;
    case SCALAR_INT: text_printf(p->out, "%lld", (long long)s->integer); break;
    case SCALAR_BOOL: text_add(p->out, s->integer ? "true" : "false"); break;
    case SCALAR_INDEX: print_index(p, s); break;
    case SCALAR_RUNTIME: print_runtime(p, s->runtime); break;
    case SCALAR_LOAD:
        print_tensor(p, s->load.tensor);
        if (s->load.rank > 0) {
            text_add(p->out, "[");
            print_list(p, s->load.at, s->load.rank);
            text_add(p->out, "]");
        }
        break;
    case SCALAR_OP: print_op(p, s); break;
    }
}

/* In parentheses where the place wants a tighter level. */
static void print_scalar(Printer *p, const Scalar *s, int level) {
    const char *shared = p->names.shared ? p->names.shared(p->names.context, s) : NULL;
    if (shared) {
        text_add(p->out, shared);
        return;
    }
    bool parentheses = scalar_level(s) < level;
    text_add(p->out, parentheses ? "(" : "");
    print_bare(p, s);
    text_add(p->out, parentheses ? ")" : "");
}

void scalar_print_named(const Scalar *s, ScalarNames names, Text *out) {
    Printer printer = {.names = names, .out = out};
    print_bare(&printer, s);
}

void scalar_print(const Scalar *s, const char *const *slot_names, Text *out) {
    scalar_print_named(s, (ScalarNames){.slots = slot_names}, out);
}
