#include "emit/c_share.h"

#include <string.h>

#include "loop/loop_walk.h"
#include "loop/names.h"

/* More arguments than these, and more letters of equations of other kernels, are no help to a reader. */
enum { MOST_SIZES = 8, MOST_LETTERS = 16 * 92 };

/* A kernel, and how its text names what it takes. */
typedef struct Member {
    const Kernel *kernel;
    CParameters parameters;
    VEC(const char *) numbers; /* of the parameters */
    CSizes sizes;
} Member;

/* Kernels that are equal but for names and integers. */
typedef struct Likeness {
    VEC(Member) members;
} Likeness;

typedef struct Sharing {
    CLoops loops;      /* writes kernels with numbers for names */
    int level;         /* of the kernels that are looked at: 0 for those that call none */
    TextMap *likeness; /* theirs, by their texts */
} Sharing;

/* ---- kernels as texts ---- */

static const void *identity(const CParameter *parameter) {
    return parameter->buffer ? (const void *)parameter->buffer : parameter->argument ? parameter->argument->var : NULL;
}

/* The function's text, with numbers for names in the order in which they are met: the body, then what each parameter is. */
static const char *function_key(Sharing *s, const Kernel *kernel, const CParameters *parameters) {
    CLoops *c = &s->loops;
    text_clear(c->writer->out);
    c_kernel_body(c, kernel);
    for (size_t i = 0; i < parameters->count; i++)
        if (identity(&parameters->at[i]))
            c_name(&c->exprs, identity(&parameters->at[i]), ""); /* also of those that the body does not mention */
    for (size_t n = 0; n < pointer_map_count(c->exprs.numbers); n++)
        for (size_t i = 0; i < parameters->count; i++)
            if (identity(&parameters->at[i]) == pointer_map_key(c->exprs.numbers, n))
                c_parameter(c, c->writer->out, kernel, &parameters->at[i]);
    for (size_t i = 0; i < parameters->count; i++)
        if (!identity(&parameters->at[i]))
            c_parameter(c, c->writer->out, kernel, &parameters->at[i]);
    return text_get(c->writer->out);
}

/* What stands for a parameter wherever the function is called. */
static const char *number_of(const Sharing *s, const CParameter *parameter) {
    return identity(parameter) ? c_name(&s->loops.exprs, identity(parameter), "")
                               : c_parameter_name(&s->loops, parameter);
}

static void add_kernel(Sharing *s, const Kernel *kernel) {
    Arena *arena = s->loops.exprs.arena;
    Member member = {.kernel = kernel, .parameters = c_parameters(&s->loops, kernel)};
    s->loops.exprs.numbers = pointer_map_new(arena);
    member.sizes.unrolled = pointer_map_new(arena);
    member.sizes.wish = "offset"; /* an index that is no more than a number may come before anything that has a name */
    s->loops.exprs.sizes = &member.sizes;
    const char *key = function_key(s, kernel, &member.parameters);
    for (size_t i = 0; i < member.parameters.count; i++)
        vec_push(arena, &member.numbers, number_of(s, &member.parameters.at[i]));
    Likeness *like = text_map_get(s->likeness, key);
    if (!like) {
        like = arena_one(arena, Likeness);
        text_map_put(s->likeness, key, like);
    }
    vec_push(arena, &like->members, member);
    s->loops.exprs.sizes = NULL;
}

/* ---- sizes as parameters ---- */

/* The integer at `place` is in all members so many times the one at `base`. 0: it is not. */
static int64_t times_of(const Likeness *like, size_t place, size_t base) {
    int64_t times = 0;
    for (size_t m = 0; m < like->members.count; m++) {
        const CSizes *sizes = &like->members.at[m].sizes;
        int64_t value = sizes->values.at[place], unit = sizes->values.at[base];
        if (unit == 0 || value % unit != 0 || (m > 0 && value / unit != times))
            return 0;
        times = value / unit;
    }
    return times;
}

static bool differs(const Likeness *like, size_t place) {
    for (size_t m = 1; m < like->members.count; m++)
        if (like->members.at[m].sizes.values.at[place] != like->members.at[0].sizes.values.at[place])
            return true;
    return false;
}

/* The names that a function has. */
typedef struct OwnNames {
    Names *names;
    TextMap *taken; /* several scopes may have the same */
} OwnNames;

static void take_once(const OwnNames *own, const char *name) {
    if (text_map_get(own->taken, name))
        return;
    text_map_put(own->taken, name, own->names);
    names_take(own->names, name);
}

static void take_name(void *context, const LoopStmt *s) {
    if (s->kind == LOOP_FOR)
        take_once(context, s->loop.var->name);
    if (s->kind == LOOP_DECLARE)
        take_once(context, s->declare.var->name);
}

static Names *names_of(const Sharing *s, const Member *member) {
    Arena *arena = s->loops.exprs.arena;
    const Kernel *kernel = member->kernel;
    OwnNames own = {names_new(arena, NULL), text_map_new(arena)};
    CLoops loops = s->loops;
    loops.exprs.numbers = NULL;
    for (size_t i = 0; i < member->parameters.count; i++)
        take_once(&own, c_parameter_name(&loops, &member->parameters.at[i]));
    for (size_t i = 0; i < kernel->reads.count; i++)
        take_once(&own, kernel->reads.at[i]->name);
    for (size_t i = 0; i < kernel->writes.count; i++)
        take_once(&own, kernel->writes.at[i]->name);
    loop_walk_body(&kernel->body, &(LoopVisitor){.stmt = take_name, .context = &own});
    return own.names;
}

/* The parameter of which the integer at `place` is some times the value; if there is none: their count. */
static size_t find_size(const Likeness *like, const CFunction *function, size_t place) {
    size_t k = 0;
    while (k < function->sizes.count && times_of(like, place, function->sizes.at[k].place) == 0)
        k++;
    return k;
}

/* Each integer in which the members differ is a parameter, or some times an earlier one. */
static void find_sizes(const Sharing *s, const Likeness *like, CFunction *function) {
    Arena *arena = s->loops.exprs.arena;
    const CSizes *sizes = &like->members.at[0].sizes;
    CSize *written = arena_array(arena, CSize, sizes->values.count + 1);
    Names *names = names_of(s, &like->members.at[0]);
    for (size_t i = 0; i < sizes->values.count; i++) {
        if (!differs(like, i))
            continue;
        size_t k = find_size(like, function, i);
        if (k == function->sizes.count)
            vec_push(arena, &function->sizes, ((CSizeParameter){names_take(names, sizes->wishes.at[i]), i}));
        const CSizeParameter *size = &function->sizes.at[k];
        written[i] = (CSize){size->name, i == size->place ? 1 : times_of(like, i, size->place)};
    }
    function->written = written;
    function->names = names;
}

/* ---- functions ---- */

static bool has_comment(const CFunction *function, const char *comment) {
    for (size_t i = 0; i < function->comments.count; i++)
        if (strcmp(function->comments.at[i], comment) == 0)
            return true;
    return false;
}

/* The first kernel's equations, those of some others, and that there are more. */
static void add_comments(Arena *arena, CFunction *function, const Likeness *like) {
    bool complete = true;
    size_t letters = 0;
    for (size_t i = 0; i < like->members.count && complete; i++) {
        const Kernel *kernel = like->members.at[i].kernel;
        for (size_t k = 0; k < kernel->comments.count && complete; k++) {
            if (has_comment(function, kernel->comments.at[k]))
                continue;
            letters += strlen(kernel->comments.at[k]);
            complete = i == 0 || letters <= MOST_LETTERS;
            vec_push(arena, &function->comments, complete ? kernel->comments.at[k] : "... and more of the same form");
        }
    }
}

static CFunction *function_new(const Sharing *s, const Likeness *like) {
    Arena *arena = s->loops.exprs.arena;
    CFunction *function = arena_one(arena, CFunction);
    function->kernel = like->members.at[0].kernel;
    add_comments(arena, function, like);
    find_sizes(s, like, function);
    return function;
}

/* The kernel's own memory, variables and sizes, in the order of the function's parameters. */
static const CCall *call_new(Arena *arena, const CFunction *function, const Member *first, const Member *member) {
    CCall *call = arena_one(arena, CCall);
    call->function = function;
    TextMap *parameter_of = text_map_new(arena);
    for (size_t k = 0; k < member->numbers.count; k++)
        text_map_put(parameter_of, member->numbers.at[k], &member->parameters.at[k]);
    for (size_t i = 0; i < first->numbers.count; i++)
        vec_push(arena, &call->values, *(const CParameter *)text_map_get(parameter_of, first->numbers.at[i]));
    for (size_t i = 0; i < function->sizes.count; i++)
        vec_push(arena, &call->sizes, member->sizes.values.at[function->sizes.at[i].place]);
    return call;
}

static bool equal_sizes(const Member *a, const Member *b) {
    for (size_t i = 0; i < a->sizes.values.count; i++)
        if (a->sizes.values.at[i] != b->sizes.values.at[i])
            return false;
    return true;
}

/* The members that equal the first one; the others are added to `rest`. */
static const Likeness *split(Arena *arena, const Likeness *like, Likeness *rest) {
    Likeness *equal = arena_one(arena, Likeness);
    for (size_t i = 0; i < like->members.count; i++) {
        const Member *member = &like->members.at[i];
        Likeness *to = equal_sizes(&like->members.at[0], member) ? equal : rest;
        vec_push(arena, &to->members, *member);
    }
    return equal;
}

static void share(Sharing *s, const Likeness *like) {
    Arena *arena = s->loops.exprs.arena;
    const CFunction *function = function_new(s, like);
    if (function->sizes.count > MOST_SIZES) {
        Likeness rest = {0};
        share(s, split(arena, like, &rest));
        share(s, &rest);
        return;
    }
    for (size_t i = 0; i < like->members.count; i++) {
        const Member *member = &like->members.at[i];
        pointer_map_put(s->loops.calls, member->kernel, call_new(arena, function, &like->members.at[0], member));
    }
}

/* ---- the program ---- */

static int level_of(const Kernel *kernel);

static void raise_level(void *context, const LoopStmt *s) {
    int *level = context, called = s->kind == LOOP_CALL ? level_of(s->call) : -1;
    *level = called < *level ? *level : called + 1;
}

/* 0 for a kernel that calls none. */
static int level_of(const Kernel *kernel) {
    int level = 0;
    loop_walk_body(&kernel->body, &(LoopVisitor){.stmt = raise_level, .context = &level});
    return level;
}

static void add_called(void *context, const LoopStmt *statement) {
    Sharing *s = context;
    if (statement->kind == LOOP_CALL && level_of(statement->call) == s->level)
        add_kernel(s, statement->call);
}

static void add_level(Sharing *s, const LoopEntry *entry) {
    for (size_t i = 0; entry->present && i < entry->kernels.count; i++) {
        const Kernel *kernel = entry->kernels.at[i];
        loop_walk_body(&kernel->body, &(LoopVisitor){.stmt = add_called, .context = s});
        if (level_of(kernel) == s->level)
            add_kernel(s, kernel);
    }
}

static int highest_level(const LoopProgram *program) {
    int highest = 0;
    for (int kind = 0; kind < ENTRY_COUNT; kind++) {
        const LoopEntry *entry = &program->entries[kind];
        for (size_t i = 0; entry->present && i < entry->kernels.count; i++) {
            int level = level_of(entry->kernels.at[i]);
            highest = level > highest ? level : highest;
        }
    }
    return highest;
}

void c_share(CLoops *c, const LoopProgram *program) {
    Arena *arena = c->exprs.arena;
    CWriter writer = c_writer(arena, text_new(arena), NULL);
    Sharing s = {.loops = *c};
    s.loops.writer = &writer;
    for (int highest = highest_level(program); s.level <= highest; s.level++) {
        s.likeness = text_map_new(arena);
        for (int kind = 0; kind < ENTRY_COUNT; kind++)
            add_level(&s, &program->entries[kind]);
        for (size_t i = 0; i < text_map_count(s.likeness); i++)
            share(&s, text_map_value(s.likeness, i));
    }
}
