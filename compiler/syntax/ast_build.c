#include "syntax/ast_build.h"

#include <string.h>
#include "base/text.h"
#include "base/vec.h"

#define AST_DEFINE_LIST(List, Item, prefix)                                                                            \
    List *prefix##_add(AstBuild *b, List *list, Item item) {                                                           \
        if (!list) {                                                                                                   \
            list = arena_one(b->arena, List);                                                                          \
        }                                                                                                              \
        vec_push(b->arena, list, item);                                                                                \
        return list;                                                                                                   \
    }
AST_LISTS(AST_DEFINE_LIST)
#undef AST_DEFINE_LIST

AstExprs *ast_exprs_new(AstBuild *b) {
    return arena_one(b->arena, AstExprs);
}

Place place_after(Place place) {
    return (Place){place.source, place.end, place.end};
}

AstName ast_name(AstBuild *b, Place place) {
    const char *text = place.source->text + place.start;
    return (AstName){arena_copy_text(b->arena, text, place.end - place.start), place};
}

/* ---- types, parameters, index variables ---- */

AstType *ast_type(AstBuild *b, Place place, AstName word, AstExprs *shape, AstExpr *classes) {
    AstType *type = arena_one(b->arena, AstType);
    type->word = word;
    type->place = place;
    type->has_shape = shape != NULL;
    type->shape = shape ? shape->at : NULL;
    type->rank = shape ? shape->count : 0;
    type->classes = classes;
    return type;
}

AstType *ast_type_like(AstBuild *b, Place place, AstName word, AstExpr *like) {
    AstType *type = ast_type(b, place, word, NULL, NULL);
    type->like = like;
    return type;
}

AstParam ast_param(AstName name, AstType *type, AstExpr *otherwise) {
    return (AstParam){.name = name, .type = type, .otherwise = otherwise};
}

AstParams *ast_params_join(AstBuild *b, AstParams *positional, AstParams *by_name) {
    for (size_t i = 0; i < by_name->count; i++) {
        AstParam param = by_name->at[i];
        param.by_name = true;
        positional = ast_params_add(b, positional, param);
    }
    return positional;
}

AstIndexVar ast_index_var(AstName name, AstExpr *from, AstExpr *to) {
    return (AstIndexVar){name, from, to};
}

/* ---- statements ---- */

static AstStmt *new_stmt(AstBuild *b, Place place, AstStmtKind kind) {
    AstStmt *stmt = arena_one(b->arena, AstStmt);
    stmt->kind = kind;
    stmt->place = place;
    stmt->depth = 1;
    return stmt;
}

AstBlock *ast_block(AstBuild *b, Place place, AstStmts *stmts) {
    AstBlock *block = arena_one(b->arena, AstBlock);
    block->place = place;
    block->stmts = stmts ? stmts->at : NULL;
    block->count = stmts ? stmts->count : 0;
    return block;
}

AstStmt *ast_assign(AstBuild *b, Place place, AstStmtKind kind, AstName name, AstExpr *value) {
    AstStmt *stmt = new_stmt(b, place, kind);
    stmt->name = name;
    stmt->value = value;
    return stmt;
}

AstStmt *ast_unpack(AstBuild *b, Place place, AstName first, AstNames *others, AstExpr *value) {
    AstStmt *stmt = new_stmt(b, place, AST_UNPACK);
    stmt->name_count = others->count + 1;
    stmt->names = arena_array(b->arena, AstName, stmt->name_count);
    stmt->names[0] = first;
    memcpy(stmt->names + 1, others->at, others->count * sizeof *others->at);
    stmt->value = value;
    return stmt;
}

AstStmt *ast_equation(AstBuild *b, Place place, AstName name, AstIndexVars *vars, AstExpr *value) {
    AstStmt *stmt = ast_assign(b, place, AST_EQUATION, name, value);
    stmt->vars = vars->at;
    stmt->var_count = vars->count;
    return stmt;
}

AstStmt *ast_declare(AstBuild *b, Place place, AstStmtKind kind, AstName name, AstType *type, AstExpr *value) {
    AstStmt *stmt = ast_assign(b, place, kind, name, value);
    stmt->type = type;
    return stmt;
}

AstStmt *ast_value_stmt(AstBuild *b, Place place, AstStmtKind kind, AstExpr *value) {
    AstStmt *stmt = new_stmt(b, place, kind);
    stmt->value = value;
    return stmt;
}

AstStmt *ast_message(AstBuild *b, Place place, AstStmtKind kind, AstExpr *test, AstExpr *texts) {
    AstStmt *stmt = ast_value_stmt(b, place, kind, test);
    stmt->to = texts;
    return stmt;
}

static int block_depth(const AstBlock *block) {
    int depth = 0;
    for (size_t i = 0; block && i < block->count; i++)
        if (block->stmts[i]->depth > depth)
            depth = block->stmts[i]->depth;
    return depth;
}

/* Gives a statement its blocks, unless they are too deep: it stays without them then. */
static AstStmt *with_blocks(AstBuild *b, AstStmt *stmt, AstBlock *body, AstBlock *otherwise) {
    int depth = block_depth(body), other_depth = block_depth(otherwise);
    stmt->depth = 1 + (depth > other_depth ? depth : other_depth);
    stmt->body = body;
    stmt->otherwise = otherwise;
    if (stmt->depth > AST_DEPTH_LIMIT) {
        ast_report_depth(b, stmt->place);
        stmt->depth = 1;
        stmt->body = ast_block(b, stmt->place, NULL);
        stmt->otherwise = NULL;
    }
    return stmt;
}

AstStmt *ast_for(AstBuild *b, Place place, AstName name, AstExpr *from, AstExpr *to, AstBlock *body) {
    AstStmt *stmt = ast_assign(b, place, AST_FOR, name, from);
    stmt->to = to;
    return with_blocks(b, stmt, body, NULL);
}

AstStmt *ast_if(AstBuild *b, Place place, AstExpr *test, AstBlock *body, AstBlock *otherwise) {
    return with_blocks(b, ast_value_stmt(b, place, AST_IF, test), body, otherwise);
}

/* ---- declarations ---- */

/* The line before the one that starts at `start`, without blanks at its ends; false when there is none. */
static bool find_line_before(const Source *source, size_t start, size_t *from, size_t *to) {
    if (start == 0)
        return false;
    const char *text = source->text;
    *to = start - 1; /* the newline */
    *from = *to;
    while (*from > 0 && text[*from - 1] != '\n')
        --*from;
    return true;
}

static size_t skip_blanks(const char *text, size_t from, size_t to) {
    while (from < to && strchr(" \t\r", text[from]))
        from++;
    return from;
}

static bool is_doc_line(const char *text, size_t from, size_t to) {
    from = skip_blanks(text, from, to);
    return to - from >= 2 && text[from] == '#' && text[from + 1] == '#';
}

/* Adds a `##` line to the doc, without the mark, one blank behind it, and blanks at the end. */
static void add_doc_line(Text *doc, const char *text, size_t from, size_t to) {
    from = skip_blanks(text, from, to) + 2;
    if (from < to && text[from] == ' ')
        from++;
    while (to > from && strchr(" \t\r", text[to - 1]))
        to--;
    text_add_bytes(doc, text + from, to - from);
}

/* The `##` lines directly before the declaration at this place. */
static const char *find_doc(AstBuild *b, Place place) {
    const Source *source = place.source;
    size_t first = source->line_starts[place_line(place) - 1];
    size_t decl = first, from, to;
    while (find_line_before(source, first, &from, &to) && is_doc_line(source->text, from, to))
        first = from;
    if (first == decl)
        return NULL;
    Text *doc = text_new(b->arena);
    for (size_t line = first, end; line < decl; line = end + 1) {
        end = line + strcspn(source->text + line, "\n");
        text_add(doc, line > first ? "\n" : "");
        add_doc_line(doc, source->text, line, end);
    }
    return text_get(doc);
}

static AstDecl *new_decl(AstBuild *b, Place place, AstDeclKind kind, AstName name) {
    AstDecl *decl = arena_one(b->arena, AstDecl);
    decl->kind = kind;
    decl->place = place;
    decl->name = name;
    decl->doc = find_doc(b, place);
    return decl;
}

AstDecl *ast_dim(AstBuild *b, Place place, AstName name, bool at_most, AstExpr *value) {
    AstDecl *decl = new_decl(b, place, AST_DIM, name);
    decl->at_most = at_most;
    decl->value = value;
    return decl;
}

AstDecl *ast_const(AstBuild *b, Place place, AstName name, AstExpr *value) {
    AstDecl *decl = new_decl(b, place, AST_CONST, name);
    decl->value = value;
    return decl;
}

AstDecl *ast_function(AstBuild *b, Place place, AstDeclKind kind, AstName name, AstParams *params, AstExpr *value,
                      AstBlock *body) {
    AstDecl *decl = new_decl(b, place, kind, name);
    decl->params = params ? params->at : NULL;
    decl->param_count = params ? params->count : 0;
    decl->value = value;
    decl->body = body;
    return decl;
}

AstDecl *ast_model(AstBuild *b, Place place, AstName name, AstBlock *body) {
    AstDecl *decl = new_decl(b, place, AST_MODEL, name);
    decl->body = body;
    return decl;
}

AstDecl *ast_train(AstBuild *b, Place place, AstName name, AstTrainItems *items) {
    AstDecl *decl = new_decl(b, place, AST_TRAIN, name);
    decl->items = items ? items->at : NULL;
    decl->item_count = items ? items->count : 0;
    return decl;
}

static AstTrainItem *new_train_item(AstBuild *b, Place place, AstTrainKind kind, AstName word) {
    AstTrainItem *item = arena_one(b->arena, AstTrainItem);
    item->kind = kind;
    item->place = place;
    item->word = word;
    return item;
}

AstTrainItem *ast_data(AstBuild *b, Place place, AstName word, AstNames *names, AstExpr *value, AstExpr *scale,
                       AstExpr *shift) {
    AstTrainKind kind = strcmp(word.text, "data") == 0       ? AST_TRAIN_DATA
                        : strcmp(word.text, "validate") == 0 ? AST_TRAIN_VALIDATE
                                                             : AST_TRAIN_TEST;
    AstTrainItem *item = new_train_item(b, place, kind, word);
    item->names = names->at;
    item->name_count = names->count;
    item->value = value;
    item->scale = scale;
    item->shift = shift;
    return item;
}

AstTrainItem *ast_setting(AstBuild *b, Place place, AstName word, AstExpr *value) {
    AstTrainItem *item = new_train_item(b, place, AST_TRAIN_SETTING, word);
    item->value = value;
    return item;
}

AstTrainItem *ast_fractions(AstBuild *b, Place place, AstName word, AstItems *fractions) {
    AstTrainItem *item = new_train_item(b, place, AST_TRAIN_SETTING, word);
    item->args = arena_array(b->arena, AstArgument, fractions->count);
    item->arg_count = fractions->count;
    for (size_t i = 0; i < fractions->count; i++)
        item->args[i] = (AstArgument){fractions->at[i].name, fractions->at[i].value};
    return item;
}

void ast_finish_file(AstBuild *b, AstDecls *decls) {
    b->file->decls = decls ? decls->at : NULL;
    b->file->count = decls ? decls->count : 0;
}
