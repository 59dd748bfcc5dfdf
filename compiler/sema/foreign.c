#include "sema/foreign.h"

#include <ctype.h>
#include <string.h>

static const struct {
    ForeignKind kind;
    const char *words, *here, *repair;
} rows[] = {
#define FOREIGN_NAME(kind, words, here, repair) {kind, words, here, repair},
#include "sema/foreign_names.def"
#undef FOREIGN_NAME
};

/* Small letters, without `_`. */
static const char *plain_name(Arena *arena, const char *name) {
    char *plain = arena_array(arena, char, strlen(name) + 1);
    size_t length = 0;
    for (; *name != '\0'; name++)
        if (*name != '_')
            plain[length++] = (char)tolower((unsigned char)*name);
    plain[length] = '\0';
    return plain;
}

static bool has_word(const char *words, const char *word) {
    size_t length = strlen(word);
    while (*words != '\0') {
        size_t width = strcspn(words, " ");
        if (width == length && strncmp(words, word, length) == 0)
            return true;
        words += width;
        words += strspn(words, " ");
    }
    return false;
}

static bool is_among(const char *name, const NameList *names) {
    for (size_t i = 0; names != NULL && i < names->count; i++)
        if (strcmp(names->at[i], name) == 0)
            return true;
    return false;
}

bool sema_help_foreign(Sema *s, ForeignKind kind, const char *name, const NameList *known) {
    const char *plain = plain_name(s->arena, name);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool applies = rows[i].here == NULL || is_among(rows[i].here, known);
        if (rows[i].kind == kind && applies && has_word(rows[i].words, plain)) {
            sema_help(s, "%s", rows[i].repair);
            return true;
        }
    }
    return false;
}
