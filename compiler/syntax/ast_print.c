#include "syntax/ast_print.h"

static void indent(int depth, Text *out) {
    for (int i = 0; i < depth; i++)
        text_add(out, "  ");
}

/* ---- types, parameters ---- */

void ast_print_type(const AstType *type, Text *out) {
    text_add(out, type->word.text);
    if (type->has_shape) {
        text_add(out, "[");
        for (size_t i = 0; i < type->rank; i++) {
            text_add(out, i ? ", " : "");
            ast_print_expr(type->shape[i], out);
        }
        text_add(out, "]");
    }
    if (type->classes) {
        text_add(out, "(");
        ast_print_expr(type->classes, out);
        text_add(out, ")");
    }
    if (type->like) {
        text_add(out, " like ");
        ast_print_expr(type->like, out);
    }
}

static void print_type_of(const AstType *type, Text *out) {
    if (type) {
        text_add(out, ": ");
        ast_print_type(type, out);
    }
}

static void print_value(const AstExpr *value, Text *out) {
    if (value) {
        text_add(out, " = ");
        ast_print_expr(value, out);
    }
}

static void print_params(const AstDecl *decl, Text *out) {
    text_add(out, "(");
    bool by_name = false;
    for (size_t i = 0; i < decl->param_count; i++) {
        const AstParam *param = &decl->params[i];
        if (param->by_name && !by_name)
            text_add(out, "; ");
        else if (i > 0)
            text_add(out, ", ");
        by_name = param->by_name;
        text_add(out, param->name.text);
        print_type_of(param->type, out);
        print_value(param->otherwise, out);
    }
    text_add(out, ")");
}

/* ---- statements ---- */

static void print_stmt(const AstStmt *stmt, int depth, Text *out);

static void print_block(const AstBlock *block, int depth, Text *out) {
    if (block->count == 0) {
        text_add(out, "{ }");
        return;
    }
    text_add(out, "{\n");
    for (size_t i = 0; i < block->count; i++) {
        indent(depth + 1, out);
        print_stmt(block->stmts[i], depth + 1, out);
        text_add(out, "\n");
    }
    indent(depth, out);
    text_add(out, "}");
}

static void print_names(const AstName *names, size_t count, Text *out) {
    for (size_t i = 0; i < count; i++)
        text_printf(out, "%s%s", i ? ", " : "", names[i].text);
}

static void print_unpack(const AstStmt *stmt, Text *out) {
    print_names(stmt->names, stmt->name_count, out);
    print_value(stmt->value, out);
}

static void print_equation(const AstStmt *stmt, Text *out) {
    text_printf(out, "%s[", stmt->name.text);
    for (size_t i = 0; i < stmt->var_count; i++) {
        text_add(out, i ? ", " : "");
        ast_print_index_var(&stmt->vars[i], out);
    }
    text_add(out, "]");
    print_value(stmt->value, out);
}

/* `word name: type = value`, of which all but the word may be missing. */
static void print_declaration(const char *word, const AstStmt *stmt, Text *out) {
    text_printf(out, "%s %s", word, stmt->name.text);
    print_type_of(stmt->type, out);
    print_value(stmt->value, out);
}

static void print_value_stmt(const char *word, const AstStmt *stmt, Text *out) {
    text_printf(out, "%s ", word);
    ast_print_expr(stmt->value, out);
}

static void print_message(const char *word, const AstStmt *stmt, Text *out) {
    print_value_stmt(word, stmt, out);
    for (size_t i = 0; i < stmt->to->list.count; i++) {
        text_add(out, ", ");
        ast_print_expr(stmt->to->list.items[i], out);
    }
}

static void print_for(const AstStmt *stmt, int depth, Text *out) {
    text_printf(out, "for %s in ", stmt->name.text);
    ast_print_expr(stmt->value, out);
    text_add(out, "..");
    ast_print_expr(stmt->to, out);
    text_add(out, " ");
    print_block(stmt->body, depth, out);
}

static void print_if(const AstStmt *stmt, int depth, Text *out) {
    text_add(out, "if ");
    ast_print_expr(stmt->value, out);
    text_add(out, " ");
    print_block(stmt->body, depth, out);
    const AstBlock *otherwise = stmt->otherwise;
    if (!otherwise)
        return;
    text_add(out, " else ");
    if (otherwise->count == 1 && otherwise->stmts[0]->kind == AST_IF)
        print_if(otherwise->stmts[0], depth, out);
    else
        print_block(otherwise, depth, out);
}

static void print_stmt(const AstStmt *stmt, int depth, Text *out) {
    switch (stmt->kind) {
    case AST_ASSIGN:
        text_add(out, stmt->name.text);
        print_value(stmt->value, out);
        break;
    case AST_UNPACK: print_unpack(stmt, out); break;
    case AST_EQUATION: print_equation(stmt, out); break;
    case AST_UPDATE:
        text_printf(out, "%s <- ", stmt->name.text);
        ast_print_expr(stmt->value, out);
        break;
    case AST_PARAM: print_declaration("param", stmt, out); break;
    case AST_STATE: print_declaration("state", stmt, out); break;
    case AST_INPUT: print_declaration("input", stmt, out); break;
    case AST_TARGET: print_declaration("target", stmt, out); break;
    case AST_OUTPUT: print_declaration("output", stmt, out); break;
    case AST_LOSS: print_value_stmt("loss", stmt, out); break;
    case AST_METRIC:
        if (stmt->name.text)
            print_declaration("metric", stmt, out);
        else
            print_value_stmt("metric", stmt, out);
        break;
    case AST_RETURN: print_value_stmt("return", stmt, out); break;
    case AST_REQUIRE: print_message("require", stmt, out); break;
    case AST_WARN: print_message("warn", stmt, out); break;
    case AST_FOR: print_for(stmt, depth, out); break;
    case AST_IF: print_if(stmt, depth, out); break;
    }
}

/* ---- declarations ---- */

static void print_doc(const char *doc, Text *out) {
    text_add(out, doc ? "## " : "");
    for (const char *at = doc; at && *at; at++) {
        text_add_bytes(out, at, 1);
        text_add(out, *at == '\n' ? "## " : "");
    }
    text_add(out, doc ? "\n" : "");
}

static void print_function(const char *word, const AstDecl *decl, Text *out) {
    text_printf(out, "%s %s", word, decl->name.text);
    print_params(decl, out);
    print_value(decl->value, out);
    if (decl->body) {
        text_add(out, " ");
        print_block(decl->body, 0, out);
    }
}

static void print_train_item(const AstTrainItem *item, Text *out) {
    text_printf(out, "  %s", item->word.text);
    if (item->kind != AST_TRAIN_SETTING) {
        text_add(out, " ");
        print_names(item->names, item->name_count, out);
        print_value(item->value, out);
    } else if (item->value) {
        text_add(out, " ");
        ast_print_expr(item->value, out);
    }
    for (size_t i = 0; i < item->arg_count; i++) {
        text_printf(out, "%s%s", i ? ", " : " ", item->args[i].name.text);
        print_value(item->args[i].value, out);
    }
    if (item->scale) {
        text_add(out, " scale ");
        ast_print_expr(item->scale, out);
    }
    if (item->shift) {
        text_add(out, " shift ");
        ast_print_expr(item->shift, out);
    }
    text_add(out, "\n");
}

static void print_train(const AstDecl *decl, Text *out) {
    text_printf(out, "train %s {\n", decl->name.text);
    for (size_t i = 0; i < decl->item_count; i++)
        print_train_item(decl->items[i], out);
    text_add(out, "}");
}

static void print_decl(const AstDecl *decl, Text *out) {
    print_doc(decl->doc, out);
    switch (decl->kind) {
    case AST_DIM:
        text_printf(out, "dim %s %s ", decl->name.text, decl->at_most ? "<=" : "=");
        ast_print_expr(decl->value, out);
        break;
    case AST_CONST:
        text_printf(out, "const %s", decl->name.text);
        print_value(decl->value, out);
        break;
    case AST_FN: print_function("fn", decl, out); break;
    case AST_LAYER: print_function("layer", decl, out); break;
    case AST_LOSS_FN: print_function("loss", decl, out); break;
    case AST_METRIC_FN: print_function("metric", decl, out); break;
    case AST_INIT: print_function("init", decl, out); break;
    case AST_OPTIMIZER: print_function("optimizer", decl, out); break;
    case AST_SCHEDULE: print_function("schedule", decl, out); break;
    case AST_MODEL:
        text_printf(out, "model %s ", decl->name.text);
        print_block(decl->body, 0, out);
        break;
    case AST_TRAIN: print_train(decl, out); break;
    }
}

/* Dimensions and constants stand line by line; a blank line parts all else. */
static bool stands_apart(const AstDecl *decl) {
    return decl->doc || (decl->kind != AST_DIM && decl->kind != AST_CONST);
}

void ast_print(const AstFile *file, Text *out) {
    for (size_t i = 0; i < file->count; i++) {
        if (i > 0 && (stands_apart(file->decls[i]) || stands_apart(file->decls[i - 1])))
            text_add(out, "\n");
        print_decl(file->decls[i], out);
        text_add(out, "\n");
    }
}
