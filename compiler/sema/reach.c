#include "sema/reach.h"

#include <string.h>
#include "sema/equation.h"
#include "syntax/ast_print.h"

/* A reduction over a name, and the operation whose right operand uses the name too. */
typedef struct Reach {
    const AstExpr *reduction, *operation;
} Reach;

/* ---- the tree ---- */

/* The i-th expression inside of e; NULL: there are no more. */
static const AstExpr *child(const AstExpr *e, size_t i) {
    switch (e->kind) {
    case AST_LIST: return i < e->list.count ? e->list.items[i] : NULL;
    case AST_CALL: return i < e->call.count ? e->call.args[i].value : NULL;
    case AST_INDEX: return i < e->index.count ? e->index.at[i] : i == e->index.count ? e->index.outside : NULL;
    case AST_REDUCE: return i == 0 ? e->reduce.body : NULL;
    case AST_UNARY_OP: return i == 0 ? e->unary.arg : NULL;
    case AST_BINARY_OP: return i == 0 ? e->binary.left : i == 1 ? e->binary.right : NULL;
    case AST_CONDITION:
        return i == 0 ? e->condition.test : i == 1 ? e->condition.then : i == 2 ? e->condition.otherwise : NULL;
    default: return NULL;
    }
}

static bool reduces(const AstExpr *e, const char *name) {
    for (size_t i = 0; e->kind == AST_REDUCE && i < e->reduce.count; i++)
        if (strcmp(e->reduce.vars[i].name.text, name) == 0)
            return true;
    return false;
}

bool expr_uses(const AstExpr *e, const char *name) {
    if (e->kind == AST_NAME || reduces(e, name))
        return e->kind == AST_NAME && strcmp(e->text, name) == 0;
    const AstExpr *part;
    for (size_t i = 0; (part = child(e, i)) != NULL; i++)
        if (expr_uses(part, name))
            return true;
    return false;
}

/* The last reduction over the name among the operands of e. */
static const AstExpr *last_reduction(const AstExpr *e, const char *name) {
    if (reduces(e, name))
        return e;
    if (e->kind == AST_UNARY_OP)
        return last_reduction(e->unary.arg, name);
    if (e->kind != AST_BINARY_OP)
        return NULL;
    const AstExpr *right = last_reduction(e->binary.right, name);
    return right ? right : last_reduction(e->binary.left, name);
}

static bool covers(const AstExpr *reduction, const AstExpr *operation, Place place) {
    return place.source == operation->place.source && place.start >= reduction->place.start &&
           place.start < operation->place.end;
}

/* The outermost operation of that kind which covers the place: it takes in all that is to be in the body. */
static bool find_reach(const AstExpr *e, const char *name, Place place, Reach *out) {
    if (e->kind == AST_BINARY_OP && expr_uses(e->binary.right, name)) {
        const AstExpr *reduction = last_reduction(e->binary.left, name);
        if (reduction != NULL && covers(reduction, e, place)) {
            *out = (Reach){reduction, e};
            return true;
        }
    }
    const AstExpr *part;
    for (size_t i = 0; (part = child(e, i)) != NULL; i++)
        if (find_reach(part, name, place, out))
            return true;
    return false;
}

/* ---- the words ---- */

/* The operation that has the reduction as the last of its left operand: its operator is the one that follows. */
static const AstExpr *operation_behind(const AstExpr *e, const AstExpr *reduction) {
    const AstExpr *left = e->binary.left;
    while (left->kind == AST_BINARY_OP && left->binary.left->place.end >= reduction->place.end) {
        e = left;
        left = e->binary.left;
    }
    return e;
}

static bool brackets_match(const char *text) {
    int open = 0;
    for (; *text != '\0' && open >= 0; text++)
        open += *text == '(' || *text == '[' ? 1 : *text == ')' || *text == ']' ? -1 : 0;
    return open == 0;
}

static const char *head_text(Arena *arena, const AstExpr *reduction) {
    Text *text = text_new(arena);
    text_printf(text, "%s(", reduction->reduce.word.text);
    for (size_t i = 0; i < reduction->reduce.count; i++) {
        text_add(text, i ? ", " : "");
        ast_print_index_var(&reduction->reduce.vars[i], text);
    }
    text_add(text, ")");
    return text_get(text);
}

/* What the body becomes; dots where the text has brackets of its own that are in the way. */
static const char *body_text(Arena *arena, Reach reach) {
    Place place = place_join(reach.reduction->reduce.body->place, reach.operation->place);
    place.start = reach.reduction->reduce.body->place.start;
    return brackets_match(place_text(arena, place)) ? place_snippet(arena, place) : "...";
}

/* The right side that is being evaluated; NULL: none. */
static const AstExpr *current_expression(const Sema *s) {
    const Frame *frame = s->frame;
    return frame->stmt != NULL ? frame->stmt->value : frame->equation != NULL ? frame->equation->whole : NULL;
}

bool sema_help_reach(Sema *s, const char *name, Place place) {
    const AstExpr *whole = current_expression(s);
    Reach reach;
    if (whole == NULL || !find_reach(whole, name, place, &reach))
        return false;
    const AstExpr *operation = operation_behind(reach.operation, reach.reduction);
    sema_note(s, reach.reduction->place, "`%s` ends before the `%s`", place_snippet(s->arena, reach.reduction->place),
              ast_binary_text(operation->binary.op));
    sema_help(s, "brackets around the body take in what follows: `%s (%s)`", head_text(s->arena, reach.reduction),
              body_text(s->arena, reach));
    return true;
}
