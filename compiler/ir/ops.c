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
