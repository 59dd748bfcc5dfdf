/* ast_build.h: the constructors of the AST, for the actions of grammar/nn.y.
 *
 * A constructor copies what it needs out of the source's text (names, numbers, texts are read from their places) and
 * allocates in the arena of the AstBuild. Lists grow by `<list>_add(b, list, item)`, which returns the list; NULL is the
 * empty list. Some rules that the grammar does not express are checked here and reported; the node is made all the same,
 * since the caller of parse_source() stops after any error.
 */
#ifndef NNC_SYNTAX_AST_BUILD_H
#define NNC_SYNTAX_AST_BUILD_H

#include "base/diag.h"
#include "syntax/ast.h"

typedef struct AstBuild {
    Arena *arena;
    Diag *diag;
    AstFile *file;
    bool depth_reported; /* the depth limit is reported once for each file */
} AstBuild;

/* What stands between the brackets of a call or of a reduction's head: a value, `name = value`, or `name in from..to`. */
typedef struct AstItem {
    AstName name;
    AstExpr *value;
    AstExpr *from, *to;
} AstItem;

/* list type, item type, prefix of its function */
#define AST_LISTS(X)                                                                                                   \
    X(AstDecls, AstDecl *, ast_decls)                                                                                  \
    X(AstParams, AstParam, ast_params)                                                                                 \
    X(AstStmts, AstStmt *, ast_stmts)                                                                                  \
    X(AstIndexVars, AstIndexVar, ast_index_vars)                                                                       \
    X(AstTrainItems, AstTrainItem *, ast_train_items)                                                                  \
    X(AstNames, AstName, ast_names)                                                                                    \
    X(AstExprs, AstExpr *, ast_exprs)                                                                                  \
    X(AstItems, AstItem, ast_items)

#define AST_DECLARE_LIST(List, Item, prefix)                                                                           \
    typedef struct List {                                                                                              \
        Item *at;                                                                                                      \
        size_t count, capacity;                                                                                        \
    } List;                                                                                                            \
    List *prefix##_add(AstBuild *b, List *list, Item item);
AST_LISTS(AST_DECLARE_LIST)
#undef AST_DECLARE_LIST

/* `name(items)`, not yet known to be a call or the head of a reduction. */
typedef struct AstApplication {
    Place place;
    AstName callee;
    AstItems *items;
} AstApplication;

/* The empty place behind another one. */
Place place_after(Place place);

AstName ast_name(AstBuild *b, Place place);

/* Reports, once for each file, what is deeper than AST_DEPTH_LIMIT. */
void ast_report_depth(AstBuild *b, Place place);

/* ---- expressions ---- */

AstExpr *ast_number(AstBuild *b, Place place); /* reports a number that overflows or underflows */
AstExpr *ast_text(AstBuild *b, Place place);   /* place: with the quotes; reports unknown escapes */
AstExpr *ast_bool(AstBuild *b, Place place, bool truth);
AstExpr *ast_name_expr(AstBuild *b, AstName name);
AstExpr *ast_ellipsis(AstBuild *b, Place place);
AstExpr *ast_list(AstBuild *b, Place place, AstExprs *items);
AstExpr *ast_unary(AstBuild *b, Place place, AstUnary op, AstExpr *arg);
AstExpr *ast_binary(AstBuild *b, Place place, AstBinary op, AstExpr *left, AstExpr *right);
AstExpr *ast_condition(AstBuild *b, Place place, AstExpr *test, AstExpr *then, AstExpr *otherwise);
AstExpr *ast_index(AstBuild *b, Place place, AstExpr *tensor, AstExprs *at, AstExpr *outside);
/* The value of `; outside = value`; reports another word. */
AstExpr *ast_outside(AstBuild *b, AstName word, AstExpr *value);

AstItem ast_item(AstExpr *value);
AstItem ast_named_item(AstName name, AstExpr *value);
AstItem ast_range_item(AstName name, AstExpr *from, AstExpr *to);
AstApplication *ast_application(AstBuild *b, Place place, AstName callee, AstItems *items);
/* Reports ranges, and positional arguments behind named ones. */
AstExpr *ast_call(AstBuild *b, AstApplication *application);
/* `place`: of what is piped, with its brackets. Reports an `if` without them: the pipe takes all of it, where its last branch may be meant. */
AstExpr *ast_pipe(AstBuild *b, Place place, AstExpr *first, AstApplication *application);
/* Reports what is not an index variable: then an operator is missing before the body. */
AstExpr *ast_reduce(AstBuild *b, Place place, AstApplication *head, AstExpr *body);

/* An empty list that is not NULL: brackets were written. */
AstExprs *ast_exprs_new(AstBuild *b);

/* ---- types, parameters, index variables ---- */

AstType *ast_type(AstBuild *b, Place place, AstName word, AstExprs *shape, AstExpr *classes);
AstType *ast_type_like(AstBuild *b, Place place, AstName word, AstExpr *like);
AstParam ast_param(AstName name, AstType *type, AstExpr *otherwise);
/* Positional parameters, then those that are given by name. */
AstParams *ast_params_join(AstBuild *b, AstParams *positional, AstParams *by_name);
AstIndexVar ast_index_var(AstName name, AstExpr *from, AstExpr *to);

/* ---- statements ---- */

AstBlock *ast_block(AstBuild *b, Place place, AstStmts *stmts);
AstStmt *ast_assign(AstBuild *b, Place place, AstStmtKind kind, AstName name, AstExpr *value);
/* `first, others... = value`. */
AstStmt *ast_unpack(AstBuild *b, Place place, AstName first, AstNames *others, AstExpr *value);
AstStmt *ast_equation(AstBuild *b, Place place, AstName name, AstIndexVars *vars, AstExpr *value);
AstStmt *ast_declare(AstBuild *b, Place place, AstStmtKind kind, AstName name, AstType *type, AstExpr *value);
AstStmt *ast_value_stmt(AstBuild *b, Place place, AstStmtKind kind, AstExpr *value);
AstStmt *ast_message(AstBuild *b, Place place, AstStmtKind kind, AstExpr *test, AstExpr *texts); /* REQUIRE, WARN */
AstStmt *ast_for(AstBuild *b, Place place, AstName name, AstExpr *from, AstExpr *to, AstBlock *body);
AstStmt *ast_if(AstBuild *b, Place place, AstExpr *test, AstBlock *body, AstBlock *otherwise);

/* ---- declarations: each looks for the `##` comment before it ---- */

AstDecl *ast_dim(AstBuild *b, Place place, AstName name, bool at_most, AstExpr *value);
AstDecl *ast_const(AstBuild *b, Place place, AstName name, AstExpr *value);
AstDecl *ast_function(AstBuild *b, Place place, AstDeclKind kind, AstName name, AstParams *params, AstExpr *value,
                      AstBlock *body);
AstDecl *ast_model(AstBuild *b, Place place, AstName name, AstBlock *body);
AstDecl *ast_train(AstBuild *b, Place place, AstName name, AstTrainItems *items);

AstTrainItem *ast_data(AstBuild *b, Place place, AstName word, AstNames *names, AstExpr *value, AstExpr *scale,
                       AstExpr *shift);
AstTrainItem *ast_setting(AstBuild *b, Place place, AstName word, AstExpr *value);
AstTrainItem *ast_fractions(AstBuild *b, Place place, AstName word, AstItems *fractions);

void ast_finish_file(AstBuild *b, AstDecls *decls);

#endif
