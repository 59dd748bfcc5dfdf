/* builtin.h: functions and constants that the language has built in: builtins.def and the scalar functions of ir/ops.def. */
#ifndef NNC_SEMA_BUILTIN_H
#define NNC_SEMA_BUILTIN_H

#include "sema/arguments.h"
#include "sema/elementwise.h"

typedef struct BuiltinCall {
    Place place;
    const Argument *const *args; /* by parameter; NULL: left out */
    const Arguments *all;
} BuiltinCall;

typedef Value BuiltinFunction(Sema *s, const BuiltinCall *call);

struct Builtin {
    const char *name;
    const char *parameters;
    const char *doc;
    BuiltinFunction *function; /* NULL: the scalar function `op`, elementwise */
    Op op;
};

const Builtin *builtin_find(Arena *arena, const char *name); /* NULL: none */
Value builtin_call(Sema *s, const Builtin *builtin, const Arguments *args);
/* pi, inf, training. False: no such constant. */
bool builtin_constant(Sema *s, const char *name, Place place, Value *value);
void builtin_names(Arena *arena, NameList *names);

static inline Operand builtin_operand(const BuiltinCall *call, int i) {
    return (Operand){call->args[i]->value, call->args[i]->place};
}

/* The operand as a tensor, which is not one element of an equation; NULL: it is none, reported. */
const Tensor *builtin_whole_tensor(Sema *s, const Operand *x);
/* An axis counted from either end, of what has `rank` of them: "the tensor", in messages. -1: there is none, reported. */
int builtin_axis(Sema *s, const Operand *axis, int rank, const char *of);

#define BUILTIN(NAME, PARAMETERS, FUNCTION, DOC) BuiltinFunction builtin_##FUNCTION;
#include "sema/builtins.def"
#undef BUILTIN

#endif
