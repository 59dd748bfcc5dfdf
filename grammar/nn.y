/* nn.y: tokens to the AST.
 *
 * Actions call constructors of syntax/ast_build.h and nothing else. The tokens come from compiler/syntax/layout.c, which has
 * decided which newlines end a statement, so that here TOKEN_NEWLINE always does: each declaration, statement and setting
 * ends with one. A text after a token's name is how messages spell it.
 */
%define api.pure full
%define api.prefix {grammar_}
%define api.token.prefix {TOKEN_}
%define api.location.type {Place}
%define api.value.type union
%define parse.error custom
%define parse.lac full
%locations
%expect 0

%code requires {
#include "syntax/ast_build.h"
#include "syntax/layout.h"
}

%code {
#include "syntax/parse_error.h"

/* Symbols on the parser's stacks: far more than AST_DEPTH_LIMIT levels of anything need. */
#define YYMAXDEPTH 4000

#define YYLLOC_DEFAULT(current, rhs, count)                                                        \
    ((current) = (count) ? place_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, count))                      \
                         : place_after(YYRHSLOC(rhs, 0)))

static int grammar_lex(GRAMMAR_STYPE *value, Place *place, Layout *layout);
static void grammar_error(const Place *place, AstBuild *b, Layout *layout, const char *message);
}

%lex-param   { Layout *layout }
%parse-param { AstBuild *b } { Layout *layout }
%initial-action { @$ = layout->last.place; }

%token END 0        "the end of the file"
%token NEWLINE      "the end of the line"
%token BAD          "a sign that is not of the language"

%token NAME         "a name"
%token NUMBER       "a number"
%token TEXT         "a text"

%token DIM          "`dim`"
%token CONST        "`const`"
%token FN           "`fn`"
%token LAYER        "`layer`"
%token LOSS         "`loss`"
%token METRIC       "`metric`"
%token INIT         "`init`"
%token OPTIMIZER    "`optimizer`"
%token SCHEDULE     "`schedule`"
%token MODEL        "`model`"
%token TRAIN        "`train`"
%token PARAM        "`param`"
%token STATE        "`state`"
%token INPUT        "`input`"
%token TARGET       "`target`"
%token OUTPUT       "`output`"
%token RETURN       "`return`"
%token REQUIRE      "`require`"
%token WARN         "`warn`"
%token FOR          "`for`"
%token IN           "`in`"
%token IF           "`if`"
%token THEN         "`then`"
%token ELSE         "`else`"
%token AND          "`and`"
%token OR           "`or`"
%token NOT          "`not`"
%token TRUE         "`true`"
%token FALSE        "`false`"
%token LIKE         "`like`"

/* Words only where layout.c makes them so: at the start of a line of a `train` block, and behind its data. */
%token DATA         "`data`"
%token SCALE        "`scale`"
%token SHIFT        "`shift`"

%token EQUALS       "`=`"
%token UPDATE       "`<-`"
%token COLON        "`:`"
%token LPAREN       "`(`"
%token RPAREN       "`)`"
%token LBRACKET     "`[`"
%token RBRACKET     "`]`"
%token LBRACE       "`{`"
%token RBRACE       "`}`"
%token COMMA        "`,`"
%token SEMICOLON    "`;`"
%token RANGE        "`..`"
%token ELLIPSIS     "`...`"
%token PIPE         "`|>`"
%token EQ           "`==`"
%token NE           "`!=`"
%token LT           "`<`"
%token LE           "`<=`"
%token GT           "`>`"
%token GE           "`>=`"
%token PLUS         "`+`"
%token MINUS        "`-`"
%token TIMES        "`*`"
%token DIVIDE       "`/`"
%token MODULO       "`%`"
%token POWER        "`^`"

/* From the loosest to the tightest, as in docs/LANGUAGE.md; pipes are looser still and have rules of their own. REDUCTION
 * stands between sums and products: a reduction takes the product to its right. CALL is above `-` and `[`, which therefore
 * continue `f(x)` and do not start the body of a reduction. */
%precedence ELSE
%left OR
%left AND
%precedence NOT
%nonassoc EQ NE LT LE GT GE
%left PLUS MINUS
%precedence REDUCTION
%left TIMES DIVIDE MODULO
%precedence NEGATIVE
%right POWER
%precedence LBRACKET
%precedence CALL

%type <AstDecls *> decls
%type <AstDecl *> decl
%type <AstDeclKind> function_word
%type <AstParams *> params param_list
%type <AstParam> param
%type <AstType *> type
%type <AstExprs *> shape shape_sizes texts
%type <AstExpr *> classes

%type <AstBlock *> block otherwise
%type <AstStmts *> stmts
%type <AstStmt *> stmt if_stmt
%type <AstIndexVars *> index_vars
%type <AstIndexVar> index_var

%type <AstTrainItems *> settings
%type <AstTrainItem *> setting
%type <AstName> setting_word
%type <AstNames *> names
%type <AstExpr *> scale shift
%type <AstItems *> fractions

%type <AstExpr *> expr operation postfix primary element
%type <AstExprs *> elements
%type <AstApplication *> application
%type <AstItems *> items item_list
%type <AstItem> item
%type <AstName> name

%start file

%%

file: decls                             { ast_finish_file(b, $decls); }
    ;

decls: %empty                           { $$ = NULL; }
    | decls decl NEWLINE                { $$ = ast_decls_add(b, $1, $decl); }
    | decls error NEWLINE               { $$ = $1; layout_skip_to_declaration(layout); yyerrok; }
    ;

/* ---- declarations ---- */

decl: DIM name EQUALS expr              { $$ = ast_dim(b, @$, $name, false, $expr); }
    | DIM name LE expr                  { $$ = ast_dim(b, @$, $name, true, $expr); }
    | CONST name EQUALS expr            { $$ = ast_const(b, @$, $name, $expr); }
    | function_word name LPAREN params RPAREN EQUALS expr
                                        { $$ = ast_function(b, @$, $1, $name, $params, $expr, NULL); }
    | function_word name LPAREN params RPAREN block
                                        { $$ = ast_function(b, @$, $1, $name, $params, NULL, $block); }
    | MODEL name block                  { $$ = ast_model(b, @$, $name, $block); }
    | TRAIN name LBRACE settings RBRACE { $$ = ast_train(b, @$, $name, $settings); }
    ;

function_word: FN                       { $$ = AST_FN; }
    | LAYER                             { $$ = AST_LAYER; }
    | LOSS                              { $$ = AST_LOSS_FN; }
    | METRIC                            { $$ = AST_METRIC_FN; }
    | INIT                              { $$ = AST_INIT; }
    | OPTIMIZER                         { $$ = AST_OPTIMIZER; }
    | SCHEDULE                          { $$ = AST_SCHEDULE; }
    ;

params: %empty                          { $$ = NULL; }
    | param_list comma
    | SEMICOLON param_list comma        { $$ = ast_params_join(b, NULL, $2); }
    | param_list[first] SEMICOLON param_list[named] comma
                                        { $$ = ast_params_join(b, $first, $named); }
    ;

param_list: param                       { $$ = ast_params_add(b, NULL, $param); }
    | param_list COMMA param            { $$ = ast_params_add(b, $1, $param); }
    ;

param: name                             { $$ = ast_param($name, NULL, NULL); }
    | name EQUALS expr                  { $$ = ast_param($name, NULL, $expr); }
    | name COLON type                   { $$ = ast_param($name, $type, NULL); }
    | name COLON type EQUALS expr       { $$ = ast_param($name, $type, $expr); }
    ;

type: name shape classes                { $$ = ast_type(b, @$, $name, $shape, $classes); }
    | name LIKE expr                    { $$ = ast_type_like(b, @$, $name, $expr); }
    ;

shape: %empty                           { $$ = NULL; }
    | LBRACKET shape_sizes RBRACKET     { $$ = $shape_sizes; }
    ;

shape_sizes: %empty                     { $$ = ast_exprs_new(b); }
    | elements comma
    ;

classes: %empty                         { $$ = NULL; }
    | LPAREN expr RPAREN                { $$ = $expr; }
    ;

/* ---- statements ---- */

block: LBRACE stmts RBRACE              { $$ = ast_block(b, @$, $stmts); }
    ;

stmts: %empty                           { $$ = NULL; }
    | stmts stmt NEWLINE                { $$ = ast_stmts_add(b, $1, $stmt); }
    | stmts error NEWLINE               { $$ = $1; layout_recovered(layout); yyerrok; }
    ;

stmt: name EQUALS expr                  { $$ = ast_assign(b, @$, AST_ASSIGN, $name, $expr); }
    | name COMMA names EQUALS expr      { $$ = ast_unpack(b, @$, $name, $names, $expr); }
    | name LBRACKET index_vars comma RBRACKET EQUALS expr
                                        { $$ = ast_equation(b, @$, $name, $index_vars, $expr); }
    | name UPDATE expr                  { $$ = ast_assign(b, @$, AST_UPDATE, $name, $expr); }
    | PARAM name COLON type EQUALS expr { $$ = ast_declare(b, @$, AST_PARAM, $name, $type, $expr); }
    | STATE name COLON type EQUALS expr { $$ = ast_declare(b, @$, AST_STATE, $name, $type, $expr); }
    | INPUT name COLON type             { $$ = ast_declare(b, @$, AST_INPUT, $name, $type, NULL); }
    | TARGET name COLON type            { $$ = ast_declare(b, @$, AST_TARGET, $name, $type, NULL); }
    | OUTPUT name                       { $$ = ast_assign(b, @$, AST_OUTPUT, $name, NULL); }
    | OUTPUT name EQUALS expr           { $$ = ast_assign(b, @$, AST_OUTPUT, $name, $expr); }
    | LOSS expr                         { $$ = ast_value_stmt(b, @$, AST_LOSS, $expr); }
    | METRIC expr                       { $$ = ast_value_stmt(b, @$, AST_METRIC, $expr); }
    | METRIC name EQUALS expr           { $$ = ast_assign(b, @$, AST_METRIC, $name, $expr); }
    | RETURN expr                       { $$ = ast_value_stmt(b, @$, AST_RETURN, $expr); }
    | REQUIRE expr[test] COMMA texts    { $$ = ast_message(b, @$, AST_REQUIRE, $test, ast_list(b, @texts, $texts)); }
    | WARN expr[test] COMMA texts       { $$ = ast_message(b, @$, AST_WARN, $test, ast_list(b, @texts, $texts)); }
    | FOR name IN expr[from] RANGE expr[to] block
                                        { $$ = ast_for(b, @$, $name, $from, $to, $block); }
    | if_stmt
    ;

if_stmt: IF expr block otherwise        { $$ = ast_if(b, @$, $expr, $block, $otherwise); }
    ;

otherwise: %empty                       { $$ = NULL; }
    | ELSE block                        { $$ = $block; }
    | ELSE if_stmt                      { $$ = ast_block(b, @if_stmt, ast_stmts_add(b, NULL, $if_stmt)); }
    ;

/* What is wrong, and how to repair it. */
texts: expr                             { $$ = ast_exprs_add(b, NULL, $1); }
    | expr[message] COMMA expr[help]    { $$ = ast_exprs_add(b, ast_exprs_add(b, NULL, $message), $help); }
    ;

index_vars: index_var                   { $$ = ast_index_vars_add(b, NULL, $index_var); }
    | index_vars COMMA index_var        { $$ = ast_index_vars_add(b, $1, $index_var); }
    ;

index_var: name                         { $$ = ast_index_var($name, NULL, NULL); }
    | name IN expr[from] RANGE expr[to] { $$ = ast_index_var($name, $from, $to); }
    | ELLIPSIS                          { $$ = ast_index_var(ast_name(b, @1), NULL, NULL); }
    ;

names: name                             { $$ = ast_names_add(b, NULL, $name); }
    | names COMMA name                  { $$ = ast_names_add(b, $1, $name); }
    ;

/* ---- the settings of a train block ---- */

settings: %empty                        { $$ = NULL; }
    | settings setting NEWLINE          { $$ = ast_train_items_add(b, $1, $setting); }
    | settings error NEWLINE            { $$ = $1; layout_recovered(layout); yyerrok; }
    ;

setting: DATA names EQUALS application scale shift
                                        { $$ = ast_data(b, @$, ast_name(b, @1), $names,
                                                        ast_call(b, $application), $scale, $shift); }
    | setting_word expr                 { $$ = ast_setting(b, @$, $setting_word, $expr); }
    | setting_word fractions            { $$ = ast_fractions(b, @$, $setting_word, $fractions); }
    ;

setting_word: name
    | OPTIMIZER                         { $$ = ast_name(b, @1); }
    ;

scale: %empty                           { $$ = NULL; }
    | SCALE expr                        { $$ = $expr; }
    ;

shift: %empty                           { $$ = NULL; }
    | SHIFT expr                        { $$ = $expr; }
    ;

fractions: name EQUALS expr             { $$ = ast_items_add(b, NULL, ast_named_item($name, $expr)); }
    | fractions COMMA name EQUALS expr  { $$ = ast_items_add(b, $1, ast_named_item($name, $expr)); }
    ;

/* ---- expressions ---- */

expr: operation
    | expr PIPE application             { $$ = ast_pipe(b, @1, $1, $application); }
    | expr PIPE name                    { $$ = ast_pipe(b, @1, $1, ast_application(b, @name, $name, NULL)); }
    ;

operation: postfix
    | IF expr[test] THEN expr[yes] ELSE operation[no]
                                        { $$ = ast_condition(b, @$, $test, $yes, $no); }
    | operation OR operation            { $$ = ast_binary(b, @$, AST_OR, $1, $3); }
    | operation AND operation           { $$ = ast_binary(b, @$, AST_AND, $1, $3); }
    | NOT operation                     { $$ = ast_unary(b, @$, AST_NOT, $2); }
    | operation EQ operation            { $$ = ast_binary(b, @$, AST_EQ, $1, $3); }
    | operation NE operation            { $$ = ast_binary(b, @$, AST_NE, $1, $3); }
    | operation LT operation            { $$ = ast_binary(b, @$, AST_LT, $1, $3); }
    | operation LE operation            { $$ = ast_binary(b, @$, AST_LE, $1, $3); }
    | operation GT operation            { $$ = ast_binary(b, @$, AST_GT, $1, $3); }
    | operation GE operation            { $$ = ast_binary(b, @$, AST_GE, $1, $3); }
    | operation PLUS operation          { $$ = ast_binary(b, @$, AST_ADD, $1, $3); }
    | operation MINUS operation         { $$ = ast_binary(b, @$, AST_SUB, $1, $3); }
    | application operation %prec REDUCTION{ $$ = ast_reduce(b, @$, $application, $2); }
    | operation TIMES operation         { $$ = ast_binary(b, @$, AST_MUL, $1, $3); }
    | operation DIVIDE operation        { $$ = ast_binary(b, @$, AST_DIV, $1, $3); }
    | operation MODULO operation        { $$ = ast_binary(b, @$, AST_MOD, $1, $3); }
    | MINUS operation %prec NEGATIVE    { $$ = ast_unary(b, @$, AST_NEG, $2); }
    | operation POWER operation         { $$ = ast_binary(b, @$, AST_POW, $1, $3); }
    ;

postfix: primary
    | postfix LBRACKET elements comma RBRACKET
                                        { $$ = ast_index(b, @$, $1, $elements, NULL); }
    | postfix LBRACKET elements SEMICOLON name EQUALS expr RBRACKET
                                        { $$ = ast_index(b, @$, $1, $elements, ast_outside(b, $name, $expr)); }
    ;

primary: NUMBER                         { $$ = ast_number(b, @1); }
    | TEXT                              { $$ = ast_text(b, @1); }
    | TRUE                              { $$ = ast_bool(b, @1, true); }
    | FALSE                             { $$ = ast_bool(b, @1, false); }
    | name                              { $$ = ast_name_expr(b, $name); }
    | LPAREN expr RPAREN                { $$ = $expr; }
    | LBRACKET RBRACKET                 { $$ = ast_list(b, @$, NULL); }
    | LBRACKET elements comma RBRACKET  { $$ = ast_list(b, @$, $elements); }
    | application %prec CALL            { $$ = ast_call(b, $application); }
    ;

elements: element                       { $$ = ast_exprs_add(b, NULL, $element); }
    | elements COMMA element            { $$ = ast_exprs_add(b, $1, $element); }
    ;

element: expr
    | ELLIPSIS                          { $$ = ast_ellipsis(b, @1); }
    ;

/* A call or the head of a reduction: what follows decides. */
application: name LPAREN items RPAREN   { $$ = ast_application(b, @$, $name, $items); }
    ;

items: %empty                           { $$ = NULL; }
    | item_list comma
    ;

item_list: item                         { $$ = ast_items_add(b, NULL, $item); }
    | item_list COMMA item              { $$ = ast_items_add(b, $1, $item); }
    ;

item: expr                              { $$ = ast_item($expr); }
    | name EQUALS expr                  { $$ = ast_named_item($name, $expr); }
    | name IN expr[from] RANGE expr[to] { $$ = ast_range_item($name, $from, $to); }
    ;

name: NAME                              { $$ = ast_name(b, @1); }
    ;

comma: %empty | COMMA;                  /* a comma may stand after the last one of several */

%%

static int grammar_lex(GRAMMAR_STYPE *value, Place *place, Layout *layout) {
    (void)value; /* a token has no value but its place */
    return layout_next(layout, place);
}

/* Bison's own messages: the only one that is left is the overflow of the parser's stack. */
static void grammar_error(const Place *place, AstBuild *b, Layout *layout, const char *message) {
    (void)layout;
    (void)message;
    parse_report_depth(b->diag, *place);
}

/* The token that a symbol is: the reverse of Bison's own table. */
static int token_of(yysymbol_kind_t symbol) {
    int token = TOKEN_NEWLINE;
    while (token < YYMAXUTOK && YYTRANSLATE(token) != symbol) {
        token++;
    }
    return YYTRANSLATE(token) == symbol ? token : TOKEN_END;
}

static int yyreport_syntax_error(const yypcontext_t *context, AstBuild *b, Layout *layout) {
    yysymbol_kind_t symbols[YYNTOKENS];
    Expected expected = {.count = 0};
    int count = yypcontext_expected_tokens(context, symbols, YYNTOKENS);
    for (int i = 0; i < count && expected.count < EXPECTED_LIMIT; i++) {
        expected.at[expected.count++] = (ExpectedToken){token_of(symbols[i]), yysymbol_name(symbols[i])};
    }
    parse_report(b, layout, &expected);
    layout_start_recovery(layout);
    return 0;
}
