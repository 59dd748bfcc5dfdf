/* arena.h: memory that is freed as a whole.
 *
 * Every data structure of the compiler lives in an arena; there is one arena for each lifetime (source and AST, graph,
 * plan). Nothing is freed alone. Memory comes back zeroed.
 *
 * Ownership: arena_new() makes, arena_free() frees the arena and all that was allocated from it.
 * Errors: an allocation never returns NULL. When memory is exhausted or a size overflows, the arena calls the failure
 * function it was made with, which must not return (the driver's removes temporary files and exits with status 1).
 */
#ifndef NNC_BASE_ARENA_H
#define NNC_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Arena Arena;

/* What to do when memory runs out: `give_up(context)` must not return. A NULL function prints a line and exits with 1. */
typedef struct ArenaFailure {
    void (*give_up)(void *context);
    void *context;
    /* For tests: when positive, the allocation with this ordinal (from 1) fails. */
    uint64_t fail_at;
} ArenaFailure;

Arena *arena_new(ArenaFailure failure);
void arena_free(Arena *arena);

/* `count` objects of `size` bytes, zeroed, aligned for any type. The product is checked against overflow. */
void *arena_alloc(Arena *arena, size_t count, size_t size);

#define arena_one(arena, T) ((T *)arena_alloc((arena), 1, sizeof(T)))
#define arena_array(arena, T, n) ((T *)arena_alloc((arena), (n), sizeof(T)))

/* `array` (old_count objects, all that was asked for) with room for new_count, the new ones zeroed: longer where it is, or a copy. The old memory
 * stays until the arena is freed. */
void *arena_grow(Arena *arena, const void *array, size_t old_count, size_t new_count, size_t size);

char *arena_copy_text(Arena *arena, const char *text, size_t length); /* adds the final NUL */
char *arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(Arena *arena, const char *format, va_list args);

/* Bytes handed out so far: for --time and the tests. */
size_t arena_used(const Arena *arena);

#endif
