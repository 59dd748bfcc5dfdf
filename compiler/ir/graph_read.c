#include "ir/graph_read.h"

#include <ctype.h>
#include <string.h>

#include "ir/graph_reader.h"

/* ---- types ---- */

static Type read_type_word(Reader *r) {
    if (accept_word(r, "real"))
        return TYPE_REAL;
    if (accept_word(r, "int"))
        return TYPE_INT;
    if (!accept_word(r, "bool"))
        read_fail(r, "a type");
    return TYPE_BOOL;
}

/* An axis of the node that is being read, "b: batch" or "batch". */
static void read_axis(Reader *r) {
    int slot = r->rank + r->reduced;
    if (slot == MAX_AXES)
        read_fail(r, "fewer axes");
    const char *before = r->at;
    r->axes[slot] = NULL;
    if (accept_any_word(r)) {
        const char *name = arena_copy_text(r->arena, r->word, strlen(r->word));
        if (accept(r, ":"))
            r->axes[slot] = name;
        else
            r->at = before;
    }
    r->extents[slot] = read_extent(r);
}

static Type read_type(Reader *r) {
    r->rank = r->reduced = 0;
    Type type = read_type_word(r);
    if (accept(r, "[")) {
        do {
            read_axis(r);
            r->rank++;
        } while (accept(r, ","));
        expect(r, "]");
    }
    return type;
}

/* The letter is kept for printing; i<slot> is what the printer says without one. */
static Origin read_origin(const Reader *r, const char *name) {
    Origin origin = {.name = name};
    for (int i = 0; i < r->rank + r->reduced; i++) {
        bool made_up = r->axes[i] && r->axes[i][0] == 'i' && isdigit((unsigned char)r->axes[i][1]);
        origin.axes[i] = made_up ? NULL : r->axes[i];
    }
    return origin;
}

/* ---- nodes ---- */

/* sum(k: 84); leaves the place alone when a function of the same name or something else stands here. */
static Reduction read_reduction(Reader *r) {
    static const char *const names[] = {"sum", "prod", "max", "min", "argmax", "argmin"};
    const char *before = r->at;
    for (int i = 0; i < 6; i++) {
        if (!accept_word(r, names[i]))
            continue;
        if (accept(r, "(") && accept_any_word(r) && accept(r, ":")) {
            r->at = before;
            accept_word(r, names[i]);
            expect(r, "(");
            do {
                read_axis(r);
                r->reduced++;
            } while (accept(r, ","));
            expect(r, ")");
            return (Reduction)(REDUCE_SUM + i);
        }
        r->at = before;
    }
    return REDUCE_NONE;
}

/* grad(%12, x), jvp(%12, x, v), detach(%12); NULL: something else stands here. */
static const Node *read_derivative(Reader *r, Origin origin) {
    if (accept_word(r, "detach")) {
        expect(r, "(");
        const Node *of = expect_tensor(r);
        return graph_detach(r->graph, of, origin);
    }
    bool is_jvp = accept_word(r, "jvp");
    if (!is_jvp && !accept_word(r, "grad"))
        return NULL;
    expect(r, "(");
    const Node *of = expect_tensor(r);
    expect(r, ",");
    const Node *wrt = expect_tensor(r);
    if (!is_jvp)
        return graph_grad(r->graph, of, wrt, origin);
    expect(r, ",");
    return graph_jvp(r->graph, of, wrt, expect_tensor(r), origin);
}

/* After "%12": " name: type = ..." */
static void read_node(Reader *r, const char *label) {
    skip_blanks(r);
    size_t length = strcspn(r->at, ":\n");
    const char *name = length > 0 ? arena_copy_text(r->arena, r->at, length) : NULL;
    r->at += length;
    expect(r, ":");
    read_type(r);
    expect(r, "=");
    const Node *node = read_derivative(r, read_origin(r, name));
    if (node) {
        expect(r, ")");
    } else {
        Reduction reduce = read_reduction(r);
        const Scalar *body = read_body(r);
        node = graph_expr(r->graph, r->rank, r->extents, reduce, r->reduced, r->extents + r->rank, body,
                          read_origin(r, name));
    }
    text_map_put(r->tensors, label, (void *)node);
}

/* After "input", "target", "param", "state", "prepared" or "buffer". */
static void read_leaf(Reader *r, const char *kind) {
    const char *label = expect_any_word(r);
    expect(r, ":");
    Type type = read_type(r);
    Origin origin = {.name = label[0] == '%' ? NULL : label};
    const Node *node;
    if (strcmp(kind, "param") == 0) {
        node = graph_param(r->graph, r->rank, r->extents, origin);
    } else if (strcmp(kind, "buffer") == 0) {
        node = graph_buffer(r->graph, r->rank, r->extents, origin);
    } else if (strcmp(kind, "prepared") == 0) {
        node = graph_prepared(r->graph, r->rank, r->extents, origin);
    } else if (strcmp(kind, "state") == 0) {
        const Node *param = accept_word(r, "of") ? expect_tensor(r) : NULL;
        node = graph_state(r->graph, param, r->rank, r->extents, origin);
    } else {
        int64_t classes = accept_word(r, "below") ? expect_integer(r) : 0;
        node = graph_input(r->graph, type, r->rank, r->extents, kind[0] == 't', classes, origin);
    }
    text_map_put(r->tensors, label, (void *)node);
}

/* ---- entries ---- */

static bool role_by_word(const char *word, OutputRole *role) {
    static const char *const words[] = {"result", "loss", "metric", "gradient", "update", "init", "prepared"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) {
            *role = (OutputRole)i;
            return true;
        }
    }
    return false;
}

/* After the role: "name = %12". */
static void read_output(Reader *r, Entry *entry, OutputRole role) {
    const char *name = expect_any_word(r);
    GraphOutput output = {.role = role, .name = name};
    if (role == OUTPUT_GRADIENT || role == OUTPUT_UPDATE || role == OUTPUT_INIT || role == OUTPUT_PREPARED) {
        output.target = text_map_get(r->tensors, name);
        if (!output.target)
            read_fail(r, arena_printf(r->arena, "a parameter or state, not `%s`", name));
        output.name = output.target->origin.name;
    }
    expect(r, "=");
    output.value = expect_tensor(r);
    if (role == OUTPUT_INIT)
        graph_set_init(r->graph, output.target, output.value);
    vec_push(r->arena, &entry->outputs, output);
}

/* A line inside an entry. */
static void read_entry_line(Reader *r, Entry *entry) {
    const char *word = expect_any_word(r);
    OutputRole role;
    if (word[0] == '%')
        read_node(r, word);
    else if (role_by_word(word, &role))
        read_output(r, entry, role);
    else
        read_fail(r, "a node or an output");
}

static Entry *expect_entry(Reader *r, const char *word) {
    for (int i = 0; i < ENTRY_COUNT; i++) {
        if (strcmp(word, entry_name((EntryKind)i)) == 0) {
            expect(r, ":");
            r->graph->entries[i].present = true;
            return &r->graph->entries[i];
        }
    }
    read_fail(r, "an entry, an input, a parameter or a state");
}

static void read_header(Reader *r) {
    if (!accept_word(r, "model"))
        read_fail(r, "`model`");
    r->graph = graph_new(r->arena, expect_any_word(r));
    if (accept(r, "(")) {
        const char *name = expect_any_word(r);
        r->graph->batch_name = name;
        bool dynamic = accept(r, "<=");
        if (!dynamic)
            expect(r, "=");
        r->graph->batch = (Extent){expect_integer(r), dynamic ? 1 : 0};
        expect(r, ")");
    }
    r->graph->real_is_double = accept_word(r, "double");
    expect_newline(r);
}

static void read_lines(Reader *r) {
    Entry *entry = NULL;
    while (*r->at) {
        bool inside = *r->at == ' ';
        if (inside && entry) {
            read_entry_line(r, entry);
        } else {
            const char *word = expect_any_word(r);
            bool leaf = strcmp(word, "input") == 0 || strcmp(word, "target") == 0 || strcmp(word, "param") == 0 ||
                        strcmp(word, "state") == 0 || strcmp(word, "prepared") == 0 || strcmp(word, "buffer") == 0;
            if (leaf)
                read_leaf(r, word);
            else
                entry = expect_entry(r, word);
        }
        expect_newline(r);
    }
}

Graph *graph_read(Arena *arena, const char *text, const char **message) {
    Reader *r = arena_one(arena, Reader);
    r->arena = arena;
    r->at = text;
    r->line = 1;
    r->tensors = text_map_new(arena);
    if (setjmp(r->failed)) {
        *message = r->message;
        return NULL;
    }
    read_header(r);
    read_lines(r);
    return r->graph;
}
