/* map.h: hash maps in an arena, from texts or from pointers to pointers.
 *
 * Iteration goes in the order of insertion, so that everything the compiler prints is the same on every run.
 * Keys of a TextMap are copied. No removal. A key that is put again replaces its value.
 */
#ifndef NNC_BASE_MAP_H
#define NNC_BASE_MAP_H

#include "base/arena.h"

typedef struct TextMap TextMap;
TextMap *text_map_new(Arena *arena);
void text_map_put(TextMap *map, const char *key, void *value);
void *text_map_get(const TextMap *map, const char *key); /* NULL when absent */
size_t text_map_count(const TextMap *map);
const char *text_map_key(const TextMap *map, size_t i); /* i-th inserted */
void *text_map_value(const TextMap *map, size_t i);

typedef struct PointerMap PointerMap;
PointerMap *pointer_map_new(Arena *arena);
void pointer_map_put(PointerMap *map, const void *key, const void *value);
void *pointer_map_get(const PointerMap *map, const void *key); /* NULL when absent */
size_t pointer_map_count(const PointerMap *map);
const void *pointer_map_key(const PointerMap *map, size_t i);
void *pointer_map_value(const PointerMap *map, size_t i);

/* FNV-1a, for hash-consing tables of other modules. Start with HASH_SEED. */
#define HASH_SEED UINT64_C(14695981039346656037)
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count);

#endif
