#include "ir/scalar.h"

#include <math.h>
#include <string.h>

static const OpInfo OPS[OP_COUNT] = {
#define OP(NAME, spelling, arity, kind, fold, da, db, flops, c_scalar, c_vector, c_tile, domain, ulp, doc)             \
    {#NAME, spelling, arity, OP_KIND_##kind, flops, c_scalar, c_vector, c_tile, DOMAIN_##domain, ulp, doc},
#include "ir/ops.def"
#undef OP
};

const OpInfo *op_info(Op op) {
    return &OPS[op];
}

bool op_is_conditional(Op op, int arg) {
    return arg > 0 && (op == OP_SELECT || op == OP_AND || op == OP_OR);
}

Op op_opposite(Op op) {
    switch (op) {
    case OP_EQ: return OP_NE;
    case OP_NE: return OP_EQ;
    case OP_LT: return OP_GE;
    case OP_LE: return OP_GT;
    case OP_GT: return OP_LE;
    default: return OP_LT;
    }
}

Op op_mirrored(Op op) {
    switch (op) {
    case OP_LT: return OP_GT;
    case OP_LE: return OP_GE;
    case OP_GT: return OP_LT;
    case OP_GE: return OP_LE;
    default: return op;
    }
}

bool op_by_spelling(const char *spelling, Op *op) {
    for (int i = 0; i < OP_COUNT; i++) {
        if (strcmp(OPS[i].spelling, spelling) == 0) {
            *op = (Op)i;
            return true;
        }
    }
    return false;
}

double op_fold(Op op, double a, double b) {
    switch (op) {
#define OP(NAME, spelling, arity, kind, fold, ...)                                                                     \
    case OP_##NAME:                                                                                                    \
        return (double)(fold);
#include "ir/ops.def"
#undef OP
    case OP_COUNT: break;
    }
    return 0;
}
