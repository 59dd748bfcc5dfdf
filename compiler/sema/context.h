/* context.h: the state of the evaluation, and the only way that it reports faults.
 *
 * A Frame is one run of a body: the model, a function, a layer's application, an optimizer for one parameter. Names of statements
 * live in the frame; `for` and `if` open no scope of their own.
 *
 * Messages. A fault inside the prelude is shown at the user's call that led there, with a note that names the place in the prelude.
 * The same message at the same place is printed once, however often loops and shared layers come by.
 */
#ifndef NNC_SEMA_CONTEXT_H
#define NNC_SEMA_CONTEXT_H

#include "base/diag.h"
#include "sema/scope.h"
#include "sema/sema.h"

typedef struct BoundsTable BoundsTable;   /* ir/bounds.h */
typedef struct Equation Equation;         /* equation.h */
typedef struct Naming Naming;             /* instance.h */
typedef struct ParamTable ParamTable;     /* instance.h */
typedef struct ModelBuild ModelBuild;     /* model.h */
typedef struct OptimizerRun OptimizerRun; /* optimizer.h */
typedef struct LeadingAxes LeadingAxes;   /* pattern.h */

/* Bounds on what a source can make the compiler do. */
enum {
    LIMIT_DEPTH = 1000,        /* of expressions and statements, over all frames */
    LIMIT_FRAMES = 64,         /* of calls inside calls */
    LIMIT_ITERATIONS = 100000, /* of compile-time loops, in all */
    LIMIT_NODES = 200000,
};
#define LIMIT_ELEMENTS (INT64_C(1) << 40) /* of one tensor */

typedef struct Frame Frame;
struct Frame {
    Frame *caller;            /* NULL: the outermost */
    const Function *function; /* NULL: the model, or a setting of the train block */
    const AstDecl *decl;      /* whose body is run, or looked through for names; NULL: one expression */
    const Globals *globals;
    Place call;      /* in the caller's source */
    TextMap *locals; /* name to Value */
    Space prefer;
    const char *label;       /* names the nodes of this frame: "dense_1"; "" in the model */
    Naming *naming;          /* of the instance that the frame belongs to */
    LeadingAxes *leading;    /* what `...` in the types of the parameters stands for */
    Equation *equation;      /* that is being evaluated; NULL: none */
    ModelBuild *model;       /* NULL: not a model */
    const AstStmt *stmt;     /* that is being run; NULL: none */
    OptimizerRun *optimizer; /* NULL: not an optimizer */
    TextMap *states;         /* of a layer or a model: name to ParamRecord; NULL: none yet */
    Value result;
    bool returned;
    const char *suffix; /* ".3" inside a `for` of this frame: part of its nodes' names */
};

typedef struct Sema {
    Arena *arena;
    Diag *diag;
    Graph *graph;
    ScalarPool *pool;
    const SemaOptions *options;
    const Globals *globals; /* of the user's file */
    Frame *frame;
    int frames; /* how many */
    int depth;
    int64_t iterations;
    bool stopped; /* a limit was passed: everything gives poison from here on */
    bool muted;   /* the last message was a repetition: so are its notes */
    TextMap *reported;
    int next_slot; /* for the next index variable */
    Extent slot_extent[SLOT_LIMIT];
    const char *slot_name[SLOT_LIMIT];
    bool training_known, training;
    int64_t next_stream; /* of random() in what is being evaluated: the model or an initialiser */
    int64_t init_stream; /* the next one for initialisers */
    ParamTable *params;
    BoundsTable *bounds;
} Sema;

/* ---- messages ---- */
bool sema_error(Sema *s, Place place, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sema_warning(Sema *s, Place place, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sema_note(Sema *s, Place place, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sema_help(Sema *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "note: `x` comes from `input x: real[256]` (model.nn:4:3)", when that is known and stands in the user's file. */
void sema_note_origin(Sema *s, Value value);
/* "help: did you mean `kernel`?" when a candidate is close. True: it was printed. */
bool sema_help_closest(Sema *s, const char *word, const NameList *candidates);
/* Reports that a limit was passed and stops the evaluation. */
void sema_stop(Sema *s, Place place, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The source text of a place on one line, without comments. */
const char *place_text(Arena *arena, Place place);
/* The same, cut to fit into a message. */
const char *place_snippet(Arena *arena, Place place);
/* Where the user can see it: the place itself, or the call that led into the prelude. */
Place sema_user_place(const Sema *s, Place place);

/* ---- frames ---- */
/* A frame whose caller is the current one; it inherits nothing but the naming. Pushed frames are popped in reverse order. */
Frame *frame_push(Sema *s, const Function *function, const Globals *globals, Place call);
void frame_pop(Sema *s);
Value *frame_find(const Frame *frame, const char *name); /* NULL: no such name */
/* Gives the name a value, which remembers name and place unless it has some already. */
void frame_bind(Sema *s, AstName name, Value value);
/* The name of a node for the variable `name` of this frame: "dense_1.y". */
const char *frame_node_name(Sema *s, const char *name);

/* The same for the node of an expression: it has the name of its statement when it is the whole right side, else `fallback`. */
const char *frame_expression_name(Sema *s, Place place, const char *fallback);

/* Counts a level of nesting; false: too deep, reported. Each true wants a sema_leave(). */
bool sema_enter(Sema *s, Place place);
void sema_leave(Sema *s);

const char *sema_describe(Sema *s, Value value);

#endif
