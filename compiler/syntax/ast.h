/* ast.h: what the parser makes: the file as written, with places. No meaning is decided here.
 *
 * Ownership: everything lives in the arena given to parse_source(). Nodes are made by the ast_* constructors only (the
 * grammar's actions call nothing else) and are not changed afterwards. Lists are arrays with a count.
 */
#ifndef NNC_SYNTAX_AST_H
#define NNC_SYNTAX_AST_H

#include <stdbool.h>
#include "base/source.h"

typedef struct AstExpr AstExpr;
typedef struct AstStmt AstStmt;

/* No expression is higher, and no statement has more levels of blocks, than this; the constructors report what is. So a
 * function may recur over the tree. */
enum { AST_DEPTH_LIMIT = 200 };

typedef struct AstName {
    const char *text;
    Place place;
} AstName;

/* ---- expressions ---- */

typedef enum AstBinary {
    AST_ADD,
    AST_SUB,
    AST_MUL,
    AST_DIV,
    AST_MOD,
    AST_POW,
    AST_EQ,
    AST_NE,
    AST_LT,
    AST_LE,
    AST_GT,
    AST_GE,
    AST_AND,
    AST_OR
} AstBinary;

typedef enum AstUnary { AST_NEG, AST_NOT } AstUnary;

typedef enum AstExprKind {
    AST_NUMBER,   /* 0.5, 12 */
    AST_TEXT,     /* "file" */
    AST_BOOL,     /* true */
    AST_NAME,     /* x */
    AST_LIST,     /* [a, b]; may hold one AST_ELLIPSIS */
    AST_ELLIPSIS, /* ... inside an index, a shape or a list */
    AST_CALL,     /* f(a, name = b); `e |> f(a)` is a call with e as first argument and piped = true */
    AST_INDEX,    /* x[i, j; outside = 0] */
    AST_REDUCE,   /* sum(k, j in 0..n) body: the word is a name, its meaning is decided later */
    AST_UNARY_OP,
    AST_BINARY_OP,
    AST_CONDITION, /* if c then a else b */
    AST_ERROR      /* stands for what was wrong in itself; already reported */
} AstExprKind;

/* One argument of a call: positional (name.text == NULL) or by name. */
typedef struct AstArgument {
    AstName name;
    AstExpr *value;
} AstArgument;

/* An index variable where it is introduced: `k` or `k in from..to`; or `...` (ellipsis) on a left-hand side. */
typedef struct AstIndexVar {
    AstName name;       /* text "..." for the ellipsis */
    AstExpr *from, *to; /* NULL when the range is inferred */
} AstIndexVar;

struct AstExpr {
    AstExprKind kind;
    int depth;   /* 1 for a leaf */
    Place place; /* of a piped call: the call alone, without what is piped */
    union {
        struct {
            double value;
            bool is_integer; /* written without '.' or exponent, and exact in a double */
        } number;
        const char *text; /* AST_TEXT (unescaped), AST_NAME */
        bool truth;
        struct {
            AstExpr **items;
            size_t count;
        } list;
        struct {
            AstName callee;
            AstArgument *args;
            size_t count;
            bool piped;
        } call;
        struct {
            AstExpr *tensor;
            AstExpr **at; /* the index expressions; may hold AST_ELLIPSIS */
            size_t count;
            AstExpr *outside; /* NULL when not given */
        } index;
        struct {
            AstName word;
            AstIndexVar *vars;
            size_t count;
            AstExpr *body;
        } reduce;
        struct {
            AstUnary op;
            AstExpr *arg;
        } unary;
        struct {
            AstBinary op;
            AstExpr *left, *right;
        } binary;
        struct {
            AstExpr *test, *then, *otherwise;
        } condition;
    };
};

/* ---- types and parameters ---- */

typedef struct AstType {
    AstName word; /* real, int, class, index, bool, text */
    Place place;
    bool has_shape;  /* brackets were written */
    AstExpr **shape; /* sizes; may hold AST_ELLIPSIS */
    size_t rank;
    AstExpr *classes; /* class[...](10); NULL otherwise */
    AstExpr *like;    /* real like p; NULL otherwise */
} AstType;

typedef struct AstParam {
    AstName name;
    AstType *type;      /* NULL: any */
    AstExpr *otherwise; /* default; NULL: required */
    bool by_name;       /* stands after the ';' */
} AstParam;

/* ---- statements ---- */

typedef enum AstStmtKind {
    AST_ASSIGN,   /* y = e */
    AST_UNPACK,   /* y, h = e */
    AST_EQUATION, /* y[b, n] = e */
    AST_UPDATE,   /* p <- e */
    AST_PARAM,    /* param W: type = e */
    AST_STATE,
    AST_INPUT,
    AST_TARGET,
    AST_OUTPUT, /* output y = e, output y (value NULL) */
    AST_LOSS,   /* loss e */
    AST_METRIC, /* metric e, metric name = e */
    AST_RETURN,
    AST_REQUIRE, /* require e, "message", "help" */
    AST_WARN,    /* warn e, "message", "help" */
    AST_FOR,
    AST_IF
} AstStmtKind;

typedef struct AstBlock {
    AstStmt **stmts;
    size_t count;
    Place place;
} AstBlock;

struct AstStmt {
    AstStmtKind kind;
    int depth; /* 1 without blocks */
    Place place;
    AstName name;   /* what is declared or assigned; the loop variable; the metric's name or NULL text */
    AstName *names; /* UNPACK: one for each item of the list */
    size_t name_count;
    AstType *type;     /* PARAM, STATE, INPUT, TARGET */
    AstIndexVar *vars; /* EQUATION */
    size_t var_count;
    AstExpr *value;      /* right-hand side, returned value, condition of IF; FOR: from */
    AstExpr *to;         /* FOR: the end, exclusive; REQUIRE, WARN: the list of texts */
    AstBlock *body;      /* FOR, IF */
    AstBlock *otherwise; /* IF: else block (an `else if` is a block with one IF); NULL: none */
};

/* ---- declarations ---- */

typedef enum AstDeclKind {
    AST_DIM, /* dim n = e; dim n <= e */
    AST_CONST,
    AST_FN,
    AST_LAYER,
    AST_LOSS_FN, /* loss name(params) = ... */
    AST_METRIC_FN,
    AST_INIT,
    AST_OPTIMIZER,
    AST_SCHEDULE,
    AST_MODEL,
    AST_TRAIN
} AstDeclKind;

typedef enum AstTrainKind {
    AST_TRAIN_DATA, /* data NAMES = call [scale e] [shift e] */
    AST_TRAIN_VALIDATE,
    AST_TRAIN_TEST,
    AST_TRAIN_SETTING /* word value [, name = value ...]: optimizer, rate, epochs, seed, patience, shuffle, split */
} AstTrainKind;

typedef struct AstTrainItem {
    AstTrainKind kind;
    Place place;
    AstName word;   /* as written: "data", "optimizer", ... */
    AstName *names; /* fields of data items */
    size_t name_count;
    AstExpr *value;         /* the call or the value; NULL for `split` */
    AstExpr *scale, *shift; /* NULL when not given */
    AstArgument *args;      /* `split validate = 0.1, test = 0.1` */
    size_t arg_count;
} AstTrainItem;

typedef struct AstDecl {
    AstDeclKind kind;
    Place place;
    AstName name;
    const char *doc; /* the `##` comment before it, without the marks; NULL: none */
    AstParam *params;
    size_t param_count;
    bool at_most;         /* DIM with <= */
    AstExpr *value;       /* DIM, CONST; `= e` form of the others (body NULL) */
    AstBlock *body;       /* block form; MODEL */
    AstTrainItem **items; /* TRAIN */
    size_t item_count;
} AstDecl;

typedef struct AstFile {
    const Source *source;
    AstDecl **decls;
    size_t count;
} AstFile;

#endif
