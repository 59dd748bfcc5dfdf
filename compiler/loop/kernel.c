#include "loop/kernel.h"

#include "loop/loop_make.h"

Scope *scope_open(KernelBuilder *k) {
    Scope *scope = arena_one(k->arena, Scope);
    scope->parent = k->scope;
    scope->slots = k->scope ? k->scope->slots : 0;
    scope->known = pointer_map_new(k->arena);
    scope->names = names_new(k->arena, k->scope ? k->scope->names : k->entry->names);
    k->scope = scope;
    return scope;
}

LoopBody scope_close(KernelBuilder *k) {
    Scope *scope = k->scope;
    k->scope = scope->parent;
    return scope->body;
}

void kernel_add(KernelBuilder *k, LoopStmt *stmt) {
    vec_push(k->arena, &k->scope->body, stmt);
}

LoopVar *kernel_var(KernelBuilder *k, Scope *scope, const char *wish, Type type, bool vector) {
    LoopVar *var = arena_one(k->arena, LoopVar);
    var->name = names_take_inside(scope->names, k->scope->names, wish);
    var->type = type;
    var->vector = vector;
    return var;
}

const LoopExpr *kernel_declare(KernelBuilder *k, Scope *scope, const char *wish, const LoopExpr *value) {
    LoopVar *var = kernel_var(k, scope, wish, value->type, value->vector);
    vec_push(k->arena, &scope->body, stmt_declare(k->arena, var, value, false));
    return expr_var(k->arena, var);
}
