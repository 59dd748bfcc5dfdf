#include <ctype.h>
#include <string.h>

#include "loop/kernel.h"

struct Names {
    Arena *arena;
    Names *outer;
    TextMap *taken, *inside; /* names of this set; of the sets inside of it. NULL: none yet */
};

/* C's keywords, what every generated function may speak of, and C++'s keywords, because it may include the header. */
static const char *const reserved[] = {"auto",
                                       "break",
                                       "case",
                                       "char",
                                       "const",
                                       "continue",
                                       "default",
                                       "do",
                                       "double",
                                       "else",
                                       "enum",
                                       "extern",
                                       "float",
                                       "for",
                                       "goto",
                                       "if",
                                       "inline",
                                       "int",
                                       "long",
                                       "register",
                                       "restrict",
                                       "return",
                                       "short",
                                       "signed",
                                       "sizeof",
                                       "static",
                                       "struct",
                                       "switch",
                                       "typedef",
                                       "union",
                                       "unsigned",
                                       "void",
                                       "volatile",
                                       "while",
                                       "n",
                                       "step",
                                       "steps",
                                       "seed",
                                       "rep",
                                       "workspace",
                                       "scratch",
                                       "main",
                                       "int32_t",
                                       "int64_t",
                                       "uint64_t",
                                       "size_t",
                                       "asm",
                                       "typeof",
                                       "I",
                                       "bool",
                                       "true",
                                       "false",
                                       "NULL",
                                       "NAN",
                                       "INFINITY",
                                       "unix",
                                       "linux",
                                       "alignas",
                                       "alignof",
                                       "and",
                                       "and_eq",
                                       "bitand",
                                       "bitor",
                                       "catch",
                                       "char16_t",
                                       "char32_t",
                                       "char8_t",
                                       "class",
                                       "co_await",
                                       "co_return",
                                       "co_yield",
                                       "compl",
                                       "concept",
                                       "const_cast",
                                       "consteval",
                                       "constexpr",
                                       "constinit",
                                       "decltype",
                                       "delete",
                                       "dynamic_cast",
                                       "explicit",
                                       "export",
                                       "friend",
                                       "mutable",
                                       "namespace",
                                       "new",
                                       "noexcept",
                                       "not",
                                       "not_eq",
                                       "nullptr",
                                       "operator",
                                       "or",
                                       "or_eq",
                                       "private",
                                       "protected",
                                       "public",
                                       "reinterpret_cast",
                                       "requires",
                                       "static_assert",
                                       "static_cast",
                                       "template",
                                       "this",
                                       "thread_local",
                                       "throw",
                                       "try",
                                       "typeid",
                                       "typename",
                                       "using",
                                       "virtual",
                                       "wchar_t",
                                       "xor",
                                       "xor_eq"};

Names *names_new(Arena *arena, Names *outer) {
    Names *names = arena_one(arena, Names);
    names->arena = arena;
    names->outer = outer;
    return names;
}

static bool is_reserved(const char *name) {
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (reserved[i][0] == name[0] && strcmp(reserved[i], name) == 0)
            return true;
    return strncmp(name, "nn_", 3) == 0 || strncmp(name, "NN_", 3) == 0;
}

static bool has(const TextMap *set, const char *name) {
    return set && text_map_get(set, name);
}

static void put(Arena *arena, TextMap **set, const char *name) {
    if (!*set)
        *set = text_map_new(arena);
    text_map_put(*set, name, *set);
}

static bool is_taken(const Names *names, const char *name) {
    for (; names; names = names->outer)
        if (has(names->taken, name))
            return true;
    return false;
}

/* Letters, digits and underscores; does not start with a digit or an underscore (C keeps such names for itself). */
static char *make_identifier(Arena *arena, const char *wish) {
    char *name = arena_printf(arena, "%s%s", isalpha((unsigned char)wish[0]) ? "" : "v", wish);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    return name;
}

/* `inside` also counts names of the sets inside of `home`, whether still open or not. */
static const char *take(Names *home, const Names *innermost, bool inside, const char *wish) {
    const char *base = make_identifier(home->arena, wish);
    const char *name = base;
    for (int i = 2; is_reserved(name) || is_taken(innermost, name) || (inside && has(home->inside, name)); i++)
        name = arena_printf(home->arena, "%s_%d", base, i);
    put(home->arena, &home->taken, name);
    for (Names *outer = home->outer; outer && !has(outer->inside, name); outer = outer->outer)
        put(home->arena, &outer->inside, name); /* those further out have it where this one does */
    return name;
}

const char *names_take_before(Names *home, const Names *innermost, const char *wish) {
    return take(home, innermost, true, wish);
}

const char *names_take(Names *names, const char *wish) {
    return take(names, names, false, wish);
}

const char *node_short_name(const Node *node) {
    const char *path = node->origin.name;
    if (!path || !path[0])
        return "v";
    const char *dot = strrchr(path, '.');
    return dot && dot[1] ? dot + 1 : path;
}
