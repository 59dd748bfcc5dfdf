/* ast_structure.h: an AST as a text in prefix form that shows all of it but the places: two ASTs are the same if their
 * texts are. Written apart from ast_print.h, whose output is checked against it.
 *
 *     1 + x |> f(a = 2)      (call| f (+ 1 x) a=2)
 */
#ifndef NNC_TESTS_AST_STRUCTURE_H
#define NNC_TESTS_AST_STRUCTURE_H

#include "base/text.h"
#include "syntax/ast.h"

static void structure_expr(const AstExpr *expr, Text *out);

/* " e", or nothing for NULL. */
static void structure_child(const AstExpr *expr, Text *out) {
    if (expr) {
        text_add(out, " ");
        structure_expr(expr, out);
    }
}

static void structure_children(AstExpr *const *items, size_t count, Text *out) {
    for (size_t i = 0; i < count; i++)
        structure_child(items[i], out);
}

static void structure_vars(const AstIndexVar *vars, size_t count, Text *out) {
    text_add(out, " {");
    for (size_t i = 0; i < count; i++) {
        text_printf(out, "%s%s", i ? " " : "", vars[i].name.text);
        structure_child(vars[i].from, out);
        structure_child(vars[i].to, out);
    }
    text_add(out, "}");
}

static void structure_args(const AstArgument *args, size_t count, Text *out) {
    for (size_t i = 0; i < count; i++) {
        text_add(out, " ");
        if (args[i].name.text)
            text_printf(out, "%s=", args[i].name.text);
        structure_expr(args[i].value, out);
    }
}

static const char *structure_operator(AstBinary op) {
    static const char *const texts[] = {
        [AST_ADD] = "+", [AST_SUB] = "-", [AST_MUL] = "*",   [AST_DIV] = "/", [AST_MOD] = "%",
        [AST_POW] = "^", [AST_EQ] = "==", [AST_NE] = "!=",   [AST_LT] = "<",  [AST_LE] = "<=",
        [AST_GT] = ">",  [AST_GE] = ">=", [AST_AND] = "and", [AST_OR] = "or",
    };
    return texts[op];
}

static void structure_number(const AstExpr *expr, Text *out) {
    if (expr->number.is_integer)
        text_printf(out, "%.0f", expr->number.value);
    else
        text_add_double(out, expr->number.value);
}

/* What stands between the brackets of a node that has children. */
static void structure_node(const AstExpr *expr, Text *out) {
    switch (expr->kind) {
    case AST_LIST:
        text_add(out, "list");
        structure_children(expr->list.items, expr->list.count, out);
        break;
    case AST_CALL:
        text_printf(out, "call%s %s", expr->call.piped ? "|" : "", expr->call.callee.text);
        structure_args(expr->call.args, expr->call.count, out);
        break;
    case AST_INDEX:
        text_add(out, "index");
        structure_child(expr->index.tensor, out);
        structure_children(expr->index.at, expr->index.count, out);
        text_add(out, expr->index.outside ? " outside" : "");
        structure_child(expr->index.outside, out);
        break;
    case AST_REDUCE:
        text_printf(out, "reduce %s", expr->reduce.word.text);
        structure_vars(expr->reduce.vars, expr->reduce.count, out);
        structure_child(expr->reduce.body, out);
        break;
    case AST_UNARY_OP:
        text_add(out, expr->unary.op == AST_NEG ? "neg" : "not");
        structure_child(expr->unary.arg, out);
        break;
    case AST_BINARY_OP:
        text_add(out, structure_operator(expr->binary.op));
        structure_child(expr->binary.left, out);
        structure_child(expr->binary.right, out);
        break;
    default:
        text_add(out, "if");
        structure_child(expr->condition.test, out);
        structure_child(expr->condition.then, out);
        structure_child(expr->condition.otherwise, out);
    }
}

static void structure_expr(const AstExpr *expr, Text *out) {
    switch (expr->kind) {
    case AST_NUMBER: structure_number(expr, out); break;
    case AST_TEXT: text_printf(out, "\"%s\"", expr->text); break;
    case AST_BOOL: text_add(out, expr->truth ? "true" : "false"); break;
    case AST_NAME: text_add(out, expr->text); break;
    case AST_ELLIPSIS: text_add(out, "..."); break;
    case AST_ERROR: text_add(out, "error"); break;
    default:
        text_add(out, "(");
        structure_node(expr, out);
        text_add(out, ")");
    }
}

static void structure_type(const AstType *type, Text *out) {
    if (!type)
        return;
    text_printf(out, " <%s%s", type->word.text, type->has_shape ? " [" : "");
    structure_children(type->shape, type->rank, out);
    text_add(out, type->has_shape ? "]" : "");
    text_add(out, type->classes ? " classes" : "");
    structure_child(type->classes, out);
    text_add(out, type->like ? " like" : "");
    structure_child(type->like, out);
    text_add(out, ">");
}

static void structure_block(const char *word, const AstBlock *block, Text *out);

static void structure_stmt(const AstStmt *stmt, Text *out) {
    static const char *const words[] = {
        [AST_ASSIGN] = "assign",   [AST_UNPACK] = "unpack", [AST_EQUATION] = "equation", [AST_UPDATE] = "update",
        [AST_PARAM] = "param",     [AST_STATE] = "state",   [AST_INPUT] = "input",       [AST_TARGET] = "target",
        [AST_OUTPUT] = "output",   [AST_LOSS] = "loss",     [AST_METRIC] = "metric",     [AST_RETURN] = "return",
        [AST_REQUIRE] = "require", [AST_WARN] = "warn",     [AST_FOR] = "for",           [AST_IF] = "if",
    };
    text_printf(out, " (%s", words[stmt->kind]);
    if (stmt->name.text)
        text_printf(out, " %s", stmt->name.text);
    for (size_t i = 0; i < stmt->name_count; i++)
        text_printf(out, " %s", stmt->names[i].text);
    structure_type(stmt->type, out);
    if (stmt->kind == AST_EQUATION)
        structure_vars(stmt->vars, stmt->var_count, out);
    structure_child(stmt->value, out);
    structure_child(stmt->to, out);
    structure_block("do", stmt->body, out);
    structure_block("else", stmt->otherwise, out);
    text_add(out, ")");
}

static void structure_block(const char *word, const AstBlock *block, Text *out) {
    if (!block)
        return;
    text_printf(out, " %s{", word);
    for (size_t i = 0; i < block->count; i++)
        structure_stmt(block->stmts[i], out);
    text_add(out, " }");
}

static void structure_param(const AstParam *param, Text *out) {
    text_printf(out, " (%s %s", param->by_name ? "named" : "param", param->name.text);
    structure_type(param->type, out);
    structure_child(param->otherwise, out);
    text_add(out, ")");
}

static void structure_item(const AstTrainItem *item, Text *out) {
    static const char *const words[] = {
        [AST_TRAIN_DATA] = "data",
        [AST_TRAIN_VALIDATE] = "validate",
        [AST_TRAIN_TEST] = "test",
        [AST_TRAIN_SETTING] = "setting",
    };
    text_printf(out, " (%s %s", words[item->kind], item->word.text);
    for (size_t i = 0; i < item->name_count; i++)
        text_printf(out, " %s", item->names[i].text);
    structure_child(item->value, out);
    structure_args(item->args, item->arg_count, out);
    text_add(out, item->scale ? " scale" : "");
    structure_child(item->scale, out);
    text_add(out, item->shift ? " shift" : "");
    structure_child(item->shift, out);
    text_add(out, ")");
}

static void structure_decl(const AstDecl *decl, Text *out) {
    static const char *const words[] = {
        [AST_DIM] = "dim",           [AST_CONST] = "const",      [AST_FN] = "fn",       [AST_LAYER] = "layer",
        [AST_LOSS_FN] = "loss",      [AST_METRIC_FN] = "metric", [AST_INIT] = "init",   [AST_OPTIMIZER] = "optimizer",
        [AST_SCHEDULE] = "schedule", [AST_MODEL] = "model",      [AST_TRAIN] = "train",
    };
    text_printf(out, "(%s %s", words[decl->kind], decl->name.text);
    if (decl->doc)
        text_printf(out, " doc \"%s\"", decl->doc);
    for (size_t i = 0; i < decl->param_count; i++)
        structure_param(&decl->params[i], out);
    text_add(out, decl->at_most ? " <=" : "");
    structure_child(decl->value, out);
    structure_block("do", decl->body, out);
    for (size_t i = 0; i < decl->item_count; i++)
        structure_item(decl->items[i], out);
    text_add(out, ")\n");
}

static void structure_file(const AstFile *file, Text *out) {
    for (size_t i = 0; i < file->count; i++)
        structure_decl(file->decls[i], out);
}

#endif
