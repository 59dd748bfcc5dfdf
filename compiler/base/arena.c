#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory is taken from the system in chunks, each twice as large as the last one up to a limit: most arenas are scratch, and stay small. An object larger
 * than a chunk gets a chunk of its own. What is handed out is zeroed then, and not the chunk: the rest of it may never be used. */
enum { FIRST_CHUNK_BYTES = 2 * 1024, CHUNK_BYTES = 64 * 1024 };

typedef struct Chunk {
    struct Chunk *next;
    size_t used, room;
    alignas(max_align_t) unsigned char bytes[];
} Chunk;

struct Arena {
    Chunk *chunks; /* the first one is the one that is being filled */
    size_t next_room;
    ArenaFailure failure;
    uint64_t allocations;
    size_t used;
};

static _Noreturn void arena_fail(const ArenaFailure *failure) {
    if (failure->give_up)
        failure->give_up(failure->context);
    fprintf(stderr, "nnc: out of memory\n");
    exit(1);
}

Arena *arena_new(ArenaFailure failure) {
    Arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        arena_fail(&failure);
    arena->failure = failure;
    arena->next_room = FIRST_CHUNK_BYTES;
    return arena;
}

void arena_free(Arena *arena) {
    if (!arena)
        return;
    for (Chunk *chunk = arena->chunks; chunk;) {
        Chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(arena);
}

/* The chunk is linked so that the one with more room left is filled next. */
static Chunk *chunk_add(Arena *arena, size_t bytes) {
    size_t room = bytes > arena->next_room ? bytes : arena->next_room;
    Chunk *chunk = room > SIZE_MAX - sizeof *chunk ? NULL : malloc(sizeof *chunk + room);
    if (!chunk)
        arena_fail(&arena->failure);
    *chunk = (Chunk){.room = room};
    arena->next_room = 2 * arena->next_room < CHUNK_BYTES ? 2 * arena->next_room : CHUNK_BYTES;
    Chunk *first = arena->chunks;
    if (first && first->room - first->used > room - bytes) {
        chunk->next = first->next;
        first->next = chunk;
    } else {
        chunk->next = first;
        arena->chunks = chunk;
    }
    return chunk;
}

/* What so many objects take, without a check. */
static size_t bytes_of(size_t count, size_t size) {
    const size_t alignment = alignof(max_align_t);
    return (count * size + alignment - 1) / alignment * alignment;
}

void *arena_alloc(Arena *arena, size_t count, size_t size) {
    const size_t alignment = alignof(max_align_t);
    arena->allocations++;
    if (arena->allocations == arena->failure.fail_at || (size != 0 && count > (SIZE_MAX - alignment) / size))
        arena_fail(&arena->failure);
    size_t bytes = bytes_of(count, size);
    Chunk *chunk = arena->chunks;
    if (!chunk || bytes > chunk->room - chunk->used)
        chunk = chunk_add(arena, bytes);
    void *result = chunk->bytes + chunk->used;
    chunk->used += bytes;
    arena->used += bytes;
    return memset(result, 0, bytes);
}

/* The array was handed out last, and there is room behind it. */
static bool grow_in_place(Arena *arena, const void *array, size_t old_count, size_t new_count, size_t size) {
    Chunk *chunk = arena->chunks;
    size_t old_bytes = bytes_of(old_count, size);
    if (!array || new_count <= old_count || old_bytes > chunk->used ||
        array != chunk->bytes + chunk->used - old_bytes || (size != 0 && new_count > chunk->room / size))
        return false;
    size_t more = bytes_of(new_count, size) - old_bytes;
    if (more > chunk->room - chunk->used)
        return false;
    memset(chunk->bytes + chunk->used, 0, more);
    chunk->used += more;
    arena->used += more;
    return true;
}

void *arena_grow(Arena *arena, const void *array, size_t old_count, size_t new_count, size_t size) {
    if (grow_in_place(arena, array, old_count, new_count, size))
        return (void *)(uintptr_t)array;
    void *result = arena_alloc(arena, new_count, size);
    size_t kept = old_count < new_count ? old_count : new_count;
    if (kept > 0)
        memcpy(result, array, kept * size);
    return result;
}

char *arena_copy_text(Arena *arena, const char *text, size_t length) {
    if (length == SIZE_MAX)
        arena_fail(&arena->failure);
    char *copy = arena_alloc(arena, length + 1, 1);
    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *arena_printf(Arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *result = arena_vprintf(arena, format, args);
    va_end(args);
    return result;
}

char *arena_vprintf(Arena *arena, const char *format, va_list args) {
    char line[256]; /* enough for nearly all, which then are formatted once */
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(line, sizeof line, format, args);
    if (length < 0) /* longer than INT_MAX */
        arena_fail(&arena->failure);
    char *result = arena_alloc(arena, (size_t)length + 1, 1);
    if ((size_t)length < sizeof line)
        memcpy(result, line, (size_t)length);
    else
        vsnprintf(result, (size_t)length + 1, format, again);
    va_end(again);
    return result;
}

size_t arena_used(const Arena *arena) {
    return arena->used;
}
