#include "emit/c_share.h"

#include <string.h>

#include "loop/loop_walk.h"

typedef struct Sharing {
    CLoops loops;       /* writes kernels with numbers for names */
    TextMap *functions; /* by their texts: CFunctions */
} Sharing;

static const void *identity(const CParameter *parameter) {
    return parameter->buffer ? (const void *)parameter->buffer : parameter->argument ? parameter->argument->var : NULL;
}

/* The function's text, with numbers for names in the order in which they are met: the body, then what each parameter is. */
static const char *function_key(Sharing *s, const Kernel *kernel, const CParameters *parameters) {
    CLoops *c = &s->loops;
    text_clear(c->writer->out);
    c_body(c, &kernel->body);
    for (size_t i = 0; i < parameters->count; i++)
        if (identity(&parameters->at[i]))
            c_name(&c->exprs, identity(&parameters->at[i]), ""); /* also of those that the body does not mention */
    for (size_t n = 0; n < pointer_map_count(c->exprs.numbers); n++)
        for (size_t i = 0; i < parameters->count; i++)
            if (identity(&parameters->at[i]) == pointer_map_key(c->exprs.numbers, n))
                c_parameter(c, c->writer->out, kernel, &parameters->at[i]);
    for (size_t i = 0; i < parameters->count; i++)
        if (!identity(&parameters->at[i]))
            c_parameter(c, c->writer->out, kernel, &parameters->at[i]);
    return text_get(c->writer->out);
}

/* What stands for a parameter wherever the function is called. */
static const char *number_of(const Sharing *s, const CParameter *parameter) {
    return identity(parameter) ? c_name(&s->loops.exprs, identity(parameter), "")
                               : c_parameter_name(&s->loops, parameter);
}

static CFunction *function_new(Sharing *s, const Kernel *kernel, const CParameters *parameters) {
    Arena *arena = s->loops.exprs.arena;
    CFunction *function = arena_one(arena, CFunction);
    function->kernel = kernel;
    for (size_t i = 0; i < parameters->count; i++)
        vec_push(arena, &function->numbers, number_of(s, &parameters->at[i]));
    return function;
}

static void add_comment(Arena *arena, CFunction *function, const char *comment) {
    for (size_t i = 0; i < function->comments.count; i++)
        if (strcmp(function->comments.at[i], comment) == 0)
            return;
    vec_push(arena, &function->comments, comment);
}

/* The kernel's own memory and variables, in the order of the function's parameters. */
static const CCall *call_new(const Sharing *s, const CFunction *function, const CParameters *parameters) {
    Arena *arena = s->loops.exprs.arena;
    CCall *call = arena_one(arena, CCall);
    call->function = function;
    for (size_t i = 0; i < function->numbers.count; i++)
        for (size_t k = 0; k < parameters->count; k++)
            if (strcmp(number_of(s, &parameters->at[k]), function->numbers.at[i]) == 0)
                vec_push(arena, &call->values, parameters->at[k]);
    return call;
}

static void share_kernel(Sharing *s, const Kernel *kernel);

static void share_called(void *context, const LoopStmt *s) {
    if (s->kind == LOOP_CALL)
        share_kernel(context, s->call);
}

static void share_kernel(Sharing *s, const Kernel *kernel) {
    Arena *arena = s->loops.exprs.arena;
    loop_walk_body(&kernel->body, &(LoopVisitor){.stmt = share_called, .context = s});
    s->loops.exprs.numbers = pointer_map_new(arena);
    CParameters parameters = c_parameters(arena, kernel);
    const char *key = function_key(s, kernel, &parameters);
    CFunction *function = text_map_get(s->functions, key);
    if (!function) {
        function = function_new(s, kernel, &parameters);
        text_map_put(s->functions, key, function);
    }
    for (size_t i = 0; i < kernel->comments.count; i++)
        add_comment(arena, function, kernel->comments.at[i]);
    pointer_map_put(s->loops.calls, kernel, call_new(s, function, &parameters));
}

void c_share(CLoops *c, const LoopProgram *program) {
    Arena *arena = c->exprs.arena;
    CWriter writer = c_writer(arena, text_new(arena), NULL);
    Sharing s = {*c, text_map_new(arena)};
    s.loops.writer = &writer;
    for (int kind = 0; kind < ENTRY_COUNT; kind++)
        for (size_t i = 0; program->entries[kind].present && i < program->entries[kind].kernels.count; i++)
            share_kernel(&s, program->entries[kind].kernels.at[i]);
}
