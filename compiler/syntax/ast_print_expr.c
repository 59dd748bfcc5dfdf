#include "syntax/ast_print.h"

/* How tightly an expression holds together, as in grammar/nn.y. */
typedef enum Level {
    LEVEL_PIPE,
    LEVEL_CONDITION,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARISON,
    LEVEL_SUM,
    LEVEL_REDUCTION,
    LEVEL_PRODUCT,
    LEVEL_NEGATIVE,
    LEVEL_POWER,
    LEVEL_POSTFIX,
    LEVEL_PRIMARY,
    LEVEL_BRACKETED /* what is required of an expression that must stand in brackets */
} Level;

typedef enum Joining { JOINS_LEFT, JOINS_RIGHT, JOINS_NOT } Joining;

static const struct {
    const char *text;
    Level level;
    Joining joining;
} operators[] = {
    [AST_ADD] = {"+", LEVEL_SUM, JOINS_LEFT},       [AST_SUB] = {"-", LEVEL_SUM, JOINS_LEFT},
    [AST_MUL] = {"*", LEVEL_PRODUCT, JOINS_LEFT},   [AST_DIV] = {"/", LEVEL_PRODUCT, JOINS_LEFT},
    [AST_MOD] = {"%", LEVEL_PRODUCT, JOINS_LEFT},   [AST_POW] = {"^", LEVEL_POWER, JOINS_RIGHT},
    [AST_EQ] = {"==", LEVEL_COMPARISON, JOINS_NOT}, [AST_NE] = {"!=", LEVEL_COMPARISON, JOINS_NOT},
    [AST_LT] = {"<", LEVEL_COMPARISON, JOINS_NOT},  [AST_LE] = {"<=", LEVEL_COMPARISON, JOINS_NOT},
    [AST_GT] = {">", LEVEL_COMPARISON, JOINS_NOT},  [AST_GE] = {">=", LEVEL_COMPARISON, JOINS_NOT},
    [AST_AND] = {"and", LEVEL_AND, JOINS_LEFT},     [AST_OR] = {"or", LEVEL_OR, JOINS_LEFT},
};

const char *ast_binary_text(AstBinary op) {
    return operators[op].text;
}

static Level level_of(const AstExpr *expr) {
    switch (expr->kind) {
    case AST_CALL: return expr->call.piped ? LEVEL_PIPE : LEVEL_PRIMARY;
    case AST_INDEX: return LEVEL_POSTFIX;
    case AST_REDUCE: return LEVEL_REDUCTION;
    case AST_UNARY_OP: return expr->unary.op == AST_NEG ? LEVEL_NEGATIVE : LEVEL_NOT;
    case AST_BINARY_OP: return operators[expr->binary.op].level;
    case AST_CONDITION: return LEVEL_CONDITION;
    default: return LEVEL_PRIMARY;
    }
}

static void print_expr(const AstExpr *expr, Text *out);

/* In brackets if it is looser than its place allows. */
static void print_at(const AstExpr *expr, Level least, Text *out) {
    bool bracketed = level_of(expr) < least;
    text_add(out, bracketed ? "(" : "");
    print_expr(expr, out);
    text_add(out, bracketed ? ")" : "");
}

static void print_list(AstExpr *const *items, size_t count, Text *out) {
    for (size_t i = 0; i < count; i++) {
        text_add(out, i ? ", " : "");
        print_expr(items[i], out);
    }
}

static void print_number(const AstExpr *expr, Text *out) {
    if (expr->number.is_integer)
        text_printf(out, "%.0f", expr->number.value);
    else
        text_add_double(out, expr->number.value);
}

static void print_text(const char *text, Text *out) {
    text_add(out, "\"");
    for (const char *at = text; *at; at++) {
        if (*at == '\n') {
            text_add(out, "\\n");
            continue;
        }
        text_add(out, *at == '"' || *at == '\\' ? "\\" : "");
        text_add_bytes(out, at, 1);
    }
    text_add(out, "\"");
}

static void print_range(const AstExpr *from, const AstExpr *to, Text *out) {
    print_expr(from, out);
    text_add(out, "..");
    print_expr(to, out);
}

static void print_index_var(const AstIndexVar *var, Text *out) {
    text_add(out, var->name.text);
    if (var->from) {
        text_add(out, " in ");
        print_range(var->from, var->to, out);
    }
}

static void print_call(const AstExpr *expr, Text *out) {
    size_t first = 0;
    if (expr->call.piped) {
        const AstExpr *piped = expr->call.args[0].value;
        print_at(piped, level_of(piped) == LEVEL_PIPE ? LEVEL_PIPE : LEVEL_OR, out);
        text_add(out, " |> ");
        first = 1;
    }
    text_add(out, expr->call.callee.text);
    if (expr->call.piped && expr->call.count == 1)
        return;
    text_add(out, "(");
    for (size_t i = first; i < expr->call.count; i++) {
        const AstArgument *arg = &expr->call.args[i];
        text_add(out, i > first ? ", " : "");
        if (arg->name.text)
            text_printf(out, "%s = ", arg->name.text);
        print_expr(arg->value, out);
    }
    text_add(out, ")");
}

static void print_index(const AstExpr *expr, Text *out) {
    print_at(expr->index.tensor, LEVEL_POSTFIX, out);
    text_add(out, "[");
    print_list(expr->index.at, expr->index.count, out);
    if (expr->index.outside) {
        text_add(out, "; outside = ");
        print_expr(expr->index.outside, out);
    }
    text_add(out, "]");
}

/* Does the text of a body start with `-` or `[`? These would continue the head of its reduction. */
static bool continues_head(const AstExpr *expr) {
    switch (expr->kind) {
    case AST_LIST: return true;
    case AST_UNARY_OP: return expr->unary.op == AST_NEG;
    case AST_INDEX: return continues_head(expr->index.tensor);
    case AST_BINARY_OP: return level_of(expr->binary.left) >= level_of(expr) && continues_head(expr->binary.left);
    default: return false;
    }
}

static void print_reduce(const AstExpr *expr, Text *out) {
    text_printf(out, "%s(", expr->reduce.word.text);
    for (size_t i = 0; i < expr->reduce.count; i++) {
        text_add(out, i ? ", " : "");
        print_index_var(&expr->reduce.vars[i], out);
    }
    text_add(out, ") ");
    const AstExpr *body = expr->reduce.body;
    print_at(body, continues_head(body) ? LEVEL_BRACKETED : LEVEL_REDUCTION, out);
}

static void print_binary(const AstExpr *expr, Text *out) {
    AstBinary op = expr->binary.op;
    Level level = operators[op].level, tighter = level + 1;
    print_at(expr->binary.left, operators[op].joining == JOINS_LEFT ? level : tighter, out);
    text_printf(out, op == AST_POW ? "%s" : " %s ", operators[op].text);
    print_at(expr->binary.right, operators[op].joining == JOINS_RIGHT ? level : tighter, out);
}

static void print_condition(const AstExpr *expr, Text *out) {
    text_add(out, "if ");
    print_at(expr->condition.test, LEVEL_OR, out);
    text_add(out, " then ");
    print_at(expr->condition.then, LEVEL_OR, out);
    text_add(out, " else ");
    print_at(expr->condition.otherwise, LEVEL_CONDITION, out);
}

static void print_unary(const AstExpr *expr, Text *out) {
    text_add(out, expr->unary.op == AST_NEG ? "-" : "not ");
    print_at(expr->unary.arg, level_of(expr), out);
}

static void print_expr(const AstExpr *expr, Text *out) {
    switch (expr->kind) {
    case AST_NUMBER: print_number(expr, out); break;
    case AST_TEXT: print_text(expr->text, out); break;
    case AST_BOOL: text_add(out, expr->truth ? "true" : "false"); break;
    case AST_NAME: text_add(out, expr->text); break;
    case AST_LIST:
        text_add(out, "[");
        print_list(expr->list.items, expr->list.count, out);
        text_add(out, "]");
        break;
    case AST_ELLIPSIS: text_add(out, "..."); break;
    case AST_CALL: print_call(expr, out); break;
    case AST_INDEX: print_index(expr, out); break;
    case AST_REDUCE: print_reduce(expr, out); break;
    case AST_UNARY_OP: print_unary(expr, out); break;
    case AST_BINARY_OP: print_binary(expr, out); break;
    case AST_CONDITION: print_condition(expr, out); break;
    case AST_ERROR: text_add(out, "<error>"); break;
    }
}

void ast_print_expr(const AstExpr *expr, Text *out) {
    print_expr(expr, out);
}

void ast_print_index_var(const AstIndexVar *var, Text *out) {
    print_index_var(var, out);
}
