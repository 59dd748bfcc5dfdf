#include "diff/differentiate.h"

#include "diff/forward.h"
#include "diff/reverse.h"

/* One reverse sweep for each `of`, one forward sweep for each direction: all placeholders that ask for it share its nodes. */
typedef struct Direction {
    const Node *wrt, *tangent;
    Forward *forward;
} Direction;

typedef struct Expansion {
    Arena *scratch;
    PointerMap *reverses; /* of -> Reverse */
    VEC(Direction) directions;
    int count;
} Expansion;

static Reverse *reverse_for(Expansion *expansion, Graph *g, const Node *of) {
    Reverse *reverse = pointer_map_get(expansion->reverses, of);
    if (!reverse) {
        reverse = reverse_new(g, expansion->scratch, of);
        pointer_map_put(expansion->reverses, of, reverse);
    }
    return reverse;
}

static Forward *forward_for(Expansion *expansion, Graph *g, const Node *wrt, const Node *tangent) {
    for (size_t i = 0; i < expansion->directions.count; i++) {
        const Direction *known = &expansion->directions.at[i];
        if (known->wrt == wrt && known->tangent == tangent)
            return known->forward;
    }
    Direction direction = {wrt, tangent, forward_new(g, expansion->scratch, wrt, tangent)};
    vec_push(expansion->scratch, &expansion->directions, direction);
    return direction.forward;
}

/* The operands of a placeholder are expanded already: what is inside goes first. */
static const Node *expand(void *context, Graph *g, const Node *node) {
    Expansion *expansion = context;
    if (node->kind != NODE_GRAD && node->kind != NODE_JVP)
        return node;
    expansion->count++;
    const Node *of = node->derivative.of, *wrt = node->derivative.wrt, *tangent = node->derivative.tangent;
    if (node->kind == NODE_GRAD)
        return reverse_gradient(reverse_for(expansion, g, of), wrt);
    return forward_derivative(forward_for(expansion, g, wrt, tangent), of);
}

/* A DETACH stops derivatives until every placeholder is expanded, and then is what it holds. */
static const Node *drop_detach(void *context, Graph *g, const Node *node) {
    (void)context;
    (void)g;
    return node->kind == NODE_DETACH ? node->derivative.of : node;
}

int differentiate(Graph *g) {
    Arena *scratch = arena_new((ArenaFailure){0});
    Expansion expansion = {.scratch = scratch, .reverses = pointer_map_new(scratch)};
    graph_rebuild(g, expand, &expansion);
    graph_rebuild(g, drop_detach, NULL);
    arena_free(scratch);
    return expansion.count;
}
