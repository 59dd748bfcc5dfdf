/* Analyses and substitutions over the distinct subexpressions of a scalar. */
#include "ir/scalar_internal.h"

/* ---- loads ---- */

bool scalar_enter_loads(const void *context, const Scalar *s) {
    (void)context;
    return s->has_load;
}

void scalar_each_load(Arena *scratch, const Scalar *s, void (*visit)(void *context, const Scalar *load),
                      void *context) {
    if (!s->has_load)
        return;
    ScalarWalk *walk = scalar_walk_new(scratch);
    scalar_walk(walk, s, scalar_enter_loads, NULL);
    for (size_t i = 0; i < walk->count; i++)
        if (walk->at[i]->kind == SCALAR_LOAD)
            visit(context, walk->at[i]);
}

bool scalar_any_load(Arena *scratch, const Scalar *s, LoadTest *test, const void *context) {
    if (!s->has_load)
        return false;
    ScalarWalk *walk = scalar_walk_new(scratch);
    scalar_walk(walk, s, scalar_enter_loads, NULL);
    for (size_t i = 0; i < walk->count; i++)
        if (walk->at[i]->kind == SCALAR_LOAD && test(context, walk->at[i]))
            return true;
    return false;
}

/* ---- operations ---- */

/* What one evaluation of this operation alone costs. */
static int64_t op_flops(const Scalar *s) {
    bool compares = op_info(s->op.op)->kind == OP_KIND_COMPARE && s->op.arg[0]->type == TYPE_REAL;
    bool chooses = s->type == TYPE_REAL && (s->op.op != OP_SELECT || s->op.arg[0]->has_load);
    return compares || chooses ? op_info(s->op.op)->flops : 0;
}

typedef struct FlopsFrame {
    const Scalar *scalar;
    int next;
    int64_t total;  /* of the children so far */
    int64_t branch; /* the dearer branch of a select so far */
} FlopsFrame;

typedef struct FlopsStack {
    VEC(FlopsFrame) frames;
    PointerMap *seen;
    Arena *arena;
} FlopsStack;

static void flops_push(FlopsStack *stack, const Scalar *s) {
    if (s->kind == SCALAR_OP && !pointer_map_get(stack->seen, s)) {
        pointer_map_put(stack->seen, s, s);
        vec_push(stack->arena, &stack->frames, ((FlopsFrame){.scalar = s}));
    }
}

/* Takes the top frame off, into the frame of its user. */
static int64_t flops_pop(FlopsStack *stack) {
    const FlopsFrame *done = &stack->frames.at[--stack->frames.count];
    int64_t cost = op_flops(done->scalar) + done->total + done->branch;
    if (stack->frames.count > 0) {
        FlopsFrame *user = &stack->frames.at[stack->frames.count - 1];
        if (scalar_is_op(user->scalar, OP_SELECT) && user->next > 1)
            user->branch = cost > user->branch ? cost : user->branch;
        else
            user->total += cost;
    }
    return cost;
}

/* A leaf costs nothing: without this, most calls would make a map for it. */
int64_t scalar_flops(const Scalar *s) {
    if (s->kind != SCALAR_OP)
        return 0;
    Arena *scratch = arena_new((ArenaFailure){0});
    FlopsStack stack = {.seen = pointer_map_new(scratch), .arena = scratch};
    flops_push(&stack, s);
    int64_t cost = 0;
    while (stack.frames.count > 0) {
        FlopsFrame *frame = &stack.frames.at[stack.frames.count - 1];
        if (frame->next < scalar_child_count(frame->scalar))
            flops_push(&stack, scalar_child(frame->scalar, frame->next++));
        else
            cost = flops_pop(&stack);
    }
    arena_free(scratch);
    return cost;
}

/* ---- substitution ---- */

ScalarWalk *scalar_take_walk(ScalarPool *pool) {
    ScalarWalk *walk = pool->idle_walks;
    if (!walk)
        return scalar_walk_new(pool->arena);
    pool->idle_walks = walk->next_idle;
    return walk;
}

void scalar_give_walk(ScalarPool *pool, ScalarWalk *walk) {
    walk->next_idle = pool->idle_walks;
    pool->idle_walks = walk;
}

static const Scalar *rewritten(const ScalarWalk *walk, const Scalar *s) {
    return walk->results[scalar_walk_position(walk, s)];
}

static bool enter_rewrite(const void *context, const Scalar *s) {
    const ScalarRewrite *rewrite = context;
    return (s->slots != 0 && rewrite->index) || (s->has_load && rewrite->load) || rewrite->op;
}

static const Scalar *rewrite_load(ScalarPool *pool, const ScalarWalk *walk, const Scalar *s,
                                  const ScalarRewrite *rewrite) {
    const Scalar *at[MAX_AXES];
    for (int i = 0; i < s->load.rank; i++)
        at[i] = rewritten(walk, s->load.at[i]);
    const Scalar *result = rewrite->load ? rewrite->load(rewrite->context, s, at) : NULL;
    return result ? result : scalar_load(pool, s->load.tensor, at);
}

static const Scalar *rewrite_op(ScalarPool *pool, const ScalarWalk *walk, const Scalar *s,
                                const ScalarRewrite *rewrite) {
    const Scalar *args[3] = {NULL, NULL, NULL};
    bool changed = false;
    for (int i = 0; i < op_info(s->op.op)->arity; i++) {
        args[i] = rewritten(walk, s->op.arg[i]);
        changed = changed || args[i] != s->op.arg[i];
    }
    const Scalar *result = rewrite->op ? rewrite->op(rewrite->context, s, args) : NULL;
    return result ? result : changed ? scalar_with_args(pool, s, args) : s;
}

static const Scalar *rewrite_one(ScalarPool *pool, const ScalarWalk *walk, const Scalar *s,
                                 const ScalarRewrite *rewrite) {
    if (!enter_rewrite(rewrite, s))
        return s;
    switch (s->kind) {
    case SCALAR_LOAD: return rewrite_load(pool, walk, s, rewrite);
    case SCALAR_OP: return rewrite_op(pool, walk, s, rewrite);
    case SCALAR_INDEX: {
        const Scalar *result = rewrite->index ? rewrite->index(rewrite->context, s) : NULL;
        return result ? result : s;
    }
    default: return s;
    }
}

const Scalar *scalar_rewrite(ScalarPool *pool, const Scalar *s, ScalarRewrite rewrite) {
    if (!enter_rewrite(&rewrite, s))
        return s;
    ScalarWalk *walk = scalar_take_walk(pool);
    scalar_walk(walk, s, enter_rewrite, &rewrite);
    for (size_t i = 0; i < walk->count; i++)
        walk->results[i] = rewrite_one(pool, walk, walk->at[i], &rewrite);
    const Scalar *result = walk->results[walk->count - 1];
    scalar_give_walk(pool, walk);
    return result;
}

typedef struct SlotMap {
    const Scalar *const *map;
    int count;
} SlotMap;

static const Scalar *substitute_index(void *context, const Scalar *leaf) {
    const SlotMap *slots = context;
    return leaf->index.slot < slots->count ? slots->map[leaf->index.slot] : NULL;
}

const Scalar *scalar_substitute(ScalarPool *pool, const Scalar *s, const Scalar *const *map, int count) {
    SlotMap slots = {map, count};
    return scalar_rewrite(pool, s, (ScalarRewrite){.index = substitute_index, .context = &slots});
}
