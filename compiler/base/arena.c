#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory is taken from the system in chunks; an object larger than a chunk gets a chunk of its own. */
enum { CHUNK_BYTES = 64 * 1024 };

typedef struct Chunk {
    struct Chunk *next;
    size_t used, room;
    alignas(max_align_t) unsigned char bytes[];
} Chunk;

struct Arena {
    Chunk *chunks; /* the first one is the one that is being filled */
    ArenaFailure failure;
    uint64_t allocations;
    size_t used;
};

static _Noreturn void arena_fail(const ArenaFailure *failure) {
    if (failure->give_up) {
        failure->give_up(failure->context);
    }
    fprintf(stderr, "nnc: out of memory\n");
    exit(1);
}

Arena *arena_new(ArenaFailure failure) {
    Arena *arena = calloc(1, sizeof *arena);
    if (!arena) {
        arena_fail(&failure);
    }
    arena->failure = failure;
    return arena;
}

void arena_free(Arena *arena) {
    if (!arena) {
        return;
    }
    for (Chunk *chunk = arena->chunks; chunk;) {
        Chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(arena);
}

/* The chunk is linked so that the one with more room left is filled next. */
static Chunk *chunk_add(Arena *arena, size_t bytes) {
    size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    Chunk *chunk = room > SIZE_MAX - sizeof *chunk ? NULL : calloc(1, sizeof *chunk + room);
    if (!chunk) {
        arena_fail(&arena->failure);
    }
    chunk->room = room;
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

void *arena_alloc(Arena *arena, size_t count, size_t size) {
    const size_t alignment = alignof(max_align_t);
    arena->allocations++;
    if (arena->allocations == arena->failure.fail_at || (size != 0 && count > (SIZE_MAX - alignment) / size)) {
        arena_fail(&arena->failure);
    }
    size_t bytes = (count * size + alignment - 1) / alignment * alignment;
    Chunk *chunk = arena->chunks;
    if (!chunk || bytes > chunk->room - chunk->used) {
        chunk = chunk_add(arena, bytes);
    }
    void *result = chunk->bytes + chunk->used;
    chunk->used += bytes;
    arena->used += bytes;
    return result;
}

void *arena_grow(Arena *arena, const void *array, size_t old_count, size_t new_count, size_t size) {
    void *result = arena_alloc(arena, new_count, size);
    size_t kept = old_count < new_count ? old_count : new_count;
    if (kept > 0) {
        memcpy(result, array, kept * size);
    }
    return result;
}

char *arena_copy_text(Arena *arena, const char *text, size_t length) {
    if (length == SIZE_MAX) {
        arena_fail(&arena->failure);
    }
    char *copy = arena_alloc(arena, length + 1, 1);
    if (length > 0) {
        memcpy(copy, text, length);
    }
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
    va_list measured;
    va_copy(measured, args);
    int length = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    if (length < 0) { /* longer than INT_MAX */
        arena_fail(&arena->failure);
    }
    char *result = arena_alloc(arena, (size_t)length + 1, 1);
    vsnprintf(result, (size_t)length + 1, format, args);
    return result;
}

size_t arena_used(const Arena *arena) {
    return arena->used;
}
