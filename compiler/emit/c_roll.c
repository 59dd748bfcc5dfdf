#include "emit/c_roll.h"

#include <string.h>

#include "loop/loop_walk.h"

/* ---- what may repeat ---- */

/* A call of an entry, or a statement of a body. */
typedef struct Thing {
    uint64_t form; /* 0: like no other */
    const CCall *call;
    CSteps values; /* what may go up from one repetition to the next */
} Thing;

typedef struct RollSearch {
    const CLoops *loops;
    VEC(Thing) things;
} RollSearch;

static void add_number(Thing *thing, uint64_t number) {
    thing->form = hash_bytes(thing->form, &number, sizeof number);
}

static int64_t element_bytes(const CLoops *c, Type type) {
    return type == TYPE_REAL ? (int64_t)c_real_bytes(&c->exprs) : (int64_t)sizeof(int32_t);
}

static void add_buffer(const RollSearch *s, Thing *thing, const Buffer *buffer) {
    bool moves = buffer->space == BUFFER_WORKSPACE;
    add_number(thing, moves ? (uint64_t)buffer->type : (uint64_t)(uintptr_t)buffer);
    int64_t place = moves ? (int64_t)buffer->offset / element_bytes(s->loops, buffer->type) : 0;
    vec_push(s->loops->exprs.arena, &thing->values, place);
}

/* Repetitions begin with the same row. */
static void add_row(const RollSearch *s, Thing *thing, const LoopExpr *from) {
    CExprs names = c_exact(&s->loops->exprs);
    names.numbers = NULL;
    Text *text = text_new(names.arena);
    c_expr(&names, text, from);
    thing->form = hash_bytes(thing->form, text_get(text), strlen(text_get(text)));
}

static void add_variable(const RollSearch *s, Thing *thing, const LoopVar *var) {
    add_number(thing, var->scratch ? (uint64_t)var->type * 2 + var->per_lane : (uint64_t)(uintptr_t)var);
    int64_t place = var->scratch ? (int64_t)var->offset / element_bytes(s->loops, var->type) : 0;
    vec_push(s->loops->exprs.arena, &thing->values, place);
}

static Thing call_of(const RollSearch *s, const CCall *call) {
    Arena *arena = s->loops->exprs.arena;
    Thing thing = {.form = HASH_SEED, .call = call};
    add_number(&thing, (uint64_t)(uintptr_t)call->function);
    for (size_t i = 0; i < call->values.count; i++) {
        const CParameter *value = &call->values.at[i];
        add_number(&thing, (uint64_t)value->kind);
        if (value->buffer)
            add_buffer(s, &thing, value->buffer);
        else if (value->argument)
            add_variable(s, &thing, value->argument->var);
        else
            vec_push(arena, &thing.values, 0);
        if (value->from)
            add_row(s, &thing, value->from);
    }
    for (size_t i = 0; i < call->sizes.count; i++)
        vec_push(arena, &thing.values, call->sizes.at[i]);
    return thing;
}

static Thing statement_of(const RollSearch *s, const LoopStmt *statement) {
    Thing thing = {0};
    if (statement->kind == LOOP_CALL)
        return call_of(s, pointer_map_get(s->loops->calls, statement->call));
    bool is_mark = statement->kind == LOOP_MARK, declares = statement->kind == LOOP_DECLARE;
    if (is_mark || (declares && statement->declare.var->scratch)) {
        add_number(&thing, (uint64_t)statement->kind);
        add_number(&thing, is_mark ? (uint64_t)statement->mark : 0);
    }
    return thing;
}

/* Kernels of one function, of which the same threads run both, behind the same waits. */
static Thing kernel_of(const RollSearch *s, const Kernel *kernel) {
    Thing thing = call_of(s, pointer_map_get(s->loops->calls, kernel));
    add_number(&thing, (uint64_t)kernel->waits * 2 + kernel->parallel);
    add_number(&thing, kernel->slices);
    add_number(&thing, kernel->slice);
    return thing;
}

/* ---- what repeats ---- */

/* All values go up as from the first repetition to the second. */
static bool follows(void *context, size_t first, size_t period, size_t turn) {
    const RollSearch *s = context;
    for (size_t k = first; turn > 1 && k < first + period; k++) {
        const Thing *things = s->things.at, *one = &things[k], *two = &things[k + period];
        const Thing *last = &things[k + (turn - 1) * period], *now = &things[k + turn * period];
        for (size_t i = 0; i < one->values.count; i++)
            if (now->values.at[i] - last->values.at[i] != two->values.at[i] - one->values.at[i])
                return false;
    }
    return true;
}

static const CSteps *steps_of(const RollSearch *s, Repeat repeat) {
    CSteps *steps = arena_array(s->loops->exprs.arena, CSteps, repeat.period);
    for (size_t k = 0; k < repeat.period; k++) {
        const Thing *one = &s->things.at[repeat.first + k], *two = &s->things.at[repeat.first + k + repeat.period];
        for (size_t i = 0; i < one->values.count; i++)
            vec_push(s->loops->exprs.arena, &steps[k], two->values.at[i] - one->values.at[i]);
    }
    return steps;
}

static bool has_call(const RollSearch *s, Repeat repeat) {
    for (size_t k = 0; k < repeat.period; k++)
        if (s->things.at[repeat.first + k].call)
            return true;
    return false;
}

static CRollList find_rolls(RollSearch *s) {
    Arena *arena = s->loops->exprs.arena;
    CRollList list = {0};
    uint64_t *forms = arena_array(arena, uint64_t, s->things.count + 1);
    for (size_t i = 0; i < s->things.count; i++)
        forms[i] = s->things.at[i].form;
    const RepeatSearch search = {s->things.count, forms, follows, s};
    const RepeatList repeats = repeats_find(arena, &search);
    for (size_t i = 0; i < repeats.count; i++)
        if (has_call(s, repeats.at[i]))
            vec_push(arena, &list, ((CRoll){repeats.at[i], steps_of(s, repeats.at[i])}));
    return list;
}

CRollList c_roll_entry(const CLoops *c, const LoopEntry *entry) {
    RollSearch s = {.loops = c};
    for (size_t i = 0; i < entry->kernels.count; i++)
        vec_push(c->exprs.arena, &s.things, kernel_of(&s, entry->kernels.at[i]));
    return find_rolls(&s);
}

const CRoll *c_roll_at(const CRollList *list, size_t at) {
    for (size_t i = 0; list && i < list->count; i++)
        if (list->at[i].repeat.first == at)
            return &list->at[i];
    return NULL;
}

/* ---- kernels ---- */

typedef struct KernelRoll {
    const CLoops *loops;
    CRolled *rolled;
} KernelRoll;

const Buffer *c_base(const CRolled *rolled, const Buffer *buffer) {
    for (const Buffer *base; (base = pointer_map_get(rolled->base, buffer)) != NULL;)
        buffer = base;
    return buffer;
}

/* The one that stands first in memory is the base of both. */
static void join(const CRolled *rolled, const Buffer *a, const Buffer *b) {
    const Buffer *x = c_base(rolled, a), *y = c_base(rolled, b);
    if (x != y)
        pointer_map_put(rolled->base, x->offset < y->offset ? y : x, x->offset < y->offset ? x : y);
}

/* The loop goes from the buffers of one repetition to those of the next. */
static void join_buffers(const KernelRoll *k, const LoopBody *body, const CRoll *roll) {
    const Repeat r = roll->repeat;
    for (size_t i = r.first; i + r.period < r.first + r.period * r.count; i++) {
        if (body->at[i]->kind != LOOP_CALL)
            continue;
        const CCall *call = pointer_map_get(k->loops->calls, body->at[i]->call);
        const CCall *next = pointer_map_get(k->loops->calls, body->at[i + r.period]->call);
        for (size_t v = 0; v < call->values.count; v++)
            if (call->values.at[v].buffer && call->values.at[v].buffer != next->values.at[v].buffer)
                join(k->rolled, call->values.at[v].buffer, next->values.at[v].buffer);
    }
}

static void roll_body(const KernelRoll *k, const LoopBody *body) {
    RollSearch s = {.loops = k->loops};
    bool calls = false;
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *statement = body->at[i];
        calls = calls || statement->kind == LOOP_CALL;
        if (statement->kind == LOOP_FOR)
            roll_body(k, &statement->loop.body);
    }
    for (size_t i = 0; i < body->count && calls; i++)
        vec_push(k->loops->exprs.arena, &s.things, statement_of(&s, body->at[i]));
    CRollList *list = arena_one(k->loops->exprs.arena, CRollList);
    *list = find_rolls(&s);
    if (list->count == 0)
        return;
    k->rolled->any = true;
    pointer_map_put(k->rolled->lists, body, list);
    for (size_t i = 0; i < list->count; i++)
        join_buffers(k, body, &list->at[i]);
}

/* ---- what the text mentions ---- */

static void mention(const CRolled *rolled, const void *what) {
    if (what)
        pointer_map_put(rolled->mentioned, what, what);
}

static void mention_address(void *context, const LoopAddress *address, bool is_store) {
    const KernelRoll *k = context;
    (void)is_store;
    mention(k->rolled, address->buffer);
    mention(k->rolled, address->array);
}

static void mention_call(const KernelRoll *k, const CCall *call) {
    for (size_t i = 0; i < call->values.count; i++) {
        mention(k->rolled, call->values.at[i].buffer);
        mention(k->rolled, call->values.at[i].argument ? call->values.at[i].argument->var : NULL);
    }
}

static void mention_body(KernelRoll *k, const LoopBody *body) {
    const CRollList *list = pointer_map_get(k->rolled->lists, body);
    for (size_t i = 0; i < body->count; i++) {
        const LoopStmt *s = body->at[i];
        const CRoll *roll = c_roll_at(list, i);
        for (size_t turn = 0; roll && turn < roll->repeat.period; turn++)
            if (body->at[i + turn]->kind == LOOP_CALL)
                mention_call(k, pointer_map_get(k->loops->calls, body->at[i + turn]->call));
        if (roll)
            i += roll->repeat.period * roll->repeat.count - 1;
        else if (s->kind == LOOP_CALL)
            mention_call(k, pointer_map_get(k->loops->calls, s->call));
        else if (s->kind == LOOP_FOR)
            mention_body(k, &s->loop.body);
        else
            loop_walk_stmt(s, &(LoopVisitor){.address = mention_address, .context = k});
    }
}

static void find_written(const CRolled *rolled, const Kernel *kernel) {
    for (size_t i = 0; i < kernel->writes.count; i++) {
        const Buffer *base = c_base(rolled, kernel->writes.at[i]);
        pointer_map_put(rolled->written, base, base);
    }
}

const CRolled *c_rolled(const CLoops *c, const Kernel *kernel) {
    Arena *arena = c->exprs.arena;
    CRolled *rolled = pointer_map_get(c->rolled, kernel);
    if (rolled)
        return rolled;
    rolled = arena_one(arena, CRolled);
    *rolled = (CRolled){false, pointer_map_new(arena), pointer_map_new(arena), pointer_map_new(arena),
                        pointer_map_new(arena)};
    KernelRoll k = {c, rolled};
    roll_body(&k, &kernel->body);
    if (rolled->any) {
        mention_body(&k, &kernel->body);
        find_written(rolled, kernel);
    }
    pointer_map_put(c->rolled, kernel, rolled);
    return rolled;
}

int64_t c_behind(const CLoops *c, const Buffer *base, const Buffer *buffer) {
    return ((int64_t)buffer->offset - (int64_t)base->offset) / element_bytes(c, buffer->type);
}
