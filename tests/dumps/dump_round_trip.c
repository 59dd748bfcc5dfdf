/* dump_round_trip NNC DUMP MODEL: reads what `nnc --dump=DUMP MODEL` prints, checks the graph, prints it, and compares the texts. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ir/graph_check.h"
#include "ir/graph_print.h"
#include "ir/graph_read.h"

static const char *output_of(Arena *arena, const char *command) {
    FILE *pipe = popen(command, "r");
    if (!pipe)
        return NULL;
    Text *text = text_new(arena);
    char piece[4096];
    for (size_t count; (count = fread(piece, 1, sizeof piece, pipe)) > 0;)
        text_add_bytes(text, piece, count);
    return pclose(pipe) == 0 ? text_get(text) : NULL;
}

/* Says the first line that differs. */
static bool same_text(const char *first, const char *second) {
    int line = 1;
    while (strcmp(first, second) != 0) {
        size_t length = strcspn(first, "\n"), other = strcspn(second, "\n");
        if (length != other || strncmp(first, second, length) != 0 || first[length] != second[length]) {
            printf("line %d:\n  was %.*s\n  is  %.*s\n", line, (int)length, first, (int)other, second);
            return false;
        }
        line++;
        first += length + 1;
        second += length + 1;
    }
    return true;
}

static bool round_trip(Arena *arena, const char *text) {
    const char *message = NULL;
    Graph *graph = graph_read(arena, text, &message);
    if (!graph) {
        printf("%s\n", message);
        return false;
    }
    graph_check(graph, "reading a dump", false);
    Text *again = text_new(arena);
    graph_print(graph, again);
    return same_text(text, text_get(again));
}

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    Arena *arena = arena_new((ArenaFailure){0});
    const char *command = arena_printf(arena, "'%s' --dump=%s '%s'", argv[1], argv[2], argv[3]);
    const char *text = output_of(arena, command);
    bool good = text && round_trip(arena, text);
    arena_free(arena);
    return good ? 0 : 1;
}
