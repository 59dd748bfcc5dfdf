#include "syntax/ast_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"

/* Integers up to here are exact in a double. */
static const double integer_limit = 9007199254740992.0; /* 2^53 */

void ast_report_depth(AstBuild *b, Place place) {
    if (!b->depth_reported) {
        b->depth_reported = true;
        diag_error(b->diag, place, "this is nested more than %d levels deep", AST_DEPTH_LIMIT);
        diag_help(b->diag, "give a part of it a name, on a line of its own");
    }
}

static AstExpr *new_expr(AstBuild *b, Place place, AstExprKind kind) {
    AstExpr *expr = arena_one(b->arena, AstExpr);
    expr->kind = kind;
    expr->place = place;
    expr->depth = 1;
    return expr;
}

/* Counts a child (or NULL) into the depth of its parent. */
static void adopt(AstExpr *parent, const AstExpr *child) {
    if (child && child->depth >= parent->depth)
        parent->depth = child->depth + 1;
}

static void adopt_all(AstExpr *parent, AstExpr *const *children, size_t count) {
    for (size_t i = 0; i < count; i++)
        adopt(parent, children[i]);
}

/* The finished node, or an AST_ERROR in its place when it is too deep. */
static AstExpr *finish(AstBuild *b, AstExpr *expr) {
    if (expr->depth <= AST_DEPTH_LIMIT)
        return expr;
    ast_report_depth(b, expr->place);
    return new_expr(b, expr->place, AST_ERROR);
}

/* ---- leaves ---- */

static bool has_nonzero_digit(const char *digits) {
    char first = digits[strspn(digits, "0.")];
    return first >= '1' && first <= '9';
}

AstExpr *ast_number(AstBuild *b, Place place) {
    const char *digits = ast_name(b, place).text;
    AstExpr *expr = new_expr(b, place, AST_NUMBER);
    double value = strtod(digits, NULL);
    if (isinf(value)) {
        diag_error(b->diag, place, "the number %s is too large", digits);
        diag_help(b->diag, "the largest one is about 1.8e308");
    } else if (value == 0 && has_nonzero_digit(digits)) {
        diag_error(b->diag, place, "the number %s is too small: it would become 0", digits);
        diag_help(b->diag, "the smallest one is about 4.9e-324; 0 is written 0");
    }
    expr->number.value = value;
    expr->number.is_integer = digits[strcspn(digits, ".eE")] == '\0' && value <= integer_limit;
    return expr;
}

/* The character that `\` and `letter` stand for; 0 when they stand for nothing. */
static char unescape(char letter) {
    switch (letter) {
    case '"': return '"';
    case '\\': return '\\';
    case 'n': return '\n';
    default: return '\0';
    }
}

static void report_escape(AstBuild *b, Place place, const char *letter) {
    const Source *source = place.source;
    size_t start = (size_t)(letter - source->text);
    uint32_t code;
    size_t bytes = utf8_decode(letter, place.end - start, &code);
    diag_error(b->diag, (Place){source, start - 1, start + bytes}, "`\\%.*s` has no meaning in a text", (int)bytes,
               letter);
    diag_help(b->diag, "there are `\\\"`, `\\\\` and `\\n`");
}

AstExpr *ast_text(AstBuild *b, Place place) {
    const char *from = place.source->text + place.start + 1;
    const char *end = place.source->text + place.end - 1;
    char *text = arena_alloc(b->arena, (size_t)(end - from) + 1, 1);
    size_t length = 0;
    for (const char *at = from; at < end; at++) {
        if (*at != '\\') {
            text[length++] = *at;
            continue;
        }
        at++;
        char meant = unescape(*at);
        if (!meant)
            report_escape(b, place, at);
        text[length++] = meant ? meant : *at;
    }
    AstExpr *expr = new_expr(b, place, AST_TEXT);
    expr->text = text;
    return expr;
}

AstExpr *ast_bool(AstBuild *b, Place place, bool truth) {
    AstExpr *expr = new_expr(b, place, AST_BOOL);
    expr->truth = truth;
    return expr;
}

AstExpr *ast_name_expr(AstBuild *b, AstName name) {
    AstExpr *expr = new_expr(b, name.place, AST_NAME);
    expr->text = name.text;
    return expr;
}

AstExpr *ast_ellipsis(AstBuild *b, Place place) {
    return new_expr(b, place, AST_ELLIPSIS);
}

/* ---- operators ---- */

AstExpr *ast_list(AstBuild *b, Place place, AstExprs *items) {
    AstExpr *expr = new_expr(b, place, AST_LIST);
    if (items) {
        expr->list.items = items->at;
        expr->list.count = items->count;
        adopt_all(expr, items->at, items->count);
    }
    return finish(b, expr);
}

AstExpr *ast_unary(AstBuild *b, Place place, AstUnary op, AstExpr *arg) {
    AstExpr *expr = new_expr(b, place, AST_UNARY_OP);
    expr->unary.op = op;
    expr->unary.arg = arg;
    adopt(expr, arg);
    return finish(b, expr);
}

AstExpr *ast_binary(AstBuild *b, Place place, AstBinary op, AstExpr *left, AstExpr *right) {
    AstExpr *expr = new_expr(b, place, AST_BINARY_OP);
    expr->binary.op = op;
    expr->binary.left = left;
    expr->binary.right = right;
    adopt(expr, left);
    adopt(expr, right);
    return finish(b, expr);
}

AstExpr *ast_condition(AstBuild *b, Place place, AstExpr *test, AstExpr *then, AstExpr *otherwise) {
    AstExpr *expr = new_expr(b, place, AST_CONDITION);
    expr->condition.test = test;
    expr->condition.then = then;
    expr->condition.otherwise = otherwise;
    adopt(expr, test);
    adopt(expr, then);
    adopt(expr, otherwise);
    return finish(b, expr);
}

AstExpr *ast_index(AstBuild *b, Place place, AstExpr *tensor, AstExprs *at, AstExpr *outside) {
    AstExpr *expr = new_expr(b, place, AST_INDEX);
    expr->index.tensor = tensor;
    expr->index.at = at->at;
    expr->index.count = at->count;
    expr->index.outside = outside;
    adopt(expr, tensor);
    adopt_all(expr, at->at, at->count);
    adopt(expr, outside);
    return finish(b, expr);
}

AstExpr *ast_outside(AstBuild *b, AstName word, AstExpr *value) {
    if (strcmp(word.text, "outside") != 0) {
        diag_error(b->diag, word.place, "expected `outside`, but found the name `%s`", word.text);
        diag_help(b->diag, "`x[i - 1; outside = 0]` reads 0 where the index leaves its axis");
    }
    return value;
}

/* ---- calls and reductions ---- */

AstItem ast_item(AstExpr *value) {
    return (AstItem){.value = value};
}

AstItem ast_named_item(AstName name, AstExpr *value) {
    return (AstItem){.name = name, .value = value};
}

AstItem ast_range_item(AstName name, AstExpr *from, AstExpr *to) {
    return (AstItem){.name = name, .from = from, .to = to};
}

AstApplication *ast_application(AstBuild *b, Place place, AstName callee, AstItems *items) {
    AstApplication *application = arena_one(b->arena, AstApplication);
    application->place = place;
    application->callee = callee;
    application->items = items;
    return application;
}

static bool is_named(const AstItem *item) {
    return item->name.text && item->value;
}

static void check_argument(AstBuild *b, const char *callee, const AstItem *item, bool after_named) {
    if (item->from) {
        Place place = place_join(item->name.place, item->to->place);
        diag_error(b->diag, place, "a call has no index variables");
        diag_help(b->diag, "a reduction has its body behind the brackets: `%s(%s in ...) body`", callee,
                  item->name.text);
    } else if (after_named && !item->name.text) {
        diag_error(b->diag, item->value->place, "an argument without a name stands behind one with a name");
        diag_help(b->diag, "first the arguments without names, then those with names");
    }
}

/* A call with the arguments of the application behind `first` (or NULL). */
static AstExpr *make_call(AstBuild *b, AstExpr *first, AstApplication *application) {
    AstExpr *expr = new_expr(b, application->place, AST_CALL);
    const AstItems *items = application->items;
    size_t count = items ? items->count : 0, offset = first ? 1 : 0;
    AstArgument *args = arena_array(b->arena, AstArgument, count + offset);
    if (first) {
        args[0].value = first;
        adopt(expr, first);
    }
    for (size_t i = 0; i < count; i++) {
        const AstItem *item = &items->at[i];
        check_argument(b, application->callee.text, item, i > 0 && is_named(&items->at[i - 1]));
        AstExpr *value = item->from ? new_expr(b, item->name.place, AST_ERROR) : item->value;
        args[i + offset] = (AstArgument){item->name, value};
        adopt(expr, value);
    }
    expr->call.callee = application->callee;
    expr->call.args = args;
    expr->call.count = count + offset;
    expr->call.piped = first != NULL;
    return finish(b, expr);
}

AstExpr *ast_call(AstBuild *b, AstApplication *application) {
    return make_call(b, NULL, application);
}

AstExpr *ast_pipe(AstBuild *b, Place place, AstExpr *first, AstApplication *application) {
    if (first->kind == AST_CONDITION && place.start == first->place.start) {
        diag_error(b->diag, application->place, "`%s` may be meant for the branch behind `else`, or for the whole `if`",
                   application->callee.text);
        diag_help(b->diag, "brackets say which: `if c then x else (y |> %s)`, or `(if c then x else y) |> %s`",
                  application->callee.text, application->callee.text);
    }
    return make_call(b, first, application);
}

/* `k`, `k in a..b`: the item as an index variable; false when it is none. */
static bool item_index_var(const AstItem *item, AstIndexVar *var) {
    if (item->from) {
        *var = (AstIndexVar){item->name, item->from, item->to};
        return true;
    }
    if (!item->name.text && item->value->kind == AST_NAME) {
        *var = (AstIndexVar){{item->value->text, item->value->place}, NULL, NULL};
        return true;
    }
    return false;
}

static AstExpr *refuse_reduction(AstBuild *b, Place place, const char *word, const AstExpr *body) {
    diag_error(b->diag, body->place, "an operator is missing between `%s(...)` and this", word);
    diag_help(b->diag, "only a reduction has its body behind the brackets, and they hold index "
                       "variables: `sum(k) x[k]`");
    return new_expr(b, place, AST_ERROR);
}

AstExpr *ast_reduce(AstBuild *b, Place place, AstApplication *head, AstExpr *body) {
    if (!head->items)
        return refuse_reduction(b, place, head->callee.text, body);
    AstExpr *expr = new_expr(b, place, AST_REDUCE);
    expr->reduce.word = head->callee;
    expr->reduce.count = head->items->count;
    expr->reduce.vars = arena_array(b->arena, AstIndexVar, head->items->count);
    for (size_t i = 0; i < head->items->count; i++) {
        AstIndexVar *var = &expr->reduce.vars[i];
        if (!item_index_var(&head->items->at[i], var))
            return refuse_reduction(b, place, head->callee.text, body);
        adopt(expr, var->from);
        adopt(expr, var->to);
    }
    expr->reduce.body = body;
    adopt(expr, body);
    return finish(b, expr);
}
