#include "loop/kernel.h"

#include "loop/loop_make.h"

static Scope *open_with(KernelBuilder *k, Names *names) {
    Scope *scope = arena_one(k->arena, Scope);
    scope->parent = k->scope;
    scope->slots = k->scope ? k->scope->slots : 0;
    scope->known = pointer_map_new(k->arena);
    scope->inverses = pointer_map_new(k->arena);
    scope->names = names;
    k->scope = scope;
    return scope;
}

Scope *scope_open(KernelBuilder *k) {
    return open_with(k, names_new(k->arena, k->scope ? k->scope->names : k->entry->names));
}

Scope *scope_open_inside(KernelBuilder *k) {
    return open_with(k, k->scope->names);
}

LoopBody scope_close(KernelBuilder *k) {
    Scope *scope = k->scope;
    k->scope = scope->parent;
    return scope->body;
}

void scope_close_inside(KernelBuilder *k) {
    LoopBody body = scope_close(k);
    for (size_t i = 0; i < body.count; i++)
        kernel_add(k, body.at[i]);
}

void kernel_add(KernelBuilder *k, LoopStmt *stmt) {
    vec_push(k->arena, &k->scope->body, stmt);
}

LoopVar *kernel_var(KernelBuilder *k, Scope *scope, const char *wish, Type type, bool vector) {
    LoopVar *var = arena_one(k->arena, LoopVar);
    var->name =
        scope == k->scope ? names_take(scope->names, wish) : names_take_before(scope->names, k->scope->names, wish);
    var->type = type;
    var->vector = vector;
    return var;
}

LoopVar *kernel_tile(KernelBuilder *k, Scope *scope, const char *wish, Type type, bool vector, const int size[2]) {
    LoopVar *var = kernel_var(k, scope, wish, type, vector);
    for (int i = 0; i < 2; i++)
        if (size[i] > 1)
            var->size[var->rank++] = size[i];
    return var;
}

const LoopExpr *kernel_declare(KernelBuilder *k, Scope *scope, const char *wish, const LoopExpr *value) {
    LoopVar *var = kernel_var(k, scope, wish, value->type, value->vector);
    vec_push(k->arena, &scope->body, stmt_declare(k->arena, var, value, false));
    return expr_var(k->arena, var);
}
