#include "emit/c_inline.h"

#include <string.h>

#include "base/diag.h"
#include "base/embedded.h"
#include "base/map.h"
#include "base/vec.h"

typedef struct Piece {
    const char *name, *needs; /* needs: names with blanks between, until the end of the line */
    const char *text, *end;
    bool used;
} Piece;

struct InlineSet {
    Arena *arena;
    VEC(Piece *) pieces; /* in the order of the output */
    TextMap *by_name;
};

#define PIECE_BEGIN "/* nn: begin "
#define PIECE_END "/* nn: end */"

static void read_piece(InlineSet *set, const char *mark) {
    Piece *piece = arena_one(set->arena, Piece);
    const char *name = mark + strlen(PIECE_BEGIN);
    const char *line_end = strchr(mark, '\n');
    size_t length = strcspn(name, ": *");
    piece->name = arena_copy_text(set->arena, name, length);
    if (name[length] == ':') {
        const char *needs = name + length + strlen(": needs ");
        piece->needs = arena_copy_text(set->arena, needs, (size_t)(strstr(needs, " */") - needs));
    }
    piece->text = line_end + 1;
    piece->end = strstr(piece->text, PIECE_END);
    vec_push(set->arena, &set->pieces, piece);
    text_map_put(set->by_name, piece->name, piece);
}

static void read_header(InlineSet *set, const char *name) {
    for (size_t i = 0; i < embedded_inline_count; i++) {
        if (strcmp(embedded_inline[i].name, name) != 0)
            continue;
        const char *mark = strstr(embedded_inline[i].text, PIECE_BEGIN);
        for (; mark; mark = strstr(mark + 1, PIECE_BEGIN))
            read_piece(set, mark);
    }
}

InlineSet *inline_set_new(Arena *arena) {
    InlineSet *set = arena_one(arena, InlineSet);
    set->arena = arena;
    set->by_name = text_map_new(arena);
    read_header(set, "simd.h");
    read_header(set, "access.h");
    read_header(set, "vmath.h");
    read_header(set, "philox.h");
    read_header(set, "measure.h");
    inline_use(set, "base");
    return set;
}

static void use_needs(InlineSet *set, const char *needs) {
    while (needs && *needs) {
        size_t length = strcspn(needs, " ");
        inline_use(set, arena_copy_text(set->arena, needs, length));
        needs += length + strspn(needs + length, " ");
    }
}

void inline_use(InlineSet *set, const char *name) {
    Piece *piece = text_map_get(set->by_name, name);
    if (!piece)
        diag_bug("emit", (Place){0}, "there is no inline function nn_%s", name);
    if (piece->used)
        return;
    piece->used = true;
    use_needs(set, piece->needs);
}

void inline_use_function(InlineSet *set, const char *function) {
    inline_use(set, function + strlen("nn_"));
}

/* ---- text ---- */

static bool line_is(const char *line, size_t length, const char *word) {
    return length == strlen(word) && strncmp(line, word, length) == 0;
}

/* Copies the lines of a piece; of an alternative by precision only the chosen branch. */
static void add_piece(const Piece *piece, bool real_is_double, Text *out) {
    enum { BOTH, DOUBLE, FLOAT } side = BOTH;
    const char *next;
    for (const char *line = piece->text; line < piece->end; line = next) {
        size_t length = strcspn(line, "\n");
        next = line + length + 1;
        if (line_is(line, length, "#if NN_DOUBLE"))
            side = DOUBLE;
        else if (side != BOTH && line_is(line, length, "#else"))
            side = FLOAT;
        else if (side != BOTH && line_is(line, length, "#endif"))
            side = BOTH;
        else if (side == BOTH || (side == DOUBLE) == real_is_double)
            text_add_bytes(out, line, length + 1);
    }
}

const char *inline_text(InlineSet *set, bool real_is_double) {
    Text *out = text_new(set->arena);
    for (size_t i = 0; i < set->pieces.count; i++) {
        if (!set->pieces.at[i]->used)
            continue;
        text_add(out, text_length(out) > 0 ? "\n" : "");
        add_piece(set->pieces.at[i], real_is_double, out);
    }
    return text_get(out);
}

const char *inline_piece_name(const InlineSet *set, size_t i) {
    return i < set->pieces.count ? set->pieces.at[i]->name : NULL;
}
