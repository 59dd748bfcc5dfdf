#include "sema/resolve.h"

#include "sema/call.h"
#include "sema/expr.h"

/* Every name that has a meaning somewhere in the body is poison in the frame: known, and nothing more is said of it. */
static void know(Sema *s, const char *name, Place place) {
    frame_bind(s, (AstName){name, place}, value_poison());
}

/* ---- names that a body gives ---- */

static void know_statements(Sema *s, const AstBlock *block) {
    for (size_t i = 0; block != NULL && i < block->count; i++) {
        const AstStmt *stmt = block->stmts[i];
        if (stmt->name.text != NULL && stmt->kind != AST_UPDATE && (stmt->kind != AST_OUTPUT || stmt->value != NULL))
            know(s, stmt->name.text, stmt->name.place);
        for (size_t k = 0; k < stmt->name_count; k++)
            know(s, stmt->names[k].text, stmt->names[k].place);
        know_statements(s, stmt->body);
        know_statements(s, stmt->otherwise);
    }
}

static void know_size(Sema *s, const AstExpr *size) {
    if (size != NULL && size->kind == AST_NAME)
        know(s, size->text, size->place);
}

/* The parameters, and the dimensions that their types bind. */
static void know_params(Sema *s, const AstDecl *decl) {
    for (size_t i = 0; i < decl->param_count; i++) {
        const AstParam *param = &decl->params[i];
        know(s, param->name.text, param->name.place);
        for (size_t k = 0; param->type != NULL && k < param->type->rank; k++)
            know_size(s, param->type->shape[k]);
        know_size(s, param->type ? param->type->classes : NULL);
    }
}

/* ---- the walk ---- */

static void resolve_expr(Sema *s, const AstExpr *e);

static void resolve_optional(Sema *s, const AstExpr *e) {
    if (e != NULL)
        resolve_expr(s, e);
}

/* Index variables are known inside of their equation or reduction alone: gives what their names meant before. */
static Value **enter_variables(Sema *s, const AstIndexVar *vars, size_t count) {
    Value **shadowed = arena_array(s->arena, Value *, count + 1);
    for (size_t i = 0; i < count; i++) {
        resolve_optional(s, vars[i].from);
        resolve_optional(s, vars[i].to);
    }
    for (size_t i = 0; i < count; i++) {
        shadowed[i] = frame_find(s->frame, vars[i].name.text);
        know(s, vars[i].name.text, vars[i].name.place);
    }
    return shadowed;
}

static void leave_variables(Sema *s, const AstIndexVar *vars, size_t count, Value **shadowed) {
    for (size_t i = count; i > 0; i--)
        text_map_put(s->frame->locals, vars[i - 1].name.text, shadowed[i - 1]);
}

static void resolve_reduce(Sema *s, const AstExpr *e) {
    Value **shadowed = enter_variables(s, e->reduce.vars, e->reduce.count);
    resolve_expr(s, e->reduce.body);
    leave_variables(s, e->reduce.vars, e->reduce.count, shadowed);
}

static void resolve_call(Sema *s, const AstExpr *e) {
    if (!callee_is_known(s, e->call.callee.text))
        report_unknown_callee(s, e->call.callee);
    for (size_t i = 0; i < e->call.count; i++)
        resolve_expr(s, e->call.args[i].value);
}

static void resolve_index(Sema *s, const AstExpr *e) {
    resolve_expr(s, e->index.tensor);
    for (size_t i = 0; i < e->index.count; i++) {
        const AstExpr *at = e->index.at[i];
        if (at->kind == AST_NAME && !name_is_known(s, at->text))
            report_unknown_index(s, e, at);
        else
            resolve_expr(s, at);
    }
    resolve_optional(s, e->index.outside);
}

static void resolve_kind(Sema *s, const AstExpr *e) {
    switch (e->kind) {
    case AST_NAME:
        if (!name_is_known(s, e->text))
            report_unknown_name(s, e);
        break;
    case AST_LIST:
        for (size_t i = 0; i < e->list.count; i++)
            resolve_expr(s, e->list.items[i]);
        break;
    case AST_CALL: resolve_call(s, e); break;
    case AST_INDEX: resolve_index(s, e); break;
    case AST_REDUCE: resolve_reduce(s, e); break;
    case AST_UNARY_OP: resolve_expr(s, e->unary.arg); break;
    case AST_BINARY_OP:
        resolve_expr(s, e->binary.left);
        resolve_expr(s, e->binary.right);
        break;
    case AST_CONDITION:
        resolve_expr(s, e->condition.test);
        resolve_expr(s, e->condition.then);
        resolve_expr(s, e->condition.otherwise);
        break;
    case AST_NUMBER:
    case AST_TEXT:
    case AST_BOOL:
    case AST_ELLIPSIS:
    case AST_ERROR: break;
    }
}

static void resolve_expr(Sema *s, const AstExpr *e) {
    if (sema_enter(s, e->place)) {
        resolve_kind(s, e);
        sema_leave(s);
    }
}

static void resolve_block(Sema *s, const AstBlock *block);

static void resolve_type(Sema *s, const AstType *type) {
    for (size_t i = 0; i < type->rank; i++)
        resolve_expr(s, type->shape[i]);
    resolve_optional(s, type->classes);
    resolve_optional(s, type->like);
}

static void resolve_stmt(Sema *s, const AstStmt *stmt) {
    Value **shadowed = enter_variables(s, stmt->vars, stmt->var_count);
    if (stmt->type != NULL)
        resolve_type(s, stmt->type);
    Space prefer = s->frame->prefer;
    s->frame->prefer = stmt->kind == AST_PARAM || stmt->kind == AST_STATE ? SPACE_INIT : prefer;
    resolve_optional(s, stmt->value);
    s->frame->prefer = prefer;
    resolve_optional(s, stmt->to);
    resolve_block(s, stmt->body);
    resolve_block(s, stmt->otherwise);
    leave_variables(s, stmt->vars, stmt->var_count, shadowed);
}

static void resolve_block(Sema *s, const AstBlock *block) {
    const AstStmt *outer = s->frame->stmt;
    for (size_t i = 0; block != NULL && i < block->count; i++) {
        s->frame->stmt = block->stmts[i];
        resolve_stmt(s, block->stmts[i]);
    }
    s->frame->stmt = outer;
}

/* ---- declarations ---- */

static void resolve_decl(Sema *s, const AstDecl *decl) {
    Frame *frame = frame_push(s, NULL, s->globals, decl->place);
    frame->decl = decl;
    frame->prefer = decl_space(decl->kind);
    know_params(s, decl);
    know_statements(s, decl->body);
    if (decl->kind == AST_OPTIMIZER) {
        know(s, "rate", decl->place);
        know(s, "step", decl->place);
    }
    for (size_t i = 0; i < decl->param_count; i++)
        resolve_optional(s, decl->params[i].otherwise);
    resolve_optional(s, decl->value);
    resolve_block(s, decl->body);
    frame_pop(s);
}

void resolve_file(Sema *s, const AstFile *file) {
    for (size_t i = 0; i < file->count; i++) {
        const AstDecl *decl = file->decls[i];
        if (decl->kind != AST_TRAIN && decl->kind != AST_MODEL)
            resolve_decl(s, decl);
    }
}
